//! The other sensors of the estate, by way of NATS servers with JetStream (docs/fleet.md).
//!
//! Local first: a sensor works on its own database, and a task beside it exchanges. Nothing here is on the
//! path of packets, and nobody waits for NATS: while it is away, what is owed stays on disk in the outbox.
//!
//! Each subject and each key has one sensor that writes it, whose site and name are in it, so that NATS can
//! hold every sensor to its own; what comes in is bounded, checked, and refused when it says another sender
//! than its subject.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use async_nats::jetstream::{self, Context};
use tokio::sync::{Notify, watch};
use tokio::time::{Duration, Instant, interval_at, sleep};

use crate::alert::Alert;
use crate::config;
use crate::deliver::{Packets, Target, TlsError};
use crate::metrics::{self, Metrics};
use crate::peers::{self, Exchange, Peers};
use crate::status;
use crate::store::keeper::Keeper;
use crate::time::Timestamp;

mod alerts;
mod allowance;
mod bucket;
mod connect;
mod counted;
mod credentials;
mod estate;
mod flows;
mod gather;
mod group;
mod health;
mod link;
mod names;
mod places;
mod said;
mod streams;
mod taken;
mod told;

pub(crate) use alerts::PublishError;
pub use alerts::Publisher;
pub use health::{Health, Interface, Sensors};
pub use names::Place;

pub(crate) use connect::attempt;

use counted::Counted;
use link::Link;

/// How often others are told of an asset whose baseline has changed, at most: what matters after a move is weeks
/// old, and who is adopted, forgotten or alerted on is told of at once.
const TOLD_EVERY: Duration = Duration::from_secs(3600);

/// How often this sensor says how it is.
const HEALTH: Duration = Duration::from_secs(10);

/// Between two attempts to set up what cannot be set up.
const AGAIN: Duration = Duration::from_secs(10);

/// The longest that a request to the servers may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// The outbox's name for the fleet, as a target.
const TARGET: &str = "nats fleet";

/// What is raised while there is a connection waits so long for somebody of the fleet to deliver it, before this
/// sensor does it itself.
const HELD: Duration = Duration::from_secs(60);

/// A handle to the fleet; clones speak to the same one.
#[derive(Debug, Clone)]
pub struct Fleet {
    shared: Arc<Shared>,
}

/// What handles and tasks share.
#[derive(Debug)]
struct Shared {
    own: Place,
    config: config::Fleet,
    link: Arc<Link>,
    jetstream: OnceLock<Context>,
    /// Whether all streams are there.
    ready: watch::Sender<bool>,
    /// Something did not go through: they may be there no more.
    missed: Notify,
    /// How often a stream was lost, with all that it held.
    losses: watch::Sender<u64>,
    sensors: health::Known,
    /// Where this sensor delivers, the fleet itself not among them.
    targets: watch::Sender<Vec<Target>>,
    recent: Mutex<told::Recent>,
    /// The other end of what detection exchanges, until it is taken; a relay detects nothing.
    exchange: Mutex<Option<Exchange>>,
    /// Whether this sensor is about to end.
    leaving: watch::Sender<bool>,
    keeper: OnceLock<Keeper>,
    metrics: Metrics,
    counted: Counted,
    clock: fn() -> Timestamp,
}

/// Why the fleet cannot be reached at all.
#[derive(Debug, thiserror::Error)]
enum FleetError {
    /// TLS cannot begin.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The client refuses what it is given.
    #[error("the NATS client cannot start: {0}")]
    Client(String),
}

impl Fleet {
    /// The fleet that `config` names, for the sensor of this name; `None` while it names none.
    pub fn new(
        config: &config::Fleet,
        sensor: &str,
        metrics: &Metrics,
        clock: fn() -> Timestamp,
    ) -> Option<Self> {
        if !config.is_on() {
            return None;
        }
        let own = Place { site: config.site.clone(), sensor: sensor.to_owned() };
        let (ready, _) = watch::channel(false);
        let shared = Shared {
            own,
            config: config.clone(),
            link: Arc::new(Link::new(metrics.fleet.clone(), clock)),
            jetstream: OnceLock::new(),
            ready,
            missed: Notify::new(),
            losses: watch::channel(0).0,
            sensors: health::Known::default(),
            targets: watch::channel(Vec::new()).0,
            recent: Mutex::default(),
            exchange: Mutex::default(),
            leaving: watch::channel(false).0,
            keeper: OnceLock::new(),
            counted: Counted::new(metrics.fleet.clone()),
            metrics: metrics.clone(),
            clock,
        };
        Some(Self { shared: Arc::new(shared) })
    }

    /// What this sensor is called.
    pub fn own(&self) -> &Place {
        &self.shared.own
    }

    /// How the connection is.
    pub fn status(&self) -> status::Fleet {
        let server = self.shared.jetstream.get().and_then(|it| it.client().try_server_info());
        let server = server.map(|info| match info.server_name.as_str() {
            "" => format!("{}:{}", info.host, info.port),
            name => name.to_owned(),
        });
        self.shared.link.status(&self.shared.own, server)
    }

    /// This sensor delivers to `targets` from now on. Gives them as its outbox has them: what is owed to them
    /// waits while the fleet delivers, and the fleet is one more.
    pub fn within(&self, targets: Vec<Target>) -> Vec<Target> {
        self.shared.targets.send_replace(targets.clone());
        let mut all: Vec<Target> = targets.into_iter().map(Target::waiting).collect();
        all.push(Target::fleet(Publisher(self.clone())));
        all
    }

