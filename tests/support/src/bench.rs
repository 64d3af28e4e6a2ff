//! Synthetic captures to measure with: three kinds, deterministic, the truth known as they are
//! written.
//!
//! Guests, ESXi hosts and a resolver talk with each other and with public servers. Checksums,
//! sequence numbers and lengths are right; what is random is drawn from one seed. Not modelled:
//! loss, fragments, tunnels, QUIC, round-trip times.

use std::fmt;
use std::io::{self, Write};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

mod conversation;
pub mod hello;
mod hosts;
mod mix;
mod recorder;
mod visit;

/// Goes up whenever other bytes are written, so that kept captures are written again.
pub const VERSION: u32 = 1;

/// What a capture is made of. At scale 1 each is about a gigabyte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// 400 heavy flows of full-sized segments among short TLS connections: memory is the cost.
    Bulk,
    /// Ten million frames of 60 to 128 bytes in 500 000 flows, 100 000 of them at a time: the
    /// flow table is the cost.
    Small,
    /// 300 000 TLS connections, each after its A and AAAA look-ups: reading hellos and answers
    /// is the cost.
    TlsDns,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Bulk, Self::Small, Self::TlsDns];

    const fn name(self) -> &'static str {
        match self {
            Self::Bulk => "bulk",
            Self::Small => "small",
            Self::TlsDns => "tlsdns",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Kind {
    type Err = anyhow::Error;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.name() == name)
            .ok_or_else(|| anyhow::anyhow!("there are the kinds bulk, small and tlsdns"))
    }
}

/// What a correct sensor finds in a capture.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Truth {
    /// The generator's [`VERSION`].
    pub version: u32,
    /// Frames.
    pub packets: u64,
    /// Bytes of frames.
    pub wire_bytes: u64,
    /// TCP connections.
    pub tcp_flows: u64,
    /// UDP exchanges.
    pub udp_flows: u64,
    /// ClientHellos.
    pub hellos: u64,
    /// ClientHellos with a server name.
    pub server_names: u64,
    /// ClientHellos over two segments.
    pub split_hellos: u64,
    /// Of those, how many arrive with the second segment first.
    pub swapped_hellos: u64,
    /// DNS queries, each with its response.
    pub dns_responses: u64,
    /// Connections to a port calculated from the answer before (first octet times second, plus
    /// third: ATT&CK T1568.003).
    pub calculated_ports: u64,
}

/// Writes a capture (classic pcap) and gives its truth. The same kind and scale give the same
/// bytes.
///
/// # Errors
/// When `out`, which should be buffered, cannot be written.
pub fn write(kind: Kind, scale: f64, out: impl Write) -> io::Result<Truth> {
    mix::write(kind, scale, out)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::net::IpAddr;

    use etherparse::{SlicedPacket, TransportSlice};

    use super::*;

    /// What an independent reader finds.
    #[derive(Default)]
    struct Found {
        packets: u64,
        bytes: u64,
        /// Connections by their SYN.
        tcp: BTreeSet<(IpAddr, u16, IpAddr, u16)>,
        responses: u64,
    }

    fn read(file: &[u8]) -> Found {
        let mut found = Found::default();
        let mut rest = &file[24..];
        while let Some((header, after)) = rest.split_first_chunk::<16>() {
            let len = u32::from_le_bytes(header[8..12].try_into().unwrap()) as usize;
            let (frame, after) = after.split_at(len);
            rest = after;
            found.packets += 1;
            found.bytes += len as u64;
            found.add(&SlicedPacket::from_ethernet(frame).unwrap());
        }
        found
    }

    impl Found {
        fn add(&mut self, packet: &SlicedPacket<'_>) {
            let ip = packet.net.as_ref().unwrap();
            let (from, to) = match ip.ipv4_ref() {
                Some(v4) => {
                    (v4.header().source_addr().into(), v4.header().destination_addr().into())
                }
                None => {
                    let header = ip.ipv6_ref().unwrap().header();
                    (header.source_addr().into(), header.destination_addr().into())
                }
            };
            match packet.transport.as_ref().unwrap() {
                TransportSlice::Tcp(tcp) if tcp.syn() && !tcp.ack() => {
                    self.tcp.insert((from, tcp.source_port(), to, tcp.destination_port()));
                }
                TransportSlice::Udp(udp) => self.responses += u64::from(udp.source_port() == 53),
                _ => (),
            }
        }
    }

    #[test]
    fn an_independent_reader_finds_what_the_truth_says() {
        for kind in Kind::ALL {
            let mut file = Vec::new();
            let truth = write(kind, 0.002, &mut file).unwrap();
            let found = read(&file);
            assert_eq!((found.packets, found.bytes), (truth.packets, truth.wire_bytes), "{kind}");
            assert_eq!(found.responses, truth.dns_responses, "{kind}");
            let tcp = found.tcp.len() as u64;
            assert!(tcp.abs_diff(truth.tcp_flows) <= 1, "{kind}: {tcp} of {truth:?}");
        }
    }

    #[test]
    fn the_same_scale_gives_the_same_bytes() {
        let written = || {
            let mut file = Vec::new();
            write(Kind::TlsDns, 0.001, &mut file).unwrap();
            file
        };
        assert!(written() == written());
    }

    #[test]
    fn post_quantum_hellos_take_two_segments_and_some_are_swapped() {
        let truth = write(Kind::TlsDns, 0.02, io::sink()).unwrap();
        assert_eq!((truth.hellos, truth.calculated_ports), (6000, 1));
        assert!((2200..2600).contains(&truth.split_hellos), "{truth:?}");
        assert!((10..50).contains(&truth.swapped_hellos), "{truth:?}");
        assert!((5750..5880).contains(&truth.server_names), "{truth:?}");
    }
}
