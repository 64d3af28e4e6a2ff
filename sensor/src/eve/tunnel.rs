//! `egret.tunnel`: what a conversation was in. EVE has a `tunnel` object, but only in alerts and
//! without kind and id.

use std::net::IpAddr;

use serde::Serialize;

use crate::event;

/// `egret.tunnel`, with addresses named as EVE names them.
#[derive(Serialize)]
pub(super) struct Tunnel {
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    depth: Option<u8>,
    src_ip: IpAddr,
    dest_ip: IpAddr,
}

impl Tunnel {
    pub(super) const fn new(tunnel: &event::Tunnel) -> Self {
        Self {
            kind: tunnel.kind.name(),
            id: tunnel.id,
            // Of one tunnel it goes without saying.
            depth: if tunnel.depth > 1 { Some(tunnel.depth) } else { None },
            src_ip: tunnel.source,
            dest_ip: tunnel.destination,
        }
    }
}
