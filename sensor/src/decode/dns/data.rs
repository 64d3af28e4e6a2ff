//! Record data of the types that are kept.

use std::net::IpAddr;

use domain::base::ParsedRecord;
use domain::base::iana::Rtype;
use domain::base::name::ParsedName;
use domain::base::rdata::ParseRecordData;
use domain::rdata::svcb::value::{Ipv4Hint, Ipv6Hint, Port};
use domain::rdata::svcb::{HttpsVariant, SvcbRdata, SvcbVariant};
use domain::rdata::{A, Aaaa, Cname, Dname, Ns, Ptr, Srv, Txt};

use super::names::Names;
use crate::decode::text::{Escape, write_printable};
use crate::event::DnsData;

type Record<'a> = ParsedRecord<'a, [u8]>;
type Name<'a> = ParsedName<&'a [u8]>;

/// A record's data; [`DnsData::Other`] when its type is not kept, its class is not the Internet's,
/// or it does not hold what its type says. None when the message had too much text.
pub(super) fn read(record: &Record<'_>, is_internet: bool, names: &mut Names) -> Option<DnsData> {
    if !is_internet {
        return Some(DnsData::Other);
    }
    let name = match record.rtype() {
        Rtype::A => return Some(address(parse::<A>(record).map(|data| data.addr()))),
        Rtype::AAAA => return Some(address(parse::<Aaaa>(record).map(|data| data.addr()))),
        Rtype::TXT => return text(record, names),
        Rtype::SRV => return service(record, names),
        Rtype::SVCB => return binding::<SvcbVariant>(record, names),
        Rtype::HTTPS => return binding::<HttpsVariant>(record, names),
        Rtype::CNAME => parse::<Cname<Name<'_>>>(record).map(Cname::into_cname),
        Rtype::PTR => parse::<Ptr<Name<'_>>>(record).map(Ptr::into_ptrdname),
        Rtype::NS => parse::<Ns<Name<'_>>>(record).map(Ns::into_nsdname),
        Rtype::DNAME => parse::<Dname<Name<'_>>>(record).map(Dname::into_dname),
        _ => None,
    };
    match name {
        Some(name) => names.text(&name).map(DnsData::Name),
        None => Some(DnsData::Other),
    }
}

/// The data as type `D`, if that is what it is.
fn parse<'a, D: ParseRecordData<'a, [u8]>>(record: &Record<'a>) -> Option<D> {
    Some(record.to_record().ok()??.into_data())
}

fn address(address: Option<impl Into<IpAddr>>) -> DnsData {
    address.map_or(DnsData::Other, |address| DnsData::Address(address.into()))
}

fn text(record: &Record<'_>, names: &mut Names) -> Option<DnsData> {
    let Some(strings) = parse::<Txt<&[u8]>>(record) else { return Some(DnsData::Other) };
    let mut text = String::with_capacity(usize::from(record.rdlen()));
    for string in strings.iter() {
        // A `String` takes whatever is written to it.
        let _ = write_printable(&mut text, string, Escape::Decimal);
    }
    names.charge(text.len())?;
    Some(DnsData::Text(text.into()))
}

fn service(record: &Record<'_>, names: &mut Names) -> Option<DnsData> {
    let Some(service) = parse::<Srv<Name<'_>>>(record) else { return Some(DnsData::Other) };
    Some(DnsData::Service {
        priority: service.priority(),
        weight: service.weight(),
        port: service.port(),
        target: names.text(service.target())?,
    })
}

fn binding<Variant>(record: &Record<'_>, names: &mut Names) -> Option<DnsData>
where
    for<'a> SvcbRdata<Variant, &'a [u8], Name<'a>>: ParseRecordData<'a, [u8]>,
{
    let Some(binding) = parse::<SvcbRdata<Variant, &[u8], Name<'_>>>(record) else {
        return Some(DnsData::Other);
    };
    let params = binding.params();
    let mut hints = Vec::new();
    if let Some(v4) = params.first::<Ipv4Hint<&[u8]>>() {
        hints.extend(v4.iter().map(IpAddr::from));
    }
    if let Some(v6) = params.first::<Ipv6Hint<&[u8]>>() {
        hints.extend(v6.iter().map(IpAddr::from));
    }
    Some(DnsData::ServiceBinding {
        priority: binding.priority(),
        target: names.text(binding.target())?,
        port: params.first::<Port>().map(Port::port),
        hints,
    })
}
