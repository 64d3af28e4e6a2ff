//! DNS messages as bytes (RFC 1035), with compressed names and EDNS (RFC 6891) as resolvers send them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Record types.
pub mod rtype {
    /// IPv4 address.
    pub const A: u16 = 1;
    /// Alias.
    pub const CNAME: u16 = 5;
    /// Reverse lookup.
    pub const PTR: u16 = 12;
    /// Text.
    pub const TXT: u16 = 16;
    /// IPv6 address.
    pub const AAAA: u16 = 28;
    /// Service (RFC 2782).
    pub const SRV: u16 = 33;
    /// HTTPS service binding (RFC 9460).
    pub const HTTPS: u16 = 65;
}

/// Response codes.
pub mod rcode {
    /// No error.
    pub const NO_ERROR: u16 = 0;
    /// The name does not exist.
    pub const NX_DOMAIN: u16 = 3;
}

/// An answer record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Owner name, without the final dot.
    pub name: String,
    /// Time to live in seconds.
    pub ttl: u32,
    /// What it says.
    pub data: Data,
}

/// What a record says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Data {
    /// IPv4 address.
    A(Ipv4Addr),
    /// IPv6 address.
    Aaaa(Ipv6Addr),
    /// Alias.
    Cname(String),
    /// Name of an address.
    Ptr(String),
    /// One string of at most 255 bytes.
    Txt(String),
    /// Where a service is.
    Srv {
        /// Priority.
        priority: u16,
        /// Weight.
        weight: u16,
        /// Port.
        port: u16,
        /// Host.
        target: String,
    },
    /// How to reach a web server.
    Https {
        /// Priority; 0 is an alias.
        priority: u16,
        /// Host; empty for the owner itself.
        target: String,
        /// Port where it is not 443.
        port: Option<u16>,
        /// Address hints.
        hints: Vec<Ipv4Addr>,
    },
}

impl Data {
    /// An A or AAAA record's data.
    pub const fn address(ip: IpAddr) -> Self {
        match ip {
            IpAddr::V4(v4) => Self::A(v4),
            IpAddr::V6(v6) => Self::Aaaa(v6),
        }
    }

    const fn rtype(&self) -> u16 {
        match self {
            Self::A(_) => rtype::A,
            Self::Aaaa(_) => rtype::AAAA,
            Self::Cname(_) => rtype::CNAME,
            Self::Ptr(_) => rtype::PTR,
            Self::Txt(_) => rtype::TXT,
            Self::Srv { .. } => rtype::SRV,
            Self::Https { .. } => rtype::HTTPS,
        }
    }
}

/// A query for `name`.
pub fn query(id: u16, name: &str, rtype: u16) -> Vec<u8> {
    let mut message = Message::new(id, 0x0100, 0);
    message.question(name, rtype);
    message.opt();
    message.bytes
}

/// The answer of a recursive resolver to `query(id, name, rtype)`.
pub fn response(id: u16, name: &str, rtype: u16, rcode: u16, answers: &[Record]) -> Vec<u8> {
    let mut message = Message::new(id, 0x8180 | rcode, answers.len() as u16);
    message.question(name, rtype);
    for record in answers {
        message.record(record);
    }
    message.opt();
    message.bytes
}

/// The name under which an address is looked up (RFC 1035 3.5, RFC 3596 2.5).
pub fn reverse_name(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(v4) => {
            let [a, b, c, d] = v4.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa")
        }
        IpAddr::V6(v6) => {
            let digits = v6.octets().into_iter().rev().flat_map(|octet| [octet & 15, octet >> 4]);
            digits.map(|digit| format!("{digit:x}.")).collect::<String>() + "ip6.arpa"
        }
    }
}

/// A message that is being written, and where its names are, for compression.
struct Message {
    bytes: Vec<u8>,
    names: Vec<(String, u16)>,
}

impl Message {
    fn new(id: u16, flags: u16, answers: u16) -> Self {
        let mut bytes = Vec::with_capacity(128);
        for field in [id, flags, 1, answers, 0, 1] {
            bytes.extend_from_slice(&field.to_be_bytes());
        }
        Self { bytes, names: Vec::new() }
    }

    fn question(&mut self, name: &str, rtype: u16) {
        const IN: u16 = 1;
        self.name(name);
        self.u16(rtype);
        self.u16(IN);
    }

    fn record(&mut self, record: &Record) {
        self.question(&record.name, record.data.rtype());
        self.bytes.extend_from_slice(&record.ttl.to_be_bytes());
        let at = self.bytes.len();
        self.u16(0);
        self.data(&record.data);
        let length = (self.bytes.len() - at - 2) as u16;
        self.bytes[at..at + 2].copy_from_slice(&length.to_be_bytes());
    }

