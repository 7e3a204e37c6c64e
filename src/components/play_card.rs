//! The playing half.

use session::StreamRole;
use yew::{Callback, Html, Properties, component, html};

use super::name_form::NameForm;
use super::received_list::ReceivedList;
use super::remote_video::RemoteVideo;
use super::report_line::ReportLine;
use crate::platform::media::Picture;
use crate::state::{FormControls, Half, Press, ReceivedLog, Report, Typed};

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
    /// What the stream shows.
    pub picture: Option<Picture>,
    /// Data from the publisher.
    pub received: ReceivedLog,
    /// Told of each change of a field.
    pub on_typed: Callback<Typed>,
    /// Told of each press.
    pub on_press: Callback<Press>,
}

/// Plays a stream by name.
#[component]
pub fn PlayCard(props: &PlayCardProps) -> Html {
    let role = StreamRole::Player;
    html! {
        <section class="card" aria-labelledby="playTitle">
            <div class="card-title">
                <h2 id="playTitle">{"Play"}</h2>
                <span class="caption text-muted">{"Player"}</span>
            </div>
            <RemoteVideo picture={props.picture.clone()} />
            <NameForm
                id="playerForm"
                input_id="playStream"
                button_id="playBtn"
                name={props.half.name.clone()}
                controls={props.controls}
                on_text={props.on_typed.reform(move |text| Typed::Name(role, text))}
                on_submit={props.on_press.reform(move |()| Press::Stream(role))}
            >
                <button
                    id="availableBtn"
                    type="button"
                    class="button"
                    disabled={!props.available}
                    onclick={props.on_press.reform(|_| Press::Available)}
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
            <ReceivedList log={props.received.clone()} />
        </section>
    }
}
