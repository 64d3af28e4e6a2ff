//! The tunnel that each flow came through, in memory once for all flows that one tunnel brings in a row.

use std::sync::Arc;

use crate::decode::Packet;
use crate::event::Tunnel;

/// Remembers the tunnel of the flow opened last: a mirror mostly has one.
#[derive(Default)]
pub(super) struct Tunnels {
    last: Option<Arc<Tunnel>>,
}

impl Tunnels {
    /// The tunnel of a flow that `packet` opens.
    #[inline]
    pub(super) fn of(&mut self, packet: &Packet<'_>) -> Option<Arc<Tunnel>> {
        let tunnel = packet.tunnel?.read()?;
        if self.last.as_deref() != Some(&tunnel) {
            self.last = Some(Arc::new(tunnel));
        }
        self.last.clone()
    }
}
