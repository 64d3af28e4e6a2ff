//! The keys of Initials (RFC 9001, 5; RFC 9369, 3.3), and a packet opened with them.

use ring::aead::quic::{AES_128, HeaderProtectionKey};
use ring::aead::{AES_128_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, KeyType, Okm, Prk, Salt};

use super::{Packet, Version};

/// Who sends a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The side that opened the connection.
    Client,
    /// The other.
    Server,
}

/// The keys of one side's Initials.
pub struct Keys {
    payload: LessSafeKey,
    iv: [u8; NONCE_LEN],
    header: HeaderProtectionKey,
}

impl Keys {
    /// The keys that follow from a client's first destination connection id; after a Retry, from
    /// its first one since. `None` never comes back: `ring` refuses only lengths that are not asked for.
    pub fn initial(version: Version, id: &[u8], side: Side) -> Option<Self> {
        let initial = Salt::new(HKDF_SHA256, version.salt()).extract(id);
        let label: &[u8] = match side {
            Side::Client => b"tls13 client in",
            Side::Server => b"tls13 server in",
        };
        let secret = expand(&initial, label, HKDF_SHA256, |okm| Some(Prk::from(okm)))?;
        let labels = version.labels();
        Some(Self {
            payload: expand(&secret, labels.key, &AES_128_GCM, |okm| {
                Some(LessSafeKey::new(UnboundKey::from(okm)))
            })?,
            iv: expand(&secret, labels.iv, Iv, |okm| {
                let mut iv = [0; NONCE_LEN];
                okm.fill(&mut iv).ok().map(|()| iv)
            })?,
            header: expand(&secret, labels.header, &AES_128, |okm| {
                Some(HeaderProtectionKey::from(okm))
            })?,
        })
    }

    /// The frames of a packet, decrypted in `buffer`; `None` when these are not its keys, or not all
    /// of it is there: without its tag nothing tells.
    pub fn open<'a>(&self, packet: &Packet<'_>, buffer: &'a mut Vec<u8>) -> Option<&'a [u8]> {
        const SAMPLE_OFFSET: usize = 4;
        buffer.clear();
        buffer.extend_from_slice(packet.bytes);
        let sample = packet.bytes.get(packet.number..)?.get(SAMPLE_OFFSET..)?;
        let sample = sample.get(..self.header.algorithm().sample_len())?;
        let [mask, number_mask @ ..] = self.header.new_mask(sample).ok()?;
        let first = buffer.first_mut()?;
        *first ^= mask & 0x0f;
        let number_len = usize::from(*first & 3).checked_add(1)?;
        let (header, payload) =
            buffer.split_at_mut_checked(packet.number.checked_add(number_len)?)?;
        let number = header.get_mut(packet.number..)?;
        number.iter_mut().zip(number_mask).for_each(|(byte, mask)| *byte ^= mask);
        let mut nonce = self.iv;
        // Initials are few: their numbers are whole as they are sent.
        nonce.iter_mut().rev().zip(number.iter().rev()).for_each(|(byte, number)| *byte ^= number);
        let nonce = Nonce::assume_unique_for_key(nonce);
        self.payload.open_in_place(nonce, Aad::from(&*header), payload).ok().map(|frames| &*frames)
    }
}

/// The length of an initialisation vector.
#[derive(Clone, Copy)]
struct Iv;

impl KeyType for Iv {
    fn len(&self) -> usize {
        NONCE_LEN
    }
}

/// HKDF-Expand-Label (RFC 8446, 7.1) without context.
fn expand<L: KeyType, T>(
    secret: &Prk,
    label: &[u8],
    of: L,
    make: impl FnOnce(Okm<'_, L>) -> Option<T>,
) -> Option<T> {
    let length = u16::try_from(of.len()).ok()?.to_be_bytes();
    let label_length = [u8::try_from(label.len()).ok()?];
    let info = [&length[..], &label_length, label, &[0]];
    make(secret.expand(&info, of).ok()?)
}
