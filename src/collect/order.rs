//! Sorting, and the first N without sorting everything.
//!
//! A sorted listing is held before it is shown, a million rows too: 80 bytes each where a row is no
//! more than what the kernel tells unasked, [`Compact`] and the beginning of what it is sorted by.

use super::query::Order;
use crate::{
    field::{
        row::{Context, Row},
        value::Value,
    },
    model::{
        compact::{Commons, Compact},
        socket::Socket,
    },
};
use std::{cmp::Ordering, net::IpAddr};

/// Rows kept unsorted before the surplus over a limit is thrown away.
const SLACK: usize = 4096;

/// Collects the rows of a sorted listing.
#[derive(Debug)]
pub struct Sorted {
    order: Order,
    limit: Option<usize>,
    kept: Kept,
}

#[derive(Debug)]
enum Kept {
    Compact {
        rows: Vec<Keyed>,
        commons: Commons,
        /// From the least to the greatest key that different values may have.
        inexact: Option<(u64, u64)>,
    },
    Whole(Vec<Socket>),
}

#[derive(Debug)]
struct Keyed {
    /// Comes before another key where the value comes before the other's; the same where only the
    /// values themselves tell.
    key: u64,
    socket: Compact,
}

impl Sorted {
    /// Nothing yet, of the first `limit` rows in this order.
    pub fn new(order: Order, limit: Option<usize>) -> Self {
        let kept = Kept::Compact { rows: vec![], commons: Commons::default(), inexact: None };
        Self { order, limit, kept }
    }

    /// Takes one more; with a limit, memory stays within a small multiple of it.
    pub fn push(&mut self, socket: &Socket, context: &Context) {
        if let Kept::Compact { rows, commons, inexact } = &mut self.kept {
            if let Some(compact) = commons.compact(socket) {
                let value = self.order.field.value(Row { socket, context });
                let (key, is_exact) = key(&value, self.order.descending);
                if !is_exact {
                    let (least, greatest) = inexact.unwrap_or((key, key));
                    *inexact = Some((least.min(key), greatest.max(key)));
                }
                rows.push(Keyed { key, socket: compact });
            } else {
                let mut whole: Vec<Socket> =
                    rows.iter().filter_map(|row| commons.socket(&row.socket)).collect();
                whole.push(socket.clone());
                self.kept = Kept::Whole(whole);
            }
        } else if let Kept::Whole(sockets) = &mut self.kept {
            sockets.push(socket.clone());
        }
        if let Some(limit) = self.limit
            && self.number() >= limit.saturating_mul(2).max(SLACK)
        {
            self.keep_first(limit, context);
        }
    }

    /// How many there are.
    pub fn number(&self) -> usize {
        match &self.kept {
            Kept::Compact { rows, .. } => rows.len(),
            Kept::Whole(sockets) => sockets.len(),
        }
    }

    /// Puts them in order, and those over the limit away.
    pub fn sort(&mut self, context: &Context) {
        if let Some(limit) = self.limit {
            self.keep_first(limit, context);
        }
        let order = self.order;
        match &mut self.kept {
            Kept::Compact { rows, commons, inexact } => {
                rows.sort_unstable_by(|a, b| before(a, b, order, (commons, *inexact), context));
            }
            Kept::Whole(sockets) => sockets.sort_by(|a, b| compare(a, b, order, context)),
        }
    }

    /// The rows, in the order they are in.
    pub fn into_rows(self) -> Box<dyn Iterator<Item = Socket>> {
        match self.kept {
            Kept::Compact { rows, commons, .. } => {
                Box::new(rows.into_iter().filter_map(move |row| commons.socket(&row.socket)))
            }
            Kept::Whole(sockets) => Box::new(sockets.into_iter()),
        }
    }

    fn keep_first(&mut self, limit: usize, context: &Context) {
        let order = self.order;
        match &mut self.kept {
            Kept::Compact { rows, commons, inexact } if limit < rows.len() => {
                let before =
                    |a: &Keyed, b: &Keyed| before(a, b, order, (commons, *inexact), context);
                rows.select_nth_unstable_by(limit, before);
                rows.truncate(limit);
            }
            Kept::Whole(sockets) if limit < sockets.len() => {
                sockets.select_nth_unstable_by(limit, |a, b| compare(a, b, order, context));
                sockets.truncate(limit);
            }
            _ => {}
        }
    }
}

