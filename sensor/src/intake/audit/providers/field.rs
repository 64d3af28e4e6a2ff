//! A place in a record, which may not be there.
//!
//! Those who pass records on change their form: the case of keys, numbers to floats or text, a list of one
//! thing to the thing itself, an empty list to an empty text. All of these read alike here.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use serde_json::Value;

use crate::intake::name;
use crate::time::Timestamp;

/// Items of a list that are looked at; the longest that matters, of an instance's interfaces, has 15.
const MAX_ITEMS: usize = 64;

/// A place in a record.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field<'a>(Option<&'a Value>);

impl<'a> Field<'a> {
    pub(super) const fn of(value: &'a Value) -> Self {
        Self(Some(value))
    }

    /// What is here.
    pub(super) const fn value(self) -> Option<&'a Value> {
        self.0
    }

    /// What has this key here, in any case; of a list, in its first item.
    pub(super) fn at(self, key: &str) -> Self {
        let value = match self.0 {
            Some(Value::Array(items)) => items.first(),
            value => value,
        };
        let Some(Value::Object(members)) = value else { return Self(None) };
        let other_case = || members.iter().find(|(known, _)| known.eq_ignore_ascii_case(key));
        Self(members.get(key).or_else(|| other_case().map(|(_, value)| value)))
    }

    /// Along a path.
    pub(super) fn path(self, keys: &[&str]) -> Self {
        keys.iter().fold(self, |field, key| field.at(key))
    }

    /// This, or the other where this is not there, or is empty.
    pub(super) fn or(self, other: Self) -> Self {
        if self.is_there() { self } else { other }
    }

    /// Whether there is anything here: null, an empty text, and what has no members, are nothing.
    pub(super) fn is_there(self) -> bool {
        match self.0 {
            None | Some(Value::Null) => false,
            Some(Value::String(text)) => !text.trim().is_empty(),
            Some(Value::Array(items)) => !items.is_empty(),
            Some(Value::Object(members)) => !members.is_empty(),
            Some(Value::Bool(_) | Value::Number(_)) => true,
        }
    }

    /// A text that is not empty, or a whole number as one: ids of accounts come as numbers.
    pub(super) fn text(self) -> Option<Cow<'a, str>> {
        match self.0? {
            Value::String(text) => {
                Some(text.trim().into()).filter(|text: &Cow<'_, str>| !text.is_empty())
            }
            Value::Number(_) => Some(self.number()?.to_string().into()),
            Value::Array(items) => Self(items.first()).text(),
            _ => None,
        }
    }

    /// A text, copied and made harmless.
    pub(super) fn name(self) -> Option<Arc<str>> {
        self.text().map(|text| name(&text))
    }

    /// A whole number, also as a float or a text.
    pub(super) fn number(self) -> Option<u64> {
        match self.0? {
            Value::Number(number) => number.as_u64().or_else(|| whole(number.as_f64()?)),
            Value::String(text) => {
                let text = text.trim();
                text.parse().ok().or_else(|| whole(text.parse().ok()?))
            }
            _ => None,
        }
    }

    /// A whole number that is no larger than `most`.
    pub(super) fn number_to(self, most: u32) -> Option<u32> {
        self.number()?.try_into().ok().filter(|number| *number <= most)
    }

    /// Whether it says yes, or no.
    pub(super) fn flag(self) -> Option<bool> {
        match self.0? {
            Value::Bool(flag) => Some(*flag),
            Value::String(text) if text.eq_ignore_ascii_case("true") => Some(true),
            Value::String(text) if text.eq_ignore_ascii_case("false") => Some(false),
            _ => None,
        }
    }

    pub(super) fn address(self) -> Option<IpAddr> {
        self.text()?.parse().ok()
    }

    /// RFC 3339; a collector may have taken the `T` and the `Z` from it.
    pub(super) fn time(self) -> Option<Timestamp> {
        let text = self.text()?;
        let instant = || format!("{}Z", text.replacen(' ', "T", 1)).parse().ok();
        text.parse().ok().or_else(instant)
    }

    /// The things in a list: also where it is one thing, or is below `items` or `item`.
    pub(super) fn items(self) -> impl Iterator<Item = Self> {
        let below = self.at("items").or(self.at("item"));
        let list = match self.0 {
            Some(Value::Object(_)) if below.is_there() => below,
            _ => self,
        };
        let items = match list.0 {
            Some(Value::Array(items)) => items.as_slice(),
            Some(one) => std::slice::from_ref(one),
            None => &[],
        };
        items.iter().map(Self::of).filter(|item| item.is_there()).take(MAX_ITEMS)
    }

    /// Whether it is this text, in any case.
    pub(super) fn is(self, text: &str) -> bool {
        self.text().is_some_and(|own| own.eq_ignore_ascii_case(text))
    }
}

fn whole(number: f64) -> Option<u64> {
    // Beyond, a float is no longer one whole number.
    const MOST: f64 = (1u64 << f64::MANTISSA_DIGITS) as f64;
    (number.fract() == 0.0 && (0.0..=MOST).contains(&number)).then_some(number as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_was_passed_on_reads_as_what_was_written() {
        let written = json!({"Ids": ["a"], "number": 12348395, "set": []});
        let changed = json!({"iDS": "a", "NUMBER": 12348395.0, "Set": ""});
        for record in [&written, &changed] {
            let record = Field::of(record);
            let ids = record.at("ids").items().filter_map(Field::name);
            assert_eq!(ids.collect::<Vec<_>>(), ["a".into()]);
            assert_eq!(record.at("number").number(), Some(12_348_395));
            assert_eq!(record.at("number").text().unwrap(), "12348395");
            assert!(!record.at("set").is_there() && record.at("set").items().next().is_none());
        }
        let listed = json!({"set": {"items": [{"id": 1}, {"id": "2"}]}});
        let ids = Field::of(&listed).at("set").items().filter_map(|item| item.at("id").number());
        assert_eq!(ids.collect::<Vec<_>>(), [1, 2]);
    }

    #[test]
    fn times_have_two_forms() {
        for text in ["2022-11-15T22:58:13Z", "2022-11-15 22:58:13", "2022-11-15T23:58:13+01:00"] {
            let time = Field::of(&json!(text)).time().map(|time| time.to_string());
            assert_eq!(time.as_deref(), Some("2022-11-15T22:58:13.000000Z"), "{text}");
        }
        assert_eq!(Field::of(&json!("yesterday")).time(), None);
    }

    #[test]
    fn odd_values_are_none() {
        for value in [json!(1.5), json!(-1), json!(1e300), json!("0x10"), json!({}), json!(null)] {
            assert_eq!(Field::of(&value).number(), None, "{value}");
        }
        assert_eq!(Field::of(&json!(70000)).number_to(65535), None);
        assert_eq!(Field::of(&json!("a\u{202e}b")).name().as_deref(), Some("a\\u{202e}b"));
    }
}
