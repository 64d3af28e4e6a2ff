//! What the config approves: where mirrors may go, and who may change them.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;

use crate::config::{self, MirrorDestination};
use crate::event::Principal;

/// `[detect.mirror_policy]`, ready to be asked.
#[derive(Debug, Default)]
pub(super) struct Policy {
    nets: Vec<IpNet>,
    ids: BTreeSet<String>,
    principals: BTreeSet<String>,
    addresses: BTreeMap<String, IpAddr>,
    /// Addresses of this sensor, when it is sent mirrors.
    own: Vec<IpAddr>,
    pub(super) window: Duration,
    /// The destinations as the config has them, for people.
    pub(super) approved: Vec<String>,
}

/// What the config says of somebody who changes mirrors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trust {
    /// It names them.
    Listed,
    /// It names nobody.
    Anyone,
    /// It names others.
    Unlisted,
}

/// Where a mirror goes, as far as that is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Place {
    /// The provider's ids, in one spelling, the target's own first.
    pub(super) ids: Vec<String>,
    pub(super) addresses: Vec<IpAddr>,
}

impl Place {
    pub(super) const fn is_unknown(&self) -> bool {
        self.ids.is_empty() && self.addresses.is_empty()
    }

    pub(super) fn add_id(&mut self, id: &str) {
        let id = spelled(id);
        if !self.ids.contains(&id) {
            self.ids.push(id);
        }
    }

    pub(super) fn add_address(&mut self, address: IpAddr) {
        if let Err(at) = self.addresses.binary_search(&address) {
            self.addresses.insert(at, address);
        }
    }
}

impl Policy {
    pub(super) fn new(config: &config::MirrorPolicy, own: &[IpAddr]) -> Self {
        let mut policy = Self {
            principals: config.principals.iter().map(|name| name.to_lowercase()).collect(),
            addresses: config.addresses.iter().map(|(id, to)| (spelled(id), *to)).collect(),
            own: own.to_vec(),
            window: config.window,
            ..Self::default()
        };
        for destination in &config.destinations {
            policy.approved.push(match destination {
                MirrorDestination::Net(net) if net.prefix_len() == net.max_prefix_len() => {
                    policy.nets.push(*net);
                    net.addr().to_string()
                }
                MirrorDestination::Net(net) => {
                    policy.nets.push(*net);
                    net.to_string()
                }
                MirrorDestination::Provider(id) => {
                    policy.ids.insert(spelled(id));
                    id.clone()
                }
            });
        }
        policy
    }

    /// What an id is on the wire, where the config says so.
    pub(super) fn address_of(&self, id: &str) -> Option<IpAddr> {
        self.addresses.get(id).copied()
    }

    /// Whether mirrors may be sent to an address: one that the config lists, by itself or as what an id
    /// in its list is on the wire, or this sensor's.
    pub(super) fn allows_address(&self, address: IpAddr) -> bool {
        self.own.contains(&address)
            || self.nets.iter().any(|net| net.contains(&address))
            || self.addresses.iter().any(|(id, to)| *to == address && self.ids.contains(id))
    }

    /// Whether it lists an id, in one spelling.
    pub(super) fn allows_id(&self, id: &str) -> bool {
        self.ids.contains(id)
    }

    /// Whether a mirror may go there: any of its ids is listed, or all its addresses are.
    pub(super) fn allows(&self, place: &Place) -> bool {
        let mut addresses = place.addresses.iter();
        place.ids.iter().any(|id| self.allows_id(id))
            || (!place.addresses.is_empty()
                && addresses.all(|address| self.allows_address(*address)))
    }

    /// What it says of who made a change.
    pub(super) fn trust(&self, principal: Option<&Principal>) -> Trust {
        if self.principals.is_empty() {
            return Trust::Anyone;
        }
        let is_listed =
            principal.is_some_and(|who| self.principals.contains(&who.name.to_lowercase()));
        if is_listed { Trust::Listed } else { Trust::Unlisted }
    }
}

