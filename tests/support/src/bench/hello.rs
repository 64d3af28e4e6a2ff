//! TLS handshakes in the clear as several clients send them (RFC 8446), without the cryptography:
//! what a sensor reads is right, what it cannot read is random.

use crate::rng::Rng;

/// Whose habits a hello has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Client {
    /// GREASE (RFC 8701), encrypted client hello, extensions in random order.
    Browser,
    /// OpenSSL.
    OpenSsl,
    /// Go's crypto/tls.
    Go,
    /// Java.
    Java,
    /// Something that stopped at TLS 1.2.
    Old,
}

impl Client {
    /// Every client.
    pub const ALL: [Self; 5] = [Self::Browser, Self::OpenSsl, Self::Go, Self::Java, Self::Old];
    /// Those that offer X25519MLKEM768.
    pub const POST_QUANTUM: [Self; 2] = [Self::Browser, Self::OpenSsl];

    /// How many of [`SUITES`] it offers.
    const fn suites(self) -> usize {
        match self {
            Self::Browser => 15,
            Self::OpenSsl => 30,
            Self::Go => 13,
            Self::Java => 33,
            Self::Old => 22,
        }
    }
}

/// A ClientHello as one TLS record. A post-quantum one carries an X25519MLKEM768 key share and
/// a ticket, and with 1.8 kB does not fit one segment.
pub fn client(rng: &mut Rng, client: Client, name: Option<&str>, post_quantum: bool) -> Vec<u8> {
    let grease = 0x0a0a + 0x1010 * rng.below(16) as u16;
    let greased = (client == Client::Browser).then_some(grease);
    let tls13 = client != Client::Old;
    let session = if tls13 { random(rng, 32) } else { Vec::new() };
    let first = usize::from(!tls13) * 3;
    let suites = greased.into_iter().chain(SUITES[first..first + client.suites()].iter().copied());
    let mut body =
        [vec![3, 3], random(rng, 32), sized8(&session), sized16(&words(suites)), vec![1, 0]]
            .concat();

    let mut extensions = common_extensions(name, greased, post_quantum);
    if client != Client::Java && client != Client::Old {
        extensions.push(extension(16, &sized16(b"\x02h2\x08http/1.1")));
    }
    if tls13 {
        extensions.extend(tls13_extensions(rng, greased, post_quantum));
    }
    if client == Client::Browser {
        extensions.extend(browser_extensions(rng, grease));
        rng.shuffle(&mut extensions);
    }
    if client == Client::Java {
        extensions.push(extension(50, &sized16(&SIGNATURES)));
    }
    let mut extensions = extensions.concat();
    if post_quantum {
        // The pre-shared key comes last (RFC 8446 4.2.11).
        let missing = 1780_usize.saturating_sub(body.len() + extensions.len() + 47).max(32);
        extensions.extend(pre_shared_key(rng, missing));
    }
    body.extend(sized16(&extensions));
    record(22, 0x0301, &handshake(1, &body))
}

/// A ServerHello and the records that follow it in the same flight: one of 1 byte, and one of
/// `encrypted` bytes.
pub fn server(rng: &mut Rng, post_quantum: bool, tls13: bool, encrypted: usize) -> Vec<u8> {
    let extensions = if tls13 {
        let (group, len) = if post_quantum { (X25519_MLKEM768, 1120) } else { (X25519, 32) };
        let share = key_share(group, &random(rng, len));
        [extension(43, &[3, 4]), extension(51, &share)].concat()
    } else {
        extension(0xff01, &[0])
    };
    let suite: u16 = if tls13 { 0x1301 } else { 0xc02f };
    let body = [
        vec![3, 3],
        random(rng, 32),
        sized8(&random(rng, 32)),
        suite.to_be_bytes().to_vec(),
        vec![0],
        sized16(&extensions),
    ]
    .concat();
    [
        record(22, 0x0303, &handshake(2, &body)),
        record(20, 0x0303, &[1]),
        encrypted_record(rng, encrypted),
    ]
    .concat()
}

/// What the client sends next: the end of its handshake and a first request.
pub fn finished(rng: &mut Rng) -> Vec<u8> {
    [record(20, 0x0303, &[1]), encrypted_record(rng, 53), encrypted_record(rng, 120)].concat()
}

/// Cipher suites in the order of preference; the first three are those of TLS 1.3.
const SUITES: [u16; 33] = [
    0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c,
    0x009d, 0x002f, 0x0035, 0xc009, 0xc00a, 0xc023, 0xc024, 0xc027, 0xc028, 0x003c, 0x003d, 0x009e,
    0x009f, 0x0067, 0x006b, 0x0033, 0x0039, 0xccaa, 0xc0a2, 0xc0a3, 0x00ff,
];
const SIGNATURES: [u8; 16] = [4, 3, 8, 4, 4, 1, 5, 3, 8, 5, 5, 1, 8, 6, 6, 1];
const X25519: u16 = 0x001d;
const X25519_MLKEM768: u16 = 0x11ec;

