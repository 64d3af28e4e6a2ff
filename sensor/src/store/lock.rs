//! One sensor a data directory: two would each save what the other has not learned, and deliver
//! what the other delivers.

use std::fs::{self, File, TryLockError};
use std::path::Path;

use super::StoreError;
use crate::text::{file_name, reason};

/// A data directory that is taken, until this is dropped or the process ends, however it ends.
#[derive(Debug)]
pub struct Lock {
    /// The directory itself: that needs no room on a disk that is full.
    _directory: File,
}

impl Lock {
    /// Takes `directory` for this process, and makes it where it is missing.
    ///
    /// # Errors
    /// When another process has it, or it cannot be made or opened.
    pub fn take(directory: &Path) -> Result<Self, StoreError> {
        let failed = |source| StoreError::Directory { path: directory.to_owned(), source };
        fs::create_dir_all(directory).map_err(failed)?;
        let file = File::open(directory).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(StoreError::InUse { path: directory.to_owned() });
            }
            // Some network file systems lock nothing.
            Err(TryLockError::Error(error)) => tracing::warn!(
                "{}: cannot be locked: {}; make sure that no other sensor uses it",
                file_name(directory),
                reason(&error)
            ),
        }
        Ok(Self { _directory: file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_one_sensors_until_it_ends() {
        let directory = tempfile::tempdir().unwrap();
        let directory = directory.path().join("new");
        let first = Lock::take(&directory).unwrap();
        let error = Lock::take(&directory).unwrap_err().to_string();
        assert!(error.contains("another sensor"), "{error}");
        drop(first);
        Lock::take(&directory).unwrap();
    }
}
