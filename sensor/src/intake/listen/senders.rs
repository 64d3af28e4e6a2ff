//! Who sends messages, for people to look at: how many, when last, and how far the clock is off.
//!
//! At most twice [`SENDERS`]: those not heard of for longest are forgotten. An address is easily made up
//! over UDP, so that is all that it can cost.

use std::collections::HashMap;
use std::net::IpAddr;

use foldhash::fast::RandomState;
use serde::Serialize;

use super::Transport;
use crate::time::Timestamp;

/// Senders that are known at least, and half of those at most.
const SENDERS: usize = 256;
/// Senders that are told of.
const TOLD: usize = 200;

/// One address that sends messages.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Sender {
    /// Its address.
    pub address: IpAddr,
    /// How its last message came: `udp`, `tcp` or `tls`.
    pub transport: &'static str,
    /// Messages so far.
    pub messages: u64,
    /// Those of them that said something detection asks for.
    pub understood: u64,
    /// When the last one came.
    pub last: Timestamp,
    /// How far its clock is ahead of this sensor's, in seconds, by the last host it spoke for.
    pub clock_ahead: Option<f64>,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Senders {
    recent: HashMap<IpAddr, Sender, RandomState>,
    before: HashMap<IpAddr, Sender, RandomState>,
}

impl Senders {
    /// A message came; `ahead`: how far the clock is that wrote it, in nanoseconds.
    pub(super) fn note(
        &mut self,
        (address, transport): (IpAddr, Transport),
        last: Timestamp,
        is_understood: bool,
        ahead: Option<i64>,
    ) {
        if self.recent.len() >= SENDERS && !self.recent.contains_key(&address) {
            self.before = std::mem::take(&mut self.recent);
        }
        let before = &mut self.before;
        let sender = self.recent.entry(address).or_insert_with(|| {
            before.remove(&address).unwrap_or(Sender {
                address,
                transport: "",
                messages: 0,
                understood: 0,
                last,
                clock_ahead: None,
            })
        });
        sender.transport = transport.name();
        sender.messages = sender.messages.saturating_add(1);
        sender.understood = sender.understood.saturating_add(u64::from(is_understood));
        sender.last = last;
        if let Some(nanos) = ahead {
            // To a tenth of a second: what is beyond that is the network's.
            sender.clock_ahead = Some((nanos as f64 / 1e8).round() / 10.0);
        }
    }

    /// Those that were heard of last.
    pub(super) fn all(&self) -> Vec<Sender> {
        let mut all: Vec<Sender> =
            self.recent.values().chain(self.before.values()).copied().collect();
        all.sort_by_key(|sender| (std::cmp::Reverse(sender.last), sender.address));
        all.truncate(TOLD);
        all
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_parts(1_795_000_000_u64.saturating_add(seconds), 0)
    }

    /// Fails when made-up addresses push out who speaks all the time, or take memory without end.
    #[test]
    fn who_speaks_often_stays_among_made_up_addresses() {
        let mut senders = Senders::default();
        let known = IpAddr::from([10, 0, 0, 1]);
        for number in 0..10_000 {
            let made_up = Ipv4Addr::from(0x0a01_0000 + number).into();
            senders.note((made_up, Transport::Udp), at(number.into()), false, None);
            senders.note((known, Transport::Tls), at(number.into()), true, Some(-1_260_000_000));
        }
        assert!(senders.recent.len() + senders.before.len() <= 2 * SENDERS);
        let all = senders.all();
        assert_eq!(all.len(), TOLD);
        let found = all.iter().find(|sender| sender.address == known).unwrap();
        assert_eq!((found.messages, found.understood), (10_000, 10_000));
        assert_eq!((found.transport, found.clock_ahead), ("tls", Some(-1.3)));
    }
}
