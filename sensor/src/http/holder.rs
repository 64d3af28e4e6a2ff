//! Who has a port: what `ss -tlp` would say, for the error message.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;

use crate::text::printable;

/// State `TCP_LISTEN` in `/proc/net/tcp` (`include/net/tcp_states.h`).
const LISTEN: &str = "0A";

/// The program that listens on a TCP port, as far as this user may see it.
pub(super) fn of_port(port: u16) -> Option<String> {
    ["/proc/net/tcp", "/proc/net/tcp6"].iter().find_map(|table| {
        let table = fs::read_to_string(table).ok()?;
        table.lines().skip(1).find_map(|line| program(listener(line, port)?))
    })
}

/// The inode of a line's socket, when it listens on `port`.
fn listener(line: &str, port: u16) -> Option<&str> {
    let mut fields = line.split_whitespace();
    let (_, local) = fields.nth(1)?.rsplit_once(':')?;
    let state = fields.nth(1)?;
    let is_it = state == LISTEN && u16::from_str_radix(local, 16) == Ok(port);
    fields.nth(5).filter(|_| is_it)
}

/// The program that has the socket with this inode open.
fn program(inode: &str) -> Option<String> {
    let socket = format!("socket:[{inode}]");
    let has_it = |process: &Path| {
        let Ok(files) = fs::read_dir(process.join("fd")) else { return false };
        files
            .flatten()
            .any(|file| fs::read_link(file.path()).is_ok_and(|target| target == Path::new(&socket)))
    };
    // `self` is there as well.
    let is_number = |name: &OsStr| name.as_encoded_bytes().iter().all(u8::is_ascii_digit);
    let process = fs::read_dir("/proc")
        .ok()?
        .flatten()
        .find(|entry| is_number(&entry.file_name()) && has_it(&entry.path()))?;
    let name = fs::read_to_string(process.path().join("comm")).ok()?;
    let number = process.file_name();
    Some(format!("{} (process {})", printable(name.trim()), number.to_string_lossy()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_listeners_on_the_port_are_told() {
        let line = "   1: 0100007F:2505 00000000:0000 0A 00000000:00000000 00:00000000 00000000   \
                    0        0 172461 1 0000000000000000 100 0 0 10 0";
        assert_eq!(listener(line, 0x2505), Some("172461"));
        assert_eq!(listener(line, 0x2506), None);
        assert_eq!(listener(&line.replace(" 0A ", " 01 "), 0x2505), None);
        for end in 0..line.len() {
            assert!(listener(&line[..end], 1).is_none());
        }
    }

    #[test]
    fn this_process_is_found() {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let holder = of_port(socket.local_addr().unwrap().port()).unwrap();
        assert!(holder.ends_with(&format!("(process {})", std::process::id())), "{holder}");
    }
}
