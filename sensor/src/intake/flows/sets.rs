//! Messages of NetFlow 9 (RFC 3954) and IPFIX (RFC 7011): sets of templates and of records that they
//! describe.

use super::counts::{Protocol, Refusal};
use super::cursor::Cursor;
use super::desk::Desk;
use super::draft::Draft;
use super::exporters::{Exporter, Key, Learned};
use super::progress::{Mark, Step};
use super::template::{Builder, Template};
use super::told::Told;
use crate::event::Report;
use crate::time::Timestamp;

/// Sets below describe, those from here on are described.
const FIRST_DATA: u16 = 256;
/// Bytes in front of a set: its id and length.
const SET_HEADER: usize = 4;
/// Bytes in front of an IPFIX message.
const IPFIX_HEADER: usize = 16;

/// A header, behind the version.
#[derive(Debug, Clone, Copy)]
pub(super) struct Header {
    pub(super) sent: Timestamp,
    pub(super) mark: Mark,
    pub(super) domain: u32,
    /// Bytes of the sets; none: as many as there are.
    length: Option<usize>,
}

impl Header {
    pub(super) fn netflow(datagram: &mut Cursor<'_>) -> Option<Self> {
        // The number of records, which some exporters count otherwise.
        datagram.short()?;
        let uptime = datagram.word()?;
        let seconds = u64::from(datagram.word()?);
        let (sequence, domain) = (datagram.word()?, datagram.word()?);
        let mark = Mark { sequence, sent: seconds, uptime: Some(uptime) };
        Some(Self { sent: Timestamp::from_parts(seconds, 0), mark, domain, length: None })
    }

    pub(super) fn ipfix(datagram: &mut Cursor<'_>) -> Option<Self> {
        let length = usize::from(datagram.short()?).checked_sub(IPFIX_HEADER);
        let seconds = u64::from(datagram.word()?);
        let (sequence, domain) = (datagram.word()?, datagram.word()?);
        let mark = Mark { sequence, sent: seconds, uptime: None };
        Some(Self { sent: Timestamp::from_parts(seconds, 0), mark, domain, length: Some(length?) })
    }
}

/// One message at work.
pub(super) struct Message<'a> {
    pub(super) key: Key,
    pub(super) exporter: &'a mut Exporter,
    pub(super) told: Told,
    pub(super) desk: &'a mut Desk,
    pub(super) reports: &'a mut Vec<Report>,
}

