//! A status as a chip, what there is to say about it, and what is done about it.

use yew::{AttrValue, Html, Properties, classes, component, html};

use crate::state::Report;

/// What a report is given.
#[derive(Clone, PartialEq, Properties)]
pub struct ReportLineProps {
    /// Id of the status.
    pub status_id: AttrValue,
    /// Id of the info.
    pub info_id: AttrValue,
    /// What to show.
    pub report: Report,
    /// Id of the notice, where there may be one.
    #[prop_or_default]
    pub notice_id: Option<AttrValue>,
    /// What is done about a loss; empty while there is none.
    #[prop_or_default]
    pub notice: AttrValue,
}

/// A status and its info; screen readers say each change.
#[component]
pub fn ReportLine(props: &ReportLineProps) -> Html {
    let Report { status, info } = &props.report;
    html! {
        <div class="report" role="status" aria-live="polite" aria-atomic="true">
            <div
                id={&props.status_id}
                class={classes!("status", status.map(|status| status.tone().class()))}
            >
                { status.map_or("", |status| status.text()) }
            </div>
            <div id={&props.info_id} class="info text-muted">{ info }</div>
            if let Some(id) = &props.notice_id {
                <div {id} class="notice">{ &props.notice }</div>
            }
        </div>
    }
}
