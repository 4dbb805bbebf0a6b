//! Any sockets, for tests.

use super::{
    endpoint::Endpoint,
    protocol::{Family, Protocol},
    queues::Queues,
    socket::Socket,
    state::State,
    tcp_info::TcpInfo,
    timer::{Timer, TimerKind},
};
use proptest::prelude::*;
use std::net::Ipv4Addr;

prop_compose! {
    /// A TCP socket: mostly like others, sometimes with a `tcp_info`.
    pub fn socket()(
        v4: bool,
        addresses in (0u32..3, prop_oneof![0u128..3, any::<u128>()]),
        ports in (0u16..4, 0u16..3),
        queues in (0u8..4, 0u32..3, 0u32..3),
        timer in prop::option::of((0u8..6, 0u32..3)),
        numbers in (prop::option::of(1u64..4), prop::option::of(0u64..1 << 40), prop::option::of(0u32..3)),
        state in 1u8..13,
        is_rich in prop::bool::weighted(0.003),
    ) -> Socket {
        let family = if v4 { Family::Ipv4 } else { Family::Ipv6 };
        let mut s = Socket::new(Protocol::Tcp, family, State::from_kernel(Protocol::Tcp, state));
        let address = |n: u128| match u32::try_from(n) {
            Ok(n) if v4 => Ipv4Addr::from(n).into(),
            _ => std::net::Ipv6Addr::from(n).into(),
        };
        s.local = Endpoint::new(address(addresses.0.into()), ports.0);
        s.remote = Endpoint::new(address(addresses.1), ports.1);
        s.queues = match queues {
            (0, ..) => Queues::Absent,
            (1, accept_queue, limit) => {
                Queues::Listen { accept_queue, limit: limit.checked_sub(1) }
            }
            (_, recv, send) => Queues::Data { recv, send },
        };
        s.timer = timer.and_then(|(kind, expires_ms)| {
            Some(Timer { kind: TimerKind::from_kernel(kind)?, expires_ms, retransmits: kind })
        });
        (s.inode, s.cookie, s.uid) = numbers;
        s.cgroup_id = numbers.0;
        if is_rich {
            s.tcp_info = Some(Box::new(TcpInfo::from_kernel(&[1; 104])));
        }
        s
    }
}
