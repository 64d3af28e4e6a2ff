use super::*;
use crate::config;

mod moves;

const GUEST: Mac = Mac([0x00, 0x50, 0x56, 0x80, 0, 1]);
const ROUTER: Mac = Mac([0x00, 0x50, 0x56, 0x80, 0, 0xfe]);
const METAL: Mac = Mac([0x3c, 0xfd, 0xfe, 0, 0, 1]);

fn end(address: &str, mac: Option<Mac>) -> Endpoint {
    Endpoint { address: address.parse().unwrap(), port: 1, mac }
}

fn at(day: u64) -> Timestamp {
    Timestamp::from_parts(1_800_000_000 + day * 86_400, 0)
}

fn name(inventory: &mut Inventory, address: &str, mac: Option<Mac>) -> Option<String> {
    let id = inventory.resolve(&end(address, mac), at(0))?;
    Some(inventory.asset(id)?.name.to_string())
}

fn configured(assets: &[(&str, &str)]) -> Inventory {
    let mut config = Config::default();
    for (name, address) in assets {
        config.assets.push(config::Asset {
            name: (*name).into(),
            role: Role::Esxi,
            addresses: vec![address.parse().unwrap()],
            macs: Vec::new(),
            host: None,
        });
    }
    Inventory::new(&config)
}

#[test]
fn a_vmware_mac_on_an_internal_address_is_a_guest_on_all_its_addresses() {
    let mut inventory = configured(&[]);
    assert_eq!(name(&mut inventory, "10.1.0.5", Some(GUEST)).as_deref(), Some("10.1.0.5"));
    assert_eq!(name(&mut inventory, "fd00::5", Some(GUEST)).as_deref(), Some("10.1.0.5"));
    assert_eq!(name(&mut inventory, "fd00::5", None).as_deref(), Some("10.1.0.5"));
    assert_eq!(name(&mut inventory, "10.1.0.6", Some(METAL)), None);
    assert_eq!(name(&mut inventory, "224.0.0.251", Some(GUEST)), None);
    assert_eq!(inventory.assets().count(), 1);
}

#[test]
fn a_router_is_told_by_what_is_behind_it_and_is_nobody() {
    let mut inventory = configured(&[("esxi-01", "10.0.0.11/32"), ("esxi-02", "10.0.0.12/32")]);
    assert_eq!(name(&mut inventory, "10.0.0.11", Some(ROUTER)).as_deref(), Some("esxi-01"));
    assert_eq!(name(&mut inventory, "10.0.0.12", Some(ROUTER)).as_deref(), Some("esxi-02"));
    assert_eq!(name(&mut inventory, "203.0.113.7", Some(ROUTER)), None);
    assert_eq!(name(&mut inventory, "10.9.9.9", Some(ROUTER)), None);
    assert_eq!(name(&mut inventory, "10.0.0.11", Some(ROUTER)).as_deref(), Some("esxi-01"));
}

#[test]
fn nine_addresses_make_a_router_but_daily_new_ipv6_addresses_do_not() {
    let mut inventory = configured(&[]);
    for host in 1..=8 {
        assert!(name(&mut inventory, &format!("10.1.0.{host}"), Some(ROUTER)).is_some());
    }
    assert_eq!(name(&mut inventory, "10.1.0.9", Some(ROUTER)), None);
    let first = inventory.resolve(&end("10.2.0.1", Some(GUEST)), at(0));
    for day in 0..30 {
        let address = format!("2001:db8::{:x}", 0x1000 + day);
        assert_eq!(inventory.resolve(&end(&address, Some(GUEST)), at(day)), first, "day {day}");
    }
}

#[test]
fn a_configured_asset_teaches_its_mac_so_that_its_other_addresses_are_its_own() {
    let mut inventory = configured(&[("esxi-01", "10.0.0.11/32"), ("lab", "10.7.0.0/16")]);
    assert_eq!(name(&mut inventory, "10.0.0.11", Some(METAL)).as_deref(), Some("esxi-01"));
    assert_eq!(name(&mut inventory, "2001:db8::11", Some(METAL)).as_deref(), Some("esxi-01"));
    assert_eq!(name(&mut inventory, "10.7.3.4", None).as_deref(), Some("lab"));
}

#[test]
fn the_longest_prefix_wins() {
    let mut inventory = configured(&[("wide", "10.0.0.0/8"), ("narrow", "10.1.0.0/16")]);
    assert_eq!(name(&mut inventory, "10.1.2.3", None).as_deref(), Some("narrow"));
    assert_eq!(name(&mut inventory, "10.2.2.3", None).as_deref(), Some("wide"));
}

#[test]
fn logs_name_assets_in_any_case_with_or_without_a_domain() {
    let named = |name: &str, host: Option<&str>| config::Asset {
        name: name.into(),
        role: Role::Guest,
        addresses: vec!["10.9.0.1/32".parse().unwrap()],
        macs: Vec::new(),
        host: host.map(str::to_owned),
    };
    let assets = vec![
        named("Web-01.corp.example", None),
        named("db-01", Some("esxi-09")),
        named("a.one.example", None),
        named("a.two.example", None),
    ];
    let config = Config { assets, ..Config::default() };
    let mut inventory = Inventory::new(&config);
    let name = |inventory: &Inventory, name: &str| {
        let id = inventory.called(name)?;
        inventory.asset(id).map(|asset| asset.name.to_string())
    };
    for (called, expected) in [
        ("web-01", Some("Web-01.corp.example")),
        ("WEB-01.CORP.EXAMPLE", Some("Web-01.corp.example")),
        ("DB-01.corp.example", Some("db-01")),
        ("a", None),
        ("a.two.example", Some("a.two.example")),
        ("web", None),
    ] {
        assert_eq!(name(&inventory, called).as_deref(), expected, "{called}");
    }
    let host = |inventory: &Inventory, name: &str| {
        inventory
            .called(name)
            .and_then(|id| inventory.asset(id)?.host.as_deref().map(str::to_owned))
    };
    inventory.placed("WEB-01", &"esxi-02".into());
    inventory.placed("db-01", &"esxi-02".into());
    assert_eq!(host(&inventory, "web-01").as_deref(), Some("esxi-02"));
    assert_eq!(host(&inventory, "db-01").as_deref(), Some("esxi-09"), "the config says so");
}
