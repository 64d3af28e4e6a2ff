//! AN1416 (T1048.002): TLS, over TCP or QUIC, from an asset to a place outside that is neither approved
//! nor usual.
//!
//! A place is the registered domain of the server name where DNS supports that name, else the name
//! whose answer gave the address, else the address's network. All sessions of an asset with a
//! place are one case, so an upload cut into pieces is one upload; it is judged at every hello and
//! at every volume (each 4 MiB, at least every 10 s), and its alert is updated when the severity
//! changes and at the end.
//!
//! What goes through a proxy inside is egress to what that was asked for, and the proxy's own
//! connection is the proxy's.
//!
//! Bounds: 40 bytes for each slot of the flow table, what [`recorded`] keeps, and [`MAX_CASES`] cases of
//! about 550 bytes; what does not fit is counted.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::by_slot::BySlot;
use super::estate::{Ends, Estate, Phase};
use super::exported::Teller;
use super::names::Name;
use super::recent::Recent;
use super::volume::{Direction, Scope, Series};
use crate::alert::Alert;
use crate::baseline::{AssetBaseline, Habits, PlaceId, Spot};
use crate::config::TlsEgress as Settings;
use crate::event::{Event, Ja4, TlsSession, Traffic, Volume};
use crate::inventory::AssetId;
use crate::time::Timestamp;
use case::{Case, Judgement};
use claim::Claim;
use drain::Drains;
use rarity::Rarity;
use weigh::{Findings, Notes};

mod adopt;
mod ahead;
mod case;
mod claim;
mod drain;
mod orchestration;
mod rarity;
mod recorded;
mod weigh;

/// Cases that are looked at closely at a time.
const MAX_CASES: usize = 16_384;
/// A case without traffic for so long is closed; what comes later is another.
const EPISODE: Duration = Duration::from_secs(86_400);
/// Less than this out to a place is not worth judging for a guest without staging.
const WORTH: u64 = 64 * 1024;
/// Link, IP and TCP headers of a packet: an acknowledgement carries nothing out. One of QUIC has as much.
const HEADERS: u64 = 66;

/// The detector.
#[derive(Debug)]
pub(crate) struct TlsEgress {
    flows: BySlot<Followed>,
    /// Sessions that only flow records show, by the conversation's number.
    recorded: Recent<u64, Session>,
    watch: Watch,
}

/// What is known of places, and what is looked at closely.
#[derive(Debug)]
struct Watch {
    /// How long before an upload data may have been staged.
    window: Duration,
    known: Known,
    /// In boxes: the tree's nodes are half empty.
    cases: BTreeMap<(AssetId, PlaceId), Box<Case>>,
    unwatched: u64,
    /// Assets of which other sensors told, and when, for a day.
    adopted: BTreeMap<AssetId, Timestamp>,
    /// The day, since the epoch, on which what is long ago was dropped last.
    expired: u64,
}

/// What is known of assets and places.
#[derive(Debug)]
struct Known {
    habits: Habits,
    rarity: Rarity,
    drains: Drains,
}

/// A conversation to outside.
#[derive(Debug, Clone)]
enum Followed {
    /// No TLS was seen in it so far; bytes it carried out.
    Unread(u64),
    /// A TLS session.
    Session(Session),
}

/// A TLS session that nothing approves.
#[derive(Debug, Clone)]
struct Session {
    place: PlaceId,
    /// Where the habit there lay when it began.
    spot: Spot,
    notes: Notes,
    /// Whether its client and its port are new for the asset.
    new: [bool; 2],
    /// The config approves the name, but not so.
    doubtful: bool,
    said: Arc<Said>,
}

/// What a session's ClientHello says, for an alert. Not in the session itself: there is one for each
/// slot.
#[derive(Debug)]
struct Said {
    /// The server's name, or what a proxy was asked for.
    sni: Option<Arc<str>>,
    ja4: Option<Ja4>,
    /// Through a proxy inside: the flow's server is that.
    proxied: bool,
    /// Who tells of it, where no packet does.
    teller: Option<Teller>,
}

