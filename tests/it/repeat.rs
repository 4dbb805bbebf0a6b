//! `--watch` on lists and reports: drawn in place on a terminal, one document after another in a
//! pipe, and a clean end either way.

use crate::{
    lab::{
        deadline::{PATIENCE, eventually},
        namespace::Namespace,
        program::SOCKEYE,
        requirement::require_live,
        transport::{at, listener},
    },
    program::run,
};
use nix::{
    pty::{Winsize, openpty},
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use std::{
    fs::File,
    io::{BufRead, BufReader, Read},
    net::{IpAddr, Ipv4Addr},
    process::{Command, Stdio},
    sync::{Arc, Mutex},
    thread,
};

const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

#[test]
fn on_a_terminal_it_is_drawn_in_place_with_what_is_new_in_bold() {
    if !require_live(&["ip"]) {
        return;
    }
    let namespace = Namespace::new();
    for words in [&["-tl", "--watch=0.1"][..], &["list", "-tl", "--watch=0.1"]] {
        let first = namespace.run(|| listener(at(LOCALHOST, 7900), 1));
        let size = Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };
        let pty = openpty(&size, None).unwrap();
        let mut command = Command::new(SOCKEYE);
        command.args(words).stdin(Stdio::null()).stderr(Stdio::null());
        command.stdout(Stdio::from(pty.slave)).env("NO_COLOR", "1");
        let mut child = namespace.spawn(&mut command);
        // The slave's last copy goes with the command, so that reading ends.
        drop(command);
        let seen = Arc::new(Mutex::new(String::new()));
        let to = Arc::clone(&seen);
        let reader = thread::spawn(move || {
            let mut master = File::from(pty.master);
            let mut room = [0; 4096];
            while let Ok(read @ 1..) = master.read(&mut room) {
                to.lock().unwrap().push_str(&String::from_utf8_lossy(&room[..read]));
            }
        });
        let has = |text: &str| eventually(PATIENCE, || seen.lock().unwrap().contains(text));
        assert!(has("127.0.0.1:7900"), "{:?}", seen.lock());
        let second = namespace.run(|| listener(at(LOCALHOST, 7901), 1));
        assert!(has("\x1b[1mLISTEN"), "what is new is marked: {:?}", seen.lock());
        kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), Signal::SIGINT).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(130));
        reader.join().unwrap();
        let text = seen.lock().unwrap().clone();
        assert!(text.starts_with("\x1b[H") && !text.contains("\x1b[2J"), "{text:?}");
        // The alternate screen, the cursor and the modes are as they were.
        assert!(!text.contains("\x1b[?"), "{text:?}");
        drop((first, second));
    }
}

#[test]
fn in_a_pipe_documents_follow_one_another_and_its_end_is_no_failure() {
    for words in [
        &["-ta", "--json", "--watch=0.1", "--times", "3"][..],
        &["summary", "--json", "--watch=0.1", "--times", "3"],
        &["capacity", "--ndjson", "--watch=0.1", "--times", "3"],
    ] {
        let ended = run(words.iter().copied());
        assert_eq!(ended.code, Some(0), "{ended}");
        let documents: Vec<serde_json::Value> =
            ended.lines().iter().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(documents.len(), 3, "{words:?}");
        let times: Vec<&str> =
            documents.iter().map(|d| d["generated_at"].as_str().unwrap()).collect();
        assert!(times[0] < times[1] && times[1] < times[2], "{times:?}");
    }
    // `| head -3`, of a list that comes and one that has nothing to write.
    let _open = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    for (words, lines) in [
        (&["-tl", "--watch=0.1", "--ndjson"][..], 3),
        (&["-t", "--watch=30", "--ndjson", "sport = :1"], 0),
    ] {
        let mut command = Command::new(SOCKEYE);
        let mut child =
            command.args(words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        for _ in 0..lines {
            let mut line = String::new();
            output.read_line(&mut line).unwrap();
            let row: serde_json::Value = serde_json::from_str(&line).unwrap();
            assert!(row["generated_at"].is_string());
        }
        drop(output);
        let ended = eventually(PATIENCE, || child.try_wait().unwrap().is_some());
        assert!(ended, "{words:?} goes on though nobody reads");
        let ended = child.wait_with_output().unwrap();
        assert_eq!(ended.status.code(), Some(0));
        assert_eq!(String::from_utf8_lossy(&ended.stderr), "");
    }
}
