use super::*;
use crate::config::Config;
use crate::event::Endpoint;
use crate::inventory::Inventory;

const FLOOR: u64 = 50_000_000;
const IN: Series = Series(Scope::Internal, Direction::In);
const HOUR: u64 = 3600;

fn asset() -> AssetId {
    let mac = crate::decode::Mac([0, 0x50, 0x56, 0x80, 0, 1]);
    let end = Endpoint { address: [10, 0, 0, 1].into(), port: 0, mac: Some(mac) };
    Inventory::new(&Config::default()).resolve(&end, Timestamp::ZERO).unwrap()
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_parts(20_000 * 86_400 + seconds, 0)
}

/// Moves `bytes` evenly over `minutes` from `start`; how many spikes began.
fn moved(volumes: &mut Volumes, peer: u32, start: u64, minutes: u64, bytes: u64) -> usize {
    let mut spikes = std::collections::BTreeSet::new();
    for step in 0..minutes * 6 {
        let now = at(start + step * 10);
        volumes.note(asset(), IN, peer, now, bytes / (minutes * 6));
        let spike = volumes.recent_spike(asset(), IN, now, Duration::ZERO);
        spikes.extend(spike.map(|spike| spike.onset));
    }
    spikes.len()
}

#[test]
fn a_large_transfer_is_one_spike_with_its_bytes_and_ends() {
    let mut volumes = Volumes::new(FLOOR);
    assert_eq!(moved(&mut volumes, 1, 0, 30, 5_000_000), 0);
    assert_eq!(moved(&mut volumes, 1, HOUR, 5, 600_000_000), 1);
    let now = at(HOUR + 900);
    let spike = volumes.recent_spike(asset(), IN, now, Duration::from_secs(1800)).unwrap();
    assert_eq!(spike.onset, at(HOUR));
    assert!((590_000_000..=605_000_000).contains(&spike.bytes), "{spike:?}");
    assert!((4_000_000..=6_000_000).contains(&spike.expected), "{spike:?}");
    assert!(spike.score > 5.0);
    let later = at(HOUR + 300 + 1801);
    assert_eq!(volumes.recent_spike(asset(), IN, later, Duration::from_secs(1800)), None);
}

#[test]
fn a_nightly_job_is_half_known_after_one_night_and_no_spike_after_two_but_only_with_its_peer() {
    let mut volumes = Volumes::new(FLOOR);
    let night = |day: u64| day * 24 * HOUR + 2 * HOUR;
    let novelty = |volumes: &Volumes, day| {
        let window = Duration::from_secs(3600);
        volumes.recent_spike(asset(), IN, at(night(day) + 1800), window).map(|spike| spike.novelty)
    };
    moved(&mut volumes, 1, night(0), 20, 2_000_000_000);
    assert_eq!(novelty(&volumes, 0), Some(1.0));
    moved(&mut volumes, 1, night(1) + 600, 20, 2_100_000_000);
    assert_eq!(novelty(&volumes, 1), Some(0.5));
    moved(&mut volumes, 1, night(2), 20, 2_100_000_000);
    assert_eq!(novelty(&volumes, 2), None);
    moved(&mut volumes, 2, night(3), 20, 6_000_000_000);
    assert_eq!(novelty(&volumes, 3), Some(1.0));
}

#[test]
fn what_is_busy_all_day_needs_a_multiple_of_its_habit() {
    let mut volumes = Volumes::new(FLOOR);
    for half_hour in 0..48 {
        moved(&mut volumes, half_hour, u64::from(half_hour) * 1800, 30, 200_000_000);
    }
    assert_eq!(moved(&mut volumes, 99, 24 * HOUR, 30, 300_000_000), 0);
    assert_eq!(moved(&mut volumes, 99, 25 * HOUR, 30, 3_000_000_000), 1);
}
