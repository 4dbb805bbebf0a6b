//! What a column is read from: a socket, and what was learnt around it.

use crate::{
    kernel::{addresses::Resolver, cgroup_tree::CgroupTree, names::Names},
    model::{
        netns::Netns,
        owner::{Owners, Process, Unowned},
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
    /// Their namespace.
    pub netns: Netns,
    /// Ports the kernel chooses from (`ip_local_port_range`), where a filter asks for them.
    pub ephemeral_ports: Option<RangeInclusive<u16>>,
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
    /// Every (process, descriptor) that holds the socket.
    pub fn holders(self) -> impl Iterator<Item = (&'a Process, u32)> {
        let inode = self.socket.inode.filter(|_| self.context.owners.unmatched().is_some());
        inode.into_iter().flat_map(move |inode| self.context.owners.holders(inode))
    }

    /// Why there is no holder to name; `None`: there is one.
    pub fn unowned(self) -> Option<Unowned> {
        if let Some(reason) = self.socket.unowned() {
            return Some(reason);
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
