//! Community ID, version 1, seed 0: the same short text for a conversation in every tool that
//! knows it (<https://github.com/corelight/community-id-spec>).

use std::fmt;
use std::net::IpAddr;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::{Serialize, Serializer};
use sha1::{Digest, Sha1};

use crate::decode::protocol;
use crate::event::Flow;

/// Base64 of a SHA-1 digest.
const LENGTH: usize = 28;

/// A conversation's Community ID; prints as `1:` and 28 characters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommunityId([u8; LENGTH]);

impl CommunityId {
    /// The id of a conversation; the same whichever side opened it, save for ICMP messages that
    /// have no counterpart.
    pub fn new(flow: &Flow) -> Self {
        let client = (flow.client.address, flow.client.port);
        let server = (flow.server.address, flow.server.port);
        let (low, high, ports) = match Ports::new(flow) {
            Ports::Pair([from, to]) if (client.0, from) <= (server.0, to) => {
                (client.0, server.0, Some([from, to]))
            }
            Ports::Pair([from, to]) => (server.0, client.0, Some([to, from])),
            Ports::OneWay(ports) => (client.0, server.0, Some(ports)),
            Ports::None => (client.0.min(server.0), client.0.max(server.0), None),
        };
        let mut hash = Sha1::new();
        hash.update([0, 0]); // the seed
        update_address(&mut hash, low);
        update_address(&mut hash, high);
        hash.update([flow.protocol, 0]);
        for port in ports.into_iter().flatten() {
            hash.update(port.to_be_bytes());
        }
        let mut text = [b'='; LENGTH];
        // 20 bytes always fit into 28 characters.
        let _ = BASE64_STANDARD.encode_slice(hash.finalize(), &mut text);
        Self(text)
    }

    fn as_str(&self) -> &str {
        str::from_utf8(&self.0).unwrap_or_default()
    }
}

fn update_address(hash: &mut Sha1, address: IpAddr) {
    match address {
        IpAddr::V4(v4) => hash.update(v4.octets()),
        IpAddr::V6(v6) => hash.update(v6.octets()),
    }
}

impl fmt::Display for CommunityId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "1:{}", self.as_str())
    }
}

impl fmt::Debug for CommunityId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for CommunityId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What stands for ports in the hash.
enum Ports {
    /// One for each side, ordered with the addresses.
    Pair([u16; 2]),
    /// ICMP type and code of a message that nothing answers; not ordered.
    OneWay([u16; 2]),
    /// The protocol has none.
    None,
}

impl Ports {
    fn new(flow: &Flow) -> Self {
        let ports = [flow.client.port, flow.server.port];
        let [kind, _] = ports;
        match flow.protocol {
            protocol::TCP | protocol::UDP | protocol::SCTP => Self::Pair(ports),
            protocol::ICMP | protocol::ICMPV6 => counterpart(flow.protocol, kind)
                .map_or(Self::OneWay(ports), |counterpart| Self::Pair([kind, counterpart])),
            _ => Self::None,
        }
    }
}

/// The type that answers a type of ICMP or ICMPv6, or that it answers.
pub(super) const fn counterpart(protocol: u8, kind: u16) -> Option<u16> {
    match protocol {
        protocol::ICMP => icmp_counterpart(kind),
        protocol::ICMPV6 => icmpv6_counterpart(kind),
        _ => None,
    }
}

/// The ICMP type that answers a type, or that it answers.
const fn icmp_counterpart(kind: u16) -> Option<u16> {
    Some(match kind {
        0 => 8,   // echo reply
        8 => 0,   // echo
        9 => 10,  // router advertisement
        10 => 9,  // router solicitation
        13 => 14, // timestamp
        14 => 13, // timestamp reply
        15 => 16, // information request
        16 => 15, // information reply
        17 => 18, // address mask request
        18 => 17, // address mask reply
        _ => return None,
    })
}

