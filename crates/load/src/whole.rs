//! Files that are there whole or not at all.

use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};
use tempfile::NamedTempFile;

/// Writes a file beside its place and then moves it there, so that nobody ever reads
/// half of it. Missing folders are made.
///
/// # Errors
/// A sentence that names the file, if it cannot be written there.
pub fn write(path: &Path, contents: &[u8]) -> Result<()> {
    let place = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let written = || -> Result<()> {
        fs::create_dir_all(place)?;
        let mut file = NamedTempFile::new_in(place)?;
        readable_by_all(&file)?;
        file.write_all(contents)?;
        file.persist(path)?;
        Ok(())
    };
    written().with_context(|| format!("cannot write {}", path.display()))
}

/// Temporary files are their owner's alone; results are not secret.
#[cfg(unix)]
fn readable_by_all(file: &NamedTempFile) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;

    let permissions = fs::Permissions::from_mode(0o644);
    Ok(file.as_file().set_permissions(permissions)?)
}

#[cfg(not(unix))]
fn readable_by_all(_file: &NamedTempFile) -> Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_anew_and_over_what_was_there() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("deep/down/file.json");
        for contents in ["a longer one", "short"] {
            write(&path, contents.as_bytes()).expect("it can be written");
            assert_eq!(fs::read_to_string(&path).expect("it is there"), contents);
        }
        let beside = fs::read_dir(path.parent().expect("a folder")).expect("a folder");
        assert_eq!(beside.count(), 1, "a temporary file was left");
    }

    #[test]
    fn says_which_file_cannot_be_written() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("file");
        write(&file, b"").expect("it can be written");
        let error = write(&file.join("below.json"), b"").expect_err("a file is no folder");
        assert!(error.to_string().contains("below.json"));
    }
}
