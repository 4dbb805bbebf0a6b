//! Whose system calls made the changes that the tracepoint tells of. A task that cannot be told for
//! certain is nobody's: it may have ended, and its number may be another's by now.

use crate::{
    kernel::{
        proc::{
            process::{self, Task},
            root::Root,
        },
        tracefs::{
            instance::{self, Instance},
            new_task::NewTask,
            state_change::StateChange,
        },
    },
    model::owner::Process,
};
use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

/// How long a process that was looked at is not looked at again.
const REMEMBERED: Duration = Duration::from_secs(1);
/// Processes that are remembered.
const MOST_PROCESSES: usize = 4096;
/// Tasks whose beginning is remembered; beyond it /proc has to tell.
const MOST_TASKS: usize = 100_000;
/// The kernel's `kthreadd`, whose children are the kernel's own.
const KTHREADD: u32 = 2;

/// What a task was when it began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Birth {
    /// Of this process.
    Of(u32),
    /// A thread of the process that this task was of at this time, which had begun before.
    ThreadOf(u32, u64),
    /// The kernel's own.
    Kernel,
}

/// Tasks that began while the trace ran.
#[derive(Debug, Default)]
struct Births {
    of: HashMap<u32, Birth>,
}

impl Births {
    fn add(&mut self, born: &NewTask) {
        if self.of.len() >= MOST_TASKS {
            self.of.clear();
        }
        let birth = if born.is_thread {
            let parent = self.of.get(&born.parent).copied();
            parent.unwrap_or(Birth::ThreadOf(born.parent, born.at_ns))
        } else if born.parent == KTHREADD {
            Birth::Kernel
        } else {
            Birth::Of(born.task)
        };
        self.of.insert(born.task, birth);
    }

    /// Whether the number was given to another task since the trace began.
    fn has(&self, task: u32) -> bool {
        self.of.contains_key(&task)
    }
}

/// The processes behind tasks.
pub struct Callers<'r> {
    root: &'r Root,
    /// Whether numbers of the tracepoint are those of this /proc.
    knows_pids: bool,
    births: Births,
    processes: HashMap<u32, (Instant, Process)>,
}

impl<'r> Callers<'r> {
    /// With this /proc.
    pub fn new(root: &'r Root) -> Self {
        let knows_pids = !process::is_inner_pid_namespace(root);
        Self { root, knows_pids, births: Births::default(), processes: HashMap::new() }
    }

    /// A task begins; what had its number is gone.
    pub fn born(&mut self, born: &NewTask) {
        self.births.add(born);
        self.processes.remove(&born.task);
    }

    /// The process whose call made a change. `None`: none did, or it is not certain which.
    pub fn of(&mut self, change: &StateChange, names: &Instance<StateChange>) -> Option<Process> {
        let task = change.caller().filter(|_| self.knows_pids)?;
        let pid = self.process_of(task, change.at_ns)?;
        let now = Instant::now();
        let known = self.processes.get(&pid);
        if let Some((_, process)) = known.filter(|(at, _)| now.duration_since(*at) < REMEMBERED) {
            return Some(process.clone());
        }
        let is_there = self.task_before(pid, change.at_ns).is_some();
        let process = match known {
            _ if is_there => process::read(self.root, pid),
            // As it was last seen.
            Some((_, process)) => process.clone(),
            None => {
                let command = names.command(task).unwrap_or(b"?".to_vec());
                Process { pid, command, ..Process::default() }
            }
        };
        if self.processes.len() >= MOST_PROCESSES {
            self.processes.clear();
        }
        self.processes.insert(pid, (now, process.clone()));
        Some(process)
    }

    fn process_of(&self, task: u32, at_ns: u64) -> Option<u32> {
        match self.births.of.get(&task) {
            Some(Birth::Of(process)) => Some(*process),
            Some(Birth::Kernel) => None,
            Some(Birth::ThreadOf(parent, began)) => {
                let is_same = |_: &&u32| !self.births.has(*parent);
                let of_parent = Some(parent).filter(is_same);
                let found = self.task_before(task, at_ns);
                let found = found.or_else(|| self.task_before(*of_parent?, *began));
                found.filter(|task| !task.is_kernel).map(|task| task.process)
            }
            None => self.task_before(task, at_ns).filter(|task| !task.is_kernel).map(|t| t.process),
        }
    }

    /// The task as /proc has it, if it had begun at this time: a younger one has the number of
    /// another that is gone.
    fn task_before(&self, task: u32, at_ns: u64) -> Option<Task> {
        let at = Duration::from_nanos(at_ns) + instance::suspended();
        process::task(self.root, task).filter(|task| task.began <= at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn born(parent: u32, task: u32, is_thread: bool) -> NewTask {
        NewTask { at_ns: 5, parent, task, is_thread }
    }

    #[test]
    fn a_thread_is_of_the_process_of_the_task_that_made_it() {
        let mut births = Births::default();
        births.add(&born(100, 200, false));
        births.add(&born(200, 201, true));
        births.add(&born(201, 202, true));
        births.add(&born(50, 51, true));
        births.add(&born(KTHREADD, 60, false));
        let of = |births: &Births, task| births.of.get(&task).copied();
        assert_eq!(of(&births, 202), Some(Birth::Of(200)));
        assert_eq!(of(&births, 51), Some(Birth::ThreadOf(50, 5)));
        assert_eq!(of(&births, 60), Some(Birth::Kernel));
        assert_eq!(of(&births, 99), None);
        // The number of a thread that ended is given to a process; its own threads stay what they are.
        births.add(&born(100, 201, false));
        assert_eq!(of(&births, 201), Some(Birth::Of(201)));
        assert_eq!(of(&births, 202), Some(Birth::Of(200)));
    }

    #[test]
    fn a_number_that_was_given_anew_is_not_the_process_before() {
        let root = Root::live();
        let callers = Callers::new(&root);
        let own = std::process::id();
        assert!(callers.task_before(own, instance::now_ns()).is_some_and(|t| t.process == own));
        assert_eq!(callers.task_before(own, 1), None, "it has begun since");
        assert_eq!(callers.process_of(u32::MAX, instance::now_ns()), None);
    }
}
