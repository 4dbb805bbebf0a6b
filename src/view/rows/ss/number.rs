//! Numbers as ss writes them.

use crate::{
    model::{queues::Queues, socket::Socket},
    view::json,
};
use std::io::Write;

/// Those of both queues; what is not told is 0, as in ss.
#[inline]
pub(super) fn queues(socket: &Socket) -> (u32, u32) {
    match socket.queues {
        Queues::Listen { accept_queue, limit } => (accept_queue, limit.unwrap_or(0)),
        Queues::Data { recv, send } => (recv, send),
        Queues::Absent => (0, 0),
    }
}

/// Appends that of a queue: its cell has six bytes or more.
pub(super) fn queue(out: &mut Vec<u8>, number: u32) {
    // Mostly nothing waits.
    if number == 0 {
        return out.extend(b"0     ");
    }
    let end = out.len() + 6;
    json::number(out, number);
    if out.len() < end {
        out.resize(end, b' ');
    }
}

/// `printf("%g")`: six significant digits, without zeros at the end.
pub(super) fn general(out: &mut Vec<u8>, value: f64) {
    significant(out, value, 6);
}

/// `printf("%.Ng")`.
fn significant(out: &mut Vec<u8>, value: f64, digits: usize) {
    let text = format!("{value:.*e}", digits - 1);
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let whole = i32::try_from(digits).unwrap_or(i32::MAX);
    if (-4..whole).contains(&exponent) {
        let decimals = usize::try_from(whole - 1 - exponent).unwrap_or(0);
        out.extend(without_zeros(&format!("{value:.decimals$}")).as_bytes());
    } else {
        let sign = if exponent < 0 { '-' } else { '+' };
        let _ = write!(out, "{}e{sign}{:02}", without_zeros(mantissa), exponent.abs());
    }
}

fn without_zeros(number: &str) -> &str {
    if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.') } else { number }
}

/// A bandwidth in bits per second: exact with `-n`, else three digits and a prefix.
pub(super) fn bandwidth(out: &mut Vec<u8>, bits: f64, numeric: bool) {
    if numeric {
        let _ = write!(out, "{bits:.0}");
        return;
    }
    let (divisor, prefix) = match bits {
        _ if bits >= 1e12 => (1e12, "T"),
        _ if bits >= 1e9 => (1e9, "G"),
        _ if bits >= 1e6 => (1e6, "M"),
        _ if bits >= 1e3 => (1e3, "k"),
        _ => (1.0, ""),
    };
    significant(out, bits / divisor, 3);
    out.extend(prefix.as_bytes());
}

/// A time of a timer, `119min`, `55sec`, `1.250ms` (which are seconds), `200ms`; nothing for zero.
pub(super) fn timer(out: &mut Vec<u8>, ms: u32) {
    let (minutes, mut seconds, mut rest) = (ms / 60_000, ms / 1000 % 60, ms % 1000);
    if minutes > 0 {
        let _ = write!(out, "{minutes}min");
        rest = 0;
        if minutes > 9 {
            seconds = 0;
        }
    }
    if seconds > 0 {
        if seconds > 9 {
            rest = 0;
        }
        let _ = write!(out, "{seconds}{}", if rest > 0 { "." } else { "sec" });
    }
    if rest > 0 {
        let _ = write!(out, "{rest:03}ms");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = vec![];
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn numbers_are_printed_as_printf_does() {
        // printf '%g\n' of each.
        for (value, text) in [
            (0.0, "0"),
            (0.027, "0.027"),
            (204.0, "204"),
            (2.886_718_75, "2.88672"),
            (120_000.0, "120000"),
            (1_234_567.0, "1.23457e+06"),
            (999_999.5, "1e+06"),
            (0.000_012_5, "1.25e-05"),
            (0.000_125, "0.000125"),
            (100_000.4, "100000"),
        ] {
            assert_eq!(written(|out| general(out, value)), text);
        }
    }

    #[test]
    fn times_of_timers_are_those_of_ss() {
        for (ms, text) in [
            (0, ""),
            (5, "005ms"),
            (316, "316ms"),
            (3500, "3.500ms"),
            (3000, "3sec"),
            (59_648, "59sec"),
            (61_500, "1min1sec"),
            (600_000, "10min"),
            (7_180_950, "119min"),
        ] {
            assert_eq!(written(|out| timer(out, ms)), text);
        }
    }
}
