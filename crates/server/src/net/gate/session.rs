//! What a client over WebSocket may do: each of its messages is looked at before the
//! core gets to see it.
//!
//! A client shows its token at the upgrade, or as `custom.token` of its `connection`, and
//! that one counts for the session. A `custom.token` of a stream counts for that stream.
//! A token is looked at anew whenever it counts, so that one that has expired or was
//! taken back opens nothing new; what it has opened goes on.

use std::fmt;

use serde_json::Value;
use wire::{ClientMessage, Connection, StreamName};

use super::Gate;
use crate::access::{Denied, Right};
use crate::hooks;

/// A client over WebSocket, as far as the gate knows it.
#[derive(Default)]
pub(in crate::net) struct SessionGate {
    token: Option<String>,
    /// It has sent its `connection`.
    connected: bool,
    /// What the application for hooks knows of it, if there is one.
    hooks: Option<hooks::Session>,
}

impl fmt::Debug for SessionGate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionGate")
            .field("connected", &self.connected)
            .finish_non_exhaustive()
    }
}

impl SessionGate {
    /// A client that has shown `token` at the upgrade.
    pub(in crate::net) fn new(token: Option<String>, hooks: Option<hooks::Session>) -> Self {
        Self {
            token,
            connected: false,
            hooks,
        }
    }
}

/// What becomes of a message.
#[derive(Debug)]
pub(in crate::net) enum Verdict {
    /// The core gets it.
    Pass,
    /// The core refuses it.
    Refuse {
        message: Box<ClientMessage>,
        denied: Denied,
    },
}

impl Gate {
    /// Whether a client may have what it asks for. What is no message at all is for the
    /// core to refuse.
    pub(in crate::net) async fn decide(&self, session: &mut SessionGate, text: &str) -> Verdict {
        // A token is taken note of even where none is needed yet.
        if session.connected && self.is_open() && session.hooks.is_none() {
            return Verdict::Pass;
        }
        let Ok(message) = ClientMessage::decode(text) else {
            return Verdict::Pass;
        };
        let checked = match self.check(session, &message) {
            Ok(()) => self.ask(session, &message).await,
            Err(denied) => Err(denied),
        };
        match checked {
            Ok(()) => Verdict::Pass,
            Err(denied) => Verdict::Refuse {
                message: Box::new(message),
                denied,
            },
        }
    }

    /// The application for hooks is asked last: nobody without the rights troubles it.
    async fn ask(&self, session: &mut SessionGate, message: &ClientMessage) -> Result<(), Denied> {
        let Some(hooks) = &mut session.hooks else {
            return Ok(());
        };
        let of_stream = if let ClientMessage::PublishStream(request) = message {
            shown(request.custom.as_ref())
        } else if let ClientMessage::PlayStream(request) = message {
            shown(request.custom.as_ref())
        } else {
            None
        };
        let token = of_stream.or_else(|| session.token.clone());
        let token = token.filter(|_| self.tells_tokens());
        hooks.ask(message, token.as_deref()).await
    }

    fn check(&self, session: &mut SessionGate, message: &ClientMessage) -> Result<(), Denied> {
        let (custom, right, name) = match message {
            ClientMessage::Connection(connection) => return self.enter(session, connection),
            ClientMessage::PublishStream(request) => {
                (&request.custom, Right::Publish, &request.name)
            }
            ClientMessage::PlayStream(request) => (&request.custom, Right::Play, &request.name),
            ClientMessage::AvailableStream(request) => (&None, Right::Play, &request.name),
            ClientMessage::Snapshot(request) => (&None, Right::Play, &request.name),
            ClientMessage::StopStream(_)
            | ClientMessage::UnPublishStream(_)
            | ClientMessage::SendStreamEvent(_)
            | ClientMessage::SendData(_)
            | ClientMessage::DataStatusEvent(_)
            | ClientMessage::SessionDebug(_)
            | ClientMessage::PauseStream(_)
            | ClientMessage::Ping
            | ClientMessage::Pong
            | ClientMessage::ConnectMediaTransport
            | ClientMessage::Diagnostics { .. }
            | ClientMessage::Call { .. }
            | ClientMessage::Unknown { .. } => return Ok(()),
        };
        // The core has its own words for a name that is none.
        let Some(name) = name.as_ref().map(StreamName::as_str) else {
            return Ok(());
        };
        let shown = shown(custom.as_ref());
        let token = shown.as_deref().or(session.token.as_deref());
        self.admit(token, right, name).map(drop)
    }

