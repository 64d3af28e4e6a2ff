use std::net::IpAddr;

use super::super::tests::{DAY, HOUR, MINUTE, Scene, Told, about, time};
use super::*;
use crate::alert::{Fact, Severity};
use crate::config::{Asset, Config, Role};
use crate::decode::protocol;
use crate::event::{DnsData, Reporter, Said};

mod same;

const GUEST: &str = "10.1.0.3";
const SERVER: &str = "10.0.0.20";
const DROP: &str = "203.0.113.9";
const NOON: u64 = 2 * DAY + 12 * HOUR;

pub(super) fn at(seconds: u64) -> Timestamp {
    Timestamp::from_parts(1_795_183_390 + seconds, 0)
}

/// A record of a minute of TCP.
pub(super) fn record(from: &str, to: &str, [here, there]: [u16; 2]) -> FlowRecord {
    FlowRecord {
        from: (from.parse().unwrap(), here),
        to: (to.parse().unwrap(), there),
        protocol: protocol::TCP,
        first: at(0),
        last: at(60),
        sent: Traffic { packets: 10, bytes: 10_000 },
        received: None,
        tcp_flags: None,
        one_in: None,
        is_forward: None,
        is_blocked: false,
    }
}

fn by(service: Service, record: FlowRecord) -> Report {
    let reporter = Reporter { service, host: Some("exporter".into()), peer: None };
    Report { time: record.last, stated: None, reporter, said: Said::Exported(Box::new(record)) }
}

/// What an exporter tells of `bytes` from one to the other, in minutes.
fn moves(from: (&str, u16), to: (&str, u16), start: u64, seconds: u64, bytes: u64) -> Vec<Report> {
    let minutes = seconds.div_ceil(MINUTE).max(1);
    let part = |minute: u64| {
        let sent = Traffic { packets: bytes / minutes / 1400 + 1, bytes: bytes / minutes };
        let first = time(start + minute * MINUTE);
        let last = time(start + (minute * MINUTE + MINUTE).min(seconds));
        let record = record(from.0, to.0, [from.1, to.1]);
        by(Service::Ipfix, FlowRecord { first, last, sent, ..record })
    };
    (0..minutes).map(part).collect()
}

fn config(learning: Duration) -> Config {
    let mut config = Config::default();
    config.baseline.learning = learning;
    let named = |name: &str, role, address: &str| Asset {
        name: name.into(),
        role,
        addresses: vec![format!("{address}/32").parse().unwrap()],
        macs: Vec::new(),
        host: None,
    };
    config.assets.push(named("guest", Role::Guest, GUEST));
    config.assets.push(named("esxi-01", Role::Esxi, "10.0.0.11"));
    config
}

/// An engine without packets, which knows the assets by their addresses.
fn unseen() -> Engine {
    Engine::new(&config(Duration::ZERO), None, None)
}

fn tell(engine: &mut Engine, reports: &[Report]) -> Vec<crate::alert::Alert> {
    let mut reports: Vec<_> = reports.iter().collect();
    reports.sort_by_key(|report| report.time);
    reports.iter().for_each(|report| engine.report(report));
    engine.drain_alerts().collect()
}

fn moved(engine: &Engine, name: &str) -> [u64; 2] {
    let id = engine.inventory().named(name).unwrap();
    let moved = engine.moved(id);
    [moved.sent, moved.received]
}

/// Three days of usual work, an attack's staging and upload by records alone.
fn attack() -> Vec<Report> {
    let mut reports = Vec::new();
    for hour in 0..60 {
        let start = hour * HOUR;
        reports.extend(moves((SERVER, 445), (GUEST, 50_000), start, 120, 3_000_000));
    }
    reports.extend(moves((SERVER, 445), (GUEST, 50_001), NOON, 300, 800_000_000));
    reports.extend(moves((GUEST, 50_002), (DROP, 443), NOON + 600, 300, 400_000_000));
    reports
}

