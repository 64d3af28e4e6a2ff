//! The event file of the live sensor. It is appended to, opened anew on SIGHUP (so that it can be
//! rotated), and a full disk costs events, which are counted, but nothing else: a thread of its own
//! writes, and whoever has events never waits for the disk or for the reader of a pipe.

use std::io::{self, Write};
use std::sync::mpsc::{self, Receiver, SyncSender, TrySendError};
use std::thread::JoinHandle;
use std::time::Duration;

use prometheus::IntCounter;

use super::RunError;
use super::control::end_within;
use super::start::spawn;
use crate::alert::Alert;
use crate::cli::Stream;
use crate::decode::Refusal;
use crate::eve::{self, Writer};
use crate::event::{Event, Report};
use crate::sensor::output::append;
use crate::text::reason;
use crate::time::Timestamp;

/// Events are written in pieces of this size, and at least once a second.
const PIECE: usize = 1 << 16;
/// Pieces that wait to be written at most: 16 MiB. What comes on top is dropped and counted.
const PIECES: usize = 256;
/// How long the last pieces may take when the sensor ends.
const PATIENCE: Duration = Duration::from_secs(2);

/// A stream that was opened while the process still may.
pub(super) struct Opened {
    stream: Stream,
    to: Box<dyn Write + Send>,
}

/// Opens `stream`.
///
/// # Errors
/// When the file cannot be opened.
pub(super) fn open(stream: &Stream) -> io::Result<Opened> {
    Ok(Opened { stream: stream.clone(), to: append(stream)? })
}

/// Events as EVE JSON lines.
pub(super) struct EventFile {
    writer: Writer,
    piece: Piece,
    orders: SyncSender<Order>,
    thread: JoinHandle<()>,
    dropped: IntCounter,
    /// The file is to be opened anew, and there was no room yet to say so.
    reopen: bool,
    late: bool,
}

/// Whole lines, and how many.
#[derive(Default)]
struct Piece {
    bytes: Vec<u8>,
    lines: u64,
}

enum Order {
    Write(Piece),
    Reopen,
}

impl EventFile {
    /// Starts the thread that writes; events that cannot be written are counted in `dropped`.
    ///
    /// # Errors
    /// When there is no thread to be had.
    pub(super) fn start(
        opened: Opened,
        interfaces: Vec<String>,
        dropped: IntCounter,
    ) -> Result<Self, RunError> {
        let (orders, receiver) = mpsc::sync_channel(PIECES);
        let Opened { stream, to } = opened;
        let file = File { stream, to, dropped: dropped.clone(), failing: false };
        let thread = spawn("egret-events", move || file.work(&receiver))?;
        let (writer, piece) = (Writer::new(interfaces), Piece::default());
        Ok(Self { writer, piece, orders, thread, dropped, reopen: false, late: false })
    }

    /// Writes an event.
    pub(super) fn event(&mut self, event: &Event) {
        self.write(|writer, bytes| writer.event(event, bytes));
    }

    /// Writes what a log said.
    pub(super) fn report(&mut self, report: &Report) {
        self.write(|_, bytes| eve::write_report(report, bytes));
    }

    /// Writes an alert.
    pub(super) fn alert(&mut self, alert: &Alert) {
        self.write(|writer, bytes| writer.alert(alert, bytes));
    }

    /// Writes how many frames were refused by `now`, by reason.
    pub(super) fn anomalies(&mut self, now: Timestamp, refused: &[(Refusal, u64)]) {
        for one in refused {
            self.write(|_, bytes| eve::write_anomalies(now, [*one], bytes));
        }
    }

    /// Writes what was done by `now`.
    pub(super) fn stats(&mut self, now: Timestamp, stats: &eve::Stats, refused: &eve::Refused) {
        self.write(|_, bytes| eve::write_stats(now, stats, refused, &[], bytes));
    }

    /// Takes the line that `write` appends, if it does.
    fn write(&mut self, write: impl FnOnce(&mut Writer, &mut Vec<u8>)) {
        let before = self.piece.bytes.len();
        write(&mut self.writer, &mut self.piece.bytes);
        self.piece.lines += u64::from(self.piece.bytes.len() > before);
        if self.piece.bytes.len() >= PIECE {
            self.flush();
        }
    }

    /// Hands on what is there.
    pub(super) fn flush(&mut self) {
        if !self.piece.bytes.is_empty() {
            let next = Piece { bytes: Vec::with_capacity(PIECE + PIECE / 4), lines: 0 };
            let piece = std::mem::replace(&mut self.piece, next);
            self.hand_on(piece);
        }
        if self.reopen {
            self.reopen = self.orders.try_send(Order::Reopen).is_err();
        }
    }

    fn hand_on(&mut self, piece: Piece) {
        match self.orders.try_send(Order::Write(piece)) {
            Ok(()) => self.late = false,
            Err(TrySendError::Full(Order::Write(piece))) => {
                self.dropped.inc_by(piece.lines);
                if !self.late {
                    tracing::error!("events are written too slowly; they are counted as dropped");
                }
                self.late = true;
            }
            Err(_) => {}
        }
    }

    /// Opens the file anew by its name: the old one may have been rotated away.
    pub(super) fn reopen(&mut self) {
        self.reopen = true;
        self.flush();
    }

    /// Writes what is left, for as long as that may take.
    pub(super) fn close(mut self) {
        self.flush();
        let Self { orders, thread, .. } = self;
        drop(orders);
        if end_within(thread, PATIENCE).is_none() {
            tracing::error!("the last events could not be written in time");
        }
    }
}

/// The thread's own.
struct File {
    stream: Stream,
    to: Box<dyn Write + Send>,
    dropped: IntCounter,
    failing: bool,
}

impl File {
    fn work(mut self, orders: &Receiver<Order>) {
        for order in orders {
            match order {
                Order::Write(piece) => self.write(piece),
                Order::Reopen => self.reopen(),
            }
        }
    }

    fn write(&mut self, mut piece: Piece) {
        if self.failing {
            // What was written last may have ended in the middle of a line.
            piece.bytes.insert(0, b'\n');
        }
        match self.to.write_all(&piece.bytes).and_then(|()| self.to.flush()) {
            Ok(()) if self.failing => {
                self.failing = false;
                tracing::info!("{}: events can be written again", self.stream);
            }
            Ok(()) => {}
            Err(error) => {
                self.dropped.inc_by(piece.lines);
                if !self.failing {
                    let why = reason(&error);
                    tracing::error!(
                        "{}: events cannot be written: {why}; they are counted as dropped",
                        self.stream
                    );
                }
                self.failing = true;
            }
        }
    }

    fn reopen(&mut self) {
        match append(&self.stream) {
            Ok(to) => self.to = to,
            Err(error) => tracing::error!(
                "{}: cannot be opened anew: {}; events go on into the old file",
                self.stream,
                reason(&error)
            ),
        }
    }
}

#[cfg(test)]
mod tests;
