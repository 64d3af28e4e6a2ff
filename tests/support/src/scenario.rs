//! Days of an ESXi estate, written by a seed: a capture, a log, the config for them, and the truth.
//!
//! Hosts, a vCenter, guests, a resolver and an internet of names do what they do on working days;
//! attacks are planted on top, and harmless things that look like them. The same plan gives the
//! same bytes. Every guest and every habit draws from a stream of its own, so that leaving out
//! one thing moves nothing else.

use std::io::{self, Write};

mod attack;
mod benign;
mod calendar;
mod config;
mod conversation;
mod estate;
mod harsh;
mod internet;
mod logs;
mod mirrors;
mod recording;
mod scene;
pub mod truth;

pub use attack::{AttackKind, Extent, Formula};
pub use calendar::{DAY, HOUR, MINUTE, SECOND};
pub use conversation::Tcp;
pub use estate::Tagging;
use harsh::faults::Faults;
pub use logs::Logs;
pub use recording::Recording;
use scene::Scene;
pub use truth::Truth;

use crate::audit::Trail;
use crate::esxi::Journal;
use crate::wire::{BIG_PAYLOAD, Capture, MAX_PAYLOAD, Resolution};

/// What is in a capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packets {
    /// Nothing: there is only the log.
    None,
    /// What hosts and guests do all day.
    Everyday,
    /// Of that, questions to DNS and openings of connections, without what is sent on them.
    Openings,
    /// What mirrors and overlays wrap, and nothing else; audit records tell who changed mirrors.
    Mirrors,
}

impl Packets {
    /// Whether they are made day by day.
    const fn is_daily(self) -> bool {
        matches!(self, Self::Everyday | Self::Openings)
    }
}

/// Everything that can be chosen about a scenario.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What every random choice follows from.
    pub seed: u64,
    /// Start of the capture, in seconds since the epoch.
    pub start: u64,
    /// Length of the capture in hours.
    pub hours: u64,
    /// How many hours from the start hold no attack, for baselines to learn from.
    pub learning_hours: u64,
    /// ESXi hosts.
    pub hosts: usize,
    /// Guests; at least three.
    pub guests: usize,
    /// Share of the guests that have an IPv6 address too.
    pub ipv6_share: f64,
    /// Share of the guests that the config names; the others are to be discovered.
    pub configured_share: f64,
    /// VLAN tags on the mirrored port.
    pub tagging: Tagging,
    /// TLS sessions a guest opens on a working day.
    pub sessions_per_day: f64,
    /// Registered domains a guest visits for the first time ever, a day.
    pub new_places_per_day: f64,
    /// Scale of transfers inside the estate: backups, databases, vMotion.
    pub bulk: f64,
    /// What is in the capture.
    pub packets: Packets,
    /// Who sends logs.
    pub logs: Logs,
    /// Lines that a host logs on a day and that are about nothing.
    pub noise_per_day: f64,
    /// Whether there are the harmless things that look like attacks.
    pub hard_negatives: bool,
    /// Whether there are the harsh variants too.
    pub harsh: bool,
    /// The largest payload that segmentation offload hands up at once.
    pub largest: usize,
    /// What is planted.
    pub attacks: Vec<AttackKind>,
}

impl Plan {
    /// Days for judging detectors: all attacks, all hard negatives; IP version, tags and the day
    /// of the week follow from the seed, so that seeds in a row differ in each.
    pub fn evaluation(seed: u64, guests: usize, hours: u64, learning_hours: u64) -> Self {
        const MONDAY: u64 = 1_772_409_600; // 2026-03-02T00:00:00Z
        let choose = |n: u64| (seed % n) as usize;
        Self {
            seed,
            start: MONDAY + seed % 7 * 86_400,
            hours,
            learning_hours,
            hosts: 4,
            guests,
            ipv6_share: [0.0, 0.3, 0.6][choose(3)],
            configured_share: 0.6,
            tagging: [Tagging::None, Tagging::Vlan, Tagging::None, Tagging::Stacked][choose(4)],
            sessions_per_day: 140.0,
            new_places_per_day: 0.3,
            bulk: 0.8,
            packets: Packets::Everyday,
            logs: Logs::All,
            noise_per_day: 500.0,
            hard_negatives: true,
            harsh: false,
            largest: MAX_PAYLOAD,
            attacks: AttackKind::ALL.to_vec(),
        }
    }

