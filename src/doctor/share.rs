//! Parts of a whole, and counts as the numbers that thresholds are.

/// A count. One beyond four thousand million compares like it.
pub fn number(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

/// How many.
pub fn counted(count: usize) -> u64 {
    count as u64
}

/// So many of so many, in percent; 0 of nothing.
pub fn percent(part: u64, whole: u64) -> f64 {
    // Both are brought below the largest count that a float holds exactly.
    let scale = (part.max(whole) >> 32) + 1;
    if whole == 0 { 0.0 } else { number(part / scale) * 100.0 / number((whole / scale).max(1)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_of_its_whole_whatever_their_size() {
        let is = |part, whole, wanted: f64| {
            let found = percent(part, whole);
            assert!((found - wanted).abs() < 0.01, "{part} of {whole}: {found}");
        };
        is(1, 4, 25.0);
        is(0, 0, 0.0);
        is(5, 0, 0.0);
        is(3, 1, 300.0);
        is(u64::MAX / 2, u64::MAX, 50.0);
        is(1 << 40, 1 << 41, 50.0);
        is(1000, u64::MAX, 0.0);
    }
}
