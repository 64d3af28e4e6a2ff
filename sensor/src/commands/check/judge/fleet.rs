//! Whether the fleet's servers can be reached, and what it means how they are named.

use reqwest::Url;

use super::super::finding::Finding;
use crate::config::Fleet;
use crate::text::printable;

/// What a server said to whoever connected.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Deserialize)]
pub(in super::super) struct Greeting {
    #[serde(default)]
    pub(in super::super) version: String,
    #[serde(default)]
    pub(in super::super) jetstream: bool,
    /// Why it does not let this sensor in.
    #[serde(skip)]
    pub(in super::super) refused: Option<String>,
}

/// Judges `[fleet]`, and what each server answered.
pub(in super::super) fn judge(
    fleet: &Fleet,
    answers: &[(Url, Result<Greeting, String>)],
) -> Vec<Finding> {
    let subject = "fleet";
    let mut findings = Vec::new();
    for (url, answer) in answers {
        let name = printable(url.as_str()).to_string();
        findings.push(match answer {
            Ok(Greeting { version, refused: Some(reason), .. }) => Finding::problem(
                subject,
                "server",
                format_args!(
                    "{name}: NATS {} cannot be joined: {}",
                    printable(version),
                    printable(reason)
                ),
                "correct fleet.ca_file, fleet.credentials_file or the scheme in fleet.servers",
            ),
            Ok(Greeting { version, jetstream: true, .. }) => Finding::ok(
                subject,
                "server",
                format_args!("{name}: NATS {} with JetStream", printable(version)),
            ),
            Ok(Greeting { version, .. }) => Finding::problem(
                subject,
                "server",
                format_args!("{name}: NATS {} without JetStream", printable(version)),
                "jetstream { store_dir: \"/var/lib/nats\" } in its nats-server.conf",
            ),
            Err(reason) => Finding::problem(
                subject,
                "server",
                format_args!("{name}: {reason}"),
                "start nats-server there, open the way to it, or correct fleet.servers",
            ),
        });
    }
    if fleet.servers.len() == 2 {
        let text = "two servers are named: with one of them lost, nothing is agreed on";
        findings
            .push(Finding::note(subject, "servers", text).fixed_by("name three, of one cluster"));
    }
    let in_the_clear = fleet.servers.iter().filter(|url| url.scheme() == "nats").count();
    if fleet.is_on() && in_the_clear > 0 {
        let text = "what sensors tell each other, a password too, goes in the clear over nats://";
        let fix = "tls { ... } in nats-server.conf, and tls:// in fleet.servers";
        findings.push(Finding::note(subject, "tls", text).fixed_by(fix));
    }
    if fleet.is_on() && fleet.credentials_file.is_none() {
        let text = "without fleet.credentials_file the servers cannot tell one sensor from another";
        let fix = "a user for each sensor, held to its own subjects (docs/fleet.md)";
        findings.push(Finding::note(subject, "credentials", text).fixed_by(fix));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::super::finding::Level;
    use super::super::testing::assert_finding;
    use super::*;

    #[test]
    fn servers_are_judged_by_what_they_answer() {
        assert!(judge(&Fleet::default(), &[]).is_empty());
        let url: Url = "tls://nats-1.example:4222".parse().unwrap();
        let fleet = Fleet {
            servers: vec![url.clone()],
            credentials_file: Some("/etc/egret/nats.creds".into()),
            ..Fleet::default()
        };
        let judged = |answer| judge(&fleet, &[(url.clone(), answer)]);
        let good = Greeting { version: "2.9.10".to_owned(), jetstream: true, refused: None };
        assert_finding(&judged(Ok(good.clone())), "server", Level::Ok, &["2.9.10", "JetStream"]);
        assert_eq!(judged(Ok(good.clone())).len(), 1);
        let plain = Greeting { jetstream: false, ..good.clone() };
        assert_finding(&judged(Ok(plain)), "server", Level::Problem, &["without", "store_dir"]);
        let refused = Greeting { refused: Some("UnknownIssuer".to_owned()), ..good.clone() };
        let said = ["cannot be joined", "UnknownIssuer", "ca_file"];
        assert_finding(&judged(Ok(refused)), "server", Level::Problem, &said);
        let away = Err("Connection refused".to_owned());
        assert_finding(&judged(away), "server", Level::Problem, &["nats-1.example", "refused"]);
    }

    #[test]
    fn what_is_in_the_clear_or_unnamed_is_noted() {
        let servers = ["nats://a:4222", "nats://b:4222"].map(|url| url.parse().unwrap());
        let fleet = Fleet { servers: servers.into(), ..Fleet::default() };
        let findings = judge(&fleet, &[]);
        assert_finding(&findings, "servers", Level::Note, &["three"]);
        assert_finding(&findings, "tls", Level::Note, &["in the clear", "tls://"]);
        assert_finding(&findings, "credentials", Level::Note, &["docs/fleet.md"]);
    }
}
