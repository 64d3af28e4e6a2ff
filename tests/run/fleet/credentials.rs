//! Sensors that prove who they are, to servers that prove who they are.

use egret_tests::services::{Authority, Nats, Operator};
use egret_tests::wait;

use super::{AGREED, Estate, Rack, SOON, fleet, names, turn, until_equal};

/// Fails when a sensor with a `.creds` file and an authority of its own does not join, when one joins a server
/// that it does not know, or when it does not say why it cannot join.
#[test]
fn a_creds_file_and_an_authority_are_what_a_sensor_needs() {
    let Some(_turn) = turn(&[Nats::PROGRAM]) else { return };
    let (authority, operator) = (Authority::new("estate"), Operator::new());
    let folder = tempfile::tempdir().unwrap();
    let ca = authority.write(folder.path());
    let [certificate, key] = authority.certify(&["10.98.0.1"]).write(folder.path());
    let tls = format!(
        "tls {{ cert_file: \"{}\", key_file: \"{}\" }}\n",
        certificate.display(),
        key.display()
    );
    let estate = Estate::with(1, &(tls + &operator.config()));
    let rack = |name, number, user: &str, more: &str| {
        let rack = estate.rack(name, number, "");
        let credentials = rack.installation.file("nats.creds", user);
        let config = format!("credentials_file = \"{}\"\n{more}", credentials.display());
        rack.configured(&estate, &config)
    };
    let trusted = format!("ca_file = \"{}\"\n", ca.display());
    let [a, b] = [
        rack("rack-a", 11, &operator.user(), &trusted),
        rack("rack-b", 12, &operator.user(), &trusted),
    ];
    let [mut one, mut other] = [a.join(), b.join()];
    a.raise(0..2);
    until_equal(&[&a, &b], 2);
    wait::until("both are known", SOON, || (names(&fleet(&other)).len() == 2).then_some(()));

    let checked =
        |rack: &Rack| rack.machine.enter(|| rack.installation.egret("check --seconds 0").stdout);
    assert!(checked(&a).contains("with JetStream"), "{}", checked(&a));

    // Each says why, and works alone.
    let stranger = rack("rack-c", 13, &operator.user(), "");
    let mut without = refused(&stranger, "UnknownIssuer");
    assert!(checked(&stranger).contains("cannot be joined"), "{}", checked(&stranger));
    let forger = rack("rack-d", 14, &Operator::new().user(), &trusted);
    let mut forged = refused(&forger, "check fleet.credentials_file");
    assert!(checked(&forger).contains("cannot be joined"), "{}", checked(&forger));
    forger.raise(2..3);
    wait::until("it detects", SOON, || (forger.stored().len() == 1).then_some(()));
    assert_eq!(names(&fleet(&one)), ["rack-a", "rack-b"]);
    // A person mends the file, and nothing is restarted.
    drop(forger.installation.file("nats.creds", &operator.user()));
    wait::until("it has joined", AGREED, || (names(&fleet(&one)).len() == 3).then_some(()));
    for sensor in [&mut one, &mut other, &mut without, &mut forged] {
        assert!(sensor.stop(SOON).success(), "{}", sensor.said());
    }
}

/// Starts a sensor that cannot join, for this reason.
fn refused(rack: &Rack, why: &str) -> egret_tests::sensor::Sensor {
    let sensor = rack.start();
    let said = wait::until("it says why", AGREED, || {
        let said = fleet(&sensor)["connection"]["error"].to_string();
        said.contains(why).then_some(said)
    });
    eprintln!("{}: {said}", rack.name);
    sensor
}
