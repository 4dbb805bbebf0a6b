//! The worst thing a glance notices. The full judgement is the reports'.

use super::{
    capacity::limit::Limit,
    listening::Listener,
    time_wait::{
        TimeWait,
        verdict::{Verdict, Why},
    },
};
use crate::model::endpoint::Endpoint;
use serde::Serialize;

/// A limit is nearly used up from here, in percent.
const NEARLY_FULL: u64 = 90;
/// A limit is worth watching from here, in percent.
const FILLING: u64 = 75;

/// Something noticed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Notable {
    /// How bad it is: `harmful` (connections fail or are about to) or `watch`.
    pub verdict: Verdict,
    /// What was seen, with its figures.
    pub text: String,
    /// The command that shows more.
    pub command: &'static str,
}

/// The worst of what can be seen at a glance; `None`: nothing.
pub fn worst(
    listeners: &[Listener],
    time_wait: &TimeWait,
    nearest: Option<(&Limit, u64)>,
) -> Option<Notable> {
    let queues = listeners.iter().filter_map(|listener| {
        let (queue, limit) = (listener.accept_queue?, listener.accept_queue_limit?);
        // The kernel compares with `>`: a queue is full at limit + 1 (`sk_acceptq_is_full`).
        let (verdict, full) = if queue > limit {
            (Verdict::Harmful, "full")
        } else if u64::from(queue) * 2 >= u64::from(limit).max(1) && queue > 0 {
            (Verdict::Watch, "filling")
        } else {
            return None;
        };
        let port = listener.local_port;
        let wait = if queue == 1 { "waits" } else { "wait" };
        let text = format!("port {port}: accept queue is {full}, {queue} {wait}, backlog {limit}");
        Some(Notable { verdict, text, command: "sockeye -tlp" })
    });
    let closes = (time_wait.verdict != Verdict::Harmless).then(|| Notable {
        verdict: time_wait.verdict,
        text: closing(time_wait),
        command: "sockeye time-wait",
    });
    let limit = nearest.and_then(|(limit, percent)| {
        let verdict = match percent {
            NEARLY_FULL.. => Verdict::Harmful,
            FILLING.. => Verdict::Watch,
            _ => return None,
        };
        let text = format!("{} of {} is {percent} % used", limit.id.name(), limit.subject);
        Some(Notable { verdict, text, command: "sockeye capacity" })
    });
    // Of several with one verdict the first: what refuses connections now comes before what will.
    let mut all: Vec<Notable> = queues.chain(closes).chain(limit).collect();
    all.sort_by_key(|notable| std::cmp::Reverse(notable.verdict));
    all.into_iter().next()
}

/// What TIME_WAIT uses up, by the first of the reasons.
fn closing(time_wait: &TimeWait) -> String {
    let total = time_wait.total;
    match (time_wait.reasons.first(), time_wait.groups.first()) {
        (Some(Why::TableOverflow), _) => {
            format!("the kernel's table of TIME_WAIT is full ({total})")
        }
        (Some(Why::TableNearlyFull), _) => {
            format!("the kernel's table of TIME_WAIT is nearly full, or will be ({total})")
        }
        (Some(Why::Collisions), _) => {
            "SYNs of clients are not accepted out of TIME_WAIT at once".to_owned()
        }
        (_, Some(group)) => match (group.peer_address, group.ports.as_ref()) {
            (Some(address), Some(ports)) => {
                let to = Endpoint::new(address, group.peer_port.unwrap_or(0));
                let taken =
                    format!("{} of {} local ports to {to} are taken", ports.taken(), ports.usable);
                match group.time_to_full_s {
                    Some(seconds)
                        if matches!(group.reason, Why::PortsWillEnd | Why::PortsEndSoon) =>
                    {
                        format!("{taken}, all in {seconds} s")
                    }
                    _ => taken,
                }
            }
            _ => format!("{total} sockets in TIME_WAIT"),
        },
        _ => format!("{total} sockets in TIME_WAIT"),
    }
}
