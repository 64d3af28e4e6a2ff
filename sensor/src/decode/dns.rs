//! DNS messages (RFC 1035), read in place by `domain`: answers are walked, and only what is kept
//! is decoded. A record of an unknown or broken type costs that record's data, not the message.

#![deny(clippy::arithmetic_side_effects)]

use domain::base::Message;
use domain::base::iana::{Class, Opcode};
use domain::base::message::{QuestionSection, RecordSection};
use domain::base::wire::ParseError;

use super::progress::Progress;
use crate::event::{DnsAnswer, DnsMessage, DnsQuestion, DnsTransport};
use names::Names;

mod data;
mod names;

/// Bytes of a message's header.
const HEADER: usize = 12;

/// Why bytes are no DNS message that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DnsError {
    /// Too short for a header and the first question it announces.
    #[error("expected a header of 12 bytes and the questions it announces")]
    Short,
    /// An opcode whose sections mean something else, or nothing.
    #[error("expected opcode QUERY, IQUERY, STATUS, NOTIFY or UPDATE")]
    Opcode,
    /// A name that is too long, has a label of unknown type, or whose compression does not lead
    /// strictly backwards.
    #[error("a name is too long, or its compression does not lead backwards")]
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

/// Whether a payload on a DNS port may be a DNS message: a known opcode, and counts that a message
/// of that kind has.
pub fn looks_like_dns(bytes: &[u8]) -> bool {
    let Some(&[_, _, flags, rcode, q1, q0, a1, a0, ..]) = bytes.first_chunk::<HEADER>() else {
        return false;
    };
    let questions = u16::from_be_bytes([q1, q0]);
    let answers = u16::from_be_bytes([a1, a0]);
    let is_response = flags & 0x80 != 0;
    let says_something = questions != 0 || answers != 0 || (is_response && rcode & 0x0f != 0);
    let opcode = Opcode::from_int(flags >> 3 & 0x0f);
    let room = bytes.len().saturating_sub(HEADER);
    is_read(opcode) && says_something && usize::from(questions) <= room.div_ceil(MIN_QUESTION)
}

/// The root name, a type and a class.
const MIN_QUESTION: usize = 5;

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
    let message = Message::from_slice(bytes).map_err(|_| DnsError::Short)?;
    let header = message.header();
    if !is_read(header.opcode()) {
        return Err(DnsError::Opcode);
    }
    let mut names = Names::default();
    let mut section = message.question();
    let (questions, cut) = read_questions(&mut section, &mut names)?;
    if questions.is_empty() && message.header_counts().qdcount() != 0 {
        return Err(DnsError::Short);
    }
    let mut read = DnsMessage {
        id: header.id(),
        response: header.qr(),
        flags: flags(bytes),
        transport,
        questions,
        answers: Vec::new(),
        incomplete: cut,
    };
    let has_answers = matches!(header.opcode(), Opcode::QUERY | Opcode::NOTIFY);
    if has_answers && let Ok(section) = section.answer() {
        (read.answers, read.incomplete) = read_answers(section, &mut names)?;
    }
    Ok(read)
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

/// The questions, and whether the message ends before the last of them.
fn read_questions(
    section: &mut QuestionSection<'_, [u8]>,
    names: &mut Names,
) -> Result<(Vec<DnsQuestion>, bool), DnsError> {
    let mut questions = Vec::new();
    for question in section {
        match question {
            Ok(question) => {
                let Some(name) = names.text(question.qname()) else { return Ok((questions, true)) };
                questions.push(DnsQuestion { name, rtype: question.qtype().to_int() });
            }
            Err(ParseError::ShortInput) => return Ok((questions, true)),
            Err(ParseError::Form(_)) => return Err(DnsError::Name),
        }
    }
    Ok((questions, false))
}

/// The answers, and whether the message ends before the last of them.
fn read_answers(
    section: RecordSection<'_, [u8]>,
    names: &mut Names,
) -> Result<(Vec<DnsAnswer>, bool), DnsError> {
    /// The top bit of a class is mDNS's cache-flush bit (RFC 6762, 10.2).
    const CLASS: u16 = 0x7fff;
    let mut answers = Vec::new();
    for record in section {
        let record = match record {
            Ok(record) => record,
            Err(ParseError::ShortInput) => return Ok((answers, true)),
            Err(ParseError::Form(_)) => return Err(DnsError::Name),
        };
        let is_internet = record.class().to_int() & CLASS == Class::IN.to_int();
        let Some(name) = names.text(&record.owner()) else { return Ok((answers, true)) };
        let Some(data) = data::read(&record, is_internet, names) else {
            return Ok((answers, true));
        };
        let rtype = record.rtype().to_int();
        answers.push(DnsAnswer { name, rtype, ttl: record.ttl().as_secs(), data });
    }
    Ok((answers, false))
}

#[cfg(test)]
mod tests;
