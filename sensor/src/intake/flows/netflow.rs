//! NetFlow 5, as Cisco describes it: 24 bytes of header and records of 48 bytes, always alike.

use super::counts::{Protocol, Refusal};
use super::cursor::Cursor;
use super::desk::Desk;
use super::draft::Draft;
use super::exporters::{Exporter, Key};
use super::progress::{Mark, Step};
use super::samplers::Rate;
use super::template::{Builder, Template};
use super::told::Told;
use crate::event::Report;
use crate::time::Timestamp;

/// A header, behind the version.
#[derive(Debug, Clone, Copy)]
pub(super) struct Header {
    pub(super) sent: Timestamp,
    pub(super) mark: Mark,
    pub(super) engine: u16,
    count: u16,
    /// The lower 14 bits: one packet in so many.
    sampling: u16,
}

impl Header {
    pub(super) fn read(datagram: &mut Cursor<'_>) -> Option<Self> {
        let count = datagram.short()?;
        let uptime = datagram.word()?;
        let (seconds, nanos) = (datagram.word()?, datagram.word()?);
        let sequence = datagram.word()?;
        let (engine, sampling) = (datagram.short()?, datagram.short()?);
        Some(Self {
            sent: Timestamp::from_parts(seconds.into(), nanos.min(999_999_999).into()),
            mark: Mark { sequence, sent: seconds.into(), uptime: Some(uptime) },
            engine,
            count,
            sampling,
        })
    }
}

/// What a record's bytes mean.
pub(super) fn template() -> Option<Template> {
    let mut builder = Builder::default();
    for (id, length) in [(8, 4), (12, 4)] {
        builder.field(id, None, length);
    }
    // The next hop, and the interfaces.
    builder.gap(8);
    for (id, length) in [(2, 4), (1, 4), (22, 4), (21, 4), (7, 2), (11, 2)] {
        builder.field(id, None, length);
    }
    builder.gap(1);
    builder.field(6, None, 1);
    builder.field(4, None, 1);
    // Type of service, systems, masks.
    builder.gap(9);
    builder.finish(false, Timestamp::ZERO).ok()
}

/// Reads the records behind a header.
pub(super) fn read(
    (key, exporter): (&Key, &mut Exporter),
    (told, header): (&Told, &Header),
    template: &Template,
    records: &mut Cursor<'_>,
    (desk, reports): (&mut Desk, &mut Vec<Report>),
) {
    let mark = header.mark;
    let step = exporter.progress.step(mark);
    if step == Step::Restarted {
        exporter.restart();
        desk.restarted(key);
    }
    if step != Step::Late {
        let lost = exporter.progress.came(mark, Some(header.count.into()));
        desk.counts.lose(Protocol::NetFlow5, lost);
    }
    let rate = Rate { interval: Some((header.sampling & 0x3fff).into()), ..Rate::default() };
    for _ in 0..header.count {
        let mut draft = Draft::default();
        draft.rate = rate;
        match template.record(records, |element, bytes| draft.read(element, bytes)) {
            Ok(true) => desk.record(key, exporter, told, &draft, reports),
            Ok(false) | Err(_) => return desk.counts.refuse(Refusal::Truncated),
        }
    }
}
