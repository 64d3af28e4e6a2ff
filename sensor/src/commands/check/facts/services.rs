//! The address that HTTP is served on.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use super::{Listen, Port};
use crate::config::Http;
use crate::text::reason;

/// How long an answer on this machine may take.
const PATIENCE: Duration = Duration::from_secs(1);

/// Tries to listen as `[http]` says, for a moment.
pub(in super::super) fn listen(http: &Http) -> Listen {
    let address = http.listen;
    let state = match TcpListener::bind(address) {
        Ok(_) => Port::Free,
        Err(error) => match error.kind() {
            ErrorKind::AddrInUse if http.tls.is_some() => Port::Hidden,
            ErrorKind::AddrInUse if is_egret(address).unwrap_or(false) => Port::Egret,
            ErrorKind::AddrInUse => Port::Taken,
            ErrorKind::PermissionDenied => Port::Privileged,
            ErrorKind::AddrNotAvailable => Port::NotHere,
            _ => Port::Failed(reason(&error)),
        },
    };
    Listen { address, state }
}

/// Whether what answers on this machine is Egret: it says so in its metrics.
fn is_egret(address: SocketAddr) -> io::Result<bool> {
    let mut local = address;
    if address.ip().is_unspecified() {
        local.set_ip(match address {
            SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        });
    }
    let mut stream = TcpStream::connect_timeout(&local, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let request = format!("GET /metrics HTTP/1.1\r\nHost: {local}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    const MOST: u64 = 1 << 20;
    let mut answer = Vec::new();
    // What came before an error counts too.
    let _ = stream.take(MOST).read_to_end(&mut answer);
    Ok(String::from_utf8_lossy(&answer).contains("egret_build_info"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Listens and answers one connection.
    fn serve(answer: &'static str) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 1024]);
            let _ = stream.write_all(answer.as_bytes());
        });
        address
    }

    #[test]
    fn a_running_egret_is_told_from_another_program() {
        let listen = |listen| super::listen(&Http { listen, ..Http::default() });
        assert_eq!(listen(serve("HTTP/1.1 200 OK\r\n\r\negret_build_info 1")).state, Port::Egret);
        assert_eq!(listen(serve("HTTP/1.1 404 Not Found\r\n\r\n")).state, Port::Taken);
        assert_eq!(listen("127.0.0.1:0".parse().unwrap()).state, Port::Free);
        assert_eq!(listen("192.0.2.1:9477".parse().unwrap()).state, Port::NotHere);
    }
}
