//! Why a capture file cannot be read, in a line that says what to do about it.

use std::io;

use crate::text::reason;

/// Why a capture cannot be read at all, or not any further.
///
/// A capture that only ends early is none of these: see [`Stats::notes`](crate::capture::Stats).
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// Missing, or not ours to read.
    #[error("{name}: cannot be opened: {}; {}", reason(source), advice(source))]
    Open {
        /// The file, as it was given.
        name: String,
        /// What the system said.
        source: io::Error,
    },
    /// A directory.
    #[error("{name}: is a directory; give the capture files in it, such as {name}/*.pcap")]
    Directory {
        /// The directory, as it was given.
        name: String,
    },
    /// Nothing in it.
    #[error(
        "{name}: is empty{unpacked}; expected a pcap or pcapng capture: was it written to the end?"
    )]
    Empty {
        /// The file, as it was given.
        name: String,
        /// Where there is nothing, when not in the file itself.
        unpacked: String,
    },
    /// Content of another kind.
    #[error(
        "{name}: is no capture: starts with \"{seen}\"{unpacked}; expected pcap or pcapng, plain or in gzip, zstd or lz4"
    )]
    Unrecognised {
        /// The file, as it was given.
        name: String,
        /// Its first bytes, escaped.
        seen: String,
        /// Where those bytes were found, when not in the file itself.
        unpacked: String,
    },
    /// A capture whose file header is cut or damaged, so that no packet of it can be read.
    #[error(
        "{name}: the {format} file header cannot be read: {reason}; copy it again, or convert it with editcap"
    )]
    Header {
        /// The file, as it was given.
        name: String,
        /// `pcap` or `pcapng`.
        format: &'static str,
        /// What was expected and seen.
        reason: String,
    },
    /// Compressed data that break before the capture in them begins.
    #[error(
        "{name}: the {packing} data cannot be unpacked: {}; copy the file again",
        reason(source)
    )]
    Unpack {
        /// The file, as it was given.
        name: String,
        /// `gzip`, `zstd` or `lz4`.
        packing: &'static str,
        /// What the decoder said.
        source: io::Error,
    },
    /// The system failed to read further.
    #[error(
        "{name}: cannot be read beyond byte {offset}: {}; check the disk or the sender",
        reason(source)
    )]
    Read {
        /// The file, as it was given.
        name: String,
        /// Bytes of the capture read until then.
        offset: u64,
        /// What the system said.
        source: io::Error,
    },
}

/// What to do about a file that cannot be opened.
fn advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::NotFound => "check the path, or give - to read standard input",
        io::ErrorKind::PermissionDenied => {
            "let this user read it, or run egret as one who may read it"
        }
        _ => "give a capture file, or - to read standard input",
    }
}
