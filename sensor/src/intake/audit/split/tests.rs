use proptest::prelude::*;

use super::*;

/// A thing that was found, as its own.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Own {
    Json(String),
    Line(String),
    Refused(Refusal),
}

fn json(text: &str) -> Own {
    Own::Json(text.to_owned())
}

fn line(text: &str) -> Own {
    Own::Line(text.to_owned())
}

const MALFORMED: Own = Own::Refused(Refusal::Malformed);

/// What is found in bytes that come in pieces.
fn found_in<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Own> {
    let mut split = Split::default();
    let mut all = Vec::new();
    let mut tell = |found: Found<'_>| {
        all.push(match found {
            Found::Json(bytes) => Own::Json(String::from_utf8_lossy(bytes).into_owned()),
            Found::Line(bytes) => Own::Line(String::from_utf8_lossy(bytes).into_owned()),
            Found::Refused(refusal) => Own::Refused(refusal),
        });
    };
    for piece in pieces {
        split.take(piece, &mut tell);
        assert!(split.kept.capacity() <= 2 * MAX_LENGTH && split.key.len() <= KEY);
    }
    split.end(&mut tell);
    all
}

/// What is found in a text, which must not depend on how it is cut.
fn found(text: &str) -> Vec<Own> {
    let whole = found_in([text.as_bytes()]);
    for size in [1, 2, 3, 7, 64] {
        assert_eq!(found_in(text.as_bytes().chunks(size)), whole, "in pieces of {size}: {text}");
    }
    whole
}

#[test]
fn every_form_gives_its_records() {
    let pretty = "{\n  \"a\": [1, {\"b\": \"}\\\"]\"}],\n  \"c\": {}\n}";
    for (text, expected) in [
        ("{\"a\":1}\n{\"b\":2}\r\n\n{}", vec![json("{\"a\":1}"), json("{\"b\":2}"), json("{}")]),
        ("{\"a\":1}{\"b\":2} {}", vec![json("{\"a\":1}"), json("{\"b\":2}"), json("{}")]),
        (&format!("{pretty}\n{pretty}\n"), vec![json(pretty), json(pretty)]),
        ("\u{feff}[{\"a\":1},\n {\"b\":[2]}, 3, \"x,]\", null ]", {
            ["{\"a\":1}", "{\"b\":[2]}", "3", "\"x,]\"", "null"].map(json).to_vec()
        }),
        ("{\"Records\":[{\"a\":1},{\"b\":2}]}", vec![json("{\"a\":1}"), json("{\"b\":2}")]),
        (
            "{\"owner\":{\"x\":[1]},\"n\":1,\"records\" : [ {\"a\":1} ],\"z\":[{}],\"Records\":[2]}{\"c\":3}",
            vec![json("{\"a\":1}"), json("2"), json("{\"c\":3}")],
        ),
        ("[]{\"Records\":[]}[[1],[{}]]", vec![json("[1]"), json("[{}]")]),
        ("version srcaddr\n2 10.0.0.1 -", vec![line("version srcaddr"), line("2 10.0.0.1 -")]),
        ("\x1e{\"a\":1}\n\x1e{}\n", vec![json("{\"a\":1}"), json("{}")]),
    ] {
        assert_eq!(found(text), expected, "{text}");
    }
}

#[test]
fn only_the_outermost_object_is_an_envelope() {
    for text in [
        "{\"a\":{\"Records\":[{}]}}",
        "{\"Records\":{\"a\":[1]}}",
        "{\"x\":\"Records\",\"y\":[{}]}",
        "{\"RecordsOfAnythingElse\":[{}]}",
        "{\"Records\":1,\"y\":[{}]}",
    ] {
        assert_eq!(found(text), [json(text)]);
    }
    assert_eq!(found("{\"x\":[1],\"value\":[2]}"), [json("2")]);
}

#[test]
fn what_is_broken_ends_with_its_line() {
    for broken in [
        "{\"a\":\"torn",
        "{\"a\":\"torn\\",
        "{\"a\" 1}",
        "{\"a\":1]",
        "[1}",
        "[1 2]",
        "{1:2}",
        "{\"a\":1,}",
        "[{\"a\":?}]",
    ] {
        let text = format!("{{\"x\":1}}\n{broken}\n{{\"y\":2}}\n");
        let found = found(&text);
        let whole = |own: &&Own| **own != MALFORMED;
        let left: Vec<_> = found.iter().filter(whole).cloned().collect();
        let (first, last) = (json("{\"x\":1}"), json("{\"y\":2}"));
        assert_eq!((found.len() - left.len(), left.first(), left.last()), (1, Some(&first), Some(&last)), "{text}");
    }
    assert_eq!(found("{\"Records\":[{\"a\":1},{\"b\""), [json("{\"a\":1}"), MALFORMED]);
    assert_eq!(found("{\"Records\":[{\"a\":1},"), [json("{\"a\":1}"), MALFORMED]);
}

