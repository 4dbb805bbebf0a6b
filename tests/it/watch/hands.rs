//! What a hand does on the screen: copies, clicks, closes sockets, goes on from the command line.

use super::session::{HERE, Session, can_run, world};
use crate::{
    lab::{
        deadline::{PATIENCE, eventually},
        namespace::Namespace,
        transport::{at, inode, listener, local},
    },
    program,
};
use nix::sys::signal::Signal;
use sockeye::view::watch::terminal::Screen;
use std::{
    io::{self, IsTerminal},
    os::unix::process::ExitStatusExt,
    process::Command,
};

#[test]
fn what_is_copied_reaches_the_clipboard_of_the_terminal() {
    if !can_run() {
        return;
    }
    let (namespace, sockets, port) = world();
    let mut session = Session::start(&namespace, &[&format!("dport = :{port}")]);
    session.sees("3 match");
    session.press("j f");
    session.sees("copied: src ");
    let filter = session.copied().unwrap();
    let peer = format!("dst 127.0.0.1:{port}");
    assert!(filter.starts_with("src 127.0.0.1:") && filter.ends_with(&peer), "{filter}");
    session.press("\r");
    session.sees("Neighbours");
    session.press(" j");
    session.sees("copied as JSON");
    let copied = || session.copied().filter(|text| text.starts_with('{'));
    assert!(eventually(PATIENCE, || copied().is_some()));
    let socket: serde_json::Value = serde_json::from_str(&copied().unwrap()).unwrap();
    let inodes: Vec<u64> = sockets.iter().map(inode).collect();
    assert!(inodes.contains(&socket["inode"].as_u64().unwrap()), "{socket}");
    assert_eq!(socket["peer"]["port"], port);
}

#[test]
fn the_command_line_of_a_view_gives_this_view() {
    if !can_run() {
        return;
    }
    let (namespace, _sockets, port) = world();
    let mut session = Session::start(&namespace, &["-4", "-ta"]);
    session.sees("7 sockets");
    session.press(&format!("/sport = :{port} or dport = :{port}\r"));
    session.sees("7 match");
    session.press("1");
    // By port, and the first group opened is not part of it; the largest first the other way.
    session.press("gd");
    session.sees("GROUP");
    session.press("r");
    session.press("y");
    session.sees("--group-by port");
    let command = session.copied().unwrap();
    let begins = "sockeye watch -t -4 --state ESTABLISHED --group-by port";
    assert!(command.starts_with(begins), "{command}");
    session.press("q");
    let again = command.replacen("sockeye", program::PATH, 1);
    let other = Session::of(&namespace, &["sh", "-c", &format!("exec {again}")]);
    // But for the clock of the first line, and what the newer one does not remember.
    let rows = |session: &Session| -> Vec<String> {
        let without_past = |line: &str| line.replace(['▁', ' '], "");
        session.text().lines().skip(1).map(without_past).collect()
    };
    let same = eventually(PATIENCE, || {
        let (first, second) = (rows(&session), rows(&other));
        first.iter().any(|line| line.contains(&port.to_string())) && first == second
    });
    assert!(same, "{}\n{}", session.text(), other.text());
}

#[test]
fn the_mouse_selects_where_it_is_asked_for() {
    if !can_run() {
        return;
    }
    let (namespace, _sockets, port) = world();
    let mut session = Session::start(&namespace, &["--mouse", &format!("port :{port}")]);
    session.sees("7 match");
    // The last: what no key but the mouse has selected.
    let text = session.text();
    let peer = format!("127.0.0.1:{port} ");
    let (row, line) =
        text.lines().enumerate().filter(|(_, line)| line.contains(&peer)).last().unwrap();
    let own = line.split_whitespace().find(|word| word.starts_with(':')).unwrap();
    // SGR 1006: button 0 goes down and up in column 10 of this row, counted from 1.
    session.press(&format!("\x1b[<0;10;{0}M\x1b[<0;10;{0}m\r", row + 1));
    session.sees(&format!("── tcp 127.0.0.1{own} "));
    session.press("\x1b");
    session.sees_no_more("Neighbours");
    session.press("q");
    assert_eq!(session.ends().code(), Some(0));
}

