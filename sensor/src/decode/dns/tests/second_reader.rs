//! `dns-parser` as an independent second reader: every message it accepts must read the same in
//! ours. It accepts fewer: one record type it does not know costs it the whole message.

use dns_parser::{Packet, RData};
use proptest::prelude::*;

use super::*;
use crate::decode::corpus;

/// One answer as both readers can say it.
#[derive(Debug, PartialEq)]
struct Said {
    name: Vec<u8>,
    rtype: u16,
    ttl: u32,
    data: Vec<u8>,
}

/// Panics unless both readers say the same of a message that `dns-parser` accepts; tells whether
/// it did.
pub(super) fn assert_same(bytes: &[u8]) -> bool {
    let ours = read(bytes);
    let Ok(theirs) = Packet::parse(bytes) else { return false };
    let ours = match ours {
        Ok(ours) => ours,
        // Not for want of reading it: what its sections mean is not known.
        Err(DnsError::Opcode) => return false,
        Err(error) => panic!("{error}, where dns-parser reads {theirs:?} of {bytes:02x?}"),
    };
    assert_eq!(ours.id, theirs.header.id);
    assert_eq!(ours.response, !theirs.header.query);
    let asked: Vec<_> =
        theirs.questions.iter().map(|q| (their_name(&q.qname), q.qtype as u16)).collect();
    let said: Vec<_> = ours.questions.iter().map(|q| (raw_name(&q.name), q.rtype)).collect();
    assert_eq!(said, asked, "{bytes:02x?}");
    if !matches!(ours.flags >> 11 & 0x0f, 0 | 4) {
        return true;
    }
    assert!(!ours.incomplete, "{bytes:02x?}");
    assert_eq!(ours.answers.len(), theirs.answers.len(), "{bytes:02x?}");
    for (ours, theirs) in ours.answers.iter().zip(&theirs.answers) {
        let is_internet = theirs.cls as u16 == 1;
        let Some((rtype, data)) = their_data(&theirs.data).filter(|_| is_internet) else {
            continue;
        };
        let theirs = Said { name: their_name(&theirs.name), rtype, ttl: theirs.ttl, data };
        let ours = Said {
            name: raw_name(&ours.name),
            rtype: ours.rtype,
            ttl: ours.ttl,
            data: our_data(&ours.data),
        };
        assert_eq!(ours, theirs, "{bytes:02x?}");
    }
    true
}

fn their_data(data: &RData<'_>) -> Option<(u16, Vec<u8>)> {
    Some(match data {
        RData::A(data) => (1, data.0.to_string().into_bytes()),
        RData::AAAA(data) => (28, data.0.to_string().into_bytes()),
        RData::NS(data) => (2, their_name(&data.0)),
        RData::CNAME(data) => (5, their_name(&data.0)),
        RData::PTR(data) => (12, their_name(&data.0)),
        RData::SRV(data) => {
            (33, service([data.priority, data.weight, data.port], &their_name(&data.target)))
        }
        RData::TXT(data) => (16, data.iter().flatten().copied().collect()),
        _ => return None,
    })
}

fn our_data(data: &DnsData) -> Vec<u8> {
    match data {
        DnsData::Address(address) => address.to_string().into_bytes(),
        DnsData::Name(name) => raw_name(name),
        DnsData::Text(text) => raw(text),
        DnsData::Service { priority, weight, port, target } => {
            service([*priority, *weight, *port], &raw_name(target))
        }
        other => panic!("dns-parser reads what is {other:?} to us"),
    }
}

fn service(numbers: [u16; 3], target: &[u8]) -> Vec<u8> {
    [format!("{numbers:?} ").as_bytes(), target].concat()
}

/// The bytes that a text of ours stands for: `dns-parser` escapes nothing, so that it does not tell
/// a dot in a label from one between labels.
fn raw(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text.as_bytes();
    loop {
        rest = match *rest {
            [] => return out,
            [b'\\', a @ b'0'..=b'2', b, c, ref rest @ ..] => {
                out.push((a - b'0') * 100 + (b - b'0') * 10 + (c - b'0'));
                rest
            }
            [b'\\', byte, ref rest @ ..] | [byte, ref rest @ ..] => {
                out.push(byte);
                rest
            }
        };
    }
}

fn raw_name(name: &str) -> Vec<u8> {
    if name == "." { Vec::new() } else { raw(name) }
}

fn their_name(name: &dns_parser::Name<'_>) -> Vec<u8> {
    name.to_string().into_bytes()
}

fn any_name() -> impl Strategy<Value = Vec<u8>> {
    let label = "[a-zA-Z0-9_ -]{1,20}";
    let spelled = prop::collection::vec(label, 0..5).prop_map(|labels| name(&labels.join(".")));
    prop_oneof![2 => spelled, 1 => Just(QUESTION.to_vec())]
}

fn any_record() -> impl Strategy<Value = Vec<u8>> {
    let data = prop_oneof![
        any::<[u8; 4]>().prop_map(|data| (1, data.to_vec())),
        any::<[u8; 16]>().prop_map(|data| (28, data.to_vec())),
        (prop::sample::select(&[2_u16, 5, 12][..]), any_name()),
        (any::<[u8; 6]>(), any_name()).prop_map(|(ports, name)| (33, [&ports[..], &name].concat())),
        prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 1..4).prop_map(
            |strings| {
                let data =
                    strings.iter().flat_map(|s| [&[s.len() as u8][..], s].concat()).collect();
                (16, data)
            }
        ),
    ];
    (any_name(), data).prop_map(|(owner, (rtype, data))| record(&owner, rtype, &data))
}

#[test]
fn damaged_messages_read_the_same() {
    let bytes = build(
        RESPONSE,
        &[question(&name("www.example"), 1)],
        &[
            record(QUESTION, 5, &name("cdn.example")),
            record(&name("cdn.example"), 1, &[192, 0, 2, 7]),
            record(&[0xc0, 41], 28, &[0x20; 16]),
            record(QUESTION, 16, b"\x05hello\x02 w"),
            record(QUESTION, 33, &[&[0, 1, 0, 2, 0x1f, 0x90][..], &name("a.b")].concat()),
        ],
    );
    let mut accepted = 0;
    for at in 0..bytes.len() {
        for value in 0..=255 {
            let mut bytes = bytes.clone();
            bytes[at] = value;
            accepted += u32::from(assert_same(&bytes));
        }
    }
    assert!(accepted > 10_000, "only {accepted} were compared");
}

#[test]
fn captured_messages_read_the_same() {
    let (mut read, mut accepted, mut likely) = (0, 0, 0);
    let walked = corpus::payloads(|payload| {
        let is_dns = payload.ports.iter().any(|port| matches!(port, 53 | 5353 | 5355));
        if payload.is_tcp || !is_dns {
            return;
        }
        read += u32::from(super::read(payload.bytes).is_ok());
        likely += u32::from(looks_like_dns(payload.bytes));
        accepted += u32::from(assert_same(payload.bytes));
    });
    eprintln!("{read} messages read, {likely} look like it, {accepted} compared");
    assert!(!walked || accepted > 0);
}

proptest! {
    #[test]
    fn generated_messages_read_the_same(
        asked in "[a-z0-9-]{1,30}(\\.[a-z]{1,10}){0,3}",
        response: bool,
        records in prop::collection::vec(any_record(), 0..12),
    ) {
        let flags = if response { RESPONSE } else { 0x0100 };
        let bytes = build(flags, &[question(&name(&asked), 255)], &records);
        prop_assert!(assert_same(&bytes), "dns-parser refused {:02x?}", bytes);
    }
}
