//! Raw dumps: ours are read by ss, those of ss by us, and a broken one is refused with its place.

use crate::lab::{
    namespace::Namespace,
    program::{Document, Key, Run, SOCKEYE, sockeye},
    requirement::require_live,
    ss,
    transport::{at, connect, listener, local, read_to_end},
};
use socket2::Socket;
use std::{
    fs,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    process::Command,
};
use tempfile::TempDir;

const V4: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const V6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);

/// A namespace with listeners, connections and TIME_WAIT over both families, and a directory.
struct Zoo {
    namespace: Namespace,
    directory: TempDir,
    _sockets: Vec<Socket>,
}

impl Zoo {
    fn new() -> Self {
        let namespace = Namespace::new();
        let sockets = namespace.run(|| {
            let mut sockets = vec![];
            for (address, port) in [(V4, 7600), (V6, 7601)] {
                let server = listener(at(address, port), 8);
                for _ in 0..3 {
                    let client = connect(address, local(&server));
                    let (accepted, _) = server.accept().unwrap();
                    sockets.extend([client, accepted]);
                }
                let first = connect(address, local(&server));
                let (accepted, _) = server.accept().unwrap();
                drop(first);
                read_to_end(&accepted);
                drop(accepted);
                sockets.push(server);
            }
            sockets
        });
        Self { namespace, directory: TempDir::new().unwrap(), _sockets: sockets }
    }

