//! How visits and connections are mixed into each kind of capture.

use std::io::{self, Write};

use super::conversation::{Content, Conversation, Side};
use super::recorder::Recorder;
use super::visit::{self, Site, Visit};
use super::{Kind, Truth, hosts};
use crate::rng::Rng;

const SEED: u64 = 1;

pub(super) fn write(kind: Kind, scale: f64, out: impl Write) -> io::Result<Truth> {
    let scaled = |count: f64| (count * scale).ceil() as u64;
    let mut rng = Rng::new(SEED);
    let mut recorder = Recorder::new(out, &mut rng)?;
    match kind {
        Kind::Bulk => bulk(&mut rng, &mut recorder, scaled(1e9), scaled(400.0))?,
        Kind::Small => small(&mut rng, &mut recorder, scaled(500e3), scaled(100e3))?,
        Kind::TlsDns => tlsdns(&mut rng, &mut recorder, scaled(300e3), scaled(50.0))?,
    }
    recorder.finish()
}

/// Heavy flows in bursts, and a short visit to a site after every 20 of them, until about
/// `bytes` are written.
fn bulk(
    rng: &mut Rng,
    recorder: &mut Recorder<impl Write>,
    bytes: u64,
    heavy: u64,
) -> io::Result<()> {
    let each = bytes / heavy;
    let mut active: Vec<Visit> = (0..heavy)
        .map(|number| {
            let bytes = (each / 4 + rng.below(each * 3 / 2)) as usize;
            if number % 5 < 2 {
                let site = Site { number, encrypted: 2800, bytes };
                visit::site(rng, &mut recorder.truth, &site)
            } else {
                recorder.truth.tcp_flows += 1;
                east_west(rng, bytes).into()
            }
        })
        .collect();
    let mut visits = heavy;
    for burst in 1_u64.. {
        if active.is_empty() {
            break;
        }
        let chosen = rng.below(active.len() as u64) as usize;
        for _ in 0..rng.range(1, 24) {
            recorder.wait(rng.below(2000));
            let Some(packet) = active[chosen].next() else {
                active.swap_remove(chosen);
                break;
            };
            recorder.record(&packet)?;
        }
        if burst % 20 == 0 && recorder.truth.wire_bytes < bytes {
            let site = Site { number: visits, encrypted: 2800, bytes: rng.below(6000) as usize };
            active.push(visit::site(rng, &mut recorder.truth, &site));
            visits += 1;
        }
    }
    Ok(())
}

/// Storage, databases and migration inside the estate, in the clear.
fn east_west(rng: &mut Rng, bytes: usize) -> Conversation {
    const BETWEEN_HOSTS: [u16; 2] = [902, 8000];
    let port = *rng.pick(&[445, 902, 1433, 2049, 3260, 5432, 8000, 9000]);
    let v6 = rng.chance(0.1);
    let [client, mut server] = if BETWEEN_HOSTS.contains(&port) {
        [hosts::esxi(rng), hosts::esxi(rng)]
    } else {
        [hosts::guest(rng, v6), hosts::guest(rng, v6)]
    };
    server.port = port;
    let mut connection = Conversation::tcp(rng, client, server);
    connection.send(Side::Opener, Content::Filler(200));
    connection.send(Side::Peer, Content::Filler(300));
    let from = if rng.chance(0.5) { Side::Opener } else { Side::Peer };
    connection.transfer(from, bytes);
    connection.closed()
}

/// Flows of 20 small packets, `at_once` of them at a time, their packets in random order.
fn small(
    rng: &mut Rng,
    recorder: &mut Recorder<impl Write>,
    flows: u64,
    at_once: u64,
) -> io::Result<()> {
    interleave(rng, recorder, flows, at_once, 12_000, |rng, truth, _| {
        let udp = rng.chance(0.3);
        if udp {
            truth.udp_flows += 1;
        } else {
            truth.tcp_flows += 1;
        }
        vec![chatter(rng, udp).into()]
    })
}

/// 20 packets of at most 128 bytes between guests, or a guest and the world.
fn chatter(rng: &mut Rng, udp: bool) -> Conversation {
    const PACKETS: usize = 20;
    const OPENING_AND_CLOSING: usize = 6;
    let v6 = rng.chance(0.1);
    let client = hosts::guest(rng, v6);
    let mut server = match rng.chance(0.7) {
        true => hosts::guest(rng, v6),
        false => hosts::server(hosts::public(rng, v6), 0),
    };
    server.port = if udp {
        *rng.pick(&[514, 5500, 8125, 9200, 27_005, 33_001])
    } else {
        *rng.pick(&[22, 80, 389, 1433, 3306, 5432, 6379, 8080, 9092])
    };
    let most = 128 - 14 - if v6 { 40 } else { 20 } - if udp { 8 } else { 20 };
    let (mut connection, packets) = if udp {
        (Conversation::udp(client, server), PACKETS)
    } else {
        (Conversation::tcp(rng, client, server), PACKETS - OPENING_AND_CLOSING)
    };
    for number in 0..packets {
        let from = if number % 2 == 0 { Side::Opener } else { Side::Peer };
        connection.send(from, Content::Filler(rng.below(most + 1) as usize));
    }
    if udp { connection } else { connection.closed() }
}

/// Visits to sites, 500 at a time, with `calculated` connections to calculated ports among them.
fn tlsdns(
    rng: &mut Rng,
    recorder: &mut Recorder<impl Write>,
    sites: u64,
    calculated: u64,
) -> io::Result<()> {
    let every = (sites / calculated).max(1);
    interleave(rng, recorder, sites, 500, 26_000, |rng, truth, number| {
        let site = Site { number, encrypted: rng.range(200, 900) as usize, bytes: 0 };
        let mut visits = vec![visit::site(rng, truth, &site)];
        if number % every == 0 && number / every < calculated {
            visits.push(visit::calculated_port(rng, truth, number));
        }
        visits
    })
}

/// Keeps about `at_once` visits active until `count` batches of them were started and all are
/// over; each packet comes from a random one, up to `gap` nanoseconds after the last.
fn interleave(
    rng: &mut Rng,
    recorder: &mut Recorder<impl Write>,
    count: u64,
    at_once: u64,
    gap: u64,
    mut start: impl FnMut(&mut Rng, &mut Truth, u64) -> Vec<Visit>,
) -> io::Result<()> {
    let mut started = 0;
    let mut active: Vec<Visit> = Vec::new();
    loop {
        while started < count && (active.len() as u64) < at_once {
            active.extend(start(rng, &mut recorder.truth, started));
            started += 1;
        }
        if active.is_empty() {
            return Ok(());
        }
        let chosen = rng.below(active.len() as u64) as usize;
        recorder.wait(rng.below(gap));
        match active[chosen].next() {
            Some(packet) => recorder.record(&packet)?,
            None => drop(active.swap_remove(chosen)),
        }
    }
}
