use std::future::Future;

use egret_tests::services::{Authority, Certificate};
use rustls::pki_types::ServerName;
use rustls::pki_types::pem::PemObject;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::LocalSet;
use tokio::time::sleep;

use super::*;
use crate::config::{Syslog, SyslogTls};
use crate::time::Timestamp;

/// A message that becomes a report, and one that does not.
const OPERATION: &str = "<166>2026-11-20T14:03:11.000Z esxi-01 Hostd[1]: [Originator@6876 sub=Vimsvc.ha-eventmgr] Event 1 : Guest operation Start Program performed on Virtual machine app-01.";
const NOISE: &str =
    "<166>2026-11-20T14:03:11.000Z esxi-01 Hostd[1]: [Originator@6876 sub=Vimsvc] nothing";
const ROOM: usize = 100;

fn any_port() -> Option<SocketAddr> {
    "127.0.0.1:0".parse().ok()
}

fn config() -> Syslog {
    Syslog { udp: any_port(), tcp: any_port(), ..Syslog::default() }
}

/// Listens as `syslog` says while `test` runs, which is given the inbox and the ports of UDP, TCP, TLS.
fn listening<F: Future<Output = ()>>(
    syslog: &Syslog,
    test: impl FnOnce(Rc<Inbox>, Vec<SocketAddr>) -> F,
) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(LocalSet::new().run_until(async {
        let bound = bind(syslog).unwrap();
        let addresses = bound.addresses().map(|(_, address)| address).collect();
        let inbox = Rc::new(Inbox::new(|| Timestamp::from_parts(1_795_183_391, 0), ROOM));
        let (stop, stopped) = watch::channel(false);
        let patience = Duration::from_secs(20);
        let server = tokio::task::spawn_local(serve(bound, Rc::clone(&inbox), stopped, patience));
        test(inbox, addresses).await;
        stop.send(true).unwrap();
        server.await.unwrap().unwrap();
    }));
}

async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    for _ in 0..10_000 {
        if is_so() {
            return;
        }
        sleep(Duration::from_millis(2)).await;
    }
    panic!("not within 20 s: {what}");
}

#[test]
fn messages_come_by_datagrams_and_in_both_framings() {
    listening(&config(), async |inbox, addresses| {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.send_to(OPERATION.as_bytes(), addresses[0]).unwrap();
        socket.send_to(b"no message", addresses[0]).unwrap();
        let mut stream = TcpStream::connect(addresses[1]).await.unwrap();
        let both = format!("{OPERATION}\n{} {NOISE}{OPERATION}", NOISE.len());
        for piece in both.as_bytes().chunks(50) {
            stream.write_all(piece).await.unwrap();
            stream.flush().await.unwrap();
        }
        until("two of three by TCP", || inbox.received() == [2, 2, 0]).await;
        assert_eq!(inbox.connections().open, 1);
        drop(stream);
        until("a line without an end", || inbox.received() == [2, 3, 0]).await;
        let counts = inbox.counts();
        assert_eq!((counts.understood, counts.irrelevant, counts.unreadable), (3, 1, 1));
        let reports = inbox.take();
        assert_eq!(reports.len(), 3);
        let peer = reports[0].reporter.peer.unwrap();
        assert!(peer.is_loopback());
        until("closed", || inbox.connections().open == 0).await;
    });
}

#[test]
fn who_is_not_allowed_is_refused_and_counted_until_a_reload_allows() {
    let stranger = Syslog { allow: vec!["192.0.2.0/24".parse().unwrap()], ..config() };
    let allowed = Syslog { allow: vec!["127.0.0.0/8".parse().unwrap()], ..config() };
    let access = Access::new(&stranger).unwrap();
    assert!(!access.allows([127, 0, 0, 1].into()));
    access.apply(Access::prepare(&allowed).unwrap());
    assert!(access.allows([127, 0, 0, 1].into()));
    listening(&stranger, async |inbox, addresses| {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.send_to(OPERATION.as_bytes(), addresses[0]).unwrap();
        let mut stream = TcpStream::connect(addresses[1]).await.unwrap();
        let _ = stream.write_all(OPERATION.as_bytes()).await;
        until("both refused", || inbox.refused() == 1 && inbox.connections().refused == 1).await;
        assert_eq!((inbox.received(), inbox.counts().total()), ([1, 0, 0], 0));
    });
}

#[test]
fn without_room_connections_wait_and_datagrams_are_counted() {
    const MESSAGES: usize = 20_000;
    listening(&config(), async |inbox, addresses| {
        let address = addresses[1];
        let sender = tokio::task::spawn_local(async move {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(format!("{OPERATION}\n").repeat(MESSAGES).as_bytes()).await.unwrap();
        });
        until("it is full", || inbox.received()[1] >= ROOM as u64).await;
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.send_to(NOISE.as_bytes(), addresses[0]).unwrap();
        until("the datagram is dropped", || inbox.dropped() == 1).await;
        assert!(inbox.received()[1] < 2000, "nothing more is read: {:?}", inbox.received());
        let mut taken = 0;
        while taken < MESSAGES {
            taken += inbox.take().len();
            sleep(Duration::from_millis(1)).await;
        }
        sender.await.unwrap();
        assert_eq!((taken, inbox.counts().understood), (MESSAGES, MESSAGES as u64));
    });
}

