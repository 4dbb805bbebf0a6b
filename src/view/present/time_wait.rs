//! The TIME_WAIT report on a page of 80 columns: the answer, its proof, what to do, what not.

use super::page::{Page, shown};
use crate::{
    report::{
        remedy::{Remedy, Tier},
        time_wait::{
            TimeWait,
            attribution::{Confidence, Owner},
            destination::Ports,
            expected::{RateSource, Trend},
            groups::Group,
            key::Side,
            verdict::{Verdict, Why},
        },
    },
    view::{
        document::{Block, Document},
        format,
    },
};
use std::net::IpAddr;

/// Bars of the sparkline, lowest first.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// The same without Unicode.
const ASCII_BARS: [char; 8] = ['.', ':', '-', '=', '+', '*', '#', '@'];
/// Processes named of each group.
const NAMED: usize = 3;

/// The page.
pub fn document(figures: &TimeWait, unicode: bool) -> Document {
    let mut page = Page::default();
    page.heading(&answer(figures));
    page.blank();
    page.fact("in TIME_WAIT", &population(figures));
    page.fact("rate", &rate(figures));
    if let Some(overflows) = figures.overflows.filter(|n| *n > 0) {
        page.fact("overflows", &format!("{overflows} closes skipped TIME_WAIT: the table is full"));
    }
    match figures.orphan_fin_wait_2 {
        0 => {}
        1 => page.fact(
            "FIN_WAIT_2",
            "1 more mini-socket is an orphan whose peer has not closed; sockstat counts it as tw, \
             it holds a port and is never taken over",
        ),
        orphans => page.fact(
            "FIN_WAIT_2",
            &format!(
                "{orphans} more mini-sockets are orphans whose peer has not closed; sockstat \
                 counts them as tw, they hold ports and are never taken over"
            ),
        ),
    }
    history(&mut page, figures, unicode);
    groups(&mut page, figures);
    advice(&mut page, figures);
    page.document
}

/// The first line: verdict, number and reason.
fn answer(figures: &TimeWait) -> String {
    let why = figures.reasons.first().copied().unwrap_or(Why::Nothing);
    let total = figures.total;
    let said = match (why, figures.groups.first()) {
        (Why::Nothing, _) => "nothing is in TIME_WAIT".to_owned(),
        (Why::TableOverflow, _) => {
            format!("the kernel's table of TIME_WAIT is full ({total}): closes skip it")
        }
        (Why::TableNearlyFull, _) => {
            format!("the kernel's table of TIME_WAIT is nearly full, or will be ({total} now)")
        }
        (Why::Collisions, _) => {
            format!("{total} in TIME_WAIT, and SYNs of clients are not accepted out of it at once")
        }
        (_, Some(worst)) if figures.verdict > Verdict::Harmless => worst_destination(why, worst),
        _ if figures.client_side == 0 => {
            format!("{total} in TIME_WAIT, all on the side of a server: they use no port")
        }
        _ if figures.server_side == 0 => {
            format!("{total} in TIME_WAIT, all of outgoing connections, with ports to spare")
        }
        _ => format!(
            "{total} in TIME_WAIT: {} on the side of a server use no port, {} of outgoing \
             connections leave ports to spare",
            figures.server_side, figures.client_side
        ),
    };
    format!("{}: {said}", word(figures.verdict))
}

const fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Harmless => "harmless",
        Verdict::Watch => "watch",
        Verdict::Harmful => "harmful",
    }
}

fn worst_destination(why: Why, group: &Group) -> String {
    let path = path(group);
    let taken = group.ports.as_ref().map_or(0, Ports::taken);
    let usable = group.ports_usable.unwrap_or(0);
    let ports = format!("{taken} of {usable} local ports {path} are taken");
    let in_seconds = group.time_to_full_s.unwrap_or(0);
    match why {
        Why::PortsUnknown => {
            format!("{} in TIME_WAIT {path}, and the port range could not be read", group.count)
        }
        Why::PortsHeldOpen => format!("{ports}, most by open connections, not by TIME_WAIT"),
        Why::PortSearch => format!("{ports}: connect(2) has to search for one"),
        Why::PortsWillEnd | Why::PortsEndSoon => {
            format!("{ports}, all of them in about {in_seconds} s at this rate")
        }
        Why::RateNearCeiling => format!(
            "{}/s are closed {path}; from {}/s on no port is left",
            number(group.rate_per_second),
            number(group.rate_ceiling_per_second.unwrap_or(0.0))
        ),
        _ if in_seconds > 0 => format!("{ports}, the last in about {in_seconds} s"),
        _ => ports,
    }
}