    /// Detection's end of what it exchanges with others; to be asked for once.
    pub fn peers(&self) -> Peers {
        let (peers, exchange) = peers::pair(TOLD_EVERY);
        *self.shared.exchange.lock().unwrap_or_else(PoisonError::into_inner) = Some(exchange);
        peers
    }

    /// Takes nothing any more, and gives back what is not delivered: then [`Self::run`] ends.
    pub fn leave(&self) {
        self.shared.leaving.send_replace(true);
    }

    /// Exchanges until it has left: what `keeper` has, and the packets that links lead to. Spawns its tasks on
    /// the runtime that it runs on, and they end with it.
    pub async fn run(self, status: status::Shared, keeper: Keeper, packets: Packets) {
        // Asked for by what publishes; it runs once.
        let keeper = self.shared.keeper.get_or_init(|| keeper).clone();
        let jetstream = self.connect().await;
        let mut tasks = tokio::task::JoinSet::new();
        tasks.spawn(streams::run(self.clone(), jetstream.clone()));
        tasks.spawn(self.clone().tell_health(jetstream.clone(), status.clone()));
        tasks.spawn(self.clone().hold(keeper.clone()));
        let exchange = self.shared.exchange.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Exchange { told, heard }) = exchange {
            let (fleet, jetstream) = (self.clone(), jetstream.clone());
            tasks.spawn(places::hear(fleet.clone(), jetstream.clone(), heard.clone()));
            tasks.spawn(streams::tell_of_losses(fleet.clone(), heard.clone()));
            tasks.spawn(estate::run(fleet.clone(), jetstream.clone(), told, heard));
            tasks.spawn(flows::run(fleet, jetstream, status));
        }
        for bucket in [said::APPROVALS, said::VERDICTS] {
            tasks.spawn(said::hear(self.clone(), jetstream.clone(), keeper.clone(), bucket));
        }
        tasks.spawn(said::tell(self.clone(), jetstream.clone(), keeper.clone()));
        tasks.spawn(gather::run(self.clone(), jetstream.clone(), keeper.clone()));
        tasks.spawn(told::run(self.clone(), jetstream.clone(), keeper));
        group::run(self.clone(), jetstream, packets).await;
    }

    /// Has what is raised wait for the fleet while there is one.
    async fn hold(self, keeper: Keeper) {
        let mut connected = self.shared.link.connected();
        loop {
            let is_there = *connected.borrow_and_update();
            keeper.hold(if is_there { HELD } else { Duration::ZERO });
            // Whoever tells of the connection lives as long as this.
            let _ = connected.changed().await;
        }
    }

    /// A client, which connects by itself from now on. What is wrong with the config's files is said, and tried
    /// again: a person may mend it.
    async fn connect(&self) -> Context {
        loop {
            match connect::client(&self.shared).await {
                Ok(client) => {
                    let mut context = jetstream::new(client);
                    context.set_timeout(PATIENCE);
                    return self.shared.jetstream.get_or_init(|| context).clone();
                }
                Err(error) => self.shared.link.failed(&error.to_string()),
            }
            sleep(AGAIN).await;
        }
    }

    /// Says how this sensor is, while there is a connection.
    async fn tell_health(self, jetstream: Context, status: status::Shared) {
        let mut rounds = interval_at(Instant::now(), HEALTH);
        let mut ready = self.shared.ready.subscribe();
        loop {
            let _ = ready.wait_for(|ready| *ready).await;
            rounds.tick().await;
            if !self.shared.link.is_connected() {
                continue;
            }
            let health = Health::of(&self.shared, &status);
            match health::tell(&jetstream, &self.shared.own, &health).await {
                Ok(()) => self.shared.metrics.fleet.sent(metrics::Kind::Health),
                Err(error) => self.shared.missed("health is not told yet", &error),
            }
        }
    }

    /// All sensors that have told how they are, as far as is known now.
    pub async fn sensors(&self) -> Sensors {
        health::sensors(&self.shared).await
    }
}

impl Shared {
    /// Whether the servers take something now.
    fn is_ready(&self) -> bool {
        self.link.is_connected() && *self.ready.borrow()
    }

    /// Waits until they do.
    async fn until_ready(&self) {
        let (mut connected, mut ready) = (self.link.connected(), self.ready.subscribe());
        while !self.is_ready() {
            // Whoever tells of both lives as long as this.
            let _ = ready.wait_for(|ready| *ready).await;
            let _ = connected.wait_for(|connected| *connected).await;
        }
    }

    /// `what` did not go through, and will be tried again: perhaps a stream is there no more.
    fn missed(&self, what: &str, error: &dyn std::fmt::Display) {
        tracing::debug!("fleet: {what}: {error}");
        self.missed.notify_one();
    }

    /// Comes with the next loss of a stream: what is read of it then is to be read anew.
    fn lost(&self) -> impl Future<Output = ()> + use<> {
        let mut losses = self.losses.subscribe();
        async move {
            // Ends as well where nobody counts them any more.
            let _ = losses.changed().await;
        }
    }

    fn recent(&self) -> MutexGuard<'_, told::Recent> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this sensor has delivered an alert to all of its own targets that want it.
    async fn has_delivered(&self, alert: &Alert) -> bool {
        let wants = |target: &Target| alert.severity >= target.min_severity;
        let is_wanted = self.targets.borrow().iter().any(wants);
        let Some(keeper) = self.keeper.get().filter(|_| is_wanted) else { return false };
        let id = alert.id;
        let owed = keeper.ask(move |store| store.owed(id)).await;
        owed.is_ok_and(|owed| owed.iter().all(|owed| owed.target == TARGET))
    }
}
