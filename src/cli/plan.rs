//! What the arguments of a listing mean: every default, alias and conflict is decided here.

use super::{
    args::{Colour, Format, ListArgs, RepeatArgs, Source, SourceArgs},
    environment,
    failure::Failure,
    filter, notices, ss, tables,
};
use crate::{
    collect::query::{Order, Query, Scope, SourceChoice},
    field::{self, definition::Field, need::Need},
    filter::Filter,
    kernel::{namespace, proc::root::Root, recording_file},
    model::{
        netns::Netns,
        protocol::Protocol,
        recording::Recording,
        state::{State, StateSet},
    },
    view::{
        rows::{counted, groups, json::Shape, ss::Shown},
        terminal::Device,
    },
};
use anstream::ColorChoice;
use std::{
    io::{self, IsTerminal},
    time::Duration,
};

/// How long `-r` makes the user wait for names, in all.
const RESOLVE: Duration = Duration::from_secs(2);

/// How long a person waits for owners, without `--owner-deadline`.
const OWNERS: Duration = Duration::from_secs(2);

/// A listing, decided.
pub struct Plan {
    /// What to ask.
    pub query: Query,
    /// Columns to show or group by.
    pub fields: Vec<&'static Field>,
    /// How to show it.
    pub form: Form,
    /// Whether to print headings.
    pub heading: bool,
    /// Whether only the exit code is wanted.
    pub quiet: bool,
    /// What the output device can do.
    pub device: Device,
}

/// How a listing is shown.
#[derive(Debug, Clone)]
pub enum Form {
    /// A table.
    Table,
    /// A JSON document.
    Json(Shape),
    /// One JSON object a line.
    JsonLines(Shape),
    /// CSV.
    Csv,
    /// The text of ss.
    Ss(Shown),
    /// Counts by values, at most so many.
    Groups(groups::Form, Option<usize>),
    /// A count.
    Count(counted::Form),
    /// The list of columns.
    ColumnsHelp,
}

impl Plan {
    /// Decides.
    pub fn of(args: &ListArgs) -> Result<Self, Failure> {
        Self::over(args, Scope::Here)
    }

    /// The same, of sockets that may be of several network namespaces whatever the arguments say.
    pub fn over(args: &ListArgs, least: Scope) -> Result<Self, Failure> {
        let tables = tables::of(args)?;
        let filter = filter::of(args, tables.only)?;
        if args.resolve && !args.source.from.is_empty() {
            return Err(Failure::usage(
                "--resolve would ask this machine about the addresses of another",
                "leave out -r: a snapshot is shown with the names recorded in it",
            ));
        }
        let device = device(args.color);
        let format = match args.format {
            _ if args.json => Format::Json,
            _ if args.ndjson => Format::Ndjson,
            format => format.unwrap_or(Format::Table),
        };
        let scope = match least {
            Scope::Here => scope(&args.source, filter.as_ref()),
            Scope::Everywhere => least,
        };
        let as_ss = format == Format::Ss;
        let count = tables.count();
        let mut listed = tables.protocols;
        if as_ss && !tables.named {
            // ss knows neither.
            listed.retain(|(p, _)| !matches!(p, Protocol::UdpLite | Protocol::Icmp));
        }
        let protocols = filter::narrow(listed.clone(), filter.as_ref());
        let chosen = columns(&args.columns)?;
        let grouped = columns(&args.group_by)?;
        let fields = if !grouped.is_empty() {
            grouped.clone()
        } else if chosen.is_empty() {
            default_columns(args, &protocols, format, scope)
        } else {
            chosen.clone()
        };
        let order = args.sort.as_deref().map(order).transpose()?;
        let limit = args.limit.map(|limit| limit as usize);
        let form = if args.columns.iter().any(|c| c == "help") {
            Form::ColumnsHelp
        } else if !grouped.is_empty() {
            Form::Groups(group_form(format, device), limit)
        } else if args.quiet || args.count {
            Form::Count(match format {
                _ if args.quiet => counted::Form::Silent,
                Format::Json | Format::Ndjson => counted::Form::Json,
                Format::Table | Format::Ss | Format::Csv => counted::Form::Number,
            })
        } else {
            let shape = || {
                if chosen.is_empty() { Shape::Whole } else { Shape::Columns(chosen.clone()) }
            };
            match format {
                Format::Table => Form::Table,
                Format::Json => Form::Json(shape()),
                Format::Ndjson => Form::JsonLines(shape()),
                Format::Csv => Form::Csv,
                Format::Ss => Form::Ss(ss::shown(args, filter.as_ref(), &listed, count)),
            }
        };
        let need = need(args, &fields, &form, order);
        let need = filter.as_ref().map_or(need, |filter| need.with(filter.need()));
        let (order, limit) = match form {
            // Groups have an order of their own.
            Form::Groups(..) => (None, None),
            Form::Count(counted::Form::Silent) => (None, Some(1)),
            Form::Count(_) => (None, limit),
            _ => (order, limit),
        };
        let query = Query {
            protocols,
            filter,
            types: tables.types,
            named: tables.named,
            family: tables.family,
            need,
            scope,
            source: source(&args.source),
            root: root(&args.source)?,
            order,
            limit,
            resolve: args.resolve.then_some(RESOLVE),
            services: args.resolve || (as_ss && !args.numeric),
            families_apart: as_ss,
            pids: vec![],
            owner_patience: owner_patience(&args.source),
            owner_progress: notices::owner_progress(),
        };
        Ok(Self { query, fields, form, heading: !args.no_header, quiet: args.quiet, device })
    }
}

