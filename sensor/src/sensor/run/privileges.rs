//! Gives up what the sensor needs no more once its sockets are open.

use caps::{CapSet, Capability, CapsHashSet};

/// What is kept: an interface that is gone and comes back needs a new packet socket. The fast path
/// needs nothing: its programs stay attached and its maps open by their file descriptors, and they go
/// with the process. What comes back is captured by the ring, until the sensor is started anew.
const KEPT: Capability = Capability::CAP_NET_RAW;

/// Gives up all capabilities but [`KEPT`], for this thread and those it starts, for good.
///
/// # Errors
/// When the kernel refuses.
pub(super) fn drop() -> Result<(), caps::errors::CapsError> {
    let permitted = caps::read(None, CapSet::Permitted)?;
    let kept: CapsHashSet = permitted.iter().copied().filter(|one| *one == KEPT).collect();
    if permitted.contains(&Capability::CAP_SETPCAP) {
        for one in caps::read(None, CapSet::Bounding)? {
            if one != KEPT {
                caps::drop(None, CapSet::Bounding, one)?;
            }
        }
    }
    caps::clear(None, CapSet::Ambient)?;
    caps::clear(None, CapSet::Inheritable)?;
    caps::set(None, CapSet::Effective, &kept)?;
    caps::set(None, CapSet::Permitted, &kept)?;
    // Best effort: without it a set-uid program could be started, of which the sensor starts none.
    let _ = rustix::thread::set_no_new_privs(true);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_and_those_it_starts_keep_one_capability_at_most() {
        // Capabilities are a thread's own: that of this test only is poorer afterwards.
        let check = || {
            for set in [CapSet::Effective, CapSet::Permitted] {
                let left = caps::read(None, set).unwrap();
                assert!(left.iter().all(|one| *one == KEPT), "{left:?}");
            }
            for set in [CapSet::Ambient, CapSet::Inheritable] {
                assert!(caps::read(None, set).unwrap().is_empty());
            }
        };
        std::thread::spawn(move || {
            super::drop().unwrap();
            check();
            std::thread::spawn(check).join().unwrap();
            super::drop().expect("there is nothing left to give up");
        })
        .join()
        .unwrap();
    }
}
