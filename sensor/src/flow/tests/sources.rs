//! What the table tells of its sources of packets.

use super::*;

/// Gives segments of 1000 bytes of some conversations, those that `is_shown`; what is known by then.
fn given(table: &mut Table, is_shown: impl Fn(u32) -> bool) -> Vec<SourceFacts> {
    let payload = [0; 1000];
    let mut recorder = Recorder::default();
    for number in 0..400 {
        for port in 0..20u16 {
            if is_shown(number * 20 + u32::from(port)) {
                // Sequence numbers go round meanwhile.
                let sequence = (number * 1000).wrapping_sub(100_000);
                let seconds = 1.0 + f64::from(number) / 10.0;
                let packet = packet(seconds, true, [port + 1, 443], ack(sequence), &payload);
                table.burst(&[packet], &mut recorder);
            }
        }
    }
    table.finish(&mut recorder);
    table.sources()
}

#[test]
fn sequence_numbers_give_sampling_away_and_nothing_else_does() {
    let [all] = given(&mut table(), |_| true)[..] else { panic!("one source") };
    assert_eq!((all.total.one_in, all.total.missing()), (None, None));
    assert!(all.total.sequences.segments > 1000);
    assert_eq!(all.total.bytes, 400 * 20 * 1054);
    let [sampled] = given(&mut table(), |n| n.wrapping_mul(0x9e37_79b9) >> 16 & 3 == 0)[..] else {
        panic!("one source")
    };
    assert_eq!(sampled.total.one_in, Some(4.0), "{:?}", sampled.total);
}

/// Fails when what is watched grows with the traffic.
#[test]
fn a_bounded_number_of_segments_is_watched() {
    let [all] = given(&mut table(), |_| true)[..] else { panic!("one source") };
    // Of 8000 segments in 40 s.
    let segments = all.total.sequences.segments;
    assert!(segments <= 5 * (2048 + 40 * 64), "{segments}");
}

/// One side that has spoken for a while tells before the conversation is over.
#[test]
fn a_missing_side_is_known_at_the_end_of_the_tick() {
    let (mut table, mut recorder) = (table(), Recorder::default());
    for n in 0..20u16 {
        let tcp = Some(Tcp { sequence: n.into(), flags: tcp_flags::ACK | tcp_flags::PSH });
        table.burst(&[packet(1.0, true, PORTS, tcp, b"a")], &mut recorder);
    }
    table.idle(Timestamp::from_parts(11, 0), &mut recorder);
    let of = |table: &Table| table.sources().first().map(|known| known.recent);
    let told = of(&table).map_or((0, 0), |facts| (facts.conversations, facts.one_sided));
    // Counted in the tick, told at the end of the next.
    assert_eq!(told, (0, 0));
    table.idle(Timestamp::from_parts(21, 0), &mut recorder);
    let told = of(&table).map_or((0, 0), |facts| (facts.conversations, facts.one_sided));
    assert_eq!(told, (1, 1));
    table.finish(&mut recorder);
    let told = of(&table).map_or((0, 0), |facts| (facts.conversations, facts.one_sided));
    assert_eq!(told, (1, 1), "and once");
}

/// Fails when a header that lies counts as what it says.
#[test]
fn only_cuts_of_one_length_are_believed() {
    let bytes = |length: fn(u32) -> u32| {
        let (mut table, mut recorder) = (table(), Recorder::default());
        for n in 0..100 {
            let cut =
                Packet { wire_len: length(n), cut: 1000, ..packet(1.0, true, PORTS, ack(n), b"") };
            table.burst(&[cut], &mut recorder);
        }
        table.finish(&mut recorder);
        let cut = table.cut();
        let bytes: u64 = recorder.accounts.iter().map(|(_, of)| of.to_server.bytes).sum();
        assert_eq!(bytes, (0..100).map(|n| u64::from(length(n))).sum::<u64>() + cut * 1000);
        cut
    };
    assert!(bytes(|_| 128) > 80);
    assert!(bytes(|n| 128 + n % 2 * 4) > 80, "some with a VLAN tag");
    assert_eq!(bytes(|n| 60 + n * 37 % 1000), 0);
}

/// Fails when packets that the kernel hands up, all that are cut among them, are taken for a sample of
/// those that it counts.
#[test]
fn what_is_handed_up_tells_no_share_of_all() {
    let told = |is_counted: bool| {
        let (mut table, mut recorder) = (table(), Recorder::default());
        if is_counted {
            table.counted(&[], &mut recorder);
        }
        for n in 0..300 {
            let gaps = Packet { cut: 1000, ..packet(1.0, true, PORTS, ack(n * 9000), &[0; 1000]) };
            table.look_at(Some(&gaps), n % 2 == 0);
            table.burst(&[gaps], &mut recorder);
        }
        table.finish(&mut recorder);
        table.sources().first().map(|known| known.total).unwrap()
    };
    let [all, some] = [false, true].map(told);
    assert_eq!((all.packets, all.duplicates, all.truncated), (300, 150, 300));
    assert_eq!((some.packets, some.duplicates, some.truncated), (0, 0, 0));
    assert_eq!((all.sequences.segments > 0, some.sequences.segments), (true, 0));
    assert_eq!(some.bytes, all.bytes);
}

#[test]
fn copies_count_to_accounts_and_not_to_volumes() {
    let (mut table, mut recorder) = (table(), Recorder::default());
    for n in 0..10 {
        let first = packet(1.0, true, PORTS, ack(n), b"abc");
        let second = Packet { copy: true, ..first.clone() };
        table.burst(&[first, second], &mut recorder);
    }
    table.finish(&mut recorder);
    let [(_, account)] = &recorder.accounts[..] else { panic!("one account") };
    let [(_, _, volume)] = recorder.volumes[..] else { panic!("one volume") };
    assert_eq!((account.to_server.packets, volume.to_server.packets), (20, 10));
    assert_eq!(account.to_server.bytes, 2 * volume.to_server.bytes);
}
