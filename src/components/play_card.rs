//! The playing half.

use session::StreamRole;
use yew::{AttrValue, Html, html};

use super::doctor::doctor;
use super::name_form::{NameForm, name_form};
use super::play_statistics::PlayStatistics;
use super::received_list::received_list;
use super::remote_video::RemoteVideo;
use super::report_line::{ReportLine, report_line};
use crate::pages::view::{Actions, View};
use crate::state::{Controls, Press, Setting, Stage};

/// Plays a stream by name. What is enabled and where the half reports to may
/// differ from the view's.
pub fn play_card(view: &View, controls: Controls, actions: &Actions) -> Html {
    let screen = view.screen;
    let half = &screen.play;
    let notice = (!half.notice.is_empty()).then(|| AttrValue::from(half.notice.clone()));
    html! {
        <section ref={view.stage} class="card" aria-labelledby="playTitle">
            <div class="card-title">
                <h2 id="playTitle">{"Play"}</h2>
                <span class="caption text-muted">{"Player"}</span>
            </div>
            <RemoteVideo
                picture={view.remote.map(|remote| remote.picture.clone())}
                name={half.name.text.clone()}
                settings={view.settings.clone()}
                on_setting={&actions.on_setting}
                {notice}
                busy={half.stage == Stage::Asked}
                publisher_muted={screen.publisher_muted}
            />
            { form(view, controls, actions) }
            { reports(view) }
            { doctor("doctor", view.diagnoses.play.as_ref()) }
            <PlayStatistics
                remote={view.remote.cloned()}
                stage={view.stage}
                open={view.settings.statistics}
                server={screen.server.text.clone()}
                server_rate={screen.server_rate}
                on_open={actions.on_setting.reform(Setting::Statistics)}
                on_restart={actions.on_press.reform(|()| Press::PlayAgain)}
            />
            { received_list(view) }
        </section>
    }
}

fn form(view: &View, controls: Controls, actions: &Actions) -> Html {
    let available = html! {
        <button
            id="availableBtn"
            type="button"
            class="button"
            disabled={!controls.available}
            onclick={actions.on_press.reform(|_| Press::Available)}
        >
            {"Available"}
        </button>
    };
    name_form(NameForm {
        id: "playerForm",
        input_id: "playStream",
        button_id: "playBtn",
        role: StreamRole::Player,
        name: &view.screen.play.name,
        controls: controls.play,
        actions,
        more: available,
    })
}

fn reports(view: &View) -> Html {
    let play = ReportLine {
        status_id: "playStatus",
        info_id: "playInfo",
        report: &view.screen.play.report,
        notice: None,
    };
    let available = ReportLine {
        status_id: "availableStatus",
        info_id: "availableInfo",
        report: &view.screen.availability,
        notice: None,
    };
    html! {
        <div class="reports">
            { report_line(&play) }
            { report_line(&available) }
        </div>
    }
}
