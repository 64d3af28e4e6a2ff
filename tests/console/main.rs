//! The console in a real Chromium, served by the real `egret run`: what people see and do, by hand and by
//! keyboard, with hostile names in every place. Needs root, Chromium and its driver; without, every test
//! says that it was skipped.
//!
//! With `EGRET_BLESS` set, pictures for the documentation are taken into `docs/screenshots`.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that finds something else than it expects should fail there"
)]

use egret_tests::browser::{Browser, PROGRAMS};
use egret_tests::turn;
use estate::Estate;

mod deeds;
mod estate;
mod fleet;
mod hostile;
mod pictures;

/// Bytes that the page and all it needs may have, the first data included.
const MOST: i64 = 150_000;

/// Bytes that came for the page so far.
fn loaded(browser: &Browser) -> i64 {
    let sum = "return [...performance.getEntriesByType('navigation'), \
               ...performance.getEntriesByType('resource')]\
               .reduce((sum, one) => sum + one.transferSize, 0)";
    browser.script(sum).as_i64().unwrap()
}

/// Fails when a view shows nothing, complains, is too wide for a phone or a desk, or is slow to load.
#[test]
fn every_view_fits_and_says_what_there_is() {
    let Some(_turn) = turn(&PROGRAMS) else { return };
    let estate = Estate::with_demo();
    let browser = Browser::start(&estate.machine);
    for (width, height, theme) in [(1280, 900, "light"), (360, 780, "dark")] {
        browser.look(width, height, theme);
        browser.open("about:blank");
        browser.open(&estate.address(""));
        browser.until("the overview", "document.querySelector('.health h1')?.textContent");
        browser.until("traffic", "document.querySelectorAll('.chart .stroke').length === 2");
        browser.until("open alerts", "document.querySelectorAll('a.row').length >= 4");
        assert_eq!(browser.overflow(), 0, "{width}");
        let bytes = loaded(&browser);
        eprintln!("{width} pixels: {bytes} bytes loaded");
        assert!(bytes < MOST, "{bytes} bytes");
        for (view, there) in [
            ("#alerts", "document.querySelectorAll('a.row').length >= 4"),
            ("#assets", "document.querySelectorAll('.spark svg').length >= 4"),
            ("#asset=app-02", "document.querySelectorAll('svg.day').length >= 1"),
            ("#sources", "document.querySelector('main')?.innerText.includes('127.0.0.1')"),
        ] {
            browser.open(&estate.address(view));
            browser.until(view, there);
            assert_eq!(browser.overflow(), 0, "{view} at {width}");
        }
        let ground = browser.script("return getComputedStyle(document.body).backgroundColor");
        let is_dark = ground.as_str().unwrap().starts_with("rgb(1");
        assert_eq!(is_dark, theme == "dark", "{ground}");
        assert_eq!(browser.wrong(), Vec::<String>::new());
    }
}

/// Fails when the contrast of a text on its ground is less than WCAG 2.1 asks for (AA, 4.5).
#[test]
fn texts_can_be_read_in_both_themes() {
    let Some(_turn) = turn(&PROGRAMS) else { return };
    let estate = Estate::with_demo();
    let browser = Browser::start(&estate.machine);
    let weak = include_str!("contrast.js");
    for theme in ["light", "dark"] {
        browser.look(1280, 900, theme);
        for view in ["", "#alerts", "#assets", "#asset=app-02", "#sources"] {
            browser.open("about:blank");
            browser.open(&estate.address(view));
            browser.until("shown", "document.querySelector('#view :is(table, a.row, svg)')");
            let found = browser.script(weak);
            assert!(found.as_array().unwrap().is_empty(), "{theme} {view}: {found:#}");
        }
    }
}
