//! The packet path as `egret read --events` has it: decode, flow, observe, EVE.

use std::time::Duration;

use egret::capture::{Frame, LinkType};
use egret::event::Event;
use egret::flow::Table;
use egret::observe::{Reader, Sink, Wanted};
use egret::time::Timestamp;
use egret::{decode, eve};

use super::allocated;

/// One path, used over and over: what its tables take is taken once.
pub(crate) struct Pipeline {
    table: Table,
    reader: Reader,
    pub(crate) lines: Lines,
    now: Timestamp,
}

/// Events as lines of JSON.
pub(crate) struct Lines(pub(crate) Vec<u8>, eve::Writer);

impl Sink for Lines {
    fn event(&mut self, event: Event) {
        self.1.event(&event, &mut self.0);
    }
}

impl Pipeline {
    pub(crate) fn new() -> Self {
        let table = Table::new(64).unwrap();
        let lines = Lines(Vec::with_capacity(4 << 20), eve::Writer::default());
        Self { table, reader: Reader::new(Wanted::All), lines, now: Timestamp::from_nanos(1 << 60) }
    }

    /// Takes one frame of `wire_len` bytes through; says how much that allocates.
    pub(crate) fn take(&mut self, link: LinkType, bytes: &[u8], wire_len: usize) -> usize {
        self.now = self.now.plus(Duration::from_micros(1));
        let wire_len = wire_len as u32;
        let frame = Frame { time: self.now, wire_len, link, vlan: None, mark: None, bytes };
        let Self { table, reader, lines, .. } = self;
        allocated(|| {
            if let Ok(packet) = decode::packet(&frame) {
                table.burst(&[packet], &mut reader.observing(lines));
            }
        })
    }

    /// Ends all flows; says how much that allocates. The next packets find nothing of these.
    pub(crate) fn end(&mut self) -> usize {
        let Self { table, reader, lines, now, .. } = self;
        *now = now.plus(Duration::from_secs(10));
        allocated(|| {
            table.finish(&mut reader.observing(lines));
            reader.expire(*now, lines);
        })
    }

    /// Forgets what was written. When it is to be read, checks that it is lines of JSON: to read all
    /// takes longer than to write it.
    pub(crate) fn forget(&mut self, read: bool) {
        let Lines(out, _) = &mut self.lines;
        if read {
            for line in std::str::from_utf8(out).unwrap().lines() {
                let event: serde_json::Value = serde_json::from_str(line).unwrap();
                assert!(event["event_type"].is_string() && event["flow_id"].is_u64());
            }
        }
        out.clear();
    }
}
