//! The kinds of value a key can have: how each is read, and what people are told it should be.

use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::Duration;

use ipnet::IpNet;
use jiff::tz::TimeZone;
use reqwest::Url;
use toml::value::Datetime;

use super::raw::Value;
use crate::alert::Severity;
use crate::capture::receive::Wrapping;
use crate::config::{
    Backend, BusinessHours, MirrorDestination, NamePattern, Role, WebhookFormat, is_link_local,
};
use crate::decode::Mac;
use crate::time::{Timestamp, parse_duration, parse_size};

/// One kind of value.
pub(super) struct Kind<T> {
    /// What it should be, with an example; follows the word "expected".
    pub(super) expected: &'static str,
    /// Reads one; `None` when it is something else.
    pub(super) read: fn(&Value) -> Option<T>,
}

pub(super) const FLAG: Kind<bool> = Kind {
    expected: "true or false, without quotes",
    read: |value| match value {
        Value::Boolean(flag) => Some(*flag),
        _ => None,
    },
};
pub(super) const TEXT: Kind<String> = Kind {
    expected: "a text in quotes, not empty and without control characters",
    read: |value| text(value).map(str::to_owned),
};
pub(super) const DURATION: Kind<Duration> = Kind {
    expected: "a duration in quotes, a number and a unit, such as \"30s\", \"5m\", \"2h\" or \"7d\"",
    read: |value| parse_duration(text(value)?).ok(),
};
pub(super) const WINDOW: Kind<Duration> = Kind {
    expected: "a duration above zero in quotes, such as \"30s\", \"5m\", \"2h\" or \"7d\"",
    read: |value| parse_duration(text(value)?).ok().filter(|window| !window.is_zero()),
};
pub(super) const SIZE: Kind<u64> = Kind {
    expected: "a size in quotes, a number and a unit, such as \"50MB\" (1000) or \"16KiB\" (1024)",
    read: |value| match value {
        Value::Integer(bytes) => u64::try_from(*bytes).ok(),
        _ => parse_size(text(value)?).ok(),
    },
};
pub(super) const ROOM: Kind<u64> = Kind {
    expected: "a size in quotes from \"1MiB\" to \"64GiB\", such as \"256MB\"",
    read: |value| (SIZE.read)(value).filter(|size| (1 << 20..=64 << 30).contains(size)),
};
pub(super) const RATE: Kind<f64> = Kind {
    expected: "a number above 0, such as 1.0",
    read: |value| {
        match value {
            Value::Integer(number) => Some(*number as f64),
            Value::Float(number) => Some(*number),
            _ => None,
        }
        .filter(|rate| rate.is_finite() && *rate > 0.0)
    },
};
pub(super) const COUNT: Kind<u32> = Kind {
    expected: "a whole number from 1 to 4294967295",
    read: |value| whole(value, 1..=u32::MAX),
};
pub(super) const PORT: Kind<u16> =
    Kind { expected: "a port from 1 to 65535", read: |value| whole(value, 1..=u16::MAX) };
