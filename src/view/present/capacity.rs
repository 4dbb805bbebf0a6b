//! Capacity on a page of 80 columns: the answer first, then the limits it follows from.

use super::page::{Column, Columns, Page, bytes, count, programs, shown};
use crate::{
    model::endpoint::Endpoint,
    report::capacity::{
        assume::Assumption,
        destinations::Destination,
        estimate::Estimate,
        limit::{Limit, LimitId, Scope},
        listeners::Listener,
        processes::ProcessRoom,
        question::{Answer, Question},
    },
    view::document::Document,
};

/// Rows of a table; `--json` has them all.
const ROWS: usize = 10;
/// In front of the limit that binds, and of the one that is met next.
const BINDING: &str = "=>";
const NEXT: &str = "->";

const LIMITS: Columns = Columns(&[
    Column::left("", 2),
    Column::left("Limit", 22),
    Column::right("Value", 11),
    Column::right("Used", 11),
    Column::right("Free", 11),
    Column::right("More", 13),
]);
const LISTENERS: Columns = Columns(&[
    Column::left("Address", 22),
    Column::right("In use", 7),
    Column::right("More", 15),
    Column::right("Queue", 10),
    Column::left("Limit", 16),
]);
const DESTINATIONS: Columns = Columns(&[
    Column::left("From, to", 20),
    Column::right("Ports used", 11),
    Column::right("More", 14),
    Column::right("Rate", 9),
    Column::left("Limit", 16),
]);
const PROCESSES: Columns = Columns(&[
    Column::left("Program", 28),
    Column::right("Sockets", 8),
    Column::right("Open", 7),
    Column::right("Soft", 10),
    Column::right("Hard", 10),
    Column::right("More", 7),
]);

const A_LISTENING_PORT: &str = "A listening port is not used up by connections: they share it. \
    65,535 is not a server's limit, but that of one client address towards one listener.";
const ANOTHER_DESTINATION: &str = "Another destination address or port, and another source \
    address, has ports of its own.";

/// The page.
pub fn document(estimate: &Estimate, question: Option<&Question>) -> Document {
    let mut page = Page::default();
    if let (Some(question), Some(answer)) = (question, &estimate.answer) {
        page.heading(&sentence(question, answer));
        let before = estimate.before.as_ref().and_then(|before| before.answer.as_ref());
        if let Some(before) = before {
            assumed(&mut page, &estimate.assumed);
            fact(&mut page, "now", &sentence(question, before));
        }
        answered(&mut page, question, answer);
    } else {
        page.heading(&summary(estimate));
        if let Some(before) = &estimate.before {
            assumed(&mut page, &estimate.assumed);
            fact(&mut page, "now", &summary(before));
        }
        whole(&mut page, estimate);
    }
    page.document
}

fn fact(page: &mut Page, name: &str, text: &str) {
    page.paragraph(&format!("{name:<11}"), 11, text);
}

fn assumed(page: &mut Page, assumptions: &[Assumption]) {
    for assumption in assumptions {
        let plain = |text: &str| text.replace('\t', " ");
        let before = assumption.before.as_deref().map(plain);
        let before = before.map_or_else(String::new, |before| format!(" (now {before})"));
        let value = plain(&assumption.value);
        fact(page, "if", &format!("{} were {value}{before}", assumption.name));
        if let Some(remark) = &assumption.remark {
            fact(page, "but", &shown(remark.as_bytes()));
        }
    }
}