/// What standard output can do, with the user's choice of colour.
pub fn device(colour: Colour) -> Device {
    Device::stdout(match colour {
        Colour::Auto => ColorChoice::Auto,
        Colour::Always => ColorChoice::Always,
        Colour::Never => ColorChoice::Never,
    })
}

/// Whom to ask.
fn source(args: &SourceArgs) -> SourceChoice {
    let is_tree = args.proc_root.is_none() && environment::proc_root().is_some();
    match args.source {
        Source::Auto if is_tree => SourceChoice::Proc,
        Source::Auto => SourceChoice::Auto,
        Source::Netlink => SourceChoice::Netlink,
        Source::Proc => SourceChoice::Proc,
    }
}

/// Whose sockets. A filter over namespaces, containers or pods asks for those of every namespace,
/// unless one is named.
fn scope(args: &SourceArgs, filter: Option<&Filter>) -> Scope {
    let by_filter = filter.is_some_and(Filter::is_about_namespaces) && args.netns.is_none();
    if args.all_netns || by_filter { Scope::Everywhere } else { Scope::Here }
}

/// What a report asks for: these sockets of both families, with this cost.
pub fn report_query(
    args: &SourceArgs,
    protocols: Vec<(Protocol, StateSet)>,
    need: Need,
) -> Result<Query, Failure> {
    Ok(Query {
        scope: scope(args, None),
        source: source(args),
        owner_patience: owner_patience(args),
        owner_progress: notices::owner_progress(),
        // Reports read whatever a socket tells.
        ..Query::plain(root(args)?, protocols, need.with(Need::UNASKED))
    })
}

/// How long the look-up of owners may take: on a terminal somebody waits, a script wants it all.
fn owner_patience(args: &SourceArgs) -> Option<Duration> {
    args.owner_deadline.or_else(|| io::stdout().is_terminal().then_some(OWNERS))
}

/// The snapshots to read instead of the kernel, of each network namespace of the file one, or that
/// which is named; `None`: the kernel.
///
/// They do not change: asking them again and again is refused, and so are names of addresses, which
/// only this machine's resolver could tell.
pub fn recordings(
    args: &SourceArgs,
    repeat: &RepeatArgs,
) -> Result<Option<Vec<Recording>>, Failure> {
    let dump = environment::dump_file().filter(|_| args.from.is_empty());
    let from = if dump.is_some() { "TCPDIAG_FILE" } else { "--from" };
    let path = match (args.from.as_slice(), &dump) {
        ([], None) => return Ok(None),
        ([], Some(path)) | ([path], _) => path,
        _ => {
            return Err(Failure::usage(
                "--from names two snapshots",
                "`sockeye diff A B` compares two",
            ));
        }
    };
    // Not by clap's conflicts: `capacity --from ADDR` is no snapshot.
    let elsewhere = [
        ("--source", args.source != Source::Auto),
        ("--proc-root", args.proc_root.is_some()),
        ("--owner-deadline", args.owner_deadline.is_some()),
    ];
    if let Some((option, _)) = elsewhere.into_iter().find(|(_, given)| *given) {
        return Err(Failure::usage(
            format!("{option} asks the kernel and {from} reads a recording"),
            "leave out one of them",
        ));
    }
    if repeat.interval().is_some() {
        return Err(Failure::usage(
            format!("--watch repeats a question and {from} has one answer"),
            "leave out one of them",
        ));
    }
    if dump.is_some() {
        notices::note(&format!("read from {}, as TCPDIAG_FILE says", path.display()));
    }
    let mut recordings = recording_file::read(path)?;
    if let Some(which) = &args.netns {
        let known: Vec<String> =
            recordings.iter().map(|recording| recording.snapshot.about.netns.title()).collect();
        recordings.retain(|recording| is_called(&recording.snapshot.about.netns, which));
        if recordings.is_empty() {
            return Err(Failure::usage(
                format!("{} has no network namespace called `{which}`", path.display()),
                format!("it has {}", known.join(", ")),
            ));
        }
    }
    Ok(Some(recordings))
}

