//! What people do: acknowledge, approve, by mouse and by keyboard alone.

use egret::alert::Analytic;
use egret_tests::browser::{Browser, PROGRAMS};
use egret_tests::turn;

use super::estate::{Estate, TOKEN};

const TAB: &str = "\u{e004}";
const ENTER: &str = "\u{e007}";
const ESCAPE: &str = "\u{e00c}";
const DOWN: &str = "\u{e015}";

/// Writes `text` into a field as a person does, as far as the page can tell.
fn write(browser: &Browser, field: &str, text: &str) {
    let text = serde_json::to_string(text).unwrap();
    browser.script(&format!(
        "const field = document.querySelector({field:?}); field.value = {text}; \
         field.dispatchEvent(new Event('input', {{ bubbles: true }}));"
    ));
}

fn click(browser: &Browser, what: &str) {
    let found = format!("document.querySelector({what:?})");
    browser.until(what, &found);
    browser.script(&format!("{found}.click()"));
}

/// Gives the token when the page asks for it: first a wrong one, which must not be taken.
fn give_token(browser: &Browser) {
    // In front of the question that needs it.
    let (field, go) = ("dialog input[name=token]", "dialog:has(input[name=token]) button.primary");
    browser.until("asked for the token", &format!("document.querySelector('{field}')"));
    write(browser, field, "wrong-0123456789abcdef");
    click(browser, go);
    let wrong =
        "document.querySelector('dialog:has(input[name=token]) .wrong:not([hidden])')?.textContent";
    assert_eq!(browser.until("refused", wrong), "The token is wrong.");
    write(browser, field, TOKEN);
    click(browser, go);
}

/// Fails when what a person says does not come to the database, or the page says so though it did not.
#[test]
fn an_alert_is_acknowledged_and_its_destination_approved() {
    let Some(_turn) = turn(&PROGRAMS) else { return };
    let estate = Estate::with_demo();
    let alert = estate.alert(Analytic::AN1416);
    let browser = Browser::start(&estate.machine);
    browser.look(1280, 900, "light");
    browser.open(&estate.address(&format!("#alert={}", alert.id)));
    click(&browser, "[data-key=ack]");
    browser.until("asked for a note", "document.querySelector('dialog textarea')");
    write(&browser, "dialog textarea", "ticket 4711");
    click(&browser, "dialog input[value=harmless]");
    click(&browser, "dialog button.primary");
    give_token(&browser);
    browser.until("acknowledged", "document.body.innerText.includes('as harmless')");
    assert!(browser.text().contains("ticket 4711"));
    let told = estate.sensor.get(&format!("/api/alerts/{}", alert.id)).json();
    assert_eq!((&told["status"], &told["verdict"]), (&"acknowledged".into(), &"harmless".into()));

    click(&browser, "[data-key=approve]");
    let shown =
        browser.until("what is approved", "document.querySelector('dialog fieldset')?.innerText");
    let destination = alert.destination.as_ref().unwrap();
    let place = destination.sni.clone().unwrap_or_else(|| destination.address.to_string());
    for said in [alert.asset.name.as_str(), &place, &destination.port.to_string()] {
        assert!(shown.as_str().unwrap().contains(said), "{shown} does not say {said}");
    }
    write(&browser, "dialog input[name=note]", "ticket 4711");
    click(&browser, "dialog button.primary");
    browser.until(
        "approved",
        "document.querySelector('.notice.good')?.innerText.includes('may reach')",
    );
    let listed = estate.installation.egret("baseline approvals --json").stdout;
    let last: serde_json::Value = serde_json::from_str(listed.lines().last().unwrap()).unwrap();
    assert_eq!(
        (&last["asset"][0], &last["by"]),
        (&alert.asset.name.as_str().into(), &"api".into())
    );
    assert_eq!(
        (&last["port"][0], &last["note"]),
        (&destination.port.into(), &"ticket 4711".into())
    );
    estate.sensor.until_said("what was approved or imported is in effect", super::estate::SOON);

    click(&browser, ".notice button");
    browser.until("taken back", "document.body.innerText.includes('is taken back')");
    let listed = estate.installation.egret("baseline approvals --json").stdout;
    assert!(!listed.contains("\"by\":\"api\""), "{listed}");
    assert_eq!(browser.wrong().iter().filter(|said| !said.contains("401")).count(), 0);
}

/// Fails when something can only be reached by a mouse.
#[test]
fn the_keyboard_alone_will_do() {
    let Some(_turn) = turn(&PROGRAMS) else { return };
    let estate = Estate::with_demo();
    let browser = Browser::start(&estate.machine);
    browser.look(1280, 900, "light");
    browser.open(&estate.address(""));
    browser.until("the overview", "document.querySelector('.health h1')");
    browser.press(TAB);
    let first = browser.script("return document.activeElement.className");
    assert_eq!(first, "skip", "the first stop skips the menu");
    browser.press(ENTER);
    assert_eq!(browser.script("return document.activeElement.id"), "view");

    browser.press("2");
    browser.until(
        "the alerts",
        "document.querySelectorAll('a.row').length >= 4 && location.hash === '#alerts'",
    );
    browser.press("j");
    browser.press("j");
    browser.press("k");
    browser.press(DOWN);
    let second = "[...document.querySelectorAll('a.row')].indexOf(document.activeElement) === 1";
    browser.until("the second row", second);
    let ring = browser.script("return getComputedStyle(document.activeElement).outlineStyle");
    assert_eq!(ring, "solid", "where the focus is can be seen");
    browser.press(ENTER);
    browser.until(
        "the alert",
        "location.hash.startsWith('#alert=') && document.querySelector('[data-key=ack]')",
    );
    let reached = (0..30).any(|_| {
        browser.press(TAB);
        browser.script("return document.activeElement.dataset.key") == "ack"
    });
    assert!(reached, "the button cannot be reached");
    browser.press(ENTER);
    browser.until(
        "the dialog",
        "document.querySelector('dialog[open] textarea') === document.activeElement",
    );
    browser.press(ESCAPE);
    browser.until("closed", "!document.querySelector('dialog')");
    let focus = browser.script("return document.activeElement.dataset.key");
    assert_eq!(focus, "ack", "the focus goes back to where it was");
    browser.press(ESCAPE);
    browser
        .until("the list again", "location.hash === '#alerts' && document.querySelector('a.row')");
    browser.back();
    browser.until(
        "the alert again",
        "location.hash.startsWith('#alert=') && document.querySelector('.timeline')",
    );
    assert_eq!(browser.wrong(), Vec::<String>::new());
}
