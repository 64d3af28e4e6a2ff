//! The interfaces that are captured from: opened at the start, watched, and opened anew when one has
//! been away.

use crate::capture::live::{self, Live, LiveError, Opened, Settings};
use crate::config::{Backend, Capture};
use crate::metrics::Metrics;
use crate::status;
use crate::text::printable;

use super::RunError;
use crate::capture::interface;

/// All interfaces of the config.
#[derive(Debug)]
pub(super) struct Links {
    all: Vec<Link>,
    metrics: Metrics,
}

/// One interface.
#[derive(Debug)]
struct Link {
    name: String,
    /// What the kernel calls it while it is captured from; a device made anew by the same name has
    /// another.
    index: Option<u32>,
    settings: Settings,
    open: Open,
    backend: String,
    state: State,
    /// What card and driver had counted as lost when that was last looked at.
    lost: Option<u64>,
    /// Frames that they have lost since the start.
    losses: u64,
}

/// Opens an interface.
type Open = fn(&str, &Settings) -> Result<Opened, LiveError>;

/// How an interface is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    Up,
    Down,
    /// It is up, but nothing is connected, or what is there is down.
    NoCarrier,
    /// It has another name now.
    Renamed(String),
    Gone,
    /// It is there, and cannot be captured from.
    Closed(String),
}

/// The sources of one interface, one a worker.
pub(super) type Sources = Vec<Live>;

impl Links {
    /// Opens all interfaces for so many workers. One that is missing is waited for, as long as there
    /// is another.
    pub(super) fn open(
        names: &[String],
        capture: &Capture,
        workers: usize,
        metrics: Metrics,
    ) -> Result<(Self, Vec<Sources>), RunError> {
        let backend = way(capture.backend)?;
        if let Some((first, second)) = twice(names) {
            return Err(RunError::Twice { first, second });
        }
        let settings = Settings { backend, snaplen: capture.snaplen, workers };
        let (mut all, mut sources, mut failed) = (Vec::new(), Vec::new(), Vec::new());
        for name in names {
            let mut link = Link::new(name, settings.clone(), live::open);
            sources.push(link.open().unwrap_or_else(|error| {
                failed.push(error);
                Vec::new()
            }));
            all.push(link);
        }
        if failed.len() == all.len()
            && let Some(error) = failed.pop()
        {
            failed.iter().for_each(|error| tracing::error!("{error}"));
            return Err(error.into());
        }
        failed.iter().for_each(|error| tracing::error!("{error}; tried again each second"));
        Ok((Self { all, metrics }, sources))
    }

    /// Looks at all interfaces; gives the new sources of those that have come back.
    pub(super) fn look(&mut self) -> Vec<(u16, Sources)> {
        let mut back = Vec::new();
        for (number, link) in (0..).zip(&mut self.all) {
            if let Some(sources) = link.watch() {
                back.push((number, sources));
            }
            let up = matches!(link.state, State::Up | State::Renamed(_));
            self.metrics.interface_up.with_label_values(&[&link.name]).set(i64::from(up));
            let lost = link.newly_lost();
            self.metrics.capture_dropped.with_label_values(&["interface"]).inc_by(lost);
        }
        back
    }

    /// How the interfaces are, without what workers have counted.
    pub(super) fn status(&self) -> Vec<status::Interface> {
        let of = |link: &Link| status::Interface {
            name: link.name.clone(),
            backend: link.backend.clone(),
            state: link.state.to_string(),
            dropped: link.losses,
            ..status::Interface::default()
        };
        self.all.iter().map(of).collect()
    }

    /// The names in the config, in its order.
    pub(super) fn names(&self) -> Vec<String> {
        self.all.iter().map(|link| link.name.clone()).collect()
    }
}

impl Link {
    fn new(name: &str, settings: Settings, open: Open) -> Self {
        Self {
            name: name.to_owned(),
            index: None,
            settings,
            open,
            backend: String::new(),
            state: State::Gone,
            lost: None,
            losses: 0,
        }
    }

    /// Opens what has its name now.
    fn open(&mut self) -> Result<Sources, LiveError> {
        // Before it is opened: if another takes the name meanwhile, this one is found to be gone.
        let Some(index) = interface::index(&self.name) else {
            let (interface, reason) = (self.name.clone(), interface::missing(&self.name));
            return Err(LiveError { interface, reason });
        };
        let opened = match (self.open)(&self.name, &self.settings) {
            Ok(opened) => opened,
            Err(error) => {
                self.state = State::Closed(error.reason.clone());
                return Err(error);
            }
        };
        self.index = Some(index);
        self.state = how_now(index, &self.name);
        tracing::info!("{}: captured by {}", printable(&self.name), opened.why);
        self.backend = opened.why;
        self.lost = lost(&self.name);
        Ok(opened.sources)
    }

