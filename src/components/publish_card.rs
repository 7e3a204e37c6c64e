//! The publishing half.

use session::StreamRole;
use yew::{Html, html};

use super::capture_controls::capture_controls;
use super::capture_settings::capture_settings;
use super::doctor::doctor;
use super::local_video::LocalVideo;
use super::name_form::{NameForm, name_form};
use super::payload_form::{PayloadForm, payload_form};
use super::report_line::{ReportLine, report_line};
use crate::pages::view::View;
use crate::state::{Controls, Stage};

/// Publishes camera and microphone under a name.
pub fn publish_card(view: &View, controls: Controls) -> Html {
    let screen = view.screen;
    let half = &screen.publish;
    let actions = view.actions;
    let form = NameForm {
        id: "streamerForm",
        input_id: "publishStream",
        button_id: "publishBtn",
        role: StreamRole::Publisher,
        name: &half.name,
        controls: controls.publish,
        actions,
        more: Html::default(),
    };
    let report = ReportLine {
        status_id: "publishStatus",
        info_id: "publishInfo",
        report: &half.report,
        notice: Some(("publishNotice", &half.notice)),
    };
    let payload = PayloadForm {
        payload: &screen.payload,
        error: &screen.payload_error,
        enabled: controls.send_data,
        actions,
    };
    html! {
        <section class="card" aria-labelledby="publishTitle">
            <div class="card-title">
                <h2 id="publishTitle">{"Publish"}</h2>
                <span class="caption text-muted">{"Local"}</span>
            </div>
            <LocalVideo preview={view.preview.cloned()} studio={view.studio.clone()} />
            { capture_controls(view, half.stage == Stage::Idle) }
            { name_form(form) }
            { report_line(&report) }
            { doctor("publishDoctor", view.diagnoses.publish.as_ref()) }
            { capture_settings(view) }
            { payload_form(&payload) }
        </section>
    }
}
