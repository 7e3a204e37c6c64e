//! The publishing half.

use session::StreamRole;
use yew::{AttrValue, Html, Properties, component, html};

use super::capture_controls::CaptureControls;
use super::capture_settings::CaptureSettings;
use super::doctor::Doctor;
use super::local_video::LocalVideo;
use super::name_form::NameForm;
use super::payload_form::PayloadForm;
use super::report_line::ReportLine;
use crate::pages::view::Actions;
use crate::platform::media::Preview;
use crate::state::{Diagnosis, FormControls, Half, Press, Settings, Stage, Studio, Typed};

/// What the half is given.
#[derive(Clone, PartialEq, Properties)]
pub struct PublishCardProps {
    /// Its stream.
    pub half: Half,
    /// What is enabled.
    pub controls: FormControls,
    /// What is captured; `None` while nothing is on.
    pub preview: Option<Preview>,
    /// Its devices.
    pub studio: Studio,
    /// Data to send, JSON text.
    pub payload: AttrValue,
    /// What is wrong with it; empty if nothing.
    pub payload_error: AttrValue,
    /// Whether it can be sent.
    pub send_data: bool,
    /// Why its media does not flow, if it does not.
    #[prop_or_default]
    pub diagnosis: Option<Diagnosis>,
    /// What the page remembers.
    pub settings: Settings,
    /// Where the half reports to.
    pub actions: Actions,
}

/// Publishes camera and microphone under a name.
#[component]
pub fn PublishCard(props: &PublishCardProps) -> Html {
    let role = StreamRole::Publisher;
    html! {
        <section class="card" aria-labelledby="publishTitle">
            <div class="card-title">
                <h2 id="publishTitle">{"Publish"}</h2>
                <span class="caption text-muted">{"Local"}</span>
            </div>
            <LocalVideo preview={props.preview.clone()} studio={props.studio.clone()} />
            <CaptureControls
                studio={props.studio.clone()}
                sound={props.preview.as_ref().and_then(|preview| preview.sound.clone())}
                idle={props.half.stage == Stage::Idle}
                on_press={&props.actions.on_press}
            />
            <NameForm
                id="streamerForm"
                input_id="publishStream"
                button_id="publishBtn"
                name={props.half.name.clone()}
                controls={props.controls}
                on_text={props.actions.on_typed.reform(move |text| Typed::Name(role, text))}
                on_submit={props.actions.on_press.reform(move |()| Press::Stream(role))}
            />
            <ReportLine
                status_id="publishStatus"
                info_id="publishInfo"
                report={props.half.report.clone()}
                notice_id="publishNotice"
                notice={props.half.notice.clone()}
            />
            <Doctor id="publishDoctor" diagnosis={props.diagnosis.clone()} />
            <CaptureSettings
                devices={props.studio.devices().clone()}
                settings={props.settings.clone()}
                on_setting={&props.actions.on_setting}
            />
            <PayloadForm
                payload={&props.payload}
                error={&props.payload_error}
                enabled={props.send_data}
                on_typed={&props.actions.on_typed}
                on_press={&props.actions.on_press}
            />
        </section>
    }
}
