//! The file of statistics: always a whole one, since each is written beside the
//! one before and takes its place.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use tempfile::{Builder, NamedTempFile};
use twoway_publisher::Stats;

use super::exit::Outcome;

/// A file that holds the last statistics, as JSON.
#[derive(Debug)]
pub(crate) struct StatsFile(PathBuf);

#[derive(Serialize)]
struct Content<'a> {
    /// `None` while it goes on.
    outcome: Option<&'a Outcome>,
    stats: &'a Stats,
}

impl StatsFile {
    /// Writes the first content, so that a path that cannot be written is found
    /// out before anything starts.
    ///
    /// # Errors
    /// It cannot be written; the text is for people.
    pub(crate) fn create(path: &Path) -> Result<Self, String> {
        let file = Self(path.to_path_buf());
        file.write(&Stats::default(), None)?;
        Ok(file)
    }

    /// Puts these statistics in the place of the last.
    ///
    /// # Errors
    /// They cannot be written, and the last remain; the text is for people.
    pub(crate) fn write(&self, stats: &Stats, outcome: Option<&Outcome>) -> Result<(), String> {
        self.replace(&Content { outcome, stats }).map_err(|error| {
            format!(
                "cannot write the statistics to {}: {error}",
                self.0.display()
            )
        })
    }

    fn replace(&self, content: &Content<'_>) -> io::Result<()> {
        // What takes the place of a device or a pipe would break it for all.
        if self.0.metadata().is_ok_and(|metadata| !metadata.is_file()) {
            return Err(io::Error::other("this is no file that could be replaced"));
        }
        let folder = self.0.parent().filter(|folder| *folder != Path::new(""));
        let folder = folder.unwrap_or(Path::new("."));
        if !folder.is_dir() {
            let error = format!("there is no folder {}", folder.display());
            return Err(io::Error::new(io::ErrorKind::NotFound, error));
        }
        let mut file = temporary_file(folder)?;
        serde_json::to_writer_pretty(&mut file, content)?;
        file.write_all(b"\n")?;
        // Not synchronised with the disk, which once a second would wear it out.
        file.persist(&self.0)?;
        Ok(())
    }
}

/// A file that others may read, as far as the user's umask lets them.
fn temporary_file(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = Builder::new();
    builder.prefix(".twoway-stats-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn read(path: &Path) -> serde_json::Value {
        serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
    }

    #[test]
    fn the_last_statistics_take_the_place_of_those_before() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stats.json");
        fs::write(&path, "something longer, of another program".repeat(100)).unwrap();
        let file = StatsFile::create(&path).unwrap();
        assert_eq!(read(&path)["outcome"], serde_json::Value::Null);
        let stats = Stats {
            reconnects: 3,
            ..Stats::default()
        };
        let outcome = Outcome::from(&Ok(()));
        file.write(&stats, Some(&outcome)).unwrap();
        assert_eq!(read(&path)["stats"]["reconnects"], 3);
        assert_eq!(read(&path)["outcome"]["exit_code"], 0);
        // Nothing is left beside it.
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_path_that_cannot_be_written_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("missing/stats.json");
        let error = StatsFile::create(&path).unwrap_err();
        let expected = format!(
            "cannot write the statistics to {}: there is no folder {}",
            path.display(),
            folder.path().join("missing").display()
        );
        assert_eq!(error, expected);
        // A folder is no file, and neither is a device.
        assert!(StatsFile::create(folder.path()).is_err());
        if cfg!(unix) {
            let error = StatsFile::create(Path::new("/dev/null")).unwrap_err();
            assert!(error.ends_with("/dev/null: this is no file that could be replaced"));
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
