//! Channels of Network Traffic Flow (ATT&CK's data component DC0078): many small detectors over what is
//! shared of each asset.
//!
//! Each detector has an entry in [`CHANNELS`] and a function that is given a conversation at a moment and
//! may give a [`Finding`]. What an asset would be told of while it is learned is usual for it, and what
//! many assets do is how the estate is; of the rest there is one alert for an asset, a detector and an
//! episode. Nothing here is done for a packet: conversations come when they begin and with what they
//! moved in 10 s, hellos and DNS answers once each.
//!
//! Bounds: an asset takes 0.3 KB, 1.2 KB once it went outside, and up to 16 KB once it did what all
//! detectors count.

use crate::alert::Alert;
use crate::baseline::AssetBaseline;
use crate::config;
use crate::event::{
    App, DnsMessage, DnsTransport, Endpoint, Event, Flow, HostChange, Neighbour, TlsSession, Volume,
};
use crate::inventory::AssetId;
use crate::time::Timestamp;

use super::estate::{Ends, Estate, Phase};
use super::names::Name;
use finding::{Finding, Look};
use raised::Raised;
use usual::Usual;
use watch::{Beginning, Kept};

pub use rows::{Row, rows};
use table::Learns;
pub use table::{CHANNELS, Detector, Reads};

mod attempts;
mod beacons;
mod domains;
mod few;
mod finding;
mod floods;
mod hosts;
mod idle;
mod llmnr;
mod mining;
mod names;
mod neighbours;
mod odd_tls;
mod places;
mod raised;
mod relay;
mod rows;
mod segments;
mod services;
mod spoken;
mod table;
mod transfers;
mod unresolved;
mod usual;
mod watch;
mod whereabouts;

/// The detectors.
#[derive(Debug)]
pub(super) struct Channels {
    settings: config::Channels,
    assets: Vec<Kept>,
    /// Flows that speak TLS, a bit a slot.
    tls: Vec<u64>,
    rotating: names::Rotating,
    responders: llmnr::Responders,
    neighbours: neighbours::Neighbours,
    usual: Usual,
    raised: Raised,
}

/// Findings on their way to be told: nearly always none, which takes no memory.
type Found = Vec<Finding>;

impl Channels {
    pub(super) fn new(settings: &config::Channels) -> Self {
        Self {
            settings: settings.clone(),
            assets: Vec::new(),
            tls: Vec::new(),
            rotating: names::Rotating::new(),
            responders: llmnr::Responders::new(),
            neighbours: neighbours::Neighbours::new(),
            usual: Usual::new(),
            raised: Raised::default(),
        }
    }

    /// Takes other settings.
    pub(super) fn reconfigure(&mut self, settings: &config::Channels) {
        self.settings.clone_from(settings);
    }

    /// A conversation begins: what was known of its slot is of another.
    pub(super) fn opened(&mut self, flow: &Flow) {
        let slot = flow.slot as usize;
        // One that only a log tells of has no slot, and no word here.
        if let Some(word) = self.tls.get_mut(slot / 64) {
            *word &= !(1 << (slot % 64));
        }
    }

    /// A TLS session begins; `named` is what its server name stands for.
    pub(super) fn hello(
        &mut self,
        estate: &Estate,
        ends: Ends,
        event: &Event,
        (hello, named): (&TlsSession, Option<Name>),
        alerts: &mut Vec<Alert>,
    ) {
        let flow = &event.flow;
        self.speaks_tls(flow);
        if ends.client.is_none() || !ends.outbound {
            return;
        }
        let look = Look { estate, flow, ends, now: event.time };
        let mut found = Found::new();
        let beyond = estate.beyond_proxy(flow, hello).map(|beyond| beyond.host);
        if let Some(name) = beyond.or(hello.sni.as_deref()) {
            found.extend(domains::visits(&look, hello, name));
        }
        odd_tls::begins(&look, hello, named, &mut found);
        self.tell(&look, found, alerts);
    }

    /// DNS answered an asset.
    pub(super) fn answered(
        &mut self,
        estate: &Estate,
        asset: AssetId,
        event: &Event,
        message: &DnsMessage,
        alerts: &mut Vec<Alert>,
    ) {
        let Some(question) = message.questions.first() else { return };
        let (name, now) = (&question.name, event.time);
        let mut found = Found::new();
        match message.transport {
            DnsTransport::Mdns => return,
            DnsTransport::Llmnr => {
                let by = event.flow.server.address;
                found.extend(self.responders.answered((asset, by), now, name, message));
            }
            DnsTransport::Udp | DnsTransport::Tcp => self.asked(asset, now, message, &mut found),
        }
        let ends = Ends { client: Some(asset), server: None, outbound: false };
        self.tell(&Look { estate, flow: &event.flow, ends, now }, found, alerts);
    }

