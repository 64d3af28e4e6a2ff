//! `egret read`: capture and log files through the whole path, on the time they carry.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::PathBuf;

use super::evidence;
use super::output::{Lines, OutputError, Outputs, write_alert};
use super::path::{Copies, MAX_FLOWS, Path};
use super::progress::Progress;
use crate::alert::format::{Style, human};
use crate::capture::filter::{Filter, FilterError, Filtered};
use crate::capture::{self, Burst, LinkType, Source, file};
use crate::cli::{self, Exit, Failure, Stream};
use crate::config::{Config, Role};
use crate::detect::Engine;
use crate::eve;
use crate::flow;
use crate::intake::files::{self, LogFileError};
use crate::intake::join::Join;
use crate::logging::has_colour;
use crate::mirror::{SourceFacts, corrected};
use crate::observe::Wanted;
use crate::report::{AssetCount, HeldAlert, MirroredPair, Summary};
use crate::store::{Store, StoreError};
use crate::text::{file_name, grouped, reason};
use crate::time::{ByteSize, Timestamp};

/// Of the words that copies are recognised by: a capture that is read twice tells the same. Who writes a
/// capture for it can at most hide volumes of its own.
const SEED: u64 = 0;

/// Why a reading failed.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// A capture could not be read.
    #[error(transparent)]
    Capture(#[from] file::CaptureError),
    /// A log file could not be opened.
    #[error(transparent)]
    Logs(#[from] LogFileError),
    /// The filter does not compile.
    #[error(transparent)]
    Filter(#[from] FilterError),
    /// A result could not be written.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// What was learned cannot be loaded or kept.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no memory for the flow table.
    #[error("no memory for the flow table: {0}")]
    Memory(io::Error),
    /// Stdout could not be written.
    #[error("stdout: cannot write results: {}; check where it leads, and the free space", reason(.0))]
    Stdout(io::Error),
}

impl Failure for ReadError {
    // A filter that does not compile is bad usage; the reader of a pipe may leave when it has seen
    // enough.
    fn exit(&self) -> Exit {
        match self {
            Self::Filter(_) => Exit::Usage,
            Self::Output(error) if error.is_broken_pipe() => Exit::Done,
            Self::Stdout(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Done,
            _ => Exit::Failed,
        }
    }
}

/// Reads the captures and log files, writes what was asked for, and tells people.
///
/// # Errors
/// When a capture or a log file cannot be opened, a filter not compiled, or a result not written.
pub fn read(arguments: &cli::Read, config: &Config, quiet: bool) -> Result<Exit, ReadError> {
    let files = file::open(&arguments.files.iter().map(path_of).collect::<Vec<_>>())?;
    let logs = files::open(&arguments.syslog, &arguments.audit)?;
    // Before outputs are opened: what a file held is not lost to a mistyped filter.
    let link = files.link().unwrap_or(LinkType::ETHERNET);
    let filter = arguments.filter.as_deref();
    let filter = filter.map(|expression| Filter::compile(expression, link)).transpose()?;
    let mut store = arguments.state.as_deref().map(Store::open).transpose()?;
    if let Some(moved) = store.as_ref().and_then(Store::quarantined) {
        tracing::warn!(
            "the database was damaged and is now {}; learning starts anew",
            file_name(moved)
        );
    }
    let known = store.as_ref().map(Store::baseline).transpose()?.flatten();
    let output = &arguments.output;
    let wanted = if output.events.is_some() { Wanted::All } else { Wanted::ForDetectors };
    let mut reading = Reading {
        path: Path::new(wanted, MAX_FLOWS, Copies::Count, Some(SEED)).map_err(ReadError::Memory)?,
        outputs: Outputs {
            engine: Engine::new(config, arguments.learn, known),
            logs,
            join: Join::default(),
            writer: eve::Writer::default(),
            events: output.events.as_ref().map(|to| Lines::create(to, "events")).transpose()?,
            alerts: output.alerts.as_ref().map(|to| Lines::create(to, "alerts")).transpose()?,
            raised: Vec::new(),
            held: Vec::new(),
            asked: None,
        },
        evidence: None,
        progress: Progress::new(!quiet),
    };
    if let Some(directory) = &arguments.state {
        reading.keep_evidence(evidence::Files::open(directory, &config.evidence), config);
    }
    let stats = match filter {
        None => reading.pump(files)?,
        Some(filter) => reading.pump(Filtered::new(files, filter))?,
    };
    let summary = reading.finish(&stats)?;
    if let Some(store) = &mut store {
        store.save_baseline(&reading.outputs.engine.baseline())?;
    }
    let alerted = arguments
        .fail_on
        .is_some_and(|least| reading.outputs.raised.iter().any(|alert| alert.severity >= least));
    let told = reading.tell(output, &summary, quiet);
    // The process is about to end: giving some hundred megabytes back piece by piece helps nobody.
    std::mem::forget(reading);
    match told {
        // Whoever has seen enough may still ask what was raised.
        Err(error) if error.exit() == Exit::Done => {}
        told => told?,
    }
    Ok(if alerted { Exit::Alerted } else { Exit::Done })
}

fn path_of(stream: &Stream) -> PathBuf {
    match stream {
        Stream::Standard => PathBuf::from("-"),
        Stream::File(path) => path.clone(),
    }
}

/// Layer and reason of records that say they are a packet and cannot be read as one.
const UNREADABLE: (&str, &str) = ("capture", "unreadable_record");

/// What people should know about the packets themselves.
fn notes(flows: &flow::Stats) -> Vec<String> {
    let backwards = (flows.time_backwards > 0).then(|| {
        let count = grouped(flows.time_backwards);
        format!(
            "{count} packets are earlier than one before them; their time counted as that one's"
        )
    });
    let forgotten = (flows.streams_evicted > 0).then(|| {
        let count = grouped(flows.streams_evicted);
        format!("{count} unfinished openings were given up to bound memory; their TLS or DNS was not read")
    });
    backwards.into_iter().chain(forgotten).collect()
}

/// What people should know about the mirror that the capture was taken from.
fn mirror_notes(sources: &[SourceFacts]) -> Vec<String> {
    let note = |known: &SourceFacts| {
        let notable = known.total.notable()?;
        let mut note = format!("{} {}", known.source.name(&[]), known.total.predicate());
        if notable.duplicates.is_some() {
            note += "; detectors leave second copies out, `flow` events count them";
        }
        if let Some(one_in) = known.total.one_in {
            let bytes = known.total.estimated_bytes();
            note += &format!("; about {} in all: {}", ByteSize(bytes), corrected(bytes, one_in));
        }
        Some(note)
    };
    sources.iter().filter_map(note).collect()
}

/// A reading under way.
struct Reading {
    path: Path,
    outputs: Outputs,
    /// The packets of alerts, where they are kept.
    evidence: Option<evidence::Files>,
    progress: Progress,
}

impl Reading {
    /// Keeps the packets of alerts in these files, if any.
    fn keep_evidence(&mut self, files: Option<evidence::Files>, config: &Config) {
        if files.is_some() {
            self.path.remember(config.evidence.memory);
            self.outputs.asked = Some(Vec::new());
        }
        self.evidence = files;
    }

    /// Takes everything the source has through the path.
    fn pump(
        &mut self,
        mut source: impl Source<Error = file::CaptureError>,
    ) -> Result<capture::Stats, ReadError> {
        while self.burst(&mut source)? == capture::Progress::More {
            self.outputs.check()?;
            self.progress.burst(|| source.stats());
        }
        self.progress.clear();
        Ok(source.stats())
    }

    fn burst(
        &mut self,
        source: &mut impl Source<Error = file::CaptureError>,
    ) -> Result<capture::Progress, ReadError> {
        let mut burst = Burst::new();
        let progress = source.burst(&mut burst)?;
        if let Some(first) = burst.first().filter(|_| self.path.frames == 0) {
            self.outputs.begin(first.time);
        }
        self.path.burst(&burst, &mut self.outputs);
        if let (Some(files), Some(recent)) = (&mut self.evidence, &self.path.recent) {
            let asked = self.outputs.asked.as_mut().map(std::mem::take).unwrap_or_default();
            files.look(recent, asked, self.path.now);
        }
        Ok(progress)
    }

    /// Ends flows, detectors and files.
    fn finish(&mut self, stats: &capture::Stats) -> Result<Summary, ReadError> {
        self.path.finish(&mut self.outputs);
        self.outputs.finish();
        if let (Some(files), Some(recent)) = (&mut self.evidence, &self.path.recent) {
            files.finish(recent, self.outputs.asked.take().unwrap_or_default());
        }
        self.outputs.check()?;
        let summary = self.summary(stats);
        if let Some(mut events) = self.outputs.events.take() {
            let (_, end) = self.path.span.unwrap_or((Timestamp::ZERO, Timestamp::ZERO));
            let mut refused = eve::Refused::new();
            for (refusal, count) in self.path.refusals.iter() {
                refused.entry(refusal.layer()).or_default().insert(refusal.reason(), count);
            }
            if stats.invalid > 0 {
                refused.entry(UNREADABLE.0).or_default().insert(UNREADABLE.1, stats.invalid);
            }
            let decoder = eve::Decoder {
                pkts: self.path.frames + stats.invalid,
                bytes: self.path.wire_bytes,
                invalid: self.path.refusals.malformed() + stats.invalid,
            };
            let stats = eve::Stats { decoder, ..eve::Stats::default() };
            let sources = self.path.table.sources();
            let mirror: Vec<_> = sources.iter().map(|known| known.in_all(&[])).collect();
            events.write(|buffer| {
                eve::write_anomalies(end, self.path.refusals.iter(), buffer);
                eve::write_stats(end, &stats, &refused, &mirror, buffer);
            });
            events.close()?;
        }
        if let Some(alerts) = self.outputs.alerts.take() {
            alerts.close()?;
        }
        Ok(summary)
    }

    fn summary(&self, stats: &capture::Stats) -> Summary {
        let counts = self.path.reader.counts();
        let flows = self.path.table.stats();
        let mut alerts = BTreeMap::new();
        for alert in &self.outputs.raised {
            *alerts.entry(alert.severity).or_default() += 1;
        }
        let unreadable = (stats.invalid > 0).then_some((UNREADABLE, stats.invalid));
        Summary {
            packets: self.path.frames + stats.invalid,
            wire_bytes: self.path.wire_bytes,
            refused: self
                .path
                .refusals
                .iter()
                .map(|(refusal, count)| ((refusal.layer(), refusal.reason()), count))
                .chain(unreadable)
                .collect(),
            flows: flows.opened,
            flow_evictions: flows.evicted,
            capture: self.path.span,
            client_hellos: counts.client_hellos,
            snis: counts.with_sni,
            cut_hellos: counts.cut_hellos,
            refused_hellos: counts.refused_hellos,
            dns_responses: counts.dns_responses(),
            dns_answers: counts.dns_answers,
            logs: [self.path.reader.log_counts(), self.outputs.logs.counts()].into_iter().sum(),
            audit: self.outputs.logs.audit_counts(),
            flow_records: self.outputs.engine.flow_records(),
            assets: self.assets(),
            alerts,
            held: self.outputs.held.iter().map(HeldAlert::of).collect(),
            wall: self.progress.elapsed(),
            mirrored: self.mirrored(),
            notes: [
                stats.notes.clone(),
                self.outputs.logs.notes().to_vec(),
                notes(&flows),
                mirror_notes(&self.path.table.sources()),
                self.evidence.iter().filter_map(evidence::Files::note).collect(),
            ]
            .concat(),
        }
    }

    /// What was seen of mirrored traffic.
    fn mirrored(&self) -> Vec<MirroredPair> {
        let pairs = self.path.reader.mirrors().in_all().into_iter();
        pairs.map(|(pair, traffic, copies)| MirroredPair { pair, traffic, copies }).collect()
    }

    /// How many assets of each role there are.
    fn assets(&self) -> Vec<AssetCount> {
        let count = |role, configured| {
            let assets = self.outputs.engine.inventory().assets();
            assets.filter(|(_, asset)| asset.role == role && asset.configured == configured).count()
                as u64
        };
        let counts = Role::ALL.map(|role| AssetCount {
            role,
            configured: count(role, true),
            discovered: count(role, false),
        });
        counts.into_iter().filter(|count| count.configured + count.discovered > 0).collect()
    }

    /// Prints alerts and summary: on stdout, or on stderr where stdout is taken.
    fn tell(&self, output: &cli::Output, summary: &Summary, quiet: bool) -> Result<(), ReadError> {
        let (mut to, colour): (Box<dyn Write>, bool) = if output.takes_stdout() {
            (Box::new(io::stderr()), has_colour(&io::stderr()))
        } else {
            (Box::new(io::stdout()), has_colour(&io::stdout()))
        };
        let mut text = Vec::new();
        for alert in &self.outputs.raised {
            if output.json {
                write_alert(alert, &mut text);
            } else {
                let style = if colour { Style::Colour } else { Style::Plain };
                text.extend_from_slice(human(alert, style).to_string().as_bytes());
            }
        }
        match (quiet, output.json) {
            (true, _) => {}
            (false, true) => text.extend_from_slice(format!("{}\n", summary.json()).as_bytes()),
            (false, false) => text.extend_from_slice(summary.text().to_string().as_bytes()),
        }
        to.write_all(&text).and_then(|()| to.flush()).map_err(ReadError::Stdout)
    }
}