impl Message<'_> {
    /// Reads the sets behind a header.
    pub(super) fn read(&mut self, header: &Header, sets: &mut Cursor<'_>) {
        let (mark, protocol) = (header.mark, self.key.protocol);
        let step = self.exporter.progress.step(mark);
        if step == Step::Restarted {
            self.exporter.restart();
            self.desk.restarted(&self.key);
        }
        let mut sets = match header.length {
            Some(length) if length > sets.len() => {
                self.refuse(Refusal::Truncated);
                *sets
            }
            Some(length) => Cursor::new(sets.take(length).unwrap_or_default()),
            None => *sets,
        };
        let mut records = Some(0_u32);
        while sets.len() >= SET_HEADER {
            let (Some(id), Some(length)) = (sets.short(), sets.short()) else { break };
            let Some(length) = usize::from(length).checked_sub(SET_HEADER) else {
                // Some exporters fill a message up with zeros.
                if id != 0 || length != 0 {
                    self.refuse(Refusal::Length);
                }
                records = None;
                break;
            };
            let Some(set) = sets.take(length) else {
                self.refuse(Refusal::Truncated);
                records = None;
                break;
            };
            let read = self.set(id, set);
            records = records.zip(read).and_then(|(all, more)| all.checked_add(more));
        }
        // NetFlow 9 numbers messages.
        let numbered = if protocol == Protocol::NetFlow9 { Some(1) } else { records };
        if step != Step::Late {
            let lost = self.exporter.progress.came(mark, numbered);
            self.desk.counts.lose(protocol, lost);
        }
    }

    /// Reads a set; how many records it had, where that is known.
    fn set(&mut self, id: u16, set: &[u8]) -> Option<u32> {
        let cursor = Cursor::new(set);
        match (self.key.protocol, id) {
            (Protocol::NetFlow9, 0) | (Protocol::Ipfix, 2) => self.templates(cursor),
            (Protocol::NetFlow9, 1) => self.netflow_options(cursor),
            (Protocol::Ipfix, 3) => self.ipfix_options(cursor),
            (_, FIRST_DATA..) => return self.records(id, set),
            _ => self.refuse(Refusal::Id),
        }
        Some(0)
    }

    fn templates(&mut self, mut set: Cursor<'_>) {
        while let Some((id, count)) = pair(&mut set) {
            // Padding; over UDP, templates are not withdrawn (RFC 7011, 8.4).
            if count == 0 {
                continue;
            }
            let mut builder = Builder::default();
            if self.fields(&mut set, &mut builder, count).is_none() {
                return self.refuse(Refusal::Truncated);
            }
            self.learn(id, builder, false);
        }
    }

    fn ipfix_options(&mut self, mut set: Cursor<'_>) {
        while let Some((id, count)) = pair(&mut set) {
            if count == 0 {
                continue;
            }
            let mut builder = Builder::default();
            // Scopes are elements like others: a sampler's id may be one.
            let fields = set.short().and_then(|_| self.fields(&mut set, &mut builder, count));
            if fields.is_none() {
                return self.refuse(Refusal::Truncated);
            }
            self.learn(id, builder, true);
        }
    }

    /// Scopes have numbers of their own in NetFlow 9, and lengths are in bytes.
    fn netflow_options(&mut self, mut set: Cursor<'_>) {
        while let Some((id, scopes)) = pair(&mut set) {
            if id == 0 {
                return;
            }
            let Some(options) = set.short() else { return self.refuse(Refusal::Truncated) };
            let mut builder = Builder::default();
            for _ in 0..scopes / 4 {
                let Some((_, length)) = pair(&mut set) else {
                    return self.refuse(Refusal::Truncated);
                };
                builder.gap(length);
            }
            if self.fields(&mut set, &mut builder, options / 4).is_none() {
                return self.refuse(Refusal::Truncated);
            }
            self.learn(id, builder, true);
        }
    }

    /// Reads the fields of a template.
    fn fields(&self, set: &mut Cursor<'_>, builder: &mut Builder, count: u16) -> Option<()> {
        /// Of an element that somebody else than IANA numbers (RFC 7011, 3.2).
        const IS_ENTERPRISE: u16 = 1 << 15;
        for _ in 0..count {
            let (id, length) = pair(set)?;
            if self.key.protocol == Protocol::Ipfix && id & IS_ENTERPRISE != 0 {
                builder.field(id ^ IS_ENTERPRISE, Some(set.word()?), length);
            } else {
                builder.field(id, None, length);
            }
        }
        Some(())
    }

    fn learn(&mut self, id: u16, builder: Builder, is_options: bool) {
        if id < FIRST_DATA {
            return self.refuse(Refusal::Id);
        }
        let template = match builder.finish(is_options, self.told.time) {
            Ok(template) => template,
            Err(refusal) => return self.refuse(refusal),
        };
        match self.exporter.learn(id, template) {
            Learned::Known => return,
            Learned::New => {}
            Learned::Replaced => self.refuse(Refusal::Templates),
        }
        for early in self.desk.held.take(&self.key, id) {
            let now = std::mem::replace(&mut self.told, early.told);
            self.records(id, &early.bytes);
            self.told = now;
        }
    }

    /// Reads a set of records; how many it had, where that is known.
    fn records(&mut self, id: u16, set: &[u8]) -> Option<u32> {
        let Some(template) = self.exporter.template(id, self.told.time) else {
            self.desk.hold(&self.key, id, &self.told, set);
            return None;
        };
        // Its fields are shared, so that what options say can be learned meanwhile.
        let template = template.clone();
        let (mut set, mut count) = (Cursor::new(set), 0_u32);
        loop {
            let mut draft = Draft::default();
            match template.record(&mut set, |element, bytes| draft.read(element, bytes)) {
                Ok(true) => self.record(&template, &draft),
                Ok(false) => return Some(count),
                Err(refusal) => {
                    self.refuse(refusal);
                    return None;
                }
            }
            count = count.saturating_add(1);
        }
    }

    fn record(&mut self, template: &Template, draft: &Draft) {
        if template.is_options {
            if let Some(one_in) = draft.rate.one_in() {
                self.exporter.samplers.learn(draft.sampler, one_in);
            }
            self.exporter.started = draft.started.or(self.exporter.started);
        }
        self.desk.record(&self.key, self.exporter, &self.told, draft, self.reports);
    }

    fn refuse(&mut self, refusal: Refusal) {
        self.desk.counts.refuse(refusal);
    }
}

fn pair(cursor: &mut Cursor<'_>) -> Option<(u16, u16)> {
    if cursor.len() < 4 {
        return None;
    }
    Some((cursor.short()?, cursor.short()?))
}
