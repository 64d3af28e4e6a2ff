//! The interfaces that are captured from: opened at the start, watched, and opened anew when one has
//! been away.

use crate::capture::live::{self, Live, LiveError, Settings};
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
    /// What the kernel calls it; a device made anew by the same name has another.
    index: Option<u32>,
    settings: Settings,
    backend: String,
    state: State,
    /// Frames that card and driver had lost when that was last looked at.
    lost: Option<u64>,
}

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
        let backend = way(capture.backend).map_err(|reason| LiveError {
            interface: names.first().cloned().unwrap_or_default(),
            reason,
        })?;
        let (mut all, mut sources) = (Vec::new(), Vec::new());
        let mut failed = None;
        for name in names {
            let settings = Settings { backend, snaplen: capture.snaplen, workers };
            let mut link = Link {
                name: name.clone(),
                index: None,
                settings,
                backend: String::new(),
                state: State::Gone,
                lost: None,
            };
            match link.open() {
                Ok(opened) => sources.push(opened),
                Err(error) => {
                    tracing::error!("{error}");
                    failed = Some(error);
                    sources.push(Vec::new());
                }
            }
            all.push(link);
        }
        match failed {
            Some(error) if sources.iter().all(Vec::is_empty) => Err(error.into()),
            _ => Ok((Self { all, metrics }, sources)),
        }
    }

    /// Looks at all interfaces; gives the new sources of those that have come back.
    pub(super) fn look(&mut self) -> Vec<(u16, Sources)> {
        let mut back = Vec::new();
        for (number, link) in (0..).zip(&mut self.all) {
            let state = link.look();
            if state != link.state {
                link.say(&state);
                let was = std::mem::replace(&mut link.state, state);
                if was == State::Gone {
                    match link.open() {
                        Ok(sources) => back.push((number, sources)),
                        Err(error) => {
                            tracing::error!("{error}");
                            link.state = State::Gone;
                        }
                    }
                }
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
    fn open(&mut self) -> Result<Sources, LiveError> {
        let opened = live::open(&self.name, &self.settings)?;
        self.index = interface::index(&self.name);
        self.state = self.look();
        tracing::info!("{}: captured by {}", printable(&self.name), opened.why);
        self.backend = opened.why;
        self.lost = lost(&self.name);
        Ok(opened.sources)
    }

    /// How it is now.
    fn look(&self) -> State {
        let Some(index) = self.index.filter(|_| self.state != State::Gone) else {
            // It was away: what has its name now is another device.
            return match interface::index(&self.name) {
                Some(_) => how(&self.name).unwrap_or(State::Gone),
                None => State::Gone,
            };
        };
        match interface::name(index) {
            None => State::Gone,
            Some(name) => match how(&name) {
                Some(State::Up) if name != self.name => State::Renamed(name),
                Some(state) => state,
                None => State::Gone,
            },
        }
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
        }
    }

    /// Frames that card and driver have lost since the last look.
    fn newly_lost(&mut self) -> u64 {
        let Some(now) = lost(&self.name) else { return 0 };
        let before = self.lost.replace(now);
        before.map_or(0, |before| now.saturating_sub(before))
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
        }
    }
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
fn way(backend: Backend) -> Result<Option<live::Backend>, String> {
    match backend {
        Backend::Auto => Ok(None),
        Backend::AfPacket => Ok(Some(live::Backend::Ring)),
        Backend::Pcap => Ok(Some(live::Backend::Pcap)),
        Backend::Xdp | Backend::Tc => Err(format!(
            "the backend {} is not in this version; use auto, afpacket or pcap",
            backend.name()
        )),
    }
}
