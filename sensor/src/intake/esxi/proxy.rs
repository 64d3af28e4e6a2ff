//! The proxy in front of the management API: envoy, and rhttpproxy before ESXi 8.

use std::net::{IpAddr, SocketAddr};

use crate::decode::protocol::TCP;
use crate::event::{Conversation, Said};

/// What a message says: with whom the API spoke, and how much in one request.
pub(super) fn read(body: &str) -> Option<Said> {
    let text = match super::originator::split(body) {
        Some((_, text)) => text,
        None => body,
    };
    let conversation = request(text).or_else(|| accepted(text))?;
    // The proxy's own way to what is behind it.
    let is_inside = |(address, _): (IpAddr, u16)| address.is_loopback();
    (!is_inside(conversation.client)).then(|| Said::Conversation(Box::new(conversation)))
}

/// A request that envoy served:
/// `[TIME] POST /sdk [HTTP/1.1] 200 via_upstream - ["…"] BYTES_IN BYTES_OUT … CLIENT … LISTENER …`.
fn request(text: &str) -> Option<Conversation> {
    let mut words = Words(text);
    let first = words.next()?;
    let method =
        if first.starts_with(|c: char| c.is_ascii_digit()) { words.next()? } else { first };
    if !method.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return None;
    }
    let _path = words.next()?;
    // The first number that is not a part of something is the status.
    let _status = words.by_ref().take(2).find(|word| word.parse::<u16>().is_ok())?;
    let to_server = words.by_ref().take(8).find_map(|word| word.parse().ok())?;
    let to_client = words.next()?.parse().ok()?;
    let mut ends = words.take(16).filter_map(|word| word.parse::<SocketAddr>().ok());
    let (client, server) = (end(ends.next()?), end(ends.next()?));
    let bytes = Some([to_server, to_client]);
    Some(Conversation { client, server, protocol: TCP, bytes, is_blocked: false })
}

fn end(address: SocketAddr) -> (IpAddr, u16) {
    (address.ip().to_canonical(), address.port())
}

/// A connection that rhttpproxy accepted: `<TCP '192.0.2.1 : 443'>, <TCP '192.0.2.9 : 58293'>`, its own
/// end first.
fn accepted(text: &str) -> Option<Conversation> {
    let mut ends = text.split("<TCP '").skip(1).map(|rest| {
        let (end, _) = rest.split_once("'>")?;
        let (address, port) = end.rsplit_once(" : ")?;
        let address: IpAddr = address.trim_matches(['[', ']']).parse().ok()?;
        Some((address.to_canonical(), port.parse().ok()?))
    });
    let (server, client) = (ends.next()??, ends.next()??);
    Some(Conversation { client, server, protocol: TCP, bytes: None, is_blocked: false })
}

/// Words between spaces; what is in quotes is none.
struct Words<'a>(&'a str);

impl<'a> Iterator for Words<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        loop {
            let text = self.0.trim_start_matches(' ');
            if text.is_empty() {
                return None;
            }
            if let Some(quoted) = text.strip_prefix('"') {
                self.0 = quoted.split_once('"').map_or("", |(_, rest)| rest);
                continue;
            }
            let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
            self.0 = rest;
            return Some(word);
        }
    }
}
