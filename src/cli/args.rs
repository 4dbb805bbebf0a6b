//! What can be typed. Validates and derives nothing; `plan` decides what it means.

use super::{deferred::Deferred, topic_word::TopicWord, watch_words};
use crate::{
    doctor::rules::RULES,
    model::state::State,
    view::watch::{grouping::Grouping, order::Sort},
};
use clap::{
    ArgAction, Args, Parser, Subcommand, ValueEnum, ValueHint,
    builder::{NonEmptyStringValueParser, PossibleValue, PossibleValuesParser},
};
use std::{
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

const EXAMPLES: &str = "\
Examples:
  sockeye -tulpn                       listeners, with their processes
  sockeye -tan                         every TCP socket, TIME_WAIT included
  sockeye -tan --group-by state        how many in each state
  sockeye -tn --sort -recv_queue --limit 10
                                       the ten fullest receive queues
  sockeye state = TIME_WAIT and dport = :443
                                       any filter of ss, or over any column
  sockeye -tp process = nginx and state = CLOSE_WAIT
                                       what one program has not closed
  sockeye -tanp --json | jq '.sockets[] | select(.state==\"CLOSE_WAIT\")'
  sockeye --columns help               every column, with unit and source

Letters mean what they mean in ss. The manual: man sockeye";

const CAPACITY_EXAMPLES: &str = "\
Examples:
  sockeye capacity                      every listener, destination, process, and the host
  sockeye capacity --to 10.0.0.9:5432 --pid 811
                                        how many more connections that process can open there
  sockeye capacity --listen 443         how many more its process can accept
  sockeye capacity --to 10.0.0.9:80 --assume net.ipv4.ip_local_port_range=1024..65535
                                        the same with another setting, before and after";

const KILL_EXAMPLES: &str = "\
Examples:
  sockeye kill dst 10.0.0.9 and dport = :443
                                        which connections that would close, and whose they are
  sockeye kill --yes process = nginx and state = CLOSE_WAIT
                                        close what one program has not closed
  sockeye kill --yes state = TIME_WAIT and dport = :5432
                                        free the ports that TIME_WAIT holds (kernel 6.1 and later)

The process gets ECONNABORTED, the peer a RST; data under way is lost.";
const WATCH_EXAMPLES: &str = "\
Examples:
  sockeye watch                         every socket; ? shows the keys
  sockeye watch --group-by process      which program has how many, and what flows
  sockeye watch --sort out              the largest senders first
  sockeye watch dst 10.0.0.7 and dport = :5432
                                        one destination
  sockeye watch -N blue                 another network namespace
  sockeye watch --from host.snapshot    a recorded host; nothing moves";

const DOCTOR_EXAMPLES: &str = "\
Examples:
  sockeye doctor                        every rule, over two seconds
  sockeye doctor --only accept-queue-overflow,fd-limit-process
                                        these alone; exit code 3 where one cannot be judged
  sockeye doctor --watch=5              again and again, through an incident
  sockeye doctor --format nagios        one line with perfdata, exit code 0, 1, 2 or 3
  sockeye doctor --from host.snapshot   of a recorded host
  sockeye explain close-wait-leak       what a rule means

Exit codes: 0 nothing above a notice, 1 a warning, 2 critical, 3 a named rule could not be judged.";

const TRACE_EXAMPLES: &str = "\
Examples:
  sockeye trace                         everything that happens to TCP and UDP sockets
  sockeye trace -t dport = :5432        connections to a database, as they open and close
  sockeye trace state = TIME_WAIT       who enters TIME_WAIT, and how long each connection lived
  sockeye trace --for 10 --ndjson | jq -r 'select(.event==\"closed\") | .lifetime_ms'

As root every change of state is seen, else what ends and what two looks tell apart.";

/// Shows the sockets of this machine: their state, queues and owners.
///
/// Asks the kernel over sock_diag netlink, and reads /proc/net where that is refused. Without -a or
/// -l it shows connected sockets.
#[derive(Debug, Parser)]
#[command(
    name = "sockeye",
    version,
    disable_version_flag = true,
    after_help = EXAMPLES,
    max_term_width = 100,
    disable_help_subcommand = true,
    // `-tt` is `-t`, and a later `--limit` wins: people append to what the shell remembers.
    args_override_self = true,
    subcommand_help_heading = "Commands",
    override_usage = "sockeye [OPTIONS] [FILTER]…\n       sockeye COMMAND [OPTIONS]"
)]
pub struct Cli {
    /// Options of the listing, the command when none is named.
    #[command(flatten)]
    pub list: ListArgs,
    /// The command.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Print version
    #[arg(short = 'V', visible_short_alias = 'v', long, action = ArgAction::Version)]
    pub version: Option<bool>,
}

