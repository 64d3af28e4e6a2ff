//! What Prometheus is told: every family of metrics, made once and handed to whoever counts.
//!
//! Label values are bounded: reasons, layers and outcomes are fixed lists, delivery targets come
//! from the config, assets beyond [`MAX_ASSETS`] fold into `other`. Nothing from the wire is a label.
//! Series whose labels are known beforehand are there at zero from the start: a rate over a series
//! that appears with its first event misses that event.

use prometheus::core::Collector;
use prometheus::proto::MetricFamily;
use prometheus::{
    Encoder, Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts,
    Registry, TextEncoder,
};

use crate::alert::Severity;
use crate::config::{Backend, Role};
use crate::time::Timestamp;

mod assets;
mod audit;
mod budget;
mod evidence;
mod fast_path;
mod fleet;
mod flows;
pub mod labels;
mod records;
mod syslog;

pub use assets::{AssetBytes, MAX_ASSETS};
pub use audit::Audit;
pub use budget::Budget;
pub use evidence::{Evidence, EvidenceResult};
pub use fast_path::FastPath;
pub use fleet::{Fleet, Kind};
pub use flows::Flows;
pub use records::Records;
pub use syslog::Syslog;

/// All families. Counters may be raised from any thread; each is one relaxed atomic addition.
#[derive(Debug, Clone)]
pub struct Metrics {
    registry: Registry,
    /// Frames received, duplicates included.
    pub capture_packets: IntCounter,
    /// Their bytes on the wire.
    pub capture_bytes: IntCounter,
    /// Frames lost before they were read, by `reason`: `ring` (no room in the ring), `interface`
    /// (the network card or its driver).
    pub capture_dropped: IntCounterVec,
    /// Frames of which only a part was captured, or of which the mirror cut a part off.
    pub capture_truncated: IntCounter,
    /// Second copies of frames, recognised and not counted to flows.
    pub capture_duplicates: IntCounter,
    /// The mirror shows one packet in so many, by `interface`; 1: all.
    pub sampled_one_in: IntGaugeVec,
    /// What the kernel's half of capture has done.
    pub fast_path: FastPath,
    /// 1 for the way an interface is captured from, else 0, by `interface` and `backend`.
    capture_backend: IntGaugeVec,
    /// Frames refused, by `layer`.
    pub decode_errors: IntCounterVec,
    /// Conversations in the flow tables.
    pub flows_active: IntGauge,
    /// Conversations that gave way, by `reason`: `table_full`, `stream_budget`,
    /// `session_budget`.
    pub flows_evicted: IntCounterVec,
    /// TLS ClientHellos read, over TCP and QUIC.
    pub client_hellos: IntCounter,
    /// What was not read of QUIC, by `reason`; see [`crate::observe::Unread`].
    pub quic_unread: IntCounterVec,
    /// ClientHellos whose end was not there, read as far as they go.
    pub incomplete_hellos: IntCounter,
    /// DNS responses read, by `rcode`.
    pub dns_responses: IntCounterVec,
    /// DNS responses with answers whose question was not seen.
    pub dns_unasked: IntCounter,
    /// Log messages.
    pub syslog: Syslog,
    /// Flow records.
    pub flows: Flows,
    /// Audit records.
    pub audit: Audit,
    /// Flow records, by what detection made of them.
    pub records: Records,
    /// Events or alerts that found no room, by `stage`: `detect`, `events`, `store`.
    pub events_dropped: IntCounterVec,
    /// Events that came when later ones had been through detection.
    pub events_late: IntCounter,
    /// Alerts committed to disk, by `analytic` and `severity`; updates of one do not count again.
    pub alerts: IntCounterVec,
    /// The site's budget of alerts.
    pub budget: Budget,
    /// The packets that are kept of alerts.
    pub evidence: Evidence,
    /// What is exchanged with other sensors.
    pub fleet: Fleet,
    /// Alerts taken by a receiver, by `target`.
    pub alerts_delivered: IntCounterVec,
    /// Attempts that failed, by `target`.
    pub delivery_failures: IntCounterVec,
    /// Alerts that wait, by `target`.
    pub delivery_pending: IntGaugeVec,
    /// 1 while a target is given time to recover, else 0, by `target`.
    pub delivery_circuit_open: IntGaugeVec,
    assets: assets::Assets,
    /// Seconds from the packet to the alert on disk.
    pub detection_latency: Histogram,
    /// 1 while an interface is up, else 0, by `interface`.
    pub interface_up: IntGaugeVec,
    /// Conversations seen from one side only, of those that ended, by `sides`: `one`, `both`.
    pub flows_sides: IntCounterVec,
    /// 1 when the last reload of the config succeeded, else 0.
    pub config_reload_successful: IntGauge,
    /// When the config was last loaded, in seconds since the epoch.
    config_reload_success_time: IntGauge,
    /// 1 while the database cannot be written, else 0.
    pub store_failing: IntGauge,
}

