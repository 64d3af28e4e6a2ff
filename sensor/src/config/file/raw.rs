//! TOML as a tree in which every value knows where it was given.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};
use toml::value::Datetime;

use super::problem::{Origin, Report};

/// A table; the order of its keys does not matter.
pub(super) type Table = BTreeMap<String, Item>;

/// A value and where it was given.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) at: Origin,
    pub(super) value: Value,
}

/// A value, as TOML has it.
#[derive(Debug)]
pub(super) enum Value {
    Text(String),
    Integer(i64),
    Float(f64),
    Boolean(bool),
    Time(Datetime),
    List(Vec<Item>),
    Table(Table),
}

/// Reads `text`; what is no TOML goes to `report`.
pub(super) fn parse(text: &str, report: &mut Report) -> Table {
    let lines = Lines::of(text);
    let (document, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        let at = lines.at(error.span().unwrap_or_default());
        report.note(at, "", &format!("not valid TOML: {}", error.message()));
    }
    table(document.into_inner(), &|span| lines.at(span))
}

/// Reads the value of a flag: TOML, or else the bare text.
pub(super) fn flag_value(text: &str) -> Value {
    match DeValue::parse(text) {
        Ok(parsed) => value(parsed.into_inner(), &|_| Origin::Flag),
        Err(_) => Value::Text(text.to_owned()),
    }
}

fn table(document: DeTable<'_>, at: &dyn Fn(Range<usize>) -> Origin) -> Table {
    document
        .into_iter()
        .map(|(key, entry)| {
            let item = Item { at: at(key.span()), value: value(entry.into_inner(), at) };
            (key.into_inner().into_owned(), item)
        })
        .collect()
}

/// Recurses as deep as the parser lets values nest, which is 80.
fn value(parsed: DeValue<'_>, at: &dyn Fn(Range<usize>) -> Origin) -> Value {
    let item = |entry: Spanned<DeValue<'_>>| Item {
        at: at(entry.span()),
        value: value(entry.into_inner(), at),
    };
    match parsed {
        DeValue::String(text) => Value::Text(text.into_owned()),
        DeValue::Boolean(flag) => Value::Boolean(flag),
        DeValue::Datetime(time) => Value::Time(time),
        // No key takes a number beyond 64 bits: as a float it is still shown and refused.
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or_else(|_| float(number.as_str()), Value::Integer),
        DeValue::Float(number) => float(number.as_str()),
        DeValue::Array(entries) => Value::List(entries.into_iter().map(item).collect()),
        DeValue::Table(entries) => Value::Table(table(entries, at)),
    }
}

fn float(text: &str) -> Value {
    Value::Float(text.parse().unwrap_or(f64::NAN))
}

/// As it could have been written in the file, on one line.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "\"{text}\""),
            Self::Integer(number) => write!(f, "{number}"),
            Self::Float(number) => write!(f, "{number:?}"),
            Self::Boolean(flag) => write!(f, "{flag}"),
            Self::Time(time) => write!(f, "{time}"),
            Self::List(items) => {
                f.write_str("[")?;
                for (i, item) in items.iter().enumerate() {
                    write!(f, "{}{}", if i > 0 { ", " } else { "" }, item.value)?;
                }
                f.write_str("]")
            }
            Self::Table(entries) => {
                f.write_str("{")?;
                for (i, (key, item)) in entries.iter().enumerate() {
                    write!(f, "{}{key} = {}", if i > 0 { ", " } else { " " }, item.value)?;
                }
                f.write_str(" }")
            }
        }
    }
}

/// Where the lines of a text end.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Self {
        Self(text.match_indices('\n').map(|(end, _)| end).collect())
    }

    fn at(&self, span: Range<usize>) -> Origin {
        Origin::Line(1 + self.0.partition_point(|&end| end < span.start))
    }
}
