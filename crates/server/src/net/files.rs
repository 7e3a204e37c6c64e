//! The page's files, kept in memory as they are sent.
//!
//! A file is read when it is first asked for, and again when it has changed on
//! disk. gzip takes milliseconds and is ready then; the best brotli takes about
//! a second, so one thread makes it, file by file, and it is used from then on.

use std::collections::HashMap;
use std::fs;
use std::hash::{DefaultHasher, Hasher};
use std::io::{self, Read, Write};
use std::path::{Component, Path, PathBuf};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::SystemTime;

use axum::body::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

use super::negotiate::{Accepted, Coding};

/// Larger files are none of a page's.
const MAX_FILE: u64 = 16 << 20;

/// The best that brotli can do, and its largest window (RFC 7932 section 9.1).
const BROTLI_QUALITY: u32 = 11;
const BROTLI_WINDOW_BITS: u32 = 22;
const BROTLI_BUFFER: usize = 1 << 16;

/// The page that was built into this program, if one was: names and contents.
const BUILT_IN: &[BuiltIn] = include!(concat!(env!("OUT_DIR"), "/page.rs"));

type BuiltIn = (&'static str, &'static [u8]);

/// Where the page's files come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PageSource {
    /// A folder; what is in it may change while the server runs.
    Folder(PathBuf),
    /// This program itself, which has none unless it was built with one.
    Program,
}

impl PageSource {
    /// Whether there is a page, so far. Blocks.
    pub fn is_there(&self) -> bool {
        match self {
            Self::Folder(folder) => folder.join("index.html").is_file(),
            Self::Program => !BUILT_IN.is_empty(),
        }
    }
}

impl Default for PageSource {
    /// The program's own, or `dist`, where it lies in the checkout.
    fn default() -> Self {
        if Self::Program.is_there() {
            Self::Program
        } else {
            Self::Folder("dist".into())
        }
    }
}

impl From<&Path> for PageSource {
    fn from(folder: &Path) -> Self {
        Self::Folder(folder.into())
    }
}

/// A page's files; as many are kept as it has.
#[derive(Debug)]
pub(super) struct Files {
    source: PageSource,
    built_in: &'static [BuiltIn],
    kept: Mutex<HashMap<PathBuf, Arc<File>>>,
    /// Those whose brotli is still to be made. The thread ends with this.
    compress: Sender<Weak<File>>,
}

/// A file's content, each way it can be sent.
#[derive(Debug)]
pub(super) struct File {
    modified: Option<SystemTime>,
    hash: u64,
    plain: Bytes,
    /// `None` if it would not be shorter.
    gzip: Option<Bytes>,
    /// Not set while it is being made.
    brotli: OnceLock<Option<Bytes>>,
}

impl Files {
    /// # Errors
    /// No thread can be started.
    pub(super) fn new(source: PageSource) -> io::Result<Self> {
        let (compress, files) = mpsc::channel::<Weak<File>>();
        let thread = std::thread::Builder::new().name("brotli".into());
        thread.spawn(move || {
            for file in files {
                // One that changed in the meantime is not kept any more.
                if let Some(file) = file.upgrade() {
                    file.make_brotli();
                }
            }
        })?;
        Ok(Self {
            source,
            built_in: BUILT_IN,
            kept: Mutex::default(),
            compress,
        })
    }

    /// The file of a decoded URL path; `None` if there is none. Blocks.
    pub(super) fn file(&self, path: &str) -> Option<Arc<File>> {
        let path = relative(path)?;
        let loaded = match &self.source {
            PageSource::Folder(folder) => self.load(&path, folder),
            PageSource::Program => return self.built_in(&path),
        };
        match loaded {
            Ok(file) => Some(file),
            Err(error) => {
                if error.kind() != io::ErrorKind::NotFound {
                    tracing::debug!(path = %path.display(), %error, "not served");
                }
                self.lock().remove(&path);
                None
            }
        }
    }

