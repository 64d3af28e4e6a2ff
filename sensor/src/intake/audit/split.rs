//! Finds records in bytes as they come, however these are cut into pieces.
//!
//! Lines of JSON, objects behind each other (over several lines, too), a list of them, or one object
//! around such a list (`LISTS`: CloudTrail's `Records`): each element is a record as soon as its end is
//! there, so that a file of one line needs no more memory than its longest record. Lines that are no JSON
//! are given on as they are: flow logs are such lines. Parquet, the other form of flow logs, is not read.
//!
//! The form of JSON is followed as far as brackets, strings and what parts them go: what breaks it, a
//! torn line, say, is given up to the end of its line, and what comes next is read again.

use super::Refusal;
use super::envelope::LISTS;
use brackets::{Brackets, Kind};
use piece::Piece;

mod brackets;
mod piece;

/// The longest record, in bytes: CloudTrail's and Google Cloud's have at most 256 KB.
pub const MAX_LENGTH: usize = 1 << 20;
/// How deep brackets may be nested in a record.
pub const MAX_DEPTH: u32 = 64;
/// Bytes of a key that are looked at: more than any of [`LISTS`] has.
const KEY: usize = 20;
/// Room that is kept between records.
const ROOM: usize = 16 << 10;

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found<'a> {
    /// A value of JSON, whole as far as brackets and strings tell.
    Json(&'a [u8]),
    /// A line that is no JSON, without the LF that ends it.
    Line(&'a [u8]),
    /// Something that is not read, and why.
    Refused(Refusal),
}

/// Where finding stands. Holds at most [`MAX_LENGTH`].
#[derive(Debug, Default)]
pub struct Split {
    state: State,
    brackets: Brackets,
    /// How many brackets there are around records.
    around: u32,
    keeping: Keeping,
    /// What came of a record in pieces before.
    kept: Vec<u8>,
    /// The start of a key in an object that may be one around records.
    key: Vec<u8>,
    /// Brackets that are open beyond [`MAX_DEPTH`].
    beyond: u64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum State {
    /// Between records that nothing is around.
    #[default]
    Between,
    /// In a line that is no JSON.
    Line,
    /// In the rest of a line with something broken.
    Broken,
    /// Before a value: behind a colon, or a comma of an array.
    Value,
    /// Before a value or the end of an array.
    ValueOrEnd,
    /// Before a key: behind a comma of an object.
    Key,
    /// Before a key or the end of an object.
    KeyOrEnd,
    /// Behind a key.
    Colon,
    /// Behind a value.
    CommaOrEnd,
    /// In a number or a word.
    Scalar,
    /// In a string; behind a backslash in it.
    Text { of: Text, is_escaped: bool },
    /// In brackets that are nested too deep: they are only counted.
    Beyond,
}

/// What a string is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Text {
    Key,
    Value,
    /// One in brackets that are nested too deep.
    Beyond,
}

/// What becomes of the bytes at hand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Keeping {
    /// They are in no record.
    #[default]
    Nothing,
    /// They are in one.
    Record,
    /// They are in one that is refused.
    Refused,
}

