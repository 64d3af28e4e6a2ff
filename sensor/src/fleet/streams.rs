//! The streams on the servers, made by whoever finds one missing and may make it. One that is there stays as it
//! is: how it is kept is then the operator's choice.
//!
//! One may be gone while there is a connection: removed, or lost with the disks of the servers. What others
//! have to know and it held is then told again, and what is read of it is read anew.

use async_nats::Subscriber;
use async_nats::jetstream::Context;
use async_nats::jetstream::stream::Config;

use futures_util::StreamExt;
use tokio::sync::mpsc;
use tokio::time::{Duration, sleep};

use super::{AGAIN, Fleet, alerts, estate, flows, health, places, said};
use crate::config;
use crate::peers::Heard;

/// Where the servers say that a stream was made, by whomever.
const MADE: &str = "$JS.EVENT.ADVISORY.STREAM.CREATED.*";
/// Before streams are looked for when one was made, or something did not go through: it may be one of many.
const SETTLED: Duration = Duration::from_secs(1);
/// What is taken of it at once.
const MOST: usize = 64;

/// Why there is no stream.
#[derive(Debug, thiserror::Error)]
#[error("the stream {name} is not there and cannot be made: {reason}")]
struct StreamError {
    name: String,
    reason: String,
}

/// So many copies are kept: three where one server of three may fail.
const fn replicas(config: &config::Fleet) -> usize {
    if config.servers.len() < 3 { 1 } else { 3 }
}

/// Makes the streams that are missing, for ever.
pub(super) async fn run(fleet: Fleet, jetstream: Context) {
    loop {
        match jetstream.client().subscribe(MADE).await {
            Ok(made) => keep(&fleet, &jetstream, made).await,
            Err(error) => tracing::debug!("fleet: streams that are made are not heard of: {error}"),
        }
        sleep(AGAIN).await;
    }
}

/// Makes what is missing with each connection, when something did not go through, and looks when somebody made one.
async fn keep(fleet: &Fleet, jetstream: &Context, made: Subscriber) {
    let mut made = made.ready_chunks(MOST);
    let shared = &fleet.shared;
    let mut connected = shared.link.connected();
    let (mut youngest, mut has_failed) = (None, false);
    loop {
        // Whoever tells of the connection lives as long as this.
        let _ = connected.wait_for(|connected| *connected).await;
        match prepare(jetstream, replicas(&shared.config)).await {
            Ok(last) => {
                if youngest.replace(last).is_some_and(|before| before != last) {
                    tracing::warn!("fleet: a stream was lost; what it held is told again");
                    shared.losses.send_modify(|losses| *losses += 1);
                }
                if std::mem::take(&mut has_failed) {
                    shared.link.mended();
                }
                shared.ready.send_replace(true);
                tokio::select! {
                    () = async { drop(connected.wait_for(|connected| !*connected).await) } => {}
                    () = shared.missed.notified() => sleep(SETTLED).await,
                    // It goes on over lost connections.
                    some = made.next() => match some {
                        Some(_) => sleep(SETTLED).await,
                        None => return,
                    },
                }
            }
            Err(error) => {
                has_failed = true;
                shared.link.failed(&error.to_string());
                sleep(AGAIN).await;
            }
        }
    }
}

/// Has detection tell again what others do not have any more.
pub(super) async fn tell_of_losses(fleet: Fleet, heard: mpsc::Sender<Heard>) {
    let mut losses = fleet.shared.losses.subscribe();
    // Whoever counts them lives as long as this.
    while losses.changed().await.is_ok() {
        if heard.send(Heard::Lost).await.is_err() {
            return;
        }
    }
}

/// Makes what is missing. When the youngest of all was made, in nanoseconds since the epoch: not what it was where
/// one was lost, with all that it held.
async fn prepare(jetstream: &Context, replicas: usize) -> Result<i128, StreamError> {
    let mut youngest = 0;
    for stream in all(replicas) {
        let made = match jetstream.get_stream(&stream.name).await {
            Ok(there) => there.cached_info().created,
            Err(_) => {
                let name = stream.name.clone();
                let made = jetstream.create_stream(stream).await;
                made.map_err(|error| StreamError { name, reason: error.to_string() })?
                    .cached_info()
                    .created
            }
        };
        youngest = made.unix_timestamp_nanos().max(youngest);
    }
    Ok(youngest)
}

/// All of them.
fn all(replicas: usize) -> Vec<Config> {
    let buckets = [health::BUCKET, estate::ASSETS, places::BUCKET, said::APPROVALS, said::VERDICTS];
    let buckets = buckets.iter().map(|bucket| bucket.stream(replicas));
    [alerts::stream(replicas), flows::stream(replicas)].into_iter().chain(buckets).collect()
}
