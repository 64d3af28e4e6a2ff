//! What hosts and vCenter log: automation that uses guest operations every day, and noise.

use std::rc::Rc;

use super::Plan;
use super::calendar::{DAY, HOUR, MINUTE, Rhythm, SECOND, daily, is_weekend, times};
use super::estate::{Asset, Estate, Role};
use super::scene::Scene;
use super::truth::{HardNegative, Time};
use crate::esxi::{Host, Journal, Release, Teller, Vcenter, What};
use crate::rng::Rng;

mod script;

pub(super) use script::{Account, Machine, Work};

/// Who sends logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Logs {
    /// Nobody.
    None,
    /// Hosts: accounts of guest operations are not in them.
    Hosts,
    /// Hosts, some with audit records, and the vCenter.
    All,
}

/// Names of machines on which guest operations are expected; those with old software are not among them.
pub(super) const EXPECTED: [&str; 3] = ["app-*", "db-*", "vdi-*"];

/// Runs scripts in most machines, several times on working days.
pub(super) const AUTOMATION: Account =
    Account::of_vcenter("CORP\\svc-automation", [10, 10, 9, 20], "PowerCLI/13.2.1.22851661");
/// Puts new versions on servers, once on working days.
pub(super) const DEPLOYMENT: Account = Account::of_vcenter(
    "CORP\\svc-deploy",
    [10, 10, 9, 21],
    "pyvmomi Python/3.11.2 (Linux; x86_64)",
);
/// Quiesces databases at night, in a maintenance window.
pub(super) const BACKUP: Account =
    Account::of_vcenter("CORP\\svc-backup", [10, 0, 8, 20], "Backup Proxy 12.1 (x]) \"quoted\"");
/// Looks and never touches.
pub(super) const AUDIT: Account =
    Account::of_vcenter("CORP\\svc-audit", [10, 10, 9, 22], "PowerCLI/13.2.1.22851661");
/// All that are expected.
pub(super) const ACCOUNTS: [&Account; 4] = [&AUTOMATION, &DEPLOYMENT, &BACKUP, &AUDIT];

/// When the window of [`BACKUP`] opens each night, and when it closes.
pub(super) const WINDOW: [u64; 2] = [HOUR, 3 * HOUR];

/// An empty journal of the estate's hosts, one of each release, and its vCenter. One clock is wrong.
pub(super) fn journal(plan: &Plan, estate: &Estate) -> Journal {
    let host = |(number, asset): (usize, &Rc<Asset>)| Host {
        name: format!("{}.corp.example", asset.name),
        address: asset.v4.into(),
        release: [Release::Eight, Release::Seven, Release::Eight, Release::Six][number % 4],
        ahead: if number % 4 == 1 { 1_300_000_000 } else { 0 },
    };
    let vcenter = Vcenter {
        name: format!("{}.corp.example", estate.vcenter.name),
        address: estate.vcenter.v4.into(),
        offset: [0, 2][(plan.seed % 2) as usize],
        datacenter: "NWT - Datacenter".into(),
    };
    Journal::new(estate.hosts.iter().enumerate().map(host).collect(), vcenter)
}

/// Lets all of it happen.
pub(super) fn play(scene: &mut Scene<'_>) {
    let mut rng = scene.rng("log noise");
    noise(scene, &mut rng);
    let mut rng = scene.rng("automation");
    automation(scene, &mut rng);
    let mut rng = scene.rng("deployment");
    deployment(scene, &mut rng);
    let mut rng = scene.rng("backup agents");
    backup(scene, &mut rng);
    let mut rng = scene.rng("audit of guests");
    audit(scene, &mut rng);
    if scene.plan.hard_negatives && scene.end() > scene.learned() + HOUR {
        let mut rng = scene.rng("harmless operations");
        new_machine(scene, &mut rng);
        repeated(scene, &mut rng);
        restart(scene, &mut rng);
    }
}

/// Machines on which guest operations are expected, with the roles asked for.
pub(super) fn machines(scene: &Scene<'_>, of: impl Fn(Role) -> bool) -> Vec<Machine> {
    let wanted = |guest: &&Rc<Asset>| guest.role != Role::Legacy && of(guest.role);
    scene.estate.guests.iter().filter(wanted).map(|guest| Machine::of(scene, guest)).collect()
}

fn noise(scene: &mut Scene<'_>, rng: &mut Rng) {
    let per_day = scene.plan.noise_per_day;
    for host in 0..scene.estate.hosts.len() {
        for time in times(scene.start(), scene.end(), per_day, Rhythm::Constant, rng) {
            scene.journal.add(time, Teller::Host(host), What::Noise(rng.next()));
        }
    }
    if scene.plan.logs == Logs::All {
        for time in times(scene.start(), scene.end(), per_day, Rhythm::Service, rng) {
            scene.journal.add(time, Teller::Vcenter, What::Noise(rng.next()));
        }
    }
}

