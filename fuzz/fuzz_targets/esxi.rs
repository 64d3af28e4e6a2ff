//! What messages say, and what several say together: a line is a message, a tab in it parts the program
//! from the body.

#![no_main]

use std::time::Duration;

use egret::event::{Report, Reporter};
use egret::intake::esxi::{self, Gaps};
use egret::intake::join::Join;
use egret::intake::syslog::Message;
use egret::time::Timestamp;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let (mut gaps, mut join) = (Gaps::default(), Join::default());
    let (mut taken, mut given) = (0, 0);
    let mut time = Timestamp::from_parts(1_795_183_391, 0);
    for line in text.lines() {
        let Some((program, body)) = line.split_once('\t') else { continue };
        let message = Message {
            time: None,
            host: Some("esx1"),
            facility: None,
            program,
            body,
            is_cut: false,
            is_continuation: false,
        };
        gaps.note(&message);
        let Some(told) = esxi::read(&message) else { continue };
        time = time.plus(Duration::from_millis(700));
        let host = message.host.map(Into::into);
        let reporter = Reporter { service: told.service, host, peer: None };
        let report = Report { time, stated: told.stated, reporter, said: told.said };
        egret::eve::write_report(&report, &mut Vec::new());
        join.advance(time);
        given += std::iter::from_fn(|| join.pop()).count() as u64;
        taken += 1;
        given += u64::from(join.take(report).is_some());
    }
    given += std::iter::from_fn(|| join.pop_last()).count() as u64;
    let counts = join.counts();
    assert_eq!(taken, given + counts.merged + counts.repeated);
});
