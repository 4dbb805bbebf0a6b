//! Which columns a width has room for. Their widths depend on nothing else, so that nothing moves
//! while the figures do.

/// What a column shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// The name of a group, or below it both ends of a socket.
    Name,
    /// Who holds it.
    Holder,
    /// This end.
    Local,
    /// The other end.
    Peer,
    /// State.
    State,
    /// How many sockets.
    Sockets,
    /// How many in each state.
    States,
    /// Round-trip time.
    Rtt,
    /// Segments sent again.
    Retransmitted,
    /// Bytes received.
    Received,
    /// Bytes sent.
    Sent,
    /// The last minute.
    Minute,
    /// Age.
    Age,
    /// What waits to be read, or to be accepted.
    Waiting,
    /// What waits to be acknowledged.
    Unacknowledged,
    /// The timer.
    Timer,
}

/// A column with its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// What it shows.
    pub what: What,
    /// Heading, of rates.
    pub head: &'static str,
    /// Heading, of sums.
    pub head_of_sums: &'static str,
    /// Its width.
    pub width: u16,
    /// Whether it is aligned to the right.
    pub right: bool,
}

/// Columns before the first: the sign of what happened, and a blank.
pub const SIGN: u16 = 2;

struct Wish {
    what: What,
    head: &'static str,
    head_of_sums: &'static str,
    least: u16,
    most: u16,
    right: bool,
    /// Which are given up first: the largest.
    rank: u8,
}

const fn wish(
    what: What,
    heads: [&'static str; 2],
    width: [u16; 2],
    right: bool,
    rank: u8,
) -> Wish {
    let [head, head_of_sums] = heads;
    let [least, most] = width;
    Wish { what, head, head_of_sums, least, most, right, rank }
}

/// Columns of a list of sockets, from left to right.
const LIST: &[Wish] = &[
    wish(What::Holder, ["PROCESS"; 2], [12, 24], false, 2),
    wish(What::Local, ["LOCAL"; 2], [6, 22], false, 5),
    wish(What::Peer, ["PEER"; 2], [18, 30], false, 0),
    wish(What::State, ["STATE"; 2], [11, 11], false, 1),
    wish(What::Waiting, ["RECV-Q"; 2], [6, 6], true, 10),
    wish(What::Unacknowledged, ["SEND-Q"; 2], [6, 6], true, 11),
    wish(What::Rtt, ["RTT"; 2], [5, 5], true, 6),
    wish(What::Retransmitted, ["RE/s", "RETR"], [4, 4], true, 7),
    wish(What::Received, ["IN/s", "IN"], [5, 5], true, 3),
    wish(What::Sent, ["OUT/s", "OUT"], [5, 5], true, 4),
    wish(What::Minute, ["60 s"; 2], [8, 12], false, 8),
    wish(What::Age, ["AGE"; 2], [5, 5], true, 9),
    wish(What::Timer, ["TIMER"; 2], [16, 16], false, 12),
];

/// Columns of groups.
const GROUPS: &[Wish] = &[
    wish(What::Name, ["GROUP"; 2], [20, 48], false, 0),
    wish(What::Sockets, ["COUNT"; 2], [6, 6], true, 1),
    wish(What::States, ["STATES"; 2], [23, 44], false, 4),
    wish(What::Waiting, ["QUEUED"; 2], [6, 6], true, 8),
    wish(What::Rtt, ["RTT"; 2], [5, 5], true, 7),
    wish(What::Retransmitted, ["RE/s", "RETR"], [4, 4], true, 6),
    wish(What::Received, ["IN/s", "IN"], [5, 5], true, 2),
    wish(What::Sent, ["OUT/s", "OUT"], [5, 5], true, 3),
    wish(What::Minute, ["60 s"; 2], [8, 12], false, 5),
    wish(What::Age, ["AGE"; 2], [5, 5], true, 9),
];

/// The columns of a width.
pub fn columns(width: u16, grouped: bool) -> Vec<Column> {
    let wishes = if grouped { GROUPS } else { LIST };
    let mut order: Vec<&Wish> = wishes.iter().collect();
    order.sort_by_key(|wish| wish.rank);
    let mut left = width.saturating_sub(SIGN);
    let mut granted = vec![];
    for wish in order {
        let needs = wish.least + u16::from(!granted.is_empty());
        if needs <= left {
            left -= needs;
            granted.push(wish.what);
        }
    }
    let mut columns: Vec<(Column, u16)> = wishes
        .iter()
        .filter(|wish| granted.contains(&wish.what))
        .map(|wish| {
            let Wish { what, head, head_of_sums, least, most, right, .. } = *wish;
            (Column { what, head, head_of_sums, width: least, right }, most)
        })
        .collect();
    // What is left goes to those that can use it, one by one.
    while left > 0 {
        let mut gave = false;
        for (column, most) in &mut columns {
            if left > 0 && column.width < *most {
                column.width += 1;
                left -= 1;
                gave = true;
            }
        }
        if !gave {
            break;
        }
    }
    columns.into_iter().map(|(column, _)| column).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heads(width: u16, grouped: bool) -> String {
        let heads: Vec<&str> = columns(width, grouped).iter().map(|c| c.head).collect();
        heads.join(" ")
    }

    #[test]
    fn narrow_terminals_drop_columns_and_wide_ones_add_them() {
        assert_eq!(heads(40, false), "PEER STATE IN/s");
        assert_eq!(heads(80, false), "PROCESS LOCAL PEER STATE RTT RE/s IN/s OUT/s");
        assert_eq!(
            heads(120, false),
            "PROCESS LOCAL PEER STATE RECV-Q SEND-Q RTT RE/s IN/s OUT/s 60 s AGE"
        );
        assert_eq!(heads(80, true), "GROUP COUNT STATES RE/s IN/s OUT/s 60 s");
        assert_eq!(heads(40, true), "GROUP COUNT RE/s IN/s");
    }

    #[test]
    fn columns_fit_any_width() {
        for width in 0..300u16 {
            for grouped in [false, true] {
                let columns = columns(width, grouped);
                let gaps = u16::try_from(columns.len().saturating_sub(1)).unwrap();
                let sum: u16 = columns.iter().map(|c| c.width).sum::<u16>() + gaps;
                assert!(columns.is_empty() || sum + SIGN <= width, "{width}: {columns:?}");
            }
        }
    }
}
