//! Receivers that do what they are told to, good or bad.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

/// What a receiver does with a request.
pub(super) enum Act {
    /// Writes this and closes.
    Write(String),
    /// Answers with a status after a while.
    Later(Duration, u16),
    /// Says nothing for ever.
    Hang,
    /// Resets the connection in the middle of its answer.
    Reset,
    /// Writes a byte a second.
    Dribble,
    /// Answers with a failure that never ends.
    Gigantic,
}

impl Act {
    pub(super) fn status(status: u16) -> Self {
        Self::answer(status, &[], "")
    }

    pub(super) fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Self {
        let headers: String =
            headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        Self::Write(format!(
            "HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n{body}",
            body.len()
        ))
    }
}

/// A request that came.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) path: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Request {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }
}

pub(super) struct Receiver {
    port: u16,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Receiver {
    pub(super) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// The target's name.
    pub(super) fn name(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub(super) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

/// A receiver that does with each request what `act` says, which is given its number.
pub(super) async fn receiver(
    act: impl Fn(usize, &Request) -> Act + Send + Sync + 'static,
) -> Receiver {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let requests: Arc<Mutex<Vec<Request>>> = Arc::default();
    let (seen, act) = (Arc::clone(&requests), Arc::new(act));
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (seen, act) = (Arc::clone(&seen), Arc::clone(&act));
            tokio::spawn(async move {
                let Some(request) = read(&mut stream).await else { return };
                let number = seen.lock().unwrap().len();
                seen.lock().unwrap().push(request.clone());
                // The other side may have gone, which is no matter.
                let _ = perform(act(number, &request), stream).await;
            });
        }
    });
    Receiver { port, requests }
}

async fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let mut lines = head.trim_end().lines();
    let path = lines.next().unwrap().split(' ').nth(1).unwrap().to_owned();
    let fields = lines.map(|line| line.split_once(": ").unwrap());
    let headers: HeaderMap = fields
        .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap()))
        .collect();
    let length: usize = headers["content-length"].to_str().unwrap().parse().unwrap();
    while bytes.len() < end + length {
        stream.read_buf(&mut bytes).await.ok()?;
    }
    Some(Request { path, headers, body: bytes[end..].to_vec() })
}

async fn perform(act: Act, mut stream: TcpStream) -> std::io::Result<()> {
    match act {
        Act::Write(answer) => stream.write_all(answer.as_bytes()).await?,
        Act::Later(wait, status) => {
            sleep(wait).await;
            if let Act::Write(answer) = Act::status(status) {
                stream.write_all(answer.as_bytes()).await?;
            }
        }
        Act::Hang => std::future::pending().await,
        Act::Reset => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Le").await?;
            return stream.set_zero_linger();
        }
        Act::Dribble => {
            for byte in b"HTTP/1.1 200 OK\r\nServer: slow\r\n\r\n".iter().cycle() {
                stream.write_all(&[*byte]).await?;
                sleep(Duration::from_secs(1)).await;
            }
        }
        Act::Gigantic => {
            stream.write_all(b"HTTP/1.1 500 X\r\n\r\n").await?;
            loop {
                stream.write_all(&[b'x'; 65_536]).await?;
            }
        }
    }
    stream.shutdown().await
}
