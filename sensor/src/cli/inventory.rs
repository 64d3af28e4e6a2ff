//! The arguments of `egret inventory`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// The arguments of `egret inventory`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, after_help = AFTER_HELP)]
pub struct Inventory {
    /// What to do with the inventory [default: list].
    #[command(subcommand)]
    pub command: Option<InventoryCommand>,

    /// How the list is printed, where it is not called by name.
    #[command(flatten)]
    pub list: List,
}

/// What to do with the inventory.
#[derive(Debug, Subcommand)]
pub enum InventoryCommand {
    /// List assets: named in the config, imported, and learned
    List(List),
    /// Import assets from RVTools' CSV exports or a plain CSV
    ///
    /// Reads RVTools' vInfo, vNetwork, vHost, vSC_VMK and vNIC as CSV, or a CSV with the columns
    /// name, role, address, mac and host; which one it is, its header tells. Several files become
    /// one inventory. What is imported replaces what the same source had before; the config has
    /// what both claim.
    #[command(after_help = IMPORT_AFTER_HELP)]
    Import(InventoryImport),
    /// Remove what a source had imported
    Forget {
        /// The source, as the list shows it
        source: String,
    },
}

/// How the list is printed.
#[derive(Debug, Clone, Args)]
pub struct List {
    /// Print one JSON object an asset instead of a table
    #[arg(long)]
    pub json: bool,
}

/// The arguments of `egret inventory import`.
#[derive(Debug, Args)]
pub struct InventoryImport {
    /// CSV files of one export
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,

    /// Name of what is imported, to be replaced by the next import [default: rvtools or csv]
    #[arg(long, value_name = "NAME")]
    pub source: Option<String>,

    /// Read and report only; keep nothing
    #[arg(long)]
    pub dry_run: bool,
}

const AFTER_HELP: &str = "\
Examples:
  egret inventory
  egret inventory import RVTools_tabvInfo.csv RVTools_tabvNetwork.csv RVTools_tabvSC_VMK.csv
  egret inventory import --dry-run assets.csv";

const IMPORT_AFTER_HELP: &str = "\
A plain CSV, its columns in any order, several addresses in a cell with blanks between:
  name,role,address,mac,host
  esxi-01,esxi,10.10.0.11,00:50:56:6a:00:01,
  web-01,guest,10.20.0.5 fd00::5,00:50:56:80:00:07,esxi-01";
