//! A status as a chip, what there is to say about it, and what is done about it.

use yew::{Html, classes, html};

use crate::state::Report;

/// What a report is given.
pub struct ReportLine<'a> {
    /// Id of the status.
    pub status_id: &'static str,
    /// Id of the info.
    pub info_id: &'static str,
    /// What to show.
    pub report: &'a Report,
    /// Where there may be a notice: its id and what is done about a loss, empty
    /// while there is none.
    pub notice: Option<(&'static str, &'a str)>,
}

/// A status and its info; screen readers say each change.
pub fn report_line(props: &ReportLine) -> Html {
    let Report { status, info } = props.report;
    html! {
        <div class="report" role="status" aria-live="polite" aria-atomic="true">
            <div
                id={props.status_id}
                class={classes!("status", status.map(|status| status.tone().class()))}
            >
                { status.map_or("", |status| status.text()) }
            </div>
            <div id={props.info_id} class="info text-muted">{ info }</div>
            if let Some((id, notice)) = props.notice {
                <div {id} class="notice">{ notice }</div>
            }
        </div>
    }
}
