//! Just enough of an HTTP/1.1 client to ask services on a loopback.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// Body, as text.
    pub body: String,
}

impl Answer {
    /// The body as JSON.
    ///
    /// # Panics
    /// When it is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// `GET path` from the server at `address`, from the namespace of the calling thread.
///
/// # Errors
/// When nobody answers there, or not with HTTP.
pub fn get(address: SocketAddr, path: &str) -> io::Result<Answer> {
    ask(address, &format!("GET {path}"), "Accept: */*\r\n", &[])
}

/// `POST path` likewise, with a body and a bearer token.
///
/// # Errors
/// As [`get`].
pub fn post(address: SocketAddr, path: &str, token: &str, body: &[u8]) -> io::Result<Answer> {
    let length = body.len();
    let headers = format!("Authorization: Bearer {token}\r\nContent-Length: {length}\r\n");
    ask(address, &format!("POST {path}"), &headers, body)
}

fn ask(address: SocketAddr, what: &str, headers: &str, body: &[u8]) -> io::Result<Answer> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    // An answer to 1.0 has no chunks.
    write!(stream, "{what} HTTP/1.0\r\nHost: {address}\r\n{headers}\r\n")?;
    stream.write_all(body)?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let no_http = || io::Error::new(io::ErrorKind::InvalidData, format!("no HTTP: {text:?}"));
    let (head, body) = text.split_once("\r\n\r\n").ok_or_else(no_http)?;
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).ok_or_else(no_http)?;
    Ok(Answer { status, body: body.to_owned() })
}
