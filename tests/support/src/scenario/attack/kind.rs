//! What can be planted: its names, what it evades, what is promised to find it.

use super::Formula;

/// What can be planted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttackKind {
    /// Exfiltration after staging, in one session to a new place.
    OneSession,
    /// The same in a dozen sessions.
    Pieces,
    /// The same without a server name, to an address never resolved.
    NoSni,
    /// The same to port 8443.
    OddPort,
    /// The same under a name the guest uses every day, to an address that is not that name's.
    UsualSni,
    /// The same to a cloud that the guest backs up to every night, several times as much.
    HabitualCloud,
    /// Staging, then a little every few minutes until the capture ends.
    Drip,
    /// A TLS session of a host to a place outside that nobody approved.
    EsxiEgress,
    /// The same of the vCenter.
    VcenterEgress,
    /// A beacon to ports calculated from DNS answers, at the answered address.
    DnsPort(Formula),
    /// The same, but at an address that is always the same and never in an answer.
    DnsPortElsewhere(Formula),
    /// The same at the answered address, and every connection is refused.
    DnsPortRefused(Formula),
    /// The same of an agent on a host.
    DnsPortOfHost(Formula),
    /// The same of a guest whose connections no mirror shows: only the firewall of NSX tells of them.
    DnsPortLogged(Formula),
    /// Guest operations of an account that has no business there.
    UnexpectedAccount,
    /// Those of an expected account at half past three at night.
    NightOperations,
    /// Those of an expected account at ten times its rate.
    BurstOfOperations,
    /// Those of an expected account in a machine where none are expected.
    UnauthorisedMachine,
    /// An account that only ever looks pulls files.
    FilePull,
    /// Somebody logs in on a host itself.
    HostLogin,
    /// A guest operation, and then TLS egress of that guest.
    OperationThenEgress,
    /// Exfiltration after staging to a new place, in one session or one every half hour.
    Sized(Extent),
    /// The same of what nobody saw the guest pull together.
    Unstaged(Extent),
    /// A little more every day, to a place that is new on the first day after the time of learning.
    SlowGrowth,
    /// Exfiltration after staging to a place that small sessions on the days before made known.
    Preseeded,
    /// Exfiltration after staging under a usual name, for which a spoofed answer gives the address.
    SpoofedAnswer,
    /// As much as the guest's backup takes, for as long and with no staging, at another hour and to
    /// another place.
    BackupShaped,
    /// Some hundred kilobytes now and then, for days and with no staging.
    LongDrip,
    /// A beacon to ports calculated from DNS answers, with connections to other ports in between.
    DnsPortDecoys(Formula),
    /// The same, with answers in between that nobody asked for.
    DnsPortSpoofed(Formula),
}

/// How much leaves, and how fast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// Bytes of content.
    pub bytes: u64,
    /// Seconds from the first to the last.
    pub seconds: u64,
}

impl Extent {
    const SIZES: [u64; 9] = [1, 5, 20, 100, 500, 1000, 5000, 20_000, 50_000];
    const DURATIONS: [u64; 6] = [60, 600, 3600, 6 * 3600, 24 * 3600, 48 * 3600];
    /// What a line carries in a second.
    const FASTEST: u64 = 125_000_000;

    /// From 1 MB to 50 GB in a minute to two days, but for what no line of 1 Gbit/s carries.
    pub fn grid() -> impl Iterator<Item = Self> {
        let all = Self::SIZES.into_iter().flat_map(|megabytes| {
            Self::DURATIONS.map(|seconds| Self { bytes: megabytes * 1_000_000, seconds })
        });
        all.filter(|extent| extent.bytes / extent.seconds <= Self::FASTEST)
    }
}

impl AttackKind {
    /// One of each.
    pub const ALL: [Self; 26] = [
        Self::OneSession,
        Self::Pieces,
        Self::NoSni,
        Self::OddPort,
        Self::UsualSni,
        Self::HabitualCloud,
        Self::Drip,
        Self::EsxiEgress,
        Self::VcenterEgress,
        Self::DnsPort(Formula::Apt12),
        Self::DnsPortElsewhere(Formula::Apt12),
        Self::DnsPortRefused(Formula::Apt12),
        Self::DnsPort(Formula::LastOctets),
        Self::DnsPort(Formula::Xor),
        Self::DnsPort(Formula::ProductOffset),
        Self::DnsPort(Formula::ProductModulus),
        Self::DnsPort(Formula::Multipliers),
        Self::DnsPortOfHost(Formula::Apt12),
        Self::DnsPortLogged(Formula::Apt12),
        Self::UnexpectedAccount,
        Self::NightOperations,
        Self::BurstOfOperations,
        Self::UnauthorisedMachine,
        Self::FilePull,
        Self::HostLogin,
        Self::OperationThenEgress,
    ];

