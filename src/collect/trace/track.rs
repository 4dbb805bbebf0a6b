//! A socket as the tracepoint tells of it: where it is, whose it is, and the events that wait until
//! that is known.

use super::waiting::{Ends, Marks};
use crate::{
    kernel::{
        sock_diag::exact::Identity,
        tracefs::state_change::{CLOSE, StateChange},
    },
    model::{
        event::{Event, EventSource, Happening},
        owner::{Process, UNKNOWN_FD},
        protocol::Protocol,
        socket::Socket,
        state::State,
    },
};
use std::time::SystemTime;

/// Whose a socket is: the tracepoint tells of every network namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kin {
    /// Not known yet.
    Unknown,
    /// This namespace's table did not have it at this time. If it was alive then, it is another's.
    Absent(SystemTime),
    /// This namespace's.
    Ours,
    /// Another's.
    Foreign,
}

/// A socket the tracepoint told of.
#[derive(Debug)]
pub struct Track {
    /// What is known of it.
    pub socket: Socket,
    /// When it began. `None`: before the trace.
    pub opened: Option<SystemTime>,
    /// When it was first told of.
    pub since: SystemTime,
    /// Whose it is.
    pub kin: Kin,
    /// Who held it.
    pub holders: Vec<(Process, u32)>,
    /// Not given yet.
    pub events: Vec<Event>,
    /// Whether the peer's FIN has arrived.
    pub fin: bool,
    /// Whether the table is to be asked for it.
    pub is_new: bool,
    /// Whether its cookie was given while it lived. The kernel makes a cookie when somebody first
    /// asks, so that a mini-socket inherits one only if somebody had (`sock_gen_cookie`,
    /// `inet_twsk_alloc`): one made by the announcement is not that of its TIME_WAIT.
    pub is_cookie_inherited: bool,
    /// When it entered FIN_WAIT_2.
    pub fin_wait_2: Option<SystemTime>,
}

impl Track {
    /// One of which this change is the first told, at this time.
    pub fn new(change: &StateChange, from: State, at: SystemTime, is_beginning: bool) -> Self {
        Self {
            socket: Socket::new(Protocol::Tcp, change.family, from),
            opened: is_beginning.then_some(at),
            since: at,
            kin: Kin::Unknown,
            holders: vec![],
            events: vec![],
            fin: false,
            is_new: true,
            is_cookie_inherited: false,
            fin_wait_2: None,
        }
    }

    /// Whether it is this namespace's.
    pub fn is_ours(&self) -> bool {
        self.kin == Kin::Ours
    }

    /// Whether nobody knows whose it is.
    pub fn is_undecided(&self) -> bool {
        matches!(self.kin, Kin::Unknown | Kin::Absent(_))
    }

    /// Both ends.
    pub fn ends(&self) -> Ends {
        (self.socket.local, self.socket.remote)
    }

    /// What the table finds it by.
    pub fn identity(&self) -> Identity {
        Identity { cookie: None, ..Identity::of(&self.socket) }
    }

    /// What its announcement has in common with it: the cookie where that is known, else both ends.
    pub fn marks(&self) -> Marks {
        let cookie = self.socket.cookie.filter(|_| self.is_cookie_inherited);
        Marks { cookie, ends: self.ends() }
    }

    /// Takes the ends from a change, as far as it tells them: at first it lacks the local port, of a
    /// child the peer's address, and after a reset both.
    pub fn meets(&mut self, change: &StateChange) {
        if change.to == CLOSE && self.socket.local.port != 0 && self.socket.remote.port != 0 {
            return;
        }
        if change.local.port != 0 || self.socket.local.port == 0 {
            self.socket.local = change.local;
        }
        if change.remote.port != 0 || self.socket.remote.port == 0 {
            self.socket.remote = change.remote;
        }
    }

    /// Something happened to it at this time: it was alive until then.
    pub fn lived(&mut self, at: SystemTime) {
        if matches!(self.kin, Kin::Absent(absent) if absent < at) {
            self.kin = Kin::Foreign;
            self.events.clear();
        }
    }

    /// This process held it.
    pub fn is_held_by(&mut self, process: Process) {
        if self.holders.iter().all(|(holder, _)| holder.pid != process.pid) {
            self.holders.push((process, UNKNOWN_FD));
        }
    }

    /// The table has it, or the mini-socket that took its place meanwhile.
    pub fn is(&mut self, found: &Socket) {
        self.kin = Kin::Ours;
        if found.is_mini() {
            return;
        }
        self.is_cookie_inherited = found.cookie.is_some();
        self.socket.cookie = found.cookie;
        if self.socket.local.port == 0 {
            self.socket.local = found.local;
        }
        self.socket.inode = found.inode.or(self.socket.inode);
        self.socket.uid = found.uid.or(self.socket.uid);
        self.socket.cgroup_id = found.cgroup_id.or(self.socket.cgroup_id);
        self.socket.interface = found.interface;
    }

    /// The table does not have it, at this time.
    pub fn is_absent(&mut self, at: SystemTime) {
        self.kin = match self.kin {
            Kin::Unknown => Kin::Absent(at),
            // It was alive the first time.
            Kin::Absent(_) => {
                self.events.clear();
                Kin::Foreign
            }
            known => known,
        };
    }

    /// An event of it.
    pub fn event(
        &self,
        at: SystemTime,
        happening: Happening,
        from: Option<State>,
        to: State,
    ) -> Event {
        Event {
            at,
            happening,
            source: EventSource::Tracepoint,
            from,
            to: Some(to),
            socket: Some(Socket { state: to, ..self.socket.clone() }),
            holders: self.holders.clone(),
            lifetime: None,
            fin_received: Some(self.fin),
        }
    }

    /// Gives the events, with what was learnt of the socket since.
    pub fn give(&mut self, ready: &mut Vec<Event>) {
        for mut event in self.events.drain(..) {
            if let Some(socket) = &mut event.socket {
                (socket.local, socket.remote) = (self.socket.local, self.socket.remote);
                socket.cookie = self.socket.cookie;
                socket.inode = self.socket.inode;
                socket.uid = self.socket.uid;
                socket.cgroup_id = self.socket.cgroup_id;
                socket.interface = self.socket.interface;
            }
            event.holders.clone_from(&self.holders);
            ready.push(event);
        }
    }
}
