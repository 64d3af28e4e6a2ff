//! Every section of the file: its keys, the kind of each, and where its value belongs.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::assets;
use super::keys::Keys;
use super::kinds::{
    ADDRESS, BACKEND, BASE_URL, BUSINESS_HOURS, COUNT, DURATION, FLAG, LISTEN, MIRROR_DESTINATION,
    NATS_URL, PORT, PREFIX, RATE, ROOM, SEVERITY, SITE, SIZE, SNAPLEN, SYSLOG_URL, TEXT, TIME,
    TIMEZONE, WEB_URL, WEBHOOK_FORMAT, WINDOW, WORKERS, WRAPPING,
};
use super::problem::Report;
use super::raw::Table;
use crate::alert::Severity;
use crate::config::{
    Audit, Capture, Channels, Config, Deliver, DnsPort, Fleet, GuestOperations, Http, HttpTls,
    Maintenance, MirrorPolicy, PortFormula, Segment, Syslog, SyslogTarget, SyslogTls, Threshold,
    TlsEgress, Webhook, WebhookFormat,
};
use crate::detect::CHANNELS;
use crate::whereabouts::{Database, Databases};

/// Formulas that may be given: each is tried on every answer alive at every odd connection.
const MAX_FORMULAS: usize = 32;

/// The longest name of a sensor among others, in bytes: a part of subjects and keys.
const LONGEST_NAME: usize = 64;

/// Reads the whole tree into `config`; what is wrong goes to `report`.
pub(super) fn read(tree: &Table, config: &mut Config, report: &mut Report) {
    Keys::top(tree, report, |top| {
        top.section("sensor", |keys| {
            keys.set("name", &TEXT, &mut config.sensor.name);
            keys.set("data_dir", &TEXT, &mut config.sensor.data_dir);
        });
        top.section("network", |keys| {
            keys.list("internal", &PREFIX, &mut config.network.internal);
        });
        config.assets = assets::assets(top);
        config.approve = top.tables("approve", assets::approve);
        top.section("baseline", |keys| {
            keys.set("learning", &DURATION, &mut config.baseline.learning);
        });
        top.section("capture", |keys| capture(keys, &mut config.capture));
        top.section("detect", |detect| {
            detect.section("site_budget", |keys| {
                keys.set("alerts", &RATE, &mut config.site_budget.alerts);
                keys.set("high", &RATE, &mut config.site_budget.high);
            });
            detect.section("tls_egress", |keys| tls_egress(keys, &mut config.tls_egress));
            detect.section("dns_port", |keys| dns_port(keys, &mut config.dns_port));
            detect.section("guest_operations", |keys| {
                guest_operations(keys, &mut config.guest_operations);
            });
            detect.section("mirror_policy", |keys| mirror_policy(keys, &mut config.mirror_policy));
            detect.section("channels", |keys| channels(keys, &mut config.channels));
        });
        top.section("intake", |intake| {
            intake.section("syslog", |keys| syslog(keys, &mut config.intake.syslog));
            intake.section("flows", |keys| {
                let flows = &mut config.intake.flows;
                keys.set("udp", &LISTEN, &mut flows.udp);
                keys.list("allow", &PREFIX, &mut flows.allow);
            });
            intake.section("audit", |keys| audit(keys, &mut config.intake.audit));
        });
        top.section("evidence", |keys| {
            keys.set("enabled", &FLAG, &mut config.evidence.enabled);
            keys.set("memory", &ROOM, &mut config.evidence.memory);
            keys.set("disk", &ROOM, &mut config.evidence.disk);
        });
        top.section("deliver", |keys| deliver(keys, &mut config.deliver));
        top.section("fleet", |keys| fleet(keys, &mut config.fleet, &config.sensor.name));
        top.section("http", |keys| http(keys, &mut config.http));
    });
}

fn capture(keys: &mut Keys<'_, '_>, to: &mut Capture) {
    keys.list("interface", &TEXT, &mut to.interfaces);
    keys.set("backend", &BACKEND, &mut to.backend);
    keys.set("snaplen", &SNAPLEN, &mut to.snaplen);
    keys.set("workers", &WORKERS, &mut to.workers);
    keys.list("receive", &WRAPPING, &mut to.receive);
}