fn answered(page: &mut Page, question: &Question, answer: &Answer) {
    if let Some(limit) = answer.binding_limit {
        let error = answer.error_at_limit.unwrap_or("an error");
        fact(page, "binding", &format!("{}; beyond it the program sees {error}", limit.name()));
    }
    if let Some((next, more)) = answer.runner_up.zip(answer.runner_up_remaining) {
        fact(page, "runner-up", &format!("{}, which allows {more} more", next.name()));
    }
    if let Some(fast) = answer.fast_remaining {
        let text = if fast == 0 {
            "the half of the ports that connect() tries first is used up: each connect() now \
             searches the other half too, and takes longer"
                .to_owned()
        } else {
            format!(
                "the first {fast} open quickly; after that each connect() searches the other half \
                 of the ports too"
            )
        };
        fact(page, "speed", &text);
    }
    if let Some(rate) = answer.rate_ceiling_per_second {
        let text =
            format!("{rate:.0} new connections a second can be kept up if this side closes first");
        fact(page, "rate", &text);
    }
    page.blank();
    let marks = Marks { binding: answer.binding_limit, next: answer.runner_up, of_host: false };
    limits(page, &answer.limits, &marks);
    notes(page, &answer.limits);
    list(page, "Not exact:", &answer.uncertainty);
    list(page, "Assumed:", &answer.assumptions);
    list(page, "Unknown:", &answer.unknown);
    page.blank();
    page.paragraph(
        "",
        0,
        match question {
            Question::To { .. } => ANOTHER_DESTINATION,
            Question::Listen { .. } => A_LISTENING_PORT,
        },
    );
}

fn sentence(question: &Question, answer: &Answer) -> String {
    let more = interval(answer.remaining_low, answer.remaining);
    let what = match question {
        Question::To { peer, local, bound, .. } => {
            let from = local.map_or_else(String::new, |local| format!(" from {local}"));
            let bound = if *bound { ", bound first" } else { "" };
            format!("more TCP connections can be opened to {peer}{from}{bound}")
        }
        Question::Listen { port, .. } => {
            let at = answer
                .local_address
                .map_or_else(String::new, |address| format!(" {}", Endpoint::new(address, *port)));
            format!("more connections can be accepted at{at}")
        }
    };
    match answer.effective_max {
        Some(_) => {
            let all = interval(answer.effective_max_low, answer.effective_max);
            format!("{more} {what} ({} in use, {all} in all).", answer.in_use)
        }
        None => format!("{more} {what} ({} in use).", answer.in_use),
    }
}

fn interval(low: Option<u64>, high: Option<u64>) -> String {
    match (low, high) {
        (Some(low), Some(high)) if low != high => format!("{low} to {high}"),
        (_, Some(high)) => high.to_string(),
        _ => "An unknown number of".to_owned(),
    }
}

/// The answer where nothing was asked.
fn summary(estimate: &Estimate) -> String {
    let host = &estimate.host;
    let tightest = estimate.tightest().filter(|(_, share)| *share > 0);
    let nearest = tightest.map_or_else(
        || "Every limit is less than 1 % in use.".to_owned(),
        |(limit, share)| {
            let of = shown(limit.subject.as_bytes());
            let used = limit.used.zip(limit.value).map_or_else(String::new, |(used, value)| {
                format!(" ({} of {} {})", count(used), count(value), limit.unit)
            });
            format!("Nearest to its end: {} of {of}, {share} % in use{used}.", limit.id.name())
        },
    );
    let machine = match (host.remaining, host.binding_limit) {
        (Some(more), Some(limit)) => format!(
            "The machine has {} connections and room for {more} more ({}).",
            host.in_use,
            limit.name()
        ),
        _ => format!(
            "The machine has {} connections; for how many more there is room is unknown.",
            host.in_use
        ),
    };
    format!("{nearest} {machine}")
}

fn whole(page: &mut Page, estimate: &Estimate) {
    page.blank();
    page.heading("Listeners");
    table(page, &LISTENERS, &estimate.listeners, listener);
    let mut said: Vec<String> = vec![];
    for one in estimate.listeners.iter().take(ROWS) {
        for text in one.uncertainty.iter().chain(&one.assumptions) {
            let text = format!("{}: {text}", Endpoint::new(one.local_address, one.local_port));
            if !said.contains(&text) {
                page.paragraph("  ", 4, &text);
                said.push(text);
            }
        }
    }
    page.paragraph("", 0, A_LISTENING_PORT);
    page.blank();
    page.heading("Destinations (TCP)");
    table(page, &DESTINATIONS, &estimate.destinations, destination);
    page.paragraph("", 0, ANOTHER_DESTINATION);
    page.blank();
    page.heading("Processes");
    table(page, &PROCESSES, &by_program(&estimate.processes), |page, rooms| {
        program(page, rooms);
    });
    page.blank();
    page.heading("Host");
    // The others have a table of their own.
    let elsewhere = [
        LimitId::RlimitNofile,
        LimitId::EphemeralPorts,
        LimitId::AcceptQueue,
        LimitId::SynQueue,
        LimitId::ClientPorts,
    ];
    let of_host: Vec<Limit> =
        estimate.limits.iter().filter(|limit| !elsewhere.contains(&limit.id)).cloned().collect();
    let host = &estimate.host;
    limits(
        page,
        &of_host,
        &Marks { binding: host.binding_limit, next: host.runner_up, of_host: true },
    );
    notes(page, &of_host);
}

