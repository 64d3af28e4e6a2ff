//! The command line: commands, flags, exit codes.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use std::{fmt, fs};

use clap::builder::{PathBufValueParser, TypedValueParser};
use clap::error::ErrorKind;
use clap::{ArgAction, Args, CommandFactory, Parser, Subcommand};

use crate::alert::Severity;
use crate::text::file_name;
use crate::time::parse_duration;

mod alerts;
mod baseline;
mod check;
mod failure;
mod inventory;
mod relay;
mod run;

pub use alerts::{
    Alerts, AlertsAck, AlertsCommand, AlertsExport, AlertsList, AlertsShow, ExportFormat,
};
pub use baseline::{
    Baseline, BaselineApprovals, BaselineApprove, BaselineCommand, BaselineExport, BaselineForget,
    BaselineList, BaselineUnapprove,
};
pub use check::Check;
pub use failure::Failure;
pub use inventory::{Inventory, InventoryCommand, InventoryImport, List};
pub use relay::Relay;
pub use run::Run;

/// Watches VMware ESXi estates for data that moves where it should not.
///
/// Egret reads what a mirror port sees beside the ESXi hosts, learns what each host, vCenter and
/// guest usually does, and explains in numbers what does not fit.
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true, after_help = AFTER_HELP)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Flags of every command.
    #[command(flatten)]
    pub global: Global,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Read capture files and print alerts
    ///
    /// Reads pcap and pcapng files through the whole pipeline, on the time the captures have, and
    /// prints an alert for each thing that needs an explanation, then a summary. The same files
    /// always give the same alerts.
    Read(Read),
    /// Watch a mirror port and deliver alerts
    ///
    /// Captures from network interfaces through the whole pipeline until it is told to stop
    /// (SIGTERM, SIGINT), keeps alerts and what was learned in `sensor.data_dir`, sends alerts where
    /// `[deliver]` says, and serves metrics. SIGHUP reads the config again.
    Run(Run),
    /// Deliver the alerts of a fleet, without capturing
    ///
    /// Takes the alerts of all sensors from the NATS servers of `[fleet]` and sends them where `[deliver]`
    /// says, until it is told to stop (SIGTERM, SIGINT). SIGHUP reads the config again.
    Relay(Relay),
    /// Check the config and this machine, and say what to change
    Check(Check),
    /// List, show, acknowledge or export stored alerts
    Alerts(Alerts),
    /// List, approve or forget what was learned
    Baseline(Baseline),
    /// List assets, or import them from an RVTools or plain CSV export
    Inventory(Inventory),
}

/// Flags of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// Config file [default: /etc/egret/egret.toml if there is one, else built-in defaults]
    #[arg(long, value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,

    /// Set any config key for this run, such as --set detect.tls_egress.window=45m (repeatable)
    #[arg(long, value_name = "KEY=VALUE", global = true)]
    pub set: Vec<String>,

    /// Say what is being done (-v) and how (-vv), on stderr
    #[arg(short, long, action = ArgAction::Count, global = true)]
    pub verbose: u8,

    /// Say alerts and errors only: no summary, no warnings, no progress
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
}

/// The arguments of `egret read`.
#[derive(Debug, Args)]
#[command(after_help = READ_AFTER_HELP)]
pub struct Read {
    /// Capture files: pcap or pcapng, also gzip, zstd or lz4; `-` reads stdin. Several are merged by time
    #[arg(required_unless_present_any = ["syslog", "audit"], value_name = "FILE", value_parser = stream())]
    pub files: Vec<Stream>,

    /// Read log messages of ESXi, vCenter or NSX, too, such as hostd.log; plain, gzip, zstd or lz4 (repeatable)
    #[arg(long, value_name = "FILE", value_parser = log_file())]
    pub syslog: Vec<PathBuf>,

    /// Read audit records of clouds or vCenter (JSON) and VPC flow logs, too, such as CloudTrail's files; plain, gzip, zstd or lz4 (repeatable)
    #[arg(long, value_name = "FILE", value_parser = log_file())]
    pub audit: Vec<PathBuf>,

    /// Read only packets that match a BPF expression, such as 'host 10.10.0.11 and tcp'
    #[arg(long, value_name = "BPF")]
    pub filter: Option<String>,

    /// Only learn from this much of the start, such as 24h; alerts come after it
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub learn: Option<Duration>,

    /// Keep what was learned in this directory, and start from what is there [default: keep nothing]
    #[arg(long, value_name = "DIR")]
    pub state: Option<PathBuf>,

