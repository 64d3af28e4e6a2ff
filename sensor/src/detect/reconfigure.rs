//! Another config while the sensor runs, and what people have it forget.

use super::Engine;
use super::channels::Channels;
use super::dns_port::DnsPort;
use super::guest_operations::GuestOperations;
use super::mirror_policy::MirrorPolicy;
use super::tls_egress::TlsEgress;
use crate::baseline::AssetBaseline;
use crate::config::Config;
use crate::inventory::AssetId;
use crate::time::Timestamp;

impl Engine {
    /// Takes another config and keeps what is known: what was learned, open alerts, conversations
    /// under way. One that says the same changes nothing.
    ///
    /// Names, roles, approvals and limits count from the next event on; a TLS session that has begun
    /// stays what it was judged to be. An open alert keeps its id when its asset or the sensor gets
    /// another name. A detector that is switched off ends its alerts with their last word and
    /// forgets what goes on; what it had learned is kept aside, and is where it goes on from once it
    /// is switched on again.
    pub fn reconfigure(&mut self, config: &Config) {
        self.restore();
        self.switch(config);
        let changes = self.estate.reconfigure(config);
        for (id, before) in changes.renamed {
            let name = self.estate.inventory.asset(id).map(|asset| asset.name.to_string());
            if let (Some(kept), Some(name)) = (self.baseline.assets.remove(&*before), name) {
                self.baseline.assets.insert(name, kept);
            }
        }
        for (id, before) in changes.reused {
            // A last word about it would come under the new name.
            let told = self.alerts.len();
            self.drop_state(id, &before);
            self.alerts.truncate(told);
            self.estate.answers.forget(id);
            self.restore_one(id);
        }
        self.restore();
    }

    /// Forgets what was learned of an asset, as if it had not been seen before, or of one of its
    /// destinations, named as in [`AssetBaseline::destinations`].
    /// Open alerts about it end with their last word. Whether there was anything to forget. With a fleet
    /// its time is kept, so that it does not come back from another sensor.
    pub fn forget(&mut self, asset: &str, destination: Option<&str>) -> bool {
        self.restore();
        let kept = self.baseline.assets.get(asset).cloned();
        let was_known = self.forget_here(asset, destination);
        self.note_forgotten(asset, destination, kept);
        was_known
    }

    fn forget_here(&mut self, asset: &str, destination: Option<&str>) -> bool {
        let id = self.estate.inventory.named(asset);
        let Some(place) = destination else {
            let kept = self.baseline.assets.contains_key(asset);
            let kept = kept | self.forget_operator(asset) | self.forget_mirrors(asset);
            let Some(id) = id else { return self.baseline.assets.remove(asset).is_some() | kept };
            let seen = self.estate.inventory.asset(id).is_some_and(|id| id.first_seen.is_some());
            self.drop_state(id, asset);
            self.estate.inventory.forget(id);
            return kept || seen;
        };
        let mut known = false;
        if let Some(kept) = self.baseline.assets.get_mut(asset) {
            let many = kept.many_ports.len();
            kept.many_ports.retain(|domain| domain != place);
            known = kept.destinations.remove(place).is_some() || kept.many_ports.len() < many;
        }
        if let Some(id) = id {
            let (estate, alerts) = (&self.estate, &mut self.alerts);
            if let Some(egress) = &mut self.tls_egress {
                known |= egress.forget(estate, id, Some(place), alerts);
            }
            if let Some(ports) = &mut self.dns_port {
                known |= ports.forget(estate, id, Some(place), alerts);
            }
        }
        known
    }

    /// Drops what was learned of an account, or of who uses a host; whether anything was.
    fn forget_operator(&mut self, name: &str) -> bool {
        let Some(operations) = &mut self.guest_operations else { return false };
        operations.forget(&self.estate, name, &mut self.alerts)
    }

    /// Drops the mirrors to an address that are usual; whether there were any.
    fn forget_mirrors(&mut self, name: &str) -> bool {
        let kept = name.parse().is_ok_and(|address| self.baseline.mirrors.forget(address));
        self.mirror_policy.as_mut().is_some_and(|policy| policy.forget(name)) | kept
    }

