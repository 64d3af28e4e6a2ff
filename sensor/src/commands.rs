//! The commands that look after what lasts and after the machine; `sensor` has those that watch.

mod alerts;
mod baseline;
mod check;
pub mod inventory;
mod table;

pub use alerts::{AlertsError, alerts};
pub use baseline::{BaselineError, baseline};
pub use check::{CheckError, check};
pub use inventory::{InventoryError, inventory};

/// Who gives the command, for whoever reads later who said what.
fn person() -> String {
    let name = ["SUDO_USER", "USER", "LOGNAME"].into_iter().find_map(|key| std::env::var(key).ok());
    name.filter(|name| !name.is_empty())
        .unwrap_or_else(|| format!("uid {}", rustix::process::getuid().as_raw()))
}
