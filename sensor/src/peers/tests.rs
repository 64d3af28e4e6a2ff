use std::collections::BTreeMap;

use super::*;
use crate::config::Config;
use crate::decode::{Mac, Vlans, protocol};
use crate::event::{Body, Endpoint, Event, Flow, TlsSession};
use crate::inventory::Identity;

const DAY: u64 = 86_400;
const EVERY: Duration = Duration::from_secs(300);

fn time(seconds: u64) -> Timestamp {
    Timestamp::from_parts(20_000 * DAY + seconds, 0)
}

/// What all sensors wrote last, by key and sensor, as a bucket has it.
#[derive(Default)]
struct Bucket(BTreeMap<(String, String), Vec<u8>>, BTreeMap<u8, Places>);

/// A sensor of the fleet: an engine, and both ends of what is between it and the bucket.
struct Sensor {
    name: &'static str,
    engine: Engine,
    peers: Peers,
    exchange: Exchange,
    flows: u64,
}

impl Sensor {
    fn new(name: &'static str) -> Self {
        let mut config = Config::default();
        config.sensor.name = name.to_owned();
        let mut engine = Engine::new(&config, None, None);
        engine.join_fleet(name, Duration::from_secs(2));
        let (peers, exchange) = pair(EVERY);
        Self { name, engine, peers, exchange, flows: 0 }
    }

    /// A guest of that number says hello to a server.
    fn visit(&mut self, at: u64, guest: u16, name: &str) {
        self.flows += 1;
        let [high, low] = guest.to_be_bytes();
        let mac = Some(Mac([0x00, 0x50, 0x56, 0x80, high, low]));
        let client = Endpoint { address: [10, 1, high, low].into(), port: 40_000, mac };
        let server = Endpoint { address: [198, 51, 100, 7].into(), port: 443, mac: None };
        let flow = Flow {
            id: self.flows,
            slot: 0,
            client,
            server,
            protocol: protocol::TCP,
            vlans: Vlans::new(),
            interface: None,
            tunnel: None,
            opened: time(at),
        };
        let session = TlsSession { sni: Some(name.into()), hello: time(at), ..Default::default() };
        self.engine.event(&Event { time: time(at), flow, body: Body::Hello(Box::new(session)) });
    }

    /// A turn, and what the fleet's task makes of it.
    fn turn(&mut self, at: u64, bucket: &mut Bucket) {
        self.peers.turn(&mut self.engine, time(at));
        while let Ok(told) = self.exchange.told.try_recv() {
            match told {
                Told::Learned(learned) => {
                    let key = (learned.identity.key(), self.name.to_owned());
                    bucket.0.insert(key, learned.to_json());
                }
                Told::Ask(unknown) => self.answer(at, &unknown, bucket),
                Told::Places(places) => {
                    bucket.1.insert(places.part, *places);
                }
            }
        }
        self.peers.turn(&mut self.engine, time(at));
    }

    fn answer(&mut self, at: u64, unknown: &Unknown, bucket: &Bucket) {
        for key in unknown.identities.iter().map(Identity::key) {
            for ((_, sensor), bytes) in bucket.0.iter().filter(|((known, _), _)| *known == key) {
                let read = Learned::read(bytes, sensor, time(at)).unwrap();
                self.hear(at, Heard::Learned(Box::new(read)));
            }
        }
        self.hear(at, Heard::Answered(unknown.name.clone()));
    }

    fn hear(&mut self, at: u64, mut heard: Heard) {
        while let Err(TrySendError::Full(back)) = self.exchange.heard.try_send(heard) {
            heard = back;
            self.peers.turn(&mut self.engine, time(at));
        }
    }

    fn destinations(&self, guest: u8) -> Vec<String> {
        let assets = self.engine.baseline().assets;
        let learned = assets.get(&format!("10.1.0.{guest}"));
        learned.into_iter().flat_map(|learned| learned.destinations.keys().cloned()).collect()
    }
}

