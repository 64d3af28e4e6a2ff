//! Durations (`30s 5m 2h 7d`) and sizes (`50MB`, `16KiB`) as people write them.

use std::fmt;
use std::time::Duration;

/// A duration or a size that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnitError {
    /// Not a number followed by a unit of time.
    #[error("\"{0}\" is not a duration: write a number and a unit, such as 30s, 5m, 2h or 7d")]
    Duration(String),
    /// Not a number followed by a unit of size.
    #[error(
        "\"{0}\" is not a size: write a number and a unit, such as 50MB (1000) or 16KiB (1024)"
    )]
    Size(String),
}

/// Reads `500ms`, `30s`, `5m`, `2h`, `7d`, `1.5h`; the unit is required, so that `30` is no guess.
///
/// # Errors
/// [`UnitError::Duration`] with the text when it is not of that form or out of range.
pub fn parse_duration(text: &str) -> Result<Duration, UnitError> {
    let unknown = || UnitError::Duration(text.to_owned());
    let (number, unit) = split(text).ok_or_else(unknown)?;
    let seconds = match unit {
        "ms" => 0.001,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3_600.0,
        "d" => 86_400.0,
        "w" => 604_800.0,
        _ => return Err(unknown()),
    };
    Duration::try_from_secs_f64(number * seconds).map_err(|_| unknown())
}

/// Reads `50MB`, `16 KiB`, `1.5GB`, `512B` into bytes; a plain number is bytes.
///
/// # Errors
/// [`UnitError::Size`] with the text when it is not of that form or out of range.
pub fn parse_size(text: &str) -> Result<u64, UnitError> {
    let unknown = || UnitError::Size(text.to_owned());
    let (number, unit) = split(text).ok_or_else(unknown)?;
    let factor = match unit {
        "" | "B" => 1.0,
        "KB" | "kB" => 1e3,
        "MB" => 1e6,
        "GB" => 1e9,
        "TB" => 1e12,
        "KiB" => 1024.0,
        "MiB" => 1024.0 * 1024.0,
        "GiB" => 1024.0 * 1024.0 * 1024.0,
        "TiB" => 1024.0 * 1024.0 * 1024.0 * 1024.0,
        _ => return Err(unknown()),
    };
    let bytes = number * factor;
    if bytes <= u64::MAX as f64 { Ok(bytes as u64) } else { Err(unknown()) }
}

/// The number at the front and the unit behind it; the number is finite and not negative.
fn split(text: &str) -> Option<(f64, &str)> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(end)?;
    Some((number.parse().ok()?, unit.trim()))
}

/// A number of bytes that prints as people read it: `512 B`, `1.8 GB` (powers of 1000).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteSize(pub u64);

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];
        if self.0 < 1000 {
            return write!(f, "{} B", self.0);
        }
        let mut value = self.0 as f64 / 1000.0;
        let mut unit = "kB";
        for next in UNITS.iter().skip(1) {
            if value < 999.95 {
                break;
            }
            value /= 1000.0;
            unit = next;
        }
        write!(f, "{value:.1} {unit}")
    }
}

/// A duration that prints as people read it, in its two largest units: `2d 3h`, `5m`, `0.25s`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Elapsed(pub Duration);

impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
        let (large, small) = match seconds {
            0 if (50..10_000).contains(&self.0.as_micros()) => {
                return write!(f, "{:.1}ms", self.0.as_secs_f64() * 1000.0);
            }
            0..10 if self.0.subsec_millis() > 0 => {
                return write!(f, "{:.2}s", self.0.as_secs_f64());
            }
            0..60 => return write!(f, "{seconds}s"),
            60..3600 => ((minutes, "m"), (seconds % 60, "s")),
            3600..86_400 => ((hours, "h"), (minutes % 60, "m")),
            _ => ((days, "d"), (hours % 24, "h")),
        };
        write!(f, "{}{}", large.0, large.1)?;
        if small.0 > 0 { write!(f, " {}{}", small.0, small.1) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_need_their_unit() {
        assert_eq!(parse_duration("30s"), Ok(Duration::from_secs(30)));
        assert_eq!(parse_duration("1.5h"), Ok(Duration::from_secs(5400)));
        assert_eq!(parse_duration(" 7d "), Ok(Duration::from_secs(604_800)));
        assert_eq!(parse_duration("250ms"), Ok(Duration::from_millis(250)));
        for bad in ["", "30", "s", "-5s", "5 parsecs", "1e400d", "99999999999999999999d", "..s"] {
            assert_eq!(parse_duration(bad), Err(UnitError::Duration(bad.to_owned())), "{bad}");
        }
    }

    #[test]
    fn sizes_tell_1000_from_1024() {
        assert_eq!(parse_size("50MB"), Ok(50_000_000));
        assert_eq!(parse_size("16 KiB"), Ok(16_384));
        assert_eq!(parse_size("1.5GB"), Ok(1_500_000_000));
        assert_eq!(parse_size("77"), Ok(77));
        for bad in ["", "MB", "5 mb", "-1KB", "1e30GB", "99999999999999999999999TB"] {
            assert_eq!(parse_size(bad), Err(UnitError::Size(bad.to_owned())), "{bad}");
        }
    }

    #[test]
    fn sizes_print_with_one_decimal_and_never_as_1000() {
        assert_eq!(ByteSize(999).to_string(), "999 B");
        assert_eq!(ByteSize(1_000).to_string(), "1.0 kB");
        assert_eq!(ByteSize(999_960).to_string(), "1.0 MB");
        assert_eq!(ByteSize(1_800_000_000).to_string(), "1.8 GB");
        assert_eq!(ByteSize(u64::MAX).to_string(), "18.4 EB");
    }

    #[test]
    fn elapsed_time_prints_in_its_two_largest_units() {
        assert_eq!(Elapsed(Duration::from_micros(295)).to_string(), "0.3ms");
        for (millis, shown) in [
            (0, "0s"),
            (9, "9.0ms"),
            (250, "0.25s"),
            (9_999, "10.00s"),
            (59_900, "59s"),
            (309_000, "5m 9s"),
            (3_600_000, "1h"),
            (183_600_000, "2d 3h"),
        ] {
            assert_eq!(Elapsed(Duration::from_millis(millis)).to_string(), shown);
        }
    }
}
