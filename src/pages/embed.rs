//! The embed view: the bare picture, for an `<iframe>` of any size.

use yew::{Callback, Html, html};

use super::view::View;
use crate::components::icon::{Drawing, icon};
use crate::components::play_statistics::PlayStatistics;
use crate::components::remote_video::RemoteVideo;
use crate::state::{Connection, Press, Report, Screen, Stage, Status};

/// The picture in the whole frame. While there is none, a word about why and,
/// where a press helps, the one button.
pub(super) fn embed(view: &View) -> Html {
    let screen = view.screen;
    let notice = Notice::of(screen);
    html! {
        <main class="embed" ref={view.stage}>
            <RemoteVideo
                picture={view.remote.map(|remote| remote.picture.clone())}
                name={screen.play.name.text.clone()}
                settings={view.settings.clone()}
                on_setting={&view.actions.on_setting}
                publisher_muted={screen.publisher_muted}
                fill=true
            />
            <div class="embed-notice">
                <p id="embedNotice" role="status">{ &notice.text }</p>
                if notice.can_play {
                    <button
                        id="playBtn"
                        type="button"
                        class="button primary"
                        onclick={view.actions.on_watch.reform(|_| ())}
                    >
                        { icon(Drawing::Start) }
                        {"Play"}
                    </button>
                }
            </div>
            <PlayStatistics
                remote={view.remote.cloned()}
                stage={view.stage}
                open={view.settings.statistics}
                has_button=false
                server={screen.server.text.clone()}
                server_rate={screen.server_rate}
                on_open={Callback::noop()}
                on_restart={view.actions.on_press.reform(|()| Press::PlayAgain)}
            />
        </main>
    }
}

/// What lies over the frame.
#[derive(Debug, PartialEq, Eq)]
struct Notice {
    /// Empty while the stream plays.
    text: String,
    /// "Play" is offered.
    can_play: bool,
}

impl Notice {
    fn of(screen: &Screen) -> Self {
        let waiting = |text: &str| Self {
            text: text.to_owned(),
            can_play: false,
        };
        match screen.play.stage {
            Stage::Asked => waiting("Starting…"),
            Stage::Live | Stage::Stopping => waiting(""),
            Stage::Waiting => waiting(&screen.play.notice),
            Stage::Idle if screen.connection == Connection::Waiting => {
                waiting(&screen.connect_notice)
            }
            Stage::Idle if screen.connection == Connection::Connecting => waiting("Connecting…"),
            Stage::Idle if screen.play.name.text.is_empty() => {
                waiting("The address of this player names no stream")
            }
            Stage::Idle => Self {
                text: failure(&screen.connect_report)
                    .or_else(|| failure(&screen.play.report))
                    .unwrap_or_default(),
                can_play: true,
            },
        }
    }
}

/// What went wrong, if anything did.
fn failure(report: &Report) -> Option<String> {
    let failed = report.status == Some(Status::Failed);
    failed.then(|| match report.info.as_str() {
        "" => "The connection failed".to_owned(),
        info => info.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(change: impl FnOnce(&mut Screen), text: &str, can_play: bool) {
        let mut screen = Screen::new("ws://here", "", "cam");
        change(&mut screen);
        let expected = Notice {
            text: text.to_owned(),
            can_play,
        };
        assert_eq!(Notice::of(&screen), expected);
    }

    fn failed(info: &str) -> Report {
        Report {
            status: Some(Status::Failed),
            info: info.to_owned(),
        }
    }

    #[test]
    fn one_word_and_at_most_one_button() {
        check(|_| (), "", true);
        check(
            |screen| screen.connection = Connection::Connecting,
            "Connecting…",
            false,
        );
        check(
            |screen| screen.play.stage = Stage::Asked,
            "Starting…",
            false,
        );
        check(|screen| screen.play.stage = Stage::Live, "", false);
        check(
            |screen| {
                screen.play.stage = Stage::Waiting;
                screen.play.notice = "Waiting for the stream to start.".to_owned();
            },
            "Waiting for the stream to start.",
            false,
        );
        check(
            |screen| screen.play.name.text.clear(),
            "The address of this player names no stream",
            false,
        );
        check(
            |screen| screen.play.report = failed("Other: gone"),
            "Other: gone",
            true,
        );
        check(
            |screen| screen.connect_report = failed(""),
            "The connection failed",
            true,
        );
        check(
            |screen| {
                screen.connect_report = failed("No connection to ws://here");
                screen.play.report = failed("Other: gone");
            },
            "No connection to ws://here",
            true,
        );
    }
}
