//! What is told of assets, to Prometheus and over the API.

use std::sync::Arc;

use crate::detect::{Engine, Moved};
use crate::metrics::{AssetBytes, Metrics};
use crate::status;
use crate::time::Timestamp;

/// What was told of each asset so far, by its number.
#[derive(Debug)]
pub(super) struct Assets {
    metrics: Metrics,
    told: Vec<Told>,
}

#[derive(Debug, Default)]
struct Told {
    /// Found once, because to find it costs more than to raise it.
    series: Option<AssetBytes>,
    moved: Moved,
}

impl Assets {
    pub(super) const fn new(metrics: Metrics) -> Self {
        Self { metrics, told: Vec::new() }
    }

    /// Names may have changed.
    pub(super) fn renamed(&mut self) {
        self.told.iter_mut().for_each(|told| told.series = None);
    }

    /// Raises the counters, and says how the assets are now.
    pub(super) fn tell(
        &mut self,
        engine: &Engine,
        now: Timestamp,
    ) -> (Arc<Vec<status::Asset>>, status::Learning) {
        let mut all = Vec::new();
        let mut learning = status::Learning::default();
        for (id, asset) in engine.inventory().assets() {
            let moved = engine.moved(id);
            if self.told.len() <= id.index() {
                self.told.resize_with(id.index() + 1, Told::default);
            }
            if let Some(told) = self.told.get_mut(id.index()) {
                let series =
                    told.series.get_or_insert_with(|| self.metrics.asset(&asset.name, asset.role));
                // They begin anew when an asset is forgotten.
                series.sent.inc_by(moved.sent.saturating_sub(told.moved.sent));
                series.received.inc_by(moved.received.saturating_sub(told.moved.received));
                told.moved = moved;
            }
            let learned_by = engine.learned_by(id, now);
            learning.assets += usize::from(learned_by.is_some());
            learning.until = learning.until.max(learned_by);
            let [out_internal, out_external, in_internal, in_external] = engine.moved_by_scope(id);
            all.push(status::Asset {
                name: asset.name.to_string(),
                role: asset.role.name(),
                host: asset.host.as_deref().map(str::to_owned),
                configured: asset.configured,
                first_seen: asset.first_seen,
                learning: engine.learning(id, now),
                bytes_out: moved.sent,
                bytes_in: moved.received,
                moved: status::Moved { out_internal, out_external, in_internal, in_external },
            });
        }
        (Arc::new(all), learning)
    }
}
