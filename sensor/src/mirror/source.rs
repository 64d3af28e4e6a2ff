//! Where mirrored packets come from: an interface, or one exporter of tunnels there. A switch may
//! sample, cut or double what it sends, and another one that sends to the same interface not.

use std::fmt;

use super::MirrorFacts;
use crate::event::{Flow, Tunnel};

/// The most sources that one worker tells apart; what comes from others counts as of none.
pub const MAX_SOURCES: usize = 128;

/// One source of packets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Source {
    /// See [`Flow::interface`].
    pub interface: Option<u16>,
    /// The tunnel that they come through; of its two ends only the one that sends counts.
    pub tunnel: Option<Tunnel>,
}

/// What was counted of one source.
#[derive(Debug, Clone, Copy, Default)]
pub struct SourceFacts {
    /// Which.
    pub source: Source,
    /// Over the last minute or so; with little traffic, longer. Packets are those that were looked at.
    pub recent: MirrorFacts,
    /// Since the start.
    pub total: MirrorFacts,
}

impl Source {
    /// The source of a conversation.
    pub fn of(flow: &Flow) -> Self {
        Self { interface: flow.interface, tunnel: flow.tunnel.as_deref().copied() }
    }

    /// Whether it is the same source, whoever the tunnel's packets are sent to.
    pub fn is(&self, other: &Self) -> bool {
        let sender = |tunnel: &Tunnel| (tunnel.kind, tunnel.id, tunnel.source);
        self.interface == other.interface
            && match (&self.tunnel, &other.tunnel) {
                (None, None) => true,
                (Some(one), Some(other)) => sender(one) == sender(other),
                _ => false,
            }
    }

    /// Its name for people; `interfaces` are the names of those that are captured from.
    pub fn name(&self, interfaces: &[String]) -> impl fmt::Display {
        fmt::from_fn(move |f| {
            let interface = self.interface.and_then(|place| interfaces.get(usize::from(place)));
            match (&self.tunnel, interface) {
                (None, None) => f.write_str("the mirror"),
                (None, Some(interface)) => write!(f, "the mirror on {interface}"),
                (Some(tunnel), interface) => {
                    // The kinds are called as the field writes them, but for capitals.
                    let kind = format!("{:?}", tunnel.kind).to_uppercase();
                    write!(f, "the mirror from {} in {kind}", tunnel.source)?;
                    if let Some(id) = tunnel.id {
                        write!(f, " {id}")?;
                    }
                    interface.map_or(Ok(()), |interface| write!(f, " on {interface}"))
                }
            }
        })
    }
}
