use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::capture::receive::Wrapping;
use crate::config::{
    Backend, BusinessHours, Evidence, HttpTls, MirrorDestination, NamePattern, Role, SiteBudget,
    WebhookFormat,
};

/// The file that is installed.
const SHIPPED: &str = include_str!("../../../../deploy/egret.toml");

fn read_text(text: &str) -> Result<Config, ConfigError> {
    parse("egret.toml", text, &[], Config::default())
}

fn with_set(text: &str, set: &[&str]) -> Result<Config, ConfigError> {
    let set: Vec<String> = set.iter().map(|flag| (*flag).to_owned()).collect();
    parse("egret.toml", text, &set, Config::default())
}

#[test]
fn an_empty_file_is_all_defaults() {
    assert_eq!(read_text("").unwrap(), Config::default());
}

#[test]
fn the_shipped_file_says_the_defaults() {
    assert_eq!(read_text(SHIPPED).unwrap(), Config::default());
}

/// The shipped file with its examples switched on: `#key`, while prose is `# text`.
fn examples() -> String {
    let uncomment = |line: &str| match line.strip_prefix('#') {
        Some(code) if !code.starts_with(' ') => format!("{code}\n"),
        _ => format!("{line}\n"),
    };
    SHIPPED.lines().map(uncomment).collect()
}

#[test]
fn the_examples_of_the_shipped_file_are_valid() {
    // Databases are opened with the file.
    let folder = tempfile::tempdir().unwrap();
    let there = |name: &str| {
        std::fs::write(folder.path().join(name), egret_tests::mmdb::database(&[])).unwrap();
    };
    there("GeoLite2-Country.mmdb");
    there("GeoLite2-ASN.mmdb");
    let text = examples().replace("/var/lib/GeoIP", &folder.path().to_string_lossy());
    let config = read_text(&text).unwrap();
    assert_eq!(config.sensor.name, "dc1-rack7");
    assert!(!config.channels.databases.is_empty());
    assert_eq!(config.assets.len(), 2);
    assert_eq!(config.approve.len(), 1);
    assert_eq!(config.guest_operations.maintenance.len(), 1);
    assert_eq!(config.deliver.webhooks.len(), 1);
    assert!(config.intake.syslog.tls.is_some());
    assert!(config.http.tls.is_some() && config.http.token_file.is_some());
}

/// A file with every key at a value that is not its default.
const EVERY_KEY: &str = r#"
[sensor]
name = "s"
data_dir = "/data"
[network]
internal = ["10.0.0.0/8"]
[[asset]]
name = "esxi-01"
role = "esxi"
address = ["10.10.0.11", "fd00::/64"]
mac = ["00:50:56:6a:00:01", "00-50-56-6A-00-02"]
[[asset]]
name = "vm"
role = "guest"
address = ["10.0.0.0/8"]
host = "esxi-01"
[[approve]]
role = ["esxi", "vcenter"]
asset = ["esxi-01"]
sni = ["*.vmware.com", "depot.example"]
destination = ["203.0.113.0/24", "203.0.113.7"]
port = [443, 8443]
note = "update depot"
[baseline]
learning = "0s"
[capture]
interface = ["eth1", "eth2"]
backend = "afpacket"
snaplen = 256
workers = 4
receive = ["geneve", "gre"]
[detect.site_budget]
alerts = 2.5
high = 3
[detect.tls_egress]
enabled = false
window = "45m"
spike_min_bytes = 1_000
[detect.dns_port]
enabled = false
window = "60s"
false_alarms_per_year = 12
formulas = ["a*b+c", "n mod 1000"]
[detect.guest_operations]
enabled = false
accounts = ["CORP\\svc-backup"]
vms = ["app-*"]
threshold = { count = 5, window = "1m" }
business_hours = "Mon-Fri,Sun 07:00-19:00"
timezone = "Europe/Berlin"
maintenance = [{ from = 2026-11-21T22:00:00+01:00, to = 2026-11-22T02:00:00Z, account = ["CORP\\ops"] }]
[detect.mirror_policy]
enabled = false
destinations = ["10.30.0.9", "10.40.0.0/24", "tmt-0abc", "/subscriptions/1/nic"]
principals = ["arn:aws:iam::111122223333:role/netops"]
addresses = { "eni-0def" = "10.30.0.9" }
window = "90s"
[intake.syslog]
udp = "0.0.0.0:514"
tcp = "[::]:514"
tls = { listen = "0.0.0.0:6514", cert = "c", key = "k" }
allow = ["10.10.0.0/24"]
[intake.flows]
udp = "0.0.0.0:2055"
allow = ["10.9.0.0/24", "fd00::9"]
[intake.audit]
files = ["/var/log/*.json"]
http = true
token_file = "t"
[evidence]
enabled = false
memory = "8MiB"
disk = "1GB"
[[deliver.webhook]]
url = "https://soc.example/hook"
format = "splunk-hec"
secret_file = "s"
token_file = "t"
ca_file = "c"
min_severity = "high"
[[deliver.webhook]]
url = "http://10.0.0.1:8080"
[[deliver.syslog]]
address = "tls://siem.example:6514"
ca_file = "c"
min_severity = "low"
[fleet]
servers = ["nats://nats-1:4222", "tls://nats-2.example"]
site = "dc1"
credentials_file = "c"
ca_file = "a"
[http]
listen = "0.0.0.0:1"
tls = { cert = "c", key = "k" }
token_file = "t"
url = "https://egret.example/sensor"
"#;