impl TlsEgress {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self {
            flows: BySlot::default(),
            recorded: recorded::sessions(),
            watch: Watch {
                window: settings.window,
                known: Known {
                    habits: Habits::default(),
                    rarity: Rarity::new(),
                    drains: Drains::default(),
                },
                cases: BTreeMap::new(),
                unwatched: 0,
                adopted: BTreeMap::new(),
                expired: 0,
            },
        }
    }

    /// Takes other settings.
    pub(crate) const fn reconfigure(&mut self, settings: &Settings) {
        self.watch.window = settings.window;
    }

    /// Forgets what was learned of an asset at one place, or at all; whether anything was. Alerts
    /// about it end with their last word.
    pub(crate) fn forget(
        &mut self,
        estate: &Estate,
        asset: AssetId,
        place: Option<&str>,
        alerts: &mut Vec<Alert>,
    ) -> bool {
        let Watch { known, cases, .. } = &mut self.watch;
        if place.is_none() {
            known.rarity.forget(asset);
            known.drains.forget(asset);
        }
        let place = match place.map(|name| known.habits.place(name)) {
            Some(None) => return false,
            place => place.flatten(),
        };
        cases.retain(|key, case| {
            let stays = key.0 != asset || place.is_some_and(|place| key.1 != place);
            if !stays {
                case.close(estate, known, *key, alerts);
            }
            stays
        });
        let habits = &mut known.habits;
        let was_known = habits.forget(asset, place);
        // Another name may take the place of one that is gone.
        self.flows.retain(|followed| match followed {
            Followed::Session(session) => !habits.name(session.place).is_empty(),
            Followed::Unread(_) => true,
        });
        self.recorded.retain(|_, session| !habits.name(session.place).is_empty());
        was_known
    }

    /// A TLS session begins; `named` is what its server name stands for.
    pub(crate) fn hello(
        &mut self,
        estate: &Estate,
        ends: Ends,
        event: &Event,
        (hello, named): (&TlsSession, Option<Name>),
        alerts: &mut Vec<Alert>,
    ) {
        let (Some(asset), true) = (ends.client, ends.outbound) else { return };
        let flow = &event.flow;
        let server = (flow.server.address, flow.server.port);
        self.prefetch(asset);
        let beyond = estate.beyond_proxy(flow, hello);
        let claim = match beyond {
            Some(beyond) => Claim::through_proxy(estate, asset, server.0, beyond, (hello, named)),
            None => Claim::check(estate, asset, server, (hello, named)),
        };
        let proxied = beyond.is_some();
        let sni = if proxied { claim.name.map(Into::into) } else { hello.sni.clone() };
        let said = Said { sni, ja4: hello.ja4, proxied, teller: None };
        let learned = (asset, estate.phase(asset, event.time));
        let Some(session) = self.watch.enter(estate, learned, event.time, &claim, said) else {
            return;
        };
        self.prefetch_last(flow);
        let before = match self.flows.get(flow) {
            Some(Followed::Unread(bytes)) => *bytes,
            _ => 0,
        };
        self.watch.send(estate, learned, &session, event, before, alerts);
        self.flows.insert(flow, Followed::Session(session));
    }

    /// A conversation to outside moved data.
    pub(crate) fn volume(
        &mut self,
        estate: &Estate,
        ends: Ends,
        event: &Event,
        volume: &Volume,
        alerts: &mut Vec<Alert>,
    ) {
        let (Some(asset), true) = (ends.client, ends.outbound) else { return };
        let bytes = carried(volume.to_server);
        match self.flows.get_mut(&event.flow) {
            Some(Followed::Session(session)) => {
                let phase = estate.phase(asset, event.time);
                self.watch.send(estate, (asset, phase), session, event, bytes, alerts);
            }
            Some(Followed::Unread(before)) => *before = before.saturating_add(bytes),
            None => self.flows.insert(&event.flow, Followed::Unread(bytes)),
        }
    }

    /// Looks at what only time changes: others who follow, and cases that are over.
    pub(crate) fn tick(&mut self, estate: &Estate, now: Timestamp, alerts: &mut Vec<Alert>) {
        let today = now.as_secs() / 86_400;
        if today > self.watch.expired {
            self.watch.known.habits.expire(now);
            self.watch.known.rarity.expire(now);
            self.watch.forget_adoptions(now);
            self.watch.expired = today;
        }
        let Watch { known, cases, .. } = &mut self.watch;
        cases.retain(|key, case| {
            if let Some(found) = known.findings(estate, *key, case, now) {
                case.rejudge(estate, known, *key, &found, now, alerts);
            }
            if case.is_raised(now) {
                known.drains.spoil(key.0);
            }
            let over = now.since(case.last_seen()) > EPISODE;
            if over {
                case.close(estate, known, *key, alerts);
            }
            !over
        });
    }

    /// Says which assets an open alert is about, and since when.
    pub(crate) fn open(&self, now: Timestamp, mut say: impl FnMut(AssetId, Timestamp)) {
        for ((asset, _), case) in self.watch.cases.iter().filter(|(_, case)| case.is_raised(now)) {
            say(*asset, case.begun());
        }
    }

    /// The capture ended: the last word on every case.
    pub(crate) fn finish(&mut self, estate: &Estate, now: Timestamp, alerts: &mut Vec<Alert>) {
        self.tick(estate, now, alerts);
        for (key, mut case) in std::mem::take(&mut self.watch.cases) {
            case.close(estate, &mut self.watch.known, key, alerts);
        }
    }

    /// Fills in what lasts of one asset.
    pub(crate) fn save(&self, asset: AssetId, baseline: &mut AssetBaseline) {
        let Known { habits, rarity, drains } = &self.watch.known;
        habits.save(asset, baseline);
        rarity.save(asset, baseline);
        drains.save(asset, baseline);
    }

    /// Takes over what lasted of one asset.
    pub(crate) fn restore(&mut self, asset: AssetId, baseline: &AssetBaseline) {
        let Known { habits, rarity, drains } = &mut self.watch.known;
        habits.restore(asset, baseline);
        rarity.restore(asset, baseline);
        drains.restore(asset, baseline);
    }

    /// How many cases, and habits, there was no room for.
    pub(crate) const fn forgotten(&self) -> u64 {
        self.watch.unwatched + self.watch.known.habits.forgotten()
    }
}

