//! `--filter`: a BPF expression compiled with libpcap, for each link type it meets.

use std::fmt;

use pcap::{BpfProgram, Capture, Linktype};

use super::file::CaptureError;
use super::{Burst, Frame, LinkType, Progress, Source, Stats};

/// A source without the frames that a filter drops.
#[derive(Debug)]
pub struct Filtered<S> {
    source: S,
    filter: Filter,
    dropped: u64,
}

impl<S: Source> Filtered<S> {
    /// Drops the frames of `source` for which `filter` does not hold.
    pub const fn new(source: S, filter: Filter) -> Self {
        Self { source, filter, dropped: 0 }
    }
}

impl<S: Source> Source for Filtered<S> {
    fn burst<'a>(&'a mut self, burst: &mut Burst<'a>) -> Result<Progress, CaptureError> {
        let progress = self.source.burst(burst)?;
        let before = burst.len();
        burst.retain(|frame| self.filter.matches(frame));
        self.dropped += (before - burst.len()) as u64;
        Ok(progress)
    }

    fn stats(&self) -> Stats {
        let mut stats = self.source.stats();
        stats.filtered += self.dropped;
        stats.notes.extend(self.filter.misfits().map(ToString::to_string));
        stats
    }
}

/// A filter expression of pcap-filter(7), with its program for each link type met so far.
///
/// libpcap gets what was captured of a frame and no more: `len`, `greater` and `less` test the
/// captured length, not the length on the wire.
pub struct Filter {
    expression: String,
    /// One a supported link type at most.
    programs: Vec<(LinkType, Result<BpfProgram, FilterError>)>,
}

/// Why a filter cannot be used.
#[derive(Debug, Clone, thiserror::Error)]
#[error("filter \"{expression}\" does not fit link type {}: {reason}; see pcap-filter(7)", link.0)]
pub struct FilterError {
    expression: String,
    link: LinkType,
    reason: String,
}

impl Filter {
    /// Compiles `expression` for frames of type `link`, and for those of other types when they
    /// come. Where it does not fit these it does not hold, which [`Stats::notes`] tells.
    ///
    /// # Errors
    /// When libpcap refuses the expression for `link`.
    pub fn compile(expression: &str, link: LinkType) -> Result<Self, FilterError> {
        let program = compile(expression, link)?;
        Ok(Self { expression: expression.to_owned(), programs: vec![(link, Ok(program))] })
    }

    /// Whether the expression holds for a frame.
    ///
    /// A frame of a link type that is not decoded passes, so that its refusal is counted.
    pub fn matches(&mut self, frame: &Frame<'_>) -> bool {
        if !frame.link.is_supported() {
            return true;
        }
        let program = match self.programs.iter().find(|(link, _)| *link == frame.link) {
            Some((_, program)) => program,
            None => {
                let program = compile(&self.expression, frame.link);
                &self.programs.push_mut((frame.link, program)).1
            }
        };
        program.as_ref().is_ok_and(|program| program.filter(frame.bytes))
    }

    /// Link types that came and that the expression does not fit.
    fn misfits(&self) -> impl Iterator<Item = &FilterError> {
        self.programs.iter().filter_map(|(_, program)| program.as_ref().err())
    }
}

impl fmt::Debug for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Filter").field("expression", &self.expression).finish_non_exhaustive()
    }
}

fn compile(expression: &str, link: LinkType) -> Result<BpfProgram, FilterError> {
    // libpcap counts link types as the system does, where raw IP has another number.
    let native = match link {
        LinkType::RAW | LinkType::RAW_OPENBSD => LinkType::RAW_BSD,
        link => link,
    };
    Capture::dead(Linktype(native.0.into()))
        .and_then(|capture| capture.compile(expression, true))
        .map_err(|error| {
            let (expression, reason) = (expression.to_owned(), reason(error));
            FilterError { expression, link, reason }
        })
}

/// What libpcap said, in its own words and in a line.
fn reason(error: pcap::Error) -> String {
    let said = match error {
        pcap::Error::PcapError(said) => said,
        other => other.to_string(),
    };
    said.lines().collect::<Vec<_>>().join(" ")
}
