//! How beacons calculate ports.

use std::net::Ipv4Addr;

/// How a port follows from the octets a.b.c.d of an answer, modulo 65536.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Formula {
    /// `a*b + c`, as APT12 did.
    Apt12,
    /// `c*256 + d`: the last hexadecimal digits.
    LastOctets,
    /// `(a^b)*256 + (c^d)`.
    Xor,
    /// `a*b + c + d`.
    ProductSum,
    /// `a*(b + c)`.
    ProductOfSum,
    /// `a*b + k`.
    ProductOffset,
    /// `c*256 + d + k`.
    LastOctetsOffset,
    /// `k + a*b*c mod m`.
    ProductModulus,
    /// `k + (c*256 + d) mod m`.
    LastOctetsModulus,
    /// `k + m1*a + m2*b + m3*c + m4*d`.
    Multipliers,
    /// `k + m1*c + m2*d`.
    TwoMultipliers,
    /// `k + m1*b*c + m2*d`.
    ProductMultipliers,
    /// `k + m1*a*b + m2*c*d`.
    ProductPair,
}

impl Formula {
    /// One of each.
    pub const ALL: [Self; 13] = [
        Self::Apt12,
        Self::LastOctets,
        Self::Xor,
        Self::ProductSum,
        Self::ProductOfSum,
        Self::ProductOffset,
        Self::LastOctetsOffset,
        Self::ProductModulus,
        Self::LastOctetsModulus,
        Self::Multipliers,
        Self::TwoMultipliers,
        Self::ProductMultipliers,
        Self::ProductPair,
    ];

    /// Its name in the truth.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Apt12 => "apt12",
            Self::LastOctets => "last_octets",
            Self::Xor => "xor",
            Self::ProductSum => "product_sum",
            Self::ProductOfSum => "product_of_sum",
            Self::ProductOffset => "product_offset",
            Self::LastOctetsOffset => "last_octets_offset",
            Self::ProductModulus => "product_modulus",
            Self::LastOctetsModulus => "last_octets_modulus",
            Self::Multipliers => "multipliers",
            Self::TwoMultipliers => "two_multipliers",
            Self::ProductMultipliers => "product_multipliers",
            Self::ProductPair => "product_pair",
        }
    }

    /// What of it is unknown to a sensor, as the truth names it.
    pub const fn family(self) -> &'static str {
        match self {
            Self::Apt12 | Self::LastOctets | Self::Xor | Self::ProductSum | Self::ProductOfSum => {
                "known"
            }
            Self::ProductOffset | Self::LastOctetsOffset => "constant",
            Self::ProductModulus | Self::LastOctetsModulus => "modulus",
            Self::Multipliers | Self::TwoMultipliers => "affine",
            Self::ProductMultipliers | Self::ProductPair => "product",
        }
    }

    /// The port for `answer`; `constants` are the beacon's own.
    pub fn port(self, answer: Ipv4Addr, constants: [u32; 6]) -> u16 {
        let octets = answer.octets().map(u32::from);
        let [a, b, c, d] = octets;
        let [offset, modulus, multipliers @ ..] = constants;
        let [first, second, ..] = multipliers;
        let port = match self {
            Self::Apt12 => a * b + c,
            Self::LastOctets => c * 256 + d,
            Self::Xor => (a ^ b) * 256 + (c ^ d),
            Self::ProductSum => a * b + c + d,
            Self::ProductOfSum => a * (b + c),
            Self::ProductOffset => a * b + offset,
            Self::LastOctetsOffset => c * 256 + d + offset,
            Self::ProductModulus => offset + a * b * c % modulus,
            Self::LastOctetsModulus => offset + (c * 256 + d) % modulus,
            Self::Multipliers => {
                offset + octets.iter().zip(multipliers).map(|(octet, by)| octet * by).sum::<u32>()
            }
            Self::TwoMultipliers => offset + first * c + second * d,
            Self::ProductMultipliers => offset + first * b * c + second * d,
            Self::ProductPair => offset + first * a * b + second * c * d,
        };
        port as u16
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_formula() {
        let answer = Ipv4Addr::new(198, 51, 100, 7);
        assert_eq!(Formula::Apt12.port(answer, [0; 6]), 198 * 51 + 100);
        assert_eq!(Formula::LastOctets.port(answer, [0; 6]), 0x6407);
    }
}
