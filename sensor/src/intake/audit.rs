//! Audit records of clouds and of vCenter: JSON, one record or many in an envelope; lines of flow logs.
//!
//! [`split`] finds records in bytes, [`json`] reads them strictly, [`envelope`] opens what is around them,
//! [`flow_log`] reads the lines that are no JSON, and [`providers`] understands what a record says. Late
//! and repeated records are normal: a report has the time of its event, and what has a record's id is told
//! once. [`follow`] reads files that grow, and [`inbox`] those and bodies that are posted, for the sensor.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Read;
use std::sync::LazyLock;
use std::time::Duration;

use flate2::read::MultiGzDecoder;
use serde_json::Value;

use crate::event::{Report, Reporter, Said};
use crate::intake::kept::Kept;
use crate::time::Timestamp;
pub use counts::{Counts, Refusal};
use envelope::Inside;
use flow_log::Layout;
use providers::{Providers, Told};
use split::{Found, Split};

mod counts;
pub mod envelope;
pub mod flow_log;
pub mod follow;
pub mod inbox;
pub mod json;
pub mod post;
pub mod providers;
pub mod split;

/// Ids of records that are remembered: a provider repeats one within minutes.
const KEPT: usize = 1 << 16;
/// Envelopes in each other, at most: a queue's message with a topic's in it, and an event in that.
const MAX_ENVELOPES: u8 = 4;
/// Bytes that come unpacked out of one record, at most.
const MAX_UNPACKED: usize = 16 << 20;
/// Bytes unpacked at once.
const PIECE: usize = 16 << 10;
/// An event is at most so much later than its arrival, by clocks that nearly agree.
const AHEAD: Duration = Duration::from_secs(300);

/// How bytes in gzip start.
pub const GZIP: [u8; 2] = [0x1f, 0x8b];
/// The status of a line in a flow log that stands for lines that AWS could not write.
const SKIPPED: &str = "SKIPDATA";
/// The fields of lines that nothing names them for.
static DEFAULT_LAYOUT: LazyLock<Layout> = LazyLock::new(Layout::default);

/// Reads audit records, of as many files and bodies as there are; one thread's own.
#[derive(Debug)]
pub struct Reader {
    counts: Counts,
    /// Whose ids came before, as hashes: one in 2^47 is taken for another by chance.
    repeated: Kept<u64, ()>,
    providers: Providers,
}

impl Default for Reader {
    fn default() -> Self {
        Self {
            counts: Counts::default(),
            repeated: Kept::new(KEPT),
            providers: Providers::default(),
        }
    }
}

/// Where reading stands in one file or one body.
#[derive(Debug, Default)]
pub struct Body {
    split: Split,
    lines: Lines,
}

/// Where reading stands among lines that are no JSON.
#[derive(Debug, Default)]
struct Lines {
    /// What a line before said that the fields are.
    layout: Option<Layout>,
    /// Whether what came last was no record: what goes on so is counted once.
    is_noise: bool,
}

/// One record under way.
struct Taking<'a> {
    reader: &'a mut Reader,
    /// When it came here; of a file, none.
    arrival: Option<Timestamp>,
    tell: &'a mut dyn FnMut(Report),
    /// How many envelopes it was in.
    envelopes: u8,
    /// How many bytes more may be unpacked.
    unpacked: usize,
}

impl Reader {
    /// Takes bytes of `body`, and tells what the records say that they complete. `arrival`: when they came
    /// here; of a file that is not followed, none.
    pub fn take(
        &mut self,
        body: &mut Body,
        piece: &[u8],
        arrival: Option<Timestamp>,
        tell: &mut dyn FnMut(Report),
    ) {
        let Body { split, lines } = body;
        let mut taking = Taking::new(self, arrival, tell);
        split.take(piece, &mut |found| taking.found(found, lines));
    }

    /// Takes the end of `body`, which then is a new one.
    pub fn end(
        &mut self,
        body: &mut Body,
        arrival: Option<Timestamp>,
        tell: &mut dyn FnMut(Report),
    ) {
        let Body { split, lines } = body;
        let mut taking = Taking::new(self, arrival, tell);
        split.end(&mut |found| taking.found(found, lines));
        *body = Body::default();
    }

    /// What became of the records so far.
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    /// Whether a record with this id came before.
    fn is_repeated(&mut self, told: &Told) -> bool {
        let Some(id) = &told.id else { return false };
        let mut hasher = DefaultHasher::new();
        (told.service, id).hash(&mut hasher);
        self.repeated.insert(hasher.finish(), ()).is_some()
    }
}

impl<'a> Taking<'a> {
    fn new(
        reader: &'a mut Reader,
        arrival: Option<Timestamp>,
        tell: &'a mut dyn FnMut(Report),
    ) -> Self {
        Self { reader, arrival, tell, envelopes: 0, unpacked: MAX_UNPACKED }
    }

