//! The kernel's tables of sockets: netlink first, /proc where netlink is refused.

use super::{
    query::{Query, SourceChoice},
    subflows::Subflows,
};
use crate::{
    field::need::Need,
    filter::lower::{Abilities, Lowered, Numbers, Selection, Target},
    kernel::{
        cgroup_tree,
        error::Error,
        names,
        netlink::connection::{Connection, Next},
        proc::{net_families, net_inet, protocols},
        sock_diag::{
            dump,
            request::{Extensions, Request},
        },
    },
    model::{
        about::SourceKind,
        collection::Collection,
        gap::Gap,
        netns::NetnsIndex,
        protocol::{Family, Protocol},
        socket::Socket,
        state::StateSet,
    },
};
use nix::errno::Errno;
use std::borrow::Cow;

/// What reading the tables said of itself.
#[derive(Debug, Clone, Default)]
pub struct Provenance {
    /// Where the rows came from so far. `None`: nowhere.
    pub kind: Option<SourceKind>,
    /// Why /proc was read; `None`: it was not, or it was asked for.
    pub fallback_reason: Option<String>,
    /// What could not be seen.
    pub gaps: Vec<Gap>,
}

impl Provenance {
    /// Adds what another reading said of itself.
    pub fn absorb(&mut self, other: Self) {
        if let Some(kind) = other.kind {
            self.told_by(kind);
        }
        self.fallback_reason = self.fallback_reason.take().or(other.fallback_reason);
        for gap in other.gaps {
            if !self.gaps.contains(&gap) {
                self.gaps.push(gap);
            }
        }
    }

    pub(super) fn told_by(&mut self, kind: SourceKind) {
        self.kind = match self.kind {
            Some(known) if known != kind => Some(SourceKind::Mixed),
            _ => Some(kind),
        };
    }
}

/// Takes sockets, with what is known of the reading.
pub(super) type Teller<'t> = dyn FnMut(&mut Socket, &Provenance) -> Next + 't;

/// Reads the tables of a query in turn.
pub struct Tables<'q> {
    pub(super) query: &'q Query,
    pub(super) connection: Option<Connection>,
    pub(super) refused: Option<Error>,
    pub(super) errors: Vec<Error>,
    /// Protocols that neither source tells.
    pub(super) lacking: Vec<Protocol>,
    /// Protocols nobody named that another machine's tree has no tables of.
    pub(super) absent: Vec<Protocol>,
    /// Protocols that were asked for by name and that this kernel has no sockets of.
    pub(super) none: Vec<Protocol>,
    /// Tables that are known to be empty.
    passed_over: Vec<(Protocol, Family)>,
    /// What this kernel takes of a filter, as far as it has refused something.
    abilities: Abilities,
    /// Whether it refused to tell what BPF programs keep in sockets.
    storages_hidden: bool,
    /// What is known of the reading; the caller shows it when it begins to print.
    pub provenance: Provenance,
}

impl<'q> Tables<'q> {
    /// Opens what the query needs.
    pub fn open(query: &'q Query) -> Result<Self, Error> {
        let mut tables = Self {
            query,
            connection: None,
            refused: None,
            errors: vec![],
            lacking: vec![],
            absent: vec![],
            none: vec![],
            passed_over: vec![],
            abilities: Abilities::ALL,
            storages_hidden: false,
            provenance: Provenance::default(),
        };
        // Another machine's tree has no netlink; netlink has no tree.
        let foreign = !query.root.is_live();
        match query.source {
            SourceChoice::Proc => {}
            SourceChoice::Auto if foreign => {}
            SourceChoice::Netlink => tables.connection = Some(Connection::open()?),
            SourceChoice::Auto => match Connection::open() {
                Ok(connection) => tables.connection = Some(connection),
                Err(error) => tables.refused = Some(error),
            },
        }
        Ok(tables)
    }

    /// Does not ask netlink for sockets of a protocol and family: there are none.
    pub(super) fn pass_over(&mut self, protocol: Protocol, family: Family) {
        self.passed_over.push((protocol, family));
    }

