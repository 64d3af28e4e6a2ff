//! What the mirrors do to the traffic, put together from what all workers count, and told: to the
//! detectors, the log, Prometheus and the status.

use crate::detect::Engine;
use crate::metrics::Metrics;
use crate::metrics::labels::DROPPED;
use crate::mirror::{MirrorFacts, Notable, Recently, Source, SourceFacts};
use crate::status;
use crate::time::Timestamp;

/// What is known of the mirrors.
#[derive(Debug)]
pub(super) struct Mirrors {
    metrics: Metrics,
    /// Names of the interfaces, in the order of the config.
    interfaces: Vec<String>,
    recently: Recently,
    /// What was last said of them together.
    notable: Notable,
    /// What was last said of each source that does what people should know.
    notable_sources: Vec<(Source, Notable)>,
    /// What each worker last counted of its sources.
    workers: Vec<Vec<SourceFacts>>,
}

impl Mirrors {
    pub(super) fn new(metrics: Metrics, interfaces: Vec<String>) -> Self {
        Self {
            metrics,
            interfaces,
            recently: Recently::default(),
            notable: Notable::default(),
            notable_sources: Vec::new(),
            workers: Vec::new(),
        }
    }

    /// A worker has news of its sources.
    pub(super) fn take(&mut self, worker: usize, sources: Vec<SourceFacts>) {
        if self.workers.len() <= worker {
            self.workers.resize_with(worker + 1, Vec::new);
        }
        if let Some(known) = self.workers.get_mut(worker) {
            *known = sources;
        }
    }

    /// Tells how it is now.
    pub(super) fn tell(&mut self, engine: &mut Engine, now: Timestamp) -> status::Mirror {
        let facts = self.recently.take(totals(&self.metrics));
        let sources = self.sources();
        engine.mirror(facts, now);
        engine.sources(&sources, now);
        self.log(&facts);
        self.log_sources(&sources);
        self.gauge(&sources);
        status::Mirror {
            duplicates: facts.duplicate_share(),
            one_sided: facts.one_sided_share(),
            truncated: facts.truncated_share(),
            dropped: facts.dropped_share(),
            sources: sources.iter().map(|known| self.source(known)).collect(),
        }
    }

    fn source(&self, known: &SourceFacts) -> status::MirrorSource {
        status::MirrorSource {
            report: known.recently(&self.interfaces),
            is_well: known.recent.notable().is_none(),
            health: known.recent.predicate(),
        }
    }

    /// All workers' counts of each source together.
    fn sources(&self) -> Vec<SourceFacts> {
        let mut all: Vec<SourceFacts> = Vec::new();
        for of in self.workers.iter().flatten() {
            match all.iter_mut().find(|known| known.source.is(&of.source)) {
                Some(known) => {
                    known.recent.add(&of.recent);
                    known.total.add(&of.total);
                }
                None => all.push(*of),
            }
        }
        for known in &mut all {
            (known.recent, known.total) = (known.recent.rated(), known.total.rated());
        }
        all
    }

    /// One line in the log when the mirror begins to do what people should know, and when it ends.
    fn log(&mut self, facts: &MirrorFacts) {
        let notable = facts.notable().unwrap_or_default();
        if !notable.is_like(&self.notable) {
            say("the mirror", facts, &notable);
            self.notable = notable;
        }
    }

    /// The same of each source, where it says more than what is said of all.
    fn log_sources(&mut self, sources: &[SourceFacts]) {
        for known in sources {
            let notable = known.recent.notable().unwrap_or_default();
            let told = self.notable_sources.iter().position(|(of, _)| of.is(&known.source));
            let said = told.and_then(|place| self.notable_sources.get(place));
            let said = said.map(|(_, notable)| *notable).unwrap_or_default();
            if notable.is_like(&said) {
                continue;
            }
            if let Some(place) = told {
                self.notable_sources.swap_remove(place);
            }
            if notable != Notable::default() {
                self.notable_sources.push((known.source, notable));
            }
            if notable.missing.is_some() || said.missing.is_some() || sources.len() > 1 {
                let name = known.source.name(&self.interfaces).to_string();
                say(&name, &known.recent, &notable);
            }
        }
    }

    /// Of each interface the source that shows least.
    fn gauge(&self, sources: &[SourceFacts]) {
        for (place, name) in (0..).zip(&self.interfaces) {
            let of = sources.iter().filter(|known| known.source.interface == Some(place));
            let one_in = of.filter_map(|known| known.recent.one_in).fold(1.0, f64::max);
            self.metrics.sampled_one_in.with_label_values(&[name]).set(one_in.round() as i64);
        }
    }
}

fn say(name: &str, facts: &MirrorFacts, notable: &Notable) {
    let predicate = facts.predicate();
    if *notable == Notable::default() {
        tracing::info!("{name} {predicate} again");
    } else {
        tracing::warn!("{name} {predicate}; `egret check` says what to do");
    }
}

/// What all workers have counted of the mirror.
fn totals(metrics: &Metrics) -> MirrorFacts {
    let dropped = |reason| metrics.capture_dropped.with_label_values(&[reason]).get();
    let sides = |sides| metrics.flows_sides.with_label_values(&[sides]).get();
    MirrorFacts {
        packets: metrics.capture_packets.get(),
        duplicates: metrics.capture_duplicates.get(),
        truncated: metrics.capture_truncated.get(),
        dropped: DROPPED.into_iter().map(dropped).sum(),
        conversations: sides("one") + sides("both"),
        one_sided: sides("one"),
        ..MirrorFacts::default()
    }
}
