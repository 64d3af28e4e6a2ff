//! One record of JSON, read strictly: what two readers could understand in two ways is refused.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Deserializer, Map, Number, Value};

use super::Refusal;
use super::split::{MAX_DEPTH, MAX_LENGTH};

/// Reads one value, and nothing behind it.
///
/// # Errors
/// Why it is refused: longer than [`MAX_LENGTH`], not UTF-8, nested deeper than [`MAX_DEPTH`], an object
/// with a key twice (RFC 8259, 4: what that means is for each reader to choose), or no JSON.
pub fn parse(bytes: &[u8]) -> Result<Value, Refusal> {
    if bytes.len() > MAX_LENGTH {
        return Err(Refusal::TooLarge);
    }
    let text = str::from_utf8(bytes).map_err(|_| Refusal::NotUtf8)?;
    let refusal = Cell::new(Refusal::Malformed);
    let mut reader = Deserializer::from_str(text);
    let strict = Strict { left: MAX_DEPTH, refusal: &refusal };
    let value = strict.deserialize(&mut reader).map_err(|_| refusal.get())?;
    reader.end().map_err(|_| Refusal::Malformed)?;
    Ok(value)
}

/// Reads a value in so many levels of brackets more; says why it does not.
#[derive(Clone, Copy)]
struct Strict<'a> {
    left: u32,
    refusal: &'a Cell<Refusal>,
}

impl Strict<'_> {
    fn deeper<E: Error>(self) -> Result<Self, E> {
        match self.left.checked_sub(1) {
            Some(left) => Ok(Self { left, ..self }),
            None => Err(self.refuse(Refusal::TooDeep)),
        }
    }

    fn refuse<E: Error>(self, refusal: Refusal) -> E {
        self.refusal.set(refusal);
        E::custom(refusal.name())
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value of JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let deeper = self.deeper()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(deeper)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let deeper = self.deeper()?;
        let mut map = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            if map.contains_key(&key) {
                return Err(self.refuse(Refusal::DuplicateKey));
            }
            map.insert(key, entries.next_value_seed(deeper)?);
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn nested(depth: usize) -> String {
        ["[".repeat(depth), "]".repeat(depth)].concat()
    }

    #[test]
    fn each_refusal_has_its_reason() {
        let deepest = MAX_DEPTH as usize;
        assert!(parse(nested(deepest).as_bytes()).is_ok());
        let long = format!("\"{}\"", "x".repeat(MAX_LENGTH - 1));
        for (text, refusal) in [
            (nested(deepest + 1).as_bytes(), Refusal::TooDeep),
            (r#"{"a":1,"b":2,"a":1}"#.as_bytes(), Refusal::DuplicateKey),
            (r#"{"a":{"b":1,"\u0062":1}}"#.as_bytes(), Refusal::DuplicateKey),
            (b"\"\xff\"", Refusal::NotUtf8),
            (long.as_bytes(), Refusal::TooLarge),
            (b"{} {}", Refusal::Malformed),
            (b"{\"a\":1,}", Refusal::Malformed),
            (b"{'a':1}", Refusal::Malformed),
            (b"\"a\tb\"", Refusal::Malformed),
            (b"[1e999]", Refusal::Malformed),
            (b"[NaN]", Refusal::Malformed),
            (b"", Refusal::Malformed),
        ] {
            let shown = String::from_utf8_lossy(text.get(..40).unwrap_or(text)).into_owned();
            assert_eq!(parse(text), Err(refusal), "{shown}");
        }
    }

    #[test]
    fn values_are_as_they_are_written() {
        let text = r#"{"a":[1,-2,1.2348395e+07,18446744073709551615,null,true],"b":{"":"\ud83d\ude00"}}"#;
        let expected = json!({
            "a": [1, -2, 1.2348395e7, u64::MAX, null, true],
            "b": { "": "😀" },
        });
        assert_eq!(parse(text.as_bytes()), Ok(expected));
    }

    proptest! {
        /// Fails when anything is read otherwise than by serde_json itself.
        #[test]
        fn it_reads_what_serde_json_reads(text in r#"[\[\]{}:,"ab0-9.\\ u-]{0,40}"#) {
            let expected = serde_json::from_str::<Value>(&text);
            match parse(text.as_bytes()) {
                Ok(value) => prop_assert_eq!(value, expected.unwrap()),
                Err(Refusal::DuplicateKey) => prop_assert!(text.contains('"')),
                Err(_) => prop_assert!(expected.is_err()),
            }
        }
    }
}
