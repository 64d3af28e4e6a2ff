//! What several readers of a ring say of conversations in an overlay.

use egret_tests::egret::Egret;
use egret_tests::frames::Frames;
use egret_tests::scenario::SECOND;
use egret_tests::traffic::{START, Traffic, end, path};
use egret_tests::wire::tunnel::{geneve, outer, vxlan};
use egret_tests::wire::{Capture, Resolution, split};

use super::endings::cable;
use super::pair::{READS, Side};
use super::said::Said;
use super::turn;

const CONVERSATIONS: u16 = 40;

/// A frame of a guest in its tunnel. The two ends of that choose their source port each by what is
/// inside, so that a conversation has other ports in one direction than in the other.
fn wrapped(inner: &[u8]) -> Vec<u8> {
    let [a, b, c, d] = *inner[34..].first_chunk().unwrap();
    let is_back = u16::from_be_bytes([a, b]) < u16::from_be_bytes([c, d]);
    let number = if is_back { d } else { b };
    let above = if number % 2 == 0 { vxlan(inner) } else { geneve(0x6558, 2, inner) };
    let mut frame = outer(false, &above);
    if is_back {
        frame[26..34].rotate_left(4);
    }
    frame[34..36].copy_from_slice(&[0xc0 | u8::from(is_back), number.wrapping_mul(97)]);
    frame
}

/// Fails when the halves of a conversation in VXLAN or GENEVE come to different workers: then hellos are
/// told without their answers, and volumes of one direction only.
#[test]
fn overlays_are_read_by_several_workers_as_by_one() {
    let Some(_turn) = turn(&[]) else { return };
    let mut traffic = Traffic::default();
    for number in 0..CONVERSATIONS {
        let from = end(&format!("10.20.0.{}", 20 + number), 50_000 + number);
        let way = path(from, end("10.20.1.7", 443));
        let name = format!("host{number}.example");
        traffic.tls(START + u64::from(number) * SECOND, way, &name, [0, 0], SECOND);
    }
    let mut frames = Vec::new();
    let mut capture = Capture::new(Vec::new(), Resolution::Nanos).unwrap();
    split(&traffic.pcap(), |time, inner| {
        let frame = wrapped(inner);
        capture.record(time, &frame, frame.len() as u32).unwrap();
        frames.push(frame);
        true
    });
    let read = Egret::new(env!("CARGO_BIN_EXE_egret")).read("-").args("-q --events -");
    let read = read.input(&capture.finish().unwrap()).run().done();
    let read = Said::new(&read.stdout, &[]);
    let answered = read.messages.keys().filter(|event| event.contains(r#""version":"TLS 1."#));
    assert_eq!(answered.count(), usize::from(CONVERSATIONS), "{:#?}", read.messages);

    let [switch, machine] = cable();
    switch.ip("link set dev m0 mtu 9000");
    machine.ip("link set dev eth1 mtu 9000");
    let side = Side::start(&machine, "eth1", READS, "[capture]\nworkers = 4\n");
    let frames = Frames::of(frames);
    frames.send_once(&switch, "m0");
    side.has_taken(frames.count());
    let mut live = side.end();
    live.alerts.clear();
    let differences = read.differences(&live);
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
