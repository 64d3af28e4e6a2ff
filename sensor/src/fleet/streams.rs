//! The streams on the servers, made by whoever finds one missing and may make it. One that is there stays as it
//! is: how it is kept is then the operator's choice.

use async_nats::jetstream::Context;
use async_nats::jetstream::stream::Config;

use super::{alerts, estate, flows, health, places, said};
use crate::config;

/// Why there is no stream.
#[derive(Debug, thiserror::Error)]
#[error("the stream {name} is not there and cannot be made: {reason}")]
pub(super) struct StreamError {
    name: String,
    reason: String,
}

/// So many copies are kept: three where one server of three may fail.
pub(super) const fn replicas(config: &config::Fleet) -> usize {
    if config.servers.len() < 3 { 1 } else { 3 }
}

/// Makes what is missing.
pub(super) async fn prepare(jetstream: &Context, replicas: usize) -> Result<(), StreamError> {
    for stream in all(replicas) {
        if jetstream.get_stream_no_info(&stream.name).await.is_err()
            || jetstream.get_stream(&stream.name).await.is_err()
        {
            let name = stream.name.clone();
            jetstream
                .create_stream(stream)
                .await
                .map_err(|error| StreamError { name, reason: error.to_string() })?;
        }
    }
    Ok(())
}

/// All of them.
fn all(replicas: usize) -> Vec<Config> {
    let buckets = [health::BUCKET, estate::ASSETS, places::BUCKET, said::APPROVALS, said::VERDICTS];
    let buckets = buckets.iter().map(|bucket| bucket.stream(replicas));
    [alerts::stream(replicas), flows::stream(replicas)].into_iter().chain(buckets).collect()
}
