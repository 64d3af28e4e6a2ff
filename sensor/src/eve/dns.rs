//! The `dns` object of EVE, version 3.

use std::fmt;

use names::{RecordType, ResponseCode};
use serde::ser::SerializeSeq;
use serde::{Serialize, Serializer};

use super::Hex;
use super::flow::is_false;
use crate::event::{DnsAnswer, DnsAuthority, DnsData, DnsMessage, DnsQuestion, DnsTransport};

mod names;

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
    #[serde(skip_serializing_if = "<[_]>::is_empty", serialize_with = "answers")]
    authorities: &'a [DnsAnswer],
    #[serde(skip_serializing_if = "<[_]>::is_empty", serialize_with = "answers")]
    additionals: &'a [DnsAnswer],
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
            authorities: &message.authorities,
            additionals: &message.additionals,
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

/// An entry of `answers`, `authorities` or `additionals`.
#[derive(Serialize)]
struct Answer<'a> {
    rrname: &'a str,
    rrtype: RecordType,
    ttl: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    rdata: Option<Rdata<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    soa: Option<Soa<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sshfp: Option<Sshfp<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    srv: Option<Srv<'a>>,
}

/// What `soa` holds in place of `rdata`.
#[derive(Serialize)]
struct Soa<'a> {
    mname: &'a str,
    rname: &'a str,
    serial: u32,
    refresh: u32,
    retry: u32,
    expire: u32,
    minimum: u32,
}

/// What `sshfp` does.
#[derive(Serialize)]
struct Sshfp<'a> {
    #[serde(serialize_with = "colons")]
    fingerprint: &'a [u8],
    algo: u8,
    #[serde(rename = "type")]
    kind: u8,
}

/// What `srv` does.
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
        let (name, rtype) = (shown(&answer.name), RecordType(answer.rtype));
        let (mut rdata, mut soa, mut sshfp, mut srv) = (None, None, None, None);
        match &answer.data {
            DnsData::Other => {}
            DnsData::Authority(authority) => soa = Some(Soa::new(authority)),
            DnsData::HostKey { algorithm, kind, fingerprint } => {
                sshfp = Some(Sshfp { fingerprint, algo: *algorithm, kind: *kind });
            }
            DnsData::Service { priority, weight, port, target } => {
                let (priority, weight, port) = (*priority, *weight, *port);
                srv = Some(Srv { priority, weight, port, name: target });
            }
            data => rdata = Some(Rdata(data)),
        }
        Self { rrname: name, rrtype: rtype, ttl: answer.ttl, rdata, soa, sshfp, srv }
    }
}

impl<'a> Soa<'a> {
    fn new(authority: &'a DnsAuthority) -> Self {
        let DnsAuthority { server, mailbox, serial, refresh, retry, expire, minimum } = authority;
        Self {
            mname: shown(server),
            rname: shown(mailbox),
            serial: *serial,
            refresh: *refresh,
            retry: *retry,
            expire: *expire,
            minimum: *minimum,
        }
    }
}

/// Bytes in hexadecimal, with colons between.
fn colons<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&fmt::from_fn(|f| {
        for (place, byte) in bytes.iter().enumerate() {
            let colon = if place == 0 { "" } else { ":" };
            write!(f, "{colon}{byte:02x}")?;
        }
        Ok(())
    }))
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
            DnsData::Authority(_)
            | DnsData::HostKey { .. }
            | DnsData::Service { .. }
            | DnsData::Other => serializer.serialize_none(),
        }
    }
}
