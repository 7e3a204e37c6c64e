//! The connection doctor's word on a half whose media does not flow.

use yew::{AttrValue, Html, Properties, component, html};

use super::copy_button::CopyButton;
use crate::state::{Candidate, Diagnosis, Pair};

/// What the doctor is given.
#[derive(Clone, PartialEq, Properties)]
pub struct DoctorProps {
    /// Id of the region.
    pub id: AttrValue,
    /// What is wrong; `None` while nothing is.
    pub diagnosis: Option<Diagnosis>,
}

/// What is wrong and what to do; what it was drawn from is folded away.
#[component]
pub fn Doctor(DoctorProps { id, diagnosis }: &DoctorProps) -> Html {
    let Some(diagnosis) = diagnosis else {
        return Html::default();
    };
    let title = format!("{id}Title");
    let evidence = &diagnosis.evidence;
    html! {
        <section {id} class="doctor" role="region" aria-labelledby={title.clone()}>
            <h3 id={title}>{ &diagnosis.headline }</h3>
            <ul class="advice">
                { for diagnosis.advice.iter().map(|&advice| html! { <li>{ advice }</li> }) }
            </ul>
            <details class="fold">
                <summary>{"What was offered and tried"}</summary>
                <ul>
                    { for diagnosis.findings.iter().map(|finding| html! { <li>{ finding }</li> }) }
                </ul>
                <div class="table" tabindex="0" role="group" aria-label="Addresses and pairs">
                    { offered("The browser offered", &evidence.local) }
                    { offered("The server offered", &evidence.remote) }
                    { tried(&evidence.pairs) }
                </div>
            </details>
            <CopyButton
                id={format!("{id}CopyBtn")}
                label="Copy the report"
                text={diagnosis.to_text()}
            />
        </section>
    }
}

fn offered(caption: &'static str, candidates: &[Candidate]) -> Html {
    if candidates.is_empty() {
        return html! { <p>{ caption }{" no address."}</p> };
    }
    html! {
        <table>
            <caption>{ caption }</caption>
            <thead>
                <tr>
                    <th scope="col">{"Address"}</th>
                    <th scope="col">{"Over"}</th>
                    <th scope="col">{"Kind"}</th>
                </tr>
            </thead>
            <tbody>
                { for candidates.iter().map(|it| html! {
                    <tr>
                        <td>{ it.endpoint() }</td>
                        <td>{ it.transport.text() }</td>
                        <td>{ it.kind.text() }</td>
                    </tr>
                }) }
            </tbody>
        </table>
    }
}

fn tried(pairs: &[Pair]) -> Html {
    if pairs.is_empty() {
        return html! { <p>{"No pair of addresses was tried."}</p> };
    }
    html! {
        <table>
            <caption>{"Tried"}</caption>
            <thead>
                <tr>
                    <th scope="col">{"From"}</th>
                    <th scope="col">{"To"}</th>
                    <th scope="col">{"Checks"}</th>
                    <th scope="col">{"Answers"}</th>
                    <th scope="col">{"Result"}</th>
                </tr>
            </thead>
            <tbody>
                { for pairs.iter().map(|it| html! {
                    <tr>
                        <td>{ it.local.endpoint() }</td>
                        <td>{ it.remote.endpoint() }</td>
                        <td>{ it.requests }</td>
                        <td>{ it.responses }</td>
                        <td>{ it.state.text() }</td>
                    </tr>
                }) }
            </tbody>
        </table>
    }
}
