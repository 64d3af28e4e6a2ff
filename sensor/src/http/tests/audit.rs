//! Bodies with audit records: who may post them, and what is answered.

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;

use super::server::{Answer, token};
use super::*;
use crate::config::Audit;
use crate::intake::audit::{Body, Reader};

const RECORD: &str = r#"{"eventTime":"2026-11-20T14:03:11Z","eventID":"e-1","eventSource":"ec2.amazonaws.com","eventName":"DeleteTrafficMirrorSession","requestParameters":{"DeleteTrafficMirrorSessionRequest":{"TrafficMirrorSessionId":"tms-1"}}}"#;

/// A server that takes audit records, and a folder for what is posted.
struct Door {
    server: Server,
    folder: tempfile::TempDir,
}

impl Door {
    fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let token_file = Some(token(folder.path(), TOKEN));
        let audit = Audit { http: true, token_file, ..Audit::default() };
        Self { server: Server::with_audit(&config(), &audit, working()), folder }
    }

    /// Reads what is posted, as the sensor does.
    fn read(mut self) -> Self {
        let mut posted = self.server.posted.take().unwrap();
        std::thread::spawn(move || {
            let mut reader = Reader::default();
            while let Some(post) = posted.blocking_recv() {
                let (before, mut body) = (reader.counts(), Body::default());
                reader.take(&mut body, &post.body, Some(server::NOW), &mut drop);
                reader.end(&mut body, Some(server::NOW), &mut drop);
                let _ = post.read.send(reader.counts().since(&before));
            }
        });
        self
    }

    fn post(&self, body: impl AsRef<[u8]>, more: &[&str]) -> Answer {
        let authorization = format!("Authorization: Bearer {TOKEN}");
        self.post_with(body, &[&["-H", &authorization], more].concat())
    }

    fn post_with(&self, body: impl AsRef<[u8]>, more: &[&str]) -> Answer {
        let file = self.folder.path().join("body");
        std::fs::write(&file, body).unwrap();
        let file = format!("@{}", file.display());
        let url = self.server.url("http", "/intake/audit");
        curl(&[&["--data-binary", &file], more, &[&url]].concat())
    }

    fn counted(&self, result: &str) -> u64 {
        self.server.metrics.audit.requests.with_label_values(&[result]).get()
    }
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}

fn error(answer: &Answer) -> String {
    answer.json()["error"].as_str().unwrap().to_owned()
}

/// Fails when records are lost on their way, or what became of them is not told.
#[test]
fn records_are_read_and_the_answer_counts_them() {
    if is_missing("curl") {
        return;
    }
    let door = Door::open().read();
    let answer = door.post(RECORD, &[]);
    let none = json!({});
    let expected = json!({"understood": 1, "irrelevant": 0, "repeated": 0, "refused": none});
    assert_eq!((answer.status, answer.json()), (202, expected), "{answer:?}");
    let lines = format!("{RECORD}\n{{\"a\":1,\"a\":2}}\n{{\"eventName\":\"a\"}}\n");
    for more in [&["-H", "Content-Encoding: gzip"][..], &[]] {
        let answer = door.post(packed(lines.as_bytes()), more);
        let refused = json!({"duplicate_key": 1});
        let expected = json!({"understood": 0, "irrelevant": 1, "repeated": 1, "refused": refused});
        assert_eq!((answer.status, answer.json()), (202, expected), "{answer:?}");
    }
    assert_eq!(door.counted("accepted"), 3);
}

