//! `sockeye capacity`: how many connections are possible, and which limit binds first.

use super::report::{self, Report};
use crate::{
    cli::{args::CapacityArgs, exit::Exit, failure::Failure, plan},
    field::need::Need,
    kernel::route,
    model::{endpoint::Endpoint, protocol::Protocol, snapshot::Snapshot, state::StateSet},
    report::{
        capacity::{
            assume::Assumption,
            estimate::Estimate,
            question::{Question, Unanswerable},
        },
        ephemeral,
    },
    view::present,
};
use nix::unistd::getppid;
use std::net::{IpAddr, SocketAddr};

/// Answers the question, or shows every limit.
pub fn run(args: &CapacityArgs) -> Result<Exit, Failure> {
    let assumptions =
        args.assume.iter().map(|text| assumption(text)).collect::<Result<Vec<_>, _>>()?;
    let listen = args.listen.as_deref().map(listener).transpose()?;
    // Ports of idle bound sockets matter to who connects, and cost a walk of the host's bind
    // table, 26 to 50 ms. Who listens has no use for them.
    let states = if listen.is_some() { StateSet::ALL } else { ephemeral::states_with_bound() };
    let need = [Need::LIMITS, Need::NAMED_PORTS, Need::DESCRIPTORS]
        .into_iter()
        .fold(Need::OWNERS, Need::with);
    let addresses = args.source_addresses();
    let told = match addresses.as_slice() {
        [] => None,
        [address] if args.to.is_some() => Some(*address),
        [_] => return Err(from_without_to()),
        _ => {
            return Err(Failure::usage(
                "--from names two source addresses",
                "ask for one at a time",
            ));
        }
    };
    let report_args = args.without_addresses();
    let recorded = !report_args.source.from.is_empty();
    if recorded && args.own {
        return Err(Failure::usage(
            "--self is a process of this machine, and --from FILE is of another",
            "name a process of the snapshot with --pid PID",
        ));
    }
    let source = &report_args.source;
    let mut query = plan::report_query(source, vec![(Protocol::Tcp, states)], need)?;
    let pid = if args.own { u32::try_from(getppid().as_raw()).ok() } else { args.pid };
    query.pids = pid.into_iter().collect();
    // The routes of this machine are not those of a recorded one.
    let live = query.root.is_live() && !recorded;
    report::run(&report_args, "sockeye.capacity/1", &query, None, |snapshot| {
        let question = match (args.to, listen) {
            (Some(to), _) => Some(Question::To {
                peer: Endpoint::new(to.ip(), to.port()),
                local: source_address(told, to, snapshot, live),
                pid,
                bound: args.bound,
            }),
            (None, Some((address, port))) => Some(Question::Listen { address, port }),
            (None, None) => None,
        };
        let figures = Estimate::of(snapshot, question.as_ref(), &assumptions)
            .map_err(|why| unanswerable(&why))?;
        let document = present::capacity::document(&figures, question.as_ref());
        Ok(Report { figures, document })
    })
}

/// The source address: as told, as the routing table has it, or as the connections there are.
fn source_address(
    told: Option<IpAddr>,
    to: SocketAddr,
    snapshot: &Snapshot,
    live: bool,
) -> Option<IpAddr> {
    let by_route = || if live { route::source_to(to).ok() } else { None };
    let by_use = || {
        let is_there = |end: Endpoint| {
            end.port == to.port() && end.address.to_canonical() == to.ip().to_canonical()
        };
        snapshot.sockets.iter().find(|s| is_there(s.remote)).map(|s| s.local.address)
    };
    told.or_else(by_route).or_else(by_use)
}

fn from_without_to() -> Failure {
    Failure::usage(
        "--from ADDR is the source address of a question, and none was asked",
        "add --to ADDR:PORT; a file with such a name is written `./ADDR`",
    )
}

fn assumption(text: &str) -> Result<Assumption, Failure> {
    Assumption::parse(text).map_err(|why| {
        let name = text.split('=').next().unwrap_or_default();
        let near = Assumption::names()
            .map(|known| (strsim::jaro_winkler(name, known), known))
            .max_by(|a, b| a.0.total_cmp(&b.0))
            .filter(|(likeness, known)| *likeness > 0.8 && *known != name);
        let names: Vec<&str> = Assumption::names().collect();
        let hint = match near {
            Some((_, near)) => format!("did you mean `{near}`?"),
            None => format!("NAME is one of {}", names.join(", ")),
        };
        Failure::usage(format!("--assume: {why}"), hint)
    })
}

/// `443`, `:443`, `10.0.0.1:443`, `[::1]:443`, `*:443`.
fn listener(text: &str) -> Result<(Option<IpAddr>, u16), Failure> {
    if let Ok(at) = text.parse::<SocketAddr>() {
        return Ok((Some(at.ip()), at.port()));
    }
    let port = text.strip_prefix('*').unwrap_or(text);
    let port = port.strip_prefix(':').unwrap_or(port);
    port.parse().ok().filter(|port| *port > 0).map(|port| (None, port)).ok_or_else(|| {
        Failure::usage(
            format!("`{text}` is no listener"),
            "[ADDR:]PORT, such as 443, 10.0.0.1:443 or [::1]:443",
        )
    })
}

fn unanswerable(why: &Unanswerable) -> Failure {
    let (message, hint) = match why {
        Unanswerable::NoListener => (
            "nothing listens there".to_owned(),
            "`sockeye -tlnp` shows the listeners; -N looks into another namespace",
        ),
        Unanswerable::NoProcess(why) => {
            (format!("the limits of the process are not known: {why}"), "check the process id")
        }
        Unanswerable::NoSource => (
            "the source address is not known: no route to the destination is known".to_owned(),
            "name it with --from ADDR",
        ),
    };
    Failure { exit: Exit::NoAnswer, message, hints: vec![hint.to_owned()] }
}
