//! ATT&CK's table of log sources and channels for Network Traffic Flow, and who serves each of its rows.

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The log source: `NSM:Flow`.
    pub name: &'static str,
    /// The channel.
    pub channel: &'static str,
    /// `N`, `L`, `J` or `H`, and what was given first where that is another.
    pub class: &'static str,
    /// Detectors, analytics, `events:` and their types, `feed:` and the service that tells. None where
    /// nobody serves it.
    pub served: Vec<&'static str>,
    /// Names of the tests that prove it.
    pub proved: Vec<&'static str>,
    /// What there is to say, and of a row that is not served why.
    pub note: Option<&'static str>,
}

impl Row {
    /// The class that it has.
    pub fn class(&self) -> char {
        self.class.chars().next().unwrap_or('?')
    }

    fn read(line: &'static str) -> Option<Self> {
        let mut fields = line.split(" | ");
        let mut next = || fields.next().map(str::trim);
        let given = |text: &'static str| (text != "-").then_some(text);
        let list = |text| given(text).into_iter().flat_map(str::split_whitespace).collect();
        let row = Self {
            name: next()?,
            channel: next()?,
            class: next()?,
            served: list(next()?),
            proved: list(next()?),
            note: given(next()?),
        };
        next().is_none().then_some(row)
    }
}

/// All rows, in the order of the table.
pub fn rows() -> impl Iterator<Item = Row> {
    lines().filter_map(Row::read)
}

fn lines() -> impl Iterator<Item = &'static str> {
    let lines = include_str!("rows.txt").lines();
    lines.filter(|line| !line.is_empty() && !line.starts_with('#'))
}

#[cfg(test)]
mod tests;
