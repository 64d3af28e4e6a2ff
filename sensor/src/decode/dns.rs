//! DNS messages (RFC 1035), read in place by `domain`: answers are walked, and only what is kept
//! is decoded. A record of an unknown or broken type costs that record's data, not the message.

#![deny(clippy::arithmetic_side_effects)]

use domain::base::iana::{Class, Opcode, Rtype};
use domain::base::{HeaderCounts, Message};
use domain::dep::octseq::parse::{Parser, ShortInput};

use super::progress::Progress;
use crate::event::{DnsAnswer, DnsData, DnsMessage, DnsQuestion, DnsTransport};
use names::{NameError, Names};

mod data;
mod names;

/// Bytes of a message's header.
const HEADER: usize = 12;

/// The most questions that are kept, and the most records, those of all sections together: no answer
/// of resolvers has as many, and zone transfers are not read for their zones.
const MAX_ENTRIES: usize = 320;

/// Why bytes are no DNS message that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DnsError {
    /// Too short for a header and the first entry it announces.
    #[error("expected a header of 12 bytes and the entries it announces")]
    Short,
    /// An opcode whose sections mean something else, or nothing.
    #[error("expected opcode QUERY, IQUERY, STATUS, NOTIFY or UPDATE")]
    Opcode,
    /// A name that is too long, has a label of unknown type, or whose compression loops.
    #[error("a name is too long or its compression loops")]
    Name,
}

impl DnsError {
    /// A short name, for counters.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Short => "short",
            Self::Opcode => "opcode",
            Self::Name => "name",
        }
    }
}

/// The port of DNS (RFC 1035).
pub const PORT: u16 = 53;
/// The port of multicast DNS (RFC 6762).
pub const MDNS_PORT: u16 = 5353;
/// The port of LLMNR (RFC 4795).
pub const LLMNR_PORT: u16 = 5355;

/// Whether a message's header says that it answers (RFC 1035 section 4.1.1).
pub fn is_response(bytes: &[u8]) -> bool {
    bytes.get(2).is_some_and(|flags| flags & 0x80 != 0)
}

/// The response code in a message's header (RFC 1035 section 4.1.1).
pub fn rcode(bytes: &[u8]) -> u16 {
    bytes.get(3).map_or(0, |flags| u16::from(flags & 0x0f))
}

/// Whether a message is a response that claims to have answers.
pub fn has_answers(bytes: &[u8]) -> bool {
    is_response(bytes) && bytes.get(6..8).is_some_and(|count| count != [0, 0])
}

/// Whether a message says that there is no such name (RFC 1035, 4.1.1).
#[inline]
pub fn is_name_error(bytes: &[u8]) -> bool {
    is_response(bytes) && rcode(bytes) == 3
}

/// Whether a payload on a DNS port may be a DNS message: a known opcode, a response code only in a
/// response, no more questions than there is room for, and something to say.
pub fn looks_like_dns(bytes: &[u8]) -> bool {
    let Some(&[_, _, flags, rcode, q1, q0, a1, a0, ..]) = bytes.first_chunk::<HEADER>() else {
        return false;
    };
    let questions = u16::from_be_bytes([q1, q0]);
    let answers = u16::from_be_bytes([a1, a0]);
    let is_response = is_response(bytes);
    let has_rcode = rcode & 0x0f != 0;
    let says_something = questions != 0 || answers != 0 || has_rcode;
    if has_rcode && !is_response {
        return false;
    }
    let opcode = Opcode::from_int(flags >> 3 & 0x0f);
    let room = bytes.len().saturating_sub(HEADER);
    is_read(opcode) && says_something && usize::from(questions) <= room.div_ceil(MIN_QUESTION)
}

/// The root name, a type and a class.
const MIN_QUESTION: usize = 5;

/// The root name, a type, a class, the time to live and a length.
const MIN_RECORD: usize = 11;

/// The first message of a TCP stream: two bytes of length in front (RFC 1035, 4.2.2).
pub fn tcp_message(bytes: &[u8]) -> Progress<&[u8], DnsError> {
    let Some((&length, rest)) = bytes.split_first_chunk() else {
        return Progress::NeedMore(2);
    };
    let length = usize::from(u16::from_be_bytes(length));
    let used = length.saturating_add(2);
    match rest.get(..length) {
        _ if length < HEADER => Progress::Refused(DnsError::Short),
        Some(value) => Progress::Complete { value, used },
        None => Progress::NeedMore(used),
    }
}

/// Reads a message, or as much of it as was captured. The counts in its header are promises, not
/// sizes: what is allocated follows from the bytes that are there.
///
/// An UPDATE's question is its zone; what it has in place of answers is not read.
///
/// # Errors
/// [`DnsError`] when it is no message, or a name in it leads nowhere.
pub fn message(bytes: &[u8], transport: DnsTransport) -> Result<DnsMessage, DnsError> {
    read(bytes, transport, Sections::Answers)
}

/// The same with the sections behind the answers, as far as they can be read.
///
/// # Errors
/// As [`message`]: what is broken behind the answers costs only itself.
pub fn whole_message(bytes: &[u8], transport: DnsTransport) -> Result<DnsMessage, DnsError> {
    read(bytes, transport, Sections::All)
}

/// How much of a message is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sections {
    Answers,
    All,
}

