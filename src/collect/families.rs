//! Reading the families that are not of the internet, and what no source can tell.

use super::{
    query::SourceChoice,
    tables::{Tables, Teller},
};
use crate::{
    field::need::Need,
    kernel::{
        error::{Cause, Error},
        netlink::connection::Next,
        proc::{net_families, net_sctp, protocols},
        sock_diag::families::{self, Wanted, unix},
    },
    model::{
        about::SourceKind, family::packet::Packet, gap::Gap, protocol::Protocol, state::StateSet,
    },
};
use nix::errno::Errno;

impl Tables<'_> {
    /// Whether netlink told the sockets of a family; if not, nothing of it was handed on.
    pub(super) fn family_by_netlink(
        &mut self,
        protocol: Protocol,
        states: StateSet,
        each: &mut Teller<'_>,
    ) -> Result<bool, Error> {
        let need = self.query.need;
        if net_families::table(protocol).is_some_and(|name| self.query.root.replaces(name)) {
            return Ok(false);
        }
        let Some(connection) = &mut self.connection else {
            return Ok(false);
        };
        let wanted = Wanted {
            memory: need.includes(Need::MEMORY),
            details: need.includes(Need::FAMILY_DETAILS),
            filters: need.includes(Need::FILTERS),
        };
        let names = (protocol == Protocol::Unix && need.includes(Need::UNIX_PEERS))
            .then(|| unix::Names::ask(connection))
            .transpose();
        let (mut rows, mut hidden) = (0u64, 0u64);
        let provenance = &mut self.provenance;
        let dumped = names.and_then(|names| {
            families::sockets(connection, protocol, states, wanted, |mut socket| {
                if let Some(names) = &names {
                    names.fill(&mut socket);
                }
                rows += 1;
                let told = |packet: &Packet| packet.filter.is_some();
                hidden += u64::from(wanted.filters && socket.packet().is_some_and(|p| !told(p)));
                provenance.told_by(SourceKind::Netlink);
                each(&mut socket, provenance)
            })
        });
        match dumped {
            Ok(tally) => {
                self.provenance.told_by(SourceKind::Netlink);
                let what = format!("{} sockets", protocol.title());
                self.provenance.gaps.extend(super::tables::dump_gaps(&what, &tally));
                if hidden > 0 {
                    self.provenance.gaps.push(Gap::new(
                        "filters-hidden",
                        format!("BPF programs of {hidden} packet sockets are hidden"),
                        "run as root: the kernel shows them to who has CAP_NET_ADMIN",
                    ));
                }
                Ok(true)
            }
            Err(error) if rows > 0 => {
                self.cut_short(protocol, rows, &error);
                Ok(true)
            }
            Err(error) => self.refused(protocol, error),
        }
    }

    /// Reads a family's table in /proc, where there is one.
    pub(super) fn family_by_proc(&mut self, protocol: Protocol, each: &mut Teller<'_>) {
        let Some(table) = net_families::table(protocol) else {
            return self.untold(protocol, None);
        };
        let provenance = &mut self.provenance;
        let read = net_families::sockets(&self.query.root, protocol, |mut socket| {
            provenance.told_by(SourceKind::Proc);
            each(&mut socket, provenance)
        });
        match read {
            Ok(tally) => {
                self.provenance.told_by(SourceKind::Proc);
                self.provenance.gaps.extend(super::tables::bad_lines(table, tally));
            }
            Err(error) => self.untold(protocol, Some(error)),
        }
    }

    /// Reads the tables of SCTP, which the module brings along.
    pub(super) fn sctp_by_proc(&mut self, each: &mut Teller<'_>) {
        let family = self.query.family;
        let provenance = &mut self.provenance;
        let read = net_sctp::sockets(&self.query.root, |mut socket| {
            if family.is_some_and(|family| family != socket.family) {
                return Next::More;
            }
            provenance.told_by(SourceKind::Proc);
            each(&mut socket, provenance)
        });
        match read {
            Ok(tally) => {
                if let Some(error) = &self.refused {
                    self.provenance.fallback_reason.get_or_insert_with(|| error.to_string());
                }
                self.provenance.told_by(SourceKind::Proc);
                self.provenance.gaps.extend(super::tables::bad_lines("sctp", tally));
            }
            // A kernel without the module has no such tables.
            Err(error) if error.is_absent() => self.untold(Protocol::Sctp, None),
            Err(error) => self.untold(Protocol::Sctp, Some(error)),
        }
    }

    /// Neither source told the sockets of a protocol: says why, or that there can be none.
    pub(super) fn untold(&mut self, protocol: Protocol, error: Option<Error>) {
        let registered = protocols::registered(&self.query.root);
        let is_known = registered.map_or(true, |known| known.contains(&protocol));
        let lacks = error.as_ref().is_none_or(Error::is_absent);
        match error {
            // A kernel that can make no such socket has none.
            _ if lacks && !is_known => {
                if self.query.named {
                    self.none.push(protocol);
                }
            }
            None => self.lacking.push(protocol),
            // Another machine's tree need not have every table.
            Some(error) if error.is_absent() && self.may_be_absent(protocol) => {
                self.absent.push(protocol);
                self.errors.push(error);
            }
            Some(error) => {
                self.provenance.gaps.push(super::tables::unreadable(protocol, &error));
                self.errors.push(error);
            }
        }
    }

    /// One sentence for all that this kernel cannot tell, and one for what it has not.
    pub(super) fn tell_what_lacks(&mut self) {
        if let Some((why, hint)) = self.what_lacks() {
            let message = format!("{} sockets are missing: {why}", listed(&self.lacking));
            self.provenance
                .gaps
                .push(Gap::new("kernel-lacks", message, hint).without(&self.lacking));
        }
        if !self.absent.is_empty() {
            let directory = self.query.root.net();
            let message = format!(
                "{} sockets are missing: {} has no tables of them",
                listed(&self.absent),
                directory.display()
            );
            let gap = Gap::new("tables-absent", message, "").without(&self.absent);
            self.provenance.gaps.push(gap);
        }
        if !self.none.is_empty() {
            self.provenance.gaps.push(Gap::new(
                "kernel-without",
                format!(
                    "there are no {} sockets: this kernel has none built in or loaded",
                    listed(&self.none)
                ),
                "",
            ));
        }
    }

    /// Whether it is no news that a table is not there: nobody named it.
    fn may_be_absent(&self, protocol: Protocol) -> bool {
        !self.query.named && !matches!(protocol, Protocol::Tcp | Protocol::Udp)
    }

    /// The answer where nothing that was asked for can be told.
    pub(super) fn nothing_told(&self) -> Option<Error> {
        let (why, hint) = self.what_lacks()?;
        let subject = format!("{} sockets", listed(&self.lacking));
        Some(Error { attempted: "list", subject, cause: Cause::Lacking { why, hint } })
    }

    fn what_lacks(&self) -> Option<(String, &'static str)> {
        if self.lacking.is_empty() {
            return None;
        }
        if self.query.source == SourceChoice::Proc || !self.query.root.is_live() {
            let why = "/proc does not tell them".to_owned();
            return Some((why, "ask with --source netlink, on the machine itself"));
        }
        let modules: Vec<_> = self.lacking.iter().filter_map(|p| module(*p)).collect();
        Some(if modules.is_empty() {
            ("netlink does not tell them".to_owned(), "ask with --source proc")
        } else {
            (
                format!("this kernel cannot tell, it has no {}", modules.join(" and no ")),
                "load the module with modprobe, or ask on a kernel that has it",
            )
        })
    }

    /// No module of the kernel tells these sockets by netlink; /proc does.
    pub(super) fn no_diag(&mut self, protocol: Protocol) -> bool {
        let alone = self.query.source == SourceChoice::Netlink;
        if alone {
            self.lacking.push(protocol);
        }
        alone
    }

    /// Netlink refused the request before the first row. Whether that is the end of it.
    pub(super) fn refused(&mut self, protocol: Protocol, error: Error) -> Result<bool, Error> {
        let lacks = matches!(
            error.as_errno(),
            Some(Errno::ENOENT | Errno::EOPNOTSUPP | Errno::EPROTONOSUPPORT | Errno::EINVAL)
        );
        match self.query.source {
            SourceChoice::Netlink if lacks => {
                self.untold(protocol, None);
                Ok(true)
            }
            SourceChoice::Netlink if self.query.protocols.len() == 1 => Err(error),
            SourceChoice::Netlink => {
                self.provenance.gaps.push(super::tables::unreadable(protocol, &error));
                self.errors.push(error);
                Ok(true)
            }
            _ => {
                self.refused = Some(error);
                Ok(false)
            }
        }
    }

    pub(super) fn cut_short(&mut self, protocol: Protocol, rows: u64, error: &Error) {
        self.provenance.gaps.push(Gap::new(
            "dump-cut-short",
            format!("{protocol} sockets are missing after the first {rows}: {error}"),
            "run again",
        ));
    }
}

