//! Datagrams that the kernel dropped because nobody had read those before them.

use std::net::UdpSocket;

/// Where the kernel tells of its sockets (proc(5)): those of IPv4, and of IPv6.
const TABLES: [&str; 2] = ["/proc/self/net/udp", "/proc/self/net/udp6"];
/// The words of a line that hold a socket's inode and what it has dropped.
const INODE: usize = 9;
const DROPS: usize = 12;

/// A socket whose losses are known.
#[derive(Debug, Clone, Copy)]
pub struct Lost {
    inode: u64,
}

impl Lost {
    /// Of this socket; none when it is none that the system knows.
    pub(in crate::intake) fn of(socket: &UdpSocket) -> Option<Self> {
        Some(Self { inode: rustix::fs::fstat(socket).ok()?.st_ino })
    }

    /// Datagrams dropped so far.
    pub fn count(self) -> u64 {
        let tables = TABLES.iter().filter_map(|table| std::fs::read_to_string(table).ok());
        tables.filter_map(|table| dropped(&table, self.inode)).sum()
    }
}

fn dropped(table: &str, inode: u64) -> Option<u64> {
    table.lines().skip(1).find_map(|line| {
        let mut words = line.split_ascii_whitespace().skip(INODE);
        let is_it = words.next()?.parse() == Ok(inode);
        is_it.then(|| words.nth(DROPS - INODE - 1)?.parse().ok()).flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_reads_is_seen_to_be_lost() {
        let receiver = UdpSocket::bind("127.0.0.1:0").unwrap();
        let lost = Lost::of(&receiver).unwrap();
        assert_eq!(lost.count(), 0);
        rustix::net::sockopt::set_socket_recv_buffer_size(&receiver, 1).unwrap();
        let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
        for _ in 0..1000 {
            sender.send_to(&[b'x'; 100], receiver.local_addr().unwrap()).unwrap();
        }
        receiver.set_nonblocking(true).unwrap();
        let received = std::iter::from_fn(|| receiver.recv_from(&mut [0; 200]).ok()).count();
        assert!(received < 1000);
        assert_eq!(lost.count() + received as u64, 1000);
    }
}
