//! Whom a finding is about.

use super::parties::Party;
use crate::model::endpoint::Endpoint;
use serde::{Serialize, Serializer};

/// What kind of thing it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A process.
    Process,
    /// Something that listens.
    Listener,
    /// Where connections go.
    Destination,
    /// The network namespace.
    Netns,
    /// The machine.
    Host,
}

/// Whom a finding is about.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Subject {
    /// In words.
    #[serde(rename = "subject")]
    pub text: String,
    /// What kind of thing.
    #[serde(rename = "subject_kind")]
    pub kind: Kind,
    /// Processes, as far as they are known.
    pub processes: Vec<Party>,
    /// The listener.
    #[serde(serialize_with = "end")]
    pub listener: Option<Endpoint>,
    /// The destination.
    #[serde(serialize_with = "end")]
    pub destination: Option<Endpoint>,
}

#[expect(clippy::ref_option, reason = "serde calls it so")]
fn end<S: Serializer>(end: &Option<Endpoint>, serializer: S) -> Result<S::Ok, S::Error> {
    end.map(|end| end.to_string()).serialize(serializer)
}

impl Subject {
    fn new(kind: Kind, text: impl Into<String>) -> Self {
        Self { text: text.into(), kind, processes: vec![], listener: None, destination: None }
    }

    /// The network namespace.
    pub fn netns() -> Self {
        Self::new(Kind::Netns, "this network namespace")
    }

    /// The machine.
    pub fn host() -> Self {
        Self::new(Kind::Host, "the host")
    }

    /// A process, or whoever a user's unknown process is.
    pub fn process(party: &Party) -> Self {
        Self { processes: known(vec![party.clone()]), ..Self::new(Kind::Process, party.text()) }
    }

    /// Something that listens, with who does.
    pub fn listener(at: Endpoint, parties: Vec<Party>) -> Self {
        let end = if at.is_wildcard() { format!(":{}", at.port) } else { at.to_string() };
        Self { listener: Some(at), processes: known(parties), ..Self::new(Kind::Listener, end) }
            .named()
    }

    /// Where connections go, with whose they are.
    pub fn destination(peer: Endpoint, parties: Vec<Party>) -> Self {
        let mut subject = Self {
            destination: Some(peer),
            processes: known(parties),
            ..Self::new(Kind::Destination, String::new())
        };
        let names = names(&subject.processes);
        subject.text =
            if names.is_empty() { peer.to_string() } else { format!("{names} to {peer}") };
        subject
    }

    /// A process towards a destination, or with connections of a listener.
    #[must_use]
    pub fn towards(mut self, peer: Endpoint) -> Self {
        self.text = format!("{} to {peer}", self.text);
        self.destination = Some(peer);
        self
    }

    /// A process with connections that came in by a listener.
    #[must_use]
    pub fn serving(mut self, at: Endpoint) -> Self {
        self.text = format!("{} on port {}", self.text, at.port);
        self.listener = Some(at);
        self
    }

    fn named(mut self) -> Self {
        let names = names(&self.processes);
        if !names.is_empty() {
            self.text = format!("{} {names}", self.text);
        }
        self
    }

    /// Whether both are about the same process, listener or destination; one that is about the
    /// namespace or the host is about everything in it.
    pub fn touches(&self, other: &Self) -> bool {
        let wide = |subject: &Self| matches!(subject.kind, Kind::Netns | Kind::Host);
        let same = |a: Option<Endpoint>, b: Option<Endpoint>| a.is_some() && a == b;
        wide(self)
            || wide(other)
            || same(self.listener, other.listener)
            || same(self.destination, other.destination)
            || self.processes.iter().any(|mine| {
                mine.pid.is_some() && other.processes.iter().any(|theirs| theirs.pid == mine.pid)
            })
    }
}

fn known(mut parties: Vec<Party>) -> Vec<Party> {
    parties.retain(|party| party.pid.is_some());
    parties
}

/// `nginx[811,812,+2]`: at most two of a name.
fn names(parties: &[Party]) -> String {
    let mut programs: Vec<(String, Vec<u32>)> = vec![];
    for party in parties {
        let (name, pid) = (party.name(), party.pid.unwrap_or(0));
        match programs.iter_mut().find(|(known, _)| *known == name) {
            Some((_, pids)) => pids.push(pid),
            None => programs.push((name, vec![pid])),
        }
    }
    let mut words: Vec<String> = programs
        .iter()
        .take(3)
        .map(|(name, pids)| {
            let more = pids.len().saturating_sub(2);
            let mut shown: Vec<String> = pids.iter().take(2).map(u32::to_string).collect();
            if more > 0 {
                shown.push(format!("+{more}"));
            }
            format!("{name}[{}]", shown.join(","))
        })
        .collect();
    if programs.len() > 3 {
        words.push(format!("and {} more", programs.len() - 3));
    }
    words.join(" ")
}
