//! Messages made by hand, whole, cut, damaged and hostile, and `dns-parser` as a second reader.

use std::net::IpAddr;

use proptest::prelude::*;

use super::*;
use crate::event::{DnsAuthority, DnsData};

mod second_reader;

/// A name without compression.
fn name(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    for label in text.split('.').filter(|label| !label.is_empty()) {
        out.push(label.len() as u8);
        out.extend(label.as_bytes());
    }
    out.push(0);
    out
}

fn question(name: &[u8], rtype: u16) -> Vec<u8> {
    [name, &rtype.to_be_bytes(), &[0, 1]].concat()
}

fn record(owner: &[u8], rtype: u16, data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u16).to_be_bytes();
    [owner, &rtype.to_be_bytes(), &[0, 1, 0, 0, 0, 60], &length, data].concat()
}

fn build(flags: u16, questions: &[Vec<u8>], answers: &[Vec<u8>]) -> Vec<u8> {
    let mut out = vec![0x12, 0x34];
    out.extend(flags.to_be_bytes());
    out.extend((questions.len() as u16).to_be_bytes());
    out.extend((answers.len() as u16).to_be_bytes());
    out.extend([0; 4]);
    out.extend(questions.concat());
    out.extend(answers.concat());
    out
}

const RESPONSE: u16 = 0x8180;
/// A compression pointer to the first question's name.
const QUESTION: &[u8] = &[0xc0, 12];

fn read(bytes: &[u8]) -> Result<DnsMessage, DnsError> {
    message(bytes, DnsTransport::Udp)
}

fn datas(message: &DnsMessage) -> Vec<&DnsData> {
    message.answers.iter().map(|answer| &answer.data).collect()
}

