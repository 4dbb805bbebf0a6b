//! The overview on one screen: every line ends in the command that shows more.

use super::page::{self, WIDTH, shown};
use crate::{
    model::{about::About, protocol::Protocol},
    report::{listening::Listener, overview::Overview, time_wait::verdict::Verdict},
    view::{
        document::{Block, Document},
        head,
    },
};
use std::net::IpAddr;

/// Columns of the name before a line.
const NAME: usize = 11;

/// The page.
pub fn document(overview: &Overview, about: &About) -> Document {
    let mut document = Document::default();
    let unknown = || "?".to_owned();
    let netns = about.netns.name.as_ref().map_or(String::new(), |name| format!("  netns {name}"));
    document.push(Block::Heading(format!(
        "{}  Linux {}{netns}  {}",
        shown(about.host.name.clone().unwrap_or_else(unknown).as_bytes()),
        about.host.kernel.clone().unwrap_or_else(unknown),
        head::time(about),
    )));
    for (protocol, command) in [(Protocol::Tcp, "sockeye -tan"), (Protocol::Udp, "sockeye -uan")] {
        let states = overview.summary.states(protocol);
        let words: Vec<String> =
            states.iter().map(|(state, count)| format!("{count} {state}")).collect();
        let mut name = protocol.name().to_uppercase();
        let mut lines = lines_of(&words);
        let last = lines.pop().unwrap_or_else(|| "none".to_owned());
        for line in lines {
            document.push(Block::Line(format!("{name:<NAME$}{line}")));
            name.clear();
        }
        pointer(&mut document, &name, &last, command);
    }
    section(&mut document, "Listening", "sockeye -tulpn", &overview.listeners, listener);
    section(&mut document, "Peers", "sockeye -tn --group-by peer.address", &overview.peers, |p| {
        format!("{:<32} {}", p.address.to_string(), connections(p.connections))
    });
    section(
        &mut document,
        "Processes",
        "sockeye -tnp --group-by process",
        &overview.processes,
        |p| format!("{:<32} {}", shown(&p.command.0), connections(p.connections)),
    );
    let closed = &overview.time_wait;
    let of = closed.limit.map_or(String::new(), |limit| format!(" of {limit}"));
    let verdict = match closed.verdict {
        Verdict::Harmless => "harmless",
        Verdict::Watch => "to be watched",
        Verdict::Harmful => "harmful",
    };
    pointer(
        &mut document,
        "TIME_WAIT",
        &format!("{}{of}, {verdict}", closed.total),
        "sockeye time-wait",
    );
    let limit = overview.nearest_limit.as_ref().map_or_else(
        || "nothing in use is limited by anything that can be seen".to_owned(),
        |l| format!("{} {}: {} of {} ({} %)", l.id, l.subject, l.used, l.value, l.used_percent),
    );
    pointer(&mut document, "Limit", &shown(limit.as_bytes()), "sockeye capacity");
    match &overview.worst {
        Some(worst) => {
            pointer(&mut document, "Worst", &shown(worst.text.as_bytes()), worst.command);
        }
        None => {
            pointer(&mut document, "Worst", "nothing a glance would notice", "sockeye time-wait");
        }
    }
    document
}

fn pointer(document: &mut Document, name: &str, text: &str, command: &str) {
    let mut lines = textwrap::wrap(text, WIDTH - NAME).into_iter().peekable();
    let mut name = name;
    while let Some(line) = lines.next() {
        let text = format!("{name:<NAME$}{line}");
        name = "";
        document.push(match lines.peek() {
            Some(_) => Block::Line(text),
            None => Block::Pointer { text, command: command.to_owned() },
        });
    }
}

/// Words, two blanks apart, on lines that fit beside a name.
fn lines_of(words: &[String]) -> Vec<String> {
    let mut lines: Vec<String> = vec![];
    for word in words {
        match lines.last_mut() {
            Some(line) if NAME + line.len() + 2 + word.len() <= WIDTH => {
                line.push_str("  ");
                line.push_str(word);
            }
            _ => lines.push(word.clone()),
        }
    }
    lines
}

/// A heading with its command, then one line for each; nothing where there is none.
fn section<T>(
    document: &mut Document,
    title: &str,
    command: &str,
    all: &[T],
    line: impl Fn(&T) -> String,
) {
    if all.is_empty() {
        return;
    }
    document.push(Block::Pointer { text: title.to_owned(), command: command.to_owned() });
    for one in all {
        document.push(Block::Line(format!("  {}", line(one))));
    }
}

fn listener(l: &Listener) -> String {
    let address = match l.local_address {
        IpAddr::V4(v4) => format!("{v4}:{}", l.local_port),
        IpAddr::V6(v6) => format!("[{v6}]:{}", l.local_port),
    };
    let queue = match (l.accept_queue, l.accept_queue_limit) {
        (Some(queue), Some(limit)) => format!("{queue}/{limit} queued"),
        (Some(queue), None) => format!("{queue} queued"),
        (None, _) => String::new(),
    };
    let holders = match l.processes.as_slice() {
        [] => "-".to_owned(),
        processes => page::programs(processes.iter().map(|p| (p.command.0.as_slice(), p.pid))),
    };
    let open = l.connections.map_or(String::new(), |open| format!("{open} open"));
    format!("{} {address:<21} {queue:>16} {open:>10}  {}", l.protocol, holders)
}

fn connections(count: u64) -> String {
    if count == 1 { "1 connection".to_owned() } else { format!("{count} connections") }
}
