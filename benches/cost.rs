//! What one run of a command costs.
//!
//! A benchmark starts itself in the role `measure`, which its `main` hands on to [`measure`]: a process
//! that has no other child, so that the figures are the command's own.

use super::load::itself;
use nix::sys::{
    resource::{UsageWho, getrusage},
    time::TimeValLike,
};
use std::{
    process::{Command, Stdio},
    time::Instant,
};

/// What one run cost.
#[derive(Clone, Copy)]
pub(crate) struct Cost {
    pub(crate) cpu_ms: f64,
    pub(crate) wall_ms: f64,
    pub(crate) peak_kib: f64,
}

/// Runs a command, given as words, by way of the role `measure`.
pub(crate) fn of(words: &[&str]) -> Cost {
    let told = itself(&["measure"]).args(words).output().unwrap();
    assert!(told.status.success(), "{words:?}: {}", String::from_utf8_lossy(&told.stderr));
    let told = String::from_utf8(told.stdout).unwrap();
    let figures: Vec<f64> = told.split_whitespace().map(|word| word.parse().unwrap()).collect();
    Cost { cpu_ms: figures[0], wall_ms: figures[1], peak_kib: figures[2] }
}

/// Runs a command once and prints CPU and wall time in milliseconds and peak memory in KiB.
pub(crate) fn measure(command: &[&str]) {
    let start = Instant::now();
    let status = Command::new(command[0])
        .args(&command[1..])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap();
    let wall = start.elapsed();
    // lsof has found nothing.
    let found_nothing = command.first() == Some(&"lsof") && status.code() == Some(1);
    assert!(status.success() || found_nothing, "{command:?}: {status}");
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap();
    let cpu = usage.user_time() + usage.system_time();
    println!(
        "{} {} {}",
        cpu.num_microseconds() as f64 / 1000.0,
        wall.as_secs_f64() * 1000.0,
        usage.max_rss()
    );
}
