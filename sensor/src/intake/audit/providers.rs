//! What a record says, by whose it is.

use serde_json::Value;

use super::flow_log::Fields;
use crate::event::{Said, Service};
use crate::time::Timestamp;

/// What one record told.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// Whose record it is.
    pub service: Service,
    /// When it happened.
    pub time: Option<Timestamp>,
    /// The provider's id of the record, where it has one.
    pub id: Option<String>,
    /// What happened.
    pub said: Said,
}

/// Understands a record, if it says anything that is asked for.
pub fn read(_record: &Value) -> Option<Told> {
    None
}

/// Understands a line of a flow log, if it says anything that is asked for.
pub fn flow(_line: &Fields<'_>) -> Option<Told> {
    None
}
