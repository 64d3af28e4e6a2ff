//! Assets that people imported, beside those that the config names.

use std::collections::BTreeSet;

use rusqlite::params;

use super::{Store, StoreError, from_sql, to_sql};
use crate::config::file::{mac, prefix};
use crate::config::{Asset, Role};
use crate::inventory::MAX_ASSETS;
use crate::time::Timestamp;

/// An imported asset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// Which import it is of.
    pub source: String,
    /// When that was.
    pub at: Timestamp,
    /// The asset.
    pub asset: Asset,
}

/// A row as it is kept: source, name, time, role, addresses, MAC addresses, host.
type Row = (String, String, i64, String, String, String, Option<String>);

impl Store {
    /// Keeps what was imported in place of all that `source` had before, all or nothing; how many
    /// that were. A running sensor follows it within seconds.
    ///
    /// # Errors
    /// When that cannot be written.
    pub fn import_assets(
        &mut self,
        source: &str,
        assets: &[Asset],
        at: Timestamp,
    ) -> Result<usize, StoreError> {
        self.write(|transaction| {
            let sql = "DELETE FROM imported_asset WHERE source = ?1";
            let before = transaction.execute(sql, [source])?;
            let sql = "INSERT INTO imported_asset VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
            let mut insert = transaction.prepare(sql)?;
            for asset in assets {
                insert.execute(params![
                    source,
                    &*asset.name,
                    to_sql(at),
                    asset.role.name(),
                    joined(&asset.addresses),
                    joined(&asset.macs),
                    asset.host,
                ])?;
            }
            Ok(before)
        })
    }

    /// All imports' assets, for the detectors, with names, addresses and MAC addresses that are
    /// each given once: of two sources the first by name has them.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn imported_assets(&self) -> Result<Vec<Asset>, StoreError> {
        let all = self.imports()?.into_iter().map(|imported| imported.asset).collect();
        Ok(unclaimed(&[], all))
    }

    /// All imported assets, by source and name. What cannot be read is said and left out.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn imports(&self) -> Result<Vec<Imported>, StoreError> {
        let rows: Vec<Row> = self.read(|connection| {
            let sql = "SELECT source, name, imported, role, addresses, macs, host
                       FROM imported_asset ORDER BY source, name LIMIT ?1";
            let mut query = connection.prepare(sql)?;
            let rows = query.query_map([MAX_ASSETS as i64], |row| row.try_into())?;
            rows.collect()
        })?;
        let mut all = Vec::new();
        for row in rows {
            let name = row.1.clone();
            match read(row) {
                Some(imported) => all.push(imported),
                None => {
                    let what = "its role or an address is unknown to this version";
                    let error = self.bad_row(format!("the imported asset {name}"), &what);
                    tracing::warn!("{error}");
                }
            }
        }
        Ok(all)
    }
}

/// Those of `imported` that can stand beside `configured`: an asset whose name is taken is left
/// out, and so is an address or a MAC address that another has; one without any is none.
pub fn unclaimed(configured: &[Asset], imported: Vec<Asset>) -> Vec<Asset> {
    let mut names: BTreeSet<_> = configured.iter().map(|asset| asset.name.clone()).collect();
    let mut addresses: BTreeSet<_> =
        configured.iter().flat_map(|asset| &asset.addresses).copied().collect();
    let mut macs: BTreeSet<_> = configured.iter().flat_map(|asset| &asset.macs).copied().collect();
    let mut beside = Vec::new();
    for mut asset in imported {
        if names.contains(&asset.name) {
            continue;
        }
        asset.addresses.retain(|address| addresses.insert(*address));
        asset.macs.retain(|mac| macs.insert(*mac));
        if !(asset.addresses.is_empty() && asset.macs.is_empty()) {
            names.insert(asset.name.clone());
            beside.push(asset);
        }
    }
    beside
}

fn joined<T: ToString>(items: &[T]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

fn read((source, name, at, role, addresses, macs, host): Row) -> Option<Imported> {
    let role = Role::ALL.into_iter().find(|known| known.name() == role)?;
    let asset = Asset {
        name: name.into(),
        role,
        addresses: addresses.split_whitespace().map(prefix).collect::<Option<_>>()?,
        macs: macs.split_whitespace().map(mac).collect::<Option<_>>()?,
        host,
    };
    Some(Imported { source, at: from_sql(at), asset })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asset(name: &str, role: Role, addresses: &[&str], macs: &[&str]) -> Asset {
        Asset {
            name: name.into(),
            role,
            addresses: addresses.iter().map(|text| prefix(text).unwrap()).collect(),
            macs: macs.iter().map(|text| mac(text).unwrap()).collect(),
            host: Some("esxi-01".to_owned()),
        }
    }

    #[test]
    fn an_import_replaces_its_source_and_leaves_others() {
        let directory = tempfile::tempdir().unwrap();
        let mut store = Store::open(directory.path()).unwrap();
        let a = asset("a", Role::Guest, &["10.0.0.1", "fd00::1"], &["00:50:56:80:00:01"]);
        let b = asset("b", Role::Esxi, &["10.0.0.0/24"], &[]);
        let time = Timestamp::from_nanos(7);
        assert_eq!(store.import_assets("csv", std::slice::from_ref(&b), time).unwrap(), 0);
        let both = [a.clone(), b.clone()];
        assert_eq!(store.import_assets("rvtools", &both, time).unwrap(), 0);
        assert_eq!(store.import_assets("rvtools", std::slice::from_ref(&a), time).unwrap(), 2);
        drop(store);
        let mut store = Store::open_existing(directory.path()).unwrap();
        let imports = store.imports().unwrap();
        let expected = [("csv", b.clone()), ("rvtools", a.clone())];
        assert_eq!(
            imports,
            expected.map(|(source, asset)| Imported { source: source.into(), at: time, asset })
        );
        assert_eq!(store.imported_assets().unwrap(), [b, a]);
        assert_eq!(store.import_assets("csv", &[], time).unwrap(), 1);
        assert_eq!(store.imports().unwrap().len(), 1);
    }

    #[test]
    fn the_config_has_what_both_claim() {
        let configured = [asset("a", Role::Esxi, &["10.0.0.1"], &["00:50:56:80:00:01"])];
        let imported = vec![
            asset("a", Role::Guest, &["10.0.0.9"], &[]),
            asset("b", Role::Guest, &["10.0.0.1"], &["00:50:56:80:00:01"]),
            asset("c", Role::Guest, &["10.0.0.1", "10.0.0.3"], &[]),
            asset("d", Role::Guest, &["10.0.0.3", "10.0.0.9"], &[]),
            asset("c", Role::Guest, &["10.0.0.7"], &[]),
        ];
        let beside = unclaimed(&configured, imported);
        let expected = [
            asset("c", Role::Guest, &["10.0.0.3"], &[]),
            asset("d", Role::Guest, &["10.0.0.9"], &[]),
        ];
        assert_eq!(beside, expected);
    }

    #[test]
    fn a_row_of_another_version_is_left_out() {
        let directory = tempfile::tempdir().unwrap();
        let mut store = Store::open(directory.path()).unwrap();
        let sql = "INSERT INTO imported_asset VALUES ('x', ?1, 0, ?2, ?3, '', NULL)";
        store
            .write(|transaction| {
                transaction.execute(sql, ["a", "robot", ""])?;
                transaction.execute(sql, ["b", "guest", "10.0.0.x"])?;
                transaction.execute(sql, ["c", "guest", "10.0.0.1"])
            })
            .unwrap();
        assert_eq!(store.imports().unwrap().len(), 1);
    }
}