#[test]
fn staging_and_egress_are_found_where_only_records_tell_and_the_alert_says_so() {
    let mut engine = unseen();
    tell(&mut engine, &attack());
    engine.finish();
    let told: Vec<_> = engine.drain_alerts().collect();
    let last = told.last().unwrap();
    assert!(last.severity >= Severity::High, "{last:#?}");
    assert_eq!(last.asset.name, "guest");
    let destination = last.destination.as_ref().unwrap();
    assert_eq!((destination.address.to_string(), destination.port), (DROP.into(), 443));
    assert!(last.summary.contains("TLS, going by its port,"), "{}", last.summary);
    assert!(last.summary.ends_with("; only records of ipfix show it"), "{}", last.summary);
    let spike = |piece: &crate::alert::Evidence| matches!(piece.fact, Fact::VolumeSpike { .. });
    assert!(last.evidence.iter().any(spike), "{last:#?}");
    for piece in &last.evidence {
        if let Fact::TlsSession { source, notes, bytes_out, one_in, .. } = &piece.fact {
            assert_eq!((source.as_deref(), *one_in), (Some("ipfix"), None));
            assert!(!notes.iter().any(|note| note == "no_sni"), "nobody saw a hello: {notes:?}");
            assert!(bytes_out.abs_diff(400_000_000) < 20_000_000, "{bytes_out}");
        }
    }
}

/// Fails when a sample is taken for all, or its correction is not shown.
#[test]
fn what_was_sampled_is_corrected_and_said_to_be() {
    let (mut whole, mut sampled) = (unseen(), unseen());
    let all = attack();
    let one_in = |report: &Report| {
        let Said::Exported(record) = &report.said else { unreachable!() };
        let part = |of: Traffic| Traffic { packets: of.packets / 100, bytes: of.bytes / 100 };
        let sent = part(record.sent);
        by(Service::SFlow, FlowRecord { sent, one_in: Some(100.0), ..(**record).clone() })
    };
    let some: Vec<_> = all.iter().map(one_in).collect();
    let (first, second) = (tell(&mut whole, &all), tell(&mut sampled, &some));
    let [real, estimated] = [&whole, &sampled].map(|engine| moved(engine, "guest"));
    for (real, estimated) in real.into_iter().zip(estimated) {
        assert!((estimated as f64 / real as f64 - 1.0).abs() < 0.01, "{estimated} for {real}");
    }
    let (first, last) = (first.last().unwrap(), second.last().unwrap());
    assert_eq!(first.severity, last.severity);
    assert!(last.summary.contains(" seen, 1 in 100 sampled)"), "{}", last.summary);
    let shown = |piece: &crate::alert::Evidence| {
        matches!(piece.fact, Fact::TlsSession { one_in: Some(100.0), .. })
    };
    assert!(last.evidence.iter().any(shown), "{last:#?}");
    let text = crate::alert::format::human(last, crate::alert::format::Style::Plain).to_string();
    assert!(text.contains("an estimate: "), "{text}");
}

/// Fails when what packets show is counted twice.
#[test]
fn what_packets_show_is_not_taken_from_records_too() {
    let mut scene = Scene::new();
    scene.routine(3, 3);
    scene.inside(NOON, SERVER, GUEST, 300, 800_000_000);
    scene.visit(NOON + 600, GUEST, "drop.evil.example", DROP, 300, 400_000_000);
    let told = |reports: &[Report]| {
        let mut engine = Engine::new(scene.config(), None, None);
        let mut reports = reports.iter().peekable();
        let told = scene.run_between(&mut engine, |engine, event| {
            while let Some(report) = reports.next_if(|report| report.time <= event.time) {
                engine.report(report);
            }
        });
        let told: Vec<String> =
            told.iter().map(|told| serde_json::to_string(&told.alert).unwrap()).collect();
        (told, moved(&engine, GUEST), engine.flow_records())
    };
    let mut reports = moves((SERVER, 445), (GUEST, 50_001), NOON, 300, 800_000_000);
    reports.extend(moves((GUEST, 50_002), (DROP, 443), NOON + 600, 280, 400_000_000));
    let (plain, both) = (told(&[]), told(&reports));
    assert_eq!((&both.0, both.1), (&plain.0, plain.1));
    assert_eq!((both.2.shown, both.2.counted), (reports.len() as u64, 0));
}

