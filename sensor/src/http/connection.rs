//! One connection: handshake, one request, one answer, all within a time.

use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

use super::Access;

/// How long a TLS handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(5);
/// How long a request's head may take.
const HEAD: Duration = Duration::from_secs(5);
/// How long a connection may be open: the two above, a request within its limit, and its answer.
const WHOLE: Duration = Duration::from_secs(30);
/// The largest head of a request; Prometheus sends less than one kilobyte.
const MAX_HEAD: usize = 16 << 10;

/// Answers one client; what goes wrong with it is its own matter.
pub(super) async fn serve(
    stream: TcpStream,
    access: Access,
    router: Router,
    _place: OwnedSemaphorePermit,
) {
    let answered = timeout(WHOLE, async {
        let Some(acceptor) = access.tls() else {
            return answer(stream, router).await;
        };
        match timeout(HANDSHAKE, acceptor.accept(stream)).await {
            Ok(Ok(stream)) => answer(stream, router).await,
            Ok(Err(error)) => tracing::debug!("http: TLS handshake failed: {error}"),
            Err(_) => tracing::debug!("http: TLS handshake took too long"),
        }
    });
    if answered.await.is_err() {
        tracing::debug!("http: a client was too slow");
    }
}

async fn answer(stream: impl AsyncRead + AsyncWrite + Unpin, router: Router) {
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(MAX_HEAD)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router))
        .await;
    if let Err(error) = served {
        tracing::debug!("http: {error}");
    }
}
