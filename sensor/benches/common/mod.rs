//! Frames of a generated capture, in memory.

use egret::capture::{Frame, LinkType};
use egret::time::Timestamp;
use egret_tests::bench::{Kind, write};

/// A capture of this kind and scale as a file's bytes.
pub(crate) fn capture(kind: Kind, scale: f64) -> Vec<u8> {
    let mut file = Vec::new();
    write(kind, scale, &mut file).expect("memory can be written");
    file
}

/// The frames in it.
pub(crate) fn frames(capture: &[u8]) -> Vec<Frame<'_>> {
    let mut rest = capture.get(24..).unwrap_or_default();
    let mut frames = Vec::new();
    while let Some((header, after)) = rest.split_first_chunk::<16>() {
        let [seconds, micros, length, wire_len] = [0, 4, 8, 12]
            .map(|at| header[at..].first_chunk().map_or(0, |b| u32::from_le_bytes(*b)));
        let (bytes, after) = after.split_at(length as usize);
        rest = after;
        let time = Timestamp::from_parts(u64::from(seconds), u64::from(micros) * 1000);
        frames.push(Frame {
            time,
            wire_len,
            link: LinkType::ETHERNET,
            vlan: None,
            mark: None,
            bytes,
        });
    }
    frames
}
