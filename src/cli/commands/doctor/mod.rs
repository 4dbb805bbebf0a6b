//! `sockeye doctor`: what is wrong, proved, and what to do.

mod config;
mod print;

use super::report::{self, Part, Report};
use crate::{
    cli::{
        args::{DoctorArgs, DoctorFormat, FailOn},
        exit::Exit,
        failure::Failure,
        notices::Notices,
        plan, repeat,
    },
    collect::{
        query::{Query, Scope},
        replay, snapshot, socket_options,
    },
    doctor::{
        diagnosis::{self, Diagnosis, Plan, Verdict},
        evidence::Evidence,
        finding::Severity,
        rounds::{Round, Rounds, Watch},
        rules::RULES,
    },
    field::need::Need,
    model::{
        about::About,
        gap::Gap,
        protocol::Protocol,
        recording::Recording,
        snapshot::Snapshot,
        socket_options::SocketOptions,
        state::{State, StateSet},
    },
    report::ephemeral,
    view::{output::Output, present},
};
use std::{
    collections::{BTreeMap, HashSet},
    time::Duration,
};

/// How long owners may take: on a host with millions of descriptors the rest is not to wait.
const OWNERS: Duration = Duration::from_secs(5);

/// Diagnoses, once or as often as was asked.
pub fn run(args: &DoctorArgs) -> Result<Exit, Failure> {
    if args.list_rules {
        return list();
    }
    match diagnose(args) {
        // A monitor reads standard output alone.
        Err(failure) if form(args) == DoctorFormat::Nagios => {
            print::failed(&failure)?;
            Err(failure)
        }
        ended => ended,
    }
}

fn diagnose(args: &DoctorArgs) -> Result<Exit, Failure> {
    let config = config::of(args)?;
    let plan = Plan { only: args.only.clone(), skip: args.skip.clone(), config };
    let mut recorded = plan::recordings(&args.source, &args.repeat)?;
    if recorded.is_some() && args.socket_options {
        return Err(Failure::usage(
            "--socket-options asks running processes and --from reads a snapshot",
            "leave out one of them",
        ));
    }
    let query = query(args)?;
    if args.socket_options && !query.root.is_live() {
        return Err(Failure::usage(
            "--socket-options asks running processes and --proc-root reads another tree",
            "leave out one of them",
        ));
    }
    plan::enter(&args.source)?;
    let recorded_ones = recorded.as_ref().map_or(1, Vec::len);
    let several = query.scope == Scope::Everywhere || recorded_ones > 1;
    let mut notices = Notices::default();
    let mut worst = Exit::Answered;
    let mut before = Before::new();
    repeat::run(&args.repeat, |_| {
        let (examined, gaps) = match recorded.take() {
            Some(recordings) => (replayed(recordings, &query, args.interval, &plan), vec![]),
            None => live(&query, args, &plan, &before)?,
        };
        let is_here =
            |netns: &Option<u64>| examined.iter().any(|one| one.about.netns.inode == *netns);
        // A namespace that is gone does not come back: its number is given to another.
        before.retain(|netns, _| is_here(netns));
        for one in &examined {
            let rounds = before.entry(one.about.netns.inode).or_default();
            if let Some(round) = &one.round {
                rounds.add(round.clone());
            }
        }
        let parts = parts(examined, args.verbose);
        // Where no namespace could be looked into there was an error.
        let Some(first) = parts.first() else { return Ok(worst) };
        let about = report::whole(&first.about, &parts, gaps);
        let exits = parts.iter().map(|part| exit(args, &part.report.figures));
        let exit = exits.fold(Exit::Answered, graver);
        print::round(args, several, &about, &parts, exit)?;
        notices.tell(&about);
        worst = graver(worst, exit);
        Ok(worst)
    })
}

/// What the rules ask for: owners come later, for the sockets in findings.
fn query(args: &DoctorArgs) -> Result<Query, Failure> {
    let udp = StateSet::of(State::Established).with(StateSet::of(State::Unconnected));
    let protocols = vec![(Protocol::Tcp, ephemeral::states_with_bound()), (Protocol::Udp, udp)];
    let need = [Need::MEMORY, Need::LIMITS, Need::PROCESSES, Need::EARLIER]
        .into_iter()
        .fold(Need::TCP_INFO, Need::with);
    let mut query = plan::report_query(&args.source, protocols, need)?;
    query.owner_patience.get_or_insert(OWNERS);
    Ok(query)
}

/// What earlier rounds of a watch saw, by namespace.
type Before = BTreeMap<Option<u64>, Rounds>;

/// A network namespace, and what was found in it.
struct Examined {
    about: About,
    diagnosis: Diagnosis,
    /// What a later round compares with. `None`: there will be none.
    round: Option<Round>,
    /// What is judged again once owners are known. `None`: no finding names a socket, and a host has
    /// namespaces by the hundred.
    snapshot: Option<Snapshot>,
}

