//! Why an attempt to deliver failed, in words for the operator, and what follows from it.

use std::error::Error;
use std::io;
use std::time::Duration;

use reqwest::StatusCode;

use super::address::AddressError;
use super::files::FileError;
use super::tls::TlsError;
use crate::fleet::PublishError;
use crate::text::{printable_within, reason};

/// The most of what a receiver said that is kept, in bytes.
const LONGEST_ANSWER: usize = 200;

/// The longest reason, in bytes.
const LONGEST_REASON: usize = 300;

/// An attempt that failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// The receiver answered, but did not take it.
    #[error("answers {status}{}{}", advice(*status), said(answer))]
    Answer {
        /// Its status.
        status: StatusCode,
        /// The beginning of what it said.
        answer: String,
        /// When it wants to be asked again.
        retry_after: Option<Duration>,
    },
    /// The receiver sends us elsewhere.
    #[error(
        "answers {status} and points to {}: redirects are not followed; give the final address",
        printable_within(to, LONGEST_ANSWER)
    )]
    Redirect {
        /// Its status.
        status: StatusCode,
        /// Where, without query.
        to: String,
    },
    /// No answer in time.
    #[error("no answer within {} s", .0.as_secs())]
    Silent(Duration),
    /// No connection, or one that broke.
    #[error("{}", printable_within(.0, LONGEST_REASON))]
    Connection(String),
    /// No address to send to.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// A file with a secret.
    #[error(transparent)]
    File(#[from] FileError),
    /// TLS cannot begin.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The fleet did not take it.
    #[error(transparent)]
    Fleet(#[from] PublishError),
    /// The alert cannot be written in this form.
    #[error("the alert cannot be written as JSON: {0}")]
    Body(#[from] serde_json::Error),
}

/// What follows from a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outlook {
    /// The receiver may be well soon.
    Passing,
    /// The receiver says when to come again.
    Later(Duration),
    /// Nothing will change until a person changes something.
    Standing,
    /// It is this alert that is not taken; others may be.
    ThisAlert,
}

impl Failure {
    pub(super) fn outlook(&self) -> Outlook {
        match self {
            Self::Answer { status, retry_after, .. } => match (status.as_u16(), retry_after) {
                (429 | 503, Some(wait)) => Outlook::Later(*wait),
                (408 | 425 | 429 | 500.., _) => Outlook::Passing,
                (400 | 413 | 414 | 415 | 422, _) => Outlook::ThisAlert,
                _ => Outlook::Standing,
            },
            Self::Silent(_) | Self::Connection(_) | Self::Address(AddressError::Unknown { .. }) => {
                Outlook::Passing
            }
            Self::Redirect { .. } | Self::Address(_) | Self::File(_) | Self::Tls(_) => {
                Outlook::Standing
            }
            Self::Fleet(PublishError::Servers(_)) => Outlook::Passing,
            Self::Fleet(_) | Self::Body(_) => Outlook::ThisAlert,
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Connection(reason(&error))
    }
}

/// The innermost cause of an error: what is around it says that sending failed, and the URL, which
/// may hold a secret.
pub(super) fn cause(error: &(dyn Error + 'static)) -> String {
    let mut inner = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    inner.downcast_ref::<io::Error>().map_or_else(|| inner.to_string(), reason)
}

/// The answer's first words, where it has any.
fn said(answer: &str) -> String {
    match answer.trim() {
        "" => String::new(),
        answer => format!(": {}", printable_within(answer, LONGEST_ANSWER)),
    }
}

/// What a person can do about an answer that does not change by itself.
fn advice(status: StatusCode) -> &'static str {
    match status.as_u16() {
        401 | 403 => " (check token_file and secret_file)",
        404 | 405 | 410 => " (check the url)",
        413 => " (raise the receiver's limit)",
        _ => "",
    }
}
