//! Guests that move, swap addresses, or take the address of another.

use super::*;
use crate::baseline::{AssetBaseline, Baseline};

const A: Mac = Mac([0x00, 0x50, 0x56, 0x80, 1, 1]);
const B: Mac = Mac([0x00, 0x50, 0x56, 0x80, 1, 2]);

/// What a machine of this MAC address, or of none, is called at so many minutes.
fn see(inventory: &mut Inventory, minutes: u64, address: &str, mac: Option<Mac>) -> String {
    let time = Timestamp::from_parts(1_800_000_000 + minutes * 60, 0);
    let id = inventory.resolve(&end(address, mac), time);
    id.and_then(|id| inventory.asset(id)).map_or_else(String::new, |asset| asset.name.to_string())
}

/// Fails when an address decides who a guest is: what it did before would count for another.
#[test]
fn two_guests_that_swap_addresses_stay_themselves() {
    let mut inventory = configured(&[]);
    for minute in 0..30 {
        assert_eq!(see(&mut inventory, minute, "10.1.0.1", Some(A)), "10.1.0.1");
        assert_eq!(see(&mut inventory, minute, "10.1.0.2", Some(B)), "10.1.0.2");
    }
    for minute in 30..60 {
        assert_eq!(see(&mut inventory, minute, "10.1.0.2", Some(A)), "10.1.0.1");
        assert_eq!(see(&mut inventory, minute, "10.1.0.1", Some(B)), "10.1.0.2");
    }
    assert_eq!(see(&mut inventory, 60, "10.1.0.1", None), "10.1.0.2", "the address is B's now");
    assert_eq!(see(&mut inventory, 60, "10.1.0.2", None), "10.1.0.1");
    assert_eq!(inventory.assets().count(), 2);
}

/// Fails when a guest that takes over addresses again and again is taken for a router.
#[test]
fn a_lease_that_moves_every_day_makes_no_router() {
    let mut inventory = configured(&[]);
    for day in 0..20 {
        let at = day * 1440;
        let (first, second) = if day % 2 == 0 { (A, B) } else { (B, A) };
        let names = |mac| if mac == A { "10.1.0.1" } else { "10.1.0.2" };
        for minute in at..at + 40 {
            assert_eq!(see(&mut inventory, minute, "10.1.0.1", Some(first)), names(first), "{day}");
            assert_eq!(see(&mut inventory, minute, "10.1.0.2", Some(second)), names(second));
        }
    }
}

/// Fails when who comes after a guest is taken for it.
#[test]
fn an_address_that_another_has_now_is_somebody_new() {
    let mut inventory = configured(&[]);
    assert_eq!(see(&mut inventory, 0, "10.1.0.1", Some(A)), "10.1.0.1");
    assert_eq!(see(&mut inventory, 0, "fd00::1", Some(A)), "10.1.0.1");
    let new = "10.1.0.1@00:50:56:80:01:02";
    assert_eq!(see(&mut inventory, 1440, "10.1.0.1", Some(B)), new);
    assert_eq!(see(&mut inventory, 1441, "10.1.0.1", Some(B)), new);
    assert_eq!(see(&mut inventory, 1441, "10.1.0.1", None), new);
    assert_eq!(see(&mut inventory, 1442, "10.1.0.9", Some(A)), "10.1.0.1", "it moved");
    assert_eq!(see(&mut inventory, 1443, "fd00::1", None), "10.1.0.1");
}

/// The same within minutes, as when a machine is replaced by its copy.
#[test]
fn a_successor_within_minutes_is_told_apart_once_the_one_before_is_quiet() {
    let mut inventory = configured(&[]);
    see(&mut inventory, 0, "10.1.0.1", Some(A));
    for minute in 1..10 {
        assert_eq!(see(&mut inventory, minute, "10.1.0.1", Some(B)), "10.1.0.1", "who knows");
    }
    let new = "10.1.0.1@00:50:56:80:01:02";
    assert_eq!(see(&mut inventory, 12, "10.1.0.1", Some(B)), new);
    assert_eq!(see(&mut inventory, 13, "10.1.0.1", Some(B)), new);
}

/// Fails when a router whose packets are seen beside those of the guests itself is somebody.
#[test]
fn who_forwards_for_guests_that_speak_themselves_is_none_of_them() {
    let mut inventory = configured(&[]);
    for minute in 0..120 {
        for (address, own) in [("10.1.0.1", A), ("10.1.0.2", B)] {
            assert_eq!(see(&mut inventory, minute, address, Some(own)), address);
            assert_eq!(see(&mut inventory, minute, address, Some(ROUTER)), address, "{minute}");
        }
    }
    assert_eq!(inventory.assets().count(), 2);
}

/// Fails when a restart forgets who had which address, or gives what was learned to its successor.
#[test]
fn names_stay_with_mac_addresses_over_runs() {
    let mut inventory = configured(&[("db", "10.9.0.1/32")]);
    see(&mut inventory, 0, "10.1.0.1", Some(A));
    see(&mut inventory, 0, "10.9.0.1", Some(GUEST));
    let macs: Vec<(String, String)> = inventory
        .macs()
        .into_iter()
        .map(|(id, mac)| (inventory.asset(id).unwrap().name.to_string(), mac.to_string()))
        .collect();
    let own = |name: &str, mac: Mac| (name.to_owned(), mac.to_string());
    assert_eq!(macs, [own("db", GUEST), own("10.1.0.1", A)]);

    let mut baseline = Baseline::default();
    for (name, mac) in macs {
        let learned = AssetBaseline { macs: vec![mac], ..AssetBaseline::default() };
        baseline.assets.insert(name, learned);
    }
    let mut later = configured(&[]);
    later.remember(&baseline);
    let new = "10.1.0.1@00:50:56:80:01:02";
    assert_eq!(see(&mut later, 0, "10.1.0.1", Some(B)), new, "before the first is seen again");
    assert_eq!(see(&mut later, 0, "10.1.0.7", Some(A)), "10.1.0.1");
    assert_eq!(see(&mut later, 0, "10.1.0.8", Some(GUEST)), "db", "no longer in the config");
}