impl Cli {
    /// The definition with the options of every command, which [`clap::CommandFactory`] leaves for
    /// when one is named.
    pub fn whole() -> clap::Command {
        let mut definition = <Self as clap::CommandFactory>::command();
        definition.build();
        definition
    }
}

/// A command.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List sockets; the command when none is named
    #[command(max_term_width = 100, args_override_self = true)]
    List(Deferred<ListArgs>),
    /// Count sockets by protocol, family and state
    Summary(Deferred<ReportArgs>),
    /// Tell who fills TIME_WAIT, whether it harms, and what to do
    #[command(max_term_width = 100)]
    TimeWait(Deferred<TimeWaitArgs>),
    /// Find what is wrong with this host's connections, prove it, and say what to do
    #[command(max_term_width = 100, after_help = DOCTOR_EXAMPLES)]
    Doctor(Deferred<DoctorArgs>),
    /// Explain a state, a limit, a column, a myth, the handshake, the close
    Explain(Deferred<ExplainArgs>),
    /// How many connections are possible, and which limit binds first
    #[command(max_term_width = 100, after_help = CAPACITY_EXAMPLES)]
    Capacity(Deferred<CapacityArgs>),
    /// Record sockets, owners, settings and counters in a file, for `--from FILE` elsewhere
    #[command(max_term_width = 100)]
    Snapshot(Deferred<SnapshotArgs>),
    /// Close sockets; shows which unless --yes is given
    #[command(max_term_width = 100, args_override_self = true, after_help = KILL_EXAMPLES)]
    Kill(Deferred<KillArgs>),
    /// Tell events as they happen: opened, changes of state, closed with totals
    #[command(max_term_width = 100, args_override_self = true, after_help = TRACE_EXAMPLES)]
    Trace(Deferred<TraceArgs>),
    /// Show what changed between two snapshots
    #[command(max_term_width = 100)]
    Diff(Deferred<DiffArgs>),
    /// Watch sockets, rates and limits on the whole screen
    #[command(max_term_width = 100, after_help = WATCH_EXAMPLES)]
    Watch(Deferred<WatchArgs>),
    /// Print the JSON Schema of a document
    Schema(Deferred<SchemaArgs>),
    /// Print the completion script of a shell
    Completions(Deferred<CompletionsArgs>),
}

