use super::*;
use crate::decode::Mac;
use crate::event::Endpoint;
use crate::time::Timestamp;

const GUEST: Mac = Mac([0x00, 0x50, 0x56, 0x80, 0, 1]);
const OTHER: Mac = Mac([0x00, 0x50, 0x56, 0x80, 0, 2]);

/// Assets with their addresses and MAC addresses, if any.
fn config(assets: &[(&str, &str)]) -> Config {
    let assets = assets.iter().map(|(name, nets)| asset(name, nets)).collect();
    Config { assets, ..Config::default() }
}

fn asset(name: &str, nets: &str) -> config::Asset {
    config::Asset {
        name: name.into(),
        role: Role::Esxi,
        addresses: nets.split_whitespace().map(|net| net.parse().unwrap()).collect(),
        macs: Vec::new(),
        host: None,
    }
}

fn see(inventory: &mut Inventory, address: &str, mac: Option<Mac>) -> Option<AssetId> {
    let end = Endpoint { address: address.parse().unwrap(), port: 1, mac };
    inventory.resolve(&end, Timestamp::from_parts(1_800_000_000, 0))
}

fn names(inventory: &Inventory) -> Vec<String> {
    inventory.assets().map(|(_, asset)| asset.name.to_string()).collect()
}

#[test]
fn a_discovered_guest_that_is_named_stays_itself_on_all_its_addresses() {
    let mut inventory = Inventory::new(&config(&[]));
    let guest = see(&mut inventory, "10.1.0.5", Some(GUEST));
    assert_eq!(see(&mut inventory, "fd00::5", Some(GUEST)), guest);
    let changes = inventory.reconfigure(&config(&[("web-05", "10.1.0.5/32")]));
    assert_eq!(changes.renamed.len(), 1);
    for (address, mac) in [("10.1.0.5", None), ("fd00::5", None), ("10.1.0.77", Some(GUEST))] {
        assert_eq!(see(&mut inventory, address, mac), guest, "{address}");
    }
    let known = inventory.asset(guest.unwrap()).unwrap();
    assert_eq!((&*known.name, known.role, known.configured), ("web-05", Role::Esxi, true));
    assert!(known.first_seen.is_some());
    let mut by_mac = asset("web-005", "10.99.0.1/32");
    by_mac.macs.push(GUEST);
    inventory.reconfigure(&Config { assets: vec![by_mac], ..Config::default() });
    assert_eq!(see(&mut inventory, "10.99.0.1", None), guest);
    assert_eq!(names(&inventory), ["web-005"]);
}

#[test]
fn what_is_gone_is_nobody_and_has_its_id_again_when_it_is_back() {
    let named = config(&[("esxi-01", "10.0.0.11/32"), ("esxi-02", "10.0.0.12/32")]);
    let mut inventory = Inventory::new(&named);
    let (first, second) = (see(&mut inventory, "10.0.0.11", Some(GUEST)), AssetId(1));
    inventory.reconfigure(&config(&[("esxi-02", "10.0.0.12/32")]));
    assert_eq!(see(&mut inventory, "10.0.0.11", None), None);
    assert_eq!(see(&mut inventory, "10.0.0.12", None), Some(second));
    let guest = see(&mut inventory, "10.0.0.11", Some(GUEST));
    assert!(guest.is_some() && guest != first, "a guest by its MAC address");
    assert_eq!(names(&inventory), ["esxi-02", "10.0.0.11"]);
    inventory.reconfigure(&named);
    assert_eq!(see(&mut inventory, "10.0.0.11", Some(GUEST)), first);
    assert_eq!(names(&inventory), ["esxi-01", "esxi-02"]);
    inventory.reconfigure(&config(&[]));
    assert_eq!(see(&mut inventory, "10.0.0.11", Some(GUEST)), guest, "the same guest as before");
    assert_eq!(inventory.asset(guest.unwrap()).map(|guest| guest.role), Some(Role::Guest));
}

