//! When conversations end, and which give way to others.

use super::*;

#[test]
fn a_quiet_flow_ends_after_the_timeout_of_its_state() {
    // One datagram: 30 s; answered: 120 s; TCP closed: 1 s; established: 1800 s.
    let cases: [(&[Packet<'_>], u64); 4] = [
        (&[packet(5.0, true, PORTS, None, b"?")], 30),
        (&[packet(5.0, true, PORTS, None, b"?"), packet(5.0, false, PORTS, None, b"!")], 120),
        (
            &[
                packet(5.0, true, PORTS, ack(1), b""),
                packet(5.0, false, PORTS, Some(Tcp { sequence: 1, flags: tcp_flags::RST }), b""),
            ],
            1,
        ),
        (&[packet(5.0, true, PORTS, ack(1), b""), packet(5.0, false, PORTS, ack(1), b"")], 1800),
    ];
    for (packets, timeout) in cases {
        let (mut table, mut recorder) = (table(), Recorder::default());
        table.burst(packets, &mut recorder);
        for second in 1..=timeout + 25 {
            let other = packet(5.0 + second as f64, true, [1, 2], None, b"");
            table.burst(&[other], &mut recorder);
            let ended = recorder.accounts.iter().any(|(flow, account)| {
                flow.server.port == 443 && account.reason == AccountReason::Timeout
            });
            assert!(!ended || second >= timeout, "ended after {second} s of {timeout}");
            assert!(ended || second < timeout + 20, "still there after {second} s of {timeout}");
        }
    }
}

#[test]
fn a_syn_over_a_closed_connection_opens_another() {
    let (mut table, mut recorder) = (table(), Recorder::default());
    let fin = tcp_flags::FIN | tcp_flags::ACK;
    table.burst(
        &[
            packet(1.0, true, PORTS, syn(100), b""),
            packet(1.1, true, PORTS, syn(100), b""), // repeated: the same connection
            packet(1.2, true, PORTS, Some(Tcp { sequence: 101, flags: fin }), b""),
            packet(1.3, false, PORTS, Some(Tcp { sequence: 1, flags: fin }), b""),
            packet(1.4, true, PORTS, syn(900_000), b""),
        ],
        &mut recorder,
    );
    table.finish(&mut recorder);
    let ends: Vec<_> =
        recorder.accounts.iter().map(|(_, a)| (a.state, a.to_server.packets)).collect();
    assert_eq!(ends, [(FlowState::Closed, 3), (FlowState::New, 1)]);
    assert_ne!(recorder.accounts[0].0.id, recorder.accounts[1].0.id);
}

#[test]
fn a_full_table_evicts_the_flow_nearest_to_its_end_and_counts_it() {
    let mut table = Table::new(64).unwrap();
    let mut recorder = Recorder::default();
    // An established connection, long quiet, and a flood of others.
    table.burst(
        &[packet(1.0, true, PORTS, ack(1), b""), packet(1.0, false, PORTS, ack(1), b"")],
        &mut recorder,
    );
    for n in 0..500u16 {
        table
            .burst(&[packet(20.0 + f64::from(n), true, [n + 1000, 9], syn(1), b"")], &mut recorder);
    }
    assert!(table.active() <= 64);
    let established_gone = recorder.accounts.iter().any(|(flow, _)| flow.server.port == 443);
    assert!(!established_gone, "half-open flows give way before an established one");
    table.finish(&mut recorder);
    let counted: u64 =
        recorder.accounts.iter().map(|(_, a)| a.to_server.packets + a.to_client.packets).sum();
    assert_eq!(counted, 502, "what is evicted is accounted for");
    assert_eq!(recorder.closed as u64, table.stats().opened);
}

#[test]
fn a_flood_within_one_tick_still_finds_room() {
    let mut table = Table::new(64).unwrap();
    let mut recorder = Recorder::default();
    for n in 0..2000u16 {
        table.burst(&[packet(1.0, true, [n + 1, 9], syn(1), b"")], &mut recorder);
    }
    assert_eq!(table.active(), 64);
    assert_eq!(table.stats().evicted, 2000 - 64);
}

#[test]
fn a_day_of_silence_costs_nothing() {
    let (mut table, mut recorder) = (table(), Recorder::default());
    for day in 0..4000 {
        table.burst(&[packet(86_400.0 * f64::from(day), true, PORTS, None, b"?")], &mut recorder);
    }
    assert_eq!(recorder.accounts.len(), 3999, "each day's datagram is a flow of its own");
}
