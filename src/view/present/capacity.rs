//! Capacity for people: the answer first, then what it follows from.

use crate::{
    model::endpoint::Endpoint,
    report::capacity::{
        destinations::Destination,
        estimate::Estimate,
        limit::{Limit, LimitId},
        question::{Answer, Question},
    },
    view::{
        document::{Block, Document},
        escape,
    },
};

/// Rows of a table; `--json` has them all.
const ROWS: usize = 10;

/// The document.
pub fn document(estimate: &Estimate, question: Option<&Question>) -> Document {
    let mut document = Document::default();
    assumed(&mut document, estimate);
    match (question, &estimate.answer) {
        (Some(question), Some(answer)) => {
            let before = estimate.before.as_ref().and_then(|before| before.answer.as_ref());
            answered(&mut document, question, answer, before);
        }
        _ => whole(&mut document, estimate),
    }
    document
}

fn assumed(document: &mut Document, estimate: &Estimate) {
    for assumption in &estimate.assumed {
        let before = match &assumption.before {
            Some(before) => format!(" (now {})", before.replace('\t', " ")),
            None => String::new(),
        };
        let value = assumption.value.replace('\t', " ");
        document.push(Block::Line(format!("If {} were {value}{before}:", assumption.name)));
    }
}

fn answered(
    document: &mut Document,
    question: &Question,
    answer: &Answer,
    before: Option<&Answer>,
) {
    document.push(Block::Heading(sentence(question, answer)));
    if let Some(before) = before {
        document.push(Block::Line(format!("Now: {}", sentence(question, before))));
    }
    if let Some(limit) = answer.binding_limit {
        let error = answer.error_at_limit.unwrap_or("an error");
        let mut line =
            format!("The limit is {}; beyond it the program sees {error}.", limit.name());
        if let Some((next, more)) = answer.runner_up.zip(answer.runner_up_remaining) {
            line = format!("{line} The next is {} ({more} more).", next.name());
        }
        document.push(Block::Line(line));
    }
    if let Some(fast) = answer.fast_remaining {
        document.push(Block::Line(if fast == 0 {
            "The half of the ports that connect() tries first is used up: each connect() now \
             searches the other half too, and takes longer."
                .to_owned()
        } else {
            format!(
                "The first {fast} open quickly; after that each connect() searches the other half \
                 of the ports too."
            )
        }));
    }
    if let Some(rate) = answer.rate_ceiling_per_second {
        document.push(Block::Line(format!(
            "If this side closes first, {rate:.0} new connections a second can be kept up."
        )));
    }
    document.push(Block::Line(String::new()));
    document.push(limits(answer.limits.iter()));
    notes(document, answer.limits.iter());
    lines(document, "Not exact:", &answer.uncertainty);
    lines(document, "Assumed:", &answer.assumptions);
    lines(document, "Unknown:", &answer.unknown);
    document.push(Block::Line(String::new()));
    document.push(Block::Line(
        match question {
            Question::To { .. } => ANOTHER_DESTINATION,
            Question::Listen { .. } => A_LISTENING_PORT,
        }
        .to_owned(),
    ));
}

const A_LISTENING_PORT: &str = "A listening port is not used up by connections: they share it. \
    65,535 is not a server's limit, but that of one client address towards one listener.";
const ANOTHER_DESTINATION: &str = "Another destination address or port, and another source \
    address, has ports of its own.";

fn sentence(question: &Question, answer: &Answer) -> String {
    let more = interval(answer.remaining_low, answer.remaining);
    let all = interval(answer.effective_max_low, answer.effective_max);
    let what = match question {
        Question::To { peer, local, bound, .. } => {
            let from = local.map_or_else(String::new, |local| format!(" from {local}"));
            let bound = if *bound { ", bound first" } else { "" };
            format!("more connections can be opened to {peer}{from}{bound}")
        }
        Question::Listen { port, .. } => {
            let at = answer
                .local_address
                .map_or_else(String::new, |address| format!(" {}", Endpoint::new(address, *port)));
            format!("more connections can be accepted at{at}")
        }
    };
    format!("{more} {what} ({} in use, {all} in all).", answer.in_use)
}

fn interval(low: Option<u64>, high: Option<u64>) -> String {
    match (low, high) {
        (Some(low), Some(high)) if low != high => format!("{low} to {high}"),
        (_, Some(high)) => high.to_string(),
        _ => "An unknown number of".to_owned(),
    }
}

