//! How a connection closes.

use super::{
    block::{drawing, heading, item, text},
    exchange::{
        Exchange,
        Segment::{Both, Left, Nothing, Right},
        Step,
    },
    topic::{Kind, Topic},
};
use crate::model::state::State::{
    CloseWait, Closed, Closing, Established, FinWait1, FinWait2, LastAck, TimeWait,
};

/// The four segments.
pub static FOUR: Exchange = Exchange {
    left: "CLOSES FIRST",
    right: "CLOSES SECOND",
    steps: &[
        Step { left: (Some(Established), ""), segment: Nothing, right: (Some(Established), "") },
        Step { left: (None, "close(2)"), segment: Nothing, right: (None, "") },
        Step { left: (Some(FinWait1), ""), segment: Right("1  FIN"), right: (Some(CloseWait), "") },
        Step { left: (Some(FinWait2), ""), segment: Left("2  ACK"), right: (Some(CloseWait), "") },
        Step { left: (None, ""), segment: Nothing, right: (None, "reads end of file") },
        Step { left: (None, ""), segment: Nothing, right: (None, "close(2)") },
        Step { left: (Some(TimeWait), ""), segment: Left("3  FIN"), right: (Some(LastAck), "") },
        Step { left: (Some(TimeWait), ""), segment: Right("4  ACK"), right: (Some(Closed), "") },
        Step { left: (None, "60 s later"), segment: Nothing, right: (None, "") },
        Step { left: (Some(Closed), ""), segment: Nothing, right: (None, "") },
    ],
};

/// Both sides close at once.
pub static SIMULTANEOUS: Exchange = Exchange {
    left: "ONE SIDE",
    right: "OTHER SIDE",
    steps: &[
        Step { left: (None, "close(2)"), segment: Nothing, right: (None, "close(2)") },
        Step { left: (Some(FinWait1), ""), segment: Both("FIN"), right: (Some(FinWait1), "") },
        Step { left: (Some(Closing), ""), segment: Both("ACK"), right: (Some(Closing), "") },
        Step { left: (Some(TimeWait), ""), segment: Nothing, right: (Some(TimeWait), "") },
    ],
};

/// One side aborts.
pub static ABORT: Exchange = Exchange {
    left: "ABORTS",
    right: "OTHER SIDE",
    steps: &[
        Step { left: (Some(Established), ""), segment: Nothing, right: (Some(Established), "") },
        Step {
            left: (Some(Closed), ""),
            segment: Right("RST"),
            right: (Some(Closed), "(ECONNRESET)"),
        },
    ],
};

/// The topic.
pub fn topic() -> Topic {
    Topic {
        name: "close",
        also: vec!["closing-handshake", "fin", "rst", "reset", "shutdown-sequence", "four-way"],
        title: "how a connection closes, and which side is in which state".into(),
        kind: Kind::Lesson,
        blocks: vec![
            drawing(&FOUR),
            text(
                "Either side may be the one that closes first, client or server. That side, and \
                 only that side, ends in TIME_WAIT.",
            ),
            heading("Why four segments"),
            text(
                "A connection is two streams, one each way, and each is closed on its own. A FIN \
                 says: I shall send nothing more. It does not say: I want nothing more. The other \
                 side may still have data to send, so its kernel acknowledges the FIN at once and \
                 its program sends its own FIN when it is done: two FINs, two ACKs. When the \
                 program closes at once, segments 2 and 3 travel as one and three are seen.",
            ),
            heading("Stuck on the way"),
            item("FIN_WAIT_1 or LAST_ACK: the other host, or the path to it, does not answer."),
            item(
                "CLOSE_WAIT here (FIN_WAIT_2 there): the program here has not closed. The kernel \
                 waits for it for ever.",
            ),
            item("FIN_WAIT_2 here: the program on the other side has not closed."),
            item("TIME_WAIT: not stuck. It ends by itself after 60 s."),
            heading("Both at once"),
            drawing(&SIMULTANEOUS),
            text(
                "Each side gets a FIN while it waits for the ACK of its own: CLOSING. Both closed \
                 first, so both end in TIME_WAIT.",
            ),
            heading("The abort"),
            drawing(&ABORT),
            text(
                "A RST ends both sides at once, without TIME_WAIT and without care for data that \
                 was still on its way. Linux sends one when a program closes a socket with unread \
                 data in it, when SO_LINGER is set to 0 s, and in answer to a segment for which no \
                 socket exists. A program that is killed does not abort: the kernel closes its \
                 sockets, and a FIN is sent.",
            ),
        ],
        see_also: vec![
            "handshake",
            "TIME_WAIT",
            "CLOSE_WAIT",
            "FIN_WAIT_2",
            "2msl",
            "myth-time-wait-side",
            "myth-linger-zero",
        ],
    }
}
