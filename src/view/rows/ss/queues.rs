//! Both queues of any socket.

use super::{column::Column, layout::Layout, number};
use crate::model::socket::Socket;

/// Gathers both cells.
pub(super) fn write(layout: &mut Layout, socket: &Socket) {
    let (recv, send) = number::queues(socket);
    numbers(layout, recv, send);
}

/// Gathers both cells with these numbers.
pub(super) fn numbers(layout: &mut Layout, recv: u32, send: u32) {
    layout.cell(Column::RecvQueue, |out| number::queue(out, recv));
    layout.cell(Column::SendQueue, |out| number::queue(out, send));
}
