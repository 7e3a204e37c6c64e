//! What the core says becomes what the application is told.

use serde_json::{Map, Value};

use super::{Hooks, Method};
use crate::core::{Notice, SessionInfo};

impl Hooks {
    /// Tells the application of what happened.
    pub fn notice(&self, notice: &Notice) {
        match notice {
            Notice::SessionEstablished { session, .. } => {
                self.shared.establish(&session.session_id);
                self.tell_session(session, "ESTABLISHED");
            }
            Notice::SessionEnded { session, .. } => {
                self.tell_session(session, "DISCONNECTED");
                self.shared.forget_policies(&session.session_id, true);
            }
            Notice::Stream { stream, .. } if self.tells(Method::StreamStatusEvent) => {
                let session = &stream.session.session_id;
                self.tell(Method::StreamStatusEvent, session, stream.to_members());
            }
            // Only the API sends data, and it is told there.
            Notice::Stream { .. } | Notice::Data { .. } => {}
        }
    }

    /// Whether it is worth putting together what is told.
    fn tells(&self, method: Method) -> bool {
        self.shared.methods.contains(&method)
    }

    fn tell_session(&self, session: &SessionInfo, status: &str) {
        let mut body = match serde_json::to_value(session) {
            Ok(Value::Object(body)) => body,
            // A struct of texts is an object.
            Ok(_) | Err(_) => Map::new(),
        };
        body.insert("status".into(), status.into());
        self.tell(Method::ConnectionStatusEvent, &session.session_id, body);
    }
}
