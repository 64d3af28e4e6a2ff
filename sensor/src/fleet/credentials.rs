//! Who a sensor says it is: read for each attempt to connect, so that a changed file needs no restart.
//!
//! A NATS `.creds` file holds a token (JWT) and the seed of a key that signs what the server asks; the seed
//! never leaves this machine. A line `user:password` does, which is why it belongs on TLS.

use std::path::{Path, PathBuf};

use async_nats::Auth;
use nkeys::KeyPair;

use crate::deliver::{FileError, secret};
use crate::text::file_name;

/// What is wrong with the file.
#[derive(Debug, thiserror::Error)]
pub(super) enum CredentialsError {
    /// It cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// It is neither form.
    #[error(
        "{}: is neither a NATS .creds file (a user JWT and its seed) nor one line user:password",
        file_name(path)
    )]
    Form {
        /// Which.
        path: PathBuf,
    },
    /// The seed is none, or cannot sign.
    #[error("{}: the seed in it is no key: {reason}", file_name(path))]
    Seed {
        /// Which.
        path: PathBuf,
        /// What the key's reader says.
        reason: String,
    },
}

/// What answers a server that asks for `nonce` to be signed.
pub(super) fn answer(path: &Path, nonce: &[u8]) -> Result<Auth, CredentialsError> {
    let text = secret(path)?;
    let form = || CredentialsError::Form { path: path.to_owned() };
    let mut auth = Auth::new();
    let Some(jwt) = behind(&text, "BEGIN NATS USER JWT") else {
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let (Some(line), None) = (lines.next(), lines.next()) else { return Err(form()) };
        let (user, password) = line.split_once(':').ok_or_else(form)?;
        auth.username = Some(user.to_owned());
        auth.password = Some(password.to_owned());
        return Ok(auth);
    };
    let seed = behind(&text, "BEGIN USER NKEY SEED").ok_or_else(form)?;
    let bad = |error: nkeys::error::Error| CredentialsError::Seed {
        path: path.to_owned(),
        reason: error.to_string(),
    };
    auth.jwt = Some(jwt.to_owned());
    auth.signature = Some(KeyPair::from_seed(seed).and_then(|key| key.sign(nonce)).map_err(bad)?);
    Ok(auth)
}

/// The line behind the one that says `title`.
fn behind<'a>(text: &'a str, title: &str) -> Option<&'a str> {
    let mut lines = text.lines().map(str::trim).skip_while(|line| !line.contains(title)).skip(1);
    lines.find(|line| !line.is_empty() && !line.starts_with('-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        file
    }

    #[test]
    fn a_line_is_a_user_and_a_password_that_may_hold_colons() {
        let auth = answer(file("\nrack-7:a:b \n").path(), b"nonce").unwrap();
        assert_eq!(auth.username.as_deref(), Some("rack-7"));
        assert_eq!(auth.password.as_deref(), Some("a:b"));
    }

    #[test]
    fn a_creds_file_signs_and_does_not_tell_its_seed() {
        let key = KeyPair::new_user();
        let text = format!(
            "-----BEGIN NATS USER JWT-----\neyJ0.e30.sig\n------END NATS USER JWT------\n\n\
             ***** IMPORTANT *****\n-----BEGIN USER NKEY SEED-----\n{}\n\
             ------END USER NKEY SEED------\n",
            key.seed().unwrap()
        );
        let auth = answer(file(&text).path(), b"nonce").unwrap();
        assert_eq!(auth.jwt.as_deref(), Some("eyJ0.e30.sig"));
        key.verify(b"nonce", &auth.signature.unwrap()).unwrap();
        assert_eq!((auth.nkey, auth.password), (None, None));
    }

    #[test]
    fn what_is_neither_is_said_without_its_content() {
        for (text, said) in [
            ("", "neither"),
            ("hunter2", "neither"),
            ("a:hunter2\nb:hunter2", "neither"),
            ("-----BEGIN NATS USER JWT-----\nhunter2\n", "neither"),
            (
                "-BEGIN NATS USER JWT-\nx\n-BEGIN USER NKEY SEED-\nhunter2\n",
                "the seed in it is no key",
            ),
        ] {
            let Err(error) = answer(file(text).path(), b"") else { panic!("{text}") };
            let error = error.to_string();
            assert!(error.contains(said) && !error.contains("hunter2"), "{error}");
        }
    }
}
