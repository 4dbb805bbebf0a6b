//! A snapshot seen the way rules ask: rates instead of totals, sockets before and after, who
//! accepts them, ports by destination. Everything that costs a walk is made once and shared.

pub use super::sorted::Direction;
use super::{
    parties::{self, Party},
    sorted::{self, ByState},
};
use crate::{
    model::{
        endpoint::Endpoint, measures::Measured, outline::Outline, protocol::Protocol,
        queues::Queues, snapshot::Snapshot, socket_options::SocketOptions, state::State,
    },
    report::{
        capacity::estimate::Estimate,
        ephemeral::EphemeralPorts,
        port_use::PortUse,
        time_wait::{
            destination::{self, Ports},
            history,
            listeners::Listeners,
        },
        tuples::{Tuple, Tuples},
    },
};
use hashbrown::{HashMap, HashSet};
use std::{cell::OnceCell, collections::BTreeMap, net::IpAddr};

/// Growth of a counter in the window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Growth {
    /// By how much.
    pub count: u64,
    /// The same per second.
    pub per_second: f64,
    /// In how many parts of the window it grew.
    pub parts: usize,
    /// How many parts the window has.
    pub of_parts: usize,
}

impl Growth {
    /// Whether it goes on: it grew in at least two parts of the window. What grew in one part may
    /// have happened once.
    pub fn goes_on(&self) -> bool {
        self.parts >= 2
    }
}

/// A listener, now and at the first look.
#[derive(Debug, Clone)]
pub struct Listening<'s> {
    /// The socket.
    pub socket: &'s Outline,
    /// Connections waiting for `accept(2)`.
    pub queue: u32,
    /// How many may wait; one more fits, since the kernel compares with `>`.
    pub limit: Option<u32>,
    /// Connections waiting at the first look.
    pub queue_before: Option<u32>,
    /// SYNs and connections it dropped within the window.
    pub drops: Option<u32>,
}

impl Listening<'_> {
    /// Whether no further connection fits.
    pub fn is_full(&self) -> bool {
        self.limit.is_some_and(|limit| self.queue > limit)
    }

    /// Whether it was full at both looks.
    pub fn was_full(&self) -> bool {
        self.limit.zip(self.queue_before).is_some_and(|(limit, queue)| queue > limit)
    }

    /// The fuller part of its queue, of both looks the lesser, in percent.
    pub fn lasting_percent(&self) -> Option<u32> {
        let queue = self.queue.min(self.queue_before.unwrap_or(self.queue));
        Some(queue * 100 / self.limit?.max(1))
    }
}

/// Outgoing connections from one address to one end.
#[derive(Debug, Clone)]
pub struct Destination<'s> {
    /// From here.
    pub local: IpAddr,
    /// To there, IPv4-mapped addresses as IPv4.
    pub peer: Endpoint,
    /// All its sockets, in any state.
    pub sockets: Vec<&'s Outline>,
    /// The ports.
    pub ports: Ports,
    /// Connections opened per second: those that were not there at the first look, and those that
    /// came and went in between. `None`: there was one look.
    pub opened_per_second: Option<f64>,
}

impl Destination<'_> {
    /// How many of its sockets are in a state.
    pub fn count(&self, state: State) -> usize {
        self.sockets.iter().filter(|socket| socket.state == state).count()
    }
}

/// How many descriptors a process has and may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescriptorUse {
    /// The process.
    pub party: Party,
    /// Descriptors below the limit.
    pub open: u64,
    /// Soft limit.
    pub limit: u64,
    /// Hard limit. `None`: none, or unknown.
    pub hard: Option<u64>,
}

impl DescriptorUse {
    /// Used, in thousandths of the limit.
    pub fn per_mille(&self) -> u64 {
        self.open * 1000 / self.limit.max(1)
    }
}

/// Sockets of a destination below this part of the usable ports are not counted port by port: a
/// host has many thousand destinations with a few sockets each.
const FEWEST: usize = 40;

/// The evidence.
pub struct Evidence<'s> {
    /// All of it.
    pub snapshot: &'s Snapshot,
    /// What listens, and which addresses are this machine's.
    pub listeners: Listeners,
    /// Options of sockets, where they were to be read.
    pub socket_options: Option<&'s [SocketOptions]>,
    options: HashMap<u64, &'s SocketOptions>,
    by_state: OnceCell<ByState<'s>>,
    incoming: OnceCell<BTreeMap<Endpoint, Vec<&'s Outline>>>,
    /// Places of tuples.
    outgoing: OnceCell<Vec<usize>>,
    by_process: OnceCell<HashMap<u32, Vec<&'s Outline>>>,
    estimate: OnceCell<Option<Estimate>>,
    tuples: OnceCell<Tuples<'s>>,
    ephemeral: OnceCell<Option<EphemeralPorts>>,
    usable: OnceCell<Option<u32>>,
    destinations: OnceCell<Vec<Destination<'s>>>,
    listening: OnceCell<Vec<Listening<'s>>>,
    descriptors: OnceCell<Vec<DescriptorUse>>,
}

