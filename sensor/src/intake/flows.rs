//! Flow records as the network exports them: NetFlow 5 and 9, IPFIX and sFlow 5, in datagrams.
//!
//! [`Reader`] tells them apart by their version and makes a [`Report`] of each record. It is a collector
//! (RFC 7011) of one thread: it remembers templates and samplers of each exporter, knows by their numbers
//! what never came, and puts their times right where their clocks are off. No exporter is trusted
//! further than its own records: what each can make it keep is bounded (`exporters`, `held`,
//! `recent`), and what does not fit is refused and counted with the reason.

#![deny(clippy::arithmetic_side_effects)]

use std::net::SocketAddr;
use std::time::Duration;

use super::syslog::Skews;
use crate::event::Report;
use crate::text::printable;
use crate::time::{Elapsed, Timestamp};
use cursor::Cursor;
use desk::Desk;
use exporters::{Exporters, Key};
use progress::{Mark, Step};
use template::Template;
use told::Told;

mod counts;
mod cursor;
mod desk;
mod draft;
mod element;
mod exporters;
mod held;
mod listen;
mod netflow;
mod progress;
mod recent;
mod samplers;
mod sets;
mod sflow;
mod template;
mod told;

pub use counts::{Counts, Early, Outcome, Protocol, Refusal};
pub use exporters::Known;
pub use listen::{Bound, Datagrams, Inbox, bind, serve};

/// When a datagram came, and from whom.
type Came = (Timestamp, SocketAddr);

/// Reads datagrams; one thread's own.
#[derive(Debug)]
pub struct Reader {
    exporters: Exporters,
    desk: Desk,
    skews: Skews,
    /// What records of NetFlow 5 mean.
    fixed: Option<Template>,
}

impl Default for Reader {
    fn default() -> Self {
        Self {
            exporters: Exporters::default(),
            desk: Desk::default(),
            skews: Skews::default(),
            fixed: netflow::template(),
        }
    }
}

impl Reader {
    /// Appends to `reports` what one datagram says that came at `arrival` from `peer`.
    pub fn read(
        &mut self,
        arrival: Timestamp,
        peer: SocketAddr,
        datagram: &[u8],
        reports: &mut Vec<Report>,
    ) {
        let came = (arrival, peer);
        let mut cursor = Cursor::new(datagram);
        let read = match cursor.short() {
            Some(5) => self.netflow(came, &mut cursor, reports),
            Some(9) => {
                let header = sets::Header::netflow(&mut cursor).ok_or(Refusal::Truncated);
                let of = Protocol::NetFlow9;
                header.and_then(|header| self.sets(of, came, &header, &mut cursor, reports))
            }
            Some(10) => {
                let header = sets::Header::ipfix(&mut cursor).ok_or(Refusal::Truncated);
                let of = Protocol::Ipfix;
                header.and_then(|header| self.sets(of, came, &header, &mut cursor, reports))
            }
            // sFlow's versions have four bytes.
            Some(0) if cursor.short() == Some(5) => self.sflow(came, &mut cursor, reports),
            _ => Err(Refusal::Version),
        };
        if let Err(refusal) = read {
            self.desk.counts.refuse(refusal);
        }
    }

    fn netflow(
        &mut self,
        came: Came,
        datagram: &mut Cursor<'_>,
        reports: &mut Vec<Report>,
    ) -> Result<(), Refusal> {
        let header = netflow::Header::read(datagram).ok_or(Refusal::Truncated)?;
        let of = (Protocol::NetFlow5, header.engine.into());
        let (key, told) = self.told(of, came, header.sent, header.mark.uptime);
        let exporter = self.exporters.of(key, came.0)?;
        let Some(template) = &self.fixed else { return Ok(()) };
        let to = (&mut self.desk, reports);
        let exporter = (&key, exporter, came.1.port());
        netflow::read(exporter, (&told, &header), template, datagram, to);
        Ok(())
    }

    fn sets(
        &mut self,
        protocol: Protocol,
        came: Came,
        header: &sets::Header,
        datagram: &mut Cursor<'_>,
        reports: &mut Vec<Report>,
    ) -> Result<(), Refusal> {
        let of = (protocol, header.domain);
        let (key, told) = self.told(of, came, header.sent, header.mark.uptime);
        let exporter = self.exporters.of(key, came.0)?;
        let desk = &mut self.desk;
        sets::Message { key, exporter, port: came.1.port(), told, desk, reports }
            .read(header, datagram);
        Ok(())
    }

    fn sflow(
        &mut self,
        (arrival, peer): Came,
        datagram: &mut Cursor<'_>,
        reports: &mut Vec<Report>,
    ) -> Result<(), Refusal> {
        let header = sflow::Header::read(datagram).ok_or(Refusal::Truncated)?;
        let protocol = Protocol::SFlow;
        let key = Key { protocol, peer: peer.ip(), agent: header.agent, domain: header.sub_agent };
        let exporter = self.exporters.of(key, arrival)?;
        let (sequence, uptime) = (header.sequence, header.uptime);
        let mark = Mark { sequence, sent: (uptime / 1000).into(), uptime: Some(uptime) };
        let counts = &mut self.desk.counts;
        let progress = exporter.progress(peer.port(), arrival);
        let step = progress.step(mark);
        if step == Step::Restarted {
            counts.restarts = counts.restarts.saturating_add(1);
        }
        if step != Step::Late {
            counts.lose(protocol, progress.came(mark, Some(1)));
        }
        let told = Told { protocol, peer: peer.ip(), stated: None, time: arrival, uptime: None };
        sflow::read(&header, datagram, arrival, |sample| {
            let outcome = sample.map_or_else(
                |outcome| outcome,
                |record| {
                    reports.push(told.report(record));
                    Outcome::Read
                },
            );
            counts.record(protocol, outcome);
        })
    }

    /// Who tells, and what the header says of all records behind it. Whose clock is far off is said once.
    fn told(
        &mut self,
        (protocol, domain): (Protocol, u32),
        (arrival, peer): Came,
        stated: Timestamp,
        uptime: Option<u32>,
    ) -> (Key, Told) {
        let peer = peer.ip();
        let (time, off) = self.skews.correct(Some(peer), None, stated, arrival);
        if let Some(off) = off {
            let way = if off.is_ahead { "ahead of" } else { "behind" };
            tracing::warn!(
                "the clock of {} is {} {way} this sensor's, by its flow records; set it by NTP",
                printable(&peer.to_string()),
                Elapsed(Duration::from_secs(off.by.as_secs()))
            );
        }
        let key = Key { protocol, peer, agent: None, domain };
        (key, Told { protocol, peer, stated: Some(stated), time, uptime })
    }

    /// What became of everything so far.
    pub const fn counts(&self) -> &Counts {
        &self.desk.counts
    }

    /// Exporters that are known, those heard of last.
    pub fn exporters(&self) -> Vec<Known> {
        self.exporters.list()
    }

    /// Exporters that are known, and the templates they have.
    pub fn known(&self) -> [usize; 2] {
        [self.exporters.len(), self.exporters.templates()]
    }

    /// By how much the exporter's clock is off that is off the most.
    pub fn largest_skew(&self) -> Duration {
        self.skews.largest()
    }
}

#[cfg(test)]
mod tests;