/// The same for ICMPv6.
const fn icmpv6_counterpart(kind: u16) -> Option<u16> {
    Some(match kind {
        128 => 129, // echo request
        129 => 128, // echo reply
        130 => 131, // multicast listener query
        131 => 130, // multicast listener report
        133 => 134, // router solicitation
        134 => 133, // router advertisement
        135 => 136, // neighbour solicitation
        136 => 135, // neighbour advertisement
        139 => 140, // node information query
        140 => 139, // node information response
        144 => 145, // home agent address discovery request
        145 => 144, // home agent address discovery reply
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::Vlans;
    use crate::event::Endpoint;
    use crate::time::Timestamp;

    fn id(protocol: u8, from: (&str, u16), to: (&str, u16)) -> String {
        let endpoint = |(address, port): (&str, u16)| Endpoint {
            address: address.parse().unwrap(),
            port,
            mac: None,
        };
        CommunityId::new(&Flow {
            slot: 0,
            id: 0,
            client: endpoint(from),
            server: endpoint(to),
            protocol,
            vlans: Vlans::new(),
            interface: None,
            tunnel: None,
            opened: Timestamp::ZERO,
        })
        .to_string()
    }

    /// The specification's own baseline: one line a conversation, both ways where it has two.
    #[test]
    fn equals_the_baseline_of_the_specification() {
        let both = |protocol, a: (&str, u16), b: (&str, u16), expected: &str| {
            assert_eq!(id(protocol, a, b), expected, "{a:?} to {b:?}");
            assert_eq!(id(protocol, b, a), expected, "{b:?} to {a:?}");
        };
        both(
            protocol::TCP,
            ("128.232.110.120", 34855),
            ("66.35.250.204", 80),
            "1:LQU9qZlK+B5F3KDmev6m5PMibrg=",
        );
        both(
            protocol::TCP,
            ("2001:470:e5bf:dead:4957:2174:e82c:4887", 63943),
            ("2607:f8b0:400c:c03::1a", 25),
            "1:/qFaeAR+gFe1KYjMzVDsMv+wgU4=",
        );
        both(
            protocol::UDP,
            ("192.168.1.52", 54585),
            ("8.8.8.8", 53),
            "1:d/FP5EW3wiY1vCndhwleRRKHowQ=",
        );
        both(
            protocol::SCTP,
            ("192.168.170.8", 7),
            ("192.168.170.56", 7),
            "1:MP2EtRCAUIZvTw6MxJHLV7N7JDs=",
        );
        both(46, ("10.1.12.1", 0), ("10.1.12.2", 0), "1:KHlLkgoJW7ifUTyTSgyVfkFHzKw=");
    }

    /// ICMP: the client's port is the type, the server's the code.
    #[test]
    fn icmp_types_stand_for_ports() {
        let cases = [
            (1, ("192.168.0.89", 8), ("192.168.0.1", 0), "1:X0snYXpgwiv9TZtqg64sgzUn6Dk="),
            (1, ("192.168.0.1", 0), ("192.168.0.89", 0), "1:X0snYXpgwiv9TZtqg64sgzUn6Dk="),
            (1, ("10.0.0.1", 11), ("10.0.0.2", 0), "1:YHxtAirCG//0OzkcVAukqKQN9xM="),
            (
                58,
                ("fe80::200:86ff:fe05:80da", 135),
                ("fe80::260:97ff:fe07:69ea", 0),
                "1:dGHyGvjMfljg6Bppwm3bg0LO8TY=",
            ),
            (
                58,
                ("fe80::260:97ff:fe07:69ea", 136),
                ("fe80::200:86ff:fe05:80da", 0),
                "1:dGHyGvjMfljg6Bppwm3bg0LO8TY=",
            ),
            (
                58,
                ("3ffe:507:0:1:200:86ff:fe05:80da", 128),
                ("3ffe:501:0:1001::2", 0),
                "1:+TW+HtLHvV1xnGhV1lv7XoJrqQg=",
            ),
            (
                58,
                ("3ffe:501:0:1001::2", 129),
                ("3ffe:507:0:1:200:86ff:fe05:80da", 0),
                "1:+TW+HtLHvV1xnGhV1lv7XoJrqQg=",
            ),
            (
                58,
                ("fe80::260:97ff:fe07:69ea", 134),
                ("ff02::1", 0),
                "1:pkvHqCL88/tg1k4cPigmZXUtL00=",
            ),
        ];
        for (protocol, from, to, expected) in cases {
            assert_eq!(id(protocol, from, to), expected, "{from:?} to {to:?}");
        }
    }

    /// A message nothing answers keeps its direction, and its code counts.
    #[test]
    fn one_way_icmp_is_not_ordered() {
        let unreachable =
            id(58, ("3ffe:501:410:0:2c0:dfff:fe47:33e", 1), ("3ffe:507:0:1:200:86ff:fe05:80da", 4));
        assert_eq!(unreachable, "1:hLZd0XGWojozrvxqE0dWB1iM6R0=");
        let exceeded = id(58, ("3ffe:501:1800:2345::2", 3), ("3ffe:507:0:1:200:86ff:fe05:80da", 0));
        assert_eq!(exceeded, "1:2ObVBgIn28oZvibYZhZMBgh7WdQ=");
        assert_ne!(
            unreachable,
            id(58, ("3ffe:507:0:1:200:86ff:fe05:80da", 1), ("3ffe:501:410:0:2c0:dfff:fe47:33e", 4))
        );
    }
}
