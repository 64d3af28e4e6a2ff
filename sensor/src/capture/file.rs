//! Capture files: pcap and pcapng, plain over a memory map, compressed or from a pipe through a stream.

/// Why a capture file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {}
