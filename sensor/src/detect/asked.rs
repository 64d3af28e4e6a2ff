//! What others ask of the engine, and tell it, besides events.

use uuid::Uuid;

use super::channels::Channels;
use super::estate::Phase;
use super::guest_operations::GuestOperations;
use super::mirror_policy::MirrorPolicy;
use super::tls_egress::TlsEgress;
use super::volume::Direction;
use super::{Engine, Moved, Spending};
use crate::alert::Verdict;
use crate::inventory::{AssetId, Inventory};
use crate::time::Timestamp;

impl Engine {
    /// What people found alerts to be; those that are no false alarm do not count against the budget.
    pub fn judge(&mut self, verdicts: &[(Uuid, Verdict)]) {
        self.estate.budget.judge(verdicts);
    }

    /// The site's budget of alerts against what was told.
    pub fn spending(&self) -> Spending {
        self.estate.budget.spending(self.now, self.estate.inventory.seen())
    }

    /// The assets known by now.
    pub const fn inventory(&self) -> &Inventory {
        &self.estate.inventory
    }

    /// How much there was no room to remember: assets, habits and cases beyond their bounds.
    pub fn forgotten(&self) -> u64 {
        let egress = self.tls_egress.as_ref().map_or(0, TlsEgress::forgotten);
        let inventory = &self.estate.inventory;
        let operations = self.guest_operations.as_ref().map_or(0, GuestOperations::forgotten);
        let mirrors = self.mirror_policy.as_ref().map_or(0, MirrorPolicy::forgotten);
        let channels = self.channels.as_ref().map_or(0, Channels::forgotten);
        let unknown = inventory.undiscovered() + inventory.overwritten();
        unknown + egress + operations + mirrors + channels
    }

    /// Whether an asset is still being learned, so that less is told of it.
    pub fn learning(&self, asset: AssetId, now: Timestamp) -> bool {
        self.estate.phase(asset, now) != Phase::Watching
    }

    /// Bytes an asset sent and received since the start, or since it was forgotten.
    pub fn moved(&self, asset: AssetId) -> Moved {
        let total = |direction| self.estate.volumes.total(asset, direction);
        Moved { sent: total(Direction::Out), received: total(Direction::In) }
    }
}
