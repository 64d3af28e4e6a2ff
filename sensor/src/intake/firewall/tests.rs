use proptest::prelude::*;

use super::*;
use crate::decode::tcp_flags::{ACK, FIN, PSH, RST, SYN};
use crate::intake::{Origin, Reader};

const NOW: Timestamp = Timestamp::from_parts(1_795_183_391, 0);

const LOG: &str = "[12345.678901] [UFW BLOCK] IN=eth0 OUT=eth1 MAC=00:11:22:33:44:55:66:77:88:99:aa:bb:08:00 SRC=10.0.0.1 DST=203.0.113.9 LEN=60 TOS=0x00 PREC=0x00 TTL=63 ID=54321 DF PROTO=TCP SPT=50000 DPT=443 WINDOW=64240 RES=0x00 SYN URGP=0";
const ULOGD: &str = "[DESTROY] ORIG: SRC=10.0.0.1 DST=203.0.113.9 PROTO=TCP SPT=50000 DPT=443 PKTS=90 BYTES=90000 , REPLY: SRC=203.0.113.9 DST=198.51.100.1 PROTO=TCP SPT=443 DPT=61000 PKTS=40 BYTES=4000";
const CONNTRACK: &str = "[DESTROY] tcp      6 src=10.0.0.1 dst=203.0.113.9 sport=50000 dport=443 packets=90 bytes=90000 src=203.0.113.9 dst=198.51.100.1 sport=443 dport=61000 packets=40 bytes=4000 [ASSURED] delta-time=75";
const PFSENSE: &str = "5,,,1000000103,em0,match,block,in,4,0x0,,63,54321,0,DF,6,tcp,60,10.0.0.1,203.0.113.9,50000,443,0,S,1234567890,,64240,,mss;nop;wscale";
const PFLOG: &str = "rule 0/0(match): block in on em0: 10.0.0.1.50000 > 203.0.113.9.443: Flags [S], seq 1234567890, win 64240, options [mss 1460], length 0";

fn told(program: &str, body: &str) -> Option<(Service, FlowRecord)> {
    let line = format!("<4>Nov 20 14:03:11 fw {program}: {body}");
    let origin = Origin { arrival: Some(NOW), peer: None };
    let report = Reader::default().read(&origin, line.as_bytes())?;
    let Said::Exported(record) = report.said else { panic!("{body}: {report:?}") };
    Some((report.reporter.service, *record))
}

#[track_caller]
fn record(program: &str, body: &str) -> FlowRecord {
    told(program, body).unwrap_or_else(|| panic!("{program}: {body}")).1
}

/// The SYN that all firewalls log here.
fn syn(bytes: u64) -> FlowRecord {
    let end = |address: &str, port| (address.parse().unwrap(), port);
    let packet = packet(end("10.0.0.1", 50_000), end("203.0.113.9", 443), TCP, bytes);
    FlowRecord { first: NOW, last: NOW, tcp_flags: Some(SYN), is_blocked: true, ..packet }
}

#[test]
fn the_same_packet_is_the_same_record_by_every_firewall() {
    assert_eq!(told("kernel", LOG), Some((Service::Netfilter, syn(60))));
    assert_eq!(told("filterlog[1234]", PFSENSE), Some((Service::Pf, syn(60))));
    // Options of the header are not told.
    assert_eq!(told("pf", PFLOG), Some((Service::Pf, syn(40))));
    let timed = format!("00:00:00.000123 {PFLOG}");
    assert_eq!(record("pf", &timed), syn(40));
    let openbsd = "rule 16/(match) block in on em0: 10.0.0.1.50000 > 203.0.113.9.443: S 1234567890:1234567890(0) win 16384 <mss 1460> (DF)";
    assert_eq!(record("pflogd", openbsd), syn(40));
}

#[test]
fn only_the_prefix_says_whether_a_packet_was_blocked() {
    for (prefix, is_blocked) in [
        ("", false),
        ("[UFW ALLOW] ", false),
        ("FINAL_REJECT: ", true),
        ("Shorewall:net-fw:DROP:", true),
        ("DROPBOX out: ", false),
        ("denied ", true),
        ("[UFW AUDIT] ", false),
    ] {
        let body = LOG.replace("[UFW BLOCK] ", prefix);
        assert_eq!(record("kernel", &body).is_blocked, is_blocked, "{prefix}");
    }
    let named = LOG.replace("IN=eth0", "IN=drop");
    assert!(!record("kernel", &named.replace("[UFW BLOCK] ", "")).is_blocked, "an interface");
    assert!(!record("filterlog", &PFSENSE.replace(",block,", ",pass,")).is_blocked);
    assert!(!record("pf", &PFLOG.replace("block in", "pass in")).is_blocked);
    assert_eq!(told("filterlog", &PFSENSE.replace(",block,", ",nat,")), None);
}