/// Fails when a record is counted that comes between a short conversation and what packets tell it moved.
#[test]
fn a_record_that_is_there_before_the_volume_is_not_counted_beside_it() {
    let mut scene = Scene::new();
    for hour in 0..3 {
        scene.hello(NOON + hour * HOUR, GUEST, DROP, Some("a.example"), 10, 50_000);
    }
    let mut reports = Vec::new();
    for hour in 0..3 {
        reports.extend(moves((GUEST, 50_000), (DROP, 443), NOON + hour * HOUR, 1, 50_000));
    }
    let mut engine = Engine::new(scene.config(), None, None);
    let [first, last] = [time(0), time(1)];
    engine.report(&by(Service::Ipfix, FlowRecord { first, last, ..record(SERVER, DROP, [1, 2]) }));
    let mut reports = reports.iter().peekable();
    scene.run_between(&mut engine, |engine, event| {
        let is_due = |report: &&Report| report.time.since(event.time).as_secs() <= 1;
        while let Some(report) = reports.next_if(is_due) {
            engine.report(report);
        }
    });
    assert_eq!((engine.flow_records().counted, engine.flow_records().shown), (0, 3));
}

/// Fails when an asset whose traffic inside alone is mirrored, or its DNS, may send what it likes.
#[test]
fn what_packets_do_not_show_of_an_asset_is_taken_from_records() {
    let mut scene = Scene::new();
    for minute in 0..30 {
        scene.inside(NOON + minute * MINUTE, SERVER, GUEST, 10, 1000);
        scene.resolve(NOON + minute * MINUTE, GUEST, "a.example", "198.51.0.7");
    }
    let mut engine = Engine::new(scene.config(), None, None);
    let reports = moves((GUEST, 50_002), (DROP, 443), NOON + 600, 300, 400_000_000);
    scene.run_with(&mut engine);
    tell(&mut engine, &reports);
    assert_eq!(engine.flow_records().counted, 5);
    let inside = moves((GUEST, 50_002), (SERVER, 443), NOON + 600, 300, 400_000_000);
    tell(&mut engine, &inside);
    assert_eq!(engine.flow_records().shown, 5);
}

/// Fails when a host that exports to the sensor has moved nothing else inside.
#[test]
fn what_the_sensor_is_sent_itself_shows_nothing_of_its_senders() {
    const SENSOR: &str = "10.0.0.99";
    for (own, expected) in [(vec![SENSOR.parse().unwrap()], [5, 0]), (Vec::new(), [0, 5])] {
        let mut scene = Scene::new();
        for minute in 0..30 {
            scene.inside(NOON + minute * MINUTE, GUEST, SENSOR, 10, 1000);
        }
        let mut engine = Engine::new(scene.config(), None, None);
        engine.reside(&own);
        scene.run_with(&mut engine);
        tell(&mut engine, &moves((SERVER, 445), (GUEST, 50_002), NOON + 600, 300, 400_000_000));
        let counts = engine.flow_records();
        assert_eq!([counts.counted, counts.shown], expected, "{own:?}");
    }
}

#[test]
fn what_two_exporters_tell_counts_once() {
    let mut engine = unseen();
    let first = moves((GUEST, 50_002), (DROP, 443), NOON, 60, 1_000_000);
    let second = first.iter().map(|report| {
        let reporter = Reporter { host: Some("another".into()), ..report.reporter.clone() };
        Report { reporter, ..report.clone() }
    });
    let both: Vec<_> = first.iter().cloned().chain(second).chain(first.clone()).collect();
    tell(&mut engine, &both);
    let counts = engine.flow_records();
    assert_eq!((counts.counted, counts.repeated), (1, 2));
    let packets = 1_000_000 / 1400 + 1;
    assert_eq!(moved(&engine, "guest"), [1_000_000 + packets * LINK, 0]);
}

/// Fails when a host's approved updates are an alert because no record has a server name.
#[test]
fn what_is_approved_by_name_is_so_by_the_name_that_dns_gave() {
    let mut config = config(Duration::ZERO);
    config.approve = Scene::new().config().approve.clone();
    let host = "10.0.0.11";
    let mut scene = Scene::new();
    let address: IpAddr = "198.51.7.7".parse().unwrap();
    scene.dns(NOON, host, "hostupdate.vmware.com", &[DnsData::Address(address)]);
    let mut engine = Engine::new(&config, None, None);
    scene.run_with(&mut engine);
    let to = |server, start| moves((host, 50_000), (server, 443), start, 60, 50_000);
    assert!(tell(&mut engine, &to("198.51.7.7", NOON + 2)).is_empty());
    let told = tell(&mut engine, &to(DROP, NOON + 100));
    assert_eq!(told.len(), 1, "{told:#?}");
    assert!(told[0].severity >= Severity::High);
}

