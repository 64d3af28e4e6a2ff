//! Memory that a session takes, asked for ahead.
//!
//! Most of what a hello costs is waiting for what is known of its asset, its place and its network, which
//! lie all over. What is asked for at once is waited for once.

use super::{Followed, TlsEgress};
use crate::detect::estate::Ends;
use crate::event::Flow;
use crate::inventory::AssetId;
use crate::prefetch;

impl TlsEgress {
    /// A hello is about to be told: asks for what its ends lead to at once.
    pub(crate) fn expect(&self, ends: Ends, flow: &Flow) {
        let (Some(asset), true) = (ends.client, ends.outbound) else { return };
        self.watch.known.rarity.expect(asset, flow.server.address);
        self.watch.known.habits.expect(asset);
        if let Some(Followed::Session(before)) = self.flows.before(flow) {
            prefetch::line(&*before.said);
        }
    }

    /// Asks for what that leads to.
    pub(super) fn prefetch(&self, asset: AssetId) {
        self.watch.known.rarity.prefetch(asset);
        self.watch.known.habits.prefetch(asset);
    }

    /// Asks for the rest of what the session before this one in its slot leaves behind.
    pub(super) fn prefetch_last(&self, flow: &Flow) {
        if let Some(Followed::Session(before)) = self.flows.before(flow)
            && let Some(first) = before.said.sni.as_ref().and_then(|name| name.as_bytes().first())
        {
            prefetch::line(first);
        }
    }
}
