//! What a first visit transfers.

use std::fs;
use std::io::Write;

use anyhow::{Context, Result, ensure};
use brotli::CompressorWriter;

/// All of the page's files, compressed, in bytes: half of what the page that it
/// replaces takes.
const BUDGET: usize = 200_000;
/// As the server compresses: brotli's best and its usual window.
const QUALITY: u32 = 11;
const WINDOW_BITS: u32 = 22;

#[test]
fn the_page_stays_in_its_budget() -> Result<()> {
    let folder = e2e::page_folder()?;
    let mut sizes = Vec::new();
    for entry in fs::read_dir(&folder).context("cannot list the page's files")? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        sizes.push((compressed(&fs::read(entry.path())?)?, name));
    }
    sizes.sort();
    let total: usize = sizes.iter().map(|(size, _)| size).sum();
    let lines: Vec<String> = sizes
        .iter()
        .map(|(size, name)| format!("{size:>8} {name}"))
        .collect();
    let lines = lines.join("\n");
    println!("compressed:\n{lines}\n{total:>8} of {BUDGET} bytes");
    ensure!(
        total <= BUDGET,
        "the page takes {total} bytes compressed, its budget is {BUDGET}:\n{lines}"
    );
    Ok(())
}

fn compressed(file: &[u8]) -> Result<usize> {
    let mut writer = CompressorWriter::new(Vec::new(), 4_096, QUALITY, WINDOW_BITS);
    writer.write_all(file)?;
    Ok(writer.into_inner().len())
}
