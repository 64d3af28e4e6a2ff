//! A real browser: Chromium, driven over WebDriver (W3C) and by its own protocol where that has no word.
//!
//! It keeps whatever goes wrong in a page: scripts that open dialogs, violations of the page's policy,
//! errors in its console.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::net::{Door, Namespace};
use crate::process::Process;
use crate::wait;

/// What must be installed for it.
pub const PROGRAMS: [&str; 2] = ["chromium", "chromedriver"];

const PORT: u16 = 9515;
/// How long it may take to start and to do what it is asked, on a machine that has much else to do.
const PATIENCE: Duration = Duration::from_secs(90);

/// Runs before anything of a page does, and remembers what should never happen.
const WATCH: &str = "
    window.bad = [];
    for (const name of ['alert', 'confirm', 'prompt', 'print', 'open']) {
        window[name] = (...said) => { window.bad.push(`${name}(${said})`); };
    }
    document.addEventListener('securitypolicyviolation', (event) => {
        window.bad.push(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`);
    });
    window.addEventListener('error', (event) => window.bad.push(`error: ${event.message}`));
    window.addEventListener('unhandledrejection', (event) => window.bad.push(`rejected: ${event.reason}`));
";

/// A browser with one page.
#[derive(Debug)]
pub struct Browser {
    door: Door,
    session: String,
    driver: Process,
    _folder: TempDir,
}

impl Browser {
    /// Starts one in a namespace.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start(namespace: &Namespace) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut command = namespace.command("chromedriver");
        command.arg(format!("--port={PORT}")).env("HOME", folder.path());
        let mut driver = Process::start("chromedriver", command, folder.path().join("log"));
        let door = namespace.door();
        driver.until("not ready", PATIENCE, || {
            let answer = door.enter(|| ask("GET", "/status", &Value::Null)).ok()?;
            answer["ready"].as_bool().filter(|ready| *ready).map(drop)
        });
        let data = format!("--user-data-dir={}", folder.path().join("data").display());
        let flags = "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run \
                     --disable-background-networking --disable-component-update --disable-sync \
                     --disable-dev-shm-usage --hide-scrollbars --lang=en-US";
        let flags: Vec<&str> = flags.split_whitespace().chain([data.as_str()]).collect();
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "goog:loggingPrefs": { "browser": "ALL" },
            "goog:chromeOptions": { "args": flags },
        }}});
        let started = door.enter(|| ask("POST", "/session", &wanted));
        let started = started.unwrap_or_else(|error| panic!("{error}\n{}", driver.said()));
        let session = started["sessionId"].as_str().map(str::to_owned);
        let session = session.unwrap_or_else(|| panic!("no session: {started}\n{}", driver.said()));
        let browser = Self { door, session, driver, _folder: folder };
        browser.own("Page.addScriptToEvaluateOnNewDocument", &json!({ "source": WATCH }));
        browser
    }

    /// Gives the page this width and height, and the system's theme: `light` or `dark`.
    pub fn look(&self, width: u32, height: u32, theme: &str) {
        let size = json!({
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600,
        });
        self.own("Emulation.setDeviceMetricsOverride", &size);
        let feature = json!({ "name": "prefers-color-scheme", "value": theme });
        self.own("Emulation.setEmulatedMedia", &json!({ "features": [feature] }));
    }

    /// Loads a page.
    pub fn open(&self, address: &str) {
        self.post("/url", &json!({ "url": address }));
    }

    /// Goes back as the button of the browser does.
    pub fn back(&self) {
        self.post("/back", &json!({}));
    }

    /// What a script returns that runs in the page.
    pub fn script(&self, script: &str) -> Value {
        self.post("/execute/sync", &json!({ "script": script, "args": [] }))
    }

    /// Waits until an expression is neither false nor empty; its value.
    ///
    /// # Panics
    /// With what the page shows, when it stays so.
    pub fn until(&self, what: &str, expression: &str) -> Value {
        let script = format!("return {expression}");
        let is_none = |value: &Value| match value {
            Value::Null | Value::Bool(false) => true,
            Value::String(text) => text.is_empty(),
            Value::Array(list) => list.is_empty(),
            Value::Number(number) => number.as_f64() == Some(0.0),
            _ => false,
        };
        let found = wait::within(PATIENCE, || Some(self.script(&script)).filter(|v| !is_none(v)));
        found.unwrap_or_else(|| {
            panic!("{what}: never {expression}; the page shows:\n{}", self.text())
        })
    }

    /// What a person reads.
    pub fn text(&self) -> String {
        self.script("return document.body.innerText").as_str().unwrap_or_default().to_owned()
    }

    /// Presses and releases keys, one by one; those beyond letters are WebDriver's (Enter is U+E007).
    pub fn press(&self, keys: &str) {
        let each = |key: char| {
            ["keyDown", "keyUp"].map(|kind| json!({ "type": kind, "value": key.to_string() }))
        };
        let actions: Vec<Value> = keys.chars().flat_map(each).collect();
        let keyboard = json!({ "type": "key", "id": "keyboard", "actions": actions });
        self.post("/actions", &json!({ "actions": [keyboard] }));
    }

    /// What went wrong in the page since it was loaded: nothing should have.
    pub fn wrong(&self) -> Vec<String> {
        let bad = self.script("return window.bad");
        let mut all: Vec<String> =
            bad.as_array().into_iter().flatten().map(Value::to_string).collect();
        let log = self.post("/se/log", &json!({ "type": "browser" }));
        let worth = log.as_array().into_iter().flatten().filter(|entry| entry["level"] == "SEVERE");
        all.extend(worth.map(|entry| entry["message"].to_string()));
        all
    }

    /// By how many pixels the page is wider than the window.
    pub fn overflow(&self) -> i64 {
        let script = "const { scrollWidth, clientWidth } = document.documentElement; \
                      return Math.max(0, scrollWidth - clientWidth)";
        self.script(script).as_i64().unwrap_or(i64::MAX)
    }

    /// A picture of the window, or of the whole page, as PNG.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn picture(&self, to: &Path, is_whole: bool) {
        let taken = self.own(
            "Page.captureScreenshot",
            &json!({ "format": "png", "captureBeyondViewport": is_whole }),
        );
        let bytes = from_base64(taken["data"].as_str().unwrap_or_default());
        fs::write(to, bytes).unwrap_or_else(|error| panic!("{}: {error}", to.display()));
    }

    /// A command of Chrome's own protocol.
    fn own(&self, command: &str, parameters: &Value) -> Value {
        self.post("/goog/cdp/execute", &json!({ "cmd": command, "params": parameters }))
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        let path = format!("/session/{}{path}", self.session);
        let answer = self.door.enter(|| ask("POST", &path, body));
        answer.unwrap_or_else(|error| panic!("{path}: {error}: {body}\n{}", self.driver.said()))
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let path = format!("/session/{}", self.session);
        // Ends the browser, which is no child of ours.
        let _ = self.door.enter(|| ask("DELETE", &path, &Value::Null));
    }
}

/// Asks the driver; the `value` of its answer.
fn ask(method: &str, path: &str, body: &Value) -> io::Result<Value> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, PORT));
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost:{PORT}\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(body.as_bytes())?;
    let (mut bytes, mut piece) = (Vec::new(), [0; 1 << 16]);
    loop {
        if let Some(body) = whole(&bytes) {
            let mut answer: Value = serde_json::from_slice(body)?;
            let value = answer["value"].take();
            let error = value["error"].as_str().map(|_| io::Error::other(value.to_string()));
            return error.map_or(Ok(value), Err);
        }
        match stream.read(&mut piece)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => bytes.extend_from_slice(&piece[..read]),
        }
    }
}

/// The body of an answer, once all of it is there.
fn whole(bytes: &[u8]) -> Option<&[u8]> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
    let length = head.split("content-length:").nth(1)?.split("\r\n").next()?.trim().parse().ok()?;
    bytes.get(end + 4..)?.get(..length)
}

/// RFC 4648, 4.
fn from_base64(text: &str) -> Vec<u8> {
    let value = |byte: u8| match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut held, mut bits) = (0u32, 0);
    for six in text.bytes().filter_map(value) {
        held = held << 6 | u32::from(six);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((held >> bits) as u8);
            held &= (1 << bits) - 1;
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_unpacked_as_they_were() {
        assert_eq!(from_base64("iVBORw0KGgo="), b"\x89PNG\r\n\x1a\n");
        assert_eq!(from_base64("AAEC/w=="), [0, 1, 2, 255]);
    }

    #[test]
    fn an_answer_is_whole_when_all_of_its_body_is_there() {
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnull";
        assert_eq!(whole(answer), Some(&b"null"[..]));
        for end in 0..answer.len() {
            assert_eq!(whole(&answer[..end]), None);
        }
    }
}