    /// The same of a large and harsh estate, in few frames a conversation; of all attacks as many as a
    /// fourth of the guests, other ones in each estate of seeds in a row.
    pub fn harsh(seed: u64, guests: usize, hours: u64, learning_hours: u64) -> Self {
        let mut attacks = AttackKind::every();
        let count = guests.div_ceil(4).min(attacks.len());
        let first = seed as usize * count % attacks.len();
        attacks.rotate_left(first);
        attacks.truncate(count);
        Self {
            hosts: guests.div_ceil(25).clamp(4, 40),
            sessions_per_day: 60.0,
            noise_per_day: 50.0,
            harsh: true,
            largest: BIG_PAYLOAD,
            attacks,
            ..Self::evaluation(seed, guests, hours, learning_hours)
        }
    }

    /// Days of questions to DNS and connections, many of them to ports drawn by chance, and no attack.
    pub fn odd_ports(seed: u64, guests: usize, hours: u64, learning_hours: u64) -> Self {
        Self {
            packets: Packets::Openings,
            logs: Logs::None,
            attacks: Vec::new(),
            ..Self::harsh(seed, guests, hours, learning_hours)
        }
    }

    /// Days of which there are only logs, from a Monday on: what automation does, and what looks like
    /// attacks; no attack.
    pub fn quiet(seed: u64, hosts: usize, hours: u64, learning_hours: u64) -> Self {
        Self {
            start: 1_772_409_600, // Monday 2026-03-02T00:00:00Z
            hosts,
            packets: Packets::None,
            attacks: Vec::new(),
            ..Self::evaluation(seed, hosts * 4, hours, learning_hours)
        }
    }

    /// The same of an estate whose vCenter sends nothing, so that nobody says which account it was; and
    /// the attacks that show without.
    pub fn hosts_only(seed: u64, hosts: usize, hours: u64, learning_hours: u64) -> Self {
        Self {
            logs: Logs::Hosts,
            attacks: vec![
                AttackKind::NightOperations,
                AttackKind::BurstOfOperations,
                AttackKind::UnauthorisedMachine,
            ],
            ..Self::quiet(seed, hosts, hours, learning_hours)
        }
    }

    /// Days of approved mirrors, from a Monday on, and then a day on which mirrors leak.
    pub fn mirrors(seed: u64, days: u64, learning_hours: u64) -> Self {
        Self {
            packets: Packets::Mirrors,
            logs: Logs::None,
            ..Self::quiet(seed, 2, learning_hours + (days + 1) * 24, learning_hours)
        }
    }

    /// Two hours of a working day of a large estate, without attacks: what a sensor lives with. Hosts log a
    /// line a second.
    pub fn everyday(seed: u64, hosts: usize, guests: usize) -> Self {
        Self {
            start: 1_772_528_400, // Tuesday 2026-03-03T09:00:00Z
            hosts,
            ipv6_share: 0.0,
            tagging: Tagging::None,
            noise_per_day: 86_400.0,
            hard_negatives: false,
            attacks: Vec::new(),
            ..Self::evaluation(seed, guests, 2, 1)
        }
    }

