//! Networks as ranges of numbers, so that looking an address up is a few comparisons.

use std::net::IpAddr;

use ipnet::IpNet;

/// The addresses of a few networks.
#[derive(Debug)]
pub(super) struct Ranges {
    v4: Vec<[u32; 2]>,
    v6: Vec<[u128; 2]>,
}

impl Ranges {
    pub(super) fn new(nets: &[IpNet]) -> Self {
        let mut ranges = Self { v4: Vec::new(), v6: Vec::new() };
        for net in nets {
            match net {
                IpNet::V4(v4) => {
                    ranges.v4.push([v4.network().to_bits(), v4.broadcast().to_bits()]);
                }
                IpNet::V6(v6) => {
                    ranges.v6.push([v6.network().to_bits(), v6.broadcast().to_bits()]);
                }
            }
        }
        ranges
    }

    /// Whether one of the networks contains the address.
    pub(super) fn contain(&self, address: IpAddr) -> bool {
        fn any<T: PartialOrd>(ranges: &[[T; 2]], number: T) -> bool {
            ranges.iter().any(|[first, last]| *first <= number && number <= *last)
        }
        match address {
            IpAddr::V4(v4) => any(&self.v4, v4.to_bits()),
            IpAddr::V6(v6) => any(&self.v6, v6.to_bits()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_of_a_network_are_inside_and_what_is_beside_them_is_not() {
        let nets = ["10.1.2.3/8", "192.0.2.7/32", "fe80::/10"].map(|net| net.parse().unwrap());
        let ranges = Ranges::new(&nets);
        for inside in ["10.0.0.0", "10.255.255.255", "192.0.2.7", "fe80::", "febf:ffff::1"] {
            assert!(ranges.contain(inside.parse().unwrap()), "{inside}");
        }
        for outside in ["9.255.255.255", "11.0.0.0", "192.0.2.6", "fec0::", "::ffff:10.0.0.1"] {
            assert!(!ranges.contain(outside.parse().unwrap()), "{outside}");
        }
    }
}
