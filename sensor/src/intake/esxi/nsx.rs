//! NSX: packets and flows that the distributed firewall logged, and what its manager was asked to do.

use std::net::IpAddr;

use crate::account;
use crate::decode::protocol::{ICMP, ICMPV6, SCTP, TCP, UDP};
use crate::event::{
    ChangeAction, Conversation, FlowRecord, MirrorChange, Principal, Said, Traffic,
};
use crate::time::Timestamp;

use super::element::Element;
use super::{name, session};

mod profile;

/// Words that are looked at in a line of the firewall.
const MAX_WORDS: usize = 32;
/// Words before the address family: a filter's number or a process id, and tags.
const MAX_TAGS: usize = 4;

/// IP protocol numbers that have no name elsewhere here.
const IGMP: u8 = 2;
const GRE: u8 = 47;
const ESP: u8 = 50;

/// What a message of the firewall or of the manager says.
pub(super) fn read(body: &str) -> Option<Said> {
    if body.starts_with("[nsx@") {
        return mirroring(body).map(|change| Said::MirrorChanged(Box::new(change)));
    }
    packet(body)
}

/// A packet or the end of a flow, with what both sides moved; when it began is not said:
/// `[…] INET match PASS RULE IN 52 TCP 192.0.2.3/49627->192.0.2.4/443 S` or
/// `[…] INET TERM PASS RULE OUT TCP RST 192.0.2.3/49627->192.0.2.4/443 9/8 1461/4677 TAG`.
fn packet(body: &str) -> Option<Said> {
    let mut words = body.split_ascii_whitespace().take(MAX_WORDS);
    words.by_ref().take(MAX_TAGS).find(|word| matches!(*word, "INET" | "INET6"))?;
    let is_end = words.next()? == "TERM";
    let (mut is_blocked, mut protocol) = (false, None);
    let (client, server) = loop {
        let word = words.next()?;
        if let Some(ends) = ends(word) {
            break ends;
        }
        is_blocked |= matches!(word, "DROP" | "REJECT");
        if word == "PROTO" {
            protocol = words.next()?.parse().ok();
        }
        protocol = protocol.or(number(word));
    };
    // Packets come first, then bytes; first of each, those of who opened the flow.
    let mut pairs = words.map_while(pair);
    let protocol = protocol?;
    let (Some(packets), Some(bytes), true) = (pairs.next(), pairs.next(), is_end) else {
        let said = Conversation { client, server, protocol, bytes: None, is_blocked };
        return Some(Said::Conversation(Box::new(said)));
    };
    let [sent, received] = [(packets[0], bytes[0]), (packets[1], bytes[1])]
        .map(|(packets, bytes)| Traffic { packets, bytes });
    Some(Said::Exported(Box::new(FlowRecord {
        from: client,
        to: server,
        protocol,
        // Whoever knows when the line was written puts it there.
        first: Timestamp::ZERO,
        last: Timestamp::ZERO,
        sent,
        received: Some(received),
        tcp_flags: None,
        one_in: None,
        is_forward: Some(true),
        is_blocked,
    })))
}

fn ends(word: &str) -> Option<((IpAddr, u16), (IpAddr, u16))> {
    let (client, server) = word.split_once("->")?;
    Some((end(client)?, end(server)?))
}

/// `192.0.2.3/49627`; ICMP has no ports.
fn end(text: &str) -> Option<(IpAddr, u16)> {
    match text.split_once('/') {
        Some((address, port)) => Some((address.parse().ok()?, port.parse().ok()?)),
        None => Some((text.parse().ok()?, 0)),
    }
}

fn pair(word: &str) -> Option<[u64; 2]> {
    let (one, other) = word.split_once('/')?;
    Some([one.parse().ok()?, other.parse().ok()?])
}

fn number(protocol: &str) -> Option<u8> {
    Some(match protocol {
        "TCP" => TCP,
        "UDP" => UDP,
        "ICMP" => ICMP,
        "ICMP6" | "ICMPV6" | "ICMPv6" | "IPV6-ICMP" => ICMPV6,
        "SCTP" => SCTP,
        "IGMP" => IGMP,
        "GRE" => GRE,
        "ESP" => ESP,
        _ => return None,
    })
}

/// A change of port mirroring in the manager's audit log:
/// `[nsx@6876 audit="true" … username="admin"] UserName="admin", ModuleName="…", Operation="…",
/// Operation status="success", Src="192.0.2.1", New value=[…]`.
fn mirroring(body: &str) -> Option<MirrorChange> {
    let record = Element::read(body)?;
    if record.get("audit")? != "true" {
        return None;
    }
    // What was written may hold anything.
    let (text, written) = record.rest.split_once("New value=").unwrap_or((record.rest, ""));
    let operation = field(text, " Operation=\"")?;
    let module = field(text, " ModuleName=\"").unwrap_or_default();
    if ![operation, module].into_iter().any(is_mirror) {
        return None;
    }
    let user = record.get("username");
    let user = user.as_deref().or_else(|| field(text, " UserName=\""));
    let status = field(text, " Operation status=\"").filter(|status| *status != "success");
    Some(MirrorChange {
        call: name(operation),
        action: action(operation),
        principal: user.and_then(account::spelled).map(Principal::named),
        from: field(text, " Src=\"").and_then(session::address).map(|from| from.to_string().into()),
        failure: status.map(name),
        ..profile::read(written)
    })
}

/// What a call does, by the verb it begins with.
fn action(call: &str) -> ChangeAction {
    let begins =
        |verb: &str| call.get(..verb.len()).is_some_and(|start| start.eq_ignore_ascii_case(verb));
    match () {
        () if begins("create") => ChangeAction::Create,
        () if begins("delete") => ChangeAction::Delete,
        () => ChangeAction::Modify,
    }
}

fn field<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(key)?;
    rest.split_once('"').map(|(value, _)| value)
}

/// Whether a name speaks of mirrors.
fn is_mirror(name: &str) -> bool {
    name.as_bytes().windows(6).any(|window| window.eq_ignore_ascii_case(b"mirror"))
}
