//! Frames from network interfaces: which way of capture, and why that one.

use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use super::pcap::Pcap;
use super::ring::Ring;
use super::{Burst, Counts, Progress, Scan, Source, Stats, interface, ring, xdp};
use crate::time::Timestamp;
use way::{Port, Tried};

mod way;

/// Memory that a source of an interface holds for frames to wait in.
pub const RING_BYTES: usize = ring::SIZE;

/// How to capture from one interface. (Capture knows no config: the wiring fills this in.)
#[derive(Debug, Clone)]
pub struct Settings {
    /// Which way; `None`: the fastest that works.
    pub backend: Option<Backend>,
    /// Bytes captured of each frame.
    pub snaplen: u32,
    /// How many sources share the interface's traffic, both directions of a flow at the same one.
    pub workers: usize,
    /// Slots of the kernel's table for directions of flows over IPv4, of all processors together, and a
    /// quarter as many for IPv6; `None`: a million and more, as memory allows.
    pub slots: Option<u32>,
}

/// The ways of live capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// XDP in the driver: counts in the kernel, and gives only what is worth reading. For a mirror port.
    Xdp,
    /// The same program above the driver, for drivers without XDP: only when asked for, as frames
    /// that segmentation offload joined count short.
    XdpGeneric,
    /// The same program at tc, both directions: for a host in the path.
    Tc,
    /// AF_PACKET with a TPACKET_V3 ring.
    Ring,
    /// libpcap.
    Pcap,
}

/// What to do where capturing is not permitted.
pub(super) const NEEDS: &str = "it needs the capability CAP_NET_RAW: run as root or as the systemd unit, or once setcap cap_net_raw+ep on the program";

/// Which frames of an interface are captured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    /// Those that arrive.
    In,
    /// Those that this host sends too.
    Both,
}

/// An interface that is captured from.
#[derive(Debug)]
pub struct Opened {
    /// One a worker, in the workers' order; libpcap gives only one, and XDP and tc at most
    /// [`egret_ebpf::MAX_RINGS`].
    pub sources: Vec<Live>,
    /// Which way was chosen.
    pub backend: Backend,
    /// Why, in a sentence for people.
    pub why: String,
}

/// Why an interface cannot be captured from.
#[derive(Debug, thiserror::Error)]
#[error("{interface}: {reason}")]
pub struct LiveError {
    /// Which.
    pub interface: String,
    /// What was tried, what came of it, and what to do.
    pub reason: String,
}

/// A source of live frames: one worker's share of an interface's.
#[derive(Debug)]
pub struct Live(Way);

#[derive(Debug)]
enum Way {
    Fast(Box<xdp::Fast>, xdp::Ending),
    Ring(Ring),
    Pcap(Pcap),
}

/// How long a source that wakes its reader may be left alone.
const WOKEN: Duration = Duration::from_millis(100);

/// Opens an interface by its name: by the way that is asked for, or the fastest; and where that
/// cannot be had, by the next best one, which [`Opened::why`] explains. XDP on a mirror port ends
/// frames that are for others, once they are counted.
///
/// Of sources that are opened with equal numbers of workers, the ones in the same place take the
/// same flows, also when a flow's directions come by two interfaces.
///
/// Times are the kernel's, never the card's own: frames of several interfaces and log lines are
/// put in one order, and copies are known by the 2 ms between them, for which one clock is needed.
/// A card's clock is the system's only where PTP keeps it so, and nothing here can tell.
///
/// # Errors
/// When no way works: no such interface, missing capabilities.
pub fn open(interface: &str, settings: &Settings) -> Result<Opened, LiveError> {
    let failed = |reason| LiveError { interface: interface.to_owned(), reason };
    if interface::index(interface).is_none() {
        return Err(failed(interface::missing(interface)));
    }
    let port = Port::of(interface);
    let mut tried = Tried::default();
    for backend in way::order(settings.backend, port) {
        match way::by(backend, port, settings) {
            Ok(opened) => {
                let many = opened.sources.len();
                let why = tried.why(backend, many, settings.backend, port) + &opened.but();
                return Ok(Opened { sources: opened.sources, backend, why });
            }
            Err(reason) => tried.push(backend, reason),
        }
    }
    Err(failed(tried.to_string()))
}

