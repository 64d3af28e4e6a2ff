//! The event file of the live sensor. It is appended to, opened anew on SIGHUP (so that it can be
//! rotated), and a full disk costs events, which are counted, but nothing else.

use std::fs::OpenOptions;
use std::io::{self, Write};

use prometheus::IntCounter;

use crate::cli::Stream;
use crate::eve;
use crate::event::Event;
use crate::text::reason;

/// Events are written in pieces of this size, and at least once a second.
const PIECE: usize = 1 << 16;

/// Events as EVE JSON lines.
pub(super) struct EventFile {
    stream: Stream,
    /// Their names, in the order of the config.
    interfaces: Vec<String>,
    to: Box<dyn Write + Send>,
    buffer: Vec<u8>,
    lines: u64,
    dropped: IntCounter,
    failing: bool,
}

impl EventFile {
    /// Opens `stream`; events that cannot be written are counted in `dropped`.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub(super) fn open(
        stream: &Stream,
        interfaces: Vec<String>,
        dropped: IntCounter,
    ) -> io::Result<Self> {
        Ok(Self {
            stream: stream.clone(),
            interfaces,
            to: open(stream)?,
            buffer: Vec::with_capacity(2 * PIECE),
            lines: 0,
            dropped,
            failing: false,
        })
    }

    /// Writes an event.
    pub(super) fn write(&mut self, event: &Event) {
        let before = self.buffer.len();
        eve::write_event(event, &self.interfaces, &mut self.buffer);
        self.lines += u64::from(self.buffer.len() > before);
        if self.buffer.len() >= PIECE {
            self.flush();
        }
    }

    /// Writes what is there.
    pub(super) fn flush(&mut self) {
        if self.buffer.is_empty() {
            return;
        }
        if self.failing {
            // What was written last may have ended in the middle of a line.
            self.buffer.insert(0, b'\n');
        }
        match self.to.write_all(&self.buffer).and_then(|()| self.to.flush()) {
            Ok(()) if self.failing => {
                self.failing = false;
                tracing::info!("{}: events can be written again", self.stream);
            }
            Ok(()) => {}
            Err(error) => {
                self.dropped.inc_by(self.lines);
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
        self.buffer.clear();
        self.lines = 0;
    }

    /// Opens the file anew by its name: the old one may have been rotated away.
    pub(super) fn reopen(&mut self) {
        self.flush();
        match open(&self.stream) {
            Ok(to) => self.to = to,
            Err(error) => tracing::error!(
                "{}: cannot be opened anew: {}; events go on into the old file",
                self.stream,
                reason(&error)
            ),
        }
    }
}

fn open(stream: &Stream) -> io::Result<Box<dyn Write + Send>> {
    Ok(match stream {
        Stream::Standard => Box::new(io::stdout()),
        Stream::File(path) => Box::new(OpenOptions::new().create(true).append(true).open(path)?),
    })
}
