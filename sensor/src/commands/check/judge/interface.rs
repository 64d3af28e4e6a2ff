//! Whether an interface can be a sensor's eye: up, silent itself, and showing frames as they were
//! on the wire.

use super::super::facts::Interface;
use super::super::finding::Finding;
use super::{backend, counted, percent, some_of};
use crate::capture::interface::Facts;
use crate::config::Backend;
use crate::text::printable;

/// Something a card or driver does to frames that a sensor minds.
struct Offload {
    /// The kernel's name for it, and ethtool's for `-K`.
    feature: &'static str,
    switch: &'static str,
    check: &'static str,
    /// What it does, after its name.
    does: &'static str,
    weight: Weight,
    /// Both with XDP in the driver, where that differs.
    with_xdp: Option<(&'static str, Weight)>,
}

/// How much an offload costs a sensor.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Weight {
    /// What Egret says is wrong with it on.
    Wrong,
    /// Egret makes up for it, or it matters for some traffic only.
    Noted,
    /// It comes behind Egret.
    Behind,
}

const OFFLOADS: [Offload; 4] = [
    Offload {
        feature: "rx-gro",
        switch: "gro",
        check: "gro",
        does: "GRO is on: the kernel joins packets before Egret sees them, so packets and copies \
               are counted too low",
        weight: Weight::Wrong,
        with_xdp: Some(("GRO is on: it joins packets behind XDP", Weight::Behind)),
    },
    Offload {
        feature: "rx-lro",
        switch: "lro",
        check: "lro",
        does: "LRO is on: the driver joins packets and discards headers, so lengths and counts are \
               not those on the wire",
        weight: Weight::Wrong,
        with_xdp: None,
    },
    Offload {
        feature: "rx-gro-hw",
        switch: "rx-gro-hw",
        check: "gro_hw",
        does: "hardware GRO is on: the card joins packets before Egret sees them, so packets and \
               copies are counted too low",
        weight: Weight::Wrong,
        with_xdp: None,
    },
    Offload {
        feature: "rx-vlan-hw-parse",
        switch: "rxvlan",
        check: "vlan_stripping",
        does: "VLAN stripping is on: the card takes tags out of frames; the ring gets them back from \
               the kernel, other programs may not",
        weight: Weight::Noted,
        with_xdp: Some((
            "VLAN stripping is on: the card takes tags out of frames before XDP sees them; where \
             frames are tagged, VLANs are not told and each frame counts 4 bytes short",
            Weight::Noted,
        )),
    },
];

/// Fewer lost frames than this, of all, are what a busy second may cost.
const FEW_LOST: f64 = 0.000_01;

/// Judges one interface that is to be captured from by the way `asked`. `is_running`: an Egret runs on
/// this machine.
pub(in super::super) fn judge(
    interface: &Interface,
    asked: Backend,
    is_running: bool,
) -> Vec<Finding> {
    let name = printable(&interface.name).to_string();
    let Some(link) = interface.link else {
        let others: Vec<_> = interface.others.iter().filter(|other| *other != "lo").collect();
        let (known, fix) = match others.as_slice() {
            [] => ("there is no other".to_owned(), "add a network card".to_owned()),
            [first, ..] => (
                format!("there are {}", some_of(&others, 8)),
                format!("capture.interface = [\"{}\"], or -i", printable(first)),
            ),
        };
        let text = format!("no such interface; {known}");
        return vec![Finding::problem(&name, "interface", text, fix)];
    };
    let facts = &interface.facts;
    let mut findings = vec![match (link.up, link.running) {
        (false, _) => Finding::problem(
            &name,
            "interface",
            "the interface is down",
            format_args!("sudo ip link set {name} up"),
        ),
        (true, false) => Finding::problem(
            &name,
            "interface",
            "up, without a carrier: nothing is connected",
            "check the cable and the switch port; in a VM: network adapter > Connected",
        ),
        (true, true) => Finding::ok(&name, "interface", state(facts)),
    }];
    findings.push(addresses(&name, facts));
    findings.extend(backend::judge(interface, asked, is_running));
    let way = backend::way(interface, asked);
    findings.extend(OFFLOADS.iter().filter_map(|offload| offload.judge(&name, facts, way)));
    findings.extend(ring(&name, facts));
    findings.extend(channels(&name, facts));
    findings.extend(lost(&name, facts));
    findings
}

