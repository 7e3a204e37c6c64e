//! The connection form.

use yew::{Callback, Html, Properties, SubmitEvent, component, html};

use super::report_line::ReportLine;
use super::text_field::TextField;
use crate::state::{Button, Field, Press, Report, Typed};

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
    /// Told of each change of the address.
    pub on_typed: Callback<Typed>,
    /// Told of the press.
    pub on_press: Callback<Press>,
}

/// The server's address, "Connect" or "Disconnect", and what became of it.
#[component]
pub fn ConnectionBar(props: &ConnectionBarProps) -> Html {
    let onsubmit = props.on_press.reform(|event: SubmitEvent| {
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
                    on_text={props.on_typed.reform(Typed::Server)}
                />
                <button
                    id="connectBtn"
                    type="submit"
                    class="button primary"
                    disabled={!props.button.enabled}
                >
                    { props.button.label }
                </button>
            </form>
            <ReportLine
                status_id="connectStatus"
                info_id="connectInfo"
                report={props.report.clone()}
            />
        </section>
    }
}
