//! Puts the built page into the program, if `TWOWAY_PAGE_DIR` names its folder.
//!
//! Nothing is looked for otherwise: a page that happens to lie about may be of another
//! version. What is built without is served a folder with `--page`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// Names the folder, by an absolute path.
const VARIABLE: &str = "TWOWAY_PAGE_DIR";

fn main() -> Result<(), String> {
    println!("cargo::rerun-if-env-changed={VARIABLE}");
    let folder = env::var_os(VARIABLE).filter(|folder| !folder.is_empty());
    let files = match folder.map(PathBuf::from) {
        Some(folder) => files(&folder)?,
        None => String::new(),
    };
    let out = env::var_os("OUT_DIR").ok_or("cargo sets no OUT_DIR")?;
    let list = format!("&[\n{files}]\n");
    fs::write(Path::new(&out).join("page.rs"), list).map_err(|error| error.to_string())
}

/// The files of the folder, each a pair of its name and its content.
fn files(folder: &Path) -> Result<String, String> {
    let shown = folder.display();
    if !folder.is_absolute() || !folder.join("index.html").is_file() {
        return Err(format!(
            "{VARIABLE} must be the absolute path of a built page: there is no {shown}/index.html"
        ));
    }
    println!("cargo::rerun-if-changed={shown}");
    let unreadable = |error| format!("cannot read {shown}: {error}");
    let mut files = String::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        let (Some(name), Some(path)) = (name, path.to_str()) else {
            return Err(format!("a name in {shown} is not UTF-8"));
        };
        if !Path::new(path).is_file() {
            return Err(format!("{path} is no file, and pages have no folders"));
        }
        // Writing to a string does not fail.
        let _ = writeln!(files, "    ({name:?}, include_bytes!({path:?})),");
    }
    Ok(files)
}