/// `from 10.0.0.1 to 10.0.0.7:8080`, `to listener 0.0.0.0:80`.
fn path(group: &Group) -> String {
    let end = |address: IpAddr, port: u16| match address {
        IpAddr::V4(v4) => format!("{v4}:{port}"),
        IpAddr::V6(v6) => format!("[{v6}]:{port}"),
    };
    match (group.side, group.peer_address, group.peer_port, group.local_port) {
        (Side::Client, Some(peer), Some(port), _) => {
            format!("from {} to {}", group.local_address, end(peer, port))
        }
        (_, _, _, Some(port)) if group.listening == Some(false) => {
            format!("on {}, nobody listens now", end(group.local_address, port))
        }
        (_, _, _, port) => format!("on {}", end(group.local_address, port.unwrap_or(0))),
    }
}

fn population(figures: &TimeWait) -> String {
    let limit = figures.limit.map_or_else(
        || "; tcp_max_tw_buckets could not be read".to_owned(),
        |limit| format!(" of {limit} the kernel keeps (tcp_max_tw_buckets)"),
    );
    let sides = format!("{} server side, {} client side", figures.server_side, figures.client_side);
    let clear = figures.clear_in_ms.map_or(String::new(), |ms| {
        format!("; gone in {} s if no more are closed", ms.div_ceil(1000))
    });
    let memory = figures.memory_bytes.div_ceil(1024);
    format!("{}{limit}: {sides}; about {memory} KiB{clear}", figures.total)
}

fn rate(figures: &TimeWait) -> String {
    let (Some(rate), Some(source), Some(expected)) =
        (figures.rate_per_second, figures.rate_source, figures.expected_total)
    else {
        return "unknown: there was one look, and the ages are not told".to_owned();
    };
    let window = figures.window_ms.unwrap_or(5_000);
    let mut over = vec![];
    format::duration(&mut over, window.saturating_mul(1000));
    let over = String::from_utf8_lossy(&over).into_owned();
    let from = match source {
        RateSource::Counters => "counters",
        RateSource::History => "ages",
    };
    if figures.total == 0 && expected == 0 {
        return format!("0 closed per second ({from}, {over})");
    }
    let more = expected > figures.total;
    let trend = match figures.trend {
        Trend::Steady => "which agrees",
        Trend::Burst if more => "more than there are: closing has become faster within the minute",
        Trend::Decay if !more => {
            "fewer than there are: closing has become slower within the minute"
        }
        // So few in a short window say little: the ages tell the trend.
        Trend::Burst => "but by their ages most were closed in the last seconds",
        Trend::Decay => "but by their ages closing has become slower within the minute",
        Trend::Overflow => "more than there are: the table is full and closes skip TIME_WAIT",
        Trend::Recycling => "more than there are: new connections take their place",
        Trend::EndedEarly => {
            "more than there are: they end early, by a new connection of the same client port or \
             a RST"
        }
        Trend::Unknown => "which cannot be compared",
    };
    // With its tenth, so that the product is what it seems to be.
    let rate = if rate.fract() == 0.0 { format!("{rate:.0}") } else { format!("{rate:.1}") };
    format!("{rate} closed per second ({from}, {over}); x 60 s = {expected} expected, {trend}")
}

/// A rate without needless digits.
fn number(rate: f64) -> String {
    if rate >= 10.0 || rate.fract() == 0.0 { format!("{rate:.0}") } else { format!("{rate:.1}") }
}

fn history(page: &mut Page, figures: &TimeWait, unicode: bool) {
    let most = figures.closed_per_second.iter().copied().max().unwrap_or(0);
    if most == 0 {
        return;
    }
    page.blank();
    page.heading("Closed in the last minute, by what remains of each one's 60 s");
    page.document.push(Block::Line(format!(
        "  {}  at most {most}/s",
        sparkline(&figures.closed_per_second, most, unicode)
    )));
    page.document.push(Block::Line(format!("  60 s ago{:>52}", "now")));
}

/// One bar a second, the oldest first; nothing is a blank.
fn sparkline(seconds: &[u32], most: u32, unicode: bool) -> String {
    let bars = if unicode { BARS } else { ASCII_BARS };
    let bar = |count: &u32| match count {
        0 => ' ',
        count => {
            // The highest bar is for the highest count alone, the lowest for one close.
            let step = (u64::from(*count) * 8).div_ceil(u64::from(most.max(1))).saturating_sub(1);
            usize::try_from(step).ok().and_then(|step| bars.get(step)).copied().unwrap_or(' ')
        }
    };
    seconds.iter().rev().map(bar).collect()
}

