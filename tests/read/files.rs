//! Capture files that are damaged, or none: what is printed, and with which exit code.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::captures::{RECORD, datagrams};
use super::{directory, egret};

/// Bytes of a pcap file's header.
const HEADER: usize = 24;

/// Fails when a file that is no capture is read as one, is called something else, or the error
/// takes more than its line.
#[track_caller]
fn assert_refused(name: &str, content: &[u8], message: &str) {
    let directory = directory(name, content);
    let ran = egret().within(&directory).read(name).run();
    assert_eq!(ran.stderr, format!("egret: {message}\n"));
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""));
}

/// Fails when a capture that ends early, or is not all decoded, ends otherwise than with its
/// packets counted and a note.
#[track_caller]
fn assert_noted(name: &str, content: &[u8], packets: &str, note: &str) {
    let directory = directory(name, content);
    let ran = egret().within(&directory).read(name).run().done();
    assert_eq!(ran.summary("note"), [note]);
    let read = ran.summary("read");
    assert!(read[0].starts_with(packets), "{read:?}");
    assert_eq!(ran.stderr, "");
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::none());
    packed.write_all(content).unwrap();
    packed.finish().unwrap()
}

#[test]
fn an_empty_file() {
    assert_refused(
        "empty.pcap",
        b"",
        "empty.pcap: is empty; expected a pcap or pcapng capture: was it written to the end?",
    );
}

#[test]
fn an_empty_file_once_unpacked() {
    assert_refused(
        "empty.pcap.gz",
        &gzip(b""),
        "empty.pcap.gz: is empty once unpacked from gzip; expected a pcap or pcapng capture: was it \
         written to the end?",
    );
}

#[test]
fn a_text_file() {
    assert_refused(
        "notes.txt",
        b"Minutes of the meeting\nPresent: all\n",
        "notes.txt: is no capture: starts with \"Minutes of the m\"; expected pcap or pcapng, plain \
         or in gzip, zstd or lz4",
    );
}

#[test]
fn a_text_file_that_would_move_the_cursor() {
    assert_refused(
        "notes.txt",
        b"\x1b[2J\x1b]0;title\x07\n",
        r#"notes.txt: is no capture: starts with "\x1b[2J\x1b]0;title\x07\n"; expected pcap or pcapng, plain or in gzip, zstd or lz4"#,
    );
}

#[test]
fn a_cut_file_header() {
    assert_refused(
        "cut.pcap",
        &datagrams(1)[..10],
        "cut.pcap: the pcap file header cannot be read: expected 24 bytes, found 10; copy it again, \
         or convert it with editcap",
    );
}

#[test]
fn a_file_header_alone_is_a_capture_without_packets() {
    let directory = directory("idle.pcap", datagrams(0));
    let ran = egret().within(&directory).read("idle.pcap").run().done();
    assert_eq!(ran.summary("capture"), ["no packets"]);
    assert_eq!(ran.summary("note"), [""; 0]);
}

#[test]
fn another_version_of_the_format() {
    let mut file = datagrams(1);
    file[4] = 9;
    assert_refused(
        "new.pcap",
        &file,
        "new.pcap: the pcap file header cannot be read: it is of version 9, expected 2; copy it \
         again, or convert it with editcap",
    );
}

#[test]
fn a_cut_pcapng_header() {
    assert_refused(
        "cut.pcapng",
        &[0x0a, 0x0d, 0x0d, 0x0a, 28, 0, 0, 0, 0x4d, 0x3c, 0x2b, 0x1a, 1, 0],
        "cut.pcapng: the pcapng file header cannot be read: a block is cut after 14 bytes; copy it \
         again, or convert it with editcap",
    );
}

#[test]
fn a_cut_packet() {
    let file = datagrams(3);
    assert_noted(
        "cut.pcap",
        &file[..file.len() - 10],
        "2 packets, 120 B,",
        "cut.pcap: ends early at byte 176: a packet is cut after 66 bytes; the 2 packets before it \
         were read",
    );
}

