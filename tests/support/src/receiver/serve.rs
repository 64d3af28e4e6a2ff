//! The receiver's threads: one that listens, one a connection.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use rustix::net::sockopt::set_socket_linger;
use rustls::{ServerConnection, StreamOwned};

use super::request::{self, Request};
use super::{Behaviour, Received, Shared};

/// How often a thread looks whether it has something to do.
const STEP: Duration = Duration::from_millis(5);
/// A client that says nothing for so long is gone.
const SILENCE: Duration = Duration::from_secs(60);

/// Listens, or not, until the receiver is dropped.
pub(super) fn listen(shared: &Arc<Shared>) {
    let mut listener: Option<TcpListener> = None;
    while !shared.is_over() {
        let wanted = shared.behaviour() != Behaviour::Down;
        if wanted != listener.is_some() {
            listener = wanted.then(|| bind(shared)).flatten();
            shared.listens.store(listener.is_some(), Ordering::Release);
        }
        match listener.as_ref().map(TcpListener::accept) {
            Some(Ok((stream, _))) => {
                let shared = Arc::clone(shared);
                std::thread::spawn(move || serve(&shared, stream));
            }
            _ => std::thread::sleep(STEP),
        }
    }
}

fn bind(shared: &Shared) -> Option<TcpListener> {
    // Connections of the last one may still be in the kernel: it is tried again.
    let listener = TcpListener::bind(shared.address).ok()?;
    listener.set_nonblocking(true).ok()?;
    Some(listener)
}

/// One connection with one request.
fn serve(shared: &Shared, stream: TcpStream) {
    let behaviour = shared.behaviour();
    let prepared =
        stream.set_nonblocking(false).and_then(|()| stream.set_read_timeout(Some(SILENCE)));
    let (Ok(()), Ok(raw)) = (prepared, stream.try_clone()) else { return };
    match &shared.tls {
        None => answer(shared, behaviour, stream, &raw),
        Some([own, impostor]) => {
            let config = if behaviour == Behaviour::Impostor { impostor } else { own };
            let Ok(connection) = ServerConnection::new(Arc::clone(config)) else { return };
            answer(shared, behaviour, StreamOwned::new(connection, stream), &raw);
        }
    }
}

fn answer(shared: &Shared, met: Behaviour, mut stream: impl Read + Write, raw: &TcpStream) {
    let Some(Request { headers, body }) = request::read(&mut stream) else { return };
    let signature = request::verify(&shared.secret, &headers, &body);
    let received = Received { at: Instant::now(), headers, body, met, signature };
    shared.received.lock().unwrap_or_else(PoisonError::into_inner).push(received);
    let head = match met {
        Behaviour::Takes | Behaviour::Impostor => "200 OK".to_owned(),
        Behaviour::Says(status) => format!("{status} As Told"),
        Behaviour::Busy(seconds) => format!("429 Too Many Requests\r\nRetry-After: {seconds}"),
        Behaviour::Hangs => {
            while shared.behaviour() == Behaviour::Hangs && !shared.is_over() {
                std::thread::sleep(STEP);
            }
            return;
        }
        Behaviour::Resets | Behaviour::Down => {
            // Closed without lingering, a connection is reset.
            let _ = set_socket_linger(raw.as_fd(), Some(Duration::ZERO));
            return;
        }
    };
    let answer = format!("HTTP/1.1 {head}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    let _ = stream.write_all(answer.as_bytes()).and_then(|()| stream.flush());
    let _ = raw.shutdown(std::net::Shutdown::Write);
}
