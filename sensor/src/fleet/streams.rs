//! The streams on the servers, made by whoever finds one missing and may make it. One that is there stays as it
//! is: how it is kept is then the operator's choice.

use async_nats::jetstream::Context;
use async_nats::jetstream::stream::{Config, DiscardPolicy, StorageType};

use super::{alerts, health};
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
    vec![alerts::stream(replicas), bucket(health::BUCKET, health::LARGEST, health::KEPT, replicas)]
}

/// A key-value bucket as NATS' own tools have it (ADR-8): the newest value of each key, for so long.
fn bucket(name: &str, largest: usize, kept: std::time::Duration, replicas: usize) -> Config {
    Config {
        name: format!("KV_{name}"),
        subjects: vec![format!("$KV.{name}.>")],
        max_messages_per_subject: 1,
        max_message_size: i32::try_from(largest).unwrap_or(i32::MAX),
        max_bytes: 256 << 20,
        max_messages: -1,
        max_consumers: -1,
        max_age: kept,
        storage: StorageType::File,
        discard: DiscardPolicy::New,
        num_replicas: replicas,
        allow_rollup: true,
        deny_delete: true,
        allow_direct: true,
        ..Config::default()
    }
}
