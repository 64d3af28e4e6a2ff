//! A case as a pcapng file, and such a file read again to add to it
//! (<https://www.ietf.org/archive/id/draft-ietf-opsawg-pcapng-03.html>).
//!
//! One section, an interface for each link type and interface that packets came from, times in
//! nanoseconds. Comments name the alert, and each conversation by EVE's `flow_id` at its first packet.
//! The same case is always the same bytes.

use super::case::{Case, Conversation, MAX_CONVERSATIONS, Subject};
use super::{MAX_PACKETS, Packet, SNAP};
use crate::capture::LinkType;
use crate::text::printable_within;
use crate::time::Timestamp;

const SECTION: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const ENHANCED_PACKET: u32 = 6;
const MAGIC: u32 = 0x1a2b_3c4d;
/// The length of a section that is not told.
const UNTOLD: u64 = u64::MAX;

/// Options.
const COMMENT: u16 = 1;
const IF_NAME: u16 = 2;
const APPLICATION: u16 = 4;
const RESOLUTION: u16 = 9;
/// Units of 10^-9 s.
const NANOSECONDS: u8 = 9;

/// What comes before the id of a conversation in a comment.
const CONVERSATION: &str = "flow_id ";
/// The longest title in a comment, in bytes, and the longest name of an interface.
const LONGEST_TITLE: usize = 200;
const LONGEST_NAME: usize = 64;
/// The largest frame: what is kept, and the tag of a VLAN.
const LARGEST: usize = SNAP + 4;

/// An interface of the file: link type, and the place in the config where there is one.
type Interface = (LinkType, Option<u16>);

/// The file of a case about an alert. `names` are those of the interfaces in the config.
pub(super) fn write(subject: &Subject, case: &Case, names: &[String]) -> Vec<u8> {
    let mut file = Vec::new();
    let title = printable_within(&subject.title, LONGEST_TITLE);
    let comment = format!("egret alert {}, {}: {title}", subject.id, subject.analytic.name());
    block(&mut file, SECTION, |body| {
        body.extend(MAGIC.to_le_bytes());
        body.extend(1_u16.to_le_bytes());
        body.extend(0_u16.to_le_bytes());
        body.extend(UNTOLD.to_le_bytes());
        option(body, COMMENT, comment.as_bytes());
        option(body, APPLICATION, concat!("egret ", env!("CARGO_PKG_VERSION")).as_bytes());
        end(body);
    });
    let mut interfaces: Vec<Interface> = Vec::new();
    for packet in case.conversations.iter().flat_map(|one| &one.packets) {
        let interface = (packet.link, packet.interface);
        if !interfaces.contains(&interface) {
            interfaces.push(interface);
            describe(&mut file, interface, names);
        }
    }
    for conversation in &case.conversations {
        let mut comment = Some(format!("{CONVERSATION}{}", conversation.flow));
        for packet in &conversation.packets {
            let interface = (packet.link, packet.interface);
            let number = interfaces.iter().position(|known| *known == interface);
            enhanced(&mut file, number.unwrap_or_default() as u32, packet, comment.take());
        }
    }
    file
}

fn describe(file: &mut Vec<u8>, (link, interface): Interface, names: &[String]) {
    block(file, INTERFACE, |body| {
        body.extend(link.0.to_le_bytes());
        body.extend(0_u16.to_le_bytes());
        body.extend((LARGEST as u32).to_le_bytes());
        if let Some(name) = interface.and_then(|place| names.get(usize::from(place))) {
            let name = printable_within(name, LONGEST_NAME).to_string();
            option(body, IF_NAME, name.as_bytes());
        }
        option(body, RESOLUTION, &[NANOSECONDS]);
        end(body);
    });
}

fn enhanced(file: &mut Vec<u8>, interface: u32, packet: &Packet, comment: Option<String>) {
    block(file, ENHANCED_PACKET, |body| {
        let nanos = packet.time.as_nanos();
        for word in [
            interface,
            (nanos >> 32) as u32,
            nanos as u32,
            packet.bytes.len() as u32,
            packet.wire_len,
        ] {
            body.extend(word.to_le_bytes());
        }
        padded(body, &packet.bytes);
        if let Some(comment) = comment {
            option(body, COMMENT, comment.as_bytes());
            end(body);
        }
    });
}

