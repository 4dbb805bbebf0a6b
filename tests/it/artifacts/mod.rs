//! The manual and the completion scripts: generated from the one definition of options, columns,
//! states and exit codes, committed, and proved fresh here. `UPDATE=1 cargo test` rewrites them.

mod candidates;
mod doctor;
mod manual;
mod shells;

use sockeye::cli::args::{Cli, Shell};
use std::{fs, path::PathBuf, process::Command};

/// A committed file, and what it has to be.
struct Artifact {
    path: &'static str,
    text: String,
}

/// Every generated file. A new manual page or shell is one line here.
fn artifacts() -> Vec<Artifact> {
    let page = |path, template: &str| Artifact { path, text: manual::page(&file(template)) };
    let script = |path, shell| Artifact { path, text: shells::script(shell, &Cli::whole()) };
    vec![
        page("man/sockeye.1", "man/template.1"),
        page("man/sockeye-watch.1", "man/template-watch.1"),
        page("man/sockeye-doctor.1", "man/template-doctor.1"),
        script("completions/sockeye.bash", Shell::Bash),
        script("completions/_sockeye", Shell::Zsh),
        script("completions/sockeye.fish", Shell::Fish),
    ]
}

#[test]
fn committed_artifacts_are_fresh() {
    let mut stale = vec![];
    for Artifact { path, text } in artifacts() {
        if updating() {
            fs::write(absolute(path), text).unwrap();
        } else if !fs::exists(absolute(path)).unwrap() || file(path) != text {
            stale.push(path);
        }
    }
    assert!(stale.is_empty(), "stale: {}: run `UPDATE=1 cargo test`", stale.join(", "));
}

#[test]
fn mandoc_finds_nothing_above_style() {
    if !crate::program::has("mandoc") {
        return;
    }
    for Artifact { path, text } in artifacts().iter().filter(|a| a.path.starts_with("man/")) {
        let copy = std::env::temp_dir().join(format!("sockeye-lint-{}.1", std::process::id()));
        fs::write(&copy, text).unwrap();
        let checked = Command::new("mandoc").args(["-T", "lint"]).arg(&copy).output().unwrap();
        fs::remove_file(&copy).unwrap();
        let said = String::from_utf8_lossy(&checked.stdout).into_owned();
        let above: Vec<&str> = said.lines().filter(|line| !line.contains(" STYLE: ")).collect();
        assert!(above.is_empty(), "{path}:\n{}", above.join("\n"));
    }
}

fn updating() -> bool {
    std::env::var_os("UPDATE").is_some_and(|value| value == "1")
}

#[test]
fn the_binary_prints_the_committed_scripts() {
    if updating() {
        // The binary was built before the scripts were rewritten.
        return;
    }
    for (shell, path) in [
        ("bash", "completions/sockeye.bash"),
        ("zsh", "completions/_sockeye"),
        ("fish", "completions/sockeye.fish"),
    ] {
        let printed =
            Command::new(crate::program::PATH).args(["completions", shell]).output().unwrap();
        assert_eq!(String::from_utf8(printed.stdout).unwrap(), file(path), "{shell}");
    }
}

fn absolute(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A file of the repository.
#[expect(clippy::disallowed_methods, reason = "a test reads the repository")]
fn file(path: &str) -> String {
    fs::read_to_string(absolute(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}