fn listener(page: &mut Page, listener: &Listener) {
    let queue = match listener.accept_queue_limit {
        Some(limit) => format!("{}/{limit}", listener.accept_queue),
        None => listener.accept_queue.to_string(),
    };
    let cells = [
        Endpoint::new(listener.local_address, listener.local_port).to_string(),
        listener.in_use.to_string(),
        room(listener.remaining_low, listener.remaining),
        queue,
        limit_name(listener.binding_limit),
    ];
    LISTENERS.row(page, &cells);
    let holders = listener.processes.iter().map(|p| (p.command.0.as_slice(), p.pid));
    let mut about = programs(holders);
    if about.is_empty() {
        "no process seen".clone_into(&mut about);
    }
    if listener.syn_queue > 0 {
        let limit = listener.syn_queue_limit.map_or_else(String::new, |limit| format!("/{limit}"));
        about = format!("{about}; {}{limit} handshakes begun", listener.syn_queue);
    }
    page.paragraph("  ", 2, &about);
}

fn destination(page: &mut Page, one: &Destination) {
    let peer = Endpoint::new(one.peer_address, one.peer_port);
    let cells = [
        format!("{} to {peer}", one.local_address),
        format!("{}/{}", one.ports_in_use, one.ports_usable),
        room(one.remaining_low, one.remaining),
        format!("{:.0}/s", one.rate_ceiling_per_second),
        limit_name(one.binding_limit),
    ];
    DESTINATIONS.row(page, &cells);
}

/// Processes of one program with the same limits, in the order of the fullest of them.
fn by_program(rooms: &[ProcessRoom]) -> Vec<Vec<&ProcessRoom>> {
    let mut programs: Vec<Vec<&ProcessRoom>> = vec![];
    for room in rooms {
        let is_same = |other: &&ProcessRoom| {
            (&other.command, other.limit_soft, other.limit_hard)
                == (&room.command, room.limit_soft, room.limit_hard)
                && other.remaining.is_some() == room.remaining.is_some()
        };
        match programs.iter_mut().find(|program| program.first().is_some_and(is_same)) {
            Some(program) => program.push(room),
            None => programs.push(vec![room]),
        }
    }
    programs
}

/// Of several processes the most that one has open, and the least that one has left.
fn program(page: &mut Page, rooms: &[&ProcessRoom]) {
    let Some(fullest) = rooms.first() else { return };
    let mut pids: Vec<u32> = rooms.iter().map(|room| room.pid).collect();
    pids.sort_unstable();
    let sockets: usize = rooms.iter().map(|room| room.sockets).sum();
    let cells = [
        programs(pids.into_iter().map(|pid| (fullest.command.0.as_slice(), pid))),
        sockets.to_string(),
        number(rooms.iter().filter_map(|room| room.open_files).max()),
        number(fullest.limit_soft),
        number(fullest.limit_hard),
        number(rooms.iter().filter_map(|room| room.remaining).min()),
    ];
    PROCESSES.row(page, &cells);
}

fn table<T>(page: &mut Page, columns: &Columns, rows: &[T], mut row: impl FnMut(&mut Page, &T)) {
    if rows.is_empty() {
        return page.line("  none");
    }
    columns.heads(page);
    for one in rows.iter().take(ROWS) {
        row(page, one);
    }
    if rows.len() > ROWS {
        page.line(&format!("  and {} more: --json has them all", rows.len() - ROWS));
    }
}

