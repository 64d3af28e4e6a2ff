//! The commands that look after what lasts and after the machine; `sensor` has those that watch.

mod alerts;
mod baseline;
mod check;
pub mod inventory;

pub use alerts::{AlertsError, alerts};
pub use baseline::{BaselineError, baseline};
pub use check::{CheckError, check};
pub use inventory::{InventoryError, inventory};
