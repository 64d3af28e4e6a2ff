//! What others ask of the engine, and tell it, besides events.

use uuid::Uuid;

use super::channels::Channels;
use super::estate::Phase;
use super::guest_operations::GuestOperations;
use super::mirror_policy::MirrorPolicy;
use super::tls_egress::TlsEgress;
use super::volume::{Direction, Past, Scope, Series};
use super::{Engine, Moved, Spending};
use crate::alert::Verdict;
use crate::config::Approve;
use crate::inventory::{AssetId, Inventory};
use crate::time::Timestamp;

/// What is known of an asset, as far as people look at it.
#[derive(Debug, Clone)]
pub struct Watched {
    /// When it will be learned, while it is not.
    pub learned_by: Option<Timestamp>,
    /// What its last hours can be shown from.
    pub past: Past,
    /// No less stands out.
    pub floor: u64,
    /// What is approved for it, by the config and by people.
    pub approvals: Vec<Approve>,
}

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

    /// When an asset will be learned, while it is not.
    pub fn learned_by(&self, asset: AssetId, now: Timestamp) -> Option<Timestamp> {
        let seen = self.inventory().asset(asset)?.first_seen?;
        self.learning(asset, now).then(|| seen.plus(self.estate.learning()))
    }

    /// What is known of the asset of this name, as far as people look at it, with so many approvals at most.
    pub fn watched(&self, name: &str, now: Timestamp, approvals: usize) -> Option<Watched> {
        let id = self.inventory().named(name)?;
        let role = self.inventory().asset(id)?.role;
        Some(Watched {
            learned_by: self.learned_by(id, now),
            past: self.estate.volumes.past(id),
            floor: self.estate.volumes.floor(),
            approvals: self.estate.approvals_of(name, role).take(approvals).cloned().collect(),
        })
    }

    /// Bytes an asset sent and received since the start, or since it was forgotten.
    pub fn moved(&self, asset: AssetId) -> Moved {
        let total = |direction| self.estate.volumes.total(asset, direction);
        Moved { sent: total(Direction::Out), received: total(Direction::In) }
    }

    /// The same by where: out to inside, out to outside, in from inside, in from outside.
    pub fn moved_by_scope(&self, asset: AssetId) -> [u64; 4] {
        let of = |(direction, scope)| self.estate.volumes.total_of(asset, Series(scope, direction));
        let (inside, outside) = (Scope::Internal, Scope::External);
        let (out, into) = (Direction::Out, Direction::In);
        [(out, inside), (out, outside), (into, inside), (into, outside)].map(of)
    }
}
