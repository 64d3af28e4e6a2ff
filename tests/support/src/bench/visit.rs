//! What the captures are made of: visits to a web site, with their look-ups, and connections to
//! a port that a look-up's answer gives.

use std::collections::VecDeque;
use std::net::IpAddr;

use super::conversation::{Content, Conversation, Packet, Side};
use super::{Truth, hello, hosts};
use crate::dns::{self, Data, Record};
use crate::rng::Rng;
use crate::wire::Endpoint;

/// Shares of what varies, as browsers and servers of 2026 roughly have it.
const V6: f64 = 0.10;
const POST_QUANTUM: f64 = 0.40;
const NAMELESS: f64 = 0.03;
const SWAPPED: f64 = 0.01;
const ALIASED: f64 = 0.40;
const FROM_ESXI: f64 = 0.02;

/// Conversations that follow one another.
pub(super) struct Visit(VecDeque<Conversation>);

impl Visit {
    /// The next packet; none when all is said.
    pub(super) fn next(&mut self) -> Option<Packet> {
        loop {
            let packet = self.0.front_mut()?.next();
            if packet.is_some() {
                return packet;
            }
            self.0.pop_front();
        }
    }
}

impl From<Conversation> for Visit {
    fn from(conversation: Conversation) -> Self {
        Self(VecDeque::from([conversation]))
    }
}

/// How a site is visited.
pub(super) struct Site {
    /// Makes its name unlike any other's.
    pub(super) number: u64,
    /// Bytes of the server's encrypted answer to the hello.
    pub(super) encrypted: usize,
    /// Bytes transferred after that.
    pub(super) bytes: usize,
}

/// Looks up A and AAAA records, opens a TLS connection to the first address, transfers.
pub(super) fn site(rng: &mut Rng, truth: &mut Truth, site: &Site) -> Visit {
    let name = hosts::site(rng, site.number);
    let v6 = rng.chance(V6);
    let [guest_v4, guest_v6] = hosts::dual_stack_guest(rng);
    let [asking, client] = match v6 {
        true => [guest_v4, guest_v6],
        false if rng.chance(FROM_ESXI) => [hosts::esxi(rng); 2],
        false => [guest_v4; 2],
    };
    let server = hosts::server(hosts::public(rng, v6), 443);
    let mut visit: VecDeque<_> = [false, true]
        .map(|wants_v6| {
            let answers = match (wants_v6 == v6, wants_v6) {
                (true, _) => {
                    let others = rng.below(4);
                    let others = (0..others).map(|_| hosts::public(rng, v6));
                    std::iter::once(server.ip).chain(others).collect()
                }
                (false, true) => Vec::new(),
                (false, false) => vec![hosts::public(rng, false)],
            };
            look_up(rng, truth, asking, &name, wants_v6, &answers)
        })
        .into();
    visit.push_back(tls(rng, truth, [client, server], &name, site));
    Visit(visit)
}

/// Looks up a name and connects to the port that the answer gives: first octet times second,
/// plus third.
pub(super) fn calculated_port(rng: &mut Rng, truth: &mut Truth, number: u64) -> Visit {
    let name = format!("calculated-{}", hosts::site(rng, number));
    let guest = hosts::guest(rng, false);
    let address = hosts::public_v4(rng);
    let [a, b, c, _] = address.octets().map(u16::from);
    let server = hosts::server(address.into(), a * b + c);
    let looked_up = look_up(rng, truth, guest, &name, false, &[address.into()]);
    let mut connection = Conversation::tcp(rng, guest, server);
    connection.send(Side::Opener, Content::Filler(180));
    connection.send(Side::Peer, Content::Filler(90));
    truth.tcp_flows += 1;
    truth.calculated_ports += 1;
    Visit([looked_up, connection.closed()].into())
}

fn look_up(
    rng: &mut Rng,
    truth: &mut Truth,
    mut guest: Endpoint,
    name: &str,
    v6: bool,
    addresses: &[IpAddr],
) -> Conversation {
    let id = rng.next() as u16;
    let rtype = if v6 { dns::rtype::AAAA } else { dns::rtype::A };
    let ttl = *rng.pick(&[30, 60, 300, 3600]);
    let record = |name: &str, data| Record { name: name.to_owned(), ttl, data };
    let canonical = rng.chance(ALIASED).then(|| hosts::edge(rng));
    let owner = canonical.as_deref().unwrap_or(name);
    let answers: Vec<Record> = canonical
        .iter()
        .map(|canonical| record(name, Data::Cname(canonical.clone())))
        .chain(addresses.iter().map(|address| record(owner, Data::address(*address))))
        .collect();
    guest.port = rng.range(32_768, 60_999) as u16;
    let mut exchange = Conversation::udp(guest, hosts::resolver());
    let query = dns::query(id, name, rtype);
    let response = dns::response(id, name, rtype, dns::rcode::NO_ERROR, &answers);
    exchange.send(Side::Opener, Content::Bytes(query.into()));
    exchange.send(Side::Peer, Content::Bytes(response.into()));
    truth.udp_flows += 1;
    truth.dns_responses += 1;
    exchange
}

fn tls(
    rng: &mut Rng,
    truth: &mut Truth,
    [client, server]: [Endpoint; 2],
    name: &str,
    site: &Site,
) -> Conversation {
    let mut connection = Conversation::tcp(rng, client, server);
    let post_quantum = rng.chance(POST_QUANTUM);
    let software = if post_quantum {
        *rng.pick(&hello::Client::POST_QUANTUM)
    } else {
        *rng.pick(&hello::Client::ALL)
    };
    let name = (!rng.chance(NAMELESS)).then_some(name);
    let hello = hello::client(rng, software, name, post_quantum);
    connection.stream(Side::Opener, &hello);
    truth.tcp_flows += 1;
    truth.hellos += 1;
    truth.server_names += u64::from(name.is_some());
    if hello.len() > connection.segment_size() {
        truth.split_hellos += 1;
        if rng.chance(SWAPPED) {
            truth.swapped_hellos += 1;
            connection.swap_last_two();
        }
    }
    connection.send(Side::Peer, Content::NONE);
    let tls13 = software != hello::Client::Old;
    connection.stream(Side::Peer, &hello::server(rng, post_quantum, tls13, site.encrypted));
    connection.send(Side::Opener, Content::Bytes(hello::finished(rng).into()));
    let download = rng.chance(0.7);
    connection.transfer(if download { Side::Peer } else { Side::Opener }, site.bytes);
    connection.closed()
}
