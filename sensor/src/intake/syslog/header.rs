//! The forms of a header.

use super::{Form, Message, date};
use crate::time::Timestamp;

/// What marks a line that goes on with the one before, on the wire and in files before ESXi 8.
const CONTINUES: &str = "-->";
/// The largest priority (RFC 5424, 6.2.1).
const MAX_PRIORITY: u8 = 191;
/// Words for how grave it is, which ESXi before 8 and vCenter write before a second tag.
const LEVELS: [&str; 8] =
    ["info", "verbose", "warning", "error", "trivia", "panic", "debug", "none"];
/// Structured data that relays and `logger` add (RFC 5424, 7): they say nothing of the message.
const ADDED: [&str; 3] = ["[meta ", "[timeQuality ", "[origin "];
/// What ESXi 8 adds to the structured data of a message that it cut.
const CUT: [&str; 2] = ["msgModified", "originalLen"];

/// Reads a line without its end.
pub(super) fn read(line: &str, form: Form, near: Option<Timestamp>) -> Option<Message<'_>> {
    let (priority, rest) = priority(line)?;
    let mut message = if rest.starts_with(CONTINUES) {
        Message { body: rest, ..EMPTY }
    } else if let Some(rest) = rest.strip_prefix("1 ").filter(|rest| has_time(rest)) {
        structured(rest)?
    } else {
        match (form, priority) {
            (Form::Wire, _) | (Form::File, Some(_)) => traditional(rest, priority, near)?,
            (Form::File, None) => stored(rest, near)?,
        }
    };
    if let Some(priority) = priority {
        message.facility = Some(priority >> 3);
    }
    message.is_continuation |= message.body.starts_with(CONTINUES);
    message.is_cut = is_cut(message.body);
    Some(message)
}

const EMPTY: Message<'static> = Message {
    time: None,
    host: None,
    facility: None,
    program: "",
    body: "",
    is_cut: false,
    is_continuation: false,
};

/// The priority, where there is one, and what follows it.
fn priority(line: &str) -> Option<(Option<u8>, &str)> {
    let Some(rest) = line.strip_prefix('<') else { return Some((None, line)) };
    let (number, rest) = rest.split_once('>')?;
    let priority = number.parse().ok().filter(|priority| *priority <= MAX_PRIORITY)?;
    Some((Some(priority), rest.trim_start_matches(' ')))
}

/// Whether a header as in RFC 5424 goes on here, behind its version.
fn has_time(rest: &str) -> bool {
    let (first, _) = word(rest);
    first == "-" || date::rfc3339(first).is_some()
}

/// RFC 5424, behind the version.
fn structured(rest: &str) -> Option<Message<'_>> {
    let (time, rest) = rest.split_once(' ')?;
    let (host, rest) = rest.split_once(' ')?;
    let (program, rest) = rest.split_once(' ')?;
    let (_, rest) = rest.split_once(' ')?;
    let (_, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    let body = match rest.strip_prefix('-') {
        Some(body) if body.is_empty() || body.starts_with(' ') => body,
        _ => without_added(rest),
    };
    let body = body.trim_start_matches(' ');
    let body = body.strip_prefix('\u{feff}').unwrap_or(body);
    let given = |field| Some(field).filter(|field| *field != "-");
    let program = given(program).unwrap_or_default();
    let message = Message { time: date::rfc3339(time), host: given(host), program, body, ..EMPTY };
    Some(without_second_tag(message))
}

/// RFC 3164, and what goes by its name.
fn traditional(rest: &str, priority: Option<u8>, near: Option<Timestamp>) -> Option<Message<'_>> {
    let Some((time, rest)) = time(rest, near) else {
        // With a priority, anything is a message (RFC 3164, 4.3.3).
        priority?;
        return Some(tagged(None, None, rest));
    };
    Some(with_host(time, rest))
}

/// A host and a tag, or a tag alone.
fn with_host(time: Option<Timestamp>, rest: &str) -> Message<'_> {
    let (first, behind) = word(rest);
    if first.ends_with(':') || first.contains('[') || behind.is_empty() {
        return tagged(time, None, rest);
    }
    tagged(time, Some(first), behind)
}

/// A line of a file that has no priority in front.
fn stored(rest: &str, near: Option<Timestamp>) -> Option<Message<'_>> {
    let (time, rest) = time(rest, near)?;
    let (first, behind) = word(rest);
    if let Some((priority, is_continuation)) = graded(first) {
        let message = tagged(time, None, behind);
        return Some(Message { facility: Some(priority >> 3), is_continuation, ..message });
    }
    if LEVELS.contains(&first) {
        return Some(tagged(time, None, behind));
    }
    // Files of one program alone do not name it.
    if first.starts_with("cpu") && first.contains(')') {
        return Some(Message { time, program: "vmkernel", body: rest, ..EMPTY });
    }
    if first.starts_with('[') {
        return Some(Message { time, program: "vobd", body: rest, ..EMPTY });
    }
    Some(with_host(time, rest))
}