/// Whether a recorded namespace is meant: by its name, or by its inode.
fn is_called(netns: &Netns, which: &str) -> bool {
    netns.name.as_deref() == Some(which)
        || netns.inode.is_some_and(|inode| which.parse() == Ok(inode))
}

/// Moves into the namespace that was named, unless it is one of a recording.
pub fn enter(args: &SourceArgs) -> Result<(), Failure> {
    match &args.netns {
        Some(netns) if args.from.is_empty() => namespace::enter(netns).map_err(Failure::namespace),
        _ => Ok(()),
    }
}

/// The /proc tree to read: the option's, else that of `PROC_ROOT`.
pub fn root(args: &SourceArgs) -> Result<Root, Failure> {
    let root = match args.proc_root.clone().or_else(environment::proc_root) {
        Some(path) => Root::at(&path)?,
        None => Root::live(),
    };
    Ok(root.with_tables(environment::tables()))
}

/// Columns by name; `help` is left to the caller.
fn columns(names: &[String]) -> Result<Vec<&'static Field>, Failure> {
    names.iter().filter(|name| *name != "help").map(|name| column(name)).collect()
}

fn column(name: &str) -> Result<&'static Field, Failure> {
    field::find(name.trim()).ok_or_else(|| {
        let hint = match field::nearest(name) {
            Some(near) => format!("did you mean `{near}`? `--columns help` lists every column"),
            None => "`--columns help` lists every column".to_owned(),
        };
        Failure::usage(format!("no column is called `{name}`"), hint)
    })
}

fn order(text: &str) -> Result<Order, Failure> {
    let (name, descending) = match text.strip_prefix('-') {
        Some(name) => (name, true),
        None => (text.strip_prefix('+').unwrap_or(text), false),
    };
    Ok(Order { field: column(name)?, descending })
}

/// What the listing shows when no columns are named.
fn default_columns(
    args: &ListArgs,
    protocols: &[(Protocol, StateSet)],
    format: Format,
    scope: Scope,
) -> Vec<&'static Field> {
    let any = |what: fn(Protocol) -> bool| protocols.iter().any(|(protocol, _)| what(*protocol));
    let all = |what: fn(Protocol) -> bool| protocols.iter().all(|(protocol, _)| what(*protocol));
    let several = protocols.len() > 1;
    let has_types =
        |p| matches!(p, Protocol::Unix | Protocol::Packet | Protocol::Vsock | Protocol::Tipc);
    let stateless = |p| matches!(p, Protocol::Packet | Protocol::Netlink | Protocol::Xdp);
    // A filter may have decided on the states.
    let shown = protocols.iter().fold(StateSet::NONE, |sum, (_, states)| sum.with(*states));
    let peerless = StateSet::of(State::Listen).with(StateSet::of(State::Unconnected));
    let listeners = protocols
        .iter()
        .any(|(protocol, states)| protocol.can_listen() && states.contains(State::Listen));
    let only_listeners = !shown.is_empty() && peerless.includes(shown);
    let mut ids = vec![];
    let mut when = |shown: bool, more: &[&'static str]| {
        if shown {
            ids.extend_from_slice(more);
        }
    };
    when(scope == Scope::Everywhere, &["netns.name"]);
    when(several && all(Protocol::is_inet), &["protocol"]);
    when(several && !all(Protocol::is_inet), &["netid"]);
    when(!several && all(has_types), &["type"]);
    when(!all(stateless), &["state"]);
    when(!only_listeners || any(|p| !p.has_tcp_states()), &["recv_queue"]);
    when(!only_listeners, &["send_queue"]);
    when(listeners, &["accept_queue"]);
    when(listeners && format == Format::Csv, &["accept_queue_limit"]);
    when(true, &["local"]);
    when(!only_listeners, &["peer"]);
    when(
        (args.options || args.bpf) && any(Protocol::is_inet),
        &["timer", "timer.expires", "retransmits", "age"],
    );
    when(args.extended, &["user", "inode", "cookie"]);
    when(args.extended && !several, protocols.first().map_or(&[], |(p, _)| extended_columns(*p)));
    when(args.info && all(|p| p == Protocol::Mptcp), &MPTCP_COLUMNS);
    when(args.info && all(|p| p == Protocol::Sctp), &SCTP_COLUMNS);
    when(
        args.info && any(|p| p == Protocol::Tcp),
        &[
            "congestion",
            "rtt",
            "min_rtt",
            "cwnd",
            "mss",
            "bytes_sent",
            "bytes_received",
            "total_retrans",
            "delivery_rate",
        ],
    );
    when(args.memory, &["rmem", "rcvbuf", "wmem_queued", "sndbuf", "drops"]);
    when(args.tos, &["tos", "tclass", "class_id"]);
    when(args.cgroup, &["cgroup"]);
    when(args.inet_sockopt, &["sockopt"]);
    when(args.tipcinfo && !args.extended, extended_columns(Protocol::Tipc));
    when(args.bpf_maps, &["bpf_maps"]);
    when(args.bpf && any(|p| p == Protocol::Packet), &["packet.filter"]);
    when(args.shows_owners(), &["owner"]);
    when(args.threads, &["tid"]);
    when(args.context || args.contexts, &["context"]);
    when(args.contexts, &["socket_context"]);
    let has_unix = any(|p| p == Protocol::Unix);
    when(args.shows_owners() && !only_listeners && has_unix, &["peer.owner"]);
    if args.no_queues {
        ids.retain(|id| !id.ends_with("_queue"));
    }
    ids.into_iter().filter_map(field::find).collect()
}

