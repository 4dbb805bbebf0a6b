//! When a connection in TIME_WAIT gives its port to a new one (`tcp_twsk_unique`).

use crate::model::{outline::Outline, settings::Settings, state::State};
use std::net::IpAddr;

/// `tcp_tw_reuse_delay` of kernels that have no such setting: a clock of seconds had to tick.
const DELAY_BEFORE_6_14_MS: u64 = 1000;

/// The settings that decide it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reuse {
    /// `tcp_tw_reuse`: 0 never, 1 always, 2 on loopback addresses. `None`: unknown.
    mode: Option<u64>,
    timestamps: bool,
    /// How old it must be at least, in milliseconds.
    pub delay_ms: u64,
}

impl Reuse {
    /// Reads them.
    pub fn of(settings: &Settings) -> Self {
        Self {
            mode: settings.number("net.ipv4.tcp_tw_reuse"),
            timestamps: settings.number("net.ipv4.tcp_timestamps").is_none_or(|value| value != 0),
            delay_ms: settings
                .number("net.ipv4.tcp_tw_reuse_delay")
                .unwrap_or(DELAY_BEFORE_6_14_MS),
        }
    }

    /// Whether connections between these addresses can take over one in TIME_WAIT. "Loopback"
    /// means the address: a host that talks to its own outer address does not count.
    pub fn applies(&self, local: IpAddr, peer: IpAddr) -> bool {
        let loopback = |address: IpAddr| address.to_canonical().is_loopback();
        self.timestamps
            && match self.mode {
                Some(1) => true,
                Some(2) => loopback(local) || loopback(peer),
                _ => false,
            }
    }

    /// Whether a socket's port can be taken over now. An orphan FIN_WAIT_2 never is.
    pub fn frees(&self, socket: &Outline) -> bool {
        socket.state == State::TimeWait
            && self.applies(socket.local.address, socket.remote.address)
            && socket.age_ms().is_some_and(|age| u64::from(age) > self.delay_ms)
    }

    /// What is assumed of connections in TIME_WAIT, which do not show it.
    pub fn assumption(&self) -> String {
        format!(
            "connections in TIME_WAIT for more than {} ms count as free: taken over by tcp_tw_reuse, \
             if both ends used TCP timestamps and connect() chose the port",
            self.delay_ms
        )
    }
}
