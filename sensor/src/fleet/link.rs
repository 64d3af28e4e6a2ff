//! How the connection is, for whoever asks, and what the log says of it: one line when it is there, one when it
//! is gone, and one for each new reason.

use std::sync::{PoisonError, RwLock};

use tokio::sync::watch;

use super::Place;
use crate::metrics;
use crate::status;
use crate::text::printable_within;
use crate::time::{Elapsed, Timestamp};

/// The longest reason, in bytes: servers choose the words.
const LONGEST: usize = 300;

/// The connection.
#[derive(Debug)]
pub(super) struct Link {
    connected: watch::Sender<bool>,
    state: RwLock<State>,
    metrics: metrics::Fleet,
    clock: fn() -> Timestamp,
}

#[derive(Debug, Default)]
struct State {
    /// Since when it is as it is; none: it was never there.
    since: Option<Timestamp>,
    /// What went wrong last, while there is no connection or something is still missing.
    error: Option<String>,
}

impl Link {
    pub(super) fn new(metrics: metrics::Fleet, clock: fn() -> Timestamp) -> Self {
        let (connected, _) = watch::channel(false);
        Self { connected, state: RwLock::default(), metrics, clock }
    }

    pub(super) fn is_connected(&self) -> bool {
        *self.connected.borrow()
    }

    /// Changes with the connection.
    pub(super) fn connected(&self) -> watch::Receiver<bool> {
        self.connected.subscribe()
    }

    /// There is a connection, or there is none any more.
    pub(super) fn is_now(&self, connected: bool) {
        let was = self.connected.send_replace(connected);
        if was == connected {
            return;
        }
        let now = (self.clock)();
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let since = state.since.replace(now);
        state.error = None;
        drop(state);
        self.metrics.connected(connected);
        match (connected, since) {
            (true, None) => tracing::info!("fleet: connected"),
            (true, Some(since)) => {
                tracing::warn!("fleet: connected again after {}", Elapsed(now.since(since)));
            }
            (false, _) => tracing::warn!(
                "fleet: the connection is gone; what is owed waits on disk, and this sensor delivers itself"
            ),
        }
    }

    /// Something went wrong.
    pub(super) fn failed(&self, reason: &str) {
        let reason = printable_within(reason, LONGEST).to_string();
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if state.error.as_ref() == Some(&reason) {
            return;
        }
        tracing::warn!("fleet: {reason}");
        state.error = Some(reason);
    }

    /// What went wrong does no more.
    pub(super) fn mended(&self) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if state.error.take().is_some() {
            tracing::info!("fleet: what was missing is there");
        }
    }

    pub(super) fn status(&self, own: &Place, server: Option<String>) -> status::Fleet {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        let connected = self.is_connected();
        status::Fleet {
            site: own.site.clone(),
            connected,
            since: state.since,
            server: server
                .filter(|_| connected)
                .map(|name| printable_within(&name, LONGEST).to_string()),
            error: state.error.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Metrics;

    fn at() -> Timestamp {
        Timestamp::from_parts(1000, 0)
    }

    #[test]
    fn an_error_is_told_until_the_connection_changes() {
        let link = Link::new(Metrics::new().unwrap().fleet, at);
        let own = Place { site: "dc1".to_owned(), sensor: "a".to_owned() };
        let told = |link: &Link| link.status(&own, Some("nats-1".to_owned()));
        link.failed("no route\nto host");
        let away = told(&link);
        assert_eq!((away.connected, away.since, away.server), (false, None, None));
        assert_eq!(away.error.as_deref(), Some(r"no route\nto host"));
        link.is_now(true);
        let there = told(&link);
        assert_eq!((there.connected, there.error), (true, None));
        assert_eq!((there.since, there.server.as_deref()), (Some(at()), Some("nats-1")));
        link.failed(&"x".repeat(4000));
        assert!(told(&link).error.is_some_and(|error| error.len() <= LONGEST));
    }
}
