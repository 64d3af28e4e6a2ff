//! libpcap live: works wherever libpcap does, frame by frame.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use pcap::{Active, Capture, Precision};

use super::live::{Direction, LiveError, NEEDS, Settings};
use super::{Burst, Frame, LinkType, Progress, Stats, interface, ring};
use crate::text::reason;
use crate::time::Timestamp;

/// Bytes that libpcap keeps for frames not read yet: as many as a ring has.
const BUFFER: i32 = 32 << 20;

/// After this long libpcap's kernel side gives out what it has.
const TIMEOUT: Duration = Duration::from_millis(20);

/// How long a frame may lie there before it is given out: as in the ring, of which this is one.
const HELD_BACK: Duration = Duration::from_millis(100);

/// The most libpcap takes of a frame (`MAXIMUM_SNAPLEN`).
const MAX_SNAPLEN: u32 = 262_144;

/// An interface opened by libpcap.
pub(super) struct Pcap {
    capture: RefCell<Capture<Active>>,
    /// libpcap's socket once more, to ask about it while frames are borrowed.
    socket: OwnedFd,
    interface: String,
    link: LinkType,
    /// Time of the last frame given, while there may be more.
    unread: Option<Timestamp>,
    frames: u64,
    bytes: u64,
    truncated: u64,
    /// libpcap's counter when it was last read, and what that came to so far.
    dropped: Cell<(u32, u64)>,
}

impl Pcap {
    /// Opens an interface.
    ///
    /// # Errors
    /// A sentence for people: what libpcap said, and what to do.
    pub(super) fn open(
        interface: &str,
        settings: &Settings,
        direction: Direction,
    ) -> Result<Self, String> {
        if interface::index(interface).is_none() {
            return Err(interface::missing(interface));
        }
        let snaplen = settings.snaplen.min(MAX_SNAPLEN) as i32;
        let inactive = Capture::from_device(interface).map_err(said)?;
        let inactive = inactive.promisc(true).snaplen(snaplen).buffer_size(BUFFER);
        let inactive = inactive.timeout(TIMEOUT.as_millis() as i32).precision(Precision::Nano);
        let capture = inactive.open().and_then(Capture::setnonblock).map_err(said)?;
        if direction == Direction::In {
            capture.direction(pcap::Direction::In).map_err(said)?;
        }
        let link = u16::try_from(capture.get_datalink().0).map(LinkType);
        let link = link.map_err(|_| "its link type has no number in captures".to_owned())?;
        let socket = capture.as_fd().try_clone_to_owned();
        let socket = socket.map_err(|error| reason(&error))?;
        Ok(Self {
            capture: RefCell::new(capture),
            socket,
            interface: interface.to_owned(),
            link,
            unread: None,
            frames: 0,
            bytes: 0,
            truncated: 0,
            dropped: Cell::new((0, 0)),
        })
    }

    /// As [`super::Source::burst`], one frame at a time: libpcap's is valid until the next.
    pub(super) fn burst<'a>(&'a mut self, burst: &mut Burst<'a>) -> Result<Progress, LiveError> {
        let packet = match self.capture.get_mut().next_packet() {
            Ok(packet) => packet,
            Err(pcap::Error::TimeoutExpired) => {
                self.unread = None;
                return Ok(Progress::Idle);
            }
            Err(_) if ring::is_orphan(&self.socket) => return Ok(Progress::Idle),
            Err(error) => {
                let (interface, reason) = (self.interface.clone(), said(error));
                return Err(LiveError { interface, reason });
            }
        };
        let header = packet.header;
        // With nanosecond precision libpcap gives nanoseconds where microseconds used to be.
        let (seconds, nanos) = (header.ts.tv_sec as u64, header.ts.tv_usec as u64);
        let wire_len = header.len.max(header.caplen);
        let time = Timestamp::from_parts(seconds, nanos);
        self.unread = Some(time);
        self.frames += 1;
        self.bytes += packet.data.len() as u64;
        self.truncated += u64::from(header.caplen < header.len);
        burst.push(Frame {
            time,
            wire_len,
            link: self.link,
            vlan: None,
            mark: None,
            bytes: packet.data,
        });
        Ok(Progress::More)
    }

    /// As [`super::Source::stats`].
    pub(super) fn stats(&self) -> Stats {
        let (mut seen, mut dropped) = self.dropped.get();
        if let Ok(stat) = self.capture.borrow_mut().stats() {
            // libpcap's counter starts anew at 2^32.
            dropped += u64::from(stat.dropped.wrapping_sub(seen));
            seen = stat.dropped;
            self.dropped.set((seen, dropped));
        }
        Stats {
            frames: self.frames,
            bytes_read: self.bytes,
            truncated: self.truncated,
            dropped,
            ..Stats::default()
        }
    }

    /// See [`super::live::Live::is_gone`].
    pub(super) fn is_gone(&self) -> bool {
        ring::is_orphan(&self.socket)
    }

    /// See [`super::live::Live::quiet_since`].
    pub(super) fn quiet_since(&self, now: Timestamp) -> Timestamp {
        let quiet = now.minus(HELD_BACK);
        self.unread.map_or(quiet, |last| quiet.min(last))
    }
}

impl AsFd for Pcap {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl fmt::Debug for Pcap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pcap").field("interface", &self.interface).finish_non_exhaustive()
    }
}

/// What libpcap said, in a line, and what to do.
fn said(error: pcap::Error) -> String {
    let said = match error {
        pcap::Error::PcapError(said) => said,
        other => other.to_string(),
    };
    let said = said.lines().collect::<Vec<_>>().join(" ");
    if said.contains("permi") { format!("{said}; {NEEDS}") } else { said }
}
