//! What the fleet's servers say to whoever connects.

use std::io::{self, BufRead, BufReader, Read};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use reqwest::Url;

use super::super::judge::fleet::Greeting;
use crate::config::Fleet;
use crate::fleet::attempt;
use crate::text::reason;

/// How long each may take.
const PATIENCE: Duration = Duration::from_secs(3);
/// The port of NATS' clients.
const PORT: u16 = 4222;
/// The most of a greeting that is read, in bytes.
const LARGEST: u64 = 64 << 10;

/// Asks all of them. They speak first, in the clear also where TLS follows; then each is connected to as the sensor
/// will be.
pub(in super::super) fn greetings(fleet: &Fleet) -> Vec<(Url, Result<Greeting, String>)> {
    let ask = |url: &Url| {
        let answer = greeting(url).map_err(|error| reason(&error));
        (url.clone(), answer.map(|said| Greeting { refused: refused(fleet, url), ..said }))
    };
    fleet.servers.iter().map(ask).collect()
}

/// Why the server does not let the sensor in.
fn refused(fleet: &Fleet, url: &Url) -> Option<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return Some(reason(&error)),
    };
    runtime.block_on(attempt(fleet, url)).err()
}

fn greeting(url: &Url) -> io::Result<Greeting> {
    let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in (host, url.port().unwrap_or(PORT)).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, PATIENCE).and_then(read) {
            Ok(greeting) => return Ok(greeting),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn read(stream: TcpStream) -> io::Result<Greeting> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut line = String::new();
    BufReader::new(stream.take(LARGEST)).read_line(&mut line)?;
    let said = line.strip_prefix("INFO ").and_then(|said| serde_json::from_str(said).ok());
    said.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "what answers is no NATS server"))
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::net::TcpListener;

    use super::*;

    fn asked(answer: &'static str) -> Result<Greeting, String> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("nats://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            // Whoever has read enough hangs up.
            let _ = stream.write_all(answer.as_bytes());
        });
        let fleet = Fleet { servers: vec![url.parse().unwrap()], ..Fleet::default() };
        greetings(&fleet).remove(0).1
    }

    #[test]
    fn a_server_says_what_it_is_and_others_are_none() {
        // Who greets and hangs up lets nobody in.
        let greeted = |answer| {
            let said = asked(answer).unwrap();
            assert!(said.refused.is_some(), "{said:?}");
            (said.version, said.jetstream)
        };
        let known = "INFO {\"server_id\":\"N\",\"version\":\"2.9.10\",\"jetstream\":true}\r\n";
        assert_eq!(greeted(known), ("2.9.10".to_owned(), true));
        assert_eq!(greeted("INFO {\"server_id\":\"N\"}\r\n"), (String::new(), false));
        for other in ["SSH-2.0-OpenSSH_9.2\r\n", "", "INFO nothing\r\n"] {
            assert_eq!(asked(other), Err("what answers is no NATS server".to_owned()), "{other}");
        }
    }
}
