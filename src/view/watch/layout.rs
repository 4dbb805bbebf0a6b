//! How the rows of a terminal are shared out.

/// Rows of each part; what is not there has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// States with their counts.
    pub chips: u16,
    /// Alerts.
    pub alerts: u16,
    /// Headings of the columns.
    pub headings: u16,
    /// Lines of the list.
    pub list: u16,
    /// Details, with the line above them.
    pub details: u16,
    /// What is typed, or said.
    pub said: u16,
    /// Keys.
    pub keys: u16,
}

/// Shares them out. The header has the first row. What matters least goes first.
pub fn layout(height: u16, alerts: usize, details: bool, said: u16) -> Layout {
    let mut left = height.saturating_sub(1);
    let mut take = |wanted: u16, keep: u16| {
        let taken = wanted.min(left.saturating_sub(keep));
        left -= taken;
        taken
    };
    let said = take(said, 0);
    let keys = take(1, 4);
    let headings = take(1, 3);
    let chips = take(1, 4);
    // A list that is still a list comes before the second alert.
    let most = match height {
        0..16 => 1,
        16..30 => 2,
        _ => 4,
    };
    let alerts = take(u16::try_from(alerts).unwrap_or(most).min(most), 4);
    let list = if details { left.min(if height < 20 { 3 } else { 5 }) } else { left };
    let details = left - list;
    Layout { chips, alerts, headings, list, details, said, keys }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_used_and_the_list_is_there_at_any_height() {
        for height in 0..100u16 {
            for alerts in 0..6 {
                for details in [false, true] {
                    for said in 0..3 {
                        let l = layout(height, alerts, details, said);
                        let sum = l.chips + l.alerts + l.headings + l.list + l.details + l.said;
                        assert_eq!(sum + l.keys, height.saturating_sub(1), "{l:?}");
                        assert!(height < 5 || l.list > 0, "{height} {l:?}");
                    }
                }
            }
        }
        let usual = layout(24, 2, false, 0);
        assert_eq!((usual.alerts, usual.list), (2, 18));
    }
}