impl Live {
    /// Whether the interface this source was opened on is there no more. Then the source stays
    /// [`Progress::Idle`] for ever, and a new one is to be opened; one that is only down, or renamed,
    /// goes on by itself.
    pub fn is_gone(&self) -> bool {
        match &self.0 {
            Way::Fast(fast, _) => fast.is_gone(),
            Way::Ring(ring) => ring.is_gone(),
            Way::Pcap(pcap) => pcap.is_gone(),
        }
    }

    /// Begins to tell what was counted without packets and was not told yet, up to now.
    /// [`Self::counted`] gives it. Nothing begins before that is over since the call before.
    pub fn scan(&mut self, scan: Scan) {
        if let Way::Fast(fast, _) = &mut self.0 {
            fast.scan(scan);
        }
    }

    /// Gives what was counted without packets: of flows that gave way, which comes behind the frames
    /// of the last burst, and of all others since [`Self::scan`] was called. Nothing, when all is told.
    pub fn counted(&mut self, counts: &mut Counts) {
        match &mut self.0 {
            Way::Fast(fast, _) => fast.counted(counts),
            Way::Ring(_) | Way::Pcap(_) => counts.clear(),
        }
    }

    /// How long it may be left alone when it had nothing, unless poll(2) ends the wait: a ring that does
    /// not wake its reader for each frame is to be looked at sooner while there is traffic.
    pub fn patience(&self) -> Duration {
        match &self.0 {
            Way::Fast(fast, _) => fast.patience(),
            Way::Ring(_) | Way::Pcap(_) => WOKEN,
        }
    }

    /// Second copies of packets were seen among its frames: where packets are counted elsewhere, those
    /// are to be known there, too.
    pub fn expect_copies(&self) {
        if let Way::Fast(fast, _) = &self.0 {
            fast.expect_copies();
        }
    }

    /// Lets packets go on to this host from now on, where they end here once they are counted.
    pub fn pass(&self) {
        if let Way::Fast(_, ending) = &self.0 {
            ending.pass();
        }
    }

    /// Ends capture: what has come so far can still be read, nothing comes on top.
    pub fn halt(&mut self) {
        if let Way::Fast(fast, _) = &mut self.0 {
            fast.halt();
        }
    }

    /// A time that no frame will come before any more: what is not read by now is later than it.
    /// `now` is the system's time, read before this call, and for libpcap before the last burst.
    pub fn quiet_since(&self, now: Timestamp) -> Timestamp {
        match &self.0 {
            Way::Fast(fast, _) => fast.quiet_since(now),
            Way::Ring(ring) => ring.quiet_since(now),
            Way::Pcap(pcap) => pcap.quiet_since(now),
        }
    }
}

impl Source for Live {
    type Error = LiveError;

    fn burst<'a>(&'a mut self, burst: &mut Burst<'a>) -> Result<Progress, LiveError> {
        match &mut self.0 {
            Way::Fast(fast, _) => Ok(fast.burst(burst)),
            Way::Ring(ring) => Ok(ring.burst(burst)),
            Way::Pcap(pcap) => pcap.burst(burst),
        }
    }

    fn stats(&self) -> Stats {
        match &self.0 {
            Way::Fast(fast, _) => fast.stats(),
            Way::Ring(ring) => ring.stats(),
            Way::Pcap(pcap) => pcap.stats(),
        }
    }
}

/// To wait for frames with poll(2), after [`Progress::Idle`].
impl AsFd for Live {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match &self.0 {
            Way::Fast(fast, _) => fast.as_fd(),
            Way::Ring(ring) => ring.as_fd(),
            Way::Pcap(pcap) => pcap.as_fd(),
        }
    }
}
