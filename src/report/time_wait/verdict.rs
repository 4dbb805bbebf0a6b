//! Whether TIME_WAIT harms: never by how many there are, always by what they use up.
//!
//! On the side of a server they use 256 bytes each and nothing else: the next SYN of the same
//! client is accepted out of TIME_WAIT. On the side of a client each holds a local port towards
//! its destination; when none is left connect(2) fails with EADDRNOTAVAIL, which no counter tells.

use super::{
    destination::{Ports, part},
    expected::Trend,
};
use crate::model::snapshot::Snapshot;
use serde::Serialize;

/// From here on ports are as good as gone: retries and name look-ups need some.
const PORTS_HARMFUL: f64 = 0.9;
/// From here on connect(2) has used every other port and searches for the rest one by one
/// (`__inet_hash_connect` tries one parity first; measured: 0.02 ms become 0.5 to 11 ms).
const PORTS_WATCH: f64 = 0.5;
/// A range that is full sooner than this leaves nobody time to act.
const FULL_SOON_S: u32 = 30;
/// So many new connections a second to one destination are worth reusing.
const MANY_PER_SECOND: f64 = 20.0;
/// The part of the kernel's table from which on the next burst may overflow it.
const TABLE_WATCH: f64 = 0.9;
/// The part of new connections whose SYN met a TIME_WAIT and was not accepted at once.
const COLLISIONS_WATCH: f64 = 0.01;

/// Whether something harms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It uses up nothing that runs out.
    Harmless,
    /// It slows connect(2), or will run out if it goes on.
    Watch,
    /// Connections fail, or are about to.
    Harmful,
}

/// Why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// There is none.
    Nothing,
    /// It came in by a listener.
    ServerSide,
    /// Ports are left, at this rate for ever.
    PortsLeft,
    /// The same, but every request opens a connection of its own.
    ShortLived,
    /// The ports in TIME_WAIT are taken over by the next connect(2).
    Reused,
    /// The port range could not be read.
    PortsUnknown,
    /// This rate alone keeps half of the ports in TIME_WAIT.
    RateNearCeiling,
    /// More than half of the ports are taken.
    PortSearch,
    /// No port will be left within a minute.
    PortsWillEnd,
    /// No port will be left within seconds.
    PortsEndSoon,
    /// Hardly any port is left, and TIME_WAIT holds most.
    PortsNearlyGone,
    /// Hardly any port is left, and open connections hold most.
    PortsHeldOpen,
    /// SYNs meet a TIME_WAIT and are not accepted at once.
    Collisions,
    /// The kernel's table of TIME_WAIT is nearly full, or will be at this rate.
    TableNearlyFull,
    /// The kernel's table of TIME_WAIT is full: closes skip it.
    TableOverflow,
}

impl Why {
    /// What it means.
    pub const fn verdict(self) -> Verdict {
        match self {
            Self::Nothing
            | Self::ServerSide
            | Self::PortsLeft
            | Self::ShortLived
            | Self::Reused => Verdict::Harmless,
            Self::PortsUnknown
            | Self::RateNearCeiling
            | Self::PortSearch
            | Self::PortsWillEnd
            | Self::Collisions
            | Self::TableNearlyFull => Verdict::Watch,
            Self::PortsEndSoon
            | Self::PortsNearlyGone
            | Self::PortsHeldOpen
            | Self::TableOverflow => Verdict::Harmful,
        }
    }
}

/// Judges a destination.
///
/// `in_time_wait` of its sockets are, `alive` connections to it are open.
pub fn destination(ports: Option<&Ports>, rate: f64, in_time_wait: u32, alive: u32) -> Why {
    let Some(ports) = ports else {
        return Why::PortsUnknown;
    };
    let taken = ports.taken_part();
    if taken >= PORTS_HARMFUL {
        // Open connections and half-closed ones hold ports too: then it is not TIME_WAIT's doing.
        let by_time_wait = in_time_wait.saturating_sub(ports.reusable) * 2 >= ports.taken();
        return if by_time_wait { Why::PortsNearlyGone } else { Why::PortsHeldOpen };
    }
    if ports.time_to_full_s.is_some_and(|seconds| seconds < FULL_SOON_S) {
        return Why::PortsEndSoon;
    }
    if taken >= PORTS_WATCH {
        return Why::PortSearch;
    }
    if ports.time_to_full_s.is_some() {
        return Why::PortsWillEnd;
    }
    if rate >= PORTS_WATCH * ports.rate_ceiling_per_second {
        return Why::RateNearCeiling;
    }
    if ports.reusable > 0 && part(ports.in_use, ports.usable) >= PORTS_WATCH {
        return Why::Reused;
    }
    if rate >= MANY_PER_SECOND && rate > f64::from(alive) {
        return Why::ShortLived;
    }
    Why::PortsLeft
}

