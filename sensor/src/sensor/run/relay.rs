//! `egret relay`: takes the alerts of all sensors from the fleet and delivers them. It captures nothing.
//!
//! One asynchronous thread, and the keeper with the alerts of all.

use std::path::PathBuf;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::sync::oneshot;
use tokio::time::{interval, timeout};

use super::RunError;
use super::control::{Message, PATIENCE};
use super::io::Signals;
use crate::cli::{self, Exit};
use crate::config::file::{self, Loaded};
use crate::config::{Audit, Config};
use crate::deliver::{self, Packets};
use crate::fleet::Fleet;
use crate::http;
use crate::inquiry;
use crate::intake::audit::post;
use crate::metrics::Metrics;
use crate::status::{self, Status};
use crate::store::keeper::{self, Keeper};
use crate::store::{Lock, Store};
use crate::system::{host_name, now};

/// How often it says how it is.
const LOOK: Duration = Duration::from_secs(1);

/// A running relay.
struct Relay {
    path: Option<PathBuf>,
    set: Vec<String>,
    config: Config,
    fleet: Fleet,
    keeper: Keeper,
    status: status::Shared,
    metrics: Metrics,
}

/// Relays until it is told to stop.
///
/// # Errors
/// When it cannot start: no servers, nobody to deliver to, no data directory, a port taken.
pub fn relay(global: &cli::Global, loaded: Loaded) -> Result<Exit, RunError> {
    let Loaded { config, path } = loaded;
    let metrics = Metrics::new()?;
    let fleet = Fleet::new(&config.fleet, &config.sensor.name, &metrics, now);
    let fleet = fleet.ok_or(RunError::Alone)?;
    let targets = deliver::targets(&config.deliver, config.http.url.as_ref());
    if targets.is_empty() {
        return Err(RunError::Nowhere);
    }
    // It owes nothing: what it takes is owed by the fleet until it is delivered.
    drop(fleet.within(targets));
    metrics.config_loaded(now());
    let _lock = Lock::take(&config.sensor.data_dir)?;
    let store = Store::open(&config.sensor.data_dir)?;
    let bound = http::bind(&config.http, &Audit::default())?;
    tracing::info!("metrics, health and API at {}", bound.address());
    let wiring =
        keeper::Wiring { clock: now, on_committed: Box::new(|_| {}), on_removed: Box::new(|_| {}) };
    let keeper = Keeper::start(store, Vec::new(), metrics.clone(), wiring)?;
    let status = Arc::new(RwLock::new(Status {
        sensor: config.sensor.name.clone(),
        version: env!("CARGO_PKG_VERSION"),
        started: now(),
        workers_alive: true,
        is_relay: true,
        ..Status::default()
    }));
    let set = global.set.clone();
    let relay = Relay { path, set, config, fleet, keeper: keeper.clone(), status, metrics };
    let runtime = Builder::new_current_thread().enable_all().build().map_err(RunError::Thread)?;
    let worked = runtime.block_on(relay.work(bound));
    runtime.shutdown_background();
    keeper.stop(PATIENCE);
    worked.map(|()| Exit::Done)
}

impl Relay {
    async fn work(mut self, bound: http::Bound) -> Result<(), RunError> {
        let mut signals = Signals::new().map_err(RunError::Thread)?;
        let access = bound.access();
        self.tell();
        let (stop, stopped) = oneshot::channel::<()>();
        let server = http::serve(bound, self.parts(), async { drop(stopped.await) });
        let server = tokio::spawn(server);
        let packets = Packets::new(&self.config.sensor.data_dir, None);
        let fleet = self.fleet.clone();
        let fleet = tokio::spawn(fleet.run(Arc::clone(&self.status), self.keeper.clone(), packets));
        // Where no service manager listens there is nobody to tell.
        let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
        let mut rounds = interval(LOOK);
        loop {
            tokio::select! {
                message = signals.next() => match message {
                    Message::Stop => break,
                    Message::Reload => self.reload(&access),
                    Message::Stored(_) => {}
                },
                _ = rounds.tick() => self.tell(),
            }
        }
        let _ = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
        self.fleet.leave();
        if timeout(PATIENCE, fleet).await.is_err() {
            tracing::warn!("what was taken and not delivered is given to another in a while");
        }
        drop(stop);
        if let Ok(Err(error)) = server.await {
            tracing::error!("http: {error}");
        }
        Ok(())
    }

    /// What HTTP tells of; nothing is detected here, and no audit records are taken.
    fn parts(&self) -> http::Parts {
        http::Parts {
            metrics: self.metrics.clone(),
            status: Arc::clone(&self.status),
            keeper: self.keeper.clone(),
            audit: post::posts().0,
            asker: inquiry::questions().0,
            fleet: Some(self.fleet.clone()),
            data_dir: self.config.sensor.data_dir.as_path().into(),
            clock: now,
        }
    }

    fn tell(&self) {
        let _ = sd_notify::notify(&[sd_notify::NotifyState::Watchdog]);
        let store_error = self.keeper.error();
        self.metrics.store_failing.set(i64::from(store_error.is_some()));
        if let Ok(mut status) = self.status.write() {
            status.now = now();
            status.store_error = store_error;
            status.fleet = Some(self.fleet.status());
        }
    }

    /// Reads the config again, for where to deliver and who may ask.
    fn reload(&mut self, access: &http::Access) {
        let read = file::load(self.path.as_deref(), &self.set, &host_name());
        let taken =
            read.map_err(|error| error.to_string()).and_then(|Loaded { mut config, .. }| {
                let http = access.prepare(&config.http, &Audit::default());
                let http = http.map_err(|error| error.to_string())?;
                let targets = deliver::targets(&config.deliver, config.http.url.as_ref());
                if targets.is_empty() {
                    return Err(RunError::Nowhere.to_string());
                }
                for key in super::settings::keep_fixed(&self.config, &mut config) {
                    tracing::warn!(
                        "{key} differs from what the relay runs with; restart it for that"
                    );
                }
                access.apply(http);
                drop(self.fleet.within(targets));
                self.config = config;
                Ok(())
            });
        let error = taken.err();
        match &error {
            None => {
                tracing::info!("the config was read again and is in effect");
                self.metrics.config_loaded(now());
            }
            Some(text) => {
                text.lines().for_each(|line| tracing::error!("{line}"));
                tracing::error!("the config was not taken over; the one before stays in effect");
                self.metrics.config_reload_successful.set(0);
            }
        }
        if let Ok(mut status) = self.status.write() {
            status.reload_error = error;
        }
    }
}
