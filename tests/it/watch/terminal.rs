//! On a pseudo-terminal: what is typed, what is seen, and that the terminal is given back however
//! the program ends.

use crate::{
    lab::{
        deadline::{PATIENCE, eventually},
        namespace::Namespace,
        requirement::require_live,
        transport::{at, connect, listener, local},
    },
    program,
};
use nix::{
    fcntl::{OFlag, open},
    poll::{PollFd, PollFlags, poll},
    pty::{grantpt, posix_openpt, ptsname_r, unlockpt},
    sys::{
        signal::{Signal, kill},
        stat::Mode,
        termios::{LocalFlags, Termios, tcgetattr},
    },
    unistd::Pid,
};
use std::{
    fs::File,
    io::{Read, Write},
    net::{IpAddr, Ipv4Addr},
    num::NonZeroU16,
    os::{
        fd::{AsFd, OwnedFd},
        unix::process::ExitStatusExt,
    },
    process::{Child, Command, ExitStatus},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A terminal of 80 by 24 and the program on it.
struct Session {
    /// The other end of the terminal: what a terminal emulator holds.
    master: File,
    /// Keeps the terminal open, and tells its modes.
    slave: OwnedFd,
    before: Termios,
    screen: Arc<Mutex<vt100::Parser>>,
    reader: Option<(JoinHandle<()>, Arc<AtomicBool>)>,
    child: Child,
}

impl Session {
    /// Starts `sockeye watch` with these words in the namespace.
    fn start(namespace: &Namespace, words: &[&str]) -> Self {
        // Not openpty(3): programs that other tests start meanwhile would inherit its ends.
        let flags = OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
        let master = posix_openpt(flags).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let slave = open(ptsname_r(&master).unwrap().as_str(), flags, Mode::empty()).unwrap();
        let before = tcgetattr(&slave).unwrap();
        resize(&slave, 80, 24);
        // A session of its own, with this terminal: its signals come from there. `setsid` becomes
        // the program, so that the child is the program.
        let mut command = Command::new("setsid");
        command.args(["--ctty", program::PATH, "watch"]).args(words);
        for name in ["NO_COLOR", "COLORFGBG", "COLUMNS", "LC_ALL"] {
            command.env_remove(name);
        }
        command.env("TERM", "xterm-256color").env("LANG", "C.UTF-8");
        let end = || slave.try_clone().unwrap();
        let child = namespace.spawn(command.stdin(end()).stdout(end()).stderr(end()));
        let master = File::from(OwnedFd::from(master));
        let screen = Arc::new(Mutex::new(vt100::Parser::new(nonzero(24), nonzero(80), 0)));
        let (mut output, to) = (master.try_clone().unwrap(), Arc::clone(&screen));
        let closed = Arc::new(AtomicBool::new(false));
        let is_closed = Arc::clone(&closed);
        let reader = thread::spawn(move || {
            let mut bytes = [0; 4096];
            while !is_closed.load(Ordering::SeqCst) {
                let mut ready = [PollFd::new(output.as_fd(), PollFlags::POLLIN)];
                if poll(&mut ready, 50u16).unwrap_or(0) == 0 {
                    continue;
                }
                match output.read(&mut bytes) {
                    Ok(read) if read > 0 => to.lock().unwrap().process(&bytes[..read]),
                    // The terminal is gone.
                    _ => break,
                }
            }
        });
        let reader = Some((reader, closed));
        Self { master, slave, before, screen, reader, child }
    }

    fn text(&self) -> String {
        self.screen.lock().unwrap().screen().contents()
    }

    /// Waits until the screen shows it.
    #[track_caller]
    fn sees(&self, what: &str) {
        let seen = eventually(PATIENCE, || self.text().contains(what));
        assert!(seen, "{what} is not on the screen:\n{}", self.text());
    }

    /// Waits until the screen no longer shows it.
    #[track_caller]
    fn sees_no_more(&self, what: &str) {
        let gone = eventually(PATIENCE, || !self.text().contains(what));
        assert!(gone, "{what} is still on the screen:\n{}", self.text());
    }

    fn press(&mut self, keys: &str) {
        self.master.write_all(keys.as_bytes()).unwrap();
    }

    fn signal(&self, signal: Signal) {
        kill(self.pid(), signal).unwrap();
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).unwrap())
    }

    /// `T`, stopped; `S`, asleep; …: the third word of proc_pid_stat(5).
    #[expect(clippy::disallowed_methods, reason = "a test looks at a process")]
    fn state(&self) -> char {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        stat.rsplit(") ").next().unwrap().chars().next().unwrap()
    }

    /// Whether the terminal is as it was: cooked, on its own screen, with its cursor.
    fn is_given_back(&self) -> bool {
        let now = tcgetattr(&self.slave).unwrap();
        let cooked = LocalFlags::ECHO | LocalFlags::ICANON | LocalFlags::ISIG;
        let screen = self.screen.lock().unwrap();
        now == self.before
            && now.local_flags.contains(cooked)
            && !screen.screen().alternate_screen()
            && !screen.screen().hide_cursor()
    }

    fn is_taken(&self) -> bool {
        let now = tcgetattr(&self.slave).unwrap();
        let screen = self.screen.lock().unwrap();
        !now.local_flags.contains(LocalFlags::ICANON) && screen.screen().alternate_screen()
    }

    /// Waits for its end, and for the terminal.
    #[track_caller]
    fn ends(mut self) -> ExitStatus {
        let mut end = None;
        let ended = eventually(PATIENCE, || {
            end = self.child.try_wait().unwrap();
            end.is_some()
        });
        assert!(ended, "it did not end:\n{}", self.text());
        assert!(eventually(PATIENCE, || self.is_given_back()), "the terminal is not given back");
        end.unwrap()
    }
}

impl Session {
    /// No longer looks at the screen.
    fn look_away(&mut self) {
        if let Some((reader, closed)) = self.reader.take() {
            closed.store(true, Ordering::SeqCst);
            let _ = reader.join();
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.look_away();
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A namespace with a listener and three connections to it.
fn world() -> (Namespace, Vec<socket2::Socket>, u16) {
    let namespace = Namespace::new();
    let (sockets, port) = namespace.run(|| {
        let server = listener(at(HERE, 0), 8);
        let port = local(&server).port();
        let mut sockets = vec![];
        for _ in 0..3 {
            sockets.push(connect(HERE, at(HERE, port)));
            sockets.push(server.accept().unwrap().0);
        }
        sockets.push(server);
        (sockets, port)
    });
    (namespace, sockets, port)
}

/// Gives a terminal a size; its programs get SIGWINCH.
fn resize(terminal: &OwnedFd, columns: u16, lines: u16) {
    let resized = Command::new("stty")
        .args(["cols", &columns.to_string(), "rows", &lines.to_string()])
        .stdin(terminal.try_clone().unwrap())
        .status();
    assert!(resized.unwrap().success());
}

fn nonzero(number: u16) -> NonZeroU16 {
    NonZeroU16::new(number).unwrap()
}

fn can_run() -> bool {
    require_live(&["ip", "setsid"])
}

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
