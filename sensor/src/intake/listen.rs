//! Listeners for syslog: UDP (RFC 5426), TCP (RFC 6587) and TLS (RFC 5425).
//!
//! [`bind`] takes the ports while the process still may; [`serve`] reads what comes into an [`Inbox`].
//! What a sender can hold is bounded: connections, for each sender and in all, and the bytes of each.
//! When reports find no room, connections are not read from until there is some, and datagrams are
//! dropped and counted.

use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::rc::Rc;
use std::time::Duration;

use rustix::net::sockopt;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::config;

mod access;
mod connections;
pub(super) mod datagrams;
mod error;
mod inbox;
mod lost;
mod senders;

pub use access::{Access, Prepared};
pub use connections::{MAX_CONNECTIONS, MAX_OF_ONE};
pub use error::ListenError;
pub use inbox::{Connections, Inbox, Transport};
pub use lost::Lost;
pub use senders::Sender;

use connections::Places;

/// Bytes of datagrams that may wait in the kernel: a burst of tens of thousands of messages.
const RECEIVE_BUFFER: usize = 16 << 20;
/// How long what is on its way may take once the sensor stops.
const LAST: Duration = Duration::from_millis(100);

/// Ports that were taken, and who may use them.
#[derive(Debug)]
pub struct Bound {
    udp: Option<UdpSocket>,
    tcp: Option<TcpListener>,
    tls: Option<TcpListener>,
    access: Access,
}

impl Bound {
    /// Who may send, for reloads of the config.
    pub fn access(&self) -> Access {
        self.access.clone()
    }

    /// Whether nothing is listened to.
    pub const fn is_empty(&self) -> bool {
        self.udp.is_none() && self.tcp.is_none() && self.tls.is_none()
    }

    /// What the kernel drops of datagrams.
    pub fn lost(&self) -> Option<Lost> {
        self.udp.as_ref().and_then(Lost::of)
    }

    /// What is listened to: transport and address.
    pub fn addresses(&self) -> impl Iterator<Item = (Transport, SocketAddr)> {
        let of = |listener: &TcpListener| listener.local_addr().ok();
        let udp = self.udp.as_ref().and_then(|socket| socket.local_addr().ok());
        let (tcp, tls) = (self.tcp.as_ref().and_then(of), self.tls.as_ref().and_then(of));
        Transport::ALL
            .into_iter()
            .zip([udp, tcp, tls])
            .filter_map(|(transport, address)| Some((transport, address?)))
    }
}

/// Takes the ports and reads the certificates.
///
/// # Errors
/// When a port is taken or may not be taken, or a file is missing or not what it should be.
pub fn bind(syslog: &config::Syslog) -> Result<Bound, ListenError> {
    let access = Access::new(syslog)?;
    let udp = syslog.udp.map(|address| {
        datagrams(address).map_err(|error| ListenError::listen("syslog.udp", address, &error))
    });
    let tcp = syslog.tcp.map(|address| {
        stream(address).map_err(|error| ListenError::listen("syslog.tcp", address, &error))
    });
    let tls = syslog.tls.as_ref().map(|tls| tls.listen).map(|address| {
        stream(address).map_err(|error| ListenError::listen("syslog.tls.listen", address, &error))
    });
    Ok(Bound { udp: udp.transpose()?, tcp: tcp.transpose()?, tls: tls.transpose()?, access })
}

/// Takes a port for datagrams.
pub(super) fn datagrams(address: SocketAddr) -> std::io::Result<UdpSocket> {
    let socket = UdpSocket::bind(address)?;
    socket.set_nonblocking(true)?;
    // Beyond the system's limit where the right for that is there, else up to it.
    if sockopt::set_socket_recv_buffer_size_force(&socket, RECEIVE_BUFFER).is_err() {
        sockopt::set_socket_recv_buffer_size(&socket, RECEIVE_BUFFER)?;
    }
    Ok(socket)
}

fn stream(address: SocketAddr) -> std::io::Result<TcpListener> {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Reads messages into `inbox` until `stop` says so, then what has arrived by then, for no longer
/// than `patience`. In a [`tokio::task::LocalSet`]: all of it is one thread's.
///
/// # Errors
/// When a socket cannot be used at all.
pub async fn serve(
    bound: Bound,
    inbox: Rc<Inbox>,
    mut stop: watch::Receiver<bool>,
    patience: Duration,
) -> std::io::Result<()> {
    let Bound { udp, tcp, tls, access } = bound;
    let places = Places::default();
    let mut tasks = JoinSet::new();
    if let Some(socket) = udp {
        let socket = tokio::net::UdpSocket::from_std(socket)?;
        tasks.spawn_local(datagrams::serve(
            socket,
            access.clone(),
            Rc::clone(&inbox),
            stop.clone(),
        ));
    }
    for (listener, transport) in [(tcp, Transport::Tcp), (tls, Transport::Tls)] {
        let Some(listener) = listener else { continue };
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let to = connections::To {
            transport,
            access: access.clone(),
            inbox: Rc::clone(&inbox),
            places: places.clone(),
            stop: stop.clone(),
        };
        tasks.spawn_local(connections::serve(listener, to));
    }
    let _ = stop.wait_for(|stop| *stop).await;
    let all = async { while tasks.join_next().await.is_some() {} };
    // What takes longer is cut off when `tasks` is dropped.
    let _ = timeout(patience, all).await;
    Ok(())
}

#[cfg(test)]
mod tests;
