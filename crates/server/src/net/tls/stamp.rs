//! How files are told from what they were before.

use std::fs::{self, Metadata};
use std::path::Path;
use std::time::SystemTime;

use super::Credentials;

/// Which files stand at the paths of [`Credentials`], as far as that shows without
/// reading them. Links are followed: they are how certificates are often renewed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Stamp(Vec<Option<One>>);

/// One file; what it is renamed from may have kept its times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct One {
    modified: Option<SystemTime>,
    length: u64,
    inode: u64,
}

impl Stamp {
    /// Blocks.
    pub(super) fn of(credentials: &Credentials) -> Self {
        match credentials {
            Credentials::SelfSigned { .. } => Self::default(),
            Credentials::Files { certificate, key } => {
                Self([certificate, key].map(|path| one(path)).into())
            }
        }
    }
}

fn one(path: &Path) -> Option<One> {
    let metadata = fs::metadata(path).ok()?;
    Some(One {
        modified: metadata.modified().ok(),
        length: metadata.len(),
        inode: inode(&metadata),
    })
}

#[cfg(unix)]
fn inode(metadata: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

#[cfg(not(unix))]
fn inode(_: &Metadata) -> u64 {
    0
}