/// Which sockets, which columns, which form.
#[derive(Debug, Clone, Default, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch somebody types")]
pub struct ListArgs {
    /// TCP sockets
    #[arg(short = 't', long, help_heading = "Which sockets")]
    pub tcp: bool,
    /// UDP sockets
    #[arg(short = 'u', long, help_heading = "Which sockets")]
    pub udp: bool,
    /// Raw IP sockets
    #[arg(short = 'w', long, help_heading = "Which sockets")]
    pub raw: bool,
    /// Unix sockets
    #[arg(short = 'x', long, help_heading = "Which sockets")]
    pub unix: bool,
    /// Multipath TCP sockets
    #[arg(short = 'M', long, help_heading = "Which sockets")]
    pub mptcp: bool,
    /// SCTP sockets
    #[arg(short = 'S', long, help_heading = "Which sockets")]
    pub sctp: bool,
    /// DCCP sockets
    #[arg(short = 'd', long, help_heading = "Which sockets")]
    pub dccp: bool,
    /// Packet sockets
    #[arg(short = '0', long, help_heading = "Which sockets")]
    pub packet: bool,
    /// Sockets between virtual machines and their host
    #[arg(long, help_heading = "Which sockets")]
    pub vsock: bool,
    /// XDP sockets
    #[arg(long, help_heading = "Which sockets")]
    pub xdp: bool,
    /// TIPC sockets
    #[arg(long, help_heading = "Which sockets")]
    pub tipc: bool,
    /// Tables by name, as in ss: tcp, u_str, netlink, inet, all…; `!` excludes
    #[arg(short = 'A', long, visible_alias = "socket", value_delimiter = ',',
          value_name = "TABLE,…", action = ArgAction::Append, help_heading = "Which sockets")]
    pub query: Vec<String>,
    /// Sockets of one family; given again, of another too
    #[arg(short = 'f', long, value_name = "FAMILY", action = ArgAction::Append,
          value_parser = PossibleValuesParser::new(families()), ignore_case = true,
          help_heading = "Which sockets")]
    pub family: Vec<String>,
    /// All: listening, connected, unconnected and TIME_WAIT
    #[arg(short = 'a', long, help_heading = "Which sockets")]
    pub all: bool,
    /// Listening sockets alone
    #[arg(short = 'l', long, help_heading = "Which sockets")]
    pub listening: bool,
    /// Sockets bound to a port, neither listening nor connected (kernel 6.8 and later)
    #[arg(short = 'B', long, help_heading = "Which sockets")]
    pub bound_inactive: bool,
    /// IPv4 alone; with -6 both
    #[arg(short = '4', long, help_heading = "Which sockets")]
    pub ipv4: bool,
    /// IPv6 alone; with -4 both
    #[arg(short = '6', long, help_heading = "Which sockets")]
    pub ipv6: bool,

    /// Show who holds each socket, or why nobody does
    #[arg(short = 'p', long, help_heading = "What to show")]
    pub processes: bool,
    /// Show the threads of the processes that hold each socket (implies -p)
    #[arg(short = 'T', long, help_heading = "What to show")]
    pub threads: bool,
    /// Show SELinux contexts of processes (implies -p)
    #[arg(short = 'Z', long, help_heading = "What to show")]
    pub context: bool,
    /// Show SELinux contexts of processes and sockets (implies -p)
    #[arg(short = 'z', long, help_heading = "What to show")]
    pub contexts: bool,
    /// Show socket filters in BPF, of packet sockets, and timers
    #[arg(short = 'b', long, help_heading = "What to show")]
    pub bpf: bool,
    /// Show timers
    #[arg(short = 'o', long, help_heading = "What to show")]
    pub options: bool,
    /// Show user, inode and cookie
    #[arg(short = 'e', long, help_heading = "What to show")]
    pub extended: bool,
    /// Show TCP details: round-trip time, window, retransmissions
    #[arg(short = 'i', long, help_heading = "What to show")]
    pub info: bool,
    /// Show socket memory
    #[arg(short = 'm', long, help_heading = "What to show")]
    pub memory: bool,
    /// Show type of service, traffic class and net_cls class
    #[arg(long, help_heading = "What to show")]
    pub tos: bool,
    /// Show cgroups
    #[arg(long, help_heading = "What to show")]
    pub cgroup: bool,
    /// Show options of the socket, such as transparent or freebind
    #[arg(long, help_heading = "What to show")]
    pub inet_sockopt: bool,
    /// Show what TIPC sockets drop, wait for and publish
    #[arg(long, help_heading = "What to show")]
    pub tipcinfo: bool,
    /// Show what BPF programs keep in sockets (needs CAP_BPF)
    #[arg(long, help_heading = "What to show")]
    pub bpf_maps: bool,
    /// Leave out the queues
    #[arg(short = 'Q', long, help_heading = "What to show")]
    pub no_queues: bool,
    /// Numbers instead of names: the default
    #[arg(short = 'n', long, overrides_with = "resolve", help_heading = "What to show")]
    pub numeric: bool,
    /// Names of addresses and services, as far as they are known within two seconds
    #[arg(short = 'r', long, overrides_with = "numeric", help_heading = "What to show")]
    pub resolve: bool,
    /// Columns to show, by id; `--columns help` lists them all
    #[arg(long, value_delimiter = ',', value_name = "COL,…", help_heading = "What to show")]
    pub columns: Vec<String>,
    /// Sort by a column; -COL: largest first
    #[arg(long, value_name = "[-]COL", allow_hyphen_values = true, help_heading = "What to show")]
    pub sort: Option<String>,
    /// Count sockets by the values of columns
    #[arg(long, value_delimiter = ',', value_name = "COL,…", help_heading = "What to show")]
    pub group_by: Vec<String>,
    /// Show at most N rows or groups
    #[arg(long, value_name = "N", value_parser = whole::<u32>, allow_negative_numbers = true,
          help_heading = "What to show")]
    pub limit: Option<u32>,
    /// Count sockets by protocol, family and state: the command `summary`
    #[arg(short = 's', long, help_heading = "What to show")]
    pub summary: bool,
    /// Print only how many there are
    #[arg(long, conflicts_with_all = ["group_by", "quiet"], help_heading = "What to show")]
    pub count: bool,

    /// Form of the output
    #[arg(long, value_enum, value_name = "FORM", help_heading = "Output")]
    pub format: Option<Format>,
    /// One JSON document (--format json)
    #[arg(long, conflicts_with_all = ["format", "ndjson"], help_heading = "Output")]
    pub json: bool,
    /// One JSON object a line (--format ndjson)
    #[arg(long, conflicts_with_all = ["format", "json"], help_heading = "Output")]
    pub ndjson: bool,
    /// Leave out the heading
    #[arg(short = 'H', long, help_heading = "Output")]
    pub no_header: bool,
    /// One line a socket: always so
    #[arg(short = 'O', long, help_heading = "Output")]
    pub oneline: bool,
    /// Tell which sockets end, as it happens, as ss -E (see `sockeye trace`)
    #[arg(short = 'E', long, help_heading = "What to do with them")]
    pub events: bool,
    /// Close the shown sockets at once, as ss -K; needs a filter (see `sockeye kill`)
    #[arg(short = 'K', long = "kill", help_heading = "What to do with them")]
    pub kill: bool,
    /// Print nothing; exit with 1 if no socket matched
    #[arg(short = 'q', long, help_heading = "Output")]
    pub quiet: bool,
    /// Colour, an aid and never the only sign (also NO_COLOR, CLICOLOR_FORCE)
    #[arg(long, value_enum, default_value_t, value_name = "WHEN", help_heading = "Output")]
    pub color: Colour,

    /// How often to ask.
    #[command(flatten)]
    pub repeat: RepeatArgs,
    /// Where to look.
    #[command(flatten)]
    pub source: SourceArgs,

    /// Write the kernel's raw answers about TCP sockets to FILE, `-` for standard output, as ss -D
    #[arg(short = 'D', long = "diag", value_name = "FILE", value_hint = ValueHint::FilePath,
          help_heading = "Output")]
    pub diag: Option<PathBuf>,
    /// Read more of the filter from FILE, `-` for standard input; `#` begins a comment
    #[arg(short = 'F', long = "filter", value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Which sockets")]
    pub filter_file: Option<PathBuf>,
    /// Which sockets: `state = TIME_WAIT`, `dport = :443 and dst 10/8`, `rtt > 50ms`
    #[arg(value_name = "FILTER")]
    pub filter: Vec<String>,
}

