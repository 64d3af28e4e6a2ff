//! What stands before a TLS server: a dialogue in the clear that turns to TLS, or a proxy.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread;

use crate::net::Namespace;

/// The longest line or message of a client that is waited for.
const LONGEST: usize = 1024;

/// An LDAP answer that says yes to StartTLS (RFC 4511, 4.14): message 1, `success`, no name.
const LDAP_SUCCESS: &[u8] = b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00";

/// What is spoken before TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Front {
    /// Mail that is sent (RFC 3207).
    Smtp,
    /// Mail that is read (RFC 9051).
    Imap,
    /// Mail that is fetched (RFC 2595).
    Pop3,
    /// A directory (RFC 4511).
    Ldap,
    /// A database (PostgreSQL's manual, "Message Flow").
    Postgres,
    /// An HTTP proxy that connects to the same server, whatever it is asked for (RFC 9110, 9.3.6).
    Proxy,
}

impl Front {
    /// Those that ask for TLS.
    pub const STARTTLS: [Self; 5] =
        [Self::Smtp, Self::Imap, Self::Pop3, Self::Ldap, Self::Postgres];

    /// What `openssl s_client -starttls` calls it.
    ///
    /// # Panics
    /// For a proxy, which it does not.
    pub fn name(self) -> &'static str {
        match self {
            Self::Smtp => "smtp",
            Self::Imap => "imap",
            Self::Pop3 => "pop3",
            Self::Ldap => "ldap",
            Self::Postgres => "postgres",
            Self::Proxy => panic!("nobody asks a proxy for TLS"),
        }
    }

    /// Speaks with one client at `port` of every address of `namespace`, then joins it with `server`.
    /// A client that says something else is hung up on.
    ///
    /// # Panics
    /// When the port is taken.
    pub fn before(self, server: SocketAddr, namespace: &Namespace, port: u16) {
        let listener =
            namespace.enter(|| TcpListener::bind(("0.0.0.0", port)).expect("a free port"));
        let door = namespace.door();
        thread::spawn(move || {
            door.pass();
            let (client, _) = listener.accept()?;
            drop(listener);
            self.speak(&client)?;
            let server = TcpStream::connect(server)?;
            thread::scope(|scope| {
                scope.spawn(|| pass(&client, &server));
                pass(&server, &client);
            });
            io::Result::Ok(())
        });
    }

    /// What is said up to the ClientHello.
    fn speak(self, client: &TcpStream) -> io::Result<()> {
        match self {
            Self::Smtp => {
                say(client, b"220-mail.example greets you\r\n220 ESMTP\r\n")?;
                answer(client, "EHLO", b"250-mail.example\r\n250-STARTTLS\r\n250 8BITMIME\r\n")?;
                answer(client, "STARTTLS", b"220 2.0.0 Ready to start TLS\r\n")
            }
            Self::Imap => {
                say(client, b"* OK IMAP4rev1 ready\r\n")?;
                let able = b"* CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED\r\n. OK done\r\n";
                answer(client, ". CAPABILITY", able)?;
                answer(client, ". STARTTLS", b". OK Begin TLS negotiation now\r\n")
            }
            Self::Pop3 => {
                say(client, b"+OK POP3 ready\r\n")?;
                answer(client, "STLS", b"+OK Begin TLS negotiation\r\n")
            }
            Self::Ldap => {
                let [_, length] = message(client, 2)?[..] else { return Err(foreign()) };
                message(client, length.into())?;
                say(client, LDAP_SUCCESS)
            }
            Self::Postgres => {
                message(client, 8)?;
                say(client, b"S")
            }
            Self::Proxy => {
                let asked = line(client)?;
                while !line(client)?.is_empty() {}
                if !asked.starts_with("CONNECT ") {
                    return Err(foreign());
                }
                say(client, b"HTTP/1.1 200 Connection established\r\n\r\n")
            }
        }
    }
}

fn say(mut to: &TcpStream, words: &[u8]) -> io::Result<()> {
    to.write_all(words)
}

/// Answers the line that begins with `words`.
fn answer(client: &TcpStream, words: &str, with: &[u8]) -> io::Result<()> {
    if line(client)?.starts_with(words) { say(client, with) } else { Err(foreign()) }
}

/// A line of the client, without its end. Read byte by byte: what is behind it is not ours.
fn line(mut from: &TcpStream) -> io::Result<String> {
    let mut line = Vec::new();
    while !line.ends_with(b"\r\n") && line.len() < LONGEST {
        let mut byte = [0];
        from.read_exact(&mut byte)?;
        line.extend(byte);
    }
    Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
}

/// So many bytes of the client.
fn message(mut from: &TcpStream, length: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn foreign() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the client says something else")
}

/// Passes on what one side says until it hangs up.
fn pass(mut from: &TcpStream, mut to: &TcpStream) {
    // A side that resets has nothing more to say either.
    let _ = io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Write);
}
