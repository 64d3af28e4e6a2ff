//! HTTP/1.1 requests, as far as webhooks use it.

use std::io::Read;

use http::{HeaderMap, HeaderName, HeaderValue};
use standardwebhooks::Webhook;

/// The longest head and body that are read.
const MOST: usize = 16 << 20;

/// A request.
pub(super) struct Request {
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
}

/// Reads one request; `None` when the client goes before it is whole.
pub(super) fn read(stream: &mut impl Read) -> Option<Request> {
    let mut bytes = Vec::new();
    let head = loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at;
        }
        more(stream, &mut bytes)?;
    };
    let text = String::from_utf8_lossy(&bytes[..head]).into_owned();
    let header = |line: &str| {
        let (name, value) = line.split_once(':')?;
        Some((name.to_ascii_lowercase(), value.trim().to_owned()))
    };
    let headers: Vec<_> = text.lines().skip(1).filter_map(header).collect();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length: usize = length.map_or(Some(0), |(_, value)| value.parse().ok())?;
    let begin = head + 4;
    while bytes.len() < begin + length {
        more(stream, &mut bytes)?;
    }
    let body = String::from_utf8_lossy(&bytes[begin..begin + length]).into_owned();
    Some(Request { headers, body })
}

fn more(stream: &mut impl Read, bytes: &mut Vec<u8>) -> Option<()> {
    let mut buffer = [0; 16 << 10];
    let length = stream.read(&mut buffer).ok()?;
    bytes.extend_from_slice(&buffer[..length]);
    (length > 0 && bytes.len() <= MOST).then_some(())
}

/// Checks a request as receivers are told to.
pub(super) fn verify(secret: &str, headers: &[(String, String)], body: &str) -> Result<(), String> {
    let webhook = Webhook::new(secret).map_err(|error| error.to_string())?;
    let parsed = |(name, value): &(String, String)| {
        Some((HeaderName::try_from(name).ok()?, HeaderValue::try_from(value).ok()?))
    };
    let headers: HeaderMap = headers.iter().filter_map(parsed).collect();
    webhook.verify(body.as_bytes(), &headers).map_err(|error| error.to_string())
}
