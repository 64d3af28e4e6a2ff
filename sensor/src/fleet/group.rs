//! Delivers for the fleet: a durable group of consumers takes each alert from the stream once, and whoever has
//! taken it acknowledges it when all of its own targets have it.
//!
//! Who cannot deliver gives back what it holds, and rests for a while so that others are asked. Who dies holds what
//! it had for [`ACKNOWLEDGED_WITHIN`], then another is given it.

use std::collections::BTreeMap;
use std::time::Duration;

use async_nats::jetstream::consumer::{AckPolicy, PullConsumer, pull};
use async_nats::jetstream::message::Message;
use async_nats::jetstream::{AckKind, Context};
use futures_util::StreamExt;
use tokio::sync::{mpsc, watch};
use tokio::time::{interval, sleep};

use super::allowance::Allowances;
use super::taken::{MOST, Taken};
use super::{Fleet, alerts, told};
use crate::alert::Alert;
use crate::deliver::{self, Deliver, Target};
use crate::exchange::Refused;
use crate::time::Timestamp;

/// The group's name.
const GROUP: &str = "deliver";
/// An alert that was taken and not acknowledged for so long is given to another.
const ACKNOWLEDGED_WITHIN: Duration = Duration::from_secs(30);
/// An alert that could not be delivered for so long is given back.
const PATIENCE: Duration = Duration::from_secs(20);
/// It is given to another not before, and this sensor takes nothing for so long.
const GIVEN_AGAIN: Duration = Duration::from_secs(1);
const REST: Duration = Duration::from_secs(30);
/// Alerts that are asked for at once, and how long that may take.
const BATCH: usize = 8;
const ASKED_FOR: Duration = Duration::from_secs(20);
/// Alerts that all members together may hold.
const MOST_HELD: i64 = 2_000;
/// Before the group is joined again after a failure.
const AGAIN: Duration = Duration::from_secs(2);

/// Why the group has to be joined again.
type Error = Box<dyn std::error::Error + Send + Sync>;

/// Where this sensor delivers.
type Targets = watch::Receiver<Vec<Target>>;

/// One member of the group.
struct Member {
    fleet: Fleet,
    jetstream: Context,
    taken: Taken,
    done: mpsc::Receiver<u64>,
    /// By number: what is to be acknowledged.
    held: BTreeMap<u64, Holding>,
    allowances: Allowances,
    rests_until: Timestamp,
}

/// An alert that is held.
struct Holding {
    message: Message,
    alert: uuid::Uuid,
    count: u64,
    since: Timestamp,
}

/// Delivers to this sensor's targets until it leaves; without any it takes nothing.
pub(super) async fn run(fleet: Fleet, jetstream: Context, packets: deliver::Packets) {
    let (taken, done) = Taken::new();
    let shared = &fleet.shared;
    let mut leaving = shared.leaving.subscribe();
    let mut targets = shared.targets.subscribe();
    let (orders, delivery) = deliver::delivery(
        targets.borrow_and_update().clone(),
        (taken.clone(), packets),
        shared.metrics.clone(),
        shared.clock,
        (shared.clock)().as_nanos(),
    );
    tokio::spawn(delivery.run());
    let mut member = Member {
        fleet: fleet.clone(),
        jetstream,
        taken,
        done,
        held: BTreeMap::new(),
        allowances: Allowances::default(),
        rests_until: Timestamp::default(),
    };
    tokio::select! {
        // Whoever says that it leaves lives as long as this.
        _ = leaving.wait_for(|leaving| *leaving) => {}
        () = member.work_for_ever(&mut targets, &orders) => {}
    }
    member.give_back_all().await;
    // On its way before the connection is gone.
    let _ = member.jetstream.client().flush().await;
}

impl Member {
    async fn work_for_ever(&mut self, targets: &mut Targets, orders: &Deliver) {
        loop {
            self.fleet.shared.until_ready().await;
            // Whoever sets the targets lives as long as this.
            let _ = targets.wait_for(|targets| !targets.is_empty()).await;
            if let Err(error) = self.work(targets, orders).await {
                self.fleet.shared.missed("the group of those who deliver", &error);
            }
            self.give_back_all().await;
            sleep(AGAIN).await;
        }
    }

