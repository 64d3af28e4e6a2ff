//! `egret baseline`.

use std::io::{self, BufWriter, Write};

use super::person;
use crate::cli::{self, BaselineApprove, BaselineCommand, BaselineForget, Exit, Failure};
use crate::config::file::ConfigError;
use crate::config::{Approve, Config, Expected, ExpectedError};
use crate::store::{Store, StoreError};
use crate::system::now;
use crate::text::{printable, reason};

mod approvals;
mod export;
mod list;
mod others;

/// Why it failed.
#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    /// The database cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An approval without a whom.
    #[error("for whom is this expected? Give --asset or --role")]
    Who,
    /// An approval without a where.
    #[error("where to is this expected? Give --sni, --destination or --port")]
    Where,
    /// A value of an approval is wrong; one line each.
    #[error("{0}")]
    Approval(String),
    /// Nothing was learned of anything of that name.
    #[error(
        "nothing was learned of {}; `egret baseline` lists assets, accounts and mirrors",
        printable(.0)
    )]
    Asset(String),
    /// There is no approval of that number.
    #[error(
        "there is no approval {0}; `egret baseline approvals` lists them, and those of the \
                 config are taken back in the config"
    )]
    Number(i64),
    /// Stdout could not be written.
    #[error("stdout: cannot write: {}; check where it leads, and the free space", reason(.0))]
    Stdout(#[from] io::Error),
}

impl Failure for BaselineError {
    fn exit(&self) -> Exit {
        match self {
            Self::Who | Self::Where | Self::Approval(_) => Exit::Usage,
            Self::Stdout(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Done,
            _ => Exit::Failed,
        }
    }
}

/// Lists, approves or forgets what was learned.
///
/// # Errors
/// When there is no database, it cannot be used, or what is asked for is not there.
pub fn baseline(arguments: &cli::Baseline, config: &Config) -> Result<Exit, BaselineError> {
    let mut store = Store::open_existing(&config.sensor.data_dir)?;
    let mut to = BufWriter::new(io::stdout().lock());
    match &arguments.command {
        None => list::list(&store, config, None, arguments.json, &mut to)?,
        Some(BaselineCommand::List(list)) => {
            list::list(&store, config, list.asset.as_deref(), list.json, &mut to)?;
        }
        Some(BaselineCommand::Approve(given)) => approve(&mut store, config, given, &mut to)?,
        Some(BaselineCommand::Approvals(how)) => {
            approvals::list(&config.approve, &store.approval_list()?, how.json, &mut to)?;
        }
        Some(BaselineCommand::Unapprove(given)) => {
            unapprove(&mut store, &given.numbers, &mut to)?;
        }
        Some(BaselineCommand::Forget(given)) => forget(&mut store, given, &mut to)?,
        Some(BaselineCommand::Export(given)) => {
            export::export(&store, config, given.asset.as_deref(), &mut to)?;
        }
    }
    to.flush()?;
    Ok(Exit::Done)
}

fn approve(
    store: &mut Store,
    config: &Config,
    given: &BaselineApprove,
    to: &mut impl Write,
) -> Result<(), BaselineError> {
    let entry = entry(given)?;
    let learned = store.baseline()?.unwrap_or_default();
    let number = store.approve(&entry, &person(), now())?;
    writeln!(to, "approval {number}: {}", approvals::sentence(&entry))?;
    for asset in &entry.assets {
        let is_known = config.assets.iter().any(|known| *known.name == **asset)
            || learned.assets.contains_key(asset);
        if !is_known {
            writeln!(to, "no asset is called {} so far; was that meant?", printable(asset))?;
        }
    }
    writeln!(
        to,
        "A running sensor follows within seconds. Back: egret baseline unapprove {number}"
    )?;
    Ok(())
}

/// What is approved, checked as the config would be.
fn entry(given: &BaselineApprove) -> Result<Approve, BaselineError> {
    let BaselineApprove { asset, role, sni, destination, port, note } = given.clone();
    let read = Expected { asset, role, sni, destination, port, note }.read();
    read.map_err(|error| match error {
        ExpectedError::Who => BaselineError::Who,
        ExpectedError::Where => BaselineError::Where,
        ExpectedError::Wrong(error) => BaselineError::Approval(complaint(error)),
    })
}

/// The config's complaint in terms of flags.
fn complaint(error: ConfigError) -> String {
    let ConfigError::Invalid(problems) = error else { return error.to_string() };
    let lines: Vec<String> = problems
        .into_iter()
        .map(|problem| {
            let flag = problem.key.rsplit('.').next().unwrap_or_default();
            format!("--{flag} {}: {}", problem.value.unwrap_or_default(), problem.advice)
        })
        .collect();
    lines.join("\n")
}

fn unapprove(store: &mut Store, numbers: &[i64], to: &mut impl Write) -> Result<(), BaselineError> {
    let all = store.approval_list()?;
    let find = |number: &i64| all.iter().find(|approval| approval.number == *number);
    if let Some(unknown) = numbers.iter().find(|number| find(number).is_none()) {
        return Err(BaselineError::Number(*unknown));
    }
    for approval in numbers.iter().filter_map(find) {
        store.unapprove(approval.number, &person(), now())?;
        let sentence = approvals::sentence(&approval.entry);
        writeln!(to, "approval {} taken back: {sentence}", approval.number)?;
    }
    Ok(())
}

fn forget(
    store: &mut Store,
    given: &BaselineForget,
    to: &mut impl Write,
) -> Result<(), BaselineError> {
    let was_there = store.forget(&given.asset, given.destination.as_deref())?;
    let asset = printable(&given.asset);
    let what = match &given.destination {
        Some(destination) => format!("{asset} at {}", printable(destination)),
        None => asset.to_string(),
    };
    let told = if was_there {
        "forgotten. A running sensor follows within seconds."
    } else {
        "nothing of it is stored; a running sensor forgets what it learned since it last saved"
    };
    writeln!(to, "{what}: {told}")?;
    Ok(())
}

#[cfg(test)]
mod tests;