    fn data(&mut self, data: &Data) {
        match data {
            Data::A(v4) => self.bytes.extend_from_slice(&v4.octets()),
            Data::Aaaa(v6) => self.bytes.extend_from_slice(&v6.octets()),
            Data::Cname(name) | Data::Ptr(name) => self.name(name),
            Data::Txt(text) => self.string(text),
            Data::Srv { priority, weight, port, target } => {
                for field in [priority, weight, port] {
                    self.u16(*field);
                }
                self.plain_name(target);
            }
            Data::Https { priority, target, port, hints } => {
                self.u16(*priority);
                self.plain_name(target);
                self.service_parameters(*port, hints);
            }
        }
    }

    /// RFC 9460 14.3.2: alpn is 1, port 3, ipv4hint 4.
    fn service_parameters(&mut self, port: Option<u16>, hints: &[Ipv4Addr]) {
        self.bytes.extend_from_slice(&[0, 1, 0, 6, 2, b'h', b'3', 2, b'h', b'2']);
        if let Some(port) = port {
            self.bytes.extend_from_slice(&[0, 3, 0, 2]);
            self.u16(port);
        }
        if !hints.is_empty() {
            self.u16(4);
            self.u16(4 * hints.len() as u16);
            for hint in hints {
                self.bytes.extend_from_slice(&hint.octets());
            }
        }
    }

    /// An OPT record that offers 1232 bytes.
    fn opt(&mut self) {
        self.bytes.extend_from_slice(&[0, 0, 41, 0x04, 0xd0, 0, 0, 0, 0, 0, 0]);
    }

    /// A name, pointing back where its end was written before.
    fn name(&mut self, name: &str) {
        let mut rest = name;
        while !rest.is_empty() {
            if let Some((_, at)) = self.names.iter().find(|(known, _)| known == rest) {
                return self.u16(0xc000 | at);
            }
            self.names.push((rest.to_owned(), self.bytes.len() as u16));
            let (label, after) = rest.split_once('.').unwrap_or((rest, ""));
            self.string(label);
            rest = after;
        }
        self.bytes.push(0);
    }

    /// A name that must not be compressed (RFC 2782, RFC 9460 2.2).
    fn plain_name(&mut self, name: &str) {
        for label in name.split('.').filter(|label| !label.is_empty()) {
            self.string(label);
        }
        self.bytes.push(0);
    }

    fn string(&mut self, text: &str) {
        self.bytes.push(u8::try_from(text.len()).expect("at most 255 bytes"));
        self.bytes.extend_from_slice(text.as_bytes());
    }

    fn u16(&mut self, value: u16) {
        self.bytes.extend_from_slice(&value.to_be_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_what_the_rfc_draws() {
        let expected = b"\x12\x34\x01\x00\0\x01\0\0\0\0\0\x01\x03www\x07example\x03com\0\0\x01\0\x01\0\0\x29\x04\xd0\0\0\0\0\0\0";
        assert_eq!(query(0x1234, "www.example.com", rtype::A), expected);
    }

    #[test]
    fn a_chain_of_aliases_is_compressed_against_what_went_before() {
        let answers = [
            Record {
                name: "www.example.com".into(),
                ttl: 60,
                data: Data::Cname("cdn.example.com".into()),
            },
            Record {
                name: "cdn.example.com".into(),
                ttl: 30,
                data: Data::A(Ipv4Addr::new(192, 0, 2, 7)),
            },
        ];
        let bytes = response(1, "www.example.com", rtype::A, rcode::NO_ERROR, &answers);
        let after_question = &bytes[33..];
        assert_eq!(&after_question[..12], b"\xc0\x0c\0\x05\0\x01\0\0\0\x3c\0\x06");
        assert_eq!(&after_question[12..18], b"\x03cdn\xc0\x10");
        assert_eq!(&after_question[18..34], b"\xc0\x2d\0\x01\0\x01\0\0\0\x1e\0\x04\xc0\0\x02\x07");
    }

    #[test]
    fn reverse_names() {
        assert_eq!(reverse_name("10.1.2.3".parse().unwrap()), "3.2.1.10.in-addr.arpa");
        assert!(reverse_name("2001:db8::1".parse().unwrap()).starts_with("1.0.0.0."));
        assert!(
            reverse_name("2001:db8::1".parse().unwrap()).ends_with(".8.b.d.0.1.0.0.2.ip6.arpa")
        );
    }
}