impl ListArgs {
    /// Whether nothing typed makes it a listing: then it is the overview.
    pub fn is_overview(&self) -> bool {
        let adds = self.tos
            || self.cgroup
            || self.inet_sockopt
            || self.bpf
            || self.tipcinfo
            || self.bpf_maps
            || self.no_queues;
        let selects = self.names_tables() || self.all || self.listening || self.bound_inactive;
        let narrows = self.ipv4 || self.ipv6 || self.limit.is_some();
        let filters = !self.filter.is_empty() || self.filter_file.is_some();
        let shows = self.shows_owners()
            || self.options
            || self.extended
            || self.info
            || self.memory
            || adds;
        let names = self.numeric || self.resolve || !self.columns.is_empty();
        let shapes = self.sort.is_some() || !self.group_by.is_empty() || self.count || self.quiet;
        let prints = self.no_header
            || self.oneline
            || self.ndjson
            || self.kill
            || self.events
            || self.diag.is_some();
        let format = matches!(self.format, None | Some(Format::Table | Format::Json));
        format && !(selects || narrows || filters || shows || names || shapes || prints)
    }

    /// Whether tables or a filter are named.
    pub fn names_sockets(&self) -> bool {
        self.names_tables() || !self.filter.is_empty() || self.filter_file.is_some()
    }

    /// Whether owners are shown.
    pub fn shows_owners(&self) -> bool {
        self.processes || self.threads || self.context || self.contexts
    }

    /// Whether a table or a family is named, `-4` and `-6` apart.
    pub fn names_tables(&self) -> bool {
        let of_inet = self.tcp || self.udp || self.raw || self.mptcp || self.sctp || self.dccp;
        let others = self.unix || self.packet || self.vsock || self.xdp || self.tipc;
        of_inet || others || !self.query.is_empty() || !self.family.is_empty()
    }

    /// The options a report has too.
    pub fn as_report(&self) -> ReportArgs {
        ReportArgs {
            output: OutputArgs {
                json: self.json || self.format == Some(Format::Json),
                color: self.color,
                ..OutputArgs::default()
            },
            repeat: self.repeat.clone(),
            source: self.source.clone(),
        }
    }
}

/// Options of `kill`.
#[derive(Debug, Clone, Default, Args)]
pub struct KillArgs {
    /// Close them; without it they are only shown
    #[arg(short = 'y', long, conflicts_with = "dry_run", help_heading = "What to do with them")]
    pub yes: bool,
    /// Only show what would be closed: the default
    #[arg(long, help_heading = "What to do with them")]
    pub dry_run: bool,
    /// Which sockets, and how they are shown.
    #[command(flatten)]
    pub list: ListArgs,
}

/// Options of `trace`.
#[derive(Debug, Clone, Args)]
pub struct TraceArgs {
    /// Where events come from
    #[arg(long, value_enum, default_value_t, value_name = "SOURCE", help_heading = "Events")]
    pub events_from: EventsFrom,
    /// Stop after this long
    #[arg(long = "for", value_name = "SECONDS", value_parser = seconds, help_heading = "Events")]
    pub r#for: Option<Duration>,
    /// Time between two looks, where looking tells the events
    #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = seconds,
          help_heading = "Events")]
    pub interval: Duration,
    /// Which sockets, and how they are shown; --limit stops after so many events.
    #[command(flatten)]
    pub list: ListArgs,
}