/// ESXi 8's files: how grave a message is, its priority, and whether it goes on with the one before:
/// `In(166)`, `In(166)+`.
fn graded(word: &str) -> Option<(u8, bool)> {
    let (letters, rest) = word.split_once('(')?;
    let (priority, mark) = rest.split_once(')')?;
    let is_mark = matches!(mark, "" | "+");
    if letters.len() != 2 || !is_mark {
        return None;
    }
    let priority = priority.parse().ok().filter(|priority| *priority <= MAX_PRIORITY)?;
    Some((priority, mark == "+"))
}

/// A tag and what it is put before: `Tag: …`, `Tag[PID]: …`, `Tag[PID] …`, `Tag : …`, `Tag - - - …`.
fn tagged<'a>(time: Option<Timestamp>, host: Option<&'a str>, rest: &'a str) -> Message<'a> {
    let rest = rest.trim_start_matches(' ');
    let message = Message { time, host, body: rest, ..EMPTY };
    let Some((program, mark)) = rest.find(['[', ':', ' ']).and_then(|at| rest.split_at_checked(at))
    else {
        return message;
    };
    let body = match mark.as_bytes().first() {
        _ if program.is_empty() => None,
        Some(b'[') => mark.split_once(']').map(|(_, body)| body.strip_prefix(':').unwrap_or(body)),
        Some(b':') => mark.strip_prefix(':'),
        _ => {
            let mark = mark.trim_start_matches(' ');
            mark.strip_prefix(": ").or_else(|| mark.strip_prefix("- - -"))
        }
    };
    let Some(body) = body else { return message };
    without_second_tag(Message { program, body: body.trim_start_matches(' '), ..message })
}

/// Leaves out a second time, the level and the second tag: `info hostd[1053970] [Originator…`.
fn without_second_tag(message: Message<'_>) -> Message<'_> {
    let (first, behind) = word(message.body);
    let (time, level, rest) = match date::rfc3339(first) {
        Some(time) => {
            let (level, rest) = word(behind);
            (Some(time), level, rest)
        }
        None => (None, first, behind),
    };
    if !LEVELS.contains(&level) {
        return message;
    }
    let (tag, body) = word(rest);
    let same = tag.split_once('[').is_some_and(|(program, id)| {
        id.ends_with(']') && program.eq_ignore_ascii_case(message.program)
    });
    if !same {
        return message;
    }
    Message { time: message.time.or(time), body, ..message }
}

/// Leaves out the structured data in front that were added on the way.
fn without_added(mut data: &str) -> &str {
    while ADDED.iter().any(|start| data.starts_with(start)) {
        let Some(rest) = behind_element(data) else { break };
        data = rest;
    }
    data
}

/// What follows an element of structured data (RFC 5424, 6.3): a quoted value may hold its end.
fn behind_element(data: &str) -> Option<&str> {
    let (mut quoted, mut escaped) = (false, false);
    let end = data.bytes().position(|byte| {
        let ends = byte == b']' && !quoted;
        quoted ^= byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    })?;
    data.get(end.checked_add(1)?..)
}

fn is_cut(body: &str) -> bool {
    let data = body.strip_prefix('[').and_then(|body| body.split_once(']'));
    data.is_some_and(|(data, _)| CUT.iter().any(|name| data.contains(name)))
}

/// The time at the start, and what follows it. The time is none where there only is a stand-in.
fn time(rest: &str, near: Option<Timestamp>) -> Option<(Option<Timestamp>, &str)> {
    let (first, behind) = word(rest);
    let first = first.strip_suffix(':').unwrap_or(first);
    if let Some(time) = date::rfc3339(first) {
        return Some((Some(time), behind));
    }
    // What ESXi before 6 sends when it has no time; RFC 5424's word for it.
    if matches!(first, "NoneZ" | "-") {
        return Some((None, behind));
    }
    let (date, behind) = rest.split_at_checked(date::BSD_LENGTH)?;
    let date = date::Bsd::read(date)?;
    let behind = behind.strip_prefix(':').unwrap_or(behind);
    Some((near.and_then(|near| date.near(near)), behind.trim_start_matches(' ')))
}

/// The first word, and what follows it and the spaces behind it.
fn word(text: &str) -> (&str, &str) {
    let (first, rest) = text.split_once(' ').unwrap_or((text, ""));
    (first, rest.trim_start_matches(' '))
}
