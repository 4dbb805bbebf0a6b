//! Every rule, one file each. A new one is registered here and nowhere else.

use super::{config::Known, rule::Rule};

mod closing {
    pub(super) mod abortive_close;
    pub(super) mod close_wait_idle_pool;
    pub(super) mod close_wait_leak;
    pub(super) mod fin_wait2_orphan;
    pub(super) mod fin_wait2_owned;
    pub(super) mod keepalive_race;
    pub(super) mod last_ack_stuck;
    pub(super) mod orphan_pressure;
}
mod listening {
    pub(super) mod accept_queue_overflow;
    pub(super) mod accept_stalled;
    pub(super) mod client_concentration;
    pub(super) mod listen_backlog_small;
    pub(super) mod listen_drops_other;
    pub(super) mod reconnect_storm;
    pub(super) mod reuseport_skew;
    pub(super) mod syn_queue_pressure;
    pub(super) mod syn_recv_return_path;
}
mod time_wait {
    pub(super) mod blocks_restart;
    pub(super) mod bucket_overflow;
    pub(super) mod memory;
    pub(super) mod server_side;
    pub(super) mod short_lived_connections;
    pub(super) mod syn_collision;
    pub(super) mod sysctl_lint;
}
mod ports {
    pub(super) mod bind_before_connect;
    pub(super) mod connect_port_scan;
    pub(super) mod ephemeral_port_pressure;
    pub(super) mod port_range_too_wide;
    mod reserving;
    pub(super) mod self_connect;
    pub(super) mod service_port_in_ephemeral_range;
    pub(super) mod snat_exhaustion_suspected;
    pub(super) mod udp_port_exhaustion;
}
mod data {
    pub(super) mod peer_not_reading;
    pub(super) mod send_buffer_limited;
    pub(super) mod softnet_drops;
    pub(super) mod tcp_memory_pressure;
    pub(super) mod tcp_receive_drops;
    pub(super) mod udp_receive_drops;
    pub(super) mod we_are_not_reading;
}
mod limits {
    pub(super) mod app_limit_hint;
    pub(super) mod fd_limit_host;
    pub(super) mod fd_limit_process;
    pub(super) mod ghost_socket_fds;
    pub(super) mod max_connections_estimate;
}
mod peers {
    pub(super) mod connection_age_skew;
    pub(super) mod half_open_suspect;
    pub(super) mod keepalive_slower_than_path;
    pub(super) mod peer_unreachable;
    pub(super) mod pmtu_blackhole;
    pub(super) mod refused_storm;
    pub(super) mod retransmit_rate;
    pub(super) mod rto_heavy_peer;
    mod stalled;
    pub(super) mod syn_sent_stuck;
}
mod settings {
    pub(super) mod sysctl_scope_mismatch;
    pub(super) mod visibility_limited;
}
mod tables {
    pub(super) mod conntrack_insert_failed;
    pub(super) mod conntrack_invalid;
    pub(super) mod conntrack_table_full;
    pub(super) mod neighbor_table_overflow;
}

/// Every rule, by area.
pub const RULES: &[&Rule] = &[
    &time_wait::server_side::RULE,
    &time_wait::short_lived_connections::RULE,
    &ports::ephemeral_port_pressure::RULE,
    &time_wait::bucket_overflow::RULE,
    &time_wait::memory::RULE,
    &time_wait::syn_collision::RULE,
    &time_wait::blocks_restart::RULE,
    &time_wait::sysctl_lint::RULE,
    &ports::connect_port_scan::RULE,
    &ports::bind_before_connect::RULE,
    &ports::service_port_in_ephemeral_range::RULE,
    &ports::port_range_too_wide::RULE,
    &ports::udp_port_exhaustion::RULE,
    &ports::self_connect::RULE,
    &ports::snat_exhaustion_suspected::RULE,
    &listening::accept_queue_overflow::RULE,
    &listening::listen_backlog_small::RULE,
    &listening::accept_stalled::RULE,
    &listening::syn_queue_pressure::RULE,
    &listening::syn_recv_return_path::RULE,
    &listening::listen_drops_other::RULE,
    &listening::reuseport_skew::RULE,
    &peers::refused_storm::RULE,
    &closing::close_wait_leak::RULE,
    &closing::close_wait_idle_pool::RULE,
    &closing::fin_wait2_owned::RULE,
    &closing::fin_wait2_orphan::RULE,
    &closing::orphan_pressure::RULE,
    &closing::last_ack_stuck::RULE,
    &closing::abortive_close::RULE,
    &closing::keepalive_race::RULE,
    &peers::syn_sent_stuck::RULE,
    &peers::peer_unreachable::RULE,
    &peers::half_open_suspect::RULE,
    &peers::keepalive_slower_than_path::RULE,
    &peers::retransmit_rate::RULE,
    &peers::rto_heavy_peer::RULE,
    &peers::pmtu_blackhole::RULE,
    &data::peer_not_reading::RULE,
    &data::we_are_not_reading::RULE,
    &data::send_buffer_limited::RULE,
    &data::tcp_memory_pressure::RULE,
    &data::tcp_receive_drops::RULE,
    &data::udp_receive_drops::RULE,
    &data::softnet_drops::RULE,
    &limits::max_connections_estimate::RULE,
    &limits::fd_limit_process::RULE,
    &limits::fd_limit_host::RULE,
    &limits::app_limit_hint::RULE,
    &tables::conntrack_table_full::RULE,
    &tables::conntrack_insert_failed::RULE,
    &tables::conntrack_invalid::RULE,
    &tables::neighbor_table_overflow::RULE,
    &listening::client_concentration::RULE,
    &listening::reconnect_storm::RULE,
    &peers::connection_age_skew::RULE,
    &settings::sysctl_scope_mismatch::RULE,
    &limits::ghost_socket_fds::RULE,
    &settings::visibility_limited::RULE,
];

/// The rule of this name.
pub fn find(id: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.id == id).copied()
}

/// What a config file may set.
pub fn thresholds() -> Known {
    RULES.iter().map(|rule| (rule.id, rule.thresholds)).collect()
}
