//! Who exports, and what is kept of each.
//!
//! Bounds: [`MAX_EXPORTERS`] exporters, [`MAX_DOMAINS`] of one address, and [`MAX_TEMPLATES`] templates of
//! each: 33 MB when all are used, by templates of [`super::template::MAX_FIELDS`] fields. An exporter that is
//! known keeps its place however many others come: only one that was silent for [`SILENT`] gives way.
//!
//! Templates are an address's and domain's, from whatever port: some exporters send them from another than
//! records. Numbers are a port's: of two processes on a host each has its own, of [`STREAMS`] at most.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use foldhash::fast::RandomState;
use serde::Serialize;

use super::Refusal;
use super::counts::Protocol;
use super::progress::Progress;
use super::samplers::Samplers;
use super::template::Template;
use crate::time::Timestamp;

/// Exporters that are known at most.
pub(super) const MAX_EXPORTERS: usize = 512;
/// Exporters that one address speaks for: observation domains, engines, agents.
pub(super) const MAX_DOMAINS: usize = 64;
/// Templates of one exporter, of which Open vSwitch has 88; the one used longest ago gives way.
pub(super) const MAX_TEMPLATES: usize = 128;
/// An exporter that says nothing for so long has gone, where there is no room.
pub(super) const SILENT: Duration = Duration::from_secs(1800);
/// Ports of one exporter whose numbers are known.
const STREAMS: usize = 8;
/// No exporter tells of a packet so much later: it has started again meanwhile, or its uptime has begun
/// anew.
const AGAIN: Duration = Duration::from_secs(7200);
/// Exporters that are told of.
const TOLD: usize = 200;
/// How often it is looked for those.
const SWEEP: Duration = Duration::from_secs(10);

/// One exporter, for people to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Known {
    /// Who sends.
    pub address: IpAddr,
    /// In whose name, where the messages say so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<IpAddr>,
    /// `netflow5`, `netflow9`, `ipfix` or `sflow`.
    pub protocol: &'static str,
    /// Observation domain, source id, engine or sub-agent.
    pub domain: u32,
    /// Templates that it has told.
    pub templates: usize,
    /// When it was last heard of.
    pub last: Timestamp,
}

/// Whose templates and numbers are its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) protocol: Protocol,
    /// Who sends.
    pub(super) peer: IpAddr,
    /// In whose name, where the messages say so.
    pub(super) agent: Option<IpAddr>,
    /// Observation domain, source id, engine or sub-agent.
    pub(super) domain: u32,
}

/// What is kept of one exporter.
#[derive(Debug, Default)]
pub(super) struct Exporter {
    streams: HashMap<u16, Stream, RandomState>,
    templates: HashMap<u16, Template, RandomState>,
    pub(super) samplers: Samplers,
    /// When it started, by its own clock, where it says so.
    pub(super) started: Option<Timestamp>,
    /// Else when it did at the latest, by this sensor's.
    latest: Option<Timestamp>,
    heard: Timestamp,
}

impl Exporter {
    /// How far what this port sends is; of one too many, the one heard of longest ago is forgotten.
    pub(super) fn progress(&mut self, port: u16, now: Timestamp) -> &mut Progress {
        if self.streams.len() >= STREAMS && !self.streams.contains_key(&port) {
            let oldest = self.streams.iter().min_by_key(|(_, stream)| stream.heard);
            if let Some(oldest) = oldest.map(|(port, _)| *port) {
                self.streams.remove(&oldest);
            }
        }
        let stream = self.streams.entry(port).or_default();
        stream.heard = now;
        &mut stream.progress
    }

    /// What records of a set mean.
    pub(super) fn template(&mut self, id: u16, now: Timestamp) -> Option<&Template> {
        let template = self.templates.get_mut(&id)?;
        template.used = now;
        Some(template)
    }

