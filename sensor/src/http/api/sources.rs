//! `GET /api/sources`: what the sensor hears from, and how well: mirrors, senders of logs, audit records,
//! exporters of flow records.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use prometheus::core::Collector;
use prometheus::proto::MetricFamily;
use serde::Serialize;

use super::Parts;
use crate::status::{Feeds, Fleet, Interface, Mirror};
use crate::time::Timestamp;

/// All of them.
#[derive(Debug, Serialize)]
pub(in crate::http) struct Sources {
    now: Timestamp,
    interfaces: Vec<Interface>,
    mirror: Mirror,
    /// The connection to other sensors; none: there are none.
    fleet: Option<Fleet>,
    #[serde(flatten)]
    feeds: Feeds,
    counts: Counts,
}

/// What became of what came, since the start, by result.
#[derive(Debug, Serialize)]
struct Counts {
    syslog: BTreeMap<String, u64>,
    /// Events of ESXi hosts that never came.
    syslog_missing: u64,
    audit: BTreeMap<String, u64>,
    audit_requests: BTreeMap<String, u64>,
    flow_datagrams: BTreeMap<String, u64>,
}

/// `GET /api/sources`
pub(in crate::http) async fn sources(State(parts): State<Parts>) -> Json<Sources> {
    let status = parts.status();
    let metrics = &parts.metrics;
    Json(Sources {
        now: (parts.clock)(),
        interfaces: status.interfaces,
        mirror: status.mirror,
        fleet: status.fleet,
        feeds: Feeds::clone(&status.feeds),
        counts: Counts {
            syslog: by_result(&metrics.syslog.messages),
            syslog_missing: metrics.syslog.missing.get(),
            audit: by_result(&metrics.audit.events),
            audit_requests: by_result(&metrics.audit.requests),
            flow_datagrams: by_result(&metrics.flows.datagrams),
        },
    })
}

/// What a family with one label has counted, without what is none.
fn by_result(family: &impl Collector) -> BTreeMap<String, u64> {
    let families = family.collect();
    let samples = families.iter().flat_map(MetricFamily::get_metric);
    let counted = samples.filter_map(|sample| {
        let label = sample.get_label().first()?.value().to_owned();
        let count = sample.get_counter().get_value() as u64;
        (count > 0).then_some((label, count))
    });
    counted.collect()
}
