//! The console at `/`: one page, its style and its scripts, which are part of the program.
//!
//! They hold no data: those come from the API, by the same rules as for everybody. So they are given to
//! everyone who may ask at all; beyond this machine the page asks for the token first. The token is sent in
//! a header that only the page's own scripts can set, never in a cookie: another site cannot make a
//! browser change anything here (CSRF), nor read (no CORS header is ever sent), nor frame it.
//!
//! The policy allows scripts, style and connections of this origin and nothing else: nothing inline, no
//! `eval`, and strings become markup nowhere (`trusted-types`). All of it is below [`MOST`] bytes, which a
//! test holds.

use axum::extract::{Path, State};
use axum::http::header::{self, HeaderValue};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::refusal::Refusal;
use super::{Access, guard};

/// The path that all but the page is below.
const FOLDER: &str = "/console/";
/// All files together, in bytes.
#[cfg(test)]
const MOST: usize = 140_000;

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'; require-trusted-types-for 'script'; \
                      trusted-types 'none'";

/// One file: its name below [`FOLDER`], and what is in it.
struct File(&'static str, &'static str);

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        &[$(File($name, include_str!(concat!("console/", $name)))),*]
    };
}

const PAGE: File = File("index.html", include_str!("console/index.html"));

const FILES: &[File] = files!(
    "style.css",
    "parts.css",
    "icon.svg",
    "main.js",
    "api.js",
    "dom.js",
    "words.js",
    "dialog.js",
    "token.js",
    "chart.js",
    "list.js",
    "live.js",
    "overview.js",
    "alerts.js",
    "alert.js",
    "actions.js",
    "assets.js",
    "asset.js",
    "sources.js",
    "fleet.js",
);

/// Whether a path is the console's own, which anybody may see.
pub(super) fn is_own(path: &str) -> bool {
    path == "/" || path.starts_with(FOLDER)
}

pub(super) fn route(access: Access) -> Router {
    Router::new()
        .route("/", get(page))
        .route("/console/access", get(access_needed))
        .route("/console/{name}", get(file))
        .with_state(access)
}

/// What the page needs to know before it asks for anything.
#[derive(Debug, Serialize)]
struct Needed {
    /// What reads needs the token.
    to_read: bool,
    /// What changes something can be done, with the token; else `http.token_file` is not set.
    can_change: bool,
    /// Whether the token that came along is right; none came: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<bool>,
}

/// `GET /console/access`
async fn access_needed(State(access): State<Access>, headers: HeaderMap) -> Json<Needed> {
    let token = access.token();
    let is_given = headers.contains_key(header::AUTHORIZATION);
    let is_right = |token| guard::check(token, "http.token_file", &headers).is_ok();
    Json(Needed {
        to_read: !access.is_local(),
        can_change: token.is_some(),
        token: is_given.then(|| token.as_ref().is_some_and(is_right)),
    })
}

/// `GET /`
async fn page(headers: HeaderMap) -> Response {
    given(&PAGE, &headers)
}

/// `GET /console/{name}`
async fn file(Path(name): Path<String>, headers: HeaderMap) -> Result<Response, Refusal> {
    let found = FILES.iter().find(|file| file.0 == name);
    let file = found.ok_or_else(|| Refusal::missing("the console has no such file"))?;
    Ok(given(file, &headers))
}

fn given(file: &File, headers: &HeaderMap) -> Response {
    let tag = file.tag();
    let is_known = headers.get_all(header::IF_NONE_MATCH).iter().any(|known| {
        known.to_str().is_ok_and(|known| known.split(',').any(|one| one.trim() == tag))
    });
    let mut answer = if is_known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(header::CONTENT_TYPE, file.kind())], file.1).into_response()
    };
    let fixed: [(HeaderName, &'static str); 5] = [
        // Kept, and asked for each time whether it is still the same: an update is seen at once.
        (header::CACHE_CONTROL, "no-cache"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    let to = answer.headers_mut();
    for (name, value) in fixed {
        to.insert(name, HeaderValue::from_static(value));
    }
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        to.insert(header::ETAG, tag);
    }
    answer
}

impl File {
    fn kind(&self) -> &'static str {
        match self.0.rsplit_once('.').map(|(_, kind)| kind) {
            Some("html") => "text/html; charset=utf-8",
            Some("css") => "text/css; charset=utf-8",
            Some("js") => "text/javascript; charset=utf-8",
            _ => "image/svg+xml",
        }
    }

    /// What changes with the content.
    fn tag(&self) -> String {
        let hash = Sha256::digest(self.1.as_bytes());
        let digits = hash.iter().take(8).map(|byte| format!("{byte:02x}"));
        format!("\"{}\"", digits.collect::<String>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails when a file grows that people load over slow links, or one is not given that another names.
    #[test]
    fn all_files_are_small_and_those_that_are_named_are_there() {
        let all = || FILES.iter().chain([&PAGE]);
        let bytes: usize = all().map(|file| file.1.len()).sum();
        assert!(bytes < MOST, "{bytes} bytes");
        for file in all() {
            let lines = file.1.lines().count();
            assert!(lines < 400, "{}: {lines} lines", file.0);
            for (before, name) in [("from \"./", "\""), ("\"/console/", "\"")]
                .into_iter()
                .flat_map(|(start, end)| {
                    file.1.split(start).skip(1).filter_map(move |rest| rest.split_once(end))
                })
                .map(|(name, _)| (file.0, name))
            {
                let is_there = FILES.iter().any(|file| file.0 == name) || name == "access";
                assert!(is_there, "{before} names {name}");
            }
        }
    }

    /// Fails when something would need what the policy forbids, or could turn a name into markup.
    #[test]
    fn nothing_is_inline_and_no_string_becomes_markup() {
        let forbidden = [
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "new Function",
            "setTimeout(\"",
            "javascript:",
            "DOMParser",
            "srcdoc",
            "localStorage.setItem(\"token",
        ];
        for file in FILES {
            for word in forbidden {
                assert!(!file.1.contains(word), "{}: {word}", file.0);
            }
            assert!(!file.1.contains("http://") || file.1.contains("www.w3.org"), "{}", file.0);
            assert!(!file.1.contains("https://"), "{} names another place", file.0);
        }
        for word in ["<style", " style=", " onclick", " onload", "<script>", "http://", "https://"]
        {
            assert!(!PAGE.1.contains(word), "the page: {word}");
        }
    }

    #[test]
    fn a_tag_follows_the_content() {
        assert_ne!(File("a.js", "1").tag(), File("a.js", "2").tag());
        assert_eq!(File("a.js", "1").tag(), File("b.js", "1").tag());
        assert_eq!(File("icon.svg", "").kind(), "image/svg+xml");
    }
}
