//! A figure over the last minute.

use yew::{Html, classes, html};

use crate::state::statistics::Plot;

/// A graph: the drawing is one image to screen readers, described in words.
pub fn graph(plot: &Plot) -> Html {
    html! {
        <figure key={plot.title} class="graph">
            <figcaption>
                <span>{ plot.title }</span>
                <b>{ if plot.now.is_empty() { "–" } else { &plot.now } }</b>
            </figcaption>
            <span class="axis top" aria-hidden="true">{ &plot.top }</span>
            <svg
                viewBox="0 0 600 100"
                preserveAspectRatio="none"
                role="img"
                aria-label={plot.words.clone()}
            >
                <path class="grid" d="M0 50H600M150 0V100M300 0V100M450 0V100" />
                { for plot.lines.iter().enumerate().map(|(index, pieces)| html! {
                    <g key={index} class={classes!("line", format!("line-{index}"))}>
                        { for pieces.iter().map(|points| html! {
                            <polyline points={points.clone()} />
                        }) }
                    </g>
                }) }
            </svg>
            <div class="axis" aria-hidden="true">
                <span>{"1 min ago"}</span>
                if let Some(dotted) = plot.dotted {
                    <span>{ "dotted: " }{ dotted }</span>
                }
                <span>{"now"}</span>
            </div>
        </figure>
    }
}
