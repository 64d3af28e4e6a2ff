//! What became of what exporters sent.

use crate::event::Service;

/// How records come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// NetFlow, version 5.
    NetFlow5,
    /// NetFlow, version 9 (RFC 3954).
    NetFlow9,
    /// IPFIX (RFC 7011).
    Ipfix,
    /// sFlow, version 5.
    SFlow,
}

impl Protocol {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::NetFlow5, Self::NetFlow9, Self::Ipfix, Self::SFlow];

    /// Its name in labels.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NetFlow5 => "netflow5",
            Self::NetFlow9 => "netflow9",
            Self::Ipfix => "ipfix",
            Self::SFlow => "sflow",
        }
    }

    /// Who speaks it.
    pub const fn service(self) -> Service {
        match self {
            Self::NetFlow5 | Self::NetFlow9 => Service::NetFlow,
            Self::Ipfix => Service::Ipfix,
            Self::SFlow => Service::SFlow,
        }
    }
}

/// What became of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is told of.
    Read,
    /// It tells nothing of a conversation: options, counters of interfaces, what has no two addresses
    /// or counts nothing.
    Irrelevant,
    /// The same exporter counted the same packets at another of its interfaces.
    Copy,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Read, Self::Irrelevant, Self::Copy];

    /// Its name in labels.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Irrelevant => "irrelevant",
            Self::Copy => "copy",
        }
    }
}

/// Why a datagram, or a part of it, is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// It has no version that is known.
    Version,
    /// It ends before it should.
    Truncated,
    /// The length of a set or sample cannot be.
    Length,
    /// A set or template has an id that belongs to something else.
    Id,
    /// A template has too many fields, or none.
    TemplateFields,
    /// Records of a template would have no bytes, or more than a datagram.
    TemplateLength,
    /// A template gave way to another of the same exporter, all of whose places were taken.
    Templates,
    /// All places for exporters are taken.
    Exporters,
    /// One address speaks for too many exporters.
    Domains,
}

impl Refusal {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Version,
        Self::Truncated,
        Self::Length,
        Self::Id,
        Self::TemplateFields,
        Self::TemplateLength,
        Self::Templates,
        Self::Exporters,
        Self::Domains,
    ];

    /// Its name in labels.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Version => "version",
            Self::Truncated => "truncated",
            Self::Length => "length",
            Self::Id => "id",
            Self::TemplateFields => "template_fields",
            Self::TemplateLength => "template_length",
            Self::Templates => "templates",
            Self::Exporters => "exporters",
            Self::Domains => "domains",
        }
    }
}

/// What became of a set of records that came before its template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Early {
    /// It waits, or waited, for the template.
    Held,
    /// It had to go before the template came, or found no place.
    Dropped,
}

impl Early {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Held, Self::Dropped];

    /// Its name in labels.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Dropped => "dropped",
        }
    }
}

/// All that was counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    records: [[u64; Outcome::ALL.len()]; Protocol::ALL.len()],
    refused: [u64; Refusal::ALL.len()],
    early: [u64; Early::ALL.len()],
    lost: [u64; Protocol::ALL.len()],
    /// Exporters that started anew.
    pub restarts: u64,
}

impl Counts {
    /// Records of one protocol with one outcome.
    pub fn records(&self, protocol: Protocol, outcome: Outcome) -> u64 {
        self.records
            .get(protocol as usize)
            .and_then(|of| of.get(outcome as usize))
            .map_or(0, |n| *n)
    }

    /// Datagrams and parts of them that were not read for this reason.
    pub fn refused(&self, reason: Refusal) -> u64 {
        self.refused.get(reason as usize).map_or(0, |n| *n)
    }

    /// Sets that came before their template.
    pub fn early(&self, early: Early) -> u64 {
        self.early.get(early as usize).map_or(0, |n| *n)
    }

    /// What never came, by the numbers of what did: records of NetFlow 5 and IPFIX, datagrams of the
    /// others.
    pub fn lost(&self, protocol: Protocol) -> u64 {
        self.lost.get(protocol as usize).map_or(0, |n| *n)
    }

    pub(super) fn record(&mut self, protocol: Protocol, outcome: Outcome) {
        let of = self.records.get_mut(protocol as usize);
        add(of.and_then(|of| of.get_mut(outcome as usize)), 1);
    }

    pub(super) fn refuse(&mut self, reason: Refusal) {
        add(self.refused.get_mut(reason as usize), 1);
    }

    pub(super) fn came_early(&mut self, early: Early) {
        add(self.early.get_mut(early as usize), 1);
    }

    pub(super) fn lose(&mut self, protocol: Protocol, lost: u64) {
        add(self.lost.get_mut(protocol as usize), lost);
    }
}

fn add(count: Option<&mut u64>, more: u64) {
    if let Some(count) = count {
        *count = count.saturating_add(more);
    }
}
