//! By which words a dialogue is known.

use super::{Protocol, Role, ldap, postgres};
use crate::event::StartTls;

/// What the first bytes of a side look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beginning {
    /// No dialogue that is known.
    No,
    /// There are too few bytes to tell.
    Undecided,
    /// One of this protocol, and who speaks.
    Of(Protocol, Role),
}

/// Words, of which protocol they are, and who begins with them.
type Words = (&'static [u8], Protocol, Role);

const SMTP: Protocol = Protocol::StartTls(StartTls::Smtp);
const IMAP: Protocol = Protocol::StartTls(StartTls::Imap);
const POP3: Protocol = Protocol::StartTls(StartTls::Pop3);
const POSTGRES: Protocol = Protocol::StartTls(StartTls::Postgres);

/// Looks at the first bytes of a side: for nearly every one a look at the first is enough.
#[inline]
pub fn begins(bytes: &[u8]) -> Beginning {
    let words: &[Words] = match bytes.first().map(u8::to_ascii_uppercase) {
        Some(b'2') => &[(b"220 ", SMTP, Role::Server), (b"220-", SMTP, Role::Server)],
        Some(b'E') => &[(b"EHLO ", SMTP, Role::Client)],
        Some(b'H') => &[(b"HELO ", SMTP, Role::Client)],
        Some(b'L') => &[(b"LHLO ", SMTP, Role::Client)],
        Some(b'*') => &[(b"* OK", IMAP, Role::Server), (b"* PREAUTH", IMAP, Role::Server)],
        Some(b'+') => &[(b"+OK", POP3, Role::Server)],
        Some(b'S') => &[(b"STARTTLS\r", SMTP, Role::Client), (b"STLS\r", POP3, Role::Client)],
        Some(b'C') => {
            &[(b"CONNECT ", Protocol::Proxy, Role::Client), (b"CAPA\r", POP3, Role::Client)]
        }
        Some(0) => &[
            (&postgres::SSL_REQUEST, POSTGRES, Role::Client),
            (&postgres::GSS_REQUEST, POSTGRES, Role::Client),
        ],
        Some(0x30) => return ldap::begins(bytes),
        _ => return Beginning::No,
    };
    said(bytes, words)
}

fn said(bytes: &[u8], words: &[Words]) -> Beginning {
    let mut beginning = Beginning::No;
    for &(word, protocol, role) in words {
        let there = bytes.get(..word.len()).unwrap_or(bytes);
        if word.get(..there.len()).is_some_and(|word| word.eq_ignore_ascii_case(there)) {
            if there.len() == word.len() {
                return Beginning::Of(protocol, role);
            }
            beginning = Beginning::Undecided;
        }
    }
    beginning
}
