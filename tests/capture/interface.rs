//! What becomes of a source when its interface changes, and what is told of interfaces.

use std::time::Duration;

use egret::capture::interface;
use egret::capture::live::{Backend, Settings, open};

use crate::world::{
    Sender, all, datagram, in_namespace, ip, path, ring, rings, run, settings, up, wait,
    wait_for_carrier,
};

const SOON: Duration = Duration::from_millis(200);

/// A worker that polls would spin on the error that a downed interface leaves, and a source that
/// takes it for the end would be deaf when the interface is back.
#[test]
fn a_source_goes_on_after_down_and_up_and_a_new_name() {
    in_namespace(|| {
        let mut rings = rings("t1", 2);
        let index = interface::index("t1").unwrap();
        let one = |rings: &mut Vec<_>| {
            let sender = Sender::new("t0");
            (0..50).for_each(|n| sender.send(&datagram(&path(n), 60)));
            rings.iter_mut().map(all).map(|frames| frames.len()).collect::<Vec<_>>()
        };
        let before = one(&mut rings);
        assert_eq!(before.iter().sum::<usize>(), 50);
        ip("link set t1 down");
        assert!(interface::Link::of("t1").is_some_and(|link| !link.up));
        for ring in &mut rings {
            assert!(all(ring).is_empty());
            assert!(!wait(ring, SOON), "woken without a frame");
            assert!(!ring.is_gone());
        }
        up("t1");
        assert_eq!(one(&mut rings), before, "flows are at other workers than before");
        ip("link set t1 down");
        ip("link set t1 name mirror9");
        up("mirror9");
        assert_eq!(interface::name(index).as_deref(), Some("mirror9"));
        assert!(!rings[0].is_gone());
        assert_eq!(one(&mut rings), before);
    });
}

/// An interface made anew under the old name is another one; who waits for the old waits for ever.
#[test]
fn a_source_says_that_its_interface_is_gone_and_a_new_one_can_be_opened() {
    in_namespace(|| {
        let mut ring = ring("t1");
        let sender = Sender::new("t0");
        sender.send(&datagram(&path(1), 60));
        ip("link delete t1");
        assert!(ring.is_gone());
        assert_eq!(interface::Link::of("t1"), None);
        assert_eq!(all(&mut ring).len(), 1, "what came before is read");
        assert!(!wait(&ring, SOON), "woken without a frame");
        crate::world::wire("t0", "t1");
        assert!(ring.is_gone());
        let mut ring = crate::world::ring("t1");
        assert!(!ring.is_gone());
        Sender::new("t0").send(&datagram(&path(1), 60));
        assert_eq!(all(&mut ring).len(), 1);
    });
}

/// The sensor may start before its cable, or before the script that sets the interface up.
#[test]
fn an_interface_that_is_down_can_be_opened_or_the_error_says_so() {
    in_namespace(|| {
        ip("link set t1 down");
        let mut ring = ring("t1");
        assert!(!ring.is_gone());
        match open("t1", &settings(2)) {
            Ok(_) => {}
            Err(error) => assert!(error.to_string().contains("ip link set t1 up"), "{error}"),
        }
        up("t1");
        Sender::new("t0").send(&datagram(&path(1), 60));
        assert_eq!(all(&mut ring).len(), 1);
    });
}

/// On a mirror port the sensor's own frames would count as mirrored; on a host in the path they
/// are half of each conversation.
#[test]
fn own_frames_count_where_this_host_is_in_the_path() {
    in_namespace(|| {
        let seen = || {
            let mut ring = ring("t1");
            Sender::new("t1").send(&datagram(&path(1), 60));
            Sender::new("t0").send(&datagram(&path(1).back(), 60));
            all(&mut ring).len()
        };
        assert_eq!(seen(), 1, "at a mirror port");
        ip("address add 192.0.2.2/24 dev t1");
        assert_eq!(seen(), 2, "on a host");
    });
}

/// Frames for others arrive only in promiscuous mode, which must end with the source.
#[test]
fn the_interface_is_promiscuous_for_as_long_as_it_is_listened_to() {
    in_namespace(|| {
        let promiscuous = || {
            let shown =
                std::process::Command::new("ip").args(["-d", "link", "show", "t1"]).output();
            let shown = String::from_utf8(shown.unwrap().stdout).unwrap();
            shown.contains("promiscuity 1")
        };
        let ring = ring("t1");
        assert!(promiscuous());
        drop(ring);
        assert!(!promiscuous());
    });
}

/// What people read when it cannot start: the cause and what to do.
#[test]
fn errors_say_what_is_missing() {
    in_namespace(|| {
        let error = open("eth7", &settings(1)).unwrap_err().to_string();
        assert_eq!(error, "eth7: there is no interface eth7; there are: lo, t1, t0");
        let effective = caps::CapSet::Effective;
        caps::drop(None, effective, caps::Capability::CAP_NET_RAW).unwrap();
        let ring = open("t1", &settings(1)).unwrap_err().to_string();
        for part in ["AF_PACKET", "Operation not permitted", "CAP_NET_RAW", "setcap"] {
            assert!(ring.contains(part), "{part}: {ring}");
        }
        let auto = Settings { backend: None, ..settings(1) };
        let both = open("t1", &auto).unwrap_err().to_string();
        assert!(both.contains("CAP_NET_RAW") && both.contains("libpcap failed"), "{both}");
        let pcap = Settings { backend: Some(Backend::Pcap), ..settings(1) };
        let pcap = open("t1", &pcap).unwrap_err().to_string();
        assert!(pcap.contains("not permitted") && pcap.contains("CAP_NET_RAW"), "{pcap}");
    });
}

/// Facts that `egret check` goes by, against what was set.
#[test]
fn facts_follow_what_is_set() {
    in_namespace(|| {
        for (state, on) in [("on", true), ("off", false)] {
            run(&format!("ethtool -K t1 gro {state} tso {state}"));
            let facts = interface::Facts::of("t1");
            assert_eq!(facts.is_on("rx-gro"), Some(on));
            assert_eq!(facts.is_on("tx-tcp-segmentation"), Some(on));
            assert_eq!(facts.driver.as_deref(), Some("veth"));
            assert!(facts.channels.is_some_and(|channels| channels.receiving == 1), "{facts:?}");
        }
        ip("address add 192.0.2.2/24 dev t1");
        let address: std::net::IpAddr = "192.0.2.2".parse().unwrap();
        assert_eq!(interface::Facts::of("t1").addresses, [address]);
        ip("link set t0 down");
        wait_for_carrier("t1", false);
        assert!(interface::Link::of("t1").is_some_and(|link| link.up));
    });
}