/// Fails when anybody can post who has not this very token.
#[test]
fn records_come_with_a_token_of_their_own() {
    if is_missing("curl") {
        return;
    }
    let closed = Server::start(&config(), working());
    let url = closed.url("http", "/intake/audit");
    let answer = curl(&["-d", RECORD, "-H", &format!("Authorization: Bearer {TOKEN}"), &url]);
    assert!(answer.status == 403 && error(&answer).contains("intake.audit.http"), "{answer:?}");

    let door = Door::open().read();
    for more in [&[][..], &["-H", "Authorization: Bearer 0123456789abcdee"]] {
        let answer = door.post_with(RECORD, more);
        assert_eq!(answer.status, 401, "{answer:?}");
        assert!(answer.head.contains("www-authenticate: Bearer"), "{answer:?}");
    }
    // What opens this opens nothing else.
    let id = "/api/alerts/6fa459ea-ee8a-5ca4-894e-db77e160355e/ack";
    let right = format!("Authorization: Bearer {TOKEN}");
    assert_eq!(curl(&["-d", "{}", "-H", &right, &door.server.url("http", id)]).status, 403);
    assert_eq!(curl(&[&door.server.url("http", "/intake/audit")]).status, 405);
    assert_eq!((door.counted("unauthorized"), door.counted("accepted")), (2, 0));

    let other = "fedcba9876543210";
    let audit = Audit {
        http: true,
        token_file: Some(token(door.folder.path(), other)),
        ..Audit::default()
    };
    door.server.access.apply(door.server.access.prepare(&config(), &audit).unwrap());
    assert_eq!(door.post(RECORD, &[]).status, 401);
    let other = format!("Authorization: Bearer {other}");
    assert_eq!(door.post_with(RECORD, &["-H", &other]).status, 202);
}

/// Fails when what cannot be read is taken, or is refused without a reason.
#[test]
fn what_cannot_be_read_is_refused_with_the_reason() {
    if is_missing("curl") {
        return;
    }
    let door = Door::open().read();
    let deep = "[".repeat(100) + &"]".repeat(100);
    let bomb = packed(&vec![b' '; (16 << 20) + 1]);
    assert!(bomb.len() < 1 << 20);
    let broken = [&packed(RECORD.as_bytes())[..40], b"broken"].concat();
    let cases: [(&[u8], &[&str], u16, &str); 7] = [
        (b"", &[], 400, "no record"),
        (b"{\"a\":1,\"a\":2}", &[], 400, "1 duplicate key"),
        (deep.as_bytes(), &[], 400, "1 too deep"),
        (&broken, &[], 400, "gzip"),
        (&bomb, &[], 413, "16 MiB"),
        (&[b' '; (16 << 20) + 1], &[], 413, "16 MiB"),
        (RECORD.as_bytes(), &["-H", "Content-Encoding: br"], 415, "gzip"),
    ];
    for (body, more, status, said) in cases {
        let answer = door.post(body, more);
        assert_eq!(answer.status, status, "{answer:?}");
        assert!(error(&answer).contains(said), "{answer:?}");
    }
    assert_eq!(door.counted("refused"), 7);
    assert_eq!(door.post(RECORD, &[]).status, 202);
}

/// Fails when a body that nobody reads is answered as if somebody did, or holds its place for ever.
#[test]
fn what_finds_no_room_is_to_be_sent_again() {
    if is_missing("curl") {
        return;
    }
    // Nobody reads: each waits for its answer, and holds its part of the budget.
    let mut door = Door::open();
    let answers: Vec<u16> = std::thread::scope(|scope| {
        let length = format!("Content-Length: {}", 16 << 20);
        let head = format!(
            "POST /intake/audit HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n{length}\r\n\r\n"
        );
        let address = door.server.address;
        let ask = move |head: String| {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.write_all(head.as_bytes()).unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
            let mut answer = String::new();
            let _ = stream.read_to_string(&mut answer);
            answer.split(' ').nth(1).unwrap().parse::<u16>().unwrap()
        };
        let asked: Vec<_> = (0..5)
            .map(|_| {
                let head = head.clone();
                scope.spawn(move || ask(head))
            })
            .collect();
        asked.into_iter().map(|asked| asked.join().unwrap()).collect()
    });
    let mut answers = answers;
    answers.sort_unstable();
    assert_eq!(answers, [408, 408, 408, 408, 503]);
    assert_eq!(door.counted("busy"), 1);
    drop(door.server.posted.take());
    assert_eq!(door.post(RECORD, &[]).status, 503);
    assert_eq!(door.counted("busy"), 2);
    door = Door::open().read();
    assert_eq!(door.post(RECORD, &[]).status, 202);
}
