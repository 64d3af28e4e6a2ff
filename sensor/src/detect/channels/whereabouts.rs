//! Countries and networks that an asset never went to, where a database says which they are.

use super::finding::{Finding, Look};
use super::table::{Detector, Learns, Reads};
use crate::alert::Severity;
use crate::inventory::AssetId;
use crate::whereabouts::Databases;

const BOUND: &str = "the first conversation that is answered, where a database is given (detect.channels.databases)";

/// A country.
pub(super) const NEW_COUNTRY: Detector = Detector {
    name: "new_country",
    title: "First egress to a country",
    detects: "an asset opens a conversation with an address in a country that it never went to",
    techniques: &["T1071", "T1041"],
    most: Severity::Low,
    prior: (-2.5, "content networks answer from other countries at times"),
    reads: &[Reads::Flows],
    bound: BOUND,
    learns: Learns::Told,
};

/// An autonomous system.
pub(super) const NEW_NETWORK: Detector = Detector {
    name: "new_network",
    title: "First egress to a provider's network",
    detects: "an asset opens a conversation with an address of an autonomous system that it never went to",
    techniques: &["T1071", "T1041"],
    most: Severity::Informational,
    prior: (-3.5, "services move from one provider to another every day"),
    reads: &[Reads::Flows],
    bound: BOUND,
    learns: Learns::Told,
};

/// What it adds that a database knows the place: at a prior of -2.5 the alert is low.
const KNOWN: f64 = 1.0;

/// What may be a subject, once somebody asks.
pub(super) type Subject<'a> = &'a dyn Fn() -> Option<String>;

/// What a conversation with the outside is that was answered, where `news` says that its subject is any.
pub(super) fn reaches(
    look: &Look<'_>,
    databases: &Databases,
    mut news: impl FnMut(AssetId, &'static Detector, Subject<'_>) -> Option<String>,
) -> [Option<Finding>; 2] {
    let (Some(asset), to) = (look.ends.client, look.flow.server.address) else {
        return [None, None];
    };
    let mut first = |of: &'static Detector, subject: Subject<'_>| {
        let subject = news(asset, of, subject)?;
        let what = format!("went to {subject} for the first time, to {to}");
        let counted = ("conversations", 1.0, 1.0);
        let mut found = Finding::new(of, asset, look.flow.opened, counted);
        found.weight = KNOWN;
        Some(found.about(subject, what).at(look, None))
    };
    let country = || {
        let code = databases.country(to)?;
        Some(code.iter().map(|letter| char::from(*letter)).collect())
    };
    let system = || Some(format!("AS{}", databases.system(to)?));
    [first(&NEW_COUNTRY, &country), first(&NEW_NETWORK, &system)]
}

#[cfg(test)]
mod tests {
    use egret_tests::mmdb::Value;

    use super::super::tests::World;
    use crate::alert::Severity;
    use crate::decode::tcp_flags;
    use crate::whereabouts::tests::{country, of};

    fn world() -> World {
        let mut known = country("SE");
        known.push(("autonomous_system_number", Value::Number(64_500)));
        let mut also = country("SE");
        also.push(("autonomous_system_number", Value::Number(64_501)));
        let networks = [
            ([203, 0, 113, 0], 24, known),
            ([192, 0, 2, 0], 24, also),
            ([198, 51, 100, 0], 24, country("BR")),
        ];
        World::with(|config| config.channels.databases = of(&networks))
    }

    #[test]
    fn the_first_visit_of_a_country_or_network_is_told_and_the_second_is_not() {
        let mut world = world();
        let to = |address| ["10.1.0.1", address];
        world.tcp(0, to("203.0.113.9"), 8443, [5000, 9000]);
        world.tcp(60, to("203.0.113.77"), 443, [5000, 9000]);
        world.tcp(120, to("192.0.2.1"), 443, [5000, 9000]);
        world.tcp(180, to("198.51.100.1"), 443, [5000, 9000]);
        world.tcp(240, to("100.64.0.1"), 443, [5000, 9000]);
        world.engine.finish();
        world.told.extend(world.engine.drain_alerts());
        let told = world.alerts();
        let of = |name: &str| told.iter().filter(|alert| alert.title.contains(name)).count();
        assert_eq!([of("country"), of("provider")], [1, 1], "{:?}", world.short());
        let last = told.iter().rfind(|alert| alert.title.contains("country")).unwrap();
        assert_eq!((last.count, last.severity), (2, Severity::Low), "{}", last.summary);
        assert!(last.summary.contains("SE") || last.summary.contains("BR"));
        let last = told.iter().rfind(|alert| alert.title.contains("provider")).unwrap();
        assert_eq!((last.count, last.severity), (2, Severity::Informational), "{}", last.summary);
    }

    #[test]
    fn what_is_refused_or_inside_or_in_no_database_is_nothing() {
        let mut world = world();
        let refused = [tcp_flags::SYN, tcp_flags::RST];
        world.vain(0, ["10.1.0.1", "203.0.113.9"], 443, refused);
        world.tcp(60, ["10.1.0.1", "10.1.0.2"], 443, [5000, 9000]);
        world.tcp(120, ["10.1.0.1", "100.64.0.1"], 443, [5000, 9000]);
        world.tcp(180, ["203.0.113.9", "10.1.0.1"], 443, [5000, 9000]);
        world.is_quiet();
    }
}