fn whole(document: &mut Document, estimate: &Estimate) {
    document.push(Block::Heading("Listeners".to_owned()));
    let mut rows = vec![];
    for listener in &estimate.listeners {
        let names: Vec<String> = listener
            .processes
            .iter()
            .take(3)
            .map(|p| format!("{}[{}]", terminal(&p.command.0), p.pid))
            .collect();
        let end = Endpoint::new(listener.local_address, listener.local_port);
        rows.push(vec![
            end.to_string(),
            if names.is_empty() { "-".to_owned() } else { names.join(",") },
            listener.in_use.to_string(),
            number(listener.remaining),
            limit_name(listener.binding_limit),
            match listener.accept_queue_limit {
                Some(limit) => format!("{}/{limit}", listener.accept_queue),
                None => listener.accept_queue.to_string(),
            },
        ]);
    }
    table(document, &["Address", "Process", ">In use", ">More", "Limit", ">Accept queue"], rows);
    document.push(Block::Line(A_LISTENING_PORT.to_owned()));
    document.push(Block::Line(String::new()));
    document.push(Block::Heading("Destinations".to_owned()));
    let row = |d: &Destination| {
        vec![
            d.local_address.to_string(),
            Endpoint::new(d.peer_address, d.peer_port).to_string(),
            format!("{}/{}", d.ports_in_use, d.ports_usable),
            interval(d.remaining_low, d.remaining),
            limit_name(d.binding_limit),
            format!("{:.0}/s", d.rate_ceiling_per_second),
        ]
    };
    let rows = estimate.destinations.iter().map(row).collect();
    table(document, &["From", "To", ">Ports in use", ">More", "Limit", ">Rate"], rows);
    document.push(Block::Line(ANOTHER_DESTINATION.to_owned()));
    document.push(Block::Line(String::new()));
    document.push(Block::Heading("Processes".to_owned()));
    let rows = estimate
        .processes
        .iter()
        .map(|p| {
            vec![
                format!("{}[{}]", terminal(&p.command.0), p.pid),
                p.sockets.to_string(),
                number(p.open_files),
                number(p.limit_soft),
                number(p.limit_hard),
                number(p.remaining),
            ]
        })
        .collect();
    table(
        document,
        &["Process", ">Sockets", ">Open files", ">Soft limit", ">Hard limit", ">More"],
        rows,
    );
    document.push(Block::Line(String::new()));
    document.push(Block::Heading("Host".to_owned()));
    // The others have a table of their own.
    let elsewhere = [
        LimitId::RlimitNofile,
        LimitId::EphemeralPorts,
        LimitId::AcceptQueue,
        LimitId::ClientPorts,
    ];
    let of_host = || estimate.limits.iter().filter(|limit| !elsewhere.contains(&limit.id));
    document.push(limits(of_host()));
    notes(document, of_host());
    if let Some((limit, share)) = estimate.tightest() {
        document.push(Block::Line(String::new()));
        document.push(Block::Line(format!(
            "Nearest to its end: {} of {}, {share} % in use.",
            limit.id.name(),
            terminal(limit.subject.as_bytes())
        )));
    }
}

fn table(document: &mut Document, heads: &[&str], mut rows: Vec<Vec<String>>) {
    if rows.is_empty() {
        document.push(Block::Line("  none".to_owned()));
        return;
    }
    let hidden = rows.len().saturating_sub(ROWS);
    rows.truncate(ROWS);
    document.push(Block::Table { heads: heads.iter().map(|h| (*h).to_owned()).collect(), rows });
    if hidden > 0 {
        document.push(Block::Line(format!("  and {hidden} more: --json has them all")));
    }
}

fn limits<'l>(limits: impl Iterator<Item = &'l Limit>) -> Block {
    let heads = ["Limit", "Of", ">Value", ">Used", ">Free", ">Connections", "Scope", "Read from"];
    Block::Table {
        heads: heads.map(str::to_owned).to_vec(),
        rows: limits
            .map(|limit| {
                vec![
                    limit.id.name().to_owned(),
                    terminal(limit.subject.as_bytes()),
                    if limit.unlimited { "unlimited".to_owned() } else { number(limit.value) },
                    number(limit.used),
                    number(limit.free),
                    match (limit.low(), limit.connections) {
                        (_, None) => "-".to_owned(),
                        (low, high) => interval(low, high),
                    },
                    limit.scope.name().to_owned(),
                    terminal(limit.source.as_bytes()),
                ]
            })
            .collect(),
    }
}

fn notes<'l>(document: &mut Document, limits: impl Iterator<Item = &'l Limit>) {
    let mut said = vec![];
    for limit in limits {
        for text in limit.note.iter().chain(&limit.unknown) {
            let line = format!("  {}: {text}", limit.id.name());
            if !said.contains(&line) {
                document.push(Block::Line(line.clone()));
                said.push(line);
            }
        }
    }
}

fn lines(document: &mut Document, heading: &str, lines: &[String]) {
    if !lines.is_empty() {
        document.push(Block::Line(heading.to_owned()));
        for line in lines {
            document.push(Block::Line(format!("  {line}")));
        }
    }
}

fn limit_name(limit: Option<LimitId>) -> String {
    limit.map_or("-", LimitId::name).to_owned()
}

fn number(value: Option<u64>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

fn terminal(name: &[u8]) -> String {
    let mut out = vec![];
    escape::for_terminal(&mut out, name);
    String::from_utf8_lossy(&out).into_owned()
}
