use super::*;
use crate::capture::LinkType;
use crate::evidence::MAX_PACKETS;
use crate::time::Timestamp;

fn packet(time: u64) -> Packet {
    Packet {
        time: Timestamp::from_nanos(time),
        wire_len: 60,
        link: LinkType::ETHERNET,
        interface: None,
        bytes: vec![time as u8; 60],
    }
}

fn conversation(flow: u64, times: std::ops::Range<u64>) -> Conversation {
    Conversation { flow, packets: times.map(packet).collect() }
}

#[test]
fn of_many_conversations_the_first_and_the_latest_stay() {
    let mut case = Case::default();
    for flow in 0..40 {
        assert!(case.add(conversation(flow, 0..2)));
    }
    let flows: Vec<_> = case.conversations.iter().map(|one| one.flow).collect();
    let latest = 40 - (MAX_CONVERSATIONS as u64 - 1)..40;
    assert_eq!(flows, std::iter::once(0).chain(latest).collect::<Vec<_>>());
}

#[test]
fn what_is_found_again_adds_only_what_is_new() {
    let mut case = Case::default();
    assert!(!case.add(conversation(1, 0..0)), "nothing was found");
    assert!(case.add(conversation(1, 0..3)));
    assert!(!case.add(conversation(1, 0..3)));
    assert!(case.add(conversation(1, 2..5)), "memory has lost the first two");
    assert_eq!(case.conversations, [conversation(1, 0..5)]);
    case.add(conversation(1, 5..40));
    assert_eq!(case.conversations[0].packets.len(), usize::from(MAX_PACKETS));
}
