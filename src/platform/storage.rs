//! What this browser keeps for the page (`localStorage`, HTML, section 12.2).

use std::rc::Rc;

/// Under which the page's own memory is kept. The number changes when older
/// content must no longer be read.
const KEY: &str = "two-way-streaming.v1";

/// One text that outlives the page. Where the browser has no storage, denies it
/// or has no room, nothing is remembered and nothing is said about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Storage {
    key: Option<Rc<str>>,
}

impl Storage {
    /// The page's own.
    pub fn browser() -> Self {
        Self::named(KEY)
    }

    /// Another, under its own key.
    pub fn named(key: &str) -> Self {
        Self {
            key: Some(key.into()),
        }
    }

    /// One that forgets at once.
    pub fn none() -> Self {
        Self { key: None }
    }

    /// What was written last.
    pub fn read(&self) -> Option<String> {
        local()?.get_item(self.key.as_deref()?).ok()?
    }

    /// Replaces what was written before.
    pub fn write(&self, text: &str) {
        if let (Some(key), Some(storage)) = (&self.key, local()) {
            let _full_or_denied = storage.set_item(key, text);
        }
    }

    /// Takes away what was written.
    pub fn clear(&self) {
        if let (Some(key), Some(storage)) = (&self.key, local()) {
            let _denied = storage.remove_item(key);
        }
    }
}

/// `None` where it is denied, as in some `<iframe>`s.
fn local() -> Option<web_sys::Storage> {
    web_sys::window()?.local_storage().ok()?
}
