//! What the kernel's own walk over descriptors tells is what /proc tells; where it is refused, or
//! ends too early, nobody is worse off than without it.

use crate::lab::{
    namespace::Namespace,
    process::Script,
    program::{Document, Row, Run, SOCKEYE, sockeye},
    requirement::{require_live, require_walk},
};
use nix::libc;
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};
use sockeye::{
    kernel::{
        bpf::task_file::{self, Choose, Walk},
        namespace::current,
        owners::{self, Wanted},
        proc::{descriptors, process, root::Root},
    },
    model::owner::Unowned,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    ops::ControlFlow,
    process::Command,
    sync::Mutex,
    time::Instant,
};

/// (process, descriptor, inode).
type Held = BTreeSet<(u32, u32, u64)>;

fn by_walk(netns: Option<u64>, inner_pids: bool) -> Held {
    let mut found = Held::new();
    let walk = Walk::begin(Choose { netns, inner_pids }).unwrap();
    let each = |held: task_file::Held| {
        found.insert((held.pid, held.fd, held.inode));
    };
    let end = walk.run(each, || ControlFlow::Continue(())).unwrap();
    assert_eq!(end, ControlFlow::Continue(()));
    found
}

fn by_proc(pids: &[u32]) -> Held {
    let root = Root::live();
    let shares =
        descriptors::shares(pids.iter().map(|pid| (*pid, descriptors::count(&root, *pid))));
    let found = Mutex::new(Held::new());
    let each = |share: &descriptors::Share, sockets: nix::Result<Vec<(u64, u32)>>| {
        let sockets = sockets.unwrap_or_default();
        found.lock().unwrap().extend(sockets.iter().map(|(inode, fd)| (share.pid, *fd, *inode)));
    };
    descriptors::read(&root, &shares, each, || ControlFlow::Continue(()));
    found.into_inner().unwrap()
}

/// Sockets of every kind of holder, by (the script, their processes).
fn start(namespace: &Namespace) -> (Script, Vec<u32>) {
    let mut python = Command::new("python3");
    python.args(["-c", include_str!("owners.py")]);
    let (script, line) = Script::start(namespace, &mut python);
    let cast: serde_json::Value = serde_json::from_str(&line).unwrap();
    let pids = cast["pids"].as_object().unwrap().values();
    let pids = pids.map(|pid| u32::try_from(pid.as_u64().unwrap()).unwrap()).collect();
    (script, pids)
}

#[test]
fn a_walk_tells_the_descriptors_that_proc_tells() {
    if !require_live(&["ip", "python3"]) || !require_walk() {
        return;
    }
    let namespace = Namespace::new();
    let (_script, pids) = start(&namespace);
    let netns = namespace.run(|| current(&Root::live()).inode);
    assert!(netns.is_some());
    let of_cast = |held: Held| held.into_iter().filter(|h| pids.contains(&h.0)).collect::<Held>();
    let expected = by_proc(&pids);
    assert!(expected.len() > 10, "{expected:?}");
    assert_eq!(of_cast(by_walk(netns, false)), expected, "of the namespace");
    assert_eq!(of_cast(by_walk(None, false)), expected, "of every namespace");
    let others = by_walk(netns, false).into_iter().filter(|h| !pids.contains(&h.0));
    assert_eq!(others.collect::<Held>(), Held::new(), "nobody else has sockets there");
}

/// What the test program is told when it is started again, inside.
const INSIDE: &str = "SOCKEYE_TEST_INNER_PIDS";

#[test]
fn in_an_inner_pid_namespace_processes_have_their_numbers_of_it() {
    if env::var_os(INSIDE).is_some() {
        return inside();
    }
    if !require_live(&["ip", "python3", "unshare"]) || !require_walk() {
        return;
    }
    let name = "walk::in_an_inner_pid_namespace_processes_have_their_numbers_of_it";
    let mut command = Command::new("unshare");
    // Twice: the number in the middle is neither the outermost nor the innermost.
    command.args(["--pid", "--fork", "--mount-proc", "unshare", "--pid", "--fork", "--mount-proc"]);
    command.arg(env::current_exe().unwrap()).args(["--exact", name, "--nocapture"]);
    let done = Namespace::new().output(command.env(INSIDE, "1"));
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(done.status.success(), "{said}{}", String::from_utf8_lossy(&done.stderr));
    assert!(said.contains("1 passed"), "{said}");
}

