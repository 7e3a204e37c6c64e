//! The page in a browser.

use super::text::{Table, count, number};
use crate::results::{Browser, Quantiles};

const MIB: f64 = 1_048_576.0;

/// All that was measured in the browser.
pub(super) fn section(browser: &Browser) -> String {
    let mut text = format!(
        "Measured in {}, publisher and server on the same machine.\n\n",
        browser.version
    );
    text.push_str(&times(browser));
    if !browser.transfer.is_empty() {
        text.push_str(&transfer(browser));
    }
    if let Some(memory) = memory(browser) {
        text.push_str(&memory);
    }
    if let Some(drift) = drift(browser) {
        text.push_str(&drift);
    }
    text
}

fn times(browser: &Browser) -> String {
    let headings = ["milliseconds", "median", "95th", "99th", "most", "of"];
    let mut table = Table::new(&headings, 1);
    let mut row = |what: &str, q: &Quantiles| {
        if q.count > 0 {
            let figures = [q.median, q.p95, q.p99, q.max].map(number);
            let cells = std::iter::once(what.to_owned()).chain(figures);
            table.row(cells.chain([count(q.count)]));
        }
    };
    row("Play pressed to first painted frame", &browser.join_ms);
    for (phase, quantiles) in &browser.join_phases_ms {
        row(&format!("… {phase}"), quantiles);
    }
    row("glass to glass", &browser.glass_to_glass_ms);
    row("page opened until it can be used", &browser.interactive_ms);
    table.finish()
}

fn transfer(browser: &Browser) -> String {
    let mut table = Table::new(&["first visit", "bytes, compressed"], 1);
    for (name, bytes) in &browser.transfer {
        table.row([format!("`{name}`"), count(*bytes)]);
    }
    let all = browser.transfer.iter().map(|(_, bytes)| bytes).sum();
    table.row(["all".to_owned(), count(all)]);
    table.finish()
}

fn memory(browser: &Browser) -> Option<String> {
    let (_, first) = browser.memory.first()?;
    let (seconds, last) = browser.memory.last()?;
    let mib = |bytes: u64| number(bytes as f64 / MIB);
    Some(format!(
        "Memory of the page while it plays: {} MiB at first, {} MiB after {} minutes.\n\n",
        mib(*first),
        mib(*last),
        number(seconds / 60.0)
    ))
}

fn drift(browser: &Browser) -> Option<String> {
    let (_, first) = browser.glass_to_glass_over_time.first()?;
    let (seconds, last) = browser.glass_to_glass_over_time.last()?;
    Some(format!(
        "Glass to glass went from {} ms to {} ms within {} minutes.\n\n",
        number(*first),
        number(*last),
        number(seconds / 60.0)
    ))
}
