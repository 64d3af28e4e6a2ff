//! Record data of the types that are kept.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use domain::base::iana::Rtype;
use domain::base::wire::{Parse, ParseError};
use domain::dep::octseq::parse::Parser;
use domain::rdata::svcb::SvcParams;
use domain::rdata::svcb::value::{Ipv4Hint, Ipv6Hint, Port};

use super::names::{NameError, Names};
use crate::decode::text::{Escape, write_printable};
use crate::event::{DnsAuthority, DnsData};

/// Record data within its message, so that its names can point back.
type Data<'a> = Parser<'a, [u8]>;

/// Reads a record's data; [`DnsData::Other`] when its type is not kept or it is broken.
///
/// # Errors
/// [`NameError::TooMuch`] only.
pub(super) fn read(rtype: Rtype, data: Data<'_>, names: &mut Names) -> Result<DnsData, NameError> {
    match decode(rtype, data, names) {
        Err(NameError::Short | NameError::Form) => Ok(DnsData::Other),
        read => read,
    }
}

/// Bytes behind what a type has are passed over, as resolvers do, save for addresses.
fn decode(rtype: Rtype, mut data: Data<'_>, names: &mut Names) -> Result<DnsData, NameError> {
    Ok(match rtype {
        Rtype::A if data.remaining() == 4 => DnsData::Address(Ipv4Addr::parse(&mut data)?.into()),
        Rtype::AAAA if data.remaining() == 16 => {
            DnsData::Address(Ipv6Addr::parse(&mut data)?.into())
        }
        Rtype::CNAME | Rtype::PTR | Rtype::NS | Rtype::DNAME => {
            DnsData::Name(names.read(&mut data)?)
        }
        Rtype::TXT => DnsData::Text(text(data, names)?),
        Rtype::NULL => {
            let bytes = data.parse_octets(data.remaining())?;
            names.charge(bytes.len())?;
            let mut text = String::new();
            // A `String` takes whatever is written to it.
            let _ = write_printable(&mut text, bytes, Escape::Decimal);
            names.charge(text.len().saturating_sub(bytes.len()))?;
            DnsData::Text(text.into())
        }
        Rtype::MX => {
            let _preference = data.parse_u16_be()?;
            DnsData::Name(names.read(&mut data)?)
        }
        Rtype::SOA => DnsData::Authority(Box::new(DnsAuthority {
            server: names.read(&mut data)?,
            mailbox: names.read(&mut data)?,
            serial: data.parse_u32_be()?,
            refresh: data.parse_u32_be()?,
            retry: data.parse_u32_be()?,
            expire: data.parse_u32_be()?,
            minimum: data.parse_u32_be()?,
        })),
        Rtype::SSHFP => {
            let (algorithm, kind) = (data.parse_u8()?, data.parse_u8()?);
            names.charge(data.remaining())?;
            let fingerprint = data.parse_octets(data.remaining())?.into();
            DnsData::HostKey { algorithm, kind, fingerprint }
        }
        Rtype::SRV => DnsData::Service {
            priority: data.parse_u16_be()?,
            weight: data.parse_u16_be()?,
            port: data.parse_u16_be()?,
            target: names.read(&mut data)?,
        },
        Rtype::SVCB | Rtype::HTTPS => binding(data, names)?,
        _ => DnsData::Other,
    })
}

fn text(mut data: Data<'_>, names: &mut Names) -> Result<Box<str>, NameError> {
    let mut text = String::new();
    while data.remaining() > 0 {
        let length = usize::from(data.parse_u8()?);
        let before = text.len();
        // A `String` takes whatever is written to it.
        let _ = write_printable(&mut text, data.parse_octets(length)?, Escape::Decimal);
        names.charge(text.len().saturating_sub(before))?;
    }
    Ok(text.into())
}

fn binding(mut data: Data<'_>, names: &mut Names) -> Result<DnsData, NameError> {
    let priority = data.parse_u16_be()?;
    let target = names.read(&mut data)?;
    let params = SvcParams::<&[u8]>::parse(&mut data)?;
    let (v4, v6) = (params.first::<Ipv4Hint<&[u8]>>(), params.first::<Ipv6Hint<&[u8]>>());
    let v4 = v4.iter().flat_map(|hints| hints.iter().map(IpAddr::from));
    let v6 = v6.iter().flat_map(|hints| hints.iter().map(IpAddr::from));
    let mut hints: Vec<IpAddr> = Vec::new();
    for hint in v4.chain(v6) {
        names.charge(size_of::<IpAddr>())?;
        hints.push(hint);
    }
    let port = params.first::<Port>().map(Port::port);
    Ok(DnsData::ServiceBinding { priority, target, port, hints })
}

impl From<ParseError> for NameError {
    fn from(error: ParseError) -> Self {
        match error {
            ParseError::ShortInput => Self::Short,
            ParseError::Form(_) => Self::Form,
        }
    }
}
