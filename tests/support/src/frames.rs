//! Sends many frames fast, and knows how many went.

use std::io::{self, IoSlice};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::net::{
    AddressFamily, MMsgHdr, SendAncillaryBuffer, SendFlags, SocketFlags, SocketType, netdevice,
    sendmmsg, socket_with,
};

use crate::net::{Counters, Namespace};
use crate::traffic::{end, path};
use crate::wire::{Frame, Payload};

/// How many frames one system call takes.
const BATCH: usize = 64;

/// Different frames, sent one after another and over again.
#[derive(Debug, Clone)]
pub struct Frames(Vec<Vec<u8>>);

impl Frames {
    /// `count` datagrams of `length` bytes each, of as many conversations as `flows` says, from
    /// 10.20.0.21 to 10.20.1.1 and on; no two of them the same.
    ///
    /// # Panics
    /// When `length` has no room for the headers.
    pub fn datagrams(count: u32, length: usize, flows: u32) -> Self {
        const HEADERS: usize = 14 + 20 + 8;
        let mut payload = vec![0; length.checked_sub(HEADERS).expect("room for headers")];
        let mut frame = Frame::new(1);
        let write = |number: u32| {
            let flow = number % flows.max(1);
            let [_, _, high, low] = flow.to_be_bytes();
            let to = end(&format!("10.20.{}.{}", 1 + high % 250, low), 9000);
            let way = path(end("10.20.0.21", 20_000 + (flow % 40_000) as u16), to);
            if let Some(start) = payload.first_chunk_mut() {
                *start = number.to_be_bytes();
            }
            frame.udp(&way, Payload::whole(&payload)).bytes().to_vec()
        };
        Self((0..count).map(write).collect())
    }

    /// These, in this order.
    pub fn of(frames: Vec<Vec<u8>>) -> Self {
        Self(frames)
    }

    /// How many different ones there are.
    pub fn count(&self) -> u64 {
        self.0.len() as u64
    }

    /// Sends each of them once, at most 10,000 a second, so that any sensor keeps up.
    ///
    /// # Panics
    /// When the interface cannot be sent from.
    pub fn send_once(&self, namespace: &Namespace, interface: &str) -> Counters {
        self.send(namespace, interface, self.count(), Some(10_000))
    }

    /// Sends `count` of them out of `interface` of `namespace`, as fast as it takes them or, where
    /// a `rate` is given, at most so many a second. Gives what the kernel counted meanwhile.
    ///
    /// # Panics
    /// When the interface cannot be sent from.
    pub fn send(
        &self,
        namespace: &Namespace,
        interface: &str,
        count: u64,
        rate: Option<u64>,
    ) -> Counters {
        let before = namespace.counters(interface);
        let sent = namespace.enter(|| self.push(interface, count, rate));
        sent.unwrap_or_else(|error| panic!("sending from {interface}: {error}"));
        let after = namespace.counters(interface);
        Counters {
            rx_packets: after.rx_packets - before.rx_packets,
            rx_bytes: after.rx_bytes - before.rx_bytes,
            rx_dropped: after.rx_dropped - before.rx_dropped,
            tx_packets: after.tx_packets - before.tx_packets,
            tx_bytes: after.tx_bytes - before.tx_bytes,
            tx_dropped: after.tx_dropped - before.tx_dropped,
        }
    }

    fn push(&self, interface: &str, count: u64, rate: Option<u64>) -> io::Result<()> {
        let socket = open(interface)?;
        let slices: Vec<_> = self.0.iter().map(|frame| [IoSlice::new(frame)]).collect();
        let mut nothing: Vec<_> = slices.iter().map(|_| SendAncillaryBuffer::default()).collect();
        let both = slices.iter().zip(&mut nothing);
        let mut messages: Vec<_> = both.map(|(slice, none)| MMsgHdr::new(slice, none)).collect();
        let (start, mut sent, mut at) = (Instant::now(), 0, 0);
        while sent < count {
            let left = usize::try_from(count - sent).unwrap_or(BATCH).min(BATCH);
            let batch = at..messages.len().min(at + left);
            match sendmmsg(socket.as_fd(), &mut messages[batch], SendFlags::empty()) {
                Ok(number) => {
                    sent += number as u64;
                    at = (at + number) % messages.len();
                }
                // The other end had no room; the kernel counted that frame as dropped.
                Err(Errno::NOBUFS | Errno::AGAIN) => std::thread::yield_now(),
                Err(error) => return Err(error.into()),
            }
            if let Some(due) = rate.map(|rate| Duration::from_secs_f64(sent as f64 / rate as f64)) {
                std::thread::sleep(due.saturating_sub(start.elapsed()));
            }
        }
        Ok(())
    }
}

/// A socket that sends whole frames out of an interface of the calling thread's namespace, past its
/// queue.
pub(crate) fn open(interface: &str) -> io::Result<OwnedFd> {
    // Protocol 0: it receives nothing.
    let socket = socket_with(AddressFamily::PACKET, SocketType::RAW, SocketFlags::CLOEXEC, None)?;
    let index = netdevice::name_to_index(&socket, interface)?;
    let address = libc::sockaddr_ll {
        sll_family: libc::AF_PACKET as u16,
        sll_protocol: 0,
        sll_ifindex: index as i32,
        sll_hatype: 0,
        sll_pkttype: 0,
        sll_halen: 0,
        sll_addr: [0; 8],
    };
    let length = size_of_val(&address) as libc::socklen_t;
    #[expect(unsafe_code, reason = "link-layer addresses have no safe form")]
    // SAFETY: the address lives through the call and `length` is its size.
    let bound = unsafe { libc::bind(socket.as_raw_fd(), (&raw const address).cast(), length) };
    if bound != 0 {
        return Err(io::Error::last_os_error());
    }
    let on: libc::c_int = 1;
    #[expect(unsafe_code, reason = "this option has no safe form")]
    // SAFETY: the option's value lives through the call and its size is given.
    let set = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_PACKET,
            libc::PACKET_QDISC_BYPASS,
            (&raw const on).cast(),
            size_of_val(&on) as libc::socklen_t,
        )
    };
    if set != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// Fails when addresses and ports come round before the flows do.
    #[test]
    fn half_a_million_flows_are_as_many() {
        let frames = Frames::datagrams(500_000, 60, 500_000);
        let ends: HashSet<_> = frames.0.iter().map(|frame| frame[26..38].to_vec()).collect();
        assert_eq!(ends.len(), 500_000);
    }
}
