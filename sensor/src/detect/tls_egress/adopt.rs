//! What another sensor learned of an asset: what was judged without it is judged again.

use super::case::{Case, Judgement};
use super::rarity::Rarity;
use super::{Session, TlsEgress, Watch};
use crate::alert::Alert;
use crate::baseline::{AssetBaseline, PlaceId, SIZES};
use crate::detect::estate::Estate;
use crate::detect::volume::{Direction, Scope, Series};
use crate::inventory::AssetId;
use crate::time::Timestamp;

/// For so many seconds after that, sessions that were under way are held against what is known since.
const UNDER_WAY: u64 = 86_400;

impl TlsEgress {
    /// Goes on from what is known of an asset by now, here and elsewhere.
    pub(crate) fn adopt(
        &mut self,
        estate: &Estate,
        asset: AssetId,
        learned: &AssetBaseline,
        now: Timestamp,
        alerts: &mut Vec<Alert>,
    ) {
        for gone in self.watch.known.habits.beside(asset, learned) {
            self.forget(estate, asset, Some(&gone), alerts);
        }
        let Watch { known, adopted, .. } = &mut self.watch;
        known.habits.adopt(asset, learned);
        known.rarity.adopt(asset, learned);
        known.drains.adopt(asset, learned);
        adopted.insert(asset, now);
        self.watch.reconsider(estate, asset, now, alerts);
    }

    /// How many assets go where, of one part of all places.
    pub(crate) fn told(&self, part: u8) -> Vec<(&str, [u32; SIZES])> {
        self.watch.known.habits.told(part)
    }

    /// Judges what one asset does, as far as that waited.
    pub(crate) fn judge_again(&mut self, estate: &Estate, asset: AssetId, alerts: &mut Vec<Alert>) {
        let Watch { known, cases, .. } = &mut self.watch;
        for (key, case) in cases.range_mut((asset, PlaceId::FIRST)..=(asset, PlaceId::LAST)) {
            let now = case.last_seen();
            if let Some(found) = known.findings(estate, *key, case, now) {
                let judgement = Judgement::of(&found);
                case.judge(estate, known, *key, now, judgement, alerts);
            }
        }
    }
}

impl Watch {
    /// What a session that began before its asset was adopted is, seen from what is known since.
    pub(super) fn reviewed(
        &self,
        asset: AssetId,
        opened: Timestamp,
        session: &Session,
        port: u16,
    ) -> Option<Session> {
        let at = self.adopted.get(&asset).filter(|at| opened <= **at)?;
        let new = self.known.rarity.is_new(asset, session.said.ja4, port, *at);
        Some(Session { new, ..session.clone() })
    }

    /// Forgets who was adopted long ago.
    pub(super) fn forget_adoptions(&mut self, now: Timestamp) {
        self.adopted.retain(|_, at| now.since(*at).as_secs() <= UNDER_WAY);
    }

    fn reconsider(
        &mut self,
        estate: &Estate,
        asset: AssetId,
        now: Timestamp,
        alerts: &mut Vec<Alert>,
    ) {
        let Self { known, cases, window, .. } = self;
        let series = Series(Scope::Internal, Direction::In);
        for (key, case) in cases.range_mut((asset, PlaceId::FIRST)..=(asset, PlaceId::LAST)) {
            let at = case.last_seen();
            case.restage(estate.volumes.recent_spike(asset, series, at, *window));
            case.review(&known.rarity, asset, now);
            // Who else is asked may know more; what waits is judged when all have answered.
            if estate.awaited.has(asset) {
                continue;
            }
            if let Some(found) = known.findings(estate, *key, case, at) {
                let judgement = Judgement::of(&found);
                case.reconsider(estate, known, *key, at.max(now), judgement, alerts);
            }
        }
    }
}

impl Case {
    /// What is new for the asset is seen from what is known by now.
    fn review(&mut self, rarity: &Rarity, asset: AssetId, now: Timestamp) {
        let port = self.port();
        let session = self.session_mut();
        session.new = rarity.is_new(asset, session.said.ja4, port, now);
    }
}
