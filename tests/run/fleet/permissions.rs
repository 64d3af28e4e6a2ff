//! The example of `docs/fleet.md` holds a sensor to its own, and keeps it from nothing.

use egret_tests::services::Nats;
use egret_tests::wait;

use super::{AGREED, Estate, SOON, fleet, turn, until_equal, webhook};

const DOCS: &str = include_str!("../../../docs/fleet.md");

/// The example's `authorization`, for this sensor.
fn user(name: &str) -> String {
    let example = DOCS.split_once("    { user: \"dc1-rack7\"").unwrap().1;
    let example = example.split_once("\n  ]").unwrap().0;
    let user = format!("    {{ user: \"dc1-rack7\"{example}");
    user.replace("\"$2a$11$...\"", "\"secret\"").replace("rack7", name)
}

/// Fails when a sensor with the rights of the example cannot do its work, or can write what is another's.
#[test]
fn the_example_of_the_docs_is_enough_and_no_more() {
    let Some(_turn) = turn(&[Nats::PROGRAM]) else { return };
    let users = ["rack-a", "rack-b"].map(user).join("\n");
    let estate = Estate::with(1, &format!("authorization {{\n  users: [\n{users}\n  ]\n}}\n"));
    let soc = estate.soc();
    let rack = |name, number| {
        let rack = estate.rack(name, number, "");
        let credentials = rack.installation.file("nats", &format!("dc1-{name}:secret\n"));
        let credentials = format!("credentials_file = \"{}\"\n", credentials.display());
        rack.configured(&estate, &format!("{credentials}{}", webhook()))
    };
    let [a, b] = [rack("rack-a", 11), rack("rack-b", 12)];
    let [mut one, mut other] = [a.join(), b.join()];
    a.raise(0..4);
    b.raise(4..8);
    soc.until_told(&a, 0..4, SOON);
    soc.until_told(&b, 4..8, SOON);
    until_equal(&[&a, &b], 8);
    assert!(soc.states().values().all(|times| *times == 1), "{:#?}", soc.states());
    for sensor in [&one, &other] {
        wait::until("both are known", SOON, || {
            (super::names(&fleet(sensor)).len() == 2).then_some(())
        });
        let said = fleet(sensor)["connection"]["error"].clone();
        assert!(said.is_null(), "it is refused what it needs: {said}");
    }
    assert!(other.stop(SOON).success());

    // With the rights of another it is refused, and says so.
    let wrong = b.installation.file("nats", "dc1-rack-a:secret\n");
    let text = format!("credentials_file = \"{}\"\n", wrong.display());
    let b = b.configured(&estate, &text);
    let mut other = b.start();
    other.until_said("Permissions Violation", AGREED);
    b.raise(8..9);
    for sensor in [&mut one, &mut other] {
        assert!(sensor.stop(SOON).success(), "{}", sensor.said());
    }
    let known = a.stored();
    assert_eq!(known.len(), 8, "{known:#?}");
}
