//! A socket as a line of the file, and back. What the kernel did not tell is left out.

use super::text::{Hex, Name};
use crate::model::{
    details::Details,
    endpoint::Endpoint,
    family::FamilyFacts,
    memory::SocketMemory,
    netns::NetnsIndex,
    protocol::{Family, Protocol},
    queues::Queues,
    socket::{Congestion, Socket},
    state::State,
    tcp_info::TcpInfo,
    timer::{Timer, TimerKind},
};
use serde::{Deserialize, Deserializer, Serialize};
use std::{borrow::Cow, net::IpAddr};

/// One end.
#[derive(Debug, Serialize, Deserialize)]
pub struct EndRecord {
    address: IpAddr,
    port: u16,
}

/// The running timer: `number` is the kernel's, `kind` its word.
#[derive(Debug, Serialize, Deserialize)]
pub struct TimerRecord<'a> {
    number: u8,
    #[serde(borrow)]
    kind: Cow<'a, str>,
    expires_ms: u32,
    retransmits: u8,
}

/// The line.
#[derive(Debug, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are those of Socket; the format is in docs/")]
pub struct SocketRecord<'a> {
    #[serde(borrow)]
    pub protocol: Cow<'a, str>,
    #[serde(borrow)]
    pub family: Cow<'a, str>,
    #[serde(borrow)]
    pub state: Cow<'a, str>,
    pub state_number: u8,
    pub local: EndRecord,
    pub peer: Option<EndRecord>,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub interface: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recv_queue_bytes: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub send_queue_bytes: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accept_queue: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accept_queue_limit: Option<u32>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub timer: Option<TimerRecord<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inode: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cookie: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uid: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mark: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cgroup_id: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shutdown: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub v6only: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sockopt: Option<Hex<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tos: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drops: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tcp_info: Option<Hex<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<SocketMemory>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub congestion: Option<Name<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details: Option<Cow<'a, Details>>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "known_facts")]
    pub facts: Option<Cow<'a, FamilyFacts>>,
}

/// Facts of a family; those of one that this version does not know are passed over.
fn known_facts<'a, 'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Cow<'a, FamilyFacts>>, D::Error> {
    let facts = serde_json::Value::deserialize(deserializer)?;
    Ok(serde_json::from_value(facts).ok().map(Cow::Owned))
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl<'a> SocketRecord<'a> {
    /// The line of a socket.
    pub fn of(socket: &'a Socket) -> Self {
        let end = |end: &Endpoint| EndRecord { address: end.address, port: end.port };
        let (recv, send, accept, limit) = match socket.queues {
            Queues::Listen { accept_queue, limit } => (None, None, Some(accept_queue), limit),
            Queues::Data { recv, send } => (Some(recv), Some(send), None, None),
            Queues::Absent => (None, None, None, None),
        };
        Self {
            protocol: socket.protocol.name().into(),
            family: socket.family.name().into(),
            state: socket.state.name().into(),
            state_number: socket.state.number(),
            local: end(&socket.local),
            peer: socket.peer().map(end),
            interface: socket.interface,
            recv_queue_bytes: recv,
            send_queue_bytes: send,
            accept_queue: accept,
            accept_queue_limit: limit,
            timer: socket.timer.map(|timer| TimerRecord {
                number: timer.kind.number(),
                kind: timer.kind.name().into(),
                expires_ms: timer.expires_ms,
                retransmits: timer.retransmits,
            }),
            inode: socket.inode,
            cookie: socket.cookie,
            uid: socket.uid,
            mark: socket.mark,
            cgroup_id: socket.cgroup_id,
            shutdown: socket.shutdown,
            v6only: socket.v6only,
            sockopt: socket.sockopt.as_ref().map(|bytes| Hex(Cow::Borrowed(bytes))),
            tos: socket.tos,
            drops: socket.drops,
            tcp_info: socket.tcp_info.as_ref().map(|info| Hex(Cow::Borrowed(info.bytes()))),
            memory: socket.memory,
            congestion: socket.congestion.as_ref().map(|c| Name(Cow::Borrowed(c.name()))),
            details: socket.details.as_deref().map(Cow::Borrowed),
            facts: socket.family_facts.as_deref().map(Cow::Borrowed),
        }
    }

    /// The socket of a line. `None`: a protocol, family or state this version does not know.
    pub fn socket(&self) -> Option<Socket> {
        let protocol = Protocol::ALL.into_iter().find(|p| p.name() == self.protocol)?;
        let family = Family::ALL.into_iter().find(|f| f.name() == self.family)?;
        let state = match State::all().find(|s| s.name() == self.state) {
            Some(state) => state,
            None if self.state == "UNKNOWN" => State::Other(self.state_number),
            None => return None,
        };
        let end = |end: &EndRecord| Endpoint::new(end.address, end.port);
        let queues = match (self.accept_queue, self.recv_queue_bytes, self.send_queue_bytes) {
            (Some(accept_queue), ..) => {
                Queues::Listen { accept_queue, limit: self.accept_queue_limit }
            }
            (None, Some(recv), Some(send)) => Queues::Data { recv, send },
            _ => Queues::Absent,
        };
        Some(Socket {
            netns: NetnsIndex::FIRST,
            protocol,
            family,
            state,
            local: end(&self.local),
            remote: self.peer.as_ref().map_or(Endpoint::nothing(family), end),
            interface: self.interface,
            queues,
            timer: self.timer.as_ref().and_then(|timer| {
                Some(Timer {
                    kind: TimerKind::from_kernel(timer.number)?,
                    expires_ms: timer.expires_ms,
                    retransmits: timer.retransmits,
                })
            }),
            inode: self.inode,
            cookie: self.cookie,
            uid: self.uid,
            mark: self.mark,
            cgroup_id: self.cgroup_id,
            shutdown: self.shutdown,
            v6only: self.v6only,
            sockopt: self.sockopt.as_ref().and_then(|hex| hex.0.first_chunk().copied()),
            tos: self.tos,
            drops: self.drops,
            tcp_info: self.tcp_info.as_ref().map(|hex| Box::new(TcpInfo::from_kernel(&hex.0))),
            memory: self.memory,
            congestion: self.congestion.as_ref().map(|name| Congestion::from_kernel(&name.0)),
            details: self.details.as_ref().map(|told| Box::new(told.as_ref().clone())),
            family_facts: self.facts.as_ref().map(|facts| Box::new(facts.as_ref().clone())),
        })
    }
}
