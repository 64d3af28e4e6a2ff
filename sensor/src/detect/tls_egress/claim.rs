//! Where a session claims to go, and what is odd about that.

use std::borrow::Cow;
use std::net::IpAddr;

use super::weigh::Notes;
use crate::detect::answers::Support;
use crate::detect::domain::{lower, network, registered};
use crate::detect::estate::{Beyond, Estate};
use crate::detect::names::Name;
use crate::event::{Ech, TlsSession};
use crate::inventory::AssetId;

/// What a session claims to be, checked against DNS.
pub(super) struct Claim<'a> {
    pub(super) place: Cow<'a, str>,
    /// The name it goes by.
    pub(super) name: Option<&'a str>,
    /// The server, as far as the client knows it.
    pub(super) server: (IpAddr, u16),
    pub(super) support: Option<Support>,
    pub(super) notes: Notes,
}

impl<'a> Claim<'a> {
    /// What a session straight to the server claims.
    pub(super) fn check(
        estate: &'a Estate,
        asset: AssetId,
        server @ (address, port): (IpAddr, u16),
        (hello, named): (&'a TlsSession, Option<Name>),
    ) -> Self {
        let mut notes = Notes::default();
        if port != 443 {
            notes.add(Notes::ODD_PORT);
        }
        let sni = hello.sni.as_deref();
        let claimed = claimed(hello, named);
        let mut support = None;
        match claimed {
            Some((name, stands_for)) => {
                let found = estate.answers.support(asset, stands_for.domain, address);
                support = Some(found);
                if matches!(found, Support::Agreed | Support::Blind) {
                    let place = stands_for.text(name);
                    return Self { place, name: sni, server, support, notes };
                }
                notes.add(Notes::SNI_NOT_IN_DNS);
            }
            None if hello.ech == Ech::Offered => notes.add(Notes::ECH),
            None => notes.add(Notes::NO_SNI),
        }
        let place = addressed(estate, asset, address, claimed.is_none(), &mut notes);
        Self { place, name: sni, server, support, notes }
    }

    /// What a session claims of which no hello is seen: nothing. It goes by the name that DNS last gave
    /// the address for.
    pub(super) fn of_address(
        estate: &'a Estate,
        asset: AssetId,
        server @ (address, port): (IpAddr, u16),
    ) -> Self {
        let mut notes = Notes::default();
        if port != 443 {
            notes.add(Notes::ODD_PORT);
        }
        let name = estate.answers.name_of(asset, address).map(|name| &**name);
        let place = addressed(estate, asset, address, true, &mut notes);
        Self { place, name, server, support: name.map(|_| Support::Agreed), notes }
    }

    /// The same through a proxy inside, at `proxy`. A name is looked up by that, and where it connects
    /// to is what it was asked for, whatever the hello says.
    pub(super) fn through_proxy(
        estate: &'a Estate,
        asset: AssetId,
        proxy: IpAddr,
        beyond: Beyond<'a>,
        (hello, named): (&'a TlsSession, Option<Name>),
    ) -> Self {
        if let Ok(address) = beyond.host.parse() {
            return Self::check(estate, asset, (address, beyond.port), (hello, named));
        }
        let mut notes = Notes::default();
        if beyond.port != 443 {
            notes.add(Notes::ODD_PORT);
        }
        let place = place(&lower(beyond.host));
        match claimed(hello, named) {
            Some((name, stands_for)) if stands_for.text(name) != place => {
                notes.add(Notes::SNI_NOT_IN_DNS);
            }
            Some(_) => {}
            None if hello.ech == Ech::Offered => notes.add(Notes::ECH),
            None => notes.add(Notes::NO_SNI),
        }
        let (server, support) = ((proxy, beyond.port), Some(Support::Agreed));
        Self { place, name: Some(beyond.host), server, support, notes }
    }
}

/// The place that an address stands for: by the name that DNS gave it for, else its network. `is_nameless`:
/// nothing else names it.
fn addressed<'a>(
    estate: &'a Estate,
    asset: AssetId,
    address: IpAddr,
    is_nameless: bool,
    notes: &mut Notes,
) -> Cow<'a, str> {
    if let Some(name) = estate.answers.name_of(asset, address) {
        return registered(name).into();
    }
    if is_nameless && estate.answers.sees(asset) {
        notes.add(Notes::NEVER_RESOLVED);
    }
    network(address).to_string().into()
}

/// The name that a hello says it goes to, and what that stands for. With an encrypted hello the name
/// outside is the provider's: no claim at all.
fn claimed(hello: &TlsSession, named: Option<Name>) -> Option<(&str, Name)> {
    let stands_for = named.filter(|named| hello.ech != Ech::Offered && named.is_host)?;
    Some((hello.sni.as_deref()?, stands_for))
}

/// The place that a name in lower case stands for.
fn place<'a>(name: &Cow<'a, str>) -> Cow<'a, str> {
    match name {
        Cow::Borrowed(name) => registered(name).into(),
        Cow::Owned(name) => registered(name).to_owned().into(),
    }
}
