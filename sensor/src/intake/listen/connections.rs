//! Syslog over TCP and TLS.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::rc::Rc;
use std::time::Duration;

use rustix::net::sockopt;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use super::{Access, Inbox, LAST, Transport};
use crate::intake::syslog::Frames;

/// Connections at a time.
pub const MAX_CONNECTIONS: usize = 1024;
/// Of one sender.
pub const MAX_OF_ONE: usize = 64;
/// How long a TLS handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long a connection may say nothing. Whoever is cut off loses the message that it sends next:
/// syslog over TCP knows no answers. ESXi hosts say something every few seconds.
const IDLE: Duration = Duration::from_secs(3600);
/// After how long the system asks a silent sender whether it is still there.
const ASK: Duration = Duration::from_secs(60);
/// How long to wait when the system gives no connection: too many open files passes.
const ACCEPT_AGAIN: Duration = Duration::from_secs(1);

/// What connections need.
#[derive(Clone)]
pub(super) struct To {
    pub(super) transport: Transport,
    pub(super) access: Access,
    pub(super) inbox: Rc<Inbox>,
    pub(super) places: Places,
    pub(super) stop: watch::Receiver<bool>,
}

/// Takes connections until `stop` says so, and then reads what these have sent.
pub(super) async fn serve(listener: TcpListener, mut to: To) {
    let mut connections = JoinSet::new();
    let mut stop = to.stop.clone();
    loop {
        let (stream, peer) = tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => break,
            Some(_) = connections.join_next() => continue,
            accepted = accept(&listener) => accepted,
        };
        if let Some(place) = to.admit(peer) {
            connections.spawn_local(connection(stream, peer, to.clone(), place));
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

async fn accept(listener: &TcpListener) -> (TcpStream, IpAddr) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => return (stream, peer.ip().to_canonical()),
            // The sender gave up before it was its turn.
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset
                ) => {}
            Err(error) => {
                tracing::warn!("syslog takes no connection: {}", crate::text::reason(&error));
                sleep(ACCEPT_AGAIN).await;
            }
        }
    }
}

impl To {
    /// A place for a sender that may have one.
    fn admit(&mut self, peer: IpAddr) -> Option<Place> {
        if !self.access.allows(peer) {
            self.inbox.count(|connections| connections.refused += 1);
            return None;
        }
        let place = self.places.take(peer);
        self.inbox.count(|connections| match place {
            Some(_) => connections.accepted += 1,
            None => connections.limited += 1,
        });
        place
    }
}

async fn connection(stream: TcpStream, peer: IpAddr, to: To, _place: Place) {
    let _ = sockopt::set_socket_keepalive(&stream, true);
    let _ = sockopt::set_tcp_keepidle(&stream, ASK);
    let _ = sockopt::set_tcp_keepintvl(&stream, ASK);
    to.inbox.count(|connections| connections.open += 1);
    match to.transport {
        Transport::Udp | Transport::Tcp => read(stream, peer, &to).await,
        Transport::Tls => match handshake(stream, &to).await {
            Some(stream) => read(stream, peer, &to).await,
            None => to.inbox.count(|connections| connections.failed += 1),
        },
    }
    to.inbox.count(|connections| connections.open -= 1);
}

async fn handshake(
    stream: TcpStream,
    to: &To,
) -> Option<tokio_rustls::server::TlsStream<TcpStream>> {
    let acceptor = TlsAcceptor::from(to.access.tls()?);
    match timeout(HANDSHAKE, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => return Some(stream),
        Ok(Err(error)) => tracing::debug!("syslog: TLS handshake failed: {error}"),
        Err(_) => tracing::debug!("syslog: TLS handshake took too long"),
    }
    None
}

/// Reads messages until the sender ends, says nothing for too long, or all has been read that had
/// been sent when the sensor was told to stop.
async fn read(mut stream: impl AsyncRead + Unpin, peer: IpAddr, to: &To) {
    let mut frames = Frames::default();
    let mut stop = to.stop.clone();
    let mut patience = IDLE;
    loop {
        to.inbox.room().await;
        let space = frames.space();
        let read = tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop), if patience != LAST => {
                patience = LAST;
                continue;
            }
            read = timeout(patience, stream.read_buf(space)) => read,
        };
        match read {
            Ok(Ok(1..)) => to.inbox.frames(to.transport, peer, &mut frames),
            Ok(Ok(0) | Err(_)) | Err(_) => break,
        }
    }
    to.inbox.last(to.transport, peer, &mut frames);
}

/// Places for connections. Clones share them.
#[derive(Debug, Clone, Default)]
pub(super) struct Places(Rc<RefCell<Taken>>);

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    of: HashMap<IpAddr, usize>,
}

/// A place that is given back when this is dropped.
#[derive(Debug)]
pub(super) struct Place {
    places: Places,
    peer: IpAddr,
}

impl Places {
    fn take(&self, peer: IpAddr) -> Option<Place> {
        let mut taken = self.0.borrow_mut();
        let of_peer = taken.of.get(&peer).copied().unwrap_or_default();
        if taken.all >= MAX_CONNECTIONS || of_peer >= MAX_OF_ONE {
            return None;
        }
        taken.all += 1;
        taken.of.insert(peer, of_peer + 1);
        Some(Place { places: self.clone(), peer })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.0.borrow_mut();
        taken.all -= 1;
        if let Some(count) = taken.of.get_mut(&self.peer) {
            *count -= 1;
            if *count == 0 {
                taken.of.remove(&self.peer);
            }
        }
    }
}
