//! The list of assets: a table for people, or an object each.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::InventoryError;
use super::import::address;
use crate::baseline::Baseline;
use crate::cli;
use crate::config::{Asset, Config};
use crate::store::{Imported, Store, StoreError};
use crate::text::printable;
use crate::time::Timestamp;

/// A line of the list.
struct Line<'a> {
    name: &'a str,
    asset: Option<&'a Asset>,
    /// Where it is known from.
    known_from: String,
    imported: Option<Timestamp>,
    first_seen: Option<Timestamp>,
}

/// Prints all assets that are known.
pub(super) fn list(arguments: &cli::List, config: &Config) -> Result<(), InventoryError> {
    let (imports, baseline) = match Store::open_existing(&config.sensor.data_dir) {
        Ok(store) => (store.imports()?, store.baseline()?.unwrap_or_default()),
        Err(StoreError::Missing { .. }) => (Vec::new(), Baseline::default()),
        Err(error) => return Err(error.into()),
    };
    let lines = lines(&config.assets, &imports, &baseline);
    let mut to = io::stdout().lock();
    if arguments.json {
        for line in &lines {
            writeln!(to, "{}", object(line))?;
        }
    } else {
        table(&mut to, &lines)?;
    }
    Ok(to.flush()?)
}

/// The config's assets, then imported ones that the config does not name, then those that were
/// only learned.
fn lines<'a>(
    configured: &'a [Asset],
    imports: &'a [Imported],
    baseline: &'a Baseline,
) -> Vec<Line<'a>> {
    let first_seen = |name: &str| {
        let learned = baseline.assets.get(name)?;
        Some(Timestamp::from_parts(learned.first_seen, 0))
    };
    let named = configured.iter().map(|asset| (asset, "config".to_owned(), None));
    let imported = imports.iter().map(|imported| {
        (&imported.asset, printable(&imported.source).to_string(), Some(imported.at))
    });
    let mut names = std::collections::BTreeSet::new();
    let mut lines = Vec::new();
    for (asset, known_from, imported) in named.chain(imported) {
        if names.insert(&*asset.name) {
            let (name, first_seen) = (&*asset.name, first_seen(&asset.name));
            lines.push(Line { name, asset: Some(asset), known_from, imported, first_seen });
        }
    }
    for name in baseline.assets.keys().filter(|name| !names.contains(name.as_str())) {
        let (known_from, first_seen) = ("learned".to_owned(), first_seen(name));
        lines.push(Line { name, asset: None, known_from, imported: None, first_seen });
    }
    lines
}

impl Line<'_> {
    fn addresses(&self) -> Vec<String> {
        self.asset.iter().flat_map(|asset| &asset.addresses).map(address).collect()
    }

    fn macs(&self) -> Vec<String> {
        self.asset.iter().flat_map(|asset| &asset.macs).map(ToString::to_string).collect()
    }
}

fn object(line: &Line<'_>) -> Value {
    json!({
        "name": line.name,
        "role": line.asset.map(|asset| asset.role.name()),
        "address": line.addresses(),
        "mac": line.macs(),
        "host": line.asset.and_then(|asset| asset.host.as_deref()),
        "source": line.known_from,
        "imported": line.imported,
        "first_seen": line.first_seen,
    })
}

fn table(to: &mut impl Write, lines: &[Line<'_>]) -> io::Result<()> {
    if lines.is_empty() {
        return writeln!(
            to,
            "no assets: name them as [[asset]] in the config, or import them with `egret inventory \
             import FILE`; others are found by VMware MAC addresses when the sensor runs"
        );
    }
    const HEADER: [&str; 7] = ["NAME", "ROLE", "ADDRESS", "MAC", "HOST", "FROM", "FIRST SEEN"];
    let mut rows = vec![HEADER.map(str::to_owned)];
    rows.extend(lines.iter().map(row));
    let mut widths = [0; HEADER.len()];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    for row in &rows {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
        let line = cells.collect::<Vec<_>>().join("  ");
        writeln!(to, "{}", line.trim_end())?;
    }
    Ok(())
}

fn row(line: &Line<'_>) -> [String; 7] {
    let text = |text: Option<&str>| text.map_or("-".to_owned(), |text| printable(text).to_string());
    let asset = line.asset;
    [
        text(Some(line.name)),
        text(asset.map(|asset| asset.role.name())),
        first(&line.addresses()),
        first(&line.macs()),
        text(asset.and_then(|asset| asset.host.as_deref())),
        line.known_from.clone(),
        line.first_seen.map_or("never".to_owned(), |time| time.people().to_string()),
    ]
}

/// The first of a list, and how many more there are; `--json` has them all.
fn first(items: &[String]) -> String {
    match items {
        [] => "-".to_owned(),
        [only] => only.clone(),
        [first, more @ ..] => format!("{first} +{}", more.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::baseline::AssetBaseline;
    use crate::config::Role;

    fn asset(name: &str, addresses: &[&str]) -> Asset {
        Asset {
            name: name.into(),
            role: Role::Esxi,
            addresses: addresses.iter().map(|text| text.parse().unwrap()).collect(),
            macs: Vec::new(),
            host: None,
        }
    }

    fn known() -> (Vec<Asset>, Vec<Imported>, Baseline) {
        let imported = |name: &str| Imported {
            source: "rvtools".to_owned(),
            at: Timestamp::from_parts(1, 0),
            asset: asset(name, &["10.0.0.2/32"]),
        };
        let configured = vec![asset("esxi-01", &["10.0.0.1/32", "10.0.9.0/24"])];
        let learned = AssetBaseline { first_seen: 1_795_183_200, ..AssetBaseline::default() };
        let assets = ["10.0.0.9", "esxi-01"].map(|name| (name.to_owned(), learned.clone()));
        (
            configured,
            vec![imported("esxi-01"), imported("bad\x1b[2J")],
            Baseline { assets: assets.into(), ..Baseline::default() },
        )
    }

    #[test]
    fn the_table_is_aligned_and_harmless_and_names_each_asset_once() {
        let (configured, imports, baseline) = known();
        let mut table_text = Vec::new();
        table(&mut table_text, &lines(&configured, &imports, &baseline)).unwrap();
        assert_eq!(
            String::from_utf8(table_text).unwrap(),
            "NAME        ROLE  ADDRESS      MAC  HOST  FROM     FIRST SEEN\n\
             esxi-01     esxi  10.0.0.1 +1  -    -     config   2026-11-20 14:00:00\n\
             bad\\x1b[2J  esxi  10.0.0.2     -    -     rvtools  never\n\
             10.0.0.9    -     -            -    -     learned  2026-11-20 14:00:00\n"
        );
    }

    #[test]
    fn json_has_all_of_an_asset() {
        let (configured, imports, baseline) = known();
        let lines = lines(&configured, &imports, &baseline);
        assert_eq!(
            object(&lines[0]),
            json!({
                "name": "esxi-01", "role": "esxi", "address": ["10.0.0.1", "10.0.9.0/24"],
                "mac": [], "host": null, "source": "config", "imported": null,
                "first_seen": "2026-11-20T14:00:00.000000Z",
            })
        );
    }
}
