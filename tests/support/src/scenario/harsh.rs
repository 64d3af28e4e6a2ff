//! What makes an estate harsh: harmless things that detectors of the usual kind are woken by. Each one
//! is in every harsh estate; whom it hits, when and how much follows from the seed.

use std::rc::Rc;

use super::calendar::DAY;
use super::estate::Asset;
use super::scene::Scene;
use super::truth::{HardNegative, Time};
use crate::rng::Rng;

mod autocorrelation;
mod churn;
pub(super) mod faults;
mod first_uploads;
mod late_logs;
mod level_shift;
mod migrations;
mod moved_backups;
mod patch_day;
mod peers;
mod rollouts;
mod shards;

pub(super) use migrations::readdressed;
pub(super) use moved_backups::moved_backup;

/// Lets one of them happen on the day that is being written; the numbers are the same every day.
type Variant = fn(&mut Scene<'_>, &mut Rng);

const VARIANTS: [(&str, Variant); 10] = [
    ("level_shift", level_shift::play),
    ("autocorrelation", autocorrelation::play),
    ("migration", migrations::play),
    ("moved_backup", moved_backups::play),
    ("cdn_churn", churn::play),
    ("patch_day", patch_day::play),
    ("first_upload", first_uploads::play),
    ("staggered_rollout", rollouts::play),
    ("peer_to_peer", peers::play),
    ("sharded_service", shards::play),
];

/// Those of them that are of the mirror and of the logs.
const OF_SENSORS: [&str; 4] = ["lost_packets", "doubled_packets", "one_sided_packets", "late_logs"];

/// All of today. Comes before what guests do, as it changes that.
pub(super) fn play(scene: &mut Scene<'_>) {
    scene.levels.clear();
    if scene.is_first_day() {
        scene.truth.harsh = VARIANTS.iter().map(|(name, _)| (*name).into()).collect();
        scene.truth.harsh.extend(OF_SENSORS.map(String::from));
    }
    for (name, play) in VARIANTS {
        let mut rng = scene.rng(&format!("harsh {name}"));
        play(scene, &mut rng);
    }
}

/// What logs suffer, once all is told.
pub(super) fn disturb_logs(scene: &mut Scene<'_>) {
    let mut rng = scene.rng("harsh late_logs");
    late_logs::play(scene, &mut rng);
}

/// Each guest with this chance, at least one.
fn some(scene: &Scene<'_>, share: f64, rng: &mut Rng) -> Vec<Rc<Asset>> {
    let guests = &scene.estate.guests;
    let some: Vec<_> = guests.iter().filter(|_| rng.chance(share)).cloned().collect();
    if some.is_empty() { vec![Rc::clone(rng.pick(guests))] } else { some }
}

/// The midnight on which some judged day begins.
fn day(scene: &Scene<'_>, rng: &mut Rng) -> u64 {
    let first = scene.learned().next_multiple_of(DAY);
    first + rng.below((scene.end().saturating_sub(first) / DAY).max(1)) * DAY
}

/// Notes what goes to no place of its own, when it begins today.
fn note(scene: &mut Scene<'_>, kind: &str, guest: &Asset, begins: u64) {
    if scene.today().contains(&begins) {
        scene.truth.hard_negatives.push(HardNegative {
            kind: kind.into(),
            asset: guest.truth(),
            first: Time(begins),
            destination: None,
            sni: None,
            bytes_out: 0,
        });
    }
}
