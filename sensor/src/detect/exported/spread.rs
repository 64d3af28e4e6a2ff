//! What a record moved, spread evenly over the time that it spans.

use std::time::Duration;

use crate::time::Timestamp;

/// The length of a piece, as of the buckets that volumes are summed in.
const PIECE: Duration = Duration::from_secs(10);
/// Pieces of one record at most: of what spans more than ten minutes they are longer.
pub(super) const MOST: u64 = 60;

/// Times between `first` and `last`, in their order, and what share of each amount moved then: no more
/// pieces than packets. The shares of an amount add up to it.
pub(super) fn spread<const N: usize>(
    first: Timestamp,
    last: Timestamp,
    packets: u64,
    amounts: [u64; N],
) -> impl Iterator<Item = (Timestamp, [u64; N])> {
    let span = last.since(first);
    let pieces = span.as_nanos().div_ceil(PIECE.as_nanos());
    let pieces = u64::try_from(pieces).unwrap_or(u64::MAX).clamp(1, MOST.min(packets.max(1)));
    let upto = move |amount: u64, piece: u64| {
        (u128::from(amount) * u128::from(piece) / u128::from(pieces)) as u64
    };
    (0..pieces).map(move |piece| {
        // In the middle of its part.
        let time = first.plus(span.mul_f64((piece as f64 + 0.5) / pieces as f64));
        (time, amounts.map(|amount| upto(amount, piece + 1) - upto(amount, piece)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(seconds: u64, packets: u64, bytes: u64) -> Vec<(u64, u64)> {
        let first = Timestamp::from_parts(1_795_183_390, 0);
        let last = first.plus(Duration::from_secs(seconds));
        let all = spread(first, last, packets, [bytes]);
        all.map(|(time, [bytes])| (time.since(first).as_secs(), bytes)).collect()
    }

    #[test]
    fn a_minute_is_six_pieces_that_add_up() {
        let all = pieces(60, 1000, 1_000_001);
        let times: Vec<u64> = all.iter().map(|(at, _)| *at).collect();
        assert_eq!(times, [5, 15, 25, 35, 45, 55]);
        assert_eq!(all.iter().map(|(_, bytes)| bytes).sum::<u64>(), 1_000_001);
        assert!(all.iter().all(|(_, bytes)| bytes.abs_diff(166_667) <= 1), "{all:?}");
    }

    #[test]
    fn there_are_no_more_pieces_than_packets_and_never_many() {
        assert_eq!(pieces(60, 2, 100), [(15, 50), (45, 50)]);
        assert_eq!(pieces(0, 1000, 7), [(0, 7)]);
        assert_eq!(pieces(60, 0, 7), [(30, 7)]);
        let day = pieces(86_400, u64::MAX, u64::MAX);
        assert_eq!(day.len() as u64, MOST);
        assert_eq!(day.iter().map(|(_, bytes)| u128::from(*bytes)).sum::<u128>(), u64::MAX.into());
    }
}