    /// Takes and delivers until something fails, or there is nobody to deliver to.
    async fn work(&mut self, targets: &mut Targets, orders: &Deliver) -> Result<(), Error> {
        let consumer = self.join().await?;
        // They may have changed since the last time.
        orders.reconfigure(targets.borrow_and_update().clone());
        let mut rounds = interval(Duration::from_secs(1));
        let mut batch = None;
        loop {
            if batch.is_none() && self.may_take() {
                let asked = consumer.batch().max_messages(BATCH).expires(ASKED_FOR);
                batch = Some(asked.messages().await?);
            }
            tokio::select! {
                biased;
                Some(number) = self.done.recv() => self.delivered(number).await,
                changed = targets.changed() => {
                    changed?;
                    let now = targets.borrow_and_update().clone();
                    if now.is_empty() {
                        return Ok(());
                    }
                    orders.reconfigure(now);
                }
                _ = rounds.tick() => self.give_back_what_is_late().await,
                message = async { batch.as_mut()?.next().await }, if batch.is_some() => match message {
                    Some(message) => self.take(message?).await?,
                    None => batch = None,
                }
            }
        }
    }

    /// The group, made where it is not there.
    async fn join(&self) -> Result<PullConsumer, Error> {
        let stream = self.jetstream.get_stream_no_info(alerts::STREAM).await?;
        if let Ok(consumer) = stream.get_consumer::<pull::Config>(GROUP).await {
            return Ok(consumer);
        }
        let config = pull::Config {
            durable_name: Some(GROUP.to_owned()),
            ack_policy: AckPolicy::Explicit,
            ack_wait: ACKNOWLEDGED_WITHIN,
            max_ack_pending: MOST_HELD,
            ..pull::Config::default()
        };
        Ok(stream.create_consumer(config).await?)
    }

    fn now(&self) -> Timestamp {
        (self.fleet.shared.clock)()
    }

    fn may_take(&self) -> bool {
        self.held.len() + BATCH <= MOST && self.now() >= self.rests_until
    }

    /// Takes one, unless there is nothing to do for it.
    async fn take(&mut self, message: Message) -> Result<(), Error> {
        let shared = &self.fleet.shared;
        let now = (shared.clock)();
        let read = alerts::receive(&message.subject, &message.payload, now).and_then(|read| {
            if self.allowances.take(&read.0, now) { Ok(read.1) } else { Err(Refused::Flood) }
        });
        let alert = match read {
            Ok(alert) => alert,
            Err(why) => {
                shared.counted.refused(&message.subject, &why);
                return message.ack_with(AckKind::Term).await;
            }
        };
        let was_told =
            message.headers.as_ref().is_some_and(|all| all.get(alerts::DELIVERED).is_some());
        let targets = self.targets_of(&alert);
        if was_told || targets.is_empty() || shared.recent().has(&alert) {
            return message.ack().await;
        }
        let (id, count) = (alert.id, alert.count);
        let number = self.taken.take(alert, targets);
        self.held.insert(number, Holding { message, alert: id, count, since: now });
        Ok(())
    }

    /// Which of this sensor's targets want it.
    fn targets_of(&self, alert: &Alert) -> Vec<String> {
        let targets = self.fleet.shared.targets.borrow();
        let wants = targets.iter().filter(|target| alert.severity >= target.min_severity);
        wants.map(|target| target.name.clone()).collect()
    }

    /// All targets have it.
    async fn delivered(&mut self, number: u64) {
        let Some(holding) = self.held.remove(&number) else { return };
        // Told first: who dies between the two has delivered it, and others know.
        told::tell(&self.fleet, &self.jetstream, holding.alert, holding.count).await;
        if let Err(error) = holding.message.ack().await {
            tracing::debug!("fleet: a delivery is not acknowledged: {error}");
        }
    }

    /// Gives back what could not be delivered, and rests.
    async fn give_back_what_is_late(&mut self) {
        let now = self.now();
        let late = |holding: &Holding| now.since(holding.since) >= PATIENCE;
        let late: Vec<u64> =
            self.held.iter().filter(|(_, one)| late(one)).map(|(number, _)| *number).collect();
        if !late.is_empty() {
            self.rests_until = now.plus(REST);
        }
        for number in late {
            self.give_back(number).await;
        }
    }

    async fn give_back_all(&mut self) {
        while let Some((number, _)) = self.held.first_key_value() {
            let number = *number;
            self.give_back(number).await;
        }
    }

    async fn give_back(&mut self, number: u64) {
        self.taken.give_up(number);
        let Some(holding) = self.held.remove(&number) else { return };
        if let Err(error) = holding.message.ack_with(AckKind::Nak(Some(GIVEN_AGAIN))).await {
            tracing::debug!("fleet: an alert is not given back: {error}");
        }
    }
}
