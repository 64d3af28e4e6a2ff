//! Names as text, shared where a message repeats them.
//!
//! Names are walked here and not by `domain`, which refuses compression that leads forward, as
//! RFC 1035 does: resolvers in use follow it (glibc's does), so a sensor must.

use std::sync::Arc;

use arrayvec::ArrayString;
use domain::dep::octseq::parse::{Parser, ShortInput};

use crate::decode::text::{Escape, write_printable};

/// What one message's names may take as text: many times what any real one does, and a bound on
/// what compression can blow a hostile one up to.
const MAX_TEXT: usize = 256 * 1024;

/// The longest name on the wire, its lengths and the root included (RFC 1035, 3.1).
const MAX_WIRE: usize = 255;

/// The longest name as text: all of it escaped.
const MAX_NAME: usize = 4 * MAX_WIRE;

/// Why a name cannot be read.
pub(super) enum NameError {
    /// It leads beyond the end of what there is.
    Short,
    /// It is too long, has a label of unknown type, or its compression loops.
    Form,
    /// The message has more text than is kept.
    TooMuch,
}

impl From<ShortInput> for NameError {
    fn from(_: ShortInput) -> Self {
        Self::Short
    }
}

/// The names of one message so far.
#[derive(Default)]
pub(super) struct Names {
    /// The first name: a question's, nearly always.
    first: Option<Arc<str>>,
    /// The one before this: the owner of the last record or, in a chain of aliases, its target.
    last: Option<Arc<str>>,
    /// Bytes of text made so far.
    text: usize,
}

impl Names {
    /// Reads the name that `rest` is at. Its text is its labels joined by dots, without the final
    /// one; the root is `.`. The same text is shared with the first and the last name.
    pub(super) fn read(&mut self, rest: &mut Parser<'_, [u8]>) -> Result<Arc<str>, NameError> {
        let text = walk(rest)?;
        if let Some(known) =
            [&self.first, &self.last].into_iter().flatten().find(|known| ***known == *text)
        {
            return Ok(Arc::clone(known));
        }
        self.charge(text.len())?;
        let made: Arc<str> = Arc::from(text.as_str());
        if self.first.is_none() {
            self.first = Some(Arc::clone(&made));
        } else {
            self.last = Some(Arc::clone(&made));
        }
        Ok(made)
    }

    /// Accounts for `bytes` of new text.
    pub(super) fn charge(&mut self, bytes: usize) -> Result<(), NameError> {
        self.text = self.text.saturating_add(bytes);
        if self.text <= MAX_TEXT { Ok(()) } else { Err(NameError::TooMuch) }
    }
}

/// The name at `rest`, which is then behind it.
fn walk(rest: &mut Parser<'_, [u8]>) -> Result<ArrayString<MAX_NAME>, NameError> {
    let mut text = ArrayString::new();
    let mut wire = 1_usize;
    let mut at = *rest;
    let mut behind = None;
    // A step is a label or a pointer. No name has so many labels, and what has so many pointers
    // is a loop or as good as one.
    for _ in 0..MAX_WIRE {
        match at.parse_u8()? {
            0 => {
                *rest = behind.unwrap_or(at);
                if text.is_empty() {
                    text.push('.');
                }
                return Ok(text);
            }
            length @ 1..=0x3f => {
                let label = at.parse_octets(usize::from(length))?;
                wire = wire.saturating_add(label.len()).saturating_add(1);
                if wire > MAX_WIRE {
                    break;
                }
                if !text.is_empty() {
                    text.try_push('.').map_err(|_| NameError::Form)?;
                }
                write_printable(&mut text, label, Escape::Label).map_err(|_| NameError::Form)?;
            }
            high @ 0xc0.. => {
                let target = u16::from_be_bytes([high & 0x3f, at.parse_u8()?]);
                behind.get_or_insert(at);
                at = Parser::from_ref(at.octets_ref());
                at.seek(usize::from(target))?;
            }
            0x40..=0xbf => break,
        }
    }
    Err(NameError::Form)
}
