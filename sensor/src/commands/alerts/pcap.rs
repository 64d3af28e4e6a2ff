//! `egret alerts show ID --pcap FILE`.

use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::Path;

use super::{AlertsError, check, one_of, short};
use crate::cli::Stream;
use crate::evidence;
use crate::store::Store;
use crate::text::file_name;

/// Writes the packets of an alert. `egret read --state` keeps packets, and no alerts: an id is looked for
/// among both.
pub(super) fn write(
    store: &Store,
    data_dir: &Path,
    given: &str,
    file: &Stream,
    to: &mut impl Write,
) -> Result<(), AlertsError> {
    check(given)?;
    let mut ids = store.alert_ids(given, 4)?;
    ids.extend(evidence::ids(data_dir, given, 4));
    ids.sort_unstable();
    ids.dedup();
    let id = one_of(given, &ids)?;
    if *file == Stream::Standard && io::stdout().is_terminal() {
        return Err(AlertsError::Terminal);
    }
    let packets =
        evidence::read(data_dir, id).map_err(|missing| AlertsError::NoPackets { id, missing })?;
    match file {
        Stream::Standard => to.write_all(&packets)?,
        Stream::File(path) => {
            let written = fs::write(path, packets);
            written.map_err(|source| AlertsError::Write { path: path.clone(), source })?;
            writeln!(to, "{} written to {}", short(id), file_name(path))?;
        }
    }
    Ok(())
}
