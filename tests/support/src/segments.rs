//! The ways a stream's first bytes may come: in few or many segments, in any order, some of them
//! twice, some of them forged.

use crate::rng::Rng;

/// A segment: where it begins in the stream, and what it has.
pub type Segment = (usize, Vec<u8>);

/// The most segments a stream is cut into.
pub const MOST: usize = 12;

/// All ways in which the whole stream comes, with their names. In each, of bytes that come twice and
/// differ those that come first are the stream's.
pub fn ways(stream: &[u8]) -> Vec<(String, Vec<Segment>)> {
    let mut ways = Vec::new();
    for count in 1..=MOST {
        let forward = cut(stream, count, 0);
        let mut add = |name: &str, segments| ways.push((format!("{name} of {count}"), segments));
        add("forward", forward.clone());
        add("reversed", reversed(forward.clone()));
        let mut shuffled = forward.clone();
        Rng::new(count as u64).shuffle(&mut shuffled);
        add("shuffled", shuffled);
        add("overlapping", cut(stream, count, 30));
        add("overlapping, reversed", reversed(cut(stream, count, 30)));
        add("twice", twice(&forward));
        add("twice, reversed", twice(&reversed(forward.clone())));
        add("with forged copies", with_forged(&forward));
        add("with forged copies, reversed", with_forged(&reversed(forward)));
    }
    let forged = vec![b'!'; stream.len()];
    let middle = stream.len() / 2;
    let [head, tail] = [&stream[..middle], &stream[middle..]];
    let late = vec![(middle, tail.to_vec()), (0, [head, &forged[middle..]].concat())];
    ways.push(("a forged end behind the missing beginning".to_owned(), late));
    let bytes = stream.iter().enumerate().map(|(at, byte)| (at, vec![*byte])).collect();
    ways.push(("byte by byte".to_owned(), bytes));
    ways
}

/// The stream in `count` segments of nearly the same length, each with up to `more` bytes of the next.
pub fn cut(stream: &[u8], count: usize, more: usize) -> Vec<Segment> {
    let edge = |number: usize| stream.len() * number / count;
    (0..count)
        .map(|number| {
            let end = (edge(number + 1) + more).min(stream.len());
            (edge(number), stream[edge(number)..end].to_vec())
        })
        .collect()
}

/// A record's contents again, in records of one byte each.
///
/// # Panics
/// When it is no record.
pub fn one_byte_records(record: &[u8]) -> Vec<u8> {
    let (header, contents) = record.split_at(5);
    contents.iter().flat_map(|byte| [header[0], header[1], header[2], 0, 1, *byte]).collect()
}

fn reversed(mut segments: Vec<Segment>) -> Vec<Segment> {
    segments.reverse();
    segments
}

fn twice(segments: &[Segment]) -> Vec<Segment> {
    segments.iter().flat_map(|segment| [segment.clone(), segment.clone()]).collect()
}

/// Behind each segment another one in the same place that says something else.
fn with_forged(segments: &[Segment]) -> Vec<Segment> {
    let forged = |(at, bytes): &Segment| (*at, vec![b'!'; bytes.len()]);
    segments.iter().flat_map(|segment| [segment.clone(), forged(segment)]).collect()
}