/// Where events come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum EventsFrom {
    /// The tracepoint as root, else what ends and two looks apart
    #[default]
    Auto,
    /// Every change of TCP states, by the tracepoint sock:inet_sock_set_state (root)
    Tracepoint,
    /// Sockets that end, as the kernel announces them: as ss -E
    Destroy,
    /// What differs between two looks
    Poll,
}

/// Options of `capacity`.
#[derive(Debug, Clone, Default, Args)]
pub struct CapacityArgs {
    /// How many more TCP connections can be opened to this destination; from the source address
    /// that the routing table gives, or `--from ADDR`. UDP has other rules: a socket that is not
    /// bound takes a port of the namespace for all destinations
    #[arg(long, value_name = "ADDR:PORT", conflicts_with = "listen", help_heading = "Question")]
    pub to: Option<SocketAddr>,
    /// By this process, with its descriptors and cgroups
    #[arg(long, value_name = "PID", requires = "to", help_heading = "Question")]
    pub pid: Option<u32>,
    /// By the calling shell: sockeye's parent process
    #[arg(long = "self", requires = "to", conflicts_with = "pid", help_heading = "Question")]
    pub own: bool,
    /// By a program that calls bind() with the source address before connect()
    #[arg(long, requires = "to", help_heading = "Question")]
    pub bound: bool,
    /// How many more connections the process of this listener can accept
    #[arg(long, value_name = "[ADDR:]PORT", help_heading = "Question")]
    pub listen: Option<String>,
    /// With another setting, a sysctl or `rlimit-nofile`: shows before and after (repeatable)
    #[arg(long, value_name = "NAME=VALUE", help_heading = "Question")]
    pub assume: Vec<String>,
    /// Form, how often and where.
    #[command(flatten)]
    pub report: ReportArgs,
}

impl CapacityArgs {
    /// The source addresses among the values of `--from`; the others are files. A file that is
    /// named like an address is written `./10.0.0.1`.
    pub fn source_addresses(&self) -> Vec<IpAddr> {
        self.report.source.from.iter().filter_map(|value| address(value)).collect()
    }

    /// The options of the report, with the files alone in `--from`.
    pub fn without_addresses(&self) -> ReportArgs {
        let mut report = self.report.clone();
        report.source.from.retain(|value| address(value).is_none());
        report
    }
}

fn address(value: &Path) -> Option<IpAddr> {
    value.to_str()?.parse().ok()
}

/// How a report is printed.
#[derive(Debug, Clone, Default, Args)]
pub struct OutputArgs {
    /// Form of the output
    #[arg(long, value_enum, value_name = "FORM", help_heading = "Output")]
    pub format: Option<ReportFormat>,
    /// One JSON document (--format json)
    #[arg(long, conflicts_with = "format", help_heading = "Output")]
    pub json: bool,
    /// One JSON document on one line, the same as --json
    #[arg(long, conflicts_with_all = ["format", "json"], help_heading = "Output")]
    pub ndjson: bool,
    /// Colour, an aid and never the only sign (also NO_COLOR, CLICOLOR_FORCE)
    #[arg(long, value_enum, default_value_t, value_name = "WHEN", help_heading = "Output")]
    pub color: Colour,
}

impl OutputArgs {
    /// Whether JSON is wanted.
    pub fn wants_json(&self) -> bool {
        self.json || self.ndjson || self.format.is_some_and(|f| f != ReportFormat::Table)
    }
}

/// Form of a report, how often and where.
#[derive(Debug, Clone, Default, Args)]
pub struct ReportArgs {
    /// How it is printed.
    #[command(flatten)]
    pub output: OutputArgs,
    /// How often to ask.
    #[command(flatten)]
    pub repeat: RepeatArgs,
    /// Where to look.
    #[command(flatten)]
    pub source: SourceArgs,
}

/// Options of `snapshot`.
#[derive(Debug, Clone, Args)]
pub struct SnapshotArgs {
    /// Where to write; `-` is standard output
    #[arg(short = 'o', long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub output: PathBuf,
    /// TCP sockets alone
    #[arg(short = 't', long, help_heading = "Which sockets")]
    pub tcp: bool,
    /// UDP sockets alone
    #[arg(short = 'u', long, help_heading = "Which sockets")]
    pub udp: bool,
    /// Time between the two looks, from which rates are known
    #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = seconds)]
    pub interval: Duration,
    /// Mask addresses and the names of host, users, processes, containers, units and cgroups
    #[arg(long)]
    pub redact: bool,
    /// Where to look; with --from, that snapshot is written anew.
    #[command(flatten)]
    pub source: SourceArgs,
}

