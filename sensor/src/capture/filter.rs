//! `--filter`: a BPF expression compiled with libpcap, for each link type it meets.

use std::fmt;

use pcap::{BpfProgram, Capture, Linktype};

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
    type Error = S::Error;

    fn burst<'a>(&'a mut self, burst: &mut Burst<'a>) -> Result<Progress, S::Error> {
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
#[error("filter {expression:?} cannot be used on link type {}: {reason}; see pcap-filter(7)", link.0)]
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::file::CaptureError;
    use crate::time::Timestamp;

    /// An IPv4 packet from 10.0.0.1 to 10.0.0.2 with the start of a UDP header, port 53.
    const IP: [u8; 28] = [
        0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 0xc0, 0, 0, 53, 0, 8,
        0, 0,
    ];

    fn ethernet() -> Vec<u8> {
        [&[2; 12][..], &[0x08, 0x00], &IP].concat()
    }

    fn frame(link: LinkType, bytes: &[u8]) -> Frame<'_> {
        Frame { time: Timestamp::ZERO, wire_len: 1500, link, vlan: None, mark: None, bytes }
    }

    #[test]
    fn the_program_fits_the_link_type_of_each_frame() {
        let mut filter = Filter::compile("udp dst port 53", LinkType::ETHERNET).unwrap();
        let ethernet = ethernet();
        assert!(filter.matches(&frame(LinkType::ETHERNET, &ethernet)));
        for link in [LinkType::RAW, LinkType::RAW_BSD, LinkType::RAW_OPENBSD, LinkType::IPV4] {
            assert!(filter.matches(&frame(link, &IP)), "{link:?}");
            assert!(!filter.matches(&frame(link, &ethernet)), "{link:?}");
        }
        assert!(!filter.matches(&frame(LinkType::ETHERNET, &ethernet[..20])), "cut");
        assert!(!filter.matches(&frame(LinkType::ETHERNET, &[])), "empty");
        assert_eq!(filter.misfits().count(), 0);
    }

    #[test]
    fn a_wrong_expression_is_quoted_with_what_is_wrong() {
        for expression in ["udp prot 53", "tcp and", "a\0b"] {
            let error = Filter::compile(expression, LinkType::ETHERNET).unwrap_err().to_string();
            assert!(error.starts_with(&format!("filter {expression:?} cannot be used")), "{error}");
            assert!(!error.contains('\n'), "{error}");
        }
    }

    #[test]
    fn where_an_expression_does_not_fit_it_does_not_hold_and_is_noted() {
        let mut filter = Filter::compile("udp or vlan 5", LinkType::ETHERNET).unwrap();
        assert!(filter.matches(&frame(LinkType::ETHERNET, &ethernet())));
        assert!(!filter.matches(&frame(LinkType::RAW, &IP)));
        assert!(!filter.matches(&frame(LinkType::RAW, &IP)));
        let misfits: Vec<_> = filter.misfits().map(ToString::to_string).collect();
        assert_eq!(misfits.len(), 1);
        assert!(misfits[0].contains("link type 101: no VLAN support"), "{misfits:?}");
    }

    #[test]
    fn frames_that_are_not_decoded_pass() {
        let mut filter = Filter::compile("udp", LinkType::ETHERNET).unwrap();
        assert!(filter.matches(&frame(LinkType(147), &[0; 40])));
    }

    #[test]
    fn lengths_are_those_captured() {
        let mut filter = Filter::compile("greater 100", LinkType::ETHERNET).unwrap();
        assert!(!filter.matches(&frame(LinkType::ETHERNET, &ethernet())));
    }

    /// Gives one burst of three frames, whatever is asked.
    struct Three(Vec<u8>, Option<Progress>);

    impl Source for Three {
        type Error = CaptureError;

        fn burst<'a>(&'a mut self, burst: &mut Burst<'a>) -> Result<Progress, CaptureError> {
            let Some(progress) = self.1.take() else { return Ok(Progress::End) };
            burst.extend(
                [&self.0[..20], &self.0, &[]].map(|bytes| frame(LinkType::ETHERNET, bytes)),
            );
            Ok(progress)
        }

        fn stats(&self) -> Stats {
            Stats { frames: 3, ..Stats::default() }
        }
    }

    #[test]
    fn a_filtered_source_counts_what_it_drops() {
        let filter = Filter::compile("port 53", LinkType::ETHERNET).unwrap();
        let mut source = Filtered::new(Three(ethernet(), Some(Progress::More)), filter);
        {
            let mut burst = Burst::new();
            assert_eq!(source.burst(&mut burst).unwrap(), Progress::More);
            assert_eq!(burst.len(), 1);
        }
        assert_eq!(source.burst(&mut Burst::new()).unwrap(), Progress::End);
        assert_eq!((source.stats().frames, source.stats().filtered), (3, 2));
    }
}