/// The kernel's module that tells of a protocol's sockets.
const fn module(protocol: Protocol) -> Option<&'static str> {
    Some(match protocol {
        Protocol::Tcp => "tcp_diag",
        Protocol::Udp | Protocol::UdpLite => "udp_diag",
        Protocol::Raw => "raw_diag",
        Protocol::Mptcp => "mptcp_diag",
        Protocol::Sctp => "sctp_diag",
        Protocol::Dccp => "dccp_diag",
        Protocol::Unix => "unix_diag",
        Protocol::Packet => "af_packet_diag",
        Protocol::Netlink => "netlink_diag",
        Protocol::Vsock => "vsock_diag",
        Protocol::Xdp => "xsk_diag",
        Protocol::Tipc => "tipc_diag",
        Protocol::Icmp => return None,
    })
}

/// `vsock and XDP`, `SCTP, vsock and XDP`.
fn listed(protocols: &[Protocol]) -> String {
    let titles: Vec<_> = protocols.iter().map(|protocol| protocol.title()).collect();
    match titles.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, first)) => format!("{} and {last}", first.join(", ")),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protocols_are_listed_as_people_list_things() {
        use Protocol::{Sctp, Vsock, Xdp};
        assert_eq!(listed(&[Vsock]), "vsock");
        assert_eq!(listed(&[Sctp, Vsock, Xdp]), "SCTP, vsock and XDP");
    }
}
