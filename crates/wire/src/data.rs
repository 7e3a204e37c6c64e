//! Session-level application data, and what became of it.

use serde_json::Value;

use crate::lenient::{BadArgument, FromMembers, Members};
use crate::strict::{ToMembers, Writer};

/// How a `sendData` ended; any other word makes old clients throw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataStatus {
    /// Delivered.
    Accepted,
    /// Not delivered.
    Failed,
}

impl DataStatus {
    /// The word as spelled on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "ACCEPTED",
            Self::Failed => "FAILED",
        }
    }

    fn from_wire(text: &str) -> Result<Self, BadArgument> {
        match text {
            "ACCEPTED" => Ok(Self::Accepted),
            "FAILED" => Ok(Self::Failed),
            _ => Err(BadArgument::Member("status")),
        }
    }
}

/// `DataStatusEvent`: the fate of one `sendData`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataStatusEvent {
    /// The operation's id.
    pub operation_id: String,
    /// How it ended.
    pub status: DataStatus,
    /// Why it failed.
    pub info: Option<String>,
}

impl FromMembers for DataStatusEvent {
    fn from_members(members: &mut Members) -> Result<Self, BadArgument> {
        Ok(Self {
            operation_id: members.required("operationId")?,
            status: DataStatus::from_wire(&members.required("status")?)?,
            info: members.text("info"),
        })
    }
}

impl ToMembers for DataStatusEvent {
    fn to_members(&self, members: &mut Writer) {
        members.text("operationId", &self.operation_id);
        members.text("status", self.status.as_str());
        members.maybe_text("info", self.info.as_deref());
    }
}

/// `OnDataEvent`: session-level application data.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DataEvent {
    /// The operation's id.
    pub operation_id: String,
    /// What the application passed.
    pub payload: Value,
}

impl FromMembers for DataEvent {
    fn from_members(members: &mut Members) -> Result<Self, BadArgument> {
        Ok(Self {
            operation_id: members.string("operationId"),
            payload: members.value("payload").unwrap_or_default(),
        })
    }
}

impl ToMembers for DataEvent {
    fn to_members(&self, members: &mut Writer) {
        members.text("operationId", &self.operation_id);
        members.value("payload", &self.payload);
    }
}
