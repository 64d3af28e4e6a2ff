//! Formulas that people write: a port as an expression over a DNS answer.
//!
//! Operators bind as in C: `*` `/` `%` (or `mod`) first, then `+` `-`, `<<` `>>`, `&`, `^` (xor),
//! `|`. Values are whole numbers of 64 bits; what does not fit, or is divided by zero, gives no
//! port. The result is taken modulo 2^16.

use std::fmt;
use std::iter::Peekable;
use std::str::CharIndices;

use arrayvec::ArrayVec;

/// The longest text, in bytes.
const MAX_LENGTH: usize = 120;
/// Parentheses within parentheses.
const MAX_DEPTH: usize = 16;
/// The largest number that may be written.
const MAX_NUMBER: u64 = u32::MAX as u64;
/// Operands are at least two bytes of the text apart.
const MAX_STACK: usize = MAX_LENGTH / 2 + 1;

/// A port as an expression over the octets `a.b.c.d` of an address (of IPv6 the last four bytes), or
/// over `n`, a number in a TXT record or in a label of a CNAME. Immutable and checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortFormula {
    text: Box<str>,
    /// In reverse Polish order.
    steps: Box<[Step]>,
    reads: Reads,
}

/// What a formula reads of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reads {
    /// These octets of an address.
    Octets([bool; 4]),
    /// A number.
    Number,
}

/// Why a text is no formula. Places count characters from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormulaError {
    /// Something else should stand there.
    #[error("{expected} at character {place}, not {seen}")]
    Unexpected {
        /// Where.
        place: usize,
        /// What should be there.
        expected: &'static str,
        /// What is there.
        seen: String,
    },
    /// It has more than so many bytes.
    #[error("at most {MAX_LENGTH} bytes, not {0}")]
    Long(usize),
    /// It reads nothing, or two kinds of answers.
    #[error("one that reads some of a, b, c, d (bytes of an address) or n (a number), not {0}")]
    Reads(&'static str),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Number(i64),
    Octet(usize),
    Answer,
    Apply(Operator),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Or,
    Xor,
    And,
    Left,
    Right,
    Plus,
    Minus,
    Times,
    Over,
    Modulo,
}

impl PortFormula {
    /// Reads a formula.
    ///
    /// # Errors
    /// [`FormulaError`] says what was expected where.
    pub fn parse(text: &str) -> Result<Self, FormulaError> {
        if text.len() > MAX_LENGTH {
            return Err(FormulaError::Long(text.len()));
        }
        let mut parser =
            Parser { text, rest: text.char_indices().peekable(), steps: Vec::new(), depth: 0 };
        parser.expression(0)?;
        if parser.peek().is_some() {
            return Err(parser.unexpected("an operator or the end"));
        }
        let reads = reads(&parser.steps)?;
        Ok(Self { text: text.trim().into(), steps: parser.steps.into(), reads })
    }

    /// What it reads.
    pub const fn reads(&self) -> Reads {
        self.reads
    }

    /// The port for an address, by its (last) four bytes.
    pub fn of_octets(&self, octets: [u8; 4]) -> Option<u16> {
        matches!(self.reads, Reads::Octets(_)).then(|| self.evaluate(octets, 0))?
    }

    /// The port for a number.
    pub fn of_number(&self, number: u32) -> Option<u16> {
        (self.reads == Reads::Number).then(|| self.evaluate([0; 4], number))?
    }

    fn evaluate(&self, octets: [u8; 4], number: u32) -> Option<u16> {
        let mut stack: ArrayVec<i64, MAX_STACK> = ArrayVec::new();
        for step in &self.steps {
            let value = match step {
                Step::Number(value) => *value,
                Step::Octet(index) => i64::from(*octets.get(*index)?),
                Step::Answer => i64::from(number),
                Step::Apply(operator) => {
                    let (right, left) = (stack.pop()?, stack.pop()?);
                    operator.apply(left, right)?
                }
            };
            stack.try_push(value).ok()?;
        }
        // What is left of the lowest 16 bits is the value modulo 2^16, negative ones included.
        Some(stack.pop()? as u16)
    }
}

/// As it was written.
impl fmt::Display for PortFormula {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// What the steps read, if it is one kind of answer.
fn reads(steps: &[Step]) -> Result<Reads, FormulaError> {
    let octets = [0, 1, 2, 3].map(|index| steps.contains(&Step::Octet(index)));
    match (octets.contains(&true), steps.contains(&Step::Answer)) {
        (true, false) => Ok(Reads::Octets(octets)),
        (false, true) => Ok(Reads::Number),
        (false, false) => Err(FormulaError::Reads("none of them")),
        (true, true) => Err(FormulaError::Reads("both")),
    }
}

impl Operator {
    /// How strongly it binds.
    const fn strength(self) -> u8 {
        match self {
            Self::Or => 1,
            Self::Xor => 2,
            Self::And => 3,
            Self::Left | Self::Right => 4,
            Self::Plus | Self::Minus => 5,
            Self::Times | Self::Over | Self::Modulo => 6,
        }
    }