impl<'s> Evidence<'s> {
    /// Looks at a snapshot, and at the options of some of its sockets where they were read.
    pub fn of(snapshot: &'s Snapshot, options: Option<&'s [SocketOptions]>) -> Self {
        Self {
            snapshot,
            listeners: Listeners::of(snapshot.sockets.iter().map(Outline::socket)),
            socket_options: options,
            options: options.into_iter().flatten().map(|read| (read.inode, read)).collect(),
            by_state: OnceCell::new(),
            incoming: OnceCell::new(),
            outgoing: OnceCell::new(),
            by_process: OnceCell::new(),
            estimate: OnceCell::new(),
            tuples: OnceCell::new(),
            ephemeral: OnceCell::new(),
            usable: OnceCell::new(),
            destinations: OnceCell::new(),
            listening: OnceCell::new(),
            descriptors: OnceCell::new(),
        }
    }

    /// Seconds between the two looks.
    pub fn window_s(&self) -> Option<f64> {
        let ms = u32::try_from(self.snapshot.window_ms()?).unwrap_or(u32::MAX);
        Some(f64::from(ms) / 1000.0)
    }

    /// `in 2.0 s`, the window of every rate.
    pub fn window(&self) -> String {
        self.window_s().map_or_else(|| "at one look".to_owned(), |s| format!("in {s:.1} s"))
    }

    /// A number per second of the window. `None`: there is none.
    pub fn per_second(&self, number: u64) -> Option<f64> {
        let number = u32::try_from(number).unwrap_or(u32::MAX);
        Some((f64::from(number) / self.window_s()? * 10.0).round() / 10.0)
    }

    /// By how much a counter grew in the window. `None`: it is not known.
    pub fn growth(&self, name: &str) -> Option<Growth> {
        let count = self.snapshot.growth(name)?;
        let (parts, of_parts) = self.snapshot.parts_with_growth(name)?;
        Some(Growth { count, per_second: self.per_second(count)?, parts, of_parts })
    }

    /// By how much it grew, 0 where it is not known: only where something else proves the case.
    pub fn grown(&self, name: &str) -> u64 {
        self.growth(name).map_or(0, |growth| growth.count)
    }

    /// The last value of a counter or gauge.
    pub fn gauge(&self, name: &str) -> Option<u64> {
        self.snapshot.counters()?.get(name)
    }

    /// A setting that is one number.
    pub fn setting(&self, name: &str) -> Option<u64> {
        self.snapshot.settings.number(name)
    }

