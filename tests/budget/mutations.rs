//! Every prefix of every fixture, and every value of every byte.

use std::time::Instant;

use egret_tests::rng::Rng;

use super::fixtures::{self, Fixture};
use super::pipeline::Pipeline;
use super::{PER_PACKET, alone};

/// So many bytes, which hold the headers, take all their values; those behind take a few.
const HEADERS: usize = 200;
const VALUES: usize = 3;

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
            for end in 0..=frame.len() {
                for wire_len in [frame.len(), end] {
                    read(&mut pipeline, &fixture, at, &frame[..end], wire_len);
                    pipeline.check(end % 16 == 0);
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
    for fixture in fixtures::single() {
        mutate(&mut pipeline, &fixture, HEADERS, &mut rng);
    }
    let drawn = fixtures::drawn(40).into_iter().chain(fixtures::of_corpus(60));
    for fixture in drawn.chain(fixtures::sequences()) {
        mutate(&mut pipeline, &fixture, 0, &mut rng);
    }
}

/// Gives each byte of each frame other values: the first `headers` bytes all there are.
fn mutate(pipeline: &mut Pipeline, fixture: &Fixture, headers: usize, rng: &mut Rng) {
    let start = Instant::now();
    for (at, frame) in fixture.frames.iter().enumerate() {
        let mut damaged = frame.clone();
        for place in 0..frame.len() {
            let values = if place < headers { 0..256 } else { 0..VALUES };
            for value in values {
                damaged[place] = if place < headers { value as u8 } else { rng.below(256) as u8 };
                read(pipeline, fixture, at, &damaged, damaged.len());
                pipeline.check(value % 64 == 1);
            }
            damaged[place] = frame[place];
        }
    }
    println!("{}: {} ms", fixture.name, start.elapsed().as_millis());
}
