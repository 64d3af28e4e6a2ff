//! Frames of very many conversations, sent fast: written anew for each time, so that they take no
//! memory.

use std::io::{self, IoSlice};
use std::os::fd::AsFd;

use rustix::io::Errno;
use rustix::net::{MMsgHdr, SendAncillaryBuffer, SendFlags, sendmmsg};

use crate::frames;
use crate::net::Namespace;
use crate::traffic::{end, path};
use crate::wire::{Frame, Payload};

/// How many frames one system call takes.
const BATCH: usize = 64;

/// Datagrams of 60 bytes, from one sender each conversation, none like another.
#[derive(Debug, Clone, Copy)]
pub struct Flood {
    /// Conversations; at most 2^24.
    pub flows: u32,
    /// Frames of one conversation that come one after another.
    pub run: u32,
    /// Frames in all.
    pub frames: u64,
}

impl Flood {
    /// Bytes of each frame.
    pub const LENGTH: u64 = 60;

    /// The conversation of a frame.
    const fn flow(&self, frame: u64) -> u32 {
        (frame / self.run as u64 % self.flows as u64) as u32
    }

    /// How many frames a conversation has.
    pub const fn frames_of(&self, flow: u32) -> u64 {
        let round = self.flows as u64 * self.run as u64;
        let rest = (self.frames % round).saturating_sub(flow as u64 * self.run as u64);
        let last = if rest < self.run as u64 { rest } else { self.run as u64 };
        self.frames / round * self.run as u64 + last
    }

    /// The conversation that has this source address and port.
    pub const fn flow_of(address: [u8; 4], port: u16) -> u32 {
        let [_, _, high, low] = address;
        (port as u32 & 0xff) << 16 | (high as u32) << 8 | low as u32
    }

    /// Sends them out of `interface` of `namespace` as fast as it takes them.
    ///
    /// # Panics
    /// When the interface cannot be sent from.
    pub fn send(&self, namespace: &Namespace, interface: &str) {
        let sent = namespace.enter(|| self.push(interface));
        sent.unwrap_or_else(|error| panic!("sending from {interface}: {error}"));
    }

    /// The same from the calling thread's namespace.
    ///
    /// # Errors
    /// When the interface cannot be sent from.
    pub fn push(&self, interface: &str) -> io::Result<()> {
        let socket = frames::open(interface)?;
        let way = path(end("10.20.0.0", 20_480), end("10.30.255.255", 9000));
        let mut frame = Frame::new(1);
        let model = frame.udp(&way, Payload::whole(&[0; 18])).bytes().to_vec();
        let mut batch: Vec<Vec<u8>> = vec![model; BATCH];
        let mut next = 0;
        while next < self.frames {
            let count = BATCH.min(usize::try_from(self.frames - next).unwrap_or(BATCH));
            for (frame, number) in batch.iter_mut().zip(next..) {
                write(frame, self.flow(number), number);
            }
            let slices: Vec<_> = batch[..count].iter().map(|frame| [IoSlice::new(frame)]).collect();
            let mut nothing: Vec<_> =
                slices.iter().map(|_| SendAncillaryBuffer::default()).collect();
            let both = slices.iter().zip(&mut nothing);
            let mut messages: Vec<_> =
                both.map(|(slice, none)| MMsgHdr::new(slice, none)).collect();
            match sendmmsg(socket.as_fd(), &mut messages, SendFlags::empty()) {
                Ok(sent) => next += sent as u64,
                // The other end had no room for the first one, and did not get it.
                Err(Errno::NOBUFS | Errno::AGAIN) => std::thread::yield_now(),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

/// Makes a frame that of a conversation. What the source address gains the destination loses, so
/// that the header's checksum stays right; a datagram may go without one.
fn write(frame: &mut [u8], flow: u32, number: u64) {
    let [_, port, high, low] = flow.to_be_bytes();
    frame[28..30].copy_from_slice(&[high, low]);
    frame[32..34].copy_from_slice(&[!high, !low]);
    frame[35] = port;
    frame[40..42].fill(0);
    frame[42..50].copy_from_slice(&number.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use etherparse::SlicedPacket;

    use super::*;

    /// Fails when tests expect other counts than were sent.
    #[test]
    fn conversations_have_the_frames_they_are_said_to_have() {
        for (flows, run, frames) in [(10, 3, 100), (10, 3, 30), (7, 1, 3), (3, 4, 17)] {
            let flood = Flood { flows, run, frames };
            for flow in 0..flows {
                let count = (0..frames).filter(|&number| flood.flow(number) == flow).count();
                assert_eq!(flood.frames_of(flow), count as u64, "{flood:?} {flow}");
            }
        }
    }

    /// Fails when frames are refused for their checksum, or are another conversation's.
    #[test]
    fn a_frame_says_whose_it_is() {
        let way = path(end("10.20.0.0", 20_480), end("10.30.255.255", 9000));
        let mut frame = Frame::new(1).udp(&way, Payload::whole(&[0; 18])).bytes().to_vec();
        assert_eq!(frame.len() as u64, Flood::LENGTH);
        for flow in [0, 1, 0xffff, 0x1_0000, 0xff_fffe] {
            write(&mut frame, flow, 77);
            let sliced = SlicedPacket::from_ethernet(&frame).unwrap();
            let header = sliced.net.unwrap().ipv4_ref().unwrap().header().to_header();
            assert_eq!(header.header_checksum, header.calc_header_checksum());
            let port = u16::from_be_bytes([frame[34], frame[35]]);
            assert_eq!(Flood::flow_of(header.source, port), flow);
        }
    }
}