#[test]
fn every_key_reaches_its_place() {
    let config = read_text(EVERY_KEY).unwrap();
    let default = Config::default();
    assert_ne!(config.sensor.name, default.sensor.name);
    assert_ne!(config.sensor.data_dir, default.sensor.data_dir);
    assert_eq!(config.network.internal.len(), 1);

    let [esxi, vm] = config.assets.as_slice() else { panic!("two assets") };
    assert_eq!((&*esxi.name, esxi.role, esxi.addresses.len()), ("esxi-01", Role::Esxi, 2));
    assert_eq!(esxi.macs[1].to_string(), "00:50:56:6a:00:02");
    assert_eq!(vm.host.as_deref(), Some("esxi-01"));

    let approve = &config.approve[0];
    assert_eq!(approve.roles, [Role::Esxi, Role::Vcenter]);
    assert_eq!(approve.assets, ["esxi-01"]);
    assert_eq!(approve.sni[0], NamePattern::new("*.vmware.com"));
    assert_eq!(approve.destinations[1], "203.0.113.7/32".parse().unwrap());
    assert_eq!(approve.ports, [443, 8443]);
    assert_eq!(approve.note.as_deref(), Some("update depot"));

    assert_eq!(config.baseline.learning, Duration::ZERO);
    assert_eq!(config.capture.interfaces, ["eth1", "eth2"]);
    assert_eq!(config.capture.backend, Backend::AfPacket);
    assert_eq!((config.capture.snaplen, config.capture.workers), (256, 4));
    assert_eq!(config.capture.receive, [Wrapping::Geneve, Wrapping::Gre]);
    assert_eq!(config.site_budget, SiteBudget { alerts: 2.5, high: 3.0 });
    assert!(!config.tls_egress.enabled && !config.dns_port.enabled);
    assert_eq!(config.tls_egress.window, Duration::from_secs(2_700));
    assert_eq!(config.tls_egress.spike_min_bytes, 1_000);
    assert_eq!(config.dns_port.window, Duration::from_secs(60));
    assert!((config.dns_port.false_alarms_per_year - 12.0).abs() < f64::EPSILON);
    let formulas: Vec<_> = config.dns_port.formulas.iter().map(ToString::to_string).collect();
    assert_eq!(formulas, ["a*b+c", "n mod 1000"]);
}