fn tls_egress(keys: &mut Keys<'_, '_>, to: &mut TlsEgress) {
    keys.set("enabled", &FLAG, &mut to.enabled);
    keys.set("window", &WINDOW, &mut to.window);
    keys.set("spike_min_bytes", &SIZE, &mut to.spike_min_bytes);
}

fn dns_port(keys: &mut Keys<'_, '_>, to: &mut DnsPort) {
    keys.set("enabled", &FLAG, &mut to.enabled);
    keys.set("window", &WINDOW, &mut to.window);
    keys.set("false_alarms_per_year", &RATE, &mut to.false_alarms_per_year);
    to.formulas =
        keys.parsed_list("formulas", &TEXT, |text| PortFormula::parse(text).map(Arc::new));
    if to.formulas.len() > MAX_FORMULAS {
        let advice = format!("{} formulas; expected at most {MAX_FORMULAS}", to.formulas.len());
        keys.note(keys.origin("formulas"), "formulas", &advice);
    }
}

fn guest_operations(keys: &mut Keys<'_, '_>, to: &mut GuestOperations) {
    keys.set("enabled", &FLAG, &mut to.enabled);
    keys.list("accounts", &TEXT, &mut to.accounts);
    keys.list("vms", &TEXT, &mut to.vms);
    if let Some(threshold) = keys.optional("threshold", threshold) {
        to.threshold = threshold;
    }
    keys.set("business_hours", &BUSINESS_HOURS, &mut to.business_hours);
    keys.set("timezone", &TIMEZONE, &mut to.timezone);
    to.maintenance = keys.tables("maintenance", maintenance);
}

fn threshold(keys: &mut Keys<'_, '_>) -> Option<Threshold> {
    let (count, window) = (keys.need("count", &COUNT), keys.need("window", &WINDOW));
    Some(Threshold { count: count?, window: window? })
}

fn maintenance(keys: &mut Keys<'_, '_>) -> Option<Maintenance> {
    let (from, to) = (keys.need("from", &TIME), keys.need("to", &TIME));
    let mut accounts = Vec::new();
    keys.list("account", &TEXT, &mut accounts);
    let (from, to) = (from?, to?);
    if from >= to {
        let advice = format!("ends at {to}, which is not after its start at {from}");
        keys.note(keys.origin("to"), "to", &advice);
    }
    Some(Maintenance { from, to, accounts })
}

fn mirror_policy(keys: &mut Keys<'_, '_>, to: &mut MirrorPolicy) {
    keys.set("enabled", &FLAG, &mut to.enabled);
    keys.list("destinations", &MIRROR_DESTINATION, &mut to.destinations);
    keys.list("principals", &TEXT, &mut to.principals);
    keys.map("addresses", &ADDRESS, &mut to.addresses);
    keys.set("window", &WINDOW, &mut to.window);
}

fn channels(keys: &mut Keys<'_, '_>, to: &mut Channels) {
    keys.set("enabled", &FLAG, &mut to.enabled);
    to.off = keys.parsed_list("off", &TEXT, channel);
    to.segments = keys.tables("segments", segment);
    let open = |path: &str| Database::open(Path::new(path));
    to.databases = Databases::new(keys.parsed_list("databases", &TEXT, open));
}

/// The name of a detector, or what was expected.
fn channel(name: &str) -> Result<String, String> {
    let known = || CHANNELS.iter().map(|detector| detector.name);
    if known().any(|known| known == name) {
        return Ok(name.to_owned());
    }
    let nearest = known().min_by_key(|known| strsim::damerau_levenshtein(name, known));
    let nearest = nearest.unwrap_or_default();
    Err(format!("the name of a detector; the nearest is \"{nearest}\", docs/channels.md has all"))
}

fn segment(keys: &mut Keys<'_, '_>) -> Option<Segment> {
    let name = keys.need("name", &TEXT);
    let (mut networks, mut from, mut ports) = (Vec::new(), Vec::new(), Vec::new());
    keys.list("network", &PREFIX, &mut networks);
    keys.list("from", &PREFIX, &mut from);
    keys.list("port", &PORT, &mut ports);
    if !keys.is_given("network") {
        let advice =
            "missing; give the addresses and prefixes of the segment: network = [\"10.9.0.0/24\"]";
        keys.note(keys.origin("network"), "network", advice);
    }
    Some(Segment { name: name?, networks, from, ports })
}

