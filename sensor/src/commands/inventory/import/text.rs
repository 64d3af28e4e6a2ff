//! The bytes of an export as text: whichever encoding and separator wrote it, a record at a time.
//!
//! RVTools and Excel write UTF-8 with a byte order mark, UTF-16 with one, or the code page of the
//! machine; the separator is the one of its region. Nothing is read whole: a record is bounded,
//! and so is what is held of the file.

use std::cell::Cell;
use std::io::{self, BufReader, Cursor, Read};
use std::rc::Rc;

use csv::{ByteRecord, ReaderBuilder, Terminator};

/// The most bytes of one record: an RVTools line has two kilobytes, annotations included.
pub(super) const MAX_RECORD: usize = 1 << 20;

/// How far the first line is looked for.
const MAX_HEADER: u64 = 64 << 10;

/// The separators that are told apart, the likeliest first.
const SEPARATORS: [u8; 3] = [b',', b';', b'\t'];

type Text<'a> = Box<dyn Read + 'a>;
/// Which byte of a UTF-16 unit comes first.
type Order = fn([u8; 2]) -> u16;

/// The records of an export.
pub(super) struct Records<'a> {
    reader: csv::Reader<Budget<Text<'a>>>,
    left: Rc<Cell<usize>>,
    record: ByteRecord,
    /// Lines in front of the header that are no record.
    skipped: u64,
}

/// One record: where it began, and its cells.
pub(super) struct Record {
    pub(super) line: u64,
    pub(super) cells: Vec<String>,
}

impl<'a> Records<'a> {
    /// Tells the encoding and the separator.
    pub(super) fn new(input: impl Read + 'a) -> io::Result<Self> {
        let mut text = decoded(input)?;
        let mut start = Vec::new();
        text.by_ref().take(MAX_HEADER).read_to_end(&mut start)?;
        let (separator, skipped) = separator(&start);
        start.drain(..skipped);
        let left = Rc::new(Cell::new(MAX_RECORD));
        // With an end of line at the very end, and `\n` alone ending records, every record's lines
        // can be counted back from where it ended. A `\r` in front goes with the blanks of a cell.
        let text: Text<'a> = Box::new(Cursor::new(start).chain(text).chain(&b"\n"[..]));
        let reader = ReaderBuilder::new()
            .delimiter(separator)
            .terminator(Terminator::Any(b'\n'))
            .has_headers(false)
            .flexible(true)
            .from_reader(Budget { inner: text, left: Rc::clone(&left) });
        Ok(Self { reader, left, record: ByteRecord::new(), skipped: u64::from(skipped > 0) })
    }

    /// The next record that is not empty.
    pub(super) fn next(&mut self) -> io::Result<Option<Record>> {
        loop {
            self.left.set(MAX_RECORD);
            let line = self.reader.position().line().saturating_add(self.skipped);
            let more = self.reader.read_byte_record(&mut self.record).map_err(|error| {
                let said = error.to_string();
                match error.into_kind() {
                    csv::ErrorKind::Io(error) if error.kind() == io::ErrorKind::InvalidData => {
                        io::Error::new(error.kind(), format!("line {line}: {error}"))
                    }
                    csv::ErrorKind::Io(error) => error,
                    _ => io::Error::other(said),
                }
            })?;
            if !more {
                return Ok(None);
            }
            let within =
                self.record.as_slice().iter().filter(|byte| **byte == b'\n').count() as u64;
            let end = self.reader.position().line().saturating_add(self.skipped);
            let line = end.saturating_sub(1 + within);
            let cells: Vec<_> = self.record.iter().map(cell).collect();
            if cells.iter().any(|cell| !cell.is_empty()) {
                return Ok(Some(Record { line, cells }));
            }
        }
    }
}

/// A cell's text without the blanks around it. What is not UTF-8 was written in the code page of
/// western Windows, whose letters and most signs are those of Latin-1.
fn cell(bytes: &[u8]) -> String {
    match str::from_utf8(bytes) {
        Ok(text) => text.trim().to_owned(),
        Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect::<String>().trim().to_owned(),
    }
}

