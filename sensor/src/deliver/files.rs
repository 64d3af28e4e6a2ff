//! Secrets, which are only in files. They are read for each attempt, so that a changed file
//! needs no restart; no error ever says what is in one.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::text::{file_name, reason};

/// No file with secrets is larger, in bytes.
const LARGEST: u64 = 64 * 1024;

/// What makes a line of a file a key in base64 (Standard Webhooks).
const PREFIX: &str = "whsec_";

/// The fewest and the most bytes of a key (Standard Webhooks).
const KEY_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// What is wrong with a file.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileError {
    /// It cannot be read.
    #[error(
        "{}: cannot be read: {}; let the sensor's user read it",
        file_name(path),
        reason(source)
    )]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is no text or too large.
    #[error("{}: is not a text of at most {LARGEST} bytes", file_name(path))]
    NoText {
        /// Which.
        path: PathBuf,
    },
    /// There is nothing in it.
    #[error("{}: is empty; put a {what} in it", file_name(path))]
    Empty {
        /// Which.
        path: PathBuf,
        /// What should be in it.
        what: &'static str,
    },
    /// A key is not of its form.
    #[error(
        "{}:{line}: is no key; write {PREFIX} and base64, or the key itself, of {} to {} bytes",
        file_name(path),
        KEY_BYTES.start(),
        KEY_BYTES.end()
    )]
    Key {
        /// Which.
        path: PathBuf,
        /// The line's number.
        line: usize,
    },
    /// A token cannot be in a header.
    #[error("{}: the token has characters that no header can hold", file_name(path))]
    Token {
        /// Which.
        path: PathBuf,
    },
}

/// The signing keys in a file, one a line.
pub(super) fn keys(path: &Path) -> Result<Vec<Vec<u8>>, FileError> {
    let text = text(path)?;
    let mut keys = Vec::new();
    for (line, number) in lines(&text).zip(1..) {
        if line.is_empty() {
            continue;
        }
        let key = match line.strip_prefix(PREFIX) {
            Some(encoded) => STANDARD.decode(encoded).ok(),
            None => Some(line.as_bytes().to_vec()),
        };
        let key = key.filter(|key| KEY_BYTES.contains(&key.len()));
        keys.push(key.ok_or_else(|| FileError::Key { path: path.to_owned(), line: number })?);
    }
    if keys.is_empty() {
        return Err(FileError::Empty { path: path.to_owned(), what: "key" });
    }
    Ok(keys)
}

/// The token in a file: its first line that says anything.
pub(super) fn token(path: &Path) -> Result<String, FileError> {
    let text = text(path)?;
    match lines(&text).find(|line| !line.is_empty()) {
        None => Err(FileError::Empty { path: path.to_owned(), what: "token" }),
        Some(token) if token.bytes().all(|byte| byte.is_ascii_graphic()) => Ok(token.to_owned()),
        Some(_) => Err(FileError::Token { path: path.to_owned() }),
    }
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim)
}

/// What a file says.
pub(crate) fn text(path: &Path) -> Result<String, FileError> {
    let unreadable = |source| FileError::Unreadable { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    let text = String::from_utf8(bytes).ok().filter(|text| text.len() as u64 <= LARGEST);
    text.ok_or_else(|| FileError::NoText { path: path.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &[u8]) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        file
    }

    #[test]
    fn keys_are_text_or_base64_one_a_line() {
        let new = b"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let text =
            format!("\n{PREFIX}{}\r\n  the old key, in plain words \n", STANDARD.encode(new));
        let keys = keys(file(text.as_bytes()).path()).unwrap();
        assert_eq!(keys, [new.to_vec(), b"the old key, in plain words".to_vec()]);
    }

    #[test]
    fn a_key_that_is_none_is_named_by_its_line_and_not_told() {
        let long = "a".repeat(65);
        for (text, line) in
            [("hunter2", 1), ("\nwhsec_hunter2", 2), ("whsec_aHVudGVyMg==", 1), (long.as_str(), 1)]
        {
            let error = keys(file(text.as_bytes()).path()).unwrap_err().to_string();
            assert!(error.contains(&format!(":{line}: is no key")), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn what_no_header_can_hold_is_no_token() {
        assert_eq!(token(file(b"\n abc-123 \n").path()).unwrap(), "abc-123");
        for (text, said) in [
            (&b"a b"[..], "no header can hold"),
            ("t\u{f6}ken".as_bytes(), "no header can hold"),
            (b" \n", "put a token in it"),
            (b"\xff\xfe", "not a text"),
        ] {
            let error = token(file(text).path()).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
        let error = token(Path::new("/nowhere/token")).unwrap_err().to_string();
        assert_eq!(
            error,
            "/nowhere/token: cannot be read: No such file or directory; let the sensor's user read it"
        );
    }
}
