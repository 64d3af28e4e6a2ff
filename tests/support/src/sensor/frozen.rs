//! A thread of the sensor that hangs, while all others run: stopped by ptrace(2).

use std::fs;
use std::io;
use std::marker::PhantomData;
use std::ptr;

use super::Sensor;

/// A thread that stands still until this is dropped. It stays with the test's thread: the kernel
/// lets only the one who stopped a thread let it go.
#[derive(Debug)]
pub struct Frozen {
    thread: libc::pid_t,
    _stays: PhantomData<*const ()>,
}

impl Sensor {
    /// Stops the thread of this name.
    ///
    /// # Panics
    /// When there is none, or the kernel does not allow it.
    pub fn freeze(&self, name: &str) -> Frozen {
        let threads = fs::read_dir(format!("/proc/{}/task", self.id())).expect("it runs");
        let is_it = |entry: &fs::DirEntry| {
            fs::read_to_string(entry.path().join("comm")).is_ok_and(|comm| comm.trim_end() == name)
        };
        let found = threads.flatten().find(is_it);
        let found = found.and_then(|entry| entry.file_name().to_str()?.parse().ok());
        let thread = found.unwrap_or_else(|| panic!("no thread {name}"));
        ask(libc::PTRACE_SEIZE, thread);
        ask(libc::PTRACE_INTERRUPT, thread);
        #[expect(unsafe_code, reason = "waiting for a thread has no safe form")]
        // SAFETY: a null pointer says that the status is not wanted.
        let waited = unsafe { libc::waitpid(thread, ptr::null_mut(), libc::__WALL) };
        assert_eq!(waited, thread, "{}", io::Error::last_os_error());
        Frozen { thread, _stays: PhantomData }
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        // A thread that was killed meanwhile needs no letting go.
        if fs::exists(format!("/proc/{}", self.thread)).unwrap_or(false) {
            request(libc::PTRACE_DETACH, self.thread);
        }
    }
}

fn ask(what: libc::c_uint, thread: libc::pid_t) {
    assert_eq!(request(what, thread), 0, "ptrace: {}", io::Error::last_os_error());
}

fn request(what: libc::c_uint, thread: libc::pid_t) -> libc::c_long {
    let none = ptr::null_mut::<libc::c_void>();
    #[expect(unsafe_code, reason = "ptrace has no safe form")]
    // SAFETY: these requests read and write no memory of ours.
    unsafe {
        libc::ptrace(what, thread, none, none)
    }
}
