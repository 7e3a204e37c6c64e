//! The connection form.

use yew::{AttrValue, Event, Html, Properties, SubmitEvent, component, html};

use super::report_line::ReportLine;
use super::text_field::TextField;
use crate::pages::view::Actions;
use crate::platform::dom;
use crate::state::{Button, Field, Press, Report, Setting, Typed};

/// What the form is given.
#[derive(Clone, PartialEq, Properties)]
pub struct ConnectionBarProps {
    /// The server's address.
    pub server: Field,
    /// Whether it can be edited.
    pub enabled: bool,
    /// Connects and disconnects.
    pub button: Button,
    /// What is said about the connection.
    pub report: Report,
    /// What is done about its loss; empty while there is none.
    pub notice: AttrValue,
    /// The bearer token, where the server's address is one for WHIP and WHEP.
    pub token: Option<AttrValue>,
    /// What is lost is tried for again.
    pub keep_trying: bool,
    /// Where the form reports to.
    pub actions: Actions,
}

/// The server's address, "Connect" or "Disconnect", and what became of it.
#[component]
pub fn ConnectionBar(props: &ConnectionBarProps) -> Html {
    let onsubmit = props.actions.on_press.reform(|event: SubmitEvent| {
        event.prevent_default();
        Press::Connect
    });
    html! {
        <section class="connection" aria-label="Connection">
            <form id="connectionForm" class="controls" novalidate=true {onsubmit}>
                <TextField
                    id="urlServer"
                    label="Server"
                    when_missing="Enter the server's address, such as ws://localhost:8080"
                    field={props.server.clone()}
                    enabled={props.enabled}
                    input_mode="url"
                    on_text={props.actions.on_typed.reform(Typed::Server)}
                />
                if let Some(token) = &props.token {
                    <TextField
                        id="token"
                        label="Token"
                        when_missing=""
                        field={Field::new(token.to_string())}
                        enabled={props.enabled}
                        input_type="password"
                        on_text={props.actions.on_typed.reform(Typed::Token)}
                    />
                }
                <button
                    id="connectBtn"
                    type="submit"
                    class="button primary"
                    disabled={!props.button.enabled}
                >
                    { props.button.label }
                </button>
            </form>
            <div class="connection-foot">
            <ReportLine
                status_id="connectStatus"
                info_id="connectInfo"
                report={props.report.clone()}
                notice_id="connectNotice"
                notice={&props.notice}
            />
            <label class="switch" for="keepTrying">
                <input
                    id="keepTrying"
                    type="checkbox"
                    checked={props.keep_trying}
                    onchange={props.actions.on_setting.reform(|event: Event| {
                        Setting::KeepTrying(dom::checked(&event))
                    })}
                />
                {"Reconnect and resume by itself"}
            </label>
            </div>
        </section>
    }
}
