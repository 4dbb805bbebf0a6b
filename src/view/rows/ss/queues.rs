//! Both queues of any socket.

use super::layout::{Column, Layout};
use crate::{
    model::{queues::Queues, socket::Socket},
    view::json,
};

/// Gathers both cells. What is not told is 0, as in ss.
pub(super) fn write(layout: &mut Layout, socket: &Socket) {
    let (recv, send) = match socket.queues {
        Queues::Listen { accept_queue, limit } => (accept_queue, limit.unwrap_or(0)),
        Queues::Data { recv, send } => (recv, send),
        Queues::Absent => (0, 0),
    };
    numbers(layout, recv, send);
}

/// Gathers both cells with these numbers.
pub(super) fn numbers(layout: &mut Layout, recv: u32, send: u32) {
    for (column, number) in [(Column::RecvQueue, recv), (Column::SendQueue, send)] {
        layout.cell(column, |out| {
            // Mostly nothing waits.
            if number == 0 {
                return out.extend(b"0     ");
            }
            let end = out.len() + 6;
            json::number(out, number);
            if out.len() < end {
                out.resize(end, b' ');
            }
        });
    }
}
