//! The program's own log: lines on stderr for whoever runs it.

use std::io::{self, IsTerminal};

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Starts the log: warnings; with `verbose` also what it does (1) and how (2); `quiet` leaves
/// errors only. Does nothing when a log was started before.
pub fn start(verbose: u8, quiet: bool) {
    let level = level(verbose, quiet);
    // What the NATS client says with each attempt, the fleet says once.
    let said = Targets::new().with_default(level).with_target("async_nats", LevelFilter::OFF);
    // A second start would be a test's or an embedder's, whose log it then is.
    let _ = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(io::stderr)
        .with_ansi(has_colour(&io::stderr()))
        .with_target(false)
        .without_time()
        .finish()
        .with(said)
        .try_init();
}

/// Whether to write colours to `stream`: it is a terminal, and the user has not said `NO_COLOR`
/// (<https://no-color.org>: set and not empty).
pub fn has_colour(stream: &impl IsTerminal) -> bool {
    stream.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

const fn level(verbose: u8, quiet: bool) -> LevelFilter {
    match (quiet, verbose) {
        (true, _) => LevelFilter::ERROR,
        (false, 0) => LevelFilter::WARN,
        (false, 1) => LevelFilter::INFO,
        (false, _) => LevelFilter::DEBUG,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verbose_says_more_and_quiet_less() {
        let levels = [(0, true), (0, false), (1, false), (2, false), (9, false)]
            .map(|(verbose, quiet)| level(verbose, quiet));
        assert!(levels.is_sorted());
        assert_eq!(levels[0], LevelFilter::ERROR);
        assert_eq!(levels[4], LevelFilter::DEBUG);
    }
}
