//! Real captures against the counts of other readers, where a collection of them is at hand:
//! `EGRET_CORPUS` names a directory with `pcaps/GROUP/FILE` and `truth/GROUP.jsonl`.

use std::path::{Path, PathBuf};
use std::{env, fs};

use super::{drain, open};

#[test]
fn packets_are_as_many_as_two_other_readers_count() {
    let Some(corpus) = env::var_os("EGRET_CORPUS").map(PathBuf::from) else {
        return eprintln!("SKIPPED: EGRET_CORPUS names no directory of captures");
    };
    let mut checked = 0;
    for entry in fs::read_dir(corpus.join("truth")).unwrap() {
        let truth = fs::read_to_string(entry.unwrap().path()).unwrap();
        checked += truth.lines().filter(|line| check(&corpus, line)).count();
    }
    assert!(checked > 0, "no counts in {}", corpus.display());
    eprintln!("{checked} captures checked");
}

/// Checks a line of the truth, if it counts packets and both readers agree.
fn check(corpus: &Path, line: &str) -> bool {
    let truth: serde_json::Value = serde_json::from_str(line).unwrap();
    if truth["t"] != "file" || truth["packets"] != truth["packets_own_reader"] {
        return false;
    }
    let file = truth["file"].as_str().unwrap();
    let seen = open(&[corpus.join("pcaps").join(file)]).and_then(drain);
    let (seen, stats) = seen.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(truth["packets"], seen.len(), "{file}: {stats:?}");
    true
}
