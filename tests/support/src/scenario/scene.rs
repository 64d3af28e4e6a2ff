//! What every habit and attack writes through: name lookups, TLS sessions, plain conversations.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::ops::Range;
use std::rc::Rc;

use super::calendar::{HOUR, SECOND};
use super::conversation::Tcp;
use super::estate::{Asset, Estate, RESOLVER};
use super::internet::{Service, popular};
use super::logs;
use super::recording::Recording;
use super::truth::{Destination, HardNegative, Time, Truth};
use super::{Packets, Plan};
use crate::audit::Trail;
use crate::dns::{self, Record, rcode, rtype};
use crate::esxi::{Journal, Teller, What};
use crate::rng::Rng;
use crate::tls::{Client, Openings};
use crate::wire::{Frame, Path, Payload};

mod days;

/// The estate while its days are being written.
pub(super) struct Scene<'p> {
    pub(super) plan: &'p Plan,
    pub(super) estate: Estate,
    /// The services many know, the best known first.
    pub(super) popular: Vec<Rc<Service>>,
    pub(super) recording: Recording,
    pub(super) journal: Journal,
    pub(super) trail: Trail,
    pub(super) truth: Truth,
    /// `[[approve]]` entries that the scenario needs.
    pub(super) approved: Vec<String>,
    /// What volumes of a guest are multiplied with in each hour of today, where it is not 1.
    pub(super) levels: BTreeMap<String, [f64; 24]>,
    openings: Openings,
    root: Rng,
    /// The part of the days that is being written: from midnight to midnight.
    day: Range<u64>,
}

/// What a TLS session carries.
#[derive(Debug, Clone, Copy)]
pub(super) struct Session<'a> {
    pub(super) sni: Option<&'a str>,
    pub(super) client: Client,
    /// Payload bytes to the server.
    pub(super) up: u64,
    /// Payload bytes from the server.
    pub(super) down: u64,
    /// How long the transfer takes, in nanoseconds.
    pub(super) over: u64,
}

/// What a conversation came to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Done {
    /// Time of the last frame.
    pub(super) ended: u64,
    /// Frame bytes sent to the server.
    pub(super) bytes_out: u64,
}

/// What a client's resolver remembers.
#[derive(Debug, Default)]
pub(super) struct Remembered(BTreeMap<(String, bool), (u64, Vec<IpAddr>)>);

impl<'p> Scene<'p> {
    pub(super) fn new(plan: &'p Plan) -> Self {
        let root = Rng::new(plan.seed);
        let start = plan.start * SECOND;
        let truth = Truth {
            seed: plan.seed,
            start: Time(start),
            learned: Time(start + plan.learning_hours * HOUR),
            end: Time(start + plan.hours * HOUR),
            attacks: Vec::new(),
            hard_negatives: Vec::new(),
            operations: 0,
            changes: 0,
            assets: 1 + plan.hosts as u64 + plan.guests as u64,
            harsh: Vec::new(),
        };
        let estate = Estate::new(plan);
        Self {
            plan,
            journal: logs::journal(plan, &estate),
            estate,
            popular: popular(&root.stream("internet")),
            recording: Recording::new(plan.largest, plan.packets == Packets::Openings),
            trail: Trail::default(),
            truth,
            approved: Vec::new(),
            levels: BTreeMap::new(),
            openings: Openings::default(),
            root,
            day: days::first(start, start + plan.hours * HOUR),
        }
    }

    /// A stream of random numbers for one habit of one asset, on every day the same ones: for what lasts.
    pub(super) fn rng(&self, label: &str) -> Rng {
        self.root.stream(label)
    }

    /// Start of the capture.
    pub(super) const fn start(&self) -> u64 {
        self.truth.start.0
    }

    /// End of the time in which nothing is planted.
    pub(super) const fn learned(&self) -> u64 {
        self.truth.learned.0
    }

    /// End of the capture.
    pub(super) const fn end(&self) -> u64 {
        self.truth.end.0
    }

    /// A path from an asset's next port.
    pub(super) fn path(&self, asset: &Asset, to: IpAddr, port: u16, rng: &mut Rng) -> Path {
        self.estate.path(asset, rng.range(32_768, 60_999) as u16, to, port)
    }