fn state(facts: &Facts) -> String {
    let mut parts = vec!["up".to_owned()];
    parts.extend(facts.speed.filter(|speed| *speed > 0).map(|speed| format!("{speed} Mbit/s")));
    parts.extend(facts.mtu.map(|mtu| format!("MTU {mtu}")));
    parts.extend(facts.driver.as_ref().map(|driver| format!("driver {}", printable(driver))));
    parts.join(", ")
}

fn addresses(name: &str, facts: &Facts) -> Finding {
    let shown: Vec<_> = facts.addresses.iter().map(ToString::to_string).collect();
    if shown.is_empty() {
        return Finding::ok(name, "address", "no address, as a mirror port should be");
    }
    let text = format!(
        "has {}: a mirror port needs none, and answers to what it only should hear",
        some_of(&shown, 3)
    );
    let fix = format!(
        "sudo ip addr flush dev {name} && sudo sysctl net.ipv6.conf.{name}.disable_ipv6=1   (unless \
         this is no mirror port)"
    );
    Finding::note(name, "address", text).fixed_by(fix)
}

impl Offload {
    fn judge(&self, name: &str, facts: &Facts, way: Backend) -> Option<Finding> {
        let feature = facts.features.iter().find(|known| known.name == self.feature)?;
        if !feature.active {
            return Some(Finding::ok(name, self.check, format_args!("{} is off", self.switch)));
        }
        let fix = format!("sudo ethtool -K {name} {} off", self.switch);
        let with_xdp = self.with_xdp.filter(|_| way == Backend::Xdp);
        let (does, weight) = with_xdp.unwrap_or((self.does, self.weight));
        Some(match (weight, feature.changeable) {
            (Weight::Behind, _) => Finding::ok(name, self.check, does),
            (Weight::Wrong, true) => Finding::problem(name, self.check, does, fix),
            (Weight::Noted, true) => Finding::note(name, self.check, does).fixed_by(fix),
            (_, false) => {
                let text = format!("{does}; this driver cannot switch it off");
                Finding::note(name, self.check, text)
            }
        })
    }
}

fn ring(name: &str, facts: &Facts) -> Option<Finding> {
    let sizes = facts.ring?;
    let text = format!("the card holds {} of at most {} frames", sizes.rx, sizes.rx_max);
    Some(if sizes.rx < sizes.rx_max {
        let text = format!("{text} that wait for the driver: bursts may be lost");
        let fix = format!("sudo ethtool -G {name} rx {}", sizes.rx_max);
        Finding::note(name, "ring", text).fixed_by(fix)
    } else {
        Finding::ok(name, "ring", text)
    })
}

fn channels(name: &str, facts: &Facts) -> Option<Finding> {
    let queues = facts.channels?.receiving;
    if queues <= 1 {
        return Some(Finding::ok(name, "queues", "one receive queue: frames stay in order"));
    }
    let text = format!(
        "{queues} receive queues: both directions of a conversation meet the same worker all the \
         same, but may change places on the way, which costs exact times and recognised copies"
    );
    let fix = format!("sudo ethtool -L {name} combined 1   (while one queue is fast enough)");
    Some(Finding::note(name, "queues", text).fixed_by(fix))
}