/// A response with one record of every kind that is kept, and some that are not.
fn rich() -> Vec<u8> {
    let binding = [&[0, 1][..], &name("svc.example"), &[0, 3, 0, 2, 0x20, 0xfb]].concat();
    let hints = [&[0, 4, 0, 8, 192, 0, 2, 1, 192, 0, 2, 2, 0, 6, 0, 16][..], &[0x20; 16]].concat();
    build(
        RESPONSE,
        &[question(&name("www.Example"), 1)],
        &[
            record(QUESTION, 5, &name("cdn.example")),
            record(&name("cdn.example"), 46, &[1; 30]),
            record(&name("cdn.example"), 1, &[192, 0, 2, 7]),
            record(
                &name("cdn.example"),
                28,
                &[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
            ),
            record(QUESTION, 16, b"\x05hello\x07 \"w\\\xff\n!"),
            record(QUESTION, 33, &[&[0, 1, 0, 2, 0x1f, 0x90][..], &name("a.b")].concat()),
            record(QUESTION, 65, &[binding, hints].concat()),
            record(QUESTION, 1, &[1, 2, 3]),
            record(QUESTION, 12, QUESTION),
        ],
    )
}

#[test]
fn records_are_kept_or_passed_over() {
    let message = read(&rich()).unwrap();
    assert_eq!((message.id, message.response, message.rcode()), (0x1234, true, 0));
    assert_eq!(&*message.questions[0].name, "www.Example");
    assert!(!message.incomplete);
    assert_eq!(
        datas(&message),
        [
            &DnsData::Name("cdn.example".into()),
            &DnsData::Other,
            &DnsData::Address(IpAddr::from([192, 0, 2, 7])),
            &DnsData::Address("2001:db8::1".parse().unwrap()),
            &DnsData::Text("hello \"w\\\\\\255\\010!".into()),
            &DnsData::Service { priority: 1, weight: 2, port: 8080, target: "a.b".into() },
            &DnsData::ServiceBinding {
                priority: 1,
                target: "svc.example".into(),
                port: Some(8443),
                hints: vec![
                    IpAddr::from([192, 0, 2, 1]),
                    IpAddr::from([192, 0, 2, 2]),
                    IpAddr::from([0x20; 16]),
                ],
            },
            &DnsData::Other,
            &DnsData::Name("www.Example".into()),
        ]
    );
    assert_eq!(message.answers[0].ttl, 60);
}

/// The sections behind the answers are read where they are wanted, as far as that goes.
#[test]
fn what_stands_behind_the_answers() {
    let timers = [0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 5];
    let soa = [&name("ns.example")[..], &name("who.example"), &timers].concat();
    let behind = [
        record(QUESTION, 6, &soa),
        record(&[0], 41, &[0, 10, 0, 1, 7]),
        record(QUESTION, 44, &[1, 2, 0xab, 0xcd]),
        record(QUESTION, 15, &[&[0, 10][..], &name("mx.example")].concat()),
        record(QUESTION, 10, b"n\0"),
    ];
    let mut bytes = build(RESPONSE, &[question(&name("a.example"), 1)], &[]);
    bytes.extend(behind.concat());
    bytes[9] = 1;
    bytes[11] = 4;
    let whole = whole_message(&bytes, DnsTransport::Udp).unwrap();
    let authority = DnsAuthority {
        server: "ns.example".into(),
        mailbox: "who.example".into(),
        serial: 1,
        refresh: 2,
        retry: 3,
        expire: 4,
        minimum: 5,
    };
    assert_eq!(whole.authorities[0].data, DnsData::Authority(Box::new(authority)));
    let additionals: Vec<_> = whole.additionals.iter().map(|record| &record.data).collect();
    let fingerprint = Box::from([0xab, 0xcd]);
    assert_eq!(
        additionals,
        [
            &DnsData::HostKey { algorithm: 1, kind: 2, fingerprint },
            &DnsData::Name("mx.example".into()),
            &DnsData::Text("n\\000".into()),
        ],
        "and EDNS says nothing of names"
    );
    // Damage there is no damage to the answers, and whoever has no use for them does not pay.
    let cut = whole_message(&bytes[..bytes.len() - 20], DnsTransport::Udp).unwrap();
    assert_eq!((cut.authorities.len(), cut.additionals.len(), cut.incomplete), (1, 1, false));
    assert!(read(&bytes).unwrap().authorities.is_empty());
}

#[test]
fn names_repeated_are_shared() {
    let message = read(&rich()).unwrap();
    let asked = message.questions[0].name.as_ptr();
    assert_eq!(message.answers[0].name.as_ptr(), asked);
    let DnsData::Name(target) = &message.answers[0].data else { panic!("no name") };
    assert_eq!(message.answers[2].name.as_ptr(), target.as_ptr());
}

#[test]
fn names_are_unambiguous_text() {
    let odd = [b"\x04a.b\\".as_slice(), b"\x03\x00\xff ", b"\x05\xc3\xa9.tv", b"\x00"].concat();
    let message = read(&build(0, &[question(&odd, 1), question(&[0], 2)], &[])).unwrap();
    assert_eq!(&*message.questions[0].name, "a\\.b\\\\.\\000\\255 .é\\.tv");
    assert_eq!(&*message.questions[1].name, ".");
}

#[test]
fn the_longest_name_fits_and_a_longer_one_is_refused() {
    let label = [&[63][..], &[0xff; 63]].concat();
    let longest = [label.repeat(3), vec![61], vec![0xff; 61], vec![0]].concat();
    let message = read(&build(0, &[question(&longest, 1)], &[])).unwrap();
    assert_eq!(message.questions[0].name.len(), 250 * 4 + 3);
    let longer = [label.repeat(3), vec![62], vec![0xff; 62], vec![0]].concat();
    assert_eq!(read(&build(0, &[question(&longer, 1)], &[])).unwrap_err(), DnsError::Name);
}

/// A cut message gives the answers before the cut, and says that there were more.
#[test]
fn every_prefix_gives_what_it_holds() {
    let bytes = rich();
    let whole = read(&bytes).unwrap();
    let mut answers = 0;
    for end in 0..bytes.len() {
        match read(&bytes[..end]) {
            Ok(message) => {
                assert!(message.incomplete, "{end}");
                assert!(message.answers.len() >= answers);
                answers = message.answers.len();
                assert_eq!(message.questions, whole.questions);
                assert_eq!(message.answers, whole.answers[..answers]);
            }
            Err(error) => assert!(error == DnsError::Short && end < 12 + 17, "{error} at {end}"),
        }
    }
    assert_eq!(answers, whole.answers.len() - 1);
}

/// Seen in the wild; glibc's resolver follows it.
#[test]
fn compression_may_lead_forward() {
    let bytes = build(0, &[question(&[0xc0, 18], 1), question(&name("a.example"), 1)], &[]);
    let message = read(&bytes).unwrap();
    assert_eq!(&*message.questions[0].name, "a.example");
    assert_eq!(message.questions[0].name.as_ptr(), message.questions[1].name.as_ptr());
}

#[test]
fn a_cut_message_without_questions_keeps_its_answers() {
    let address = record(&name("a.local"), 1, &[1; 4]);
    let bytes = build(0x8400, &[], &[address.clone(), address]);
    let message = read(&bytes[..bytes.len() - 1]).unwrap();
    assert!(message.incomplete);
    assert_eq!(message.answers.len(), 1);
}

#[test]
fn compression_loops_are_refused() {
    let itself = build(0, &[question(&[0xc0, 12], 1)], &[]);
    assert_eq!(read(&itself).unwrap_err(), DnsError::Name);
    let each_other = build(0, &[question(&[0xc0, 18], 1), question(&[0xc0, 12], 1)], &[]);
    assert_eq!(read(&each_other).unwrap_err(), DnsError::Name);
    let growing = build(0, &[question(&[1, b'a', 0xc0, 12], 1)], &[]);
    assert_eq!(read(&growing).unwrap_err(), DnsError::Name);
    let owner = build(RESPONSE, &[question(&name("a"), 1)], &[record(&[0xc0, 19], 1, &[1; 4])]);
    assert_eq!(read(&owner).unwrap_err(), DnsError::Name);
    // In a record's data it costs the data alone.
    let target = build(RESPONSE, &[question(&name("a"), 1)], &[record(QUESTION, 5, &[0xc0, 31])]);
    assert_eq!(datas(&read(&target).unwrap()), [&DnsData::Other]);
}

/// Pointers to pointers, and a long name in every answer: the work and the text stay bounded.
#[test]
fn a_message_cannot_be_blown_up() {
    let long = [[&[63][..], &[1; 63]].concat().repeat(3), vec![0]].concat();
    let other = [[&[63][..], &[2; 63]].concat().repeat(3), vec![0]].concat();
    let third = [[&[63][..], &[3; 63]].concat().repeat(3), vec![0]].concat();
    let questions = [question(&long, 1), question(&other, 1), question(&third, 1)];
    let answers: Vec<_> = (0..4000)
        .map(|n| {
            let owner = if n % 2 == 0 { 12 + 197_u16 } else { 12 + 2 * 197 };
            record(&(0xc000 | owner).to_be_bytes(), 2, &[])
        })
        .collect();
    let message = read(&build(RESPONSE, &questions, &answers)).unwrap();
    assert!(message.incomplete);
    let text: usize = message.answers.iter().map(|answer| answer.name.len()).sum();
    assert!(text <= 12 * 1024 && message.answers.len() > 10, "{text}");

    let texts: Vec<_> = (0..60).map(|_| record(QUESTION, 16, &[0xff; 256])).collect();
    let message = read(&build(RESPONSE, &[question(&name("a"), 1)], &texts)).unwrap();
    assert!(message.incomplete);
    assert_eq!(message.answers.len(), 12 * 1024 / (255 * 4), "what is escaped is counted as that");

    let hints = [&[0, 1, 0, 0, 4, 0x20, 0][..], &[7; 0x2000]].concat();
    let hints = record(QUESTION, 65, &hints);
    let message = read(&build(RESPONSE, &[question(&name("a"), 1)], &[hints])).unwrap();
    assert!(message.incomplete && message.answers.is_empty());
}

/// As many records as the header can promise and 64 KiB can hold: no more are kept than anybody needs.
#[test]
fn no_more_entries_are_kept_than_a_bound() {
    let many: Vec<_> = (0..5000).map(|_| record(QUESTION, 1, &[1; 4])).collect();
    let mut bytes = build(RESPONSE, &[question(&name("a"), 1)], &many);
    bytes[6..8].copy_from_slice(&[0xff, 0xff]);
    let message = read(&bytes).unwrap();
    assert!(message.incomplete);
    assert_eq!((message.answers.len(), message.answers.capacity()), (320, 320));
    let bytes = build(0, &vec![question(&[0], 1); 10_000], &[]);
    let message = read(&bytes).unwrap();
    assert_eq!((message.questions.len(), message.incomplete), (320, true));
}

/// Every owner is at the end of a long chain of pointers, and never the one before: as many steps are
/// gone as the message has bytes, twice, and no more.
#[test]
fn the_work_on_names_is_bounded_by_the_length() {
    const CHAIN: u16 = 100;
    let first = record(QUESTION, 1, &[0; 4]).len() as u16 - 4 + 12 + name("a").len() as u16 + 4;
    let mut chain = name("abc");
    for link in 0..CHAIN {
        let before = if link == 0 { first } else { first + 5 + 2 * (link - 1) };
        chain.extend((0xc000 | before).to_be_bytes());
    }
    let ends = [CHAIN - 1, CHAIN - 2, CHAIN - 3].map(|link| 0xc000 | (first + 5 + 2 * link));
    let mut records = vec![record(QUESTION, 10, &chain)];
    records.extend((0..200).map(|n| record(&ends[n % 3].to_be_bytes(), 1, &[1; 4])));
    let bytes = build(RESPONSE, &[question(&name("a"), 1)], &records);
    let message = read(&bytes).unwrap();
    assert!(message.incomplete);
    assert_eq!(&*message.answers[1].name, "abc");
    let steps = message.answers.len() * usize::from(CHAIN);
    assert!((bytes.len()..3 * bytes.len()).contains(&steps), "{steps} for {}", bytes.len());
}

#[test]
fn counts_are_promises() {
    let mut bytes = build(RESPONSE, &[question(&name("a.example"), 1)], &[]);
    bytes[6..8].copy_from_slice(&[0xff, 0xff]);
    let message = read(&bytes).unwrap();
    assert!(message.incomplete && message.answers.is_empty());
    assert!(message.answers.capacity() <= 2, "{}", message.answers.capacity());
    bytes[4..6].copy_from_slice(&[0xff, 0xff]);
    assert!(read(&bytes).unwrap().incomplete);
    assert!(!looks_like_dns(&bytes));
    assert_eq!(read(&bytes[..12]).unwrap_err(), DnsError::Short);
}

#[test]
fn opcodes_decide_what_is_read() {
    let answer = record(QUESTION, 1, &[1; 4]);
    let with = |opcode: u16| {
        read(&build(opcode << 11, &[question(&name("zone"), 6)], std::slice::from_ref(&answer)))
    };
    assert_eq!(with(0).unwrap().answers.len(), 1);
    assert_eq!(with(1).unwrap().answers.len(), 1, "IQUERY asks about an answer");
    assert_eq!(with(4).unwrap().answers.len(), 1, "NOTIFY may carry the new SOA");
    let update = with(5).unwrap();
    assert_eq!(&*update.questions[0].name, "zone");
    assert!(update.answers.is_empty(), "prerequisites are no answers");
    for opcode in [3, 6, 7, 15] {
        assert_eq!(with(opcode).unwrap_err(), DnsError::Opcode);
    }
}

#[test]
fn only_internet_data_is_decoded_and_mdns_may_flush_caches() {
    let mut chaos = record(QUESTION, 1, &[1, 2, 3, 4]);
    chaos[5] = 3;
    let mut flush = record(QUESTION, 1, &[1, 2, 3, 4]);
    flush[4] = 0x80;
    let bytes = build(RESPONSE, &[question(&name("a.local"), 1)], &[chaos, flush]);
    let message = message(&bytes, DnsTransport::Mdns).unwrap();
    assert_eq!(message.transport, DnsTransport::Mdns);
    let address = DnsData::Address(IpAddr::from([1, 2, 3, 4]));
    assert_eq!(datas(&message), [&DnsData::Other, &address]);
}

#[test]
fn payloads_that_are_no_dns_do_not_look_like_it() {
    assert!(looks_like_dns(&rich()));
    assert!(looks_like_dns(&build(0x8181, &[], &[])), "a server that could not read the question");
    assert!(!looks_like_dns(&build(0x8180, &[], &[])));
    assert!(!looks_like_dns(&rich()[..11]));
    assert!(!looks_like_dns(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\xaa\xbb\xcc"));
    assert!(!looks_like_dns(b"GET / HTTP/1.1\r\n\r\n"));
}

#[test]
fn tcp_puts_the_length_in_front() {
    let body = rich();
    let bytes = [&(body.len() as u16).to_be_bytes()[..], &body, b"next"].concat();
    let used = body.len() + 2;
    for end in 2..used {
        assert_eq!(tcp_message(&bytes[..end]), Progress::NeedMore(used));
    }
    assert_eq!(tcp_message(&bytes), Progress::Complete { value: &body[..], used });
    assert_eq!(tcp_message(&[0]), Progress::NeedMore(2));
    assert_eq!(tcp_message(&[0, 11, 1]), Progress::Refused(DnsError::Short));
}

#[test]
fn every_byte_may_be_any_value() {
    let bytes = rich();
    for at in 0..bytes.len() {
        for value in 0..=255 {
            let mut bytes = bytes.clone();
            bytes[at] = value;
            let _ = (looks_like_dns(&bytes), read(&bytes));
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_get_an_answer(mut bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = read(&bytes);
        // The same as the sections of a query with pointers that may lead somewhere.
        let header = build(RESPONSE, &[], &[]);
        bytes.splice(0..0, header);
        bytes[5] = 2;
        bytes[7] = 9;
        let _ = read(&bytes);
    }
}