    /// Exit with 3 if an alert of this severity or above was raised (for scripts)
    #[arg(long, value_name = "SEVERITY", hide_possible_values = true, help = FAIL_ON_HELP)]
    pub fail_on: Option<Severity>,

    /// Where results go.
    #[command(flatten)]
    pub output: Output,
}

/// Where results go, besides what is printed for people.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct Output {
    /// Write every event as Suricata EVE JSON lines, such as --events eve.json
    #[arg(long, value_name = "FILE|-", value_parser = stream())]
    pub events: Option<Stream>,

    /// Write every alert as JSON lines, such as --alerts alerts.json
    #[arg(long, value_name = "FILE|-", value_parser = stream())]
    pub alerts: Option<Stream>,

    /// Print alerts and summary as JSON lines instead of text
    #[arg(long)]
    pub json: bool,
}

impl Output {
    /// Whether events or alerts take stdout, so that what is printed for people goes to stderr.
    pub fn takes_stdout(&self) -> bool {
        [&self.events, &self.alerts].into_iter().flatten().any(|to| *to == Stream::Standard)
    }
}

/// A file, or `-`: stdin where it is read, stdout where it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stream {
    /// `-`
    Standard,
    /// A file.
    File(PathBuf),
}

/// What the program ends with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done, alerts or not.
    Done = 0,
    /// Failed while running.
    Failed = 1,
    /// Bad usage or config.
    Usage = 2,
    /// An alert was raised that `--fail-on` asks about.
    Alerted = 3,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

const AFTER_HELP: &str = "\
Exit codes: 0 done, 1 failed while running, 2 bad usage or config, 3 see `read --fail-on`.
Colours are used on a terminal only, and never when NO_COLOR is set.

Start here:  egret read capture.pcap";

const READ_AFTER_HELP: &str = "\
Where `-` takes stdout, what is printed for people goes to stderr.

Examples:
  egret read monday.pcap.zst
  egret read --learn 24h --alerts alerts.json monday.pcap tuesday.pcap
  egret read --syslog hostd.log.gz --syslog vpxd.log monday.pcap
  egret read --audit cloudtrail.json.gz --config estate.toml
  egret read --json --fail-on high --config estate.toml upload.pcapng
  tcpdump -i eth1 -w - | egret read --events eve.json -";

const FAIL_ON_HELP: &str = "Exit with 3 if an alert of this severity or above was raised: \
informational, low, medium, high or critical";

impl Cli {
    /// Reads a command line, the program's name first.
    ///
    /// # Errors
    /// Help, version or a usage error, to be ended with [`clap::Error::exit`] (0, 0 and 2).
    pub fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        let cli = Self::try_parse_from(arguments)?;
        let (name, clash) = match &cli.command {
            Command::Read(read) => ("read", clash(read)),
            Command::Alerts(alerts) => ("alerts", alerts.clash()),
            Command::Baseline(baseline) => ("baseline", baseline.clash()),
            Command::Run(run) => ("run", shared(&run.output)),
            Command::Relay(_) | Command::Check(_) | Command::Inventory(_) => return Ok(cli),
        };
        let Some(clash) = clash else { return Ok(cli) };
        let mut command = Self::command();
        command.build();
        let mut command = command.find_subcommand(name).unwrap_or(&command).clone();
        Err(command.error(ErrorKind::ArgumentConflict, clash))
    }
}

/// What two results would be written to.
fn shared(output: &Output) -> Option<String> {
    let (events, alerts) = (output.events.as_ref()?, output.alerts.as_ref()?);
    events.is(alerts).then(|| match events {
        Stream::File(_) => {
            format!("--events and --alerts cannot both write {events}; give each its own file")
        }
        Stream::Standard => {
            "--events - and --alerts - cannot share stdout; give one of them a file".to_owned()
        }
    })
}

/// What cannot be had at once, where clap's own rules cannot tell.
fn clash(read: &Read) -> Option<String> {
    let Output { events, alerts, .. } = &read.output;
    if let Some(shared) = shared(&read.output) {
        return Some(shared);
    }
    let stdins = read.files.iter().filter(|file| **file == Stream::Standard).count();
    if stdins > 1 {
        return Some("`-` is given twice; stdin can be read once only".to_owned());
    }
    let written = || [events, alerts].into_iter().flatten();
    let is_written = |file: &Stream| *file != Stream::Standard && written().any(|to| to.is(file));
    let logs = read.syslog.iter().chain(&read.audit).map(|path| Stream::File(path.clone()));
    let file = read.files.iter().cloned().chain(logs).find(is_written)?;
    Some(format!("{file} is to be read and would be overwritten; write to another file"))
}

