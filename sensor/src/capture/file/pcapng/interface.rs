//! What an interface description says of its packets, and its statistics of those it lost.

use super::ByteOrder;
use crate::capture::LinkType;
use crate::time::Timestamp;

/// Option codes of an interface description.
const IF_TSRESOL: u16 = 9;
const IF_TSOFFSET: u16 = 14;
/// Option codes of interface statistics.
const ISB_IFDROP: u16 = 5;
const ISB_OSDROP: u16 = 7;

/// One interface of a section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Interface {
    pub(super) link: LinkType,
    /// The most bytes captured of a packet; unlimited is the largest number.
    pub(super) snaplen: u32,
    unit: Unit,
    /// Nanoseconds that its times lack.
    offset: i64,
    /// Packets lost, as the last statistics say: they count from the start of the capture.
    pub(super) dropped: u64,
}

/// Microseconds, of a link type that is reserved (`LINKTYPE_` 65535 is none).
impl Default for Interface {
    fn default() -> Self {
        let link = LinkType(u16::MAX);
        Self { link, snaplen: u32::MAX, unit: Unit::MICROSECONDS, offset: 0, dropped: 0 }
    }
}

impl Interface {
    /// Reads an interface description's body; `None` when its fixed part is not whole.
    ///
    /// Options that cannot be read are as if not there.
    pub(super) fn read(order: ByteOrder, body: &[u8]) -> Option<Self> {
        let (&[l0, l1, _, _, s0, s1, s2, s3], options) = body.split_first_chunk::<8>()?;
        let mut interface = Self { link: LinkType(order.u16([l0, l1])), ..Self::default() };
        let snaplen = order.u32([s0, s1, s2, s3]);
        if snaplen > 0 {
            interface.snaplen = snaplen;
        }
        for (code, value) in Options(order, options) {
            match (code, value) {
                (IF_TSRESOL, &[resolution]) => interface.unit = Unit::of(resolution),
                (IF_TSOFFSET, value) => {
                    if let Ok(seconds) = value.try_into().map(|value| order.u64(value)) {
                        interface.offset = (seconds as i64).saturating_mul(1_000_000_000);
                    }
                }
                _ => {}
            }
        }
        Some(interface)
    }

    /// The time of a packet, from the count of units in its block.
    #[inline]
    pub(super) fn time(&self, units: u64) -> Timestamp {
        Timestamp::from_nanos(self.unit.nanos(units).saturating_add_signed(self.offset))
    }

    /// Takes in the options of a statistics block, whose counts replace the earlier ones.
    pub(super) fn count_drops(&mut self, order: ByteOrder, options: &[u8]) {
        let counts = Options(order, options)
            .filter(|(code, _)| matches!(*code, ISB_IFDROP | ISB_OSDROP))
            .filter_map(|(_, value)| Some(order.u64(value.try_into().ok()?)));
        self.dropped = counts.fold(0, u64::saturating_add);
    }
}

/// The unit of an interface's timestamps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    /// This many nanoseconds.
    Nanos(u64),
    /// This many make a nanosecond.
    PerNano(u64),
    /// A second divided by two this often, at most 127 times.
    Halvings(u8),
}

impl Unit {
    const MICROSECONDS: Self = Self::Nanos(1000);

    /// From `if_tsresol`: the negative power of ten, or of two when the highest bit is set.
    fn of(resolution: u8) -> Self {
        let power = resolution & 0x7f;
        if resolution & 0x80 != 0 {
            Self::Halvings(power)
        } else if power <= 9 {
            Self::Nanos(10_u64.pow(u32::from(9 - power)))
        } else {
            // Beyond 10^19 units 64 bits of them are less than a nanosecond.
            Self::PerNano(10_u64.checked_pow(u32::from(power - 9)).unwrap_or(u64::MAX))
        }
    }

