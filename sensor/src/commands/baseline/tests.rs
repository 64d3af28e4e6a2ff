use proptest::prelude::*;

use super::list::View;
use super::*;
use crate::baseline::{
    AssetBaseline, Baseline, Habit, MirrorSession, Mirrors, Operator, Pair, Volumes,
};
use crate::config::{Asset, NamePattern, Role, file};
use crate::store::Approval;
use crate::time::Timestamp;

const DAY: u64 = 86_400;
/// 2026-11-01 10:00.
const BEGIN: u64 = 1_793_527_200;
const NOW: Timestamp = Timestamp::from_parts(BEGIN + 30 * DAY, 0);

fn text(write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> String {
    let mut to = Vec::new();
    write(&mut to).unwrap();
    String::from_utf8(to).unwrap()
}

fn habit(hours: u8, learned: bool) -> Habit {
    let mut habit = Habit::default();
    habit.first_seen = BEGIN;
    habit.last_seen = BEGIN + 20 * DAY;
    (habit.hours, habit.learned, habit.sessions) = (hours, learned, 1_204);
    habit
}

fn learned() -> AssetBaseline {
    let destinations = [
        ("example.com", habit(12, true)),
        ("backup.example", habit(9, false)),
        ("new.example", habit(2, false)),
        ("198.51.100.0/24", habit(7, true)),
        ("x\x1b[2J.example", habit(7, true)),
    ];
    let kept = r#"{"next":480000,"hours":[[0,0,0],[70,80,108]],"days":[],"jobs":[]}"#;
    let volumes: Volumes = serde_json::from_str(kept).unwrap();
    AssetBaseline {
        first_seen: BEGIN,
        destinations: destinations.map(|(name, habit)| (name.to_owned(), habit)).into(),
        volumes: [("in-internal".to_owned(), volumes)].into(),
        many_ports: vec!["meet.example".to_owned()],
        ..AssetBaseline::default()
    }
}

fn approval() -> Approval {
    Approval {
        number: 3,
        given: NOW,
        person: "maria".to_owned(),
        entry: Approve {
            roles: vec![Role::Esxi],
            sni: vec![NamePattern::new("*.vmware.com")],
            ports: vec![443],
            note: Some("update depot".to_owned()),
            ..Approve::default()
        },
    }
}

fn config() -> Config {
    let asset = Asset {
        name: "esxi-01".into(),
        role: Role::Esxi,
        addresses: vec![],
        macs: vec![],
        host: None,
    };
    Config { assets: vec![asset], ..Config::default() }
}

#[test]
fn assets_are_listed_in_a_line_each_and_one_in_full() {
    let (config, given) = (config(), [approval()]);
    let view = View { config: &config, given: &given, now: NOW };
    let young = AssetBaseline { first_seen: NOW.as_secs() - DAY, ..AssetBaseline::default() };
    let all = Baseline {
        assets: [("app-01", young), ("esxi-01", learned())]
            .map(|(name, learned)| (name.to_owned(), learned))
            .into(),
        ..Baseline::default()
    };
    assert_eq!(
        text(|to| view.write_assets(all.assets.iter(), to)),
        "\
ASSET    FIRST SEEN (UTC)  STATE     DESTINATIONS  TRUSTED  SENT IN 30 DAYS  LAST OUTSIDE
app-01   2026-11-30 10:00  learning             0        0              0 B
esxi-01  2026-11-01 10:00  learned              5        4              0 B  2026-11-21

More of one: egret baseline list app-01
"
    );
    assert_eq!(
        text(|to| view.write_asset("esxi-01", &all.assets["esxi-01"], to)),
        "\
esxi-01  first seen 2026-11-01 10:00, learned until 2026-11-08 10:00 UTC

  DESTINATION       TRUSTED              FIRST SEEN  LAST SEEN   SESSIONS  USUAL DAY  30 DAYS
  198.51.100.0/24   learned in 7 hours   2026-11-01  2026-11-21     1,204        0 B      0 B
  backup.example    9 days               2026-11-01  2026-11-21     1,204        0 B      0 B
  example.com       learned in 12 hours  2026-11-01  2026-11-21     1,204        0 B      0 B
  x\\x1b[2J.example  learned in 7 hours   2026-11-01  2026-11-21     1,204        0 B      0 B
  new.example       no: 2 of 7 days      2026-11-01  2026-11-21     1,204        0 B      0 B

  largest hour: in from inside 1.9 GB

  reached on many ports: meet.example

  approved (3 by maria): role esxi may reach *.vmware.com on port 443 (update depot)
"
    );
    let shown = text(|to| view.write_asset("app-01", &all.assets["app-01"], to));
    assert!(shown.contains("still learning, until 2026-12-07 10:00 UTC"), "{shown}");
    assert!(shown.ends_with("it was never seen to reach outside over TLS\n"), "{shown}");
}

/// Two accounts, a host that names none, a mirror on the wire and one that was configured.
fn estate() -> Baseline {
    let operator = |learned, days| {
        let mut operator = Operator::new(Timestamp::from_parts(BEGIN, 0));
        operator.last_seen = BEGIN + 3 * DAY;
        (operator.known.learned, operator.known.days) = (learned, days);
        (operator.acts, operator.pulls, operator.queries) = (40, 2, 1_200);
        operator.vms.insert("web-01".to_owned(), operator.known);
        operator.clients.insert("10.10.9.66".parse().unwrap(), operator.known);
        operator
    };
    let destination = "198.51.100.7".parse().unwrap();
    let pair = Pair { destination, first_seen: BEGIN, last_day: BEGIN / DAY + 9 };
    let session = MirrorSession {
        targets: vec!["tmt-0abc".to_owned()],
        addresses: vec!["10.30.0.9".parse().unwrap()],
        changed: BEGIN * 1_000_000_000,
        ..MirrorSession::default()
    };
    Baseline {
        operators: [
            ("account:corp\\svc".to_owned(), operator(true, 0)),
            ("account:corp\\new".to_owned(), operator(false, 2)),
            ("host:esxi-01".to_owned(), operator(false, 3)),
        ]
        .into(),
        mirrors: Mirrors {
            since: BEGIN,
            pairs: [("vxlan 10.0.0.1 > 198.51.100.7 id 7".to_owned(), pair)].into(),
            sessions: [("1 tms-01".to_owned(), session)].into(),
        },
        ..Baseline::default()
    }
}

/// Fails when what became usual of accounts and mirrors shows nowhere, or not why.
#[test]
fn accounts_and_mirrors_are_listed_with_why() {
    let mut config = config();
    let view = |config: &Config, known: &Baseline, in_full| {
        let view = View { config, given: &[], now: NOW };
        text(|to| view.write_all(known, in_full, to))
    };
    assert_eq!(
        view(&config, &estate(), false),
        "\
ACCOUNT       WHY          FIRST SEEN  LAST SEEN   ASKED  DONE  FROM
corp\\new      2 of 3 days  2026-11-01  2026-11-04  1,200    42  10.10.9.66
corp\\svc      learned      2026-11-01  2026-11-04  1,200    42  10.10.9.66
host esxi-01  3 days       2026-11-01  2026-11-04  1,200    42  10.10.9.66

MIRROR                                   WHY         SINCE (UTC)       LAST SEEN
vxlan 10.0.0.1 > 198.51.100.7 id 7       learned     2026-11-01 10:00  2026-11-10
session 1 tms-01 to tmt-0abc, 10.30.0.9  configured  2026-11-01 10:00
"
    );
    config.mirror_policy.destinations =
        vec![crate::config::MirrorDestination::Net("198.51.100.0/24".parse().unwrap())];
    let mut one = estate();
    others::retain(&mut one, "198.51.100.7");
    assert!(view(&config, &one, true).contains("id 7  approved: config  2026"));
    assert!(one.operators.is_empty() && one.mirrors.sessions.is_empty());
    let mut one = estate();
    others::retain(&mut one, "CORP\\SVC");
    let shown = view(&config, &one, true);
    assert!(shown.contains("  on web-01  ") && shown.contains("  from 10.10.9.66  "), "{shown}");
    others::retain(&mut one, "nobody");
    assert!(one.operators.is_empty() && one.mirrors.is_empty());
    let view = View { config: &config, given: &[], now: NOW };
    let lines = text(|to| view.write_json(&estate(), to));
    let lines: Vec<serde_json::Value> =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 5);
    assert_eq!(lines[1]["account"], "corp\\svc");
    assert_eq!((&lines[1]["trusted"], &lines[0]["why"]), (&true.into(), &"2 of 3 days".into()));
    assert_eq!(lines[3]["destination"], "198.51.100.7");
}

/// Fails when what is exported of accounts and mirrors breaks a config it is appended to, or is no config
/// without its comment signs.
#[test]
fn accounts_and_mirrors_are_exported_as_comments_that_are_config() {
    let config = config();
    let exported = text(|to| export::write_others(&estate(), &config, to));
    let read = file::parse("export", &exported, &[], Config::default()).unwrap();
    assert_eq!(read, Config::default(), "nothing but comments");
    let line = |key: &str| {
        let line = exported.lines().find(|line| line.contains(&format!("# {key} = ")));
        line.unwrap().trim_start_matches("# ").to_owned()
    };
    let (accounts, destinations) = (line("accounts"), line("destinations"));
    let text =
        format!("[detect.guest_operations]\n{accounts}\n[detect.mirror_policy]\n{destinations}\n");
    let read = file::parse("export", &text, &[], Config::default()).unwrap();
    assert_eq!(read.guest_operations.accounts, ["corp\\svc"]);
    assert_eq!(read.mirror_policy.destinations.len(), 1);
}

/// Fails when an alert, or an approval, is not seen beside what it is about.
#[test]
fn a_place_tells_of_its_approval() {
    let place = |pattern: &str, destination: &str| {
        let entry = Approve { sni: vec![NamePattern::new(pattern)], ..Approve::default() };
        entry.concerns(destination)
    };
    assert!(place("*.vmware.com", "vmware.com") && place("depot.vmware.com", "vmware.com"));
    assert!(!place("evilvmware.com", "vmware.com") && !place("*.vmware.com", "example.com"));
    let destinations = vec!["198.51.100.7/32".parse().unwrap()];
    let entry = Approve { destinations, ..Approve::default() };
    assert!(entry.concerns("198.51.100.0/24"));
    assert!(!entry.concerns("198.51.101.0/24"));
    let given =
        Approval { entry: Approve { assets: vec![], roles: vec![], ..entry }, ..approval() };
    let config = config();
    let view = View { config: &config, given: &[given], now: NOW };
    let shown = text(|to| view.write_asset("esxi-01", &learned(), to));
    assert!(shown.contains("learned in 7 hours, approved: 3 by maria  "), "{shown}");
}

#[test]
fn approvals_are_listed_with_those_of_the_config_first() {
    let of_config = Approve { assets: vec!["app".into()], ports: vec![8443], ..Approve::default() };
    assert_eq!(
        text(|to| approvals::list(&[of_config], &[approval()], false, to)),
        "\
NUMBER  GIVEN (UTC)       BY     FOR        TO                        NOTE
config                           app        any place on port 8443
     3  2026-12-01 10:00  maria  role esxi  *.vmware.com on port 443  update depot
"
    );
}

#[test]
fn what_is_exported_is_config() {
    let known =
        Baseline { assets: [("esxi-01".to_owned(), learned())].into(), ..Baseline::default() };
    let exported = text(|to| export::write(&known, &[approval()], to));
    let read = file::parse("export", &exported, &[], Config::default()).unwrap();
    assert_eq!(read.approve[0], approval().entry);
    let covers = |address: &str, sni| {
        let address = address.parse().unwrap();
        read.approve.iter().any(|entry| entry.covers("esxi-01", Role::Esxi, address, 8443, sni))
    };
    assert!(covers("203.0.113.1", Some("www.example.com")) && covers("198.51.100.9", None));
    assert!(covers("203.0.113.1", Some("backup.example")));
    assert!(!covers("203.0.113.1", Some("new.example")) && !covers("203.0.113.1", None));
    assert!(exported.contains("# esxi-01 at x\\x1b[2J.example: cannot be said in the config\n"));
}

#[test]
fn an_approval_needs_who_and_where_and_is_checked_as_config_is() {
    let nothing = || BaselineApprove {
        asset: vec![],
        role: vec![],
        sni: vec![],
        destination: vec![],
        port: vec![],
        note: None,
    };
    let web = || vec!["web".to_owned()];
    let said = |given: BaselineApprove| {
        let error = entry(&given).unwrap_err();
        assert_eq!(error.exit(), Exit::Usage);
        error.to_string()
    };
    assert!(said(BaselineApprove { port: vec![443], ..nothing() }).contains("--asset or --role"));
    assert!(said(BaselineApprove { asset: web(), ..nothing() }).contains("Give --sni"));
    let wrong = BaselineApprove {
        role: vec!["esx".to_owned()],
        sni: vec!["a b".to_owned()],
        port: vec![0],
        ..nothing()
    };
    let said = said(wrong);
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(
        lines[0],
        "--role \"esx\": expected one of \"esxi\", \"vcenter\", \"guest\", \"other\""
    );
    assert!(lines[1].starts_with("--sni \"a b\": expected a DNS name"), "{said}");
    assert_eq!(lines[2], "--port 0: expected a port from 1 to 65535");
    let good = BaselineApprove {
        asset: web(),
        sni: vec!["*.example".to_owned()],
        note: Some("say \"when\"".to_owned()),
        ..nothing()
    };
    assert_eq!(entry(&good).unwrap().note.as_deref(), Some("say \"when\""));
}

#[test]
fn approvals_are_kept_and_taken_back() {
    let directory = tempfile::tempdir().unwrap();
    let mut store = Store::open(directory.path()).unwrap();
    let number = store.approve(&approval().entry, "maria", NOW).unwrap();
    assert_eq!(store.approvals().unwrap(), [approval().entry]);
    let error = unapprove(&mut store, &[number, 9], &mut Vec::new()).unwrap_err();
    assert!(error.to_string().starts_with("there is no approval 9;"), "{error}");
    assert_eq!(store.approvals().unwrap().len(), 1, "all or nothing");
    unapprove(&mut store, &[number], &mut Vec::new()).unwrap();
    assert!(store.approvals().unwrap().is_empty());
    assert!(store.approve(&Approve::default(), "maria", NOW).is_err(), "that would be everything");
}

proptest! {
    #[test]
    fn whatever_was_learned_is_exported_as_config(
        names in prop::collection::vec(("\\PC{0,12}", "(\\PC{0,12}|[a-z0-9.-]{1,20}|10\\.1\\.[0-9]\\.0/24)"), 0..8),
    ) {
        let mut known = Baseline::default();
        for (asset, destination) in names {
            let asset = known.assets.entry(asset).or_default();
            asset.destinations.insert(destination, habit(7, true));
        }
        let exported = text(|to| export::write(&known, &[approval()], to));
        let read = file::parse("export", &exported, &[], Config::default());
        prop_assert!(read.is_ok(), "{}\n{exported}", read.unwrap_err());
    }
}
