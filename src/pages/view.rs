//! What every view of the app is given.

use yew::{Callback, Properties};

use crate::driver::Remote;
use crate::platform::media::Picture;
use crate::state::{Press, Screen, Setting, Settings, Share, Typed};

/// Where a view reports what the user does.
#[derive(Clone, PartialEq)]
pub struct Actions {
    /// Told of each change of a field.
    pub on_typed: Callback<Typed>,
    /// Told of each press.
    pub on_press: Callback<Press>,
    /// Told of each change of a setting.
    pub on_setting: Callback<Setting>,
    /// Told of the press that plays, whether there is a session or not.
    pub on_watch: Callback<()>,
}

/// The app's state as a view sees it.
#[derive(Clone, PartialEq)]
pub struct View {
    /// Fields, statuses and texts.
    pub screen: Screen,
    /// What the page remembers.
    pub settings: Settings,
    /// What the camera sees; `None` when it is off.
    pub preview: Option<Picture>,
    /// The played stream; `None` while nothing plays.
    pub remote: Option<Remote>,
    /// Links to the stream in the playing half.
    pub share: Share,
    /// Where the view reports to.
    pub actions: Actions,
}

/// What a view is given.
#[derive(Clone, PartialEq, Properties)]
pub struct ViewProps {
    /// The app's state.
    pub view: View,
}
