//! Waiting for what happens soon: polled, with a limit, so that no sleep is ever a proof.

use std::time::{Duration, Instant};

/// How often is looked.
const STEP: Duration = Duration::from_millis(20);

/// What `look` finds, once it finds something.
///
/// # Panics
/// When it found nothing within `patience`.
pub fn until<T>(what: &str, patience: Duration, mut look: impl FnMut() -> Option<T>) -> T {
    within(patience, &mut look).unwrap_or_else(|| panic!("{what}: not within {patience:?}"))
}

/// What `look` finds within `patience`.
pub fn within<T>(patience: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + patience;
    loop {
        // Looked at once more after the end: a machine under load may have slept over it.
        let over = Instant::now() >= end;
        if let Some(found) = look() {
            return Some(found);
        }
        if over {
            return None;
        }
        std::thread::sleep(STEP);
    }
}

/// The value that `look` gives once it has given the same one for `calm`.
///
/// # Panics
/// When it still changes after `patience`.
pub fn settled<T: PartialEq + std::fmt::Debug>(
    what: &str,
    calm: Duration,
    patience: Duration,
    mut look: impl FnMut() -> T,
) -> T {
    let (mut value, mut since) = (look(), Instant::now());
    let found = within(patience, || {
        let now = look();
        if now != value {
            (value, since) = (now, Instant::now());
        }
        (since.elapsed() >= calm).then_some(())
    });
    assert!(found.is_some(), "{what}: still changes after {patience:?}, to {value:?}");
    value
}
