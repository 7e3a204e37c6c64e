//! Which controls are enabled and what the buttons say.

use super::{Connection, Half, Screen, Stage};

/// A button's face.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Button {
    /// What it says.
    pub label: &'static str,
    /// Whether it can be pressed.
    pub enabled: bool,
}

/// A stream form's controls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FormControls {
    /// The name can be edited.
    pub input: bool,
    /// Starts and stops the stream.
    pub button: Button,
}

/// Every control of the page, as its state has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Controls {
    /// The server's address can be edited.
    pub server: bool,
    /// Connects and disconnects.
    pub connect: Button,
    /// The publishing half.
    pub publish: FormControls,
    /// Data can be sent to the players.
    pub send_data: bool,
    /// The playing half.
    pub play: FormControls,
    /// A name can be asked about.
    pub available: bool,
}

impl Controls {
    /// The controls of `screen`.
    pub fn of(screen: &Screen) -> Self {
        // "Disconnect" pressed leaves both halves as they were.
        let streams = match screen.connection {
            Connection::Established | Connection::Disconnecting => true,
            Connection::Ready | Connection::Connecting | Connection::Waiting => false,
        };
        Self {
            server: screen.connection == Connection::Ready,
            connect: connect_button(screen.connection),
            publish: form(streams, &screen.publish, "Publish"),
            send_data: match screen.publish.stage {
                Stage::Live | Stage::Stopping => streams,
                Stage::Idle | Stage::Asked | Stage::Waiting => false,
            },
            play: form(streams, &screen.play, "Play"),
            available: streams,
        }
    }
}

fn connect_button(connection: Connection) -> Button {
    let (label, enabled) = match connection {
        Connection::Ready => ("Connect", true),
        Connection::Connecting => ("Connect", false),
        Connection::Established | Connection::Waiting => ("Disconnect", true),
        Connection::Disconnecting => ("Disconnect", false),
    };
    Button { label, enabled }
}

fn form(streams: bool, half: &Half, start: &'static str) -> FormControls {
    let (input, label, enabled) = match half.stage {
        Stage::Idle => (streams, start, streams),
        Stage::Asked => (false, start, false),
        Stage::Live => (false, "Stop", streams),
        // One press stops the trying, connected or not.
        Stage::Waiting => (false, "Stop", true),
        Stage::Stopping => (false, "Stop", false),
    };
    FormControls {
        input,
        button: Button { label, enabled },
    }
}