    /// A second `connection` changes nothing: the core refuses it.
    fn enter(&self, session: &mut SessionGate, connection: &Connection) -> Result<(), Denied> {
        if session.connected {
            return Ok(());
        }
        session.connected = true;
        if let Some(token) = shown(connection.custom.as_ref()) {
            session.token = Some(token);
        }
        self.check_token(session.token.as_deref())
    }
}

/// The token in application data; one that is no text is not valid.
fn shown(custom: Option<&Value>) -> Option<String> {
    let token = custom?.get("token").filter(|token| !token.is_null())?;
    let text = token.as_str().map(ToOwned::to_owned);
    let text = text.unwrap_or_else(|| token.to_string());
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::tests::gate;
    use super::*;

    const TOKENS: &str = "publish,play cam-* token-for-publishers\n\
                          play * token-for-everybody-else\n";

    /// What becomes of messages of one client that showed `token` at the upgrade.
    async fn decided(token: Option<&str>, messages: &[(&str, Value)]) -> Vec<Option<Denied>> {
        let gate = gate(Some(TOKENS));
        let mut session = SessionGate::new(token.map(Into::into), None);
        let mut decided = Vec::new();
        for (message, argument) in messages {
            let text = json!({ "message": message, "data": [argument] }).to_string();
            decided.push(match gate.decide(&mut session, &text).await {
                Verdict::Pass => None,
                Verdict::Refuse { denied, .. } => Some(denied),
            });
        }
        decided
    }

    fn custom(token: &Value) -> Value {
        json!({ "custom": { "token": token } })
    }

    fn stream(name: &str, token: Option<&str>) -> Value {
        json!({ "name": name, "custom": { "token": token } })
    }

    #[tokio::test]
    async fn a_token_of_the_connection_counts_for_its_session() {
        let messages = [
            ("connection", custom(&json!("token-for-publishers"))),
            ("publishStream", stream("cam-1", None)),
            ("publishStream", stream("dog-1", None)),
            ("playStream", stream("dog-1", None)),
            (
                "playStream",
                stream("dog-1", Some("token-for-everybody-else")),
            ),
            ("availableStream", stream("dog-1", None)),
            ("snapshot", stream("cam-1", None)),
            ("ping", Value::Null),
        ];
        let refused = Some(Denied::NotAllowed);
        let expected = [None, None, refused, refused, None, refused, None, None];
        assert_eq!(decided(None, &messages).await, expected);
    }

    #[tokio::test]
    async fn a_client_without_a_token_connects_and_may_not_do_a_thing() {
        let refused = Some(Denied::NoToken);
        for token in [Value::Null, json!("")] {
            let messages = [
                ("connection", custom(&token)),
                ("publishStream", stream("cam-1", None)),
                ("playStream", stream("cam-1", None)),
                ("playStream", stream("cam-1", Some("forged"))),
                ("playStream", stream("cam-1", Some("token-for-publishers"))),
            ];
            let expected = [None, refused, refused, Some(Denied::BadToken), None];
            assert_eq!(decided(None, &messages).await, expected, "{token}");
        }
    }

    #[tokio::test]
    async fn a_connection_with_a_token_that_is_not_valid_is_refused() {
        for token in [json!("forged"), json!(7), json!({})] {
            let found = decided(None, &[("connection", custom(&token))]).await;
            assert_eq!(found, [Some(Denied::BadToken)], "{token}");
        }
    }

    #[tokio::test]
    async fn the_token_of_the_upgrade_counts_until_another_is_shown() {
        let messages = [
            ("connection", json!({})),
            ("publishStream", stream("cam-1", None)),
        ];
        let shown = Some("token-for-publishers");
        assert_eq!(decided(shown, &messages).await, [None, None]);
        let messages = [
            ("connection", custom(&json!("token-for-everybody-else"))),
            ("publishStream", stream("cam-1", None)),
            // The core refuses a second one.
            ("connection", custom(&json!("token-for-publishers"))),
            ("publishStream", stream("cam-1", None)),
        ];
        let refused = Some(Denied::NotAllowed);
        let expected = [None, refused, None, refused];
        assert_eq!(decided(shown, &messages).await, expected);
    }

    #[tokio::test]
    async fn what_says_nothing_is_for_the_core() {
        let gate = gate(Some(TOKENS));
        let mut session = SessionGate::default();
        for text in ["", "{}", r#"{"message":"playStream","data":[{}]}"#] {
            let verdict = gate.decide(&mut session, text).await;
            assert!(matches!(verdict, Verdict::Pass), "{text}");
        }
    }

    #[test]
    fn nothing_shows_a_token() {
        let session = SessionGate::new(Some("secret-secret".into()), None);
        assert!(!format!("{session:?}").contains("secret"));
    }
}
