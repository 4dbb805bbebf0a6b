//! `sockeye doctor`: what is wrong, proved, and what to do.

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
        config::Config,
        diagnosis::{self, Diagnosis, Plan, Verdict},
        finding::Severity,
        rules::{RULES, thresholds_of},
    },
    field::need::Need,
    kernel::config_file,
    model::{
        about::About,
        gap::Gap,
        protocol::Protocol,
        recording::Recording,
        snapshot::Snapshot,
        state::{State, StateSet},
    },
    report::ephemeral,
    view::{output::Output, present},
};
use std::{
    collections::HashSet,
    env,
    path::{Path, PathBuf},
    time::Duration,
};

/// The schema of the diagnosis.
const SCHEMA: &str = "sockeye.doctor/1";
/// How long owners may take: on a host with millions of descriptors the rest is not to wait.
const OWNERS: Duration = Duration::from_secs(5);
/// Below the user's directory of configuration, and below /etc.
const FILE: &str = "sockeye/doctor.toml";

/// Diagnoses, once or as often as was asked.
pub fn run(args: &DoctorArgs) -> Result<Exit, Failure> {
    if args.list_rules {
        return list();
    }
    let plan = Plan { only: args.only.clone(), skip: args.skip.clone(), config: config(args)? };
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
    repeat::run(&args.repeat, |_| {
        let (examined, gaps) = match recorded.take() {
            Some(recordings) => (replayed(recordings, &query, args.interval, &plan), vec![]),
            None => live(&query, args, &plan)?,
        };
        let parts = parts(examined, args.verbose);
        // Where no namespace could be looked into there was an error.
        let Some(first) = parts.first() else { return Ok(worst) };
        let about = report::whole(&first.about, &parts, gaps);
        print(args, several, &about, &parts)?;
        notices.tell(&about);
        for part in &parts {
            worst = graver(worst, exit(args, &part.report.figures));
        }
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

/// A network namespace, and what was found in it.
type Examined = (Snapshot, Diagnosis);

/// Two passes: what the first finds names the sockets whose owners are looked up for the second.
fn live(
    query: &Query,
    args: &DoctorArgs,
    plan: &Plan,
) -> Result<(Vec<Examined>, Vec<Gap>), Failure> {
    let (mut examined, gaps) = snapshot::take_each(query, Some(args.interval), |snapshot| {
        let first = diagnosis::examine(&snapshot, None, RULES, plan);
        (snapshot, first)
    })?;
    let named: HashSet<u64> = examined.iter().flat_map(|(_, first)| first.sockets()).collect();
    if named.is_empty() {
        return Ok((examined, gaps));
    }
    let mut concerned: Vec<&mut Examined> =
        examined.iter_mut().filter(|(_, first)| first.sockets().next().is_some()).collect();
    let mut snapshots: Vec<&mut Snapshot> = concerned.iter_mut().map(|(s, _)| s).collect();
    snapshot::name_owners(query, &mut snapshots, named);
    for (snapshot, diagnosis) in concerned {
        let own: Vec<u64> = diagnosis.sockets().collect();
        let options = args.socket_options.then(|| socket_options::read(snapshot, own));
        *diagnosis = diagnosis::examine(snapshot, options.as_deref(), RULES, plan);
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
    let examined = recordings.into_iter().map(|mut recording| {
        replay::narrow(&mut recording, &query, Some(window));
        let diagnosis = diagnosis::examine(&recording.snapshot, None, RULES, plan);
        (recording.snapshot, diagnosis)
    });
    examined.collect()
}

/// The pages of several namespaces: what is found of the whole machine is told on the first, and a
/// namespace in which nothing is found has none.
fn parts(examined: Vec<Examined>, verbose: bool) -> Vec<Part<Diagnosis>> {
    let mut told = HashSet::new();
    let part = |(at, (snapshot, figures)): (usize, Examined)| {
        let own = figures.apart_from(&mut told);
        let is_quiet = own.findings.is_empty() && own.excepted.is_empty();
        let is_empty = at > 0 && is_quiet && !verbose && own.verdict != Verdict::Unknown;
        let document = present::doctor::document(&own, verbose);
        Part { report: Report { figures, document }, about: snapshot.about, is_empty }
    };
    examined.into_iter().enumerate().map(part).collect()
}

fn print(
    args: &DoctorArgs,
    several: bool,
    about: &About,
    parts: &[Part<Diagnosis>],
) -> Result<(), Failure> {
    let format = if args.json || args.ndjson { Some(DoctorFormat::Json) } else { args.format };
    let json = matches!(format, Some(DoctorFormat::Json | DoctorFormat::Ndjson));
    let device = plan::device(args.color);
    if format == Some(DoctorFormat::Nagios) {
        let each = parts.iter().map(|part| (&part.about.netns, &part.report.figures));
        let mut output = Output::stdout();
        output.buffer.extend(present::doctor::nagios(each, several).as_bytes());
        return Ok(output.flush()?);
    }
    match parts {
        [only] if !several => report::print(SCHEMA, json, device, &only.about, &only.report),
        _ => report::print_each(SCHEMA, json, device, about, parts, "No problem found in "),
    }
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

fn list() -> Result<Exit, Failure> {
    let mut output = Output::stdout();
    output.buffer.extend(present::doctor::rules(RULES).as_bytes());
    output.flush()?;
    Ok(Exit::Answered)
}

/// The config file: the one that was named, else the user's, else the host's, else none.
fn config(args: &DoctorArgs) -> Result<Config, Failure> {
    let set = |name: &str| env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    let of_user = set("XDG_CONFIG_HOME").or_else(|| Some(set("HOME")?.join(".config")));
    let usual = of_user.into_iter().chain([PathBuf::from("/etc")]).map(|place| place.join(FILE));
    if let Some(path) = &args.config {
        return parsed(path, &config_file::read(path)?);
    }
    for path in usual {
        match config_file::read(&path) {
            Ok(text) => return parsed(&path, &text),
            Err(error) if error.is_absent() => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Config::default())
}

fn parsed(path: &Path, text: &str) -> Result<Config, Failure> {
    Config::parse(text, thresholds_of).map_err(|why| {
        Failure::usage(
            format!("cannot use {}: {why}", path.display()),
            "`sockeye explain RULE` shows the thresholds of a rule; --config names another file",
        )
    })
}
