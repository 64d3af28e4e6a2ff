//! The arguments of `egret baseline`.

use clap::{Args, Subcommand};

/// The arguments of `egret baseline`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct Baseline {
    /// What to do; without it, list.
    #[command(subcommand)]
    pub command: Option<BaselineCommand>,
    /// Print JSON lines, one for each asset, account and mirror, instead of a table
    #[arg(long)]
    pub json: bool,
}

impl Baseline {
    /// A flag of the list beside another command would do nothing.
    pub(super) fn clash(&self) -> Option<String> {
        (self.command.is_some() && self.json).then(|| {
            "--json is before the command; write it behind, such as egret baseline list --json"
                .to_owned()
        })
    }
}

/// The commands below `egret baseline`.
#[derive(Debug, Subcommand)]
pub enum BaselineCommand {
    /// List what was learned, and why, of all assets, accounts and mirrors, or of one (the default)
    #[command(after_help = LIST_AFTER_HELP)]
    List(BaselineList),
    /// Approve connections that are expected: they raise no alert
    #[command(after_help = APPROVE_AFTER_HELP)]
    Approve(BaselineApprove),
    /// List approvals, those of the config too
    Approvals(BaselineApprovals),
    /// Take approvals back
    #[command(after_help = UNAPPROVE_AFTER_HELP)]
    Unapprove(BaselineUnapprove),
    /// Forget what was learned of an asset, or of it at one destination
    #[command(after_help = FORGET_AFTER_HELP)]
    Forget(BaselineForget),
    /// Print approvals and trusted destinations as `[[approve]]` entries for the config, and what it could
    /// say of accounts and mirrors
    #[command(after_help = EXPORT_AFTER_HELP)]
    Export(BaselineExport),
}

/// What is listed.
#[derive(Debug, Args)]
pub struct BaselineList {
    /// The asset to list in full, an account, or an address that mirrors lead to [default: a line for each]
    #[arg(value_name = "ASSET")]
    pub asset: Option<String>,

    /// Print JSON lines, one for each asset, account and mirror, instead of a table
    #[arg(long)]
    pub json: bool,
}

/// What is approved. Everything given must match; of several values any.
#[derive(Debug, Clone, Args)]
pub struct BaselineApprove {
    /// For the asset of this name (repeatable)
    #[arg(long, value_name = "NAME")]
    pub asset: Vec<String>,

    /// For all assets of this role: esxi, vcenter, guest or other (repeatable)
    #[arg(long, value_name = "ROLE")]
    pub role: Vec<String>,

    /// To servers asked for by this name; *.example.com is every name below it (repeatable)
    #[arg(long, value_name = "NAME")]
    pub sni: Vec<String>,

    /// To this address or prefix (repeatable)
    #[arg(long, value_name = "ADDRESS")]
    pub destination: Vec<String>,

    /// To this port (repeatable)
    #[arg(long, value_name = "PORT")]
    pub port: Vec<u16>,

    /// Why, for whoever reads this next
    #[arg(long, value_name = "TEXT")]
    pub note: Option<String>,
}

/// How approvals are listed.
#[derive(Debug, Args)]
pub struct BaselineApprovals {
    /// Print JSON lines instead of a table
    #[arg(long)]
    pub json: bool,
}

/// What is taken back.
#[derive(Debug, Args)]
pub struct BaselineUnapprove {
    /// Numbers of approvals, as `egret baseline approvals` lists them
    #[arg(value_name = "NUMBER", required = true)]
    pub numbers: Vec<i64>,
}

/// What is forgotten.
#[derive(Debug, Args)]
pub struct BaselineForget {
    /// The name of an asset or account, or an address that mirrors lead to
    #[arg(value_name = "ASSET")]
    pub asset: String,

    /// One of its destinations, as `egret baseline list ASSET` names it [default: everything]
    #[arg(value_name = "DESTINATION")]
    pub destination: Option<String>,
}

/// What is exported.
#[derive(Debug, Args)]
pub struct BaselineExport {
    /// Only of this asset, account, or address that mirrors lead to [default: everything]
    #[arg(value_name = "ASSET")]
    pub asset: Option<String>,
}

const AFTER_HELP: &str = "\
Read from and written to the database in sensor.data_dir. A running sensor follows within
seconds; what it learned since it last saved is not listed yet. All times are UTC.

Examples:
  egret baseline
  egret baseline list esxi-01
  egret baseline approve --role esxi --sni '*.vmware.com' --port 443 --note 'update depot'
  egret baseline forget app-01 cdn.example
  egret baseline export >> /etc/egret/egret.toml";

const LIST_AFTER_HELP: &str = "\
A destination is trusted when it was learned, or seen on 7 later days without an open alert; an
account, with the machines it works on and where it comes from, likewise on 3 days. Mirrors are learned in
the learning time only.

Examples:
  egret baseline list
  egret baseline list esxi-01
  egret baseline list 'CORP\\svc-backup'
  egret baseline list --json | jq -r '.asset // empty'";

const APPROVE_AFTER_HELP: &str = "\
Say who, with --asset or --role, and where, with --sni, --destination or --port.

Examples:
  egret baseline approve --asset esxi-01 --sni depot.example.com --note 'ticket 4711'
  egret baseline approve --role esxi --role vcenter --sni '*.vmware.com' --port 443
  egret baseline approve --asset backup-01 --destination 203.0.113.0/24 --port 443";

const UNAPPROVE_AFTER_HELP: &str = "\
Examples:
  egret baseline unapprove 3";

const FORGET_AFTER_HELP: &str = "\
What is forgotten is new again when it is seen: the asset is learned anew, or the destination
counts as never seen.

Examples:
  egret baseline forget app-01 cdn.example
  egret baseline forget app-01";

const EXPORT_AFTER_HELP: &str = "\
Examples:
  egret baseline export > approve.toml
  egret baseline export esxi-01";