    fn found(&mut self, found: Found<'_>, lines: &mut Lines) {
        if self.envelopes == 0 {
            self.unpacked = MAX_UNPACKED;
        }
        match found {
            Found::Json(bytes) => {
                lines.is_noise = false;
                match json::parse(bytes) {
                    Ok(value) => self.value(value),
                    Err(refusal) => self.reader.counts.refuse(refusal),
                }
            }
            Found::Line(line) => self.line(line, lines),
            Found::Refused(refusal) => {
                lines.is_noise = true;
                self.reader.counts.refuse(refusal);
            }
        }
    }

    fn value(&mut self, value: Value) {
        match envelope::open(value) {
            Inside::Record(record) => {
                let told = self.reader.providers.read(&record);
                self.told(told);
            }
            Inside::Nothing => self.reader.counts.irrelevant += 1,
            inside if self.envelopes < MAX_ENVELOPES => {
                self.envelopes += 1;
                match inside {
                    Inside::Values(values) => {
                        values.into_iter().for_each(|value| self.value(value));
                    }
                    Inside::Bytes(bytes) => self.bytes(&bytes),
                    Inside::Record(_) | Inside::Nothing => {}
                }
                self.envelopes -= 1;
            }
            Inside::Values(_) | Inside::Bytes(_) => self.reader.counts.refuse(Refusal::TooDeep),
        }
    }

    /// Reads bytes that were in a record, as those of a file.
    fn bytes(&mut self, bytes: &[u8]) {
        let (mut split, mut lines) = (Split::default(), Lines::default());
        if bytes.starts_with(&GZIP) {
            let mut unpacked = MultiGzDecoder::new(bytes);
            let mut piece = vec![0; PIECE];
            loop {
                let read = match unpacked.read(&mut piece) {
                    Ok(0) => break,
                    Ok(read) if read <= self.unpacked => read,
                    Ok(_) => return self.reader.counts.refuse(Refusal::TooLarge),
                    Err(_) => return self.reader.counts.refuse(Refusal::Malformed),
                };
                self.unpacked -= read;
                let piece = piece.get(..read).unwrap_or_default();
                split.take(piece, &mut |found| self.found(found, &mut lines));
            }
        } else {
            split.take(bytes, &mut |found| self.found(found, &mut lines));
        }
        split.end(&mut |found| self.found(found, &mut lines));
    }

    fn line(&mut self, line: &[u8], lines: &mut Lines) {
        let text = str::from_utf8(line).ok();
        if let Some(layout) = text.and_then(Layout::named) {
            (lines.layout, lines.is_noise) = (Some(layout), false);
            return;
        }
        let layout = lines.layout.as_ref().unwrap_or(&DEFAULT_LAYOUT);
        match text.and_then(|text| layout.fields(text)) {
            Some(fields) => {
                lines.is_noise = false;
                if fields.get("log-status") == Some(SKIPPED) {
                    self.reader.counts.skipped += 1;
                    return;
                }
                let told = self.reader.providers.flow(|name| fields.get(name));
                self.told(told);
            }
            // A log may have whatever lines it likes; a file of audit records has none but those.
            None if self.envelopes > 0 => self.reader.counts.irrelevant += 1,
            None if lines.is_noise => {}
            None => {
                lines.is_noise = true;
                let refusal = if text.is_some() { Refusal::Malformed } else { Refusal::NotUtf8 };
                self.reader.counts.refuse(refusal);
            }
        }
    }

    fn told(&mut self, told: Option<Told>) {
        // What never says when it happened happened when it came.
        let Some((told, time)) = told.and_then(|told| {
            let time = told.time.or(self.arrival)?;
            Some((told, time))
        }) else {
            self.reader.counts.irrelevant += 1;
            return;
        };
        if self.reader.is_repeated(&told) {
            self.reader.counts.repeated += 1;
            return;
        }
        self.reader.counts.understood += 1;
        let is_wild = self.arrival.is_some_and(|arrival| time.since(arrival) > AHEAD);
        let time = self.arrival.filter(|_| is_wild).unwrap_or(time);
        for said in told.said {
            // Only of what moved it matters which of several interfaces says so. What moved was over within
            // the second that is told.
            let is_record = matches!(said, Said::Exported(_));
            let host = told.host.clone().filter(|_| is_record);
            let time = if is_record { time.plus(Duration::from_secs(1)) } else { time };
            let reporter = Reporter { service: told.service, host, peer: None };
            (self.tell)(Report { time, stated: told.time, reporter, said });
        }
    }
}

#[cfg(test)]
mod tests;
