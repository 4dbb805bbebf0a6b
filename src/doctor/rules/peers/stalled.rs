//! Sockets whose data is sent again and again without an answer.

use crate::{
    doctor::evidence::Evidence,
    model::{measures::Measured, outline::Outline, queues::Queues, state::State, timer::TimerKind},
};

/// A connection whose oldest segment is not acknowledged.
#[derive(Clone, Copy)]
pub(super) struct Stalled<'s> {
    /// The connection.
    pub(super) socket: &'s Outline,
    /// What was measured of it.
    pub(super) measured: Measured<'s>,
    /// How often the timeout was doubled.
    pub(super) backoff: u64,
    /// For how long nothing has been heard since the data went out, in milliseconds: a lower bound.
    pub(super) silent_ms: u64,
    /// Bytes not acknowledged.
    pub(super) unacknowledged: u32,
}

/// Connections that wait for an acknowledgement and have doubled their timeout so often.
pub(super) fn stalled<'s>(
    evidence: &Evidence<'s>,
    backoff: u64,
) -> impl Iterator<Item = Stalled<'s>> {
    evidence
        .unanswered()
        .filter_map(|socket| of(evidence, socket))
        .filter(move |stalled| stalled.backoff >= backoff)
}

fn of<'s>(evidence: &Evidence<'s>, socket: &'s Outline) -> Option<Stalled<'s>> {
    let measured = evidence.measured(socket);
    let Queues::Data { send, .. } = socket.queues() else { return None };
    let waits = send > 0 && socket.timer.is_some_and(|timer| timer.kind == TimerKind::Retransmit);
    // Of those that a program has closed last-ack-stuck and orphan-pressure tell.
    let is_open = matches!(socket.state, State::Established | State::CloseWait);
    if !(waits && is_open && measured.unacked()? > 0) {
        return None;
    }
    let backoff = measured.backoff()?;
    // The timeouts so far add up to nearly the one that runs; the peer may have been quiet, for
    // want of questions, longer than that.
    let timeouts = measured.rto_us()? / 1000;
    let so_far = timeouts - (timeouts >> backoff.min(63));
    let silent_ms = measured.silent_ms()?.min(so_far);
    Some(Stalled { socket, measured, backoff, silent_ms, unacknowledged: send })
}
