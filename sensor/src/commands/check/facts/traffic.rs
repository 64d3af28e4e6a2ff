//! Some seconds of an interface's traffic, counted.

use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::Interface;
use crate::capture::live::{self, Backend, LiveError, Settings};
use crate::capture::{Burst, Progress, Source};
use crate::config::{self, Config};
use crate::decode::Mac;
use crate::mirror::Sequences;

mod tally;

pub(in super::super) use tally::Tally;

/// What was seen of an interface.
#[derive(Debug, Clone)]
pub(in super::super) struct Traffic {
    pub(in super::super) interface: String,
    /// What was counted, or why nothing could be.
    pub(in super::super) seen: Result<Seen, String>,
}

/// What was counted.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in super::super) struct Seen {
    /// How frames were taken, in a sentence.
    pub(in super::super) how: String,
    /// For how long.
    pub(in super::super) time: Duration,
    /// The id of an XDP program that is on the interface, and may end frames before they are seen here.
    pub(in super::super) program: Option<u32>,
    pub(in super::super) frames: u64,
    pub(in super::super) wire_bytes: u64,
    /// Frames that found no room in the ring.
    pub(in super::super) dropped: u64,
    /// Frames that were cut to `capture.snaplen`.
    pub(in super::super) truncated: u64,
    /// Packets that had been cut before they came here.
    pub(in super::super) cut_before: u64,
    /// What sequence numbers tell of packets that did not come.
    pub(in super::super) sequences: Sequences,
    /// Frames with one receiver, that this machine neither sent nor was to receive.
    pub(in super::super) of_others: u64,
    /// Frames from or to this machine.
    pub(in super::super) own: u64,
    /// Frames to everyone or a group.
    pub(in super::super) to_groups: u64,
    /// IP packets.
    pub(in super::super) packets: u64,
    /// IP packets that were seen a moment before.
    pub(in super::super) copies: u64,
    /// Frames whose packet is larger than the MTU, and the largest of them.
    pub(in super::super) oversize: u64,
    /// Bytes of the largest packet, link header not counted.
    pub(in super::super) largest: u32,
    /// Frames by the id of their outermost VLAN.
    pub(in super::super) vlans: BTreeMap<u16, u64>,
    /// TCP conversations.
    pub(in super::super) tcp: Conversations,
    /// Packets that came through tunnels, by the outermost, and count as what they are inside.
    pub(in super::super) tunnels: BTreeMap<&'static str, u64>,
    /// Packets that carry others that are not read, by what carries them.
    pub(in super::super) closed_tunnels: BTreeMap<&'static str, u64>,
    /// Names of assets of the config that were seen, and of those that were not.
    pub(in super::super) assets_seen: Vec<String>,
    pub(in super::super) assets_unseen: Vec<String>,
    /// Guests that were told by VMware's MAC addresses alone.
    pub(in super::super) discovered: u64,
}

/// TCP conversations by the directions that were seen of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in super::super) struct Conversations {
    pub(in super::super) both: u64,
    pub(in super::super) client_only: u64,
    pub(in super::super) server_only: u64,
}

/// Looks at an interface's traffic for `time`.
pub(in super::super) fn watch(interface: &Interface, config: &Config, time: Duration) -> Traffic {
    let seen = look(interface, config, time).map_err(|error| error.reason);
    Traffic { interface: interface.name.clone(), seen }
}

fn look(interface: &Interface, config: &Config, time: Duration) -> Result<Seen, LiveError> {
    let (name, mtu) = (&interface.name, interface.facts.mtu);
    let backend = match config.capture.backend {
        config::Backend::Pcap => Some(Backend::Pcap),
        // The fast path gives no picture of every frame, and ends them.
        _ => Some(Backend::Ring),
    };
    let settings = Settings { backend, snaplen: config.capture.snaplen, workers: 1, slots: None };
    let mut opened = live::open(name, &settings)?;
    let mut tally = Tally::new(config, own_mac(name), mtu);
    let start = Instant::now();
    for source in &mut opened.sources {
        while let Some(left) = time.checked_sub(start.elapsed()).filter(|left| !left.is_zero()) {
            let mut burst = Burst::new();
            let progress = source.burst(&mut burst)?;
            tally.burst(&burst);
            drop(burst);
            match progress {
                Progress::More => {}
                Progress::Idle => wait(source, left),
                Progress::End => break,
            }
        }
        tally.lost(&source.stats());
    }
    let program = interface.fast_path.program;
    Ok(Seen { how: opened.why, time: start.elapsed(), program, ..tally.finish() })
}

/// Waits for frames, at most for `left` and never long: an interface that goes wakes nobody.
fn wait(source: &live::Live, left: Duration) {
    let most = left.min(Duration::from_millis(100));
    let timeout = Timespec { tv_sec: 0, tv_nsec: most.subsec_nanos().into() };
    // A signal or an error ends the wait early; what is there is asked for next in any case.
    let _ = poll(&mut [PollFd::new(source, PollFlags::IN)], Some(&timeout));
}

fn own_mac(name: &str) -> Option<Mac> {
    let path = format!("/sys/class/net/{}/address", name.replace('/', ""));
    config::file::mac(fs::read_to_string(path).ok()?.trim())
}