#[test]
fn every_key_of_policy_and_services_reaches_its_place() {
    let config = read_text(EVERY_KEY).unwrap();
    let operations = &config.guest_operations;
    assert!(!operations.enabled);
    assert_eq!(operations.accounts, [r"CORP\svc-backup"]);
    assert_eq!(operations.vms, ["app-*"]);
    assert_eq!(operations.threshold.count, 5);
    assert_eq!(operations.threshold.window, Duration::from_secs(60));
    assert_eq!(operations.business_hours, BusinessHours::parse("Mon-Fri,Sun 07:00-19:00"));
    assert_eq!(operations.timezone.iana_name(), Some("Europe/Berlin"));
    assert_eq!(operations.maintenance[0].from.to_string(), "2026-11-21T21:00:00.000000Z");
    assert_eq!(operations.maintenance[0].accounts, [r"CORP\ops"]);

    let mirror = &config.mirror_policy;
    assert!(!mirror.enabled);
    assert_eq!(mirror.destinations[1], MirrorDestination::Net("10.40.0.0/24".parse().unwrap()));
    assert_eq!(mirror.destinations[2], MirrorDestination::Provider("tmt-0abc".to_owned()));
    assert_eq!(mirror.addresses["eni-0def"].to_string(), "10.30.0.9");
    assert_eq!((mirror.principals.len(), mirror.window), (1, Duration::from_secs(90)));

    let syslog = &config.intake.syslog;
    assert_eq!(syslog.udp.unwrap().to_string(), "0.0.0.0:514");
    assert_eq!(syslog.tcp.unwrap().to_string(), "[::]:514");
    assert_eq!(syslog.tls.as_ref().unwrap().client_ca, None);
    assert_eq!(syslog.allow.len(), 1);
    let flows = &config.intake.flows;
    assert_eq!((flows.udp.unwrap().port(), flows.allow.len()), (2055, 2));
    assert!(config.intake.audit.http);
    assert_eq!(config.intake.audit.files, ["/var/log/*.json"]);
    assert_eq!(config.intake.audit.token_file, Some("t".into()));

    let [splunk, plain] = config.deliver.webhooks.as_slice() else { panic!("two webhooks") };
    assert_eq!(splunk.format, WebhookFormat::SplunkHec);
    assert_eq!((splunk.min_severity.name(), plain.min_severity.name()), ("high", "medium"));
    assert_eq!(splunk.secret_file, Some("s".into()));
    assert_eq!((&splunk.token_file, &splunk.ca_file), (&Some("t".into()), &Some("c".into())));
    let syslog = &config.deliver.syslog[0];
    assert_eq!(syslog.address.as_str(), "tls://siem.example:6514");
    assert_eq!((&syslog.ca_file, syslog.min_severity.name()), (&Some("c".into()), "low"));
    let http = &config.http;
    assert_eq!((http.listen.port(), http.is_local()), (1, false));
    assert_eq!(http.tls, Some(HttpTls { cert: "c".into(), key: "k".into() }));
    assert_eq!(http.token_file, Some("t".into()));
    assert_eq!(http.url.as_ref().unwrap().path(), "/sensor");
    let fleet = &config.fleet;
    assert_eq!((fleet.servers.len(), fleet.site.as_str()), (2, "dc1"));
    assert_eq!((&fleet.credentials_file, &fleet.ca_file), (&Some("c".into()), &Some("a".into())));
    let evidence = Evidence { enabled: false, memory: 8 << 20, disk: 1_000_000_000 };
    assert_eq!(config.evidence, evidence);
}

/// Each case of `mistakes.txt`: the file, the flags, the lines expected.
fn mistakes() -> impl Iterator<Item = (String, Vec<String>, String)> {
    let cases = include_str!("mistakes.txt").split("\n\n").skip(1);
    cases.map(|case| {
        let (mut text, mut set, mut expected) = (String::new(), Vec::new(), Vec::new());
        for line in case.lines() {
            if let Some(line) = line.strip_prefix("=> ") {
                expected.push(line);
            } else if let Some(flag) = line.strip_prefix("--set ") {
                set.push(flag.to_owned());
            } else {
                text += line;
                text += "\n";
            }
        }
        (text, set, expected.join("\n"))
    })
}

