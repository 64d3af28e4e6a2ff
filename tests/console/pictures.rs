//! Pictures for the documentation, taken on purpose: with `EGRET_BLESS` set.

use std::path::Path;
use std::time::Duration;

use egret::alert::Analytic;
use egret_tests::browser::{Browser, PROGRAMS};
use egret_tests::turn;

use super::estate::Estate;

/// So long some of the live charts fill.
const WHILE: Duration = Duration::from_secs(60);

#[test]
fn pictures_are_taken_on_purpose() {
    if std::env::var_os("EGRET_BLESS").is_none() {
        return;
    }
    let Some(_turn) = turn(&PROGRAMS) else { return };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/screenshots");
    std::fs::create_dir_all(&folder).unwrap();
    let estate = Estate::with_demo();
    let browser = Browser::start(&estate.machine);
    let alert = estate.alert(Analytic::AN1416).id;
    let take = |name: &str, view: &str, there: &str, is_whole: bool| {
        browser.open(&estate.address(view));
        browser.until(view, there);
        std::thread::sleep(Duration::from_secs(2));
        browser.picture(&folder.join(format!("{name}.png")), is_whole);
    };
    browser.look(1280, 800, "light");
    browser.open(&estate.address(""));
    browser.until("the overview", "document.querySelectorAll('.chart .stroke').length === 2");
    std::thread::sleep(WHILE);
    browser.picture(&folder.join("overview.png"), false);
    take("alert", &format!("#alert={alert}"), "document.querySelector('.timeline')", true);
    let sender = "document.querySelector('main')?.innerText.includes('127.0.0.1')";
    take("sources", "#sources", sender, false);
    browser.look(1280, 800, "dark");
    take("alerts", "#alerts", "document.querySelectorAll('a.row').length >= 4", false);
    take("assets", "#assets", "document.querySelectorAll('.spark svg').length >= 4", false);
    take("asset", "#asset=app-02", "document.querySelectorAll('svg.day').length >= 1", false);
    browser.look(360, 740, "light");
    take("phone", &format!("#alert={alert}"), "document.querySelector('.timeline')", false);
}
