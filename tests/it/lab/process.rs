//! Processes that hold sockets: Python scripts, because a test program cannot fork safely.

use super::{
    deadline::{PATIENCE, eventually},
    namespace::Namespace,
};
use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, Command, Stdio},
};

/// A script that has set up its sockets, and waits for its standard input to close.
pub(crate) struct Script {
    child: Child,
}

impl Script {
    /// Starts `command`, which ends in the arguments of `python3`, in the namespace, and returns
    /// the line it printed when it was ready.
    ///
    /// The script must print that line and then wait for the end of its standard input; its own
    /// children must end with it.
    pub(crate) fn start(namespace: &Namespace, command: &mut Command) -> (Self, String) {
        let child = namespace.spawn(command.stdin(Stdio::piped()).stdout(Stdio::piped()));
        let mut script = Self { child };
        let mut line = String::new();
        let output = script.child.stdout.as_mut().unwrap();
        BufReader::new(output).read_line(&mut line).unwrap();
        assert!(line.ends_with('\n'), "the script ended before it was ready");
        (script, line)
    }

    /// Says a line to it, and waits for the one it answers.
    pub(crate) fn ask(&mut self, line: &str) -> String {
        let input = self.child.stdin.as_mut().unwrap();
        writeln!(input, "{line}").unwrap();
        let mut answer = String::new();
        BufReader::new(self.child.stdout.as_mut().unwrap()).read_line(&mut answer).unwrap();
        assert!(answer.ends_with('\n'), "the script ended before it answered");
        answer
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let ended = eventually(PATIENCE, || self.child.try_wait().is_ok_and(|end| end.is_some()));
        if !ended {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
