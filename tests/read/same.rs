//! The same packets give the same bytes, however they are brought.

use std::fs;
use std::io::Write;
use std::path::Path;

use egret_tests::egret::Egret;
use egret_tests::scenario::SECOND;
use egret_tests::traffic::START;
use egret_tests::wire::split;

use super::captures::{RESOLVER, office};
use super::{directory, egret};

/// Events and alerts of reading `files`, as they were written.
fn results(directory: &Path, files: &[&str]) -> [String; 2] {
    results_of(files.iter().fold(egret().within(directory), Egret::read), directory)
}

fn results_of(run: Egret, directory: &Path) -> [String; 2] {
    let _ = run.args("--events eve.json --alerts alerts.json").run().done();
    ["eve.json", "alerts.json"].map(|name| fs::read_to_string(directory.join(name)).unwrap())
}

/// Fails when output follows a clock, a hash seed or an address in memory.
#[test]
fn read_twice() {
    let directory = directory("office.pcap", office());
    let first = results(directory.path(), &["office.pcap"]);
    assert!(first[0].lines().count() > 100, "{}", first[0]);
    assert_eq!(results(directory.path(), &["office.pcap"]), first);
}

/// Fails when conversations do not go on over the end of a file, or the order of arguments counts.
#[test]
fn cut_in_two_at_any_time() {
    let office = office();
    let directory = directory("office.pcap", &office);
    let whole = results(directory.path(), &["office.pcap"]);
    // Between conversations, in the middle of a session, and between a hello and its answer.
    for cut in [59 * SECOND, 625 * SECOND, SECOND + 15_000_000] {
        let parts = split(&office, |time, _| time < START + cut);
        fs::write(directory.path().join("a.pcap"), &parts[0]).unwrap();
        fs::write(directory.path().join("b.pcap"), &parts[1]).unwrap();
        assert!(results(directory.path(), &["a.pcap", "b.pcap"]) == whole, "cut at {cut}");
        assert!(results(directory.path(), &["b.pcap", "a.pcap"]) == whole, "cut at {cut}");
    }
}

/// Fails when files are not merged packet by packet, as two taps of one link need it.
#[test]
fn one_file_for_each_direction() {
    let office = office();
    let directory = directory("office.pcap", &office);
    let whole = results(directory.path(), &["office.pcap"]);
    // The IPv4 source: guests are in 10.20.0.0/16, the resolver answers.
    let from_guest = |_, frame: &[u8]| frame[26..28] == [10, 20];
    let [up, down] = split(&office, from_guest);
    assert!(!RESOLVER.starts_with("10.20.") && up.len() > 24 && down.len() > 24);
    fs::write(directory.path().join("up.pcap"), up).unwrap();
    fs::write(directory.path().join("down.pcap"), down).unwrap();
    assert!(results(directory.path(), &["up.pcap", "down.pcap"]) == whole);
    assert!(results(directory.path(), &["down.pcap", "up.pcap"]) == whole);
}

/// Fails when a stream loses what a file gives, at its start or its end.
#[test]
fn from_standard_input_and_packed() {
    let office = office();
    let directory = directory("office.pcap", &office);
    let plain = results(directory.path(), &["office.pcap"]);

    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&office).unwrap();
    let gzip = gzip.finish().unwrap();
    let zstd = zstd::encode_all(&office[..], 1).unwrap();
    let mut lz4 = lz4_flex::frame::FrameEncoder::new(Vec::new());
    lz4.write_all(&office).unwrap();
    let lz4 = lz4.finish().unwrap();

    for bytes in [&office, &gzip, &zstd, &lz4] {
        // Content decides, never the name.
        fs::write(directory.path().join("packed"), bytes).unwrap();
        assert!(results(directory.path(), &["packed"]) == plain);
        let run = egret().within(&directory).read("-").input(bytes);
        assert!(results_of(run, directory.path()) == plain);
    }
}
