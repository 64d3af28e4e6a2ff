//! Which way of capture an interface gets, and what people are told when it is not the best one.

use std::time::{Duration, Instant};

use aya::programs::{Xdp, XdpMode};
use aya::{Ebpf, EbpfLoader};
use caps::{CapSet, Capability};
use egret::capture::live::{Backend, Opened, Settings, open};
use egret::capture::xdp::{Probe, probe};
use egret::capture::{Counts, Kernel, Scan, Source, interface};

use crate::world::{Sender, datagram, drain, in_namespace, ip, path, up, wire};

/// The kernel programs as they are built in.
const OBJECT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/capture/xdp/egret.bpf.o");

fn asked(backend: Option<Backend>) -> Settings {
    Settings { backend, snaplen: 65_535, workers: 1, slots: None }
}

fn by(interface: &str, backend: impl Into<Option<Backend>>) -> Opened {
    open(interface, &asked(backend.into())).unwrap()
}

/// Frames that came to what was opened until `enough` did, read or only counted.
fn seen(opened: &mut Opened, enough: u64) -> u64 {
    let start = Instant::now();
    let mut seen = 0;
    while seen < enough && start.elapsed() < Duration::from_secs(5) {
        for source in &mut opened.sources {
            drain(source, Duration::from_millis(50), |_| seen += 1);
            let mut counts = Counts::new();
            source.scan(Scan::All);
            source.counted(&mut counts);
            while !counts.is_empty() {
                seen += counts.iter().map(|counted| counted.packets).sum::<u64>();
                source.counted(&mut counts);
            }
        }
    }
    seen
}

/// The kernel's own counters of a source.
fn kernel(opened: &Opened) -> Kernel {
    opened.sources[0].stats().kernel.expect("it counts in the kernel")
}

fn send(number: u16) {
    let sender = Sender::new("t0");
    (0..number).for_each(|n| sender.send(&datagram(&path(n), 60)));
}

/// A program of somebody else's on an interface, until it is dropped.
fn foreign(interface: &str, mode: XdpMode) -> Ebpf {
    let mut object = EbpfLoader::new().load_file(OBJECT).unwrap();
    let program: &mut Xdp = object.program_mut("egret_xdp").unwrap().try_into().unwrap();
    program.load().unwrap();
    program.attach(interface, mode).unwrap();
    object
}

/// The XDP program of an interface, by ip(8).
fn attached(interface: &str) -> String {
    let output = std::process::Command::new("ip").args(["link", "show", interface]).output();
    let shown = String::from_utf8(output.unwrap().stdout).unwrap();
    shown.lines().filter(|line| line.contains("prog/xdp")).collect()
}

/// Fails when a mirror port is read frame by frame although its driver has XDP; when frames for this
/// host end, or those for others go on; or when the program stays behind.
#[test]
fn a_mirror_port_gets_xdp_and_keeps_nothing_of_it() {
    in_namespace(|| {
        let mut opened = by("t1", None);
        assert_eq!(opened.backend, Backend::Xdp, "{}", opened.why);
        assert!(opened.why.contains("the fastest way at a mirror port"), "{}", opened.why);
        assert!(attached("t1").contains("prog/xdp"));
        let before = interface::Counters::of("t1");
        send(50);
        assert_eq!(seen(&mut opened, 50), 50);
        assert_eq!(kernel(&opened).totals.packets, 50);
        let unwanted = |counters: interface::Counters| counters.nohandler;
        assert_eq!(unwanted(interface::Counters::of("t1")), unwanted(before), "none went on");
        opened.sources[0].halt();
        assert_eq!(attached("t1"), "", "halted");
        send(5);
        assert_eq!(seen(&mut opened, 1), 0, "halted");
        drop(opened);
        let opened = by("t1", Backend::Xdp);
        assert!(opened.why.contains("as asked"), "{}", opened.why);
        drop(opened);
        assert_eq!(attached("t1"), "", "dropped");
    });
}

