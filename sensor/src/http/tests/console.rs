//! The console's files: who is given them, and with which headers.

use serde_json::json;

use super::server::{Server, TOKEN, config, curl, is_missing, open, token};
use super::working;

#[test]
fn the_page_comes_with_a_policy_and_is_asked_for_again_only_when_it_changed() {
    if is_missing("curl") {
        return;
    }
    let server = Server::start(&config(), working());
    let page = curl(&[&server.url("http", "/")]);
    assert_eq!(page.status, 200, "{page:?}");
    assert!(page.body.starts_with("<!doctype html>") && page.body.contains("/console/main.js"));
    let header = |name: &str| {
        let line = page.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        line.unwrap_or_else(|| panic!("no {name} in {}", page.head)).to_owned()
    };
    let policy = header("content-security-policy");
    for directive in [
        "default-src 'none'",
        "script-src 'self'",
        "frame-ancestors 'none'",
        "trusted-types 'none'",
    ] {
        assert!(policy.split("; ").any(|one| one == directive), "{policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert_eq!(header("referrer-policy"), "no-referrer");
    assert_eq!(header("cache-control"), "no-cache");

    let known = format!("If-None-Match: W/\"x\", {}", header("etag"));
    let same = curl(&["-H", &known, &server.url("http", "/")]);
    assert_eq!((same.status, same.body.as_str()), (304, ""));
    let other = curl(&["-H", "If-None-Match: \"x\"", &server.url("http", "/")]);
    assert_eq!(other.status, 200);
    for (name, kind) in
        [("main.js", "text/javascript"), ("style.css", "text/css"), ("icon.svg", "image/svg+xml")]
    {
        let file = curl(&[&server.url("http", &format!("/console/{name}"))]);
        assert_eq!(file.status, 200, "{name}");
        assert!(file.head.contains(&format!("content-type: {kind}")), "{file:?}");
        assert!(file.head.contains("content-security-policy"), "{name}");
    }
    for path in ["/", "/console/main.js", "/console/access"] {
        let strange = curl(&["-H", "Host: rebound.example", &server.url("http", path)]);
        assert_eq!(strange.status, 421, "{path}");
    }
}

/// Fails when the page cannot be loaded to ask for the token, or anything but it needs none.
#[test]
fn other_machines_are_given_the_page_and_nothing_else() {
    if is_missing("curl") || is_missing("openssl") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&open(folder.path(), "first"), working());
    let ca = folder.path().join("first.crt");
    let ask = |path: &str, more: &[&str]| {
        let url = server.url("https", path);
        curl(&[&["--cacert", ca.to_str().unwrap()], more, &[url.as_str()]].concat())
    };
    for path in ["/", "/console/style.css", "/console/access"] {
        assert_eq!(ask(path, &[]).status, 200, "{path}");
    }
    assert_eq!(ask("/console/access", &[]).json(), json!({ "to_read": true, "can_change": true }));
    for path in ["/api/approvals", "/api/sources", "/api/volumes", "/api/alerts/counts", "/console"]
    {
        assert_eq!(ask(path, &[]).status, 401, "{path}");
    }
    assert_eq!(ask("/console/main.js", &["-X", "POST"]).status, 401);
    assert_eq!(ask("/", &["-X", "DELETE"]).status, 401);
}

#[test]
fn the_page_learns_what_it_may_do_and_whether_its_token_is_right() {
    if is_missing("curl") {
        return;
    }
    let server = Server::start(&config(), working());
    let none = curl(&[&server.url("http", "/console/access")]).json();
    assert_eq!(none, json!({ "to_read": false, "can_change": false }));

    let folder = tempfile::tempdir().unwrap();
    let mut http = config();
    http.token_file = Some(token(folder.path(), TOKEN));
    let server = Server::start(&http, working());
    let told = |token: &str| {
        let given = format!("Authorization: Bearer {token}");
        curl(&["-H", &given, &server.url("http", "/console/access")]).json()["token"].clone()
    };
    assert_eq!(told(TOKEN), true);
    assert_eq!(told("0123456789abcdee"), false);
}
