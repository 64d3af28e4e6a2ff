//! The wiring, and the only one: sources, the packet path, detectors, outputs.

mod output;
mod path;
mod progress;
mod read;

pub use read::{ReadError, read};
