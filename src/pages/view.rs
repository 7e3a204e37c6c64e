//! What every view of the app is given.

use yew::{Callback, NodeRef};

use crate::driver::Remote;
use crate::platform::media::Preview;
use crate::state::{Diagnoses, Press, Screen, Setting, Settings, Share, Studio, Typed};

/// Where a view reports what the user does.
#[derive(Clone)]
pub struct Actions {
    /// Told of each change of a field.
    pub on_typed: Callback<Typed>,
    /// Told of each press.
    pub on_press: Callback<Press>,
    /// Told of each change of a setting.
    pub on_setting: Callback<Setting>,
    /// Told of the press that plays, whether there is a session or not.
    pub on_watch: Callback<()>,
    /// Told that the share sheet shall be open or not.
    pub on_share: Callback<bool>,
}

/// The app's state as a view sees it. The views and the parts that have nothing
/// of their own are plain functions of it: a component is compiled once more
/// with all of Yew's life cycle, which the page's size does not allow.
pub struct View<'a> {
    /// Fields, statuses and texts.
    pub screen: &'a Screen,
    /// What the page remembers.
    pub settings: &'a Settings,
    /// What is captured; `None` when nothing is on.
    pub preview: Option<&'a Preview>,
    /// Its devices.
    pub studio: &'a Studio,
    /// The played stream; `None` while nothing plays.
    pub remote: Option<&'a Remote>,
    /// The element around the player.
    pub stage: &'a NodeRef,
    /// The element with the data from the publisher.
    pub received: &'a NodeRef,
    /// Why media does not flow, where it does not.
    pub diagnoses: &'a Diagnoses,
    /// Links to the stream in the playing half.
    pub share: &'a Share,
    /// The sheet with them is open.
    pub sharing: bool,
    /// Where the view reports to.
    pub actions: &'a Actions,
}
