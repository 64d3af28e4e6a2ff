//! Text for a terminal: names from the wire made harmless, counts made readable.
//!
//! Whoever can send a packet can choose a server name. Printed raw, it could move the cursor,
//! recolour the screen, reverse the reading direction or fake a whole line.

use std::path::Path;
use std::{fmt, io};

/// The most bytes that [`printable`] writes; a DNS name has at most as many (RFC 1035, 2.3.4).
pub const LIMIT: usize = 255;

/// What stands for the rest of a text that was cut.
const CUT: &str = "…";

/// `text` as one harmless piece of a line, at most [`LIMIT`] bytes of it.
///
/// Control characters, line and paragraph separators, bidirectional controls and characters
/// that cannot be seen come out as `\n`, `\x1b` or `\u{202e}`. A backslash stays as it is,
/// because accounts (`CORP\backup`) have one: exact bytes are in the JSON, not here.
pub fn printable(text: &str) -> impl fmt::Display {
    printable_within(text, LIMIT)
}

/// [`printable`] with a limit of its own, for our sentences that hold names from the wire.
pub fn printable_within(text: &str, limit: usize) -> impl fmt::Display {
    fmt::from_fn(move |f| {
        let (kept, rest) = fitting(text, limit);
        for c in kept.chars() {
            if is_hidden(c) { write_escape(f, c)? } else { fmt::Write::write_char(f, c)? }
        }
        f.write_str(if rest.is_empty() { "" } else { CUT })
    })
}

/// A path as the name of a file in a message. Whoever made the file may have chosen its name.
pub fn file_name(path: &Path) -> String {
    const PATH_MAX: usize = 4096;
    printable_within(&path.to_string_lossy(), PATH_MAX).to_string()
}

/// What the system said, without the error's number, which helps nobody.
pub fn reason(error: &io::Error) -> String {
    let said = error.to_string();
    match said.rsplit_once(" (os error ") {
        Some((words, _)) if error.raw_os_error().is_some() => words.to_owned(),
        _ => said,
    }
}

/// A count with a comma between thousands: `1,234,567`.
pub fn grouped(count: u64) -> impl fmt::Display {
    fmt::from_fn(move |f| {
        let digits = count.to_string();
        for (i, digit) in digits.chars().enumerate() {
            if i > 0 && (digits.len() - i).is_multiple_of(3) {
                f.write_str(",")?;
            }
            fmt::Write::write_char(f, digit)?;
        }
        Ok(())
    })
}

/// A count of things: `1 packet`, `1,234 packets`.
pub fn counted(count: u64, noun: &str) -> String {
    format!("{} {noun}{}", grouped(count), if count == 1 { "" } else { "s" })
}

