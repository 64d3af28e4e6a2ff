//! Starts the live sensor: everything that needs rights is opened, then rights are given up, then
//! threads are started, the packet loop last.

use std::collections::VecDeque;
use std::path::Path as FilePath;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Arc, RwLock};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::accounts::Accounts;
use super::assets::Assets;
use super::control::{PATIENCE, Running, Thread};
use super::detection::{self, Detection};
use super::event_file::{self, EventFile};
use super::evidence::{self, Place, Teller as Evidence};
use super::input::Input;
use super::intake::{self, Feeds, Intake};
use super::io;
use super::links::{self, Links, Sources};
use super::merge::Merge;
use super::mirrors::Mirrors;
use super::processors::{pin, processors};
use super::pulse::Pulse;
use super::refused::Refused;
use super::settings::{Settings, Stored};
use super::tally::Tally;
use super::teller::Teller;
use super::worker::{self, Batch, Worker};
use super::{RunError, clock, privileges};
use crate::baseline::Baseline;
use crate::capture::interface;
use crate::capture::receive::{self, Held, ReceiveError, Wrapping};
use crate::cli;
use crate::config::{self, Config};
use crate::deliver::{self, Target};
use crate::detect::Engine;
use crate::fleet::Fleet;
use crate::http;
use crate::inquiry::{self, Questions};
use crate::intake::audit::follow::Patterns;
use crate::intake::audit::post;
use crate::intake::flows;
use crate::intake::join::Join;
use crate::intake::listen;
use crate::metrics::Metrics;
use crate::observe::Wanted;
use crate::sensor::path::{Copies, MAX_FLOWS, Path};
use crate::status::{self, Status};
use crate::store::keeper::{self, Keeper};
use crate::store::{Lock, Store};
use crate::system::now;
use crate::text::file_name;

/// Batches of events that wait for detection at most; each has a few hundred.
const BATCHES: usize = 1024;
/// The fewest flows that a worker holds, however many workers there are.
const LEAST_FLOWS: usize = 1 << 16;

/// How long what is judged of an asset that is new here waits for what other sensors know of it.
const ANSWERED_WITHIN: Duration = Duration::from_secs(2);

/// What needs rights, opened while they are there.
struct Opened {
    lock: Lock,
    store: Store,
    workers: usize,
    links: Links,
    sources: Vec<Sources>,
    events: Option<event_file::Opened>,
    teller: Teller,
    http: http::Bound,
    syslog: listen::Bound,
    flows: Option<flows::Bound>,
    files: Patterns,
    held: Vec<Held>,
}

