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
/// each 4 ms at the slowest, for a copy; the rest is for the kernel to give frames on in.
const APART: Duration = Duration::from_millis(15);
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
            let before = sent.insert(packet(frame), Instant::now());
            if let Some(left) = before.and_then(|time| APART.checked_sub(time.elapsed())) {
                replayed.waits += 1;
                std::thread::sleep(left);
                sent.insert(packet(frame), Instant::now());
            }
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

/// What two copies of a packet have in common at least: the first bytes of the IP packet without
/// what routers and mirrors change (DSCP, time to live, checksum). Different packets may have that
/// in common too; they only wait in vain.
fn packet(frame: &[u8]) -> Vec<u8> {
    const COMPARED: usize = 52;
    let is_ip = |at: &usize| matches!(frame[at - 2..*at], [0x08, 0x00] | [0x86, 0xdd]);
    let headers = (SHORTEST..frame.len().min(64)).step_by(2).find(is_ip);
    let mut packet = frame[headers.unwrap_or(12)..].to_vec();
    packet.truncate(if headers.is_some() { COMPARED } else { frame.len() });
    let changes: &[usize] = match packet.first().map(|first| first >> 4) {
        Some(4) if headers.is_some() => &[1, 8, 10, 11],
        Some(6) if headers.is_some() => &[0, 1, 2, 3, 7],
        _ => &[],
    };
    let length = packet.len();
    for &at in changes.iter().filter(|at| **at < length) {
        packet[at] = 0;
    }
    packet
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
        let first = datagram(1, b"something");
        let mut routed = first.clone();
        routed[..12].fill(7);
        (routed[14 + 1], routed[14 + 8], routed[14 + 10]) = (0xb8, 63, 9);
        let mut tagged = first[..12].to_vec();
        tagged.extend([0x81, 0, 0, 20]);
        tagged.extend(&first[12..]);
        assert_eq!(packet(&routed), packet(&first));
        assert_eq!(packet(&tagged), packet(&first));
        assert_ne!(packet(&datagram(2, b"something")), packet(&first));
        assert_ne!(packet(&datagram(1, b"something else")), packet(&first));
        assert_eq!(packet(&first[..14]), [8, 0]);
        assert_eq!(packet(&[1; 20]), [1; 8]);
    }
}