impl Stream {
    /// Whether both are one, by whatever names.
    fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::File(a), Self::File(b)) if a != b => {
                fs::canonicalize(a).is_ok_and(|a| fs::canonicalize(b).is_ok_and(|b| a == b))
            }
            _ => self == other,
        }
    }
}

impl fmt::Display for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Standard => f.write_str("-"),
            Self::File(path) => f.write_str(&file_name(path)),
        }
    }
}

impl From<PathBuf> for Stream {
    fn from(path: PathBuf) -> Self {
        if path.as_os_str() == "-" { Self::Standard } else { Self::File(path) }
    }
}

fn log_file() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(|path| match Stream::from(path) {
        Stream::File(path) => Ok(path),
        Stream::Standard => Err("logs are read from files only"),
    })
}

fn stream() -> impl TypedValueParser<Value = Stream> {
    PathBufValueParser::new().map(Stream::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &str) -> Result<Cli, clap::Error> {
        Cli::read(["egret", "read"].into_iter().chain(arguments.split_whitespace()).map(Into::into))
    }

    fn usage_error(arguments: &str) -> String {
        let error = read(arguments).unwrap_err();
        assert_eq!(error.exit_code(), i32::from(Exit::Usage as u8), "{arguments}");
        error.to_string().lines().next().unwrap_or_default().to_owned()
    }

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_flag_is_understood_before_and_behind_the_command() {
        let cli = read(
            "a.pcap - --config e.toml --events eve.json --alerts - --set a.b=1 --set c=2 --json \
             -vv --filter tcp --learn 7d --state dir --fail-on high",
        )
        .unwrap();
        let Command::Read(read) = cli.command else { panic!("it is read") };
        assert_eq!(read.files, [Stream::File("a.pcap".into()), Stream::Standard]);
        assert_eq!(read.output.events, Some(Stream::File("eve.json".into())));
        assert!(read.output.takes_stdout());
        assert_eq!(read.learn, Some(Duration::from_secs(7 * 86_400)));
        assert_eq!(read.fail_on, Some(Severity::High));
        assert_eq!(cli.global.set, ["a.b=1", "c=2"]);
        assert_eq!(cli.global.verbose, 2);

        let before = ["egret", "-q", "--config", "e.toml", "read", "a"].map(OsString::from);
        let cli = Cli::read(before).unwrap();
        assert!(cli.global.quiet);
        assert_eq!(cli.global.config, Some("e.toml".into()));
    }

    #[test]
    fn flags_of_a_list_are_for_the_list() {
        let read = |arguments: &str| {
            Cli::read(["egret"].into_iter().chain(arguments.split_whitespace()).map(Into::into))
        };
        for good in [
            "alerts",
            "alerts --json --severity high",
            "alerts --config e.toml show 1b9d --json",
            "--set a.b=1 alerts -v ack 1b9d --note x --config e.toml",
            "baseline --json",
            "baseline --config e.toml list web --json",
            "baseline -q approve --asset web --port 443",
        ] {
            read(good).unwrap_or_else(|error| panic!("{good}: {error}"));
        }
        for bad in ["alerts --json show 1b9d", "alerts --limit 1 list", "baseline --json forget x"]
        {
            assert_eq!(read(bad).unwrap_err().kind(), ErrorKind::ArgumentConflict, "{bad}");
        }
    }

    #[test]
    fn what_cannot_be_had_at_once_is_a_usage_error() {
        for (arguments, message) in [
            (
                "a --events - --alerts -",
                "error: --events - and --alerts - cannot share stdout; give one of them a file",
            ),
            (
                "a --events x --alerts x",
                "error: --events and --alerts cannot both write x; give each its own file",
            ),
            ("- -", "error: `-` is given twice; stdin can be read once only"),
            (
                "a b --events b",
                "error: b is to be read and would be overwritten; write to another file",
            ),
            ("a -v -q", "error: the argument '--verbose...' cannot be used with '--quiet'"),
            ("", "error: the following required arguments were not provided:"),
            (
                "a --learn 30",
                "error: invalid value '30' for '--learn <DURATION>': \"30\" is not a duration: \
                 write a number and a unit, such as 30s, 5m, 2h or 7d",
            ),
            ("a --fail-on bad", "error: invalid value 'bad' for '--fail-on <SEVERITY>'"),
            ("a --evnts x", "error: unexpected argument '--evnts' found"),
        ] {
            assert_eq!(usage_error(arguments), message);
        }
        for shared in ["run --events - --alerts -", "run --events x --alerts x"] {
            assert_eq!(read(shared).unwrap_err().kind(), ErrorKind::ArgumentConflict, "{shared}");
        }
    }
}