impl Watch {
    /// Counts bytes out to a place, and judges them.
    fn send(
        &mut self,
        estate: &Estate,
        (asset, phase): (AssetId, Phase),
        session: &Session,
        event: &Event,
        bytes: u64,
        alerts: &mut Vec<Alert>,
    ) {
        let key = (asset, session.place);
        let reviewed = self.reviewed(asset, event.flow.opened, session, event.flow.server.port);
        let session = reviewed.as_ref().unwrap_or(session);
        let suspected = self.cases.get(&key).map(|case| case.is_suspect());
        let is_suspect = suspected == Some(true);
        let at = (asset, session.place, session.spot);
        let sent = self.known.habits.send(at, event.time, bytes, is_suspect);
        match phase {
            Phase::Teaching => return,
            Phase::Learning => {}
            Phase::Watching => self.known.drains.note(asset, event.time, sent.unexplained),
        }
        let series = Series(Scope::Internal, Direction::In);
        let spike = estate.volumes.recent_spike(asset, series, event.time, self.window);
        if suspected.is_none() {
            let management = estate.role(asset).is_management();
            let led = || estate.operations.before(asset, event.time).is_some();
            if spike.is_none() && sent.lately < WORTH && !management && !led() {
                return;
            }
            if self.cases.len() >= MAX_CASES {
                self.unwatched += 1;
                return;
            }
            self.cases.insert(key, Box::new(Case::new(event, session)));
        }
        let Some(case) = self.cases.get_mut(&key) else { return };
        case.carry(event, session, bytes, spike);
        case.lead(estate.operations.before(asset, event.time));
        if estate.awaited.has(asset) {
            return;
        }
        if let Some(found) = self.known.findings(estate, key, case, event.time) {
            let judgement = Judgement::of(&found);
            case.judge(estate, &mut self.known, key, event.time, judgement, alerts);
        }
    }
}

impl Known {
    /// What speaks for and against a case.
    fn findings<'a>(
        &'a self,
        estate: &Estate,
        (asset, place): (AssetId, PlaceId),
        case: &Case,
        now: Timestamp,
    ) -> Option<Findings<'a>> {
        let habit = self.habits.habit(asset, place)?;
        let drained = self.drains.running(asset).map(|drain| {
            let days = now.since(drain.since).as_secs().div_ceil(86_400);
            habit.total(days as usize + 1) as f64 / drain.bytes.max(1) as f64
        });
        let (management, bytes) = (estate.role(asset).is_management(), habit.total(2));
        let others = if management {
            // Where guests of another site go is no reason for it to go there.
            self.habits.others(asset, place, bytes)
        } else {
            self.habits.others_anywhere(&estate.elsewhere, asset, place, bytes)
        };
        Some(Findings {
            habit,
            others,
            notes: case.notes(),
            staged: case.staged(),
            led: case.led(),
            rare: case.rare(&self.rarity),
            drained,
            management,
            doubtful: case.is_doubtful(),
            learning: estate.phase(asset, now) == Phase::Learning,
        })
    }
}

/// What traffic carries above its headers.
const fn carried(traffic: Traffic) -> u64 {
    traffic.bytes.saturating_sub(traffic.packets.saturating_mul(HEADERS))
}

#[cfg(test)]
mod tests;