impl Metrics {
    /// All families, at zero.
    ///
    /// # Errors
    /// When two families have one name: a mistake of this file.
    pub fn new() -> Result<Self, prometheus::Error> {
        let registry = Registry::new();
        let build = IntGaugeVec::new(
            Opts::new("egret_build_info", "1, with the version that runs."),
            &["version"],
        )?;
        registry.register(Box::new(build.clone()))?;
        build.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
        let register = Register(&registry);
        Ok(Self {
            capture_packets: register
                .counter("egret_capture_packets_total", "Frames received, duplicates included.")?,
            capture_bytes: register
                .counter("egret_capture_bytes_total", "Bytes on the wire of frames received.")?,
            capture_dropped: register.counters(
                "egret_capture_dropped_packets_total",
                "Frames lost before they were read.",
                "reason",
                &labels::DROPPED,
            )?,
            capture_truncated: register.counter(
                "egret_capture_truncated_packets_total",
                "Frames of which only a part came.",
            )?,
            capture_duplicates: register.counter(
                "egret_capture_duplicate_packets_total",
                "Second copies of frames, recognised and not counted to conversations.",
            )?,
            sampled_one_in: register.gauges(
                "egret_mirror_sampled_one_in",
                "The mirror shows one packet in so many, by sequence numbers; 1: all.",
                "interface",
            )?,
            fast_path: FastPath::new(&register)?,
            capture_backend: register.add(IntGaugeVec::new(
                Opts::new("egret_capture_backend", "1 for the way an interface is captured from."),
                &["interface", "backend"],
            )?)?,
            decode_errors: register.counters(
                "egret_decode_errors_total",
                "Frames, TLS hellos, certificates and DNS messages that could not be read, or not whole.",
                "layer",
                &labels::layers(),
            )?,
            flows_active: register.gauge("egret_flows_active", "Conversations under way.")?,
            flows_evicted: register.counters(
                "egret_flows_evicted_total",
                "Conversations that gave way to others.",
                "reason",
                &labels::EVICTED,
            )?,
            client_hellos: register
                .counter("egret_tls_client_hellos_total", "TLS ClientHellos read.")?,
            quic_unread: register.counters(
                "egret_quic_unread_total",
                "QUIC datagrams, packets and ClientHellos that could not be read.",
                "reason",
                &labels::quic_unread(),
            )?,
            incomplete_hellos: register.counter(
                "egret_tls_incomplete_hellos_total",
                "TLS ClientHellos that were not whole, read as far as they go.",
            )?,
            dns_responses: register.counters(
                "egret_dns_responses_total",
                "DNS responses read.",
                "rcode",
                &labels::RCODES,
            )?,
            dns_unasked: register.counter(
                "egret_dns_unasked_responses_total",
                "DNS responses with answers that nobody was seen to ask for.",
            )?,
            syslog: Syslog::new(&register)?,
            flows: Flows::new(&register)?,
            audit: Audit::new(&register)?,
            records: Records::new(&register)?,
            events_dropped: register.counters(
                "egret_events_dropped_total",
                "Events and alerts that found no room.",
                "stage",
                &labels::STAGES,
            )?,
            events_late: register.counter(
                "egret_events_late_total",
                "Events that came when later ones had been through detection.",
            )?,
            alerts: register.alerts()?,
            budget: Budget::new(&register)?,
            evidence: Evidence::new(&register)?,
            fleet: Fleet::new(&register)?,
            alerts_delivered: register.counters(
                "egret_alerts_delivered_total",
                "Alerts that a receiver has taken.",
                "target",
                &[],
            )?,
            delivery_failures: register.counters(
                "egret_delivery_failures_total",
                "Attempts to deliver that failed.",
                "target",
                &[],
            )?,
            delivery_pending: register.gauges(
                "egret_delivery_pending",
                "Alerts that wait to be delivered.",
                "target",
            )?,
            delivery_circuit_open: register.gauges(
                "egret_delivery_circuit_open",
                "1 while a target is given time to recover.",
                "target",
            )?,
            assets: assets::Assets::new(register.add(IntCounterVec::new(
                Opts::new("egret_asset_bytes_total", "Bytes on the wire that assets moved."),
                &["asset", "role", "direction"],
            )?)?),
            detection_latency: register.histogram(
                "egret_detection_latency_seconds",
                "Time from the packet to the alert on disk.",
                // Alerts come within the watermark's quarter of a second; volumes within 10 s.
                &[0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0],
            )?,
            interface_up: register.gauges(
                "egret_interface_up",
                "1 while an interface is there and up.",
                "interface",
            )?,
            flows_sides: register.counters(
                "egret_flows_ended_total",
                "TCP conversations that ended, by how many sides of them were seen.",
                "sides",
                &labels::SIDES,
            )?,
            config_reload_successful: register.gauge(
                "egret_config_last_reload_successful",
                "1 when the last load of the config succeeded.",
            )?,
            config_reload_success_time: register.gauge(
                "egret_config_last_reload_success_timestamp_seconds",
                "When the config was last loaded.",
            )?,
            store_failing: register
                .gauge("egret_store_failing", "1 while the database cannot be written.")?,
            registry,
        })
    }

