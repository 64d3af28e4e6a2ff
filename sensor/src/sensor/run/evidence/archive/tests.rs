use std::sync::RwLock;
use std::sync::mpsc::channel;

use tempfile::TempDir;

use super::*;
use crate::alert::Analytic;
use crate::capture::LinkType;
use crate::evidence::{self, Subject};
use crate::metrics::Metrics;
use crate::status::Status;
use crate::time::Timestamp;

const ID: Uuid = Uuid::from_u128(7);

/// An archive of two workers that are played here.
struct Scene {
    archive: Archive,
    teller: Teller,
    orders: Vec<mpsc::Receiver<Order>>,
    metrics: Metrics,
    status: status::Shared,
    folder: TempDir,
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let metrics = Metrics::new().unwrap();
        let (teller, messages) = Teller::new(metrics.evidence.clone());
        let (workers, orders) = (0..2)
            .map(|_| {
                let (orders, receiver) = channel();
                (Memory::Works(orders, Arc::new(Pulse::new(0))), receiver)
            })
            .unzip();
        let data_dir = folder.path().join("data");
        std::fs::create_dir(&data_dir).unwrap();
        let place = Place { data_dir, limit: 1 << 20, names: Vec::new() };
        let status: status::Shared = Arc::new(RwLock::new(Status::default()));
        let channel = (teller.clone(), messages);
        let archive = Archive::new(place, workers, channel, Arc::clone(&status));
        Self { archive, teller, orders, metrics, status, folder }
    }

    fn raise(&mut self, flow: u64) {
        let subject = Subject { id: ID, analytic: Analytic::AN1416, title: String::new() };
        self.teller.awaited.send_modify(|awaited| assert!(awaited.insert(ID)));
        self.archive.take(Message::Raised(vec![Request { subject, flow }]));
    }

    /// The search that a worker is asked to make.
    fn asked(&self, worker: usize) -> Option<(u64, u64)> {
        match self.orders[worker].try_recv() {
            Ok(Order::Find(ticket, flow)) => Some((ticket, flow)),
            Ok(other) => panic!("{other:?}"),
            Err(_) => None,
        }
    }

    fn answer(&mut self, worker: usize, ticket: u64, times: &[u64]) {
        let packets = times.iter().map(|time| packet(*time)).collect();
        self.archive.take(Message::Found(Found { worker, ticket, packets }));
    }

    /// How many packets are kept.
    fn kept(&self) -> usize {
        let file = evidence::read(&self.archive.place.data_dir, ID).unwrap_or_default();
        file.windows(4).filter(|four| four == b"\xaa\xbb\xcc\xdd").count()
    }

    fn is_awaited(&self) -> bool {
        self.teller.awaited().borrow().contains(&ID)
    }

    fn counted(&self, result: &str) -> bool {
        let text = self.metrics.text().unwrap();
        text.contains(&format!("egret_evidence_lookups_total{{result=\"{result}\"}} 1"))
    }
}

fn packet(time: u64) -> Packet {
    Packet {
        time: Timestamp::from_nanos(time),
        wire_len: 60,
        link: LinkType::ETHERNET,
        interface: None,
        bytes: vec![0xaa, 0xbb, 0xcc, 0xdd],
    }
}

#[test]
fn what_all_workers_have_is_kept_once_all_have_answered() {
    let mut scene = Scene::new();
    scene.raise(5);
    let Some((ticket, 5)) = scene.asked(0) else { panic!("it was not asked") };
    assert_eq!(scene.asked(1), Some((ticket, 5)));
    scene.answer(0, ticket, &[3, 4]);
    scene.answer(0, ticket, &[8]);
    assert_eq!(scene.kept(), 0, "the other has not answered");
    assert!(scene.is_awaited());
    scene.answer(1, ticket, &[1]);
    assert_eq!(scene.kept(), 3);
    assert!(!scene.is_awaited() && scene.counted("kept"));
}

#[test]
fn a_worker_that_does_not_answer_is_not_waited_for_longer_than_a_second() {
    let mut scene = Scene::new();
    scene.raise(5);
    let (ticket, _) = scene.asked(0).unwrap();
    scene.answer(0, ticket, &[3]);
    scene.archive.look(Instant::now());
    assert!(scene.is_awaited());
    scene.archive.look(Instant::now() + PATIENCE);
    assert_eq!((scene.kept(), scene.is_awaited()), (1, false));
    // It is late.
    scene.answer(1, ticket, &[4]);
    assert_eq!(scene.kept(), 1);
}

#[test]
fn it_is_looked_again_for_what_came_behind_the_alert() {
    let mut scene = Scene::new();
    scene.raise(5);
    for worker in 0..2 {
        let (ticket, _) = scene.asked(worker).unwrap();
        scene.answer(worker, ticket, if worker == 0 { &[1, 2] } else { &[] });
    }
    scene.archive.look(Instant::now());
    assert_eq!(scene.asked(0), None);
    scene.archive.look(Instant::now() + LATER);
    for worker in 0..2 {
        let (ticket, _) = scene.asked(worker).unwrap();
        scene.answer(worker, ticket, if worker == 0 { &[1, 2, 3] } else { &[] });
    }
    assert_eq!(scene.kept(), 3);
    scene.archive.look(Instant::now() + 10 * LATER);
    assert_eq!(scene.asked(0), None, "once is enough");
    assert!(scene.counted("kept"), "and counts no more");
}

#[test]
fn what_a_worker_leaves_behind_is_looked_through() {
    let mut scene = Scene::new();
    let mut recent = Recent::new(0);
    let frame = crate::capture::Frame {
        time: Timestamp::from_nanos(9),
        wire_len: 4,
        link: LinkType::ETHERNET,
        vlan: None,
        mark: None,
        bytes: b"\xaa\xbb\xcc\xdd",
    };
    recent.put(5, &frame, 100);
    scene.raise(5);
    let (ticket, _) = scene.asked(1).unwrap();
    scene.answer(1, ticket, &[1]);
    scene.archive.take(Message::Left(0, Box::new(recent)));
    assert_eq!(scene.kept(), 2, "asked before it ended");
    drop(scene.orders.remove(1));
    scene.raise(5);
    assert!(!scene.is_awaited() && scene.counted("known"), "asked when both have ended");
}

#[test]
fn a_folder_that_cannot_be_used_is_told_until_it_can() {
    let mut scene = Scene::new();
    scene.archive.workers.clear();
    scene.archive.workers.push(Memory::Left(Box::new(Recent::new(0))));
    let folder = scene.archive.place.data_dir.join(evidence::FOLDER);
    std::fs::write(&folder, "a file").unwrap();
    scene.raise(5);
    let error = scene.status.read().unwrap().evidence_error.clone().unwrap();
    assert!(error.contains("cannot be kept"), "{error}");
    assert!(scene.counted("failed") && !scene.is_awaited());
    std::fs::remove_file(&folder).unwrap();
    scene.raise(6);
    assert_eq!(scene.status.read().unwrap().evidence_error, None);
    assert!(scene.counted("none"));
    assert!(scene.metrics.text().unwrap().contains("egret_evidence_failing 0"));
    drop(scene.folder);
}
