//! Closing sockets from outside, one after the other.

use crate::{
    kernel::{error::Error, netlink::connection::Connection, sock_diag::exact},
    model::{
        closing::{Closing, Refusal},
        socket::Socket,
    },
};

/// Closes each of these sockets of the calling thread's network namespace, and tells what became
/// of it, in their order.
///
/// A right that is missing is missing for all: the first EPERM ends the attempts.
pub fn close<'s>(sockets: impl IntoIterator<Item = &'s Socket>) -> Result<Vec<Closing>, Error> {
    let mut connection = Connection::open()?;
    let mut denied = None;
    sockets
        .into_iter()
        .map(|socket| {
            if let Some(denied) = denied {
                return Ok(denied);
            }
            let closing = exact::close(&mut connection, socket)?;
            if closing == Closing::Refused(Refusal::Permission) {
                denied = Some(closing);
            }
            Ok(closing)
        })
        .collect()
}