/// Fails when what is learned at one sensor does not follow a guest to the next, and on to a third, or when a
/// sensor takes its own word for another's.
#[test]
fn what_is_learned_follows_a_guest_from_sensor_to_sensor() {
    let mut bucket = Bucket::default();
    let names = ["a", "b", "c"];
    let mut sensors = names.map(Sensor::new);
    for (at, sensor) in (0..).map(|day| day * DAY).zip(&mut sensors) {
        for hour in 0..3 {
            let when = at + hour * 3600;
            sensor.visit(when, 7, &format!("{}.example", sensor.name));
            sensor.turn(when, &mut bucket);
            sensor.turn(when + 400, &mut bucket);
            sensor.turn(when + 800, &mut bucket);
        }
    }
    let known = sensors.each_ref().map(|sensor| sensor.destinations(7).len());
    assert_eq!(known, [1, 2, 3]);
    // It comes back.
    let [first, ..] = &mut sensors;
    first.visit(3 * DAY, 7, "a.example");
    first.turn(3 * DAY, &mut bucket);
    assert_eq!(first.destinations(7), ["a.example", "b.example", "c.example"]);
    assert_eq!(bucket.0.len(), 3, "one word of each");
}

/// Fails when what the task does not take for a while is lost, grows without bound, or is told as it was
/// before.
#[test]
fn while_nothing_is_taken_the_newest_waits() {
    let (mut bucket, mut sensor) = (Bucket::default(), Sensor::new("a"));
    let guests = 600;
    for round in 0..4u64 {
        for guest in 0..guests {
            sensor.visit(round * 7200 + u64::from(guest), guest, &format!("r{round}.example"));
            sensor.peers.turn(&mut sensor.engine, time(round * 7200 + u64::from(guest)));
        }
    }
    assert!(sensor.peers.waiting.len() <= QUEUE + 64 + 1, "{}", sensor.peers.waiting.len());
    for step in 0..200 {
        sensor.turn(4 * 7200 + step * 10, &mut bucket);
    }
    assert_eq!(bucket.0.len(), usize::from(guests));
    let newest = |((_, sensor), bytes): (&(String, String), &Vec<u8>)| {
        let read = Learned::read(bytes, sensor, time(DAY)).unwrap();
        read.learned.destinations.contains_key("r3.example")
    };
    assert!(bucket.0.iter().all(newest));
    let written = std::mem::take(&mut bucket).0.len();
    (0..400).for_each(|step| sensor.turn(8 * 7200 + step * 10, &mut bucket));
    assert!(bucket.0.is_empty(), "nothing has changed");
    assert_eq!(bucket.1.values().map(|part| part.places.len()).sum::<usize>(), 4);
    bucket.1.clear();
    sensor.hear(9 * 7200, Heard::Lost);
    (0..400).for_each(|step| sensor.turn(9 * 7200 + step * 10, &mut bucket));
    assert_eq!(bucket.0.len(), written, "and it is told again where it was lost");
    assert_eq!(bucket.1.values().map(|part| part.places.len()).sum::<usize>(), 4);
}

/// Fails when a question waits behind all that there is to tell: what the asset does would be judged before
/// the answer.
#[test]
fn a_question_waits_behind_few_messages() {
    let (mut bucket, mut sensor) = (Bucket::default(), Sensor::new("a"));
    for guest in 0..300 {
        sensor.visit(u64::from(guest), guest, "a.example");
        sensor.turn(u64::from(guest), &mut bucket);
    }
    (0..300).for_each(|guest| sensor.visit(1000 + u64::from(guest), guest, "b.example"));
    // A round is over, and nothing is taken for a while.
    (0..50).for_each(|step| sensor.peers.turn(&mut sensor.engine, time(2000 + step * 10)));
    sensor.visit(2500, 301, "a.example");
    sensor.peers.turn(&mut sensor.engine, time(2500));
    let queued: Vec<Told> = std::iter::from_fn(|| sensor.exchange.told.try_recv().ok()).collect();
    let before = queued.iter().position(|told| matches!(told, Told::Ask(_))).unwrap();
    assert!((8..=24).contains(&before), "{before}");
}
