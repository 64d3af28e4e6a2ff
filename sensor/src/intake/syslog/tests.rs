use proptest::prelude::*;

use super::*;

/// The middle of 2026.
const NEAR: &str = "2026-06-30T12:00:00Z";

fn near() -> Option<Timestamp> {
    NEAR.parse().ok()
}

fn wire(line: &str) -> Message<'_> {
    parse(line, Form::Wire, near()).unwrap_or_else(|| panic!("{line} is no message"))
}

fn file(line: &str) -> Message<'_> {
    parse(line, Form::File, near()).unwrap_or_else(|| panic!("{line} is no message"))
}

/// Time, host, facility, program and body, `-` for what is not there.
fn shown(message: &Message<'_>) -> String {
    let Message { time, host, facility, program, body, .. } = message;
    let time = time.map_or("-".to_owned(), |time| time.to_string());
    let facility = facility.map_or("-".to_owned(), |facility| facility.to_string());
    format!("{time} {} {facility} {program} |{body}", host.unwrap_or("-"))
}

#[test]
fn each_form_on_the_wire_is_read() {
    for (line, expected) in [
        // ESXi 8, 6.5 to 7, and 6.0.
        (
            "<166>2026-02-11T18:01:45.587Z esxi-01.example Hostd[2099494]: [Originator@6876 sub=Vimsvc] Done",
            "2026-02-11T18:01:45.587000Z esxi-01.example 20 Hostd |[Originator@6876 sub=Vimsvc] Done",
        ),
        (
            "<166>2022-11-04T15:01:58Z esxi Hostd: info hostd[1053970] [Originator@6876 sub=x user=root] Event 406 : y",
            "2022-11-04T15:01:58.000000Z esxi 20 Hostd |[Originator@6876 sub=x user=root] Event 406 : y",
        ),
        (
            "<166>2014-12-16T22:07:35.612Z esxi.example Hostd: [3647FB90 info 'ha-eventmgr'] Event 8 : x",
            "2014-12-16T22:07:35.612000Z esxi.example 20 Hostd |[3647FB90 info 'ha-eventmgr'] Event 8 : x",
        ),
        // A time that is none, and one in the message.
        (
            "<164>NoneZ esxi Hostd: 2015-06-21T00:02:08.553Z warning hostd[49580B70] [Originator@6876 sub=x] y",
            "2015-06-21T00:02:08.553000Z esxi 20 Hostd |[Originator@6876 sub=x] y",
        ),
        ("<164>NoneZ esxi Hostd: x", "- esxi 20 Hostd |x"),
        // Two spaces, no second tag, a space before the colon, no colon.
        (
            "<14>2026-01-02T03:04:05.678Z esxi vobd:  [netCorrelator] 73us: [esx.audit.x] y",
            "2026-01-02T03:04:05.678000Z esxi 1 vobd |[netCorrelator] 73us: [esx.audit.x] y",
        ),
        (
            "<181>2026-01-02T03:04:05Z esxi vmkernel: cpu3:33418)WARNING: x",
            "2026-01-02T03:04:05.000000Z esxi 22 vmkernel |cpu3:33418)WARNING: x",
        ),
        (
            "<14>2026-01-02T03:04:05Z esxi tool : x : y",
            "2026-01-02T03:04:05.000000Z esxi 1 tool |x : y",
        ),
        (
            "<110>2026-01-02T03:04:05Z esxi shell[12]: [shell.cmd@6876 subject=\"root\"]",
            "2026-01-02T03:04:05.000000Z esxi 13 shell |[shell.cmd@6876 subject=\"root\"]",
        ),
        (
            "<13>2026-01-02T03:04:05Z esxi FIREWALL-PKTLOG - - - INET TERM PASS 1 OUT TCP RST",
            "2026-01-02T03:04:05.000000Z esxi 1 FIREWALL-PKTLOG |INET TERM PASS 1 OUT TCP RST",
        ),
        // RFC 5424 of vCenter, ESXi 8, NSX, logger and relays.
        (
            "<14>1 2026-01-02T06:06:19.000001+02:00 vcsa vpxd 4711 - -  Event [1] [1-1] [x]",
            "2026-01-02T04:06:19.000001Z vcsa 1 vpxd |Event [1] [1-1] [x]",
        ),
        (
            "<14>1 2026-01-02T03:04:05Z vcsa envoy 7 - - 2026-01-02T03:04:04.070Z info envoy[9] [Originator@6876 sub=Default] z",
            "2026-01-02T03:04:05.000000Z vcsa 1 envoy |[Originator@6876 sub=Default] z",
        ),
        (
            "<166>1 2026-01-02T03:04:05.5Z esxi Hostd 12 - [Originator@6876 sub=Proxy Req 1 opID=a] \u{feff}x",
            "2026-01-02T03:04:05.500000Z esxi 20 Hostd |[Originator@6876 sub=Proxy Req 1 opID=a] \u{feff}x",
        ),
        (
            "<46>1 2026-01-02T03:04:05Z nsx NSX 5996 SYSTEM [nsx@6876 comp=\"m\"] Opening",
            "2026-01-02T03:04:05.000000Z nsx 5 NSX |[nsx@6876 comp=\"m\"] Opening",
        ),
        (
            "<13>1 2026-01-02T03:04:05Z h a - - [timeQuality tzKnown=\"1\" x=\"\\\"]\"][meta sequenceId=\"1\"] \u{feff}said",
            "2026-01-02T03:04:05.000000Z h 1 a |said",
        ),
        ("<13>1 - - - - - -", "- - 1  |"),
        // BSD time of relays: of the year next to now, with or without a space before it, and a host.
        ("<13>Dec 31 23:59:59 esxi crond[1]: x", "2025-12-31T23:59:59.000000Z esxi 1 crond |x"),
        ("<13> Jan  1 00:00:00 esxi crond: x", "2026-01-01T00:00:00.000000Z esxi 1 crond |x"),
        ("<13>Jun 30 12:00:00 crond[1]: x", "2026-06-30T12:00:00.000000Z - 1 crond |x"),
        // No priority; and nothing but that.
        ("2026-01-02T03:04:05Z esxi Hostd[1]: x", "2026-01-02T03:04:05.000000Z esxi - Hostd |x"),
        ("<0>", "- - 0  |"),
        ("<191>anything at all", "- - 23  |anything at all"),
        ("<13>tag: x", "- - 1 tag |x"),
    ] {
        assert_eq!(shown(&wire(line)), expected, "{line}");
    }
}

