//! Takes alerts from the outbox to the SOC's tools: webhooks and syslog receivers.
//!
//! Each target has a task of its own, and nothing is given up: what a target does not take is
//! tried again, over restarts, until it does. Delivery is at least once; a message id that stays
//! the same over all attempts tells a receiver what it has already.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::metrics::Metrics;
use crate::time::Timestamp;

mod address;
mod failure;
mod files;
mod format;
mod links;
mod outbox;
mod pace;
mod post;
mod signature;
mod syslog;
mod target;
mod tls;
mod webhook;

pub(crate) use files::{FileError, text as secret};
pub use links::Packets;
pub use outbox::Outbox;
pub use target::{Target, targets, within};
pub(crate) use tls::{TlsError, client as tls_client};

use post::{Common, Order, Post};

/// Gives orders to a running [`Delivery`], from any thread. When it is dropped, delivery stops.
#[derive(Debug)]
pub struct Deliver {
    orders: watch::Sender<Orders>,
}

#[derive(Debug, Clone)]
enum Orders {
    /// Deliver to these; the number changes with each reload.
    Serve(u64, Vec<Target>),
    /// Stop; attempts under way may take so long.
    Stop(Duration),
}

impl Deliver {
    /// Makes `targets` the ones that are delivered to. Those that stay the same go on, and read
    /// their files anew; those that are gone end after the attempt under way.
    pub fn reconfigure(&self, targets: Vec<Target>) {
        self.orders.send_modify(|orders| {
            if let Orders::Serve(reload, now) = orders {
                *reload += 1;
                *now = targets;
            }
        });
    }

    /// Begins no attempt any more; those under way may take `patience`, then [`Delivery::run`] ends.
    pub fn stop(&self, patience: Duration) {
        self.orders.send_replace(Orders::Stop(patience));
    }
}

/// All targets' deliveries, before they run.
#[derive(Debug)]
pub struct Delivery<O> {
    orders: watch::Receiver<Orders>,
    common: Common<O>,
}

/// Delivery to `targets`, and the handle to it. `packets` is what links lead to; `seed` spreads the retries of several sensors.
pub fn delivery<O: Outbox>(
    targets: Vec<Target>,
    (outbox, packets): (O, Packets),
    metrics: Metrics,
    clock: fn() -> Timestamp,
    seed: u64,
) -> (Deliver, Delivery<O>) {
    let (sender, orders) = watch::channel(Orders::Serve(0, targets));
    (
        Deliver { orders: sender },
        Delivery { orders, common: Common { outbox, packets, metrics, clock, seed } },
    )
}

impl<O: Outbox> Delivery<O> {
    /// Delivers until told to stop. Spawns its tasks on the runtime that it runs on.
    pub async fn run(mut self) {
        let mut tasks = Tasks { running: BTreeMap::new(), ending: BTreeMap::new() };
        loop {
            let orders = self.orders.borrow_and_update().clone();
            match orders {
                Orders::Serve(reload, targets) => tasks.serve(reload, &targets, &self.common),
                Orders::Stop(patience) => return tasks.stop(patience).await,
            }
            if self.orders.changed().await.is_err() {
                return tasks.stop(Duration::ZERO).await;
            }
        }
    }
}

/// The targets' tasks, by name.
struct Tasks {
    running: BTreeMap<String, Running>,
    /// Told to stop, and perhaps still with an attempt under way.
    ending: BTreeMap<String, JoinHandle<()>>,
}

struct Running {
    target: Target,
    order: watch::Sender<Order>,
    task: JoinHandle<()>,
}

impl Tasks {
    fn serve<O: Outbox>(&mut self, reload: u64, targets: &[Target], common: &Common<O>) {
        self.ending.retain(|_, task| !task.is_finished());
        let running = std::mem::take(&mut self.running);
        for (name, running) in running {
            if targets.contains(&running.target) {
                running.order.send_replace(Order::Serve(reload));
                self.running.insert(name, running);
            } else {
                running.order.send_replace(Order::Stop);
                let is_gone = targets.iter().all(|target| target.name != name);
                let task = if is_gone {
                    tokio::spawn(forget(running, name.clone(), common.metrics.clone()))
                } else {
                    running.task
                };
                self.ending.insert(name, task);
            }
        }
        for target in targets {
            if !self.running.contains_key(&target.name) {
                let before = self.ending.remove(&target.name);
                self.start(reload, target, common, before);
            }
        }
    }

    /// Starts a target's task, which waits for the one that had the name before.
    fn start<O: Outbox>(
        &mut self,
        reload: u64,
        target: &Target,
        common: &Common<O>,
        before: Option<JoinHandle<()>>,
    ) {
        let (order, orders) = watch::channel(Order::Serve(reload));
        let (own, common) = (target.clone(), common.clone());
        let task = tokio::spawn(async move {
            if let Some(before) = before {
                // However it ended, the name is free.
                let _ = before.await;
            }
            Post::new(&own, &common, orders).run().await;
        });
        self.running.insert(target.name.clone(), Running { target: target.clone(), order, task });
    }

    async fn stop(self, patience: Duration) {
        let mut tasks: Vec<JoinHandle<()>> = self.ending.into_values().collect();
        for running in self.running.into_values() {
            running.order.send_replace(Order::Stop);
            tasks.push(running.task);
        }
        let all = async {
            for task in &mut tasks {
                // A task that was aborted has ended too.
                let _ = task.await;
            }
        };
        if timeout(patience, all).await.is_err() {
            tracing::debug!("deliver: attempts under way are given up; they are still owed");
            tasks.iter().for_each(JoinHandle::abort);
        }
    }
}

/// Takes a target's series out of the metrics when its task has ended.
async fn forget(running: Running, name: String, metrics: Metrics) {
    // However it ended, it counts no more.
    let _ = running.task.await;
    let label = &[name.as_str()];
    for gone in [
        metrics.alerts_delivered.remove_label_values(label),
        metrics.delivery_failures.remove_label_values(label),
        metrics.delivery_pending.remove_label_values(label),
        metrics.delivery_circuit_open.remove_label_values(label),
    ] {
        // It never ran, then there is nothing to take out.
        let _ = gone;
    }
}

#[cfg(test)]
mod tests;
