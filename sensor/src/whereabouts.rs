//! In which country and whose network an address is, as databases in MaxMind's format say (MaxMind DB
//! 2.0: GeoLite2, DB-IP, IPinfo).
//!
//! A database is read whole when the config is, up to 512 MiB, and looked up in memory. Egret brings
//! none along: they are other people's, and grow old.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use maxminddb::{MaxMindDbError, PathElement, Reader};

/// The largest that is read; one of all cities of the world has 130 MB.
const MOST: u64 = 512 << 20;

/// The databases that are asked, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Databases(Vec<Arc<Database>>);

/// One of them.
pub struct Database {
    path: PathBuf,
    reader: Reader<Vec<u8>>,
}

/// Why a database is not used.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// The file could not be read.
    #[error("a file that can be read ({0})")]
    Unreadable(#[from] io::Error),
    /// It is too large.
    #[error("a database of at most 512 MiB")]
    TooLarge,
    /// It is something else.
    #[error("a database in MaxMind's format, such as GeoLite2-Country.mmdb ({0})")]
    Malformed(#[from] MaxMindDbError),
}

impl Databases {
    /// Those that were opened.
    pub fn new(databases: Vec<Database>) -> Self {
        Self(databases.into_iter().map(Arc::new).collect())
    }

    /// Whether there is none to ask.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The country of an address, as two letters (ISO 3166-1).
    pub fn country(&self, address: IpAddr) -> Option<[u8; 2]> {
        const PATHS: [&[PathElement<'_>]; 3] = [
            &[PathElement::Key("country"), PathElement::Key("iso_code")],
            &[PathElement::Key("country_code")],
            &[PathElement::Key("country")],
        ];
        self.0.iter().find_map(|database| {
            PATHS.iter().find_map(|path| {
                let code: Cow<'_, str> = database.find(address, path)?;
                let code: [u8; 2] = code.as_bytes().try_into().ok()?;
                code.iter().all(u8::is_ascii_uppercase).then_some(code)
            })
        })
    }

    /// The autonomous system that announces an address, by its number.
    pub fn system(&self, address: IpAddr) -> Option<u32> {
        const NUMBER: &[PathElement<'_>] = &[PathElement::Key("autonomous_system_number")];
        const NAME: &[PathElement<'_>] = &[PathElement::Key("asn")];
        self.0.iter().find_map(|database| {
            let named = || {
                let name: Cow<'_, str> = database.find(address, NAME)?;
                name.strip_prefix("AS")?.parse().ok()
            };
            database.find(address, NUMBER).or_else(named)
        })
    }
}

impl Database {
    /// Reads one.
    pub fn open(path: &Path) -> Result<Self, DatabaseError> {
        let mut bytes = Vec::new();
        File::open(path)?.take(MOST + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > MOST {
            return Err(DatabaseError::TooLarge);
        }
        Ok(Self { path: path.to_owned(), reader: Reader::from_source(bytes)? })
    }

    /// What stands at `path` of what is known of an address; of a broken database nothing.
    fn find<'a, T: serde::Deserialize<'a>>(
        &'a self,
        address: IpAddr,
        path: &[PathElement<'_>],
    ) -> Option<T> {
        self.reader.lookup(address).ok()?.decode_path(path).ok()?
    }
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Database").field(&self.path).finish()
    }
}

/// A file that was replaced by another edition is another database.
impl PartialEq for Database {
    fn eq(&self, other: &Self) -> bool {
        let edition = |database: &Self| database.reader.metadata().build_epoch;
        self.path == other.path && edition(self) == edition(other)
    }
}

impl Eq for Database {}

#[cfg(test)]
pub(crate) mod tests;
