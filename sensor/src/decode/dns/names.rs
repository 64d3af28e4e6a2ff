//! Names as text, shared where a message repeats them.

use std::sync::Arc;

use arrayvec::ArrayString;
use domain::base::name::ParsedName;

use crate::decode::text::{Escape, write_printable};

/// What one message's names may take as text: many times what any real one does, and a bound on
/// what compression pointers can blow a hostile one up to.
const MAX_TEXT: usize = 256 * 1024;

/// The longest name as text: 255 bytes, each escaped.
const MAX_NAME: usize = 1024;

/// The names of one message so far.
#[derive(Default)]
pub(super) struct Names {
    /// The first name: a question's, nearly always.
    first: Option<Arc<str>>,
    /// The one before this: the owner of the last record or, in a chain of aliases, its target.
    last: Option<Arc<str>>,
    /// Bytes of text made so far.
    text: usize,
}

impl Names {
    /// A name as text: labels joined by dots, without the final one; the root is `.`. The same
    /// text is shared with the first and the last name. None when the message had too much of it.
    pub(super) fn text(&mut self, name: &ParsedName<&[u8]>) -> Option<Arc<str>> {
        let mut text = ArrayString::<MAX_NAME>::new();
        for label in name.iter().filter(|label| !label.is_root()) {
            if !text.is_empty() {
                text.try_push('.').ok()?;
            }
            write_printable(&mut text, label.as_slice(), Escape::Label).ok()?;
        }
        if text.is_empty() {
            text.push('.');
        }
        if let Some(known) =
            [&self.first, &self.last].into_iter().flatten().find(|known| ***known == *text)
        {
            return Some(Arc::clone(known));
        }
        self.charge(text.len())?;
        let made: Arc<str> = Arc::from(text.as_str());
        if self.first.is_none() {
            self.first = Some(Arc::clone(&made));
        } else {
            self.last = Some(Arc::clone(&made));
        }
        Some(made)
    }

    /// Accounts for `bytes` of new text; none when that is too much.
    pub(super) fn charge(&mut self, bytes: usize) -> Option<()> {
        self.text = self.text.saturating_add(bytes);
        (self.text <= MAX_TEXT).then_some(())
    }
}
