//! Senders who want the table to keep too much, or to read what no receiver would.

use super::*;

/// Two versions of the same bytes wait behind a gap, among others: the one that came first counts, in
/// all of it, whichever begins sooner.
#[test]
fn of_segments_that_disagree_the_first_to_come_counts() {
    let read = |segments: &[(u32, &[u8])]| {
        let (mut table, mut recorder) = (table(), Recorder { limit: 12, ..Recorder::default() });
        table.burst(&[packet(1.0, true, PORTS, syn(0), b"")], &mut recorder);
        for (sequence, bytes) in segments {
            table.burst(&[packet(1.1, true, PORTS, ack(*sequence), bytes)], &mut recorder);
        }
        recorder.read.remove(&(0, true)).map(|read| String::from_utf8(read).unwrap())
    };
    let text = |text: &str| Some(text.to_owned());
    let all: (u32, &[u8]) = (1, b"abcd");
    assert_eq!(read(&[(9, b"ijkl"), (5, b"efgh"), (5, b"XXXX"), all]), text("abcdefghijkl"));
    assert_eq!(
        read(&[(3, b"cd"), (7, b"gh"), (7, b"XX"), (1, b"ab"), (5, b"ef"), (9, b"ijkl")]),
        text("abcdefghijkl")
    );
    assert_eq!(read(&[(7, b"ghij"), (3, b"cdefXXXXkl"), (1, b"ab")]), text("abcdefghijkl"));
    assert_eq!(read(&[all, (3, b"XXefgh"), (1, b"XXXXXXXXijkl")]), text("abcdefghijkl"));
}

/// A segment behind a gap that is larger than all that may wait there is read where it is.
#[test]
fn a_segment_too_large_to_wait_does_not() {
    let (mut table, mut recorder) = (table(), Recorder { limit: 4, ..Recorder::default() });
    let large = [7; 20_000];
    table.burst(
        &[
            packet(1.0, true, PORTS, syn(0), b""),
            packet(1.1, true, PORTS, ack(50), b"early"),
            packet(1.2, true, PORTS, ack(1000), &large),
        ],
        &mut recorder,
    );
    assert_eq!(recorder.read[&(0, true)], b"early");
    let (mut table, mut recorder) = (self::table(), Recorder { limit: 4, ..Recorder::default() });
    table.burst(
        &[packet(1.0, true, PORTS, syn(0), b""), packet(1.2, true, PORTS, ack(1000), &large)],
        &mut recorder,
    );
    assert_eq!(recorder.read[&(0, true)], large);
}

/// Somebody opens and closes one connection over and over while time stands still.
#[test]
fn connections_reopened_in_one_tick_leave_nothing_behind() {
    let (mut table, mut recorder) = (Table::new(8).unwrap(), Recorder::default());
    for n in 0..10_000 {
        let reset = Some(Tcp { sequence: n, flags: tcp_flags::RST });
        table.burst(
            &[packet(1.0, true, PORTS, syn(n), b""), packet(1.0, true, PORTS, reset, b"")],
            &mut recorder,
        );
        assert!(table.timers.active_count() <= 2 * 8 + 65);
        assert!(table.timers.waiting_count() <= 4 * 8 + 65 + 8);
    }
    table.finish(&mut recorder);
    let counted: u64 = recorder.accounts.iter().map(|(_, a)| a.to_server.packets).sum();
    assert_eq!((recorder.closed, counted), (10_000, 20_000));
}

/// Ports chosen so that their flows meet in one table are spread over another: nobody knows its seed.
#[test]
fn flows_that_meet_in_one_table_do_not_in_another() {
    let home = |table: &Table, port: u16| {
        let (key, direction) = Key::of(&packet(1.0, true, [port, 443], None, b""));
        table.look(key, direction).tag & 0xff
    };
    let (one, other) = (table(), table());
    let chosen: Vec<u16> = (1..u16::MAX).filter(|port| home(&one, *port) == 0).collect();
    assert!(chosen.len() > 100, "{}", chosen.len());
    let mut homes: Vec<u32> = chosen.iter().map(|port| home(&other, *port)).collect();
    homes.sort_unstable();
    let most = homes.chunk_by(|a, b| a == b).map(<[_]>::len).max();
    assert!(most < Some(chosen.len() / 8), "{most:?} of {} meet again", chosen.len());
}
