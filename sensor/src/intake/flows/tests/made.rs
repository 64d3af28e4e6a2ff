//! Datagrams as exporters send them.

/// A set of records.
pub(super) const DATA: u16 = 256;

pub(super) fn set(id: u16, body: &[u8]) -> Vec<u8> {
    [&id.to_be_bytes()[..], &(4 + body.len() as u16).to_be_bytes(), body].concat()
}

fn pairs(pairs: &[(u16, u16)]) -> Vec<u8> {
    pairs.iter().flat_map(|(a, b)| [a.to_be_bytes(), b.to_be_bytes()]).flatten().collect()
}

/// A set with a template of IPFIX.
pub(super) fn template(id: u16, fields: &[(u16, u16)]) -> Vec<u8> {
    set(2, &[pairs(&[(id, fields.len() as u16)]), pairs(fields)].concat())
}

/// A template of [`DATA`] with elements of enterprises behind those of IANA.
pub(super) fn options(standard: &[(u16, u16)], others: &[(u16, u16, u32)]) -> Vec<u8> {
    let mut template = pairs(&[(DATA, (standard.len() + others.len()) as u16)]);
    template.extend(pairs(standard));
    for (id, length, enterprise) in others {
        template.extend(pairs(&[(*id, *length)]));
        template.extend(enterprise.to_be_bytes());
    }
    template
}

/// A set with a template of options of IPFIX.
pub(super) fn ipfix_options(id: u16, scopes: u16, fields: &[(u16, u16)]) -> Vec<u8> {
    let head = [pairs(&[(id, fields.len() as u16)]), scopes.to_be_bytes().to_vec()].concat();
    set(3, &[head, pairs(fields)].concat())
}

/// The same of NetFlow 9.
pub(super) fn netflow9_options(id: u16, scopes: &[(u16, u16)], options: &[(u16, u16)]) -> Vec<u8> {
    let bytes = |of: &[(u16, u16)]| 4 * of.len() as u16;
    let head = [pairs(&[(id, bytes(scopes))]), bytes(options).to_be_bytes().to_vec()].concat();
    set(1, &[head, pairs(scopes), pairs(options), vec![0; 2]].concat())
}

/// A message of IPFIX that was sent at a second.
pub(super) fn ipfix(sequence: u32, second: u64, sets: &[u8]) -> Vec<u8> {
    let sent = (1_795_000_000 + second) as u32;
    [
        &10_u16.to_be_bytes()[..],
        &(16 + sets.len() as u16).to_be_bytes(),
        &sent.to_be_bytes(),
        &sequence.to_be_bytes(),
        &1_u32.to_be_bytes(),
        sets,
    ]
    .concat()
}

/// The same of NetFlow 9, with how long the exporter runs.
pub(super) fn netflow9(sequence: u32, second: u64, uptime: u32, sets: &[u8]) -> Vec<u8> {
    let sent = (1_795_000_000 + second) as u32;
    [
        &9_u16.to_be_bytes()[..],
        &1_u16.to_be_bytes(),
        &uptime.to_be_bytes(),
        &sent.to_be_bytes(),
        &sequence.to_be_bytes(),
        &1_u32.to_be_bytes(),
        sets,
    ]
    .concat()
}

/// The same of NetFlow 5, of an exporter that runs for 100 s.
pub(super) fn netflow5(sequence: u32, second: u64, sampling: u16, records: &[Vec<u8>]) -> Vec<u8> {
    let sent = (1_795_000_000 + second) as u32;
    [
        &5_u16.to_be_bytes()[..],
        &(records.len() as u16).to_be_bytes(),
        &100_000_u32.to_be_bytes(),
        &sent.to_be_bytes(),
        &0_u32.to_be_bytes(),
        &sequence.to_be_bytes(),
        &[0, 0],
        &sampling.to_be_bytes(),
        &records.concat(),
    ]
    .concat()
}

/// A record of NetFlow 5: so many bytes, from 10 s before to 5 s before.
pub(super) fn fixed(bytes: u32) -> Vec<u8> {
    [
        &[10, 0, 0, 1, 203, 0, 113, 9, 0, 0, 0, 0][..],
        &[0, 1, 0, 2, 0, 0, 0, 3],
        &bytes.to_be_bytes(),
        &90_000_u32.to_be_bytes(),
        &95_000_u32.to_be_bytes(),
        &[0xc0, 0, 1, 187, 0, 0x1b, 6, 0],
        &[0; 8],
    ]
    .concat()
}

/// A datagram of sFlow with samples.
pub(super) fn sflow(sequence: u32, samples: &[Vec<u8>]) -> Vec<u8> {
    let words = [5, 1, 0x0a09_0001, 0, sequence, 90_000, samples.len() as u32];
    [words_of(&words), samples.concat()].concat()
}

/// A part of a datagram of sFlow, filled up to four bytes.
pub(super) fn part(format: u32, body: &[u8]) -> Vec<u8> {
    let mut part = words_of(&[format, body.len() as u32]);
    part.extend(body);
    part.resize(part.len().next_multiple_of(4), 0);
    part
}

/// A flow sample: one packet in `rate`.
pub(super) fn sample(rate: u32, records: &[Vec<u8>]) -> Vec<u8> {
    let head = [1, 2, rate, 1000, 0, 3, 4, records.len() as u32];
    part(1, &[words_of(&head), records.concat()].concat())
}

/// The same with more room for interfaces.
pub(super) fn expanded_sample(rate: u32, records: &[Vec<u8>]) -> Vec<u8> {
    let head = [1, 0, 2, rate, 1000, 0, 0, 3, 0, 4, records.len() as u32];
    part(3, &[words_of(&head), records.concat()].concat())
}

/// A sampled packet's first bytes, of Ethernet.
pub(super) fn header(length: u32, bytes: &[u8]) -> Vec<u8> {
    part(1, &[words_of(&[1, length, 4, bytes.len() as u32]), bytes.to_vec()].concat())
}

pub(super) fn words_of(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_be_bytes()).collect()
}