/// Whom everything is told to.
type Tell<'a> = &'a mut dyn FnMut(Found<'_>);

impl Split {
    /// Takes bytes, and tells what they complete.
    pub fn take(&mut self, bytes: &[u8], tell: Tell<'_>) {
        let mut piece = Piece::new(bytes);
        while let Some(byte) = piece.peek() {
            self.byte(byte, &mut piece, tell);
        }
        if self.keeping == Keeping::Record {
            if self.length(&piece) > MAX_LENGTH {
                self.refuse(Refusal::TooLarge, &piece, tell);
            } else {
                self.kept.extend_from_slice(piece.marked());
            }
        }
    }

    /// Tells what is left when no more bytes come.
    pub fn end(&mut self, tell: Tell<'_>) {
        match (self.state, self.keeping) {
            (State::Between | State::Broken, _) | (_, Keeping::Refused) => {}
            (State::Line, _) => tell(Found::Line(&self.kept)),
            _ => tell(Found::Refused(Refusal::Malformed)),
        }
        *self = Self::default();
    }

    fn byte(&mut self, byte: u8, piece: &mut Piece<'_>, tell: Tell<'_>) {
        match self.state {
            State::Between => self.between(byte, piece),
            State::Line => self.line(piece, tell),
            State::Broken => {
                if piece.skip_to(|byte| byte == b'\n') {
                    self.state = State::Between;
                }
            }
            State::Text { of, is_escaped: true } if byte != b'\n' => {
                piece.step();
                self.state = State::Text { of, is_escaped: false };
            }
            State::Text { of, .. } => self.text(of, piece, tell),
            State::Scalar if byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.') => {
                piece.step();
            }
            // The byte behind it is none of its own.
            State::Scalar => self.ended(piece, tell),
            State::Beyond => self.beyond(byte, piece),
            _ if matches!(byte, b' ' | b'\t' | b'\r' | b'\n') => piece.step(),
            _ => self.token(byte, piece, tell),
        }
    }

    /// The start of a record or a line, or what may part them: a comma, where the start of a list was
    /// broken, RS (RFC 7464), a byte order mark.
    fn between(&mut self, byte: u8, piece: &mut Piece<'_>) {
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' | b',' | 0x1e | 0xef | 0xbb | 0xbf => piece.step(),
            b'{' => {
                self.start(piece);
                self.state = State::Value;
            }
            b'[' => {
                self.around = 1;
                self.state = State::Value;
            }
            _ => {
                self.start(piece);
                self.state = State::Line;
            }
        }
    }

    fn line(&mut self, piece: &mut Piece<'_>, tell: Tell<'_>) {
        if piece.skip_to(|byte| byte == b'\n') {
            self.told(piece, tell);
            self.state = State::Between;
        }
    }

    fn text(&mut self, of: Text, piece: &mut Piece<'_>, tell: Tell<'_>) {
        let from = piece.at();
        let is_found = piece.skip_to(|byte| matches!(byte, b'"' | b'\\' | b'\n'));
        if of == Text::Key && self.is_outermost() {
            let more = piece.since(from).iter().take(KEY.saturating_sub(self.key.len()));
            self.key.extend(more);
        }
        if !is_found {
            return;
        }
        match (piece.peek(), of) {
            (Some(b'\\'), _) => self.state = State::Text { of, is_escaped: true },
            (Some(b'"'), Text::Key) => self.state = State::Colon,
            (Some(b'"'), Text::Beyond) => self.state = State::Beyond,
            (Some(b'"'), Text::Value) => {
                piece.step();
                return self.ended(piece, tell);
            }
            // A string goes over no line: its end is lost.
            _ => return self.give_up(piece, tell),
        }
        piece.step();
    }

    /// A byte that stands for something.
    fn token(&mut self, byte: u8, piece: &mut Piece<'_>, tell: Tell<'_>) {
        match (byte, self.state) {
            (b'{', State::Value | State::ValueOrEnd) => self.open(Kind::Object, piece, tell),
            (b'[', State::Value | State::ValueOrEnd) => self.open(Kind::Array, piece, tell),
            (b'}', State::KeyOrEnd | State::CommaOrEnd) => self.close(Kind::Object, piece, tell),
            (b']', State::ValueOrEnd | State::CommaOrEnd) => self.close(Kind::Array, piece, tell),
            (b'"', State::Key | State::KeyOrEnd) => {
                self.key.clear();
                self.state = State::Text { of: Text::Key, is_escaped: false };
                piece.step();
            }
            (b'"', State::Value | State::ValueOrEnd) => {
                self.element(piece);
                self.state = State::Text { of: Text::Value, is_escaped: false };
                piece.step();
            }
            (b'-' | b'0'..=b'9' | b'a'..=b'z', State::Value | State::ValueOrEnd) => {
                self.element(piece);
                self.state = State::Scalar;
            }
            (b':', State::Colon) => {
                self.state = State::Value;
                piece.step();
            }
            (b',', State::CommaOrEnd) => {
                let is_object = self.brackets.last() == Some(Kind::Object);
                self.state = if is_object { State::Key } else { State::Value };
                piece.step();
            }
            _ => self.give_up(piece, tell),
        }
    }

    fn open(&mut self, kind: Kind, piece: &mut Piece<'_>, tell: Tell<'_>) {
        if kind == Kind::Array && self.is_outermost() && is_list(&self.key) {
            self.surround(piece, tell);
        }
        self.element(piece);
        piece.step();
        if self.brackets.depth().saturating_sub(self.around) >= MAX_DEPTH {
            self.refuse(Refusal::TooDeep, piece, tell);
            self.beyond = 1;
            self.state = State::Beyond;
            return;
        }
        self.brackets.push(kind);
        self.state = if kind == Kind::Object { State::KeyOrEnd } else { State::ValueOrEnd };
    }

    fn close(&mut self, kind: Kind, piece: &mut Piece<'_>, tell: Tell<'_>) {
        if self.brackets.last() != Some(kind) {
            return self.give_up(piece, tell);
        }
        piece.step();
        self.brackets.pop();
        // The end of a list that was around records.
        if self.brackets.depth() < self.around {
            self.around = 0;
        }
        self.ended(piece, tell);
    }

    fn beyond(&mut self, byte: u8, piece: &mut Piece<'_>) {
        match byte {
            b'{' | b'[' => self.beyond = self.beyond.saturating_add(1),
            b'}' | b']' => self.beyond = self.beyond.saturating_sub(1),
            b'"' => self.state = State::Text { of: Text::Beyond, is_escaped: false },
            _ => {}
        }
        if self.beyond == 0 {
            self.state = State::CommaOrEnd;
        }
        piece.step();
    }

    /// A value has ended, in front of where the piece stands: perhaps a record with it.
    fn ended(&mut self, piece: &mut Piece<'_>, tell: Tell<'_>) {
        let depth = self.brackets.depth();
        if depth == self.around {
            self.told(piece, tell);
        }
        self.state = if depth == 0 { State::Between } else { State::CommaOrEnd };
    }

    /// What was an object so far is around a list of records.
    fn surround(&mut self, piece: &Piece<'_>, tell: Tell<'_>) {
        if self.keeping == Keeping::Record && self.length(piece) > MAX_LENGTH {
            tell(Found::Refused(Refusal::TooLarge));
        }
        self.forget();
        self.around = self.brackets.depth().saturating_add(1);
    }

    /// Whether the piece stands in an object that nothing is around.
    const fn is_outermost(&self) -> bool {
        self.around == 0 && self.brackets.depth() == 1
    }

    /// A value starts here: if it is an element of what is around records, a record.
    fn element(&mut self, piece: &mut Piece<'_>) {
        if self.brackets.depth() == self.around && self.keeping == Keeping::Nothing {
            self.start(piece);
        }
    }

    fn start(&mut self, piece: &mut Piece<'_>) {
        self.keeping = Keeping::Record;
        piece.mark();
    }

    /// Tells of the record or line that ends here, unless it is refused.
    fn told(&mut self, piece: &Piece<'_>, tell: Tell<'_>) {
        if self.keeping == Keeping::Record {
            let is_long = self.length(piece) > MAX_LENGTH;
            let whole = if self.kept.is_empty() {
                piece.marked()
            } else {
                self.kept.extend_from_slice(if is_long { &[] } else { piece.marked() });
                &self.kept
            };
            tell(match self.state {
                _ if is_long => Found::Refused(Refusal::TooLarge),
                State::Line => Found::Line(whole),
                _ => Found::Json(whole),
            });
        }
        self.forget();
    }

    fn forget(&mut self) {
        self.keeping = Keeping::Nothing;
        self.kept.clear();
        self.kept.shrink_to(ROOM);
    }

    /// Refuses the record at hand, up to here; once.
    fn refuse(&mut self, refusal: Refusal, piece: &Piece<'_>, tell: Tell<'_>) {
        if self.keeping == Keeping::Record {
            let is_long = self.length(piece) > MAX_LENGTH;
            tell(Found::Refused(if is_long { Refusal::TooLarge } else { refusal }));
            self.forget();
            self.keeping = Keeping::Refused;
        }
    }

    /// This is no JSON, and what is around it not known any more.
    fn give_up(&mut self, piece: &Piece<'_>, tell: Tell<'_>) {
        if self.keeping == Keeping::Nothing {
            tell(Found::Refused(Refusal::Malformed));
        }
        self.refuse(Refusal::Malformed, piece, tell);
        *self = Self { state: State::Broken, ..Self::default() };
    }

    /// Bytes of the record up to here.
    fn length(&self, piece: &Piece<'_>) -> usize {
        self.kept.len().saturating_add(piece.marked().len())
    }
}

fn is_list(key: &[u8]) -> bool {
    LISTS.iter().any(|name| name.as_bytes() == key)
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "tests make their own numbers")]
mod tests;
