//! What every view of the app is given.

use yew::{Callback, Properties};

use crate::driver::Remote;
use crate::platform::media::Preview;
use crate::state::{Press, Screen, Setting, Settings, Studio, Typed};

/// Where a view reports what the user does.
#[derive(Clone, PartialEq)]
pub struct Actions {
    /// Told of each change of a field.
    pub on_typed: Callback<Typed>,
    /// Told of each press.
    pub on_press: Callback<Press>,
    /// Told of each change of a setting.
    pub on_setting: Callback<Setting>,
}

/// The app's state as a view sees it.
#[derive(Clone, PartialEq)]
pub struct View {
    /// Fields, statuses and texts.
    pub screen: Screen,
    /// What the page remembers.
    pub settings: Settings,
    /// What is captured; `None` when nothing is on.
    pub preview: Option<Preview>,
    /// Its devices.
    pub studio: Studio,
    /// The played stream; `None` while nothing plays.
    pub remote: Option<Remote>,
    /// Where the view reports to.
    pub actions: Actions,
}

/// What a view is given.
#[derive(Clone, PartialEq, Properties)]
pub struct ViewProps {
    /// The app's state.
    pub view: View,
}
