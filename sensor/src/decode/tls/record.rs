//! Handshake messages out of TLS records (RFC 8446, 5.1), whole or in fragments.

use std::ops::Range;

use super::{Extent, Refusal};
use crate::decode::progress::Progress;

/// Record content types.
pub(super) const HANDSHAKE: u8 = 22;
const ALERT: u8 = 21;

/// The most a record without encryption may carry.
pub(super) const MAX_RECORD: usize = 1 << 14;

/// The longest hello that is read. Post-quantum ones take 2 KiB; a stream's budget is 16 KiB.
const MAX_MESSAGE: usize = MAX_RECORD + 1024;

/// The most bytes that are joined of a hello's fragments.
pub const MAX_JOINED: usize = MAX_MESSAGE + MAX_RECORD;

const RECORD_HEADER: usize = 5;
const MESSAGE_HEADER: usize = 4;

/// A handshake message, or what was captured of it.
#[derive(Debug)]
pub(super) struct Message<'a> {
    /// What follows its header.
    pub(super) body: &'a [u8],
    /// Whether its end was cut off.
    pub(super) truncated: bool,
}

/// The handshake message of type `kind` at the start of a stream: in place where one record holds
/// it, else joined in `scratch`. Alerts before it (servers warn of unknown names) are passed over.
pub(super) fn message<'a>(
    bytes: &'a [u8],
    kind: u8,
    extent: Extent,
    scratch: &'a mut Vec<u8>,
) -> Progress<Message<'a>, Refusal> {
    scratch.clear();
    let first = match first_handshake(bytes) {
        Ok(first) => first,
        Err(Stop::Short(total)) if extent == Extent::Growing => return Progress::NeedMore(total),
        Err(Stop::Short(_)) => return Progress::Refused(Refusal::Truncated),
        Err(Stop::Refused(refusal)) => return Progress::Refused(refusal),
    };
    if first.payload.first().is_some_and(|&seen| seen != kind) {
        return Progress::Refused(Refusal::NotHello);
    }
    let end = if first.is_whole() && first.payload.len() < wanted(first.payload) {
        join(bytes, first, scratch)
    } else {
        first.message_end(0, wanted(first.payload))
    };
    let joined = if scratch.is_empty() { first.payload } else { scratch };
    let wanted = wanted(joined);
    let used = match end {
        Ok(used) => used,
        Err(Stop::Short(_)) if wanted > MAX_MESSAGE => return Progress::Refused(Refusal::TooLong),
        Err(Stop::Short(total)) if extent == Extent::Growing => return Progress::NeedMore(total),
        Err(Stop::Short(_)) => bytes.len(),
        Err(Stop::Refused(refusal)) => return Progress::Refused(refusal),
    };
    match joined.get(MESSAGE_HEADER..joined.len().min(wanted)) {
        Some(body) => {
            Progress::Complete { value: Message { body, truncated: joined.len() < wanted }, used }
        }
        None => Progress::Refused(Refusal::Truncated),
    }
}

/// The handshake message of type `kind` at the start of a stream without records (RFC 9001, 4.1.3).
pub(super) fn bare(bytes: &[u8], kind: u8, extent: Extent) -> Progress<Message<'_>, Refusal> {
    let wanted = wanted(bytes);
    if bytes.first().is_some_and(|&seen| seen != kind) {
        return Progress::Refused(Refusal::NotHello);
    }
    if wanted > MAX_MESSAGE {
        return Progress::Refused(Refusal::TooLong);
    }
    let truncated = bytes.len() < wanted;
    if truncated && extent == Extent::Growing {
        return Progress::NeedMore(wanted);
    }
    match bytes.get(MESSAGE_HEADER..bytes.len().min(wanted)) {
        Some(body) => {
            let used = bytes.len().min(wanted);
            Progress::Complete { value: Message { body, truncated }, used }
        }
        None => Progress::Refused(Refusal::Truncated),
    }
}

/// Why what is looked for in joined handshake messages was not found.
pub(super) enum Missing {
    /// There must be this many bytes of messages before it is worth looking again.
    Bytes(usize),
    /// It is not there.
    Refused(Refusal),
}

