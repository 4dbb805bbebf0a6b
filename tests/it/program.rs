//! Runs the program: stdout, stderr and exit code together.

use std::{
    fmt::Write as _,
    io::Write as _,
    process::{Command, Stdio},
};

/// The built program.
pub(crate) const PATH: &str = env!("CARGO_BIN_EXE_sockeye");

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ended {
    /// Exit code; `None`: a signal ended it.
    pub(crate) code: Option<i32>,
    /// Standard output.
    pub(crate) stdout: Vec<u8>,
    /// Standard error.
    pub(crate) stderr: String,
}

impl Ended {
    /// Standard output as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.stdout.clone()).expect("stdout is UTF-8")
    }

    /// Standard output as lines.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.text().lines().map(str::to_owned).collect()
    }

    /// Standard output as one JSON document.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self}"))
    }

    /// Asserts that it answered and had nothing to say on stderr.
    #[track_caller]
    pub(crate) fn quietly(self) -> Self {
        assert!(self.code == Some(0) && self.stderr.is_empty(), "{self}");
        self
    }
}

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.stdout))?;
        for line in self.stderr.lines() {
            writeln!(f, "! {line}")?;
        }
        match self.code {
            Some(code) => writeln!(f, "= {code}"),
            None => f.write_str("= killed\n"),
        }
    }
}

/// A run with nothing from the caller's environment that changes the output.
pub(crate) fn command<'a>(args: impl IntoIterator<Item = &'a str>) -> Command {
    let mut command = Command::new(PATH);
    command.args(args).stdin(Stdio::null());
    for name in [
        "TCPDIAG_FILE",
        "PROC_ROOT",
        "NO_COLOR",
        "CLICOLOR",
        "CLICOLOR_FORCE",
        "COLUMNS",
        "LC_ALL",
        "LC_CTYPE",
    ] {
        command.env_remove(name);
    }
    // Nor what its user configured.
    command.env("XDG_CONFIG_HOME", "/nonexistent");
    command.env("LANG", "C.UTF-8").env("TERM", "xterm");
    command
}

/// Runs it with these words.
pub(crate) fn run<'a>(args: impl IntoIterator<Item = &'a str>) -> Ended {
    ended(&mut command(args))
}

/// Runs a prepared command.
pub(crate) fn ended(command: &mut Command) -> Ended {
    let output = command.output().expect("the program starts");
    Ended {
        code: output.status.code(),
        stdout: output.stdout,
        stderr: String::from_utf8(output.stderr).expect("stderr is UTF-8"),
    }
}

/// Feeds `input` to a tool and gives its standard output; the tool has to succeed.
pub(crate) fn filtered(tool: &mut Command, input: &[u8]) -> Vec<u8> {
    let mut child = tool.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success(), "{tool:?}");
    output.stdout
}

/// Whether a tool is installed. Where it is not, says so, and fails where skipping is forbidden.
pub(crate) fn has(tool: &str) -> bool {
    let found = is_installed(tool);
    if !found {
        skipped(&format!("{tool} is not installed"));
    }
    found
}

/// Whether a tool is on the path.
pub(crate) fn is_installed(tool: &str) -> bool {
    std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|dir| dir.join(tool).is_file()))
}

/// Says why a test does not run; fails it with SOCKEYE_REQUIRE_LIVE=1.
pub(crate) fn skipped(why: &str) {
    let mut line = String::new();
    let _ = write!(line, "SKIPPED: {why}");
    assert!(std::env::var_os("SOCKEYE_REQUIRE_LIVE").is_none_or(|set| set != "1"), "{line}");
    println!("{line}");
}