#[test]
fn a_socket_is_closed_in_the_namespace_where_it_is() {
    if !can_run() {
        return;
    }
    let (other, sockets, port) = world();
    let here = Namespace::new();
    // The same port here: only the one that is meant is closed.
    let same = here.run(|| listener(at(HERE, port), 1));
    let filter = format!("state = LISTEN and sport = :{port} and netns = {}", other.name());
    let mut session = Session::start(&here, &["--all-netns", &filter]);
    session.sees("1 match");
    session.press(" k");
    session.sees("y");
    session.press("y");
    session.sees("closed");
    let server = sockets.last().unwrap();
    let is_closed = || {
        let mut command = Command::new(program::PATH);
        let counted = other.output(command.args(["-tl", "--count", &format!("sport = :{port}")]));
        counted.stdout.trim_ascii() == b"0"
    };
    assert!(eventually(PATIENCE, is_closed));
    assert!(server.accept().is_err());
    assert_eq!(local(&same).port(), port);
    here.run(|| std::net::TcpStream::connect((HERE, port)).unwrap());
    session.press("q");
    assert_eq!(session.ends().code(), Some(0));
}

/// The program of the next test: it takes the terminal it runs on, and panics.
#[test]
#[ignore = "is run on a terminal by the test after it"]
fn panics_with_the_screen_taken() {
    if !io::stdout().is_terminal() {
        return;
    }
    let _screen = Screen::open(true).unwrap();
    panic!("on purpose");
}

#[test]
fn a_panic_gives_the_terminal_back_and_is_read_on_it() {
    if !can_run() {
        return;
    }
    let namespace = Namespace::new();
    let this = std::env::current_exe().unwrap();
    let name = "watch::hands::panics_with_the_screen_taken";
    let words = [this.to_str().unwrap(), "--ignored", "--exact", name, "--nocapture"];
    let session = Session::of(&namespace, &words);
    session.sees("on purpose");
    let ended = session.ends();
    assert!(!ended.success() && ended.signal() != Some(Signal::SIGKILL as i32), "{ended:?}");
}

#[test]
fn other_tables_are_chosen_or_it_is_said_what_shows_them() {
    for (word, name) in
        [("-x", "u_str"), ("-0", "packet"), ("--vsock", "vsock"), ("-Anetlink", "netlink")]
    {
        let ended = program::run(["watch", word]);
        assert_eq!(ended.code, Some(64), "{ended}");
        let is_named = ended.stderr.contains(name) || ended.stderr.contains("unix");
        assert!(is_named && ended.stderr.contains("--watch` shows them"), "{ended}");
    }
    if !can_run() {
        return;
    }
    let (namespace, _sockets, _) = world();
    let raw = namespace.run(|| {
        let protocol = Some(socket2::Protocol::from(253));
        socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::RAW, protocol).unwrap()
    });
    let mut session = Session::start(&namespace, &["-w"]);
    session.sees("1 socket");
    session.sees(":253");
    session.press("y");
    session.sees("sockeye watch -w");
    session.sees("sockeye -anp -w");
    drop(raw);
}

#[test]
fn what_the_doctor_finds_is_a_line_of_the_screen() {
    if !can_run() {
        return;
    }
    let namespace = Namespace::new();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/hosts/server/snapshot.gz");
    let report = program::run(["doctor", "--from", path, "--json"]).json();
    let findings = report["findings"].as_array().unwrap();
    let told = findings.iter().filter(|finding| {
        let id = finding["id"].as_str().unwrap();
        // Full queues are told by each round, before any report.
        finding["severity"] == "critical" && !id.starts_with("accept-queue")
    });
    let titles: Vec<&str> = told.map(|finding| finding["title"].as_str().unwrap()).collect();
    assert!(!titles.is_empty(), "{report}");
    let mut session = Session::start(&namespace, &["--from", path]);
    for title in titles {
        session.sees(title);
    }
    session.press("q");
    assert_eq!(session.ends().code(), Some(0));
}
