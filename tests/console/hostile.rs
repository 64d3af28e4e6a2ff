//! Names that somebody chose to do harm, wherever the page shows one.

use egret::alert::{Alert, Analytic, Fact};
use egret_tests::browser::{Browser, PROGRAMS};
use egret_tests::turn;

use super::estate::Estate;

/// Whoever sends a packet or writes a log can choose these.
pub(crate) fn names() -> Vec<String> {
    let long = "a".repeat(255);
    let wide = "W".repeat(255);
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(2)>",
        "\"><svg onload=alert(3)>",
        "'; alert(4); //",
        "javascript:alert(5)",
        "{{7*7}} ${alert(6)} %3Cscript%3E",
        "line\nbreak\r\n\ttab",
        "right\u{202e}gpj.exe\u{2066}left",
        "zero\u{200b}width\u{feff}\u{2028}",
        "\u{1b}[2Jnul\0",
        "شركة.example",
        &long,
        &wide,
        " ",
    ]
    .map(str::to_owned)
    .into()
}

/// The demo's first alerts with a name wherever one stands.
fn poisoned(like: &Alert, number: usize, name: &str) -> Alert {
    let mut alert = like.clone();
    alert.id = uuid::Uuid::from_u128(0x1000 + number as u128);
    alert.asset.name = name.to_owned();
    alert.title = format!("Egress of {name}");
    alert.summary = format!("{name} sent 1.8 GB to {name}, usually nothing.");
    if let Some(to) = &mut alert.destination {
        (to.sni, to.ja4) = (Some(name.to_owned()), Some(name.to_owned()));
    }
    for piece in &mut alert.evidence {
        if let Fact::FirstSeenDestination { destination, .. } = &mut piece.fact {
            *destination = name.to_owned();
        }
    }
    let known = Fact::Baseline { statement: format!("account {name}") };
    if let Some(piece) = alert.evidence.first_mut() {
        piece.fact = known;
    }
    alert
}

/// Fails when a name runs as a script, breaks the policy or the layout, or hides what it is.
#[test]
fn hostile_names_are_only_shown() {
    let Some(_turn) = turn(&PROGRAMS) else { return };
    let mut config = String::new();
    for (number, name) in names().iter().enumerate().filter(|(_, name)| is_configurable(name)) {
        let name = toml::Value::from(name.as_str());
        config += &format!(
            "[[asset]]\nname = {name}\nrole = \"guest\"\naddress = [\"10.66.0.{}\"]\n",
            number + 1
        );
    }
    let estate = Estate::with(&config, |alerts| {
        let like = alerts.iter().find(|alert| alert.analytic == Analytic::AN1416).unwrap().clone();
        let hostile = names();
        alerts.extend(hostile.iter().enumerate().map(|(n, name)| poisoned(&like, n, name)));
    });
    let browser = Browser::start(&estate.machine);
    for (width, height) in [(1280, 900), (360, 780)] {
        browser.look(width, height, "light");
        let check = |view: &str, there: &str| {
            browser.open("about:blank");
            browser.open(&estate.address(view));
            browser.until(view, there);
            assert_eq!(browser.overflow(), 0, "{view} at {width}");
            assert_eq!(browser.wrong(), Vec::<String>::new(), "{view}");
            let made = browser.script(
                "return document.querySelectorAll('#view script, #view img, #view svg[onload], #view [onerror]').length",
            );
            assert_eq!(made, 0, "{view}: a name became markup");
        };
        check("", "document.querySelectorAll('a.row').length >= 4");
        check("#alerts", "document.querySelectorAll('a.row').length >= 10");
        check("#assets", "document.querySelectorAll('a.row').length >= 10");
        check("#sources", "document.querySelector('main table')");
        for (number, name) in names().iter().enumerate() {
            let id = uuid::Uuid::from_u128(0x1000 + number as u128);
            check(&format!("#alert={id}"), "document.querySelector('.timeline')");
            if width == 1280 && is_configurable(name) {
                let name = percent(name);
                check(&format!("#asset={name}"), "document.querySelector('.lead h1')");
            }
        }
    }
    // What cannot be seen is shown, and nothing else is turned around by it.
    let of = |number: u128| {
        let id = uuid::Uuid::from_u128(0x1000 + number);
        browser.open(&estate.address(&format!("#alert={id}")));
        browser.until(
            "the alert",
            &format!("location.hash.endsWith('{id}') && document.querySelector('.timeline')"),
        );
        browser.until(
            "its title",
            "document.querySelector('.lead h1')?.textContent.startsWith('Egress')",
        );
        browser.script("return document.querySelector('.lead h1').textContent").to_string()
    };
    let title = of(7);
    assert!(title.contains("u{202e}gpj.exe") && !title.contains('\u{202e}'), "{title}");
    let title = of(6);
    assert!(title.contains(r"line\\nbreak\\r\\n\\ttab"), "{title}");
    assert_eq!(browser.wrong(), Vec::<String>::new());
}

/// As `encodeURIComponent` has it.
fn percent(text: &str) -> String {
    text.bytes()
        .map(|byte| {
            if byte.is_ascii_alphanumeric() {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

/// Whether the config takes it for an asset's name.
fn is_configurable(name: &str) -> bool {
    !name.trim().is_empty() && !name.chars().any(char::is_control)
}