/// Starts it all.
pub(super) fn start(
    arguments: &cli::Run,
    settings: Settings,
    config: Config,
) -> Result<Running, RunError> {
    let metrics = Metrics::new()?;
    metrics.config_loaded(now());
    let opened = open(arguments, &config, &metrics)?;
    privileges::drop().map_err(|error| RunError::Privileges(error.to_string()))?;

    let Opened { lock, store, workers, links, sources, events, teller, http, .. } = opened;
    let Opened { syslog, flows, files, held, .. } = opened;
    let baseline = store.baseline()?;
    let stored = Stored::read(&store)?;
    let (on_committed, teller) = teller.start()?;
    let kept = config.evidence.enabled.then(|| Evidence::new(metrics.evidence.clone()));
    let (evidence, asked) = kept.unzip();
    let wiring = keeper::Wiring {
        clock: now,
        on_committed,
        on_removed: evidence::on_removed(evidence.clone()),
    };
    let fleet = Fleet::new(&config.fleet, &config.sensor.name, &metrics, now);
    let targets = deliver::within(fleet.as_ref(), &config.deliver, config.http.url.as_ref());
    let owed = targets.iter().map(Target::subscription).collect();
    let keeper = Keeper::start(store, owed, metrics.clone(), wiring)?;
    let status: status::Shared = Arc::new(RwLock::new(Status {
        sensor: config.sensor.name.clone(),
        version: env!("CARGO_PKG_VERSION"),
        started: now(),
        ..Status::default()
    }));
    let (posts, posted) = post::posts();
    let (asker, questions) = inquiry::questions();
    let parts = http::Parts {
        fleet: fleet.clone(),
        metrics: metrics.clone(),
        status: Arc::clone(&status),
        keeper: keeper.clone(),
        audit: posts,
        asker,
        data_dir: config.sensor.data_dir.as_path().into(),
        clock: now,
    };
    let wanted = if events.is_some() { Wanted::All } else { Wanted::ForDetectors };
    let dropped = metrics.events_dropped.with_label_values(&["events"]);
    let events =
        events.map(|opened| EventFile::start(opened, links.names(), dropped)).transpose()?;
    let engine = engine(&config, &stored, baseline, fleet.as_ref());
    let (to_detection, batches) = mpsc::sync_channel(BATCHES);
    let refused = Refused::default();
    let accounts = Accounts::new(refused.clone());
    let names = links.names();
    // Whoever takes logs in is one more worker to wait for.
    let is_fed = intake::is_fed(&config.intake);
    let all = workers + usize::from(is_fed);
    let merge = (Merge::new(all), batches);
    let told = (events, accounts, evidence.clone());
    let detection = start_detection(engine, (merge, questions), names, told, &parts)?;
    let tally = || Tally::new(metrics.clone(), refused.clone());
    let intake = if is_fed {
        let takes = intake::takes(&config.intake);
        let feeds = Feeds { takes, syslog, flows, files, posted };
        intake::start(workers, feeds, (&to_detection, &metrics, &status), PATIENCE)?
    } else {
        Intake::default()
    };
    let memory = config.evidence.memory / workers as u64;
    let remembers = evidence.clone().map(|teller| (teller, memory));
    let workers =
        start_workers(workers, wanted, &links, sources, (&to_detection, remembers), tally)?;
    let packets =
        deliver::Packets::new(&config.sensor.data_dir, evidence.as_ref().map(Evidence::awaited));
    let evidence = evidence.zip(asked).map(|channel| {
        let place = Place {
            data_dir: config.sensor.data_dir.clone(),
            limit: config.evidence.disk,
            names: links.names(),
        };
        evidence::start(place, &workers, channel, &status)
    });
    let evidence = evidence.transpose()?;
    let (to_control, messages) = mpsc::channel();
    let seed = now().as_nanos() ^ u64::from(std::process::id());
    let (deliver, delivery) =
        deliver::delivery(targets, (keeper.clone(), packets.clone()), metrics.clone(), now, seed);
    let access = http.access();
    let tasks = io::Tasks { bound: http, parts, delivery, fleet: fleet.clone().zip(Some(packets)) };
    let io = io::start(to_control, tasks)?;
    let steps = clock::Steps::new(now(), Instant::now());
    Ok(Running {
        settings,
        config,
        stored,
        http: access,
        links,
        workers,
        intake,
        detection,
        keeper,
        evidence,
        teller,
        io,
        deliver,
        fleet,
        status,
        metrics,
        messages,
        steps,
        said: String::new(),
        _lock: lock,
        _held: held,
    })
}

fn open(arguments: &cli::Run, config: &Config, metrics: &Metrics) -> Result<Opened, RunError> {
    let names = links::chosen(&config.capture);
    let lock = Lock::take(&config.sensor.data_dir)?;
    let store = open_store(&config.sensor.data_dir)?;
    let workers = match config.capture.workers {
        0 => thread::available_parallelism().map_or(1, usize::from),
        number => usize::from(number),
    };
    let held = receive(&config.capture.receive)?;
    let (links, sources) = Links::open(&names, &config.capture, workers, metrics.clone())?;
    let events = arguments.output.events.as_ref().map(|to| {
        event_file::open(to).map_err(|source| RunError::Output { path: to.to_string(), source })
    });
    let events = events.transpose()?;
    let teller = Teller::new(&arguments.output)?;
    let http = http::bind(&config.http, &config.intake.audit)?;
    tracing::info!("metrics, health and API at {}", http.address());
    let syslog = listen::bind(&config.intake.syslog)?;
    for (transport, address) in syslog.addresses() {
        tracing::info!("syslog over {} at {address}", transport.name());
    }
    if !syslog.is_empty() && config.intake.syslog.allow.is_empty() {
        tracing::warn!(
            "intake.syslog.allow is empty: everybody who reaches the port is believed; name the senders"
        );
    }
    let flows = flows(&config.intake.flows)?;
    let files = Patterns::new(&config.intake.audit.files)?;
    Ok(Opened {
        lock,
        store,
        workers,
        links,
        sources,
        events,
        teller,
        http,
        syslog,
        flows,
        files,
        held,
    })
}

fn flows(config: &config::Flows) -> Result<Option<flows::Bound>, RunError> {
    let bound = flows::bind(config)?;
    if let Some(address) = bound.as_ref().and_then(flows::Bound::address) {
        tracing::info!("flow records at {address}");
        if config.allow.is_empty() {
            tracing::warn!(
                "intake.flows.allow is empty: everybody who reaches the port is believed; name the exporters"
            );
        }
    }
    Ok(bound)
}

/// Holds open what mirrors are sent to; where somebody else does that, the sensor goes on without.
fn receive(wrappings: &[Wrapping]) -> Result<Vec<Held>, ReceiveError> {
    let mut held = Vec::new();
    for wrapping in wrappings {
        match receive::open(*wrapping) {
            Ok(one) => held.push(one),
            Err(error) if error.is_harmless() => tracing::warn!("{error}"),
            Err(error) => return Err(error),
        }
    }
    Ok(held)
}

