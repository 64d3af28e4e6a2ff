//! The nightly backup moves: for a third of the guests, from one day on, to another hour and another
//! server; for half of those that send theirs to a cloud, to another cloud.

use super::day;
use crate::rng::Rng;
use crate::scenario::calendar::HOUR;
use crate::scenario::estate::Asset;
use crate::scenario::scene::Scene;

/// Where and when a guest's backup goes once it has moved.
#[derive(Debug, Clone, Copy)]
pub(in crate::scenario) struct MovedBackup {
    /// The hour, in nanoseconds from midnight.
    pub(in crate::scenario) hour: u64,
    /// Whether it is new today.
    pub(in crate::scenario) is_new: bool,
}

/// Notes whose backup moves today.
pub(super) fn play(scene: &mut Scene<'_>, _: &mut Rng) {
    for guest in scene.estate.guests.clone() {
        if moved_backup(scene, &guest, "inside").is_some_and(|moved| moved.is_new) {
            super::note(scene, "moved_backup", &guest, scene.today().start);
        }
    }
}

/// Whether a guest's backup of a kind has moved, by today.
pub(in crate::scenario) fn moved_backup(
    scene: &Scene<'_>,
    guest: &Asset,
    kind: &str,
) -> Option<MovedBackup> {
    if !scene.plan.harsh {
        return None;
    }
    let mut rng = scene.rng(&format!("harsh moved_backup {kind}"));
    let from = day(scene, &mut rng);
    let hour = rng.range(4, 21) * HOUR;
    let share = if kind == "cloud" { 0.5 } else { 1.0 / 3.0 };
    let moves = rng.stream(&guest.name).chance(share);
    let today = scene.today().start;
    (moves && from <= today).then_some(MovedBackup { hour, is_new: from == today })
}
