//! What a session wants done, in order.

use std::collections::VecDeque;

use wire::ClientMessage;

use crate::{Event, Output};

/// The outputs not yet polled. Every input adds a handful at most for each live
/// stream, so a driver that drains after each input keeps it small.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    outputs: VecDeque<Output>,
}

impl Outbox {
    pub(crate) fn push(&mut self, output: Output) {
        self.outputs.push_back(output);
    }

    pub(crate) fn send(&mut self, message: &ClientMessage) {
        self.push(Output::Send(message.encode()));
    }

    pub(crate) fn notify(&mut self, event: Event) {
        self.push(Output::Notify(event));
    }

    pub(crate) fn pop(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }
}