    fn apply(self, left: i64, right: i64) -> Option<i64> {
        let shift = || u32::try_from(right).ok().filter(|bits| *bits < 63);
        match self {
            Self::Or => Some(left | right),
            Self::Xor => Some(left ^ right),
            Self::And => Some(left & right),
            Self::Left => left.checked_mul(1i64.checked_shl(shift()?)?),
            Self::Right => left.checked_shr(shift()?),
            Self::Plus => left.checked_add(right),
            Self::Minus => left.checked_sub(right),
            Self::Times => left.checked_mul(right),
            Self::Over => left.checked_div(right),
            Self::Modulo => left.checked_rem_euclid(right),
        }
    }
}

struct Parser<'a> {
    text: &'a str,
    rest: Peekable<CharIndices<'a>>,
    steps: Vec<Step>,
    depth: usize,
}

impl<'a> Parser<'a> {
    /// Operands and the operators between them that bind stronger than `least`.
    fn expression(&mut self, least: u8) -> Result<(), FormulaError> {
        self.operand()?;
        while let Some((operator, length)) = self.operator()
            && operator.strength() > least
        {
            self.skip(length);
            if matches!(operator, Operator::Over | Operator::Modulo) && self.is_zero() {
                return Err(self.unexpected("something else than zero to divide by"));
            }
            self.expression(operator.strength())?;
            self.steps.push(Step::Apply(operator));
        }
        Ok(())
    }

    fn operand(&mut self) -> Result<(), FormulaError> {
        const EXPECTED: &str = "a number, one of a b c d n, or \"(\"";
        match self.peek() {
            Some('(') if self.depth < MAX_DEPTH => {
                self.rest.next();
                self.depth += 1;
                self.expression(0)?;
                self.depth -= 1;
                if self.peek() != Some(')') {
                    return Err(self.unexpected("an operator or \")\""));
                }
                self.rest.next();
            }
            Some('(') => return Err(self.unexpected("fewer parentheses in each other")),
            Some('0'..='9') => {
                let word = self.word();
                let (digits, radix) = match word.strip_prefix("0x") {
                    Some(digits) => (digits, 16),
                    None => (word, 10),
                };
                let number = u64::from_str_radix(digits, radix).ok();
                let Some(number) = number.filter(|number| *number <= MAX_NUMBER) else {
                    return Err(self.unexpected("a number up to 4294967295, or 0x and hex digits"));
                };
                self.steps.push(Step::Number(number as i64));
                self.skip(word.len());
            }
            _ => {
                let word = self.word();
                let step = match word {
                    "a" => Step::Octet(0),
                    "b" => Step::Octet(1),
                    "c" => Step::Octet(2),
                    "d" => Step::Octet(3),
                    "n" => Step::Answer,
                    _ => return Err(self.unexpected(EXPECTED)),
                };
                self.steps.push(step);
                self.skip(word.len());
            }
        }
        Ok(())
    }

    /// The operator that comes next, and its length.
    fn operator(&mut self) -> Option<(Operator, usize)> {
        let start = self.peek_index()?;
        let rest = self.text.get(start..)?;
        let all = [
            ("<<", Operator::Left),
            (">>", Operator::Right),
            ("mod", Operator::Modulo),
            ("|", Operator::Or),
            ("^", Operator::Xor),
            ("&", Operator::And),
            ("+", Operator::Plus),
            ("-", Operator::Minus),
            ("*", Operator::Times),
            ("/", Operator::Over),
            ("%", Operator::Modulo),
        ];
        let found = all.into_iter().find(|(sign, _)| rest.starts_with(sign));
        found.map(|(sign, operator)| (operator, sign.len()))
    }

    /// Whether the next operand is the number 0.
    fn is_zero(&mut self) -> bool {
        self.peek() == Some('0') && self.word().trim_start_matches('0').is_empty()
    }