    /// TCP sockets at the last look.
    pub fn tcp(&self) -> impl Iterator<Item = &'s Outline> + Clone {
        self.snapshot.sockets.iter().filter(|socket| socket.protocol == Protocol::Tcp)
    }

    /// UDP sockets at the last look.
    pub fn udp(&self) -> impl Iterator<Item = &'s Outline> + Clone {
        self.snapshot.sockets.iter().filter(|socket| socket.protocol == Protocol::Udp)
    }

    /// TCP sockets in a state at the last look.
    pub fn in_state(&self, state: State) -> impl Iterator<Item = &'s Outline> + Clone {
        self.by_state().state(state)
    }

    /// TCP sockets in any of these states at the last look, state by state.
    pub fn in_states<const N: usize>(
        &self,
        states: [State; N],
    ) -> impl Iterator<Item = &'s Outline> + Clone {
        states.into_iter().flat_map(|state| self.in_state(state))
    }

    /// TCP sockets that wait for an acknowledgement, or for the peer's window to open.
    pub fn unanswered(&self) -> impl Iterator<Item = &'s Outline> + Clone {
        self.by_state().unanswered.iter().copied()
    }

    fn by_state(&self) -> &ByState<'s> {
        self.by_state.get_or_init(|| ByState::of(&self.snapshot.sockets))
    }

    /// Connections in any state by the listener they came in by.
    pub fn incoming(&self) -> &BTreeMap<Endpoint, Vec<&'s Outline>> {
        self.incoming.get_or_init(|| sorted::by_listener(self.tcp(), |s| self.direction(s)))
    }

    /// Connections in any state by the address they went out from and the end they went to, in order.
    pub fn outgoing(&self) -> impl Iterator<Item = (Tuple, impl Iterator<Item = &'s Outline>)> {
        let is_out = |s: &&'s Outline| matches!(self.direction(s), Some(Direction::Out(_)));
        let tuples = self.tuples();
        let places = self.outgoing.get_or_init(|| {
            let has_one = |place: &usize| {
                tuples.at(*place).is_some_and(|(_, sockets)| sockets.iter().any(is_out))
            };
            let mut found: Vec<usize> = (0..tuples.len()).filter(has_one).collect();
            found.sort_unstable_by_key(|place| tuples.at(*place).map(|(tuple, _)| tuple));
            found
        });
        let tuples = places.iter().filter_map(|place| tuples.at(*place));
        tuples.map(move |(tuple, sockets)| (tuple, sockets.iter().copied().filter(is_out)))
    }

    /// TCP sockets of a process, as far as their owners are known.
    pub fn held_by(&self, pid: u32) -> &[&'s Outline] {
        let by_process = self.by_process.get_or_init(|| {
            let mut by_process: HashMap<u32, Vec<&Outline>> = HashMap::new();
            let owners = &self.snapshot.owners;
            if owners.processes().is_empty() {
                return by_process;
            }
            for socket in self.tcp() {
                let holders = socket.inode().into_iter().flat_map(|inode| owners.holders(inode));
                let mut before = None;
                for (process, _) in holders {
                    // By process: several descriptors of one follow each other.
                    if before != Some(process.pid) {
                        by_process.entry(process.pid).or_default().push(socket);
                    }
                    before = Some(process.pid);
                }
            }
            by_process
        });
        by_process.get(&pid).map_or(&[], Vec::as_slice)
    }

    /// What limits connections.
    pub fn estimate(&self) -> Option<&Estimate> {
        let estimate = || Estimate::with_ports(self.snapshot, self.ephemeral(), self.tuples());
        self.estimate.get_or_init(estimate).as_ref()
    }

    /// What was measured of a socket, at the last look and since the first.
    pub fn measured(&self, socket: &Outline) -> Measured<'s> {
        self.snapshot.measures.of(socket)
    }

    /// Whether a socket came since the first look. `None`: there was one look, or nothing tells this
    /// socket from another (/proc/net does not, of one that no process holds).
    pub fn is_new(&self, socket: &Outline) -> Option<bool> {
        socket.cookie().or(socket.inode())?;
        self.has_two_looks().then_some(socket.was.is_none())
    }

    /// Whether sockets were looked at twice.
    pub fn has_two_looks(&self) -> bool {
        self.snapshot.before.is_some()
    }

    /// Sockets in a state at the first look. `None`: there was one look.
    pub fn count_before(&self, state: State) -> Option<usize> {
        Some(self.snapshot.before.as_ref()?.states.get(&state).copied().unwrap_or(0))
    }

    /// Ports that had a listener at the first look and have none at the last, ascending.
    pub fn ports_not_listened_on_any_more(&self) -> Vec<u16> {
        let now: HashSet<u16> = self.in_state(State::Listen).map(|s| s.local.port).collect();
        let before = self.snapshot.before.iter().flat_map(|before| &before.listening);
        before.copied().filter(|port| !now.contains(port)).collect()
    }

    /// Its options. `None`: they were not read.
    pub fn options(&self, inode: u64) -> Option<&'s SocketOptions> {
        self.options.get(&inode).copied()
    }

    /// Which way a connection was opened. `None`: it is none.
    pub fn direction(&self, socket: &Outline) -> Option<Direction> {
        socket.peer()?;
        Some(match self.listeners.accepting(socket.local) {
            Some(listener) => Direction::In(listener.at),
            None => Direction::Out(socket.remote.canonical()),
        })
    }

    /// Who holds a socket, as far as is known.
    pub fn holders(&self, socket: &Outline) -> Vec<Party> {
        parties::holders(&self.snapshot.owners, socket)
    }

    /// Who listens at an end.
    pub fn holders_at(&self, at: Endpoint) -> Vec<Party> {
        let listens = |s: &&Outline| s.local.canonical() == at;
        let mut parties: Vec<Party> =
            self.in_state(State::Listen).filter(listens).flat_map(|s| self.holders(s)).collect();
        parties.sort();
        parties.dedup();
        parties
    }

    /// Sockets by who holds them, the largest group first.
    pub fn by_holder(
        &self,
        sockets: impl IntoIterator<Item = &'s Outline>,
    ) -> Vec<(Party, Vec<&'s Outline>)> {
        parties::by_holder(&self.snapshot.owners, sockets)
    }

    /// Ports of outgoing connections. `None`: the range is not known.
    pub fn ephemeral(&self) -> Option<&EphemeralPorts> {
        self.ephemeral.get_or_init(|| EphemeralPorts::of(self.snapshot, self.tuples())).as_ref()
    }

    /// Ports that `connect(2)` can choose for a destination.
    pub fn usable_ports(&self) -> Option<u32> {
        *self.usable.get_or_init(|| self.ephemeral().map(EphemeralPorts::usable))
    }

    /// TCP sockets by (local address, peer).
    pub fn tuples(&self) -> &Tuples<'s> {
        self.tuples.get_or_init(|| Tuples::of(&self.snapshot.sockets))
    }

    /// Destinations of outgoing connections, the one with most ports taken first; those with few
    /// sockets are left out.
    pub fn destinations(&self) -> &[Destination<'s>] {
        self.destinations.get_or_init(|| self.make_destinations())
    }

    fn make_destinations(&self) -> Vec<Destination<'s>> {
        let (Some(ports), Some(usable)) = (self.ephemeral(), self.usable_ports()) else {
            return vec![];
        };
        // Clients that bind first have a rule of their own, which guesses; here ports are counted.
        let ports = ports.certain();
        let window_ms = self.snapshot.window_ms().and_then(|ms| u32::try_from(ms).ok());
        let mut found: Vec<Destination<'s>> = self
            .tuples()
            .iter()
            .filter(|(_, sockets)| sockets.len() * FEWEST >= usable as usize)
            .filter_map(|((local, peer), sockets)| {
                let uses: Vec<PortUse> = sockets.iter().map(|s| PortUse::of(&s.socket())).collect();
                let is_out = |s: &&&Outline| self.listeners.accepting(s.local).is_none();
                let sockets: Vec<&Outline> = sockets.iter().filter(is_out).copied().collect();
                sockets.first()?;
                let window = window_ms.unwrap_or(5_000).clamp(1, 60_000);
                let closes =
                    history::closed_within(sockets.iter().filter_map(|s| s.age_ms()), window);
                let settings = &self.snapshot.settings;
                let counted =
                    destination::ports(&ports, settings, &uses, (local, peer), (closes, window));
                // Unknown of one is unknown of all: a TIME_WAIT of /proc/net may be old or new.
                let opened: Option<u64> =
                    sockets.iter().map(|s| self.is_new(s).map(u64::from)).sum();
                let opened_per_second = opened.and_then(|opened| self.per_second(opened));
                Some(Destination { local, peer, sockets, ports: counted, opened_per_second })
            })
            .collect();
        found.sort_by_key(|d| (std::cmp::Reverse(d.ports.taken()), d.peer));
        found
    }

    /// Listeners, with their queues at both looks.
    pub fn listening(&self) -> &[Listening<'s>] {
        // They are numbers of 32 bits.
        let narrow = |number| u32::try_from(number).unwrap_or(u32::MAX);
        self.listening.get_or_init(|| {
            self.in_state(State::Listen)
                .filter_map(|socket| {
                    let Queues::Listen { accept_queue, limit } = socket.queues() else {
                        return None;
                    };
                    let measured = self.measured(socket);
                    Some(Listening {
                        socket,
                        queue: accept_queue,
                        limit,
                        queue_before: measured.recv_before().map(narrow),
                        drops: measured.drops().map(narrow),
                    })
                })
                .collect()
        })
    }

    /// Processes with their descriptors, as far as they can be counted.
    pub fn descriptor_use(&self) -> &[DescriptorUse] {
        self.descriptors.get_or_init(|| {
            let known: HashMap<u32, Party> = self
                .snapshot
                .owners
                .processes()
                .iter()
                .map(|process| (process.pid, Party::of(process)))
                .collect();
            let of = |process: &crate::model::limits::ProcessLimits| {
                let limit = process.soft.filter(|soft| *soft != u64::MAX)?;
                let party = known.get(&process.pid).cloned().unwrap_or_else(|| Party {
                    pid: Some(process.pid),
                    command: Some(crate::model::name::Name(process.command.clone())),
                    ..Party::default()
                });
                let hard = process.hard.filter(|hard| *hard != u64::MAX);
                Some(DescriptorUse { party, open: process.below(limit)?, limit, hard })
            };
            self.snapshot.limits.processes.iter().filter_map(of).collect()
        })
    }

    /// Descriptors of one process.
    pub fn descriptors_of(&self, pid: Option<u32>) -> Option<&DescriptorUse> {
        self.descriptor_use().iter().find(|used| used.party.pid == pid && pid.is_some())
    }

    /// Distinct addresses of peers.
    pub fn addresses<'a>(sockets: impl IntoIterator<Item = &'a &'a Outline>) -> usize {
        let peers: HashSet<IpAddr> =
            sockets.into_iter().map(|s| s.remote.address.to_canonical()).collect();
        peers.len()
    }
}