    /// Half a day of a small estate, small enough to be kept beside the sources: an exfiltration
    /// after staging, a management component's egress, a beacon to calculated ports, and guest operations
    /// of somebody who has no business there.
    pub fn demo() -> Self {
        Self {
            start: 1_772_517_600, // Tuesday 2026-03-03T06:00:00Z
            hosts: 2,
            ipv6_share: 0.3,
            tagging: Tagging::Vlan,
            sessions_per_day: 110.0,
            new_places_per_day: 0.5,
            bulk: 0.15,
            attacks: vec![
                AttackKind::OneSession,
                AttackKind::EsxiEgress,
                AttackKind::DnsPort(Formula::Apt12),
                AttackKind::UnexpectedAccount,
            ],
            ..Self::evaluation(1, 6, 10, 6)
        }
    }

    /// Lets the first of the days happen, and all that is logged on any of them.
    pub fn begin(&self) -> Play<'_> {
        let mut scene = Scene::new(self);
        match self.packets {
            Packets::None => {}
            Packets::Everyday | Packets::Openings => benign::play(&mut scene),
            Packets::Mirrors => mirrors::play(&mut scene),
        }
        if self.logs != Logs::None {
            logs::play(&mut scene);
        }
        attack::play(&mut scene);
        scene.journal.trim(scene.truth.start.0, scene.truth.end.0);
        if self.harsh {
            harsh::disturb_logs(&mut scene);
        }
        Play { scene }
    }

    /// Lets the days happen.
    pub fn play(&self) -> Scenario {
        let Play { mut scene } = self.begin();
        while scene.next_day() {
            if self.packets.is_daily() {
                benign::play(&mut scene);
            }
        }
        let config = config::write(&scene);
        scene.truth.finish();
        scene.recording.trim(scene.truth.start.0, scene.truth.end.0);
        let Scene { recording, journal, trail, truth, .. } = scene;
        Scenario { recording, journal, trail, config, truth }
    }
}

/// Days that happen one after another, so that no more than one of them is in memory.
pub struct Play<'p> {
    scene: Scene<'p>,
}

impl Play<'_> {
    /// The Egret config of the estate, in TOML.
    pub fn config(&self) -> String {
        config::write(&self.scene)
    }

    /// All log lines.
    pub const fn journal(&mut self) -> &mut Journal {
        &mut self.scene.journal
    }

    /// All audit records.
    pub const fn trail(&mut self) -> &mut Trail {
        &mut self.scene.trail
    }

    /// Writes the capture, day by day; gives how many frames it has, and what was planted.
    ///
    /// # Errors
    /// When `out` cannot be written.
    pub fn write_capture(self, out: impl Write) -> io::Result<(usize, Truth)> {
        let mut scene = self.scene;
        let mut capture = Capture::new(out, Resolution::Micros)?;
        let start = scene.truth.start.0;
        let mut faults = Faults::of(&scene);
        let mut frames = 0;
        loop {
            let until =
                if scene.plan.packets.is_daily() { scene.today().end } else { scene.truth.end.0 };
            frames +=
                scene.recording.drain(until, &mut capture, |time, frame| match &mut faults {
                    _ if time < start => 0,
                    Some(faults) => faults.seen(time, frame),
                    None => 1,
                })?;
            if until == scene.truth.end.0 || !scene.next_day() {
                break;
            }
            benign::play(&mut scene);
        }
        capture.finish()?;
        scene.truth.finish();
        Ok((frames, scene.truth))
    }
}

/// What a [`Plan`] came to.
#[derive(Debug)]
pub struct Scenario {
    /// All frames.
    pub recording: Recording,
    /// All log lines.
    pub journal: Journal,
    /// All audit records.
    pub trail: Trail,
    /// The Egret config of the estate, in TOML.
    pub config: String,
    /// What was planted.
    pub truth: Truth,
}

impl Scenario {
    /// Writes the capture file, ordered by time.
    ///
    /// # Errors
    /// When `out` cannot be written.
    pub fn write_capture(&mut self, out: impl Write) -> io::Result<()> {
        self.recording.write(out)
    }
}

#[cfg(test)]
mod tests;
