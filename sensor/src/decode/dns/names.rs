//! Names as text, shared where a message repeats them.
//!
//! Names are walked here and not by `domain`, which refuses compression that leads forward, as
//! RFC 1035 does: resolvers in use follow it (glibc's does), so a sensor must.

use std::sync::Arc;

use domain::dep::octseq::parse::{Parser, ShortInput};

use crate::decode::text::{Escape, stays, write_printable};

/// What one message's names and texts may take: many times what any real one does, and a bound on
/// what compression and escapes can blow a hostile one up to.
const MAX_TEXT: usize = 12 * 1024;

/// Labels and pointers that may be followed for each byte of a message. Real ones need fewer than one.
const STEPS_PER_BYTE: usize = 2;

/// The longest name on the wire, its lengths and the root included (RFC 1035, 3.1).
const MAX_WIRE: usize = 255;

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
pub(super) struct Names {
    /// The first name: a question's, nearly always.
    first: Option<Known>,
    /// The one before this: the owner of the last record or, in a chain of aliases, its target.
    last: Option<Known>,
    /// Bytes of text that may still be made.
    text: usize,
    /// Labels and pointers that may still be followed.
    steps: usize,
}

/// A name that was read, and where.
struct Known {
    at: usize,
    name: Arc<str>,
}

impl Names {
    /// Those of a message of `length` bytes, which bounds the work on them.
    pub(super) const fn of_message(length: usize) -> Self {
        let steps = length.saturating_mul(STEPS_PER_BYTE).saturating_add(MAX_WIRE);
        Self { first: None, last: None, text: MAX_TEXT, steps }
    }

    /// Reads the name that `rest` is at. Its text is its labels joined by dots, without the final
    /// one; the root is `.`. The same text is shared with the first and the last name.
    pub(super) fn read(&mut self, rest: &mut Parser<'_, [u8]>) -> Result<Arc<str>, NameError> {
        if let Ok(&[high @ 0xc0..=0xff, low]) = rest.peek(2)
            && let Some(name) = self.known(|known| known.at == pointed_at(high, low))
        {
            rest.advance(2)?;
            return Ok(name);
        }
        let start = *rest;
        let mut plain = Plain::default();
        walk(rest, &mut self.steps, |label| plain.push(label))?;
        let Some(text) = plain.text() else {
            let mut text = String::new();
            let mut again = start;
            walk(&mut again, &mut self.steps, |label| push_odd(&mut text, label))?;
            return self.share(start.pos(), &text);
        };
        self.share(start.pos(), text)
    }

    /// Accounts for `bytes` of new text, or of what else a record's data come to.
    pub(super) fn charge(&mut self, bytes: usize) -> Result<(), NameError> {
        self.text = self.text.checked_sub(bytes).ok_or(NameError::TooMuch)?;
        Ok(())
    }

    fn known(&self, is_it: impl Fn(&Known) -> bool) -> Option<Arc<str>> {
        let mut known = [&self.first, &self.last].into_iter().flatten();
        known.find(|known| is_it(known)).map(|known| Arc::clone(&known.name))
    }

    fn share(&mut self, at: usize, text: &str) -> Result<Arc<str>, NameError> {
        if let Some(name) = self.known(|known| *known.name == *text) {
            return Ok(name);
        }
        self.charge(text.len())?;
        let name: Arc<str> = text.into();
        let known = Some(Known { at, name: Arc::clone(&name) });
        if self.first.is_none() {
            self.first = known;
        } else {
            self.last = known;
        }
        Ok(name)
    }
}

/// A name of printable ASCII without dots and backslashes in its labels, as nearly all are: its
/// bytes are its text.
struct Plain {
    /// Each label with a dot behind it.
    bytes: [u8; MAX_WIRE],
    length: usize,
    is_plain: bool,
}

/// For each byte whether it [`stays`] in a label.
const PLAIN: [bool; 256] = {
    let mut table = [false; 256];
    let (mut rest, mut byte) = (table.as_mut_slice(), 0_u8);
    while let Some((place, behind)) = rest.split_first_mut() {
        *place = stays(byte, Escape::Label);
        (rest, byte) = (behind, byte.wrapping_add(1));
    }
    table
};

impl Default for Plain {
    fn default() -> Self {
        Self { bytes: [0; MAX_WIRE], length: 0, is_plain: true }
    }
}

impl Plain {
    fn push(&mut self, label: &[u8]) {
        let space = self.bytes.get_mut(self.length..).unwrap_or_default();
        for (place, &byte) in space.iter_mut().zip(label) {
            *place = byte;
            self.is_plain &= PLAIN.get(usize::from(byte)).is_some_and(|&stays| stays);
        }
        if let Some(place) = space.get_mut(label.len()) {
            *place = b'.';
        }
        self.length = self.length.saturating_add(label.len()).saturating_add(1);
    }

    /// None when it is not plain.
    fn text(&self) -> Option<&str> {
        if self.length == 0 {
            return Some(".");
        }
        let text = self.bytes.get(..self.length.saturating_sub(1))?;
        if self.is_plain { str::from_utf8(text).ok() } else { None }
    }
}

fn push_odd(text: &mut String, label: &[u8]) {
    if !text.is_empty() {
        text.push('.');
    }
    // A `String` takes whatever is written to it.
    let _ = write_printable(text, label, Escape::Label);
}

/// Gives the labels of the name at `rest`, which is then behind it, in as many of the `steps` that
/// are left.
fn walk(
    rest: &mut Parser<'_, [u8]>,
    steps: &mut usize,
    mut label: impl FnMut(&[u8]),
) -> Result<(), NameError> {
    let mut wire = 1_usize;
    let mut at = *rest;
    let mut behind = None;
    // A step is a label or a pointer. No name has so many labels, and what has so many pointers
    // is a loop or as good as one.
    for _ in 0..MAX_WIRE {
        *steps = steps.checked_sub(1).ok_or(NameError::TooMuch)?;
        match at.parse_u8()? {
            0 => {
                *rest = behind.unwrap_or(at);
                return Ok(());
            }
            length @ 1..=0x3f => {
                let octets = at.parse_octets(usize::from(length))?;
                wire = wire.saturating_add(octets.len()).saturating_add(1);
                if wire > MAX_WIRE {
                    break;
                }
                label(octets);
            }
            high @ 0xc0.. => {
                let target = pointed_at(high, at.parse_u8()?);
                behind.get_or_insert(at);
                at = Parser::from_ref(at.octets_ref());
                at.seek(target)?;
            }
            0x40..=0xbf => break,
        }
    }
    Err(NameError::Form)
}

/// Where a compression pointer leads (RFC 1035, 4.1.4).
fn pointed_at(high: u8, low: u8) -> usize {
    usize::from(u16::from_be_bytes([high & 0x3f, low]))
}
