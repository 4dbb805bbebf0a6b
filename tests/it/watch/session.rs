//! A pseudo-terminal with a program on it.

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
    os::fd::{AsFd, OwnedFd},
    process::{Child, Command, ExitStatus},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};

pub(crate) const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A terminal of 80 by 24 and the program on it.
pub(crate) struct Session {
    /// The other end of the terminal: what a terminal emulator holds.
    pub(crate) master: File,
    /// Keeps the terminal open, and tells its modes.
    pub(crate) slave: OwnedFd,
    before: Termios,
    pub(crate) screen: Arc<Mutex<vt100::Parser>>,
    /// Everything it wrote.
    written: Arc<Mutex<Vec<u8>>>,
    reader: Option<(JoinHandle<()>, Arc<AtomicBool>)>,
    pub(crate) child: Child,
}

impl Session {
    /// Starts `sockeye watch` with these words in the namespace.
    pub(crate) fn start(namespace: &Namespace, words: &[&str]) -> Self {
        let watch = [&[program::PATH, "watch"], words].concat();
        Self::of(namespace, &watch)
    }

    /// Starts a program.
    pub(crate) fn of(namespace: &Namespace, words: &[&str]) -> Self {
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
        command.arg("--ctty").args(words);
        for name in ["NO_COLOR", "COLORFGBG", "COLUMNS", "LC_ALL"] {
            command.env_remove(name);
        }
        command.env("TERM", "xterm-256color").env("LANG", "C.UTF-8");
        let end = || slave.try_clone().unwrap();
        let child = namespace.spawn(command.stdin(end()).stdout(end()).stderr(end()));
        let master = File::from(OwnedFd::from(master));
        let screen = Arc::new(Mutex::new(vt100::Parser::new(nonzero(24), nonzero(80), 0)));
        let (mut output, to) = (master.try_clone().unwrap(), Arc::clone(&screen));
        let written = Arc::new(Mutex::new(vec![]));
        let all = Arc::clone(&written);
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
                    Ok(read) if read > 0 => {
                        all.lock().unwrap().extend_from_slice(&bytes[..read]);
                        to.lock().unwrap().process(&bytes[..read]);
                    }
                    // The terminal is gone.
                    _ => break,
                }
            }
        });
        let reader = Some((reader, closed));
        Self { master, slave, before, screen, written, reader, child }
    }

    /// What it put on the clipboard last (OSC 52).
    pub(crate) fn copied(&self) -> Option<String> {
        let written = self.written.lock().unwrap();
        let text = String::from_utf8_lossy(&written);
        let (_, rest) = text.rsplit_once("\x1b]52;c;")?;
        Some(decoded(rest.split_once('\x07')?.0))
    }

    pub(crate) fn text(&self) -> String {
        self.screen.lock().unwrap().screen().contents()
    }

    /// Waits until the screen shows it.
    #[track_caller]
    pub(crate) fn sees(&self, what: &str) {
        let seen = eventually(PATIENCE, || self.text().contains(what));
        assert!(seen, "{what} is not on the screen:\n{}", self.text());
    }

    /// Waits until the screen no longer shows it.
    #[track_caller]
    pub(crate) fn sees_no_more(&self, what: &str) {
        let gone = eventually(PATIENCE, || !self.text().contains(what));
        assert!(gone, "{what} is still on the screen:\n{}", self.text());
    }

    pub(crate) fn press(&mut self, keys: &str) {
        self.master.write_all(keys.as_bytes()).unwrap();
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(self.pid(), signal).unwrap();
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).unwrap())
    }

    /// `T`, stopped; `S`, asleep; …: the third word of proc_pid_stat(5).
    #[expect(clippy::disallowed_methods, reason = "a test looks at a process")]
    pub(crate) fn state(&self) -> char {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        stat.rsplit(") ").next().unwrap().chars().next().unwrap()
    }

    /// Whether the terminal is as it was: cooked, on its own screen, with its cursor.
    pub(crate) fn is_given_back(&self) -> bool {
        let now = tcgetattr(&self.slave).unwrap();
        let cooked = LocalFlags::ECHO | LocalFlags::ICANON | LocalFlags::ISIG;
        let screen = self.screen.lock().unwrap();
        now == self.before
            && now.local_flags.contains(cooked)
            && !screen.screen().alternate_screen()
            && !screen.screen().hide_cursor()
    }

    pub(crate) fn is_taken(&self) -> bool {
        let now = tcgetattr(&self.slave).unwrap();
        let screen = self.screen.lock().unwrap();
        !now.local_flags.contains(LocalFlags::ICANON) && screen.screen().alternate_screen()
    }

    /// Waits for its end, and for the terminal.
    #[track_caller]
    pub(crate) fn ends(mut self) -> ExitStatus {
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
    pub(crate) fn look_away(&mut self) {
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
pub(crate) fn world() -> (Namespace, Vec<socket2::Socket>, u16) {
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
pub(crate) fn resize(terminal: &OwnedFd, columns: u16, lines: u16) {
    let resized = Command::new("stty")
        .args(["cols", &columns.to_string(), "rows", &lines.to_string()])
        .stdin(terminal.try_clone().unwrap())
        .status();
    assert!(resized.unwrap().success());
}

pub(crate) fn nonzero(number: u16) -> NonZeroU16 {
    NonZeroU16::new(number).unwrap()
}

pub(crate) fn can_run() -> bool {
    require_live(&["ip", "setsid"])
}

/// Base64 (RFC 4648) without its end.
fn decoded(text: &str) -> String {
    const DIGITS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bytes = vec![];
    let (mut bits, mut count) = (0u32, 0);
    for digit in text.chars().filter_map(|c| DIGITS.find(c)) {
        bits = bits << 6 | u32::try_from(digit).unwrap();
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).unwrap());
        }
    }
    String::from_utf8(bytes).unwrap()
}
