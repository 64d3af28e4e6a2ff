//! The vocabulary between packets, logs and detectors: owned, small, each event with its own time.
//!
//! No logic lives here. Names are copied once, when an event is made.

use crate::time::Timestamp;

mod dns;
mod exported;
mod flow;
mod host_change;
mod mirroring;
mod neighbour;
mod operation;
mod report;
#[cfg(test)]
pub(crate) mod sample;
mod tls;

pub use dns::{DnsAnswer, DnsAuthority, DnsData, DnsMessage, DnsQuestion, DnsTransport};
pub use exported::FlowRecord;
pub use flow::{
    Account, AccountReason, App, Endpoint, Flow, FlowState, Traffic, Tunnel, TunnelKind, Volume,
};
pub use host_change::{Change, HostChange};
pub use mirroring::{ChangeAction, MirrorChange, MirrorObject, Mirrored, Principal};
pub use neighbour::{Binding, Neighbour};
pub use operation::Operation;
pub use report::{
    Access, Basis, Claim, Conversation, GuestOperation, Report, Reporter, Said, Service, Session,
    SessionChange,
};
pub use tls::{Carrier, Certificate, Ech, Ja3, Ja4, StartTls, TlsSession};

/// What detection is given, in the order of time.
#[derive(Debug, Clone)]
pub enum Record {
    /// Packets showed it.
    Seen(Event),
    /// A log said it.
    Logged(Box<Report>),
    /// Packets showed that packets are mirrored.
    Mirrored(Box<Mirrored>),
    /// Somebody on a link said whose an address is.
    Neighbour(Box<Neighbour>),
}

impl Record {
    /// When.
    pub fn time(&self) -> Timestamp {
        match self {
            Self::Seen(event) => event.time,
            Self::Logged(report) => report.time,
            Self::Mirrored(mirrored) => mirrored.time,
            Self::Neighbour(neighbour) => neighbour.time,
        }
    }
}

/// Something that was seen, and when.
#[derive(Debug, Clone)]
pub struct Event {
    /// When: the packet's time, never a clock's.
    pub time: Timestamp,
    /// The conversation it belongs to.
    pub flow: Flow,
    /// What was seen.
    pub body: Body,
}

/// What an [`Event`] says.
#[derive(Debug, Clone)]
pub enum Body {
    /// A conversation's first packet, but not to a DNS server: there the messages tell more.
    Opened,
    /// What a conversation moved since its last `Volume`: one for each 10 s of capture time
    /// (aligned to whole 10 s since the epoch) in which it moved anything, one at its end, and one
    /// whenever a direction has moved 4 MiB since its account. None reaches over the end of 10 s.
    Volume(Volume),
    /// A conversation's account: at its end and, for a long one, while it lives.
    Account(Account),
    /// A ClientHello, as soon as it is complete: what detectors go by.
    Hello(Box<TlsSession>),
    /// The same with what the server answered, or without when it did not answer in time.
    Tls(Box<TlsSession>),
    /// A DNS message.
    Dns(Box<DnsMessage>),
    /// A direction began as one of the protocols does that are recognised and not read.
    Spoken(App),
}