fn lost(name: &str, facts: &Facts) -> Option<Finding> {
    let counters = facts.counters;
    let packets = counters.packets?;
    // What overran the card's queue some drivers count as missed, some as both.
    let missed = counters.missed.unwrap_or(0).max(counters.fifo_errors.unwrap_or(0));
    let errors = counters.errors.unwrap_or(0);
    let dropped = counters.dropped.unwrap_or(0);
    let all = packets.saturating_add(missed);
    if missed as f64 > all as f64 * FEW_LOST {
        let text = format!(
            "the card has lost {} since it came up, {}: it had no room",
            counted(missed, "frame"),
            percent(missed, all)
        );
        let fix = match facts.ring.filter(|sizes| sizes.rx < sizes.rx_max) {
            Some(sizes) => format!("sudo ethtool -G {name} rx {}", sizes.rx_max),
            None => {
                format!("mirror less to this port, or spread it over queues: ethtool -L {name}")
            }
        };
        return Some(Finding::problem(name, "lost", text, fix));
    }
    if errors as f64 > all as f64 * FEW_LOST {
        let text = format!(
            "{} of {} arrived damaged: cable, transceiver, or frames larger than the MTU",
            counted(errors, "frame"),
            counted(packets, "frame")
        );
        let fix = format!("ethtool -S {name} shows which; sudo ip link set {name} mtu 9000");
        return Some(Finding::note(name, "lost", text).fixed_by(fix));
    }
    let text =
        format!("{} received, {missed} missed, {dropped} dropped", counted(packets, "frame"));
    Some(Finding::ok(name, "lost", text))
}

#[cfg(test)]
mod tests {
    use super::super::super::finding::Level;
    use super::super::testing::assert_finding;
    use super::*;
    use crate::capture::interface::{Channels, Counters, Feature, Link, RingSizes};
    use crate::capture::xdp::Probe;

    fn interface(facts: Facts) -> Interface {
        Interface {
            name: "eth1".to_owned(),
            link: Some(Link { index: 3, up: true, running: true }),
            facts,
            fast_path: Probe {
                xdp: Err("no".to_owned()),
                tc: Err("no".to_owned()),
                ethernet: true,
                native: None,
                scattered: None,
                program: None,
                tcx: None,
                in_path: false,
            },
            others: vec!["lo".to_owned(), "eth0".to_owned()],
        }
    }

    fn judge(interface: &Interface) -> Vec<Finding> {
        super::judge(interface, Backend::Auto, false)
    }

    fn counted(packets: u64, missed: u64, errors: u64) -> Facts {
        let counters = Counters {
            packets: Some(packets),
            missed: Some(missed),
            errors: Some(errors),
            ..Counters::default()
        };
        Facts { counters, ..Facts::default() }
    }

    #[test]
    fn an_interface_that_is_not_there_names_those_that_are() {
        let missing = judge(&Interface { link: None, ..interface(Facts::default()) });
        let words = ["no such interface; there are eth0", "capture.interface = [\"eth0\"]"];
        assert_finding(&missing, "interface", Level::Problem, &words);
        let others = vec!["lo".to_owned()];
        let alone = judge(&Interface { link: None, others, ..interface(Facts::default()) });
        assert_finding(&alone, "interface", Level::Problem, &["no other"]);
    }

    #[test]
    fn down_and_unplugged_are_told_apart() {
        for (up, running, words) in [
            (false, false, ["is down", "sudo ip link set eth1 up"]),
            (true, false, ["without a carrier", "cable"]),
        ] {
            let link = Some(Link { index: 3, up, running });
            let findings = judge(&Interface { link, ..interface(Facts::default()) });
            assert_finding(&findings, "interface", Level::Problem, &words);
        }
        let facts = Facts { mtu: Some(1500), speed: Some(10_000), ..Facts::default() };
        let findings = judge(&interface(facts));
        assert_finding(&findings, "interface", Level::Ok, &["up, 10000 Mbit/s, MTU 1500"]);
        assert_finding(&findings, "address", Level::Ok, &["no address"]);
    }

    #[test]
    fn an_address_on_a_mirror_port_is_noted() {
        let addresses = vec!["10.0.0.9".parse().unwrap()];
        let findings = judge(&interface(Facts { addresses, ..Facts::default() }));
        let words = ["10.0.0.9", "sudo ip addr flush dev eth1", "disable_ipv6=1"];
        assert_finding(&findings, "address", Level::Note, &words);
    }