fn common_extensions(name: Option<&str>, grease: Option<u16>, post_quantum: bool) -> Vec<Vec<u8>> {
    let hybrid = post_quantum.then_some(X25519_MLKEM768);
    let groups = grease.into_iter().chain(hybrid).chain([X25519, 0x0017, 0x0018]);
    let server_name = |name: &str| {
        let entry = [vec![0], sized16(name.as_bytes())].concat();
        extension(0, &sized16(&entry))
    };
    let mut extensions: Vec<Vec<u8>> =
        grease.map(|value| extension(value, &[])).into_iter().collect();
    extensions.extend(name.map(server_name));
    extensions.extend([
        extension(23, &[]),
        extension(0xff01, &[0]),
        extension(10, &sized16(&words(groups))),
        extension(11, &[1, 0]),
        extension(35, &[]),
        extension(5, &[1, 0, 0, 0, 0]),
        extension(13, &sized16(&SIGNATURES)),
    ]);
    extensions
}

fn tls13_extensions(rng: &mut Rng, grease: Option<u16>, post_quantum: bool) -> [Vec<u8>; 3] {
    let mut shares = Vec::new();
    if let Some(value) = grease {
        shares.extend(key_share(value, &[0]));
    }
    if post_quantum {
        shares.extend(key_share(X25519_MLKEM768, &random(rng, 1216)));
    }
    shares.extend(key_share(X25519, &random(rng, 32)));
    [extension(51, &sized16(&shares)), extension(45, &[1, 1]), extension(43, &[4, 3, 4, 3, 3])]
}

fn browser_extensions(rng: &mut Rng, grease: u16) -> [Vec<u8>; 5] {
    let payload = *rng.pick(&[144, 176, 208, 240]);
    // Outer hello, HKDF-SHA256 with AES-128-GCM, a config id, then key and payload.
    let encrypted_hello = [
        vec![0, 0, 1, 0, 1, rng.next() as u8],
        sized16(&random(rng, 32)),
        sized16(&random(rng, payload)),
    ]
    .concat();
    [
        extension(18, &[]),
        extension(27, &[2, 0, 2]),
        extension(0x4469, &[0, 3, 2, b'h', b'2']),
        extension(0xfe0d, &encrypted_hello),
        extension(grease ^ 0x1010, &[0]),
    ]
}

fn pre_shared_key(rng: &mut Rng, ticket: usize) -> Vec<u8> {
    let identity = [sized16(&random(rng, ticket)), random(rng, 4)].concat();
    let binder = sized8(&random(rng, 32));
    extension(41, &[sized16(&identity), sized16(&binder)].concat())
}

fn key_share(group: u16, key: &[u8]) -> Vec<u8> {
    [group.to_be_bytes().to_vec(), sized16(key)].concat()
}

fn extension(kind: u16, body: &[u8]) -> Vec<u8> {
    [kind.to_be_bytes().to_vec(), sized16(body)].concat()
}

fn handshake(kind: u8, body: &[u8]) -> Vec<u8> {
    let [_, len @ ..] = (body.len() as u32).to_be_bytes();
    [&[kind], len.as_slice(), body].concat()
}

fn record(kind: u8, version: u16, body: &[u8]) -> Vec<u8> {
    [vec![kind], version.to_be_bytes().to_vec(), sized16(body)].concat()
}

fn encrypted_record(rng: &mut Rng, len: usize) -> Vec<u8> {
    record(23, 0x0303, &random(rng, len))
}

fn sized8(body: &[u8]) -> Vec<u8> {
    [&[body.len() as u8], body].concat()
}

fn sized16(body: &[u8]) -> Vec<u8> {
    [(body.len() as u16).to_be_bytes().as_slice(), body].concat()
}

fn words(values: impl IntoIterator<Item = u16>) -> Vec<u8> {
    values.into_iter().flat_map(u16::to_be_bytes).collect()
}

fn random(rng: &mut Rng, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    rng.fill(&mut bytes);
    bytes
}

#[cfg(test)]
mod tests {
    use rustls::server::Acceptor;

    use super::*;

    #[test]
    fn rustls_accepts_every_hello_and_finds_its_name() {
        let mut rng = Rng::new(1);
        for software in Client::ALL {
            for post_quantum in [false, Client::POST_QUANTUM.contains(&software)] {
                let bytes = client(&mut rng, software, Some("a-1.example.com"), post_quantum);
                assert_eq!(bytes.len() > 1460, post_quantum, "{software:?}");
                let mut acceptor = Acceptor::default();
                acceptor.read_tls(&mut bytes.as_slice()).unwrap();
                let accepted = acceptor.accept().map_err(|(error, _)| error).unwrap().unwrap();
                assert_eq!(accepted.client_hello().server_name(), Some("a-1.example.com"));
            }
        }
    }
}