    /// Looks how it is and says what has changed; new sources when it has come back.
    fn watch(&mut self) -> Option<Sources> {
        if let Some(index) = self.index {
            self.enter(how_now(index, &self.name));
            return None;
        }
        if interface::index(&self.name).is_none() {
            self.enter(State::Gone);
            return None;
        }
        let before = self.state.clone();
        let opened = self.open();
        if self.state != before {
            self.say(&self.state);
        }
        opened.ok()
    }

    fn enter(&mut self, state: State) {
        if state != self.state {
            self.say(&state);
        }
        if state == State::Gone {
            self.index = None;
        }
        self.state = state;
    }

    fn say(&self, state: &State) {
        let name = printable(&self.name);
        match state {
            State::Up => tracing::warn!("{name}: is up"),
            State::Down => {
                tracing::error!("{name}: is down; `ip link set {name} up` brings it up again");
            }
            State::NoCarrier => {
                tracing::error!("{name}: has no carrier; check cable and switch port");
            }
            State::Renamed(to) => tracing::warn!(
                "{name}: is called {} now and is captured from; name it so in capture.interface",
                printable(to)
            ),
            State::Gone => tracing::error!("{name}: is gone; capture goes on when it comes back"),
            State::Closed(why) => tracing::error!("{name}: {why}; tried again each second"),
        }
    }

    /// Frames that card and driver have lost since the last look.
    fn newly_lost(&mut self) -> u64 {
        // By the name it has now: its old one may be another's.
        let name = self.index.and_then(interface::name);
        let Some(now) = name.and_then(|name| lost(&name)) else { return 0 };
        let before = self.lost.replace(now);
        let lost = before.map_or(0, |before| now.saturating_sub(before));
        self.losses += lost;
        lost
    }
}

impl std::fmt::Display for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Up => f.write_str("up"),
            Self::Down => f.write_str("down"),
            Self::NoCarrier => f.write_str("no carrier"),
            Self::Renamed(name) => write!(f, "up, called {} now", printable(name)),
            Self::Gone => f.write_str("gone"),
            Self::Closed(why) => write!(f, "closed: {why}"),
        }
    }
}

/// How the interface of this number is, which had `name` when it was opened.
fn how_now(index: u32, name: &str) -> State {
    let Some(now) = interface::name(index) else { return State::Gone };
    match how(&now) {
        Some(State::Up) if now != name => State::Renamed(now),
        Some(state) => state,
        None => State::Gone,
    }
}

/// Two of these names that one interface has.
fn twice(names: &[String]) -> Option<(String, String)> {
    let indexes: Vec<_> = names.iter().map(|name| interface::index(name)).collect();
    let pairs = names.iter().zip(&indexes).enumerate();
    pairs.into_iter().find_map(|(at, (second, index))| {
        let mut earlier = names.iter().zip(&indexes).take(at);
        let first = earlier
            .find(|(name, other)| *name == second || (index.is_some() && *other == index))?;
        Some((first.0.clone(), second.clone()))
    })
}

/// How the interface that has this name now is.
fn how(name: &str) -> Option<State> {
    let link = interface::Link::of(name)?;
    Some(match (link.up, link.running) {
        (false, _) => State::Down,
        (true, false) => State::NoCarrier,
        (true, true) => State::Up,
    })
}

/// Frames that card and driver have lost since the interface came to be.
fn lost(name: &str) -> Option<u64> {
    let counters = interface::Counters::of(name);
    Some(counters.dropped? + counters.missed.unwrap_or(0))
}

/// The way of capture that the config asks for; `None`: the fastest that works.
fn way(backend: Backend) -> Result<Option<live::Backend>, RunError> {
    match backend {
        Backend::Auto => Ok(None),
        Backend::AfPacket => Ok(Some(live::Backend::Ring)),
        Backend::Pcap => Ok(Some(live::Backend::Pcap)),
        Backend::Xdp | Backend::XdpGeneric | Backend::Tc => Err(RunError::Backend(backend.name())),
    }
}

#[cfg(test)]
mod tests;
