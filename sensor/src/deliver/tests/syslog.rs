//! Syslog over real sockets: framing, connections that go, hosts where nobody listens.

use std::sync::{Arc, Mutex};

use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, UdpSocket};

use super::*;
use crate::alert::Severity;

pub(super) fn target(address: &str) -> config::SyslogTarget {
    let address = address.parse().unwrap();
    config::SyslogTarget { address, ca_file: None, min_severity: Severity::Low }
}

pub(super) fn scene(syslog: config::SyslogTarget) -> Scene {
    let targets = super::super::targets(
        &config::Deliver { webhooks: Vec::new(), syslog: vec![syslog] },
        None,
    );
    Scene::with(memory::Memory::new(), targets)
}

/// Splits what octet counting (RFC 6587, 3.4.1) holds together; what has come in part is left out.
pub(super) fn frames(bytes: &[u8]) -> Vec<String> {
    let (mut frames, mut rest) = (Vec::new(), std::str::from_utf8(bytes).unwrap());
    while let Some((length, behind)) = rest.split_once(' ') {
        let Some((frame, next)) = behind.split_at_checked(length.parse().unwrap()) else { break };
        frames.push(frame.to_owned());
        rest = next;
    }
    frames
}

/// A receiver that reads so many messages from each connection, then closes it.
async fn collector(each: usize) -> (String, Arc<Mutex<Vec<Vec<u8>>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("tcp://{}", listener.local_addr().unwrap());
    let connections: Arc<Mutex<Vec<Vec<u8>>>> = Arc::default();
    let kept = Arc::clone(&connections);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let number = kept.lock().unwrap().len();
            kept.lock().unwrap().push(Vec::new());
            let mut bytes = Vec::new();
            while stream.read_buf(&mut bytes).await.unwrap_or_default() > 0 {
                kept.lock().unwrap()[number].clone_from(&bytes);
                if frames(&bytes).len() >= each {
                    break;
                }
            }
        }
    });
    (address, connections)
}

#[tokio::test(start_paused = true)]
async fn messages_are_counted_and_share_a_connection() {
    let (address, connections) = collector(usize::MAX).await;
    let scene = scene(target(&address));
    for number in 1..=3 {
        scene.outbox.raise(&alert(number));
    }
    scene.until("all", |scene| scene.outbox.delivered() == 3).await;
    sleep(Duration::from_secs(1)).await;
    let connections = connections.lock().unwrap();
    assert_eq!(connections.len(), 1);
    let frames = frames(&connections[0]);
    assert_eq!(frames.len(), 3);
    assert!(frames[2].starts_with("<131>1 2026-11-20T14:03:11.123456Z dc1-rack7 egret - AN1416 ["));
    assert!(frames[2].contains(&format!("externalId={}", alert(3).id)));
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_was_closed_is_made_anew_and_nothing_is_lost() {
    let (address, connections) = collector(1).await;
    let scene = scene(target(&address));
    for number in 1..=5 {
        scene.outbox.raise(&alert(number));
        sleep(Duration::from_secs(1)).await;
    }
    assert_eq!((scene.outbox.delivered(), scene.failures()), (5, 0));
    let connections = connections.lock().unwrap();
    let counts: Vec<usize> = connections.iter().map(|bytes| frames(bytes).len()).collect();
    assert_eq!(counts, [1; 5]);
}

#[tokio::test(start_paused = true)]
async fn one_that_does_not_read_costs_fifteen_seconds() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let scene = scene(target(&format!("tls://{}", listener.local_addr().unwrap())));
    scene.outbox.raise(&alert(1));
    scene.until("a reason", |scene| !scene.outbox.reason().is_empty()).await;
    assert_eq!(scene.outbox.reason(), "no answer within 5 s");
}

#[tokio::test(start_paused = true)]
async fn a_datagram_holds_one_message() {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let scene = scene(target(&format!("udp://{}", socket.local_addr().unwrap())));
    scene.outbox.raise(&alert(1));
    let mut bytes = [0; 8192];
    let length = socket.recv(&mut bytes).await.unwrap();
    assert!(bytes[..length].starts_with(b"<131>1 "));
    scene.until("delivered", |scene| scene.outbox.delivered() == 1).await;
}

#[tokio::test(start_paused = true)]
async fn a_host_on_which_nobody_listens_has_not_taken_a_datagram() {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    drop(socket);
    let scene = scene(target(&format!("udp://{address}")));
    scene.outbox.raise(&alert(1));
    scene.until("a reason", |scene| !scene.outbox.reason().is_empty()).await;
    assert_eq!(scene.outbox.reason(), "Connection refused");
    assert_eq!(scene.outbox.delivered(), 0);
}
