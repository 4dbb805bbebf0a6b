//! Without what a rule cannot judge, and how that is said.

use super::evidence::Evidence;
use crate::model::about::SourceKind;

/// A piece of evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Counters at two moments.
    Window,
    /// The sockets of two looks.
    TwoLooks,
    /// What netlink tells and /proc/net does not: queue limits, drops of a listener, `tcp_info`.
    Netlink,
    /// A counter, by its name here (`TcpExt.ListenDrops`).
    Counter(&'static str),
    /// A setting, by its sysctl name.
    Setting(&'static str),
    /// Descriptors and limits of processes.
    Processes,
    /// `net.ipv4.ip_local_port_range`.
    PortRange,
}

impl Need {
    /// Its name in the manual.
    pub fn name(self) -> String {
        match self {
            Self::Window => "counters of two moments".into(),
            Self::TwoLooks => "the sockets of two looks".into(),
            Self::Netlink => "netlink (queue limits, drops, tcp_info)".into(),
            Self::Counter(name) => format!("the counter {name}"),
            Self::Setting(name) => name.into(),
            Self::Processes => "limits and descriptors of processes".into(),
            Self::PortRange => "net.ipv4.ip_local_port_range".into(),
        }
    }

    /// Why it is not there; `None`: it is.
    pub fn lacking(self, evidence: &Evidence<'_>) -> Option<String> {
        let snapshot = evidence.snapshot;
        let setting = |name: &str| match snapshot.settings.missing.get(name) {
            _ if snapshot.settings.text(name).is_some() => None,
            Some(why) => Some(format!("{name} is not known: {why}")),
            None => Some(format!("{name} is not in the snapshot")),
        };
        match self {
            Self::Window => snapshot
                .window_ms()
                .is_none()
                .then(|| "there are no counters of two moments".to_owned()),
            Self::TwoLooks => snapshot
                .before
                .is_none()
                .then(|| "the sockets were looked at once".to_owned()),
            Self::Netlink => (snapshot.about.source == SourceKind::Proc).then(|| {
                let why = snapshot.about.fallback_reason.as_deref().unwrap_or("--source proc");
                format!("/proc/net does not tell it, and netlink was not read: {why}")
            }),
            Self::Counter(name) => (evidence.growth(name).is_none() && evidence.gauge(name).is_none())
                .then(|| format!("the counter {name} is not known: this kernel lacks it, or its file could not be read")),
            Self::Setting(name) => setting(name),
            Self::PortRange => setting("net.ipv4.ip_local_port_range"),
            Self::Processes => {
                let known = |p: &crate::model::limits::ProcessLimits| {
                    p.open().is_some() && p.soft.is_some()
                };
                (!snapshot.limits.processes.iter().any(known)).then(|| {
                    let mut why = snapshot.limits.missing.values();
                    why.next().map_or_else(
                        || "no process of this namespace could be read".to_owned(),
                        |why| format!("no descriptors of a process could be counted: {why}"),
                    )
                })
            }
        }
    }
}
