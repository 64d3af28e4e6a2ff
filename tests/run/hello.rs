//! Conversations that raise alerts: an ESXi host opens a TLS session to a place nobody approved.

use egret_tests::frames::Frames;
use egret_tests::rng::Rng;
use egret_tests::tls::{Client, Flight, Openings};
use egret_tests::traffic::{end, path, put_in, stand_in};
use egret_tests::wire::flag::{ACK, FIN, PSH, SYN};
use egret_tests::wire::{Frame, Path, Payload, Segment};

/// The host, as the config names it: a management component, whose every egress is an alert.
pub(crate) const ASSET: &str = r#"
[[asset]]
name = "esxi-01"
role = "esxi"
address = ["10.10.0.11"]
"#;

/// Makes such conversations.
pub(crate) struct Hellos(Vec<Flight>);

impl Hellos {
    pub(crate) fn new() -> Self {
        let name = stand_in(name(0).as_bytes());
        Self(Openings::default().open(Client::Agent, Some(&name), &mut Rng::new(1)))
    }

    /// The frames of one conversation with each of `places`, one after another. Each place is a
    /// domain and an address of its own, so each is an alert of its own.
    pub(crate) fn to(&self, places: std::ops::Range<u32>) -> Frames {
        Frames::of(places.flat_map(|place| self.conversation(place)).collect())
    }

    /// The frames of a conversation with a place.
    pub(crate) fn conversation(&self, place: u32) -> Vec<Vec<u8>> {
        self.conversation_of("10.10.0.11", place)
    }

    /// The frames of a conversation of whoever has this address with a place.
    pub(crate) fn conversation_of(&self, address: &str, place: u32) -> Vec<Vec<u8>> {
        let [_, _, high, low] = place.to_be_bytes();
        let server = end(&format!("203.{}.{high}.{low}", 1 + place % 90), 443);
        let client = end(address, 20_000 + (place % 40_000) as u16);
        let mut said = Said { path: path(client, server), sequence: [1000, 2000], all: Vec::new() };
        said.segment(0, SYN, &[]);
        said.segment(1, SYN | ACK, &[]);
        said.segment(0, ACK, &[]);
        let [hello, answer, ..] = self.0.as_slice() else { panic!("two flights at least") };
        said.bytes(0, &put_in(&hello.bytes, name(place).as_bytes()));
        said.bytes(1, &answer.bytes);
        said.segment(0, FIN | ACK, &[]);
        said.segment(1, FIN | ACK, &[]);
        said.all
    }
}

/// The server name of a place; all are of one length.
pub(crate) fn name(place: u32) -> String {
    format!("d{place:06}.net")
}

/// What two ends have said so far.
struct Said {
    path: Path,
    sequence: [u32; 2],
    all: Vec<Vec<u8>>,
}

impl Said {
    fn bytes(&mut self, side: usize, bytes: &[u8]) {
        bytes.chunks(1400).for_each(|chunk| self.segment(side, ACK | PSH, chunk));
    }

    fn segment(&mut self, side: usize, flags: u8, bytes: &[u8]) {
        let path = if side == 0 { self.path } else { self.path.back() };
        let segment = Segment {
            flags,
            sequence: self.sequence[side],
            acknowledgment: if flags & ACK == 0 { 0 } else { self.sequence[1 - side] },
        };
        let mut frame = Frame::new(self.all.len() as u16);
        self.all.push(frame.tcp(&path, segment, Payload::whole(bytes)).bytes().to_vec());
        let takes_one = u32::from(flags & (SYN | FIN) != 0);
        self.sequence[side] += bytes.len() as u32 + takes_one;
    }
}
