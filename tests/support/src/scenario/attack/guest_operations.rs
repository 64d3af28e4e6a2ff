//! Misuse of the Guest Operations API (T1675), and what it is the first step of.

use super::{AttackKind, Planting};
use crate::rng::Rng;
use crate::scenario::calendar::{DAY, HOUR, MINUTE, SECOND, is_weekend};
use crate::scenario::estate::{Asset, Role};
use crate::scenario::internet::{self, Service};
use crate::scenario::logs::{
    AUDIT, AUTOMATION, Account, DEPLOYMENT, Logs, Machine, Work, machines,
};
use crate::scenario::scene::{Remembered, Scene};
use crate::scenario::truth::{Operations, Time};

/// Somebody of the house who never uses guest operations.
const INTRUDER: Account =
    Account::of_vcenter("CORP\\j.doe", [10, 10, 9, 66], "PowerCLI/13.2.1.22851661");
/// An account that everybody knows.
const ADMINISTRATOR: Account =
    Account::of_vcenter("VSPHERE.LOCAL\\Administrator", [10, 10, 9, 67], "VMware-client/8.0.2");
/// An account of a host, which the vCenter does not see at work.
const ROOT: Account = Account::of_host("root", [10, 10, 9, 68], "PowerCLI/13.2.1.22851661");

/// Guest operations and nothing else. Each kind has a time of day of its own, so that none becomes part of
/// another's story.
pub(super) fn play(scene: &mut Scene<'_>, guest: &Asset, kind: AttackKind, rng: &mut Rng) {
    let mut all = machines(scene, |_| true);
    if scene.plan.logs == Logs::Hosts {
        // Where nobody knows the account, what is done on one host is one story.
        all.retain(|machine| machine.host == 0);
    }
    let machine = Machine::of(scene, guest);
    match kind {
        AttackKind::NightOperations => {
            let now = slot(scene, 3 * HOUR + 30 * MINUTE, rng);
            let vms = [rng.pick(&all).clone(), rng.pick(&all).clone()];
            scripts(scene, kind, DEPLOYMENT, &vms, now, rng);
        }
        AttackKind::UnexpectedAccount => {
            let now = slot(scene, 12 * HOUR, rng);
            scripts(scene, kind, INTRUDER, &[machine.clone(), machine], now, rng);
        }
        AttackKind::BurstOfOperations => {
            let now = slot(scene, 11 * HOUR + 40 * MINUTE, rng);
            let vms: Vec<Machine> = (0..60).map(|_| rng.pick(&all).clone()).collect();
            scripts(scene, kind, AUTOMATION, &vms, now, rng);
        }
        AttackKind::UnauthorisedMachine => {
            let now = slot(scene, 9 * HOUR, rng);
            let legacy = scene.estate.guests.iter().find(|guest| guest.role == Role::Legacy);
            let machine = legacy.map_or_else(
                || Machine { name: "dc-01".into(), host: 0 },
                |guest| Machine::of(scene, guest),
            );
            scripts(scene, kind, DEPLOYMENT, &[machine], now, rng);
        }
        AttackKind::FilePull => {
            let now = slot(scene, 14 * HOUR + 30 * MINUTE, rng);
            let mut work = Work::log_in(scene, AUDIT, now, rng);
            for _ in 0..6 {
                work.pull(&machine, rng);
            }
            let done = work.log_out();
            planted(scene, kind, AUDIT, &[machine], done);
        }
        _ => {
            let now = slot(scene, 16 * HOUR + 30 * MINUTE, rng);
            let mut work = Work::log_in_on_host(scene, ROOT, machine.host, now, rng);
            work.script(&machine, rng);
            work.pull(&machine, rng);
            let done = work.log_out();
            planted(scene, kind, ROOT, &[machine], done);
        }
    }
}

/// A script in a guest, which minutes later sends some megabytes to a place that nobody knows.
pub(super) fn then_egress(scene: &mut Scene<'_>, guest: &Asset, rng: &mut Rng) {
    let now = slot(scene, 17 * HOUR + 30 * MINUTE, rng);
    let machine = Machine::of(scene, guest);
    let mut work = Work::log_in(scene, ADMINISTRATOR, now, rng);
    work.deploy(&machine, rng);
    let opened = work.now + rng.range(2 * MINUTE, 8 * MINUTE);
    work.log_out();
    let service = Service::site(&internet::domain(rng), rng);
    let volumes = (rng.lognormal(2e7, 0.2) as u64, 20_000);
    let visit = scene.visit(&mut Remembered::default(), guest, &service, volumes, opened, rng);
    let mut planting = Planting::new(AttackKind::OperationThenEgress, guest);
    let to = (visit.destination.address, visit.destination.port);
    planting.connection(to, visit.opened, visit.done.ended, visit.done.bytes_out);
    planting.sni = visit.sni;
    // The log has a name and the packets an address: that they are one's only the config says.
    planting.required = guest.configured;
    planting.operations = Some(operations(scene, planting.kind, ADMINISTRATOR, &[machine]));
    planting.done(scene, "AN1416");
}

/// A script in each of `vms`, fast enough that sixty of them take ten minutes.
fn scripts(
    scene: &mut Scene<'_>,
    kind: AttackKind,
    account: Account,
    vms: &[Machine],
    now: u64,
    rng: &mut Rng,
) {
    let mut work = Work::log_in(scene, account, now, rng);
    for (number, machine) in vms.iter().enumerate() {
        work.now = now + (number as u64 + 1) * 10 * SECOND;
        work.script(machine, rng);
    }
    let done = work.log_out();
    planted(scene, kind, account, vms, done);
}

fn planted(
    scene: &mut Scene<'_>,
    kind: AttackKind,
    account: Account,
    vms: &[Machine],
    done: Vec<u64>,
) {
    let asset = vms[0].truth(scene);
    let mut planting = Planting::of(kind, asset);
    planting.last = done.iter().copied().max().unwrap_or_default();
    planting.connections = done.into_iter().map(Time).collect();
    planting.operations = Some(operations(scene, kind, account, vms));
    planting.done(scene, "AN0646");
}

fn operations(
    scene: &Scene<'_>,
    kind: AttackKind,
    account: Account,
    vms: &[Machine],
) -> Operations {
    let mut names: Vec<String> = vms.iter().map(|vm| (*vm.name).into()).collect();
    names.sort_unstable();
    names.dedup();
    let is_told = scene.plan.logs == Logs::All && !account.is_local;
    Operations {
        account: is_told.then(|| account.name.into()),
        vms: names,
        findings: kind.findings().iter().map(|&finding| finding.into()).collect(),
    }
}

/// This time of some day that is judged, a working day where there is one; else some time that is judged.
fn slot(scene: &Scene<'_>, time_of_day: u64, rng: &mut Rng) -> u64 {
    let from = scene.learned() + 5 * MINUTE;
    let to = scene.end() - HOUR;
    let begin = from - from % DAY + time_of_day;
    let mut days: Vec<u64> =
        (0..=(to - begin.min(to)) / DAY).map(|day| begin + day * DAY).collect();
    days.retain(|time| (from..to).contains(time));
    if days.iter().any(|time| !is_weekend(*time)) {
        days.retain(|time| !is_weekend(*time));
    }
    match days[..] {
        [] => from + rng.below(to.saturating_sub(from).max(1)),
        _ => *rng.pick(&days) + rng.below(5 * MINUTE),
    }
}
