//! Capture files in the classic pcap format
//! (<https://datatracker.ietf.org/doc/draft-ietf-opsawg-pcap/>), little endian, Ethernet.

use std::io::{self, Write};

use super::Frame;

/// How fine a capture's timestamps are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolution {
    /// Microseconds, as tcpdump writes them.
    Micros,
    /// Nanoseconds.
    Nanos,
}

/// A capture file that is being written. Give it a buffered writer.
#[derive(Debug)]
pub struct Capture<W> {
    out: W,
    resolution: Resolution,
}

impl<W: Write> Capture<W> {
    /// Starts a capture file.
    ///
    /// # Errors
    /// When `out` cannot be written.
    pub fn new(mut out: W, resolution: Resolution) -> io::Result<Self> {
        const SNAPLEN: u32 = 262_144;
        const ETHERNET: u32 = 1;
        let magic: u32 = match resolution {
            Resolution::Micros => 0xa1b2_c3d4,
            Resolution::Nanos => 0xa1b2_3c4d,
        };
        let mut header = [0; 24];
        header[0..4].copy_from_slice(&magic.to_le_bytes());
        header[4..6].copy_from_slice(&2u16.to_le_bytes());
        header[6..8].copy_from_slice(&4u16.to_le_bytes());
        header[16..20].copy_from_slice(&SNAPLEN.to_le_bytes());
        header[20..24].copy_from_slice(&ETHERNET.to_le_bytes());
        out.write_all(&header)?;
        Ok(Self { out, resolution })
    }

    /// Writes a frame captured `time` nanoseconds after the epoch.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn frame(&mut self, time: u64, frame: &Frame) -> io::Result<()> {
        self.record(time, frame.bytes(), frame.wire_len())
    }

    /// Writes captured `bytes` of a frame that was `wire_len` long.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn record(&mut self, time: u64, bytes: &[u8], wire_len: u32) -> io::Result<()> {
        let fraction = time % 1_000_000_000;
        let fraction = match self.resolution {
            Resolution::Micros => fraction / 1000,
            Resolution::Nanos => fraction,
        };
        let mut header = [0; 16];
        header[0..4].copy_from_slice(&((time / 1_000_000_000) as u32).to_le_bytes());
        header[4..8].copy_from_slice(&(fraction as u32).to_le_bytes());
        header[8..12].copy_from_slice(&(bytes.len() as u32).to_le_bytes());
        header[12..16].copy_from_slice(&wire_len.to_le_bytes());
        self.out.write_all(&header)?;
        self.out.write_all(bytes)
    }

    /// Ends the file and gives the writer back.
    ///
    /// # Errors
    /// When what is still buffered cannot be written.
    pub fn finish(mut self) -> io::Result<W> {
        self.out.flush()?;
        Ok(self.out)
    }
}

/// Divides a capture that [`Capture`] wrote: records that `is_first` holds for, by their time and
/// bytes, and the others. Both parts are whole captures.
pub fn split(capture: &[u8], mut is_first: impl FnMut(u64, &[u8]) -> bool) -> [Vec<u8>; 2] {
    let (header, mut rest) = capture.split_at(24);
    let unit = if header[..4] == 0xa1b2_3c4d_u32.to_le_bytes() { 1 } else { 1000 };
    let mut parts = [header.to_vec(), header.to_vec()];
    while !rest.is_empty() {
        let word = |at: usize| u32::from_le_bytes(rest[at..at + 4].try_into().unwrap());
        let time = u64::from(word(0)) * 1_000_000_000 + u64::from(word(4)) * unit;
        let (record, after) = rest.split_at(16 + word(8) as usize);
        let part = usize::from(!is_first(time, &record[16..]));
        parts[part].extend_from_slice(record);
        rest = after;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_capture_are_captures() {
        for resolution in [Resolution::Micros, Resolution::Nanos] {
            let write = |times: &[u64]| {
                let mut capture = Capture::new(Vec::new(), resolution).unwrap();
                for &time in times {
                    capture.record(time, &time.to_le_bytes(), 9).unwrap();
                }
                capture.finish().unwrap()
            };
            let times = [1_000, 2_000, 3_000_000_000, 4_000_000_000];
            let whole = write(&times);
            let by_time = split(&whole, |time, _| time < 3_000_000_000);
            assert_eq!(by_time, [write(&times[..2]), write(&times[2..])]);
            let by_bytes = split(&whole, |_, bytes| bytes[..2] == [0xd0, 0x07]);
            assert_eq!(by_bytes, [write(&[2_000]), write(&[1_000, 3_000_000_000, 4_000_000_000])]);
        }
    }

    #[test]
    fn the_headers_say_what_the_format_says() {
        let mut capture = Capture::new(Vec::new(), Resolution::Micros).unwrap();
        capture.record(3_000_000_000 * 1_000_000_000 + 5_678_999, &[1, 2, 3], 1500).unwrap();
        let file = capture.finish().unwrap();
        let word = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().unwrap());
        assert_eq!((word(0), word(4), word(20)), (0xa1b2_c3d4, 0x0004_0002, 1));
        assert_eq!((word(24), word(28), word(32), word(36)), (3_000_000_000, 5678, 3, 1500));
        assert_eq!(&file[40..], [1, 2, 3]);
        let nanos = Capture::new(Vec::new(), Resolution::Nanos).unwrap().finish().unwrap();
        assert_eq!(nanos[0..4], 0xa1b2_3c4d_u32.to_le_bytes());
    }
}
