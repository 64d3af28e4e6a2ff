//! The listener for flow records: one UDP port for all protocols.
//!
//! When reports find no room, datagrams are dropped and counted; by UDP nobody waits.

use std::cell::{Cell, RefCell};
use std::net::{SocketAddr, UdpSocket};
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use super::{Counts, Reader};
use crate::config;
use crate::event::Report;
use crate::intake::listen::datagrams::{self, Taker};
use crate::intake::listen::{self, Access, ListenError, Lost};
use crate::intake::waiting::Waiting;
use crate::time::Timestamp;

/// A port that was taken, and who may use it.
#[derive(Debug)]
pub struct Bound {
    socket: UdpSocket,
    access: Access,
}

impl Bound {
    /// Who may send, for reloads of the config.
    pub fn access(&self) -> Access {
        self.access.clone()
    }

    /// What the kernel drops.
    pub fn lost(&self) -> Option<Lost> {
        Lost::of(&self.socket)
    }

    /// What is listened to.
    pub fn address(&self) -> Option<SocketAddr> {
        self.socket.local_addr().ok()
    }
}

/// Takes the port, where there is one to take.
///
/// # Errors
/// When it is taken or may not be taken.
pub fn bind(flows: &config::Flows) -> Result<Option<Bound>, ListenError> {
    let Some(address) = flows.udp else { return Ok(None) };
    let socket = listen::datagrams(address)
        .map_err(|error| ListenError::listen("flows.udp", address, &error))?;
    Ok(Some(Bound { socket, access: Access::only(&flows.allow) }))
}

/// Reads datagrams into `inbox` until `stop` says so, then what has arrived by then, for no longer
/// than `patience`.
///
/// # Errors
/// When the socket cannot be used at all.
pub async fn serve(
    bound: Option<Bound>,
    inbox: Rc<Inbox>,
    mut stop: watch::Receiver<bool>,
    patience: Duration,
) -> std::io::Result<()> {
    let Some(Bound { socket, access }) = bound else { return Ok(()) };
    let socket = tokio::net::UdpSocket::from_std(socket)?;
    let mut serve = std::pin::pin!(datagrams::serve(socket, access, inbox, stop.clone()));
    tokio::select! {
        () = &mut serve => return Ok(()),
        _ = stop.wait_for(|stop| *stop) => {}
    }
    let _ = timeout(patience, serve).await;
    Ok(())
}

/// What became of datagrams so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Datagrams {
    /// They were read.
    pub read: u64,
    /// Their sender is not allowed.
    pub refused: u64,
    /// There was no room for what they say.
    pub dropped: u64,
}

/// Reads datagrams, and keeps what they say for detection; one thread's own.
#[derive(Debug)]
pub struct Inbox {
    clock: fn() -> Timestamp,
    reader: RefCell<Reader>,
    waiting: Waiting,
    /// What one datagram says.
    said: RefCell<Vec<Report>>,
    datagrams: Cell<Datagrams>,
}

impl Inbox {
    /// With room for so many reports, and what one datagram brings on top.
    pub fn new(clock: fn() -> Timestamp, room: usize) -> Self {
        Self {
            clock,
            reader: RefCell::default(),
            waiting: Waiting::new(room),
            said: RefCell::default(),
            datagrams: Cell::default(),
        }
    }

    /// The reports that wait, oldest first.
    pub fn take(&self) -> Vec<Report> {
        self.waiting.take()
    }

    /// What became of what was in the datagrams.
    pub fn counts(&self) -> Counts {
        *self.reader.borrow().counts()
    }

    /// What became of the datagrams.
    pub const fn datagrams(&self) -> Datagrams {
        self.datagrams.get()
    }

    /// Exporters that are known, and the templates they have.
    pub fn known(&self) -> [usize; 2] {
        self.reader.borrow().known()
    }

    /// Exporters that are known, those heard of last.
    pub fn exporters(&self) -> Vec<super::Known> {
        self.reader.borrow().exporters()
    }

    /// By how much the exporter's clock is off that is off the most.
    pub fn largest_skew(&self) -> Duration {
        self.reader.borrow().largest_skew()
    }

    fn count(&self, change: impl FnOnce(&mut Datagrams)) {
        let mut datagrams = self.datagrams.get();
        change(&mut datagrams);
        self.datagrams.set(datagrams);
    }
}

impl Taker for Inbox {
    fn now(&self) -> Timestamp {
        (self.clock)()
    }

    fn datagram(&self, arrival: Timestamp, peer: SocketAddr, bytes: &[u8]) {
        if !self.waiting.has_room() {
            return self.count(|datagrams| datagrams.dropped = datagrams.dropped.saturating_add(1));
        }
        self.count(|datagrams| datagrams.read = datagrams.read.saturating_add(1));
        let mut said = self.said.borrow_mut();
        self.reader.borrow_mut().read(arrival, peer, bytes, &mut said);
        said.drain(..).for_each(|report| self.waiting.push(report));
    }

    fn refuse(&self) {
        self.count(|datagrams| datagrams.refused = datagrams.refused.saturating_add(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intake::flows::{Outcome, Protocol};

    /// Twenty records.
    const EXPORTED: &[u8] = include_bytes!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../fuzz/corpus/flows/softflowd-netflow5"
    ));

    #[test]
    fn without_room_datagrams_are_dropped_and_counted() {
        let now = || Timestamp::from_parts(1_795_355_500, 0);
        let inbox = Inbox::new(now, 10);
        let peer = SocketAddr::from(([10, 9, 0, 1], 2055));
        let datagram = || inbox.datagram(now(), peer, &EXPORTED[2..]);
        datagram();
        datagram();
        assert_eq!(inbox.take().len(), 20, "what one datagram brings goes on top");
        datagram();
        inbox.refuse();
        assert_eq!(inbox.datagrams(), Datagrams { read: 2, refused: 1, dropped: 1 });
        assert_eq!(inbox.counts().records(Protocol::NetFlow5, Outcome::Read), 40);
        assert_eq!(inbox.known(), [1, 0]);
    }
}
