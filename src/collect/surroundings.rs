//! What is learnt around sockets by whoever asks about them one at a time: names, owners, and
//! whether a filter takes them.

use super::{
    list::ephemeral_ports,
    owners::{self, LookUp},
    peers,
    query::Query,
};
use crate::{
    field::{
        need::Need,
        row::{Context, Row, Space},
    },
    filter::eval::Truth,
    kernel::{names::Names, namespace},
    model::{gap::Gap, socket::Socket},
};

/// What was learnt, and what could not be.
pub struct Surroundings<'q> {
    query: &'q Query,
    /// What rows are read with.
    pub context: Context,
    /// What the look-up of owners could not see.
    look_up: LookUp,
    /// Sockets whose owner the filter asks for and nobody found.
    without_owner: u64,
    /// Sockets of which the filter could not be answered.
    unanswered: u64,
}

impl<'q> Surroundings<'q> {
    /// For the calling thread's network namespace; with the owners of every socket of the host,
    /// where the filter asks for owners.
    pub fn of(query: &'q Query) -> Self {
        let netns = namespace::current(&query.root);
        let mut context = Context {
            names: Names::new(&query.root),
            spaces: vec![Space {
                netns: netns.clone(),
                ephemeral_ports: ephemeral_ports(query),
                ..Space::default()
            }],
            ..Context::default()
        };
        if query.need.includes(Need::PEERS) {
            context.peers = Some(peers::find_here(query).0);
        }
        let mut look_up = LookUp::default();
        if query.filters_by_owner() {
            look_up = owners::look_up_inodes(query, None, netns.inode);
            context.owners = look_up.take_owners();
        }
        Self { query, context, look_up, without_owner: 0, unanswered: 0 }
    }

    /// Whether a socket was asked for and the filter takes it. What cannot be answered is counted,
    /// and left out.
    pub fn takes(&mut self, socket: &Socket) -> bool {
        if !self.query.wants(socket) {
            return false;
        }
        self.context.learn(self.query.need, socket);
        if self.query.filters_by_owner() && self.context.known_holders.is_empty() {
            self.without_owner += u64::from(owners::lacks_owner(socket, &self.context.owners));
        }
        let truth = self.query.takes(Row { socket, context: &self.context });
        self.unanswered += u64::from(truth == Truth::Unknown);
        truth == Truth::Yes
    }

    /// The namespace, by inode.
    pub fn netns(&self) -> Option<u64> {
        self.context.spaces.first().and_then(|space| space.netns.inode)
    }

    /// What could not be seen.
    pub fn gaps(&self) -> Vec<Gap> {
        let mut gaps = self.look_up.gaps(self.without_owner);
        gaps.extend(self.query.left_out(self.unanswered));
        gaps
    }
}
