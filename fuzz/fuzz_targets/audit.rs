//! Audit records as they come: the first byte says how they are cut into pieces, and that changes nothing.

#![no_main]

use egret::intake::audit::split::{Found, MAX_LENGTH, Split};
use egret::intake::audit::{Body, Reader, json};
use egret::time::Timestamp;
use libfuzzer_sys::fuzz_target;

const NOW: Timestamp = Timestamp::from_parts(1_795_183_391, 0);

fuzz_target!(|bytes: &[u8]| {
    let Some((&size, bytes)) = bytes.split_first() else { return };
    let whole = found(bytes, bytes.len().max(1));
    assert_eq!(whole, found(bytes, usize::from(size).max(1)));
    let (mut reader, mut body) = (Reader::default(), Body::default());
    let mut reports = 0;
    let mut tell = |report: egret::event::Report| {
        egret::eve::write_report(&report, &mut Vec::new());
        reports += 1;
    };
    reader.take(&mut body, bytes, Some(NOW), &mut tell);
    reader.end(&mut body, Some(NOW), &mut tell);
    assert!(reports >= reader.counts().understood);
});

/// The values that are found, and how many other things.
fn found(bytes: &[u8], size: usize) -> (Vec<Vec<u8>>, usize) {
    let (mut split, mut values, mut others) = (Split::default(), Vec::new(), 0);
    let mut tell = |found: Found<'_>| match found {
        Found::Json(value) => {
            assert!(value.len() <= MAX_LENGTH);
            if let Ok(read) = json::parse(value) {
                assert_eq!(Some(read), serde_json::from_slice(value).ok());
            }
            values.push(value.to_vec());
        }
        Found::Line(_) | Found::Refused(_) => others += 1,
    };
    for piece in bytes.chunks(size) {
        split.take(piece, &mut tell);
    }
    split.end(&mut tell);
    (values, others)
}
