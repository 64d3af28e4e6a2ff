use std::io::Write;
use std::process::{Command, Stdio};

use egret_tests::sensor::Samples;

use super::*;
use crate::alert::Analytic;
use crate::alert::sample::hostile_names;
use crate::intake::join;

/// Metrics as full as they get: more assets than have series, and ten targets.
fn filled() -> Metrics {
    let metrics = Metrics::new().unwrap();
    for asset in 0..32_768 {
        let role = Role::ALL[asset % Role::ALL.len()];
        let bytes = metrics.asset(&format!("asset-{asset}"), role);
        bytes.sent.inc_by(1);
        bytes.received.inc_by(2);
    }
    for target in 0..10 {
        let target = format!("webhook \"{target}\"\n");
        metrics.alerts_delivered.with_label_values(&[&target]).inc();
        metrics.delivery_failures.with_label_values(&[&target]).inc();
        metrics.delivery_pending.with_label_values(&[&target]).set(1);
        metrics.delivery_circuit_open.with_label_values(&[&target]).set(0);
    }
    metrics.interface_up.with_label_values(&["eth1"]).set(1);
    metrics.captured_by("eth1", Backend::Xdp);
    metrics.detection_latency.observe(0.3);
    metrics
}

/// `promtool check metrics`: its exit status and what it found.
fn promtool(text: &str) -> Option<(bool, String)> {
    let child = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut child) = child else {
        egret_tests::skip("promtool is not installed (package prometheus)");
        return None;
    };
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let out = child.wait_with_output().unwrap();
    let said = [out.stdout, out.stderr].concat();
    Some((out.status.success(), String::from_utf8(said).unwrap()))
}

#[test]
fn promtool_finds_nothing() {
    for metrics in [Metrics::new().unwrap(), filled()] {
        let text = metrics.text().unwrap();
        if let Some(found) = promtool(&text) {
            assert_eq!(found, (true, String::new()), "in\n{text}");
        }
    }
}

#[test]
fn promtool_would_find_something() {
    if let Some((clean, said)) = promtool("# TYPE egret_wrong counter\negret_wrong 1\n") {
        assert!(!clean && said.contains("_total"), "{said}");
    }
}

#[test]
fn assets_beyond_the_limit_share_series_by_role() {
    let text = filled().text().unwrap();
    let series = text.lines().filter(|line| !line.starts_with('#')).count();
    assert!(series <= 1000, "{series} series");
    let shared: u64 = text
        .lines()
        .filter(|line| line.starts_with("egret_asset_bytes_total{asset=\"other\""))
        .filter(|line| line.contains("direction=\"in\""))
        .map(|line| line.rsplit_once(' ').unwrap().1.parse::<u64>().unwrap())
        .sum();
    assert_eq!(shared, 2 * (32_768 - MAX_ASSETS as u64));
}

/// Names of assets, targets and interfaces come from the config and the system.
#[test]
fn any_name_stays_within_its_label() {
    let metrics = Metrics::new().unwrap();
    let names = hostile_names();
    for name in &names {
        metrics.asset(name, Role::Guest).sent.inc_by(7);
        metrics.delivery_failures.with_label_values(&[name]).inc_by(8);
        metrics.interface_up.with_label_values(&[name]).set(9);
    }
    let text = metrics.text().unwrap();
    let samples = Samples::parse(&text);
    for (metric, label, count) in [
        ("egret_asset_bytes_total", "asset", 7),
        ("egret_delivery_failures_total", "target", 8),
        ("egret_interface_up", "interface", 9),
    ] {
        for name in &names {
            assert_eq!(samples.count(metric, &[(label, name)]), count, "{metric} of {name:?}");
        }
        assert_eq!(samples.count(metric, &[]), count * names.len() as u64, "{metric}");
    }
    if let Some(found) = promtool(&text) {
        assert_eq!(found, (true, String::new()));
    }
}

#[test]
fn an_interface_is_captured_from_in_one_way_at_a_time() {
    let metrics = Metrics::new().unwrap();
    metrics.captured_by("eth1", Backend::Xdp);
    metrics.captured_by("eth1", Backend::AfPacket);
    let text = metrics.text().unwrap();
    let ways: Vec<_> =
        text.lines().filter(|line| line.starts_with("egret_capture_backend{")).collect();
    assert_eq!(ways.len(), Backend::ALL.len() - 1, "auto is none: {ways:?}");
    let in_use: Vec<_> = ways.iter().filter(|line| line.ends_with(" 1")).collect();
    let ring = "egret_capture_backend{backend=\"afpacket\",interface=\"eth1\"} 1";
    assert_eq!(in_use, [&ring]);
}

#[test]
fn a_known_asset_keeps_its_series_when_all_places_are_taken() {
    let metrics = filled();
    metrics.asset("asset-7", Role::Other).sent.inc_by(10);
    metrics.asset("late", Role::Other).sent.inc_by(10);
    let text = metrics.text().unwrap();
    let own = "egret_asset_bytes_total{asset=\"asset-7\",direction=\"out\",role=\"other\"} 11";
    assert!(text.contains(own), "{text}");
    assert!(!text.contains("\"late\""));
}

#[test]
fn what_can_be_known_is_there_at_zero() {
    let text = Metrics::new().unwrap().text().unwrap();
    for series in [
        "egret_capture_dropped_packets_total{reason=\"ring\"} 0",
        "egret_capture_dropped_packets_total{reason=\"interface\"} 0",
        "egret_decode_errors_total{layer=\"link\"} 0",
        "egret_decode_errors_total{layer=\"udp\"} 0",
        "egret_decode_errors_total{layer=\"certificate\"} 0",
        "egret_flows_evicted_total{reason=\"table_full\"} 0",
        "egret_quic_unread_total{reason=\"incomplete\"} 0",
        "egret_dns_responses_total{rcode=\"NXDOMAIN\"} 0",
        "egret_syslog_messages_total{result=\"understood\"} 0",
        "egret_syslog_received_messages_total{transport=\"mirror\"} 0",
        "egret_syslog_joined_reports_total{result=\"hurried\"} 0",
        "egret_audit_events_total{result=\"duplicate_key\"} 0",
        "egret_audit_requests_total{result=\"busy\"} 0",
        "egret_events_dropped_total{stage=\"store\"} 0",
        "egret_alerts_total{analytic=\"AN0731\",severity=\"critical\"} 0",
        "egret_flows_ended_total{sides=\"one\"} 0",
        "egret_detection_latency_seconds_count 0",
    ] {
        assert!(text.lines().any(|line| line == series), "{series} is not in\n{text}");
    }
}

/// Fails when what was counted once counts again.
#[test]
fn what_was_joined_counts_once() {
    let metrics = Metrics::new().unwrap();
    let counts = |merged| join::Counts { merged, repeated: 2, hurried: 0 };
    metrics.syslog.join(counts(3));
    metrics.syslog.join(counts(4));
    let joined = |result| metrics.syslog.joined.with_label_values(&[result]).get();
    assert_eq!(["merged", "repeated", "hurried"].map(joined), [4, 2, 0]);
}

#[test]
fn analytics_are_labelled_as_alerts_name_them() {
    let names = Analytic::ALL.map(|a| serde_json::to_value(a).unwrap());
    assert_eq!(names.to_vec(), labels::ANALYTICS.map(serde_json::Value::from).to_vec());
}
