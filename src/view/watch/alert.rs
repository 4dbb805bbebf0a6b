//! What the reports found, in one line each, with the time until something is full.

use super::held::printable;
use crate::{
    doctor::{
        diagnosis::Diagnosis,
        finding::{Finding, Severity},
    },
    model::endpoint::Endpoint,
    report::{
        capacity::{
            estimate::Estimate,
            limit::{Limit, LimitId},
        },
        time_wait::{
            TimeWait,
            groups::Group,
            verdict::{Verdict, Why},
        },
    },
};
use std::{collections::HashMap, fmt::Write, time::Duration};

/// A limit is worth a line from this used part on, in percent.
const FILLING: u64 = 75;
/// And nearly at its end from this.
const NEARLY_FULL: u64 = 90;
/// A time until full beyond this is no news.
const FAR: f64 = 3600.0;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Something that could not be seen.
    Note,
    /// Worth a look.
    Warning,
    /// Connections fail, or are about to.
    Critical,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// How bad.
    pub level: Level,
    /// What, with its figures; safe to print.
    pub text: String,
    /// The command that shows more.
    pub command: String,
}

/// What is used of each limit, by the last reports: how it grows.
#[derive(Debug, Default)]
pub struct Growth {
    used: HashMap<(&'static str, String), (u64, Duration)>,
}

impl Growth {
    /// Seconds until a limit is reached as it grew since the last report. `None`: it does not grow,
    /// or nothing is known yet.
    fn seconds_to_full(&mut self, limit: &Limit, now: Duration) -> Option<f64> {
        let (used, value) = (limit.used?, limit.value?);
        let key = (limit.id.name(), limit.subject.clone());
        let (before, at) = self.used.insert(key, (used, now))?;
        let (more, elapsed) = (used.checked_sub(before)?, now.checked_sub(at)?.as_secs_f64());
        #[expect(clippy::cast_precision_loss, reason = "an estimate of seconds")]
        let seconds = value.saturating_sub(used) as f64 * elapsed / more as f64;
        (more > 0 && elapsed > 0.0).then_some(seconds)
    }
}

/// The alerts of the reports, the worst first.
pub fn alerts(
    time_wait: &TimeWait,
    estimate: Option<&Estimate>,
    diagnosis: &Diagnosis,
    growth: &mut Growth,
    now: Duration,
) -> Vec<Alert> {
    let mut alerts: Vec<Alert> = table(time_wait).into_iter().collect();
    alerts.extend(diagnosis.findings.iter().filter_map(found));
    let bad = time_wait.groups.iter().filter(|group| group.verdict != Verdict::Harmless);
    alerts.extend(bad.filter_map(destination));
    for limit in estimate.iter().flat_map(|estimate| &estimate.limits) {
        let seconds = growth.seconds_to_full(limit, now);
        // Ports of destinations are told above, with their time.
        let told = limit.id == LimitId::EphemeralPorts && time_wait.verdict != Verdict::Harmless;
        alerts.extend(filling(limit, seconds).filter(|_| !told));
    }
    alerts.sort_by_key(|alert| std::cmp::Reverse(alert.level));
    alerts.dedup();
    alerts
}

fn level(verdict: Verdict) -> Level {
    if verdict == Verdict::Harmful { Level::Critical } else { Level::Warning }
}

/// What the doctor found, unless it is only worth knowing, or told by each round.
fn found(finding: &Finding) -> Option<Alert> {
    let level = match finding.severity {
        Severity::Critical => Level::Critical,
        Severity::Warning => Level::Warning,
        Severity::Notice => return None,
    };
    let told = finding.id.starts_with("accept-queue");
    let text = printable(finding.title.as_bytes());
    let command = format!("sockeye doctor --only {}", finding.id);
    (!told).then_some(Alert { level, text, command })
}

/// What TIME_WAIT does to a destination.
fn destination(group: &Group) -> Option<Alert> {
    let ports = group.ports.as_ref()?;
    let to = Endpoint::new(group.peer_address?, group.peer_port?);
    let taken = (ports.taken_part() * 100.0).round();
    let mut text =
        format!("{to}: {} of {} local ports taken ({taken} %)", ports.taken(), ports.usable);
    if group.rate_per_second >= 1.0 {
        let _ = write!(text, ", {:.0} closed/s", group.rate_per_second);
    }
    match (group.time_to_full_s, group.reason) {
        (Some(0), _) => text.push_str(", none left"),
        (Some(seconds), _) => {
            let _ = write!(text, ", full in {seconds} s");
        }
        (None, Why::ShortLived) => text.push_str(": reuse connections"),
        (None, _) => {}
    }
    let command = format!("sockeye capacity --to {to}");
    Some(Alert { level: level(group.verdict), text, command })
}

/// What TIME_WAIT does to the kernel's table.
fn table(time_wait: &TimeWait) -> Option<Alert> {
    let reason = time_wait
        .reasons
        .iter()
        .find(|why| matches!(why, Why::TableOverflow | Why::TableNearlyFull | Why::Collisions))?;
    let of = time_wait.limit.map_or(String::new(), |limit| format!(" of {limit}"));
    let total = time_wait.total;
    let text = match reason {
        Why::TableOverflow => format!("the table of TIME_WAIT overflows: {total}{of}"),
        Why::TableNearlyFull => format!("the table of TIME_WAIT fills: {total}{of}"),
        _ => "SYNs of clients are not accepted out of TIME_WAIT at once".to_owned(),
    };
    Some(Alert { level: level(reason.verdict()), text, command: "sockeye time-wait".to_owned() })
}

/// A limit that is nearly used up, or will be soon.
fn filling(limit: &Limit, seconds: Option<f64>) -> Option<Alert> {
    // Memory in use says little: caches are part of it. Accept queues are told by each round.
    if matches!(limit.id, LimitId::Memory | LimitId::AcceptQueue) {
        return None;
    }
    let (used, value) = (limit.used?, limit.value?);
    let percent = used.saturating_mul(100).checked_div(value)?;
    let soon = seconds.filter(|seconds| *seconds < FAR && percent >= FILLING / 2);
    let level = match percent {
        NEARLY_FULL.. => Level::Critical,
        FILLING.. => Level::Warning,
        _ if soon.is_some_and(|seconds| seconds < 60.0) => Level::Warning,
        _ => return None,
    };
    let subject = printable(limit.subject.as_bytes());
    let mut text =
        format!("{} of {subject}: {used} of {value} {} ({percent} %)", limit.id.name(), limit.unit);
    if let Some(seconds) = soon {
        let _ = write!(text, ", full in {seconds:.0} s");
    }
    Some(Alert { level, text, command: "sockeye capacity".to_owned() })
}
