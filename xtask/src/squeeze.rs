//! Makes the built page smaller where no other tool does: the names under which
//! WebAssembly and its JavaScript know each other, the layout of that
//! JavaScript, and several style sheets.
//!
//! wasm-bindgen ends every name with a hash, which no compression shortens, and
//! writes for readers; trunk's own minifier cannot read what it writes. Trunk
//! runs this as a hook (`Trunk.toml`) over a release build, before the files
//! get to `dist`.

mod module;
mod styles;

use std::collections::HashMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Where trunk keeps the files it is about to publish.
const STAGING: &str = "TRUNK_STAGING_DIR";
/// What kind of build it is.
const PROFILE: &str = "TRUNK_PROFILE";

/// How wasm-bindgen begins the names of what it imports.
const PREFIX: &str = "__wb";

/// Old names and new ones.
type Names = HashMap<String, String>;

/// # Errors
/// When this is no hook of trunk, or the files are not what wasm-bindgen writes.
pub(crate) fn run() -> Result<()> {
    let staging = env::var_os(STAGING)
        .with_context(|| format!("this is a hook of trunk, which names a folder in {STAGING}"))?;
    if env::var(PROFILE).is_ok_and(|profile| profile != "release") {
        return Ok(());
    }
    let staging = PathBuf::from(staging);
    styles::join(&staging)?;
    let wasm_file = only_file(&staging, "_bg.wasm")?;
    let glue_file = wasm_file.with_file_name(glue_name(&wasm_file)?);
    let wasm = fs::read(&wasm_file).context("cannot read the page's code")?;
    let glue = fs::read_to_string(&glue_file).context("cannot read the page's JavaScript")?;

    let (wasm, glue) = squeeze(&wasm, &glue)?;
    fs::write(&wasm_file, wasm).context("cannot write the page's code")?;
    fs::write(&glue_file, glue).context("cannot write the page's JavaScript")
}

/// Both files, smaller and still belonging together.
fn squeeze(wasm: &[u8], glue: &str) -> Result<(Vec<u8>, String)> {
    let mut names = Names::new();
    let wasm = module::rename_imports(wasm, |name| {
        if !name.starts_with(PREFIX) {
            return name.to_owned();
        }
        let short = short_name(names.len());
        names.entry(name.to_owned()).or_insert(short).clone()
    })?;
    Ok((wasm, plain_layout(&renamed(glue, &names))))
}

/// `a`, `b`, ... `z`, `a1`, `b1`, ...: what repeats compresses well.
fn short_name(number: usize) -> String {
    let letter = char::from(b'a' + (number % 26) as u8);
    match number / 26 {
        0 => letter.to_string(),
        round => format!("{letter}{round}"),
    }
}

/// The JavaScript with each identifier in `names` replaced.
fn renamed(glue: &str, names: &Names) -> String {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    let mut text = String::with_capacity(glue.len());
    let mut rest = glue;
    while !rest.is_empty() {
        let (word, after) = rest.split_at(rest.find(|c| !is_part(c)).unwrap_or(rest.len()));
        text.push_str(names.get(word).map_or(word, String::as_str));
        let (between, next) = after.split_at(after.find(is_part).unwrap_or(after.len()));
        text.push_str(between);
        rest = next;
    }
    text
}

/// The JavaScript without indentation, empty lines and comments on lines of
/// their own. Left as it is where a text may go over several lines.
fn plain_layout(glue: &str) -> String {
    if glue.lines().any(|line| line.matches('`').count() % 2 == 1) {
        return glue.to_owned();
    }
    let mut text = String::with_capacity(glue.len());
    let mut in_comment = false;
    for line in glue.lines().map(str::trim) {
        in_comment |= line.starts_with("/*");
        if !in_comment && !line.is_empty() && !line.starts_with("//") {
            text.push_str(line);
            text.push('\n');
        }
        in_comment &= !line.ends_with("*/");
    }
    text
}

fn only_file(folder: &Path, ending: &str) -> Result<PathBuf> {
    let mut files = fs::read_dir(folder).context("cannot list the built page")?;
    let found = files.find_map(|file| {
        let path = file.ok()?.path();
        path.to_str()?.ends_with(ending).then_some(path)
    });
    found.with_context(|| format!("the built page has no file *{ending}"))
}

/// The JavaScript that belongs to `<name>_bg.wasm` is `<name>.js`.
fn glue_name(wasm: &Path) -> Result<String> {
    let name = wasm.file_name().and_then(|name| name.to_str());
    let stem = name.and_then(|name| name.strip_suffix("_bg.wasm"));
    Ok(format!(
        "{}.js",
        stem.context("the name of the page's code")?
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_words_are_renamed_and_nothing_else() {
        let names = Names::from([("__wbg_new_1f".to_owned(), "a".to_owned())]);
        assert_eq!(
            renamed("{__wbg_new_1f: f(__wbg_new_1f0, \"é\")}", &names),
            "{a: f(__wbg_new_1f0, \"é\")}"
        );
    }

    #[test]
    fn layout_goes_and_texts_stay() {
        let glue = "/**\n * Told.\n */\nfunction f() {\n\n    // Why.\n    return `a // b`;\n}\n";
        assert_eq!(plain_layout(glue), "function f() {\nreturn `a // b`;\n}\n");
        let spanning = "const a = `b\n    c`;";
        assert_eq!(plain_layout(spanning), spanning);
    }

    #[test]
    fn short_names_differ() {
        let names: std::collections::HashSet<_> = (0..2_000).map(short_name).collect();
        assert_eq!(names.len(), 2_000);
        assert_eq!((&*short_name(0), &*short_name(27)), ("a", "b1"));
    }

    #[test]
    fn both_files_are_renamed_alike() {
        let wasm = module::tests::with_imports(&["__wbg_log_77", "memory", "__wbg_log_77"]);
        let glue = "const imports = {\n    __wbg_log_77: console.log,\n    memory,\n};";
        let (wasm, glue) = squeeze(&wasm, glue).unwrap();
        assert_eq!(wasm, module::tests::with_imports(&["a", "memory", "a"]));
        assert_eq!(glue, "const imports = {\na: console.log,\nmemory,\n};\n");
    }
}
