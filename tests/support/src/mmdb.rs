//! Databases in MaxMind's format (MaxMind DB 2.0), small ones of IPv4 networks.

/// What a record says of a network: a map.
pub type Record = Vec<(&'static str, Value)>;

/// A value in a record.
#[derive(Debug, Clone)]
pub enum Value {
    /// A text of less than 29 bytes.
    Text(&'static str),
    /// A number of 32 bits.
    Number(u32),
    /// Another map.
    Map(Record),
}

/// A database in which each network (address and length of its prefix) has a record.
pub fn database(networks: &[([u8; 4], u32, Record)]) -> Vec<u8> {
    let (mut tree, mut data) = (vec![[Node::None; 2]], Vec::new());
    for (address, length, record) in networks {
        let place = data.len();
        map(&mut data, record);
        let (mut node, bits) = (0, u32::from_be_bytes(*address));
        for bit in 0..*length {
            let side = (bits >> (31 - bit) & 1) as usize;
            if bit + 1 == *length {
                tree[node][side] = Node::Data(place);
                break;
            }
            node = match tree[node][side] {
                Node::Inner(next) => next,
                _ => {
                    tree.push([Node::None; 2]);
                    let next = tree.len() - 1;
                    tree[node][side] = Node::Inner(next);
                    next
                }
            };
        }
    }
    let count = tree.len();
    let mut bytes = Vec::new();
    for side in tree.iter().flatten() {
        let number = match side {
            Node::None => count,
            Node::Inner(next) => *next,
            // A separator of 16 bytes stands before the data.
            Node::Data(place) => count + 16 + place,
        };
        bytes.extend(&(number as u32).to_be_bytes()[1..]);
    }
    bytes.extend([0; 16]);
    bytes.extend(data);
    bytes.extend(b"\xab\xcd\xefMaxMind.com");
    metadata(&mut bytes, count as u32);
    bytes
}

#[derive(Debug, Clone, Copy)]
enum Node {
    None,
    Inner(usize),
    Data(usize),
}

fn metadata(to: &mut Vec<u8>, nodes: u32) {
    const NUMBERS: [(&str, u32); 4] = [
        ("binary_format_major_version", 2),
        ("binary_format_minor_version", 0),
        ("ip_version", 4),
        ("record_size", 24),
    ];
    to.push(7 << 5 | (NUMBERS.len() + 5) as u8);
    for (key, number) in NUMBERS {
        text(to, key);
        to.extend([5 << 5 | 2, (number >> 8) as u8, number as u8]);
    }
    text(to, "node_count");
    value(to, &Value::Number(nodes));
    text(to, "database_type");
    text(to, "Test");
    text(to, "description");
    map(to, &Vec::new());
    text(to, "languages");
    // An array of nothing, and the time as a number of 64 bits: types beyond seven take a second byte.
    to.extend([0, 4]);
    text(to, "build_epoch");
    to.extend([8, 2, 0, 0, 0, 0, 0x69, 0, 0, 0]);
}

fn map(to: &mut Vec<u8>, record: &Record) {
    to.push(7 << 5 | record.len() as u8);
    for (key, of) in record {
        text(to, key);
        value(to, of);
    }
}

fn value(to: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Text(said) => text(to, said),
        Value::Map(record) => map(to, record),
        Value::Number(number) => {
            to.push(6 << 5 | 4);
            to.extend(number.to_be_bytes());
        }
    }
}

fn text(to: &mut Vec<u8>, said: &str) {
    assert!(said.len() < 29, "longer ones are written otherwise");
    to.push(2 << 5 | said.len() as u8);
    to.extend(said.as_bytes());
}
