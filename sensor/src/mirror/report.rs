//! What a source does to packets, as machines read it: in the status and in the `stats` event.

use std::net::IpAddr;

use serde::Serialize;

use super::{MirrorFacts, Missing, Source, SourceFacts};

/// One source of packets.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Report {
    /// The interface's name; a file has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interface: Option<String>,
    /// The tunnel, where they come through one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tunnel: Option<Tunnel>,
    /// Packets that were looked at: some of all.
    pub packets: u64,
    /// Share of packets that are second copies, 0 to 1.
    pub duplicates: f64,
    /// Share of packets of which the mirror gave only a part, 0 to 1.
    pub truncated: f64,
    /// TCP conversations that tell how many sides were seen.
    pub conversations: u64,
    /// Share of them of which one side only was seen, 0 to 1.
    pub one_sided: f64,
    /// Share of bytes that are missing though nobody here lost them, 0 to 1, where it is no sampling.
    pub lost: f64,
    /// The mirror shows one packet in so many; 1: all.
    pub one_in: f64,
    /// Bytes of conversations that were seen, second copies left out.
    pub bytes: u64,
    /// Bytes that there were, by that rate.
    pub estimated_bytes: u64,
}

/// A tunnel that a mirror's packets come through.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Tunnel {
    /// What it is: `vxlan`, `gre`, `erspan`.
    pub kind: String,
    /// Its id, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<u32>,
    /// Who sends them.
    pub src_ip: IpAddr,
}

impl SourceFacts {
    /// What was lately so; `interfaces` are the names of those that are captured from.
    pub fn recently(&self, interfaces: &[String]) -> Report {
        Report::new(&self.source, &self.recent, interfaces)
    }

    /// What was so since the start.
    pub fn in_all(&self, interfaces: &[String]) -> Report {
        Report::new(&self.source, &self.total, interfaces)
    }
}

impl Report {
    fn new(source: &Source, facts: &MirrorFacts, interfaces: &[String]) -> Self {
        let interface = source.interface.and_then(|place| interfaces.get(usize::from(place)));
        Self {
            interface: interface.cloned(),
            tunnel: source.tunnel.map(|tunnel| Tunnel {
                kind: format!("{:?}", tunnel.kind).to_lowercase(),
                id: tunnel.id,
                src_ip: tunnel.source,
            }),
            packets: facts.packets,
            duplicates: rounded(facts.duplicate_share()),
            truncated: rounded(facts.truncated_share()),
            conversations: facts.conversations,
            one_sided: rounded(facts.one_sided_share()),
            lost: match facts.missing() {
                Some(Missing::Lost(share)) => rounded(share),
                _ => 0.0,
            },
            one_in: rounded(facts.one_in.unwrap_or(1.0)),
            bytes: facts.bytes,
            estimated_bytes: facts.estimated_bytes(),
        }
    }
}

/// Digits beyond the fourth mean nothing.
fn rounded(number: f64) -> f64 {
    (number * 1e4).round() / 1e4
}
