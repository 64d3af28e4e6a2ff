//! Assets from what people can export: RVTools' sheets as CSV, or a CSV of their own.
//!
//! Several files make one inventory: a VM's cards, addresses and host are put together by its
//! name. Nothing is lost silently: what cannot be used is counted, and the first lines are named.
//!
//! Bounds: [`MAX_ASSETS`] assets with 64 addresses and 64 MAC addresses each, records of 1 MiB;
//! everything else of a file is passed through, whatever its size.

use std::io::{self, Read};

use ipnet::IpNet;

use crate::config::Asset;
use crate::inventory::MAX_ASSETS;

mod merge;
mod sheet;
mod text;

use merge::Machines;
use sheet::Columns;
pub use sheet::Kind;
use text::Records;

/// How many problems are told in words; all are counted.
pub const MOST_PROBLEMS: usize = 10;

/// Exports that are being read.
#[derive(Debug, Default)]
pub struct Import {
    machines: Machines,
    counts: Counts,
    problems: Problems,
}

/// What exports came to.
#[derive(Debug, Default)]
pub struct Imported {
    /// The assets, by name.
    pub assets: Vec<Asset>,
    /// What was counted.
    pub counts: Counts,
    /// What could not be used.
    pub problems: Problems,
}

/// What was read, and what of it makes no asset.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Lines read, headers not counted.
    pub lines: u64,
    /// Lines of templates and of SRM's placeholders, which never send.
    pub templates: u64,
    /// Addresses that say nothing beyond one link: link-local, loopback, multicast.
    pub local_addresses: u64,
    /// Assets that were powered off; they are kept, because they may be started.
    pub powered_off: u64,
    /// Machines without address and MAC address, which could never be seen.
    pub without_address: u64,
}

/// What could not be used: all counted, the first in words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Problems {
    /// The first [`MOST_PROBLEMS`], each with its file and line, harmless to print.
    pub first: Vec<String>,
    /// How many there were.
    pub count: u64,
}

/// Why a file cannot be read as an export at all.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// It cannot be read, or is no text.
    #[error("{}", crate::text::reason(.0))]
    Read(#[from] io::Error),
    /// Its first line names no columns that are known.
    #[error(
        "its first line is no known header; expected RVTools' vInfo, vNetwork, vHost, vSC_VMK or \
         vNIC as CSV, or the columns name and address or mac (and role, host)"
    )]
    Header,
}

impl Import {
    /// Reads one file, called `name` in problems.
    ///
    /// # Errors
    /// When it is no export. What was read of it before stays.
    pub fn read(&mut self, name: &str, input: impl Read) -> Result<Kind, ImportError> {
        let mut records = Records::new(input)?;
        let header = records.next()?.ok_or(ImportError::Header)?;
        let columns = Columns::new(&header).ok_or(ImportError::Header)?;
        while let Some(record) = records.next()? {
            self.counts.lines += 1;
            let at = |reason: &str| format!("{name}:{}: {reason}", record.line);
            let mut entry = match columns.entry(&record) {
                Ok(entry) => entry,
                Err(reason) => {
                    self.problems.add(at(&format!("{reason}; the line is left out")));
                    continue;
                }
            };
            self.counts.local_addresses += entry.local as u64;
            for problem in entry.problems.drain(..) {
                self.problems.add(at(&problem));
            }
            if entry.template {
                self.counts.templates += 1;
            } else if let Err(reason) = self.machines.add(entry, MAX_ASSETS) {
                self.problems.add(at(&reason));
            }
        }
        Ok(columns.kind)
    }

    /// The assets of all files. An address or MAC address that several machines claim is left
    /// only to the one of them that runs, because the wire cannot tell whose it is.
    pub fn finish(mut self) -> Imported {
        let assets = self.machines.assets(&mut self.counts, &mut self.problems);
        Imported { assets, counts: self.counts, problems: self.problems }
    }
}

/// An address as people write it: a prefix length only where it is a network.
pub fn address(net: &IpNet) -> String {
    if net.prefix_len() == net.max_prefix_len() { net.addr().to_string() } else { net.to_string() }
}

impl Problems {
    fn add(&mut self, problem: String) {
        self.count += 1;
        if self.first.len() < MOST_PROBLEMS {
            self.first.push(problem);
        }
    }
}

#[cfg(test)]
mod tests;
