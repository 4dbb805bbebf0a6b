//! The sockets at the other ends, found before the first row: whichever rows are wanted, the other
//! end of one may be any.

use super::{
    namespaces::Namespaces,
    query::{Query, Scope},
    tables::Tables,
};
use crate::{
    field::need::Need,
    kernel::netlink::connection::Next,
    model::{
        gap::Gap,
        netns::NetnsIndex,
        peers::{self, Peers},
        protocol::Protocol,
        recording::Recording,
        state::{State, StateSet},
    },
};

/// What only this walk can have missed: the rows are read after it, and tell what else is missing.
const OF_ONE_WALK: [&str; 2] = ["table-changed", "dump-cut-short"];

/// Walks the connections of the protocols that are asked for, in every namespace of the question,
/// whether its rows are wanted or not.
pub fn find(query: &Query, namespaces: &mut Namespaces) -> (Peers, Vec<Gap>) {
    let (mut peers, mut gaps) = (Peers::default(), vec![]);
    let query = connections(query);
    if !query.protocols.is_empty() {
        // Who cannot be asked here cannot be asked for the rows, which then is an error.
        let _ = namespaces.visit_every(&query, |netns, query| {
            gaps.extend(walk(query, netns, &mut peers));
            Ok(Next::More)
        });
    }
    (peers, gaps)
}

/// The same in the calling thread's namespace alone.
pub fn find_here(query: &Query) -> (Peers, Vec<Gap>) {
    let mut peers = Peers::default();
    let query = connections(query);
    let gaps = walk(&query, NetnsIndex::FIRST, &mut peers);
    (peers, gaps)
}

/// The same among sockets that were recorded.
pub fn of(recordings: &[Recording]) -> Peers {
    let mut peers = Peers::default();
    let sockets = recordings.iter().flat_map(|recording| &recording.sockets);
    for socket in sockets.filter(|socket| socket.state != State::TimeWait) {
        peers.add(socket);
    }
    peers
}

fn walk(query: &Query, netns: NetnsIndex, peers: &mut Peers) -> Vec<Gap> {
    let Ok(mut tables) = Tables::open(query) else { return vec![] };
    let read = tables.read(netns, |socket, _| {
        if query.wants(socket) {
            peers.add(socket);
        }
        Next::More
    });
    let mut gaps = tables.provenance.gaps;
    gaps.retain(|gap| read.is_ok() && OF_ONE_WALK.contains(&&*gap.code));
    gaps
}

/// The sockets among which the other ends of the rows are: of either family of the internet, since
/// an IPv6 socket may speak IPv4. Who is in TIME_WAIT is nobody's other end.
fn connections(query: &Query) -> Query {
    let protocols = query.protocols.iter().filter_map(|(protocol, _)| {
        let every = StateSet::every(*protocol);
        match protocol {
            // They name each other; only their namespace has to be learnt, where there are several.
            Protocol::Unix => Some((*protocol, every)).filter(|_| query.scope == Scope::Everywhere),
            other => peers::is_between_two(*other)
                .then(|| (*protocol, every.intersection(StateSet::CONNECTED))),
        }
    });
    Query {
        protocols: protocols.collect(),
        types: vec![],
        named: false,
        family: None,
        filter: None,
        need: Need::PEERS,
        ..query.clone()
    }
}
