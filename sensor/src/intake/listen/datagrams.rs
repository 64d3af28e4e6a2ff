//! Datagrams, of whatever is sent in those.

use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::sync::watch;
use tokio::time::timeout;

use super::{Access, LAST};
use crate::time::Timestamp;

/// The longest datagram.
const LONGEST: usize = 1 << 16;
/// Datagrams read before others have their turn.
const TURN: usize = 64;

/// Who reads what is in them.
pub(in crate::intake) trait Taker {
    /// The time.
    fn now(&self) -> Timestamp;
    /// One came.
    fn datagram(&self, arrival: Timestamp, peer: SocketAddr, bytes: &[u8]);
    /// One came from somebody who is not allowed.
    fn refuse(&self);
}

/// Reads datagrams until `stop` says so, and then those that are there.
pub(in crate::intake) async fn serve(
    socket: UdpSocket,
    access: Access,
    inbox: Rc<impl Taker>,
    mut stop: watch::Receiver<bool>,
) {
    let mut buffer = vec![0; LONGEST];
    let mut patience = Duration::MAX;
    loop {
        let ready = tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop), if patience != LAST => {
                patience = LAST;
                continue;
            }
            ready = timeout(patience, socket.readable()) => ready,
        };
        // An error is the next read's, which takes it away.
        if ready.is_err() {
            return;
        }
        turn(&socket, &access, &*inbox, &mut buffer);
        tokio::task::yield_now().await;
    }
}

/// Reads some datagrams.
fn turn(socket: &UdpSocket, access: &Access, inbox: &impl Taker, buffer: &mut [u8]) {
    let arrival = inbox.now();
    for _ in 0..TURN {
        // An error: nothing more, or something about a datagram that nobody sends here.
        let Ok((length, peer)) = socket.try_recv_from(buffer) else { return };
        let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
        if access.allows(peer.ip()) {
            inbox.datagram(arrival, peer, buffer.get(..length).unwrap_or_default());
        } else {
            inbox.refuse();
        }
    }
}
