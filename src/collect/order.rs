//! Sorting, and the first N without sorting everything.

use super::query::Order;
use crate::{
    field::row::{Context, Row},
    model::socket::Socket,
};
use std::cmp::Ordering;

/// Rows kept unsorted before the surplus over a limit is thrown away.
const SLACK: usize = 4096;

/// Collects the rows of a sorted listing.
#[derive(Debug, Default)]
pub struct Sorted {
    sockets: Vec<Socket>,
}

impl Sorted {
    /// Takes one more; with a limit, memory stays within a small multiple of it.
    pub fn push(&mut self, socket: Socket, order: Order, limit: Option<usize>, context: &Context) {
        self.sockets.push(socket);
        if let Some(limit) = limit
            && self.sockets.len() >= limit.saturating_mul(2).max(SLACK)
        {
            self.keep_first(limit, order, context);
        }
    }

    /// Everything, sorted.
    pub fn finish(mut self, order: Order, limit: Option<usize>, context: &Context) -> Vec<Socket> {
        if let Some(limit) = limit {
            self.keep_first(limit, order, context);
        }
        self.sockets.sort_by(|a, b| compare(a, b, order, context));
        self.sockets
    }

    fn keep_first(&mut self, limit: usize, order: Order, context: &Context) {
        if limit < self.sockets.len() {
            self.sockets.select_nth_unstable_by(limit, |a, b| compare(a, b, order, context));
            self.sockets.truncate(limit);
        }
    }
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
