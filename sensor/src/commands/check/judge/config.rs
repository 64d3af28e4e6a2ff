//! What the config asks for and what it leaves out, the files it names, and its address.

use std::path::Path;

use ipnet::IpNet;

use super::super::facts::{Content, Listen, NamedFile, Port};
use super::super::finding::Finding;
use super::{counted, some_of};
use crate::capture::receive::{ReceiveError, Wrapping};
use crate::config::{Config, Role};
use crate::text::file_name;
use crate::time::Elapsed;

/// Days: learning for fewer knows no weekend.
const SHORT: u64 = 7;
/// Days: nobody waits so long for the first alert about habits.
const LONG: u64 = 60;

/// Judges a config that was read from `path`, with `imported` assets beside its own.
pub(in super::super) fn judge(config: &Config, path: Option<&Path>, imported: u64) -> Vec<Finding> {
    let mut findings = vec![match path {
        Some(path) => Finding::ok("config", "config", format_args!("read {}", file_name(path))),
        None => Finding::note(
            "config",
            "config",
            "no config file: every key that is not set has its default",
        )
        .fixed_by("/etc/egret/egret.toml   (an example comes with Egret)"),
    }];
    findings.extend([assets(config, imported), internal(config), learning(config)]);
    findings.extend(outside(config));
    if config.deliver.webhooks.is_empty() && config.deliver.syslog.is_empty() {
        let text = "alerts are sent nowhere; they are stored, and `egret alerts` shows them";
        let fix = "[[deliver.webhook]] or [[deliver.syslog]]";
        findings.push(Finding::note("config", "deliver", text).fixed_by(fix));
    }
    findings
}

fn assets(config: &Config, imported: u64) -> Finding {
    let named = config.assets.len() as u64;
    let management = config.assets.iter().filter(|asset| asset.role.is_management()).count();
    let text = format!("{} named here, {} imported", counted(named, "asset"), imported);
    if named + imported == 0 {
        let text = "no assets are named: guests are told by VMware's MAC addresses, ESXi hosts and \
                    vCenters are not recognised";
        let fix = "[[asset]] in the config, or `egret inventory import` of an RVTools export";
        Finding::note("config", "assets", text).fixed_by(fix)
    } else if management == 0 && imported == 0 {
        let text = format!("{text}; none of them is an ESXi host or a vCenter");
        let fix = format!("[[asset]] with role = \"{}\"", Role::Esxi.name());
        Finding::note("config", "assets", text).fixed_by(fix)
    } else {
        Finding::ok("config", "assets", text)
    }
}

fn internal(config: &Config) -> Finding {
    let (subject, check) = ("config", "internal");
    let internal = &config.network.internal;
    let shown: Vec<_> = internal.iter().map(ToString::to_string).collect();
    let shown = some_of(&shown, 6);
    if internal.is_empty() {
        let fix = "network.internal = [\"10.0.0.0/8\", …]";
        let text = "no network is internal: every connection counts as leaving";
        return Finding::problem(subject, check, text, fix);
    }
    if let Some(all) = internal.iter().find(|net| net.prefix_len() == 0) {
        let text = format!("{all} is internal: nothing of that family ever counts as leaving");
        return Finding::problem(subject, check, text, "network.internal without it");
    }
    if *internal == Config::default().network.internal {
        let text = format!("internal are the private ranges {shown}, as by default");
        return Finding::ok(subject, check, text);
    }
    Finding::ok(subject, check, format_args!("internal are {shown}"))
}

/// Assets whose addresses the config itself calls external.
fn outside(config: &Config) -> Option<Finding> {
    let is_internal = |net: &IpNet| config.network.internal.iter().any(|own| own.contains(net));
    let outside = |asset: &&crate::config::Asset| !asset.addresses.iter().all(is_internal);
    let names: Vec<_> = config.assets.iter().filter(outside).map(|asset| &asset.name).collect();
    (!names.is_empty()).then(|| {
        let text = format!(
            "{} with addresses that are not internal: {}",
            counted(names.len() as u64, "asset"),
            some_of(&names, 5)
        );
        Finding::note("config", "outside_assets", text)
            .fixed_by("add their networks to network.internal, unless they are meant to be outside")
    })
}

fn learning(config: &Config) -> Finding {
    let (subject, check) = ("config", "learning");
    let learning = config.baseline.learning;
    let text = format!("each asset is learned for {}", Elapsed(learning));
    let fix = "baseline.learning = \"7d\"";
    match learning.as_secs() / 86_400 {
        ..SHORT => Finding::note(
            subject,
            check,
            format_args!("{text}: less than a week knows no weekend, and alerts more"),
        )
        .fixed_by(fix),
        LONG.. => Finding::note(
            subject,
            check,
            format_args!("{text}: what is unusual is not told before"),
        )
        .fixed_by(fix),
        _ => Finding::ok(subject, check, text),
    }
}