/// Where a value stands among the others of its column, as far as eight bytes tell, and whether no
/// other value has the same key.
fn key(value: &Value<'_>, descending: bool) -> (u64, bool) {
    // What is unknown comes last, whatever the direction.
    const LAST: u64 = u64::MAX;
    let (number, exact) = match *value {
        Value::Absent => return (LAST, true),
        Value::Count(n)
        | Value::Queue(n, _)
        | Value::Bytes(n)
        | Value::Milliseconds(n)
        | Value::Microseconds(n)
        | Value::BytesPerSecond(n) => (n, n < LAST - 1),
        Value::State(state) => (state.number().into(), true),
        // IPv4 comes before IPv6.
        Value::Address(IpAddr::V4(v4)) => (v4.to_bits().into(), true),
        Value::Endpoint(end, _) => match end.address {
            IpAddr::V4(v4) => (u64::from(v4.to_bits()) << 16 | u64::from(end.port), true),
            IpAddr::V6(v6) => (upper(v6.to_bits()), false),
        },
        Value::Address(IpAddr::V6(v6)) => (upper(v6.to_bits()), false),
        // Only the values tell.
        _ => return (0, false),
    };
    let number = number.min(LAST - 1);
    (if descending { LAST - 1 - number } else { number }, exact)
}

/// The upper bits of an IPv6 address, behind every address of IPv4.
fn upper(bits: u128) -> u64 {
    1 << 63 | u64::try_from(bits >> 65).unwrap_or(0)
}

fn before(
    a: &Keyed,
    b: &Keyed,
    order: Order,
    (commons, inexact): (&Commons, Option<(u64, u64)>),
    context: &Context,
) -> Ordering {
    a.key.cmp(&b.key).then_with(|| {
        if inexact.is_none_or(|(least, greatest)| a.key < least || a.key > greatest) {
            let ends = |row: &Keyed| (row.socket.local(), row.socket.remote(), row.socket.cookie());
            return ends(a).cmp(&ends(b));
        }
        match (commons.socket(&a.socket), commons.socket(&b.socket)) {
            (Some(a), Some(b)) => compare(&a, &b, order, context),
            _ => Ordering::Equal,
        }
    })
}

fn compare(a: &Socket, b: &Socket, order: Order, context: &Context) -> Ordering {
    let value = |socket| order.field.value(Row { socket, context });
    let (x, y) = (value(a), value(b));
    let by_value = match (x.is_absent(), y.is_absent()) {
        (false, false) if order.descending => y.order(&x),
        _ => x.order(&y),
    };
    // The same order at every run, whatever the kernel's.
    by_value.then_with(|| (a.local, a.remote, a.cookie).cmp(&(b.local, b.remote, b.cookie)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{field, model::any};
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn compact_rows_come_back_whole_and_in_order(
            sockets in prop::collection::vec(any::socket(), 0..300),
            column in prop::sample::select(&["state", "local", "peer", "recv_queue", "cookie", "user", "family"][..]),
            descending: bool,
            limit in prop::option::of(0usize..300),
        ) {
            let context = Context::default();
            let order = Order { field: field::find(column).unwrap(), descending };
            let mut sorted = Sorted::new(order, limit);
            for socket in &sockets {
                sorted.push(socket, &context);
            }
            sorted.sort(&context);
            let sorted: Vec<Socket> = sorted.into_rows().collect();
            let mut expected = sockets;
            expected.sort_by(|a, b| compare(a, b, order, &context));
            expected.truncate(limit.unwrap_or(usize::MAX));
            // Rows that are equal in all that orders them may come in either order.
            prop_assert_eq!(sorted.len(), expected.len());
            for (a, b) in sorted.iter().zip(&expected) {
                prop_assert_eq!(compare(a, b, order, &context), Ordering::Equal);
            }
            let mut left = expected;
            for socket in &sorted {
                if limit.is_none() {
                    let at = left.iter().position(|other| other == socket);
                    prop_assert!(at.is_some(), "changed: {:?}", socket);
                    left.swap_remove(at.unwrap());
                }
            }
        }
    }

    #[test]
    fn a_row_of_a_sorted_listing_takes_eighty_bytes() {
        assert!(size_of::<Keyed>() <= 80, "{}", size_of::<Keyed>());
    }
}
