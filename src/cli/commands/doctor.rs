//! `sockeye doctor`: what is wrong, proved, and what to do.

use crate::{
    cli::{
        args::{DoctorArgs, DoctorFormat, FailOn},
        exit::Exit,
        failure::Failure,
        notices::Notices,
        plan, repeat,
    },
    collect::{query::Query, replay, snapshot, socket_options},
    doctor::{
        config::Config,
        diagnosis::{self, Diagnosis, Plan},
        finding::Severity,
        rules::{RULES, thresholds_of},
    },
    field::need::Need,
    kernel::{config_file, namespace},
    model::{
        protocol::Protocol,
        recording::Recording,
        snapshot::Snapshot,
        state::{State, StateSet},
    },
    report::ephemeral,
    view::{head, output::Output, present},
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
    let mut recorded = plan::recording(&args.source, &args.repeat)?;
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
    if let Some(netns) = &args.source.netns {
        namespace::enter(netns).map_err(Failure::namespace)?;
    }
    let mut notices = Notices::default();
    let mut worst = Exit::Answered;
    repeat::run(&args.repeat, |_| {
        let (snapshot, diagnosis) = match recorded.take() {
            Some(recording) => replayed(recording, &query, args.interval, &plan),
            None => live(&query, args, &plan)?,
        };
        print(args, &snapshot, &diagnosis)?;
        notices.tell(&snapshot.about);
        worst = graver(worst, exit(args, &diagnosis));
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

/// Two passes: what the first finds names the sockets whose owners are looked up for the second.
fn live(query: &Query, args: &DoctorArgs, plan: &Plan) -> Result<(Snapshot, Diagnosis), Failure> {
    let mut snapshot = snapshot::take(query, Some(args.interval))?;
    let first = diagnosis::examine(&snapshot, None, RULES, plan);
    let named: HashSet<u64> = first.sockets().collect();
    if named.is_empty() {
        return Ok((snapshot, first));
    }
    snapshot::name_owners(query, &mut snapshot, named.iter().copied());
    let options =
        args.socket_options.then(|| socket_options::read(&mut snapshot, named.iter().copied()));
    let diagnosis = diagnosis::examine(&snapshot, options.as_deref(), RULES, plan);
    Ok((snapshot, diagnosis))
}

fn replayed(
    mut recording: Recording,
    query: &Query,
    window: Duration,
    plan: &Plan,
) -> (Snapshot, Diagnosis) {
    let query = Query { need: query.need.with(Need::OWNERS), ..query.clone() };
    replay::narrow(&mut recording, &query, Some(window));
    let diagnosis = diagnosis::examine(&recording.snapshot, None, RULES, plan);
    (recording.snapshot, diagnosis)
}

fn print(args: &DoctorArgs, snapshot: &Snapshot, diagnosis: &Diagnosis) -> Result<(), Failure> {
    let mut output = Output::stdout();
    let format = if args.json || args.ndjson { Some(DoctorFormat::Json) } else { args.format };
    match format {
        Some(DoctorFormat::Json | DoctorFormat::Ndjson) => {
            head::report(&mut output.buffer, SCHEMA, &snapshot.about, diagnosis)
                .map_err(|error| Failure::output(&error.into()))?;
        }
        Some(DoctorFormat::Nagios) => {
            output.buffer.extend(present::doctor::nagios(diagnosis).as_bytes());
        }
        Some(DoctorFormat::Table) | None => {
            let document = present::doctor::document(diagnosis, args.verbose);
            output.buffer.extend(document.render(plan::device(args.color)).as_bytes());
        }
    }
    Ok(output.flush()?)
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
