//! Hundreds of filters of ss, answered by ss and by sockeye side by side: the same rows, and with
//! `--format ss` the same text, live and from recorded dumps. Where ss is wrong, the right answer is
//! asked of it in other words.

mod exceptions;
mod long;
mod questions;

use crate::lab::{
    beside_ss::{Zoo, agree, agree_on, families, has_ss},
    namespace::Namespace,
    program::{Run, SOCKEYE},
};
use exceptions::{EXCEPTIONS, Right};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};
use tempfile::TempDir;

/// Switches, each for every sixth filter: with and without identity, names, memory, one table.
const SWITCHES: &[&str] = &["-tuane", "-tuan", "-tanm", "-tuaneO", "-tuaH", "-uan"];

/// How the words of an expression come: one by one, in one argument, from a file.
fn with_expression(switches: &str, filter: &str, way: usize, file: &Path) -> Vec<String> {
    let (clauses, expression) = questions::parts(filter);
    let mut words = vec![switches.to_owned()];
    words.extend(clauses.into_iter().map(str::to_owned));
    match way {
        0 if !expression.is_empty() => words.push(expression),
        1 if !expression.is_empty() => {
            fs::write(file, format!("# a comment\n{expression}\n")).unwrap();
            words.extend(["-F".to_owned(), file.to_str().unwrap().to_owned()]);
        }
        _ => words.extend(expression.split_whitespace().map(str::to_owned)),
    }
    words
}

/// Where the hierarchy of cgroups is: ss takes paths of files.
#[expect(clippy::disallowed_methods, reason = "a test looks where the hierarchy is")]
fn cgroups() -> String {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
    let words = mounts.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    let mount = words.into_iter().find(|words| words[2] == "cgroup2");
    mount.map_or("/sys/fs/cgroup".to_owned(), |words| words[1].to_owned())
}

fn references(words: &[String]) -> Vec<&str> {
    words.iter().map(String::as_str).collect()
}

#[test]
fn the_text_of_hundreds_of_filters_is_that_of_ss() {
    if !has_ss() {
        return;
    }
    let zoo = Zoo::new();
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("filter");
    let filters = questions::of_the_internet();
    let cgroups = cgroups();
    for (index, filter) in filters.iter().enumerate() {
        let switches = SWITCHES[index % SWITCHES.len()];
        let filter = filter.replace("CGROUPS", &cgroups);
        let words = with_expression(switches, &filter, index % 5, &file);
        agree(&zoo.namespace, &references(&words));
    }
    assert!(filters.len() >= 500, "{}", filters.len());
}

#[test]
fn the_text_of_filters_over_other_families_is_that_of_ss() {
    if !has_ss() {
        return;
    }
    let (namespace, _script) = families();
    for line in questions::OF_FAMILIES {
        agree(&namespace, &line.split(' ').collect::<Vec<_>>());
    }
}

/// Dumps of the zoo.
struct Dumps {
    _directory: TempDir,
    /// Of both families, by sockeye.
    ours: PathBuf,
    /// Of IPv4 alone, by ss.
    theirs: PathBuf,
    /// Of both, by ss, which reads the first half of it.
    halved: PathBuf,
}

impl Dumps {
    fn of(namespace: &Namespace) -> Self {
        let directory = TempDir::new().unwrap();
        let path = |name| directory.path().join(name);
        let dumps = Self {
            ours: path("ours"),
            theirs: path("theirs"),
            halved: path("halved"),
            _directory: directory,
        };
        // Interfaces have other numbers elsewhere: ss shows the name that a number has where it reads.
        for (program, words, path) in [
            (SOCKEYE, "-ta not ( dev lo or dev d0 ) -D", &dumps.ours),
            ("ss", "-4tai -D", &dumps.theirs),
            ("ss", "-tai -D", &dumps.halved),
        ] {
            let mut command = Command::new(program);
            let run = Run::of(namespace.output(command.args(words.split(' ')).arg(path)));
            assert_eq!(run.code, 0, "{run:?}");
        }
        dumps
    }
}

#[test]
fn the_text_of_filters_on_dumps_is_that_of_ss() {
    if !has_ss() {
        return;
    }
    let zoo = Zoo::new();
    let dumps = Dumps::of(&zoo.namespace);
    for (index, filter) in questions::of_a_dump().iter().enumerate() {
        let dump = if index % 2 == 0 { &dumps.ours } else { &dumps.theirs };
        let switches = ["-tan", "-tanO", "-taH", "-tan", "-tano"][index % 5];
        let switches =
            if index % 2 == 1 { format!("{switches} not dev lo and") } else { switches.into() };
        let words: Vec<&str> = switches.split(' ').chain(filter.split(' ')).collect();
        agree_on(&zoo.namespace, &words, &words, Some(dump));
    }
}

#[test]
fn where_ss_is_wrong_the_right_answer_is_given() {
    if !has_ss() {
        return;
    }
    let zoo = Zoo::new();
    let ask = |program, line: &str| {
        let words = line.split(' ');
        Run::of(zoo.namespace.output(Command::new(program).args(words)))
    };
    for (line, why, right) in EXCEPTIONS {
        let theirs = ask("ss", line);
        match right {
            Right::As(other) | Right::Reads(other) => {
                let words = |line: &'static str| line.split(' ').collect::<Vec<_>>();
                agree_on(&zoo.namespace, &words(other), &words(line), None);
                if matches!(right, Right::Reads(_)) {
                    assert_ne!(theirs.code, 0, "ss reads {line}: {why}");
                } else {
                    assert_ne!(
                        theirs.stdout,
                        ask("ss", other).stdout,
                        "ss is right: {line}: {why}"
                    );
                }
            }
            Right::Refused(hint) => {
                let ours = ask(SOCKEYE, line);
                assert_eq!(ours.code, 64, "{line}");
                assert!(ours.stderr.contains(hint), "{line}: {}", ours.stderr);
            }
        }
    }
}

/// ss reads its own dumps up to the end of IPv4.
#[test]
fn a_dump_of_ss_is_read_to_its_end_and_by_the_filter() {
    if !has_ss() {
        return;
    }
    let zoo = Zoo::new();
    let dumps = Dumps::of(&zoo.namespace);
    for filter in
        ["state all", "state established", "state listening sport = :443", "-6 -a", "-l dst [::]:0"]
    {
        // The live sockets, which are still there: ss takes states and families of a dump as they come.
        let words: Vec<&str> = ["-tn"].into_iter().chain(filter.split(' ')).collect();
        let live = crate::lab::beside_ss::text(&zoo.namespace, "ss", &words);
        let mut command = Command::new(SOCKEYE);
        command.args(&words).args(["--format", "ss"]).arg("--from").arg(&dumps.halved);
        let read = Run::of(zoo.namespace.output(&mut command)).stdout;
        let rows = |text: &str| {
            let text = text.replace("%lo", "%if1").replace("%d0", "%if3");
            text.lines()
                .map(|l| l.split_whitespace().collect::<Vec<_>>().join(" "))
                .collect::<Vec<_>>()
        };
        assert_eq!(rows(&read), rows(&live), "{filter}");
    }
}
