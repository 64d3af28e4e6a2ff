//! Sends the frames of a capture once more, in their order, to several mirror ports at once: each
//! sensor behind them sees the same.
//!
//! Frames go faster than they came. What was a retransmission then would be a second copy now, which
//! sensors leave out: so a packet that was sent a moment ago waits until that is long enough ago.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::io;
use std::ops::Range;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::net::{SendFlags, send};
use rustix::thread::{CpuSet, sched_getcpu, sched_setaffinity};

use crate::frames;
use crate::net::Namespace;

/// The same packet comes no sooner again: sensors take what comes within 2 ms, by clocks that tick
/// each 10 ms at the slowest, for a copy; the rest is for the kernel to give frames on in.
const APART: Duration = Duration::from_millis(25);
/// Frames a second: a debug build of a sensor reads as many.
const RATE: u64 = 10_000;
/// The shortest frame that can be sent: a link header.
const SHORTEST: usize = 14;
/// The MTU of the cables, which is as much as every driver takes in one piece.
pub const MTU: usize = 9000;

/// What became of frames.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Replayed {
    /// Frames that were sent to each port.
    pub frames: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Frames that no interface takes: shorter than a link header, or longer than [`MTU`] allows.
    pub left_out: u64,
}

impl std::ops::AddAssign for Replayed {
    fn add_assign(&mut self, other: Self) {
        self.frames += other.frames;
        self.bytes += other.bytes;
        self.left_out += other.left_out;
    }
}

/// Sends captures' frames out of all `ports` of `switch`, each frame to one port after another. While
/// a capture's next frame has to wait, the next capture's go.
///
/// # Panics
/// When a port cannot be sent from.
pub fn replay(switch: &Namespace, ports: &[&str], captures: &[Vec<Vec<u8>>]) -> Replayed {
    switch.enter(|| {
        stay_here();
        let open =
            |port: &&str| frames::open(port).unwrap_or_else(|error| panic!("{port}: {error}"));
        let mut sender = Sender {
            ports: ports.iter().map(open).collect(),
            start: Instant::now(),
            sent: HashMap::new(),
            replayed: Replayed::default(),
        };
        let mut left = ahead(captures);
        while !left.is_empty() {
            let mut soonest = APART;
            let next = left.iter().position(|capture| {
                if left.iter().any(|other| capture.after.contains(&other.number)) {
                    return false;
                }
                let wait = capture.frames.front().map_or(Duration::ZERO, |next| sender.wait(next));
                soonest = soonest.min(wait);
                wait.is_zero()
            });
            let Some(next) = next else {
                std::thread::sleep(soonest);
                continue;
            };
            match left[next].frames.pop_front() {
                Some(frame) => sender.send(frame),
                None => drop(left.remove(next)),
            }
        }
        sender.replayed
    })
}

/// Keeps the calling thread on one processor, as a card's queue keeps a conversation: captures use ports
/// again, and a direction that moved to another processor since is not begun anew there.
fn stay_here() {
    let mut only = CpuSet::new();
    only.set(sched_getcpu());
    sched_setaffinity(None, &only).expect("a processor that runs this may be kept");
}

/// What is left to be sent of a capture.
struct Ahead<'a> {
    number: usize,
    /// Those before it that have a packet in common with it. The same conversation comes from one after
    /// the other: mixed up, it depends on moments what is taken for sent again.
    after: BTreeSet<usize>,
    frames: VecDeque<Next<'a>>,
}

/// A frame, and what it is known by.
struct Next<'a> {
    bytes: &'a [u8],
    packets: Vec<Vec<u8>>,
}

fn ahead(captures: &[Vec<Vec<u8>>]) -> Vec<Ahead<'_>> {
    let mut holders: HashMap<Vec<u8>, usize> = HashMap::new();
    let prepared = captures.iter().enumerate().map(|(number, frames)| {
        let frames = frames.iter().map(|bytes| Next { bytes, packets: packets(bytes) });
        let frames: VecDeque<_> = frames.collect();
        let all = || frames.iter().flat_map(|next| &next.packets);
        let after = all().filter_map(|packet| holders.get(packet).copied()).collect();
        holders.extend(all().map(|packet| (packet.clone(), number)));
        Ahead { number, after, frames }
    });
    prepared.collect()
}

struct Sender {
    ports: Vec<OwnedFd>,
    start: Instant,
    /// When each packet was sent last.
    sent: HashMap<Vec<u8>, Instant>,
    replayed: Replayed,
}

impl Sender {
    /// How long a frame has to wait.
    fn wait(&self, next: &Next<'_>) -> Duration {
        let last = next.packets.iter().filter_map(|packet| self.sent.get(packet)).max();
        last.map_or(Duration::ZERO, |last| APART.saturating_sub(last.elapsed()))
    }