fn start_detection(
    engine: Engine,
    ((merge, batches), questions): ((Merge, Receiver<Batch>), Questions),
    interfaces: Vec<String>,
    (events, accounts, evidence): (Option<EventFile>, Accounts, Option<Evidence>),
    parts: &http::Parts,
) -> Result<Thread<detection::Order, ()>, RunError> {
    let (orders, receiver) = mpsc::channel();
    let pulse = Arc::new(Pulse::new(0));
    let detection = Detection {
        peers: parts.fleet.as_ref().map(Fleet::peers),
        engine,
        merge,
        join: Join::default(),
        batches,
        orders: receiver,
        questions,
        keeper: parts.keeper.clone(),
        events,
        evidence,
        accounts,
        pulse: Arc::clone(&pulse),
        status: Arc::clone(&parts.status),
        assets: Assets::new(parts.metrics.clone()),
        metrics: parts.metrics.clone(),
        mirrors: Mirrors::new(parts.metrics.clone(), interfaces),
    };
    let handle = spawn("egret-detect", move || detection.work())?;
    Ok(Thread { orders, pulse, handle })
}

fn engine(
    config: &Config,
    stored: &Stored,
    baseline: Option<Baseline>,
    fleet: Option<&Fleet>,
) -> Engine {
    let mut engine = Engine::new(&stored.under(config.clone()), None, baseline);
    engine.judge(&stored.verdicts);
    if let Some(fleet) = fleet {
        engine.join_fleet(&fleet.own().to_string(), ANSWERED_WITHIN);
    }
    // What logs tell of long before this is history.
    engine.reach(now());
    let own = interface::own_addresses();
    engine.reside(&own);
    if !config.capture.receive.is_empty() {
        engine.receive(&own);
    }
    engine
}

fn open_store(directory: &FilePath) -> Result<Store, RunError> {
    let store = Store::open(directory)?;
    if let Some(moved) = store.quarantined() {
        tracing::error!(
            "the database was damaged and is now {}; alerts and learning start anew",
            file_name(moved)
        );
    }
    Ok(store)
}

fn start_workers(
    number: usize,
    wanted: Wanted,
    links: &Links,
    sources: Vec<Sources>,
    (batches, remembers): (&SyncSender<Batch>, Option<(Evidence, u64)>),
    tally: impl Fn() -> Tally,
) -> Result<Vec<Thread<worker::Order, bool>>, RunError> {
    let capacity = (MAX_FLOWS / number).max(LEAST_FLOWS);
    let mut inputs: Vec<Vec<Input>> = (0..number).map(|_| Vec::new()).collect();
    for (interface, sources) in (0..).zip(sources) {
        for (worker, source) in share(interface, number, sources) {
            if let Some(inputs) = inputs.get_mut(worker) {
                inputs.push(Input::new(interface, source));
            }
        }
    }
    let processors = if number > 1 { processors(number) } else { Vec::new() };
    let mut workers = Vec::new();
    for (number, inputs) in inputs.into_iter().enumerate() {
        let (orders, receiver) = mpsc::channel();
        let pulse = Arc::new(Pulse::new(links.names().len()));
        let path = Path::new(wanted, capacity, Copies::LeaveOut, None);
        let mut path = path.map_err(RunError::Memory)?;
        path.reader.mirrors_mut().set_own(interface::own_addresses());
        if let Some((_, memory)) = &remembers {
            path.remember(*memory);
        }
        let worker = Worker {
            number,
            path,
            first_slot: u32::try_from(number * capacity).unwrap_or(u32::MAX),
            inputs,
            room: capacity + worker::ROOM,
            orders: receiver,
            batches: batches.clone(),
            pulse: Arc::clone(&pulse),
            tally: tally(),
            evidence: remembers.as_ref().map(|(teller, _)| teller.clone()),
            searches: VecDeque::new(),
        };
        let processor = processors.get(number).copied();
        let handle = spawn(&format!("egret-work-{number}"), move || {
            pin(processor);
            worker.work()
        })?;
        workers.push(Thread { orders, pulse, handle });
    }
    Ok(workers)
}

/// Which worker gets which source of an interface: each its own, and where there is only one source,
/// interfaces take turns.
pub(super) fn share(
    interface: u16,
    workers: usize,
    sources: Sources,
) -> impl Iterator<Item = (usize, crate::capture::live::Live)> {
    let first = if sources.len() == 1 { usize::from(interface) } else { 0 };
    sources
        .into_iter()
        .enumerate()
        .map(move |(number, source)| ((first + number) % workers, source))
}

pub(super) fn spawn<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>, RunError> {
    thread::Builder::new().name(name.to_owned()).spawn(work).map_err(RunError::Thread)
}
