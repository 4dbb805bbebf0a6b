//! What a column is read from: a socket, and what was learnt around it.

use super::need::Need;
use crate::{
    kernel::{addresses::Resolver, cgroup_tree::CgroupTree, names::Names},
    model::{
        netns::{NameKind, Netns, NetnsIndex},
        owner::{Owners, Process, Unowned},
        peers::{Match, Peer, Peers},
        snapshot::Snapshot,
        socket::Socket,
    },
};
use std::ops::RangeInclusive;

/// What was learnt beside the sockets.
#[derive(Debug, Default)]
pub struct Context {
    /// Who holds them.
    pub owners: Owners,
    /// Users, interfaces, services.
    pub names: Names,
    /// Cgroup paths.
    pub cgroups: CgroupTree,
    /// Names of addresses, where they were asked for (`-r`).
    pub resolver: Option<Resolver>,
    /// Their network namespaces.
    pub spaces: Vec<Space>,
    /// The sockets at the other ends, where a column asks for them.
    pub peers: Option<Peers>,
    /// Who holds the socket that is looked at, where that is known otherwise than by its inode, with
    /// the descriptor.
    pub known_holders: Vec<(Process, u32)>,
    /// Whether it is of an event: it may have ended before anybody could look who held it.
    pub is_event: bool,
}

impl Context {
    /// What was learnt in a namespace.
    pub fn space(&self, netns: NetnsIndex) -> Option<&Space> {
        self.spaces.get(netns.at())
    }

    /// Learns what the columns say about a socket beyond the kernel's answer.
    pub fn learn(&mut self, need: Need, socket: &Socket) {
        if let Some(uid) = socket.uid.filter(|_| need.includes(Need::USERS)) {
            self.names.learn_user(uid);
        }
        if let Some(id) = socket.cgroup_id.filter(|_| need.includes(Need::CGROUPS)) {
            self.cgroups.learn(id);
        }
        if socket.interface != 0 {
            self.names.learn_interface(socket.netns, socket.interface);
        }
    }
}

/// A network namespace, and what is read from the settings in it.
#[derive(Debug, Clone, Default)]
pub struct Space {
    /// The namespace.
    pub netns: Netns,
    /// Every name it has, that in `netns` included.
    pub names: Vec<String>,
    /// What its processes have in common, where it is that of a container or a pod: a socket without
    /// a holder is theirs too.
    pub resident: Option<Process>,
    /// Ports the kernel chooses from (`ip_local_port_range`), where a filter asks for them.
    pub ephemeral_ports: Option<RangeInclusive<u16>>,
}

impl Space {
    /// As a snapshot tells it: whose namespace it is, its name says.
    pub fn recorded(snapshot: &Snapshot) -> Self {
        let netns = snapshot.about.netns.clone();
        let named = |kind| netns.name.clone().filter(|_| netns.kind == Some(kind));
        let (container, pod) = (named(NameKind::Container), named(NameKind::Pod));
        let resident = Process { container, pod, ..Process::default() };
        Self {
            names: netns.name.iter().cloned().collect(),
            resident: (resident != Process::default()).then_some(resident),
            ephemeral_ports: snapshot.settings.port_range(),
            netns,
        }
    }
}

/// A socket among what was learnt.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    /// The socket.
    pub socket: &'a Socket,
    /// What was learnt.
    pub context: &'a Context,
}

impl<'a> Row<'a> {
    /// What was learnt in the namespace of the socket.
    pub fn space(self) -> Option<&'a Space> {
        self.context.space(self.socket.netns)
    }

    /// The network namespace of the socket.
    pub fn netns(self) -> Option<&'a Netns> {
        self.space().map(|space| &space.netns)
    }

    /// The interface the socket is bound to, by name where it was learnt.
    pub fn interface(self) -> Option<&'a str> {
        match self.socket.interface {
            0 => None,
            index => self.context.names.interface(self.socket.netns, index),
        }
    }

    /// Every (process, descriptor) that holds the socket.
    pub fn holders(self) -> impl Iterator<Item = (&'a Process, u32)> {
        let inode = self.socket.inode.filter(|_| self.context.owners.unmatched().is_some());
        let known = self.context.known_holders.iter().map(|(process, fd)| (process, *fd));
        inode.into_iter().flat_map(move |inode| self.context.owners.holders(inode)).chain(known)
    }

    /// Every process that holds the socket, once.
    pub fn processes(self) -> impl Iterator<Item = &'a Process> {
        let mut last = None;
        self.holders().map(|(process, _)| process).filter(move |process| {
            let is_new = last != Some(process.pid);
            last = Some(process.pid);
            is_new
        })
    }

    /// The socket at the other end. Of the internet it is known where it was asked for; of a unix
    /// socket always, its namespace apart.
    pub fn other_end(self) -> Match {
        let of_unix = || {
            let inode = self.socket.unix()?.peer_inode?;
            Some(Match::Here(Peer { netns: None, inode: Some(inode.into()) }))
        };
        match &self.context.peers {
            Some(peers) => peers.of(self.socket),
            None => of_unix().unwrap_or(Match::Elsewhere),
        }
    }

    /// The same, where it is on this host.
    pub fn peer(self) -> Option<Peer> {
        match self.other_end() {
            Match::Here(peer) => Some(peer),
            Match::Elsewhere | Match::Ambiguous => None,
        }
    }

    /// What was learnt in the namespace of the socket at the other end.
    pub fn peer_space(self) -> Option<&'a Space> {
        self.context.space(self.peer()?.netns?)
    }

    /// Every (process, descriptor) that holds the socket at the other end.
    pub fn peer_holders(self) -> impl Iterator<Item = (&'a Process, u32)> {
        let is_known = self.context.owners.unmatched().is_some();
        let inode = is_known.then(|| self.peer()).flatten().and_then(|peer| peer.inode);
        inode.into_iter().flat_map(move |inode| self.context.owners.holders(inode))
    }

    /// The inodes whose holders the row names: its own, and that of the socket at the other end.
    pub fn inodes(self) -> impl Iterator<Item = u64> {
        self.socket.inode.into_iter().chain(self.peer().and_then(|peer| peer.inode))
    }

    /// Why there is no holder to name; `None`: there is one.
    pub fn unowned(self) -> Option<Unowned> {
        if !self.context.known_holders.is_empty() {
            return None;
        }
        if let Some(reason) = self.socket.unowned() {
            let is_certain = !self.context.is_event || reason == Unowned::TimeWait;
            return Some(if is_certain { reason } else { Unowned::NotAsked });
        }
        let Some(unmatched) = self.context.owners.unmatched() else {
            return Some(Unowned::NotAsked);
        };
        let held = self.socket.inode.is_some_and(|inode| self.context.owners.holds(inode));
        (!held).then_some(unmatched)
    }

    /// The lowest process id among the holders.
    pub fn first_pid(self) -> Option<u32> {
        self.holders().map(|(process, _)| process.pid).next()
    }
}
