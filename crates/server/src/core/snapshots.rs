//! Pictures of streams: who asked for which, and what became of it.
//!
//! A request is remembered until the media backend answers it, its time is up
//! or its client's socket is gone; it needs no stream of its own.

use std::collections::BTreeMap;
use std::time::Instant;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use wire::{
    MediaSessionId, ServerMessage, SnapshotRequest, StreamEvent, StreamEventType, StreamName, info,
};

use super::backend::{Command, PeerId, SnapshotError, SnapshotId};
use super::{Answer, ClientId, Core, Output, Refusal, Timer};

/// Most pictures that all operators together wait for at a time.
const OPERATOR_SNAPSHOTS: usize = 4;

const METHOD: &str = "snapshot";

/// The requests that wait for their pictures.
#[derive(Debug, Default)]
pub(super) struct Snapshots {
    waiting: BTreeMap<SnapshotId, Asked>,
    last: u64,
}

#[derive(Debug)]
struct Asked {
    client: ClientId,
    /// What the reply goes under: a stream of the client or a fresh id. An
    /// operator's request has none and is answered itself.
    id: Option<MediaSessionId>,
}

impl Snapshots {
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    fn of_operators(&self) -> usize {
        let waiting = self.waiting.values();
        waiting.filter(|asked| asked.id.is_none()).count()
    }

    fn of_client(&self, client: ClientId) -> impl Iterator<Item = SnapshotId> {
        let waiting = self.waiting.iter();
        waiting.filter_map(move |(request, asked)| (asked.client == client).then_some(*request))
    }
}

impl Core {
    pub(super) fn handle_snapshot(
        &mut self,
        client: ClientId,
        request: SnapshotRequest,
        now: Instant,
    ) {
        let id = match self.snapshot_id(request.media_session_id) {
            Ok(id) => id,
            Err(why) => return self.refuse(client, METHOD, None, &why),
        };
        let limit = self.config.limits.snapshots_per_session;
        if self.snapshots.of_client(client).count() >= limit {
            let why = match limit {
                0 => Refusal::NoSnapshots,
                limit => Refusal::TooManySnapshots { limit },
            };
            return self.refuse_snapshot(client, id, &why);
        }
        if let Some(why) = self.why_unavailable(request.name.as_ref()) {
            return self.fail_snapshot(client, id, why);
        }
        let publisher = request.name.as_ref().map(|n| self.registry.publisher(n));
        let Some((source, _)) = publisher.flatten() else {
            return;
        };
        let id = Some(id);
        self.ask_for_picture(Asked { client, id }, source, now);
    }

    /// Takes a picture for an operator's request.
    pub(super) fn take_picture(&mut self, client: ClientId, name: &StreamName, now: Instant) {
        let refused = if self.config.limits.snapshots_per_session == 0 {
            Some(Answer::Failed(Refusal::NoSnapshots.to_string()))
        } else if self.snapshots.of_operators() >= OPERATOR_SNAPSHOTS {
            Some(Answer::Busy(SnapshotError::Busy.to_string()))
        } else {
            self.why_unavailable(Some(name)).map(|why| match why {
                info::STREAM_NOT_FOUND => Answer::NotFound(why.into()),
                why => Answer::Busy(why.into()),
            })
        };
        if let Some(answer) = refused {
            return self.answer(client, answer);
        }
        if let Some((source, _)) = self.registry.publisher(name) {
            self.ask_for_picture(Asked { client, id: None }, source, now);
        }
    }

    fn ask_for_picture(&mut self, asked: Asked, source: PeerId, now: Instant) {
        self.snapshots.last += 1;
        let request = SnapshotId(self.snapshots.last);
        self.snapshots.waiting.insert(request, asked);
        let overdue = now + self.config.snapshot_timeout;
        self.deadlines.set(Timer::Snapshot(request), overdue);
        self.command(Command::Snapshot { request, source });
    }

