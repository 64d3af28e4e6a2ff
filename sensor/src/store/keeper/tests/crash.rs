//! kill -9 at any moment loses nothing that was told.

use std::hash::{BuildHasher, RandomState};
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use super::*;

/// Where the child keeps its database, and at which number it begins.
const DIRECTORY: &str = "EGRET_CRASH_DIRECTORY";
const FIRST: &str = "EGRET_CRASH_FIRST";
const TOLD: &str = "committed ";

const ROUNDS: u64 = 30;

/// Raises alerts until it is killed, and prints each once it is told that it is on disk.
#[test]
fn child() {
    let Some(directory) = std::env::var_os(DIRECTORY) else { return };
    let first: u64 = std::env::var(FIRST).unwrap().parse().unwrap();
    let wiring = Wiring {
        clock: || NOW,
        on_committed: Box::new(|alerts| {
            let mut to = std::io::stdout().lock();
            for alert in alerts {
                writeln!(to, "\n{TOLD}{}", alert.id).unwrap();
            }
            to.flush().unwrap();
        }),
        on_removed: Box::new(|_| {}),
    };
    let store = Store::open(Path::new(&directory)).unwrap();
    let keeper = Keeper::start(store, soc(), Metrics::new().unwrap(), wiring).unwrap();
    for number in first.. {
        // New ones, a change of an earlier one, and sometimes something learned.
        keeper.raise(vec![numbered(number), Alert { count: 9, ..numbered(number / 2) }]);
        if number % 16 == 0 {
            let learned = AssetBaseline { first_seen: number, ..AssetBaseline::default() };
            keeper.keep_baseline(Baseline {
                assets: [("app".to_owned(), learned)].into(),
                ..Baseline::default()
            });
        }
        thread::sleep(Duration::from_micros(number % 7 * 100));
    }
}

#[test]
fn a_killed_sensor_has_what_it_told_of() {
    let directory = tempfile::tempdir().unwrap();
    let mut told = Vec::new();
    for round in 0..ROUNDS {
        let before = told.len();
        let patience = Duration::from_micros(RandomState::new().hash_one(round) % 150_000);
        told.extend(killed_after(directory.path(), round * 1_000_000, patience));
        assert!(told.len() > before, "the child of round {round} did nothing");
        let store = Store::open(directory.path()).unwrap();
        assert_eq!(store.quarantined(), None, "round {round}");
        for id in &told {
            assert!(store.alert(*id).unwrap().is_some(), "round {round}: {id} is lost");
            assert_eq!(store.owed(*id).unwrap().len(), 1, "round {round}: {id} is owed to nobody");
        }
    }
    println!("{} states told in {ROUNDS} lives, none lost", told.len());
}

/// What a child told of until it was killed, so long after it first told of something.
fn killed_after(directory: &Path, first: u64, patience: Duration) -> Vec<Uuid> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "store::keeper::tests::crash::child", "--nocapture"])
        .env(DIRECTORY, directory)
        .env(FIRST, first.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let mut told = Vec::new();
    let mut line = String::new();
    let mut killer = Some(child);
    while lines.read_line(&mut line).unwrap() > 0 {
        if let Some(id) = line.strip_prefix(TOLD)
            && let Some(id) = id.strip_suffix('\n')
        {
            told.push(id.parse().unwrap());
            if let Some(mut child) = killer.take() {
                thread::spawn(move || {
                    thread::sleep(patience);
                    child.kill().unwrap();
                    child.wait().unwrap();
                });
            }
        }
        line.clear();
    }
    told
}
