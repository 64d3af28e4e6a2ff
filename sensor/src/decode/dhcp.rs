//! What DHCP servers offer and grant (RFC 2131, RFC 2132). What clients ask for is not read: only a
//! server's word gives an address.

use std::net::Ipv4Addr;

use arrayvec::ArrayVec;

use super::Mac;

/// Where clients are spoken to.
pub const CLIENT_PORT: u16 = 68;
/// Where servers and relays are.
pub const SERVER_PORT: u16 = 67;
/// Options begin behind the fixed fields.
const COOKIE: [u8; 4] = [99, 130, 83, 99];
/// Addresses of a list that are kept.
const MAX_ADDRESSES: usize = 4;

/// Options that are read, by their codes.
mod option {
    pub(super) const PAD: u8 = 0;
    pub(super) const ROUTERS: u8 = 3;
    pub(super) const RESOLVERS: u8 = 6;
    pub(super) const MESSAGE: u8 = 53;
    pub(super) const SERVER: u8 = 54;
    pub(super) const END: u8 = 255;
}

/// A few addresses.
pub type Addresses = ArrayVec<Ipv4Addr, MAX_ADDRESSES>;

/// What a server gives a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The address given.
    pub address: Ipv4Addr,
    /// Whom to.
    pub client: Mac,
    /// Who gives it, as the message says (option 54).
    pub server: Ipv4Addr,
    /// Granted (DHCPACK), else only offered (DHCPOFFER).
    pub is_granted: bool,
    /// The routers that the client is to use, of which the first four are kept.
    pub routers: Addresses,
    /// The resolvers that it is to use, likewise.
    pub resolvers: Addresses,
}

/// Reads a datagram's payload; `None` when it is no server's offer or grant of an address.
pub fn read(payload: &[u8]) -> Option<Grant> {
    let (fixed, rest) = payload.split_first_chunk::<236>()?;
    // A reply, on Ethernet.
    let [2, 1, 6, ..] = fixed else { return None };
    let address = Ipv4Addr::from(*fixed.get(16..20)?.first_chunk()?);
    let client = Mac(*fixed.get(28..34)?.first_chunk()?);
    let (cookie, options) = rest.split_first_chunk::<4>()?;
    if *cookie != COOKIE || address.is_unspecified() {
        return None;
    }
    let (mut message, mut server) = (None, None);
    let (mut routers, mut resolvers) = (Addresses::new(), Addresses::new());
    for (code, value) in Options(options) {
        match (code, value) {
            (option::MESSAGE, [kind]) => message = Some(*kind),
            (option::SERVER, value) => server = addresses(value).first().copied(),
            (option::ROUTERS, value) => routers = addresses(value),
            (option::RESOLVERS, value) => resolvers = addresses(value),
            _ => {}
        }
    }
    let is_granted = match message? {
        2 => false,
        5 => true,
        _ => return None,
    };
    Some(Grant { address, client, server: server?, is_granted, routers, resolvers })
}

fn addresses(value: &[u8]) -> Addresses {
    value.as_chunks::<4>().0.iter().take(MAX_ADDRESSES).map(|four| Ipv4Addr::from(*four)).collect()
}

/// Code and value of each option, up to the end or to where one is cut off.
struct Options<'a>(&'a [u8]);

impl<'a> Iterator for Options<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match *self.0 {
                [option::PAD, ref rest @ ..] => self.0 = rest,
                [code, length, ref rest @ ..] if code != option::END => {
                    let (value, rest) = rest.split_at_checked(usize::from(length))?;
                    self.0 = rest;
                    return Some((code, value));
                }
                _ => return None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(options: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; 236];
        bytes[..3].copy_from_slice(&[2, 1, 6]);
        bytes[16..20].copy_from_slice(&[10, 0, 0, 50]);
        bytes[28..34].copy_from_slice(&[0, 0x50, 0x56, 1, 2, 3]);
        bytes.extend(COOKIE);
        bytes.extend(options);
        bytes
    }

    const ACK: [u8; 24] =
        [53, 1, 5, 0, 54, 4, 10, 0, 0, 1, 3, 4, 10, 0, 0, 254, 6, 4, 10, 0, 0, 53, 255, 0];

    #[test]
    fn a_grant_says_who_gives_what_to_whom() {
        let grant = read(&reply(&ACK)).unwrap();
        assert!(grant.is_granted);
        assert_eq!(grant.address, Ipv4Addr::new(10, 0, 0, 50));
        assert_eq!(grant.client, Mac([0, 0x50, 0x56, 1, 2, 3]));
        assert_eq!(grant.server, Ipv4Addr::new(10, 0, 0, 1));
        assert_eq!(grant.routers.as_slice(), [Ipv4Addr::new(10, 0, 0, 254)]);
        assert_eq!(grant.resolvers.as_slice(), [Ipv4Addr::new(10, 0, 0, 53)]);
        let mut offer = ACK;
        offer[2] = 2;
        assert!(!read(&reply(&offer)).unwrap().is_granted);
    }

    #[test]
    fn what_names_no_server_or_no_address_gives_nothing() {
        assert_eq!(read(&reply(&[53, 1, 5, 255])), None, "no server");
        assert_eq!(read(&reply(&[54, 4, 10, 0, 0, 1, 255])), None, "no message type");
        let mut refusal = ACK;
        refusal[2] = 6;
        assert_eq!(read(&reply(&refusal)), None);
        let mut request = reply(&ACK);
        request[0] = 1;
        assert_eq!(read(&request), None);
        let mut nowhere = reply(&ACK);
        nowhere[16..20].fill(0);
        assert_eq!(read(&nowhere), None, "an answer to DHCPINFORM");
    }

    #[test]
    fn a_cut_message_tells_what_it_has_or_nothing() {
        let whole = reply(&ACK);
        for length in 0..whole.len() {
            let cut = read(&whole[..length]);
            assert_eq!(cut.is_some(), length >= 236 + 4 + 10, "{length} bytes");
        }
        let long: Vec<u8> = [&ACK[..10], &[6, 24], &[9; 24]].concat();
        assert_eq!(read(&reply(&long)).unwrap().resolvers.len(), MAX_ADDRESSES);
    }
}