    /// Learns a template; whether it is news, and whether another gave way to it.
    pub(super) fn learn(&mut self, id: u16, template: Template) -> Learned {
        if let Some(known) = self.templates.get_mut(&id) {
            let learned = if known.is_same(&template) { Learned::Known } else { Learned::New };
            *known = template;
            return learned;
        }
        let mut learned = Learned::New;
        if self.templates.len() >= MAX_TEMPLATES {
            let oldest = self.templates.iter().min_by_key(|(_, template)| template.used);
            if let Some(oldest) = oldest.map(|(id, _)| *id) {
                self.templates.remove(&oldest);
                learned = Learned::Replaced;
            }
        }
        self.templates.insert(id, template);
        learned
    }

    /// When it started at the latest, if at `now` it has told of what happened after `uptime`
    /// milliseconds. The best guess is the earliest: what just happened is told of soonest.
    pub(super) fn started_before(&mut self, now: Timestamp, uptime: u32) -> Timestamp {
        let latest = now.minus(Duration::from_millis(uptime.into()));
        let known = self.latest.filter(|known| latest.since(*known) <= AGAIN);
        *self.latest.insert(known.map_or(latest, |known| known.min(latest)))
    }

    /// It started anew: nothing that it said before holds.
    pub(super) fn restart(&mut self) {
        self.templates = HashMap::default();
        self.samplers = Samplers::default();
        (self.started, self.latest) = (None, None);
    }
}

/// What one port of an exporter sends.
#[derive(Debug, Default)]
struct Stream {
    progress: Progress,
    heard: Timestamp,
}

/// What a template is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Learned {
    /// It was known, and is told again.
    Known,
    /// It is new, or means something else now.
    New,
    /// It is new, and another had to go.
    Replaced,
}

/// All that are known.
#[derive(Debug, Default)]
pub(super) struct Exporters {
    known: HashMap<Key, Exporter, RandomState>,
    swept: Timestamp,
}

impl Exporters {
    /// An exporter that speaks now.
    pub(super) fn of(&mut self, key: Key, now: Timestamp) -> Result<&mut Exporter, Refusal> {
        if !self.known.contains_key(&key) {
            self.admit(&key, now)?;
        }
        let exporter = self.known.entry(key).or_default();
        exporter.heard = now;
        Ok(exporter)
    }

    fn admit(&mut self, key: &Key, now: Timestamp) -> Result<(), Refusal> {
        if self.known.len() >= MAX_EXPORTERS {
            if now.since(self.swept) >= SWEEP || now < self.swept {
                self.swept = now;
                self.known.retain(|_, exporter| now.since(exporter.heard) < SILENT);
            }
            if self.known.len() >= MAX_EXPORTERS {
                return Err(Refusal::Exporters);
            }
        }
        if self.known.keys().filter(|known| known.peer == key.peer).count() >= MAX_DOMAINS {
            return Err(Refusal::Domains);
        }
        Ok(())
    }

    /// Those heard of last, for people to look at.
    pub(super) fn list(&self) -> Vec<Known> {
        let of = |(key, exporter): (&Key, &Exporter)| Known {
            address: key.peer,
            agent: key.agent,
            protocol: key.protocol.name(),
            domain: key.domain,
            templates: exporter.templates.len(),
            last: exporter.heard,
        };
        let mut all: Vec<Known> = self.known.iter().map(of).collect();
        all.sort_by_key(|known| (std::cmp::Reverse(known.last), known.address, known.domain));
        all.truncate(TOLD);
        all
    }

    /// How many are known.
    pub(super) fn len(&self) -> usize {
        self.known.len()
    }

