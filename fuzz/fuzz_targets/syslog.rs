//! Syslog by a stream: the first byte says how it is cut into reads, and that changes nothing.

#![no_main]

use egret::intake::syslog::{Form, Frames, MAX_LENGTH, parse};
use egret::intake::{Origin, Reader};
use egret::time::Timestamp;
use libfuzzer_sys::fuzz_target;

const NOW: Timestamp = Timestamp::from_parts(1_795_183_391, 0);

fuzz_target!(|bytes: &[u8]| {
    let Some((&size, stream)) = bytes.split_first() else { return };
    let whole = messages(stream, stream.len().max(1));
    let cut = messages(stream, usize::from(size).max(1));
    assert_eq!(whole, cut);
    let mut sent = Reader::default();
    let mut stored = Reader::of_file(Some(NOW));
    for message in &whole {
        let arrived = Origin { arrival: Some(NOW), peer: None };
        if let Some(report) = sent.read(&arrived, message) {
            assert!(report.time <= NOW);
        }
        stored.read(&Origin { arrival: None, peer: None }, message);
        let text = String::from_utf8_lossy(message);
        for form in [Form::Wire, Form::File] {
            if let Some(message) = parse(&text, form, Some(NOW)) {
                // Files of one program alone do not name it.
                let named = text.contains(message.program)
                    || form == Form::File && ["vmkernel", "vobd"].contains(&message.program);
                assert!(text.contains(message.body) && named);
            }
        }
    }
    assert_eq!(sent.counts().total(), whole.len() as u64);
});

fn messages(stream: &[u8], size: usize) -> Vec<Vec<u8>> {
    let mut frames = Frames::default();
    let mut messages = Vec::new();
    for piece in stream.chunks(size) {
        frames.push(piece);
        while let Some(frame) = frames.pop() {
            assert!(frame.message.len() <= MAX_LENGTH);
            messages.push(frame.message.to_vec());
        }
    }
    messages.extend(frames.last().map(|frame| frame.message.to_vec()));
    messages
}