/// What `-i` shows of MPTCP.
const MPTCP_COLUMNS: [&str; 5] = [
    "mptcp.token",
    "mptcp.subflows_total",
    "mptcp.bytes_sent",
    "mptcp.bytes_received",
    "mptcp.connections",
];

/// What `-i` shows of SCTP.
const SCTP_COLUMNS: [&str; 5] = [
    "sctp.association_state",
    "sctp.rwnd",
    "sctp.peer_rwnd",
    "sctp.in_streams",
    "sctp.out_streams",
];

/// What `-e` shows of a table that is listed alone.
const fn extended_columns(protocol: Protocol) -> &'static [&'static str] {
    match protocol {
        Protocol::Unix => &["file.inode", "pending"],
        Protocol::Packet => &[
            "packet.version",
            "packet.flags",
            "packet.rx_ring",
            "packet.tx_ring",
            "packet.fanout_id",
            "packet.fanout_mode",
            "packet.memberships",
        ],
        Protocol::Netlink => &["netlink.peer_port_id", "netlink.groups", "netlink.flags"],
        Protocol::Xdp => &["xdp.rx_entries", "xdp.tx_entries", "xdp.umem_size", "xdp.zero_copy"],
        Protocol::Tipc => &["tipc.drops", "tipc.congested", "tipc.published"],
        _ => &[],
    }
}

fn group_form(format: Format, device: Device) -> groups::Form {
    match format {
        Format::Table | Format::Ss => groups::Form::Table(device),
        Format::Json => groups::Form::Json,
        Format::Ndjson => groups::Form::JsonLines,
        Format::Csv => groups::Form::Csv,
    }
}

/// What has to be asked for. A whole JSON object has what is cheap to know and what was asked for.
fn need(args: &ListArgs, fields: &[&Field], form: &Form, order: Option<Order>) -> Need {
    let by_switch = [
        (args.shows_owners(), Need::OWNERS),
        (args.threads, Need::THREADS),
        (args.context || args.contexts, Need::CONTEXTS),
        (args.contexts, Need::SOCKET_CONTEXTS),
        (args.info, Need::TCP_INFO.with(Need::CONGESTION)),
        (args.memory, Need::MEMORY),
        (args.tos, Need::TOS.with(Need::TRAFFIC_CLASS)),
        (args.bpf_maps, Need::STORAGES),
        (args.bpf, Need::FILTERS),
        (args.info && args.mptcp, Need::SUBFLOWS),
    ];
    let whole = matches!(form, Form::Json(Shape::Whole) | Form::JsonLines(Shape::Whole));
    let shown = matches!(form, Form::Count(_))
        .then_some(Need::NONE)
        .unwrap_or_else(|| fields.iter().fold(Need::NONE, |sum, f| sum.with(f.need)));
    if let Form::Ss(shown) = form {
        return shown.need().with(order.map_or(Need::NONE, |order| order.field.need));
    }
    let known = [Need::MARK, Need::USERS, Need::CGROUPS, Need::INTERFACES];
    let known = known.into_iter().fold(Need::UNASKED, Need::with);
    let of_families = Need::UNIX_PEERS.with(Need::FAMILY_DETAILS);
    let base = if whole { known.with(of_families) } else { shown };
    by_switch
        .into_iter()
        .filter(|(on, _)| *on && (whole || !matches!(form, Form::Count(_))))
        .chain(order.map(|order| (true, order.field.need)))
        .fold(base, |sum, (on, need)| if on { sum.with(need) } else { sum })
}
