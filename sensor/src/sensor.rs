//! The wiring, and the only one: sources, the packet path, detectors, outputs.

mod evidence;
mod output;
mod path;
mod progress;
mod read;
mod run;

pub use read::{ReadError, read};
pub use run::{RunError, relay, run};
