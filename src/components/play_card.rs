//! The playing half.

use session::StreamRole;
use yew::{AttrValue, Html, Properties, component, html, use_node_ref};

use super::doctor::Doctor;
use super::name_form::NameForm;
use super::play_statistics::PlayStatistics;
use super::received_list::ReceivedList;
use super::remote_video::RemoteVideo;
use super::report_line::ReportLine;
use crate::driver::Remote;
use crate::pages::view::Actions;
use crate::state::{
    Diagnosis, FormControls, Half, Muted, Press, ReceivedLog, Report, ServerRate, Setting,
    Settings, Stage, Typed,
};

/// What the half is given.
#[derive(Clone, PartialEq, Properties)]
pub struct PlayCardProps {
    /// Its stream.
    pub half: Half,
    /// What is enabled.
    pub controls: FormControls,
    /// Whether a name can be asked about.
    pub available: bool,
    /// The answer to the last question.
    pub availability: Report,
    /// The stream; `None` while nothing plays.
    pub remote: Option<Remote>,
    /// What the publisher muted.
    pub publisher_muted: Muted,
    /// Data from the publisher.
    pub received: ReceivedLog,
    /// Why its media does not flow, if it does not.
    #[prop_or_default]
    pub diagnosis: Option<Diagnosis>,
    /// The server's address.
    pub server: AttrValue,
    /// What the server counts of the stream.
    pub server_rate: Option<ServerRate>,
    /// What the page remembers.
    pub settings: Settings,
    /// Where the half reports to.
    pub actions: Actions,
}

/// Plays a stream by name.
#[component]
pub fn PlayCard(props: &PlayCardProps) -> Html {
    let role = StreamRole::Player;
    let card = use_node_ref();
    let notice = &props.half.notice;
    let notice = (!notice.is_empty()).then(|| AttrValue::from(notice.clone()));
    html! {
        <section ref={card.clone()} class="card" aria-labelledby="playTitle">
            <div class="card-title">
                <h2 id="playTitle">{"Play"}</h2>
                <span class="caption text-muted">{"Player"}</span>
            </div>
            <RemoteVideo
                picture={props.remote.as_ref().map(|remote| remote.picture.clone())}
                name={props.half.name.text.clone()}
                settings={props.settings.clone()}
                on_setting={&props.actions.on_setting}
                notice={notice}
                busy={props.half.stage == Stage::Asked}
                publisher_muted={props.publisher_muted}
            />
            <NameForm
                id="playerForm"
                input_id="playStream"
                button_id="playBtn"
                name={props.half.name.clone()}
                controls={props.controls}
                on_text={props.actions.on_typed.reform(move |text| Typed::Name(role, text))}
                on_submit={props.actions.on_press.reform(move |()| Press::Stream(role))}
            >
                <button
                    id="availableBtn"
                    type="button"
                    class="button"
                    disabled={!props.available}
                    onclick={props.actions.on_press.reform(|_| Press::Available)}
                >
                    {"Available"}
                </button>
            </NameForm>
            <div class="reports">
                <ReportLine
                    status_id="playStatus"
                    info_id="playInfo"
                    report={props.half.report.clone()}
                />
                <ReportLine
                    status_id="availableStatus"
                    info_id="availableInfo"
                    report={props.availability.clone()}
                />
            </div>
            <Doctor id="doctor" diagnosis={props.diagnosis.clone()} />
            <PlayStatistics
                remote={props.remote.clone()}
                stage={card}
                open={props.settings.statistics}
                server={&props.server}
                server_rate={props.server_rate}
                on_open={props.actions.on_setting.reform(Setting::Statistics)}
                on_restart={props.actions.on_press.reform(|()| Press::PlayAgain)}
            />
            <ReceivedList log={props.received.clone()} />
        </section>
    }
}
