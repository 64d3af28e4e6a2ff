//! Hello extensions (RFC 8446, 4.2), and the contents of those that are read.

use super::reader::Reader;

/// `server_name` (RFC 6066).
pub(super) const SERVER_NAME: u16 = 0;
/// `supported_groups` (RFC 8446; `elliptic_curves` in RFC 4492).
pub(super) const SUPPORTED_GROUPS: u16 = 10;
/// `ec_point_formats` (RFC 8422).
pub(super) const POINT_FORMATS: u16 = 11;
/// `signature_algorithms` (RFC 8446).
pub(super) const SIGNATURE_ALGORITHMS: u16 = 13;
/// `application_layer_protocol_negotiation` (RFC 7301).
pub(super) const ALPN: u16 = 16;
/// `pre_shared_key` (RFC 8446).
pub(super) const PRE_SHARED_KEY: u16 = 41;
/// `supported_versions` (RFC 8446).
pub(super) const SUPPORTED_VERSIONS: u16 = 43;
/// `encrypted_client_hello` (RFC 9849).
pub(super) const ENCRYPTED_CLIENT_HELLO: u16 = 0xfe0d;

/// The extensions of a hello in the order they were sent: type and contents. Ends before one that
/// was cut off.
#[derive(Debug, Clone, Copy)]
pub struct Extensions<'a>(Reader<'a>);

impl<'a> Extensions<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self(Reader::new(bytes))
    }

    /// Their types.
    pub fn kinds(self) -> impl Iterator<Item = u16> {
        self.map(|(kind, _)| kind)
    }

    /// The contents of the first one of a type.
    pub fn first(mut self, kind: u16) -> Option<&'a [u8]> {
        self.find(|&(seen, _)| seen == kind).map(|(_, contents)| contents)
    }
}

impl<'a> Iterator for Extensions<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let [kind, len] = self.0.shorts()?;
        Some((kind, self.0.take(len.into())?))
    }
}

/// What each ClientHello's extensions are asked for, found in one pass: contents, of each type the
/// first, and all types.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Known<'a> {
    pub(super) server_name: Option<&'a [u8]>,
    pub(super) alpn: Option<&'a [u8]>,
    pub(super) supported_versions: Option<&'a [u8]>,
    pub(super) signature_algorithms: Option<&'a [u8]>,
    pub(super) encrypted_client_hello: Option<&'a [u8]>,
    pub(super) kinds: Kinds,
}

impl<'a> Known<'a> {
    pub(super) fn of(extensions: Extensions<'a>) -> Self {
        let mut known = Self::default();
        for (kind, contents) in extensions {
            known.kinds.add(kind);
            let place = match kind {
                SERVER_NAME => &mut known.server_name,
                ALPN => &mut known.alpn,
                SUPPORTED_VERSIONS => &mut known.supported_versions,
                SIGNATURE_ALGORITHMS => &mut known.signature_algorithms,
                ENCRYPTED_CLIENT_HELLO => &mut known.encrypted_client_hello,
                _ => continue,
            };
            place.get_or_insert(contents);
        }
        known
    }
}

/// The types of a hello's extensions in whatever order, GREASE left out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Kinds {
    /// Those below 64, each its bit.
    pub(super) low: u64,
    /// Those of [`HIGH`], each its bit.
    pub(super) high: u8,
    /// How many came, whether in a set or not.
    pub(super) count: usize,
}

/// Types from 64 on that browsers send: both of ALPS, ECH, `renegotiation_info`.
const HIGH: [u16; 4] = [0x4469, 0x44cd, ENCRYPTED_CLIENT_HELLO, 0xff01];

impl Kinds {
    #[inline]
    fn add(&mut self, kind: u16) {
        if let Some(bit) = 1_u64.checked_shl(kind.into()) {
            self.low |= bit;
        } else if is_grease(kind) {
            return;
        } else if let Some(place) = HIGH.iter().position(|&known| known == kind) {
            self.high |= 1 << place;
        }
        self.count = self.count.saturating_add(1);
    }

    /// Whether the sets do not tell them all: one has no place in them, or came twice.
    pub(super) const fn is_short(&self) -> bool {
        (self.low.count_ones() as usize).saturating_add(self.high.count_ones() as usize)
            < self.count
    }
}

/// Whether a value is one of those sent only to keep servers tolerant (RFC 8701).
pub const fn is_grease(value: u16) -> bool {
    let [high, low] = value.to_be_bytes();
    high == low && high & 0x0f == 0x0a
}

/// The first host name of a `server_name` extension.
pub(super) fn host_name(contents: &[u8]) -> Option<&[u8]> {
    const HOST_NAME: u8 = 0;
    let mut list = Reader::new(Reader::new(contents).vector16()?);
    loop {
        let kind = list.byte()?;
        let name = list.vector16()?;
        if kind == HOST_NAME {
            return Some(name).filter(|name| !name.is_empty());
        }
    }
}

/// The protocol names of an ALPN extension.
pub(super) fn protocols(contents: &[u8]) -> impl Iterator<Item = &[u8]> {
    protocols_or_nothing(contents).filter(|name| !name.is_empty())
}

/// The same with those that are empty, which the standard forbids.
pub(super) fn protocols_or_nothing(contents: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut list = Reader::new(Reader::new(contents).vector16().unwrap_or_default());
    std::iter::from_fn(move || list.vector8())
}

/// The versions in a client's `supported_versions` extension.
pub(super) fn versions(contents: &[u8]) -> impl Iterator<Item = u16> {
    shorts(Reader::new(contents).vector8().unwrap_or_default())
}

/// The values in an extension that is a list of numbers, such as `signature_algorithms`.
pub(super) fn values(contents: &[u8]) -> impl Iterator<Item = u16> {
    shorts(list(contents))
}

/// The same as bytes.
pub(super) fn list(contents: &[u8]) -> &[u8] {
    Reader::new(contents).vector16().unwrap_or_default()
}

/// Numbers of two bytes each.
pub(super) fn shorts(bytes: &[u8]) -> impl Iterator<Item = u16> {
    let (pairs, _) = bytes.as_chunks();
    pairs.iter().map(|pair| u16::from_be_bytes(*pair))
}
