//! A socket at the first of two looks: what is compared with the last look, and no more.

use super::{
    protocol::Protocol,
    queues::Queues,
    socket::Socket,
    state::State,
    tcp_info::{TcpField, field},
};
use serde::{Deserialize, Serialize};

/// A socket at the first look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Earlier {
    /// Identity. `None` from /proc.
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    pub cookie: Option<u64>,
    /// Inode, the identity where there is no cookie.
    #[serde(rename = "i", default, skip_serializing_if = "Option::is_none")]
    pub inode: Option<u64>,
    /// Whether it was TCP.
    #[serde(rename = "t")]
    pub is_tcp: bool,
    /// The kernel's number of its state.
    #[serde(rename = "s")]
    pub state_number: u8,
    /// Bytes received and not read; of a listener: connections in its accept queue.
    #[serde(rename = "r", default, skip_serializing_if = "is_zero")]
    pub recv: u32,
    /// Bytes sent and not acknowledged.
    #[serde(rename = "q", default, skip_serializing_if = "is_zero")]
    pub send: u32,
    /// The port of a listener. `None`: it was none.
    #[serde(rename = "l", default, skip_serializing_if = "Option::is_none")]
    pub listening_port: Option<u16>,
    /// Packets dropped so far. `None`: the source does not tell.
    #[serde(rename = "d", default, skip_serializing_if = "Option::is_none")]
    pub drops: Option<u32>,
    /// What had flowed. `None`: no `tcp_info`.
    #[serde(rename = "f", default, skip_serializing_if = "Option::is_none")]
    pub flow: Option<Flow>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// Counts of a connection over its whole life, from `tcp_info`: of two the difference is a rate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flow {
    /// Segments sent.
    #[serde(rename = "o")]
    pub segments_out: u64,
    /// Segments sent again.
    #[serde(rename = "r")]
    pub retransmitted: u64,
    /// Bytes acknowledged by the peer.
    #[serde(rename = "a")]
    pub bytes_acked: u64,
    /// Bytes received.
    #[serde(rename = "i")]
    pub bytes_received: u64,
    /// Microseconds with something to send.
    #[serde(rename = "b")]
    pub busy_us: u64,
    /// Of these, limited by the window of the peer.
    #[serde(rename = "w")]
    pub rwnd_limited_us: u64,
    /// Of these, limited by the send buffer.
    #[serde(rename = "s")]
    pub sndbuf_limited_us: u64,
}

impl Flow {
    /// Reads it off a socket. `None`: no `tcp_info`, or one without these counts.
    pub fn of(socket: &Socket) -> Option<Self> {
        const SEGMENTS_OUT: &TcpField = field("segs_out");
        const RETRANSMITTED: &TcpField = field("total_retrans");
        const ACKED: &TcpField = field("bytes_acked");
        const RECEIVED: &TcpField = field("bytes_received");
        const BUSY: &TcpField = field("busy_time");
        const RWND_LIMITED: &TcpField = field("rwnd_limited");
        const SNDBUF_LIMITED: &TcpField = field("sndbuf_limited");
        let info = socket.tcp_info.as_ref()?;
        Some(Self {
            segments_out: info.value(SEGMENTS_OUT)?,
            retransmitted: info.value(RETRANSMITTED)?,
            bytes_acked: info.value(ACKED)?,
            bytes_received: info.value(RECEIVED)?,
            busy_us: info.value(BUSY)?,
            rwnd_limited_us: info.value(RWND_LIMITED)?,
            sndbuf_limited_us: info.value(SNDBUF_LIMITED)?,
        })
    }

    /// Each count, in the order of the fields.
    pub(super) fn numbers(&self) -> [u64; 7] {
        let Self {
            segments_out,
            retransmitted,
            bytes_acked,
            bytes_received,
            busy_us,
            rwnd_limited_us,
            sndbuf_limited_us,
        } = *self;
        [
            segments_out,
            retransmitted,
            bytes_acked,
            bytes_received,
            busy_us,
            rwnd_limited_us,
            sndbuf_limited_us,
        ]
    }

    /// Of counts in the order of the fields.
    pub(super) fn of_numbers(numbers: [u64; 7]) -> Self {
        let [
            segments_out,
            retransmitted,
            bytes_acked,
            bytes_received,
            busy_us,
            rwnd_limited_us,
            sndbuf_limited_us,
        ] = numbers;
        Self {
            segments_out,
            retransmitted,
            bytes_acked,
            bytes_received,
            busy_us,
            rwnd_limited_us,
            sndbuf_limited_us,
        }
    }

    /// What flowed since `earlier`.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let mut numbers = self.numbers();
        for (number, before) in numbers.iter_mut().zip(earlier.numbers()) {
            *number = number.saturating_sub(before);
        }
        Self::of_numbers(numbers)
    }
}

/// Packets a socket dropped so far, as netlink or /proc tells it.
pub(super) fn drops(socket: &Socket) -> Option<u32> {
    socket.memory.and_then(|memory| memory.drops).or(socket.drops)
}

impl Earlier {
    /// Keeps of a socket what will be compared.
    pub fn of(socket: &Socket) -> Self {
        let (recv, send) = match socket.queues {
            Queues::Listen { accept_queue, .. } => (accept_queue, 0),
            Queues::Data { recv, send } => (recv, send),
            Queues::Absent => (0, 0),
        };
        Self {
            cookie: socket.cookie,
            inode: socket.inode,
            is_tcp: socket.protocol == Protocol::Tcp,
            state_number: socket.state.number(),
            recv,
            send,
            listening_port: (socket.state == State::Listen).then_some(socket.local.port),
            drops: drops(socket),
            flow: Flow::of(socket),
        }
    }

    /// Its state.
    pub fn state(&self) -> State {
        let protocol = if self.is_tcp { Protocol::Tcp } else { Protocol::Udp };
        State::from_kernel(protocol, self.state_number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_flowed_is_a_difference_and_never_below_zero() {
        let before = Flow { segments_out: 10, retransmitted: 2, ..Flow::default() };
        let now = Flow { segments_out: 30, retransmitted: 2, busy_us: 5, ..Flow::default() };
        let flowed = now.since(&before);
        assert_eq!((flowed.segments_out, flowed.retransmitted, flowed.busy_us), (20, 0, 5));
        assert_eq!(before.since(&now).segments_out, 0);
    }
}
