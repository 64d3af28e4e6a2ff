//! Where events and alerts go: the detectors, JSON lines, and the person who asked.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::PathBuf;

use super::evidence::Request;
use crate::alert::{Alert, Status};
use crate::cli::Stream;
use crate::detect::Engine;
use crate::eve;
use crate::event::{Event, Mirrored, Neighbour, Report};
use crate::intake::files;
use crate::intake::join::Join;
use crate::mirror::SourceFacts;
use crate::observe::Sink;
use crate::text::{self, file_name};
use crate::time::Timestamp;

/// Lines are written in pieces of this size.
const PIECE: usize = 1 << 16;

/// A file or stdout that could not be written.
#[derive(Debug, thiserror::Error)]
#[error(
    "{}: cannot write {what}: {}; check the path, its permissions and the free space",
    file_name(path),
    text::reason(reason)
)]
pub struct OutputError {
    path: PathBuf,
    what: &'static str,
    reason: io::Error,
}

impl OutputError {
    /// Whether the reader of a pipe has gone, which is its right.
    pub fn is_broken_pipe(&self) -> bool {
        self.reason.kind() == io::ErrorKind::BrokenPipe
    }
}

/// JSON lines on their way to a file or stdout. The first error stops all writing and is kept.
pub(super) struct Lines {
    path: PathBuf,
    what: &'static str,
    to: Box<dyn Write>,
    buffer: Vec<u8>,
    error: Option<io::Error>,
}

impl Lines {
    /// Opens `stream` to write `what`, in place of what a file held before.
    pub(super) fn create(stream: &Stream, what: &'static str) -> Result<Self, OutputError> {
        let (path, to): (PathBuf, io::Result<Box<dyn Write>>) = match stream {
            Stream::Standard => ("stdout".into(), Ok(Box::new(io::stdout()))),
            Stream::File(path) => {
                (path.clone(), File::create(path).map(|file| Box::new(file) as _))
            }
        };
        match to {
            Ok(to) => {
                Ok(Self { path, what, to, buffer: Vec::with_capacity(2 * PIECE), error: None })
            }
            Err(reason) => Err(OutputError { path, what, reason }),
        }
    }

    /// Writes what `line` appends.
    pub(super) fn write(&mut self, line: impl FnOnce(&mut Vec<u8>)) {
        line(&mut self.buffer);
        if self.buffer.len() >= PIECE {
            self.flush();
        }
    }

    fn flush(&mut self) {
        if self.error.is_none() {
            self.error = self.to.write_all(&self.buffer).and_then(|()| self.to.flush()).err();
        }
        self.buffer.clear();
    }

    /// Whether everything could be written so far.
    pub(super) fn check(&mut self) -> Result<(), OutputError> {
        match self.error.take() {
            None => Ok(()),
            Some(reason) => Err(OutputError { path: self.path.clone(), what: self.what, reason }),
        }
    }

    /// Writes what is left.
    pub(super) fn close(mut self) -> Result<(), OutputError> {
        self.flush();
        self.check()
    }
}

/// Opens `stream` to write behind what a file holds already.
///
/// # Errors
/// When the file cannot be opened.
pub(super) fn append(stream: &Stream) -> io::Result<Box<dyn Write + Send>> {
    Ok(match stream {
        Stream::Standard => Box::new(io::stdout()),
        Stream::File(path) => Box::new(OpenOptions::new().create(true).append(true).open(path)?),
    })
}

/// Takes every event to the event file and the detectors, and every alert to the alert file and, behind
/// the event that raised it, to the event file.
pub(super) struct Outputs {
    pub(super) engine: Engine,
    /// Log messages and audit records in files, which are read up to the time of each event.
    pub(super) logs: files::Files,
    pub(super) join: Join,
    pub(super) writer: eve::Writer,
    pub(super) events: Option<Lines>,
    pub(super) alerts: Option<Lines>,
    /// The last state of each alert, in the order they were first raised.
    pub(super) raised: Vec<Alert>,
    /// The last state of those that are held back.
    pub(super) held: Vec<Alert>,
    /// Whose packets are to be looked for since that was last done, where any are kept.
    pub(super) asked: Option<Vec<Request>>,
}

