//! Metrics, health and the API over HTTP, and audit records that are posted.
//!
//! [`bind`] takes the port and reads the secrets while the process still may; [`serve`] answers.
//! Only this machine can reach it unless the config says otherwise, and then only by TLS and with
//! a token. Each connection is for one request, so that one limit of time bounds all that a
//! client can hold, and there are at most [`MAX_CONNECTIONS`] of them.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::config;
use crate::fleet::Fleet;
use crate::inquiry::Asker;
use crate::intake::audit::post::Posts;
use crate::metrics::Metrics;
use crate::status;
use crate::store::keeper::Keeper;
use crate::time::Timestamp;

mod access;
mod api;
mod audit;
mod connection;
mod console;
mod error;
mod guard;
mod health;
mod holder;
mod refusal;
mod routes;

pub use access::{Access, Prepared};
pub use error::HttpError;

/// Connections at a time; more wait until one ends.
pub const MAX_CONNECTIONS: usize = 64;
/// How long answers that are under way may take once the sensor stops.
const LAST_ANSWERS: Duration = Duration::from_secs(1);
/// How long to wait when the system gives no connection: too many open files passes.
const ACCEPT_AGAIN: Duration = Duration::from_secs(1);

/// A port that was taken, and what opens it to whom.
#[derive(Debug)]
pub struct Bound {
    listener: TcpListener,
    address: SocketAddr,
    access: Access,
}

impl Bound {
    /// Where it listens; the port is the one that was found where the config says 0.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What opens it, for reloads of the config.
    pub fn access(&self) -> Access {
        self.access.clone()
    }
}

/// What is told.
#[derive(Debug, Clone)]
pub struct Parts {
    /// `/metrics`
    pub metrics: Metrics,
    /// Health and `/api/status`, `/api/assets`.
    pub status: status::Shared,
    /// `/api/alerts`
    pub keeper: Keeper,
    /// `/intake/audit`
    pub audit: Posts,
    /// Asks the detection thread what assets moved.
    pub asker: Asker,
    /// Other sensors, where there are any.
    pub fleet: Option<Fleet>,
    /// Where the packets of alerts are.
    pub data_dir: Arc<Path>,
    /// What time it is: a status that is old says that nobody sets it any more.
    pub clock: fn() -> Timestamp,
}

/// Takes the port and reads tokens and certificate.
///
/// # Errors
/// When the port is taken or may not be taken, or a file is missing or not what it should be.
pub fn bind(http: &config::Http, audit: &config::Audit) -> Result<Bound, HttpError> {
    let access = Access::new(http, audit)?;
    let listen = |error: io::Error| HttpError::listen(http.listen, &error);
    let listener = TcpListener::bind(http.listen).map_err(listen)?;
    listener.set_nonblocking(true).map_err(listen)?;
    let address = listener.local_addr().map_err(listen)?;
    Ok(Bound { listener, address, access })
}

/// Answers until `shutdown`, then lets answers under way end within a second.
///
/// # Errors
/// When the listener cannot be used at all.
pub async fn serve(
    bound: Bound,
    parts: Parts,
    shutdown: impl Future<Output = ()>,
) -> Result<(), HttpError> {
    let Bound { listener, address, access } = bound;
    let listener = tokio::net::TcpListener::from_std(listener)
        .map_err(|error| HttpError::listen(address, &error))?;
    let router = routes::routes(parts, access.clone());
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        let (place, stream) = tokio::select! {
            biased;
            () = &mut shutdown => break,
            Some(next) = next(&listener, &places) => next,
            else => break,
        };
        while connections.try_join_next().is_some() {}
        connections.spawn(connection::serve(stream, access.clone(), router.clone(), place));
    }
    drop(listener);
    let all = async { while connections.join_next().await.is_some() {} };
    // What takes longer is cut off when `connections` is dropped.
    let _ = timeout(LAST_ANSWERS, all).await;
    Ok(())
}

/// The next connection, once there is a place for it; none when places are given no more.
async fn next(
    listener: &tokio::net::TcpListener,
    places: &Arc<Semaphore>,
) -> Option<(OwnedSemaphorePermit, TcpStream)> {
    let place = Arc::clone(places).acquire_owned().await.ok()?;
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return Some((place, stream)),
            Err(error) if is_the_clients(&error) => {}
            Err(error) => {
                tracing::warn!("http takes no connection: {}", crate::text::reason(&error));
                sleep(ACCEPT_AGAIN).await;
            }
        }
    }
}

/// Whether a client gave up before it was its turn.
fn is_the_clients(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset)
}

#[cfg(test)]
mod tests;