    /// Gets a page's files ready, so that the first visitor finds them
    /// compressed. Blocks.
    pub(super) fn warm_up(&self) {
        if self.file("index.html").is_none() {
            return;
        }
        match &self.source {
            PageSource::Folder(folder) => {
                for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                    if let Some(name) = entry.file_name().to_str() {
                        self.file(name);
                    }
                }
            }
            PageSource::Program => {
                for (name, _) in self.built_in {
                    self.file(name);
                }
            }
        }
    }

    /// A file of the program's own, which never changes.
    fn built_in(&self, path: &Path) -> Option<Arc<File>> {
        if let Some(kept) = self.lock().get(path) {
            return Some(Arc::clone(kept));
        }
        let (_, content) = self
            .built_in
            .iter()
            .find(|(name, _)| Path::new(name) == path)?;
        let file = File::new(None, Bytes::from_static(content));
        file.ok().map(|file| self.keep(path, file))
    }

    fn load(&self, path: &Path, folder: &Path) -> io::Result<Arc<File>> {
        let file = fs::File::open(folder.join(path))?;
        let metadata = file.metadata()?;
        if !metadata.is_file() || metadata.len() > MAX_FILE {
            return Err(io::Error::other("not a file, or too large"));
        }
        let modified = metadata.modified().ok();
        let kept = self.lock().get(path).cloned();
        if let Some(kept) = kept.filter(|kept| kept.is(modified, metadata.len())) {
            return Ok(kept);
        }
        let mut content = Vec::new();
        file.take(MAX_FILE).read_to_end(&mut content)?;
        Ok(self.keep(path, File::new(modified, content.into())?))
    }

    fn keep(&self, path: &Path, file: File) -> Arc<File> {
        let file = Arc::new(file);
        self.lock().insert(path.to_owned(), Arc::clone(&file));
        // The thread lives as long as this does.
        let _ = self.compress.send(Arc::downgrade(&file));
        file
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<PathBuf, Arc<File>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl File {
    fn new(modified: Option<SystemTime>, plain: Bytes) -> io::Result<Self> {
        let mut hasher = DefaultHasher::new();
        hasher.write(&plain);
        let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
        gzip.write_all(&plain)?;
        Ok(Self {
            modified,
            hash: hasher.finish(),
            gzip: shorter(gzip.finish()?, &plain),
            plain,
            brotli: OnceLock::new(),
        })
    }

    fn is(&self, modified: Option<SystemTime>, length: u64) -> bool {
        modified.is_some() && self.modified == modified && self.plain.len() as u64 == length
    }

    fn make_brotli(&self) {
        let mut encoder = brotli::CompressorReader::new(
            self.plain.as_ref(),
            BROTLI_BUFFER,
            BROTLI_QUALITY,
            BROTLI_WINDOW_BITS,
        );
        let mut brotli = Vec::new();
        let done = encoder.read_to_end(&mut brotli);
        let brotli = done.ok().and_then(|_| shorter(brotli, &self.plain));
        // Nobody else sets it.
        let _ = self.brotli.set(brotli);
    }

    /// The shortest content there is that the client accepts.
    pub(super) fn content(&self, accepted: Accepted) -> (Coding, &Bytes) {
        let brotli = self.brotli.get().and_then(Option::as_ref);
        if let Some(brotli) = brotli.filter(|_| accepted.brotli) {
            return (Coding::Brotli, brotli);
        }
        if let Some(gzip) = self.gzip.as_ref().filter(|_| accepted.gzip) {
            return (Coding::Gzip, gzip);
        }
        (Coding::Identity, &self.plain)
    }

    /// The entity tag of one coding of the content, RFC 9110 section 8.8.3.
    pub(super) fn tag(&self, coding: Coding) -> String {
        format!("\"{:016x}-{}\"", self.hash, coding.name())
    }
}

fn shorter(compressed: Vec<u8>, plain: &Bytes) -> Option<Bytes> {
    (compressed.len() < plain.len()).then(|| compressed.into())
}

/// A URL path as one below the folder. `None` for a path that could lead out of
/// it or to a hidden file.
fn relative(path: &str) -> Option<PathBuf> {
    let mut relative = PathBuf::new();
    for part in path.split('/').filter(|part| !part.is_empty()) {
        let plain = !part.starts_with('.') && !part.contains(['\\', ':', '\0']);
        let mut components = Path::new(part).components();
        match (components.next(), components.next()) {
            (Some(Component::Normal(name)), None) if plain => relative.push(name),
            _ => return None,
        }
    }
    Some(relative)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, expected: Option<&str>) {
        assert_eq!(relative(path).as_deref(), expected.map(Path::new), "{path}");
    }

    #[test]
    fn no_path_leads_out_of_the_folder() {
        check("/index.html", Some("index.html"));
        check("//a//b.js", Some("a/b.js"));
        check("/", Some(""));
        check("/../secret", None);
        check("/a/../../secret", None);
        check("/a/./b", None);
        check("/.git/config", None);
        check("/..\\secret", None);
        check("/c:/secret", None);
        check("/a\0b", None);
    }

    #[test]
    fn a_page_in_the_program_is_served_like_one_in_a_folder() {
        let script = "export const answer = 42;\n".repeat(100).leak();
        let built_in: Vec<BuiltIn> = vec![("index.html", b"the page"), ("a.js", script.as_bytes())];
        let files = Files {
            built_in: built_in.leak(),
            ..Files::new(PageSource::Program).unwrap()
        };
        files.warm_up();
        assert_eq!(files.lock().len(), 2);
        let file = files.file("/a.js").unwrap();
        assert!(Arc::ptr_eq(&file, &files.file("/a.js").unwrap()));
        let gzip = Accepted {
            brotli: false,
            gzip: true,
        };
        let (coding, content) = file.content(gzip);
        assert_eq!(coding, Coding::Gzip);
        assert!(content.len() < script.len());
        assert_eq!(files.file("/index.html").unwrap().plain, "the page");
        assert!(files.file("/b.js").is_none());
        assert!(files.file("/../a.js").is_none());
    }

    #[test]
    fn a_file_is_read_again_when_it_has_changed() {
        let folder = tempfile::tempdir().unwrap();
        let files = Files::new(folder.path().into()).unwrap();
        assert!(files.file("/a.js").is_none());
        fs::write(folder.path().join("a.js"), "one").unwrap();
        let first = files.file("/a.js").unwrap();
        assert!(Arc::ptr_eq(&first, &files.file("/a.js").unwrap()));
        fs::write(folder.path().join("a.js"), "other").unwrap();
        let second = files.file("/a.js").unwrap();
        assert_eq!(second.plain, "other");
        let tag = |file: &File| file.tag(Coding::Identity);
        assert_ne!(tag(&first), tag(&second));
        fs::remove_file(folder.path().join("a.js")).unwrap();
        assert!(files.file("/a.js").is_none());
        assert!(files.lock().is_empty());
    }
}
