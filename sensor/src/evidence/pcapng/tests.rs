use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::alert::Analytic;
use crate::capture::file;
use crate::capture::{Burst, Progress, Source};

fn subject() -> Subject {
    Subject {
        id: Uuid::from_u128(7),
        analytic: Analytic::AN1416,
        title: "Unexpected TLS\u{202e} egress\n".to_owned(),
    }
}

fn packet(time: u64, link: LinkType, interface: Option<u16>, len: usize) -> Packet {
    let bytes: Vec<u8> = (0..len).map(|n| (n as u64 ^ time) as u8).collect();
    let time = Timestamp::from_nanos(time);
    Packet { time, wire_len: len as u32 + 5, link, interface, bytes }
}

fn names() -> Vec<String> {
    ["ens192", "ens224"].map(str::to_owned).to_vec()
}

fn case() -> Case {
    let first = 1_795_183_391_123_456_789;
    let ethernet = LinkType::ETHERNET;
    let one = (0..3).map(|n| packet(first + n, ethernet, Some(1), 60 + n as usize)).collect();
    let other =
        vec![packet(first + 9, ethernet, Some(0), 61), packet(first + 10, LinkType::RAW, None, 40)];
    let conversation = |flow, packets| Conversation { flow, packets };
    Case { conversations: vec![conversation(1 << 50, one), conversation(2, other)] }
}

#[test]
fn a_file_is_read_again_as_it_was_written() {
    let file = write(&subject(), &case(), &names());
    assert_eq!(read(&file, &names()), Some(case()));
    assert_eq!(write(&subject(), &case(), &names()), file);
}

/// The reader of captures is not this module's.
#[test]
fn the_reader_of_captures_finds_the_same_packets() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("alert.pcapng");
    std::fs::write(&path, write(&subject(), &case(), &names())).unwrap();
    let mut source = file::open(&[path]).unwrap();
    let mut burst = Burst::new();
    assert_eq!(source.burst(&mut burst).unwrap(), Progress::More);
    let told =
        burst.iter().map(|frame| (frame.time, frame.wire_len, frame.link, frame.bytes.to_vec()));
    let told: Vec<_> = told.collect();
    let expected = case().conversations.into_iter().flat_map(|one| one.packets);
    let expected = expected.map(|one| (one.time, one.wire_len, one.link, one.bytes));
    assert_eq!(told, expected.collect::<Vec<_>>());
}

#[test]
fn comments_name_alert_and_conversations_and_cannot_break_a_line() {
    let file = write(&subject(), &case(), &names());
    let text = String::from_utf8_lossy(&file);
    let id = Uuid::from_u128(7);
    assert!(
        text.contains(&format!("egret alert {id}, AN1416: Unexpected TLS\\u{{202e}} egress\\n"))
    );
    assert!(text.contains("flow_id 1125899906842624") && text.contains("flow_id 2"));
    assert!(text.contains("ens192") && text.contains("ens224"));
}

/// 16 conversations of 8 packets, all as large as can be.
#[test]
fn the_largest_file_is_smaller_than_64_kib() {
    let packets: Vec<_> = (0..u64::from(MAX_PACKETS))
        .map(|n| {
            packet(
                n,
                LinkType::ETHERNET,
                Some(n as u16),
                usize::from(super::super::MAX_BYTES) / 8 + 4,
            )
        })
        .collect();
    let conversations = (0..MAX_CONVERSATIONS as u64)
        .map(|n| Conversation { flow: (1 << 51) - 1 - n, packets: packets.clone() })
        .collect();
    let subject = Subject { title: "x".repeat(1000), ..subject() };
    let file = write(&subject, &Case { conversations }, &vec!["interface-name-".to_owned(); 8]);
    assert!(file.len() < 64 << 10, "{}", file.len());
}

proptest! {
    #[test]
    fn a_damaged_file_is_refused_or_read_and_never_more(
        at in 0_usize..700, to: u8, cut in 0_usize..700,
    ) {
        let mut file = write(&subject(), &case(), &names());
        let at = at % file.len();
        file[at] = to;
        for file in [&file[..], &file[..file.len() - cut % file.len()]] {
            if let Some(case) = read(file, &names()) {
                prop_assert!(case.conversations.len() <= MAX_CONVERSATIONS);
                let packets = case.conversations.iter().flat_map(|one| &one.packets);
                prop_assert!(packets.map(|one| one.bytes.len()).sum::<usize>() <= file.len());
            }
        }
    }
}