fn syslog(keys: &mut Keys<'_, '_>, to: &mut Syslog) {
    keys.set("udp", &LISTEN, &mut to.udp);
    keys.set("tcp", &LISTEN, &mut to.tcp);
    to.tls = keys.optional("tls", |keys| {
        let listen = keys.need("listen", &LISTEN);
        let (cert, key) = (keys.need("cert", &TEXT), keys.need("key", &TEXT));
        let client_ca = file(keys, "client_ca");
        Some(SyslogTls { listen: listen?, cert: cert?.into(), key: key?.into(), client_ca })
    });
    keys.list("allow", &PREFIX, &mut to.allow);
}

fn audit(keys: &mut Keys<'_, '_>, to: &mut Audit) {
    keys.list("files", &TEXT, &mut to.files);
    keys.set("http", &FLAG, &mut to.http);
    to.token_file = file(keys, "token_file");
    if to.http && !keys.is_given("token_file") {
        let advice = "missing; whoever posts audit records shows a token: give token_file = \
                      \"/etc/egret/audit.token\"";
        keys.note(keys.origin("http"), "token_file", advice);
    }
}

fn deliver(keys: &mut Keys<'_, '_>, to: &mut Deliver) {
    to.webhooks = keys.tables("webhook", webhook);
    to.syslog = keys.tables("syslog", |keys| {
        let address = keys.need("address", &SYSLOG_URL);
        let ca_file = file(keys, "ca_file");
        let min_severity = min_severity(keys);
        Some(SyslogTarget { address: address?, ca_file, min_severity })
    });
}

fn webhook(keys: &mut Keys<'_, '_>) -> Option<Webhook> {
    let url = keys.need("url", &WEB_URL);
    let mut format = WebhookFormat::Egret;
    keys.set("format", &WEBHOOK_FORMAT, &mut format);
    let secret_file = file(keys, "secret_file");
    let token_file = file(keys, "token_file");
    let ca_file = file(keys, "ca_file");
    let min_severity = min_severity(keys);
    if format == WebhookFormat::SplunkHec && !keys.is_given("token_file") {
        keys.note(keys.origin("format"), "token_file", "missing; Splunk takes nothing without one");
    }
    Some(Webhook { url: url?, format, secret_file, token_file, ca_file, min_severity })
}

fn min_severity(keys: &mut Keys<'_, '_>) -> Severity {
    let mut severity = Severity::Medium;
    keys.set("min_severity", &SEVERITY, &mut severity);
    severity
}

fn file(keys: &mut Keys<'_, '_>, key: &'static str) -> Option<PathBuf> {
    let mut path: Option<String> = None;
    keys.set(key, &TEXT, &mut path);
    path.map(PathBuf::from)
}

fn fleet(keys: &mut Keys<'_, '_>, to: &mut Fleet, sensor: &str) {
    keys.list("servers", &NATS_URL, &mut to.servers);
    keys.set("site", &SITE, &mut to.site);
    to.credentials_file = file(keys, "credentials_file");
    to.ca_file = file(keys, "ca_file");
    if to.is_on() && sensor.len() > LONGEST_NAME {
        let advice = format!(
            "the others know a sensor by its name, of at most {LONGEST_NAME} bytes: give a shorter \
             sensor.name than \"{sensor}\""
        );
        keys.note(keys.origin("servers"), "servers", &advice);
    }
}

fn http(keys: &mut Keys<'_, '_>, to: &mut Http) {
    keys.set("listen", &LISTEN, &mut to.listen);
    to.tls = keys.optional("tls", |keys| {
        let (cert, key) = (keys.need("cert", &TEXT), keys.need("key", &TEXT));
        Some(HttpTls { cert: cert?.into(), key: key?.into() })
    });
    to.token_file = file(keys, "token_file");
    keys.set("url", &BASE_URL, &mut to.url);
    if to.is_local() {
        return;
    }
    for (key, example) in [
        ("tls", "{ cert = \"/etc/egret/http.crt\", key = \"/etc/egret/http.key\" }"),
        ("token_file", "\"/etc/egret/http.token\""),
    ] {
        if !keys.is_given(key) {
            let advice = format!(
                "missing; other machines can reach http.listen = \"{}\": give {key} = {example}, or \
                 listen on \"127.0.0.1:{}\"",
                to.listen,
                to.listen.port(),
            );
            keys.note(keys.origin("listen"), key, &advice);
        }
    }
}
