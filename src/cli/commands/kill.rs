//! `sockeye kill`, and `-K` on a list: closes sockets from outside.

use super::list::ask;
use crate::{
    cli::{
        args::{KillArgs, ListArgs, Source},
        exit::Exit,
        failure::Failure,
        filter,
        notices::Notices,
        plan::{self, Form, Plan},
    },
    collect::{
        closing,
        query::{Query, Scope},
    },
    model::{
        closing::{Closing, Refusal},
        gap::Gap,
        protocol::Protocol,
        socket::Socket,
        state::StateSet,
    },
    view::{
        output::Output,
        rows::closing::{Closings, Form as Shown},
    },
};
use std::{env, net::IpAddr};

/// Shows what it would close, or with `--yes` closes it.
pub fn run(args: &KillArgs) -> Result<Exit, Failure> {
    kill(&args.list, args.yes || args.list.kill)
}

/// Closes at once, as `ss -K` does.
pub fn at_once(args: &ListArgs) -> Result<Exit, Failure> {
    kill(args, true)
}

fn kill(args: &ListArgs, yes: bool) -> Result<Exit, Failure> {
    refuse(args)?;
    // Who holds a socket is what one has to know before closing it.
    let mut list = ListArgs { processes: true, kill: false, ..args.clone() };
    if !list.names_tables() {
        list.query = CLOSABLE.map(|protocol| protocol.name().to_owned()).to_vec();
    }
    let plan = Plan::of(&list)?;
    closable(&plan.query.protocols)?;
    let shown = match plan.form {
        _ if plan.quiet => Shown::Silent,
        Form::Table => Shown::Table(plan.device),
        Form::Json(_) => Shown::Json,
        Form::JsonLines(_) => Shown::JsonLines,
        _ => {
            return Err(Failure::usage(
                "what is closed is shown as a table, as --json or as --ndjson",
                "leave out the other form; `sockeye list` has it",
            ));
        }
    };
    plan::enter(&args.source)?;
    filter::check_names(&plan.query, false)?;
    // A cookie means a socket in the namespace that is asked.
    let mut query = Query { scope: Scope::Here, ..plan.query };
    if plan.quiet {
        // Whether there is one is not enough: all of them are to be closed.
        query.limit = args.limit.map(|limit| limit as usize);
    }
    let mut output = Output::stdout();
    let mut closings = Closings::new(&mut output, shown, plan.fields, plan.heading);
    let mut about = ask(&query, None, &mut closings)?.about;
    let closed = if yes {
        closing::close(closings.sockets())?
    } else {
        closings.sockets().map(|_| Closing::Shown).collect()
    };
    about.gaps.extend(own_session(&closings, yes));
    about.gaps.extend(kept(&closings, &closed));
    closings.print(&about, &closed, !yes)?;
    Notices::default().tell(&about);
    exit(&closed, plan.quiet)
}

/// The protocols whose sockets the kernel closes from outside (`diag_destroy`).
const CLOSABLE: [Protocol; 3] = [Protocol::Tcp, Protocol::Udp, Protocol::UdpLite];

/// Refuses tables of which the kernel can close no socket: ss says of them that it closed them.
fn closable(protocols: &[(Protocol, StateSet)]) -> Result<(), Failure> {
    match protocols.iter().find(|(protocol, _)| !CLOSABLE.contains(protocol)) {
        None => Ok(()),
        Some((protocol, _)) => Err(Failure::usage(
            format!("the kernel has no way to close {} sockets from outside", protocol.title()),
            "TCP, UDP and UDP-Lite sockets can be closed; for others end the process: `sockeye -xp` names it",
        )),
    }
}