    /// Opens a TCP conversation.
    pub(super) fn tcp(
        &mut self,
        asset: &Asset,
        to: IpAddr,
        port: u16,
        now: u64,
        rng: &mut Rng,
    ) -> Tcp<'_> {
        let path = self.path(asset, to, port, rng);
        Tcp::open(&mut self.recording, path, now, round_trip(to), rng)
    }

    /// A TLS session from its first to its last packet.
    pub(super) fn tls(
        &mut self,
        asset: &Asset,
        to: (IpAddr, u16),
        session: Session<'_>,
        now: u64,
        rng: &mut Rng,
    ) -> Done {
        let path = self.path(asset, to.0, to.1, rng);
        self.tls_on(path, session, now, rng)
    }

    /// A TLS session on a path of whatever two ends.
    pub(super) fn tls_on(
        &mut self,
        path: Path,
        session: Session<'_>,
        now: u64,
        rng: &mut Rng,
    ) -> Done {
        let mut tcp = self.tls_open(path, session.client, session.sni, now, rng);
        let total = (session.up + session.down).max(1);
        let share =
            |bytes: u64| (u128::from(session.over) * u128::from(bytes) / u128::from(total)) as u64;
        tcp.bulk(true, session.up, share(session.up));
        tcp.bulk(false, session.down, share(session.down));
        let ended = tcp.close();
        Done { ended, bytes_out: tcp.wire[0] }
    }

    /// A TLS session up to the end of its handshake.
    pub(super) fn tls_open(
        &mut self,
        path: Path,
        client: Client,
        sni: Option<&str>,
        now: u64,
        rng: &mut Rng,
    ) -> Tcp<'_> {
        let flights = self.openings.open(client, sni, rng);
        let round_trip = round_trip(path.from.ip).max(round_trip(path.to.ip));
        let mut tcp = Tcp::open(&mut self.recording, path, now, round_trip, rng);
        for flight in &flights {
            tcp.send(flight.from_client, &flight.bytes);
        }
        tcp
    }

    /// A TCP conversation of bulk data.
    pub(super) fn transfer(
        &mut self,
        asset: &Asset,
        to: (IpAddr, u16),
        (up, down): (u64, u64),
        over: u64,
        now: u64,
        rng: &mut Rng,
    ) -> Done {
        let mut tcp = self.tcp(asset, to.0, to.1, now, rng);
        if up > 0 {
            tcp.bulk(true, up, if up > down { over } else { SECOND / 10 });
        }
        if down > 0 {
            tcp.bulk(false, down, if up > down { SECOND / 10 } else { over });
        }
        let ended = tcp.close();
        Done { ended, bytes_out: tcp.wire[0] }
    }

    /// One UDP datagram.
    pub(super) fn datagram(&mut self, path: &Path, now: u64, payload: Payload<'_>, rng: &mut Rng) {
        let mut frame = Frame::new(rng.next() as u16);
        frame.udp(path, payload);
        self.recording.add(now, &frame);
    }

    /// A query to the resolver of the house and its answer, which comes back after some
    /// milliseconds; gives that time. Nobody sees those of an asset that asks over HTTPS.
    pub(super) fn lookup(
        &mut self,
        asset: &Asset,
        question: (&str, u16),
        answers: &[Record],
        now: u64,
        rng: &mut Rng,
    ) -> u64 {
        let answered = now + rng.range(300_000, 25_000_000);
        if asset.asks_over_https {
            return answered;
        }
        let path = self.path(asset, RESOLVER, 53, rng);
        let id = rng.next() as u16;
        let code = match question.1 {
            rtype::A | rtype::PTR if answers.is_empty() => rcode::NX_DOMAIN,
            _ => rcode::NO_ERROR,
        };
        let query = dns::query(id, question.0, question.1);
        self.datagram(&path, now, Payload::whole(&query), rng);
        let response = dns::response(id, question.0, question.1, code, answers);
        self.datagram(&path.back(), answered, Payload::whole(&response), rng);
        answered
    }

    /// Finds the address of a service's `host`, asking the resolver when nothing valid is
    /// remembered; gives the address and the time it is known.
    pub(super) fn resolve(
        &mut self,
        remembered: &mut Remembered,
        asset: &Asset,
        service: &Service,
        host: &str,
        now: u64,
        rng: &mut Rng,
    ) -> (IpAddr, u64) {
        let v6 =
            asset.v6.is_some() && !service.addresses(host, true, now).is_empty() && rng.chance(0.6);
        let key = (host.to_owned(), v6);
        if let Some((until, addresses)) = remembered.0.get(&key)
            && now < *until
        {
            return (*rng.pick(addresses), now);
        }
        let addresses = service.addresses(host, v6, now);
        let mut known = now;
        if !service.silent {
            known =
                self.lookup(asset, (host, rtype::A), &service.records(host, false, now), now, rng);
            if asset.v6.is_some() {
                let records = service.records(host, true, now);
                known = known.max(self.lookup(asset, (host, rtype::AAAA), &records, now, rng));
            }
        }
        let to = *rng.pick(&addresses);
        remembered.0.insert(key, (now + service.time_to_live(), addresses));
        (to, known + rng.range(200_000, 30_000_000))
    }

    /// Visits a service: name, address, session.
    pub(super) fn visit(
        &mut self,
        remembered: &mut Remembered,
        asset: &Asset,
        service: &Service,
        (up, down): (u64, u64),
        now: u64,
        rng: &mut Rng,
    ) -> Visit {
        let host = service.host(rng).map(str::to_owned);
        let (to, opened) = match &host {
            Some(host) => self.resolve(remembered, asset, service, host, now, rng),
            None => (service.addresses("", false, now)[0], now),
        };
        let session = Session {
            sni: host.as_deref(),
            client: asset.role.client(),
            up,
            down,
            over: duration(up + down, rng),
        };
        let done = self.tls(asset, (to, service.port), session, opened, rng);
        Visit {
            sni: host,
            destination: Destination { address: to, port: service.port },
            opened,
            done,
        }
    }

    /// A connection of a guest that no mirror shows, as the firewall on its host logs it.
    pub(super) fn log_connection(
        &mut self,
        guest: &Asset,
        server: (IpAddr, u16),
        opened: u64,
        rng: &mut Rng,
    ) {
        let host = Teller::Host(logs::Machine::of(self, guest).host);
        let client = (guest.address_for(server.0), rng.range(32_768, 60_999) as u16);
        let begun = What::Conversation { client, server, bytes: None };
        self.journal.add(opened, host, begun);
        let ended = opened + rng.range(SECOND, 9 * SECOND);
        let bytes = Some([rng.range(200, 900), rng.range(200, 900)]);
        self.journal.add(ended, host, What::Conversation { client, server, bytes });
    }

    /// Notes a habit of an asset that looks like an attack wherever it goes.
    pub(super) fn note_habit(&mut self, kind: &str, asset: &Asset) {
        if !self.is_first_day() {
            return;
        }
        self.truth.hard_negatives.push(HardNegative {
            kind: kind.into(),
            asset: asset.truth(),
            first: self.truth.start,
            destination: None,
            sni: None,
            bytes_out: 0,
        });
    }

    /// Notes something harmless that looks like an attack.
    pub(super) fn note(&mut self, kind: &str, asset: &Asset, visit: &Visit) {
        self.truth.hard_negatives.push(HardNegative {
            kind: kind.into(),
            asset: asset.truth(),
            first: Time(visit.opened),
            destination: Some(visit.destination),
            sni: visit.sni.clone(),
            bytes_out: visit.done.bytes_out,
        });
    }
}

/// A visit to a service.
#[derive(Debug)]
pub(super) struct Visit {
    pub(super) sni: Option<String>,
    pub(super) destination: Destination,
    /// Time of the first packet of the session.
    pub(super) opened: u64,
    pub(super) done: Done,
}

/// How long a transfer of this many bytes takes over an Internet line.
pub(super) fn duration(bytes: u64, rng: &mut Rng) -> u64 {
    let bytes_per_second = rng.lognormal(4e6, 0.6).max(2e5);
    (bytes as f64 / bytes_per_second * SECOND as f64) as u64 + rng.range(20_000_000, 2 * SECOND)
}

/// The time to a place and back, the same for all of a /24.
fn round_trip(to: IpAddr) -> u64 {
    match to {
        IpAddr::V4(v4) if v4.is_private() => 300_000,
        IpAddr::V6(v6) if v6.segments()[0] == 0x2001 => 300_000,
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            Rng::new(u64::from(u32::from_be_bytes([0, a, b, c]))).range(4_000_000, 90_000_000)
        }
        IpAddr::V6(v6) => Rng::new(u64::from(v6.segments()[1])).range(4_000_000, 90_000_000),
    }
}
