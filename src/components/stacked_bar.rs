//! Parts of a whole, one beside the other.

use yew::{Html, classes, html};

use crate::state::statistics::millis;

/// How wide the drawing is, in its own units.
const WIDTH: f64 = 1_000.0;

/// A bar and its legend, which says everything the bar shows. `label` is what
/// the whole is, `parts` each part's name and its milliseconds; `None` is unknown.
pub fn stacked_bar(label: &'static str, parts: &[(&'static str, Option<f64>)]) -> Html {
    let known = || parts.iter().map(|(_, ms)| ms.unwrap_or(0.0));
    let total = known().sum::<f64>();
    let mut left = 0.0;
    let rects = known().enumerate().filter_map(|(index, ms)| {
        let width = if total > 0.0 { ms / total * WIDTH } else { 0.0 };
        let x = left;
        left += width;
        (width > 0.0).then(|| {
            html! {
                <rect
                    key={index}
                    class={part_class(index)}
                    x={(x.round() as i64).to_string()}
                    width={(width.round() as i64).to_string()}
                    height="10"
                />
            }
        })
    });
    html! {
        <div class="stack">
            <svg viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true">
                { for rects }
            </svg>
            <ul class="legend" aria-label={label}>
                { for parts.iter().enumerate().map(|(index, (name, ms))| html! {
                    <li key={index}>
                        <svg viewBox="0 0 10 10" aria-hidden="true">
                            <rect class={part_class(index)} width="10" height="10" rx="3" />
                        </svg>
                        <span>{ *name }</span>
                        { " " }
                        if let Some(ms) = ms {
                            <b>{ millis(*ms) }</b>
                        } else {
                            <span class="unknown">{"unknown"}</span>
                        }
                    </li>
                }) }
            </ul>
        </div>
    }
}

fn part_class(index: usize) -> yew::Classes {
    classes!("part", format!("part-{index}"))
}
