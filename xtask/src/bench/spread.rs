//! Figures of several rounds in one.

/// Middle and ends of a few figures.
pub(crate) struct Spread {
    pub(crate) median: f64,
    least: f64,
    most: f64,
}

impl Spread {
    /// Of these; `None` when there are none.
    pub(crate) fn of(figures: impl Iterator<Item = f64>) -> Option<Self> {
        let mut sorted: Vec<f64> = figures.collect();
        sorted.sort_by(f64::total_cmp);
        let (least, most) = (*sorted.first()?, *sorted.last()?);
        let median = *sorted.get(sorted.len() / 2)?;
        Some(Self { median, least, most })
    }
}

/// `median (least to most)`, with the formatter's precision for each and its width for all.
impl std::fmt::Display for Spread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { median, least, most } = self;
        let precision = f.precision().unwrap_or(2);
        let text = format!("{median:.precision$} ({least:.precision$} to {most:.precision$})");
        write!(f, "{text:>width$}", width = f.width().unwrap_or(0))
    }
}