#[test]
fn lines_of_files_name_no_host_or_do() {
    for (line, expected) in [
        (
            "2024-06-04T21:58:00.913Z In(166) Hostd[1050740]: [Originator@6876 sub=x] Event 245 : y",
            "2024-06-04T21:58:00.913000Z - 20 Hostd |[Originator@6876 sub=x] Event 245 : y",
        ),
        ("2023-12-05T17:35:29Z No(13) SSH[10]: x", "2023-12-05T17:35:29.000000Z - 1 SSH |x"),
        (
            "2019-01-02T03:04:05.678Z info hostd[2099] [Originator@6876 sub=x] Event 1 : y",
            "2019-01-02T03:04:05.678000Z - - hostd |[Originator@6876 sub=x] Event 1 : y",
        ),
        ("2019-01-02T03:04:05Z sshd[117700]: x", "2019-01-02T03:04:05.000000Z - - sshd |x"),
        (
            "2019-01-02T03:04:05Z cpu3:33418)WARNING: x",
            "2019-01-02T03:04:05.000000Z - - vmkernel |cpu3:33418)WARNING: x",
        ),
        (
            "2019-01-02T03:04:05Z: [netCorrelator] 73us: [esx.x] y",
            "2019-01-02T03:04:05.000000Z - - vobd |[netCorrelator] 73us: [esx.x] y",
        ),
        // As collectors keep them.
        ("2019-01-02T03:04:05Z esxi sshd[1]: x", "2019-01-02T03:04:05.000000Z esxi - sshd |x"),
        ("Jun  1 03:04:05 esxi sshd[1]: x", "2026-06-01T03:04:05.000000Z esxi - sshd |x"),
        ("<38>2019-01-02T03:04:05Z esxi sshd[1]: x", "2019-01-02T03:04:05.000000Z esxi 4 sshd |x"),
    ] {
        assert_eq!(shown(&file(line)), expected, "{line}");
    }
}

