//! Where alerts go, and what each place is called: in metrics, in the log and in the outbox.

use reqwest::Url;

use super::failure::Failure;
use super::links::Links;
use super::{syslog, webhook};
use crate::alert::{Alert, Severity};
use crate::config::{Deliver, SyslogTarget, Webhook};
use crate::fleet::{Fleet, Publisher};
use crate::store::keeper::Subscription;
use crate::text::printable_within;
use crate::time::Timestamp;

/// The longest name, in bytes.
const LONGEST: usize = 128;

/// One place that alerts are sent to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Its name: the same for the same config, of bounded length, and without secrets.
    pub name: String,
    /// Alerts below it are not sent there.
    pub min_severity: Severity,
    /// Where people open the console; none: what is sent has no links.
    pub base: Option<Url>,
    /// Whether what it is owed waits while others deliver.
    waits: bool,
    place: Place,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    Webhook(Webhook),
    Syslog(SyslogTarget),
    Fleet(Publisher),
}

impl Target {
    /// The other sensors: all that is told, at once.
    pub fn fleet(publisher: Publisher) -> Self {
        Self {
            name: Publisher::name().to_owned(),
            min_severity: Severity::Informational,
            base: None,
            waits: false,
            place: Place::Fleet(publisher),
        }
    }

    /// The same, with what it is owed waiting while others deliver.
    #[must_use]
    pub fn waiting(self) -> Self {
        Self { waits: true, ..self }
    }

    /// What it is owed.
    pub fn subscription(&self) -> Subscription {
        let held = self.waits.then(Timestamp::default);
        Subscription { target: self.name.clone(), min_severity: self.min_severity, held }
    }

    pub(super) fn sender(&self) -> Sender {
        match &self.place {
            Place::Webhook(webhook) => {
                Sender::Webhook(Box::new(webhook::Sender::new(webhook.clone())))
            }
            Place::Syslog(target) => Sender::Syslog(syslog::Sender::new(target.clone())),
            Place::Fleet(publisher) => Sender::Fleet(publisher.clone()),
        }
    }
}

/// All targets of `[deliver]`, in the file's order; of equal names the second gets `#2`. `base` is where
/// people open the console.
pub fn targets(config: &Deliver, base: Option<&Url>) -> Vec<Target> {
    let webhooks = config.webhooks.iter().map(|webhook| Target {
        name: place_name(&webhook.url),
        min_severity: webhook.min_severity,
        base: base.cloned(),
        waits: false,
        place: Place::Webhook(webhook.clone()),
    });
    let syslog = config.syslog.iter().map(|target| Target {
        name: format!("syslog {} {}", target.address.scheme(), place_name(&target.address)),
        min_severity: target.min_severity,
        base: base.cloned(),
        waits: false,
        place: Place::Syslog(target.clone()),
    });
    let mut targets: Vec<Target> = Vec::new();
    for mut target in webhooks.chain(syslog) {
        let name = printable_within(&target.name, LONGEST).to_string();
        let mut numbered = name.clone();
        let mut number = 1;
        while targets.iter().any(|other| other.name == numbered) {
            number += 1;
            numbered = format!("{name}#{number}");
        }
        target.name = numbered;
        targets.push(target);
    }
    targets
}

/// The same for a sensor that is in a fleet, or in none.
pub fn within(fleet: Option<&Fleet>, config: &Deliver, base: Option<&Url>) -> Vec<Target> {
    let targets = targets(config, base);
    match fleet {
        Some(fleet) => fleet.within(targets),
        None => targets,
    }
}

/// Host, port where it is not the usual one, and the path as far as it consists of words.
fn place_name(url: &Url) -> String {
    let mut name = url.host_str().unwrap_or_default().to_owned();
    if let Some(port) = url.port() {
        name += &format!(":{port}");
    }
    for part in url.path().split('/').filter(|part| !part.is_empty()) {
        name += "/";
        if !is_word(part) {
            name += "…";
            break;
        }
        name += part;
    }
    name
}

