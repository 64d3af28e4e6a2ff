use egret_tests::traffic::is_harmless;

use super::*;
use crate::alert::format::Style;
use crate::alert::sample::{hostile_names, numbered, saying};
use crate::alert::{Alert, Severity};
use crate::store::Owed;
use crate::store::keeper::Subscription;
use crate::time::Timestamp;

fn text(write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> String {
    let mut to = Vec::new();
    write(&mut to).unwrap();
    String::from_utf8(to).unwrap()
}

#[test]
fn alerts_are_listed_in_columns_that_fit() {
    let mut no_name = numbered(2);
    no_name.destination.as_mut().unwrap().sni = None;
    let evil = "x\x1b[2J\nhigh".repeat(20);
    let mut long = Alert { title: evil.clone(), status: Status::Acknowledged, ..numbered(3) };
    long.asset.name = evil.clone();
    long.destination.as_mut().unwrap().sni = Some(evil);
    long.severity = Severity::Informational;
    let calculated = Alert {
        title: "Ports calculated from DNS answers".to_owned(),
        destination: None,
        severity: Severity::Critical,
        ..numbered(4)
    };
    let alerts = [numbered(1), no_name, long, calculated];
    assert_eq!(
        text(|to| list::write_table(&alerts, false, false, false, to)),
        "\
ALERT     CHANGED (UTC)     SEVERITY  STATUS  ASSET               WHERE                     WHAT
00000000  2026-11-20 14:03  high      open    esxi-01             cdn.example               Unexpec…
00000000  2026-11-20 14:03  high      open    esxi-01             198.51.100.7              Unexpec…
00000000  2026-11-20 14:03  info      seen    x\\x1b[2J\\nhighx\\x…  x\\x1b[2J\\nhighx\\x1b[2J\\…  x\\x1b[2…
00000000  2026-11-20 14:03  critical  open    esxi-01                                       Ports c…

4 alerts, 3 open. Why: egret alerts show 00000000
"
    );
    let other = Alert { sensor: "rack-8\x1b[2J".to_owned(), ..numbered(5) };
    let of_two = text(|to| list::write_table(&[numbered(1), other], false, false, false, to));
    assert!(of_two.contains("STATUS  SENSOR"), "{of_two}");
    assert!(of_two.contains(r"  rack-8\x1b[2J  "), "{of_two}");
    let coloured = text(|to| list::write_table(&alerts, true, false, true, to));
    assert!(coloured.contains("\x1b[1;97;41mhigh\x1b[0m      open"));
    assert!(coloured.contains("\nthe 4 latest alerts (--limit 0: all), 3 open."));
    assert_eq!(text(|to| list::write_table(&[], false, false, true, to)), "no alerts are stored\n");
}

#[test]
fn what_happened_to_an_alert_is_shown_below_it() {
    let at = Timestamp::from_parts(1_795_184_000, 0);
    let mut stored = crate::store::Stored {
        alert: Alert { status: Status::Acknowledged, ..numbered(1) },
        raised: at,
        note: Some("ticket\x1b[2J".to_owned()),
        seen: Some((at, "maria".to_owned())),
        verdict: None,
    };
    let owed = |target: &str, attempts, last_error: Option<&str>| Owed {
        target: target.to_owned(),
        attempts,
        not_before: at,
        last_error: last_error.map(str::to_owned),
    };
    let owed = [owed("siem", 0, None), owed("soc", 3, Some("500 Internal Server Error"))];
    let shown =
        text(|to| show::write_text(&stored, &owed, Some(&Missing::Never), Style::Plain, to));
    let end = "
  stored    2026-11-20 14:13:20 UTC, first raised
  status    acknowledged 2026-11-20 14:13:20 UTC by maria
  note      ticket\\x1b[2J
  packets   no packets are kept of it: only logs or flow records tell of it, its conversation began \
before what memory holds ([evidence] memory), or [evidence] was off
  deliver   siem waits for it
            soc waits for it, 3 attempts failed, the next is at 2026-11-20 14:13:20 UTC: \
500 Internal Server Error

";
    assert!(shown.ends_with(end), "{shown}");
    stored.alert.status = Status::Open;
    let shown = text(|to| show::write_text(&stored, &[], None, Style::Plain, to));
    assert!(
        shown.contains("open again: it became worse after it was acknowledged 2026"),
        "{shown}"
    );
    let id = short(stored.alert.id);
    let end = format!(
        "  packets   kept: egret alerts show {id} --pcap FILE\n  deliver   nobody waits for it\n\n"
    );
    assert!(shown.ends_with(&end), "{shown}");
}

/// Every command prints, of an alert that was kept, what it prints of any other.
#[test]
fn hostile_names_are_only_shown() {
    let directory = tempfile::tempdir().unwrap();
    let mut store = Store::open(directory.path()).unwrap();
    let alerts: Vec<Alert> = (1..)
        .zip(hostile_names())
        .map(|(number, name)| Alert { id: numbered(number).id, ..saying(&name) })
        .collect();
    store.commit(&alerts, &[] as &[Subscription], 1).unwrap();
    let kept = store.alerts(&Wanted::default()).unwrap();
    assert_eq!(kept.len(), alerts.len());
    let table = text(|to| list::write_table(&kept, false, false, false, to));
    assert_eq!(table.lines().count(), 1 + alerts.len() + 2, "{table}");
    let mut shown = vec![table];
    for (alert, name) in alerts.iter().zip(hostile_names()) {
        let mut stored = store.alert(alert.id).unwrap().unwrap();
        stored.note = Some(name.clone());
        stored.seen = Some((stored.raised, name.clone()));
        let target = name.clone();
        let failed = Some(name);
        let owed = [Owed { target, attempts: 1, not_before: stored.raised, last_error: failed }];
        shown.push(text(|to| {
            show::write_text(&stored, &owed, Some(&Missing::Never), Style::Plain, to)
        }));
        let json = text(|to| show::show(&stored, &owed, None, true, to));
        assert_eq!(json.lines().count(), 1, "{json:?}");
        let said: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(said["alert"], serde_json::to_value(alert).unwrap());
        let mut to = Vec::new();
        let note = Some("seen".to_owned());
        let ack = AlertsAck { ids: vec![alert.id.to_string()], note, verdict: None };
        acknowledge(&mut store, &ack, &mut to).unwrap();
        shown.push(String::from_utf8(to).unwrap());
    }
    for text in shown {
        assert!(text.lines().flat_map(str::chars).all(is_harmless), "{text:?}");
    }
}

#[test]
fn ids_may_be_short_where_they_are_unique() {
    let directory = tempfile::tempdir().unwrap();
    let mut store = Store::open(directory.path()).unwrap();
    let id = |text: &str| text.parse::<Uuid>().unwrap();
    let all = ["1b9d6bcd-0000-5000-8000-000000000001", "1b9d7bcd-0000-5000-8000-000000000002"];
    let alerts = all.map(|text| Alert { id: id(text), ..numbered(1) });
    store.commit(&alerts, &[] as &[Subscription], 1).unwrap();
    assert_eq!(find(&store, "1B9D6").unwrap(), id(all[0]));
    assert_eq!(find(&store, all[1]).unwrap(), id(all[1]));
    for (given, message, exit) in [
        ("1b9d", "1b9d begins the ids of several alerts: 1b9d6bcd-", Exit::Failed),
        ("f", "no stored alert has an id that begins with f; `egret alerts` lists", Exit::Failed),
        ("1b9d%", "1b9d% is no alert id; expected the first digits", Exit::Usage),
        ("", " is no alert id", Exit::Usage),
    ] {
        let error = find(&store, given).unwrap_err();
        assert!(error.to_string().starts_with(message), "{error}");
        assert_eq!(error.exit(), exit);
    }
}
