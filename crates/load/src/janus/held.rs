//! A place at Janus, held.

use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::connection::{Connection, ended};
use super::message::{Body, Reply, Request};
use super::{KEEP_ALIVE, Result};

/// Keeps what is published or played there; dropped, the connection ends, and Janus ends
/// all that came over it.
#[derive(Debug)]
#[must_use]
pub struct Held {
    goodbye: Option<oneshot::Sender<()>>,
    task: JoinHandle<Result<()>>,
}

impl Held {
    /// Keeps `connection`. Whoever created `room` ends it with this.
    pub(super) fn new(connection: Connection, room: Option<u64>) -> Self {
        let (goodbye, asked_to_leave) = oneshot::channel();
        Self {
            goodbye: Some(goodbye),
            task: tokio::spawn(keep(connection, room, asked_to_leave)),
        }
    }

    /// Whether Janus has ended it, or the connection was lost.
    pub fn is_lost(&self) -> bool {
        self.task.is_finished()
    }

    /// Takes leave and waits until Janus has let go.
    ///
    /// # Errors
    /// Janus had ended it before, or does not answer.
    pub async fn leave(mut self) -> Result<()> {
        // Nobody hears it once the session has ended: its end says why.
        let _ = self.goodbye.take().map(|goodbye| goodbye.send(()));
        // It fails to end by itself only together with the runtime.
        (&mut self.task).await.map_err(ended)?
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Keeps the session alive until it is to end.
async fn keep(
    mut connection: Connection,
    room: Option<u64>,
    mut goodbye: oneshot::Receiver<()>,
) -> Result<()> {
    let mut alive = interval_at(Instant::now() + KEEP_ALIVE, KEEP_ALIVE);
    alive.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = &mut goodbye => return leave(connection, room).await,
            _ = alive.tick() => drop(connection.send(Request::Keepalive).await?),
            incoming = connection.next() => {
                if let Reply::Hangup { reason } = incoming?.reply {
                    return Err(ended(reason.unwrap_or_else(|| "it hung up".to_owned())));
                }
            }
        }
    }
}

async fn leave(mut connection: Connection, room: Option<u64>) -> Result<()> {
    if let Some(room) = room {
        let end_it = Body::Destroy { room };
        connection.tell("end the room", end_it).await?;
    }
    let answer = connection.ask("end the session", Request::Destroy).await;
    answer.map(drop)
}