/// Judges the kernel's table of mini-sockets, orphan FIN_WAIT_2 included. `None`: nothing to say.
///
/// The expected total counts only where sockets stay for their 60 s. Where new connections take
/// their place (`tcp_tw_reuse`, a SYN of the same 4-tuple to a listener) the table does not fill,
/// however fast they are closed.
pub fn table(
    minis: u32,
    limit: Option<u32>,
    overflows: Option<u64>,
    expected: Option<u32>,
    trend: Trend,
) -> Option<Why> {
    if overflows.is_some_and(|overflows| overflows > 0) {
        return Some(Why::TableOverflow);
    }
    let limit = limit?;
    let is_near = minis > 0 && part(minis, limit) >= TABLE_WATCH;
    let stays = !matches!(trend, Trend::Recycling | Trend::EndedEarly);
    let will_be = stays && expected.is_some_and(|expected| expected > 0 && expected >= limit);
    (is_near || will_be).then_some(Why::TableNearlyFull)
}

/// Judges SYNs that met a TIME_WAIT and were answered with an ACK instead. `None`: too few.
pub fn collisions(snapshot: &Snapshot) -> Option<Why> {
    let grown = |name| snapshot.growth(name).and_then(|n| u32::try_from(n).ok()).unwrap_or(0);
    let met = grown("TcpExt.PAWSTimewait") + grown("TcpExt.TCPACKSkippedTimeWait");
    let opened = grown("Tcp.PassiveOpens") + grown("Tcp.ActiveOpens");
    (met > 0 && part(met, opened.max(met)) >= COLLISIONS_WATCH).then_some(Why::Collisions)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// A destination with 1000 ports.
    fn ports(in_use: u32, reusable: u32, time_to_full_s: Option<u32>) -> Ports {
        Ports {
            usable: 1000,
            in_use,
            by_state: BTreeMap::new(),
            reusable,
            kept_by_others: 0,
            bound: 0,
            time_to_full_s,
            rate_ceiling_per_second: 1000.0 / 60.0,
        }
    }

    #[test]
    fn a_destination_is_judged_by_its_ports() {
        for (ports, rate, time_wait, alive, why) in [
            (ports(1, 0, None), 0.0, 1, 0, Why::PortsLeft),
            (ports(499, 0, None), 0.0, 499, 0, Why::PortsLeft),
            (ports(500, 0, None), 0.0, 500, 0, Why::PortSearch),
            (ports(899, 0, None), 0.0, 899, 0, Why::PortSearch),
            (ports(900, 0, None), 0.0, 900, 0, Why::PortsNearlyGone),
            (ports(1000, 0, Some(0)), 0.0, 1000, 0, Why::PortsNearlyGone),
            // Open connections hold them: as harmful, another story.
            (ports(900, 0, None), 0.0, 449, 451, Why::PortsHeldOpen),
            (ports(900, 0, None), 0.0, 450, 450, Why::PortsNearlyGone),
            // The same ports, free to be taken over.
            (ports(900, 900, None), 0.0, 900, 0, Why::Reused),
            (ports(900, 401, None), 0.0, 900, 0, Why::Reused),
            (ports(900, 400, None), 0.0, 900, 0, Why::PortSearch),
            (ports(100, 0, Some(29)), 31.0, 100, 0, Why::PortsEndSoon),
            (ports(100, 0, Some(30)), 30.0, 100, 0, Why::PortsWillEnd),
            (ports(100, 0, None), 8.4, 100, 0, Why::RateNearCeiling),
            (ports(100, 0, None), 8.3, 100, 0, Why::PortsLeft),
            (ports(0, 0, None), 0.0, 0, 0, Why::PortsLeft),
        ] {
            let found = destination(Some(&ports), rate, time_wait, alive);
            assert_eq!(found, why, "{ports:?} at {rate}/s");
        }
        assert_eq!(destination(None, 0.0, 1, 0), Why::PortsUnknown);
    }

    #[test]
    fn many_new_connections_to_one_place_are_named_unless_as_many_are_open() {
        let mut wide = ports(100, 0, None);
        (wide.usable, wide.rate_ceiling_per_second) = (28_232, 470.0);
        for (rate, alive, why) in [
            (19.9, 0, Why::PortsLeft),
            (20.0, 0, Why::ShortLived),
            (20.0, 20, Why::PortsLeft),
            (234.9, 0, Why::ShortLived),
            (235.0, 0, Why::RateNearCeiling),
        ] {
            assert_eq!(destination(Some(&wide), rate, 100, alive), why, "{rate}/s, {alive} open");
        }
        assert_eq!(Why::ShortLived.verdict(), Verdict::Harmless);
    }

    #[test]
    fn no_usable_port_is_harmful_and_not_a_division_by_zero() {
        let mut none = ports(0, 0, Some(0));
        none.usable = 0;
        assert_eq!(destination(Some(&none), 0.0, 0, 0).verdict(), Verdict::Harmful);
    }

    #[test]
    fn the_kernels_table_is_judged_by_its_limit() {
        let steady = Trend::Steady;
        assert_eq!(table(0, Some(0), Some(0), Some(0), steady), None);
        assert_eq!(table(89, Some(100), Some(0), Some(99), steady), None);
        assert_eq!(table(90, Some(100), Some(0), None, steady), Some(Why::TableNearlyFull));
        assert_eq!(table(1, Some(100), Some(0), Some(100), steady), Some(Why::TableNearlyFull));
        assert_eq!(table(1, Some(100), Some(0), Some(9000), Trend::Recycling), None);
        assert_eq!(table(1, Some(100), Some(1), None, steady), Some(Why::TableOverflow));
        assert_eq!(table(50_000, None, None, None, steady), None);
    }
}
