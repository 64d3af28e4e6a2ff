use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::*;
use crate::alert::Analytic;
use crate::detect::channels::CHANNELS;
use crate::event::Service;

/// Of the names and channels of all rows, in their order, as ATT&CK published them.
const PUBLISHED: &str = "68788ac09f4d179e1a0b23258471fb7b82b470a21a8d4d376fb8d09fb81d480d";

/// Types of events that rows may name: docs/events.md has their fields.
const EVENTS: [&str; 5] = ["flow", "dns", "tls", "alert", "audit"];

#[test]
fn the_table_has_the_rows_that_were_published_and_no_others() {
    let all: Vec<Row> = rows().collect();
    assert_eq!((all.len(), lines().count()), (155, 155), "a line is no row");
    let named: Vec<String> =
        all.iter().map(|row| format!("{} | {}", row.name, row.channel)).collect();
    let digest: String =
        Sha256::digest(named.join("\n")).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(digest, PUBLISHED);
}

#[test]
fn every_row_says_who_serves_it_and_what_proves_that_or_why_nobody_does() {
    for row in rows() {
        let said = format!("{}: {}", row.name, row.channel);
        assert!("NLJH".contains(row.class()), "{said}");
        if row.class() == 'H' {
            assert!(row.served.is_empty() && row.proved.is_empty() && row.note.is_some(), "{said}");
        } else {
            assert!(!row.served.is_empty() && !row.proved.is_empty(), "{said}");
        }
    }
}

#[test]
fn whoever_serves_a_row_exists() {
    for row in rows() {
        for served in &row.served {
            let is_detector = CHANNELS.iter().any(|detector| detector.name == *served);
            let is_analytic = Analytic::ALL.iter().any(|analytic| analytic.name() == *served);
            let is_event = served.strip_prefix("events:").is_some_and(|of| EVENTS.contains(&of));
            let is_feed = served
                .strip_prefix("feed:")
                .is_some_and(|feed| Service::ALL.iter().any(|service| service.name() == feed));
            let who = format!("{served} of {}: {}", row.name, row.channel);
            assert!(is_detector || is_analytic || is_event || is_feed, "{who}");
        }
    }
}

/// Fails when a detector is of no use to the table.
#[test]
fn every_detector_serves_a_row() {
    /// What no row asks for, and what is told all the same.
    const BESIDES: [&str; 1] = ["telnet"];
    let serving: BTreeSet<&str> = rows().flat_map(|row| row.served).collect();
    for detector in CHANNELS {
        let serves = serving.contains(detector.name) || BESIDES.contains(&detector.name);
        assert!(serves, "{}", detector.name);
    }
}

#[test]
fn every_test_that_is_named_is_in_the_source() {
    let sensor = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut tests = BTreeSet::new();
    collect(&sensor.join("src"), &mut tests);
    collect(&sensor.join("../tests"), &mut tests);
    for row in rows() {
        for proof in &row.proved {
            assert!(tests.contains(*proof), "{proof} of {}: {}", row.name, row.channel);
        }
    }
}

/// The names of all functions without arguments that follow `#[test]`.
fn collect(folder: &Path, tests: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, tests);
        } else if path.extension().is_some_and(|end| end == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            for after in text.split("#[test]\n").skip(1) {
                let name =
                    after.trim_start().strip_prefix("fn ").and_then(|rest| rest.split_once("()"));
                tests.extend(name.map(|(name, _)| name.to_owned()));
            }
        }
    }
}