/// The limits to mark.
struct Marks {
    binding: Option<LimitId>,
    next: Option<LimitId>,
    /// Whether they are those of the machine: a cgroup has limits of the same names.
    of_host: bool,
}

/// Each limit in two lines: its figures, then what it is counted in, of what, and where it was read.
/// In the order in which they are met; those that bound something else last.
fn limits(page: &mut Page, limits: &[Limit], marks: &Marks) {
    let mut limits: Vec<&Limit> = limits.iter().collect();
    let aside = |limit: &Limit| {
        matches!(limit.id, LimitId::AcceptQueue | LimitId::SynQueue | LimitId::ClientPorts)
            || (marks.of_host && limit.scope == Scope::Cgroup)
    };
    limits.sort_by_key(|limit| (aside(limit), limit.connections.unwrap_or(u64::MAX)));
    let mut left = vec![(BINDING, marks.binding), (NEXT, marks.next)];
    LIMITS.heads(page);
    for limit in limits {
        let met = left.iter().position(|(_, id)| *id == Some(limit.id) && !aside(limit));
        let mark = met.map_or("", |index| left.remove(index).0);
        LIMITS.row(page, &figures(mark, limit));
        page.paragraph("    ", 4, &origin(limit));
    }
    if marks.binding.is_some() {
        page.line(&format!("{BINDING} binds, {NEXT} is met next; More: connections it allows"));
    }
}

/// What a limit counts, of what, and where it was read.
fn origin(limit: &Limit) -> String {
    let unit = if limit.unit == "bytes" { "memory" } else { limit.unit };
    let scope = match (limit.scope, limit.subject.as_str()) {
        (Scope::Process, _) | (Scope::Host, "the machine") | (Scope::Netns, "this namespace") => "",
        (Scope::Netns, _) => " in this namespace",
        (Scope::Host, _) => " of the machine",
        (Scope::Cgroup, _) => " (cgroup)",
    };
    let about = format!("{unit} of {}{scope}", shown(limit.subject.as_bytes()));
    match limit.source.as_str() {
        "" => about,
        source => format!("{about}; {}", shown(source.as_bytes())),
    }
}

fn figures(mark: &str, limit: &Limit) -> [String; 6] {
    let amount = |number: Option<u64>| match number {
        Some(number) if limit.unit == "bytes" => bytes(number),
        Some(number) => count(number),
        None => "-".to_owned(),
    };
    [
        mark.to_owned(),
        limit.id.name().to_owned(),
        if limit.unlimited { "unlimited".to_owned() } else { amount(limit.value) },
        amount(limit.used),
        amount(limit.free),
        room(limit.low(), limit.connections),
    ]
}

fn notes(page: &mut Page, limits: &[Limit]) {
    let mut said = vec![];
    for limit in limits {
        for text in limit.note.iter().chain(&limit.unknown) {
            let text = format!("{}: {}", limit.id.name(), shown(text.as_bytes()));
            if !said.contains(&text) {
                if said.is_empty() {
                    page.line("Notes:");
                }
                page.paragraph("  ", 4, &text);
                said.push(text);
            }
        }
    }
}

fn list(page: &mut Page, heading: &str, lines: &[String]) {
    if !lines.is_empty() {
        page.line(heading);
        for line in lines {
            page.paragraph("  ", 4, &shown(line.as_bytes()));
        }
    }
}

fn limit_name(limit: Option<LimitId>) -> String {
    limit.map_or("-", LimitId::name).to_owned()
}

/// How many more, in a column.
fn room(low: Option<u64>, high: Option<u64>) -> String {
    match (low, high) {
        (_, None) => "-".to_owned(),
        (Some(low), Some(high)) if low != high => format!("{}-{}", count(low), count(high)),
        (_, Some(high)) => count(high),
    }
}

fn number(value: Option<u64>) -> String {
    value.map_or_else(|| "-".to_owned(), count)
}