impl Sink for Outputs {
    #[inline]
    fn event(&mut self, event: Event) {
        self.logged(event.time);
        self.joined(event.time);
        self.engine.event(&event);
        if let Some(lines) = &mut self.events {
            lines.write(|buffer| self.writer.event(&event, buffer));
        }
        if self.engine.has_alerts() {
            self.alerts();
        }
    }

    fn report(&mut self, report: Report) {
        self.logged(report.time);
        self.take(report);
    }

    fn mirrored(&mut self, mirrored: Mirrored) {
        self.logged(mirrored.time);
        self.joined(mirrored.time);
        self.engine.mirrored(&mirrored, None);
        self.alerts();
    }

    fn neighbour(&mut self, neighbour: Neighbour) {
        self.logged(neighbour.time);
        self.joined(neighbour.time);
        self.engine.neighbour(&neighbour);
        self.alerts();
    }

    fn mirror(&mut self, at: Timestamp, sources: &[SourceFacts]) {
        self.engine.sources(sources, at);
    }
}

impl Outputs {
    /// The first packet is of `time`: what is learned is counted from there, or from what logs told
    /// before, whether packets tell of anything or not.
    pub(super) fn begin(&mut self, time: Timestamp) {
        self.logged(time);
        self.joined(time);
        self.engine.reach(time);
    }

    /// Takes what log files say up to `until`.
    #[inline]
    fn logged(&mut self, until: Timestamp) {
        while let Some(report) = self.logs.pop(until) {
            self.take(report);
        }
    }

    fn take(&mut self, report: Report) {
        self.joined(report.time);
        if let Some(report) = self.join.take(report) {
            self.told(&report);
        }
    }

    /// Passes on the reports that have waited long enough for others by `now`.
    #[inline]
    fn joined(&mut self, now: Timestamp) {
        self.join.advance(now);
        while let Some(report) = self.join.pop() {
            self.told(&report);
        }
    }

    fn told(&mut self, report: &Report) {
        self.engine.report(report);
        if let Some(lines) = &mut self.events {
            lines.write(|buffer| eve::write_report(report, buffer));
        }
        self.alerts();
    }

    /// Takes what is left in log files, and passes on the reports that waited for others: none will
    /// come any more.
    pub(super) fn finish(&mut self) {
        self.logged(Timestamp::MAX);
        while let Some(report) = self.join.pop_last() {
            self.told(&report);
        }
        self.engine.finish();
        self.alerts();
    }

    /// Passes on the alerts that were raised or changed since the last call, but for those that are held
    /// back.
    pub(super) fn alerts(&mut self) {
        for alert in self.engine.drain_alerts() {
            if let Some(asked) = &mut self.asked {
                asked.extend(Request::of(&alert));
            }
            self.held.retain(|known| known.id != alert.id);
            if alert.status == Status::Suppressed {
                self.held.push(alert);
                continue;
            }
            if let Some(lines) = &mut self.events {
                lines.write(|buffer| self.writer.alert(&alert, buffer));
            }
            if let Some(lines) = &mut self.alerts {
                lines.write(|buffer| write_alert(&alert, buffer));
            }
            match self.raised.iter_mut().find(|known| known.id == alert.id) {
                Some(known) => *known = alert,
                None => self.raised.push(alert),
            }
        }
    }

    /// Whether everything could be written so far.
    ///
    /// # Errors
    /// When events or alerts could not be written.
    pub(super) fn check(&mut self) -> Result<(), OutputError> {
        [&mut self.events, &mut self.alerts].into_iter().flatten().try_for_each(Lines::check)
    }
}

/// Appends an alert as one line of JSON.
pub(super) fn write_alert(alert: &Alert, buffer: &mut Vec<u8>) {
    let start = buffer.len();
    match serde_json::to_writer(&mut *buffer, alert) {
        Ok(()) => buffer.push(b'\n'),
        // A `Vec` takes all that is written; half a line would be worse than none.
        Err(_) => buffer.truncate(start),
    }
}
