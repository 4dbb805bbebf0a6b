//! What `--format ss` shows for the switches that were typed.

use super::args::ListArgs;
use crate::{
    filter::Filter,
    model::{
        protocol::Protocol,
        state::{State, StateSet},
    },
    view::rows::ss::Shown,
};
use std::collections::BTreeSet;

/// Decides, where these tables are listed.
pub fn shown(
    args: &ListArgs,
    filter: Option<&Filter>,
    listed: &[(Protocol, StateSet)],
    tables: usize,
) -> Shown {
    Shown {
        one_table: tables == 1,
        one_state: states(args, filter, listed).len() == 1,
        heading: !args.no_header,
        queues: !args.no_queues,
        numeric: args.numeric,
        oneline: args.oneline,
        timers: args.options || args.extended || args.bpf,
        identity: args.extended,
        filters: args.bpf,
        memory: args.memory,
        info: args.info,
        processes: args.shows_owners(),
        threads: args.threads,
        contexts: args.context || args.contexts,
        socket_contexts: args.contexts,
        traffic_class: args.tos,
        cgroup: args.cgroup,
        options: args.inet_sockopt,
        tipc: args.tipcinfo,
    }
}

/// The place of a table in a listing of ss.
pub fn order(protocol: Protocol) -> Option<usize> {
    Protocol::LISTED.iter().position(|listed| *listed == protocol)
}

/// The states that ss would ask for, by the kernel's numbers. It asks every table for the same.
fn states(
    args: &ListArgs,
    filter: Option<&Filter>,
    listed: &[(Protocol, StateSet)],
) -> BTreeSet<u8> {
    let numbers = |states: StateSet| {
        State::all().filter(move |state| states.contains(*state)).map(State::number)
    };
    if let Some(filter) = filter.filter(|filter| filter.decides_states()) {
        let of = |protocol: Protocol| filter.states(protocol, StateSet::ALL);
        // A filter over unix sockets leaves the internet's none; and the other way round.
        let tables = [Protocol::Tcp, Protocol::Udp].into_iter();
        let tables = tables.chain(listed.iter().map(|(protocol, _)| *protocol));
        return tables.flat_map(|protocol| numbers(of(protocol))).collect();
    }
    if args.all {
        return State::all().map(State::number).collect();
    }
    if args.listening {
        return [State::Listen.number(), State::Closed.number()].into();
    }
    listed.iter().flat_map(|(_, states)| numbers(*states)).collect()
}
