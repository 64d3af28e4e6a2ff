//! A sensor that sends far more than any does, all of it well-formed: the others go on.

use egret_tests::services::Nats;
use egret_tests::wait;
use serde_json::Value;

use super::{AGREED, Estate, Rack, SOON, turn, webhook};

/// What it sends of each kind, and what is taken of a sensor at once.
const FLOOD: usize = 8_000;
const AT_ONCE: usize = 2_000;
/// What it may cost another sensor for good, in KiB.
const MOST_KIB: u64 = 32 << 10;

/// Fails when a sensor that floods the fleet with what looks like a sensor's word fills the database, memory or
/// queues of another, or keeps anything of a third one's from reaching the SOC and its database.
#[test]
fn a_flood_from_one_sensor_keeps_nothing_of_another_back() {
    let Some(_turn) = turn(&[Nats::PROGRAM]) else { return };
    let estate = Estate::new(1);
    let soc = estate.soc();
    let [a, b] = [estate.rack("rack-a", 11, &webhook()), estate.rack("rack-b", 12, "")];
    let [mut one, mut other] = [a.join(), b.join()];
    b.raise(0..2);
    soc.until_told(&b, 0..2, SOON);
    drop(b.installation.egret("baseline approve --asset esxi-01 --sni d000000.net").done());
    let key = wait::until("the approval is told", AGREED, || {
        estate.nats.keys("egret_approvals").pop_first()
    });
    let approval = estate.nats.value("egret_approvals", &key);
    let alert = one.get("/api/alerts").json()["alerts"][0].clone();
    let before = one.memory_kib();

    let id = |number: usize| format!("00000000-0000-5000-8000-{number:012x}");
    let told = |template: &Value, number: usize| {
        let mut told = template.clone();
        (told["id"], told["sensor"]) = (id(number).into(), "rack-x".into());
        told
    };
    let each = (0..FLOOD).flat_map(|number| {
        // Approvals name site and sensor in one.
        let mut approval = told(&approval, number);
        approval["sensor"] = "dc1.rack-x".into();
        let all = [
            ("egret.alert.dc1.rack-x".to_owned(), told(&alert, number)),
            (format!("$KV.egret_approvals.{}.dc1.rack-x", id(number)), approval),
        ];
        all.map(|(subject, told)| (subject, told.to_string().into_bytes()))
    });
    estate.nats.publish_each(&each.collect::<Vec<_>>());
    b.raise(2..6);
    soc.until_told(&b, 2..6, AGREED);
    let kept = wait::until("all that is well is at the other", AGREED, || {
        let stored = a.stored();
        let of = |name: &str| stored.values().filter(|alert| alert.sensor == name).count();
        (of("rack-b") >= 6).then(|| of("rack-x"))
    });
    let refused = one.until_metrics("the flood is refused", AGREED, |samples| {
        let reason = [("reason", "flood")];
        samples.count("egret_fleet_refused_messages_total", &reason) as usize > FLOOD
    });
    let refused = refused.count("egret_fleet_refused_messages_total", &[("reason", "flood")]);
    // Some more come in while it lasts.
    assert!((AT_ONCE..2 * AT_ONCE).contains(&kept), "{kept} of {FLOOD} alerts");
    let approvals = approvals(&a);
    assert!((1..=1_001).contains(&approvals), "{approvals} approvals");
    let grown = one.memory_kib().saturating_sub(before);
    eprintln!(
        "{kept} alerts and {approvals} approvals kept, {refused} refused, {grown} KiB more memory"
    );
    assert!(grown < MOST_KIB, "{grown} KiB");
    for sensor in [&mut one, &mut other] {
        assert!(sensor.stop(SOON).success(), "{}", sensor.said());
    }
}

/// How many approvals a sensor lists.
fn approvals(rack: &Rack) -> usize {
    let listed = rack.installation.egret("baseline approvals").done().stdout;
    listed.lines().filter(|line| line.contains("d000000.net")).count()
}
