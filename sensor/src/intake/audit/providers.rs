//! What a record says, by whose it is.

use std::net::IpAddr;
use std::sync::Arc;

use serde_json::Value;

use crate::event::{Said, Service};
use crate::intake::kept::Kept;
use crate::time::Timestamp;
use azure::Azure;
use field::Field;
use gcp::Gcp;

mod azure;
mod cloudtrail;
mod field;
mod flow_logs;
mod gcp;
#[cfg(test)]
mod tests;
mod vcenter;

/// Operations under way, of one provider, that are remembered at most.
const MAX_OPERATIONS: usize = 1024;
/// Interfaces whose addresses flow logs told that are remembered at most.
const MAX_INTERFACES: usize = 4096;

/// What one record told.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// Whose record it is.
    pub service: Service,
    /// What of the provider's tells it, where several tell the same: the interface of a flow log.
    pub host: Option<Arc<str>>,
    /// When it happened.
    pub time: Option<Timestamp>,
    /// The provider's id of the record, where it has one.
    pub id: Option<String>,
    /// What happened; one thing at least.
    pub said: Vec<Said>,
}

/// Understands records, and remembers what several of them say together.
#[derive(Debug)]
pub struct Providers {
    azure: Azure,
    gcp: Gcp,
    /// The addresses of interfaces that flow logs told.
    interfaces: Kept<Arc<str>, IpAddr>,
}

impl Default for Providers {
    fn default() -> Self {
        Self { azure: Azure::default(), gcp: Gcp::default(), interfaces: Kept::new(MAX_INTERFACES) }
    }
}

impl Providers {
    /// Understands a record, if it says anything that is asked for.
    pub fn read(&mut self, record: &Value) -> Option<Told> {
        let record = Field::of(record);
        if record.at("eventSource").is_there() && record.at("eventName").is_there() {
            return cloudtrail::read(record);
        }
        if record.at("protoPayload").is_there() {
            return self.gcp.read(record);
        }
        if flow_logs::gcp::is(record) {
            return flow_logs::gcp::read(record);
        }
        if flow_logs::azure::is(record) {
            return flow_logs::azure::read(record);
        }
        if record.at("operationName").is_there() {
            return self.azure.read(record);
        }
        vcenter::read(record)
    }

    /// Understands a line of a VPC flow log, if it says anything that is asked for. `get` gives the value
    /// of a field by AWS's name for it, `dstaddr`.
    pub fn flow<'a>(&mut self, get: impl Fn(&str) -> Option<&'a str>) -> Option<Told> {
        flow_logs::read(&mut self.interfaces, get)
    }
}
