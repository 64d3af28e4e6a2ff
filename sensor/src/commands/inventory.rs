//! `egret inventory`: which assets there are, and importing them from where people have them.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};

use crate::cli::{self, Exit, Failure, InventoryCommand};
use crate::config::Config;
use crate::store::{self, Store, StoreError};
use crate::system::now;
use crate::text::{file_name, grouped, printable, reason};

pub mod import;
mod list;

use import::{Counts, Import, ImportError, Imported, Kind, Problems};

/// Why it failed.
#[derive(Debug, thiserror::Error)]
pub enum InventoryError {
    /// A file cannot be read as an export.
    #[error("{}: {source}", file_name(path))]
    Import {
        /// Which.
        path: PathBuf,
        /// Why.
        source: ImportError,
    },
    /// Files without one asset would only remove what is there.
    #[error(
        "no asset in {files}: nothing was changed; export again, or remove the old import with \
         `egret inventory forget {source_name}`"
    )]
    Nothing {
        /// What was read.
        files: String,
        /// What would have been replaced.
        source_name: String,
    },
    /// There is no import of that name.
    #[error(
        "nothing was imported as \"{}\"; `egret inventory` shows what was",
        printable(.0)
    )]
    Unknown(String),
    /// The database cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What is to be said cannot be written.
    #[error("cannot write to stdout: {}", reason(.0))]
    Output(#[from] io::Error),
}

impl Failure for InventoryError {
    fn exit(&self) -> Exit {
        match self {
            // Whoever read the list has gone, which is their right.
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Done,
            _ => Exit::Failed,
        }
    }
}

/// Lists, imports or forgets assets.
///
/// # Errors
/// When a file is no export, or the database cannot be read or written.
pub fn inventory(arguments: &cli::Inventory, config: &Config) -> Result<Exit, InventoryError> {
    match &arguments.command {
        None => list::list(&arguments.list, config)?,
        Some(InventoryCommand::List(arguments)) => list::list(arguments, config)?,
        Some(InventoryCommand::Import(arguments)) => import(arguments, config)?,
        Some(InventoryCommand::Forget { source }) => forget(source, config)?,
    }
    Ok(Exit::Done)
}

fn import(arguments: &cli::InventoryImport, config: &Config) -> Result<(), InventoryError> {
    let mut import = Import::default();
    let mut kinds = Vec::new();
    let mut to = io::stdout().lock();
    for path in &arguments.files {
        let name = file_name(path);
        let failed = |source| InventoryError::Import { path: path.clone(), source };
        let file = File::open(path).map_err(|error| failed(error.into()))?;
        let kind = import.read(&name, file).map_err(failed)?;
        writeln!(to, "{name}: {}", kind.name())?;
        kinds.push(kind);
    }
    let imported = import.finish();
    let by_kind = if kinds.iter().all(|kind| *kind == Kind::Plain) { "csv" } else { "rvtools" };
    let source = arguments.source.as_deref().unwrap_or(by_kind);
    report(&mut to, &imported)?;
    let beside = store::unclaimed(&config.assets, imported.assets.clone()).len();
    let shadowed = imported.assets.len() - beside;
    if shadowed > 0 {
        writeln!(to, "{shadowed} are named in the config too, which has them")?;
    }
    if imported.assets.is_empty() {
        let files: Vec<_> = arguments.files.iter().map(|path| file_name(path)).collect();
        let source_name = printable(source).to_string();
        return Err(InventoryError::Nothing { files: files.join(", "), source_name });
    }
    let shown = printable(source);
    let count = grouped(imported.assets.len() as u64);
    if arguments.dry_run {
        writeln!(
            to,
            "{count} assets would be kept as \"{shown}\"; nothing was changed (--dry-run)"
        )?;
        return Ok(());
    }
    let before = keep(&config.sensor.data_dir, source, &imported)?;
    writeln!(to, "{count} assets kept as \"{shown}\", in place of {}", grouped(before as u64))?;
    Ok(())
}

fn report(to: &mut impl Write, imported: &Imported) -> io::Result<()> {
    let Counts { lines, templates, local_addresses, powered_off, without_address } =
        imported.counts;
    let mut told = vec![format!("{} lines", grouped(lines))];
    for (count, what) in [
        (templates, "of templates and placeholders, left out"),
        (without_address, "machines without address and MAC address, left out"),
        (powered_off, "assets powered off, kept"),
        (local_addresses, "link-local or loopback addresses, left out"),
    ] {
        if count > 0 {
            told.push(format!("{} {what}", grouped(count)));
        }
    }
    writeln!(to, "{}", told.join("; "))?;
    let Problems { first, count } = &imported.problems;
    for problem in first {
        writeln!(to, "  {problem}")?;
    }
    match count.saturating_sub(first.len() as u64) {
        0 => Ok(()),
        more => writeln!(to, "  and {} more like these", grouped(more)),
    }
}

/// Keeps an import; how many assets it replaced.
fn keep(directory: &Path, source: &str, imported: &Imported) -> Result<usize, InventoryError> {
    let path = directory.join(store::FILE);
    let is_new = !path.exists();
    let mut store = if is_new { Store::open(directory)? } else { Store::open_existing(directory)? };
    let before = store.import_assets(source, &imported.assets, now())?;
    drop(store);
    if is_new {
        // A database that root begins is to be the sensor's all the same. Where this is not root
        // the owner is right already, and there is nothing to give away.
        let owner = fs::metadata(directory);
        let _ = owner.and_then(|owner| chown(&path, Some(owner.uid()), Some(owner.gid())));
    }
    Ok(before)
}

fn forget(source: &str, config: &Config) -> Result<(), InventoryError> {
    let mut store = Store::open_existing(&config.sensor.data_dir)?;
    match store.import_assets(source, &[], now())? {
        0 => Err(InventoryError::Unknown(source.to_owned())),
        count => {
            let count = grouped(count as u64);
            Ok(writeln!(io::stdout(), "{count} assets of \"{}\" removed", printable(source))?)
        }
    }
}
