//! A process of its own, under any name, that does what the test tells it.

use super::namespace::Namespace;
use serde_json::Value;
use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdout, Command, Stdio},
};

/// A Python process in a namespace: its sockets, descriptors and limits are its own, and it is
/// found under its own name.
///
/// It ends with this value, also when it is stopped.
pub(crate) struct Puppet {
    child: Child,
    answers: BufReader<ChildStdout>,
    /// Something was begun and its end not waited for.
    is_busy: bool,
}

impl Puppet {
    /// Starts one under a name of at most 15 bytes (`comm`).
    pub(crate) fn new(namespace: &Namespace, name: &str) -> Self {
        let mut python = Command::new("python3");
        python.args(["-I", "-S", "-c", include_str!("puppet.py"), name]);
        let mut child = namespace.spawn(python.stdin(Stdio::piped()).stdout(Stdio::piped()));
        let answers = BufReader::new(child.stdout.take().unwrap());
        let mut puppet = Self { child, answers, is_busy: false };
        puppet.run("None");
        puppet
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Has it do something, waits until it is done, and returns the value of an expression.
    ///
    /// What may be said is Python, with the words of puppet.py.
    pub(crate) fn run(&mut self, what: &str) -> Value {
        self.begin(what);
        self.end()
    }

    /// Has it do something that lasts until [`Self::end`] or the next thing it is told.
    pub(crate) fn begin(&mut self, what: &str) {
        if self.is_busy {
            self.end();
        }
        self.say(what);
        self.is_busy = true;
    }

    /// Waits until it has done what was begun; what lasts until then (`goes_on()`) is ended.
    pub(crate) fn end(&mut self) -> Value {
        // An answer that is not asked for yet would end the next work: nothing is said here but to
        // one that is busy, and its answer to this is read with the other.
        self.say("None");
        self.is_busy = false;
        let value = self.answer();
        self.answer();
        value
    }

    fn say(&mut self, what: &str) {
        let line = serde_json::to_string(what).unwrap() + "\n";
        self.child.stdin.as_mut().unwrap().write_all(line.as_bytes()).unwrap();
    }

    fn answer(&mut self) -> Value {
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        let mut answer: Value = serde_json::from_str(&line)
            .unwrap_or_else(|error| panic!("process {}: {error}: {line:?}", self.child.id()));
        assert!(answer["failed"].is_null(), "{}", answer["failed"].as_str().unwrap());
        answer["value"].take()
    }
}

impl Drop for Puppet {
    fn drop(&mut self) {
        // Also one that is stopped, and would not see the end of its input.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
