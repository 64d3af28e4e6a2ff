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

/// A name as long as `name`, to be put in its place while a message is built: one that writers of
/// messages take.
pub fn stand_in(name: &[u8]) -> String {
    "q".repeat(name.len())
}

/// `message` with `name` in all places where its [`stand_in`] was.
///
/// # Panics
/// When there is none.
pub fn put_in(message: &[u8], name: &[u8]) -> Vec<u8> {
    let mut message = message.to_vec();
    let stand_in = stand_in(name).into_bytes();
    let is_at = |at: &usize| message[*at..].starts_with(&stand_in);
    let places: Vec<usize> = (0..message.len()).filter(is_at).collect();
    assert!(!places.is_empty(), "{name:?} has no place in this message");
    for at in places {
        message[at..at + name.len()].copy_from_slice(name);
    }
    message
}

/// Names that break out of lines and strings, act on terminals or are no text; each is one label
/// of a DNS name.
pub const HOSTILE: [&[u8]; 9] = [
    br#"say"quote"and\back"#,
    b"line\nbreak\r\n{\"event_type\":\"alert\"}",
    b"\x1b[2J\x1b]0;title\x07",
    b"nul\0nul",
    b"invalid\xff\xfe\xc3utf8",
    b"overlong\xc0\xaf",
    "right\u{202e}moc\u{2066}left".as_bytes(),
    "c1\u{9b}31mred".as_bytes(),
    "zero\u{200b}width\u{feff}\u{2028}".as_bytes(),
];

/// Whether a terminal would only print `c`, and a reader see it.
pub fn is_harmless(c: char) -> bool {
    !c.is_control()
        && !matches!(c,
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}'
        )
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

    /// What a client says first to open a TLS session for `sni`, whatever bytes that has.
    pub fn client_hello(&mut self, sni: &[u8]) -> Vec<u8> {
        let mut rng = self.rng();
        let stand_in = stand_in(sni);
        let hello = self.openings.open(Client::Agent, Some(&stand_in), &mut rng).swap_remove(0);
        put_in(&hello.bytes, sni)
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
