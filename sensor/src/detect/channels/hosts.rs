//! What is changed on ESXi hosts that lets traffic go where it did not.

use super::finding::Finding;
use super::table::{Detector, Learns, Reads};
use crate::alert::Severity;
use crate::event::{Change, HostChange};
use crate::inventory::AssetId;
use crate::text::printable;
use crate::time::Timestamp;

/// A rule set, or all of it.
pub(super) const HOST_FIREWALL: Detector = Detector {
    name: "host_firewall",
    title: "Firewall of an ESXi host opened",
    detects: "a rule set of an ESXi host's firewall is enabled or widened, or the firewall is switched off",
    techniques: &["T1562.004"],
    most: Severity::Medium,
    prior: (-1.5, "administrators open rule sets to look for a fault"),
    reads: &[Reads::Logs],
    bound: "once; that it is off altogether weighs more",
    learns: Learns::Usual,
};

/// Whom it asks for names.
pub(super) const HOST_RESOLVERS: Detector = Detector {
    name: "host_resolvers",
    title: "Resolvers of an ESXi host changed",
    detects: "the resolvers of an ESXi host are changed by its command line",
    techniques: &["T1557"],
    most: Severity::Low,
    prior: (-1.0, "hosts get new resolvers now and then"),
    reads: &[Reads::Logs],
    bound: "once",
    learns: Learns::Usual,
};

/// Its switches.
pub(super) const HOST_SWITCH: Detector = Detector {
    name: "host_switch",
    title: "Virtual switch of an ESXi host changed by its command line",
    detects: "a virtual switch of an ESXi host or the policy of a port group is changed by the host's command \
              line, past vCenter",
    techniques: &["T1599"],
    most: Severity::Low,
    prior: (-1.5, "hosts are set up by scripts"),
    reads: &[Reads::Logs],
    bound: "once",
    learns: Learns::Usual,
};

/// What it adds that the firewall is off, in nats.
const OFF: f64 = 1.6;

/// A host was changed.
pub(super) fn changed(asset: AssetId, now: Timestamp, changed: &HostChange) -> Option<Finding> {
    let (of, what) = match changed.change {
        Change::FirewallOpened => (&HOST_FIREWALL, "let more through its firewall"),
        Change::FirewallOff => (&HOST_FIREWALL, "had its firewall switched off"),
        Change::Resolvers => (&HOST_RESOLVERS, "was given other resolvers"),
        Change::Switch => (&HOST_SWITCH, "had a virtual switch changed by command"),
        Change::Installed | Change::Built => return None,
    };
    let detail = printable(&changed.detail);
    let by = changed.account.as_ref().map(|who| format!(" by {}", printable(who)));
    let what = format!("{what}{}: {detail}", by.unwrap_or_default());
    let mut found = Finding::new(of, asset, now, ("changes", 1.0, 1.0));
    found.weight += if changed.change == Change::FirewallOff { OFF } else { 0.0 };
    Some(found.about(changed.detail.to_string(), what).with(vec![detail.to_string()]))
}

#[cfg(test)]
mod tests {
    use super::super::tests::World;
    use super::*;
    use crate::event::{Said, Service};

    fn told(change: Change, detail: &str) -> Vec<(String, Severity)> {
        let mut world = World::new();
        let account = Some("root".into());
        let changed = HostChange { change, detail: detail.into(), account };
        world.logged(10, Service::Shell, "esxi-01", Said::HostChanged(Box::new(changed)));
        world.short().into_iter().map(|(name, severity, _)| (name, severity)).collect()
    }

    #[test]
    fn what_opens_a_host_is_told_of_by_how_much_it_opens() {
        let only = |name: &str, severity| [(name.to_owned(), severity)];
        let firewall = "host_firewall";
        assert_eq!(told(Change::FirewallOpened, "httpClient"), only(firewall, Severity::Low));
        assert_eq!(told(Change::FirewallOff, "firewall"), only(firewall, Severity::Medium));
        assert_eq!(told(Change::Resolvers, "x"), only("host_resolvers", Severity::Low));
        assert_eq!(told(Change::Switch, "x"), only("host_switch", Severity::Low));
        assert_eq!(told(Change::Installed, "x"), [], "by itself nobody's business");
    }
}
