use super::super::tests::{World, time};
use super::*;
use crate::decode::Vlans;

const GATEWAY: &str = "10.1.0.254";
const HOUR: u64 = 3600;

fn mac(last: u8) -> Mac {
    // VMware's: an asset as soon as it is seen to speak.
    Mac([0x00, 0x50, 0x56, 0, 0, last])
}

fn arp(address: &str, mac: Mac) -> (Ipv4Addr, Mac, Binding) {
    let binding = Binding::Arp { from: mac, is_reply: true, is_announcement: true };
    (address.parse().unwrap(), mac, binding)
}

fn lease(server: &str, router: &str, client: Mac) -> (Ipv4Addr, Mac, Binding) {
    let server: Ipv4Addr = server.parse().unwrap();
    let routers = [router.parse().unwrap()].into_iter().collect();
    let binding = Binding::Dhcp {
        server,
        from: server.into(),
        is_granted: true,
        routers,
        resolvers: Addresses::new(),
    };
    (Ipv4Addr::new(10, 1, 0, 50), client, binding)
}

/// What is told of these, each so many seconds after the start.
fn told(said: &[(u64, (Ipv4Addr, Mac, Binding))]) -> Vec<(String, Severity)> {
    let mut world = World::new();
    // The asset at 10.1.5.5 is known.
    world.tcp(1, ["10.1.5.5", "10.1.9.9"], 443, [100, 100]);
    for (at, (address, mac, binding)) in said {
        world.neighbour(&Neighbour {
            time: time(10 + at),
            vlans: Vlans::new(),
            interface: None,
            address: *address,
            mac: *mac,
            binding: binding.clone(),
        });
    }
    world.short().into_iter().map(|(name, severity, _)| (name, severity)).collect()
}

#[test]
fn an_address_that_two_claim_in_turns_is_a_conflict() {
    let router = Mac([0x00, 0x1b, 0x21, 0, 0, 9]);
    let turns: Vec<_> = (0..12)
        .map(|turn| {
            let who = if turn % 2 == 0 { router } else { World::mac("10.1.5.5") };
            (turn * 20, arp(GATEWAY, who))
        })
        .collect();
    let found = told(&turns);
    assert_eq!(found, [("address_conflict".to_owned(), Severity::Medium)]);
    assert_eq!(told(&turns[..3]), [], "two changes are none yet");
}

#[test]
fn an_address_that_moves_once_is_only_worth_knowing() {
    let (before, after) = (arp("10.1.5.5", mac(7)), arp("10.1.5.5", mac(8)));
    let moved = [(0, before.clone()), (2 * HOUR, after.clone()), (3 * HOUR, after.clone())];
    assert_eq!(told(&moved), [("address_moved".to_owned(), Severity::Informational)]);
    assert_eq!(told(&[(0, before), (60, after)]), [], "nobody had it for long");
}

#[test]
fn a_host_that_claims_its_own_address_again_is_nothing() {
    let again: Vec<_> = (0..50).map(|turn| (turn * HOUR, arp("10.1.5.5", mac(7)))).collect();
    assert_eq!(told(&again), []);
}

#[test]
fn a_second_dhcp_server_is_told_of_and_worse_when_it_names_another_router() {
    let client = World::mac("10.1.5.5");
    let own = (0, lease("10.1.0.2", GATEWAY, client));
    let alike = [own.clone(), (2 * HOUR, lease("10.1.0.3", GATEWAY, client))];
    assert_eq!(told(&alike), [("dhcp_server".to_owned(), Severity::Low)]);
    let other = [own.clone(), (2 * HOUR, lease("10.1.5.66", "10.1.5.66", client))];
    assert_eq!(told(&other), [("dhcp_server".to_owned(), Severity::Medium)]);
    let pair = [own, (60, lease("10.1.0.3", GATEWAY, client))];
    assert_eq!(told(&pair), [], "a pair that was there from the start");
}

#[test]
fn a_server_that_is_an_asset_and_gives_to_a_stranger_is_only_worth_knowing() {
    let stranger = Mac([0xb8, 0x27, 0xeb, 1, 2, 3]);
    let given = lease("10.1.5.5", GATEWAY, stranger);
    let found = told(&[(0, given.clone()), (HOUR, given)]);
    assert_eq!(found, [("dhcp_client".to_owned(), Severity::Informational)]);
    assert_eq!(told(&[(0, lease("10.1.5.5", GATEWAY, World::mac("10.1.5.5")))]), []);
}
