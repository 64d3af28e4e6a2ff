//! Mirrors: what somebody configured, and what goes over the wire.

use std::net::IpAddr;
use std::sync::Arc;

use super::{Traffic, TunnelKind};
use crate::time::Timestamp;

/// A change of what is mirrored where, whoever's interface it was made by (ATT&CK T1020.001).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MirrorChange {
    /// What was called, as the record has it: `CreateTrafficMirrorSession`.
    pub call: Arc<str>,
    /// What that does.
    pub action: ChangeAction,
    /// What it does that to.
    pub object: MirrorObject,
    /// What sort of it that is, in the provider's words: `encapsulatedRemoteMirrorSource`, `erspan-source`.
    pub kind: Option<Arc<str>>,
    /// The changed thing's id or name: `tms-0abc`, a full resource name, a session of a switch.
    pub id: Option<Arc<str>>,
    /// Account, subscription, project, or vCenter and switch, that it belongs to.
    pub scope: Option<Arc<str>>,
    /// Who did it.
    pub principal: Option<Principal>,
    /// Where from: an address or what stands for one, such as `AWS Internal`.
    pub from: Option<Arc<str>>,
    /// Why it failed, where it did.
    pub failure: Option<Arc<str>>,
    /// What is mirrored: ids of interfaces, networks or ports; empty where the record does not say.
    pub sources: Vec<Arc<str>>,
    /// Where to, by the provider's ids, the target's own first.
    pub targets: Vec<Arc<str>>,
    /// Where to, by addresses that the record has.
    pub addresses: Vec<IpAddr>,
    /// How it is wrapped, where that is known.
    pub wrapping: Option<TunnelKind>,
    /// The VXLAN network identifier or ERSPAN session id on the wire.
    pub wire_id: Option<u32>,
    /// The filter that says what of it is mirrored.
    pub filter: Option<Arc<str>>,
    /// Whether the filter lets everything through now: any protocol or address accepted.
    pub is_wide: bool,
    /// Bytes kept of each packet, where it is cut.
    pub packet_length: Option<u32>,
    /// One of how many packets is mirrored, where not each is.
    pub sampling: Option<u32>,
    /// The provider's id of the record: the same over repeated deliveries.
    pub record: Option<Arc<str>>,
}

/// Who changed something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// As policies name it, not its session: an IAM role's ARN, a mail address, `DOMAIN\\user`.
    pub name: Arc<str>,
    /// What the record says in full, where that is more: the ARN of the assumed role's session.
    pub full: Option<Arc<str>>,
    /// The account it belongs to, where that is another than the changed thing's.
    pub foreign_account: Option<Arc<str>>,
    /// Whether it used the provider's console.
    pub by_console: bool,
}

impl Principal {
    /// One of whom nothing but the name is known.
    pub fn named(name: impl Into<Arc<str>>) -> Self {
        Self { name: name.into(), full: None, foreign_account: None, by_console: false }
    }
}

/// What a change does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum ChangeAction {
    /// It makes something, or enables it.
    Create,
    /// It changes something that is there.
    #[default]
    Modify,
    /// It removes something, or disables it.
    Delete,
}

impl ChangeAction {
    /// Its name in events and alerts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Modify => "modify",
            Self::Delete => "delete",
        }
    }
}

/// What can be changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum MirrorObject {
    /// A mirror itself: from now on, packets go to a target.
    #[default]
    Session,
    /// A place that sessions may send to.
    Target,
    /// What of the packets is sent.
    Filter,
    /// One rule of it.
    FilterRule,
}

impl MirrorObject {
    /// Its name in events and alerts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Target => "target",
            Self::Filter => "filter",
            Self::FilterRule => "filter_rule",
        }
    }
}

/// Wrapped packets between two ends, since that was last told of.
#[derive(Debug, Clone, PartialEq)]
pub struct Mirrored {
    /// When the first of them was seen.
    pub since: Timestamp,
    /// When the last of them was seen; observations come in the order of this.
    pub time: Timestamp,
    /// How they are wrapped; none: in a way that only its contents gave away.
    pub kind: Option<TunnelKind>,
    /// The VXLAN or GENEVE network identifier, GRE's key or ERSPAN's session.
    pub id: Option<u32>,
    /// Who wraps them.
    pub source: IpAddr,
    /// Who gets them.
    pub destination: IpAddr,
    /// The UDP port they are sent to, where it is UDP.
    pub port: Option<u16>,
    /// The wrapped packets, with their wrapping.
    pub traffic: Traffic,
    /// How many of them were seen bare, too: the copy proves itself. Flow logs cannot tell.
    pub copies: u64,
    /// One conversation inside: client and server with their ports.
    pub inside: Option<[(IpAddr, u16); 2]>,
    /// The interface they were seen at: its place in the list of those captured from.
    pub interface: Option<u16>,
}