/// Judges the files that the config names.
pub(in super::super) fn files(files: &[NamedFile]) -> Vec<Finding> {
    files.iter().map(file).collect()
}

fn file(file: &NamedFile) -> Finding {
    let NamedFile { key, path, content, exposed } = file;
    let name = file_name(path);
    match content {
        Err(why) => Finding::problem(
            key,
            "file",
            format_args!("{name}: {why}"),
            format_args!("sudo chown egret: {name}, or correct {key}"),
        ),
        Ok(Content::Nothing) => Finding::problem(
            key,
            "file",
            format_args!("{name} is empty"),
            format_args!("write it, or correct {key}"),
        ),
        Ok(Content::Something) if *exposed => Finding::note(
            key,
            "file",
            format_args!("{name} is a secret that every user of this machine can use"),
        )
        .fixed_by(format_args!("sudo chmod 600 {name}")),
        Ok(Content::Something) => Finding::ok(key, "file", format_args!("{name} can be read")),
    }
}

/// Judges a wrapping in `capture.receive`, and what opening it came to.
pub(in super::super) fn receive(
    wrapping: Wrapping,
    opened: &Result<(), ReceiveError>,
    is_running: bool,
) -> Finding {
    let (subject, check, name) = ("config", "receive", wrapping.name());
    match opened {
        Ok(()) => {
            let text = format!("{name}: mirrors sent to this host's addresses are not refused");
            Finding::ok(subject, check, text)
        }
        Err(ReceiveError::Taken { port, .. }) if is_running => {
            let text = format!("{name}: Egret is running, and UDP port {port} is held open");
            Finding::ok(subject, check, text)
        }
        Err(error @ ReceiveError::Taken { port, .. }) => {
            let fix =
                format!("sudo ss -lunp 'sport = :{port}' shows the program that has it, if any");
            Finding::note(subject, check, error.to_string()).fixed_by(fix)
        }
        Err(error @ ReceiveError::Module) => {
            Finding::note(subject, check, error.to_string()).fixed_by("sudo modprobe -r ip_gre")
        }
        Err(error) => {
            let fix = "run as root or as the systemd unit, or correct capture.receive";
            Finding::problem(subject, check, error.to_string(), fix)
        }
    }
}