#[test]
fn datagrams_echoes_and_ipv6_are_read() {
    let udp = "IN= OUT=eth0 SRC=2001:db8::1 DST=2001:db8::2 LEN=148 TC=0 HOPLIMIT=64 FLOWLBL=0 PROTO=UDP SPT=50000 DPT=53 LEN=108";
    let udp = record("kernel", udp);
    assert_eq!((udp.protocol, udp.sent.bytes, udp.to.1, udp.tcp_flags), (UDP, 148, 53, None));
    let error = "IN=eth0 OUT= SRC=10.0.0.9 DST=10.0.0.1 LEN=88 TOS=0x00 PROTO=ICMP TYPE=3 CODE=1 [SRC=10.0.0.1 DST=10.0.0.7 LEN=60 PROTO=TCP SPT=1 DPT=2 WINDOW=0 SYN ]";
    let error = record("kernel", error);
    assert_eq!(
        (error.protocol, error.from.1, error.to.0.to_string()),
        (ICMP, 0, "10.0.0.1".into())
    );
    assert_eq!(error.tcp_flags, None);
    let gre = record(
        "kernel",
        &LOG.replace("PROTO=TCP SPT=50000 DPT=443 WINDOW=64240 RES=0x00 SYN", "PROTO=47"),
    );
    assert_eq!((gre.protocol, gre.from.1), (GRE, 0));

    let six = "5,,,1000000105,em0,match,pass,out,6,0x00,0x00000,64,UDP,17,108,2001:db8::1,2001:db8::2,50000,53,100";
    let six = record("filterlog", six);
    assert_eq!((six.protocol, six.sent.bytes, six.from.1, six.to.1), (UDP, 148, 50_000, 53));
    let echo = "5,,,1,em0,match,pass,in,4,0x0,,64,1,0,none,1,icmp,84,10.0.0.1,10.0.0.2,request,1,2";
    let echo = record("filterlog", echo);
    assert_eq!((echo.protocol, echo.to.1, echo.sent.bytes), (ICMP, 0, 84));

    let query = "rule 3/0(match): pass out on em0: 2001:db8::1.50000 > 2001:db8::2.53: 4711+ A? example.com. (29)";
    let query = record("pf", query);
    assert_eq!((query.protocol, query.to.1, query.sent.bytes), (UDP, 53, 77));
    let ping = "rule 3/0(match): pass in on em0: 10.0.0.1 > 10.0.0.2: ICMP echo request, id 1, seq 1, length 64";
    assert_eq!(record("pf", ping).sent.bytes, 84);
}

#[test]
fn flags_are_all_that_are_set() {
    let log = LOG.replace(" SYN URGP", " ACK PSH FIN URGP");
    assert_eq!(record("kernel", &log).tcp_flags, Some(ACK | PSH | FIN));
    assert_eq!(record("filterlog", &PFSENSE.replace(",S,", ",SA,")).tcp_flags, Some(SYN | ACK));
    assert_eq!(record("pf", &PFLOG.replace("[S]", "[R.]")).tcp_flags, Some(RST | ACK));
}

#[test]
fn the_end_of_a_connection_says_what_it_moved_and_how_long_it_took() {
    for (program, body, seconds) in [("ulogd", ULOGD, 0), ("conntrack", CONNTRACK, 75)] {
        let (service, record) = told(program, body).unwrap();
        let traffic = |packets, bytes| Traffic { packets, bytes };
        assert_eq!(service, Service::Netfilter);
        assert_eq!((record.sent, record.received), (traffic(90, 90_000), Some(traffic(40, 4000))));
        assert_eq!((record.from, record.to), (syn(0).from, syn(0).to), "before the translation");
        assert_eq!((record.is_forward, record.is_blocked), (Some(true), false));
        assert_eq!((record.last, record.last.since(record.first).as_secs()), (NOW, seconds));
        assert_eq!(told(program, &body.replace("DESTROY", "NEW")), None);
        assert_eq!(told(program, &body.replace("40", "x")), None);
    }
    let uncounted = "[DESTROY] tcp 6 src=10.0.0.1 dst=10.0.0.2 sport=1 dport=2 src=10.0.0.2 dst=10.0.0.1 sport=2 dport=1";
    assert_eq!(told("conntrack", uncounted), None);
}

#[test]
fn what_is_of_no_firewall_is_none() {
    for (program, body) in [
        ("sshd", LOG),
        ("pf", LOG),
        ("kernel", PFLOG),
        ("kernel", "IN=eth0 OUT= SRC=10.0.0 DST=10.0.0.2 LEN=60 PROTO=TCP"),
        ("kernel", "IN=eth0 OUT= SRC=10.0.0.1 DST=10.0.0.2 LEN=60 PROTO=TCP SPT=70000 DPT=1"),
        ("kernel", "IN=eth0 OUT= SRC=10.0.0.1 DST=10.0.0.2 PROTO=TCP"),
        ("filterlog", ""),
        ("filterlog", ",,,,,,,,,,,,,,,,,,,,,,"),
        ("pf", "rule 0/0(match): block in on em0: 10.0.0.1 > 10.0.0.2: x"),
        ("pf", "rule 0/0(match): scrub in on em0: 10.0.0.1.1 > 10.0.0.2.2: UDP, length 1"),
    ] {
        assert_eq!(told(program, body), None, "{program}: {body}");
    }
}

proptest! {
    /// Fails when a line that was changed anywhere stops the sensor.
    #[test]
    fn changed_lines_stop_nothing(line in 0..5usize, at in 0..400usize, length in 0..40usize, put in ".{0,12}") {
        let lines = [("kernel", LOG), ("ulogd", ULOGD), ("conntrack", CONNTRACK), ("filterlog", PFSENSE), ("pf", PFLOG)];
        let (program, body) = lines[line];
        let mut chars: Vec<char> = body.chars().collect();
        let at = at.min(chars.len());
        let end = at.saturating_add(length).min(chars.len());
        chars.splice(at..end, put.chars());
        let body: String = chars.into_iter().collect();
        let message = Message {
            time: None, host: None, facility: None, program, body: &body, is_cut: false, is_continuation: false,
        };
        if let Some(told) = read(&message) {
            let is_record = matches!(told.said, Said::Exported(record) if record.first <= record.last);
            prop_assert!(is_record);
        }
    }
}
