//! What is read from the system this runs on.

use std::time::SystemTime;

use crate::time::Timestamp;

/// Now, by the system's clock: the time that the kernel gives frames, too. Only wirings and commands
/// ask for it; whoever looks at packets goes by theirs.
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_parts(since.as_secs(), u64::from(since.subsec_nanos()))
}

/// The host's name, as `sensor.name` is by default.
pub fn host_name() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default().trim().to_owned()
}