fn inside() {
    let namespace = Namespace::new();
    let (_script, pids) = start(&namespace);
    let netns = namespace.run(|| current(&Root::live()).inode);
    let own: Vec<u32> = process::pids(&Root::live()).unwrap();
    assert!(own.len() < 20 && own.contains(&std::process::id()), "{own:?}");
    let expected = by_proc(&pids);
    assert!(expected.len() > 10, "{expected:?}");
    assert_eq!(by_walk(netns, true), expected);
    let pids_of = |held: Held| held.into_iter().map(|h| h.0).collect::<BTreeSet<u32>>();
    let outside = pids_of(by_walk(None, true));
    assert!(outside.iter().all(|pid| own.contains(pid)), "{outside:?}: none from outside");
}

/// More descriptors than are worth asking /proc about.
const MANY: &str = "
import resource, socket, sys
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
held = []
for _ in range(3000):
    held.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    held[-1].bind(('127.0.0.1', 0))
print('ready', flush=True)
sys.stdin.read()
";

/// Runs sockeye where bpf(2) is refused.
fn without_bpf(namespace: &Namespace, arguments: &str) -> Run {
    let filter = SeccompFilter::new(
        BTreeMap::from([(libc::SYS_bpf, vec![])]),
        SeccompAction::Allow,
        SeccompAction::Errno(libc::EPERM.unsigned_abs()),
        env::consts::ARCH.try_into().unwrap(),
    );
    let program: BpfProgram = filter.unwrap().try_into().unwrap();
    let mut command = Command::new(SOCKEYE);
    command.args(arguments.split_whitespace());
    Run::of(namespace.run(|| {
        seccompiler::apply_filter(&program).unwrap();
        command.output().unwrap()
    }))
}

fn holders(document: &Document) -> Held {
    let of = |row: &Row| -> Vec<(u32, u32, u64)> {
        let inode = row.inode.unwrap_or_default();
        row.processes.iter().map(|h| (h.pid, h.fd, inode)).collect()
    };
    document.sockets.iter().flat_map(of).collect()
}

#[test]
fn whichever_way_owners_are_found_they_are_the_same_and_a_refusal_is_silent() {
    if !require_live(&["ip", "python3"]) {
        return;
    }
    let namespace = Namespace::new();
    let (script, _) = Script::start(&namespace, Command::new("python3").args(["-c", MANY]));
    let own = sockeye(&namespace, "-uanp --json");
    let expected = holders(&own.document());
    assert_eq!(expected.len(), 3000);
    assert!(expected.iter().all(|held| held.0 == script.pid()));
    for run in
        [without_bpf(&namespace, "-uanp --json"), sockeye(&namespace, "-uanp --json --source proc")]
    {
        assert_eq!(holders(&run.document()), expected);
        assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    }
}

#[test]
fn a_look_up_that_ends_at_its_deadline_says_so_whichever_way_it_went() {
    if !require_live(&["ip", "python3"]) {
        return;
    }
    let namespace = Namespace::new();
    let (_script, _) = Script::start(&namespace, Command::new("python3").args(["-c", MANY]));
    let netns = namespace.run(|| current(&Root::live()).inode);
    for may_use_bpf in [true, false] {
        let wanted = Wanted {
            inodes: None,
            netns,
            deadline: Some(Instant::now()),
            may_use_bpf,
            progress: None,
        };
        let found = owners::look_up(&Root::live(), &wanted).unwrap();
        assert!(found.cut_short, "bpf: {may_use_bpf}");
        assert_eq!(found.owners.unmatched(), Some(Unowned::Deadline));
        let held: usize = found.owners.holdings().iter().map(|(_, sockets)| sockets.len()).sum();
        assert!(held < 3000, "{held}");
    }
}
