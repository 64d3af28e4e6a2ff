//! `egret alerts`.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::person;
use crate::alert::Status;
use crate::cli::{self, AlertsAck, AlertsCommand, AlertsExport, AlertsShow, Exit, Failure};
use crate::config::Config;
use crate::evidence::{self, Missing};
use crate::store::keeper::Wanted;
use crate::store::{Order, Store, StoreError};
use crate::system::now;
use crate::text::{file_name, printable, reason};

mod list;
mod pcap;
mod show;

/// Why it failed.
#[derive(Debug, thiserror::Error)]
pub enum AlertsError {
    /// The database cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No alert is called so.
    #[error("no stored alert has an id that begins with {}; `egret alerts` lists them", printable(.0))]
    Unknown(String),
    /// Several alerts are.
    #[error("{} begins the ids of several alerts: {}; give one of them in full", printable(id), all.join(", "))]
    Ambiguous {
        /// What was given.
        id: String,
        /// Some of them.
        all: Vec<String>,
    },
    /// That is no id.
    #[error("{} is no alert id; expected the first digits of one, such as 1b9d6bcd", printable(.0))]
    NoId(String),
    /// There are no packets of it.
    #[error("alert {}: {missing}", short(*id))]
    NoPackets {
        /// The alert.
        id: Uuid,
        /// Why.
        missing: Missing,
    },
    /// Packets on a terminal.
    #[error("stdout is a terminal, and packets are no text: give --pcap FILE, or a pipe")]
    Terminal,
    /// The file for packets could not be written.
    #[error(
        "{}: cannot write packets: {}; check the path, its permissions and the free space",
        file_name(path),
        reason(source)
    )]
    Write {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Stdout could not be written.
    #[error("stdout: cannot write alerts: {}; check where it leads, and the free space", reason(.0))]
    Stdout(#[from] io::Error),
}

impl Failure for AlertsError {
    fn exit(&self) -> Exit {
        match self {
            Self::NoId(_) | Self::Terminal => Exit::Usage,
            // Whoever reads may leave when they have seen enough.
            Self::Stdout(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Done,
            _ => Exit::Failed,
        }
    }
}

/// Lists, shows, acknowledges or exports stored alerts.
///
/// # Errors
/// When there is no database, it cannot be used, or there is no such alert.
pub fn alerts(arguments: &cli::Alerts, config: &Config) -> Result<Exit, AlertsError> {
    let data_dir = &config.sensor.data_dir;
    let mut store = Store::open_existing(data_dir)?;
    let mut to = BufWriter::new(io::stdout().lock());
    match &arguments.command {
        None => list::list(&store, &arguments.list, &mut to)?,
        Some(AlertsCommand::List(list)) => list::list(&store, list, &mut to)?,
        Some(AlertsCommand::Show(show)) => match &show.pcap {
            Some(file) => pcap::write(&store, data_dir, &show.id, file, &mut to)?,
            None => show_one(&store, data_dir, show, &mut to)?,
        },
        Some(AlertsCommand::Ack(ack)) => acknowledge(&mut store, ack, &mut to)?,
        Some(AlertsCommand::Export(export)) => write_all(&store, export, &mut to)?,
    }
    to.flush()?;
    Ok(Exit::Done)
}

fn show_one(
    store: &Store,
    data_dir: &Path,
    show: &AlertsShow,
    to: &mut impl Write,
) -> Result<(), AlertsError> {
    let id = find(store, &show.id)?;
    let stored = store.alert(id)?.ok_or_else(|| AlertsError::Unknown(show.id.clone()))?;
    let owed = store.owed(id)?;
    let missing = evidence::read(data_dir, id).err();
    Ok(show::show(&stored, &owed, missing.as_ref(), show.json, to)?)
}

fn acknowledge(store: &mut Store, ack: &AlertsAck, to: &mut impl Write) -> Result<(), AlertsError> {
    // All of them are known before the first is changed.
    let ids = ack.ids.iter().map(|id| find(store, id)).collect::<Result<Vec<_>, _>>()?;
    for id in ids {
        let Some(stored) = store.alert(id)? else { continue };
        if let Some(verdict) = ack.verdict {
            store.judge(id, verdict)?;
        }
        store.acknowledge(id, &person(), ack.note.as_deref(), now())?;
        let again = match stored.alert.status {
            Status::Open => "",
            Status::Acknowledged => " again",
            Status::Suppressed => ", which was held back",
        };
        writeln!(
            to,
            "{} acknowledged{again}: {}, {}, {}",
            short(id),
            stored.alert.severity.name(),
            printable(&stored.alert.asset.name),
            printable(&stored.alert.title)
        )?;
    }
    Ok(())
}

fn write_all(store: &Store, export: &AlertsExport, to: &mut impl Write) -> Result<(), AlertsError> {
    let cli::ExportFormat::Egret = export.format;
    let wanted = Wanted {
        min_severity: export.severity,
        since: export.since.map(|since| now().minus(since)),
        ..Wanted::default()
    };
    let mut written = Ok(());
    store.each_alert(&wanted, Order::OldestFirst, |stored| {
        if written.is_ok() {
            written = write_json(&stored.alert, to);
        }
    })?;
    Ok(written?)
}

/// Writes one line of JSON.
fn write_json(value: &impl serde::Serialize, to: &mut impl Write) -> io::Result<()> {
    serde_json::to_writer(&mut *to, value)?;
    to.write_all(b"\n")
}

/// The id that is meant.
fn find(store: &Store, given: &str) -> Result<Uuid, AlertsError> {
    check(given)?;
    one_of(given, &store.alert_ids(given, 4)?)
}

/// Whether that may begin an id.
fn check(given: &str) -> Result<(), AlertsError> {
    if given.is_empty() || !given.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-') {
        return Err(AlertsError::NoId(given.to_owned()));
    }
    Ok(())
}

/// The only id there may be.
fn one_of(given: &str, ids: &[Uuid]) -> Result<Uuid, AlertsError> {
    match ids {
        [] => Err(AlertsError::Unknown(given.to_owned())),
        [id] => Ok(*id),
        several => Err(AlertsError::Ambiguous {
            id: given.to_owned(),
            all: several.iter().map(Uuid::to_string).collect(),
        }),
    }
}

/// The form of an id that people read and type.
fn short(id: Uuid) -> String {
    id.to_string().chars().take(8).collect()
}

#[cfg(test)]
mod tests;
