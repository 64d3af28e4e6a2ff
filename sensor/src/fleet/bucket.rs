//! Key-value buckets as NATS' own tools have them (ADR-8): a stream that keeps the newest value of each key. Every
//! key ends with the sensor that writes it, or with that and a part.

use std::time::Duration;

use async_nats::jetstream::Context;
use async_nats::jetstream::consumer::{DeliverPolicy, pull};
use async_nats::jetstream::message::{Message, PublishMessage};
use async_nats::jetstream::stream::{Config, DiscardPolicy, StorageType};
use futures_util::{Stream, StreamExt};

/// Why something did not reach the servers, or did not come from them.
pub(super) type Error = Box<dyn std::error::Error + Send + Sync>;

/// A bucket.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bucket {
    pub(super) name: &'static str,
    /// No value is larger, in bytes.
    pub(super) largest: usize,
    /// Bytes of all values, on each server.
    pub(super) bytes: i64,
    /// A value that was not written for so long is forgotten; none: never.
    pub(super) kept: Option<Duration>,
}

impl Bucket {
    /// How its stream is kept.
    pub(super) fn stream(&self, replicas: usize) -> Config {
        Config {
            name: self.stream_name(),
            subjects: vec![format!("{}>", self.prefix())],
            max_messages_per_subject: 1,
            // With the subject and the headers.
            max_message_size: i32::try_from(self.largest + 2048).unwrap_or(i32::MAX),
            max_bytes: self.bytes,
            max_messages: -1,
            max_consumers: -1,
            max_age: self.kept.unwrap_or_default(),
            storage: StorageType::File,
            discard: DiscardPolicy::New,
            num_replicas: replicas,
            allow_rollup: true,
            deny_delete: true,
            allow_direct: true,
            ..Config::default()
        }
    }

    fn stream_name(&self) -> String {
        format!("KV_{}", self.name)
    }

    /// What subjects of its keys begin with.
    pub(super) fn prefix(&self) -> String {
        format!("$KV.{}.", self.name)
    }

    /// Writes the value of a key; when this returns, a majority of the servers has it on disk.
    pub(super) async fn put(
        &self,
        jetstream: &Context,
        key: &str,
        value: Vec<u8>,
    ) -> Result<(), Error> {
        let message = PublishMessage::build().payload(value.into());
        self.send(jetstream, key, message).await
    }

    /// Removes a key.
    pub(super) async fn delete(&self, jetstream: &Context, key: &str) -> Result<(), Error> {
        let message = PublishMessage::build().header("KV-Operation", "DEL");
        self.send(jetstream, key, message).await
    }

    async fn send(
        &self,
        jetstream: &Context,
        key: &str,
        message: PublishMessage,
    ) -> Result<(), Error> {
        jetstream.send_publish(format!("{}{key}", self.prefix()), message).await?.await?;
        Ok(())
    }

    /// The values that there are of the keys that match, at most `most`.
    pub(super) async fn latest(
        &self,
        jetstream: &Context,
        keys: &str,
        most: usize,
    ) -> Result<Vec<Message>, Error> {
        let (mut messages, count) = self.open(jetstream, keys).await?;
        let mut all = Vec::new();
        while all.len() < count.min(most)
            && let Some(message) = messages.next().await
        {
            all.push(message?);
        }
        Ok(all)
    }

    /// The values that there are, and then each as it changes.
    pub(super) async fn watch(
        &self,
        jetstream: &Context,
    ) -> Result<impl Stream<Item = Result<Message, Error>> + use<>, Error> {
        Ok(self.open(jetstream, ">").await?.0)
    }

    async fn open(
        &self,
        jetstream: &Context,
        keys: &str,
    ) -> Result<(impl Stream<Item = Result<Message, Error>> + use<>, usize), Error> {
        let stream = jetstream.get_stream_no_info(self.stream_name()).await?;
        let consumer = stream
            .create_consumer(pull::OrderedConfig {
                deliver_policy: DeliverPolicy::LastPerSubject,
                // Servers before 2.10 ask for one.
                filter_subject: format!("{}{keys}", self.prefix()),
                ..pull::OrderedConfig::default()
            })
            .await?;
        let count = usize::try_from(consumer.cached_info().num_pending).unwrap_or(usize::MAX);
        let messages = consumer.messages().await?;
        Ok((messages.map(|message| message.map_err(Error::from)), count))
    }
}