/// What `find` finds in the handshake messages at the start of a stream, whose fragments are joined
/// in `scratch` as far as it takes. Alerts among them are passed over.
pub(super) fn find_in_messages<'a>(
    bytes: &[u8],
    extent: Extent,
    scratch: &'a mut Vec<u8>,
    find: impl Fn(&[u8]) -> Result<Range<usize>, Missing>,
) -> Progress<&'a [u8], Refusal> {
    scratch.clear();
    let mut at = 0;
    let mut missing = MESSAGE_HEADER;
    let total = loop {
        let record = match Record::read(bytes, at) {
            Ok(record) => record,
            // Whatever record comes, what is missing is behind its header.
            Err(Stop::Short(start)) => break start.saturating_add(missing),
            Err(Stop::Refused(refusal)) => return Progress::Refused(refusal),
        };
        if record.content == HANDSHAKE {
            scratch.extend_from_slice(record.payload);
            match find(scratch) {
                Ok(range) => {
                    let value = scratch.get(range).unwrap_or_default();
                    return Progress::Complete { value, used: record.end().min(bytes.len()) };
                }
                Err(Missing::Bytes(total)) => missing = total.saturating_sub(scratch.len()),
                Err(Missing::Refused(refusal)) => return Progress::Refused(refusal),
            }
        }
        if !record.is_whole() {
            let left = record.len.saturating_sub(record.payload.len());
            let header = if missing > left { RECORD_HEADER } else { 0 };
            break bytes.len().saturating_add(missing).saturating_add(header);
        }
        at = record.end();
    };
    match extent {
        Extent::Growing => Progress::NeedMore(total),
        Extent::Final => Progress::Refused(Refusal::Truncated),
    }
}

/// Joins the fragments of a message that `first` only starts; gives where the message ends.
fn join(bytes: &[u8], first: Record<'_>, scratch: &mut Vec<u8>) -> Result<usize, Stop> {
    let mut record = first;
    loop {
        let before = scratch.len();
        scratch.extend_from_slice(record.payload);
        let wanted = wanted(scratch);
        if wanted > MAX_MESSAGE {
            return Err(Stop::Refused(Refusal::TooLong));
        }
        if !record.is_whole() || scratch.len() >= wanted {
            return record.message_end(before, wanted);
        }
        // The rest takes a header and its own bytes at least. To say so, and not just where the next
        // header ends, keeps a hello of many small records from being looked at once for each.
        let rest = wanted.saturating_sub(scratch.len());
        record = Record::read(bytes, record.end()).map_err(|stop| stop.with(rest))?;
        if record.content != HANDSHAKE {
            return Err(Stop::Refused(Refusal::Interleaved));
        }
    }
}

/// Length of a message with its header, as far as its first bytes say.
pub(super) const fn wanted(message: &[u8]) -> usize {
    match *message {
        [_, high, middle, low, ..] => {
            let length = u32::from_be_bytes([0, high, middle, low]) as usize;
            MESSAGE_HEADER.saturating_add(length)
        }
        _ => MESSAGE_HEADER,
    }
}

/// Why reading stopped before a message's end.
enum Stop {
    /// The stream must have this many bytes before it is worth trying again.
    Short(usize),
    Refused(Refusal),
}

impl Stop {
    /// The same, when `rest` more bytes are needed behind those that it is short of.
    const fn with(self, rest: usize) -> Self {
        match self {
            Self::Short(total) => Self::Short(total.saturating_add(rest)),
            Self::Refused(refusal) => Self::Refused(refusal),
        }
    }
}

/// One record; `payload` is what is there of its `len` bytes.
#[derive(Clone, Copy)]
struct Record<'a> {
    content: u8,
    payload: &'a [u8],
    len: usize,
    /// Where the payload starts in the stream.
    start: usize,
}

impl<'a> Record<'a> {
    fn read(bytes: &'a [u8], at: usize) -> Result<Self, Stop> {
        let start = at.saturating_add(RECORD_HEADER);
        let rest = bytes.get(at..).unwrap_or_default();
        let Some((&[content, major, minor, high, low], payload)) = rest.split_first_chunk() else {
            return Err(Stop::Short(start));
        };
        let len = usize::from(u16::from_be_bytes([high, low]));
        if !matches!(content, ALERT | HANDSHAKE) || major != 3 || minor > 4 {
            return Err(Stop::Refused(Refusal::NotTls));
        }
        if len == 0 || len > MAX_RECORD {
            return Err(Stop::Refused(Refusal::RecordLength));
        }
        let payload = payload.get(..len).unwrap_or(payload);
        Ok(Self { content, payload, len, start })
    }

    const fn is_whole(&self) -> bool {
        self.payload.len() == self.len
    }

    const fn end(&self) -> usize {
        self.start.saturating_add(self.len)
    }

    /// Where a message of `wanted` bytes ends, of which `before` came in earlier records.
    fn message_end(&self, before: usize, wanted: usize) -> Result<usize, Stop> {
        let part = wanted.saturating_sub(before);
        let end = self.start.saturating_add(part.min(self.len));
        if part <= self.payload.len() {
            return Ok(end);
        }
        Err(match part.saturating_sub(self.len) {
            0 => Stop::Short(end),
            rest => Stop::Short(end.saturating_add(RECORD_HEADER)).with(rest),
        })
    }
}

/// The first record that is no alert.
fn first_handshake(bytes: &[u8]) -> Result<Record<'_>, Stop> {
    let mut record = Record::read(bytes, 0)?;
    while record.content == ALERT {
        record = Record::read(bytes, record.end())?;
    }
    Ok(record)
}
