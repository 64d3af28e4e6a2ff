//! Small captures, conversation by conversation, where a test needs just these.

use std::net::Ipv4Addr;

use crate::dns::{self, Data, Record, rcode, rtype};
use crate::rng::Rng;
use crate::scenario::{Recording, SECOND, Tcp};
use crate::tls::{Client, Openings};
use crate::wire::{Endpoint, Frame, Path, Payload};

/// When captures begin: 2026-11-20 14:00:00 UTC, in nanoseconds since the epoch.
pub const START: u64 = 1_795_183_200 * SECOND;

/// How long a packet and its answer take.
const ROUND_TRIP: u64 = SECOND / 100;

/// What was said on a network, in the order of the calls; every call tells its own time.
#[derive(Default)]
pub struct Traffic {
    recording: Recording,
    openings: Openings,
    conversations: u64,
}

/// An end of a conversation, with a MAC address of VMware's that follows from its address.
pub fn end(address: &str, port: u16) -> Endpoint {
    let ip: Ipv4Addr = address.parse().expect("an IPv4 address");
    let [.., c, d] = ip.octets();
    Endpoint { mac: [0x00, 0x50, 0x56, 0x80, c, d], ip: ip.into(), port }
}

/// From one end to the other, untagged.
pub fn path(from: Endpoint, to: Endpoint) -> Path {
    Path { from, to, vlans: [None; 2] }
}

impl Traffic {
    /// A datagram.
    pub fn datagram(&mut self, at: u64, path: &Path, payload: &[u8]) {
        let mut frame = Frame::new(7);
        frame.udp(path, Payload::whole(payload));
        self.recording.add(at, &frame);
    }

    /// A question for the addresses of `name`, and after a round trip its answer.
    pub fn lookup(&mut self, at: u64, path: &Path, name: &str, answers: &[Ipv4Addr]) {
        let id = at as u16;
        let record = |v4: &Ipv4Addr| Record { name: name.into(), ttl: 60, data: Data::A(*v4) };
        let answers: Vec<Record> = answers.iter().map(record).collect();
        self.datagram(at, path, &dns::query(id, name, rtype::A));
        let answer = dns::response(id, name, rtype::A, rcode::NO_ERROR, &answers);
        self.datagram(at + ROUND_TRIP, &path.back(), &answer);
    }

    /// A TLS session from its handshake to its end: `up` bytes to the server and `down` back, each
    /// spread over `over` nanoseconds.
    pub fn tls(&mut self, at: u64, path: Path, sni: &str, [up, down]: [u64; 2], over: u64) {
        let mut rng = self.rng();
        let flights = self.openings.open(Client::Agent, Some(sni), &mut rng);
        let mut tcp = self.tcp(at, path);
        for flight in flights {
            tcp.send(flight.from_client, &flight.bytes);
        }
        tcp.bulk(true, up, over);
        tcp.bulk(false, down, over);
        tcp.close();
    }

    /// What a client says first to open a TLS session for `sni`.
    pub fn client_hello(&mut self, sni: &str) -> Vec<u8> {
        let mut rng = self.rng();
        self.openings.open(Client::Agent, Some(sni), &mut rng).swap_remove(0).bytes
    }

    /// Opens a TCP connection, to be gone on with.
    pub fn tcp(&mut self, at: u64, path: Path) -> Tcp<'_> {
        let mut rng = self.rng();
        Tcp::open(&mut self.recording, path, at, ROUND_TRIP, &mut rng)
    }

    /// The capture file, in the order of time.
    pub fn pcap(mut self) -> Vec<u8> {
        let mut file = Vec::new();
        self.recording.write(&mut file).expect("a Vec takes all");
        file
    }

    /// Another one for each conversation, the same ones in each run.
    const fn rng(&mut self) -> Rng {
        self.conversations += 1;
        Rng::new(self.conversations)
    }
}
