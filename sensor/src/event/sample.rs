//! Events to test with.

use super::{Body, Endpoint, Event, Flow};
use crate::decode::Vlans;
use crate::time::Timestamp;

/// A TCP conversation of this id and slot.
pub(crate) fn flow(id: u64, slot: u32) -> Flow {
    let end = Endpoint { address: [10, 0, 0, 1].into(), port: 443, mac: None };
    Flow {
        id,
        slot,
        client: end,
        server: end,
        protocol: 6,
        vlans: Vlans::new(),
        interface: None,
        tunnel: None,
        opened: Timestamp::ZERO,
    }
}

/// The event that conversation `id`, in slot 1, was opened.
pub(crate) fn opened(id: u64, time: Timestamp) -> Event {
    Event { time, flow: flow(id, 1), body: Body::Opened }
}
