//! The connection form.

use yew::{Event, Html, SubmitEvent, html};

use super::report_line::{ReportLine, report_line};
use super::text_field::{TextField, text_field};
use crate::pages::view::View;
use crate::platform::dom;
use crate::state::{Controls, Field, Press, Setting, Typed};

/// The server's address, a token, "Connect" or "Disconnect", and what became of it.
pub fn connection_bar(view: &View) -> Html {
    let screen = view.screen;
    let actions = view.actions;
    let controls = Controls::of(screen);
    let onsubmit = actions.on_press.reform(|event: SubmitEvent| {
        event.prevent_default();
        Press::Connect
    });
    let server = TextField {
        id: "urlServer",
        label: "Server",
        when_missing: "Enter the server's address, such as ws://localhost:8080",
        field: &screen.server,
        enabled: controls.server,
        input_mode: "url",
        input_type: "text",
        on_text: actions.on_typed.reform(Typed::Server),
    };
    let report = ReportLine {
        status_id: "connectStatus",
        info_id: "connectInfo",
        report: &screen.connect_report,
        notice: Some(("connectNotice", &screen.connect_notice)),
    };
    html! {
        <section class="connection" aria-label="Connection">
            <form id="connectionForm" class="controls" novalidate=true {onsubmit}>
                { text_field(&server) }
                { token(view, controls.server) }
                <button
                    id="connectBtn"
                    type="submit"
                    class="button primary"
                    disabled={!controls.connect.enabled}
                >
                    { controls.connect.label }
                </button>
            </form>
            <div class="connection-foot">
                { report_line(&report) }
                <label class="switch" for="keepTrying">
                    <input
                        id="keepTrying"
                        type="checkbox"
                        checked={view.settings.keep_trying}
                        onchange={actions.on_setting.reform(|event: Event| {
                            Setting::KeepTrying(dom::checked(&event))
                        })}
                    />
                    {"Reconnect and resume by itself"}
                </label>
            </div>
        </section>
    }
}

/// The access token.
fn token(view: &View, enabled: bool) -> Html {
    text_field(&TextField {
        id: "token",
        label: "Token",
        when_missing: "",
        field: &Field::new(view.screen.token.clone()),
        enabled,
        input_mode: "text",
        input_type: "password",
        on_text: view.actions.on_typed.reform(Typed::Token),
    })
}
