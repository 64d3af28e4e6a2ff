//! What others tell of the traffic.

use std::time::Duration;

use super::{World, time};
use crate::decode::protocol;
use crate::event::{Conversation, FlowRecord, Said, Service, Traffic};

/// Fails when records of exporters, or what a firewall refused, are no traffic for the channels.
#[test]
fn what_records_and_firewalls_tell_is_watched_like_packets() {
    let mut world = World::with_app();
    let end = |address: &str, port| (address.parse().unwrap(), port);
    for n in 0..20 {
        let blocked = Conversation {
            client: end("10.1.0.1", 40_000),
            server: end("10.1.0.2", 1000 + n),
            protocol: protocol::TCP,
            bytes: None,
            is_blocked: true,
        };
        world.logged(100, Service::Nsx, "nsx", Said::Conversation(Box::new(blocked)));
    }
    assert_eq!(world.names(), ["port_scan"]);
    for n in 0..60u16 {
        let first = time(1000 + u64::from(n) * 300);
        let record = FlowRecord {
            from: end("10.1.0.1", 50_000 + n),
            to: end("203.0.113.9", 8080),
            protocol: protocol::TCP,
            first,
            last: first.plus(Duration::from_secs(5)),
            sent: Traffic { packets: 200, bytes: 200_000 },
            received: Some(Traffic { packets: 50, bytes: 3000 }),
            tcp_flags: Some(0x1b),
            one_in: None,
            is_forward: Some(true),
            is_blocked: false,
        };
        let at = 1010 + u64::from(n) * 300;
        world.logged(at, Service::Pf, "pf", Said::Exported(Box::new(record)));
    }
    assert_eq!(world.names(), ["port_scan", "beacon", "out_in_ratio"]);
}
