//! Guest operations that led up to an egress.

use super::TlsEgress;
use super::case::{Case, Judgement};
use super::weigh::Led;
use crate::alert::Alert;
use crate::baseline::PlaceId;
use crate::detect::estate::Estate;
use crate::detect::operations::Orchestration;
use crate::inventory::AssetId;

impl TlsEgress {
    /// A log told of an operation on `asset`, maybe after the packets that followed it: looks at its
    /// cases again.
    pub(crate) fn orchestrated(
        &mut self,
        estate: &Estate,
        asset: AssetId,
        alerts: &mut Vec<Alert>,
    ) {
        let watch = &mut self.watch;
        let all = (asset, PlaceId::FIRST)..=(asset, PlaceId::LAST);
        for (key, case) in watch.cases.range_mut(all) {
            let now = case.last_seen();
            if !case.lead(estate.operations.before(asset, now)) {
                continue;
            }
            if let Some(found) = watch.known.findings(estate, *key, case, now) {
                let judgement = Judgement::of(&found);
                case.judge(estate, &mut watch.known, *key, now, judgement, alerts);
            }
        }
    }
}

impl Case {
    /// What guest operations led up to it.
    pub(super) fn led(&self) -> Option<Led> {
        let Orchestration { strangeness, acts, .. } = self.orchestration.as_ref()?;
        Some(Led { strangeness: *strangeness, acts: *acts })
    }

    /// Guest operations were shortly before, if any; whether that is news.
    pub(super) fn lead(&mut self, orchestration: Option<&Orchestration>) -> bool {
        let Some(latest) = orchestration else { return false };
        let known = self.orchestration.as_ref();
        // What was stranger explains more than what came last.
        let is_news =
            known.is_none_or(|known| !known.is(latest) && latest.strangeness >= known.strangeness);
        if is_news {
            self.orchestration = Some(latest.clone());
        }
        is_news
    }
}

#[cfg(test)]
mod tests;
