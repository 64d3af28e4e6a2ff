//! Hellos made by hand.

/// A vector with its length in `size` bytes in front.
pub(in crate::decode::tls) fn vector(size: usize, contents: &[u8]) -> Vec<u8> {
    let mut out = contents.len().to_be_bytes()[8 - size..].to_vec();
    out.extend(contents);
    out
}

/// Numbers of two bytes each with their length in `size` bytes in front.
pub(in crate::decode::tls) fn numbers(size: usize, values: &[u16]) -> Vec<u8> {
    vector(size, &values.iter().flat_map(|value| value.to_be_bytes()).collect::<Vec<u8>>())
}

pub(in crate::decode::tls) fn extension(kind: u16, contents: &[u8]) -> Vec<u8> {
    [kind.to_be_bytes().to_vec(), vector(2, contents)].concat()
}

pub(in crate::decode::tls) fn server_name(name: &[u8]) -> Vec<u8> {
    extension(0, &vector(2, &[vec![0], vector(2, name)].concat()))
}

pub(in crate::decode::tls) fn alpn(names: &[&[u8]]) -> Vec<u8> {
    let names: Vec<u8> = names.iter().flat_map(|name| vector(1, name)).collect();
    extension(16, &vector(2, &names))
}

/// The handshake message of a ClientHello.
pub(in crate::decode::tls) fn client_message(
    version: u16,
    ciphers: &[u16],
    extensions: &[Vec<u8>],
) -> Vec<u8> {
    let body = [
        version.to_be_bytes().to_vec(),
        vec![7; 32],
        vector(1, &[9; 32]),
        numbers(2, ciphers),
        vector(1, &[0]),
        vector(2, &extensions.concat()),
    ];
    [vec![1], vector(3, &body.concat())].concat()
}

/// The handshake message of a ServerHello.
pub(in crate::decode::tls) fn server_message(
    random: [u8; 32],
    session_id: &[u8],
    extensions: &[Vec<u8>],
) -> Vec<u8> {
    let mut body = vec![3, 3];
    body.extend(random);
    body.extend(vector(1, session_id));
    body.extend([0x13, 0x02, 0]);
    body.extend(vector(2, &extensions.concat()));
    [vec![2], vector(3, &body)].concat()
}

/// One record around `payload`.
pub(in crate::decode::tls) fn record(content: u8, payload: &[u8]) -> Vec<u8> {
    [vec![content, 3, 1], vector(2, payload)].concat()
}
