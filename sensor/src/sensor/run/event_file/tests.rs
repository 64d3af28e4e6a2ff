use std::fs;
use std::sync::mpsc::Sender;
use std::time::Instant;

use super::*;
use crate::event::{Body, sample};
use crate::time::Timestamp;

/// An event that has a line.
fn event() -> Event {
    let body = Body::Tls(Box::default());
    Event { time: Timestamp::from_parts(1000, 0), flow: sample::flow(1, 1), body }
}

fn counter() -> IntCounter {
    IntCounter::new("dropped", "dropped").unwrap()
}

fn lines(path: &std::path::Path) -> usize {
    fs::read_to_string(path).unwrap().lines().filter(|line| !line.is_empty()).count()
}

#[test]
fn events_are_appended_and_go_on_into_the_new_file_after_a_rotation() {
    let directory = tempfile::tempdir().unwrap();
    let (path, old) = (directory.path().join("eve.json"), directory.path().join("eve.json.1"));
    fs::write(&path, "{}\n").unwrap();
    let opened = open(&Stream::File(path.clone())).unwrap();
    let mut events = EventFile::start(opened, Vec::new(), counter()).unwrap();
    events.event(&event());
    events.flush();
    fs::rename(&path, &old).unwrap();
    events.event(&event());
    events.reopen();
    for _ in 0..3 {
        events.event(&event());
    }
    events.close();
    assert_eq!((lines(&old), lines(&path)), (3, 3));
}

#[test]
fn a_full_disk_costs_events_and_each_is_counted() {
    let opened = open(&Stream::File("/dev/full".into())).unwrap();
    let dropped = counter();
    let mut events = EventFile::start(opened, Vec::new(), dropped.clone()).unwrap();
    for _ in 0..5 {
        events.event(&event());
        events.flush();
    }
    events.close();
    assert_eq!(dropped.get(), 5);
}

/// A pipe that nobody reads: writing stands still until `go` is dropped.
struct Stuck(Receiver<()>);

impl Write for Stuck {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _ = self.0.recv();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn who_writes_never_waits_for_a_reader_that_stands_still() {
    let (go, stopped): (Sender<()>, _) = mpsc::channel();
    let opened = Opened { stream: Stream::Standard, to: Box::new(Stuck(stopped)) };
    let dropped = counter();
    let mut events = EventFile::start(opened, Vec::new(), dropped.clone()).unwrap();
    let start = Instant::now();
    let number = PIECES as u64 + 100;
    for _ in 0..number {
        events.event(&event());
        events.flush();
    }
    // One is being written, and as many as there is room for wait.
    let lost = dropped.get();
    assert!((99..=100).contains(&lost), "{lost}");
    events.close();
    assert!(start.elapsed() < PATIENCE + Duration::from_secs(5));
    drop(go);
}
