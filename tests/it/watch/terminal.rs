//! On a pseudo-terminal: what is typed, what is seen, and that the terminal is given back however
//! the program ends.

use super::session::{Session, can_run, nonzero, resize, world};
use crate::{
    lab::deadline::{PATIENCE, eventually},
    program,
};
use nix::sys::signal::Signal;
use std::{fs::File, os::unix::process::ExitStatusExt};

#[test]
fn it_starts_filters_sorts_groups_freezes_and_quits() {
    if !can_run() {
        return;
    }
    let (namespace, sockets, port) = world();
    let mut session = Session::start(&namespace, &[]);
    session.sees("7 sockets");
    assert!(session.is_taken());
    session.sees("1 ESTABLISHED 6");
    session.press(&format!("/dport = :{port}"));
    session.sees("3 match");
    session.press(" and stat");
    session.sees("no column is called `stat`");
    session.sees("3 match");
    session.press("\u{15}");
    session.sees("7 sockets");
    session.press("\r");
    session.sees_no_more("filter:");
    session.press("sb");
    session.sees_no_more("sort by");
    session.press("gb");
    session.sees("GROUP");
    session.press("ga");
    session.sees("PROCESS");
    session.press("?");
    session.sees("the line above");
    session.press("q");
    session.sees("LISTEN");
    session.press("f");
    session.sees("FROZEN +0 -0 ~0");
    drop(sockets);
    session.sees("~3");
    session.sees("LISTEN");
    session.press("f");
    session.sees("TIME_WAIT");
    session.press("q");
    assert_eq!(session.ends().code(), Some(0));
}

#[test]
fn it_follows_the_size_of_the_terminal() {
    if !can_run() {
        return;
    }
    let (namespace, _sockets, _) = world();
    let session = Session::start(&namespace, &[]);
    session.sees("7 sockets");
    let rows = |session: &Session| session.text().lines().count();
    for (columns, lines, seen) in [(120, 40, "RECV-Q"), (40, 12, "PEER"), (80, 24, "LOCAL")] {
        session.screen.lock().unwrap().screen_mut().set_size(nonzero(lines), nonzero(columns));
        resize(&session.slave, columns, lines);
        session.sees(seen);
        assert!(eventually(PATIENCE, || rows(&session) == usize::from(lines)));
    }
}

#[test]
fn it_is_stopped_and_continued() {
    if !can_run() {
        return;
    }
    let (namespace, _sockets, _) = world();
    let mut session = Session::start(&namespace, &[]);
    session.sees("7 sockets");
    // By its key, by the signal of another, and by one that cannot be caught.
    for stop in ["\u{1a}", "TSTP", "STOP"] {
        match stop {
            "TSTP" => session.signal(Signal::SIGTSTP),
            "STOP" => session.signal(Signal::SIGSTOP),
            key => session.press(key),
        }
        assert!(eventually(PATIENCE, || session.state() == 'T'), "{stop:?}: {}", session.state());
        if stop != "STOP" {
            assert!(eventually(PATIENCE, || session.is_given_back()), "{stop:?}");
        }
        // What the shell writes meanwhile is not to stay.
        session.screen.lock().unwrap().process(b"\x1b[2J\x1b[Hleft by the shell");
        session.signal(Signal::SIGCONT);
        assert!(eventually(PATIENCE, || session.is_taken()), "{stop:?}");
        session.sees("7 sockets");
        session.sees_no_more("left by the shell");
    }
    session.press("q");
    assert_eq!(session.ends().code(), Some(0));
}

#[test]
fn signals_end_it_as_they_end_any_program_and_the_terminal_is_given_back() {
    if !can_run() {
        return;
    }
    let (namespace, _sockets, _) = world();
    for signal in [Signal::SIGTERM, Signal::SIGHUP] {
        let session = Session::start(&namespace, &[]);
        session.sees("7 sockets");
        session.signal(signal);
        assert_eq!(session.ends().signal(), Some(signal as i32));
    }
    let session = Session::start(&namespace, &[]);
    session.sees("7 sockets");
    session.signal(Signal::SIGINT);
    assert_eq!(session.ends().code(), Some(130));
    let mut session = Session::start(&namespace, &[]);
    session.sees("7 sockets");
    session.press("\u{3}");
    assert_eq!(session.ends().code(), Some(130));
}

#[test]
fn a_terminal_that_is_closed_ends_it() {
    if !can_run() {
        return;
    }
    let (namespace, _sockets, _) = world();
    let mut session = Session::start(&namespace, &[]);
    session.sees("7 sockets");
    session.look_away();
    // The last that holds the other end: the kernel hangs the terminal up.
    session.master = File::open("/dev/null").unwrap();
    let ended = eventually(PATIENCE, || session.child.try_wait().unwrap().is_some());
    assert!(ended, "it goes on without a terminal");
    let end = session.child.wait().unwrap();
    assert_eq!(end.signal(), Some(Signal::SIGHUP as i32));
}

#[test]
fn details_are_those_of_the_selected_socket_and_it_can_be_closed() {
    if !can_run() {
        return;
    }
    let (namespace, sockets, port) = world();
    let filter = format!("dport = :{port}");
    let mut session = Session::start(&namespace, &[&filter]);
    session.sees("3 match");
    session.press("\r");
    let inode = crate::lab::transport::inode(&sockets[0]);
    session.sees("Owner");
    session.sees("Neighbours");
    // Details of each in turn: one of them is this process's first connection.
    let seen = (0..3).any(|_| {
        let found = eventually(std::time::Duration::from_secs(2), || {
            session.text().contains(&format!("inode {inode}"))
        });
        if !found {
            session.press("j");
        }
        found
    });
    assert!(seen, "{}", session.text());
    session.press("\u{1b}");
    session.sees_no_more("Neighbours");
    session.press(" k");
    session.sees("ECONNABORTED");
    session.press("y");
    session.sees("closed");
    let error = eventually(PATIENCE, || sockets[0].take_error().unwrap().is_some());
    assert!(error, "its process is not told");
    session.press("q");
    assert_eq!(session.ends().code(), Some(0));
}

#[test]
fn without_a_terminal_it_says_what_there_is_instead() {
    let ended = program::run(["watch"]);
    assert_eq!(ended.code, Some(64), "{ended}");
    assert!(ended.stderr.contains("watch draws on a terminal") && ended.stdout.is_empty());
    assert!(ended.stderr.contains("hint: "), "{ended}");
}
