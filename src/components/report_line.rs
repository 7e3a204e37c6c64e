//! A status as a chip, and what there is to say about it.

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
        </div>
    }
}
