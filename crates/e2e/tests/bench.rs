//! The browser's part of the bench: every figure or one sentence. How high the
//! figures are is no matter here.

use std::collections::BTreeMap;
use std::fs;
use std::process::{Command, Output};

use anyhow::{Context, Result, ensure};
use load::results::{Browser, Quantiles};

fn bench(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_browser_bench"));
    command.args(arguments);
    command
}

#[tokio::test]
async fn a_smoke_run_has_every_figure_and_they_agree() -> Result<()> {
    let _turn = e2e::turn().await;
    let output = bench(&["--smoke"]).output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "it failed: {said}");
    let found: Browser = serde_json::from_slice(&output.stdout).context("not a result")?;
    println!("{found:#?}");

    assert!(found.version.contains("Chrom"), "{}", found.version);
    joins_agree(&found);
    assert!(found.glass_to_glass_ms.count >= 10, "{found:?}");
    in_order(&found.glass_to_glass_ms);
    assert_eq!(found.glass_to_glass_over_time.len(), 2);
    assert_eq!(found.interactive_ms.count, 1);
    let seconds: Vec<f64> = found.memory.iter().map(|(second, _)| *second).collect();
    assert_eq!(seconds.len(), 3);
    assert!(seconds.is_sorted(), "{seconds:?}");
    let wasm_page = 65_536;
    assert!(found.memory.iter().all(|(_, bytes)| *bytes > wasm_page));
    files_agree(&found)
}

fn joins_agree(found: &Browser) {
    let phases = &found.join_phases_ms;
    assert_eq!(found.join_ms.count, 1);
    assert!(phases.iter().all(|(_, phase)| phase.count == 1));
    let medians: Vec<f64> = phases.iter().map(|(_, phase)| phase.median).collect();
    assert!(medians.is_sorted() && medians[0] > 0.0, "{medians:?}");
    assert_eq!(medians.last(), Some(&found.join_ms.median));
}

fn in_order(quantiles: &Quantiles) {
    let Quantiles {
        median,
        p95,
        p99,
        max,
        ..
    } = *quantiles;
    assert!([median, p95, p99, max].is_sorted(), "{quantiles:?}");
}

/// Every file of the page is transferred, and none is larger than it is.
fn files_agree(found: &Browser) -> Result<()> {
    let mut sizes = BTreeMap::new();
    for file in fs::read_dir(e2e::page_folder()?)? {
        let file = file?;
        let name = file.file_name().to_string_lossy().into_owned();
        sizes.insert(name, file.metadata()?.len());
    }
    let transferred: BTreeMap<String, u64> = found.transfer.iter().cloned().collect();
    assert!(transferred.keys().eq(sizes.keys()), "{transferred:?}");
    for (name, bytes) in &transferred {
        assert!((1..=sizes[name]).contains(bytes), "{name}: {bytes}");
    }
    let all: u64 = transferred.values().sum();
    let uncompressed: u64 = sizes.values().sum();
    assert!(all < uncompressed / 2, "{all} of {uncompressed} bytes");
    Ok(())
}

#[tokio::test]
async fn a_part_alone_leaves_the_others_empty() -> Result<()> {
    let _turn = e2e::turn().await;
    let output = bench(&["--smoke", "--only", "page"]).output()?;
    let found: Browser = serde_json::from_slice(&output.stdout).context("not a result")?;
    assert_eq!(found.interactive_ms.count, 1);
    assert_eq!(found.join_ms, Quantiles::default());
    assert!(found.memory.is_empty());
    Ok(())
}

#[test]
fn what_is_missing_is_told_in_one_sentence() -> Result<()> {
    let empty = tempfile::tempdir()?;
    let output = bench(&["--smoke"])
        .env("TWOWAY_PAGE", empty.path())
        .output()?;
    assert_eq!(
        sentence(&output),
        "the page is not built: run cargo xtask test"
    );

    let nowhere = empty.path().join("chromedriver");
    let output = bench(&["--smoke"]).env("CHROMEDRIVER", nowhere).output()?;
    let said = sentence(&output);
    assert!(
        said.starts_with("the browser does not start: install Chromium"),
        "{said}"
    );

    let nowhere = empty.path().join("chromium");
    let output = bench(&["--smoke"]).env("CHROME", nowhere).output()?;
    let said = sentence(&output);
    assert!(
        said.starts_with("the browser does not start: install Chromium"),
        "{said}"
    );
    Ok(())
}

/// All that a run says that fails at once.
fn sentence(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(said.lines().count(), 1, "{said}");
    said.trim_end().to_owned()
}
