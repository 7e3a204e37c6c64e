//! The connection doctor's word on a half whose media does not flow.

use yew::{Html, html};

use super::copy_button::CopyButton;
use crate::state::{Candidate, Diagnosis, Pair};

/// What is wrong and what to do; what it was drawn from is folded away. `id` is
/// the region's; nothing is wrong without a diagnosis.
pub fn doctor(id: &'static str, diagnosis: Option<&Diagnosis>) -> Html {
    let Some(diagnosis) = diagnosis else {
        return Html::default();
    };
    let title = [id, "Title"].concat();
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
                id={[id, "CopyBtn"].concat()}
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
