//! What a file holds, and how that is read.

use super::ahead::Ahead;
use crate::intake::audit::{self, Body};
use crate::intake::syslog::Frames;
use crate::intake::{Counts, Origin, Reader};
use crate::time::Timestamp;

const ORIGIN: Origin = Origin { arrival: None, peer: None };

/// Log messages or audit records.
pub(super) enum Content {
    Syslog { frames: Frames, reader: Box<Reader> },
    Audit(Box<Body>),
}

impl Content {
    /// Log messages. Lines without a year are of the time when the file was `written`.
    pub(super) fn syslog(written: Option<Timestamp>) -> Self {
        Self::Syslog { frames: Frames::default(), reader: Box::new(Reader::of_file(written)) }
    }

    /// Audit records.
    pub(super) fn audit() -> Self {
        Self::Audit(Box::default())
    }

    /// Of so many reports the earliest comes before all that follow. Lines are nearly in the order of
    /// their times; records in no order at all, and those that tell something are few.
    pub(super) const fn disorder(&self) -> usize {
        match self {
            Self::Syslog { .. } => 1 << 12,
            Self::Audit(_) => 1 << 16,
        }
    }

    /// Takes bytes.
    pub(super) fn take(&mut self, piece: &[u8], audit: &mut audit::Reader, ahead: &mut Ahead) {
        match self {
            Self::Syslog { frames, reader } => {
                frames.push(piece);
                while let Some(frame) = frames.pop() {
                    if frame.is_cut {
                        reader.note_cut();
                    }
                    reader.read(&ORIGIN, frame.message).into_iter().for_each(|r| ahead.push(r));
                }
            }
            Self::Audit(body) => audit.take(body, piece, None, &mut |report| ahead.push(report)),
        }
    }

    /// Takes the end.
    pub(super) fn end(&mut self, audit: &mut audit::Reader, ahead: &mut Ahead) {
        match self {
            Self::Syslog { frames, reader } => {
                let last = frames.last().and_then(|frame| reader.read(&ORIGIN, frame.message));
                last.into_iter().for_each(|report| ahead.push(report));
            }
            Self::Audit(body) => audit.end(body, None, &mut |report| ahead.push(report)),
        }
    }

    /// What became of log messages.
    pub(super) fn counts(&self) -> Counts {
        match self {
            Self::Syslog { reader, .. } => reader.counts(),
            Self::Audit(_) => Counts::default(),
        }
    }
}