    #[test]
    fn each_offload_says_what_it_does_and_how_to_end_it() {
        let with = |name: &str, active, changeable| {
            let features = vec![Feature { name: name.to_owned(), active, changeable }];
            judge(&interface(Facts { features, ..Facts::default() }))
        };
        for (feature, check, level, words) in [
            ("rx-gro", "gro", Level::Problem, ["joins packets", "sudo ethtool -K eth1 gro off"]),
            ("rx-lro", "lro", Level::Problem, ["discards headers", "sudo ethtool -K eth1 lro off"]),
            ("rx-gro-hw", "gro_hw", Level::Problem, ["the card joins", "eth1 rx-gro-hw off"]),
            ("rx-vlan-hw-parse", "vlan_stripping", Level::Note, ["tags", "eth1 rxvlan off"]),
        ] {
            assert_finding(&with(feature, true, true), check, level, &words);
            let fixed = with(feature, true, false);
            assert_finding(&fixed, check, Level::Note, &["cannot switch it off"]);
            assert_finding(&with(feature, false, true), check, Level::Ok, &["is off"]);
        }
    }

    #[test]
    fn xdp_comes_before_gro_and_behind_vlan_stripping() {
        let on = |name: &str| Feature { name: name.to_owned(), active: true, changeable: true };
        let features = vec![on("rx-gro"), on("rx-vlan-hw-parse")];
        let mut interface = interface(Facts { features, ..Facts::default() });
        assert_finding(&judge(&interface), "gro", Level::Problem, &[]);
        interface.fast_path.xdp = Ok(());
        assert_finding(&judge(&interface), "gro", Level::Ok, &["behind XDP"]);
        let words = ["4 bytes short", "sudo ethtool -K eth1 rxvlan off"];
        assert_finding(&judge(&interface), "vlan_stripping", Level::Note, &words);
        let findings = super::judge(&interface, Backend::AfPacket, false);
        assert_finding(&findings, "gro", Level::Problem, &[]);
    }

    #[test]
    fn a_small_ring_and_several_queues_are_noted() {
        let ring = Some(RingSizes { rx: 256, rx_max: 4096 });
        let channels = Some(Channels { receiving: 4, receiving_max: 8 });
        let findings = judge(&interface(Facts { ring, channels, ..Facts::default() }));
        let words = ["256 of at most 4096", "sudo ethtool -G eth1 rx 4096"];
        assert_finding(&findings, "ring", Level::Note, &words);
        let words = ["4 receive queues", "sudo ethtool -L eth1 combined 1"];
        assert_finding(&findings, "queues", Level::Note, &words);

        let ring = Some(RingSizes { rx: 4096, rx_max: 4096 });
        let channels = Some(Channels { receiving: 1, receiving_max: 8 });
        let findings = judge(&interface(Facts { ring, channels, ..Facts::default() }));
        assert_finding(&findings, "ring", Level::Ok, &["4096 of at most 4096"]);
        assert_finding(&findings, "queues", Level::Ok, &["one receive queue"]);
    }

    #[test]
    fn losses_of_the_card_are_a_problem_and_damage_is_noted() {
        let findings = judge(&interface(counted(990_000, 10_000, 0)));
        let words = ["10,000 frames", "1.0 %", "mirror less"];
        assert_finding(&findings, "lost", Level::Problem, &words);
        let ring = Some(RingSizes { rx: 256, rx_max: 4096 });
        let findings = judge(&interface(Facts { ring, ..counted(990_000, 10_000, 0) }));
        assert_finding(&findings, "lost", Level::Problem, &["sudo ethtool -G eth1 rx 4096"]);
        let findings = judge(&interface(counted(1_000, 0, 7)));
        assert_finding(&findings, "lost", Level::Note, &["7 frames of 1,000 frames", "ethtool -S"]);
        let findings = judge(&interface(counted(1_000, 0, 0)));
        assert_finding(&findings, "lost", Level::Ok, &["1,000 frames received, 0 missed"]);
    }
}
