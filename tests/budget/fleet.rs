//! What the sensors of a fleet tell takes no more memory than `docs/fleet/merging.md` says.

use std::collections::BTreeMap;
use std::time::Duration;

use egret::config::Config;
use egret::detect::Engine;
use egret::exchange::Places;
use egret::exchange::places::{PARTS, part_of};
use egret::time::Timestamp;
use stats_alloc::Region;

use super::{ALLOCATOR, alone};

const NOW: Timestamp = Timestamp::from_parts(1_795_000_000, 0);
/// What the places of all other sensors together may take, in bytes.
const ELSEWHERE: usize = 44_000_000;
const SENSORS: usize = 50;
/// Places of each: 600,000 in all, more than there is room for.
const PLACES: usize = 12_000;

/// Fails when a large fleet, of which each sensor goes where no other does, takes more memory than is said;
/// or when what a sensor told stays when it is gone.
#[test]
fn places_of_fifty_sensors_fit() {
    let _alone = alone();
    let mut engine = Engine::new(&Config::default(), None, None);
    engine.join_fleet("here", Duration::from_secs(2));
    let region = Region::new(ALLOCATOR);
    let kept = |region: &Region<'_, _>| {
        let change = region.change();
        change.bytes_allocated.saturating_sub(change.bytes_deallocated)
    };
    for sensor in 0..SENSORS {
        let name = format!("dc1.rack-{sensor}");
        let mut parts: BTreeMap<u8, Vec<String>> = BTreeMap::new();
        for number in 0..PLACES {
            let place = format!("p{number}-{sensor}.example");
            parts.entry(part_of(&place)).or_default().push(format!(r#""{place}":[1,2,0,1]"#));
        }
        for part in 0..PARTS {
            let places = parts.remove(&part).unwrap_or_default().join(",");
            let told = format!(
                r#"{{"schema":"egret.places/1","sensor":"{name}","part":{part},"places":{{{places}}}}}"#
            );
            engine.elsewhere(&Places::read(told.as_bytes(), &name, NOW).unwrap());
        }
    }
    let all = kept(&region);
    assert!(all <= ELSEWHERE, "{all}");
    assert!(all >= ELSEWHERE / 2, "{all}: it is heard");
    (0..SENSORS).for_each(|sensor| engine.gone(&format!("dc1.rack-{sensor}")));
    let left = kept(&region);
    // The table of all places keeps its room.
    assert!(left <= ELSEWHERE - (8 << 20) + (1 << 20), "{left}");
}
