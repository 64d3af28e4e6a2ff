//! Syslog over UDP.

use std::rc::Rc;

use tokio::net::UdpSocket;
use tokio::sync::watch;

use super::{Access, Inbox};

/// The longest datagram.
const LONGEST: usize = 1 << 16;
/// Datagrams read before others have their turn.
const TURN: usize = 64;

/// Reads datagrams until `stop` says so, and then those that are there.
pub(super) async fn serve(
    socket: UdpSocket,
    access: Access,
    inbox: Rc<Inbox>,
    mut stop: watch::Receiver<bool>,
) {
    let mut buffer = vec![0; LONGEST];
    let mut is_last = false;
    loop {
        if !is_last {
            is_last = tokio::select! {
                _ = stop.wait_for(|stop| *stop) => true,
                // An error is the next read's, which takes it away.
                _ = socket.readable() => false,
            };
        }
        let is_empty = turn(&socket, &access, &inbox, &mut buffer);
        if is_last && is_empty {
            return;
        }
        tokio::task::yield_now().await;
    }
}

/// Reads some datagrams; whether none is left.
fn turn(socket: &UdpSocket, access: &Access, inbox: &Inbox, buffer: &mut [u8]) -> bool {
    let arrival = inbox.now();
    for _ in 0..TURN {
        let (length, peer) = match socket.try_recv_from(buffer) {
            Ok(received) => received,
            // Nothing more, or something that was about a datagram nobody sends here.
            Err(_) => return true,
        };
        let peer = peer.ip().to_canonical();
        if access.allows(peer) {
            inbox.datagram(arrival, peer, buffer.get(..length).unwrap_or_default());
        } else {
            inbox.refuse();
        }
    }
    false
}
