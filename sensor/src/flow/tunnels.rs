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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::{Frame, LinkType};
    use crate::time::Timestamp;

    /// An ICMP packet in GRE with a key.
    fn gre(key: u8) -> Vec<u8> {
        let inner = [69, 0, 0, 20, 0, 0, 0, 0, 64, 1, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];
        let header = [0x20, 0, 8, 0, 0, 0, 0, key];
        let outer = [69, 0, 0, 48, 0, 0, 0, 0, 64, 47, 0, 0, 172, 16, 0, 1, 172, 16, 0, 2];
        [&outer[..], &header, &inner].concat()
    }

    #[test]
    fn flows_in_a_row_share_their_tunnel_and_no_other() {
        let mut tunnels = Tunnels::default();
        let mut of = |bytes: &[u8]| {
            let (time, wire_len) = (Timestamp::ZERO, bytes.len() as u32);
            let link = LinkType::RAW;
            let frame = Frame { time, wire_len, link, vlan: None, mark: None, bytes };
            tunnels.of(&crate::decode::packet(&frame).unwrap())
        };
        let [first, again] = [of(&gre(1)), of(&gre(1))].map(Option::unwrap);
        assert!(Arc::ptr_eq(&first, &again));
        assert_eq!(of(&gre(2)).and_then(|tunnel| tunnel.id), Some(2));
        assert_eq!(of(&gre(1)).as_ref(), Some(&first));
        assert_eq!(of(&gre(1)[28..]), None, "what was in it, bare");
    }
}
