//! Any bytes whatever.

use proptest::prelude::*;

use super::*;

/// Lengths fit, a tunnel can be told, and no more was gone through than may be.
fn assert_is_sane(frame: &Frame<'_>) -> Result<(), TestCaseError> {
    let Ok(packet) = packet(frame) else { return Ok(()) };
    prop_assert!(packet.payload.len() <= packet.payload_wire_len as usize);
    prop_assert!(packet.payload_wire_len <= packet.wire_len);
    prop_assert!(packet.wire_len <= frame.wire_len);
    let Some(outer) = packet.tunnel else { return Ok(()) };
    let tunnel = outer.read();
    prop_assert!(tunnel.is_some_and(|tunnel| (1..=MAX_NESTED).contains(&tunnel.depth)));
    // The payload lies in what was captured of the outermost packet, behind one innermost header.
    let begin = (packet.payload.as_ptr() as usize).saturating_sub(outer.bytes().as_ptr() as usize);
    const INNERMOST: usize = 4096 + 8 * 2048;
    prop_assert!(packet.payload.is_empty() || begin <= MAX_HEADERS + INNERMOST, "{}", begin);
    Ok(())
}

proptest! {
    /// What is valid but for some bytes, and cut anywhere.
    #[test]
    fn changed_bytes_are_read_or_left(
        case in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
        len in any::<prop::sample::Index>(),
        longer in 0u32..100_000,
    ) {
        let cases = cases();
        let mut bytes = case.get(&cases).bytes.clone();
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        bytes.truncate(len.index(bytes.len() + 1));
        assert_is_sane(&Frame { wire_len: bytes.len() as u32 + longer, ..ethernet(&bytes) })?;
    }

    /// Noise behind every entrance.
    #[test]
    fn any_bytes_behind_an_entrance_are_read_or_left(
        v6 in any::<bool>(),
        entrance in 0_usize..7,
        noise in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let ports = [VXLAN_PORT, VXLAN_GPE_PORT, GENEVE_PORT, GTP_U_PORT];
        let above = match ports.get(entrance) {
            Some(port) => wrap::udp(*port, &[], &noise),
            None => {
                let protocol = [protocol::GRE, protocol::IPV4, protocol::IPV6][entrance - 4];
                Above { protocol, bytes: noise }
            }
        };
        assert_is_sane(&ethernet(&wrap::outer(v6, &above)))?;
    }

    /// Tunnels of all kinds in any order, deeper than they are followed, some bytes of them changed.
    #[test]
    fn bombs_are_followed_so_far(
        kinds in prop::collection::vec((any::<prop::sample::Index>(), any::<bool>()), 1..24),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..2),
    ) {
        let mut frame = guest(false);
        for (kind, v6) in kinds {
            let kinds = [of_ethernet(&frame), of_ip(&frame[14..])].concat();
            frame = wrap::outer(v6, &kind.get(&kinds).1);
        }
        for (at, value) in changes {
            let at = at.index(frame.len());
            frame[at] = value;
        }
        assert_is_sane(&ethernet(&frame))?;
    }
}