impl Examined {
    /// One that is looked at once, or in a watch with what its earlier rounds saw.
    fn of(
        snapshot: Snapshot,
        options: Option<&[SocketOptions]>,
        plan: &Plan,
        before: Option<&Rounds>,
    ) -> Self {
        let evidence = Evidence::of(&snapshot, options);
        let round = before.map(|_| Round::of(&evidence));
        let watch = before.zip(round.as_ref()).map(|(before, now)| Watch { before, now });
        let diagnosis = diagnosis::of(&evidence, RULES, plan, watch);
        drop(evidence);
        let about = snapshot.about.clone();
        let is_named = diagnosis.sockets().next().is_some();
        Self { about, diagnosis, round, snapshot: is_named.then_some(snapshot) }
    }
}

/// Two passes: what the first finds names the sockets whose owners are looked up for the second.
fn live(
    query: &Query,
    args: &DoctorArgs,
    plan: &Plan,
    before: &Before,
) -> Result<(Vec<Examined>, Vec<Gap>), Failure> {
    let none = Rounds::default();
    let rounds_of = |snapshot: &Snapshot| {
        let rounds = before.get(&snapshot.about.netns.inode).unwrap_or(&none);
        args.repeat.interval().map(|_| rounds)
    };
    let (mut examined, gaps) = snapshot::take_each(query, Some(args.interval), |snapshot| {
        let rounds = rounds_of(&snapshot);
        Examined::of(snapshot, None, plan, rounds)
    })?;
    let named: HashSet<u64> = examined.iter().flat_map(|one| one.diagnosis.sockets()).collect();
    if named.is_empty() {
        return Ok((examined, gaps));
    }
    let mut snapshots: Vec<&mut Snapshot> =
        examined.iter_mut().filter_map(|one| one.snapshot.as_mut()).collect();
    snapshot::name_owners(query, &mut snapshots, named);
    for one in &mut examined {
        let Some(mut snapshot) = one.snapshot.take() else { continue };
        let own: Vec<u64> = one.diagnosis.sockets().collect();
        let options = args.socket_options.then(|| socket_options::read(&mut snapshot, own));
        let rounds = rounds_of(&snapshot);
        *one = Examined::of(snapshot, options.as_deref(), plan, rounds);
        // It is judged for good.
        one.snapshot = None;
    }
    Ok((examined, gaps))
}

fn replayed(
    recordings: Vec<Recording>,
    query: &Query,
    window: Duration,
    plan: &Plan,
) -> Vec<Examined> {
    let query = Query { need: query.need.with(Need::OWNERS), ..query.clone() };
    let snapshot = |recording| replay::snapshot(recording, &query, Some(window));
    recordings.into_iter().map(|one| Examined::of(snapshot(one), None, plan, None)).collect()
}

/// The pages of several namespaces: what is found of the whole machine is told on the first, and a
/// namespace in which nothing is found has none.
fn parts(examined: Vec<Examined>, verbose: bool) -> Vec<Part<Diagnosis>> {
    let mut told = HashSet::new();
    let part = |(at, examined): (usize, Examined)| {
        let own = examined.diagnosis.apart_from(&mut told);
        let is_quiet = own.findings.is_empty() && own.excepted.is_empty();
        let is_empty = at > 0 && is_quiet && !verbose && own.verdict != Verdict::Unknown;
        let document = present::doctor::document(&own, verbose);
        Part {
            report: Report { figures: examined.diagnosis, document },
            about: examined.about,
            is_empty,
        }
    };
    examined.into_iter().enumerate().map(part).collect()
}

/// What the findings say to a script.
fn exit(args: &DoctorArgs, diagnosis: &Diagnosis) -> Exit {
    let from = match args.fail_on {
        FailOn::Notice => Some(Severity::Notice),
        FailOn::Warning => Some(Severity::Warning),
        FailOn::Critical => Some(Severity::Critical),
        FailOn::Never => None,
    };
    match diagnosis.worst().filter(|worst| from.is_some_and(|from| *worst >= from)) {
        Some(Severity::Critical) => Exit::Critical,
        Some(_) => Exit::Warning,
        None if diagnosis.lacks(&args.only) => Exit::NoAnswer,
        None if diagnosis.verdict == diagnosis::Verdict::Unknown => Exit::NoAnswer,
        None => Exit::Answered,
    }
}

/// Over several rounds the gravest: what was critical for a moment was critical.
fn graver(before: Exit, now: Exit) -> Exit {
    let rank = |exit: Exit| match exit {
        Exit::Critical => 3,
        Exit::Warning => 2,
        Exit::NoAnswer => 1,
        _ => 0,
    };
    if rank(now) > rank(before) { now } else { before }
}

fn form(args: &DoctorArgs) -> DoctorFormat {
    match args.format {
        _ if args.json || args.ndjson => DoctorFormat::Json,
        format => format.unwrap_or(DoctorFormat::Table),
    }
}

fn list() -> Result<Exit, Failure> {
    let mut output = Output::stdout();
    output.buffer.extend(present::doctor::rules(RULES).as_bytes());
    output.flush()?;
    Ok(Exit::Answered)
}