/// Whether a part of a path tells no secret. Chat services put their tokens into paths: these
/// are long, or have capitals or many digits.
fn is_word(part: &str) -> bool {
    part.len() <= 24
        && part.bytes().all(|byte| byte.is_ascii_lowercase() || b"0123456789-_.".contains(&byte))
        && part.bytes().filter(u8::is_ascii_digit).count() <= 3
}

/// Sends to one target.
#[derive(Debug)]
pub(super) enum Sender {
    Webhook(Box<webhook::Sender>),
    Syslog(syslog::Sender),
    Fleet(Publisher),
}

impl Sender {
    /// Whether there is any use in an attempt.
    pub(super) fn is_ready(&self) -> bool {
        match self {
            Self::Fleet(publisher) => publisher.is_ready(),
            Self::Webhook(_) | Self::Syslog(_) => true,
        }
    }

    /// Waits until there is.
    pub(super) async fn ready(&self) {
        if let Self::Fleet(publisher) = self {
            publisher.ready().await;
        }
    }

    pub(super) async fn send(
        &mut self,
        alert: &Alert,
        links: Option<&Links>,
        now: Timestamp,
    ) -> Result<(), Failure> {
        match self {
            Self::Webhook(sender) => sender.send(alert, links, now).await,
            Self::Syslog(sender) => sender.send(alert, links).await,
            Self::Fleet(publisher) => Ok(publisher.send(alert).await?),
        }
    }

    /// Forgets connections and what was read from files.
    pub(super) fn renew(&mut self) {
        match self {
            Self::Webhook(sender) => sender.renew(),
            Self::Syslog(sender) => sender.renew(),
            Self::Fleet(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::WebhookFormat;

    fn webhook(url: &str) -> Webhook {
        Webhook {
            url: url.parse().unwrap(),
            format: WebhookFormat::Egret,
            secret_file: None,
            token_file: None,
            ca_file: None,
            min_severity: Severity::Medium,
        }
    }

    fn syslog(address: &str) -> SyslogTarget {
        let address = address.parse().unwrap();
        SyslogTarget { address, ca_file: None, min_severity: Severity::Low }
    }

    fn names(webhooks: &[&str], syslogs: &[&str]) -> Vec<String> {
        let webhooks = webhooks.iter().map(|url| webhook(url)).collect();
        let syslog = syslogs.iter().map(|address| syslog(address)).collect();
        targets(&Deliver { webhooks, syslog }, None).into_iter().map(|target| target.name).collect()
    }

    #[test]
    fn names_say_where_and_tell_no_secrets() {
        let long = format!("https://{}.example/{}", "a".repeat(63), "word/".repeat(50));
        let webhooks = [
            "https://soc.example/hook",
            "https://soc.example:443/hook?token=hunter2",
            "https://user:hunter2@soc.example:8443/api/v2/alerts#x",
            "https://hooks.chat.example/services/T00000000/B00000000/XXXXXXXXXXXXXXXX",
            "https://chat.example/api/webhooks/123456789012345678/hunter2",
            "http://[fd00::9]:8080",
            long.as_str(),
        ];
        let names = names(&webhooks, &["tcp://siem.example:6514", "udp://10.0.0.9:514"]);
        assert_eq!(
            names[..6],
            [
                "soc.example/hook",
                "soc.example/hook#2",
                "soc.example:8443/api/v2/alerts",
                "hooks.chat.example/services/…",
                "chat.example/api/webhooks/…",
                "[fd00::9]:8080",
            ]
        );
        assert!(names[6].len() <= LONGEST && names[6].ends_with('…'), "{}", names[6]);
        assert_eq!(names[7..], ["syslog tcp siem.example:6514", "syslog udp 10.0.0.9:514"]);
    }

    #[test]
    fn equal_names_are_numbered_in_the_files_order() {
        let url = "https://soc.example/hook";
        let names = names(&[url, url, url], &["udp://s:1", "udp://s:1"]);
        let expected = ["", "#2", "#3"].map(|number| format!("soc.example/hook{number}"));
        assert_eq!(names[..3], expected);
        assert_eq!(names[3..], ["syslog udp s:1", "syslog udp s:1#2"]);
    }
}