/// The first three of `count` names, and how many more there are.
pub fn listed(names: impl IntoIterator<Item = impl fmt::Display>, count: u64) -> String {
    const SHOWN: usize = 3;
    let shown: Vec<_> = names.into_iter().take(SHOWN).map(|name| name.to_string()).collect();
    match count.saturating_sub(shown.len() as u64) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// Splits `text` so that the first part, escaped, is within `limit` bytes: with room for the
/// cut mark if anything is left over.
fn fitting(text: &str, limit: usize) -> (&str, &str) {
    let mut length = 0;
    let mut with_mark = 0;
    for (at, c) in text.char_indices() {
        if length + CUT.len() <= limit {
            with_mark = at;
        }
        length += escaped_len(c);
        if length > limit {
            return text.split_at_checked(with_mark).unwrap_or(("", text));
        }
    }
    (text, "")
}

fn escaped_len(c: char) -> usize {
    match c {
        '\n' | '\r' | '\t' => 2,
        '\0'..='\u{7f}' if c.is_control() => 4,
        c if is_hidden(c) => c.escape_unicode().count(),
        c => c.len_utf8(),
    }
}

fn write_escape(f: &mut fmt::Formatter<'_>, c: char) -> fmt::Result {
    match c {
        '\n' => f.write_str("\\n"),
        '\r' => f.write_str("\\r"),
        '\t' => f.write_str("\\t"),
        '\0'..='\u{7f}' => write!(f, "\\x{:02x}", u32::from(c)),
        c => write!(f, "{}", c.escape_unicode()),
    }
}

/// Whether `c` does something to the line, or cannot be seen in it: Unicode's `Cc`, `Zl`, `Zp`
/// and the format characters (`Cf`) and fillers that hide or reorder text (UAX #9, UTS #39).
const fn is_hidden(c: char) -> bool {
    matches!(c,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}'         // controls, C1 included
        | '\u{ad}' | '\u{34f}' | '\u{61c}'            // soft hyphen, joiner, Arabic mark
        | '\u{115f}' | '\u{1160}' | '\u{3164}'        // Hangul fillers
        | '\u{180e}' | '\u{200b}'..='\u{200f}'        // zero width, direction marks
        | '\u{2028}'..='\u{202e}'                     // separators, embeddings, overrides
        | '\u{2060}'..='\u{206f}'                     // word joiner, isolates
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'        // variation selectors, byte order mark
        | '\u{fff9}'..='\u{fffb}'                     // interlinear notes
        | '\u{e0000}'..='\u{e0fff}' // tags
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_acts_on_a_terminal_is_shown_instead() {
        for (text, shown) in [
            ("cdn.example", "cdn.example"),
            ("bücher.example", "bücher.example"),
            (r"CORP\backup", r"CORP\backup"),
            ("a\nb\r\tc", r"a\nb\r\tc"),
            ("\x1b[31mred", r"\x1b[31mred"),
            ("\x1b]0;title\x07", r"\x1b]0;title\x07"),
            ("nul\0del\x7f", r"nul\x00del\x7f"),
            ("c1\u{9b}31m", r"c1\u{9b}31m"),
            ("\u{202e}gpj.exe", r"\u{202e}gpj.exe"),
            ("\u{2066}x\u{2069}", r"\u{2066}x\u{2069}"),
            ("a\u{2028}b\u{2029}c", r"a\u{2028}b\u{2029}c"),
            ("zero\u{200b}width\u{feff}", r"zero\u{200b}width\u{feff}"),
            ("\u{e0041}", r"\u{e0041}"),
        ] {
            assert_eq!(printable(text).to_string(), shown);
        }
    }

    #[test]
    fn a_long_name_is_cut_and_says_so() {
        let fits = "a".repeat(255);
        assert_eq!(printable(&fits).to_string(), fits);
        assert_eq!(printable(&"a".repeat(256)).to_string(), format!("{}…", "a".repeat(252)));
        assert_eq!(printable_within("abcdef", 5).to_string(), "ab…");
        assert_eq!(printable_within("\x1b\x1b", 4).to_string(), "…");
    }

    #[test]
    fn the_name_of_a_file_keeps_to_its_line() {
        assert_eq!(file_name(Path::new("a\n\x1b[2J.pcap")), r"a\n\x1b[2J.pcap");
        let long = format!("/captures/{}.pcap", "a".repeat(300));
        assert_eq!(file_name(Path::new(&long)), long);
    }

    #[test]
    fn reasons_are_the_systems_words_alone() {
        assert_eq!(reason(&io::Error::from_raw_os_error(2)), "No such file or directory");
        assert_eq!(reason(&io::Error::other("odd (os error 2)")), "odd (os error 2)");
    }

    #[test]
    fn counts_have_commas_between_thousands() {
        for (count, shown) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (1_234_567, "1,234,567"),
            (u64::MAX, "18,446,744,073,709,551,615"),
        ] {
            assert_eq!(grouped(count).to_string(), shown);
        }
    }

    proptest! {
        #[test]
        fn any_text_comes_out_short_and_harmless(text in any::<String>(), limit in 3usize..300) {
            let shown = printable_within(&text, limit).to_string();
            prop_assert!(shown.len() <= limit);
            prop_assert!(!shown.chars().any(is_hidden));
        }
    }
}