    #[inline]
    fn nanos(self, units: u64) -> u64 {
        match self {
            Self::Nanos(nanos) => units.saturating_mul(nanos),
            Self::PerNano(units_in_nano) => units / units_in_nano,
            Self::Halvings(power) => {
                // Less than 2^64 times 10^9 < 2^94: no overflow in 128 bits.
                let nanos = (u128::from(units) * 1_000_000_000) >> power;
                u64::try_from(nanos).unwrap_or(u64::MAX)
            }
        }
    }
}

/// The options at the end of a block, up to the first that is not whole.
struct Options<'a>(ByteOrder, &'a [u8]);

impl<'a> Iterator for Options<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let Self(order, rest) = self;
        let (&[c0, c1, l0, l1], values) = rest.split_first_chunk::<4>()?;
        let (code, length) = (order.u16([c0, c1]), usize::from(order.u16([l0, l1])));
        let value = values.get(..length)?;
        // The padding to four bytes may be missing behind the last one.
        *rest = values.get(length.next_multiple_of(4)..).unwrap_or_default();
        (code != 0).then_some((code, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_powers_of_ten_and_of_two() {
        assert_eq!(Unit::of(0).nanos(3), 3_000_000_000);
        assert_eq!(Unit::of(6), Unit::MICROSECONDS);
        assert_eq!(Unit::of(9).nanos(u64::MAX), u64::MAX);
        assert_eq!(Unit::of(12).nanos(5_999), 5);
        assert_eq!(Unit::of(127).nanos(u64::MAX - 1), 0);
        assert_eq!(Unit::of(0x80 | 10).nanos(1024 + 512), 1_500_000_000);
        assert_eq!(Unit::of(0x80).nanos(2), 2_000_000_000);
        assert_eq!(Unit::of(0xff).nanos(u64::MAX), 0);
        for resolution in 0..=u8::MAX {
            assert_eq!(Unit::of(resolution).nanos(0), 0);
            assert!(Unit::of(resolution).nanos(1) <= 1_000_000_000);
            Unit::of(resolution).nanos(u64::MAX);
        }
    }

    #[test]
    fn options_end_where_they_make_no_sense() {
        let order = ByteOrder::Little;
        let fixed = [1, 0, 0, 0, 0, 0, 0, 0];
        let read = |options: &[u8]| {
            Interface::read(order, &[&fixed, options].concat()).map(|interface| interface.unit)
        };
        let (micros, nanos) = (Some(Unit::MICROSECONDS), Some(Unit::Nanos(1)));
        assert_eq!(read(&[]), micros);
        assert_eq!(read(&[9, 0, 1, 0, 9, 0, 0, 0]), nanos, "padded");
        assert_eq!(read(&[9, 0, 1, 0, 9]), nanos, "padding missing");
        assert_eq!(read(&[9, 0, 2, 0, 9, 9, 0, 0]), micros, "of another length");
        assert_eq!(read(&[9, 0, 200, 0, 9, 0, 0, 0]), micros, "longer than the block");
        assert_eq!(read(&[0, 0, 0, 0, 9, 0, 1, 0, 9, 0, 0, 0]), micros, "after the last");
        assert_eq!(Interface::read(order, &fixed[..7]), None);
    }

    #[test]
    fn an_offset_moves_times_and_is_clamped() {
        let at = |seconds: i64, units| {
            let mut body = vec![0, 1, 0, 0, 0, 0, 0, 0, 0, 14, 0, 8];
            body.extend(seconds.to_be_bytes());
            Interface::read(ByteOrder::Big, &body).map(|interface| interface.time(units))
        };
        assert_eq!(at(3600, 5), Some(Timestamp::from_nanos(3_600_000_005_000)));
        assert_eq!(at(-1, 1_500_000), Some(Timestamp::from_nanos(500_000_000)));
        assert_eq!(at(-2, 1_500_000), Some(Timestamp::ZERO));
        assert_eq!(at(i64::MAX, u64::MAX), Some(Timestamp::MAX));
    }
}
