//! `sockeye trace`, and `-E` on a list: events as they happen.

use crate::{
    cli::{
        args::{EventsFrom, Format, ListArgs, Source, TraceArgs},
        exit::Exit,
        failure::Failure,
        filter,
        interrupt::Orderly,
        notices::Notices,
        plan, tables,
    },
    collect::{
        query::Query,
        trace::{Choice, Tracer},
    },
    field::{need::Need, row::Row},
    model::{event::Event, protocol::Protocol, state::StateSet},
    view::{
        output::{self, Output},
        rows::event::{Events, Form},
    },
};
use std::time::{Duration, Instant};

/// Events, from the sources that were chosen.
pub fn run(args: &TraceArgs) -> Result<Exit, Failure> {
    let choice = match args.events_from {
        EventsFrom::Auto if args.list.events => Choice::Destroy,
        EventsFrom::Auto => Choice::Auto,
        EventsFrom::Tracepoint => Choice::Tracepoint,
        EventsFrom::Destroy => Choice::Destroy,
        EventsFrom::Poll => Choice::Poll,
    };
    trace(&args.list, choice, args.interval, args.r#for)
}

/// Sockets that end, as `ss -E` shows them.
pub fn ended(args: &ListArgs) -> Result<Exit, Failure> {
    trace(args, Choice::Destroy, Duration::from_secs(1), None)
}

fn trace(
    args: &ListArgs,
    choice: Choice,
    every: Duration,
    time: Option<Duration>,
) -> Result<Exit, Failure> {
    refuse(args)?;
    let json =
        args.json || args.ndjson || matches!(args.format, Some(Format::Json | Format::Ndjson));
    let query = query(args, json)?;
    let everything = Query { filter: None, ..query.clone() };
    plan::enter(&args.source)?;
    filter::check_names(&query, false)?;
    let orderly = Orderly::begin();
    let end = time.map(|time| Instant::now() + time);
    let mut tracer = Tracer::open(&query, &everything, choice, every)?;
    let mut notices = Notices::default();
    tracer.gaps.iter().for_each(|gap| notices.tell_gap(gap));
    let device = plan::device(args.color);
    let mut output = Output::stdout();
    let form = if json { Form::JsonLine } else { Form::Line(device) };
    let mut events = Events::new(&mut output, form, !args.no_header);
    events.flush()?;
    let most = args.limit.map_or(u64::MAX, u64::from);
    let mut told = 0;
    loop {
        let is_over = orderly.is_asked() || end.is_some_and(|end| Instant::now() >= end);
        let mut each = |event: &Event, row: Option<Row<'_>>| {
            // Beyond the limit nothing is told, but of what was lost.
            if told >= most && row.is_some() {
                return Ok(());
            }
            told += u64::from(row.is_some());
            events.write(event, row)
        };
        if is_over {
            tracer.finish(&mut each)?;
        } else {
            let until = end.unwrap_or_else(|| Instant::now() + Duration::from_mins(1));
            tracer.step(&everything, until, &mut each)?;
        }
        events.flush()?;
        if is_over || told >= most || output::is_closed() {
            break;
        }
    }
    tracer.all_gaps().iter().for_each(|gap| notices.tell_gap(gap));
    drop(tracer);
    Ok(orderly.end(Exit::Answered))
}

fn query(args: &ListArgs, json: bool) -> Result<Query, Failure> {
    let tables = tables::of(args)?;
    let is_asked = |protocol| tables.protocols.iter().any(|(asked, _)| *asked == protocol);
    let protocols: Vec<_> = [(Protocol::Tcp, StateSet::ALL), (Protocol::Udp, StateSet::DATAGRAM)]
        .into_iter()
        .filter(|(protocol, _)| is_asked(*protocol))
        .collect();
    if protocols.is_empty() {
        return Err(Failure::usage(
            "the kernel announces what happens to TCP and UDP sockets, and to no others",
            "write `sockeye trace -t` or `-u`; `sockeye -xa --watch=1` looks again and again",
        ));
    }
    let filter = filter::of(args, None)?;
    if filter.as_ref().is_some_and(|filter| filter.need().includes(Need::PEERS)) {
        return Err(Failure::usage(
            "a trace cannot filter by the other end: when an event is told it may be there no more",
            "filter by `process`, `peer.address` or `peer.port`; `sockeye list` knows other ends",
        ));
    }
    let need = if json {
        Need::MARK.with(Need::USERS).with(Need::CGROUPS).with(Need::INTERFACES)
    } else {
        Need::INTERFACES
    };
    let need = filter.as_ref().map_or(need, |filter| need.with(filter.need()));
    Ok(Query {
        filter,
        family: tables.family,
        ..plan::report_query(&args.source, protocols, need)?
    })
}

/// What has no meaning for events.
fn refuse(args: &ListArgs) -> Result<(), Failure> {
    let other = [
        ("--from", !args.source.from.is_empty(), "a recording has no events"),
        ("--proc-root", args.source.proc_root.is_some(), "only this kernel tells events"),
        (
            "--source proc",
            args.source.source == Source::Proc,
            "/proc tells no events, and no cookies to follow sockets by",
        ),
        ("--all-netns", args.source.all_netns, "a trace is of one network namespace"),
        ("--watch", args.repeat.watch.is_some(), "events come by themselves"),
        ("--sort", args.sort.is_some(), "events come in the order in which they happen"),
        ("--group-by", !args.group_by.is_empty(), "each event is told by itself"),
        ("--count", args.count, "each event is told by itself"),
        ("--columns", !args.columns.is_empty(), "an event is shown whole"),
        (
            "--format",
            matches!(args.format, Some(format) if !matches!(format, Format::Table | Format::Json | Format::Ndjson)),
            "events are shown as lines, or with --ndjson as JSON",
        ),
        ("-K", args.kill, "what is to be closed has to be there; see `sockeye kill`"),
    ];
    match other.into_iter().find(|(_, given, _)| *given) {
        Some((option, _, why)) => Err(Failure::usage(
            format!("a trace does not go with {option}: {why}"),
            format!("leave out {option}"),
        )),
        None => Ok(()),
    }
}