/// The text behind the byte order mark, as UTF-8 where there is one.
fn decoded<'a>(mut input: impl Read + 'a) -> io::Result<Text<'a>> {
    let mut mark = Vec::new();
    input.by_ref().take(3).read_to_end(&mut mark)?;
    let (order, rest): (Option<Order>, &[u8]) = match mark.as_slice() {
        [0xff, 0xfe, rest @ ..] => (Some(u16::from_le_bytes), rest),
        [0xfe, 0xff, rest @ ..] => (Some(u16::from_be_bytes), rest),
        [0xef, 0xbb, 0xbf] => (None, &[]),
        [b'P', b'K', ..] => {
            let advice = "is an Excel workbook; in RVTools export with \"Export all to csv\", or \
                          save each sheet as CSV";
            return Err(io::Error::new(io::ErrorKind::InvalidData, advice));
        }
        all => (None, all),
    };
    let bytes = Cursor::new(rest.to_vec()).chain(input);
    Ok(match order {
        Some(order) => Box::new(Utf16 {
            bytes: BufReader::new(bytes),
            order,
            high: None,
            ready: Cursor::default(),
        }),
        None => Box::new(bytes),
    })
}

/// UTF-16 read as UTF-8. What is no character comes out as U+FFFD.
struct Utf16<R> {
    bytes: BufReader<R>,
    order: Order,
    /// The first half of a pair whose second half is yet to be read.
    high: Option<u16>,
    ready: Cursor<Vec<u8>>,
}

impl<R: Read> Read for Utf16<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        const UNITS: u64 = 2048;
        loop {
            let read = self.ready.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            let mut bytes = Vec::new();
            self.bytes.by_ref().take(2 * UNITS).read_to_end(&mut bytes)?;
            let (pairs, odd) = bytes.as_chunks::<2>();
            let mut units: Vec<u16> = self.high.take().into_iter().collect();
            units.extend(pairs.iter().map(|pair| (self.order)(*pair)));
            if odd.is_empty() && !pairs.is_empty() {
                self.high = units.pop_if(|last| matches!(last, 0xd800..0xdc00));
            }
            let mut text: String = char::decode_utf16(units)
                .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
                .collect();
            text.extend(odd.first().map(|_| char::REPLACEMENT_CHARACTER));
            if text.is_empty() && self.high.is_none() {
                return Ok(0);
            }
            self.ready = Cursor::new(text.into_bytes());
        }
    }
}

/// The separator of the first line, and how many bytes in front of the header only name it:
/// Excel takes a first line such as `sep=;` as its word.
fn separator(start: &[u8]) -> (u8, usize) {
    let end = start.iter().position(|byte| *byte == b'\n').map_or(start.len(), |at| at + 1);
    let line = start.get(..end).unwrap_or_default();
    if let [b's' | b'S', b'e' | b'E', b'p' | b'P', b'=', separator, rest @ ..] = line
        && rest.trim_ascii().is_empty()
        && SEPARATORS.contains(separator)
    {
        return (*separator, end);
    }
    let mut quoted = false;
    let mut counts = SEPARATORS.map(|separator| (separator, 0_usize));
    for byte in line {
        quoted ^= *byte == b'"';
        for (separator, count) in &mut counts {
            *count += usize::from(!quoted && byte == separator);
        }
    }
    // Of equals the first: `max_by_key` would take the last.
    let best = counts.into_iter().rev().max_by_key(|(_, count)| *count);
    (best.map_or(b',', |(separator, _)| separator), 0)
}

/// Refuses to read more than a record may have.
struct Budget<R> {
    inner: R,
    left: Rc<Cell<usize>>,
}

