use proptest::prelude::*;

use super::*;

/// The messages in a stream, and whether each is cut.
fn all(frames: &mut Frames, pieces: &[&[u8]]) -> Vec<(Vec<u8>, bool)> {
    let mut found = Vec::new();
    let mut take = |frame: Frame<'_>| found.push((frame.message.to_vec(), frame.is_cut));
    for piece in pieces {
        frames.push(piece);
        while let Some(frame) = frames.pop() {
            take(frame);
        }
    }
    frames.last().map(&mut take);
    assert!(frames.last().is_none(), "the last is given once");
    found
}

fn found(stream: &[u8]) -> Vec<(Vec<u8>, bool)> {
    all(&mut Frames::default(), &[stream])
}

fn whole(messages: &[&str]) -> Vec<(Vec<u8>, bool)> {
    messages.iter().map(|message| (message.as_bytes().to_vec(), false)).collect()
}

#[test]
fn lines_and_counted_messages_come_by_one_stream() {
    let stream = b"<1>a\n6 <2>b\nc<3>d\r\n\n8 <4>e f g5 <5>h\n<6>i\0\0<7>j";
    let messages = ["<1>a", "<2>b\nc", "<3>d\r", "<4>e f g", "<5>h\n", "<6>i", "<7>j"];
    assert_eq!(found(stream), whole(&messages));
}

#[test]
fn a_number_that_is_no_length_begins_a_line() {
    for line in
        ["2026-01-02T03:04:05Z x", "12 monkeys", "0 <1>x", "123456789 <1>x", "07 <1>x", "1 "]
    {
        assert_eq!(found(format!("{line}\n<9>y\n").as_bytes()), whole(&[line, "<9>y"]), "{line}");
    }
}

#[test]
fn what_is_too_long_is_cut_and_the_next_one_whole() {
    let long = [b"<1>".as_slice(), &vec![b'x'; MAX_LENGTH + 5]].concat();
    let kept = &long[..MAX_LENGTH];
    let line = [long.as_slice(), b"\n<2>y\n"].concat();
    let counted = [format!("{} ", long.len()).as_bytes(), &long, b"<2>y\n"].concat();
    let just = [kept, b"\n<2>y\n"].concat();
    for (stream, is_cut) in [(&line, true), (&counted, true), (&just, false)] {
        let expected = [(kept.to_vec(), is_cut), (b"<2>y".to_vec(), false)];
        assert!(found(stream) == expected);
        let pieces: Vec<_> = stream.chunks(1000).collect();
        assert!(all(&mut Frames::default(), &pieces) == expected);
    }
}

#[test]
fn a_stream_without_ends_is_held_in_bounds() {
    let mut frames = Frames::default();
    let mut cut = 0;
    for _ in 0..1000 {
        frames.push(&[b'x'; 10_000]);
        while let Some(frame) = frames.pop() {
            cut += u32::from(frame.is_cut);
        }
        assert!(frames.buffer.capacity() <= 2 * (MAX_LENGTH + PIECE));
    }
    assert_eq!((cut, frames.last()), (1, None));
}

#[test]
fn a_counted_message_that_ends_early_is_cut() {
    assert_eq!(found(b"20 <1>short"), [(b"<1>short".to_vec(), true)]);
}

proptest! {
    #[test]
    fn however_a_stream_is_cut_the_same_messages_come_out(
        parts in prop::collection::vec("(<1>[a-z ]{0,9}\n|[0-9]{1,2} <[a-z<>0-9 \n]{0,9}|[0-9 \n\u{0}a<]{0,4})", 0..20),
        long in prop::option::of(MAX_LENGTH - 2..MAX_LENGTH + 9),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
    ) {
        let mut stream = parts.concat().into_bytes();
        if let Some(long) = long {
            stream.extend(vec![b'y'; long]);
            stream.extend_from_slice(b"\n70000 <");
            stream.extend(vec![b'z'; 70_000]);
            stream.extend_from_slice(b"<9>end\n");
        }
        let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.index(stream.len() + 1)).collect();
        cuts.sort_unstable();
        let mut pieces = Vec::new();
        let mut from = 0;
        for cut in cuts.into_iter().chain([stream.len()]) {
            pieces.push(&stream[from..cut]);
            from = cut;
        }
        prop_assert!(all(&mut Frames::default(), &pieces) == found(&stream));
        if stream.len() < 1000 {
            let bytes: Vec<_> = stream.chunks(1).collect();
            prop_assert!(all(&mut Frames::default(), &bytes) == found(&stream));
        }
    }
}