    /// Sends a frame, when it is its turn by the rate.
    fn send(&mut self, Next { bytes: frame, packets }: Next<'_>) {
        if !(SHORTEST..=SHORTEST + MTU).contains(&frame.len()) {
            self.replayed.left_out += 1;
            return;
        }
        let due = Duration::from_secs_f64(self.replayed.frames as f64 / RATE as f64);
        std::thread::sleep(due.saturating_sub(self.start.elapsed()));
        for port in &self.ports {
            push(port, frame).unwrap_or_else(|error| panic!("{} bytes: {error}", frame.len()));
        }
        // Not before: who is interrupted meanwhile has not sent it yet.
        let now = Instant::now();
        self.sent.extend(packets.into_iter().map(|packet| (packet, now)));
        self.replayed.frames += 1;
        self.replayed.bytes += frame.len() as u64;
    }
}

fn push(port: &OwnedFd, frame: &[u8]) -> io::Result<()> {
    loop {
        match send(port.as_fd(), frame, SendFlags::empty()) {
            Ok(_) => return Ok(()),
            // The other end had no room, and did not get it.
            Err(Errno::NOBUFS | Errno::AGAIN) => std::thread::yield_now(),
            Err(error) => return Err(error.into()),
        }
    }
}

/// What copies of the frame have in common at least: of each IP packet that may be in it, wherever one
/// may begin behind a link header, tags and tunnels, the first bytes above the IP header, and of that
/// what routers and mirrors leave as it is. Different packets may have that in common too; they only
/// wait in vain.
fn packets(frame: &[u8]) -> Vec<Vec<u8>> {
    /// As deep as tunnels go.
    const FARTHEST: usize = 256;
    let places = SHORTEST..frame.len().min(FARTHEST);
    let found = places.filter_map(|at| {
        let (before, rest) = frame.split_at_checked(at)?;
        let is_told = before.ends_with(&[0x08, 0x00]) || before.ends_with(&[0x86, 0xdd]);
        packet(rest, is_told)
    });
    found.collect()
}

/// The like of one IP packet. Where no EtherType tells of it, only what may end with the frame, and its
/// padding, is taken for one.
fn packet(bytes: &[u8], is_told: bool) -> Option<Vec<u8>> {
    const SHORTEST_IN_ALL: usize = 60;
    const ABOVE: usize = 24;
    let word = |at: usize| {
        let word = bytes.get(at..)?.first_chunk()?;
        Some(usize::from(u16::from_be_bytes(*word)))
    };
    // DSCP, time to live and the checksum change.
    let first = *bytes.first()?;
    let (same, header, length): (&[Range<usize>], _, _) = match first {
        0x40..=0x4f => (&[0..1, 2..8, 9..10, 12..20], usize::from(first & 0x0f) * 4, word(2)?),
        0x60..=0x6f => (&[4..7, 8..40], 40, word(4)? + 40),
        _ => return None,
    };
    let ends = bytes.len().saturating_sub(SHORTEST_IN_ALL)..=MTU;
    if !is_told && (header < 20 || !ends.contains(&length)) {
        return None;
    }
    let mut packet = Vec::new();
    for range in same {
        packet.extend(bytes.get(range.clone())?);
    }
    // Padding of the link is not the packet's; no length at all was left to the network card.
    let above = bytes.get(header..)?;
    let stated = if length > header { length - header } else { ABOVE };
    let above = above.get(..stated.min(ABOVE)).unwrap_or(above);
    packet.extend(above);
    packet.resize(packet.len() + ABOVE - above.len(), 0);
    Some(packet)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::traffic::{end, path};
    use crate::wire::{Frame, Payload};

    fn datagram(number: u16, payload: &[u8]) -> Vec<u8> {
        let way = path(end("10.20.0.21", 5000), end("10.20.0.30", 6000));
        Frame::new(number).udp(&way, Payload::whole(payload)).bytes().to_vec()
    }

    /// Fails when a packet that a sensor takes for a copy would not wait.
    #[test]
    fn copies_are_known_behind_routers_and_tags() {
        let first = datagram(1, &[1; 9]);
        let mut routed = first.clone();
        routed[..12].fill(7);
        (routed[14 + 1], routed[14 + 8], routed[14 + 10]) = (0xb8, 63, 9);
        let mut tagged = first[..12].to_vec();
        tagged.extend([0x81, 0, 0, 20]);
        tagged.extend(&first[12..]);
        let has = |frame: &[u8], other: &[u8]| {
            packets(frame).iter().any(|packet| packets(other).contains(packet))
        };
        assert!(has(&routed, &first) && has(&tagged, &first));
        assert!(!has(&datagram(2, &[1; 9]), &first));
        assert!(!has(&datagram(1, &[1; 14]), &first));
        assert!(packets(&first[..14]).is_empty());
    }

    /// Fails when copies would not wait that a link has padded, or that are deep in tunnels.
    #[test]
    fn copies_are_known_with_padding_and_in_tunnels() {
        let first = datagram(1, &[1; 9]);
        let mut padded = first.clone();
        padded.resize(60, 0x55);
        let inside: Vec<u8> = [&[0x60; 110], &first[14..]].concat();
        for other in [padded, inside] {
            assert!(packets(&other).iter().any(|packet| packets(&first).contains(packet)));
        }
    }
}