    /// All that can be planted: [`Self::ALL`], then exfiltrations of all sizes and durations, beacons of all
    /// formulas, and what is done in order not to be found.
    pub fn every() -> Vec<Self> {
        let mut every = Self::ALL.to_vec();
        every.extend(Extent::grid().map(Self::Sized));
        let is_large = |extent: &Extent| {
            [100, 500, 5000].contains(&(extent.bytes / 1_000_000))
                && [600, 3600, 48 * 3600].contains(&extent.seconds)
        };
        every.extend(Extent::grid().filter(is_large).map(Self::Unstaged));
        for formula in Formula::ALL {
            every.extend([Self::DnsPort(formula), Self::DnsPortElsewhere(formula)]);
        }
        every.extend([
            Self::SlowGrowth,
            Self::Preseeded,
            Self::SpoofedAnswer,
            Self::BackupShaped,
            Self::LongDrip,
        ]);
        for formula in [Formula::Apt12, Formula::ProductOffset, Formula::Multipliers] {
            every.extend([Self::DnsPortDecoys(formula), Self::DnsPortSpoofed(formula)]);
        }
        let mut seen: Vec<Self> = Vec::new();
        every.retain(|kind| {
            let is_new = !seen.contains(kind);
            seen.extend(is_new.then_some(*kind));
            is_new
        });
        every
    }

    /// What its random numbers follow from.
    pub(super) fn label(self) -> String {
        match self {
            Self::Sized(Extent { bytes, seconds }) | Self::Unstaged(Extent { bytes, seconds }) => {
                format!("{} {bytes} {seconds}", self.name())
            }
            _ => self.name(),
        }
    }

    /// Its name in the truth: `group.variant`.
    pub fn name(self) -> String {
        match self {
            Self::OneSession => "exfiltration.one_session".into(),
            Self::Pieces => "exfiltration.pieces".into(),
            Self::NoSni => "exfiltration.no_sni".into(),
            Self::OddPort => "exfiltration.odd_port".into(),
            Self::UsualSni => "exfiltration.usual_sni".into(),
            Self::HabitualCloud => "exfiltration.habitual_cloud".into(),
            Self::Drip => "exfiltration.drip".into(),
            Self::EsxiEgress => "management_egress.esxi".into(),
            Self::VcenterEgress => "management_egress.vcenter".into(),
            Self::DnsPort(formula) => format!("dns_port.{}", formula.name()),
            Self::DnsPortElsewhere(formula) => format!("dns_port.{}_elsewhere", formula.name()),
            Self::DnsPortRefused(formula) => format!("dns_port.{}_refused", formula.name()),
            Self::DnsPortOfHost(formula) => format!("dns_port.{}_esxi", formula.name()),
            Self::DnsPortLogged(formula) => format!("dns_port.{}_logged", formula.name()),
            Self::UnexpectedAccount => "guest_operations.unexpected_account".into(),
            Self::NightOperations => "guest_operations.night".into(),
            Self::BurstOfOperations => "guest_operations.burst".into(),
            Self::UnauthorisedMachine => "guest_operations.unauthorised_vm".into(),
            Self::FilePull => "guest_operations.file_pull".into(),
            Self::HostLogin => "guest_operations.host_login".into(),
            Self::OperationThenEgress => "guest_operations.then_egress".into(),
            Self::Sized(_) => "exfiltration.sized".into(),
            Self::Unstaged(_) => "exfiltration.unstaged".into(),
            Self::SlowGrowth => "exfiltration.slow_growth".into(),
            Self::Preseeded => "exfiltration.preseeded".into(),
            Self::SpoofedAnswer => "exfiltration.spoofed_answer".into(),
            Self::BackupShaped => "exfiltration.backup_shaped".into(),
            Self::LongDrip => "exfiltration.long_drip".into(),
            Self::DnsPortDecoys(formula) => format!("dns_port.{}_decoys", formula.name()),
            Self::DnsPortSpoofed(formula) => format!("dns_port.{}_spoofed", formula.name()),
        }
    }

    /// What it does in order not to be found.
    pub(super) const fn evasion(self) -> Option<&'static str> {
        match self {
            Self::UsualSni => Some("usual_sni"),
            Self::HabitualCloud => Some("habitual_cloud"),
            Self::Drip | Self::LongDrip => Some("drip"),
            Self::SlowGrowth => Some("slow_growth"),
            Self::Preseeded => Some("preseeded"),
            Self::SpoofedAnswer | Self::DnsPortSpoofed(_) => Some("spoofed_answers"),
            Self::BackupShaped => Some("backup_shaped"),
            Self::DnsPortDecoys(_) => Some("decoy_ports"),
            _ => None,
        }
    }

    /// What its guest operations are evidence of: one of these has to be told.
    pub(super) const fn findings(self) -> &'static [&'static str] {
        match self {
            Self::UnexpectedAccount => &["unexpected_account"],
            Self::NightOperations => &["outside_business_hours"],
            Self::BurstOfOperations => &["frequency", "threshold"],
            Self::UnauthorisedMachine => &["vm_not_authorised"],
            Self::FilePull => &["files_pulled"],
            Self::HostLogin => &["unexpected_account", "first_seen_account", "files_pulled"],
            Self::OperationThenEgress => &["before_egress"],
            _ => &[],
        }
    }

    /// Whether Egret promises to find it.
    pub(super) const fn required(self) -> bool {
        match self {
            Self::Drip
            | Self::HostLogin
            | Self::Sized(_)
            | Self::Unstaged(_)
            | Self::SlowGrowth
            | Self::Preseeded
            | Self::SpoofedAnswer
            | Self::BackupShaped
            | Self::LongDrip
            | Self::DnsPortDecoys(_)
            | Self::DnsPortSpoofed(_) => false,
            Self::DnsPort(formula)
            | Self::DnsPortElsewhere(formula)
            | Self::DnsPortRefused(formula)
            | Self::DnsPortLogged(formula)
            | Self::DnsPortOfHost(formula) => matches!(formula, Formula::Apt12),
            _ => true,
        }
    }
}
