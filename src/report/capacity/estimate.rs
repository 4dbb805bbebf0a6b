//! The whole report.

use super::{
    assume::{self, Assumption},
    destinations::{self, Destination, Ground},
    host::{self, HostRoom},
    limit::{Limit, LimitId},
    listeners::{self, Listener},
    processes::{self, ProcessRoom},
    question::{self, Answer, Question, Unanswerable},
    reuse::Reuse,
};
use crate::{
    model::snapshot::Snapshot,
    report::{ephemeral::EphemeralPorts, tuples::Tuples},
};
use serde::Serialize;

/// Destinations whose ports are among the limits; the others are emptier.
const FULLEST: usize = 10;

/// How many connections are possible, and what limits them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Estimate {
    /// Limits of processes, cgroups, the namespace and the machine.
    pub limits: Vec<Limit>,
    /// Listeners.
    pub listeners: Vec<Listener>,
    /// Destinations in use, fullest first.
    pub destinations: Vec<Destination>,
    /// Processes that hold sockets, fullest first.
    pub processes: Vec<ProcessRoom>,
    /// The machine.
    pub host: HostRoom,
    /// What was assumed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub assumed: Vec<Assumption>,
    /// The answer to the question, where there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answer>,
    /// The same without the assumptions, where there were some.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Box<Estimate>>,
}

impl Estimate {
    /// Makes it, with and without the assumptions.
    pub fn of(
        snapshot: &Snapshot,
        question: Option<&Question>,
        assumptions: &[Assumption],
    ) -> Result<Self, Unanswerable> {
        let tuples = Tuples::of(&snapshot.sockets);
        let ports = EphemeralPorts::of(snapshot, &tuples);
        let plain = Self::plain(snapshot, ports.as_ref(), &tuples, question)?;
        if assumptions.is_empty() {
            return Ok(plain);
        }
        let (changed, told) = assume::apply(snapshot, assumptions);
        let tuples = Tuples::of(&changed.sockets);
        let ports = EphemeralPorts::of(&changed, &tuples);
        let mut estimate = Self::plain(&changed, ports.as_ref(), &tuples, question)?;
        estimate.assumed = told;
        estimate.before = Some(Box::new(plain));
        Ok(estimate)
    }

    /// The same without a question, from ports and tuples that are known already. `None`: never.
    pub fn with_ports(
        snapshot: &Snapshot,
        ports: Option<&EphemeralPorts>,
        tuples: &Tuples<'_>,
    ) -> Option<Self> {
        Self::plain(snapshot, ports, tuples, None).ok()
    }

    fn plain(
        snapshot: &Snapshot,
        ports: Option<&EphemeralPorts>,
        tuples: &Tuples<'_>,
        question: Option<&Question>,
    ) -> Result<Self, Unanswerable> {
        let host = host::of_connections(snapshot, false);
        let listeners = listeners::list(snapshot, &host);
        let destinations = ports.map_or_else(Vec::new, |ports| {
            let ground = Ground::new(ports, Reuse::of(&snapshot.settings));
            destinations::list(snapshot, tuples, &ground, &host)
        });
        let answer = question
            .map(|question| question::answer(question, snapshot, ports, &listeners))
            .transpose()?;
        let mut limits: Vec<Limit> = vec![];
        for process in &snapshot.limits.processes {
            limits.push(processes::descriptors(process, &snapshot.limits));
            for limit in processes::cgroups(process, &snapshot.limits) {
                if !limits.contains(&limit) {
                    limits.push(limit);
                }
            }
        }
        for listener in &listeners {
            let own = [LimitId::AcceptQueue, LimitId::SynQueue, LimitId::ClientPorts];
            limits.extend(listener.limits.iter().filter(|l| own.contains(&l.id)).cloned());
        }
        limits.extend(destinations.iter().take(FULLEST).map(Destination::limit));
        let room = host::room(snapshot, &host);
        limits.extend(host);
        limits.extend(host::others(snapshot));
        Ok(Self {
            limits,
            listeners,
            destinations,
            processes: processes::rooms(snapshot),
            host: room,
            assumed: vec![],
            answer,
            before: None,
        })
    }

    /// The limit that is nearest to its end, of those in use: its share in percent.
    pub fn tightest(&self) -> Option<(&Limit, u64)> {
        let share = |limit: &Limit| {
            let (value, used) = (limit.value?, limit.used?);
            used.saturating_mul(100).checked_div(value)
        };
        self.limits
            .iter()
            // Memory in use says little: caches are part of it.
            .filter(|limit| limit.id != LimitId::Memory)
            .filter_map(|limit| Some((limit, share(limit)?)))
            .max_by_key(|(_, share)| *share)
    }
}