#[test]
fn a_handshake_that_nobody_answers_is_no_session() {
    let mut engine = unseen();
    let syns = FlowRecord {
        sent: Traffic { packets: 6, bytes: 360 },
        ..record("10.0.0.11", DROP, [50_000, 443])
    };
    assert!(tell(&mut engine, &[by(Service::NetFlow, syns.clone())]).is_empty());
    let hello = FlowRecord { sent: Traffic { packets: 3, bytes: 700 }, ..syns };
    let later = FlowRecord { first: at(61), last: at(62), ..hello };
    assert_eq!(tell(&mut engine, &[by(Service::NetFlow, later)]).len(), 1);
}

/// What records tell of beacons whose ports follow from answers, a minute after each, while the guest asks for
/// much else: to the address answered, or to another.
fn beacons(is_direct: bool) -> (Scene, Vec<Report>) {
    let mut scene = Scene::new();
    scene.routine(3, 2);
    let mut reports = Vec::new();
    for beacon in 0..6u64 {
        let (b, c) = (17 + beacon * 30, 3 + beacon * 9);
        let (start, answer) = (NOON + beacon * HOUR, format!("91.{b}.{c}.7"));
        scene.resolve(start, GUEST, "n.evil.example", &answer);
        for other in 0..30 {
            let name = format!("www.other-{other}.example");
            scene.resolve(start + 10 + other, GUEST, &name, &format!("198.51.{other}.7"));
        }
        scene.resolve(start + 600, GUEST, "www.usual-0.example", "198.51.0.7");
        let (server, port) = (if is_direct { &answer } else { DROP }, (91 * b + c) as u16);
        for mut report in moves((GUEST, 50_000), (server, port), start + 2, 20, 400) {
            if let Said::Exported(record) = &mut report.said {
                record.is_blocked = beacon % 2 == 0;
                record.tcp_flags = Some(tcp_flags::SYN);
            }
            reports.push(Report { time: time(start + 90), ..report });
        }
    }
    (scene, reports)
}

#[test]
fn calculated_ports_are_found_by_the_opening_of_a_record() {
    for is_direct in [true, false] {
        let (scene, reports) = beacons(is_direct);
        let told: Vec<Told> = scene.run_logged(&reports);
        let told = about(&told, GUEST);
        assert_eq!(told.len(), 1, "{is_direct}: {told:#?}");
        let by_record = |piece: &crate::alert::Evidence| matches!(&piece.fact, Fact::Connection { source: Some(by), .. } if by == "ipfix");
        assert!(told[0].alert.evidence.iter().any(by_record), "{told:#?}");
    }
}

#[test]
fn hostile_records_stop_nothing_and_are_counted() {
    let mut engine = unseen();
    let plain = record(GUEST, DROP, [50_000, 443]);
    tell(&mut engine, &[by(Service::Ipfix, plain.clone())]);
    let before = moved(&engine, "guest");
    let much = Traffic { packets: u64::MAX, bytes: u64::MAX };
    for (hostile, became) in [
        (FlowRecord { sent: much, ..plain.clone() }, "refused"),
        (FlowRecord { received: Some(much), ..plain.clone() }, "refused"),
        (FlowRecord { one_in: Some(1e300), sent: much, ..plain.clone() }, "refused"),
        (FlowRecord { first: Timestamp::ZERO, last: Timestamp::ZERO, ..plain.clone() }, "refused"),
        (FlowRecord { from: plain.to, ..plain.clone() }, "foreign"),
        (FlowRecord { is_blocked: true, ..plain.clone() }, "repeated"),
        (FlowRecord { is_blocked: true, last: at(59), ..plain.clone() }, "blocked"),
    ] {
        let count = |engine: &Engine| {
            let counts = engine.flow_records().by_result();
            counts.into_iter().find(|(name, _)| *name == became).unwrap().1
        };
        let was = count(&engine);
        engine.report(&Report { time: at(60), ..by(Service::Ipfix, hostile.clone()) });
        assert_eq!(count(&engine), was + 1, "{became}: {hostile:?}");
    }
    assert_eq!(moved(&engine, "guest"), before);
    for one_in in [f64::NAN, f64::INFINITY, -5.0, 0.0] {
        let odd = FlowRecord { one_in: Some(one_in), last: at(58), ..plain.clone() };
        engine.report(&by(Service::Ipfix, odd));
    }
    let backwards = FlowRecord { first: at(90), last: Timestamp::MAX, ..plain };
    engine.report(&Report { time: at(91), ..by(Service::Ipfix, backwards) });
    engine.finish();
}
