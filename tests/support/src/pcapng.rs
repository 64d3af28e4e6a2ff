//! Reads pcapng files as the format's draft has them, little endian: packets, and what comments say. It shares
//! nothing with what Egret writes or reads.

/// One packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    /// Nanoseconds since the epoch.
    pub time: u64,
    /// Its length on the wire.
    pub wire_len: u32,
    /// What was captured of it.
    pub bytes: Vec<u8>,
    /// Its comment.
    pub comment: Option<String>,
    /// The name of the interface it came by.
    pub interface: Option<String>,
}

/// The section's comment, and all packets.
///
/// # Panics
/// When it is no such file, or a block is not whole.
pub fn read(file: &[u8]) -> (String, Vec<Packet>) {
    let (mut comment, mut names, mut packets) = (String::new(), Vec::new(), Vec::new());
    let mut rest = file;
    while !rest.is_empty() {
        let (kind, length) = (word(rest, 0), word(rest, 4) as usize);
        assert_eq!(word(rest, length - 4) as usize, length, "a block ends with its length");
        let (block, after) = rest.split_at(length);
        let body = &block[8..length - 4];
        match kind {
            0x0a0d_0d0a => {
                assert_eq!(word(body, 0), 0x1a2b_3c4d);
                comment = option(&body[16..], 1).map(text).expect("it names the alert");
            }
            1 => {
                assert_eq!(option(&body[8..], 9), Some(&[9][..]), "nanoseconds");
                names.push(option(&body[8..], 2).map(text));
            }
            6 => packets.push(packet(body, &names)),
            other => panic!("a block of type {other}"),
        }
        rest = after;
    }
    (comment, packets)
}

fn packet(body: &[u8], names: &[Option<String>]) -> Packet {
    let len = word(body, 12) as usize;
    Packet {
        time: u64::from(word(body, 4)) << 32 | u64::from(word(body, 8)),
        wire_len: word(body, 16),
        bytes: body[20..20 + len].to_vec(),
        comment: option(&body[20 + len.next_multiple_of(4)..], 1).map(text),
        interface: names[word(body, 0) as usize].clone(),
    }
}

fn option(mut options: &[u8], wanted: u16) -> Option<&[u8]> {
    while let [a, b, c, d, rest @ ..] = options {
        let (code, len) = (u16::from_le_bytes([*a, *b]), usize::from(u16::from_le_bytes([*c, *d])));
        if code == wanted {
            return Some(&rest[..len]);
        }
        options = &rest[len.next_multiple_of(4)..];
    }
    None
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}
