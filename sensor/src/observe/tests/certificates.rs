//! Certificates of servers, and how long an event waits for them.

use rcgen::{CertificateParams, DnType, DnValue, KeyPair};

use super::streams::{
    CLIENT, Made, SERVER, certificate, every_cut, read, read_timed, server_flight,
};
use super::*;
use crate::event::Certificate;

/// A certificate that signed itself, longer than a few segments.
fn der() -> Vec<u8> {
    let names: Vec<_> = (0..400).map(|n| format!("host-{n}.example")).collect();
    let mut params = CertificateParams::new(names).unwrap();
    let name = DnValue::Utf8String("vcenter.example".to_owned());
    params.distinguished_name.push(DnType::CommonName, name);
    params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
}

fn subject(made: &Made) -> Option<&str> {
    told(made).1.map(|certificate| &*certificate.subject)
}

/// The one session's version and certificate.
fn told(made: &Made) -> (Option<u16>, Option<&Certificate>) {
    let sessions = made.sessions();
    assert_eq!(sessions.len(), 1);
    (sessions[0].1.version, sessions[0].1.certificate.as_deref())
}

#[test]
fn a_certificate_is_read_over_many_segments() {
    let der = der();
    assert!(der.len() > 3 * 1460);
    let flight = server_flight(0x0303, &certificate(&der));
    let hello = hello();
    for size in [1, 1460, 9000] {
        let mut segments = vec![(0, CLIENT, &hello[..])];
        segments.extend(flight.chunks(size).map(|part| (1, SERVER, part)));
        let made = read_timed(&segments, Wanted::All);
        let (version, certificate) = told(&made);
        let certificate = certificate.unwrap();
        assert_eq!((version, &*certificate.issuer), (Some(0x0303), &*certificate.subject));
        assert!(certificate.subject.ends_with("CN=vcenter.example") && certificate.self_signed);
    }
}

#[test]
fn wherever_segments_end_and_whoever_is_seen_first() {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "vcenter.example");
    let der = params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec();
    let flight = server_flight(0x0303, &certificate(&der));
    for turns in [
        [(CLIENT, hello()), (SERVER, flight.clone())],
        [(SERVER, flight.clone()), (CLIENT, hello())],
    ] {
        every_cut(&turns, |segments, how| {
            let made = read(segments, Wanted::All);
            assert_eq!(subject(&made), Some("CN=vcenter.example"), "{how}");
        });
    }
    // The client's hello comes in the middle of the server's flight.
    for at in 1..flight.len() {
        let hello = hello();
        let (left, right) = flight.split_at(at);
        let made = read(&[(SERVER, left), (CLIENT, &hello), (SERVER, right)], Wanted::All);
        assert_eq!(subject(&made), Some("CN=vcenter.example"), "{at}");
    }
}

#[test]
fn no_longer_is_waited_than_a_certificate_can_come() {
    let der = der();
    let hello = hello();
    let own = certificate(&der);
    let resumed = [server_flight(0x0303, b""), vec![20, 3, 3, 0, 1, 1]].concat();
    let without = server_flight(0x0303, &[12, 0, 0, 1, 0]);
    let new = server_flight(0x0304, b"");
    let half = server_flight(0x0303, &own)[..2000].to_vec();
    for (flight, expected) in [(&new, 1), (&resumed, 1), (&without, 1), (&half, 5000)] {
        let turns = [(0, CLIENT, &hello[..]), (1, SERVER, flight), (30_000, CLIENT, b"x")];
        let made = read_timed(&turns, Wanted::All);
        let sessions = made.sessions();
        assert_eq!(sessions.len(), 1);
        assert_eq!(sessions[0].0, expected, "milliseconds");
        assert!(sessions[0].1.version.is_some() && sessions[0].1.certificate.is_none());
        assert_eq!(made.counts.certificates_refused, 0);
    }
    let turns = [(0, CLIENT, &hello[..]), (1, SERVER, &half)];
    let made = read_timed(&turns, Wanted::All);
    assert_eq!(told(&made), (Some(0x0303), None), "the flow ends");
}

#[test]
fn what_is_no_certificate_is_counted_and_the_session_told() {
    let broken = certificate(&[0x30, 0x82, 0xff, 0xff, 1, 2, 3]);
    let hello = hello();
    let flight = server_flight(0x0303, &broken);
    let made = read(&[(CLIENT, &hello), (SERVER, &flight)], Wanted::All);
    assert_eq!(told(&made), (Some(0x0303), None));
    assert_eq!(made.counts.certificates_refused, 1);
}

#[test]
fn a_certificate_too_long_to_keep_is_not_waited_for() {
    let long = certificate(&vec![0; 60_000]);
    let hello = hello();
    let flight = server_flight(0x0303, &long);
    let turns = [(0, CLIENT, &hello[..]), (1, SERVER, &flight[..1000]), (2, CLIENT, b"x")];
    let made = read_timed(&turns, Wanted::All);
    assert_eq!(made.sessions()[0].0, 1, "told at once");
}

#[test]
fn detectors_pay_nothing_for_certificates() {
    let flight = server_flight(0x0303, &certificate(&[0x30, 0x82, 0xff, 0xff]));
    let hello = hello();
    let made = read(&[(CLIENT, &hello), (SERVER, &flight)], Wanted::ForDetectors);
    assert_eq!((made.sessions().len(), made.hellos()), (0, 1));
    assert_eq!(made.counts.certificates_refused, 0);
}