impl<R: Read> Read for Budget<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.left.get();
        if left == 0 {
            let advice = "longer than 1 MiB; is a quote not closed, or is this no CSV?";
            return Err(io::Error::new(io::ErrorKind::InvalidData, advice));
        }
        let most = buffer.len().min(left);
        let read = self.inner.read(buffer.get_mut(..most).unwrap_or_default())?;
        self.left.set(left - read);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(bytes: &[u8]) -> Vec<(u64, Vec<String>)> {
        let mut records = Records::new(bytes).unwrap();
        std::iter::from_fn(|| records.next().unwrap())
            .map(|record| (record.line, record.cells))
            .collect()
    }

    fn utf16(text: &str, order: fn(u16) -> [u8; 2]) -> Vec<u8> {
        std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(order).collect()
    }

    #[test]
    fn every_encoding_gives_the_same_cells() {
        let text = "VM;Host\n\"Zürich-01\";esxi-🦩\n";
        let expected = vec![
            (1, vec!["VM".to_owned(), "Host".to_owned()]),
            (2, vec!["Zürich-01".to_owned(), "esxi-🦩".to_owned()]),
        ];
        assert_eq!(records(text.as_bytes()), expected);
        assert_eq!(records(format!("\u{feff}{text}").as_bytes()), expected);
        assert_eq!(records(&utf16(text, u16::to_le_bytes)), expected);
        assert_eq!(records(&utf16(text, u16::to_be_bytes)), expected);
        assert_eq!(records(b"VM;Host\nZ\xfcrich-01;e\n")[1].1, ["Zürich-01", "e"]);
    }

    #[test]
    fn a_pair_of_units_cut_by_the_buffer_stays_one_character() {
        for length in 2_040..2_056 {
            let text = format!("{}🦩,b\n", "a".repeat(length));
            let read = records(&utf16(&text, u16::to_le_bytes));
            assert_eq!(read[0].1, [text.trim_end_matches(",b\n"), "b"]);
        }
    }

    #[test]
    fn half_a_unit_or_half_a_pair_at_the_end_is_said_and_ends() {
        assert_eq!(records(b"\xff\xfea\0,\0b\0c")[0].1, ["a", "b\u{fffd}"]);
        assert_eq!(records(b"\xff\xfea\0\x3d\xd8")[0].1, ["a\u{fffd}"]);
        assert!(records(b"\xff\xfe").is_empty());
    }

    #[test]
    fn the_separator_is_the_headers_outside_of_quotes() {
        assert_eq!(records(b"\"a;b;c\",d\n1,2\n")[1].1, ["1", "2"]);
        assert_eq!(records(b"a\tb\n1\t2\n")[1].1, ["1", "2"]);
        assert_eq!(records(b"sep=;\r\na;b,c,d\r\n"), [(2, vec!["a".into(), "b,c,d".into()])]);
    }

    #[test]
    fn a_cell_of_several_lines_is_one_cell_and_lines_are_still_counted() {
        let text = "VM,Annotation\n\na,\"one\n\"\"two\"\"\nthree\"\nb,\"x\"";
        for text in [text.to_owned(), text.replace('\n', "\r\n"), format!("{text}\n\n")] {
            let read = records(text.as_bytes());
            let cell = read[1].1[1].replace('\r', "");
            assert_eq!((read[1].0, cell.as_str()), (3, "one\n\"two\"\nthree"));
            assert_eq!(read[2], (6, vec!["b".into(), "x".into()]));
            assert_eq!(read.len(), 3);
        }
    }

    #[test]
    fn a_line_without_end_is_an_error_not_memory() {
        let endless = io::repeat(b'x').take(1 << 30);
        let mut records = Records::new(Cursor::new(b"a,b\n\"").chain(endless)).unwrap();
        records.next().unwrap();
        let error = records.next().err().unwrap().to_string();
        assert!(error.starts_with("line 2: longer than 1 MiB"), "{error}");
    }

    #[test]
    fn a_workbook_is_told_apart() {
        let error = Records::new(&b"PK\x03\x04 xlsx"[..]).err().unwrap().to_string();
        assert!(error.contains("Excel workbook"), "{error}");
    }
}
