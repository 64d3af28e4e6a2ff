//! What the kernel program takes for a packet of its own, and counts.

use egret_tests::frames::Frames;
use egret_tests::traffic::{end, path};
use egret_tests::wire::{Frame, Payload};

use super::endings::cable;
use super::pair::{COUNTS, Side};
use super::turn;

/// Fails when a stream of equal packets, as of a device that says the same each moment, counts once for
/// as long as it lasts: second copies come close to the first.
#[test]
fn equal_packets_count_again_after_a_while() {
    let Some(_turn) = turn(&[]) else { return };
    let [switch, machine] = cable();
    let side = Side::start(&machine, "eth1", COUNTS, "");
    Frames::datagrams(1, 200, 1).send(&switch, "m0", 1000, Some(1000));
    side.has_taken(1000);
    let (packets, _) = side.end().sent();
    assert!((50..1000).contains(&packets), "{packets} of 1000 in a second");
}

/// Fails when tunnels that nobody goes into are handed up whole, all by one ring: in an estate with an
/// overlay that is all its traffic.
#[test]
fn tunnels_that_stay_closed_are_counted_like_any_flow() {
    const GENEVE: u16 = 6081;
    let Some(_turn) = turn(&[]) else { return };
    let [switch, machine] = cable();
    let side = Side::start(&machine, "eth1", COUNTS, "");
    let way = path(end("10.20.0.21", 50_000), end("10.20.0.22", GENEVE));
    let mut frame = Frame::new(1);
    let frames = (0..500_u32).map(|number| {
        let mut payload = vec![0, 0, 0x65, 0x58, 0, 0, 7, 0];
        payload.extend(number.to_be_bytes().repeat(30));
        frame.udp(&way, Payload::whole(&payload)).bytes().to_vec()
    });
    Frames::of(frames.collect()).send_once(&switch, "m0");
    let samples = side.has_taken(500);
    let handed_up = samples.count("egret_capture_handed_up_packets_total", &[]);
    assert!(handed_up < 20, "{handed_up} of 500");
    assert_eq!(side.end().sent().0, 500);
}
