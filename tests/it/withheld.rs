//! Without netlink, without /proc, or with processes hidden: the listing says what it lacks.

use crate::lab::{
    namespace::Namespace,
    program::{Run, SOCKEYE, public_copy, sockeye},
    requirement::require_live,
    transport::{at, bound, listener},
};
use nix::libc;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule,
};
use socket2::Socket;
use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr},
    process::Command,
};

const PORT: u16 = 6200;

/// A namespace with one listener, held by this process.
fn with_a_listener() -> (Namespace, Socket) {
    let namespace = Namespace::new();
    let held = namespace.run(|| listener(at(IpAddr::V4(Ipv4Addr::LOCALHOST), PORT), 4));
    (namespace, held)
}

/// Runs a program that cannot open netlink sockets, as in a container with a strict profile.
fn output_without_netlink(namespace: &Namespace, command: &mut Command) -> Run {
    // Anything else is allowed; the filter lasts as long as the thread, and what it starts.
    let family = SeccompCondition::new(
        0,
        SeccompCmpArgLen::Dword,
        SeccompCmpOp::Eq,
        u64::try_from(libc::AF_NETLINK).unwrap(),
    );
    let rule = SeccompRule::new(vec![family.unwrap()]).unwrap();
    let filter = SeccompFilter::new(
        BTreeMap::from([(libc::SYS_socket, vec![rule])]),
        SeccompAction::Allow,
        SeccompAction::Errno(libc::EPERM.unsigned_abs()),
        std::env::consts::ARCH.try_into().unwrap(),
    );
    let program: BpfProgram = filter.unwrap().try_into().unwrap();
    Run::of(namespace.run(|| {
        seccompiler::apply_filter(&program).unwrap();
        command.output().unwrap()
    }))
}

/// A shell in a mount namespace of its own where /proc is gone.
fn without_proc(program: &str, arguments: &str) -> Command {
    let mut command = Command::new("unshare");
    let script = "umount -l /proc && exec \"$0\" \"$@\"";
    command.args(["-m", "sh", "-c", script, program]).args(arguments.split_whitespace());
    command
}

fn sockeye_with(arguments: &str) -> Command {
    let mut command = Command::new(SOCKEYE);
    command.args(arguments.split_whitespace());
    command
}

#[test]
fn where_netlink_is_refused_proc_is_read_and_the_reason_given() {
    if !require_live(&["ip"]) {
        return;
    }
    let (namespace, held) = with_a_listener();
    let run = output_without_netlink(&namespace, &mut sockeye_with("-tuap --json"));
    let document = run.document();
    assert_eq!(document.keys(), sockeye(&namespace, "-tuap --json").document().keys());
    assert_eq!(document.sockets.len(), 1);
    assert_eq!(document.sockets[0].accept_queue_limit, None);
    assert!(!document.sockets[0].processes.is_empty());
    assert_eq!(document.source.kind, "proc");
    let reason = document.source.fallback_reason.as_deref().unwrap();
    assert!(reason.contains("EPERM") && reason.contains("NETLINK"), "{reason}");
    assert_eq!(run.stderr.matches(reason).count(), 1, "{}", run.stderr);
    assert!(run.stderr.starts_with("note: "), "{}", run.stderr);

    let forced = output_without_netlink(&namespace, &mut sockeye_with("-ta --source netlink"));
    assert_eq!((forced.code, forced.stdout.as_str()), (3, ""));
    assert!(forced.stderr.starts_with("error: cannot open socket(AF_NETLINK"), "{}", forced.stderr);
    assert!(forced.stderr.contains("EPERM") && forced.stderr.contains("\nhint: "));
    drop(held);
}

