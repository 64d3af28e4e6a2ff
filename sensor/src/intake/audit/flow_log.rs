//! Lines of VPC flow logs: values with a space between them, and a line before them that names the fields.
//!
//! In files the first line does so; in CloudWatch none does: then the fields are those of the default
//! format, version 2 (AWS, *Flow log records*).

/// Fields at most; AWS has 40.
const MAX_FIELDS: usize = 128;
/// The names of all fields have these characters only.
const NAME: fn(char) -> bool = |c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
/// The fields of the default format.
const DEFAULT: &str = "version account-id interface-id srcaddr dstaddr srcport dstport protocol \
    packets bytes start end action log-status";

/// The names of fields, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    names: Vec<Box<str>>,
}

impl Default for Layout {
    fn default() -> Self {
        Self { names: DEFAULT.split_whitespace().map(Into::into).collect() }
    }
}

impl Layout {
    /// What a line that names fields says.
    pub fn named(line: &str) -> Option<Self> {
        let names: Vec<&str> = line.split_ascii_whitespace().take(MAX_FIELDS + 1).collect();
        let has = |name| names.contains(&name);
        let is_header = (has("srcaddr") || has("pkt-srcaddr"))
            && names.len() <= MAX_FIELDS
            && names.iter().all(|name| name.chars().all(NAME));
        is_header.then(|| Self { names: names.into_iter().map(Into::into).collect() })
    }

    /// What a line of values says: one for each name, or it is no such line.
    pub fn fields<'a>(&'a self, line: &'a str) -> Option<Fields<'a>> {
        let values: Vec<&str> =
            line.split_ascii_whitespace().take(self.names.len() + 1).collect();
        (values.len() == self.names.len()).then_some(Fields { names: &self.names, values })
    }
}

/// The fields of a line.
#[derive(Debug, Clone)]
pub struct Fields<'a> {
    names: &'a [Box<str>],
    values: Vec<&'a str>,
}

impl<'a> Fields<'a> {
    /// A field's value; none where there is no such field, or `-` instead.
    pub fn get(&self, name: &str) -> Option<&'a str> {
        let fields = self.names.iter().zip(&self.values);
        let (_, value) = fields.into_iter().find(|(known, _)| &***known == name)?;
        (*value != "-").then_some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_go_by_their_names() {
        let line = "2 111122223333 eni-0a 10.0.0.1 10.0.0.2 443 49152 6 10 840 1795183391 1795183451 ACCEPT OK";
        let layout = Layout::default();
        let fields = layout.fields(line).unwrap();
        assert_eq!(fields.get("dstaddr"), Some("10.0.0.2"));
        assert_eq!(fields.get("bytes"), Some("840"));
        assert_eq!(fields.get("tcp-flags"), None);

        let layout = Layout::named("srcaddr dstaddr vpc-id bytes").unwrap();
        let fields = layout.fields("10.0.0.1 10.0.0.2 - 840\r").unwrap();
        assert_eq!([fields.get("bytes"), fields.get("vpc-id")], [Some("840"), None]);
    }

    #[test]
    fn other_lines_are_none() {
        for line in ["", "version start end", "srcaddr Dstaddr", "no flow log: srcaddr"] {
            assert_eq!(Layout::named(line), None, "{line}");
        }
        assert_eq!(Layout::named(&"srcaddr ".repeat(MAX_FIELDS + 1)), None);
        let layout = Layout::default();
        assert!(layout.fields("2 111122223333 eni-0a").is_none());
        assert!(layout.fields(&"- ".repeat(15)).is_none());
    }
}