/// Four rounds on working days through a part of the machines, about an hour later on some day. What
/// fails is tried again.
fn automation(scene: &mut Scene<'_>, rng: &mut Rng) {
    let all = machines(scene, |_| true);
    let shifted = scene.learned() / DAY + 1 + rng.below(3);
    for (round, time_of_day) in [8 * HOUR, 10 * HOUR, 13 * HOUR, 15 * HOUR].into_iter().enumerate()
    {
        for time in daily(scene.start(), scene.end(), time_of_day + 10 * MINUTE, 15 * MINUTE, rng) {
            if is_weekend(time) || all.is_empty() {
                continue;
            }
            let is_shifted = scene.plan.hard_negatives && time / DAY == shifted && round == 0;
            let time = if is_shifted { time + 50 * MINUTE } else { time };
            let mut work = Work::log_in(scene, AUTOMATION, time, rng);
            for _ in 0..all.len().div_ceil(3).min(8) {
                let machine = rng.pick(&all).clone();
                let tries = if rng.chance(0.05) { 2 } else { 1 };
                for _ in 0..tries {
                    work.script(&machine, rng);
                    work.pause(rng.range(20 * SECOND, 100 * SECOND));
                }
            }
            work.log_out();
        }
    }
}

/// Early in the afternoon of working days: a file, and a program that puts it where it belongs.
fn deployment(scene: &mut Scene<'_>, rng: &mut Rng) {
    let servers = machines(scene, |role| role == Role::Server);
    for time in daily(scene.start(), scene.end(), 14 * HOUR, 20 * MINUTE, rng) {
        if is_weekend(time) {
            continue;
        }
        let mut work = Work::log_in(scene, DEPLOYMENT, time, rng);
        for machine in servers.iter().take(6) {
            work.deploy(machine, rng);
            work.pause(rng.range(30 * SECOND, 120 * SECOND));
        }
        work.log_out();
    }
}

/// Every night, each database before and after its backup.
fn backup(scene: &mut Scene<'_>, rng: &mut Rng) {
    let databases = machines(scene, |role| role == Role::Database);
    for time in daily(scene.start(), scene.end(), WINDOW[0] + 15 * MINUTE, 20 * MINUTE, rng) {
        let mut work = Work::log_in(scene, BACKUP, time, rng);
        for machine in databases.iter().take(12) {
            work.quiesce(machine, rng);
            work.pause(rng.range(60 * SECOND, 4 * MINUTE));
        }
        work.log_out();
    }
}

/// Twice on working days: processes and files of some machines.
fn audit(scene: &mut Scene<'_>, rng: &mut Rng) {
    let all = machines(scene, |_| true);
    for time_of_day in [9 * HOUR, 16 * HOUR] {
        for time in daily(scene.start(), scene.end(), time_of_day, 10 * MINUTE, rng) {
            if is_weekend(time) || all.is_empty() {
                continue;
            }
            let mut work = Work::log_in(scene, AUDIT, time, rng);
            for _ in 0..3 {
                let machine = rng.pick(&all).clone();
                work.look(&machine, rng);
                work.pause(rng.range(40 * SECOND, 90 * SECOND));
            }
            work.log_out();
        }
    }
}

/// Automation takes care of a machine that nobody knew.
fn new_machine(scene: &mut Scene<'_>, rng: &mut Rng) {
    let machine = Machine { name: "app-new-71".into(), host: 0 };
    for time in daily(scene.learned(), scene.end(), 11 * HOUR, 10 * MINUTE, rng) {
        if is_weekend(time) {
            continue;
        }
        note(scene, "new_machine", &machine, time);
        let mut work = Work::log_in(scene, AUTOMATION, time, rng);
        work.script(&machine, rng);
        work.log_out();
    }
}

/// A script that fails is tried four times in a row.
fn repeated(scene: &mut Scene<'_>, rng: &mut Rng) {
    let all = machines(scene, |_| true);
    for time in daily(scene.learned(), scene.end(), 17 * HOUR, 10 * MINUTE, rng) {
        if is_weekend(time) || all.is_empty() || !rng.chance(0.5) {
            continue;
        }
        let machine = rng.pick(&all).clone();
        note(scene, "repeated_script", &machine, time);
        let mut work = Work::log_in(scene, AUTOMATION, time, rng);
        for _ in 0..4 {
            work.script(&machine, rng);
            work.pause(rng.range(5 * SECOND, 30 * SECOND));
        }
        work.log_out();
    }
}

/// The vCenter starts again a while after automation, at night too, and tells its latest events again.
fn restart(scene: &mut Scene<'_>, rng: &mut Rng) {
    if scene.plan.logs != Logs::All {
        return;
    }
    for time_of_day in [5 * HOUR, 15 * HOUR + 40 * MINUTE] {
        for time in daily(scene.learned(), scene.end(), time_of_day, 10 * MINUTE, rng) {
            scene.journal.add(time, Teller::Vcenter, What::Restart);
        }
    }
}

fn note(scene: &mut Scene<'_>, kind: &str, machine: &Machine, time: u64) {
    scene.truth.hard_negatives.push(HardNegative {
        kind: kind.into(),
        asset: machine.truth(scene),
        first: Time(time),
        destination: None,
        sni: None,
        bytes_out: 0,
    });
}
