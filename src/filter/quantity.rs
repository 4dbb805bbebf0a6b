//! Numbers with their units.

use super::{
    error::FilterError,
    kind::{Unit, example},
    value::Value,
};
use crate::field::definition::Field;

/// A number that need not be whole in the unit of its column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fraction {
    over: u128,
    under: u128,
}

impl Fraction {
    /// A whole one.
    pub(super) fn whole(number: u64) -> Self {
        Self { over: number.into(), under: 1 }
    }

    /// What is whole of it.
    pub(super) fn floor(self) -> u64 {
        u64::try_from(self.over / self.under).unwrap_or(u64::MAX)
    }

    /// The next whole number, unless it is one.
    pub(super) fn ceiling(self) -> u64 {
        u64::try_from(self.over.div_ceil(self.under)).unwrap_or(u64::MAX)
    }

    /// Whether it is a whole number.
    pub(super) fn is_whole(self) -> bool {
        self.over.is_multiple_of(self.under)
    }
}

/// Units by their words, as how many (over, under) of the column's own unit each is.
fn scale(unit: Unit, word: &str) -> Option<(u128, u128)> {
    let lower = word.to_ascii_lowercase();
    let microseconds = |word: &str| -> Option<u128> {
        Some(match word {
            "us" | "µs" | "usec" => 1,
            "ms" | "msec" => 1_000,
            "s" | "sec" => 1_000_000,
            "m" | "min" => 60_000_000,
            "h" => 3_600_000_000,
            "d" => 86_400_000_000,
            _ => return None,
        })
    };
    let thousands = |word: &str| -> Option<u128> {
        Some(match word {
            "" => 1,
            "k" => 1_000,
            "m" => 1_000_000,
            "g" => 1_000_000_000,
            "t" => 1_000_000_000_000,
            "ki" => 1 << 10,
            "mi" => 1 << 20,
            "gi" => 1 << 30,
            "ti" => 1 << 40,
            _ => return None,
        })
    };
    let bytes = |word: &str| thousands(word.strip_suffix('b').unwrap_or(word));
    match unit {
        Unit::Count => thousands(&lower).map(|n| (n, 1)),
        Unit::Bytes => bytes(&lower).map(|n| (n, 1)),
        Unit::BytesPerSecond => {
            let lower =
                lower.strip_suffix("/s").or_else(|| lower.strip_suffix("ps")).unwrap_or(&lower);
            match lower.strip_suffix("bit").or_else(|| {
                // `10Mbps` are bits; `10MB/s` are bytes.
                word.strip_suffix("bps").map(|_| lower.strip_suffix('b').unwrap_or(lower))
            }) {
                Some(prefix) => thousands(prefix).map(|n| (n, 8)),
                None => bytes(lower).map(|n| (n, 1)),
            }
        }
        Unit::Milliseconds => microseconds(&lower).map(|n| (n, 1_000)),
        Unit::Microseconds => microseconds(&lower).map(|n| (n, 1)),
    }
}

/// Reads a number with its unit, in the unit of the column.
pub(super) fn read(
    text: &str,
    unit: Unit,
    field: &Field,
    value: &Value,
) -> Result<Fraction, FilterError> {
    let hint = || format!("write it as in `{}`", example(field));
    let no_number = || value.wrong(format!("`{text}` is no number for `{}`", field.id), hint());
    if let Some(hex) = text.strip_prefix("0x").filter(|_| unit == Unit::Count) {
        return u64::from_str_radix(hex, 16).map(Fraction::whole).map_err(|_| no_number());
    }
    let digits = text.bytes().take_while(|b| b.is_ascii_digit() || *b == b'.').count();
    let (digits, word) = text.split_at(digits);
    let (before, after) = digits.split_once('.').unwrap_or((digits, ""));
    // Twenty digits before the point hold every number of the kernel, and nine after it.
    if before.is_empty() || before.len() > 20 || after.len() > 9 || after.contains('.') {
        return Err(no_number());
    }
    let mantissa: u128 = format!("{before}{after}").parse().map_err(|_| no_number())?;
    let under = 10u128.pow(u32::try_from(after.len()).unwrap_or(0));
    let is_time = matches!(unit, Unit::Milliseconds | Unit::Microseconds);
    if word.is_empty() && is_time {
        if mantissa == 0 {
            return Ok(Fraction::whole(0));
        }
        return Err(value.wrong(
            format!("`{text}` has no unit, and `{}` is a time", field.id),
            format!("write `{text}ms` or `{text}s`; units are us, ms, s, min, h, d"),
        ));
    }
    let Some((times, parts)) = scale(unit, word) else {
        let units = match unit {
            Unit::Count => "k, M, G (thousands) or none",
            Unit::Bytes => "k, M, G (thousands of bytes), KiB, MiB, GiB (1024) or none",
            Unit::BytesPerSecond => "k, M, G (bytes per second), kbit, Mbit, Gbit or none",
            Unit::Milliseconds | Unit::Microseconds => "us, ms, s, min, h, d",
        };
        return Err(value.wrong(
            format!("`{word}` is no unit of `{}`", field.id),
            format!("units are {units}; for example `{}`", example(field)),
        ));
    };
    let over = mantissa.checked_mul(times).ok_or_else(no_number)?;
    let fraction = Fraction { over, under: under * parts };
    if fraction.over / fraction.under > u64::MAX.into() {
        return Err(no_number());
    }
    Ok(fraction)
}