    /// Refuses a snapshot that the client may not have.
    pub(super) fn deny_snapshot(
        &mut self,
        client: ClientId,
        request: SnapshotRequest,
        why: &Refusal,
    ) {
        match self.snapshot_id(request.media_session_id) {
            Ok(id) => self.refuse_snapshot(client, id, why),
            Err(why) => self.refuse(client, METHOD, None, &why),
        }
    }

    fn snapshot_id(&self, id: Option<MediaSessionId>) -> Result<MediaSessionId, Refusal> {
        let id = id.ok_or(Refusal::IdMissing)?;
        let limit = self.config.limits.name_chars;
        if id.as_str().chars().count() > limit {
            return Err(Refusal::IdTooLong { limit });
        }
        Ok(id)
    }

    fn refuse_snapshot(&mut self, client: ClientId, id: MediaSessionId, why: &Refusal) {
        self.count(client, why.reason(), why.to_string());
        self.fail_snapshot(client, id, &why.to_string());
    }

    pub(super) fn handle_picture(
        &mut self,
        request: SnapshotId,
        picture: Result<Vec<u8>, SnapshotError>,
    ) {
        let Some(Asked { client, id }) = self.forget_snapshot(request) else {
            return;
        };
        match (picture, id) {
            (Ok(png), Some(id)) => self.send_picture(client, id, &png),
            (Err(why), Some(id)) => self.fail_snapshot(client, id, &why.to_string()),
            (Ok(png), None) => self.answer(client, Answer::Picture(png)),
            (Err(why), None) => self.answer(client, no_picture(why)),
        }
    }

    /// A picture's time is up.
    pub(super) fn snapshot_due(&mut self, request: SnapshotId) {
        const OVERDUE: &str = "no picture came in time";
        match self.forget_snapshot(request) {
            Some(Asked { client, id: None }) => self.answer(client, Answer::Busy(OVERDUE.into())),
            Some(Asked {
                client,
                id: Some(id),
            }) => self.fail_snapshot(client, id, OVERDUE),
            None => {}
        }
    }

    /// Forgets what a client that leaves has asked for.
    pub(super) fn forget_snapshots(&mut self, client: ClientId) {
        for request in self.snapshots.of_client(client).collect::<Vec<_>>() {
            self.forget_snapshot(request);
        }
    }

    fn forget_snapshot(&mut self, request: SnapshotId) -> Option<Asked> {
        self.deadlines.clear(Timer::Snapshot(request));
        self.snapshots.waiting.remove(&request)
    }

    fn send_picture(&mut self, client: ClientId, id: MediaSessionId, png: &[u8]) {
        let picture = BASE64_STANDARD.encode(png);
        let completed = StreamEventType::SnapshotCompleted;
        let text = answer(id.clone(), completed, json!({ "snapshot": picture }));
        let why = "the picture does not fit into what may wait for one client";
        let failed = StreamEventType::SnapshotFailed;
        self.outputs.push_back(Output::Large {
            client,
            text: text.encode(),
            otherwise: answer(id, failed, json!({ "info": why })).encode(),
        });
    }

    fn fail_snapshot(&mut self, client: ClientId, id: MediaSessionId, info: &str) {
        let failed = StreamEventType::SnapshotFailed;
        self.send(client, &answer(id, failed, json!({ "info": info })));
    }
}

fn no_picture(why: SnapshotError) -> Answer {
    let info = why.to_string();
    match why {
        SnapshotError::SourceGone => Answer::NotFound(info),
        SnapshotError::NoKeyframe | SnapshotError::Busy => Answer::Busy(info),
        SnapshotError::NoVideo | SnapshotError::Codec | SnapshotError::Damaged => {
            Answer::Failed(info)
        }
    }
}

fn answer(
    media_session_id: MediaSessionId,
    event_type: StreamEventType,
    payload: Value,
) -> ServerMessage {
    ServerMessage::StreamEvent(StreamEvent {
        media_session_id,
        event_type,
        payload: Some(payload),
    })
}