    /// Notes that a config came into effect: at the start, and with each reload that succeeded.
    pub fn config_loaded(&self, at: Timestamp) {
        self.config_reload_successful.set(1);
        self.config_reload_success_time.set(i64::try_from(at.as_secs()).unwrap_or(i64::MAX));
    }

    /// Notes by which of the ways an interface is captured from now on.
    pub fn captured_by(&self, interface: &str, backend: Backend) {
        for way in Backend::ALL.into_iter().filter(|way| *way != Backend::Auto) {
            let gauge = self.capture_backend.with_label_values(&[interface, way.name()]);
            gauge.set(i64::from(way == backend));
        }
    }

    /// The counters of one asset, to be asked for once and kept.
    pub fn asset(&self, name: &str, role: Role) -> AssetBytes {
        self.assets.of(name, role)
    }

    /// All of it in Prometheus' text format.
    ///
    /// # Errors
    /// When a family is inconsistent.
    pub fn text(&self) -> Result<String, prometheus::Error> {
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut text)?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }
}

/// The sum of all series of a family, of counters or gauges.
pub fn sum(family: &impl Collector) -> u64 {
    let families = family.collect();
    let samples = families.iter().flat_map(MetricFamily::get_metric);
    let values =
        samples.map(|sample| sample.get_counter().get_value() + sample.get_gauge().get_value());
    values.sum::<f64>() as u64
}

/// Makes families and registers them.
struct Register<'a>(&'a Registry);

impl Register<'_> {
    fn counter(&self, name: &str, help: &str) -> Result<IntCounter, prometheus::Error> {
        self.add(IntCounter::new(name, help)?)
    }

    fn counters(
        &self,
        name: &str,
        help: &str,
        label: &str,
        known: &[&str],
    ) -> Result<IntCounterVec, prometheus::Error> {
        let family = IntCounterVec::new(Opts::new(name, help), &[label])?;
        for value in known {
            family.with_label_values(&[value]);
        }
        self.add(family)
    }

    fn alerts(&self) -> Result<IntCounterVec, prometheus::Error> {
        let what = Opts::new("egret_alerts_total", "Alerts raised and on disk.");
        let family = IntCounterVec::new(what, &["analytic", "severity"])?;
        for analytic in labels::ANALYTICS {
            for severity in Severity::ALL {
                family.with_label_values(&[analytic, severity.name()]);
            }
        }
        self.add(family)
    }

    fn gauge(&self, name: &str, help: &str) -> Result<IntGauge, prometheus::Error> {
        self.add(IntGauge::new(name, help)?)
    }

    fn gauges(
        &self,
        name: &str,
        help: &str,
        label: &str,
    ) -> Result<IntGaugeVec, prometheus::Error> {
        self.add(IntGaugeVec::new(Opts::new(name, help), &[label])?)
    }

    fn histogram(
        &self,
        name: &str,
        help: &str,
        buckets: &[f64],
    ) -> Result<Histogram, prometheus::Error> {
        self.add(Histogram::with_opts(HistogramOpts::new(name, help).buckets(buckets.to_vec()))?)
    }

    fn add<C: prometheus::core::Collector + Clone + 'static>(
        &self,
        family: C,
    ) -> Result<C, prometheus::Error> {
        self.0.register(Box::new(family.clone()))?;
        Ok(family)
    }
}

#[cfg(test)]
mod tests;
