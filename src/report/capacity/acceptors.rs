//! Which of the processes that hold a listener accept from it, and how many descriptors they have.
//!
//! A server that forks leaves the listener open in the parent. Some parents accept as well, many
//! (those of nginx and Apache) only watch over their children; the kernel does
//! not tell who calls accept().

use super::{destinations, limit::Limit};
use crate::model::{limits::ProcessLimits, snapshot::Snapshot};
use std::collections::BTreeSet;

/// The descriptors of those who accept, and what is taken for granted of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Acceptors {
    /// `None`: those of some process are not known.
    pub descriptors: Option<Limit>,
    /// What is taken for granted.
    pub assumption: Option<String>,
    /// Why the figure is an interval.
    pub uncertainty: Option<String>,
}

/// Counts them for the processes that hold a listener. `accepted` are the processes that hold a
/// connection accepted from it.
pub fn of(snapshot: &Snapshot, holders: &BTreeSet<u32>, accepted: &BTreeSet<u32>) -> Acceptors {
    let all = destinations::together(snapshot, holders);
    if holders.len() < 2 {
        return Acceptors { descriptors: all, ..Acceptors::default() };
    }
    let idle: BTreeSet<u32> = parents(snapshot, holders).difference(accepted).copied().collect();
    let children: BTreeSet<u32> = holders.difference(&idle).copied().collect();
    if idle.is_empty() {
        let assumption = format!(
            "its {} processes all accept, and their descriptors are counted together",
            holders.len()
        );
        return Acceptors {
            descriptors: all,
            assumption: Some(assumption),
            ..Acceptors::default()
        };
    }
    let of_children = destinations::together(snapshot, &children);
    let (parent, children_are) = (names(&idle), names(&children));
    if !children.is_disjoint(accepted) {
        let assumption = format!(
            "process {parent} started the others and holds none of their connections: it does \
             not accept, and the descriptors of {children_are} alone are counted"
        );
        return Acceptors {
            descriptors: of_children,
            assumption: Some(assumption),
            ..Acceptors::default()
        };
    }
    let low = of_children.and_then(|limit| limit.connections);
    Acceptors {
        descriptors: all.map(|all| Limit { connections_low: low, ..all }),
        uncertainty: Some(format!(
            "process {parent} started the other holders of the listener and has accepted nothing \
             yet; such a parent often never does: the least is what {children_are} can accept, the \
             most is with it"
        )),
        ..Acceptors::default()
    }
}

/// Holders that are the parent of another one, where all are one program.
fn parents(snapshot: &Snapshot, holders: &BTreeSet<u32>) -> BTreeSet<u32> {
    let processes: Option<Vec<&ProcessLimits>> =
        holders.iter().map(|pid| snapshot.limits.process(*pid)).collect();
    let Some(processes) = processes else { return BTreeSet::new() };
    let is_one_program = processes.windows(2).all(|pair| match pair {
        [one, other] => one.command == other.command,
        _ => true,
    });
    if !is_one_program {
        return BTreeSet::new();
    }
    let parents = processes.iter().filter_map(|process| process.parent);
    parents.filter(|pid| holders.contains(pid)).collect()
}

/// `22538, 22539 and 2 more`.
fn names(pids: &BTreeSet<u32>) -> String {
    let first: Vec<String> = pids.iter().take(3).map(u32::to_string).collect();
    let first = first.join(", ");
    match pids.len() {
        0..=3 => first,
        more => format!("{first} and {} more", more - 3),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::capacity::fixture::{self, Program};

    /// A program with pid, parent and command that may have 103 descriptors and has 3.
    const fn program(pid: u32, parent: u32, command: &'static str) -> Program {
        Program { pid, parent, command, soft: 103, inodes: &[] }
    }

    /// (least, most) more connections, and what is said of the processes.
    fn counted(programs: &[Program], accepted: &[u32]) -> (Option<u64>, Option<u64>, Acceptors) {
        let mut snapshot = fixture::snapshot();
        fixture::run(&mut snapshot, programs);
        let holders = programs.iter().map(|program| program.pid).collect();
        let found = of(&snapshot, &holders, &accepted.iter().copied().collect());
        let limit = found.descriptors.clone();
        (limit.as_ref().and_then(Limit::low), limit.and_then(|limit| limit.connections), found)
    }

    #[test]
    fn one_process_needs_no_assumption() {
        let (low, high, found) = counted(&[program(10, 1, "nginx")], &[]);
        assert_eq!((low, high), (Some(100), Some(100)));
        assert_eq!((found.assumption, found.uncertainty), (None, None));
    }

    #[test]
    fn a_parent_that_has_accepted_nothing_may_or_may_not() {
        let nginx = [program(10, 1, "nginx"), program(11, 10, "nginx"), program(12, 10, "nginx")];
        let (low, high, found) = counted(&nginx, &[]);
        assert_eq!((low, high), (Some(200), Some(300)));
        let why = found.uncertainty.unwrap();
        assert!(why.contains("process 10 ") && why.contains("11, 12"), "{why}");
        // Its children accept and it does not.
        let (low, high, found) = counted(&nginx, &[12]);
        assert_eq!((low, high), (Some(200), Some(200)));
        assert!(found.assumption.unwrap().contains("process 10 ") && found.uncertainty.is_none());
        // It accepts as well.
        for accepted in [vec![10], vec![10, 12]] {
            let (low, high, found) = counted(&nginx, &accepted);
            assert_eq!((low, high), (Some(300), Some(300)), "{accepted:?}");
            assert!(found.assumption.unwrap().contains("3 processes all accept"));
        }
    }

    #[test]
    fn a_parent_of_parents_counts_as_one() {
        let deep = [program(10, 1, "app"), program(11, 10, "app"), program(12, 11, "app")];
        let (low, high, _) = counted(&deep, &[12]);
        assert_eq!((low, high), (Some(100), Some(100)));
    }

    #[test]
    fn brothers_and_other_programs_all_accept() {
        let brothers = [program(11, 10, "app"), program(12, 10, "app")];
        let (low, high, _) = counted(&brothers, &[]);
        assert_eq!((low, high), (Some(200), Some(200)));
        let helped = [program(10, 1, "app"), program(11, 10, "handler")];
        let (low, high, found) = counted(&helped, &[11]);
        assert_eq!((low, high), (Some(200), Some(200)));
        assert!(found.assumption.unwrap().contains("2 processes all accept"));
    }

    #[test]
    fn a_child_whose_descriptors_are_unknown_leaves_no_figure() {
        let mut snapshot = fixture::snapshot();
        fixture::run(&mut snapshot, &[program(10, 1, "nginx"), program(11, 10, "nginx")]);
        snapshot.limits.processes[1].descriptors = None;
        let found = of(&snapshot, &[10, 11].into(), &BTreeSet::new());
        assert_eq!(found.descriptors.and_then(|limit| limit.connections), None);
    }
}
