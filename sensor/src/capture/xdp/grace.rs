//! Waiting until no program of before runs any more.

use std::time::Duration;

use rustix::thread::{MembarrierCommand, membarrier};

/// Where the kernel grants no such wait: far longer than a packet takes, and no more than that.
const SLEEP: Duration = Duration::from_millis(20);

/// Returns when each kernel program that ran at the time of the call has ended: one that began
/// earlier may not have seen what was changed before, all others do.
///
/// `MEMBARRIER_CMD_GLOBAL` waits for an RCU grace period, 10 ms or so, and a BPF program runs inside
/// an RCU reader. A kernel that runs with `nohz_full` refuses it (`EINVAL`); then 20 ms pass instead,
/// and a program that a hypervisor stopped for longer could still write where nobody looks any more.
pub(super) fn wait() {
    if membarrier(MembarrierCommand::Global).is_err() {
        std::thread::sleep(SLEEP);
    }
}
