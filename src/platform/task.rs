//! Asynchronous work with an owner.

use core::future::Future;
use core::pin::Pin;

use futures::future::{AbortHandle, abortable};

/// Work that ends when its owner drops it. It stops at the next turn of the
/// browser's event loop at the latest and then reports nothing any more.
#[derive(Debug)]
#[must_use = "dropping a task ends it"]
pub struct Task(AbortHandle);

impl Task {
    /// Starts `work`.
    pub fn spawn(work: impl Future<Output = ()> + 'static) -> Self {
        Self::spawn_boxed(Box::pin(work))
    }

    /// Compiled once for all kinds of work.
    fn spawn_boxed(work: Pin<Box<dyn Future<Output = ()>>>) -> Self {
        let (work, handle) = abortable(work);
        wasm_bindgen_futures::spawn_local(async move {
            // An error only says that the owner is gone.
            let _ended = work.await;
        });
        Self(handle)
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Runs `work` to its end, whatever becomes of whoever asked for it. Only for
/// what cannot be taken back, such as a question the browser asks the user.
pub fn detach(work: impl Future<Output = ()> + 'static) {
    wasm_bindgen_futures::spawn_local(work);
}
