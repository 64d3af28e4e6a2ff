//! Detectors.

mod answers;
mod domain;
mod recent;
mod statistics;
mod volume;
