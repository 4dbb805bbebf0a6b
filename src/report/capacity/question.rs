//! A question: how many more connections to a destination, or at a listener.

use super::{
    destinations::{self, Ground},
    host,
    limit::{Binding, Limit, LimitId, Scope},
    listeners::Listener,
    processes,
    reuse::Reuse,
};
use crate::{
    model::{
        endpoint::Endpoint, outline::Outline, ports::PortSet, protocol::Protocol,
        snapshot::Snapshot, state::State,
    },
    report::ephemeral::EphemeralPorts,
};
use serde::Serialize;
use std::net::IpAddr;

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// How many more connections can be opened to a destination.
    To {
        /// The destination.
        peer: Endpoint,
        /// The source address. `None`: it could not be found out.
        local: Option<IpAddr>,
        /// The process that opens them. `None`: any, its own limits are left out.
        pid: Option<u32>,
        /// Whether it calls bind() with the source address and port 0 first.
        bound: bool,
    },
    /// How many more a listener's process can accept.
    Listen {
        /// Its address. `None`: whatever listens on the port.
        address: Option<IpAddr>,
        /// Its port.
        port: u16,
    },
}

/// The answer.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Answer {
    /// How many connections are possible in all. `None`: unknown.
    pub effective_max: Option<u64>,
    /// How many there are.
    pub in_use: u64,
    /// How many more.
    pub remaining: Option<u64>,
    /// The limit that is met first.
    pub binding_limit: Option<LimitId>,
    /// The errno that the program sees there.
    pub error_at_limit: Option<&'static str>,
    /// Lower end of `effective_max`; the same where it is exact.
    pub effective_max_low: Option<u64>,
    /// Lower end of `remaining`; the same where it is exact.
    pub remaining_low: Option<u64>,
    /// The limit that is met next.
    pub runner_up: Option<LimitId>,
    /// How many more that one allows.
    pub runner_up_remaining: Option<u64>,
    /// Source address of the figures.
    pub local_address: Option<IpAddr>,
    /// How many more connections connect() opens quickly: in the half of the ports it tries first.
    pub fast_remaining: Option<u64>,
    /// New connections a second that can be kept up when this side closes first.
    pub rate_ceiling_per_second: Option<f64>,
    /// Each limit.
    pub limits: Vec<Limit>,
    /// Why a figure is an interval.
    pub uncertainty: Vec<String>,
    /// What is taken for granted.
    pub assumptions: Vec<String>,
    /// What could not be read.
    pub unknown: Vec<String>,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unanswerable {
    /// Nothing listens there.
    NoListener,
    /// The process is gone or its limits cannot be read, with the reason.
    NoProcess(String),
    /// The source address is not known.
    NoSource,
}

/// Answers.
pub fn answer(
    question: &Question,
    snapshot: &Snapshot,
    ports: Option<&EphemeralPorts>,
    listeners: &[Listener],
) -> Result<Answer, Unanswerable> {
    match question {
        Question::To { peer, local, pid, bound } => {
            let local = local.ok_or(Unanswerable::NoSource)?;
            to(snapshot, ports, *peer, local, *pid, *bound)
        }
        Question::Listen { address, port } => listen(listeners, *address, *port),
    }
}

fn to(
    snapshot: &Snapshot,
    ports: Option<&EphemeralPorts>,
    peer: Endpoint,
    local: IpAddr,
    pid: Option<u32>,
    bound: bool,
) -> Result<Answer, Unanswerable> {
    let mut answer = Answer { local_address: Some(local), ..Answer::default() };
    let mut exempt = false;
    if let Some(pid) = pid {
        let process = snapshot.limits.process(pid).ok_or_else(|| {
            let why = snapshot.limits.missing.get(&format!("process {pid}"));
            Unanswerable::NoProcess(why.cloned().unwrap_or_else(|| format!("no process {pid}")))
        })?;
        exempt = process.exempt_from_file_max == Some(true);
        answer.limits.push(processes::descriptors(process, &snapshot.limits));
        answer.limits.extend(processes::cgroups(process, &snapshot.limits));
    } else {
        answer
            .assumptions
            .push("no process is named: its descriptors are left out (--pid N, --self)".to_owned());
    }
    let reuse = Reuse::of(&snapshot.settings);
    if let Some(ports) = ports {
        let ground = Ground::new(ports, reuse);
        if bound {
            let (limit, why) = ports_to_bind(snapshot, ports, local);
            answer.in_use = limit.used.unwrap_or(0);
            answer.limits.push(limit);
            answer.uncertainty = why;
            answer.rate_ceiling_per_second = Some(f64::from(ports.offered()) / 60.0);
            answer.assumptions.push(
                "a program that binds first gets a port that no socket of its address has, for \
                 all destinations together; IP_BIND_ADDRESS_NO_PORT lifts that"
                    .to_owned(),
            );
        } else {
            let sockets: Vec<&Outline> = snapshot
                .sockets
                .iter()
                .filter(|socket| destinations::has_tuple(socket, local, peer))
                .collect();
            let room = ground.room(&sockets, local, peer);
            answer.in_use = room.held().into();
            answer.fast_remaining = Some(room.fast.into());
            answer.rate_ceiling_per_second = Some(ground.rate_ceiling(local, peer.address));
            answer.uncertainty = ground.uncertainty();
            if room.by_state.contains_key(&State::TimeWait) && reuse.applies(local, peer.address) {
                answer.assumptions.push(reuse.assumption());
            }
            answer.limits.push(destinations::limit(&room, local, peer));
        }
        if !ports.reserved_known() {
            answer.unknown.push("ip_local_reserved_ports could not be read".to_owned());
        }
    } else {
        let mut limit = Limit::new(
            LimitId::EphemeralPorts,
            Scope::Netns,
            format!("{local} to {peer}"),
            "ports",
        );
        limit.source.push_str(destinations::SOURCE);
        limit.error_at_limit = Some("EADDRNOTAVAIL");
        limit.unknown = Some("ip_local_port_range could not be read".to_owned());
        answer.limits.push(limit);
    }
    answer.limits.extend(host::of_connections(snapshot, exempt));
    Ok(concluded(answer))
}

