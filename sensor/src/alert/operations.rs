//! Guest operations as a piece of evidence: a group of them in numbers.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::Text;

/// What stands for the virtual machine where no log names one: records of calls do not.
pub(crate) const UNNAMED: &str = "a guest that no log names";

/// A group of guest operations, and what about it is evidence.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Operations {
    /// What about them is told: `operations` (all of an alert's), `unexpected_account`,
    /// `first_seen_account`, `outside_business_hours`, `odd_hour`, `vm_not_authorised`,
    /// `first_seen_vm`, `first_seen_client`, `frequency`, `threshold`, `refused_credentials`,
    /// `files_pulled`, `guest_alias`, or `before_egress`.
    pub finding: Text,
    /// Who did it; none: no log says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// How that is known: `stated`, `session`, `only_session` or `beside`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basis: Option<Text>,
    /// Where the API was called from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<IpAddr>,
    /// The ESXi host or vCenter that logged it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The programs whose logs told of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<Text>,
    /// Which, by the API's names, the most frequent first; at most eight.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub operations: Vec<String>,
    /// The virtual machines, the most affected first; at most eight.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vms: Vec<String>,
    /// How many virtual machines there are. 0 and not written where a number is what stands out.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub vm_count: u64,
    /// How many operations.
    pub count: u64,
    /// How many scripts those make: operations on one virtual machine that follow on each other.
    /// Likewise.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub scripts: u64,
    /// What the number is held against.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compared: Option<Compared>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
const fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// A number, and what it is held against.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Compared {
    /// What was seen, in a window.
    pub observed: u64,
    /// What is usual for it, or allowed.
    pub expected: f64,
    /// Length of the window, in seconds.
    pub window_seconds: u64,
    /// The chance of that much or more by habit; of a limit there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probability: Option<f64>,
}