#[test]
fn one_sender_has_so_many_connections_and_no_more() {
    listening(&config(), async |inbox, addresses| {
        let mut streams = Vec::new();
        for _ in 0..MAX_OF_ONE + 3 {
            streams.push(TcpStream::connect(addresses[1]).await.unwrap());
        }
        until("three too many", || inbox.connections().limited == 3).await;
        assert_eq!(inbox.connections().open, MAX_OF_ONE as u64);
        // One that never ends its line holds up nobody.
        streams[0].write_all(b"<13>on and on").await.unwrap();
        streams[1].write_all(format!("{OPERATION}\n").as_bytes()).await.unwrap();
        until("the other is heard", || inbox.counts().understood == 1).await;
        streams.clear();
        until("all closed", || inbox.connections().open == 0).await;
        let mut stream = TcpStream::connect(addresses[1]).await.unwrap();
        stream.write_all(format!("{OPERATION}\n").as_bytes()).await.unwrap();
        until("a place is free again", || inbox.counts().understood == 2).await;
    });
}

/// A client that shows a certificate, or none, and trusts `authority`.
fn client(authority: &std::path::Path, own: Option<&Certificate>) -> rustls::ClientConfig {
    let mut roots = rustls::RootCertStore::empty();
    for certificate in rustls::pki_types::CertificateDer::pem_file_iter(authority).unwrap() {
        roots.add(certificate.unwrap()).unwrap();
    }
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let Some(own) = own else { return builder.with_no_client_auth() };
    let chain = rustls::pki_types::CertificateDer::pem_slice_iter(own.certificate.as_bytes());
    let key = rustls::pki_types::PrivateKeyDer::from_pem_slice(own.key.as_bytes()).unwrap();
    builder.with_client_auth_cert(chain.map(Result::unwrap).collect(), key).unwrap()
}

#[test]
fn by_tls_only_clients_of_the_authority_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let (ours, theirs) = (Authority::new("ours"), Authority::new("theirs"));
    let [cert, key] = ours.certify(&["localhost"]).write(folder.path());
    let authority = ours.write(folder.path());
    let tls =
        SyslogTls { listen: any_port().unwrap(), cert, key, client_ca: Some(authority.clone()) };
    let syslog = Syslog { tls: Some(tls), ..Syslog::default() };
    listening(&syslog, async |inbox, addresses| {
        let strangers = theirs.certify(&["esxi-01"]);
        for (failed, own) in (1..).zip([Some(&strangers), None]) {
            let stream = TcpStream::connect(addresses[0]).await.unwrap();
            let connector =
                tokio_rustls::TlsConnector::from(std::sync::Arc::new(client(&authority, own)));
            let name = ServerName::try_from("localhost").unwrap();
            if let Ok(mut stream) = connector.connect(name, stream).await {
                let _ = stream.write_all(OPERATION.as_bytes()).await;
            }
            until("refused", || inbox.connections().failed == failed).await;
        }
        let own = ours.certify(&["esxi-01"]);
        let stream = TcpStream::connect(addresses[0]).await.unwrap();
        let connector =
            tokio_rustls::TlsConnector::from(std::sync::Arc::new(client(&authority, Some(&own))));
        let name = ServerName::try_from("localhost").unwrap();
        let mut stream = connector.connect(name, stream).await.unwrap();
        stream.write_all(format!("{} {OPERATION}", OPERATION.len()).as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        until("read", || inbox.received() == [0, 0, 1]).await;
        assert_eq!(inbox.take().len(), 1);
    });
}

#[test]
fn what_is_wrong_is_said_with_its_key() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let tcp = taken.local_addr().ok();
    let error = bind(&Syslog { tcp, ..Syslog::default() }).unwrap_err().to_string();
    assert!(error.starts_with("intake.syslog.tcp = \"127.0.0.1:"), "{error}");
    assert!(error.contains("another program listens there"), "{error}");
    let tls = SyslogTls {
        listen: any_port().unwrap(),
        cert: "/nothing/here.pem".into(),
        key: "/nothing/here.key".into(),
        client_ca: None,
    };
    let error = bind(&Syslog { tls: Some(tls), ..Syslog::default() }).unwrap_err().to_string();
    assert!(error.starts_with("intake.syslog.tls.cert = \"/nothing/here.pem\""), "{error}");
}

#[test]
fn what_was_sent_is_read_before_it_ends() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(LocalSet::new().run_until(async {
        let bound = bind(&config()).unwrap();
        let addresses: Vec<_> = bound.addresses().map(|(_, address)| address).collect();
        let inbox = Rc::new(Inbox::new(|| Timestamp::ZERO, 10_000));
        let (stop, stopped) = watch::channel(false);
        let server = tokio::task::spawn_local(serve(
            bound,
            Rc::clone(&inbox),
            stopped,
            Duration::from_secs(20),
        ));
        let mut stream = TcpStream::connect(addresses[1]).await.unwrap();
        until("taken", || inbox.connections().accepted == 1).await;
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        for _ in 0..200 {
            socket.send_to(NOISE.as_bytes(), addresses[0]).unwrap();
        }
        stream.write_all(format!("{NOISE}\n").repeat(1000).as_bytes()).await.unwrap();
        stop.send(true).unwrap();
        server.await.unwrap().unwrap();
        assert_eq!(inbox.received(), [200, 1000, 0]);
    }));
}