#[test]
fn a_cut_record_header() {
    assert_noted(
        "cut.pcap",
        &datagrams(2)[..HEADER + RECORD + 7],
        "1 packet, 60 B,",
        "cut.pcap: ends early at byte 100: a record header is cut after 7 bytes; the packet before \
         it was read",
    );
}

#[test]
fn a_record_of_absurd_length() {
    let mut file = datagrams(3);
    file[HEADER + 2 * RECORD + 8..][..4].copy_from_slice(&0x7fff_ffff_u32.to_le_bytes());
    assert_noted(
        "odd.pcap",
        &file,
        "2 packets, 120 B,",
        "odd.pcap: ends early at byte 176: record claims 2147483647 captured bytes, expected at most \
         262144; the 2 packets before it were read",
    );
}

#[test]
fn a_link_type_that_is_not_decoded() {
    let mut file = datagrams(3);
    file[20] = 147; // for private use, never a link
    let note = "private.pcap: link type 147 is not decoded, its packets are refused; capture on \
                Ethernet, raw IP, Linux cooked (SLL, SLL2) or BSD loopback";
    assert_noted("private.pcap", &file, "3 packets, 180 B,", note);

    let directory = directory("private.pcap", &file);
    let ran = egret().within(&directory).read("private.pcap").arg("--json").run().done();
    let summary = &ran.json()[0];
    assert_eq!(summary["refused"]["link"]["unsupported_type"], 3);
    assert_eq!((&summary["packets"], &summary["flows"]), (&3.into(), &0.into()));
    assert_eq!(summary["notes"][0], note);
}

#[test]
fn gzip_that_is_damaged_before_the_capture_in_it() {
    assert_refused(
        "bad.pcap.gz",
        b"\x1f\x8bjunkjunkjunkjunk",
        "bad.pcap.gz: the gzip data cannot be unpacked: invalid gzip header; copy the file \
         again",
    );
}

#[test]
fn gzip_that_is_damaged_within_the_capture() {
    // What one step unpacks is lost with what is damaged in it, so it takes more than a step.
    let capture = datagrams(4000);
    let (start, rest) = capture.split_at(HEADER + 3900 * RECORD + 30);
    let mut packed = GzEncoder::new(Vec::new(), Compression::none());
    packed.write_all(start).unwrap();
    packed.flush().unwrap();
    let at = packed.get_ref().len();
    packed.write_all(rest).unwrap();
    let mut file = packed.finish().unwrap();
    // A block of a type that does not exist.
    file[at] = 7;
    assert_noted(
        "bad.pcap.gz",
        &file,
        "3,448 packets, 206.9 kB,",
        "bad.pcap.gz: ends early at byte 262072: the gzip data break off: corrupt deflate stream; the 3448 \
         packets before it were read",
    );
}

#[test]
fn gzip_that_is_cut() {
    let file = gzip(&datagrams(3));
    assert_noted(
        "cut.pcap.gz",
        &file[..10 + 5 + HEADER + 2 * RECORD + 30],
        "2 packets, 120 B,",
        "cut.pcap.gz: ends early at byte 176: the gzip data break off: incomplete deflate stream; the 2 \
         packets before it were read",
    );
}

#[test]
fn the_second_file_is_named_when_it_is_the_bad_one() {
    let directory = directory("good.pcap", datagrams(1));
    let ran = egret().within(&directory).read("good.pcap").read("bad.pcap").run();
    assert!(ran.stderr.starts_with("egret: bad.pcap: cannot be opened:"), "{}", ran.stderr);
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""));
}

#[test]
fn standard_input_that_is_empty_or_no_capture() {
    for (input, message) in [
        (&b""[..], "is empty; expected a pcap or pcapng capture: was it written to the end?"),
        (
            b"hi\n",
            r#"is no capture: starts with "hi\n"; expected pcap or pcapng, plain or in gzip, zstd or lz4"#,
        ),
    ] {
        let ran = egret().read("-").input(input).run();
        assert_eq!(ran.stderr, format!("egret: standard input: {message}\n"));
        assert_eq!(ran.code, 1);
    }
}
