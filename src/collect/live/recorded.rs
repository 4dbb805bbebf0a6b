//! A recorded host in the place of a running one: it answers the same questions, and nothing moves.

use super::{
    super::{peers, replay},
    entry::{Entry, Key},
    question::Question,
    refresh::{Counted, Detail, Found, Refresh},
};
use crate::{
    field::row::{Context, Row},
    filter::eval::Truth,
    model::{
        about::SourceKind, netns::NetnsIndex, owner::Owners, recording::Recording,
        snapshot::Snapshot, socket::Socket,
    },
};
use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

/// Answers out of recordings, of each network namespace one.
pub struct Recorded {
    recordings: Vec<Recording>,
    context: Context,
    owners: Arc<Owners>,
}

impl Recorded {
    /// Of these recordings.
    pub fn new(mut recordings: Vec<Recording>) -> Self {
        replay::number(&mut recordings);
        let peers = Some(peers::of(&recordings));
        let owners = recordings.iter().map(|recording| recording.snapshot.owners.clone());
        let owners = replay::joined(owners);
        let context = Context { peers, ..replay::context(&recordings, owners.clone()) };
        let owners = Arc::new(owners);
        Self { recordings, context, owners }
    }

    /// What the first of them holds, for the reports.
    pub fn snapshot(&self) -> Option<Snapshot> {
        self.recordings.first().map(replay::outlined)
    }

    fn snapshots(&self) -> impl Iterator<Item = &Snapshot> {
        self.recordings.iter().map(|recording| &recording.snapshot)
    }

    /// A round: the same at every time.
    pub fn round(&self, question: &Question) -> Refresh {
        let query = &question.query;
        let first = self.snapshots().next().map(|first| &first.about);
        let mut refresh = Refresh {
            question: question.number,
            at: Duration::ZERO,
            time: first.map_or(SystemTime::UNIX_EPOCH, |about| about.generated_at),
            entries: None,
            unanswered: 0,
            counted: vec![],
            found: Some(Found { asked: None, owners: Arc::clone(&self.owners) }),
            detail: None,
            source: first.map_or(SourceKind::Netlink, |about| about.source),
            fallback_reason: first.and_then(|about| about.fallback_reason.clone()),
            gaps: self.snapshots().flat_map(|snapshot| &snapshot.about.gaps).cloned().collect(),
            namespaces: self.snapshots().map(|snapshot| snapshot.about.netns.clone()).collect(),
            cost: Duration::ZERO,
        };
        let mut entries = vec![];
        for (socket, netns) in self.sockets().filter(|(socket, _)| query.wants(socket)) {
            match query.takes(Row { socket, context: &self.context }) {
                Truth::Yes => {
                    let entry = Entry::of(socket, netns);
                    if let Some(info) = socket.tcp_info.as_deref().filter(|_| entry.has_counters())
                    {
                        refresh.counted.push((entry.key, Counted::of(info)));
                    }
                    entries.push(entry);
                }
                Truth::No => {}
                Truth::Unknown => refresh.unanswered += 1,
            }
        }
        refresh.entries = Some(entries);
        refresh.detail = question.detail.and_then(|entry| self.detail(entry.key)).map(Box::new);
        refresh
    }

    /// Every socket, with the inode of its namespace.
    fn sockets(&self) -> impl Iterator<Item = (&Socket, Option<u64>)> {
        self.recordings.iter().flat_map(|recording| {
            let netns = recording.snapshot.about.netns.inode;
            recording.sockets.iter().map(move |socket| (socket, netns))
        })
    }

    fn detail(&self, key: Key) -> Option<Detail> {
        let mut sockets = self.sockets();
        let (socket, _) = sockets.find(|(socket, netns)| Entry::of(socket, *netns).key == key)?;
        let recording = self.recordings.get(socket.netns.at())?;
        let owners = self.owners.among(socket.inode);
        let context = replay::context(std::slice::from_ref(recording), owners);
        let socket = Socket { netns: NetnsIndex::FIRST, ..socket.clone() };
        Some(Detail { key, socket, context })
    }
}
