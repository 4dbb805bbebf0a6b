//! Filters: which sockets are wanted, in the words of ss or in our own. Both are read to one tree
//! ([`ast`]); what the kernel can test of it runs there ([`lower`]), the rest here ([`eval`]).
//!
//! # Grammar
//!
//! ```text
//! filter      = { clause } disjunction | clause { clause } ;
//! clause      = ( "state" | "exclude" | "excl" ) state { "," state } ;
//! disjunction = conjunction { ( "or" | "|" | "||" ) conjunction } ;
//! conjunction = term { [ "and" | "&" | "&&" ] term } ;
//! term        = ( "not" | "!" ) term | "(" filter ")" | test ;
//! test        = clause { clause }
//!             | ( "src" | "dst" ) [ "host" | "net" ] [ equal ] host { "," host }
//!             | ( "src" | "dst" ) "port" [ operator ] ports
//!             | ( "sport" | "dport" | "port" ) [ operator ] ports
//!             | ( "host" | "net" ) [ equal ] host { "," host }
//!             | "dev" [ equal ] ( name | index ) | "fwmark" [ equal ] number [ "/" mask ]
//!             | "cgroup" [ equal ] path | "autobound"
//!             | protocol | protocol ":" port
//!             | column operator value { "," value } | column ;
//! operator    = equal | "<" | "lt" | "<=" | "le" | "leq" | ">" | "gt" | ">=" | "ge" | "geq" ;
//! equal       = "=" | "==" | "eq" | "is" | "!=" | "ne" | "neq" | "in" | "not" "in" ;
//! host        = [ "inet:" | "inet6:" ] [ address [ "/" length ] ] [ ":" port ]
//!             | [ "unix:" ] ( path | "@" name ) | "link:" [ ethertype ] [ ":" interface ]
//!             | "netlink:" [ protocol ] [ ":" port id ] | "vsock:" [ cid ] [ ":" port ] ;
//! address     = "*" | IPv4 | short IPv4 | IPv6 | "[" IPv6 [ "/" length ] "]" | name ;
//! ports       = port { "," port } ;
//! port        = [ ":" ] ( number | number "-" number | service | "*" ) ;
//! ```
//!
//! * `not` binds tighter than `and`, `and` tighter than `or`; tests side by side are joined by
//!   `and`. No blanks are needed around operators; words are read in any case.
//! * State clauses in front hold for all of the rest; side by side, `state` adds and `exclude`
//!   takes away. A filter that names a state decides on the states itself, as `-a` and `-l` do
//!   otherwise; so do `age` and `accept_queue`, which only some states have.
//! * A bare column is for flags (`v6only`). Names take `*`, `?` and `[a-z]`; quotes and `\` protect.
//! * Times need a unit (us, ms, s, min, h, d). Sizes may have one: k, M, G are thousands, KiB, MiB,
//!   GiB are 1024s. A range is `low-high`.
//! * A socket without peer has peer port 0 and the wildcard as peer address, as in ss. What a
//!   socket does not have (the rtt of TIME_WAIT, the owner of an orphan) compares as false; what
//!   the source did not tell is neither true nor false, and such rows are left out and counted.
//!
//! # Ten examples
//!
//! ```
//! use sockeye::filter::{Filter, directory::Empty};
//!
//! let meant = |text: &str| Filter::parse(text, &Empty).map(|filter| filter.to_string());
//!
//! // Whom does this host talk HTTPS to?
//! assert_eq!(meant("dport = :443")?, "peer.port = 443");
//! // Everything about port 22, at either end.
//! assert_eq!(meant("port 22")?, "local.port = 22 or peer.port = 22");
//! // Connections into a network, on several ports.
//! assert_eq!(
//!     meant("dst 10/8 and dport in 443,8000-8999")?,
//!     "peer.address = 10.0.0.0/8 and peer.port in 443,8000-8999"
//! );
//! // As ss has it: the state, then the rest.
//! assert_eq!(
//!     meant("state listening ( sport = :80 or sport = :443 )")?,
//!     "state = LISTEN and (local.port = 80 or local.port = 443)"
//! );
//! // TIME_WAIT of the last half minute; `age` needs no `-a`.
//! assert_eq!(meant("age < 30s")?, "age <= 29999ms");
//! // Slow connections of one program.
//! assert_eq!(meant("process = nginx and rtt > 50ms")?, "process = nginx and rtt >= 50001us");
//! // Whoever does not read.
//! assert_eq!(meant("recv_queue > 64KiB")?, "recv_queue >= 65537");
//! // Listeners whose accept queue is not empty.
//! assert_eq!(meant("accept_queue > 0")?, "accept_queue >= 1");
//! // All but two states, not on the loopback network.
//! assert_eq!(
//!     meant("state not in TIME_WAIT,LISTEN and not src 127/8")?,
//!     "not state in LISTEN,TIME_WAIT and not local.address = 127.0.0.0/8"
//! );
//! // Of one user, in one container.
//! assert_eq!(meant("user = www-data container = web*")?, "user = www-data and container = web*");
//! # Ok::<(), sockeye::filter::error::FilterError>(())
//! ```
//!
//! A filter without a meaning says where, and what to write:
//!
//! ```
//! use sockeye::filter::{Filter, directory::Empty};
//!
//! let error = Filter::parse("state = listen and acceptq > 0", &Empty).unwrap_err();
//! assert_eq!(error.to_string(), "\
//! error: no column is called `acceptq`
//!   | state = listen and acceptq > 0
//!   |                    ^^^^^^^
//! hint: did you mean `accept_queue`, as in `accept_queue > 0`? `--columns help` lists every column");
//! ```

