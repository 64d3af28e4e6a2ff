//! What was learned of an asset follows it to another name.

use ipnet::IpNet;

use super::{AssetBaseline, Baseline};
use crate::config::{Asset, Config, file};

impl Baseline {
    /// Gives assets of the config, of which nothing was learned under their names, what was learned
    /// under a name that nobody has now: of the same MAC address, else of a guest that was discovered at
    /// one of their addresses.
    pub(crate) fn adopt(&mut self, config: &Config) {
        for asset in &config.assets {
            if self.assets.contains_key(&*asset.name) {
                continue;
            }
            let free = |name: &str| !config.assets.iter().any(|other| *other.name == *name);
            let by_mac = self.assets.iter().find(|(name, kept)| free(name) && has_mac(asset, kept));
            let by_address = || {
                let mut all = self.assets.iter();
                all.find(|(name, kept)| free(name) && is_at(asset, name) && may_be(asset, kept))
            };
            let Some((before, _)) = by_mac.or_else(by_address) else { continue };
            let before = before.clone();
            if let Some(kept) = self.assets.remove(&before) {
                self.assets.insert(asset.name.to_string(), kept);
            }
        }
    }
}

fn has_mac(asset: &Asset, kept: &AssetBaseline) -> bool {
    kept.macs.iter().filter_map(|mac| file::mac(mac)).any(|mac| asset.macs.contains(&mac))
}

/// A discovered guest's name is the address it was discovered at.
fn is_at(asset: &Asset, name: &str) -> bool {
    let address = name.parse::<std::net::IpAddr>();
    address.is_ok_and(|address| asset.addresses.contains(&IpNet::from(address)))
}

/// Whether the MAC addresses that are known of both do not speak against it.
fn may_be(asset: &Asset, kept: &AssetBaseline) -> bool {
    asset.macs.is_empty() || kept.macs.is_empty() || has_mac(asset, kept)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Role;

    fn asset(name: &str, address: &str, mac: &str) -> Asset {
        Asset {
            name: name.into(),
            role: Role::Guest,
            addresses: file::prefix(address).into_iter().collect(),
            macs: file::mac(mac).into_iter().collect(),
            host: None,
        }
    }

    /// Fails when a guest that gets a name while the sensor is down is learned anew, or gets what was
    /// learned of another.
    #[test]
    fn a_name_given_while_nothing_ran_takes_over_what_was_learned() {
        let learned = |first_seen, mac: &str| {
            let macs = Vec::from([mac.to_owned()]);
            AssetBaseline { first_seen, macs, ..AssetBaseline::default() }
        };
        let kept = [
            ("10.0.0.1", learned(1, "00:50:56:00:00:01")),
            ("10.0.0.2", learned(2, "00:50:56:00:00:02")),
            ("10.0.0.3", learned(3, "00:50:56:00:00:03")),
            ("old", learned(4, "00:50:56:00:00:04")),
        ];
        let mut baseline = Baseline {
            assets: kept.map(|(name, learned)| (name.to_owned(), learned)).into(),
            ..Baseline::default()
        };
        let assets = vec![
            asset("moved", "10.0.0.9/32", "00:50:56:00:00:01"),
            asset("at", "10.0.0.2/32", ""),
            asset("another", "10.0.0.3/32", "00:50:56:00:00:33"),
            asset("old", "10.0.0.1/32", ""),
        ];
        baseline.adopt(&Config { assets, ..Config::default() });
        let known: Vec<_> =
            baseline.assets.iter().map(|(name, kept)| (name.as_str(), kept.first_seen)).collect();
        assert_eq!(known, [("10.0.0.3", 3), ("at", 2), ("moved", 1), ("old", 4)]);
    }
}
