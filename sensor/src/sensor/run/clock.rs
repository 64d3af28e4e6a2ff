//! The one clock of the live sensor.

use std::time::SystemTime;

use crate::time::Timestamp;

/// Now, by the system's clock: the time that the kernel gives frames, too.
pub(super) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_parts(since.as_secs(), u64::from(since.subsec_nanos()))
}
