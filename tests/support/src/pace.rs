//! Sends what a scenario recorded at the pace at which it happened, as it would be on a wire: what
//! segmentation offload had joined goes out in segments.

use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use rustix::net::{SendFlags, send};

use crate::esxi::Line;
use crate::frames;
use crate::net::Namespace;
use crate::scenario::Recording;

/// The largest TCP payload of a segment.
const SEGMENT: usize = 1460;
/// Ethernet and IPv4 without options: only such frames are cut into segments.
const IP: usize = 14;
const TCP: usize = IP + 20;

/// Frames and when each is due, counted from the first moment.
#[derive(Debug, Default)]
pub struct Paced(Vec<(Duration, Vec<u8>)>);

impl Paced {
    /// What was recorded in `from..to`, in nanoseconds since the epoch.
    pub fn of(recording: &mut Recording, from: u64, to: u64) -> Self {
        let mut frames = Vec::new();
        recording.each(from, to, |time, bytes, wire_len| {
            let due = Duration::from_nanos(time - from);
            for segment in segments(bytes, wire_len) {
                frames.push((due, segment));
            }
        });
        Self(frames)
    }

    /// How many there are.
    pub const fn count(&self) -> usize {
        self.0.len()
    }

    /// Their bytes.
    pub fn bytes(&self) -> u64 {
        self.0.iter().map(|(_, frame)| frame.len() as u64).sum()
    }

    /// Sends each out of `interface` of `namespace` when it is due.
    ///
    /// # Panics
    /// When the interface cannot be sent from.
    pub fn send(&self, namespace: &Namespace, interface: &str) {
        namespace.enter(|| {
            let socket = frames::open(interface).expect("an interface of the namespace");
            let start = Instant::now();
            for (due, frame) in &self.0 {
                std::thread::sleep(due.saturating_sub(start.elapsed()));
                // Where the other end has no room, the kernel counts a drop.
                let _ = send(socket.as_fd(), frame, SendFlags::empty());
            }
        });
    }
}

/// Sends lines over TCP to an `address` in `namespace`, each when it is due after `from`.
///
/// # Panics
/// When nobody takes them.
pub fn send_lines(namespace: &Namespace, address: SocketAddr, lines: &[Line], from: u64) {
    namespace.enter(|| {
        let mut connection = TcpStream::connect(address).expect("somebody listens");
        let start = Instant::now();
        for line in lines {
            let due = Duration::from_nanos(line.time.saturating_sub(from));
            std::thread::sleep(due.saturating_sub(start.elapsed()));
            let counted = format!("{} {}", line.text.len(), line.text);
            connection.write_all(counted.as_bytes()).expect("it is taken");
        }
    });
}

/// The frame at its length on the wire, in segments where it is a large TCP segment of IPv4.
fn segments(bytes: &[u8], wire_len: usize) -> Vec<Vec<u8>> {
    let mut whole = bytes.to_vec();
    whole.resize(wire_len, 0);
    let is_large = wire_len > TCP + 60 + SEGMENT && bytes[12..14] == [8, 0] && bytes[IP] == 0x45;
    if !is_large || bytes[IP + 9] != 6 {
        whole.truncate(IP + 1500);
        return vec![whole];
    }
    let payload = TCP + usize::from(bytes[TCP + 12] >> 4) * 4;
    let sequence = u32::from_be_bytes(bytes[TCP + 4..TCP + 8].try_into().expect("four bytes"));
    let cut = |(number, piece): (usize, &[u8])| {
        let mut segment = whole[..payload].to_vec();
        let length = (payload - IP + piece.len()) as u16;
        segment[IP + 2..IP + 4].copy_from_slice(&length.to_be_bytes());
        let number_in_ip =
            u16::from_be_bytes([whole[IP + 4], whole[IP + 5]]).wrapping_add(number as u16);
        segment[IP + 4..IP + 6].copy_from_slice(&number_in_ip.to_be_bytes());
        let begins = sequence.wrapping_add((number * SEGMENT) as u32);
        segment[TCP + 4..TCP + 8].copy_from_slice(&begins.to_be_bytes());
        segment.extend_from_slice(piece);
        segment
    };
    whole[payload..].chunks(SEGMENT).enumerate().map(cut).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::traffic::{end, path};
    use crate::wire::flag::ACK;
    use crate::wire::{Frame, Payload, Segment};

    #[test]
    fn a_joined_frame_goes_out_as_segments_that_follow_on_each_other() {
        let way = path(end("10.20.0.21", 5000), end("10.20.0.30", 443));
        let segment = Segment { flags: ACK, sequence: 7, acknowledgment: 1 };
        let mut frame = Frame::new(1);
        frame.tcp(&way, segment, Payload::cut(&[0x17, 3, 3], 4000));
        let cut = segments(frame.bytes(), frame.wire_len() as usize);
        let sequences: Vec<u8> = cut.iter().map(|segment| segment[TCP + 7]).collect();
        assert_eq!(sequences, [7, (7 + 1460) as u16 as u8, (7 + 2920) as u16 as u8]);
        assert_eq!(cut.iter().map(|segment| segment.len() - 54).sum::<usize>(), 4000);
        assert_eq!(cut[0][54..57], [0x17, 3, 3]);
    }
}