fn read(bytes: &[u8], transport: DnsTransport, sections: Sections) -> Result<DnsMessage, DnsError> {
    let message = Message::from_slice(bytes).map_err(|_| DnsError::Short)?;
    let (header, counts) = (message.header(), message.header_counts());
    if !is_read(header.opcode()) {
        return Err(DnsError::Opcode);
    }
    let room = bytes.len().saturating_sub(HEADER);
    let mut read = DnsMessage {
        id: header.id(),
        response: header.qr(),
        flags: flags(bytes),
        transport,
        asked: false,
        questions: Vec::with_capacity(entries(counts.qdcount(), room, MIN_QUESTION)),
        answers: Vec::with_capacity(entries(counts.ancount(), room, MIN_RECORD)),
        authorities: Vec::new(),
        additionals: Vec::new(),
        incomplete: false,
    };
    match read_sections(message, sections, &mut read) {
        Ok(()) => Ok(read),
        Err(End::Cut) if read.questions.is_empty() && read.answers.is_empty() => {
            Err(DnsError::Short)
        }
        Err(End::Cut) => Ok(DnsMessage { incomplete: true, ..read }),
        Err(End::Name) => Err(DnsError::Name),
    }
}

/// How many entries of at least so many bytes there may be in `room`, of those that a header announces.
fn entries(announced: u16, room: usize, least: usize) -> usize {
    usize::from(announced).min(room.div_ceil(least)).min(MAX_ENTRIES)
}

/// The opcodes whose question section is one (RFC 1035, 1996, 2136).
fn is_read(opcode: Opcode) -> bool {
    matches!(
        opcode,
        Opcode::QUERY | Opcode::IQUERY | Opcode::STATUS | Opcode::NOTIFY | Opcode::UPDATE
    )
}

fn flags(bytes: &[u8]) -> u16 {
    match *bytes {
        [_, _, high, low, ..] => u16::from_be_bytes([high, low]),
        _ => 0,
    }
}

/// Why reading ended early.
enum End {
    /// The message ends, or has more than is kept.
    Cut,
    /// A name cannot be read.
    Name,
}

fn read_sections(
    message: &Message<[u8]>,
    sections: Sections,
    read: &mut DnsMessage,
) -> Result<(), End> {
    let (header, counts) = (message.header(), message.header_counts());
    let mut names = Names::of_message(message.as_slice().len());
    let mut rest = Parser::from_ref(message.as_slice());
    rest.advance(HEADER)?;
    for _ in 0..counts.qdcount() {
        has_room(read.questions.len())?;
        let name = names.read(&mut rest)?;
        let rtype = rest.parse_u16_be()?;
        let _class = rest.parse_u16_be()?;
        read.questions.push(DnsQuestion { name, rtype });
    }
    if matches!(header.opcode(), Opcode::QUERY | Opcode::IQUERY | Opcode::NOTIFY) {
        for _ in 0..counts.ancount() {
            has_room(read.answers.len())?;
            read.answers.push(read_record(&mut rest, &mut names)?);
        }
        if sections == Sections::All {
            let _ = read_rest(counts, &mut rest, &mut names, read);
        }
    }
    Ok(())
}

/// Reads the sections behind the answers, until one of their records cannot be read.
fn read_rest(
    counts: HeaderCounts,
    rest: &mut Parser<'_, [u8]>,
    names: &mut Names,
    read: &mut DnsMessage,
) -> Result<(), End> {
    let mut kept = read.answers.len();
    let room_for = |count, rest: &Parser<'_, [u8]>, kept| {
        entries(count, rest.remaining(), MIN_RECORD).min(MAX_ENTRIES.saturating_sub(kept))
    };
    read.authorities.reserve_exact(room_for(counts.nscount(), rest, kept));
    for _ in 0..counts.nscount() {
        has_room(kept)?;
        read.authorities.push(read_record(rest, names)?);
        kept = kept.saturating_add(1);
    }
    read.additionals.reserve_exact(room_for(counts.arcount(), rest, kept));
    for _ in 0..counts.arcount() {
        has_room(kept)?;
        let record = read_record(rest, names)?;
        if record.rtype != Rtype::OPT.to_int() {
            read.additionals.push(record);
            kept = kept.saturating_add(1);
        }
    }
    Ok(())
}

const fn has_room(kept: usize) -> Result<(), End> {
    if kept < MAX_ENTRIES { Ok(()) } else { Err(End::Cut) }
}

fn read_record(rest: &mut Parser<'_, [u8]>, names: &mut Names) -> Result<DnsAnswer, End> {
    /// The top bit of a class is mDNS's cache-flush bit (RFC 6762, 10.2).
    const CLASS: u16 = 0x7fff;
    let name = names.read(rest)?;
    let rtype = rest.parse_u16_be()?;
    let is_internet = rest.parse_u16_be()? & CLASS == Class::IN.to_int();
    let ttl = ttl(rest.parse_u32_be()?);
    let length = rest.parse_u16_be()?;
    let data = rest.parse_parser(usize::from(length))?;
    let data = if is_internet { data::read(rtype.into(), data, names)? } else { DnsData::Other };
    Ok(DnsAnswer { name, rtype, ttl, data })
}

impl From<NameError> for End {
    fn from(error: NameError) -> Self {
        match error {
            NameError::Short | NameError::TooMuch => Self::Cut,
            NameError::Form => Self::Name,
        }
    }
}

impl From<ShortInput> for End {
    fn from(_: ShortInput) -> Self {
        Self::Cut
    }
}

/// Seconds to live; the top bit, where set, means none at all (RFC 2181, 8).
const fn ttl(seconds: u32) -> u32 {
    if seconds > i32::MAX as u32 { 0 } else { seconds }
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "tests make their own lengths")]
mod tests;
