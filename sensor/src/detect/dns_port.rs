//! AN0731 (T1568.003): connections to ports that were calculated from DNS answers.
//!
//! A trial is an asset's first use of a port outside that nothing explains: not a usual port, not
//! announced by SRV, SVCB or HTTPS, no data connection of a control protocol, not approved. Each
//! trial is held against the answers the asset got: of the names that gave the address (direct),
//! and of all names answered within the window (cross). What agrees by accident is bounded by a
//! sequential test for known expressions ([`sequence`]) and by what pairs beyond the unknowns agree
//! on for unknown ones ([`solve`]); the bound follows from the trials really made and the false
//! alarms a year that the config allows.
//!
//! Bounds: an asset with trials has at most 512 sequences and 64 sets of pairs, typically none.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::estate::{Approval, Ends, Estate, Phase};
use super::recent::Recent;
use crate::alert::{Alert, Severity};
use crate::baseline::AssetBaseline;
use crate::config::DnsPort as Settings;
use crate::decode::protocol;
use crate::event::{Event, Flow, Service};
use crate::inventory::AssetId;
use crate::time::Timestamp;
use family::Family;
use finding::Finding;
use memory::{Memory, Outcome};
use ports::Ports;
use raised::{Bound, Excuse, Raised};
use trial::Trial;

mod chance;
mod family;
mod finding;
mod formula;
mod memory;
mod pairs;
mod ports;
mod raised;
mod sequence;
mod solve;
mod trial;

/// What a name is tried for is forgotten after so long without a pair.
const MEMORY: Duration = Duration::from_secs(7 * 86_400);
/// Evidence needed on the quietest site, in nats: two pairs decide, one never does.
const MIN_BOUND: f64 = 14.0;
/// So much more makes an alert high.
pub(super) const HIGH: f64 = 4.0;
const YEAR: f64 = 365.0 * 86_400.0;
/// Alerts that are kept to be updated.
const MAX_RAISED: usize = 4096;

/// The detector.
#[derive(Debug)]
pub(crate) struct DnsPort {
    settings: Settings,
    ports: Ports,
    memories: Vec<Option<Box<Memory>>>,
    family: Family,
    /// Tests made: trials by names by expressions; since when.
    tests: f64,
    begun: Option<Timestamp>,
    /// Domains whose ports follow a formula within a narrow pool, with the first asset to use them.
    services: Recent<Arc<str>, AssetId>,
    raised: BTreeMap<(AssetId, Arc<str>), Raised>,
}

