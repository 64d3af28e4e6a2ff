//! The service manager's end of sd_notify.

use std::fs;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// What a service said to its manager, with when it came.
#[derive(Debug, Clone, Default)]
pub struct Notifications(Arc<Mutex<Vec<(Instant, String)>>>);

impl Notifications {
    /// Listens at `path`, for as long as anyone holds what this gives.
    ///
    /// # Panics
    /// When there can be no socket.
    pub fn listen(path: &Path) -> Self {
        let _ = fs::remove_file(path);
        let socket = UnixDatagram::bind(path).expect("a free path");
        socket.set_read_timeout(Some(std::time::Duration::from_millis(200))).expect("not zero");
        let notifications = Self::default();
        let weak = Arc::downgrade(&notifications.0);
        // A thread: the sensor waits when nobody reads.
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Some(list) = weak.upgrade() {
                let Ok(length) = socket.recv(&mut buffer) else { continue };
                let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
                let lines = text.lines().map(|line| (Instant::now(), line.to_owned()));
                list.lock().unwrap_or_else(PoisonError::into_inner).extend(lines);
            }
        });
        notifications
    }

    /// All of them so far.
    pub fn all(&self) -> Vec<(Instant, String)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether exactly this was said.
    pub fn has(&self, line: &str) -> bool {
        self.all().iter().any(|(_, said)| said == line)
    }

    /// When exactly this was said, each time.
    pub fn times(&self, line: &str) -> Vec<Instant> {
        self.all().into_iter().filter(|(_, said)| said == line).map(|(at, _)| at).collect()
    }
}
