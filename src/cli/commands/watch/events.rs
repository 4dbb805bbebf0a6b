//! `sockeye watch --ndjson`: what happens, one JSON object a line, by comparing rounds.

use crate::{
    cli::{args::WatchArgs, exit::Exit, failure::Failure, notices},
    collect::{
        live::{
            changes::Changes,
            collector::Collector,
            question::{Attention, Question, Unresolved},
            refresh::Refresh,
        },
        query::Query,
    },
    field::{
        need::Need,
        row::{Context, Row, Space},
    },
    filter::{Filter, eval::Truth},
    kernel::names::Names,
    model::{
        event::{Event, Happening},
        netns::Netns,
        owner::Owners,
    },
    view::{output::Output, rows::event},
};
use std::{
    thread,
    time::{Duration, Instant},
};

/// Costs of columns that an event cannot have: what was counted is not known of what is gone.
const UNKNOWN: [Need; 4] = [Need::TCP_INFO, Need::MEMORY, Need::CONGESTION, Need::TOS];
/// So many rounds an owner is looked for.
const TRIES: u8 = 3;

/// Prints events until somebody ends it.
pub fn run(args: &WatchArgs, query: Query, filter: Option<Filter>) -> Result<Exit, Failure> {
    let need = filter.as_ref().map_or(Need::NONE, Filter::need);
    if UNKNOWN.into_iter().any(|unknown| need.includes(unknown)) {
        return Err(Failure::usage(
            "events cannot be filtered by what the kernel counts: of a socket that is gone it is not known",
            "filter them by addresses, ports, states, users and processes",
        ));
    }
    notices::note(
        "events are seen by comparing rounds: what opens and closes between two of them is missed",
    );
    let mut collector = Collector::new(&query.root, query.source, Instant::now());
    let mut watched = Watched {
        changes: Changes::default(),
        named: Context { names: Names::new(&query.root), ..Context::default() },
        nameless: Context { names: Names::new(&query.root), ..Context::default() },
        wanted: vec![],
        query: Query { filter, ..query.clone() },
    };
    let mut question = Question {
        number: 1,
        query,
        attention: Attention::default(),
        unresolved: Unresolved::default(),
        detail: None,
    };
    let mut output = Output::stdout();
    loop {
        let begun = Instant::now();
        let refresh = collector.round(&question)?;
        question.unresolved.inodes = watched.take(&refresh, &mut output.buffer);
        output.flush()?;
        thread::sleep(args.interval.saturating_sub(begun.elapsed()).max(Duration::from_millis(10)));
    }
}

/// What was seen so far.
struct Watched {
    /// The question with its filter, which is asked of each event.
    query: Query,
    changes: Changes,
    /// For sockets somebody was found to hold.
    named: Context,
    /// For the others: nobody has looked yet.
    nameless: Context,
    /// Inodes nobody has been found for, and how often they were looked for.
    wanted: Vec<(u64, u8)>,
}

impl Watched {
    /// Takes a round and writes what happened. Gives the inodes to look owners up for: of every
    /// socket that was there at the first round, then of those that open.
    fn take(&mut self, refresh: &Refresh, out: &mut Vec<u8>) -> Vec<u64> {
        if let Some(found) = &refresh.found {
            self.named.owners = Owners::clone(&found.owners);
            self.wanted.retain_mut(|(inode, tries)| {
                *tries += 1;
                *tries < TRIES && !found.owners.holds(*inode)
            });
        }
        let space = |netns: &Netns| Space { netns: netns.clone(), ..Space::default() };
        let spaces: Vec<Space> = refresh.namespaces.iter().map(space).collect();
        for context in [&mut self.named, &mut self.nameless] {
            context.spaces.clone_from(&spaces);
        }
        let entries = refresh.entries.as_deref().unwrap_or_default();
        let is_first = self.changes.is_empty();
        let events = self.changes.follow(entries, refresh.at, refresh.time);
        if is_first {
            let inodes = entries.iter().filter_map(|entry| entry.inode);
            self.wanted.extend(inodes.map(|inode| (u64::from(inode.get()), 0)));
        }
        for event in &events {
            if event.happening == Happening::Opened {
                let inode = event.socket.as_ref().and_then(|socket| socket.inode);
                self.wanted.extend(inode.map(|inode| (inode, 0)));
            }
            self.write(event, out);
        }
        self.wanted.iter().map(|(inode, _)| *inode).collect()
    }

    fn write(&mut self, event: &Event, out: &mut Vec<u8>) {
        let Some(socket) = &event.socket else { return };
        let held = socket.inode.is_some_and(|inode| self.named.owners.holds(inode));
        let context = if held { &mut self.named } else { &mut self.nameless };
        if let Some(uid) = socket.uid {
            context.names.learn_user(uid);
        }
        let row = Row { socket, context };
        if self.query.takes(row) == Truth::Yes {
            event::object(out, event, Some(row));
        }
    }
}
