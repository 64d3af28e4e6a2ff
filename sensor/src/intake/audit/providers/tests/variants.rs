//! Records as those who pass them on change them, and as somebody hostile does.

use proptest::prelude::*;

use super::*;

/// What may be done to a record without changing what it says.
#[derive(Debug, Clone, Copy)]
struct Form {
    case: u8,
    floats: bool,
    single: bool,
    empty: bool,
}

fn form() -> impl Strategy<Value = Form> {
    (0..4u8, any::<bool>(), any::<bool>(), any::<bool>())
        .prop_map(|(case, floats, single, empty)| Form { case, floats, single, empty })
}

impl Form {
    fn of(self, value: &Value) -> Value {
        match value {
            Value::Number(number) if self.floats => json!(number.as_f64()),
            Value::Array(items) if self.single && items.len() == 1 => self.of(&items[0]),
            Value::Array(items) if self.empty && items.is_empty() => json!(""),
            Value::Array(items) => items.iter().map(|item| self.of(item)).collect(),
            Value::Object(members) => {
                members.iter().map(|(key, value)| (self.key(key), self.of(value))).collect()
            }
            other => other.clone(),
        }
    }

    fn key(self, key: &str) -> String {
        match self.case {
            1 => key.to_uppercase(),
            2 => key.to_lowercase(),
            3 => key
                .chars()
                .rev()
                .enumerate()
                .map(|(n, c)| if n % 2 == 0 { c.to_ascii_uppercase() } else { c })
                .collect::<Vec<_>>()
                .into_iter()
                .rev()
                .collect(),
            _ => key.to_owned(),
        }
    }
}

fn records() -> [Value; 4] {
    [aws::created(), others::google(), others::azure(), others::vcenter()]
}

/// Any JSON, with words that are looked for as keys and texts.
fn hostile() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
        "[a-z]{1,3}\u{1b}\u{202e}\n".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("items|item|value|url|id|content", inner, 0..4)
                .prop_map(|members| members.into_iter().collect()),
        ]
    })
}

/// Puts a value in the place of the `at`th member or item.
fn replace(record: &mut Value, at: &mut usize, value: &Value) {
    let next: Vec<&mut Value> = match record {
        Value::Array(items) => items.iter_mut().collect(),
        Value::Object(members) => members.values_mut().collect(),
        _ => return,
    };
    for member in next {
        if *at == 0 {
            *member = value.clone();
        }
        *at = at.wrapping_sub(1);
        if *at == usize::MAX {
            return;
        }
        replace(member, at, value);
        if *at == usize::MAX {
            return;
        }
    }
}

proptest! {
    #[test]
    fn every_form_says_the_same(form in form()) {
        for record in records() {
            prop_assert_eq!(told(&form.of(&record)), told(&record));
        }
    }

    #[test]
    fn nothing_hostile_does_harm(which in 0..4usize, at in 0..60usize, value in hostile()) {
        let mut record = records()[which].clone();
        replace(&mut record, &mut { at }, &value);
        let Some(told) = told(&record) else { return Ok(()) };
        for said in told.said {
            let Said::MirrorChanged(change) = said else { continue };
            let full = change.principal.as_ref().and_then(|who| who.full.clone());
            let texts = [change.id.clone(), change.scope.clone(), change.from.clone(), change.failure.clone(), full];
            let texts = texts.iter().flatten().chain(&change.targets).chain(&change.sources);
            for text in texts.chain([&change.call]) {
                prop_assert!(text.len() <= 512 && !text.chars().any(char::is_control), "{text:?}");
                let is_hidden = text.contains('\u{202e}');
                prop_assert!(!is_hidden);
            }
            prop_assert!(change.sources.len() <= 128 && change.targets.len() <= 300);
        }
    }
}
