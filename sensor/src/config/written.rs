//! Config as it is written in the file.

use std::fmt;

use super::{Approve, NamePattern};

impl fmt::Display for NamePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(name) => f.write_str(name),
            Self::Below(suffix) => write!(f, "*{suffix}"),
        }
    }
}

/// As an entry of the config file, its heading first.
impl fmt::Display for Approve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[[approve]]\n")?;
        list(f, "role", self.roles.iter().map(|role| quoted(role.name())))?;
        list(f, "asset", self.assets.iter().map(|name| quoted(name)))?;
        list(f, "sni", self.sni.iter().map(|pattern| quoted(&pattern.to_string())))?;
        list(f, "destination", self.destinations.iter().map(|net| quoted(&net.to_string())))?;
        list(f, "port", self.ports.iter().map(u16::to_string))?;
        match &self.note {
            Some(note) => writeln!(f, "note = {}", quoted(note)),
            None => Ok(()),
        }
    }
}

fn list(f: &mut fmt::Formatter<'_>, key: &str, items: impl Iterator<Item = String>) -> fmt::Result {
    let items: Vec<_> = items.collect();
    if items.is_empty() {
        return Ok(());
    }
    writeln!(f, "{key} = [{}]", items.join(", "))
}

/// A text as a string of TOML, in one line where it is one.
pub(crate) fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::config::{Config, Role, file};

    fn any_approve() -> impl Strategy<Value = Approve> {
        let texts = || prop::collection::vec("[^\\p{Cc}]{0,20}[a-z'\"\\\\]", 0..3);
        let names = prop::collection::vec("(\\*\\.)?[a-z0-9_-]{1,9}\\.[a-z]{2,6}", 0..3);
        let net = (any::<std::net::IpAddr>(), any::<u8>()).prop_map(|(address, length)| {
            let most = if address.is_ipv4() { 32 } else { 128 };
            ipnet::IpNet::new(address, length.min(most)).unwrap().trunc()
        });
        let roles = prop::sample::subsequence(Role::ALL.to_vec(), 0..4);
        let nets = prop::collection::vec(net, 0..3);
        let ports = prop::collection::vec(1u16.., 1..3);
        (roles, texts(), names, nets, ports, texts()).prop_map(
            |(roles, assets, sni, destinations, ports, notes)| Approve {
                roles,
                assets,
                sni: sni.iter().map(|name| NamePattern::new(name)).collect(),
                destinations,
                ports,
                note: notes.first().cloned(),
            },
        )
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(entry in any_approve()) {
            let read = file::parse("test", &entry.to_string(), &[], Config::default());
            prop_assert_eq!(read.unwrap().approve, vec![entry]);
        }
    }
}
