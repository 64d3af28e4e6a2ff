//! Where a receiver is: its addresses, of which link-local ones are refused.

use std::net::{IpAddr, SocketAddr};

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::failure::Failure;
use crate::config::is_link_local;
use crate::text::{printable, reason};

/// Why there is no address to send to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum AddressError {
    /// No such name, or nobody answers for it.
    #[error("{}: the name has no address: {reason}", printable(host))]
    Unknown {
        /// Which name.
        host: String,
        /// What the resolver said.
        reason: String,
    },
    /// Where clouds hand out credentials.
    #[error("{address} is a link-local address, to which nothing is sent; give the receiver's own")]
    LinkLocal {
        /// Which.
        address: IpAddr,
    },
}

/// The addresses of `host`.
///
/// # Errors
/// When it has none, or a link-local one: then whoever answers for the name is not to be trusted.
pub(super) async fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>, AddressError> {
    let unknown = |reason| AddressError::Unknown { host: host.to_owned(), reason };
    let found = tokio::net::lookup_host((host, port)).await;
    let found: Vec<SocketAddr> = found.map_err(|error| unknown(reason(&error)))?.collect();
    match found.iter().find(|address| is_link_local(address.ip())) {
        Some(refused) => Err(AddressError::LinkLocal { address: refused.ip() }),
        None if found.is_empty() => Err(unknown("the resolver gave none".to_owned())),
        None => Ok(found),
    }
}

/// Refuses a URL whose host is a link-local address, for which nobody asks a resolver.
pub(super) fn refuse_link_local(url: &Url) -> Result<(), Failure> {
    match host(url).parse::<IpAddr>() {
        Ok(address) if is_link_local(address) => Err(AddressError::LinkLocal { address }.into()),
        _ => Ok(()),
    }
}

/// A URL's host, without the brackets around an IPv6 address.
pub(super) fn host(url: &Url) -> &str {
    url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']')
}

/// [`resolve`] for `reqwest`, which then connects to just these addresses.
#[derive(Debug)]
pub(super) struct Resolver;

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = resolve(name.as_str(), 0).await?;
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_local_address_is_refused_however_it_is_written() {
        for url in [
            "http://169.254.169.254/",
            "http://2852039166/",
            "http://0xa9fea9fe/",
            "http://[fe80::1]/",
            "http://[::ffff:169.254.169.254]/",
        ] {
            let refused = refuse_link_local(&url.parse().unwrap());
            assert!(matches!(refused, Err(Failure::Address(_))), "{url}");
        }
        for url in ["http://127.0.0.1/", "http://10.0.0.1/", "http://[fd00::1]/", "http://soc/"] {
            assert!(refuse_link_local(&url.parse().unwrap()).is_ok(), "{url}");
        }
    }

    #[tokio::test]
    async fn addresses_resolve_to_themselves_and_link_local_ones_to_nothing() {
        assert_eq!(resolve("127.0.0.1", 9).await, Ok(vec!["127.0.0.1:9".parse().unwrap()]));
        let address = "169.254.169.254".parse().unwrap();
        let refused = resolve("169.254.169.254", 80).await;
        assert_eq!(refused, Err(AddressError::LinkLocal { address }));
    }
}
