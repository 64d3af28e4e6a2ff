//! Templates: what the bytes of a record mean (RFC 3954, 5 and 6; RFC 7011, 3.4).
//!
//! A template keeps what is read of it alone: fields that nobody asks for and that follow each other are
//! one gap of so many bytes.

use std::sync::Arc;

use super::Refusal;
use super::cursor::Cursor;
use super::element::{Element, Enterprise};
use crate::time::Timestamp;

/// The most fields of a template; Open vSwitch has 67.
pub(super) const MAX_FIELDS: usize = 128;
/// The longest record that fits into a datagram.
const MAX_LENGTH: usize = 65_507;
/// A field that says its length in each record (RFC 7011, 7).
const VARIABLE: u16 = u16::MAX;

/// What the bytes of a record mean.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Template {
    /// Shared with whoever reads a set by it.
    fields: Arc<[Field]>,
    /// The fewest bytes that a record has; never 0.
    least: usize,
    /// Whether records tell of the exporter, and not of conversations.
    pub(super) is_options: bool,
    /// When it was used last.
    pub(super) used: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Field {
    /// None: it is not read.
    element: Option<Element>,
    length: u16,
}

/// Gathers the fields of one template.
#[derive(Debug, Default)]
pub(super) struct Builder {
    fields: Vec<Field>,
    named: usize,
    least: usize,
}

impl Builder {
    /// The next field; it is counted also where it is not kept.
    pub(super) fn field(&mut self, id: u16, enterprise: Enterprise, length: u16) {
        self.push(Element::of(id, enterprise), length);
    }

    /// A field that is never read.
    pub(super) fn gap(&mut self, length: u16) {
        self.push(None, length);
    }

    fn push(&mut self, element: Option<Element>, length: u16) {
        self.named = self.named.saturating_add(1);
        // One that says its own length has at least that byte.
        let bytes = if length == VARIABLE { 1 } else { usize::from(length) };
        self.least = self.least.saturating_add(bytes);
        if self.named > MAX_FIELDS {
            return;
        }
        if element.is_none()
            && length != VARIABLE
            && let Some(last) = self.fields.last_mut()
            && last.element.is_none()
            && last.length != VARIABLE
            && let Some(sum) = last.length.checked_add(length)
            && sum != VARIABLE
        {
            last.length = sum;
        } else {
            self.fields.push(Field { element, length });
        }
    }

    /// The template, if its records can be.
    pub(super) fn finish(self, is_options: bool, now: Timestamp) -> Result<Template, Refusal> {
        if self.named == 0 || self.named > MAX_FIELDS {
            return Err(Refusal::TemplateFields);
        }
        if self.least == 0 || self.least > MAX_LENGTH {
            return Err(Refusal::TemplateLength);
        }
        Ok(Template { fields: self.fields.into(), least: self.least, is_options, used: now })
    }
}

impl Template {
    /// Whether both mean the same.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.is_options == other.is_options && self.fields == other.fields
    }

    /// Reads the next record of a set; none when only padding is left, and an error when it is cut.
    pub(super) fn record(
        &self,
        set: &mut Cursor<'_>,
        mut value: impl FnMut(Element, &[u8]),
    ) -> Result<bool, Refusal> {
        if set.len() < self.least {
            return Ok(false);
        }
        for field in self.fields.iter() {
            let length = match field.length {
                VARIABLE => variable(set).ok_or(Refusal::Truncated)?,
                length => usize::from(length),
            };
            let bytes = set.take(length).ok_or(Refusal::Truncated)?;
            if let Some(element) = field.element {
                value(element, bytes);
            }
        }
        Ok(true)
    }
}

/// The length of a field that says its own (RFC 7011, 7); it may be 0.
fn variable(set: &mut Cursor<'_>) -> Option<usize> {
    match set.byte()? {
        u8::MAX => set.short().map(usize::from),
        length => Some(usize::from(length)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn built(fields: &[(u16, u16)]) -> Result<Template, Refusal> {
        let mut builder = Builder::default();
        for (id, length) in fields {
            builder.field(*id, None, *length);
        }
        builder.finish(false, Timestamp::ZERO)
    }

    fn values(
        template: &Template,
        set: &mut Cursor<'_>,
    ) -> Result<Vec<(Element, Vec<u8>)>, Refusal> {
        let mut values = Vec::new();
        let is_one =
            template.record(set, |element, bytes| values.push((element, bytes.to_vec())))?;
        Ok(if is_one { values } else { Vec::new() })
    }

    #[test]
    fn what_nobody_reads_is_one_gap() {
        let template = built(&[(10, 4), (14, 4), (1, 4), (58, 2), (59, 2)]).unwrap();
        assert_eq!((template.fields.len(), template.least), (3, 16));
        let mut set = Cursor::new(&[9, 9, 9, 9, 9, 9, 9, 9, 0, 0, 0, 5, 8, 8, 8, 8, 0]);
        assert_eq!(values(&template, &mut set).unwrap(), [(Element::Octets, vec![0, 0, 0, 5])]);
        assert!(values(&template, &mut set).unwrap().is_empty(), "a byte of padding");
        // Two gaps of which the sum would be the sign of a field with its own length.
        let mut builder = Builder::default();
        for length in [VARIABLE - 1, 1] {
            builder.gap(length);
        }
        assert_eq!(builder.fields.len(), 2);
    }

    #[test]
    fn fields_may_say_their_own_length_and_be_empty() {
        let template = built(&[(82, VARIABLE), (2, 1), (1, VARIABLE)]).unwrap();
        let mut set = Cursor::new(&[0, 7, 1, 9, 255, 0, 2, 8, 8, 6, 2, 1, 1, 3, 0, 0, 9]);
        let mut next = || values(&template, &mut set);
        assert_eq!(next().unwrap(), [(Element::Packets, vec![7]), (Element::Octets, vec![9])]);
        assert_eq!(next().unwrap(), [(Element::Packets, vec![6]), (Element::Octets, vec![1, 1])]);
        assert_eq!(next(), Err(Refusal::Truncated));
    }

    #[test]
    fn absurd_templates_are_refused() {
        assert_eq!(built(&[]), Err(Refusal::TemplateFields));
        assert_eq!(built(&[(1, 0), (2, 0)]), Err(Refusal::TemplateLength));
        assert_eq!(built(&[(1, 40_000), (2, 40_000)]), Err(Refusal::TemplateLength));
        assert_eq!(built(&vec![(10, 1); MAX_FIELDS + 1]), Err(Refusal::TemplateFields));
        assert!(built(&vec![(1, 1); MAX_FIELDS]).is_ok());
    }
}
