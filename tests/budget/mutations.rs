//! Every prefix of every fixture, and every value of every byte.

use egret_tests::rng::Rng;

use super::fixtures::{self, Fixture};
use super::pipeline::Pipeline;
use super::{PER_PACKET, alone};

/// How many values a byte takes that is not a fixture's own.
const VALUES: usize = 2;

/// Whether all bytes are to take all their values, however long that takes.
fn is_exhaustive() -> bool {
    std::env::var_os("EGRET_EXHAUSTIVE").is_some()
}

/// Takes frames through a pipeline, and ends their flows.
fn read(pipeline: &mut Pipeline, fixture: &Fixture, at: usize, damaged: &[u8], wire_len: usize) {
    let mut most = 0;
    for (number, frame) in fixture.frames.iter().enumerate() {
        let (bytes, wire_len) =
            if number == at { (damaged, wire_len) } else { (&frame[..], frame.len()) };
        most = most.max(pipeline.take(fixture.link, bytes, wire_len));
    }
    most = most.max(pipeline.end());
    assert!(most <= PER_PACKET, "{} {at}: {most} bytes for {damaged:02x?}", fixture.name);
}

/// Fails when a frame that is cut anywhere, by a snap length or on the wire, panics or costs too much.
#[test]
fn every_prefix() {
    let _alone = alone();
    let mut pipeline = Pipeline::new();
    let all = fixtures::single().into_iter().chain(fixtures::sequences());
    for fixture in all.chain(fixtures::drawn(40)).chain(fixtures::of_corpus(60)) {
        for (at, frame) in fixture.frames.iter().enumerate() {
            for end in (0..=frame.len()).filter(|end| *end < 200 || end % 16 == 0) {
                for wire_len in [frame.len(), end] {
                    read(&mut pipeline, &fixture, at, &frame[..end], wire_len);
                    pipeline.forget(end % 16 == 0);
                }
            }
        }
    }
}

/// Fails when a byte, whatever it is, panics or costs too much.
#[test]
fn every_byte() {
    let _alone = alone();
    let mut pipeline = Pipeline::new();
    let mut rng = Rng::new(1);
    let all = fixtures::single().into_iter().chain(fixtures::drawn(20));
    for fixture in all.chain(fixtures::of_corpus(60)) {
        mutate(&mut pipeline, &fixture, 1, &mut rng);
    }
    for fixture in fixtures::sequences() {
        mutate(&mut pipeline, &fixture, 8, &mut rng);
    }
}

/// Gives each byte that is a fixture's own all values there are, and every `nth` of the others a few.
fn mutate(pipeline: &mut Pipeline, fixture: &Fixture, nth: usize, rng: &mut Rng) {
    for (at, frame) in fixture.frames.iter().enumerate() {
        let mut damaged = frame.clone();
        for place in 0..frame.len() {
            let all = place < fixture.own || is_exhaustive();
            let count = if all { 256 } else { VALUES * usize::from(place % nth == 0) };
            for number in 0..count {
                damaged[place] = if all { number as u8 } else { rng.below(256) as u8 };
                read(pipeline, fixture, at, &damaged, damaged.len());
                pipeline.forget(number % 64 == 1);
            }
            damaged[place] = frame[place];
        }
    }
}
