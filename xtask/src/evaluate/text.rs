//! Figures as people write them.

use super::statistics::{self, Estimate};

/// A table in Markdown.
pub(super) struct Table(String);

impl Table {
    pub(super) fn new(head: &[&str]) -> Self {
        let rule = vec!["---"; head.len()];
        Self(format!("| {} |\n| {} |\n", head.join(" | "), rule.join(" | ")))
    }

    pub(super) fn row(&mut self, cells: &[&str]) {
        // A bar would end the cell.
        let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
        self.0.push_str(&format!("| {} |\n", cells.join(" | ")));
    }

    pub(super) fn finish(self) -> String {
        self.0 + "\n"
    }
}

/// `46 of 50, 92 % (81 to 97)`.
pub(super) fn share(hits: usize, trials: usize) -> String {
    match statistics::share(hits, trials) {
        None => "none planted".into(),
        Some(share) => format!("{hits} of {trials}, {}", percent(share)),
    }
}

/// `92 % (81 to 97)`.
pub(super) fn percent(share: Estimate) -> String {
    let [value, low, high] = [share.value, share.low, share.high].map(|share| share * 100.0);
    format!("{value:.0} % ({low:.0} to {high:.0})")
}

/// `0.12 (0.01 to 0.40)`.
pub(super) fn rate(rate: Estimate) -> String {
    format!("{} ({} to {})", figure(rate.value), figure(rate.low), figure(rate.high))
}

/// Three figures of it.
pub(super) fn figure(value: f64) -> String {
    match value {
        0.0 => "0".into(),
        ..0.1 => format!("{value:.3}"),
        ..10.0 => format!("{value:.2}"),
        ..100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

/// `4.4 s`, `18.3 min`, `10.0 h`.
pub(super) fn seconds(seconds: f64) -> String {
    match seconds {
        ..120.0 => format!("{seconds:.1} s"),
        ..7200.0 => format!("{:.1} min", seconds / 60.0),
        _ => format!("{:.1} h", seconds / 3600.0),
    }
}

/// `17 MB`, `1.2 GB`: three figures at most, and none that are not there.
pub(super) fn bytes(bytes: f64) -> String {
    let (value, unit) = match bytes {
        ..999_500.0 => (bytes / 1e3, "KB"),
        ..999_500_000.0 => (bytes / 1e6, "MB"),
        _ => (bytes / 1e9, "GB"),
    };
    let digits = match value {
        ..10.0 => (value * 10.0).round() / 10.0,
        _ => value.round(),
    };
    format!("{digits} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_their_units() {
        assert_eq!(share(46, 50), "46 of 50, 92 % (81 to 97)");
        assert_eq!(share(0, 0), "none planted");
        assert_eq!(
            [5e8, 5.04e9, 1.72e7, 999_600.0].map(bytes),
            ["500 MB", "5 GB", "17 MB", "1 MB"]
        );
        assert_eq!([4.44, 1098.0, 36_000.0].map(seconds), ["4.4 s", "18.3 min", "10.0 h"]);
        assert_eq!([0.0, 0.012, 1.5, 123.4].map(figure), ["0", "0.012", "1.50", "123"]);
    }

    #[test]
    fn a_bar_ends_no_cell() {
        let mut table = Table::new(&["a", "b"]);
        table.row(&["x|y", "z"]);
        assert_eq!(table.finish(), "| a | b |\n| --- | --- |\n| x\\|y | z |\n\n");
    }
}