    /// Drops all that was learned of an asset, which was called `name`.
    pub(super) fn drop_state(&mut self, id: AssetId, name: &str) {
        let (estate, alerts) = (&self.estate, &mut self.alerts);
        if let Some(egress) = &mut self.tls_egress {
            egress.forget(estate, id, None, alerts);
        }
        if let Some(ports) = &mut self.dns_port {
            ports.forget(estate, id, None, alerts);
        }
        if let Some(channels) = &mut self.channels {
            channels.forget(estate, id, alerts);
        }
        self.estate.volumes.forget(id);
        self.baseline.assets.remove(name);
    }

    /// What is kept aside of the assets that are known.
    fn kept(&self) -> impl Iterator<Item = (AssetId, &AssetBaseline)> {
        let assets = self.estate.inventory.all();
        assets.filter_map(|(id, asset)| Some((id, self.baseline.assets.get(&*asset.name)?)))
    }

    /// Switches detectors on and off, and gives those that stay on their settings.
    fn switch(&mut self, config: &Config) {
        let egress = (self.tls_egress.is_some(), config.tls_egress.enabled);
        let ports = (self.dns_port.is_some(), config.dns_port.enabled);
        let operations = (self.guest_operations.is_some(), config.guest_operations.enabled);
        let mirrors = (self.mirror_policy.is_some(), config.mirror_policy.enabled);
        let channels = (self.channels.is_some(), config.channels.enabled);
        if [egress, ports, operations, mirrors, channels].contains(&(true, false)) {
            self.baseline = self.baseline();
        }
        match (&mut self.tls_egress, config.tls_egress.enabled) {
            (Some(egress), true) => egress.reconfigure(&config.tls_egress),
            (Some(off), false) => {
                off.finish(&self.estate, self.now, &mut self.alerts);
                self.tls_egress = None;
            }
            (None, true) => {
                let mut on = TlsEgress::new(&config.tls_egress);
                self.kept().for_each(|(id, learned)| on.restore(id, learned));
                self.tls_egress = Some(on);
            }
            (None, false) => {}
        }
        match (&mut self.dns_port, config.dns_port.enabled) {
            (Some(ports), true) => ports.reconfigure(&config.dns_port),
            (Some(off), false) => {
                off.finish(&self.estate, &mut self.alerts);
                self.dns_port = None;
            }
            (None, true) => {
                let mut on = DnsPort::new(&config.dns_port);
                self.kept().for_each(|(id, learned)| on.restore(id, learned));
                self.dns_port = Some(on);
            }
            (None, false) => {}
        }
        match (&mut self.guest_operations, config.guest_operations.enabled) {
            (Some(operations), true) => operations.reconfigure(&config.guest_operations),
            (Some(off), false) => {
                off.finish(&self.estate, &mut self.alerts);
                self.guest_operations = None;
            }
            (None, true) => {
                let mut on = GuestOperations::new(&config.guest_operations);
                on.restore(&self.baseline.operators);
                self.guest_operations = Some(on);
            }
            (None, false) => {}
        }
        self.switch_mirrors(config);
        self.switch_channels(config);
    }

    fn switch_channels(&mut self, config: &Config) {
        match (&mut self.channels, config.channels.enabled) {
            (Some(channels), true) => channels.reconfigure(&config.channels),
            (Some(off), false) => {
                off.finish(&self.estate, &mut self.alerts);
                self.channels = None;
            }
            (None, true) => {
                let mut on = Channels::new(&config.channels);
                self.kept().for_each(|(id, learned)| on.restore(id, learned));
                self.channels = Some(on);
            }
            (None, false) => {}
        }
    }

    fn switch_mirrors(&mut self, config: &Config) {
        let config = &config.mirror_policy;
        match (&mut self.mirror_policy, config.enabled) {
            (Some(policy), true) => policy.reconfigure(&self.estate, config, &mut self.alerts),
            (Some(off), false) => {
                off.finish(&self.estate, &mut self.alerts);
                self.mirror_policy = None;
            }
            (None, true) => {
                let mut on = MirrorPolicy::new(config);
                on.restore(&self.baseline.mirrors);
                on.receive(&self.own);
                if self.now != Timestamp::ZERO {
                    on.begin(self.now);
                }
                self.mirror_policy = Some(on);
            }
            (None, false) => {}
        }
    }
}

#[cfg(test)]
mod tests;