/// Fills in what follows from the limits.
fn concluded(mut answer: Answer) -> Answer {
    // Told, and binding neither a program that accepts nor clients of other addresses.
    let aside = [LimitId::AcceptQueue, LimitId::SynQueue, LimitId::ClientPorts];
    let binding = Binding::of(answer.limits.iter().filter(|limit| !aside.contains(&limit.id)));
    let in_use = answer.in_use;
    answer.remaining = binding.remaining;
    answer.remaining_low = binding.remaining_low;
    answer.effective_max = binding.remaining.map(|more| in_use + more);
    answer.effective_max_low = binding.remaining_low.map(|more| in_use + more);
    answer.binding_limit = binding.limit;
    answer.error_at_limit = binding.error;
    answer.runner_up = binding.runner_up.map(|(id, _)| id);
    answer.runner_up_remaining = binding.runner_up.map(|(_, more)| more);
    if answer.remaining == answer.remaining_low {
        // An uncertainty that does not reach the answer is not worth a word.
        answer.uncertainty.clear();
    }
    let unknown = answer.limits.iter().filter(|limit| limit.is_unknown()).map(|limit| {
        let why = limit.unknown.as_deref().unwrap_or("it could not be read");
        format!("{} of {}: {why}", limit.id.name(), limit.subject)
    });
    answer.unknown.extend(unknown.collect::<Vec<_>>());
    answer
}

fn listen(
    listeners: &[Listener],
    address: Option<IpAddr>,
    port: u16,
) -> Result<Answer, Unanswerable> {
    let on_port = || listeners.iter().filter(|l| l.local_port == port);
    let found = match address {
        // A listener on every address serves each of them, a more specific one first.
        Some(address) => on_port()
            .find(|l| l.local_address == address)
            .or_else(|| on_port().find(|l| l.local_address.is_unspecified())),
        None => on_port().max_by_key(|l| (l.in_use, l.local_address.is_unspecified())),
    };
    let listener = found.ok_or(Unanswerable::NoListener)?;
    let mut answer = Answer {
        in_use: listener.in_use,
        local_address: Some(listener.local_address),
        limits: listener.limits.clone(),
        assumptions: listener.assumptions.clone(),
        uncertainty: listener.uncertainty.clone(),
        ..Answer::default()
    };
    if address.is_none() && on_port().count() > 1 {
        answer.assumptions.push(format!(
            "several listen on port {port}: the figures are those of {}",
            listener.local_address
        ));
    }
    Ok(concluded(answer))
}

/// Ports that bind() with this address and port 0 can choose: none of them may have a socket of
/// the address, or of every address, in any state.
fn ports_to_bind(
    snapshot: &Snapshot,
    ports: &EphemeralPorts,
    local: IpAddr,
) -> (Limit, Vec<String>) {
    let mut held = PortSet::empty();
    let mut perhaps = PortSet::empty();
    for socket in snapshot.sockets.iter().filter(|s| s.protocol == Protocol::Tcp) {
        match conflict(socket, local) {
            Conflict::Yes => held.insert(socket.local.port),
            Conflict::Unknown => perhaps.insert(socket.local.port),
            Conflict::No => {}
        }
    }
    let offered = ports.offered();
    let used = ports.count(|port| ports.is_offered(port) && held.contains(port));
    let doubtful = ports
        .count(|port| ports.is_offered(port) && !held.contains(port) && perhaps.contains(port));
    let is_free = |port: u16| ports.is_offered(port) && !held.contains(port);
    let missed = ports.range().any(|port| ports.may_be_missed(port) && is_free(port));
    let mut limit = Limit::new(
        LimitId::EphemeralPorts,
        Scope::Netns,
        format!("{local}, bound before connect()"),
        "ports",
    )
    .with(Some(offered.into()), Some(used.into()), destinations::SOURCE)
    .of_connections("EADDRINUSE");
    let low = (offered - used).saturating_sub(doubtful + u32::from(missed));
    let mut why = vec![];
    if low != offered - used {
        limit.connections_low = Some(low.into());
        if doubtful > 0 {
            why.push(format!(
                "{doubtful} ports have an IPv6 socket for every address; whether it takes IPv4 \
                 too is not told"
            ));
        }
        if missed {
            why.push(format!(
                "the range has an odd number of ports ({}): each search leaves out its first or \
                 its last one",
                ports.total()
            ));
        }
    }
    (limit, why)
}

enum Conflict {
    No,
    Unknown,
    Yes,
}

fn conflict(socket: &Outline, local: IpAddr) -> Conflict {
    let (own, local) = (socket.local.address.to_canonical(), local.to_canonical());
    if own == local {
        return Conflict::Yes;
    }
    match (own, local) {
        (IpAddr::V4(own), IpAddr::V4(_)) if own.is_unspecified() => Conflict::Yes,
        (IpAddr::V6(own), IpAddr::V6(_)) if own.is_unspecified() => Conflict::Yes,
        (IpAddr::V6(own), IpAddr::V4(_)) if own.is_unspecified() => match socket.v6only() {
            Some(true) => Conflict::No,
            Some(false) => Conflict::Yes,
            None => Conflict::Unknown,
        },
        _ => Conflict::No,
    }
}