/// An id in one spelling: in lower case, of Google Cloud without the URL that it may stand in.
pub(super) fn spelled(id: &str) -> String {
    let id = id.to_lowercase();
    match id.strip_prefix("https://").and_then(|url| url.split_once("/projects/")) {
        Some((_, path)) => format!("projects/{path}"),
        None => id,
    }
}

/// The account that an id says it belongs to: of an ARN, a resource of Google Cloud or of Azure.
pub(super) fn account_of(id: &str) -> Option<&str> {
    let named = if let Some(arn) = id.strip_prefix("arn:") {
        arn.split(':').nth(3)
    } else {
        let path = id.strip_prefix('/').unwrap_or(id);
        let (kind, rest) = path.split_once('/')?;
        ["projects", "subscriptions"].contains(&kind).then(|| rest.split('/').next()).flatten()
    };
    named.filter(|account| !account.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> Policy {
        let id = |id: &str| MirrorDestination::Provider(id.to_owned());
        Policy::new(
            &config::MirrorPolicy {
                destinations: vec![
                    MirrorDestination::Net("10.40.0.0/24".parse().unwrap()),
                    id("tmt-0ABC"),
                    id("eni-0def"),
                ],
                principals: vec!["arn:aws:iam::111122223333:role/NetOps".to_owned()],
                addresses: [("eni-0def".to_owned(), "10.30.0.9".parse().unwrap())].into(),
                ..config::MirrorPolicy::default()
            },
            &["10.50.0.1".parse().unwrap()],
        )
    }

    fn place(ids: &[&str], addresses: &[&str]) -> Place {
        let mut place = Place::default();
        ids.iter().for_each(|id| place.add_id(id));
        addresses.iter().for_each(|address| place.add_address(address.parse().unwrap()));
        place
    }

    #[test]
    fn one_id_approves_and_of_addresses_all_have_to() {
        let policy = policy();
        for (ids, addresses, expected) in [
            (&["tmt-0abc"][..], &[][..], true),
            (&["tmt-other", "ENI-0def"], &["198.51.100.7"], true),
            (&["tmt-other"], &["10.40.0.7"], true),
            (&["tmt-other"], &["10.40.0.7", "198.51.100.7"], false),
            (&[], &["10.30.0.9"], true),
            (&[], &["10.50.0.1"], true),
            (&["tmt-other"], &[], false),
            (&[], &[], false),
        ] {
            assert_eq!(policy.allows(&place(ids, addresses)), expected, "{ids:?} {addresses:?}");
        }
    }

    #[test]
    fn principals_are_named_in_any_case_and_nobody_named_is_anyone() {
        let who = |name: &str| Principal {
            name: name.into(),
            full: None,
            foreign_account: None,
            by_console: false,
        };
        let policy = policy();
        let listed = who("arn:aws:iam::111122223333:ROLE/netops");
        assert_eq!(policy.trust(Some(&listed)), Trust::Listed);
        assert_eq!(policy.trust(Some(&who("netops"))), Trust::Unlisted);
        assert_eq!(policy.trust(None), Trust::Unlisted);
        assert_eq!(Policy::default().trust(None), Trust::Anyone);
    }

    #[test]
    fn ids_name_their_account_and_urls_are_cut_to_the_resource() {
        let nlb = "arn:aws:elasticloadbalancing:eu-west-1:999988887777:loadbalancer/net/x/1";
        assert_eq!(account_of(nlb), Some("999988887777"));
        assert_eq!(account_of("/subscriptions/s-1/resourceGroups/g"), Some("s-1"));
        assert_eq!(account_of("projects/p-1/regions/r"), Some("p-1"));
        assert_eq!(account_of("tmt-0abc"), None);
        assert_eq!(
            spelled("https://www.googleapis.com/compute/v1/projects/P/regions/r"),
            "projects/p/regions/r"
        );
    }
}
