//! What a log message said, as far as it was understood.

use std::net::IpAddr;
use std::sync::Arc;

use super::{FlowRecord, HostChange, MirrorChange, Mirrored, Operation};
use crate::time::Timestamp;

/// One fact that a log told.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// When it happened, by this sensor's clock as far as that is known.
    pub time: Timestamp,
    /// When it happened, by the clock of who says so.
    pub stated: Option<Timestamp>,
    /// Who says so.
    pub reporter: Reporter,
    /// What happened.
    pub said: Said,
}

/// Who wrote a log message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reporter {
    /// The program.
    pub service: Service,
    /// The host, as the message's header names it; files of a support bundle do not.
    pub host: Option<Arc<str>>,
    /// The address it was sent from; of files there is none.
    pub peer: Option<IpAddr>,
}

/// A program whose messages are understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Service {
    /// The host agent of ESXi.
    Hostd,
    /// vCenter's agent on ESXi.
    Vpxa,
    /// vCenter.
    Vpxd,
    /// The observation daemon of ESXi.
    Vobd,
    /// ESXi's kernel.
    Vmkernel,
    /// The proxy in front of the management API: envoy, rhttpproxy before ESXi 8.
    Proxy,
    /// Audit records of ESXi.
    Audit,
    /// Single sign-on of vCenter.
    Sso,
    /// The SSH server or shell of ESXi.
    Shell,
    /// The distributed firewall of NSX, and its manager's audit log.
    Nsx,
    /// A switch or router, by its syslog.
    Device,
    /// AWS CloudTrail.
    CloudTrail,
    /// Flow logs of the networks of AWS, Google Cloud and Azure.
    FlowLog,
    /// Cloud Audit Logs of Google Cloud.
    Gcp,
    /// The activity log of Azure.
    Azure,
    /// Events of vCenter, exported as JSON.
    Vcenter,
    /// An exporter of NetFlow, version 5 or 9.
    NetFlow,
    /// An exporter of IPFIX (RFC 7011).
    Ipfix,
    /// An agent of sFlow, version 5.
    SFlow,
    /// The firewall of Linux: iptables or nftables.
    Netfilter,
    /// The firewall of the BSDs and macOS.
    Pf,
}

impl Service {
    /// All of them.
    pub const ALL: [Self; 21] = [
        Self::Hostd,
        Self::Vpxa,
        Self::Vpxd,
        Self::Vobd,
        Self::Vmkernel,
        Self::Proxy,
        Self::Audit,
        Self::Sso,
        Self::Shell,
        Self::Nsx,
        Self::Device,
        Self::CloudTrail,
        Self::FlowLog,
        Self::Gcp,
        Self::Azure,
        Self::Vcenter,
        Self::NetFlow,
        Self::Ipfix,
        Self::SFlow,
        Self::Netfilter,
        Self::Pf,
    ];

    /// Its name in events and labels.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hostd => "hostd",
            Self::Vpxa => "vpxa",
            Self::Vpxd => "vpxd",
            Self::Vobd => "vobd",
            Self::Vmkernel => "vmkernel",
            Self::Proxy => "proxy",
            Self::Audit => "audit",
            Self::Sso => "sso",
            Self::Shell => "shell",
            Self::Nsx => "nsx",
            Self::Device => "device",
            Self::CloudTrail => "cloudtrail",
            Self::FlowLog => "flow_log",
            Self::Gcp => "gcp_audit",
            Self::Azure => "azure_activity",
            Self::Vcenter => "vcenter",
            Self::NetFlow => "netflow",
            Self::Ipfix => "ipfix",
            Self::SFlow => "sflow",
            Self::Netfilter => "netfilter",
            Self::Pf => "pf",
        }
    }
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Said {
    /// Somebody used the Guest Operations API on a virtual machine.
    GuestOperation(Box<GuestOperation>),
    /// Somebody logged in, out, or failed to.
    Session(Box<Session>),
    /// A distributed switch was reconfigured: how, is not said.
    SwitchReconfigured {
        /// Name of the switch.
        switch: Arc<str>,
        /// Who did it.
        account: Option<Arc<str>>,
    },
    /// What is mirrored where was changed, or that was tried.
    MirrorChanged(Box<MirrorChange>),
    /// Mirrored packets, as a flow log tells of them.
    Mirrored(Box<Mirrored>),
    /// Which address something of a cloud has, by the cloud's id: mirrors name ids, packets have addresses.
    Address {
        /// The id: `eni-0abc`.
        id: Arc<str>,
        /// One of its addresses.
        address: IpAddr,
    },
    /// A conversation, as a proxy or a firewall saw it.
    Conversation(Box<Conversation>),
    /// What a conversation moved, as an exporter or a firewall counted it.
    Exported(Box<FlowRecord>),
    /// Something was changed on a host.
    HostChanged(Box<HostChange>),
    /// Where a virtual machine runs.
    Placement {
        /// Name of the virtual machine.
        vm: Arc<str>,
        /// Name of the ESXi host.
        host: Arc<str>,
        /// It was made or registered there just now, as one that is restored is, too.
        is_new: bool,
    },
}