fn block(file: &mut Vec<u8>, kind: u32, fill: impl FnOnce(&mut Vec<u8>)) {
    let mut body = Vec::new();
    fill(&mut body);
    let length = (body.len() as u32 + 12).to_le_bytes();
    file.extend(kind.to_le_bytes());
    file.extend(length);
    file.append(&mut body);
    file.extend(length);
}

fn option(body: &mut Vec<u8>, code: u16, value: &[u8]) {
    body.extend(code.to_le_bytes());
    body.extend((value.len() as u16).to_le_bytes());
    padded(body, value);
}

/// The end of options.
fn end(body: &mut Vec<u8>) {
    body.extend([0; 4]);
}

fn padded(body: &mut Vec<u8>, bytes: &[u8]) {
    body.extend_from_slice(bytes);
    body.resize(body.len().next_multiple_of(4), 0);
}

/// The case in a file that [`write()`] made; none where it is anything else, or damaged.
pub(super) fn read(file: &[u8], names: &[String]) -> Option<Case> {
    let mut case = Case::default();
    let mut interfaces: Vec<Interface> = Vec::new();
    let mut rest = file;
    while !rest.is_empty() {
        let mut at = rest;
        let (kind, length) = (word(&mut at)?, word(&mut at)? as usize);
        let (whole, behind) = rest.split_at_checked(length)?;
        let mut body = whole.get(8..length.checked_sub(4)?)?;
        match kind {
            INTERFACE => interfaces.push(interface(&mut body, names)?),
            ENHANCED_PACKET => add(&mut case, body, &interfaces)?,
            _ => {}
        }
        rest = behind;
    }
    Some(case)
}

fn interface(body: &mut &[u8], names: &[String]) -> Option<Interface> {
    let link = LinkType(word(body)? as u16);
    word(body)?;
    let name = value(body, IF_NAME);
    let place = names.iter().position(|known| Some(known.as_bytes()) == name);
    Some((link, place.and_then(|place| u16::try_from(place).ok())))
}

fn add(case: &mut Case, mut body: &[u8], interfaces: &[Interface]) -> Option<()> {
    let number = word(&mut body)? as usize;
    let (high, low) = (word(&mut body)?, word(&mut body)?);
    let (len, wire_len) = (word(&mut body)? as usize, word(&mut body)?);
    let (bytes, mut options) = body.split_at_checked(len.next_multiple_of(4))?;
    let bytes = bytes.get(..len).filter(|bytes| bytes.len() <= LARGEST)?;
    let &(link, interface) = interfaces.get(number)?;
    let time = Timestamp::from_nanos(u64::from(high) << 32 | u64::from(low));
    let packet = Packet { time, wire_len, link, interface, bytes: bytes.to_vec() };
    if let Some(comment) = value(&mut options, COMMENT) {
        let flow = std::str::from_utf8(comment).ok()?.strip_prefix(CONVERSATION)?.parse().ok()?;
        case.conversations.push(Conversation { flow, packets: Vec::new() });
    }
    let is_fitting = case.conversations.len() <= MAX_CONVERSATIONS;
    let conversation = case.conversations.last_mut().filter(|_| is_fitting)?;
    conversation.packets.push(packet);
    (conversation.packets.len() <= usize::from(MAX_PACKETS)).then_some(())
}

/// The value of the first option of this kind, in what is left of a block.
fn value<'a>(body: &mut &'a [u8], wanted: u16) -> Option<&'a [u8]> {
    while let Some((&[code, code_high, len, len_high], rest)) = body.split_first_chunk() {
        let (code, len) = (u16::from_le_bytes([code, code_high]), [len, len_high]);
        let len = usize::from(u16::from_le_bytes(len));
        let (value, behind) = rest.split_at_checked(len.next_multiple_of(4))?;
        *body = behind;
        if code == wanted {
            return value.get(..len);
        }
    }
    None
}

fn word(body: &mut &[u8]) -> Option<u32> {
    let (bytes, rest) = body.split_first_chunk()?;
    *body = rest;
    Some(u32::from_le_bytes(*bytes))
}

#[cfg(test)]
mod tests;