    /// Reads every table and hands each socket to `each`, with what is known of the reading.
    /// `netns` is the namespace the calling thread is in.
    ///
    /// An error only where no table at all could be read; one that could not is a gap.
    pub fn read(
        &mut self,
        netns: NetnsIndex,
        mut each: impl FnMut(&Socket, &Provenance) -> Next,
    ) -> Result<(), Error> {
        let mut stopped = false;
        for &(protocol, states) in &self.query.protocols {
            if states.is_empty() || stopped {
                continue;
            }
            let mut each = |socket: &mut Socket, provenance: &Provenance| {
                socket.netns = netns;
                let next = each(socket, provenance);
                stopped |= next == Next::Stop;
                next
            };
            if !self.by_netlink(protocol, states, &mut each)? {
                self.by_proc(protocol, &mut each);
            }
        }
        self.tell_what_lacks();
        if self.provenance.kind.is_some() || !self.none.is_empty() {
            return Ok(());
        }
        // The first: the others are mostly its consequences.
        let first = self.errors.drain(..).next();
        match first.or_else(|| self.nothing_told()) {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    /// Whether netlink told the table; if not, nothing of it was handed on.
    fn by_netlink(
        &mut self,
        protocol: Protocol,
        states: StateSet,
        each: &mut Teller<'_>,
    ) -> Result<bool, Error> {
        if !protocol.is_inet() {
            return self.family_by_netlink(protocol, states, each);
        }
        let replaced = |family| {
            net_inet::table(protocol, family).is_some_and(|name| self.query.root.replaces(name))
        };
        if Family::INET.into_iter().any(replaced) {
            return Ok(false);
        }
        let Some(connection) = &mut self.connection else {
            return Ok(false);
        };
        if protocol.number().is_none() {
            return Ok(self.no_diag(protocol));
        }
        if has_none(self.query, protocol) {
            self.provenance.told_by(SourceKind::Netlink);
            return Ok(true);
        }
        let wants_subflows =
            protocol == Protocol::Mptcp && self.query.need.includes(Need::SUBFLOWS);
        // Where they cannot be asked for, the connections are unknown and the rest is not.
        let subflows = wants_subflows.then(|| Subflows::ask(connection).ok()).flatten();
        let mut refused = None;
        for plan in plans(self.query, protocol, &self.passed_over) {
            let mut rows = 0u64;
            let mut failed = None;
            let mut stopped = false;
            let mut held = Collection::default();
            for family in plan {
                let holds = family.is_none() && self.query.families_apart;
                let asked = self.query.need.extensions();
                let mut request = Request { protocol, family, states, extensions: asked };
                let target = Target { protocol, family, states };
                let provenance = &mut self.provenance;
                let dumped = loop {
                    if self.storages_hidden {
                        request.extensions = asked.without(Extensions::STORAGES);
                    }
                    let program = match selection(self.query, target, self.abilities) {
                        Selection::Everything => None,
                        Selection::Nothing => break Ok(dump::Tally::default()),
                        Selection::Program(program) => Some(program),
                    };
                    let before = rows;
                    let dumped = dump::selected(connection, &request, program.as_ref(), |socket| {
                        rows += 1;
                        provenance.told_by(SourceKind::Netlink);
                        if holds && socket.family == Family::Ipv6 {
                            held.push(socket);
                            return Next::More;
                        }
                        let next = match &subflows {
                            Some(subflows) => each(&mut subflows.fill(socket), provenance),
                            None => each(socket, provenance),
                        };
                        stopped |= next == Next::Stop;
                        next
                    });
                    match dumped {
                        // The whole dump is refused for what was asked for beside it.
                        Err(error)
                            if request.extensions.includes(Extensions::STORAGES)
                                && error.as_errno() == Some(Errno::EPERM) =>
                        {
                            self.storages_hidden = true;
                            provenance.gaps.push(storages_hidden());
                        }
                        // A kernel that refuses the program does it before the first row.
                        Err(error)
                            if rows == before
                                && program.is_some()
                                && lessen(&mut self.abilities, &error) => {}
                        dumped => break dumped,
                    }
                };
                match dumped {
                    Ok(tally) => {
                        provenance.told_by(SourceKind::Netlink);
                        provenance.gaps.extend(dump_gaps(&request.subject(), &tally));
                    }
                    Err(error) => {
                        failed = Some(error);
                        break;
                    }
                }
            }
            let mut held = held.iter().take_while(|_| !stopped).map(Cow::into_owned);
            held.all(|mut socket| each(&mut socket, &self.provenance) == Next::More);
            match failed {
                None => return Ok(true),
                // Falling back now would show the first rows twice.
                Some(error) if rows > 0 => {
                    self.cut_short(protocol, rows, &error);
                    return Ok(true);
                }
                Some(error) => refused = Some(error),
            }
        }
        match refused {
            Some(error) => self.refused(protocol, error),
            None => Ok(false),
        }
    }

    fn by_proc(&mut self, protocol: Protocol, each: &mut Teller<'_>) {
        if protocol == Protocol::Sctp {
            return self.sctp_by_proc(each);
        }
        let has_table = net_inet::table(protocol, Family::Ipv4).is_some();
        if !has_table && protocol.is_inet() {
            return self.untold(protocol, None);
        }
        if let Some(error) =
            self.refused.as_ref().filter(|_| has_table || net_families::table(protocol).is_some())
        {
            self.provenance.fallback_reason.get_or_insert_with(|| error.to_string());
        }
        if !protocol.is_inet() {
            return self.family_by_proc(protocol, each);
        }
        let mut failed = vec![];
        let mut told = 0;
        for family in Family::INET {
            if self.query.family.is_some_and(|wanted| wanted != family) {
                continue;
            }
            let provenance = &mut self.provenance;
            let read = net_inet::sockets(&self.query.root, protocol, family, |mut socket| {
                provenance.told_by(SourceKind::Proc);
                each(&mut socket, provenance)
            });
            match read {
                Ok(tally) => {
                    told += 1;
                    provenance.told_by(SourceKind::Proc);
                    provenance.gaps.extend(line_gaps(protocol, family, tally));
                }
                // A kernel without IPv6 has no such table, and no such socket.
                Err(error) if error.is_absent() && family == Family::Ipv6 && told > 0 => {}
                Err(error) => failed.push(error),
            }
        }
        for error in failed {
            self.untold(protocol, Some(error));
        }
    }
}

/// Which families to walk for together, `None` being both; where that is refused, the next way.
fn plans(
    query: &Query,
    protocol: Protocol,
    passed_over: &[(Protocol, Family)],
) -> Vec<Vec<Option<Family>>> {
    let wanted = |family: &Family| {
        query.family.is_none_or(|wanted| wanted == *family)
            && !passed_over.contains(&(protocol, *family))
    };
    let apart = Family::INET.into_iter().filter(wanted).map(Some).collect();
    // One walk for both families. Where IPv6 has to come last it is held: a second walk costs a third
    // of the first (measured at 100,000 sockets). What is measured of a socket is too much to hold.
    let is_light = !query.need.extensions().measures();
    let together = query.family.is_none() && (!query.families_apart || is_light);
    if protocol == Protocol::Tcp && together { vec![vec![None], apart] } else { vec![apart] }
}

/// Whether /proc tells that there is no MPTCP socket here. A dump would walk the tokens of the whole
/// machine, a millisecond for each namespace.
fn has_none(query: &Query, protocol: Protocol) -> bool {
    protocol == Protocol::Mptcp
        && query.source == SourceChoice::Auto
        && query.root.is_live()
        && protocols::in_tables(&query.root, protocol) == Some(0)
}

/// Names to numbers, as they are in the calling thread's network namespace.
struct Here;

impl Numbers for Here {
    fn interface(&self, name: &str) -> Option<u32> {
        names::interface_index(name)
    }

    fn cgroup(&self, path: &str) -> Option<u64> {
        cgroup_tree::id_of(path)
    }
}

/// A connection for a dump, in the calling thread's network namespace.
pub(super) fn connect() -> Result<Connection, Error> {
    Connection::open()
}

/// What the kernel is asked to select for one dump.
pub(super) fn selection(query: &Query, target: Target, abilities: Abilities) -> Selection {
    let lower = |filter: &crate::filter::Filter| filter.lower(target, abilities, &Here);
    query.filter.as_ref().map_or(Selection::Everything, |filter| {
        let Lowered { selection, .. } = lower(filter);
        selection
    })
}

/// Takes from `abilities` what a refusal speaks of. Whether there is another way to ask.
///
/// EPERM is the answer to marks without CAP_NET_ADMIN, EINVAL to an instruction the kernel is too
/// old for (`inet_diag_bc_audit`); what it cannot select is selected here.
pub(super) fn lessen(abilities: &mut Abilities, error: &Error) -> bool {
    match error.as_errno() {
        Some(Errno::EPERM) => std::mem::take(&mut abilities.marks),
        Some(Errno::EINVAL) => {
            std::mem::take(&mut abilities.newer) || std::mem::take(&mut abilities.bytecode)
        }
        _ => false,
    }
}

/// That BPF's part is missing: only CAP_BPF may ask for it (`bpf_sk_storage_diag_alloc`).
fn storages_hidden() -> Gap {
    Gap::new(
        "storages-hidden",
        "what BPF programs keep in sockets is hidden",
        "run as root: the kernel shows it to who has CAP_BPF",
    )
}

/// A table that could not be read.
pub(super) fn unreadable(protocol: Protocol, error: &Error) -> Gap {
    Gap::new(
        "table-unreadable",
        format!("{protocol} sockets are missing: {error}"),
        "this kernel may lack the table; try the other --source",
    )
    .without(&[protocol])
}

/// What a dump of `what` could not tell.
pub(super) fn dump_gaps(what: &str, tally: &dump::Tally) -> Vec<Gap> {
    let mut gaps = vec![];
    if tally.undecoded > 0 || tally.end.truncated > 0 {
        gaps.push(Gap::new(
            "undecoded",
            format!(
                "{} answers about {what} could not be read, {} were cut",
                tally.undecoded, tally.end.truncated
            ),
            "compare with --source proc",
        ));
    }
    if tally.end.interrupted {
        gaps.push(Gap::new(
            "table-changed",
            format!("the table of {what} changed while it was read; rows may be missing"),
            "run again",
        ));
    }
    gaps
}

fn line_gaps(protocol: Protocol, family: Family, tally: net_inet::Tally) -> Option<Gap> {
    bad_lines(net_inet::table(protocol, family)?, tally)
}

/// Lines of a table that were left out.
pub(super) fn bad_lines(table: &str, tally: net_inet::Tally) -> Option<Gap> {
    (tally.bad_lines > 0).then(|| {
        Gap::new(
            "bad-lines",
            match tally.bad_lines {
                1 => {
                    format!("1 line of net/{table} is not what the kernel writes and was left out")
                }
                lines => format!(
                    "{lines} lines of net/{table} are not what the kernel writes and were left out"
                ),
            },
            "look at the file",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_kernel_refuses_is_asked_for_no_more() {
        let refused = |errno| Error::errno("ask the kernel for", "TCP sockets", errno);
        let mut abilities = Abilities::ALL;
        assert!(lessen(&mut abilities, &refused(Errno::EPERM)));
        assert_eq!(abilities, Abilities { marks: false, ..Abilities::ALL });
        // The second EPERM is not about marks.
        assert!(!lessen(&mut abilities, &refused(Errno::EPERM)));
        assert!(lessen(&mut abilities, &refused(Errno::EINVAL)) && !abilities.newer);
        assert!(lessen(&mut abilities, &refused(Errno::EINVAL)) && !abilities.bytecode);
        assert!(!lessen(&mut abilities, &refused(Errno::EINVAL)));
        assert!(!lessen(&mut abilities, &refused(Errno::ENOENT)));
    }
}
