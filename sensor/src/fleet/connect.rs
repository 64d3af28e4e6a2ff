//! The client: connects for ever, to whichever of the servers that the config names answers.

use std::sync::Arc;
use std::time::Duration;

use async_nats::{
    AuthError, Client, ClientError, ConnectErrorKind, ConnectOptions, Event, Server, ServerError,
};

use super::link::Link;
use reqwest::Url;

use super::{FleetError, PATIENCE, Shared, credentials};
use crate::config;
use crate::deliver::{self, TlsError};

/// The longest pause between two attempts.
const LONGEST: Duration = Duration::from_secs(15);

/// A server that says nothing for so long is gone: a cable that was pulled says nothing either.
const PING: Duration = Duration::from_secs(10);

/// What may wait to be sent: what comes on top waits in the outbox.
const WAITING: usize = 256;

/// Starts a client, which connects by itself.
pub(super) async fn client(shared: &Shared) -> Result<Client, FleetError> {
    let config = &shared.config;
    let (link, asked) = (Arc::clone(&shared.link), Arc::clone(&shared.link));
    let seed = (shared.clock)().as_nanos();
    let servers: Vec<String> = config.servers.iter().map(|server| server.as_str().into()).collect();
    options(config)?
        // Answers to this sensor are nobody else's to read.
        .custom_inbox_prefix(format!("_INBOX.{}", shared.own))
        .name(format!("egret {}", shared.own))
        .request_timeout(Some(PATIENCE))
        .ping_interval(PING)
        .client_capacity(WAITING)
        .retry_on_initial_connect()
        // The config's names are those that certificates are checked against.
        .ignore_discovered_servers()
        .reconnect_delay_callback(move |attempts| pause(attempts, seed))
        // Asked before each round of attempts, with what became of the last: the only place where that is told in full.
        .reconnect_to_server_callback(move |servers, _| {
            if let Some(reasons) = reasons(&servers) {
                asked.failed(&reasons);
            }
            std::future::ready(None)
        })
        .event_callback(move |event| {
            follow(&link, &event);
            std::future::ready(())
        })
        .connect(servers)
        .await
        .map_err(|error| FleetError::Client(error.to_string()))
}

/// How every client connects.
fn options(config: &config::Fleet) -> Result<ConnectOptions, TlsError> {
    let options = match config.credentials_file.clone() {
        None => ConnectOptions::new(),
        Some(path) => ConnectOptions::with_auth_callback(move |nonce| {
            let answer = credentials::answer(&path, &nonce);
            std::future::ready(answer.map_err(AuthError::new))
        }),
    };
    let tls = deliver::tls_client(config.ca_file.as_deref())?;
    Ok(options.tls_client_config(tls).connection_timeout(PATIENCE))
}

/// Connects to one server as a sensor does, once, and hangs up.
///
/// # Errors
/// Why it cannot, in words.
pub(crate) async fn attempt(config: &config::Fleet, server: &Url) -> Result<(), String> {
    let options = options(config).map_err(|error| error.to_string())?;
    let connected = options.connect(server.as_str()).await;
    connected.map(drop).map_err(|error| explained(&error.to_string()))
}

/// The pause before an attempt: none before the first, then one that doubles, and of which sensors that
/// failed together take different parts.
fn pause(attempts: usize, seed: u64) -> Duration {
    let Some(failures) = attempts.checked_sub(1).filter(|failures| *failures > 0) else {
        return Duration::ZERO;
    };
    let bound = Duration::from_millis(100 << failures.min(10)).min(LONGEST);
    let dice = seed.wrapping_add(attempts as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
    bound.mul_f64(0.5 + dice as f64 / f64::from(1u32 << 25))
}

/// Why none of the servers could be reached, once all were tried.
fn reasons(servers: &[Server]) -> Option<String> {
    let each = servers.iter().map(|server| {
        let (host, port) = (server.addr.host(), server.addr.port());
        server.last_error.as_ref().map(|error| format!("{host}:{port}: {}", explained(error)))
    });
    Some(each.collect::<Option<Vec<_>>>()?.join("; "))
}

/// With what to look at, where the server does not say.
fn explained(error: &str) -> String {
    let is_refused = error.starts_with(&ConnectErrorKind::AuthorizationViolation.to_string());
    let hint = if is_refused { ": check fleet.credentials_file" } else { "" };
    format!("{error}{hint}")
}

/// What the client tells of.
fn follow(link: &Link, event: &Event) {
    match event {
        Event::Connected => link.is_now(true),
        Event::Disconnected | Event::Closed => link.is_now(false),
        Event::ServerError(ServerError::AuthorizationViolation) => {
            link.failed("the server refuses this sensor: check fleet.credentials_file");
        }
        Event::ServerError(ServerError::Other(reason)) => link.failed(reason),
        // Of other failures [`reasons`] tells more.
        Event::ClientError(ClientError::Other(kind))
            if *kind == ConnectErrorKind::Dns.to_string() =>
        {
            link.failed("the name of a server has no address: check fleet.servers");
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_bound_and_differ_between_sensors() {
        assert_eq!((pause(0, 7), pause(1, 7)), (Duration::ZERO, Duration::ZERO));
        for attempts in 2..200 {
            for seed in [0, 7, u64::MAX] {
                let pause = pause(attempts, seed);
                assert!(pause >= Duration::from_millis(100) && pause <= LONGEST, "{pause:?}");
            }
        }
        assert!(pause(2, 7) < Duration::from_millis(201));
        assert!(pause(30, 7) >= LONGEST / 2);
        assert_ne!(pause(9, 1), pause(9, 2));
    }
}
