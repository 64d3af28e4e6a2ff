//! The `dns` object of EVE, version 3.

use std::fmt;

use serde::ser::SerializeSeq;
use serde::{Serialize, Serializer};

use super::Hex;
use super::flow::is_false;
use crate::event::{DnsAnswer, DnsData, DnsMessage, DnsQuestion, DnsTransport};

/// `dns`
#[derive(Serialize)]
pub(super) struct Message<'a> {
    version: u8,
    #[serde(rename = "type")]
    kind: &'static str,
    id: u16,
    flags: Hex,
    #[serde(skip_serializing_if = "is_false")]
    qr: bool,
    #[serde(skip_serializing_if = "is_false")]
    aa: bool,
    #[serde(skip_serializing_if = "is_false")]
    tc: bool,
    #[serde(skip_serializing_if = "is_false")]
    rd: bool,
    #[serde(skip_serializing_if = "is_false")]
    ra: bool,
    #[serde(skip_serializing_if = "is_false")]
    z: bool,
    opcode: u16,
    rcode: ResponseCode,
    #[serde(skip_serializing_if = "<[_]>::is_empty", serialize_with = "queries")]
    queries: &'a [DnsQuestion],
    #[serde(skip_serializing_if = "<[_]>::is_empty", serialize_with = "answers")]
    answers: &'a [DnsAnswer],
}

impl<'a> Message<'a> {
    pub(super) fn new(message: &'a DnsMessage) -> Self {
        let flag = |bit: u16| message.flags & bit != 0;
        Self {
            version: 3,
            kind: if message.response { "response" } else { "request" },
            id: message.id,
            flags: Hex(message.flags, 0),
            qr: flag(0x8000),
            aa: flag(0x0400),
            tc: flag(0x0200),
            rd: flag(0x0100),
            ra: flag(0x0080),
            z: flag(0x0040),
            opcode: message.flags >> 11 & 0x0f,
            rcode: ResponseCode(message.rcode()),
            queries: &message.questions,
            answers: &message.answers,
        }
    }
}

/// What EVE does not say of a message.
#[derive(Serialize)]
pub(super) struct Own {
    #[serde(skip_serializing_if = "Option::is_none")]
    transport: Option<&'static str>,
    #[serde(skip_serializing_if = "is_false")]
    incomplete: bool,
}

impl Own {
    /// None when there is nothing out of the ordinary.
    pub(super) fn new(message: &DnsMessage) -> Option<Self> {
        let transport = match message.transport {
            DnsTransport::Udp | DnsTransport::Tcp => None,
            DnsTransport::Mdns => Some("mdns"),
            DnsTransport::Llmnr => Some("llmnr"),
        };
        let incomplete = message.incomplete;
        (transport.is_some() || incomplete).then_some(Self { transport, incomplete })
    }
}

/// An entry of `queries`.
#[derive(Serialize)]
struct Query<'a> {
    rrname: &'a str,
    rrtype: RecordType,
}

/// An entry of `answers`.
#[derive(Serialize)]
struct Answer<'a> {
    rrname: &'a str,
    rrtype: RecordType,
    ttl: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    rdata: Option<Rdata<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    srv: Option<Srv<'a>>,
}

/// What `srv` holds in place of `rdata`.
#[derive(Serialize)]
struct Srv<'a> {
    priority: u16,
    weight: u16,
    port: u16,
    name: &'a str,
}

fn queries<S: Serializer>(queries: &[DnsQuestion], serializer: S) -> Result<S::Ok, S::Error> {
    let mut list = serializer.serialize_seq(Some(queries.len()))?;
    for query in queries {
        list.serialize_element(&Query {
            rrname: shown(&query.name),
            rrtype: RecordType(query.rtype),
        })?;
    }
    list.end()
}

fn answers<S: Serializer>(answers: &[DnsAnswer], serializer: S) -> Result<S::Ok, S::Error> {
    let mut list = serializer.serialize_seq(Some(answers.len()))?;
    for answer in answers {
        list.serialize_element(&Answer::new(answer))?;
    }
    list.end()
}

impl<'a> Answer<'a> {
    fn new(answer: &'a DnsAnswer) -> Self {
        let (rdata, srv) = match &answer.data {
            DnsData::Other => (None, None),
            DnsData::Service { priority, weight, port, target } => {
                let (priority, weight, port) = (*priority, *weight, *port);
                (None, Some(Srv { priority, weight, port, name: target }))
            }
            data => (Some(Rdata(data)), None),
        };
        let rrtype = RecordType(answer.rtype);
        Self { rrname: shown(&answer.name), rrtype, ttl: answer.ttl, rdata, srv }
    }
}

/// The root by a name that cannot be taken for a missing one, as tshark has it; Suricata's is empty.
fn shown(name: &str) -> &str {
    if name == "." { "<root>" } else { name }
}

/// Record data as a string; a service binding in its presentation form (RFC 9460, 2.1).
struct Rdata<'a>(&'a DnsData);

impl Serialize for Rdata<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            DnsData::Address(address) => address.serialize(serializer),
            DnsData::Name(name) => serializer.serialize_str(shown(name)),
            DnsData::Text(text) => serializer.serialize_str(text),
            DnsData::ServiceBinding { priority, target, port, hints } => {
                serializer.collect_str(&fmt::from_fn(|f| {
                    write!(f, "{priority} {target}")?;
                    if let Some(port) = port {
                        write!(f, " port={port}")?;
                    }
                    hints.iter().try_for_each(|hint| {
                        let version = if hint.is_ipv4() { 4 } else { 6 };
                        write!(f, " ipv{version}hint={hint}")
                    })
                }))
            }
            DnsData::Service { .. } | DnsData::Other => serializer.serialize_none(),
        }
    }
}

/// A response code by its name (RFC 6895), else its number.
struct ResponseCode(u16);

impl Serialize for ResponseCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        const NAMES: [&str; 11] = [
            "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN",
            "YXRRSET", "NXRRSET", "NOTAUTH", "NOTZONE",
        ];
        match NAMES.get(usize::from(self.0)) {
            Some(name) => serializer.serialize_str(name),
            None => serializer.collect_str(&self.0),
        }
    }
}

/// A record type by its name (IANA "Resource Record (RR) TYPEs"), else its number.
struct RecordType(u16);

impl Serialize for RecordType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let name = match self.0 {
            1 => "A",
            2 => "NS",
            5 => "CNAME",
            6 => "SOA",
            10 => "NULL",
            12 => "PTR",
            13 => "HINFO",
            15 => "MX",
            16 => "TXT",
            28 => "AAAA",
            29 => "LOC",
            33 => "SRV",
            35 => "NAPTR",
            39 => "DNAME",
            41 => "OPT",
            43 => "DS",
            44 => "SSHFP",
            46 => "RRSIG",
            47 => "NSEC",
            48 => "DNSKEY",
            50 => "NSEC3",
            51 => "NSEC3PARAM",
            52 => "TLSA",
            64 => "SVCB",
            65 => "HTTPS",
            99 => "SPF",
            249 => "TKEY",
            250 => "TSIG",
            251 => "IXFR",
            252 => "AXFR",
            255 => "ANY",
            256 => "URI",
            257 => "CAA",
            other => return serializer.collect_str(&other),
        };
        serializer.serialize_str(name)
    }
}
