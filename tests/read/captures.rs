//! Captures that several tests read.

use egret_tests::scenario::SECOND;
use egret_tests::traffic::{START, Traffic, end, path};
use egret_tests::wire::{Capture, Frame, Path, Payload, Resolution};

/// The resolver that everybody asks.
pub(crate) const RESOLVER: &str = "10.0.0.53";

/// Bytes of one record of [`datagrams`]: its header and its frame.
pub(crate) const RECORD: usize = 16 + 60;

/// A capture of `count` datagrams of 60 bytes in one conversation, one a second.
pub(crate) fn datagrams(count: u64) -> Vec<u8> {
    let mut capture = Capture::new(Vec::new(), Resolution::Micros).unwrap();
    for number in 0..count {
        capture.frame(START + number * SECOND, &datagram()).unwrap();
    }
    capture.finish().unwrap()
}

/// One of [`datagrams`].
pub(crate) fn datagram() -> Frame {
    let mut frame = Frame::new(1);
    frame.udp(&path(end("10.20.0.11", 40_000), end("10.0.0.9", 9000)), Payload::whole(b"hello"));
    frame
}

/// A lookup's way from a guest to the resolver.
pub(crate) fn question(guest: &str, port: u16) -> Path {
    path(end(guest, port), end(RESOLVER, 53))
}

/// Half an hour of three guests: lookups, sessions that answer each other's turns, and one of
/// which the server is never seen.
pub(crate) fn office() -> Vec<u8> {
    let mut traffic = Traffic::default();
    for minute in 0..30 {
        let guest = ["10.20.0.11", "10.20.0.12", "10.20.0.13"][minute % 3];
        let at = START + minute as u64 * 60 * SECOND;
        let port = 50_000 + minute as u16;
        let name = ["www.example.com", "mail.example.org", "cdn.example.net"][minute % 3];
        let server = ["203.0.113.5", "203.0.113.6", "198.51.100.7"][minute % 3];
        traffic.lookup(at, &question(guest, port), name, &[server.parse().unwrap()]);
        let to = path(end(guest, port), end(server, 443));
        traffic.tls(at + SECOND, to, name, [20_000, 400_000], 40 * SECOND);
    }
    let hello = traffic.client_hello(b"silent.example");
    let to = path(end("10.20.0.11", 51_000), end("203.0.113.99", 8443));
    traffic.tcp(START + 90 * SECOND, to).send(true, &hello);
    traffic.pcap()
}