/// What cannot be closed, or not be meant.
fn refuse(args: &ListArgs) -> Result<(), Failure> {
    if args.filter.is_empty() && args.filter_file.is_none() {
        return Err(Failure::usage(
            "kill closes sockets, and no filter says which",
            "for example `sockeye kill dst 10.0.0.9 and dport = :443`; it shows them, and closes them with --yes",
        ));
    }
    let elsewhere = [
        ("--from", !args.source.from.is_empty(), "a recording has no sockets to close"),
        (
            "--proc-root",
            args.source.proc_root.is_some(),
            "only this kernel's sockets can be closed",
        ),
        (
            "--source proc",
            args.source.source == Source::Proc,
            "/proc does not tell the cookie, without which another socket could be hit",
        ),
        (
            "--all-netns",
            args.source.all_netns,
            "a socket is closed in its own namespace; name it with -N",
        ),
        ("--watch", args.repeat.watch.is_some(), "it would close whatever comes next"),
    ];
    match elsewhere.into_iter().find(|(_, given, _)| *given) {
        Some((option, _, why)) => Err(Failure::usage(
            format!("kill does not go with {option}: {why}"),
            format!("leave out {option}"),
        )),
        None => Ok(()),
    }
}

/// Whether this session is among them: `SSH_CONNECTION` is peer address and port, own address and
/// port, as sshd sets it.
fn own_session(closings: &Closings<'_>, yes: bool) -> Option<Gap> {
    let session = env::var("SSH_CONNECTION").ok()?;
    let words: Vec<&str> = session.split(' ').collect();
    let [peer, peer_port, own, own_port] = words.as_slice() else { return None };
    let end = |address: &str, port: &str| -> Option<(IpAddr, u16)> {
        Some((address.parse().ok()?, port.parse().ok()?))
    };
    let (peer, own) = (end(peer, peer_port)?, end(own, own_port)?);
    let is_session = closings.sockets().any(|socket| {
        let ends = [socket.local, socket.remote].map(|e| (e.address.to_canonical(), e.port));
        ends == [own, peer]
    });
    let verb = if yes { "was" } else { "is" };
    is_session.then(|| {
        Gap::new(
            "own-session",
            format!("the ssh connection of this session {verb} one of them"),
            "leave it out: `and not (sport = :22 and dst YOUR_ADDRESS)`",
        )
    })
}

/// What the kernel only disconnects (`udp_abort`).
fn kept(closings: &Closings<'_>, closed: &[Closing]) -> Option<Gap> {
    let pairs = closings.sockets().zip(closed);
    let is_kept = |(socket, closing): (&Socket, &Closing)| {
        socket.protocol == Protocol::Udp && *closing == Closing::Closed
    };
    pairs.into_iter().any(is_kept).then(|| {
        Gap::new(
            "udp-kept",
            "UDP sockets were disconnected and their processes told (ECONNABORTED); a process keeps \
             the socket, and the port it bound",
            "",
        )
    })
}

fn exit(closed: &[Closing], quiet: bool) -> Result<Exit, Failure> {
    let refused: Vec<Refusal> = closed.iter().filter_map(|closing| closing.refusal()).collect();
    let which = match refused.len() {
        0 if closed.is_empty() && quiet => return Ok(Exit::NothingMatched),
        0 => return Ok(Exit::Answered),
        1 => "1 socket was".to_owned(),
        n => format!("{n} sockets were"),
    };
    let (errno, hint) = if refused.contains(&Refusal::Permission) {
        (
            "EPERM (Operation not permitted)".to_owned(),
            "run as root: SOCK_DESTROY needs CAP_NET_ADMIN in the network namespace",
        )
    } else if let Some(number) = refused.iter().find_map(|why| match why {
        Refusal::Other(number) => Some(*number),
        _ => None,
    }) {
        (crate::kernel::error::Cause::errno(number).to_string(), "end the process that holds it")
    } else {
        (
            "EOPNOTSUPP (Operation not supported)".to_owned(),
            "the kernel closes TCP and UDP sockets, TIME_WAIT since 6.1, with CONFIG_INET_DIAG_DESTROY; \
             any other socket ends with its process",
        )
    };
    Err(Failure {
        exit: Exit::NoAnswer,
        message: format!("{which} not closed: {errno}"),
        hints: vec![hint.to_owned()],
    })
}
