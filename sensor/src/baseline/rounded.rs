//! Numbers as two bytes.

/// Bits that are kept below a number's first.
const BITS: u32 = 11;

/// A number, exact below 4,096 and else rounded down by at most a part in 2,048; up to 4 10^12. Five
/// bits of exponent, and [`BITS`] of the number; sorts as the number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rounded(u16);

impl Rounded {
    pub(crate) fn of(number: u64) -> Self {
        let below = number.checked_ilog2().unwrap_or(0).saturating_sub(BITS);
        // The first bit of what is left adds one to the exponent, which is none for numbers without it.
        let code = u64::from(below << BITS) + (number >> below);
        Self(u16::try_from(code).unwrap_or(u16::MAX))
    }

    pub(crate) const fn get(self) -> u64 {
        let (exponent, number) = (self.0 >> BITS, self.0 as u64);
        if exponent == 0 {
            return number;
        }
        let first = 1 << BITS;
        (first | number & (first - 1)) << (exponent - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_exact_where_they_are_small_and_close_where_they_are_large() {
        for number in (0..=5000).chain((12..41).flat_map(|bits| [(1 << bits) - 1, 3 << bits])) {
            let read = Rounded::of(number).get();
            assert!(read <= number && (number - read) * 2048 <= number, "{number}: {read}");
            assert!(number >= 4096 || read == number, "{number}: {read}");
            assert_eq!(Rounded::of(read), Rounded::of(number), "read and kept again");
            assert!(Rounded::of(number) <= Rounded::of(number + 1));
        }
        assert_eq!(Rounded::of(u64::MAX).get(), 4095 << 30);
    }
}
