//! Prometheus' text format, as far as values go.

use std::collections::BTreeMap;
use std::fmt;

/// One value.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Name of the metric.
    pub name: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its value.
    pub value: f64,
}

/// All values of one scrape.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Samples(Vec<Sample>);

impl Samples {
    /// Reads a scrape.
    ///
    /// # Panics
    /// When a line is no sample.
    pub fn parse(text: &str) -> Self {
        let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        let parsed = lines.map(|line| sample(line).unwrap_or_else(|| panic!("no sample: {line}")));
        Self(parsed.collect())
    }

    /// Those of this name with at least these labels.
    pub fn of<'a>(
        &'a self,
        name: &'a str,
        labels: &'a [(&str, &str)],
    ) -> impl Iterator<Item = &'a Sample> {
        let fits = move |sample: &&Sample| {
            let has = |&(key, value): &(&str, &str)| {
                sample.labels.get(key).is_some_and(|found| found == value)
            };
            sample.name == name && labels.iter().all(has)
        };
        self.0.iter().filter(fits)
    }

    /// The sum of those of this name with at least these labels, as a count; 0 of none.
    pub fn count(&self, name: &str, labels: &[(&str, &str)]) -> u64 {
        self.of(name, labels).map(|sample| sample.value).sum::<f64>() as u64
    }
}

/// Those that are not zero, one a line.
impl fmt::Display for Samples {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Sample { name, labels, value } in self.0.iter().filter(|sample| sample.value != 0.0) {
            writeln!(f, "{name} {labels:?} {value}")?;
        }
        Ok(())
    }
}

/// `name{label="value",...} value`, or without labels.
fn sample(line: &str) -> Option<Sample> {
    let (name, rest) = line.split_at(line.find(['{', ' '])?);
    let (labels, value) = match rest.strip_prefix('{') {
        Some(rest) => labels(rest)?,
        None => (BTreeMap::new(), rest),
    };
    let value = value.split_whitespace().next()?.parse().ok()?;
    Some(Sample { name: name.to_owned(), labels, value })
}

/// Labels up to the closing brace, and what follows.
fn labels(mut rest: &str) -> Option<(BTreeMap<String, String>, &str)> {
    let mut labels = BTreeMap::new();
    loop {
        rest = rest.trim_start_matches([',', ' ']);
        if let Some(rest) = rest.strip_prefix('}') {
            return Some((labels, rest));
        }
        let (name, quoted) = rest.split_once("=\"")?;
        let mut value = String::new();
        let mut letters = quoted.char_indices();
        let end = loop {
            match letters.next()? {
                (at, '"') => break at,
                (_, '\\') => match letters.next()?.1 {
                    'n' => value.push('\n'),
                    other => value.push(other),
                },
                (_, letter) => value.push(letter),
            }
        };
        labels.insert(name.to_owned(), value);
        rest = quoted.get(end + 1..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_read_with_their_escapes() {
        let text = "# HELP a_total x\n# TYPE a_total counter\n\
            a_total 3\nb{x=\"1\",y=\"say \\\"}\\\\\\n\"} 1.5e3\nb{x=\"2\",} 1 1700000000000\n";
        let samples = Samples::parse(text);
        assert_eq!(samples.count("a_total", &[]), 3);
        assert_eq!(samples.count("b", &[("x", "1")]), 1500);
        assert_eq!(samples.count("b", &[]), 1501);
        assert_eq!(samples.count("b", &[("x", "3")]), 0);
        assert_eq!(samples.of("b", &[]).next().unwrap().labels["y"], "say \"}\\\n");
    }
}