/// A use of the Guest Operations API (ATT&CK T1675).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuestOperation {
    /// What was done.
    pub operation: Operation,
    /// Name of the virtual machine; records of calls (audit, vCenter's tasks) do not have it.
    pub vm: Option<Arc<str>>,
    /// Who did it, and how that is known; hostd does not say.
    pub account: Option<Claim>,
    /// The address that the client called the API from, where one is known.
    pub client: Option<IpAddr>,
    /// Whether it was refused: the credentials by the guest, or the call for want of a privilege.
    pub is_refused: bool,
    /// The reporter's number for its event: two messages with the same one tell of one event.
    pub event: Option<u64>,
    /// The first eight hexadecimal digits of the session that it was called in.
    pub session: Option<Arc<str>>,
    /// The client's or vCenter's id of the call (`opID`), which other messages may share.
    pub op_id: Option<Arc<str>>,
    /// Who else told of it, besides the reporter.
    pub also: Vec<Service>,
}

/// Whom an operation is put down to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The account, as `DOMAIN\user` or `user`: one spelling for all the forms that logs have.
    /// Upper and lower case are as written; they make no difference (see [`crate::account`]).
    pub account: Arc<str>,
    /// How that is known.
    pub basis: Basis,
}

/// How sure it is that an account did something, surest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Basis {
    /// The message says so.
    Stated,
    /// Its session does: the login with the same session id was seen.
    Session,
    /// Nobody else was logged in on that host then.
    OnlySession,
    /// Nobody else worked in that virtual machine just before and after, as vCenter tells.
    Beside,
}

impl Basis {
    /// Its name in events and alerts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stated => "stated",
            Self::Session => "session",
            Self::OnlySession => "only_session",
            Self::Beside => "beside",
        }
    }
}

/// A login, or its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// What became of it.
    pub change: SessionChange,
    /// Whose it is, in one spelling.
    pub account: Arc<str>,
    /// Where from, where that is an address.
    pub client: Option<IpAddr>,
    /// What the client calls itself.
    pub agent: Option<Arc<str>>,
    /// The first eight hexadecimal digits of its id, which later messages carry as `sid`.
    pub id: Option<Arc<str>>,
    /// What it leads to.
    pub access: Access,
}

/// What a [`Session`] leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Access {
    /// The management API of a host or of vCenter: guest operations are called here.
    Api,
    /// Single sign-on.
    SignOn,
    /// The shell of a host, over SSH.
    Ssh,
}

impl Access {
    /// Its name in events.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::SignOn => "sso",
            Self::Ssh => "ssh",
        }
    }
}

/// What became of a [`Session`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SessionChange {
    /// It began.
    LoggedIn,
    /// It ended.
    LoggedOut,
    /// It was refused.
    Refused,
}

impl SessionChange {
    /// Its name in events.
    pub const fn name(self) -> &'static str {
        match self {
            Self::LoggedIn => "login",
            Self::LoggedOut => "logout",
            Self::Refused => "login_refused",
        }
    }
}

/// A conversation that a log tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conversation {
    /// The side that opened it: address and port, 0 where there is none.
    pub client: (IpAddr, u16),
    /// The other side.
    pub server: (IpAddr, u16),
    /// IP protocol number.
    pub protocol: u8,
    /// Bytes to the server and to the client, once it has ended.
    pub bytes: Option<[u64; 2]>,
    /// Whether a firewall let nothing of it through.
    pub is_blocked: bool,
}
