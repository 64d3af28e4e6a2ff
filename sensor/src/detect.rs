//! Placeholder until the detectors land.
#![allow(missing_docs, clippy::all)]
use crate::alert::Alert;
use crate::config::Config;
use crate::event::Event;
use std::time::Duration;
pub struct Engine;
impl Engine {
    pub fn new(_: &Config, _: Option<Duration>, _: Option<()>) -> Self {
        Self
    }
    #[inline(never)]
    pub fn event(&mut self, _: &Event) {}
    pub fn finish(&mut self) {}
    pub fn drain_alerts(&mut self) -> impl Iterator<Item = Alert> {
        std::iter::empty()
    }
}
