//! What was typed for `sockeye watch`, as what it shows and how.

use crate::{
    cli::{
        args::{Background, ListArgs, Source, WatchArgs},
        failure::Failure,
        plan, tables,
    },
    collect::query::Query,
    field::need::Need,
    kernel::{host, namespace, proc::sysctl},
    model::{about::About, protocol::Protocol, recording::Recording, state::StateSet},
    view::watch::{
        held::printable,
        lines::Shape,
        order::{By, Sort},
        state::{Setup, Watch},
        theme::Theme,
    },
};
use clap::ValueEnum;
use jiff::tz::TimeZone;
use std::{env, path::Path};

/// The sockets that are asked for.
pub fn query(args: &WatchArgs) -> Result<Query, Failure> {
    let asked = ListArgs {
        tcp: args.tcp,
        udp: args.udp,
        raw: args.raw,
        mptcp: args.mptcp,
        sctp: args.sctp,
        dccp: args.dccp,
        unix: args.unix,
        packet: args.packet,
        vsock: args.vsock,
        xdp: args.xdp,
        tipc: args.tipc,
        query: args.query.clone(),
        ipv4: args.ipv4,
        ipv6: args.ipv6,
        all: true,
        ..ListArgs::default()
    };
    let mut tables = tables::of(&asked)?;
    if !tables.named {
        // What somebody means who names none.
        tables.protocols.retain(|(protocol, _)| matches!(protocol, Protocol::Tcp | Protocol::Udp));
    }
    if let Some((other, _)) = tables.protocols.iter().find(|(protocol, _)| !protocol.is_inet()) {
        return Err(Failure::usage(
            format!("watch shows sockets of the internet, and no {} sockets", other.name()),
            format!("`sockeye -A {} -a --watch` shows them, and marks what is new", other.name()),
        ));
    }
    let protocols = tables.protocols.into_iter().map(|(protocol, states)| match protocol {
        Protocol::Tcp => (protocol, StateSet::ALL),
        _ => (protocol, states),
    });
    let protocols = protocols.collect();
    let mut query = plan::report_query(&args.source, protocols, Need::NONE)?;
    // Nothing is written beside the screen.
    query.owner_progress = None;
    query.family = tables.family;
    Ok(query)
}

/// What does not change while it runs.
pub fn setup(args: &WatchArgs, query: Query, recordings: Option<&[Recording]>) -> Setup {
    let (host, netns, ephemeral) = if let Some([first, others @ ..]) = recordings {
        let About { host, netns, .. } = &first.snapshot.about;
        let several = (!others.is_empty()).then(|| "all".to_owned());
        let netns = several.or_else(|| netns.name.clone());
        (host.clone(), netns, first.snapshot.settings.port_range())
    } else {
        let root = &query.root;
        let netns = if args.source.all_netns {
            Some("all".to_owned())
        } else {
            namespace::current(root).name.or_else(|| args.source.netns.clone())
        };
        (host::read(root), netns, sysctl::read(root).port_range())
    };
    let safe = |name: Option<String>| name.map_or(String::new(), |n| printable(n.as_bytes()));
    let name = host.name.unwrap_or_else(|| "this host".to_owned());
    Setup {
        host: printable(name.as_bytes()),
        netns: safe(netns),
        recorded: recordings.is_some(),
        base: query,
        words: words(args),
        zone: TimeZone::system(),
        ephemeral,
    }
}

/// The options that say which sockets and where, as they are typed.
fn words(args: &WatchArgs) -> Vec<String> {
    let mut words = vec![];
    let switches = [
        (args.tcp, "-t"),
        (args.udp, "-u"),
        (args.raw, "-w"),
        (args.mptcp, "-M"),
        (args.sctp, "-S"),
        (args.dccp, "-d"),
        (args.ipv4, "-4"),
        (args.ipv6, "-6"),
    ];
    words.extend(switches.iter().filter(|(on, _)| *on).map(|(_, word)| (*word).to_owned()));
    let mut with = |option: &str, value: Option<String>| {
        if let Some(value) = value {
            words.extend([option.to_owned(), value]);
        }
    };
    with("-A", (!args.query.is_empty()).then(|| args.query.join(",")));
    let source = &args.source;
    let path = |path: &Path| path.display().to_string();
    with("-N", source.netns.clone());
    with("--proc-root", source.proc_root.as_deref().map(path));
    with("--from", source.from.first().map(|file| path(file)));
    if source.source != Source::Auto {
        let word = source.source.to_possible_value();
        with("--source", word.map(|word| word.get_name().to_owned()));
    }
    if source.all_netns {
        words.push("--all-netns".to_owned());
    }
    words
}

/// What is listed, and how.
pub fn shape(args: &WatchArgs) -> Shape {
    let usual = if args.group_by.is_some() { Sort::Sockets } else { Sort::Waiting };
    let mut by = By::usual(args.sort.map_or(usual, |(sort, _)| sort));
    by.descending = args.sort.and_then(|(_, descending)| descending).unwrap_or(by.descending);
    by.totals = args.totals;
    Shape { chip: args.state, grouping: args.group_by, fold: !args.no_fold, by, ..Watch::usual() }
}

/// The colours.
pub fn theme(args: &WatchArgs) -> Theme {
    let device = plan::device(args.color);
    let light = match args.theme {
        Background::Light => true,
        Background::Dark => false,
        Background::Auto => env::var("COLORFGBG").is_ok_and(|colours| is_light(&colours)),
    };
    Theme::new(device.colour, light, device.unicode)
}

/// COLORFGBG is foreground;background, sometimes with something between; 7 and 9 to 15 are light.
fn is_light(colours: &str) -> bool {
    let background = colours.rsplit(';').next().and_then(|number| number.parse::<u8>().ok());
    background.is_some_and(|number| number == 7 || (9..=15).contains(&number))
}