impl DnsPort {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self {
            settings: settings.clone(),
            ports: Ports::new(),
            memories: Vec::new(),
            family: Family::new(&settings.formulas),
            tests: 0.0,
            begun: None,
            services: Recent::new(MEMORY, 65_536),
            raised: BTreeMap::new(),
        }
    }

    /// Takes other settings.
    pub(crate) fn reconfigure(&mut self, settings: &Settings) {
        if self.settings.formulas != settings.formulas {
            self.family = Family::new(&settings.formulas);
        }
        self.settings.clone_from(settings);
    }

    /// Forgets what was learned of an asset with one domain, or at all; whether anything was. Alerts
    /// about it end with their last word.
    pub(crate) fn forget(
        &mut self,
        estate: &Estate,
        asset: AssetId,
        domain: Option<&str>,
        alerts: &mut Vec<Alert>,
    ) -> bool {
        self.raised.retain(|(whose, about), raised| {
            let stays = *whose != asset || domain.is_some_and(|domain| **about != *domain);
            if !stays {
                raised.close(estate, *whose, alerts);
            }
            stays
        });
        let Some(memory) = self.memories.get_mut(asset.index()) else { return false };
        if let Some(domain) = domain {
            return memory.as_mut().is_some_and(|memory| memory.forget_domain(domain));
        }
        self.ports.forget(asset);
        self.services.retain(|_, first| *first != asset);
        memory.take().is_some_and(|memory| !memory.taught().is_empty())
    }

    /// Whether a conversation's opening is of any interest: cheap, and asked for every one.
    pub(crate) fn wants(flow: &Flow) -> bool {
        matches!(flow.protocol, protocol::TCP | protocol::UDP) && Ports::concerns(flow.server.port)
    }

    /// A conversation's first packet, or what a log says of it: whichever comes first is a trial.
    pub(crate) fn opened(
        &mut self,
        estate: &Estate,
        ends: Ends,
        event: &Event,
        source: Option<Service>,
        alerts: &mut Vec<Alert>,
    ) {
        let (Some(asset), true) = (ends.client, ends.outbound) else { return };
        let (flow, now) = (&event.flow, event.time);
        self.begun.get_or_insert(now);
        if !self.ports.is_trial(asset, flow, now)
            || estate.answers.announces(asset, flow.server.port, now)
            || estate.approval(asset, (flow.server.address, flow.server.port), None, None)
                == Approval::Given
        {
            return;
        }
        let mut trial = Trial::gather(&estate.answers, asset, flow, now, self.settings.window);
        trial.source = source;
        if estate.phase(asset, now) == Phase::Teaching {
            let direct = trial.groups.iter().filter(|group| group.direct);
            direct.for_each(|group| self.memory(asset).teach(&group.domain, flow.server.port));
            return;
        }
        if trial.groups.is_empty() {
            return;
        }
        for group in &trial.groups {
            if let Some(raised) = self.raised.get_mut(&(asset, Arc::clone(&group.domain))) {
                raised.verify(estate, asset, &trial, alerts);
            }
        }
        let share = self.ports.share(flow.server.port, now);
        let memory = memory(&mut self.memories, asset);
        let Outcome { tests, found, closed } = memory.take(&trial, &self.family, share);
        self.tests += tests as f64;
        for finding in found {
            self.weigh(estate, asset, finding, alerts);
        }
        for domain in closed {
            let raised = self.raised.get_mut(&(asset, domain));
            if let Some(raised) = raised.filter(|raised| raised.is_narrow()) {
                raised.excuse(estate, asset, now, Excuse::Closed, alerts);
            }
        }
    }

    /// Forgets alerts that got no more pairs for long.
    pub(crate) fn tick(&mut self, estate: &Estate, now: Timestamp, alerts: &mut Vec<Alert>) {
        self.raised.retain(|(asset, _), raised| {
            let over = now.since(raised.last_seen()) > MEMORY;
            if over {
                raised.close(estate, *asset, alerts);
            }
            !over
        });
    }

    /// The capture ended: the last word on every alert.
    pub(crate) fn finish(&mut self, estate: &Estate, alerts: &mut Vec<Alert>) {
        for ((asset, _), mut raised) in std::mem::take(&mut self.raised) {
            raised.close(estate, asset, alerts);
        }
    }

    /// Fills in what lasts of one asset.
    pub(crate) fn save(&self, asset: AssetId, baseline: &mut AssetBaseline) {
        let memory = self.memories.get(asset.index()).and_then(Option::as_deref);
        baseline.many_ports = memory.map(Memory::taught).unwrap_or_default();
    }

    /// Takes over what lasted of one asset.
    pub(crate) fn restore(&mut self, asset: AssetId, baseline: &AssetBaseline) {
        if !baseline.many_ports.is_empty() {
            self.memory(asset).restore(&baseline.many_ports);
        }
    }

    /// Goes on from what is known of one asset by now, here and elsewhere.
    pub(crate) fn adopt(&mut self, asset: AssetId, baseline: &AssetBaseline) {
        let memory = self.memories.get(asset.index()).and_then(Option::as_deref);
        if memory.map(Memory::taught).unwrap_or_default() != baseline.many_ports {
            self.memory(asset).restore(&baseline.many_ports);
        }
    }

    /// Evidence that is needed, in nats: what keeps the tests of a year within the false alarms
    /// allowed for it.
    fn bound(&self, now: Timestamp) -> Bound {
        let since = now.since(self.begun.unwrap_or(now)).as_secs_f64().max(86_400.0);
        let yearly = self.tests * YEAR / since;
        let allowed = self.settings.false_alarms_per_year;
        Bound { nats: (yearly / allowed).ln().max(MIN_BOUND), yearly: allowed }
    }

    /// Whether a finding is an alert, and how bad.
    fn weigh(
        &mut self,
        estate: &Estate,
        asset: AssetId,
        finding: Finding,
        alerts: &mut Vec<Alert>,
    ) {
        let now = finding.time;
        let bound = self.bound(now);
        if finding.evidence < bound.nats {
            return;
        }
        let mut severity = match finding.evidence - bound.nats {
            excess if excess < HIGH => Severity::Medium,
            _ if estate.role(asset).is_management() => Severity::Critical,
            _ => Severity::High,
        };
        let key = (asset, Arc::clone(&finding.domain));
        if let Some(most) = finding.narrow {
            // A service in several parts has a formula too; what two assets use is one.
            let first = self.services.get(&finding.domain).copied().unwrap_or(asset);
            self.services.insert(now, Arc::clone(&finding.domain), first);
            if first != asset {
                let key = (first, Arc::clone(&finding.domain));
                if let Some(raised) = self.raised.get_mut(&key) {
                    raised.excuse(estate, first, now, Excuse::Shared, alerts);
                }
                return;
            }
            severity = severity.min(most);
        }
        if let Some(raised) = self.raised.get_mut(&key) {
            raised.update(estate, asset, finding, bound, severity, alerts);
        } else if self.raised.len() < MAX_RAISED {
            let mut raised = Raised::new(finding, bound, severity);
            raised.tell(estate, asset, now, alerts);
            self.raised.insert(key, raised);
        }
    }

    fn memory(&mut self, asset: AssetId) -> &mut Memory {
        memory(&mut self.memories, asset)
    }
}

/// What is remembered of an asset's trials.
#[expect(clippy::indexing_slicing, reason = "the table was grown to hold this index")]
fn memory(memories: &mut Vec<Option<Box<Memory>>>, asset: AssetId) -> &mut Memory {
    if memories.len() <= asset.index() {
        memories.resize_with(asset.index() + 1, || None);
    }
    memories[asset.index()].get_or_insert_default()
}

/// The network by which destinations count as several: /24, of IPv6 /48.
fn network(address: IpAddr) -> IpAddr {
    super::domain::network(address).addr()
}

#[cfg(test)]
mod tests;
