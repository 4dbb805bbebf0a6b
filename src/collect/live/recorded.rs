//! A recorded host in the place of a running one: it answers the same questions, and nothing moves.

use super::{
    super::peers,
    entry::{Entry, Key},
    question::Question,
    refresh::{Counted, Detail, Found, Refresh},
};
use crate::{
    field::row::{Context, Row, Space},
    filter::eval::Truth,
    kernel::{cgroup_tree::CgroupTree, names::Names},
    model::{owner::Owners, recording::Recording, snapshot::Snapshot},
};
use std::{sync::Arc, time::Duration};

/// Answers out of a recording.
pub struct Recorded {
    recording: Recording,
    context: Context,
    owners: Arc<Owners>,
}

impl Recorded {
    /// Of this recording.
    pub fn new(recording: Recording) -> Self {
        let snapshot = &recording.snapshot;
        let context = Context {
            owners: snapshot.owners.clone(),
            names: Names::recorded(&recording.names),
            cgroups: CgroupTree::recorded(&recording.names.cgroups),
            resolver: None,
            spaces: vec![Space {
                netns: snapshot.about.netns.clone(),
                ephemeral_ports: snapshot.settings.port_range(),
                ..Space::default()
            }],
            peers: Some(peers::of(&snapshot.sockets)),
            ..Context::default()
        };
        let owners = Arc::new(snapshot.owners.clone());
        Self { recording, context, owners }
    }

    /// What it holds, for the reports.
    pub fn snapshot(&self) -> &Snapshot {
        &self.recording.snapshot
    }

    /// A round: the same at every time.
    pub fn round(&self, question: &Question) -> Refresh {
        let snapshot = &self.recording.snapshot;
        let query = &question.query;
        let mut refresh = Refresh {
            question: question.number,
            at: Duration::ZERO,
            time: snapshot.about.generated_at,
            entries: None,
            unanswered: 0,
            counted: vec![],
            found: Some(Found { asked: None, owners: Arc::clone(&self.owners) }),
            detail: None,
            source: snapshot.about.source,
            fallback_reason: snapshot.about.fallback_reason.clone(),
            gaps: snapshot.about.gaps.clone(),
            namespaces: vec![snapshot.about.netns.clone()],
            cost: Duration::ZERO,
        };
        let mut entries = vec![];
        for socket in snapshot.sockets.iter().filter(|socket| query.wants(socket)) {
            match query.takes(Row { socket, context: &self.context }) {
                Truth::Yes => {
                    let entry = Entry::of(socket, snapshot.about.netns.inode);
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

    fn detail(&self, key: Key) -> Option<Detail> {
        let Snapshot { sockets, about, .. } = &self.recording.snapshot;
        let netns = about.netns.inode;
        let socket = sockets.iter().find(|socket| Entry::of(socket, netns).key == key)?.clone();
        let names = &self.recording.names;
        Some(Detail {
            key,
            context: Context {
                owners: self.owners.among(socket.inode),
                names: Names::recorded(names),
                cgroups: CgroupTree::recorded(&names.cgroups),
                spaces: self.context.spaces.clone(),
                ..Context::default()
            },
            socket,
        })
    }
}
