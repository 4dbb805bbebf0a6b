//! Closing sockets from outside, one after the other.

use crate::{
    kernel::{error::Error, sock_diag::exact::Inquiry},
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
    let mut inquiry = Inquiry::open()?;
    let mut denied = None;
    sockets
        .into_iter()
        .map(|socket| {
            if let Some(denied) = denied {
                return Ok(denied);
            }
            let closing = inquiry.close(socket)?;
            if closing == Closing::Refused(Refusal::Permission) {
                denied = Some(closing);
            }
            Ok(closing)
        })
        .collect()
}
