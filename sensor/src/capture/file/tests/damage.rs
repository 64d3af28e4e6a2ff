//! What is no capture is an error; what is cut or damaged gives what comes before, and a note.

use std::io::Write as _;
use std::path::PathBuf;

use proptest::prelude::*;

use super::write::{self, BIG, LITTLE, Packet};
use super::{Captures, Seen, drain, note, packets_of, read};
use crate::capture::file::{CaptureError, open};

/// The one line that says why a file of this content cannot be read, without its name.
fn refusal(content: &[u8]) -> String {
    let error = read(&[content.to_vec()]).expect_err("refused").to_string();
    assert!(!error.contains('\n'), "{error}");
    let (name, reason) = error.split_once(": ").unwrap();
    assert!(name.ends_with("/0.pcap"), "{error}");
    reason.to_owned()
}

#[test]
fn what_is_no_capture_is_said_so() {
    let text = refusal(b"Nov 20 14:03:11 esxi-01 Hostd: ...\n");
    assert!(
        text.starts_with("is no capture: starts with \"Nov 20 14:03:11 \"; expected"),
        "{text}"
    );
    let packed = refusal(&write::gzip(b"a\x1b[31m"));
    assert!(packed.contains("starts with \"a\\x1b[31m\" once unpacked from gzip"), "{packed}");
    assert!(refusal(b"").starts_with("is empty; expected"));
    assert!(refusal(&write::lz4(b"")).starts_with("is empty once unpacked from lz4; expected"));
    let broken = refusal(&[0x1f, 0x8b, 8, 0, 0, 0]);
    assert!(broken.starts_with("the gzip data cannot be unpacked: "), "{broken}");
    let other_version = [&[0xd4, 0xc3, 0xb2, 0xa1, 1, 0, 1, 0][..], &[0; 16]].concat();
    assert!(refusal(&other_version).contains("version 1, expected 2"));
}

#[test]
fn a_cut_file_header_is_an_error() {
    let pcap = write::plain(&[]);
    for length in 4..pcap.len() {
        let reason = format!("expected 24 bytes, found {length}");
        assert!(refusal(&pcap[..length]).contains(&reason), "{length}");
    }
    let section = write::section(BIG);
    for length in 4..section.len() {
        let error = refusal(&section[..length]);
        assert!(error.starts_with("the pcapng file header cannot be read: "), "{error}");
    }
}

#[test]
fn files_that_cannot_be_opened_say_what_to_do() {
    let directory = tempfile::tempdir().unwrap();
    let error = |path: PathBuf| open(&[path]).expect_err("refused").to_string();
    assert!(
        error(directory.path().into()).contains("is a directory; give the capture files in it")
    );
    let missing = error(directory.path().join("none.pcap"));
    assert!(missing.contains("cannot be opened: No such file"), "{missing}");
}

#[test]
fn a_pipe_is_read_as_it_comes() {
    let packets = write::packets(500);
    let file = write::plain(&packets);
    let (reader, mut writer) = std::io::pipe().unwrap();
    let path = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&reader));
    let writing = std::thread::spawn(move || {
        for part in file.chunks(7).take(2) {
            writer.write_all(part).unwrap();
        }
        writer.write_all(&file[14..]).unwrap();
    });
    let files = open(&[path.into()]).unwrap();
    writing.join().unwrap();
    let (seen, stats) = drain(files).unwrap();
    assert!(seen.into_iter().map(|(_, packet)| packet).eq(packets));
    assert_eq!(stats.bytes_total, None);
}

#[test]
fn a_cut_record_ends_the_capture_with_a_note() {
    let packets = write::packets(3);
    let file = write::plain(&packets);
    let start = file.len() - packets[2].bytes.len() - 16;
    for length in start..=file.len() {
        let (seen, stats) = read(&[file[..length].to_vec()]).unwrap();
        let left = length - start;
        let what = match left {
            0 => return assert_eq!((seen.len(), stats.notes.len()), (2, 0)),
            1..16 => "a record header",
            16..38 => "a packet",
            _ => return assert_eq!((seen.len(), stats.notes.len()), (3, 0)),
        };
        assert_eq!(seen.len(), 2);
        let expected = format!("ends early at byte {start}: {what} is cut after {left} bytes");
        assert!(note(&stats).contains(&expected), "{}", note(&stats));
    }
}

#[test]
fn an_absurd_record_ends_the_capture_with_a_note() {
    let mut file = write::plain(&write::packets(2));
    let at = file.len();
    file.extend(write::plain(&write::packets(1)).split_off(24));
    file[at + 8..at + 12].copy_from_slice(&262_145_u32.to_le_bytes());
    for content in [file.clone(), write::gzip(&file)] {
        let (seen, stats) = read(&[content]).unwrap();
        assert_eq!(seen.len(), 2);
        let expected = format!("at byte {at}: record claims 262145 captured bytes");
        assert!(note(&stats).contains(&expected), "{}", note(&stats));
    }
}