pub(super) const SNAPLEN: Kind<u32> = Kind {
    expected: "a number of bytes from 64 to 262144",
    read: |value| whole(value, 64..=262_144),
};
pub(super) const WORKERS: Kind<u16> = Kind {
    expected: "a number of threads from 0 (one a core) to 1024",
    read: |value| whole(value, 0..=1024),
};
pub(super) const PREFIX: Kind<IpNet> = Kind {
    expected: "an address such as \"10.10.0.11\" or a network such as \"10.10.0.0/24\", with its \
               host bits zero",
    read: |value| prefix(text(value)?),
};
pub(super) const ADDRESS: Kind<IpAddr> = Kind {
    expected: "an address such as \"10.30.0.9\" or \"fd00::9\"",
    read: |value| text(value)?.parse().ok(),
};
pub(super) const LISTEN: Kind<SocketAddr> = Kind {
    expected: "an address and a port, such as \"127.0.0.1:9477\" or \"[::1]:9477\"",
    read: |value| text(value)?.parse().ok(),
};
pub(super) const MAC: Kind<Mac> = Kind {
    expected: "a MAC address such as \"00:50:56:6a:00:01\"",
    read: |value| mac(text(value)?),
};
pub(super) const NAME_PATTERN: Kind<NamePattern> = Kind {
    expected: "a DNS name such as \"depot.vmware.com\", or \"*.vmware.com\" for all names below it",
    read: |value| name_pattern(text(value)?),
};
pub(super) const ROLE: Kind<Role> = Kind {
    expected: "one of \"esxi\", \"vcenter\", \"guest\", \"other\"",
    read: |value| named(value, &Role::ALL, Role::name),
};
pub(super) const BACKEND: Kind<Backend> = Kind {
    expected: "one of \"auto\", \"xdp\", \"xdp-generic\", \"tc\", \"afpacket\", \"pcap\"",
    read: |value| named(value, &Backend::ALL, Backend::name),
};
pub(super) const WRAPPING: Kind<Wrapping> = Kind {
    expected: "one of \"vxlan\", \"geneve\", \"gre\"",
    read: |value| named(value, &Wrapping::ALL, Wrapping::name),
};
pub(super) const WEBHOOK_FORMAT: Kind<WebhookFormat> = Kind {
    expected: "one of \"egret\", \"ecs\", \"ocsf\", \"alertmanager\", \"splunk-hec\"",
    read: |value| named(value, &WebhookFormat::ALL, WebhookFormat::name),
};
pub(super) const SEVERITY: Kind<Severity> = Kind {
    expected: "one of \"informational\", \"low\", \"medium\", \"high\", \"critical\"",
    read: |value| named(value, &Severity::ALL, Severity::name),
};
pub(super) const BUSINESS_HOURS: Kind<BusinessHours> = Kind {
    expected: "days and hours, such as \"Mon-Fri 07:00-19:00\" or \"Mon,Wed,Sat 08:00-12:30\"",
    read: |value| BusinessHours::parse(text(value)?),
};
pub(super) const TIMEZONE: Kind<TimeZone> = Kind {
    expected: "an IANA time zone such as \"Europe/Berlin\" or \"UTC\"",
    read: |value| {
        let is_part = |c: char| c.is_ascii_alphanumeric() || "_+-/".contains(c);
        let name = text(value).filter(|name| name.chars().all(is_part))?;
        TimeZone::get(name).ok()
    },
};
pub(super) const TIME: Kind<Timestamp> = Kind {
    expected: "a time with its zone and without quotes, such as 2026-11-21T22:00:00Z",
    read: |value| match value {
        Value::Time(time) => instant(time),
        _ => None,
    },
};
pub(super) const MIRROR_DESTINATION: Kind<MirrorDestination> = Kind {
    expected: "an address, a prefix, or a provider's id such as \"tmt-0abc\" or \"eni-0def\"",
    read: |value| mirror_destination(text(value)?),
};
pub(super) const WEB_URL: Kind<Url> = Kind {
    expected: "a URL such as \"https://soc.example/hook\", not of a link-local address",
    read: |value| url(text(value)?, &["https", "http"]),
};
pub(super) const BASE_URL: Kind<Url> = Kind {
    expected: "the URL that people open, such as \"https://egret.example:9477\", without ? and #",
    read: |value| {
        let base = url(text(value)?, &["https", "http"])?;
        let is_bare = base.username().is_empty()
            && base.password().is_none()
            && base.query().is_none()
            && base.fragment().is_none();
        is_bare.then_some(base)
    },
};
pub(super) const SYSLOG_URL: Kind<Url> = Kind {
    expected: "\"tcp://host:port\", \"udp://host:port\" or \"tls://host:port\", not of a \
               link-local address",
    read: |value| {
        let address = url(text(value)?, &["tcp", "udp", "tls"])?;
        let is_bare = address.username().is_empty()
            && matches!(address.path(), "" | "/")
            && address.query().is_none();
        address.port().filter(|port| *port > 0 && is_bare)?;
        Some(address)
    },
};