#[test]
fn an_address_that_is_given_to_another_takes_its_mac_along_and_a_router_stays_one() {
    let mut inventory = Inventory::new(&config(&[("esxi-01", "10.0.0.11/32")]));
    see(&mut inventory, "10.0.0.11", None);
    see(&mut inventory, "10.0.0.12", Some(GUEST));
    see(&mut inventory, "203.0.113.1", Some(OTHER));
    inventory.reconfigure(&config(&[("esxi-01", "10.0.0.11/32 10.0.0.12/32")]));
    assert_eq!(see(&mut inventory, "10.0.0.12", Some(GUEST)), Some(AssetId(0)));
    assert_eq!(see(&mut inventory, "fd00::12", Some(GUEST)), Some(AssetId(0)));
    assert_eq!(see(&mut inventory, "10.0.0.13", Some(OTHER)), None);
    assert_eq!(names(&inventory), ["esxi-01"]);
}

#[test]
fn names_that_swap_addresses_keep_their_ids_and_a_changed_name_keeps_its_own() {
    let mut inventory = Inventory::new(&config(&[
        ("a", "10.0.0.1/32"),
        ("b", "10.0.0.2/32"),
        ("c", "10.3.0.0/16"),
    ]));
    for address in ["10.0.0.1", "10.0.0.2", "10.3.1.1"] {
        see(&mut inventory, address, None);
    }
    inventory.reconfigure(&config(&[
        ("b", "10.0.0.1/32"),
        ("a", "10.0.0.2/32"),
        ("d", "10.3.0.0/16"),
    ]));
    assert_eq!(see(&mut inventory, "10.0.0.2", None), Some(AssetId(0)));
    assert_eq!(see(&mut inventory, "10.0.0.1", None), Some(AssetId(1)));
    assert_eq!(see(&mut inventory, "10.3.1.1", None), Some(AssetId(2)));
    assert_eq!(names(&inventory), ["a", "b", "d"]);
}

#[test]
fn what_is_inside_is_judged_anew() {
    let mut inventory = Inventory::new(&config(&[]));
    assert_eq!(see(&mut inventory, "198.51.100.1", Some(OTHER)), None);
    let guest = see(&mut inventory, "10.1.0.5", Some(GUEST));
    let mut wider = Config::default();
    wider.network.internal.push("198.51.100.0/24".parse().unwrap());
    inventory.reconfigure(&wider);
    assert!(see(&mut inventory, "198.51.100.1", Some(OTHER)).is_some(), "no router any more");
    assert_eq!(see(&mut inventory, "10.1.0.5", Some(GUEST)), guest);
    wider.network.internal = vec!["198.51.100.0/24".parse().unwrap()];
    inventory.reconfigure(&wider);
    assert_eq!(see(&mut inventory, "10.1.0.5", Some(GUEST)), None);
    assert_eq!(names(&inventory), ["198.51.100.1"]);
}

#[test]
fn ten_thousand_reloads_with_other_names_do_not_add_up() {
    let mut inventory = Inventory::new(&config(&[]));
    inventory.limit = 64;
    for reload in 0..10_000u32 {
        let [_, a, b, c] = reload.to_be_bytes();
        let (seen, unseen) = (format!("10.{a}.{b}.{c}/32"), format!("10.100.{b}.{c}/32"));
        let (name, other) = (format!("a{reload}"), format!("b{reload}"));
        let reused = inventory.reconfigure(&config(&[(&name, &seen), (&other, &unseen)])).reused;
        let id = see(&mut inventory, seen.trim_end_matches("/32"), None).unwrap();
        assert_eq!(&*inventory.asset(id).unwrap().name, name);
        assert!(inventory.len() <= 64 && reused.len() <= 2);
        assert_eq!(names(&inventory).len(), 2);
    }
    assert!(inventory.overwritten() > 9_000);
    inventory.reconfigure(&config(&[]));
    assert_eq!((inventory.by_address.len(), inventory.by_mac.len()), (0, 0));
}

/// Fails when the router that spoke last is still taken for one.
#[test]
fn who_forwarded_for_what_was_outside_is_itself_once_that_is_inside() {
    let mut inventory = Inventory::new(&config(&[]));
    for _ in 0..2 {
        assert_eq!(see(&mut inventory, "203.0.113.7", Some(GUEST)), None);
    }
    let mut wider = config(&[]);
    wider.network.internal.push("203.0.113.0/24".parse().unwrap());
    inventory.reconfigure(&wider);
    assert!(see(&mut inventory, "203.0.113.7", Some(GUEST)).is_some());
}