/// Options of `watch`.
#[derive(Debug, Clone, Default, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch somebody types")]
pub struct WatchArgs {
    /// TCP sockets alone
    #[arg(short = 't', long, help_heading = "Which sockets")]
    pub tcp: bool,
    /// UDP sockets alone
    #[arg(short = 'u', long, help_heading = "Which sockets")]
    pub udp: bool,
    /// Raw IP sockets alone
    #[arg(short = 'w', long, help_heading = "Which sockets")]
    pub raw: bool,
    /// Multipath TCP sockets alone
    #[arg(short = 'M', long, help_heading = "Which sockets")]
    pub mptcp: bool,
    /// SCTP sockets alone
    #[arg(short = 'S', long, help_heading = "Which sockets")]
    pub sctp: bool,
    /// DCCP sockets alone
    #[arg(short = 'd', long, help_heading = "Which sockets")]
    pub dccp: bool,
    /// Tables of the internet by name, as in ss: tcp, udp, raw, inet…; `!` excludes
    #[arg(short = 'A', long, visible_alias = "socket", value_delimiter = ',',
          value_name = "TABLE,…", action = ArgAction::Append, help_heading = "Which sockets")]
    pub query: Vec<String>,
    /// IPv4 alone
    #[arg(short = '4', long, help_heading = "Which sockets")]
    pub ipv4: bool,
    /// IPv6 alone
    #[arg(short = '6', long, help_heading = "Which sockets")]
    pub ipv6: bool,
    // Typed out of habit: it is answered what shows them.
    #[arg(short = 'x', long, hide = true)]
    #[expect(missing_docs, reason = "the comment above; a doc comment would be its help")]
    pub unix: bool,
    #[arg(short = '0', long, hide = true)]
    #[expect(missing_docs, reason = "as above")]
    pub packet: bool,
    #[arg(long, hide = true)]
    #[expect(missing_docs, reason = "as above")]
    pub vsock: bool,
    #[arg(long, hide = true)]
    #[expect(missing_docs, reason = "as above")]
    pub xdp: bool,
    #[arg(long, hide = true)]
    #[expect(missing_docs, reason = "as above")]
    pub tipc: bool,
    // All of these are shown anyway.
    #[arg(short = 'a', long, hide = true)]
    #[expect(missing_docs, reason = "as above")]
    pub all: bool,
    #[arg(short = 'n', long, hide = true)]
    #[expect(missing_docs, reason = "as above")]
    pub numeric: bool,
    #[arg(short = 'p', long, hide = true)]
    #[expect(missing_docs, reason = "as above")]
    pub processes: bool,
    /// Read more of the filter from FILE, `-` for standard input; `#` begins a comment
    #[arg(short = 'F', long = "filter", value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Which sockets")]
    pub filter_file: Option<PathBuf>,

    /// Show sockets in this state alone, as the keys 1 to 9 do
    #[arg(long, value_name = "STATE", value_parser = watch_words::States,
          help_heading = "What to show")]
    pub state: Option<State>,
    /// Group sockets
    #[arg(id = "grouping", long = "group-by", value_name = "WORD", value_parser = watch_words::Groupings,
          help_heading = "What to show")]
    pub group_by: Option<Grouping>,
    /// Order of the lines; -WORD: largest first, +WORD: smallest first
    #[arg(id = "order", long = "sort", value_name = "[-]WORD", allow_hyphen_values = true,
          value_parser = watch_words::Orders, help_heading = "What to show")]
    pub sort: Option<(Sort, Option<bool>)>,
    /// Show each socket in TIME_WAIT, instead of a line for each destination
    #[arg(long, help_heading = "What to show")]
    pub no_fold: bool,
    /// Show sums since each socket was opened, instead of rates
    #[arg(long, help_heading = "What to show")]
    pub totals: bool,
    /// Ask again every SECONDS; less often where a round takes long
    #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = seconds,
          help_heading = "What to show")]
    pub interval: Duration,

    /// Print what opens, changes its state and closes, one JSON object a line, instead of a screen
    #[arg(long, help_heading = "Output")]
    pub ndjson: bool,
    /// Take the mouse: its wheel scrolls, a click selects; the terminal's own selection needs shift
    #[arg(long, help_heading = "Output")]
    pub mouse: bool,
    /// Colours for a light or a dark background; auto: by COLORFGBG, else dark
    #[arg(long, value_enum, default_value_t, value_name = "WHICH", help_heading = "Output")]
    pub theme: Background,
    /// Colour, an aid and never the only sign (also NO_COLOR, CLICOLOR_FORCE)
    #[arg(long, value_enum, default_value_t, value_name = "WHEN", help_heading = "Output")]
    pub color: Colour,

    /// Where to look.
    #[command(flatten)]
    pub source: SourceArgs,
    /// Which sockets, in the language of `sockeye list`
    #[arg(value_name = "FILTER")]
    pub filter: Vec<String>,
}

