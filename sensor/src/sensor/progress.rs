//! How far a reading has come, on stderr for whoever waits at a terminal.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use crate::capture::Stats;
use crate::time::{ByteSize, Elapsed};

/// How often the line is drawn anew.
const EVERY: Duration = Duration::from_millis(250);

/// How many bursts pass between looks at the clock.
const BURSTS: u32 = 1024;

/// A line on stderr that is drawn over itself.
pub(super) struct Progress {
    started: Instant,
    drawn: Option<Instant>,
    bursts: u32,
    shown: bool,
}

impl Progress {
    /// Draws only when `wanted` and stderr is a terminal.
    pub(super) fn new(wanted: bool) -> Self {
        let shown = wanted && std::io::stderr().is_terminal();
        Self { started: Instant::now(), drawn: None, bursts: 0, shown }
    }

    /// How long the reading has taken so far.
    pub(super) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// A burst was read; `stats` tells how far the source is.
    pub(super) fn burst(&mut self, stats: impl FnOnce() -> Stats) {
        self.bursts += 1;
        if !self.shown || self.bursts < BURSTS {
            return;
        }
        self.bursts = 0;
        let now = Instant::now();
        if now.duration_since(self.drawn.unwrap_or(self.started)) < EVERY {
            return;
        }
        self.drawn = Some(now);
        self.draw(&stats());
    }

    /// Takes the line away.
    pub(super) fn clear(&self) {
        if self.drawn.is_some() {
            // A terminal that is gone needs no clean-up.
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }

    fn draw(&self, stats: &Stats) {
        let seconds = self.elapsed().as_secs_f64().max(0.001);
        let rate = stats.bytes_read as f64 / seconds;
        let read = ByteSize(stats.bytes_read);
        let rate_shown = ByteSize(rate as u64);
        let mut line = format!("\r\x1b[K{read} read, {rate_shown}/s");
        if let Some(total) = stats.bytes_total.filter(|total| *total > 0) {
            let share = 100 * stats.bytes_read.min(total) / total;
            let left = total.saturating_sub(stats.bytes_read) as f64 / rate.max(1.0);
            let left = Elapsed(Duration::from_secs_f64(left.min(1e9)));
            line = format!("\r\x1b[K{share} % of {}, {rate_shown}/s, {left} left", ByteSize(total));
        }
        // A terminal that is gone needs no progress.
        let _ = std::io::stderr().write_all(line.as_bytes());
    }
}