#[test]
fn each_mistake_has_its_line() {
    assert!(mistakes().count() > 60);
    for (text, set, expected) in mistakes() {
        let seen = match parse("egret.toml", &text, &set, Config::default()) {
            Ok(_) => "a valid config".to_owned(),
            Err(error) => error.to_string(),
        };
        assert_eq!(seen, expected, "for\n{text}{set:?}");
    }
}

#[test]
fn flags_are_laid_over_the_file() {
    let text = "[detect.tls_egress]\nwindow = \"broken\"\n[sensor]\nname = \"file\"";
    let config = with_set(
        text,
        &[
            "detect.tls_egress.window=45m",
            "detect.dns_port.false_alarms_per_year=2.5",
            "network.internal=[\"10.0.0.0/8\"]",
            "detect.mirror_policy.addresses.eni-0def=10.30.0.9",
            "sensor.name=first",
            "sensor . name = \"second = last\"",
            "approve=[{ port = [443] }]",
        ],
    )
    .unwrap();
    assert_eq!(config.tls_egress.window, Duration::from_secs(2_700));
    assert!((config.dns_port.false_alarms_per_year - 2.5).abs() < f64::EPSILON);
    assert_eq!(config.network.internal.len(), 1);
    assert_eq!(config.mirror_policy.addresses["eni-0def"].to_string(), "10.30.0.9");
    assert_eq!(config.sensor.name, "second = last");
    assert_eq!(config.approve[0].ports, [443]);
}

#[test]
fn the_shipped_file_names_every_known_key() {
    let mut report = problem::Report::new("egret.toml");
    let tree = raw::parse(&examples(), &mut report);
    sections::read(&tree, &mut Config::default(), &mut report);
    for (section, key) in &report.known {
        let assigns = |line: &str| {
            line.trim_start_matches('#').starts_with(&format!("{key} = "))
                || line.contains(&format!("{{ {key} = "))
                || line.contains(&format!(", {key} = "))
                || line.contains(&format!("[{section}{key}"))
        };
        assert!(SHIPPED.lines().any(assigns), "deploy/egret.toml lacks {section}{key}");
    }
}

#[test]
fn a_config_that_cannot_be_read_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let load_error = |path: &Path| load(Some(path), &[], "host").unwrap_err().to_string();

    let missing = load_error(&folder.path().join("missing.toml"));
    assert!(missing.contains("missing.toml: cannot read the config: No such file"), "{missing}");
    assert!(load_error(folder.path()).contains("Is a directory"));

    let binary = folder.path().join("binary.toml");
    std::fs::write(&binary, [0xd4, 0xc3, 0xb2, 0xa1]).unwrap();
    assert!(load_error(&binary).contains("not UTF-8 text"));

    let large = folder.path().join("large.toml");
    std::fs::write(&large, vec![b' '; 5 << 20]).unwrap();
    assert!(load_error(&large).contains("larger than 4194304 bytes, so it is no config file"));
}

#[test]
fn the_host_name_is_the_sensors_unless_given() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("egret.toml");
    std::fs::write(&path, "").unwrap();
    let loaded = load(Some(&path), &[], "dc1-host").unwrap();
    assert_eq!((loaded.config.sensor.name.as_str(), loaded.path), ("dc1-host", Some(path.clone())));
    std::fs::write(&path, "[sensor]\nname = \"given\"").unwrap();
    assert_eq!(load(Some(&path), &[], "dc1-host").unwrap().config.sensor.name, "given");
}

proptest! {
    #[test]
    fn any_text_is_a_config_or_has_problems(text in any::<String>(), flag in any::<String>()) {
        if let Err(error) = with_set(&text, &[&flag]) {
            prop_assert!(!error.to_string().is_empty());
        }
    }

    /// Nearer to the mark than random text: a valid file with one character changed.
    #[test]
    fn a_changed_character_is_no_panic(at in 0..EVERY_KEY.len(), c in any::<char>()) {
        let mut text: Vec<char> = EVERY_KEY.chars().collect();
        text[at] = c;
        let _ = read_text(&text.into_iter().collect::<String>());
    }
}
