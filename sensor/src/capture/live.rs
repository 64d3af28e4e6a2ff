//! Frames from network interfaces: which way of capture, and why that one.

use std::os::fd::{AsFd, BorrowedFd};

use super::{Burst, Progress, Source, Stats};
use crate::time::Timestamp;

/// How to capture from one interface. (Capture knows no config: the wiring fills this in.)
#[derive(Debug, Clone)]
pub struct Settings {
    /// Which way; `None`: the fastest that works.
    pub backend: Option<Backend>,
    /// Bytes captured of each frame.
    pub snaplen: u32,
    /// How many sources share the interface's traffic, both directions of a flow at the same one.
    pub workers: usize,
    /// Tells this interface's fanout group from others of the process.
    pub group: u16,
}

/// The ways of live capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// AF_PACKET with a TPACKET_V3 ring.
    Ring,
    /// libpcap.
    Pcap,
}

/// An interface that is captured from.
#[derive(Debug)]
pub struct Opened {
    /// One a worker, in the workers' order; libpcap gives only one.
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

/// A source of live frames: one member of an interface's fanout group.
#[derive(Debug)]
pub struct Live {}

/// Opens an interface by its name.
///
/// # Errors
/// When no way works: no such interface, missing capabilities.
pub fn open(interface: &str, _settings: &Settings) -> Result<Opened, LiveError> {
    Err(LiveError { interface: interface.to_owned(), reason: "no live capture yet".to_owned() })
}

impl Live {
    /// Whether the interface this source was opened on is still there. After it is gone the source
    /// stays [`Progress::Idle`] for ever, and a new one is to be opened.
    pub fn is_gone(&self) -> bool {
        true
    }

    /// A time that no frame will come before any more: what is not read by now is later than it.
    pub fn quiet_since(&self, _now: Timestamp) -> Timestamp {
        Timestamp::ZERO
    }
}

impl Source for Live {
    type Error = LiveError;

    fn burst<'a>(&'a mut self, _burst: &mut Burst<'a>) -> Result<Progress, LiveError> {
        Ok(Progress::Idle)
    }

    fn stats(&self) -> Stats {
        Stats::default()
    }
}

impl AsFd for Live {
    fn as_fd(&self) -> BorrowedFd<'_> {
        unimplemented!()
    }
}
