//! ArcSight's Common Event Format (CEF:0), one line an alert.

use std::fmt::{self, Display};
use std::net::IpAddr;

use super::super::links::Links;
use super::{PRODUCT, VERSION, community_ids, millis, percent};
use crate::alert::{Alert, Severity};
use crate::text::{LIMIT, printable_within};

/// The longest title and the longest summary, in bytes: a whole message fits a datagram.
const LONGEST_TITLE: usize = 200;
const LONGEST_SUMMARY: usize = 600;

/// `CEF:0|Egret|Egret|version|analytic|title|severity|extension`.
pub(in super::super) fn cef(alert: &Alert, links: Option<&Links>) -> String {
    let title = printable_within(&alert.title, LONGEST_TITLE).to_string();
    format!(
        "CEF:0|{PRODUCT}|{PRODUCT}|{VERSION}|{:?}|{}|{}|{}",
        alert.analytic,
        Escaped { text: &title, special: &['|', '\\'] },
        severity(alert.severity),
        extension(alert, links),
    )
}

/// 0 to 10.
const fn severity(severity: Severity) -> u8 {
    match severity {
        Severity::Informational => 1,
        Severity::Low => 3,
        Severity::Medium => 5,
        Severity::High => 8,
        Severity::Critical => 10,
    }
}

fn extension(alert: &Alert, links: Option<&Links>) -> String {
    let mut fields = Fields(String::new());
    fields.add("rt", millis(alert.time));
    fields.add("start", millis(alert.first_seen));
    fields.add("end", millis(alert.last_seen));
    fields.add("cnt", alert.count);
    fields.add("externalId", alert.id);
    fields.add("dvchost", &alert.sensor);
    fields.add("cat", alert.techniques.join(","));
    fields.add("deviceDirection", 1);
    fields.add("shost", &alert.asset.name);
    if let Some(address) = alert.asset.address {
        fields.address("src", ("c6a2", "Source IPv6 Address"), address);
    }
    if let Some(account) = alert.account() {
        fields.add("suser", account);
    }
    if let Some(mac) = &alert.asset.mac {
        fields.add("smac", mac);
    }
    if let Some(to) = &alert.destination {
        fields.address("dst", ("c6a3", "Destination IPv6 Address"), to.address);
        if to.port > 0 {
            fields.add("dpt", to.port);
        }
        if let Some(sni) = &to.sni {
            fields.add("dhost", sni);
        }
        if let Some(ja4) = &to.ja4 {
            fields.labelled(("cs3", "ja4"), ja4);
        }
    }
    fields.labelled(("cs1", "role"), format_args!("{}", alert.asset.role));
    if let Some(id) = community_ids(alert).first() {
        fields.labelled(("cs2", "communityId"), id);
    }
    if let Some(links) = links {
        fields.labelled(("cs4", "console"), &links.console);
        if let Some(pcap) = &links.pcap {
            fields.labelled(("cs5", "pcap"), pcap);
        }
    }
    fields.labelled(("cn1", "confidence"), percent(alert));
    fields.add_within("msg", &alert.summary, LONGEST_SUMMARY);
    fields.0
}

/// `key=value` with a blank between.
struct Fields(String);

impl Fields {
    fn add(&mut self, key: &str, value: impl Display) {
        self.add_within(key, &value.to_string(), LIMIT);
    }

    fn add_within(&mut self, key: &str, value: &str, limit: usize) {
        let value = printable_within(value, limit).to_string();
        let blank = if self.0.is_empty() { "" } else { " " };
        let value = Escaped { text: &value, special: &['=', '\\'] };
        self.0 += &format!("{blank}{key}={value}");
    }

    fn labelled(&mut self, (key, label): (&str, &str), value: impl Display) {
        self.add(key, value);
        self.add(&format!("{key}Label"), label);
    }

    /// `src` and `dst` are for IPv4 only.
    fn address(&mut self, v4: &str, v6: (&str, &str), address: IpAddr) {
        match address {
            IpAddr::V4(address) => self.add(v4, address),
            IpAddr::V6(address) => self.labelled(v6, address),
        }
    }
}

/// A text with a backslash before what would end it. It holds no control characters any more.
struct Escaped<'a> {
    text: &'a str,
    special: &'static [char],
}

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.chars().try_for_each(|c| {
            if self.special.contains(&c) {
                f.write_str("\\")?;
            }
            fmt::Write::write_char(f, c)
        })
    }
}
