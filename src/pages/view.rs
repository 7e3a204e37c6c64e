//! What every view of the app is given.

use yew::{AttrValue, Callback, Html, Properties, html};

use crate::components::connection_bar::ConnectionBar;

use crate::driver::Remote;
use crate::platform::media::Preview;
use crate::state::{Controls, Diagnoses, Press, Screen, Setting, Settings, Share, Studio, Typed};

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
    /// What is captured; `None` when nothing is on.
    pub preview: Option<Preview>,
    /// Its devices.
    pub studio: Studio,
    /// The played stream; `None` while nothing plays.
    pub remote: Option<Remote>,
    /// Why media does not flow, where it does not.
    pub diagnoses: Diagnoses,
    /// Links to the stream in the playing half.
    pub share: Share,
    /// Where the view reports to.
    pub actions: Actions,
}

impl View {
    /// The connection form, the same in every view that has one.
    pub(super) fn connection_bar(&self) -> Html {
        let screen = &self.screen;
        let controls = Controls::of(screen);
        let token = screen
            .takes_token()
            .then(|| AttrValue::from(screen.token.clone()));
        html! {
            <ConnectionBar
                server={screen.server.clone()}
                enabled={controls.server}
                button={controls.connect}
                report={screen.connect_report.clone()}
                notice={screen.connect_notice.clone()}
                {token}
                keep_trying={self.settings.keep_trying}
                actions={self.actions.clone()}
            />
        }
    }
}

/// What a view is given.
#[derive(Clone, PartialEq, Properties)]
pub struct ViewProps {
    /// The app's state.
    pub view: View,
}