/// What the terminal's background is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Background {
    /// By the variable COLORFGBG, else dark
    #[default]
    Auto,
    /// Light
    Light,
    /// Dark
    Dark,
}

/// Options of `diff`.
#[derive(Debug, Clone, Args)]
pub struct DiffArgs {
    /// The earlier snapshot
    #[arg(value_name = "A", value_hint = ValueHint::FilePath)]
    pub before: PathBuf,
    /// The later snapshot
    #[arg(value_name = "B", value_hint = ValueHint::FilePath)]
    pub after: PathBuf,
    /// Show at most N sockets of each kind in the table; JSON has them all
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub limit: u32,
    /// How it is printed.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// Form of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// For people
    Table,
    /// One JSON document
    Json,
    /// One JSON document on one line
    Ndjson,
}

/// How often to ask.
#[derive(Debug, Clone, Default, Args)]
pub struct RepeatArgs {
    /// Ask again every SECONDS (2); in a pipe each round is a new document
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, require_equals = true,
          default_missing_value = "2", value_parser = seconds, help_heading = "Output")]
    pub watch: Option<Duration>,
    /// Stop after N rounds of --watch
    #[arg(long, value_name = "N", value_parser = whole::<u64>,
          allow_negative_numbers = true, help_heading = "Output")]
    pub times: Option<u64>,
}

impl RepeatArgs {
    /// Time between two rounds; `None`: ask once.
    pub fn interval(&self) -> Option<Duration> {
        self.watch
    }
}

/// Where to look.
#[derive(Debug, Clone, Default, Args)]
pub struct SourceArgs {
    /// Whom to ask: netlink, /proc, or netlink first
    #[arg(
        long,
        value_enum,
        default_value_t,
        value_name = "SOURCE",
        help_heading = "Where to look"
    )]
    pub source: Source,
    /// Read this /proc tree, such as a container host's mounted at /host/proc
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, help_heading = "Where to look")]
    pub proc_root: Option<PathBuf>,
    /// Look into a network namespace: a name of `ip netns`, a process id or a path; with --from one
    /// of the file, by name or inode
    #[arg(short = 'N', long, alias = "net", value_name = "NAME|PID|PATH", help_heading = "Where to look",
          conflicts_with = "all_netns", value_parser = NonEmptyStringValueParser::new())]
    pub netns: Option<String>,
    /// Look into every network namespace that can be entered, containers' included, each named
    #[arg(long, help_heading = "Where to look")]
    pub all_netns: bool,
    /// Read a recording instead of the kernel: what `sockeye snapshot -o FILE`, -D or ss -D wrote
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Where to look",
          action = ArgAction::Append)]
    pub from: Vec<PathBuf>,
    /// Stop looking for owners after this long; on a terminal 2 s, else no limit
    #[arg(long, value_name = "SECONDS", value_parser = seconds,
          allow_negative_numbers = true, help_heading = "Where to look")]
    pub owner_deadline: Option<Duration>,
}

/// Form of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Aligned columns, for people
    Table,
    /// Byte for byte what ss of iproute2 6.1.0 prints
    Ss,
    /// One JSON document, with all that is known of each socket
    Json,
    /// One JSON object a line, with the same
    Ndjson,
    /// The shown columns, exact and without units (RFC 4180)
    Csv,
}

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Colour {
    /// On a terminal that can, unless NO_COLOR is set
    #[default]
    Auto,
    /// In a pipe too
    Always,
    /// On no device
    Never,
}

/// Whom to ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Source {
    /// Netlink first, /proc where it is refused
    #[default]
    Auto,
    /// Netlink alone
    Netlink,
    /// /proc alone
    Proc,
}

/// Options of `time-wait`.
#[derive(Debug, Clone, Args)]
pub struct TimeWaitArgs {
    /// Count how many are closed in this time
    ///
    /// Where connections are being closed, some that are still open are looked at again after as
    /// long, a second at most: whose are in TIME_WAIT by then is certain.
    #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = seconds)]
    pub interval: Duration,
    /// Show at most N listeners and destinations (10; in JSON all)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: Option<u32>,
    /// Form of the report, how often and where.
    #[command(flatten)]
    pub report: ReportArgs,
}