    /// The letters and digits that come next.
    fn word(&mut self) -> &'a str {
        let rest = self.peek_index().and_then(|start| self.text.get(start..)).unwrap_or_default();
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
        rest.get(..end).unwrap_or_default()
    }

    fn skip(&mut self, characters: usize) {
        for _ in 0..characters {
            self.rest.next();
        }
    }

    fn peek(&mut self) -> Option<char> {
        while self.rest.next_if(|(_, next)| next.is_whitespace()).is_some() {}
        self.rest.peek().map(|(_, next)| *next)
    }

    fn peek_index(&mut self) -> Option<usize> {
        self.peek()?;
        self.rest.peek().map(|(index, _)| *index)
    }

    fn unexpected(&mut self, expected: &'static str) -> FormulaError {
        let index = self.peek_index().unwrap_or(self.text.len());
        let place = self.text.get(..index).map_or(0, |before| before.chars().count()) + 1;
        let word = self.word();
        let seen = match self.text.get(index..).and_then(|rest| rest.chars().next()) {
            None => "the end".to_owned(),
            Some(_) if !word.is_empty() => format!("{word:?}"),
            Some(sign) => format!("{:?}", sign.to_string()),
        };
        FormulaError::Unexpected { place, expected, seen }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn port(text: &str, octets: [u8; 4]) -> Option<u16> {
        PortFormula::parse(text).unwrap().of_octets(octets)
    }

    #[test]
    fn operators_bind_as_in_c() {
        let answer = [203, 7, 113, 9];
        let cases: [(&str, i64); 12] = [
            ("a*b+c", 203 * 7 + 113),
            ("a + b * c", 203 + 7 * 113),
            ("(a+b)*c", 210 * 113),
            ("(c^d)*7 mod 600 + 1024", (113 ^ 9) * 7 % 600 + 1024),
            ("c^d*7", 113 ^ 63),
            ("a<<8|b", 203 << 8 | 7),
            ("a-b-c", 203 - 7 - 113),
            ("b-a", 65_536 + 7 - 203),
            ("0xff & a*256+0x12", 0x12),
            ("c/b%5", 113 / 7 % 5),
            ("a*b*c*d%64511+1024", 203 * 7 * 113 * 9 % 64_511 + 1024),
            ("a << 2 + 1 >> 1", 203 << 3 >> 1),
        ];
        for (text, expected) in cases {
            assert_eq!(port(text, answer), Some(expected as u16), "{text}");
        }
        let number = PortFormula::parse("n mod 50000 + 1000").unwrap();
        assert_eq!((number.of_number(123_456), number.of_octets(answer)), (Some(24_456), None));
        assert_eq!(number.reads(), Reads::Number);
    }

    #[test]
    fn what_has_no_value_gives_no_port() {
        assert_eq!(port("c/(a-a)", [1, 2, 3, 4]), None);
        assert_eq!(port("a mod b", [9, 0, 3, 4]), None);
        assert_eq!(port("a<<(b*60)", [9, 9, 0, 0]), None);
        let large = format!("a{}", "*4294967295".repeat(3));
        assert_eq!(port(&large, [255, 0, 0, 0]), None);
    }

    #[test]
    fn a_mistake_is_named_with_its_place() {
        let cases = [
            ("a*256+", r#"a number, one of a b c d n, or "(" at character 7, not the end"#),
            ("a*256 b", r#"an operator or the end at character 7, not "b""#),
            ("(a+b", r#"an operator or ")" at character 5, not the end"#),
            ("a+e*2", r#"a number, one of a b c d n, or "(" at character 3, not "e""#),
            ("a+§", r#"a number, one of a b c d n, or "(" at character 3, not "§""#),
            (
                "a+4294967296",
                r#"a number up to 4294967295, or 0x and hex digits at character 3, not "4294967296""#,
            ),
            ("a mod 0", r#"something else than zero to divide by at character 7, not "0""#),
            (
                "443",
                "one that reads some of a, b, c, d (bytes of an address) or n (a number), not none of them",
            ),
            (
                "a+n",
                "one that reads some of a, b, c, d (bytes of an address) or n (a number), not both",
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(PortFormula::parse(text).unwrap_err().to_string(), expected, "{text}");
        }
        assert_eq!(PortFormula::parse(&"a".repeat(121)), Err(FormulaError::Long(121)));
        assert!(PortFormula::parse(&format!("{}a{}", "(".repeat(16), ")".repeat(16))).is_ok());
        assert!(PortFormula::parse(&format!("{}a{}", "(".repeat(17), ")".repeat(17))).is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[abcdn0-9+*/%^&|()<>x mod§-]{0,130}", octets: [u8; 4]) {
            if let Ok(formula) = PortFormula::parse(&text) {
                let _ = (formula.of_octets(octets), formula.of_number(u32::MAX));
                prop_assert_eq!(PortFormula::parse(&formula.to_string()).unwrap(), formula);
            }
        }
    }
}
