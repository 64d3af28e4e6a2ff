//! How far a reader came in bytes that may still grow.

/// What reading the start of a stream came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress<T, R> {
    /// It is all there.
    Complete {
        /// What was read.
        value: T,
        /// How many bytes of the stream it took.
        used: usize,
    },
    /// It may be there, once the stream has at least this many bytes in total.
    NeedMore(usize),
    /// It is not there, however much may come.
    Refused(R),
}

impl<T, R> Progress<T, R> {
    /// Reads on in what is complete.
    pub(super) fn and_then<U>(self, read: impl FnOnce(T) -> Result<U, R>) -> Progress<U, R> {
        match self {
            Self::Complete { value, used } => match read(value) {
                Ok(value) => Progress::Complete { value, used },
                Err(refusal) => Progress::Refused(refusal),
            },
            Self::NeedMore(total) => Progress::NeedMore(total),
            Self::Refused(refusal) => Progress::Refused(refusal),
        }
    }
}
