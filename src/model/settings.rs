//! Kernel settings (sysctl), as read.

use super::ports::PortSet;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, ops::RangeInclusive};

/// Settings by sysctl name (`net.ipv4.tcp_tw_reuse`).
///
/// One that is not here could not be read; `missing` says why. Never a default in its place.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// The text of the file, without the newline.
    pub values: BTreeMap<String, String>,
    /// Why a setting is not among the values.
    pub missing: BTreeMap<String, String>,
    /// Those of the network namespace of process 1, which `/etc/sysctl.d` sets. Empty: this is
    /// that namespace, or it could not be entered, or nobody asked.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub of_host: BTreeMap<String, String>,
}

impl Settings {
    /// Adds what was read apart.
    pub fn absorb(&mut self, other: Self) {
        self.values.extend(other.values);
        self.missing.extend(other.missing);
        self.of_host.extend(other.of_host);
    }

    /// Adds from the host's own namespace what holds for the whole host and is shown there alone:
    /// `tcp_mem`, `tcp_max_orphans` and others are in no other namespace's /proc/sys/net.
    pub fn add_host_wide(&mut self, host: &Self) {
        for (name, text) in &host.values {
            if self.is_absent(name) {
                self.missing.remove(name);
                self.values.insert(name.clone(), text.clone());
            }
        }
    }

    /// The text of a setting.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// A setting that is one number.
    pub fn number(&self, name: &str) -> Option<u64> {
        self.text(name)?.trim().parse().ok()
    }

    /// A setting that is several numbers (`tcp_mem`, `file-nr`): the one at `index`.
    pub fn number_at(&self, name: &str, index: usize) -> Option<u64> {
        self.text(name)?.split_whitespace().nth(index)?.parse().ok()
    }

    /// Whether there is no such setting in this kernel or namespace, apart from one that may not
    /// be read.
    pub fn is_absent(&self, name: &str) -> bool {
        self.missing.get(name).is_some_and(|why| why.contains(": ENOENT ("))
    }

    /// `net.ipv4.ip_local_port_range`, both ends included.
    pub fn port_range(&self) -> Option<RangeInclusive<u16>> {
        let end = |index| u16::try_from(self.number_at(PORT_RANGE, index)?).ok();
        Some(end(0)?..=end(1)?)
    }

    /// `net.ipv4.ip_local_reserved_ports`.
    pub fn reserved_ports(&self) -> Option<PortSet> {
        PortSet::parse(self.text(RESERVED_PORTS)?)
    }
}

/// Ports the kernel chooses from for outgoing connections.
pub const PORT_RANGE: &str = "net.ipv4.ip_local_port_range";
/// Ports it passes over in doing so.
pub const RESERVED_PORTS: &str = "net.ipv4.ip_local_reserved_ports";

/// Every setting the reports use.
pub const NAMES: &[&str] = &[
    "fs.epoll.max_user_watches",
    "fs.file-max",
    "fs.file-nr",
    "fs.nr_open",
    "kernel.pid_max",
    "kernel.threads-max",
    "net.core.netdev_budget",
    "net.core.netdev_max_backlog",
    "net.core.rmem_default",
    "net.core.rmem_max",
    "net.core.somaxconn",
    "net.core.wmem_max",
    "net.ipv4.conf.all.rp_filter",
    PORT_RANGE,
    RESERVED_PORTS,
    "net.ipv4.ip_autobind_reuse",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.neigh.default.gc_thresh1",
    "net.ipv4.neigh.default.gc_thresh2",
    "net.ipv4.neigh.default.gc_thresh3",
    "net.ipv4.tcp_abort_on_overflow",
    "net.ipv4.tcp_ehash_entries",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_max_orphans",
    "net.ipv4.tcp_max_syn_backlog",
    "net.ipv4.tcp_max_tw_buckets",
    "net.ipv4.tcp_mem",
    "net.ipv4.tcp_migrate_req",
    "net.ipv4.tcp_mtu_probing",
    "net.ipv4.tcp_orphan_retries",
    "net.ipv4.tcp_retries2",
    "net.ipv4.tcp_rfc1337",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_syn_linear_timeouts",
    "net.ipv4.tcp_syn_retries",
    "net.ipv4.tcp_synack_retries",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.tcp_timestamps",
    "net.ipv4.tcp_tw_recycle",
    "net.ipv4.tcp_tw_reuse",
    "net.ipv4.tcp_tw_reuse_delay",
    "net.ipv4.tcp_wmem",
    "net.ipv4.udp_mem",
    "net.ipv6.neigh.default.gc_thresh2",
    "net.ipv6.neigh.default.gc_thresh3",
    "net.netfilter.nf_conntrack_buckets",
    "net.netfilter.nf_conntrack_count",
    "net.netfilter.nf_conntrack_max",
    "net.netfilter.nf_conntrack_tcp_be_liberal",
    "net.netfilter.nf_conntrack_tcp_timeout_close_wait",
    "net.netfilter.nf_conntrack_tcp_timeout_established",
    "net.netfilter.nf_conntrack_tcp_timeout_time_wait",
];
