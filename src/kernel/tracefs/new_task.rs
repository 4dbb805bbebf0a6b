//! `task:task_newtask`: a process or a thread begins. It tells which process a thread belongs to
//! after both have ended, when /proc knows neither.

use super::{
    format::{Format, Place},
    instance::Record,
    state_change::number,
};

/// `CLONE_THREAD` (`linux/sched.h`).
const CLONE_THREAD: u64 = 0x0001_0000;

/// A task that begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewTask {
    /// When, on the trace clock, in nanoseconds.
    pub at_ns: u64,
    /// The task that made it.
    pub parent: u32,
    /// Its id.
    pub task: u32,
    /// Whether it is a thread of its parent's process; else a process of its own.
    pub is_thread: bool,
}

/// Where the fields lie on this kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    id: u16,
    parent: Place,
    task: Place,
    flags: Place,
}

impl Record for NewTask {
    const EVENT: &'static str = "task/task_newtask";
    const SUFFIX: &'static str = "-tasks";
    const FILTER: &'static str = "";
    /// Some 3,000 tasks: they are read a hundred times a second.
    const BUFFER_KIB: usize = 256;
    type Layout = Layout;

    fn layout(format: &Format) -> Option<Layout> {
        let place = |name| format.place(name);
        Some(Layout {
            id: format.id?,
            parent: place("common_pid")?,
            task: place("pid")?,
            flags: place("clone_flags")?,
        })
    }

    fn decode(layout: &Layout, at_ns: u64, record: &[u8]) -> Option<Self> {
        let id = number(record, Place { offset: 0, size: 2 })?;
        let task = |place| u32::try_from(number(record, place)?).ok();
        (id == u64::from(layout.id)).then_some(())?;
        Some(Self {
            at_ns,
            parent: task(layout.parent)?,
            task: task(layout.task)?,
            is_thread: number(record, layout.flags)? & CLONE_THREAD != 0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As Linux 6.18 has it (x86-64, `events/task/task_newtask/format`).
    const FORMAT: &str = "ID: 205
	field:unsigned short common_type;	offset:0;	size:2;	signed:0;
	field:int common_pid;	offset:4;	size:4;	signed:1;
	field:pid_t pid;	offset:8;	size:4;	signed:1;
	field:char comm[16];	offset:12;	size:16;	signed:0;
	field:u64 clone_flags;	offset:32;	size:8;	signed:0;
	field:short oom_score_adj;	offset:40;	size:2;	signed:1;
";

    #[test]
    fn a_thread_is_told_from_a_process_by_its_flags() {
        let layout = NewTask::layout(&Format::parse(FORMAT)).unwrap();
        let mut record = vec![0; 44];
        record[..2].copy_from_slice(&205u16.to_ne_bytes());
        record[4..8].copy_from_slice(&811u32.to_ne_bytes());
        record[8..12].copy_from_slice(&812u32.to_ne_bytes());
        record[32..40].copy_from_slice(&0x003d_0f00u64.to_ne_bytes());
        let born = NewTask::decode(&layout, 5, &record).unwrap();
        assert_eq!(born, NewTask { at_ns: 5, parent: 811, task: 812, is_thread: true });
        record[32..40].copy_from_slice(&0x0120_0000u64.to_ne_bytes());
        assert!(!NewTask::decode(&layout, 5, &record).unwrap().is_thread);
        for cut in 0..40 {
            assert_eq!(NewTask::decode(&layout, 5, &record[..cut]), None);
        }
        record[0] ^= 1;
        assert_eq!(NewTask::decode(&layout, 5, &record), None);
    }
}