pub mod absent;
pub mod ast;
pub mod directory;
pub mod error;
pub mod eval;
pub mod family_host;
pub mod host;
pub mod kind;
pub mod lexer;
pub mod lower;
pub mod parser;
pub mod pattern;
pub mod ports;
mod quantity;
pub mod reach;
pub mod value;
pub mod values;
pub mod words;

use crate::{
    field::{need::Need, row::Row},
    kernel::sock_diag::bytecode::End,
    model::{
        protocol::{Family, Protocol},
        state::{State, StateSet},
    },
};
use ast::{Expr, What};
use directory::{Directory, Place};
use error::FilterError;
use eval::Truth;
use lower::{Abilities, Lowered, Numbers, Target};
use reach::Outside;
use std::fmt;

/// A filter that has been read. Equal ones mean the same, however they were typed.
#[derive(Debug, Clone)]
pub struct Filter {
    expr: Expr,
    /// As it was typed.
    text: String,
    /// Whether ss, which reads `and` and `or` from left to right, would read it differently.
    pub ss_reads_otherwise: bool,
}

impl Filter {
    /// Reads a filter.
    pub fn parse(text: &str, directory: &dyn Directory) -> Result<Self, FilterError> {
        Self::parse_for(text, directory, None)
    }

    /// Reads a filter where sockets of one family alone are listed: hosts without a prefix are
    /// then its own, as in ss (`-x src /run/*`).
    pub fn parse_for(
        text: &str,
        directory: &dyn Directory,
        family: Option<Family>,
    ) -> Result<Self, FilterError> {
        let parsed = parser::parse_for(text, directory, family)?;
        Ok(Self {
            expr: parsed.expr,
            text: text.to_owned(),
            ss_reads_otherwise: parsed.ss_reads_otherwise,
        })
    }

    /// What is wrong with it in one place: a name that stands for nothing there.
    pub fn absent(&self, place: &dyn Place) -> Option<FilterError> {
        absent::find(&self.expr, place).map(|error| error.of(&self.text))
    }

    /// What its columns cost.
    pub fn need(&self) -> Need {
        let of = |what: &What| match what {
            What::Number(column, _) | What::Name(column, _) | What::Flag(column, _) => {
                column.0.need
            }
            What::Interface(_) | What::Host(End::Local, _) => Need::INTERFACES,
            What::Host(End::Peer, _) => Need::UNIX_PEERS,
            What::Mark(_) => Need::MARK,
            _ => Need::NONE,
        };
        self.expr.tests().iter().fold(Need::NONE, |sum, test| sum.with(of(&test.what)))
    }

    /// Ids of the columns whose value a source may not tell.
    pub fn columns(&self) -> Vec<&'static str> {
        let of = |what: &What| match what {
            What::Number(column, _) | What::Name(column, _) | What::Flag(column, _) => {
                Some(column.0.id)
            }
            What::Interface(_) => Some("local.interface"),
            What::Mark(_) => Some("mark"),
            What::Autobound => Some("autobound"),
            _ => None,
        };
        let mut ids: Vec<_> = self.expr.tests().iter().filter_map(|test| of(&test.what)).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// Whether it needs `ip_local_port_range`.
    pub fn asks_for_autobound(&self) -> bool {
        self.expr.tests().iter().any(|test| test.what == What::Autobound)
    }

    /// Whether it tests namespaces, or containers and pods, which have their own: then it is about
    /// more than the namespace of this process.
    pub fn is_about_namespaces(&self) -> bool {
        self.expr.tests().iter().any(|test| reach::is_about_namespaces(&test.what))
    }

    /// Whether it has to be known in which containers, pods and units processes are.
    pub fn asks_for_homes(&self) -> bool {
        self.expr.tests().iter().any(|test| reach::asks_for_homes(&test.what))
    }

    /// Whether it may take a socket of a namespace.
    pub fn may_pass(&self, outside: Outside<'_>) -> bool {
        reach::may_pass(&self.expr, outside)
    }

    /// Whether it names states, itself or by a column only they have: then they are its matter and
    /// not that of `-a` and `-l`, as in ss.
    pub fn decides_states(&self) -> bool {
        self.expr.tests().iter().any(|test| lower::implied(&test.what).is_some())
    }

    /// The states of a protocol's sockets that can match, where `default` is what is shown
    /// otherwise.
    pub fn states(&self, protocol: Protocol, default: StateSet) -> StateSet {
        let bound = StateSet::of(State::BoundInactive);
        let names_bound = self.expr.tests().iter().any(|test| match &test.what {
            What::State(states) => states.includes(bound),
            _ => false,
        });
        let all = match protocol {
            // Walking for bound, inactive sockets is dear: only where they are named.
            Protocol::Tcp if names_bound => StateSet::ALL.with(bound),
            other => StateSet::every(other),
        };
        let asked = if self.decides_states() { all } else { default };
        lower::states(&self.expr, protocol, asked).0
    }

    /// The part the kernel can do for one dump.
    pub fn lower(&self, target: Target, abilities: Abilities, numbers: &dyn Numbers) -> Lowered {
        lower::lower(&self.expr, target, abilities, numbers)
    }

    /// Whether it takes a row.
    pub fn test(&self, row: Row<'_>) -> Truth {
        eval::test(&self.expr, row)
    }
}

impl PartialEq for Filter {
    fn eq(&self, other: &Self) -> bool {
        self.expr == other.expr
    }
}

impl Eq for Filter {}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.expr.fmt(f)
    }
}
