//! A raw dump: the kernel's answers about the sockets that were asked for, as they came.

use super::{
    list::Failure,
    query::Query,
    recording,
    surroundings::Surroundings,
    tables::{connect, lessen, selection},
};
use crate::{
    filter::lower::{Abilities, Selection, Target},
    kernel::{
        error::Error,
        netlink::connection::{Connection, Next, Piece},
        sock_diag::{
            dump_file::Writer,
            inet,
            request::{Request, TCPDIAG_GETSOCK},
        },
    },
    model::{
        gap::Gap,
        protocol::{Family, Protocol},
        state::StateSet,
    },
};
use netlink_packet_sock_diag::SOCK_DIAG_BY_FAMILY;
use std::{cell::Cell, io::Write};

/// Writes the answers about TCP sockets that the query takes, with every attribute a listing can
/// show, and tells how many there were and what could not be seen.
///
/// The kernel selects what it can; the rest of the filter is asked here, of each answer.
pub fn write<W: Write>(query: &Query, to: W) -> Result<(W, u64, Vec<Gap>), Failure> {
    let mut surroundings = Surroundings::of(query);
    let mut writer = Writer::new(to);
    let written = Cell::new(0);
    let mut dumping = Dumping { query, connection: connect()?, abilities: Abilities::ALL };
    for &(protocol, states) in &query.protocols {
        if protocol != Protocol::Tcp || states.is_empty() {
            continue;
        }
        let mut failed = None;
        let mut each = |kind: u16, payload: &[u8]| {
            let socket = inet::decode(protocol, payload);
            if !socket.is_some_and(|socket| surroundings.takes(&socket)) {
                return Next::More;
            }
            written.set(written.get() + 1);
            match writer.message(kind, payload) {
                Ok(()) => Next::More,
                Err(error) => {
                    failed = Some(error);
                    Next::Stop
                }
            }
        };
        // Where the one walk of both families is refused, one walk each.
        let asked = match query.family {
            Some(family) => dumping.table(protocol, Some(family), states, &mut each),
            None => match dumping.table(protocol, None, states, &mut each) {
                Err(_) if written.get() == 0 => Family::INET.into_iter().try_for_each(|family| {
                    dumping.table(protocol, Some(family), states, &mut each)
                }),
                asked => asked,
            },
        };
        if let Some(error) = failed {
            return Err(Failure::Output(error));
        }
        asked?;
    }
    let to = writer.finish().map_err(Failure::Output)?;
    Ok((to, written.get(), surroundings.gaps()))
}

struct Dumping<'q> {
    query: &'q Query,
    connection: Connection,
    abilities: Abilities,
}

impl Dumping<'_> {
    fn table(
        &mut self,
        protocol: Protocol,
        family: Option<Family>,
        states: StateSet,
        each: &mut dyn FnMut(u16, &[u8]) -> Next,
    ) -> Result<(), Error> {
        let extensions = recording::NEED.with(self.query.need).extensions();
        let request = Request { protocol, family, states, extensions };
        let target = Target { protocol, family, states };
        loop {
            let program = match selection(self.query, target, self.abilities) {
                Selection::Everything => None,
                Selection::Nothing => return Ok(()),
                Selection::Program(program) => Some(program),
            };
            let (kind, body) = request.message_with(program.as_ref());
            let dumped =
                self.connection.dump(&request.subject(), kind, &body, |piece| match piece {
                    Piece::Message {
                        kind: kind @ (SOCK_DIAG_BY_FAMILY | TCPDIAG_GETSOCK),
                        payload,
                    } => each(kind, payload),
                    _ => Next::More,
                });
            match dumped {
                // A kernel that refuses the program does it before the first row.
                Err(error) if program.is_some() && lessen(&mut self.abilities, &error) => {}
                dumped => return dumped.map(|_| ()),
            }
        }
    }
}

/// Nothing else is dumped than TCP.
pub fn is_possible(query: &Query) -> bool {
    query.protocols.iter().any(|(protocol, _)| *protocol == Protocol::Tcp)
}