pub(super) const NATS_URL: Kind<Url> = Kind {
    expected: "\"nats://host:4222\" or \"tls://host:4222\", without a user and not of a link-local \
               address",
    read: |value| {
        let address = url(text(value)?, &["nats", "tls"])?;
        let is_bare = address.username().is_empty()
            && address.password().is_none()
            && matches!(address.path(), "" | "/")
            && address.query().is_none()
            && address.fragment().is_none();
        is_bare.then_some(address)
    },
};
pub(super) const SITE: Kind<String> = Kind {
    expected: "a word of at most 32 letters, digits, - and _, such as \"dc1\"",
    read: |value| {
        let is_word = |text: &&str| {
            text.len() <= 32
                && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
        };
        text(value).filter(is_word).map(str::to_owned)
    },
};

/// A text that can be used as it is: something in it, and nothing that breaks a line.
fn text(value: &Value) -> Option<&str> {
    match value {
        Value::Text(text) if !text.trim().is_empty() => {
            Some(text.as_str()).filter(|text| !text.chars().any(char::is_control))
        }
        _ => None,
    }
}

fn whole<T: TryFrom<i64> + PartialOrd>(value: &Value, range: RangeInclusive<T>) -> Option<T> {
    match value {
        Value::Integer(number) => T::try_from(*number).ok().filter(|number| range.contains(number)),
        _ => None,
    }
}

fn named<T: Copy>(value: &Value, all: &[T], name: fn(T) -> &'static str) -> Option<T> {
    let text = text(value)?;
    all.iter().copied().find(|one| name(*one) == text)
}

/// An address or a network. `10.10.0.11/24` is refused: it could mean the host or its whole network.
pub(crate) fn prefix(text: &str) -> Option<IpNet> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(address.into());
    }
    text.parse::<IpNet>().ok().filter(|net| *net == net.trunc())
}

/// A MAC address, its octets apart by `:` or `-`.
pub(crate) fn mac(text: &str) -> Option<Mac> {
    let separator = if text.contains('-') { '-' } else { ':' };
    let mut octets = text.split(separator).map(|octet| {
        let is_octet = octet.len() == 2 && octet.chars().all(|c| c.is_ascii_hexdigit());
        u8::from_str_radix(octet, 16).ok().filter(|_| is_octet)
    });
    let mut mac = Mac::default();
    for octet in &mut mac.0 {
        *octet = octets.next()??;
    }
    octets.next().is_none().then_some(mac)
}

fn name_pattern(text: &str) -> Option<NamePattern> {
    let name = text.strip_prefix("*.").unwrap_or(text);
    let name = name.strip_suffix('.').unwrap_or(name);
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
    };
    (name.len() <= 253 && name.split('.').all(is_label)).then(|| NamePattern::new(text))
}

/// What begins as an address must be one, so that a mistyped address does not pass as an id.
fn mirror_destination(text: &str) -> Option<MirrorDestination> {
    if let Some(net) = prefix(text) {
        return Some(MirrorDestination::Net(net));
    }
    let is_id = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
        && text.contains(|c: char| !c.is_ascii_hexdigit() && c != ':' && c != '/')
        && !text.contains(char::is_whitespace);
    is_id.then(|| MirrorDestination::Provider(text.to_owned()))
}

fn url(text: &str, schemes: &[&str]) -> Option<Url> {
    // `Url` would encode a blank, or think away a slash too few.
    let (scheme, rest) = text.split_once("://")?;
    if !schemes.contains(&scheme) || rest.starts_with('/') || rest.contains(char::is_whitespace) {
        return None;
    }
    let url = Url::parse(text).ok()?;
    let host = url.host_str().filter(|host| !host.is_empty())?;
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    (!address.is_ok_and(is_link_local)).then_some(url)
}

fn instant(time: &Datetime) -> Option<Timestamp> {
    time.offset?;
    let instant: jiff::Timestamp = time.to_string().parse().ok()?;
    u64::try_from(instant.as_nanosecond()).ok().map(Timestamp::from_nanos)
}