#[test]
fn what_is_no_message_is_refused() {
    for line in
        ["", "hello", "<192>x", "<>x", "<-1>x", "<13", "<1x>y", "2026-13-01T00:00:00Z a b: c"]
    {
        assert_eq!(parse(line, Form::Wire, near()), None, "{line}");
    }
    for line in ["", "a stack trace", "Foo 30 12:00:00 esxi a: b", "Feb 30 12:00:00 esxi a: b"] {
        assert_eq!(parse(line, Form::File, near()), None, "{line}");
    }
}

#[test]
fn a_line_that_goes_on_is_no_message_of_its_own() {
    for line in [
        "--> <166>2026-01-02T03:04:05Z esxi Hostd[1]: [Originator@6876 sub=x] Event 1 : y",
        "<166>2026-01-02T03:04:05Z esxi Hostd[1]: --> Event 1 : y",
        "<166>--> y",
    ] {
        assert!(wire(line).is_continuation, "{line}");
    }
    assert!(file("2026-01-02T03:04:05Z In(166)+ Hostd[1]: Event 1 : y").is_continuation);
    assert!(file("-->    Event 1 : y").is_continuation);
    assert!(!wire("<166>2026-01-02T03:04:05Z esxi Hostd[1]: x --> y").is_continuation);
}

#[test]
fn a_message_says_that_it_was_cut_or_said_again() {
    let cut = "<166>2026-01-02T03:04:05Z esxi Hostd[1]: [Originator@6876 sub=x msgModified=\"1\" originalLen=\"5\"] y";
    assert!(wire(cut).is_cut);
    let said = "<166>2026-01-02T03:04:05Z esxi Hostd[1]: [Originator@6876 sub=x] msgModified";
    assert!(!wire(said).is_cut, "somebody only speaks of it");
    for line in [
        "<13>message repeated 3 times: [ x]",
        "<13>Jun  1 03:04:05 h last message repeated 2 times",
    ] {
        assert!(wire(line).is_repetition(), "{line}");
    }
}

#[test]
fn a_second_tag_counts_only_when_it_is_the_same() {
    let other = "<13>2026-01-02T03:04:05Z esxi shell: info hostd[1] [Originator@6876 sub=x] y";
    assert_eq!(wire(other).body, "info hostd[1] [Originator@6876 sub=x] y");
    assert_eq!(wire(other).program, "shell");
}

#[test]
fn a_time_without_a_year_is_of_the_one_next_to_now() {
    for (near, line, expected) in [
        ("2026-01-01T00:00:10Z", "<13>Dec 31 23:59:59 h a: b", "2025-12-31T23:59:59.000000Z"),
        ("2025-12-31T23:59:50Z", "<13>Jan  1 00:00:01 h a: b", "2026-01-01T00:00:01.000000Z"),
        ("2024-02-29T10:00:00Z", "<13>Feb 29 09:00:00 h a: b", "2024-02-29T09:00:00.000000Z"),
        ("2025-03-01T00:00:00Z", "<13>Feb 29 09:00:00 h a: b", "2024-02-29T09:00:00.000000Z"),
    ] {
        let message = parse(line, Form::Wire, near.parse().ok()).unwrap();
        assert_eq!(message.time.unwrap().to_string(), expected, "{line} at {near}");
    }
    let message = parse("<13>Dec 31 23:59:59 h a: b", Form::File, None).unwrap();
    assert_eq!((message.time, message.host), (None, Some("h")));
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in any::<String>(), is_file in any::<bool>()) {
        let form = if is_file { Form::File } else { Form::Wire };
        if let Some(message) = parse(&text, form, near()) {
            prop_assert!(may_be_message(text.as_bytes()));
            prop_assert!(text.contains(message.body) && text.contains(message.program));
        }
    }

    #[test]
    fn what_is_near_a_header_is_read_or_refused(
        text in "(<[0-9]{1,3}>)?(1 )?(2026-0[1-9]-[0-3]1T00:00:00(\\.[0-9]{0,3})?Z?|-|NoneZ|Jun [0-9 ]{2} 0:0:0)[ :]{0,2}[a-z\\[\\]:\" -]{0,30}",
    ) {
        for form in [Form::Wire, Form::File] {
            if let Some(message) = parse(&text, form, near()) {
                prop_assert!(may_be_message(text.as_bytes()));
                prop_assert!(text.ends_with(message.body) || text.trim_end().ends_with(message.body));
            }
        }
    }
}
