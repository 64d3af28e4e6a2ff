//! Sends the frames of a capture once more, in their order, to several mirror ports at once: each
//! sensor behind them sees the same.
//!
//! Frames go faster than they came. What was a retransmission then would be a second copy now, which
//! sensors leave out: so a packet that was sent a moment ago waits until that is long enough ago.

use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::net::{SendFlags, send};

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
    /// How often a frame had to wait, because it was sent a moment before.
    pub waits: u64,
}

impl std::ops::AddAssign for Replayed {
    fn add_assign(&mut self, other: Self) {
        self.frames += other.frames;
        self.bytes += other.bytes;
        self.left_out += other.left_out;
        self.waits += other.waits;
    }
}

/// Sends frames out of all `ports` of `switch`, each frame to one port after another.
///
/// # Panics
/// When a port cannot be sent from.
pub fn replay(switch: &Namespace, ports: &[&str], captured: &[Vec<u8>]) -> Replayed {
    switch.enter(|| {
        let open =
            |port: &&str| frames::open(port).unwrap_or_else(|error| panic!("{port}: {error}"));
        let ports: Vec<OwnedFd> = ports.iter().map(open).collect();
        let mut replayed = Replayed::default();
        let mut sent: HashMap<Vec<u8>, Instant> = HashMap::new();
        let start = Instant::now();
        for frame in captured {
            if !(SHORTEST..=SHORTEST + MTU).contains(&frame.len()) {
                replayed.left_out += 1;
                continue;
            }
            let packets = packets(frame);
            let last = packets.iter().filter_map(|packet| sent.get(packet)).max();
            if let Some(left) = last.and_then(|time| APART.checked_sub(time.elapsed())) {
                replayed.waits += 1;
                std::thread::sleep(left);
            }
            sent.extend(packets.into_iter().map(|packet| (packet, Instant::now())));
            for port in &ports {
                push(port, frame).unwrap_or_else(|error| panic!("{} bytes: {error}", frame.len()));
            }
            replayed.frames += 1;
            replayed.bytes += frame.len() as u64;
            let due = Duration::from_secs_f64(replayed.frames as f64 / RATE as f64);
            std::thread::sleep(due.saturating_sub(start.elapsed()));
        }
        replayed
    })
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

/// What two copies of a packet have in common at least: the first bytes of an IP packet, where one may
/// begin behind a link header, tags and tunnels, without what routers and mirrors change (DSCP, time to live, checksum).
/// Different packets may have that in common too; they only wait in vain.
fn packets(frame: &[u8]) -> Vec<Vec<u8>> {
    const COMPARED: usize = 52;
    const FARTHEST: usize = 64;
    /// Farther on, only what may end with the frame, and its padding, is taken for a packet.
    const LINK: usize = SHORTEST + 8;
    const SHORTEST_IN_ALL: usize = 60;
    let places = (SHORTEST..frame.len().min(FARTHEST)).step_by(2);
    let found = places.filter_map(|at| {
        let rest = &frame[at..];
        let word =
            |at: usize| Some(usize::from(u16::from_be_bytes([*rest.get(at)?, *rest.get(at + 1)?])));
        let (changes, length): (&[usize], _) = match rest[0] {
            0x45..=0x4f => (&[1, 8, 10, 11], word(2)?),
            0x60..=0x6f => (&[0, 1, 2, 3, 7], word(4)? + 40),
            _ => return None,
        };
        if at > LINK && !(rest.len().saturating_sub(SHORTEST_IN_ALL)..=MTU).contains(&length) {
            return None;
        }
        let mut packet: Vec<u8> = rest.iter().copied().take(COMPARED).collect();
        for &at in changes {
            if let Some(byte) = packet.get_mut(at) {
                *byte = 0;
            }
        }
        Some(packet)
    });
    found.collect()
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
}
