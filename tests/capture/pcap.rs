//! libpcap live.

use egret::capture::live::{Backend, Live, Settings, open};
use egret::capture::{LinkType, Source};

use crate::world::{
    QUIET, Sender, Tunnel, all, datagram, drain, in_namespace, ip, path, settings, up, wait,
};

fn pcap(interface: &str, snaplen: u32) -> Live {
    let settings = Settings { backend: Some(Backend::Pcap), snaplen, workers: 4, slots: None };
    let mut sources = open(interface, &settings).unwrap().sources;
    assert_eq!(sources.len(), 1);
    sources.remove(0)
}

/// The same frames as by the ring, in the kernel's nanoseconds, cut at the snap length.
#[test]
fn frames_come_with_time_and_length() {
    in_namespace(|| {
        let mut pcap = pcap("t1", 96);
        let sender = Sender::new("t0");
        let start = std::time::SystemTime::now();
        let mut tagged = path(1);
        tagged.vlans = [Some(43), None];
        for (path, payload) in [(&path(1), 18), (&path(1), 1400), (&tagged, 30)] {
            sender.send(&datagram(path, payload));
        }
        let mut seen = Vec::new();
        drain(&mut pcap, QUIET, |frame| {
            assert_eq!((frame.link, frame.vlan), (LinkType::ETHERNET, None));
            let start = start.duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos() as u64;
            let after = frame.time.as_nanos().wrapping_sub(start);
            assert!(after < 1_000_000_000, "{after}");
            let kind = u16::from_be_bytes([frame.bytes[12], frame.bytes[13]]);
            seen.push((frame.bytes.len(), frame.wire_len, kind));
        });
        // libpcap puts the tag back where it was.
        assert_eq!(seen, [(60, 60, 0x0800), (96, 1442, 0x0800), (76, 76, 0x8100)]);
        assert_eq!((pcap.stats().frames, pcap.stats().truncated), (3, 1));
    });
}

/// libpcap's drops are a sum, the ring's are not: mixed up they would count again and again.
#[test]
fn frames_read_and_dropped_are_the_frames_sent() {
    in_namespace(|| {
        const SENT: u64 = 60_000;
        let mut pcap = pcap("t1", 65_535);
        let sender = Sender::new("t0");
        let frame = datagram(&path(1), 1400);
        (0..SENT).for_each(|_| sender.send(&frame));
        let mut read = 0;
        drain(&mut pcap, QUIET, |_| read += 1);
        let stats = pcap.stats();
        assert!(stats.dropped > 0, "{stats:?}");
        assert_eq!((stats.frames, stats.frames + stats.dropped), (read, SENT));
        assert_eq!(pcap.stats(), stats, "asked twice");
    });
}

/// libpcap reports an interface that went down as an error, which is no reason to end.
#[test]
fn a_source_survives_down_and_up_and_says_when_its_interface_is_gone() {
    in_namespace(|| {
        let mut pcap = pcap("t1", 65_535);
        ip("link set t1 down");
        assert!(all(&mut pcap).is_empty());
        assert!(!pcap.is_gone());
        up("t1");
        Sender::new("t0").send(&datagram(&path(1), 60));
        assert_eq!(all(&mut pcap).len(), 1);
        ip("link delete t1");
        assert!(pcap.is_gone());
        assert!(all(&mut pcap).is_empty());
        assert!(!wait(&pcap, QUIET), "woken without a frame");
    });
}

/// The ring comes before libpcap, and libpcap where the ring cannot read the interface's frames.
#[test]
fn the_choice_is_explained() {
    in_namespace(|| {
        let opened = open("t1", &settings(2)).unwrap();
        assert_eq!((opened.backend, opened.sources.len()), (Backend::Ring, 2));
        assert!(opened.why.contains("2 AF_PACKET rings of 32 MiB"), "{}", opened.why);
        let _tunnel = Tunnel::new("n0", libc::ARPHRD_PPP);
        ip("link set n0 up");
        let auto = Settings { backend: None, ..settings(2) };
        let opened = open("n0", &auto).unwrap();
        assert_eq!((opened.backend, opened.sources.len()), (Backend::Pcap, 1));
        let why = opened.why;
        assert!(why.contains("the AF_PACKET ring failed") && why.contains("512"), "{why}");
        assert!(why.contains("the kernel program reads Ethernet"), "{why}");
    });
}
