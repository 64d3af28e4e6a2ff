//! What every request passes: who asks by what name, with what token, for how long. Whoever posts audit
//! records has a token of its own, see [`audit`].

use std::net::IpAddr;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::header::{self, HeaderValue};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::time::timeout;

use super::access::Token;
use super::refusal::Refusal;
use super::{Access, audit, console};

/// Where the packets of an alert are.
pub(super) const PACKETS: &str = "/api/alerts/{id}/pcap";

/// How long a request may take from its head to its answer.
const REQUEST: Duration = Duration::from_secs(10);

/// Lets a request pass, or says why not.
pub(super) async fn guard(State(access): State<Access>, request: Request, next: Next) -> Response {
    let answer = match pass(&access, &request) {
        Ok(()) => timeout(REQUEST, next.run(request)).await.unwrap_or_else(|_| {
            let reason = format!("the request took longer than {} seconds", REQUEST.as_secs());
            Refusal::new(StatusCode::REQUEST_TIMEOUT, reason).into_response()
        }),
        Err(refusal) => refusal.into_response(),
    };
    with_headers(answer)
}

fn pass(access: &Access, request: &Request) -> Result<(), Refusal> {
    if access.is_local() {
        check_host(request.headers(), access.listen().ip())?;
    }
    let path = request.uri().path();
    if path == audit::PATH && request.method() == Method::POST {
        return Ok(());
    }
    // Who is on this machine may look; what changes something needs the token from everyone, and so do
    // packets, which hold what people sent, where there is a token.
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let is_open = access.is_local() && !(are_packets(path) && access.token().is_some());
    if path == "/healthz" || (reads && (is_open || console::is_own(path))) {
        return Ok(());
    }
    check_token(access, request.headers())
}

/// Whether a path is one of [`PACKETS`].
fn are_packets(path: &str) -> bool {
    let ends = PACKETS.split_once("{id}");
    ends.is_some_and(|(start, end)| path.starts_with(start) && path.ends_with(end))
}

/// On loopback, a browser here can be led to ask on a stranger's behalf (DNS rebinding): the
/// stranger's name is then in `Host`, and it may read nothing.
fn check_host(headers: &HeaderMap, listen: IpAddr) -> Result<(), Refusal> {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    if is_own_name(host, listen) {
        return Ok(());
    }
    let reason = format!(
        "this server is asked as localhost or {listen} only; behind a proxy, have it send \
         \"Host: localhost\""
    );
    Err(Refusal::new(StatusCode::MISDIRECTED_REQUEST, reason))
}

fn is_own_name(host: &str, listen: IpAddr) -> bool {
    // `[::1]:9477`, `[::1]`, `127.0.0.1:9477`, `localhost`
    let name = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address,
        None => host.split_once(':').map_or(host, |(name, _)| name),
    };
    name.eq_ignore_ascii_case("localhost")
        || name
            .parse::<IpAddr>()
            .is_ok_and(|address| address == listen || address.to_canonical().is_loopback())
}

fn check_token(access: &Access, headers: &HeaderMap) -> Result<(), Refusal> {
    let Some(token) = access.token() else {
        let reason = "this changes something and needs a token: set http.token_file in the config";
        return Err(Refusal::new(StatusCode::FORBIDDEN, reason));
    };
    check(&token, "http.token_file", headers)
}

/// Whether this token was sent; `key` names the file that it is in.
pub(super) fn check(token: &Token, key: &str, headers: &HeaderMap) -> Result<(), Refusal> {
    match bearer(headers) {
        Some(given) if token.is(given) => Ok(()),
        Some(_) => Err(Refusal::new(StatusCode::UNAUTHORIZED, "the token is wrong")),
        None => {
            let reason = format!(
                "a token is needed: send \"Authorization: Bearer TOKEN\" with the one in {key}"
            );
            Err(Refusal::new(StatusCode::UNAUTHORIZED, reason))
        }
    }
}

/// The token that was sent (RFC 6750, 2.1).
fn bearer(headers: &HeaderMap) -> Option<&[u8]> {
    let value = headers.get(header::AUTHORIZATION)?.as_bytes();
    let (scheme, token) = value.split_at_checked(b"bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"bearer ").then(|| token.trim_ascii())
}

fn with_headers(mut answer: Response) -> Response {
    let is_unauthorized = answer.status() == StatusCode::UNAUTHORIZED;
    let headers = answer.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // Nothing but the console's files is the same a second later, and alerts are nothing for a proxy's
    // disk.
    let no_store = HeaderValue::from_static("no-store");
    headers.entry(header::CACHE_CONTROL).or_insert(no_store);
    if is_unauthorized {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_are_its_own() {
        let listen = "127.0.0.1".parse().unwrap();
        let own =
            ["localhost", "LocalHost:9477", "127.0.0.1:9477", "127.0.0.2", "[::1]:80", "[::1]"];
        for host in own {
            assert!(is_own_name(host, listen), "{host}");
        }
        let strange = [
            "",
            "evil.example",
            "localhost.evil.example:9477",
            "127.0.0.1.evil.example",
            "192.0.2.1:9477",
            "[2001:db8::1]",
            "[::1",
            "]",
            "[",
        ];
        for host in strange {
            assert!(!is_own_name(host, listen), "{host}");
        }
    }

    #[test]
    fn a_bearer_token_has_its_scheme() {
        let sent = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::AUTHORIZATION, HeaderValue::from_static(value));
            bearer(&headers).map(<[u8]>::to_vec)
        };
        assert_eq!(sent("bEaRer  abc "), Some(b"abc".to_vec()));
        for other in ["", "Bearer", "Basic abc", "Bearerabc"] {
            assert_eq!(sent(other), None, "{other}");
        }
    }
}
