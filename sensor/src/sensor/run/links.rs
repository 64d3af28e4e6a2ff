//! The interfaces that are captured from: opened at the start, watched, and opened anew when one has
//! been away.

use crate::capture::interface::{self, Pick};
use crate::capture::live::{self, Live, LiveError, Opened, Settings};
use crate::config::{self, Capture};
use crate::metrics::Metrics;
use crate::status;
use crate::text::printable;

use super::RunError;

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
    /// Which way was chosen when it was opened last, and why.
    way: Option<live::Backend>,
    backend: String,
    /// Whether packets end here once they are counted: not on a host in the path.
    drops: bool,
    /// Whether its driver calls those packets dropped.
    calls_them_dropped: bool,
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

/// What workers must know of an interface.
#[derive(Debug)]
pub(super) enum News {
    /// It has come back, with new sources.
    Back(Sources),
    /// It is in the path of traffic now, which must pass.
    InPath,
}

/// Those that people named; else what looks like a mirror port, so that a sensor that was just installed
/// does something.
pub(super) fn chosen(capture: &Capture) -> Vec<String> {
    if !capture.interfaces.is_empty() {
        return capture.interfaces.clone();
    }
    let pick = interface::pick();
    let names = pick.names().join(", ");
    match pick {
        Pick::Mirrors(_) => tracing::warn!(
            "capture.interface names none: {names} is taken, which is up and has no address; name it to keep it so"
        ),
        Pick::Own(_) => tracing::warn!(
            "capture.interface names none, and no card is up without an address: {names} is taken, which shows \
             what this host itself sees; bring the mirror port up and name it"
        ),
        Pick::None => tracing::error!(
            "no interface to capture from: name one in capture.interface and restart; there are {}",
            interface::names().join(", ")
        ),
    }
    pick.names().to_vec()
}

impl Links {
    /// Opens all interfaces for so many workers. One that is missing is waited for, as long as there
    /// is another.
    pub(super) fn open(
        names: &[String],
        capture: &Capture,
        workers: usize,
        metrics: Metrics,
    ) -> Result<(Self, Vec<Sources>), RunError> {
        if let Some((first, second)) = twice(names) {
            return Err(RunError::Twice { first, second });
        }
        let settings = Settings {
            backend: way(capture.backend),
            snaplen: capture.snaplen,
            workers,
            slots: None,
        };
        let (mut all, mut sources, mut failed) = (Vec::new(), Vec::new(), Vec::new());
        for name in names {
            let mut link = Link::new(name, settings.clone(), live::open);
            sources.push(link.open(&metrics).unwrap_or_else(|error| {
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

    /// Looks at all interfaces; gives what has become of those that workers must know of.
    pub(super) fn look(&mut self) -> Vec<(u16, News)> {
        let mut news = Vec::new();
        for (number, link) in (0..).zip(&mut self.all) {
            if let Some(sources) = link.watch(&self.metrics) {
                news.push((number, News::Back(sources)));
            }
            if link.must_pass() {
                news.push((number, News::InPath));
            }
            let up = matches!(link.state, State::Up | State::Renamed(_));
            self.metrics.interface_up.with_label_values(&[&link.name]).set(i64::from(up));
            let lost = link.newly_lost();
            self.metrics.capture_dropped.with_label_values(&["interface"]).inc_by(lost);
        }
        news
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
            way: None,
            backend: String::new(),
            drops: false,
            calls_them_dropped: false,
            state: State::Gone,
            lost: None,
            losses: 0,
        }
    }

    /// Opens what has its name now.
    fn open(&mut self, metrics: &Metrics) -> Result<Sources, LiveError> {
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
        self.say_how(&opened);
        metrics.captured_by(&self.name, name(opened.backend));
        // Of what is in the path already, nothing ends here.
        self.drops = opened.backend == live::Backend::Xdp && !interface::is_in_path(&self.name);
        self.calls_them_dropped = self.drops && calls_ended_dropped(&self.name);
        self.way = Some(opened.backend);
        self.backend = opened.why;
        self.lost = lost(&self.name, self.calls_them_dropped);
        Ok(opened.sources)
    }

    /// Says how it is captured from: loudly, when that is not as people asked or as it was before.
    fn say_how(&self, opened: &Opened) {
        let interface = printable(&self.name);
        let why = &opened.why;
        match (self.way, self.settings.backend) {
            (Some(before), _) if before != opened.backend => tracing::warn!(
                "{interface}: captured by {why}; before it was {}, which a restart of the sensor may bring \
                 back",
                name(before).name()
            ),
            (None, Some(asked)) if asked != opened.backend => {
                tracing::warn!(
                    "{interface}: captured by {why}; {} was asked for",
                    name(asked).name()
                );
            }
            _ => tracing::info!("{interface}: captured by {why}"),
        }
    }

    /// Whether its packets would end here and no longer may, because this host is in their path now.
    fn must_pass(&mut self) -> bool {
        // By the name it has now: its old one may be another's.
        let name = self.index.filter(|_| self.drops).and_then(interface::name);
        if !name.is_some_and(|name| interface::is_in_path(&name)) {
            return false;
        }
        tracing::warn!(
            "{}: is in the path of traffic now, by an address or as a part of something; its packets \
             pass from now on. To count what this host sends there too, restart the sensor",
            printable(&self.name)
        );
        self.drops = false;
        true
    }

    /// Looks how it is and says what has changed; new sources when it has come back.
    fn watch(&mut self, metrics: &Metrics) -> Option<Sources> {
        if let Some(index) = self.index {
            self.enter(how_now(index, &self.name));
            return None;
        }
        if interface::index(&self.name).is_none() {
            self.enter(State::Gone);
            return None;
        }
        let before = self.state.clone();
        let opened = self.open(metrics);
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
        let ended = self.calls_them_dropped;
        let Some(now) = name.and_then(|name| lost(&name, ended)) else { return 0 };
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

/// Frames that card and driver have lost since the interface came to be, as far as they tell them from
/// those that a program `ended`.
fn lost(name: &str, ended: bool) -> Option<u64> {
    let counters = interface::Counters::of(name);
    let dropped = counters.dropped?;
    Some(if ended { 0 } else { dropped } + counters.missed.unwrap_or(0))
}

/// Whether the interface's driver counts what an XDP program ends as dropped (Linux,
/// `drivers/net/virtio_net.c`), where it can be told from a loss no more.
fn calls_ended_dropped(name: &str) -> bool {
    let driver = interface::Facts::of(name).driver;
    driver.as_deref() == Some("virtio_net")
}

/// The way of capture that the config asks for; `None`: the fastest that works.
const fn way(backend: config::Backend) -> Option<live::Backend> {
    match backend {
        config::Backend::Auto => None,
        config::Backend::Xdp => Some(live::Backend::Xdp),
        config::Backend::XdpGeneric => Some(live::Backend::XdpGeneric),
        config::Backend::Tc => Some(live::Backend::Tc),
        config::Backend::AfPacket => Some(live::Backend::Ring),
        config::Backend::Pcap => Some(live::Backend::Pcap),
    }
}

/// What the config calls a way of capture.
const fn name(way: live::Backend) -> config::Backend {
    match way {
        live::Backend::Xdp => config::Backend::Xdp,
        live::Backend::XdpGeneric => config::Backend::XdpGeneric,
        live::Backend::Tc => config::Backend::Tc,
        live::Backend::Ring => config::Backend::AfPacket,
        live::Backend::Pcap => config::Backend::Pcap,
    }
}

#[cfg(test)]
mod tests;