    /// How many templates they have.
    pub(super) fn templates(&self) -> usize {
        self.known.values().map(|exporter| exporter.templates.len()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::super::template::Builder;
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_parts(1_795_000_000_u64.saturating_add(seconds), 0)
    }

    fn key(peer: u32, domain: u32) -> Key {
        let peer = std::net::Ipv4Addr::from(peer).into();
        Key { protocol: Protocol::Ipfix, peer, agent: None, domain }
    }

    fn template(element: u16, now: Timestamp) -> Template {
        let mut builder = Builder::default();
        builder.field(element, None, 8);
        builder.finish(false, now).unwrap()
    }

    #[test]
    fn who_is_known_stays_and_who_is_silent_gives_way() {
        let mut exporters = Exporters::default();
        for peer in 0..10 * MAX_EXPORTERS as u32 {
            let admitted = exporters.of(key(peer, 0), at(0)).map(drop);
            let expected = if exporters.len() < MAX_EXPORTERS || (peer as usize) < MAX_EXPORTERS {
                Ok(())
            } else {
                Err(Refusal::Exporters)
            };
            assert_eq!(admitted, expected, "{peer}");
        }
        assert!(exporters.of(key(7, 0), at(1799)).is_ok());
        assert!(exporters.of(key(9999, 0), at(1801)).is_ok());
        assert_eq!(exporters.len(), 2, "the one heard of lately, and the new one");
    }

    #[test]
    fn the_start_of_who_tells_only_uptimes_is_guessed() {
        let mut exporter = Exporter::default();
        // What happened after 10 s is told of 7 s later, what happened after 20 s at once.
        assert_eq!(exporter.started_before(at(17), 10_000), at(7));
        assert_eq!(exporter.started_before(at(20), 20_000), at(0));
        assert_eq!(exporter.started_before(at(3600), 3_560_000), at(0));
        assert_eq!(exporter.started_before(at(9000), 1000), at(8999), "another start");
    }

    #[test]
    fn each_port_has_its_own_numbers() {
        use super::super::progress::{Mark, Step};
        let mut exporter = Exporter::default();
        let mark = |sequence, sent| Mark { sequence, sent, uptime: None };
        for second in 0..20_u32 {
            for (port, from) in [(4000, 0), (4001, 900)] {
                let mark = mark(second.saturating_add(from), u64::from(second));
                let progress = exporter.progress(port, at(u64::from(second)));
                assert_eq!(progress.step(mark), Step::Next);
                assert_eq!(progress.came(mark, Some(1)), 0);
            }
        }
        for port in 0..1000_u16 {
            exporter.progress(port, at(u64::from(port).saturating_add(30)));
            exporter.progress(4000, at(u64::from(port).saturating_add(31)));
        }
        assert_eq!(exporter.streams.len(), STREAMS);
        let again = exporter.progress(4000, at(2000)).step(mark(0, 31));
        assert_eq!(again, Step::Restarted, "it is still known");
    }

    #[test]
    fn one_address_takes_not_all_places() {
        let mut exporters = Exporters::default();
        for domain in 0..MAX_DOMAINS as u32 {
            assert!(exporters.of(key(1, domain), at(0)).is_ok());
        }
        assert_eq!(exporters.of(key(1, 9999), at(0)).map(drop), Err(Refusal::Domains));
        assert!(exporters.of(key(2, 0), at(0)).is_ok());
    }

    #[test]
    fn the_template_used_longest_ago_gives_way() {
        let mut exporter = Exporter::default();
        for id in 0..MAX_TEMPLATES as u16 {
            assert_eq!(exporter.learn(256 + id, template(1, at(id.into()))), Learned::New);
        }
        assert!(exporter.template(256, at(100)).is_some(), "used now");
        assert_eq!(exporter.learn(999, template(1, at(100))), Learned::Replaced);
        assert_eq!(exporter.templates.len(), MAX_TEMPLATES);
        let known = [256, 257, 999].map(|id| exporter.template(id, at(101)).is_some());
        assert_eq!(known, [true, false, true]);
        assert_eq!(exporter.learn(999, template(1, at(102))), Learned::Known);
        assert_eq!(exporter.learn(999, template(2, at(102))), Learned::New);
        exporter.restart();
        assert!(exporter.template(999, at(103)).is_none());
    }
}
