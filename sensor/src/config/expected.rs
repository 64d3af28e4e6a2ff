//! What is to be approved, as people say it, and approvals in words: the same for commands and the API.

use ipnet::IpNet;
use serde::Deserialize;

use super::file::{self, ConfigError};
use super::{Approve, Config, NamePattern};

/// An approval as it was asked for, checked by [`Expected::read`] as the config would be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Expected {
    /// Names of assets; empty: any.
    pub asset: Vec<String>,
    /// Names of roles; empty: any.
    pub role: Vec<String>,
    /// Server names; empty: any.
    pub sni: Vec<String>,
    /// Addresses and prefixes; empty: any.
    pub destination: Vec<String>,
    /// Ports; empty: any.
    pub port: Vec<u16>,
    /// For people.
    pub note: Option<String>,
}

/// Why something is no approval.
#[derive(Debug, thiserror::Error)]
pub enum ExpectedError {
    /// It says nobody.
    #[error("for whom is this expected? Give asset or role")]
    Who,
    /// It says no place.
    #[error("where to is this expected? Give sni, destination or port")]
    Where,
    /// A value is wrong.
    #[error(transparent)]
    Wrong(#[from] ConfigError),
}

impl Expected {
    /// The approval that is meant.
    ///
    /// # Errors
    /// When it is for nobody in particular, leads to no place in particular, or the config could not
    /// say it.
    pub fn read(&self) -> Result<Approve, ExpectedError> {
        if self.asset.is_empty() && self.role.is_empty() {
            return Err(ExpectedError::Who);
        }
        if self.sni.is_empty() && self.destination.is_empty() && self.port.is_empty() {
            return Err(ExpectedError::Where);
        }
        let read = file::parse("approval", &self.written(), &[], Config::default());
        read?.approve.pop().ok_or(ExpectedError::Where)
    }

    /// As it would be in the config.
    fn written(&self) -> String {
        let mut text = "[[approve]]\n".to_owned();
        let lists = [
            ("asset", &self.asset),
            ("role", &self.role),
            ("sni", &self.sni),
            ("destination", &self.destination),
        ];
        for (key, values) in lists.into_iter().filter(|(_, values)| !values.is_empty()) {
            text += &format!("{key} = {}\n", toml::Value::from(values.clone()));
        }
        if !self.port.is_empty() {
            let ports: Vec<i64> = self.port.iter().map(|port| i64::from(*port)).collect();
            text += &format!("port = {}\n", toml::Value::from(ports));
        }
        if let Some(note) = &self.note {
            text += &format!("note = {}\n", toml::Value::from(note.clone()));
        }
        text
    }
}

impl Approve {
    /// For whom it is.
    pub fn who(&self) -> String {
        let roles: Vec<_> = self.roles.iter().map(|role| role.name()).collect();
        match (self.assets.join(", "), roles.join(", ")) {
            (assets, roles) if assets.is_empty() && roles.is_empty() => "everyone".to_owned(),
            (assets, roles) if roles.is_empty() => assets,
            (assets, roles) if assets.is_empty() => format!("role {roles}"),
            (assets, roles) => format!("{assets} as role {roles}"),
        }
    }

    /// Where it leads.
    pub fn place(&self) -> String {
        let any = |texts: Vec<String>| (!texts.is_empty()).then(|| texts.join(", "));
        let names = any(self.sni.iter().map(ToString::to_string).collect());
        let networks = any(self.destinations.iter().map(network).collect());
        let mut place = match (names, networks) {
            (Some(names), Some(networks)) => format!("{names} at {networks}"),
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => "any place".to_owned(),
        };
        if let Some(ports) = any(self.ports.iter().map(u16::to_string).collect()) {
            place += &format!(" on port {ports}");
        }
        place
    }

    /// Whether it has to do with a place, by its registered domain or network: some of the names or
    /// addresses there.
    pub fn concerns(&self, destination: &str) -> bool {
        let within = |name: &str| {
            name == destination
                || name.strip_suffix(destination).is_some_and(|left| left.ends_with('.'))
        };
        let names = |pattern: &NamePattern| match pattern {
            NamePattern::Exact(name) => within(name),
            NamePattern::Below(suffix) => {
                within(suffix.trim_start_matches('.')) || destination.ends_with(suffix.as_str())
            }
        };
        match destination.parse::<IpNet>() {
            Ok(network) => self.destinations.iter().any(|approved| {
                approved.contains(&network.network()) || network.contains(&approved.network())
            }),
            Err(_) => self.sni.iter().any(names),
        }
    }
}

/// A single address without its length, as people write it.
fn network(network: &IpNet) -> String {
    if network.prefix_len() == network.max_prefix_len() {
        network.addr().to_string()
    } else {
        network.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn it_needs_somebody_and_a_place() {
        let nobody = Expected { port: vec![443], ..Expected::default() };
        assert!(matches!(nobody.read(), Err(ExpectedError::Who)));
        let nowhere = Expected { asset: texts(&["web-01"]), ..Expected::default() };
        assert!(matches!(nowhere.read(), Err(ExpectedError::Where)));
    }

    /// Whoever can choose a name must not get more approved than that name.
    #[test]
    fn a_name_cannot_leave_its_string() {
        let hostile = "web\"]\nrole = [\"esxi\"]\n[[approve]]\nsni = [\"*.com";
        let asked = Expected {
            asset: texts(&[hostile]),
            sni: texts(&["cdn.example"]),
            port: vec![443],
            note: Some("\"\"\"\n[http]\nlisten = 1".to_owned()),
            ..Expected::default()
        };
        let read = asked.read();
        if let Ok(read) = read {
            assert_eq!((&read.assets[..], read.roles.len()), (&texts(&[hostile])[..], 0));
            assert_eq!(read.sni, [NamePattern::new("cdn.example")]);
        }
        for wrong in ["10.0.0.0/33", "cdn.example", ""] {
            let asked = Expected { destination: texts(&[wrong]), ..asked.clone() };
            assert!(matches!(asked.read(), Err(ExpectedError::Wrong(_))), "{wrong}");
        }
    }
}