#[test]
fn what_is_too_deep_is_passed_over_to_its_end() {
    let nested = |depth: usize| ["[".repeat(depth), "\"]}\"".to_owned(), "]".repeat(depth)].concat();
    let deepest = MAX_DEPTH as usize;
    let fits = format!("{{\"a\":{}}}", nested(deepest - 1));
    let deep = format!("{{\"a\":{},\"b\":[{{}}]}}", nested(deepest));
    let very = format!("{{\"a\":{}}}", nested(10_000));
    let text = format!("{{\"Records\":[{fits},{deep},{very},{{}}]}}");
    let too_deep = Own::Refused(Refusal::TooDeep);
    assert_eq!(found(&text), [json(&fits), too_deep.clone(), too_deep.clone(), json("{}")]);
    assert_eq!(found(&format!("{deep}{fits}")), [too_deep, json(&fits)]);
}

#[test]
fn what_is_too_large_is_passed_over_to_its_end() {
    let of = |length: usize| format!("{{\"a\":\"{}\"}}", "x".repeat(length - 8));
    let too_large = Own::Refused(Refusal::TooLarge);
    let (fits, long) = (of(MAX_LENGTH), of(MAX_LENGTH + 1));
    for text in [
        format!("{{\"Records\":[{long},{fits},{long},{{}}]}}"),
        format!("{long}\n{fits}{long}\n{{}}"),
        format!("{}\n{fits}{}\n{{}}", "y".repeat(MAX_LENGTH + 1), "{\"a\":".repeat(1) + &long + "}"),
    ] {
        let expected = [too_large.clone(), json(&fits), too_large.clone(), json("{}")];
        for size in [MAX_LENGTH - 1, MAX_LENGTH, MAX_LENGTH + 1, 4096, usize::MAX] {
            assert!(found_in(text.as_bytes().chunks(size)) == expected, "in pieces of {size}");
        }
    }
    // What comes before a list may be long, too; its records are there all the same.
    let text = format!("{{\"a\":\"{}\",\"Records\":[{{}}]}}", "x".repeat(MAX_LENGTH));
    for size in [4096, usize::MAX] {
        assert!(found_in(text.as_bytes().chunks(size)) == [too_large.clone(), json("{}")]);
    }
}

#[test]
fn a_stream_without_ends_is_held_in_bounds() {
    for (start, more) in [("", "x"), ("{\"", "x"), ("[", "["), ("{\"a\":\"", "\\\""), ("[", "1,")] {
        let more = more.repeat(20_000);
        let pieces = std::iter::once(start.as_bytes()).chain((0..200).map(|_| more.as_bytes()));
        let refused = found_in(pieces).iter().filter(|own| matches!(own, Own::Refused(_))).count();
        assert_eq!(refused, 1, "{start}{}", &more[..2]);
    }
}

fn pieces<'a>(text: &'a [u8], cuts: &[prop::sample::Index]) -> Vec<&'a [u8]> {
    let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(text.len() + 1)).collect();
    cuts.sort_unstable();
    let mut from = 0;
    let mut pieces = Vec::new();
    for cut in cuts.into_iter().chain([text.len()]) {
        pieces.push(&text[from..cut]);
        from = cut;
    }
    pieces
}

/// Any value of JSON.
fn value() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<i64>().prop_map(Into::into),
        "[\\PC\n\"\\\\{}\\[\\]]{0,8}".prop_map(Into::into),
    ];
    leaf.prop_recursive(5, 30, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Into::into),
            prop::collection::vec(("[a-z\"{]{0,4}", inner), 0..5)
                .prop_map(|entries| serde_json::Value::Object(entries.into_iter().collect())),
        ]
    })
}

proptest! {
    /// Fails when a record is not found as it was written, in any form, cut anywhere.
    #[test]
    fn records_come_out_as_they_went_in(
        values in prop::collection::vec(value(), 0..6),
        form in 0..3,
        is_pretty: bool,
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
    ) {
        // Behind each other, numbers would be lines.
        let values: Vec<_> = values.into_iter().map(|value| match form {
            0 => serde_json::json!({ "x": value }),
            _ => value,
        }).collect();
        let write = |value: &serde_json::Value| match is_pretty {
            true => serde_json::to_string_pretty(value).unwrap(),
            false => value.to_string(),
        };
        let texts: Vec<_> = values.iter().map(write).collect();
        let text = match form {
            0 => texts.concat(),
            1 => format!("[{}]", texts.join(" , ")),
            _ => format!("{{\"a\":1,\"Records\":[{}],\"b\":{{}}}}", texts.join(",\n")),
        };
        let expected: Vec<_> = texts.iter().map(|text| json(text)).collect();
        prop_assert_eq!(found_in(pieces(text.as_bytes(), &cuts)), expected);
    }

    /// Fails when it matters how bytes are cut, whatever they are.
    #[test]
    fn however_bytes_are_cut_the_same_is_found(
        text in r#"([{}\[\]:,"\\ \na1]|"records":\[|\{"a":){0,40}"#,
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
    ) {
        prop_assert_eq!(found_in(pieces(text.as_bytes(), &cuts)), found(&text));
    }

    /// Fails when what another reader takes for a record is not found.
    #[test]
    fn what_serde_json_reads_is_found(text in r#"\{([{}\[\]:,"\\ \na1]|"a":){0,30}"#) {
        if serde_json::from_str::<serde_json::Value>(&text).is_ok() {
            prop_assert_eq!(found(&text), [json(text.trim_end())]);
        }
    }

    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let whole = found_in([bytes.as_slice()]);
        prop_assert_eq!(found_in(bytes.chunks(1)), whole);
    }
}
