//! CEF in RFC 5424 to a SIEM, over UDP (RFC 5426), TCP (RFC 6587, octets counted) or TLS (RFC 5425).

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::address::{host, refuse_link_local, resolve};
use super::failure::Failure;
use super::format::cef;
use super::links::Links;
use super::tls::{self, TlsError};
use super::webhook::{CONNECT, WHOLE};
use crate::alert::{Alert, Severity};
use crate::config::SyslogTarget;

/// Facility `local0`: apart from the system's own messages.
const FACILITY: u8 = 16;

/// How long a datagram is given to be refused by a host on which nobody listens.
const REFUSED_WITHIN: Duration = Duration::from_millis(100);

/// Sends to one syslog receiver, over a connection that is kept.
#[derive(Debug)]
pub(super) struct Sender {
    target: SyslogTarget,
    stream: Option<Box<dyn Stream>>,
}

trait Stream: AsyncRead + AsyncWrite + Send + Sync + Unpin + std::fmt::Debug {}

impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin + std::fmt::Debug> Stream for T {}

impl Sender {
    pub(super) const fn new(target: SyslogTarget) -> Self {
        Self { target, stream: None }
    }

    /// Closes the connection, and forgets what was read from files.
    pub(super) fn renew(&mut self) {
        self.stream = None;
    }

    /// One attempt. Taken means: the system has it, and the receiver had not closed before.
    ///
    /// # Errors
    /// When there is no connection, or it broke.
    pub(super) async fn send(
        &mut self,
        alert: &Alert,
        links: Option<&Links>,
    ) -> Result<(), Failure> {
        refuse_link_local(&self.target.address)?;
        let message = message(alert, links);
        if self.target.address.scheme() == "udp" {
            return self.datagram(&message).await;
        }
        let written = timeout(WHOLE, self.write(&message)).await;
        let result = written.unwrap_or(Err(Failure::Silent(WHOLE)));
        if result.is_err() {
            self.stream = None;
        }
        result
    }

    async fn write(&mut self, message: &str) -> Result<(), Failure> {
        let mut stream = match self.kept().await {
            Some(stream) => stream,
            None => self.connect().await?,
        };
        stream.write_all(format!("{} {message}", message.len()).as_bytes()).await?;
        stream.flush().await?;
        match look(&mut stream).await {
            Seen::Nothing => self.stream = Some(stream),
            Seen::End => {}
            // A receiver that resets has not read it.
            Seen::Broken(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// The connection of last time, if nobody closed it since.
    async fn kept(&mut self) -> Option<Box<dyn Stream>> {
        let mut stream = self.stream.take()?;
        matches!(look(&mut stream).await, Seen::Nothing).then_some(stream)
    }

    async fn connect(&self) -> Result<Box<dyn Stream>, Failure> {
        let connected = timeout(CONNECT, async {
            let stream = first(&self.addresses().await?).await?;
            stream.set_nodelay(true)?;
            if self.target.address.scheme() == "tls" {
                self.secure(stream).await
            } else {
                Ok(Box::new(stream) as Box<dyn Stream>)
            }
        });
        connected.await.unwrap_or(Err(Failure::Silent(CONNECT)))
    }

    async fn secure(&self, stream: TcpStream) -> Result<Box<dyn Stream>, Failure> {
        let config = tls::client(self.target.ca_file.as_deref())?;
        let name = host(&self.target.address).to_owned();
        let name = ServerName::try_from(name.clone()).map_err(|_| TlsError::Name(name))?;
        let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
        Ok(Box::new(stream))
    }

    async fn datagram(&self, message: &str) -> Result<(), Failure> {
        let addresses = timeout(CONNECT, self.addresses()).await;
        let addresses = addresses.unwrap_or(Err(Failure::Silent(CONNECT)))?;
        let none = || Failure::Connection("the name has no address".to_owned());
        let to = addresses.first().ok_or_else(none)?;
        let any = if to.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
        let socket = UdpSocket::bind(any).await?;
        socket.connect(to).await?;
        socket.send(message.as_bytes()).await?;
        match timeout(REFUSED_WITHIN, socket.recv(&mut [0])).await {
            Ok(Err(error)) => Err(error.into()),
            _ => Ok(()),
        }
    }

    async fn addresses(&self) -> Result<Vec<SocketAddr>, Failure> {
        let address = &self.target.address;
        Ok(resolve(host(address), address.port().unwrap_or_default()).await?)
    }
}

/// A connection to the first address that takes one.
async fn first(addresses: &[SocketAddr]) -> io::Result<TcpStream> {
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// What has come from the other side of a connection.
enum Seen {
    /// Nothing, or words: syslog receivers have nothing to say.
    Nothing,
    /// It closed in good order.
    End,
    /// The connection is broken.
    Broken(io::Error),
}

async fn look(stream: &mut Box<dyn Stream>) -> Seen {
    // Lets the runtime take notice of what has come in.
    tokio::task::yield_now().await;
    match timeout(Duration::ZERO, stream.read(&mut [0; 256])).await {
        Ok(Ok(0)) => Seen::End,
        Ok(Err(error)) => Seen::Broken(error),
        Ok(Ok(_)) | Err(_) => Seen::Nothing,
    }
}

/// `<PRI>1 TIME HOST egret - MSGID [origin ...] CEF`.
pub(super) fn message(alert: &Alert, links: Option<&Links>) -> String {
    let priority = FACILITY * 8 + level(alert.severity);
    format!(
        "<{priority}>1 {} {} egret - {:?} [origin software=\"egret\" swVersion=\"{}\"] {}",
        alert.time,
        name(&alert.sensor),
        alert.analytic,
        env!("CARGO_PKG_VERSION"),
        cef(alert, links),
    )
}

/// RFC 5424, table 2.
const fn level(severity: Severity) -> u8 {
    match severity {
        Severity::Critical => 2,
        Severity::High => 3,
        Severity::Medium => 4,
        Severity::Low => 5,
        Severity::Informational => 6,
    }
}

/// HOSTNAME: printable ASCII without blanks, at most 255 bytes; `-` for none.
fn name(text: &str) -> String {
    let name: String = text.chars().filter(char::is_ascii_graphic).take(255).collect();
    if name.is_empty() { "-".to_owned() } else { name }
}

#[cfg(test)]
mod tests;