    /// A resolver answered an asset.
    fn asked(&mut self, asset: AssetId, now: Timestamp, message: &DnsMessage, found: &mut Found) {
        let Some(name) = message.questions.first().map(|question| &question.name) else { return };
        if names::is_hidden(name) {
            found.push(names::hidden(asset, now, name));
        } else if names::is_gone(message) {
            found.extend(self.kept(asset).asked.get_or_insert_default().gone(asset, now, name));
        } else if message.rcode() == 0 {
            found.extend(self.rotating.answered(asset, now, name, message));
        }
        if names::is_long(name) {
            found.extend(self.kept(asset).asked.get_or_insert_default().long(asset, now, name));
        }
    }

    /// Asks for the memory of what will be looked at for a conversation.
    pub(super) fn prefetch(&self, ends: Ends) {
        for asset in [ends.client, ends.server].into_iter().flatten() {
            if let Some(kept) = self.assets.get(asset.index()) {
                kept.prefetch();
            }
        }
    }

    /// A conversation moved data, or tried to.
    pub(super) fn volume(
        &mut self,
        estate: &Estate,
        ends: Ends,
        event: &Event,
        volume: &Volume,
        alerts: &mut Vec<Alert>,
    ) {
        let flow = &event.flow;
        if (ends.client.is_none() && ends.server.is_none()) || flow.server.address.is_multicast() {
            return;
        }
        let look = Look { estate, flow, ends, now: event.time };
        let mut found = Found::new();
        if volume.since <= flow.opened {
            match Beginning::of(flow, volume) {
                Beginning::Taken => self.taken(&look, volume, &mut found),
                Beginning::Vain => self.vain(&look, volume, &mut found),
                Beginning::Unasked => {
                    let kept = ends.client.map(|asset| self.kept(asset));
                    found.extend(kept.and_then(|kept| kept.floods.answer(&look)));
                }
            }
        }
        self.moved(&look, volume, &mut found);
        self.tell(&look, found, alerts);
    }

    /// Whether it is worth knowing whose a stream is that begins as one of a protocol does.
    pub(super) fn wants(app: App, flow: &Flow) -> bool {
        !spoken::is_usual(app, flow.server.port)
    }

    /// A stream begins as one of a protocol does.
    pub(super) fn spoken(
        &mut self,
        estate: &Estate,
        ends: Ends,
        event: &Event,
        app: App,
        alerts: &mut Vec<Alert>,
    ) {
        let look = Look { estate, flow: &event.flow, ends, now: event.time };
        if let Some(finding) = spoken::begins(&look, app) {
            self.judge(&look, finding, alerts);
        }
    }

    /// Somebody on a link says whose an address is.
    pub(super) fn neighbour(&mut self, estate: &Estate, said: &Neighbour, alerts: &mut Vec<Alert>) {
        let found = self.neighbours.said(&estate.inventory, said);
        for finding in found.into_iter().flatten() {
            let flow = neighbours::flow(said);
            let ends = Ends { client: Some(finding.asset), server: None, outbound: false };
            self.judge(&Look { estate, flow: &flow, ends, now: said.time }, finding, alerts);
        }
    }

    /// A host was changed, as its log says.
    pub(super) fn host_changed(
        &mut self,
        estate: &Estate,
        asset: AssetId,
        now: Timestamp,
        changed: &HostChange,
        alerts: &mut Vec<Alert>,
    ) {
        let Some(address) = estate.inventory.address_of(asset) else { return };
        let Some(finding) = hosts::changed(asset, now, changed) else { return };
        let flow = Flow::of_nobody(Endpoint { address, port: 0, mac: None }, now);
        let ends = Ends { client: Some(asset), server: None, outbound: false };
        self.judge(&Look { estate, flow: &flow, ends, now }, finding, alerts);
    }

    /// What only time changes.
    pub(super) fn tick(&mut self, estate: &Estate, now: Timestamp, alerts: &mut Vec<Alert>) {
        self.raised.tick(estate, now, alerts);
    }

    /// The capture ended, or the detectors are switched off: the last word on every alert.
    pub(super) fn finish(&mut self, estate: &Estate, alerts: &mut Vec<Alert>) {
        self.raised.finish(estate, None, alerts);
    }

    /// Forgets an asset; alerts about it end with their last word.
    pub(super) fn forget(&mut self, estate: &Estate, asset: AssetId, alerts: &mut Vec<Alert>) {
        self.raised.finish(estate, Some(asset), alerts);
        self.usual.forget(asset);
        if let Some(kept) = self.assets.get_mut(asset.index()) {
            *kept = Kept::default();
        }
    }

