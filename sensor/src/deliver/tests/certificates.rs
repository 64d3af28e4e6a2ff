//! TLS: who is trusted, and who is not.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::syslog::{frames, scene, target};
use super::*;

/// A site's own authority, its file, and what it signs.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: tempfile::TempDir,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "Site CA");
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), issuer.pem()).unwrap();
        Self { issuer, folder }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// A server's certificate for `name`; `expired` since 2020.
    fn server(&self, name: &str, expired: bool) -> Identity {
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        if expired {
            params.not_before = date_time_ymd(2019, 1, 1);
            params.not_after = date_time_ymd(2020, 1, 1);
        }
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (certificate.der().clone(), PrivatePkcs8KeyDer::from(key.serialize_der()).into())
    }
}

type Identity = (CertificateDer<'static>, PrivateKeyDer<'static>);

fn self_signed(name: &str) -> Identity {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new([name.to_owned()]).unwrap();
    let certificate = params.self_signed(&key).unwrap();
    (certificate.der().clone(), PrivatePkcs8KeyDer::from(key.serialize_der()).into())
}

/// A TLS server that keeps what it reads, and answers whatever it is with success.
async fn server((certificate, key): Identity) -> (String, Arc<Mutex<Vec<u8>>>) {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let read: Arc<Mutex<Vec<u8>>> = Arc::default();
    let kept = Arc::clone(&read);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // A client that does not trust us goes.
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut bytes = Vec::new();
            while stream.read_buf(&mut bytes).await.unwrap_or_default() > 0 {
                kept.lock().unwrap().clone_from(&bytes);
                if bytes.starts_with(b"POST") && bytes.ends_with(b"}") {
                    let answer =
                        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
                    stream.write_all(answer).await.unwrap();
                    stream.shutdown().await.unwrap();
                }
            }
        }
    });
    (address, read)
}

/// What a webhook's failure says, against a server with `identity`.
async fn refusal(identity: Identity, ca_file: Option<PathBuf>) -> String {
    let (address, read) = server(identity).await;
    let hook = config::Webhook { ca_file, ..webhook(&format!("https://{address}/")) };
    let scene = Scene::start(&[hook]);
    scene.outbox.raise(&alert(1));
    scene.until("a reason", |scene| !scene.outbox.reason().is_empty()).await;
    assert_eq!((scene.failures() > 0, scene.outbox.delivered()), (true, 0));
    assert!(read.lock().unwrap().is_empty(), "nothing is sent to who is not trusted");
    scene.outbox.reason()
}

#[tokio::test(start_paused = true)]
async fn a_webhook_trusts_the_sites_own_authority_when_told_to() {
    let authority = Authority::new();
    let (address, read) = server(authority.server("127.0.0.1", false)).await;
    let ca_file = Some(authority.file());
    let hook = config::Webhook { ca_file, ..webhook(&format!("https://{address}/hook")) };
    let scene = Scene::start(&[hook]);
    scene.outbox.raise(&alert(1));
    scene.until("delivered", |scene| scene.outbox.delivered() == 1).await;
    assert_eq!(scene.failures(), 0);
    assert!(read.lock().unwrap().starts_with(b"POST /hook HTTP/1.1\r\n"));
}

#[tokio::test(start_paused = true)]
async fn bad_certificates_are_refused_and_named() {
    let authority = Authority::new();
    let ca = || Some(authority.file());
    for (identity, ca_file, said) in [
        (self_signed("127.0.0.1"), None, "UnknownIssuer"),
        (authority.server("127.0.0.1", false), None, "UnknownIssuer"),
        (authority.server("other.example", false), ca(), "not valid for"),
        (authority.server("127.0.0.1", true), ca(), "expired"),
    ] {
        let reason = refusal(identity, ca_file).await;
        assert!(reason.contains(said), "{reason}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_authority_that_comes_later_needs_no_restart() {
    let authority = Authority::new();
    let (address, _) = server(authority.server("127.0.0.1", false)).await;
    let file = authority.folder.path().join("later.pem");
    std::fs::write(&file, "none yet").unwrap();
    let hook =
        config::Webhook { ca_file: Some(file.clone()), ..webhook(&format!("https://{address}/")) };
    let scene = Scene::start(&[hook]);
    scene.outbox.raise(&alert(1));
    sleep(Duration::from_secs(1)).await;
    let reason = scene.outbox.reason();
    assert!(reason.contains("expected certificates in PEM: there is none"), "{reason}");
    std::fs::copy(authority.file(), &file).unwrap();
    scene.until("delivered", |scene| scene.outbox.delivered() == 1).await;
}

#[tokio::test(start_paused = true)]
async fn syslog_over_tls_checks_who_it_speaks_to() {
    let authority = Authority::new();
    for (name, expired, said) in [
        ("127.0.0.1", false, None),
        ("other.example", false, Some("not valid for")),
        ("127.0.0.1", true, Some("expired")),
    ] {
        let (address, read) = server(authority.server(name, expired)).await;
        let ca_file = Some(authority.file());
        let scene = scene(config::SyslogTarget { ca_file, ..target(&format!("tls://{address}")) });
        scene.outbox.raise(&alert(1));
        scene.outbox.raise(&alert(2));
        sleep(Duration::from_secs(1)).await;
        let Some(said) = said else {
            assert_eq!((scene.outbox.delivered(), scene.failures()), (2, 0));
            assert_eq!(frames(&read.lock().unwrap()).len(), 2);
            continue;
        };
        assert!(scene.outbox.reason().contains(said), "{}", scene.outbox.reason());
        assert!(read.lock().unwrap().is_empty());
    }
}
