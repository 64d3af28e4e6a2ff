use super::*;

const NOON: u64 = 1_772_539_200_000_000_000; // 2026-03-03T12:00:00Z

fn journal(release: Release) -> Journal {
    let host = Host {
        name: "esxi-01.corp.example".into(),
        address: "10.10.0.11".parse().unwrap(),
        release,
        ahead: 0,
    };
    let vcenter = Vcenter {
        name: "vcenter-01.corp.example".into(),
        address: "10.10.0.10".parse().unwrap(),
        offset: 2,
        datacenter: "DC0".into(),
    };
    Journal::new(vec![host], vcenter)
}

fn operation() -> What {
    What::Operation {
        operation: Operation::StartProgram,
        vm: "web01".into(),
        account: "CORP\\svc".into(),
        is_refused: false,
    }
}

fn lines(release: Release, told: &[(u64, Teller, What)]) -> Vec<String> {
    let mut journal = journal(release);
    for (time, teller, what) in told {
        journal.add(*time, *teller, what.clone());
    }
    journal.lines().into_iter().map(|line| line.text).collect()
}

#[test]
fn each_release_frames_the_same_event_in_its_own_way() {
    let told = [(NOON, Teller::Host(0), operation())];
    let event = " : Guest operation Start Program performed on Virtual machine web01.";
    for (release, head) in [
        (Release::Six, "<166>2026-03-03T12:00:00.000Z esxi-01.corp.example Hostd: ["),
        (Release::Seven, "<166>2026-03-03T12:00:00.000Z esxi-01.corp.example Hostd: info hostd["),
        (Release::Eight, "<166>2026-03-03T12:00:00.000Z esxi-01.corp.example Hostd["),
    ] {
        let lines = lines(release, &told);
        let [line] = &lines[..] else { panic!("{lines:?}") };
        assert!(line.starts_with(head) && line.ends_with(event), "{line}");
        assert!(!line.contains("CORP") && !line.contains("user="), "{line}");
    }
}

#[test]
fn a_vcenter_names_the_account_and_has_its_event_in_utc() {
    let lines = lines(Release::Eight, &[(NOON, Teller::Vcenter, operation())]);
    let expected = "<14>1 2026-03-03T14:00:00.000000+02:00 vcenter-01.corp.example vpxd 36683 - -  Event \
                    [674024] [1-1] [2026-03-03T12:00:00.000000Z] [vim.event.EventEx] [info] [CORP\\svc] \
                    [DC0] [674024] [Guest operation Start Program performed on Virtual machine web01.]";
    assert_eq!(lines, [expected]);
}

#[test]
fn numbers_rise_with_time_whatever_was_added_first() {
    let host = Teller::Host(0);
    let lines = lines(Release::Eight, &[(NOON + 5, host, operation()), (NOON, host, operation())]);
    let number = |line: &str| -> u64 {
        let (_, rest) = line.split_once("] Event ").unwrap();
        rest.split_once(' ').unwrap().0.parse().unwrap()
    };
    assert_eq!(number(&lines[0]) + 1, number(&lines[1]));
}

#[test]
fn a_restarted_vcenter_repeats_its_events_under_their_numbers_and_times() {
    let told = [
        (NOON, Teller::Vcenter, operation()),
        (NOON + 9_000_000_000, Teller::Vcenter, What::Restart),
    ];
    let lines = lines(Release::Eight, &told);
    let event = |line: &str| line.split_once(" Event ").unwrap().1.to_owned();
    assert_eq!(lines.len(), 2);
    assert_ne!(lines[0], lines[1]);
    assert_eq!(event(&lines[0]), event(&lines[1]));
}

#[test]
fn files_of_a_host_name_no_host() {
    let mut journal = journal(Release::Eight);
    journal.add(NOON, Teller::Host(0), operation());
    journal.add(NOON, Teller::Vcenter, operation());
    let mut file = Vec::new();
    journal.write_on_disk(0, &mut file).unwrap();
    let file = String::from_utf8(file).unwrap();
    assert!(file.starts_with("2026-03-03T12:00:00.000Z In(166) Hostd["), "{file}");
    assert_eq!(file.lines().count(), 1);
}

#[test]
fn noise_is_of_many_kinds_and_never_a_whole_event() {
    let noise = |teller| (0..500).map(move |seed| (NOON, teller, What::Noise(seed)));
    let told: Vec<_> = noise(Teller::Host(0)).chain(noise(Teller::Vcenter)).collect();
    let lines = lines(Release::Eight, &told);
    let forged = |line: &&String| line.contains("Guest operation ");
    assert!(lines.iter().filter(forged).count() > 10);
    for line in lines.iter().filter(forged) {
        let text = line.split_once("] Event ").and_then(|(_, event)| event.split_once(" : "));
        let is_hostd = line.contains(" Hostd[") && !line.contains("sub=Guestsvc");
        let is_whole = text
            .is_some_and(|(_, text)| text.starts_with("Guest operation ") && text.ends_with('.'));
        assert!(!(is_hostd && is_whole), "{line}");
    }
}