fn groups(page: &mut Page, figures: &TimeWait) {
    if figures.groups.is_empty() {
        return;
    }
    page.blank();
    let heads = ["WHERE", ">COUNT", ">RATE", ">PORTS", ">FULL IN", "VERDICT"];
    let rows = figures.groups.iter().map(|group| {
        vec![
            path(group),
            group.count.to_string(),
            format!("{}/s", number(group.rate_per_second)),
            group.utilization.map_or_else(|| dash(group), |part| format!("{:.0}%", part * 100.0)),
            match (group.side, group.time_to_full_s) {
                (Side::Server, _) => String::new(),
                (_, Some(0)) => "now".to_owned(),
                (_, Some(seconds)) => format!("{seconds}s"),
                // Nothing is closed now: that says nothing of the next burst.
                (_, None) if group.rate_per_second == 0.0 => "idle".to_owned(),
                (_, None) => "never".to_owned(),
            },
            word(group.verdict).to_owned(),
        ]
    });
    page.document
        .push(Block::Table { heads: heads.map(str::to_owned).to_vec(), rows: rows.collect() });
    if figures.groups_left_out > 0 {
        page.paragraph("", 0, &format!("{} more: --limit N shows them", figures.groups_left_out));
    }
    page.blank();
    page.heading("Who closed them");
    if figures.owners_sampled {
        page.paragraph(
            "  ",
            2,
            "Of tens of thousands of descriptors a part was looked at: shares are about right, and \
             who has less than a twentieth of the open connections may be missing.",
        );
    }
    for group in &figures.groups {
        page.paragraph(&format!("  {}: ", path(group)), 4, &parties(group));
        if let Some(ports) = ports(group) {
            page.paragraph("    ", 4, &ports);
        }
    }
    if figures.groups.iter().any(|g| g.side == Side::Server) {
        page.paragraph(
            "  ",
            2,
            "On the side of a server they hold no port, no descriptor and no process: a new \
             connection from the same client port is accepted at once.",
        );
    }
}

/// Nothing to know on the server side; not known elsewhere.
fn dash(group: &Group) -> String {
    if group.side == Side::Server { String::new() } else { format::UNKNOWN.to_owned() }
}

fn ports(group: &Group) -> Option<String> {
    let ports = group.ports.as_ref().filter(|_| group.verdict > Verdict::Harmless)?;
    let states: Vec<String> =
        ports.by_state.iter().map(|(state, count)| format!("{count} {state}")).collect();
    let total = format!("{} of {} ports in use", ports.in_use, ports.usable);
    let total = if states.is_empty() { total } else { format!("{total}: {}", states.join(", ")) };
    let mut facts = vec![total];
    if ports.reusable > 0 {
        facts.push(format!("{} of them can be taken over", ports.reusable));
    }
    if ports.kept_by_others > 0 {
        let kept = ports.kept_by_others;
        facts.push(format!("{kept} more seem bound by others before they connected"));
    }
    let ceiling = number(ports.rate_ceiling_per_second);
    facts.push(format!("{ceiling}/s can be opened and closed for ever"));
    Some(facts.join("; "))
}

fn parties(group: &Group) -> String {
    let who = owners(&group.owners);
    let closers = match (group.side, who.is_empty()) {
        (Side::Server, true) if group.listening == Some(false) => {
            "the server is gone; it can listen here again at once if it sets SO_REUSEADDR".into()
        }
        (Side::Client, true) => "not known: no connection to it or its machine was open when this \
                                 looked; `sockeye trace` sees who closes"
            .to_owned(),
        (_, true) => "not known".to_owned(),
        (_, false) => who,
    };
    let peers = owners(&group.peer_owners);
    if peers.is_empty() {
        closers
    } else {
        format!("{closers}; at the other end, on this machine too: {peers}")
    }
}

/// `nginx[811] certain 93%, …`.
fn owners(owners: &[Owner]) -> String {
    let named = owners.iter().take(NAMED).map(|owner| {
        let sure = match owner.confidence {
            Confidence::Certain => "certain",
            Confidence::Likely => "likely",
            Confidence::Possible => "possible",
        };
        let share = owner.share.map_or(String::new(), |part| format!(" {:.0}%", part * 100.0));
        format!("{}[{}] {sure}{share}", shown(&owner.command.0), owner.pid)
    });
    let mut words: Vec<String> = named.collect();
    if owners.len() > NAMED {
        words.push(format!("{} more", owners.len() - NAMED));
    }
    words.join(", ")
}

fn advice(page: &mut Page, figures: &TimeWait) {
    if !figures.advice.is_empty() {
        page.blank();
        page.heading("What to do, in this order");
    }
    let mut said = None;
    for (number, remedy) in (1..).zip(&figures.advice) {
        page.paragraph(&format!("{number:>2}. {}: ", tier(remedy)), 4, &remedy.text);
        if let Some(command) = &remedy.command {
            page.verbatim("        ", command);
        }
        let scope = if said == Some(&remedy.scope) { "the same" } else { &remedy.scope };
        page.paragraph("    scope: ", 11, scope);
        said = Some(&remedy.scope);
        if !remedy.risk.is_empty() {
            page.paragraph("    risk: ", 10, &remedy.risk);
        }
    }
    if !figures.avoid.is_empty() {
        page.blank();
        page.heading("What not to do");
    }
    for avoid in &figures.avoid {
        page.paragraph("  - ", 4, &format!("{}: {}", avoid.action, avoid.reason));
    }
    page.blank();
    page.paragraph("", 0, "more: sockeye explain time-wait");
}

const fn tier(remedy: &Remedy) -> &'static str {
    match remedy.tier {
        Tier::Application => "application",
        Tier::Socket => "socket option",
        Tier::Sysctl => "sysctl",
        Tier::Capacity => "capacity",
    }
}