/// Fails when what others live on ends in Egret: an address, a bridge, a bond or a VLAN on top is
/// enough to let everything pass.
#[test]
fn frames_end_only_where_nobody_else_can_want_them() {
    in_namespace(|| {
        assert!(!interface::is_in_path("t1"));
        ip("address add 192.0.2.2/24 dev t1");
        assert!(interface::is_in_path("t1"), "an address");
        let opened = by("t1", None);
        assert_eq!(opened.backend, Backend::Tc, "{}", opened.why);
        assert_eq!(attached("t1"), "");
        drop(opened);
        let opened = by("t1", Backend::Xdp);
        assert!(opened.why.contains("which go on as this host is in their path"), "{}", opened.why);
        drop(opened);
        ip("address del 192.0.2.2/24 dev t1");
        assert!(!interface::is_in_path("t1"));
        ip("link add v0 link t1 type macvlan");
        assert!(interface::is_in_path("t1"), "an interface on top");
        ip("link delete v0");
        ip("link add br0 type bridge");
        ip("link set t1 master br0");
        assert!(interface::is_in_path("t1") && interface::is_in_path("br0"), "a bridge");
        ip("link set t1 nomaster");
        assert!(!interface::is_in_path("t1"));
    });
}

/// Fails when one direction is not counted on a host, or frames do not reach it.
#[test]
fn a_host_counts_both_directions_by_tc_and_loopback_each_frame_once() {
    in_namespace(|| {
        ip("address add 192.0.2.2/24 dev t1");
        let mut opened = by("t1", Backend::Tc);
        assert_eq!(opened.backend, Backend::Tc, "{}", opened.why);
        let mut ring = by("t1", Backend::Ring);
        send(10);
        Sender::new("t1").send(&datagram(&path(1).back(), 60));
        assert_eq!(seen(&mut opened, 11), 11);
        assert_eq!(seen(&mut ring, 11), 11, "others see them too");
        ip("link set lo up");
        let mut opened = by("lo", None);
        assert_eq!(opened.backend, Backend::Tc, "{}", opened.why);
        Sender::new("lo").send(&datagram(&path(1), 60));
        assert_eq!(seen(&mut opened, 1), 1);
    });
}

/// Fails when an interface without XDP in its driver ends capture, is read by generic XDP unasked, or
/// nobody is told why it is slower.
#[test]
fn without_xdp_in_the_driver_the_ring_is_next() {
    in_namespace(|| {
        let made = [
            ("b0", "type bridge", "the driver bridge has none"),
            ("v0", "link t1 type macvlan", "the driver macvlan has none"),
            ("x0", "type vxlan id 7 dstport 4789 dev t1", "the driver vxlan has none"),
            ("i0", "type ifb", "the driver ifb has none"),
        ];
        for (name, kind, reason) in made {
            ip(&format!("link add {name} {kind}"));
            ip(&format!("link set {name} up"));
            let opened = by(name, Backend::Xdp);
            assert_eq!(opened.backend, Backend::Ring, "{}", opened.why);
            let reason = format!("because XDP in the driver was refused: {reason}");
            assert!(opened.why.contains(&reason), "{}", opened.why);
            assert_eq!(attached(name), "");
            assert_ne!(probe(name).native, Some(true), "{name}");
        }
        let opened = by("b0", Backend::XdpGeneric);
        assert_eq!(opened.backend, Backend::XdpGeneric, "{}", opened.why);
        assert!(opened.why.contains("as asked"), "{}", opened.why);
    });
}

/// Fails when another's program is replaced, in whichever mode it is, or its owner is not named.
#[test]
fn another_program_is_left_alone() {
    in_namespace(|| {
        for mode in [XdpMode::Driver, XdpMode::Skb] {
            let other = foreign("t1", mode);
            let before = attached("t1");
            let id = probe("t1").program.expect("it is there");
            assert!(before.contains(&format!("id {id} ")), "{before}: {id}");
            let opened = by("t1", None);
            assert_eq!(opened.backend, Backend::Ring, "{}", opened.why);
            let said = format!("another XDP program (id {id}, egret_xdp) is there");
            assert!(opened.why.contains(&said), "{}", opened.why);
            drop(opened);
            assert_eq!(attached("t1"), before);
            drop(other);
            assert_eq!(probe("t1").program, None);
        }
    });
}

/// Fails when a second sensor, or the same one by mistake, gets in the way of the first.
#[test]
fn two_openings_of_one_interface_do_not_disturb_each_other() {
    in_namespace(|| {
        let mut first = by("t1", None);
        let second = by("t1", None);
        assert_eq!((first.backend, second.backend), (Backend::Xdp, Backend::Ring));
        assert!(second.why.contains("another XDP program"), "{}", second.why);
        drop(second);
        send(10);
        assert_eq!(seen(&mut first, 10), 10);
        drop(first);
        assert_eq!(by("t1", None).backend, Backend::Xdp);
        // At tc several programs find room, and each sees everything.
        ip("address add 192.0.2.2/24 dev t1");
        let mut both = [by("t1", None), by("t1", None)];
        send(10);
        for opened in &mut both {
            assert_eq!(opened.backend, Backend::Tc, "{}", opened.why);
            assert_eq!(seen(opened, 10), 10);
        }
    });
}

