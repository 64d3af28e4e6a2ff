//! What was changed on an ESXi host or a virtual machine that bears on where its traffic goes.

use std::sync::Arc;

/// A change that a log tells of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostChange {
    /// What was changed.
    pub change: Change,
    /// Which, in the log's words: a rule set, a resolver, the virtual machine.
    pub detail: Arc<str>,
    /// Who did it, where the log says so.
    pub account: Option<Arc<str>>,
}

/// What a [`HostChange`] changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Change {
    /// The host's firewall lets more through: a rule set of it was enabled or widened.
    FirewallOpened,
    /// The host's firewall was switched off.
    FirewallOff,
    /// Which resolvers the host asks.
    Resolvers,
    /// A virtual switch of the host, by its command line.
    Switch,
    /// Software was installed on the host, or updated.
    Installed,
    /// A virtual machine was made, registered or restored.
    Built,
}

impl Change {
    /// Its name in events.
    pub const fn name(self) -> &'static str {
        match self {
            Self::FirewallOpened => "firewall_opened",
            Self::FirewallOff => "firewall_off",
            Self::Resolvers => "resolvers_changed",
            Self::Switch => "switch_changed",
            Self::Installed => "software_installed",
            Self::Built => "vm_built",
        }
    }
}