/// Judges `http.listen`.
pub(in super::super) fn listen(listen: &Listen) -> Finding {
    let (subject, check) = ("http", "listen");
    let Listen { address, state } = listen;
    let fix = format!("http.listen = \"127.0.0.1:{}\"", address.port().max(9477));
    match state {
        Port::Free => Finding::ok(subject, check, format_args!("{address} is free")),
        Port::Egret => {
            Finding::ok(subject, check, format_args!("{address}: Egret is running there"))
        }
        Port::Hidden => {
            let text = format!("{address} is taken, and behind TLS does not say by whom");
            let fix = format!("sudo ss -ltnp 'sport = :{}' shows who has it", address.port());
            Finding::note(subject, check, text).fixed_by(fix)
        }
        Port::Taken => Finding::problem(
            subject,
            check,
            format_args!("{address} is taken by a program that does not answer as Egret does"),
            format_args!(
                "another port in http.listen; `sudo ss -ltnp 'sport = :{}'` shows who has it",
                address.port()
            ),
        ),
        Port::Privileged => Finding::problem(
            subject,
            check,
            format_args!("{address}: ports below 1024 need a privilege"),
            fix,
        ),
        Port::NotHere => Finding::problem(
            subject,
            check,
            format_args!("{address}: this machine does not have that address"),
            fix,
        ),
        Port::Failed(why) => {
            Finding::problem(subject, check, format_args!("{address}: {why}"), fix)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::super::super::finding::Level;
    use super::super::testing::assert_finding;
    use super::*;
    use crate::config::Asset;

    fn asset(role: Role, address: &str) -> Asset {
        let addresses = vec![address.parse().unwrap()];
        Asset { name: Arc::from(address), role, addresses, macs: Vec::new(), host: None }
    }

    #[test]
    fn a_config_is_judged_by_what_it_leaves_out() {
        let nothing = judge(&Config::default(), None, 0);
        assert_finding(&nothing, "config", Level::Note, &["no config file", "egret.toml"]);
        assert_finding(&nothing, "assets", Level::Note, &["[[asset]]", "inventory import"]);
        assert_finding(&nothing, "internal", Level::Ok, &["10.0.0.0/8", "by default"]);
        assert_finding(&nothing, "learning", Level::Ok, &["for 7d"]);
        assert_finding(&nothing, "deliver", Level::Note, &["[[deliver.webhook]]"]);
        let imported = judge(&Config::default(), Some(Path::new("/e.toml")), 12);
        assert_finding(&imported, "config", Level::Ok, &["read /e.toml"]);
        assert_finding(&imported, "assets", Level::Ok, &["12 imported"]);
    }

    #[test]
    fn what_receives_mirrors_is_told() {
        let taken = || Err(ReceiveError::Taken { wrapping: Wrapping::Vxlan, port: 4789 });
        let judge = |opened, is_running| [receive(Wrapping::Vxlan, &opened, is_running)];
        assert_finding(&judge(Ok(()), false), "receive", Level::Ok, &["vxlan", "not refused"]);
        assert_finding(&judge(taken(), true), "receive", Level::Ok, &["Egret is running", "4789"]);
        assert_finding(&judge(taken(), false), "receive", Level::Note, &["is taken", "ss -lunp"]);
        let module = judge(Err(ReceiveError::Module), false);
        assert_finding(&module, "receive", Level::Note, &["ip_gre", "modprobe -r"]);
        let source = std::io::ErrorKind::PermissionDenied.into();
        let failed = Err(ReceiveError::Failed { wrapping: Wrapping::Gre, source });
        assert_finding(&judge(failed, false), "receive", Level::Problem, &["gre", "CAP_NET_RAW"]);
    }

    #[test]
    fn assets_are_counted_and_those_outside_named() {
        let mut config =
            Config { assets: vec![asset(Role::Guest, "192.0.2.7/32")], ..Config::default() };
        let findings = judge(&config, None, 0);
        assert_finding(&findings, "assets", Level::Note, &["none of them is an ESXi host"]);
        let words = ["1 asset with", "192.0.2.7/32", "network.internal"];
        assert_finding(&findings, "outside_assets", Level::Note, &words);
        config.assets = vec![asset(Role::Esxi, "10.0.0.0/24")];
        let findings = judge(&config, None, 0);
        assert_finding(&findings, "assets", Level::Ok, &["1 asset named"]);
        assert!(findings.iter().all(|finding| finding.check != "outside_assets"));
    }

    #[test]
    fn ranges_that_make_detection_blind_are_problems() {
        let mut config = Config::default();
        config.network.internal = vec!["0.0.0.0/0".parse().unwrap()];
        let words = ["0.0.0.0/0 is internal", "network.internal without it"];
        assert_finding(&judge(&config, None, 0), "internal", Level::Problem, &words);
        config.network.internal.clear();
        let words = ["no network is internal"];
        assert_finding(&judge(&config, None, 0), "internal", Level::Problem, &words);
    }

    #[test]
    fn learning_too_short_or_too_long_is_noted() {
        let mut config = Config::default();
        for (days, words) in [(1, "weekend"), (90, "not told before")] {
            config.baseline.learning = Duration::from_secs(days * 86_400);
            assert_finding(&judge(&config, None, 0), "learning", Level::Note, &[words, "7d"]);
        }
    }

    #[test]
    fn files_are_judged_by_whether_they_can_be_used() {
        let key = "deliver.webhook.secret_file";
        let judged = |content, exposed| {
            files(&[NamedFile { key, path: "/etc/egret/s".into(), content, exposed }])
        };
        let missing = judged(Err("No such file or directory".into()), false);
        let words = ["/etc/egret/s: No such file", "chown egret: /etc/egret/s"];
        assert_finding(&missing, "file", Level::Problem, &words);
        let empty = judged(Ok(Content::Nothing), false);
        assert_finding(&empty, "file", Level::Problem, &["is empty", key]);
        let open = judged(Ok(Content::Something), true);
        assert_finding(&open, "file", Level::Note, &["chmod 600 /etc/egret/s"]);
        assert_finding(&judged(Ok(Content::Something), false), "file", Level::Ok, &["can be read"]);
    }

    #[test]
    fn the_address_is_free_or_egrets_or_a_problem() {
        let judged = |state| [listen(&Listen { address: "10.0.0.1:80".parse().unwrap(), state })];
        assert_finding(&judged(Port::Free), "listen", Level::Ok, &["10.0.0.1:80 is free"]);
        assert_finding(&judged(Port::Egret), "listen", Level::Ok, &["Egret is running"]);
        assert_finding(&judged(Port::Taken), "listen", Level::Problem, &["ss -ltnp", ":80"]);
        assert_finding(&judged(Port::Hidden), "listen", Level::Note, &["behind TLS", "ss -ltnp"]);
        let words = ["below 1024", "127.0.0.1:9477"];
        assert_finding(&judged(Port::Privileged), "listen", Level::Problem, &words);
        assert_finding(&judged(Port::NotHere), "listen", Level::Problem, &["http.listen"]);
        assert_finding(&judged(Port::Failed("odd".into())), "listen", Level::Problem, &["odd"]);
    }
}