/// Fails when Egret stops because it lacks a capability that only the fast path needs, or does not
/// say which one.
#[test]
fn without_a_capability_the_ring_is_next_and_the_reason_names_it() {
    // What the kernel has is found out once in a process, which takes all capabilities.
    let _ = aya::features();
    for capability in [Capability::CAP_BPF, Capability::CAP_PERFMON, Capability::CAP_NET_ADMIN] {
        in_namespace(move || {
            // It stands for the first two.
            for capability in [capability, Capability::CAP_SYS_ADMIN] {
                caps::drop(None, CapSet::Effective, capability).unwrap();
            }
            let opened = by("t1", None);
            assert_eq!(opened.backend, Backend::Ring, "{capability}: {}", opened.why);
            assert!(opened.why.contains(&format!("it needs {capability}:")), "{}", opened.why);
            let Probe { xdp, .. } = probe("t1");
            assert!(xdp.unwrap_err().contains(&capability.to_string()));
        });
    }
}

/// Fails when anything is pinned: /sys/fs/bpf is not mounted everywhere, and not in this namespace.
#[test]
fn no_bpf_file_system_is_needed() {
    in_namespace(|| {
        assert_eq!(std::fs::read_dir("/sys/fs/bpf").unwrap().count(), 0);
        let mut opened = by("t1", None);
        assert_eq!(opened.backend, Backend::Xdp, "{}", opened.why);
        send(3);
        assert_eq!(seen(&mut opened, 3), 3);
    });
}

/// Fails when counting ends with a link that goes down for a moment, or gets another name.
#[test]
fn counting_goes_on_after_down_and_up_and_a_new_name() {
    in_namespace(|| {
        let mut opened = by("t1", None);
        send(10);
        assert_eq!(seen(&mut opened, 10), 10);
        ip("link set t1 down");
        assert!(!opened.sources[0].is_gone());
        ip("link set t1 name mirror9");
        up("mirror9");
        send(10);
        assert_eq!(seen(&mut opened, 10), 10);
        ip("link delete mirror9");
        assert!(opened.sources[0].is_gone());
        wire("t0", "t1");
        let opened_again = by("t1", None);
        assert_eq!(opened_again.backend, Backend::Xdp, "{}", opened_again.why);
    });
}

/// Fails when a mirror port that becomes a host's keeps its frames from it.
#[test]
fn frames_go_on_from_when_it_is_said() {
    in_namespace(|| {
        let mut opened = by("t1", None);
        let mut ring = by("t1", Backend::Ring);
        send(10);
        assert_eq!((seen(&mut opened, 10), seen(&mut ring, 1)), (10, 0));
        opened.sources[0].pass();
        send(10);
        assert_eq!((seen(&mut opened, 10), seen(&mut ring, 10)), (10, 10));
    });
}

/// Fails when more workers than rings get a source that nothing comes to, or none.
#[test]
fn the_first_eight_workers_share_the_interface() {
    in_namespace(|| {
        let settings = Settings { workers: 11, ..asked(None) };
        let mut opened = open("t1", &settings).unwrap();
        assert_eq!(opened.sources.len(), 8);
        send(400);
        assert_eq!(seen(&mut opened, 400), 400);
        let idle = opened.sources.iter().filter(|source| source.stats().frames == 0).count();
        assert!(idle < 3, "{idle} of 8 workers have nothing to do");
    });
}

/// Fails when checking a machine touches its traffic, or misses what it can do.
#[test]
fn probing_tells_what_there_is_and_attaches_nothing() {
    in_namespace(|| {
        let Probe { xdp, tc, ethernet, native, program, tcx, in_path, .. } = probe("t1");
        assert_eq!((xdp, tc), (Ok(()), Ok(())));
        assert!(ethernet && !in_path);
        assert_eq!((native, tcx, program), (Some(true), Some(true), None));
        assert_eq!(attached("t1"), "");
    });
}
