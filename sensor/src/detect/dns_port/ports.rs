//! Which ports are worth a trial.

use std::net::IpAddr;
use std::time::Duration;

use super::network;
use crate::detect::recent::Recent;
use crate::event::Flow;
use crate::inventory::AssetId;
use crate::time::Timestamp;

/// How long after its last packet a control connection explains others.
const CONTROL_SPAN: Duration = Duration::from_secs(300);
/// An asset's use of a port is remembered for so long.
const USED_SPAN: Duration = Duration::from_secs(86_400);
/// The estate's.
const USUAL_SPAN: Duration = Duration::from_secs(7 * 86_400);
/// Ports that random ones are drawn from together: clients have ranges of their own.
const TOGETHER: usize = 4096;
/// Random ports are used more often than the mean and so many of its roots above [`AT_MOST_ONCE`] in one of a
/// thousand cases (Poisson's distribution, from a mean of nothing up).
const DEVIATIONS: f64 = 3.1;
const AT_MOST_ONCE: f64 = 1.5;

/// Ports that everybody uses: DNS, HTTP, NTP, HTTPS, DNS over TLS.
const fn is_everybodys(port: u16) -> bool {
    matches!(port, 53 | 80 | 123 | 443 | 853)
}

/// Ports of protocols that announce data connections to other ports of the same address: FTP,
/// endpoint mapper, RTSP, FTP over TLS, H.323, PPTP, STUN and TURN, SIP.
const fn is_control(port: u16) -> bool {
    matches!(port, 21 | 135 | 554 | 990 | 1720 | 1723 | 3478 | 5060 | 5061 | 5349)
}

/// What ports are used for.
#[derive(Debug)]
pub(super) struct Ports {
    /// Ports an asset has used outside.
    used: Recent<(AssetId, u16), ()>,
    estate: Recent<u16, Use>,
    control: Recent<(AssetId, IpAddr), Timestamp>,
    /// First uses of ports that lie together, [`TOGETHER`] each.
    uses: [Lately; 65_536 / TOGETHER],
}

/// Who uses a port.
#[derive(Debug, Clone, Copy)]
struct Use {
    asset: AssetId,
    network: IpAddr,
    several_assets: bool,
    several_networks: bool,
    uses: Lately,
}

/// A count that halves from week to week.
#[derive(Debug, Clone, Copy, Default)]
struct Lately {
    count: u32,
    week: u64,
}

impl Lately {
    /// What is left of it.
    fn at(self, now: Timestamp) -> u32 {
        let weeks = week(now).saturating_sub(self.week);
        self.count.checked_shr(u32::try_from(weeks).unwrap_or(u32::MAX)).unwrap_or(0)
    }

    fn add(&mut self, now: Timestamp) {
        *self = Self { count: self.at(now).saturating_add(1), week: week(now).max(self.week) };
    }
}

fn week(now: Timestamp) -> u64 {
    now.as_secs() / USUAL_SPAN.as_secs()
}

impl Ports {
    pub(super) fn new() -> Self {
        Self {
            used: Recent::new(USED_SPAN, 1 << 18),
            estate: Recent::new(USUAL_SPAN, 1 << 16),
            control: Recent::new(CONTROL_SPAN, 1 << 16),
            uses: [Lately::default(); 65_536 / TOGETHER],
        }
    }

    /// Whether a port can be a trial, or explain one.
    pub(super) const fn concerns(port: u16) -> bool {
        port != 0 && !is_everybodys(port)
    }

    /// Whether a new conversation is a trial; notes what it says about ports.
    pub(super) fn is_trial(&mut self, asset: AssetId, flow: &Flow, now: Timestamp) -> bool {
        let (address, port) = (flow.server.address, flow.server.port);
        if is_control(port) {
            self.control.insert(now, (asset, address), now);
        }
        if self.used.get(&(asset, port)).is_some() {
            return false;
        }
        self.used.insert(now, (asset, port), ());
        !self.is_usual(asset, port, network(address), now) && !self.is_data(asset, address, now)
    }

    /// Forgets what an asset used.
    pub(super) fn forget(&mut self, asset: AssetId) {
        self.used.retain(|(user, _), ()| *user != asset);
        self.control.retain(|(user, _), _| *user != asset);
    }

    /// How large a part of all first uses this port has; 0 for one that was seen once.
    pub(super) fn share(&self, port: u16, now: Timestamp) -> f64 {
        let uses = self.estate.get(&port).filter(|used| used.several_networks);
        let all: u64 = self.uses.iter().map(|uses| u64::from(uses.at(now))).sum();
        uses.map_or(0.0, |used| f64::from(used.uses.at(now)) / all.max(1) as f64)
    }

    /// Whether several assets use the port with several places, more often than one of so many
    /// random ports is: then it is a protocol's. Two infected guests that share a server do not make
    /// its port usual, and peer-to-peer clients not all ports.
    fn is_usual(&mut self, asset: AssetId, port: u16, network: IpAddr, now: Timestamp) -> bool {
        let Some(together) = self.uses.get_mut(usize::from(port) / TOGETHER) else { return false };
        together.add(now);
        let expected = f64::from(together.at(now)) / TOGETHER as f64;
        let Some(used) = self.estate.get_mut(port) else {
            let mut uses = Lately::default();
            uses.add(now);
            let first =
                Use { asset, network, several_assets: false, several_networks: false, uses };
            self.estate.insert(now, port, first);
            return false;
        };
        used.uses.add(now);
        used.several_assets |= used.asset != asset;
        used.several_networks |= used.network != network;
        let by_chance = expected + DEVIATIONS * expected.sqrt() + AT_MOST_ONCE;
        used.several_assets && used.several_networks && f64::from(used.uses.at(now)) > by_chance
    }

    /// Whether a control connection to the same address explains it.
    fn is_data(&self, asset: AssetId, address: IpAddr, now: Timestamp) -> bool {
        let control = self.control.get(&(asset, address));
        control.is_some_and(|last| now.since(*last) <= CONTROL_SPAN)
    }
}