#[test]
fn a_damaged_block_ends_the_capture_with_a_note() {
    let packets = write::packets(2);
    let file = write::pcapng(BIG, &packets);
    let last = file.len() - write::enhanced(BIG, 0, 0, &packets[1]).len();
    let with = |at: usize, number: u32| {
        let mut file = file.clone();
        file[at..at + 4].copy_from_slice(&number.to_be_bytes());
        let (seen, stats) = read(&[file]).unwrap();
        assert_eq!(seen.len(), 1);
        note(&stats).to_owned()
    };
    for length in [0, 8, 33, u32::MAX, u32::MAX - 3, 1 << 25] {
        let note = with(last + 4, length);
        assert!(note.contains(&format!("at byte {last}: block claims {length} bytes")), "{note}");
    }
    assert!(with(file.len() - 4, 52).contains("at its start and 52 at its end"));
}

#[test]
fn packed_data_that_break_give_what_came_before() {
    let packets = write::packets(20_000);
    let file = write::plain(&packets);
    for pack in [write::gzip, write::zstd, write::lz4] {
        let packed = pack(&file);
        let (seen, stats) = read(&[packed[..packed.len() - 5].to_vec()]).unwrap();
        assert!(!seen.is_empty());
        assert!(seen.iter().map(|(_, packet)| packet).eq(packets.iter().take(seen.len())));
        assert!(note(&stats).contains("data break off: "), "{}", note(&stats));
    }
}

#[test]
fn lz4_cut_between_blocks_is_told_from_its_end() {
    let file = write::plain(&write::packets(20_000));
    let packed = write::lz4(&file);
    // Without the end mark, which is all that a cut between blocks leaves out.
    let cut = packed.strip_suffix(&[0; 4]).unwrap();
    assert!(note(&read(&[cut.to_vec()]).unwrap().1).contains("cut in a frame"));
}

/// Small captures of every form.
fn samples() -> Vec<Vec<u8>> {
    let packets = write::packets(3);
    let mut mixed = write::pcapng(BIG, &packets);
    mixed.extend(write::statistics(BIG, 0, 4));
    mixed.extend(write::block(BIG, 3, &[BIG.u32(8), *b"byte", *b"more"].concat()));
    mixed.extend(write::pcapng(LITTLE, &packets));
    let plain = write::plain(&packets);
    let packed = [write::gzip, write::zstd, write::lz4].map(|pack| pack(&plain));
    [vec![plain, mixed], packed.to_vec()].concat()
}

#[test]
fn every_prefix_gives_a_prefix_of_the_packets() {
    let captures = Captures::new(&[vec![]]);
    for sample in samples() {
        let whole = packets_of(sample.clone());
        for length in 0..sample.len() {
            if let Ok((seen, _)) = captures.read_as(&sample[..length]) {
                assert!(seen.len() <= whole.len());
                assert!(seen.iter().map(|(_, packet)| packet).eq(whole.iter().take(seen.len())));
            }
        }
    }
}

#[test]
fn every_changed_byte_is_read_or_refused() {
    let captures = Captures::new(&[vec![]]);
    for sample in samples() {
        for at in 0..sample.len() {
            for change in [0x01, 0x80, 0xff] {
                let mut changed = sample.clone();
                changed[at] ^= change;
                bounded(&changed, captures.read_as(&changed));
            }
        }
    }
}

/// Whatever the content, no more comes out than is in it, unpacked.
fn bounded(content: &[u8], seen: Result<Seen, CaptureError>) {
    let Ok((seen, stats)) = seen else { return };
    let bytes: usize = seen.iter().map(|(_, packet): &(_, Packet)| packet.bytes.len()).sum();
    assert!(bytes <= 1000 * content.len());
    assert!(stats.notes.iter().all(|note| !note.contains('\n')));
}

proptest! {
    #[test]
    fn any_bytes_behind_a_file_header_are_read_or_refused(
        header in prop::sample::select(vec![write::plain(&[]), write::pcapng(LITTLE, &[])]),
        bytes in prop::collection::vec(any::<u8>(), 0..600),
    ) {
        let content = [header, bytes].concat();
        bounded(&content, read(std::slice::from_ref(&content)));
    }

    #[test]
    fn any_block_is_read_or_passed_over(
        kind in 0_u32..12,
        body in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let packets = write::packets(2);
        let mut file = write::pcapng(LITTLE, &packets[..1]);
        file.extend(write::block(LITTLE, kind, &body));
        file.extend(write::enhanced(LITTLE, 0, 5, &packets[1]));
        let (seen, stats) = read(&[file]).unwrap();
        prop_assert!((2..=3).contains(&(seen.len() as u64)));
        prop_assert!(stats.invalid + seen.len() as u64 <= 3);
    }
}
