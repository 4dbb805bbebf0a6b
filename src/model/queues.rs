//! What waits in a socket. The kernel reports two different pairs of facts in one pair of numbers.

/// The queues of a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Queues {
    /// A listener: connections that wait for `accept(2)`.
    Listen {
        /// Connections established and not yet accepted (`sk_ack_backlog`).
        accept_queue: u32,
        /// Its limit, `min(listen(2) backlog, somaxconn)`; the queue is full at limit + 1, because
        /// the kernel compares with `>`. `None` from /proc, which does not tell it.
        limit: Option<u32>,
    },
    /// A connection or datagram socket: bytes.
    Data {
        /// Bytes received and not read by the process; an unread FIN counts as 1.
        recv: u32,
        /// Bytes sent and not acknowledged; a queued FIN counts as 1.
        send: u32,
    },
    /// Mini-sockets (TIME_WAIT, orphan FIN_WAIT_2) and request sockets own no queues.
    Absent,
}