    /// Fills in what lasts of one asset.
    pub(super) fn save(&self, asset: AssetId, baseline: &mut AssetBaseline) {
        self.usual.save(asset, baseline);
        baseline.served = self.assets.get(asset.index()).map_or([0; 4], |kept| kept.served);
    }

    /// Takes over what lasted of one asset.
    pub(super) fn restore(&mut self, asset: AssetId, baseline: &AssetBaseline) {
        self.usual.restore(asset, baseline);
        self.kept(asset).served = baseline.served;
    }

    /// Goes on from what is known of one asset by now, here and elsewhere.
    pub(super) fn adopt(&mut self, asset: AssetId, baseline: &AssetBaseline) {
        self.usual.forget(asset);
        self.restore(asset, baseline);
    }

    /// How much there was no room for.
    pub(super) const fn forgotten(&self) -> u64 {
        self.usual.forgotten() + self.raised.forgotten()
    }

    #[expect(clippy::indexing_slicing, reason = "the table was grown to hold this index")]
    fn kept(&mut self, asset: AssetId) -> &mut Kept {
        if self.assets.len() <= asset.index() {
            self.assets.resize_with(asset.index() + 1, Kept::default);
        }
        &mut self.assets[asset.index()]
    }

    fn speaks_tls(&mut self, flow: &Flow) {
        let slot = flow.slot as usize;
        if flow.slot == Flow::NO_SLOT {
            return;
        }
        if self.tls.len() <= slot / 64 {
            self.tls.resize(slot / 64 + 1, 0);
        }
        if let Some(word) = self.tls.get_mut(slot / 64) {
            *word |= 1 << (slot % 64);
        }
    }

    fn is_tls(&self, flow: &Flow) -> bool {
        let slot = flow.slot as usize;
        if flow.slot == Flow::NO_SLOT {
            // Of flow records only the port is known.
            return flow.server.port == 443;
        }
        self.tls.get(slot / 64).is_some_and(|word| word & (1 << (slot % 64)) != 0)
    }

    /// Tells what is not usual.
    #[inline]
    fn tell(&mut self, look: &Look<'_>, found: Found, alerts: &mut Vec<Alert>) {
        for finding in found {
            self.judge(look, finding, alerts);
        }
    }

    #[cold]
    fn judge(&mut self, look: &Look<'_>, finding: Finding, alerts: &mut Vec<Alert>) {
        let (asset, of, subject) = (finding.asset, finding.of, &*finding.subject);
        if !self.is_news(look, asset, of, subject) || self.is_approved(look, &finding) {
            return;
        }
        let learns = of.learns != Learns::Nothing;
        if learns && self.usual.is_common(asset, of.name, subject, look.now) {
            return;
        }
        if of.learns == Learns::Told {
            self.usual.tell(asset, of.name, subject);
        }
        self.raised.take(look.estate, finding, look.flow, look.now, alerts);
    }

    /// What a channel may have to tell of an asset: nothing where one more is no news, whatever it is.
    fn news(
        &mut self,
        look: &Look<'_>,
        asset: AssetId,
        of: &'static Detector,
        subject: impl FnOnce() -> Option<String>,
    ) -> Option<String> {
        let subject = if self.usual.is_habit(asset, of) { None } else { subject() };
        subject.filter(|subject| self.is_news(look, asset, of, subject))
    }

    /// Whether a channel may have to tell this of an asset: it is wanted and not usual, and is not just
    /// being learned.
    fn is_news(
        &mut self,
        look: &Look<'_>,
        asset: AssetId,
        of: &'static Detector,
        subject: &str,
    ) -> bool {
        if self.usual.is_habit(asset, of) || self.settings.off.iter().any(|off| off == of.name) {
            return false;
        }
        if look.estate.awaited.has(asset) {
            return false;
        }
        let phase = look.estate.phase(asset, look.now);
        if phase == Phase::Teaching || (phase == Phase::Learning && of.learns != Learns::Nothing) {
            self.usual.learn(asset, of, subject);
            return false;
        }
        !self.usual.knows(asset, of.name, subject)
    }

    /// Whether the config approves the place.
    fn is_approved(&self, look: &Look<'_>, finding: &Finding) -> bool {
        let Some(place) = finding.place.as_ref().filter(|_| !finding.is_server) else {
            return false;
        };
        let server = (place.address, place.port);
        let support = None;
        let approval = look.estate.approval(finding.asset, server, place.name.as_deref(), support);
        approval == super::estate::Approval::Given
    }
}

#[cfg(test)]
mod tests;
