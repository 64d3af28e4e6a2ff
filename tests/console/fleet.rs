//! The view of all sensors, with hostile names in every place that a sensor can write.

use egret_tests::browser::{Browser, PROGRAMS};
use egret_tests::net::Backbone;
use egret_tests::services::Nats;
use egret_tests::turn;
use serde_json::json;

use super::estate::Estate;
use super::hostile::names;

/// A name as a token of a key.
fn token(name: &str) -> String {
    let each = name.bytes().map(|byte| match byte {
        byte if byte.is_ascii_alphanumeric() || b"-_".contains(&byte) => char::from(byte).into(),
        byte => format!("={byte:02X}"),
    });
    each.collect()
}

/// Fails when a sensor is not shown, when what one says of itself runs as a script or breaks the layout, or
/// when a text cannot be read in one of the themes.
#[test]
fn all_sensors_are_shown_whatever_they_are_called() {
    let programs: Vec<&str> = PROGRAMS.into_iter().chain([Nats::PROGRAM]).collect();
    let Some(_turn) = turn(&programs) else { return };
    let backbone = Backbone::new();
    let nats = Nats::start(&backbone, 1, "");
    let fleet = format!("[fleet]\nservers = {}\n", nats.urls());
    let estate = Estate::with(&fleet, |_| {});
    backbone.connect(&estate.machine, "console", 11);
    estate.sensor.until_metrics("in the fleet", super::estate::SOON, |samples| {
        samples.count("egret_fleet_sent_messages_total", &[("kind", "health")]) > 0
    });
    let mut sensors = 1;
    for name in names() {
        let short: String = name.chars().take(60).collect();
        let health = json!({
            "schema": "egret.health/1", "site": "main", "sensor": short, "version": name,
            "time": "2026-11-20T14:03:11Z", "started": "2026-11-20T14:03:11Z",
            "packets": 9_007_199_254_740_991u64, "lost": 7, "assets": 3, "alerts": 2, "pending": 1,
            "interfaces": [{ "name": name, "state": name }], "problems": [name, "a mirror is silent"],
        });
        let key = format!("$KV.egret_sensors.main.{}", token(&short));
        nats.publish(&key, health.to_string().as_bytes());
        sensors += 1;
    }
    let shown = format!("document.querySelectorAll('main tbody tr').length === {sensors}");
    let browser = Browser::start(&estate.machine);
    for (width, height, theme) in [(1280, 900, "light"), (360, 780, "dark")] {
        browser.look(width, height, theme);
        browser.open("about:blank");
        browser.open(&estate.address(""));
        browser.until("the link to it", "!document.getElementById('fleet').hidden");
        assert_eq!(browser.overflow(), 0, "five views at {width}");
        browser.open(&estate.address("#fleet"));
        browser.until("all sensors", &shown);
        assert_eq!(browser.overflow(), 0, "{width}");
        assert_eq!(browser.wrong(), Vec::<String>::new());
        let made =
            "return document.querySelectorAll('#view script, #view img, #view [onerror]').length";
        assert_eq!(browser.script(made), 0, "a name became markup");
        let weak = browser.script(include_str!("contrast.js"));
        assert!(weak.as_array().unwrap().is_empty(), "{theme}: {weak:#}");
        let text = browser.script("return document.querySelector('main').innerText").to_string();
        assert!(text.contains("(this one)") && text.contains("silent"), "{text}");
        assert!(!text.contains('\u{202e}'), "what turns text around is shown, not done");
    }
}