#[test]
fn without_proc_netlink_still_lists_and_owners_are_missed_aloud() {
    if !require_live(&["ip", "unshare", "umount"]) {
        return;
    }
    let (namespace, held) = with_a_listener();
    let run = Run::of(namespace.output(&mut without_proc(SOCKEYE, "-tuap --json")));
    let document = run.document();
    assert_eq!(document.source.kind, "netlink");
    assert_eq!(document.sockets.len(), 1);
    let row = &document.sockets[0];
    assert_eq!((row.local.port, row.accept_queue_limit), (PORT, Some(4)));
    assert_eq!(row.owner_unknown.as_deref(), Some("permission"));
    assert_eq!(document.warning_codes(), ["owners-unreadable"]);
    assert!(run.stderr.contains("note: no owner can be named"), "{}", run.stderr);

    // Unasked, nothing is missed.
    let run = Run::of(namespace.output(&mut without_proc(SOCKEYE, "-tua")));
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    assert!(run.stdout.contains(&format!("127.0.0.1:{PORT}")), "{}", run.stdout);

    let forced = Run::of(namespace.output(&mut without_proc(SOCKEYE, "-ta --source proc")));
    assert_eq!(forced.code, 3, "{forced:?}");
    assert!(forced.stderr.contains("error: ") && forced.stderr.contains("/proc"), "{forced:?}");
    drop(held);
}

#[test]
fn without_any_source_there_is_no_answer_instead_of_an_empty_one() {
    if !require_live(&["ip", "unshare", "umount"]) {
        return;
    }
    let (namespace, held) = with_a_listener();
    for form in ["", "--json", "--ndjson", "--count", "-q"] {
        let mut command = without_proc(SOCKEYE, &format!("-tua {form}"));
        let run = output_without_netlink(&namespace, &mut command);
        assert_eq!((run.code, run.stdout.as_str()), (3, ""), "{form} {}", run.stderr);
        assert!(run.stderr.contains("error: "), "{form} {}", run.stderr);
    }
    drop(held);
}

#[test]
fn processes_of_an_outer_pid_namespace_are_said_to_be_out_of_sight() {
    if !require_live(&["ip", "unshare"]) {
        return;
    }
    let (namespace, held) = with_a_listener();
    let mut command = Command::new("unshare");
    command.args(["-p", "-f", "--mount-proc", SOCKEYE, "-tap", "--json"]);
    let document = Run::of(namespace.output(&mut command)).document();
    assert_eq!(document.sockets.len(), 1);
    assert!(document.sockets[0].processes.is_empty());
    assert_eq!(document.sockets[0].owner_unknown.as_deref(), Some("other-pid-namespace"));
    drop(held);
}

#[test]
fn hidepid_is_named_as_the_cause() {
    if !require_live(&["install", "ip", "mount", "python3", "setpriv", "unshare"]) {
        return;
    }
    let namespace = Namespace::new();
    // Process 1 of a pid namespace of its own, because before Linux 5.8 hidepid is a property of
    // the pid namespace and not of the mount.
    let script = "import socket,subprocess,sys\n\
                  s=socket.socket()\ns.bind(('127.0.0.1',6200))\ns.listen()\n\
                  subprocess.run(['mount','-o','remount,hidepid=2','/proc'],check=True)\n\
                  sys.exit(subprocess.run(sys.argv[1:]).returncode)";
    let (_directory, program) = public_copy(SOCKEYE);
    let mut command = Command::new("unshare");
    command
        .args(["-p", "-f", "--mount-proc", "python3", "-c", script])
        .args(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"])
        .arg(&program)
        .args(["-tap", "--json"]);
    let run = Run::of(namespace.output(&mut command));
    let document = run.document();
    assert_eq!(document.sockets.len(), 1, "{run:?}");
    assert_eq!(document.sockets[0].owner_unknown.as_deref(), Some("permission"));
    assert_eq!(document.warning_codes(), ["owners-hidden"]);
    assert!(run.stderr.contains("owners of 1 socket are hidden"), "{}", run.stderr);
    assert!(run.stderr.contains("hidepid"), "{}", run.stderr);
}

#[test]
fn a_namespace_can_be_named_from_outside() {
    if !require_live(&["ip"]) {
        return;
    }
    let (namespace, held) = with_a_listener();
    let other = Namespace::new();
    let kept = other.run(|| bound(at(IpAddr::V4(Ipv4Addr::LOCALHOST), PORT)));
    let inside = sockeye(&namespace, "-tap --json").document();
    for source in ["netlink", "proc"] {
        let from = format!("-tap --json --source {source} --netns {}", namespace.name());
        let outside = sockeye(&other, &from).document();
        assert_eq!(outside.keys(), inside.keys(), "{source}");
        let netns = &outside.sockets[0].netns;
        assert_eq!(*netns, inside.sockets[0].netns, "{source}");
        assert_eq!(netns.name.as_deref(), Some(namespace.name()), "{source}");
    }
    drop((held, kept));
}
