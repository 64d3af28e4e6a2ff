use super::*;
use crate::decode::{Packet, Tcp, sample, tcp_flags};
use crate::event::TlsSession;
use crate::flow::Table;

mod certificates;
mod segments;
mod streams;
mod upgrades;

#[derive(Default)]
struct Bodies(Vec<Body>);

impl Bodies {
    /// The sessions of an event file.
    fn sessions(self) -> Vec<TlsSession> {
        let session = |body| match body {
            Body::Tls(session) => Some(*session),
            _ => None,
        };
        self.0.into_iter().filter_map(session).collect()
    }
}

impl Sink for Bodies {
    fn event(&mut self, event: Event) {
        self.0.push(event.body);
    }
}

/// What is made of one TCP segment to `port`.
fn read(port: u16, payload: &[u8]) -> Bodies {
    let packet = packet(port, Tcp { sequence: 1, flags: tcp_flags::ACK }, payload);
    let (mut table, mut bodies) = (Table::new(16).unwrap(), Bodies::default());
    let mut reader = Reader::new(Wanted::All);
    table.burst(&[packet], &mut reader.observing(&mut bodies));
    table.finish(&mut reader.observing(&mut bodies));
    bodies
}

/// A client's segment to `port`.
fn packet(port: u16, tcp: Tcp, payload: &[u8]) -> Packet<'_> {
    Packet { ports: [40_000, port], ..sample::packet(Some(tcp), payload) }
}

/// A ClientHello of TLS 1.2 for `a.example`, in a record.
fn hello() -> Vec<u8> {
    let sni = b"\0\0\0\x0e\0\x0c\0\0\x09a.example";
    let body = [&[3, 3][..], &[7; 32], b"\0\0\x02\x13\x01\x01\0\0\x12", sni].concat();
    let length = body.len() as u8;
    [&[22, 3, 1, 0, length + 4, 1, 0, 0, length][..], &body].concat()
}

#[test]
fn dns_comes_over_tcp_on_each_of_its_ports() {
    let query = b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x01a\x07example\0\0\x01\0\x01";
    let payload = [&[0, query.len() as u8][..], query].concat();
    for port in [53, 5353, 5355] {
        let bodies = read(port, &payload).0;
        assert!(bodies.iter().any(|body| matches!(body, Body::Dns(_))), "{port}");
    }
    let elsewhere = read(80, &payload).0;
    assert!(!elsewhere.iter().any(|body| matches!(body, Body::Dns(_))));
}

#[test]
fn tls_does_not_hide_on_a_port_of_dns() {
    for port in [443, 53, 5353, 40_001] {
        let sessions = read(port, &hello()).sessions();
        let name = sessions.first().and_then(|session| session.sni.as_deref());
        assert_eq!(name, Some("a.example"), "{port}");
    }
}
