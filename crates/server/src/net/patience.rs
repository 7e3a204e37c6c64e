//! Connections whose clients must take what they asked for.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Sleep;

/// Why a write failed whose client took nothing for too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the client does not read what it asked for")]
pub(super) struct Stalled;

/// A stream that fails with [`Stalled`] if bytes wait and none of them is taken
/// for a while. One that has nothing to send may be silent for ever.
pub(super) struct Patient {
    stream: TcpStream,
    patience: Duration,
    /// Runs while bytes wait.
    running_out: Option<Pin<Box<Sleep>>>,
    is_endless: Arc<AtomicBool>,
}

/// Makes a [`Patient`] wait as long as it takes.
#[derive(Debug)]
pub(super) struct Waiver(Arc<AtomicBool>);

impl Waiver {
    pub(super) fn waive(self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Patient {
    pub(super) fn new(stream: TcpStream, patience: Duration) -> (Self, Waiver) {
        let is_endless = Arc::new(AtomicBool::new(false));
        let waiver = Waiver(Arc::clone(&is_endless));
        let patient = Self {
            stream,
            patience,
            running_out: None,
            is_endless,
        };
        (patient, waiver)
    }

    /// Takes how a write went.
    fn judge<T>(
        &mut self,
        written: Poll<io::Result<T>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() || self.is_endless.load(Ordering::Relaxed) {
            self.running_out = None;
            return written;
        }
        let patience = self.patience;
        let running_out = self
            .running_out
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(patience)));
        ready!(running_out.as_mut().poll(context));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, Stalled)))
    }
}

impl AsyncRead for Patient {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, into)
    }
}

impl AsyncWrite for Patient {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.judge(written, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.judge(written, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