    fn path(&self, name: &str) -> String {
        self.directory.path().join(name).to_str().unwrap().to_owned()
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Run {
        Run::of(self.namespace.output(Command::new(program).args(arguments)))
    }

    /// Whatever the dump says, read elsewhere: outside the namespace.
    fn read(arguments: &[&str]) -> Document {
        Run::of(Command::new(SOCKEYE).args(arguments).output().unwrap()).document()
    }
}

/// The rows of `ss -tan` reading a dump.
fn read_by_ss(path: &str, switches: &[&str]) -> Vec<Key> {
    let mut command = Command::new("ss");
    command.arg("-HnOetua").args(switches).env("TCPDIAG_FILE", path);
    // In a namespace of its own, so that UDP, which ss does not read from the file, is empty.
    let empty = Namespace::new();
    let done = Run::of(empty.output(&mut command));
    assert_eq!(done.code, 0, "{done:?}");
    let mut keys: Vec<Key> = done.stdout.lines().map(|line| ss::row(line).0).collect();
    keys.sort();
    keys
}

#[test]
fn what_is_dumped_is_read_back_here_and_by_ss() {
    if !require_live(&["ip", "ss"]) {
        return;
    }
    let zoo = Zoo::new();
    let file = zoo.path("ours");
    let run = zoo.run(SOCKEYE, &["-ta", "-D", &file]);
    assert_eq!((run.code, run.stdout.as_str(), run.stderr.as_str()), (0, "", ""), "{run:?}");
    let live = sockeye(&zoo.namespace, "-ta --json").document();
    assert_eq!(live.sockets.len(), 2 * (1 + 6 + 1));
    let read = Zoo::read(&["-ta", "--json", "--from", &file]);
    assert_eq!(read.keys(), live.keys());
    assert_eq!(read.warning_codes(), ["raw-dump"]);
    // Cookies, inodes, users: all that the kernel told.
    let mut cookies = [live, read].map(|document| {
        document.sockets.iter().map(|r| (r.cookie, r.inode, r.uid)).collect::<Vec<_>>()
    });
    for list in &mut cookies {
        list.sort_unstable();
    }
    assert_eq!(cookies[0], cookies[1]);

    // Both families, where ss shows one of its own dumps.
    let live = sockeye(&zoo.namespace, "-ta --json").document().keys();
    assert_eq!(read_by_ss(&file, &[]), live);

    // With every attribute, whatever was asked for on recording.
    let info = Run::of(
        Command::new(SOCKEYE)
            .args(["-t", "--from", &file, "--columns", "rtt,rcvbuf,congestion", "--format", "csv"])
            .output()
            .unwrap(),
    );
    let rows: Vec<&str> = info.stdout.lines().skip(1).collect();
    assert_eq!(rows.len(), 12, "{info:?}");
    assert!(rows.iter().all(|row| !row.contains(",,") && !row.starts_with(',')), "{rows:?}");

    // To standard output the same.
    let out = zoo.namespace.output(Command::new(SOCKEYE).args(["-ta", "-D", "-"]));
    assert_eq!(out.stdout.len(), usize::try_from(fs::metadata(&file).unwrap().len()).unwrap());
}

#[test]
fn the_filter_is_applied_as_the_manual_of_ss_claims() {
    if !require_live(&["ip", "ss"]) {
        return;
    }
    let zoo = Zoo::new();
    let pid = format!("pid = {}", std::process::id());
    for (filter, rows) in [
        ("sport = :7600", 3 + 1),
        ("state established and port 7601", 6),
        ("state = TIME_WAIT", 2),
        ("family = ipv6 and not state = TIME_WAIT", 7),
        (pid.as_str(), 2 * 7),
        ("state established and rtt > 0us and sport = :7600", 3),
        ("sport = :1", 0),
    ] {
        let file = zoo.path("filtered");
        let run = zoo.run(SOCKEYE, &["-ta", "-D", &file, filter]);
        assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{filter} {run:?}");
        assert_eq!(read_by_ss(&file, &[]).len(), rows, "{filter}");
        assert_eq!(Zoo::read(&["-ta", "--json", "--from", &file]).sockets.len(), rows);
        fs::remove_file(file).unwrap();
    }
}

#[test]
fn a_dump_of_ss_is_read_to_its_end() {
    if !require_live(&["ip", "ss"]) {
        return;
    }
    let zoo = Zoo::new();
    let file = zoo.path("theirs");
    let run = zoo.run("ss", &["-taime", "-D", &file]);
    assert_eq!(run.code, 0, "{run:?}");
    let live = sockeye(&zoo.namespace, "-ta --json").document().keys();
    let read = Zoo::read(&["-ta", "--json", "--from", &file]).keys();
    assert_eq!(read, live);
    // ss itself stops at its first end mark.
    assert_eq!(read_by_ss(&file, &[]).len(), live.len() / 2);

    // The variable that ss reads, and the reports on it.
    let with_variable = |arguments: &[&str]| {
        let mut command = Command::new(SOCKEYE);
        Run::of(command.args(arguments).env("TCPDIAG_FILE", &file).output().unwrap())
    };
    let run = with_variable(&["-ta", "--json"]);
    assert!(run.stderr.contains("as TCPDIAG_FILE says"), "{run:?}");
    assert_eq!(run.document().keys(), live);
    for arguments in [
        &["summary"][..],
        &["time-wait"],
        &["capacity"],
        &[],
        &["-ta", "--group-by", "state"],
        &["-tanoemip"],
        &["diff", &file, &file],
    ] {
        let run = with_variable(arguments);
        assert_eq!(run.code, 0, "{arguments:?} {run:?}");
    }
    assert_eq!(with_variable(&["-ta", "--netns", "x"]).code, 64);
    // It is about TCP.
    let udp = with_variable(&["-ua", "--json"]);
    assert_eq!((udp.document().source.kind.as_str(), udp.stderr.as_str()), ("netlink", ""));
}

#[test]
fn a_broken_dump_is_refused_with_its_place() {
    if !require_live(&["ip"]) {
        return;
    }
    let zoo = Zoo::new();
    let file = zoo.path("whole");
    zoo.run(SOCKEYE, &["-ta", "-D", &file]);
    #[expect(clippy::disallowed_methods, reason = "a test reads what was written")]
    let whole = fs::read(&file).unwrap();
    let refused = |bytes: &[u8]| {
        let broken = zoo.path("broken");
        fs::write(&broken, bytes).unwrap();
        let run = Run::of(Command::new(SOCKEYE).args(["-ta", "--from", &broken]).output().unwrap());
        assert_eq!((run.code, run.stdout.as_str()), (3, ""), "{run:?}");
        run.stderr
    };
    let cut = whole.len() / 2 + 3;
    assert!(refused(&whole[..cut]).contains(&format!("ends at byte {cut}")));
    let mut lying = whole.clone();
    lying[..4].copy_from_slice(&0x00ff_ffff_u32.to_ne_bytes());
    assert!(refused(&lying).contains("gzip") || refused(&lying).contains("no snapshot"));
    let first = usize::try_from(u32::from_ne_bytes(whole[..4].try_into().unwrap())).unwrap();
    let mut second = whole.clone();
    second[first] = 1;
    second[first + 1] = 0;
    assert!(refused(&second).contains(&format!("at byte {first}: a message cannot have 1 bytes")));
    assert!(refused(b"State Recv-Q\n").contains("ss -D FILE"));
    assert!(refused(b"").contains("it is empty"));

    for (arguments, said) in [
        (&["-ua", "-D", "x"][..], "-D dumps TCP sockets"),
        (&["-ta", "-D", "x", "--from", &file], "--from asks no kernel"),
    ] {
        let run = zoo.run(SOCKEYE, arguments);
        assert_eq!(run.code, 64, "{run:?}");
        assert!(run.stderr.contains(said), "{run:?}");
    }
    let run = zoo.run(SOCKEYE, &["-ta", "-D", "/nonexistent/x"]);
    assert_eq!(run.code, 3, "{run:?}");
    assert!(run.stderr.contains("cannot write the dump /nonexistent/x: ENOENT"), "{run:?}");
}

#[test]
fn the_variables_of_ss_name_trees_and_tables() {
    if !require_live(&["ip"]) {
        return;
    }
    let zoo = Zoo::new();
    let tree = zoo.directory.path().join("net");
    fs::create_dir(&tree).unwrap();
    let line = "  sl\n   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0 100 0 0 10 0\n";
    fs::write(tree.join("tcp"), line).unwrap();
    let run = |variable: &str, value: &std::path::Path| {
        let mut command = Command::new(SOCKEYE);
        command.args(["-ta4", "--json"]).env(variable, value);
        Run::of(zoo.namespace.output(&mut command)).document()
    };
    let by_root = run("PROC_ROOT", zoo.directory.path());
    let by_table = run("PROC_NET_TCP", &tree.join("tcp"));
    for document in [by_root, by_table] {
        assert_eq!(document.source.kind, "proc");
        let ports: Vec<u16> = document.sockets.iter().map(|row| row.local.port).collect();
        assert_eq!(ports, [8080]);
    }
    // Of the other families too.
    let families = [
        (
            "PROC_NET_UNIX",
            "-xa",
            "Num RefCount Protocol Flags Type St Inode Path\n0000000000000000: 00000002 00000000 00010000 0001 01 4712 /run/elsewhere\n",
            "/run/elsewhere",
        ),
        (
            "PROC_NET_PACKET",
            "-0",
            "sk RefCnt Type Proto Iface R Rmem User Inode\n0000000000000000 3 3 0806 0 1 0 0 4713\n",
            "arp",
        ),
        (
            "PROC_NET_NETLINK",
            "-f netlink",
            "sk Eth Pid Groups Rmem Wmem Dump Locks Drops Inode\n0000000000000000 0 4242 00000001 0 0 0 2 0 4714\n",
            "4242",
        ),
    ];
    for (variable, switches, text, shown) in families {
        let table = tree.join(variable);
        fs::write(&table, text).unwrap();
        let mut command = Command::new(SOCKEYE);
        command.args(switches.split(' ')).args(["-H", "--format", "csv"]).env(variable, &table);
        let run = Run::of(zoo.namespace.output(&mut command));
        assert_eq!(run.code, 0, "{run:?}");
        assert!(run.stdout.lines().count() == 1 && run.stdout.contains(shown), "{run:?}");
    }
    // The machine's own tree, and yet not netlink, as in ss.
    let own = run("PROC_ROOT", std::path::Path::new("/proc"));
    assert_eq!((own.source.kind.as_str(), own.sockets.len()), ("proc", 8));
    assert_eq!(own.source.fallback_reason, None);
    assert_eq!(run("PROC_ROOT", std::path::Path::new("")).source.kind, "netlink");
}

#[test]
fn sctp_is_read_from_its_two_tables() {
    let directory = TempDir::new().unwrap();
    let sctp = directory.path().join("net/sctp");
    fs::create_dir_all(&sctp).unwrap();
    fs::write(
        sctp.join("eps"),
        " ENDPT SOCK STY SST HBKT LPORT UID INODE LADDRS\na b 2 10 29 5000 0 4715 127.0.0.1 \n",
    )
    .unwrap();
    fs::write(
        sctp.join("assocs"),
        " ASSOC\na b 2 1 3 0 1 0 7 0 4715 5000 6000  *127.0.0.1 <-> *127.0.0.1 \t 7500 10 10 10 0 0 0\n",
    )
    .unwrap();
    let mut command = Command::new(SOCKEYE);
    command.args(["-Sa", "-H", "--format", "csv", "--columns", "state,local,peer,recv_queue"]);
    let run = Run::of(command.env("PROC_ROOT", directory.path()).output().unwrap());
    let rows = "LISTEN,127.0.0.1:5000,,\nESTABLISHED,127.0.0.1:5000,127.0.0.1:6000,7\n";
    assert_eq!((run.code, run.stdout.replace('\r', "").as_str()), (0, rows), "{run:?}");
}
