use super::super::super::finding::Level;
use super::super::testing::assert_finding;
use super::*;
use crate::capture::interface::Link;

/// A mirror port that can have all.
fn able() -> Probe {
    Probe {
        xdp: Ok(()),
        tc: Ok(()),
        ethernet: true,
        native: Some(true),
        scattered: Some(true),
        program: None,
        tcx: Some(true),
        in_path: false,
    }
}

fn interface(fast_path: Probe) -> Interface {
    let facts = Facts { mtu: Some(1500), driver: Some("e1000e".to_owned()), ..Facts::default() };
    Interface {
        name: "eth1".to_owned(),
        link: Some(Link { index: 3, up: true, running: true }),
        facts,
        fast_path,
        others: Vec::new(),
    }
}

/// Fails unless `auto` comes to this way, which the finding names first.
#[track_caller]
fn assert_auto(interface: &Interface, expected: Backend, level: Level, words: &[&str]) {
    assert_eq!(way(interface, Backend::Auto), expected);
    let findings = judge(interface, Backend::Auto, false);
    assert_finding(&findings, "backend", level, words);
    assert!(findings[0].text.starts_with(&format!("{}: ", expected.name())), "{findings:?}");
}

#[test]
fn auto_is_xdp_on_a_mirror_port_and_tc_in_the_path() {
    let words = ["counted in the driver and end there"];
    assert_auto(&interface(able()), Backend::Xdp, Level::Ok, &words);
    let in_path = interface(Probe { in_path: true, ..able() });
    assert_auto(&in_path, Backend::Tc, Level::Ok, &["both directions", "go on"]);
    // A driver's XDP is no matter there.
    let fast_path = Probe { native: Some(false), program: Some(7), ..in_path.fast_path };
    assert_auto(&interface(fast_path), Backend::Tc, Level::Ok, &[]);
    // Before 6.3 the kernel does not tell what drivers can.
    let fast_path = Probe { native: None, scattered: None, ..able() };
    assert_auto(&interface(fast_path), Backend::Xdp, Level::Ok, &[]);
}

#[test]
fn what_is_missing_is_named_and_what_is_used_instead() {
    let refused = |why: &str| Err(why.to_owned());
    for (fast_path, words) in [
        (
            Probe { xdp: refused("it needs CAP_BPF: setcap"), ..able() },
            ["not xdp: it needs CAP_BPF", "a ring"],
        ),
        (
            Probe { xdp: refused("the kernel has no\nring"), ..able() },
            [r"the kernel has no\nring", "a ring"],
        ),
        (
            Probe { native: Some(false), ..able() },
            ["the driver e1000e runs no XDP programs", "xdp-generic"],
        ),
        (
            Probe { program: Some(17), ..able() },
            ["another program (id 17)", "bpftool prog show id 17"],
        ),
        (Probe { in_path: true, tcx: Some(false), ..able() }, ["no tcx", "Linux 6.6"]),
        (Probe { ethernet: false, ..able() }, ["reads Ethernet", "a ring"]),
        (
            Probe { in_path: true, tc: refused("no"), ..able() },
            ["afpacket: every frame", "not tc: no"],
        ),
    ] {
        assert_auto(&interface(fast_path), Backend::AfPacket, Level::Note, &words);
    }
}

#[test]
fn large_frames_need_a_driver_for_them() {
    let jumbo = |scattered| {
        let mut interface = interface(Probe { scattered, ..able() });
        interface.facts.mtu = Some(9000);
        interface
    };
    let words = ["MTU 9000", "sudo ip link set eth1 mtu 1500"];
    assert_auto(&jumbo(Some(false)), Backend::AfPacket, Level::Note, &words);
    assert_auto(&jumbo(Some(true)), Backend::Xdp, Level::Ok, &[]);
    assert_auto(&jumbo(None), Backend::Xdp, Level::Ok, &[]);
}

#[test]
fn what_was_asked_for_and_cannot_be_had_is_a_problem() {
    let unable = interface(Probe { native: Some(false), ..able() });
    let findings = judge(&unable, Backend::Xdp, false);
    let words = ["afpacket: ", "not xdp", "capture.backend = \"auto\""];
    assert_finding(&findings, "backend", Level::Problem, &words);
    for asked in [Backend::XdpGeneric, Backend::Tc, Backend::AfPacket, Backend::Pcap] {
        assert_eq!(way(&unable, asked), asked);
        let findings = judge(&unable, asked, false);
        assert_finding(&findings, "backend", Level::Ok, &[asked.name()]);
    }
}

#[test]
fn xdp_in_the_path_sees_one_side() {
    let in_path = interface(Probe { in_path: true, ..able() });
    let findings = judge(&in_path, Backend::Xdp, false);
    assert_finding(&findings, "backend", Level::Ok, &["go on"]);
    let words = ["only what arrives", "capture.backend = \"tc\""];
    assert_finding(&findings, "backend_sides", Level::Problem, &words);
    assert_eq!(judge(&in_path, Backend::Tc, false).len(), 1);
}

#[test]
fn a_running_egret_is_not_in_its_own_way() {
    let taken = interface(Probe { program: Some(17), ..able() });
    let findings = judge(&taken, Backend::Auto, true);
    assert_finding(&findings, "backend", Level::Ok, &["an Egret runs here"]);
}
