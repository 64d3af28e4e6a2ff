//! What captures hold, sent once more: the fast path says of it what a sensor says that reads all.

use std::path::{Path, PathBuf};
use std::time::Instant;

use egret::capture::{Burst, LinkType, Progress, Source, file};

use super::pair::Pair;
use super::turn;

/// Frames of each real capture that are sent at most, so that all of them take their turn.
const MOST: usize = 1000;

/// Whoever reads all does so with several workers, as the kernel has several rings.
const READERS: &str = "[capture]\nworkers = 4\n";

/// The Ethernet frames of a capture as far as it can be read, at most `most`.
fn frames(path: &Path, most: usize) -> Vec<Vec<u8>> {
    let mut frames = Vec::new();
    let Ok(mut capture) = file::open(&[path.to_owned()]) else { return frames };
    while frames.len() < most {
        let mut burst = Burst::new();
        if !matches!(capture.burst(&mut burst), Ok(Progress::More)) {
            break;
        }
        let ethernet = burst.iter().filter(|frame| frame.link == LinkType::ETHERNET);
        frames.extend(ethernet.map(|frame| frame.bytes.to_vec()));
    }
    frames.truncate(most);
    frames
}

/// All files below a folder, in the order of their names.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { all.extend(files(&path)) } else { all.push(path) }
    }
    all.sort();
    all
}

/// Sends captures to a pair of sensors with these configs and compares what they say.
fn compare(captures: &[PathBuf], most: usize, configs: [&str; 2]) {
    let mut pair = Pair::start(configs);
    let frames: Vec<_> = captures.iter().map(|capture| frames(capture, most)).collect();
    let cut = frames.iter().filter(|frames| frames.len() == most).count();
    let read = frames.iter().filter(|frames| !frames.is_empty()).count();
    let start = Instant::now();
    pair.replay(&frames);
    eprintln!(
        "{read} captures of {}, of {cut} the first {most} frames: {:?} in {:.1?}",
        captures.len(),
        pair.sent,
        start.elapsed()
    );
    let [reads, counts] = pair.end();
    let (packets, bytes) = reads.sent();
    eprintln!(
        "{} messages, {} conversations of {packets} packets and {bytes} bytes, {} alerts",
        reads.messages.values().sum::<u64>(),
        reads.conversations.len(),
        reads.alerts.len(),
    );
    let differences = reads.differences(&counts);
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// The config that belongs to a capture of the tests, for a sensor that has no time to learn; with one
/// worker, as each learns for itself what a mirror cuts off, and these are cut.
fn config(capture: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/captures");
    let text = std::fs::read_to_string(folder.join(format!("{capture}.toml"))).unwrap();
    let (_, network) = text.split_once("[network]").unwrap();
    format!("[network]{network}\n[baseline]\nlearning = \"1s\"\n\n[capture]\nworkers = 1\n")
}

/// Fails when the kernel counts a packet of an estate otherwise than user space would, or keeps back
/// what should be read.
#[test]
fn captures_of_the_tests_say_the_same() {
    let Some(_turn) = turn(&[]) else { return };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/captures");
    let captures = files(&folder).into_iter();
    let captures: Vec<_> =
        captures.filter(|path| path.to_str().unwrap().contains(".pcap")).collect();
    assert!(!captures.is_empty());
    let config = config("demo");
    compare(&captures, usize::MAX, [&config, &config]);
}

/// Fails when the kernel's parser understands a packet of real networks, of broken senders or of
/// attackers otherwise than the one in user space.
#[test]
fn real_captures_say_the_same() {
    let Some(corpus) = std::env::var_os("EGRET_CORPUS").map(PathBuf::from) else {
        // Not `skip`: most machines have none.
        return eprintln!("SKIPPED: set EGRET_CORPUS to a folder of captures");
    };
    let Some(_turn) = turn(&[]) else { return };
    compare(&files(&corpus.join("pcaps")), MOST, [READERS, ""]);
}