/// Options of `doctor`.
#[derive(Debug, Clone, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch somebody types")]
pub struct DoctorArgs {
    /// Time between the two looks; counters are compared, not their totals
    #[arg(long, value_name = "SECONDS", default_value = "2", value_parser = seconds,
          help_heading = "Rules")]
    pub interval: Duration,
    /// These rules alone
    #[arg(long, value_delimiter = ',', value_name = "RULE,…", value_parser = rule_names(),
          hide_possible_values = true, help_heading = "Rules")]
    pub only: Vec<String>,
    /// Not these rules
    #[arg(long, value_delimiter = ',', value_name = "RULE,…", value_parser = rule_names(),
          hide_possible_values = true, help_heading = "Rules")]
    pub skip: Vec<String>,
    /// List every rule and end
    #[arg(long, help_heading = "Rules")]
    pub list_rules: bool,
    /// Thresholds and exceptions of this host [default: $XDG_CONFIG_HOME/sockeye/doctor.toml or
    /// /etc/sockeye/doctor.toml, where it is there]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Rules")]
    pub config: Option<PathBuf>,
    /// Read socket options (SO_KEEPALIVE, TCP_USER_TIMEOUT, SO_LINGER…) of the sockets in findings,
    /// through a duplicate of the descriptor that is held for a moment; sets nothing
    #[arg(long, help_heading = "Rules")]
    pub socket_options: bool,
    /// From which severity on the exit code is not 0
    #[arg(long, value_enum, default_value_t, value_name = "SEVERITY", help_heading = "Output")]
    pub fail_on: FailOn,
    /// Notices in full, and what became of each rule
    #[arg(short = 'v', long, help_heading = "Output")]
    pub verbose: bool,
    /// Form of the output
    #[arg(long, value_enum, value_name = "FORM", help_heading = "Output")]
    pub format: Option<DoctorFormat>,
    /// One JSON document (--format json)
    #[arg(long, conflicts_with = "format", help_heading = "Output")]
    pub json: bool,
    /// One JSON document on one line, the same as --json
    #[arg(long, conflicts_with_all = ["format", "json"], help_heading = "Output")]
    pub ndjson: bool,
    /// Colour, an aid and never the only sign (also NO_COLOR, CLICOLOR_FORCE)
    #[arg(long, value_enum, default_value_t, value_name = "WHEN", help_heading = "Output")]
    pub color: Colour,
    /// How often to ask.
    #[command(flatten)]
    pub repeat: RepeatArgs,
    /// Where to look.
    #[command(flatten)]
    pub source: SourceArgs,
}

/// Form of a diagnosis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DoctorFormat {
    /// For people
    Table,
    /// One JSON document
    Json,
    /// One JSON document on one line
    Ndjson,
    /// One line with perfdata, for Nagios and its kin
    Nagios,
}

/// From which severity on a finding is a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum FailOn {
    /// Any finding
    Notice,
    /// A warning or worse
    #[default]
    Warning,
    /// Critical alone
    Critical,
    /// Nothing
    Never,
}

fn rule_names() -> PossibleValuesParser {
    PossibleValuesParser::new(RULES.iter().map(|rule| PossibleValue::new(rule.id).help(rule.title)))
}

/// Options of `explain`.
#[derive(Debug, Clone, Args)]
pub struct ExplainArgs {
    /// What to explain, in any spelling; without it, the list of topics
    #[arg(value_name = "TOPIC", value_parser = TopicWord, hide_possible_values = true)]
    pub topic: Vec<String>,
    /// How it is printed.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// Options of `schema`.
#[derive(Debug, Clone, Args)]
pub struct SchemaArgs {
    /// Name of the document; without it, all names
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
}

/// Options of `completions`.
#[derive(Debug, Clone, Args)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub shell: Shell,
}

/// A shell with a completion script.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Shell {
    /// GNU bash
    Bash,
    /// Z shell
    Zsh,
    /// fish
    Fish,
}

/// The families of `-f`, by the words of ss and by ours.
fn families() -> [PossibleValue; 8] {
    let word = |word: &'static str, help: &'static str| PossibleValue::new(word).help(help);
    [
        word("inet", "IPv4").aliases(["ipv4", "4"]),
        word("inet6", "IPv6").aliases(["ipv6", "6"]),
        word("unix", "Unix domain"),
        word("link", "Packet sockets").alias("packet"),
        word("netlink", "To the kernel"),
        word("vsock", "Between virtual machines and their host"),
        word("tipc", "Cluster"),
        word("xdp", "Past the network stack"),
    ]
}

/// A whole number from 1.
fn whole<N: std::str::FromStr + Default + PartialEq>(text: &str) -> Result<N, String> {
    let number: Option<N> = text.parse().ok().filter(|number| *number != N::default());
    number.ok_or_else(|| "a whole number from 1".to_owned())
}

/// A length of time in seconds, fractions allowed.
fn seconds(text: &str) -> Result<Duration, String> {
    let wanted = "a number of seconds from 0.1 to 86400";
    let number: f64 = text.parse().map_err(|_| wanted.to_owned())?;
    if (0.1..=86_400.0).contains(&number) {
        Ok(Duration::from_secs_f64(number))
    } else {
        Err(wanted.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }
}
