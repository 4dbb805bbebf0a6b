//! Snapshot files: what is written is read back, what is broken is refused, and a recording answers
//! as the live machine did.

use crate::lab::{
    deadline::{PATIENCE, eventually},
    namespace::Namespace,
    process::Script,
    program::{Row, Run, SOCKEYE, sockeye},
    requirement::require_live,
    transport::{at, connect, listener, local, read_to_end, udp},
};
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use proptest::{collection::vec, option, prelude::*};
use serde_json::Value;
use sockeye::{
    collect::redaction,
    kernel::{
        error::Cause,
        recording_file,
        snapshot_file::{reader, writer},
    },
    model::{
        about::{About, Host, SourceKind},
        counters::{Counters, Sample},
        details::Details,
        earlier::Earlier,
        endpoint::Endpoint,
        gap::Gap,
        limits::{CgroupLimit, Limits, ProcessLimits, Resource},
        measures::Measures,
        memory::SocketMemory,
        netns::{NameKind, Netns, NetnsIndex},
        owner::{Owners, Process, Unowned},
        protocol::{Family, Protocol},
        queues::Queues,
        recording::{RecordedNames, Recording},
        settings::Settings,
        snapshot::{Alive, Snapshot},
        socket::{Congestion, Socket},
        state::State,
        tcp_info::TcpInfo,
        timer::{Timer, TimerKind},
    },
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{Read, Write},
    net::{IpAddr, Ipv4Addr, Shutdown},
    path::{Path, PathBuf},
    process::Command,
    slice,
    time::{Duration, UNIX_EPOCH},
};
use tempfile::TempDir;

const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

// What is written is read back.

fn any_state() -> impl Strategy<Value = State> {
    // Numbers without a name, as the kernel could send them.
    let unknown = (14u8..=255).prop_map(State::Other);
    prop_oneof![8 => prop::sample::select(State::all().collect::<Vec<_>>()), 1 => unknown]
}

fn any_address(family: Family) -> BoxedStrategy<IpAddr> {
    match family {
        Family::Ipv4 => any::<u32>().prop_map(|bits| IpAddr::V4(bits.into())).boxed(),
        _ => any::<u128>().prop_map(|bits| IpAddr::V6(bits.into())).boxed(),
    }
}

fn any_end(family: Family) -> BoxedStrategy<Endpoint> {
    (any_address(family), any::<u16>()).prop_map(|(ip, port)| Endpoint::new(ip, port)).boxed()
}

fn any_remote(family: Family) -> BoxedStrategy<Endpoint> {
    prop_oneof![Just(Endpoint::nothing(family)), any_end(family)].boxed()
}

fn any_queues() -> impl Strategy<Value = Queues> {
    prop_oneof![
        any::<(u32, Option<u32>)>()
            .prop_map(|(accept_queue, limit)| Queues::Listen { accept_queue, limit }),
        any::<(u32, u32)>().prop_map(|(recv, send)| Queues::Data { recv, send }),
        Just(Queues::Absent),
    ]
}

fn any_timer() -> impl Strategy<Value = Timer> {
    any::<(u8, u32, u8)>().prop_filter_map("0 is no timer", |(kind, expires_ms, retransmits)| {
        Some(Timer { kind: TimerKind::from_kernel(kind)?, expires_ms, retransmits })
    })
}

fn any_memory() -> impl Strategy<Value = SocketMemory> {
    any::<([u32; 7], Option<u32>, Option<u32>)>().prop_map(|(m, lock_backlog_bytes, drops)| {
        SocketMemory {
            rmem_alloc_bytes: m[0],
            rcvbuf_bytes: m[1],
            wmem_alloc_bytes: m[2],
            sndbuf_bytes: m[3],
            fwd_alloc_bytes: m[4],
            wmem_queued_bytes: m[5],
            optmem_bytes: m[6],
            lock_backlog_bytes,
            drops,
        }
    })
}

prop_compose! {
    fn any_socket()(family in prop::sample::select(Family::INET.to_vec()))(
        protocol in prop::sample::select(Protocol::ALL.to_vec()),
        family in Just(family),
        state in any_state(),
        local in any_end(family),
        remote in any_remote(family),
        interface in any::<u32>(),
        queues in any_queues(),
        timer in option::of(any_timer()),
        numbers in any::<(Option<u64>, Option<u64>, Option<u32>, Option<u32>, Option<u64>)>(),
        small in any::<(Option<u8>, Option<bool>, Option<[u8; 2]>, Option<u8>, Option<u32>)>(),
        tcp_info in option::of(vec(any::<u8>(), 0..=280)),
        memory in option::of(any_memory()),
        congestion in option::of(vec(1u8..=255, 0..=16)),
        tclass in any::<Option<u8>>(),
    ) -> Socket {
        let (inode, cookie, uid, mark, cgroup_id) = numbers;
        let (shutdown, v6only, sockopt, tos, drops) = small;
        Socket {
            netns: NetnsIndex::FIRST,
            protocol, family, state, local, remote, interface, queues, timer,
            inode, cookie, uid, mark, cgroup_id, shutdown, v6only, sockopt, tos, drops,
            tcp_info: tcp_info.map(|bytes| Box::new(TcpInfo::from_kernel(&bytes))),
            memory,
            congestion: congestion.map(|name| Congestion::from_kernel(&name)),
            details: tclass.map(|tclass| {
                Box::new(Details { tclass: Some(tclass), ..Details::default() })
            }),
            family_facts: None,
        }
    }
}

fn any_process(pid: u32) -> impl Strategy<Value = (Process, Vec<(u64, u32)>)> {
    let names = any::<[Option<String>; 4]>();
    let sockets = vec(any::<(u64, u32)>(), 0..600);
    (vec(any::<u8>(), 0..16), names, sockets).prop_map(
        move |(command, [unit, container, pod, cgroup], sockets)| {
            (Process { pid, command, unit, container, pod, cgroup }, sockets)
        },
    )
}

fn any_owners() -> impl Strategy<Value = Owners> {
    let processes = vec(any::<u8>(), 0..4).prop_flat_map(|slots| {
        let pids = (0u32..).zip(&slots).map(|(at, slot)| at * 256 + u32::from(*slot));
        pids.map(any_process).collect::<Vec<_>>()
    });
    let unmatched = option::of(prop::sample::select(Unowned::ALL.to_vec()));
    (processes, unmatched).prop_map(|(processes, unmatched)| {
        let mut owners = Owners::default();
        for (process, sockets) in processes {
            owners.add(process, &sockets);
        }
        owners.finished(unmatched)
    })
}

fn any_texts() -> impl Strategy<Value = BTreeMap<String, String>> {
    prop::collection::btree_map(any::<String>(), any::<String>(), 0..4)
}

fn any_settings() -> impl Strategy<Value = Settings> {
    (any_texts(), any_texts(), any_texts()).prop_map(|(values, missing, of_host)| Settings {
        values,
        missing,
        of_host,
    })
}

fn any_sample() -> impl Strategy<Value = Sample> {
    let values = prop::collection::btree_map(any::<String>(), any::<u64>(), 0..4);
    (any::<u64>(), values)
        .prop_map(|(at_ms, values)| Sample { at_ms, counters: values.into_iter().collect() })
}

fn any_gap() -> impl Strategy<Value = Gap> {
    any::<(String, String, String)>().prop_map(|(code, message, hint)| Gap {
        code: code.into(),
        message,
        hint,
        untold: vec![],
    })
}

fn any_process_limits() -> impl Strategy<Value = ProcessLimits> {
    let descriptors = option::of(vec(any::<(u32, u32)>(), 0..5));
    let numbers = any::<(u32, Option<u32>, Option<u64>, Option<u64>, Option<bool>, Option<u64>)>();
    (numbers, vec(any::<u8>(), 0..16), descriptors, vec(any::<String>(), 0..3)).prop_map(
        |(
            (pid, parent, soft, hard, exempt_from_file_max, dead_sockets),
            command,
            descriptors,
            cgroups,
        )| {
            ProcessLimits {
                pid,
                parent,
                command,
                soft,
                hard,
                descriptors,
                counted: None,
                exempt_from_file_max,
                dead_sockets,
                cgroups,
            }
        },
    )
}

fn any_cgroup_limit() -> impl Strategy<Value = CgroupLimit> {
    let resource = prop::sample::select(Resource::ALL.to_vec());
    (resource, any::<(String, String, Option<u64>, Option<u64>)>()).prop_map(
        |(resource, (path, file, limit, used))| CgroupLimit { resource, path, file, limit, used },
    )
}

fn any_limits() -> impl Strategy<Value = Limits> {
    let numbers = any::<(Option<u64>, Option<u64>)>();
    let ports = option::of(vec(any::<u16>(), 0..5));
    let processes = vec(any_process_limits(), 0..3);
    (processes, vec(any_cgroup_limit(), 0..3), numbers, ports, any_texts()).prop_map(
        |(processes, cgroups, (available, total), named_ports, missing)| Limits {
            processes,
            cgroups,
            memory_available_bytes: available,
            memory_total_bytes: total,
            named_ports,
            missing,
        },
    )
}

fn any_about() -> impl Strategy<Value = About> {
    let text = || option::of(any::<String>());
    let time = (0u64..200_000_000_000, 0u32..1_000_000_000);
    let source = prop::sample::select(SourceKind::ALL.to_vec());
    let kind = option::of(prop::sample::select(NameKind::ALL.to_vec()));
    let netns = (option::of(any::<u64>()), text(), kind);
    (time, text(), text(), source, text(), netns, vec(any_gap(), 0..4)).prop_map(
        |((seconds, nanos), name, kernel, source, fallback_reason, (inode, netns, kind), gaps)| {
            About {
                generated_at: UNIX_EPOCH + Duration::new(seconds, nanos),
                host: Host { name, kernel },
                source,
                fallback_reason,
                netns: Netns { inode, name: netns, kind },
                gaps,
            }
        },
    )
}

fn any_names() -> impl Strategy<Value = RecordedNames> {
    let by_number = || prop::collection::btree_map(any::<u32>(), any::<String>(), 0..4);
    let cgroups = prop::collection::btree_map(any::<u64>(), any::<String>(), 0..4);
    (by_number(), by_number(), cgroups).prop_map(|(users, interfaces, cgroups)| RecordedNames {
        users,
        interfaces,
        cgroups,
    })
}

fn any_snapshot() -> impl Strategy<Value = Snapshot> {
    let alive = any::<(u64, u64)>().prop_map(|(cookie, inode)| Alive { cookie, inode });
    let first = (any_about(), vec(alive, 0..600), any_owners());
    (first, any_settings(), any_limits(), vec(any_sample(), 0..3)).prop_map(
        |((about, alive_before, owners), settings, limits, samples)| Snapshot {
            about,
            sockets: vec![],
            measures: Measures::default(),
            alive_before,
            before: None,
            owners,
            settings,
            limits,
            samples,
        },
    )
}

fn any_recording() -> impl Strategy<Value = Recording> {
    let protocols = prop::sample::subsequence(Protocol::ALL.to_vec(), 0..=2);
    let rest = any::<(Option<String>, String, bool)>();
    let seen = (any_snapshot(), vec(any_socket(), 0..20));
    (seen, protocols, any_names(), rest).prop_map(
        |((snapshot, sockets), protocols, names, (boot_id, tool_version, redacted))| Recording {
            snapshot,
            earlier: Some(sockets.iter().map(Earlier::of).collect()),
            sockets,
            protocols,
            names,
            boot_id,
            tool_version,
            redacted,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read_back(recording in any_recording()) {
        let bytes = written(&recording);
        let read = one(reader::decode(bytes.as_slice())).map_err(|cause| cause.to_string());
        prop_assert_eq!(read, Ok(recording));
    }

    #[test]
    fn random_bytes_are_refused(bytes: Vec<u8>) {
        prop_assert!(reader::decode(bytes.as_slice()).is_err());
        // The same behind a header that is right.
        let mut lines = header(1).into_bytes();
        lines.extend(&bytes);
        prop_assert!(reader::decode(gzip(&lines).as_slice()).is_err());
    }

    #[test]
    fn a_changed_byte_is_refused_or_harmless(at: prop::sample::Index, change in 1u8..=255) {
        let recording = small();
        let mut bytes = written(&recording);
        let at = at.index(bytes.len());
        bytes[at] ^= change;
        // Four bytes of the gzip header hold a time and one the system, which mean nothing here.
        match reader::decode(bytes.as_slice()) {
            Ok(read) => prop_assert_eq!(read, [recording]),
            Err(Cause::File { .. }) => {}
            Err(other) => prop_assert!(false, "byte {}: {}", at, other),
        }
    }

    #[test]
    fn masking_keeps_equality_family_and_class(sockets in vec(any_socket(), 1..30)) {
        let mut recording = small();
        recording.sockets = sockets.clone();
        let masked = redaction::redact(vec![recording]).remove(0).sockets;
        let ends = |sockets: &[Socket]| -> Vec<IpAddr> {
            sockets.iter().flat_map(|s| [s.local.address, s.remote.address]).collect()
        };
        let (was, is) = (ends(&sockets), ends(&masked));
        for (a, x) in was.iter().zip(&is) {
            prop_assert_eq!(a.is_ipv4(), x.is_ipv4());
            prop_assert_eq!(a.is_loopback(), x.is_loopback());
            prop_assert_eq!(a.is_unspecified(), x.is_unspecified());
            prop_assert_eq!(a.is_multicast(), x.is_multicast());
            for (b, y) in was.iter().zip(&is) {
                prop_assert_eq!(a == b, x == y, "{} {} became {} {}", a, b, x, y);
            }
        }
    }
}

fn written(recording: &Recording) -> Vec<u8> {
    let (bytes, size) = writer::encode(slice::from_ref(recording), vec![]).unwrap();
    assert_eq!(bytes.len() as u64, size);
    bytes
}

/// The only recording of a file.
fn one<E>(read: Result<Vec<Recording>, E>) -> Result<Recording, E> {
    read.map(|recordings| {
        <[Recording; 1]>::try_from(recordings).unwrap().into_iter().next().unwrap()
    })
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut to = GzEncoder::new(vec![], Compression::best());
    to.write_all(text).unwrap();
    to.finish().unwrap()
}

fn gunzip(bytes: &[u8]) -> String {
    let mut text = String::new();
    GzDecoder::new(bytes).read_to_string(&mut text).unwrap();
    text
}

/// The first line of a file with this schema number.
fn header(number: u32) -> String {
    let line = gunzip(&written(&small())).lines().next().unwrap().to_owned() + "\n";
    line.replace("sockeye.snapshot/1", &format!("sockeye.snapshot/{number}"))
}

fn socket(state: State, local: &str, remote: &str, number: u64) -> Socket {
    let end = |text: &str| {
        let (address, port) = text.rsplit_once('/').unwrap();
        Endpoint::new(address.parse().unwrap(), port.parse().unwrap())
    };
    let local = end(local);
    let family = if local.address.is_ipv4() { Family::Ipv4 } else { Family::Ipv6 };
    Socket {
        local,
        remote: end(remote),
        queues: Queues::Data { recv: 0, send: 0 },
        inode: Some(number),
        cookie: Some(number),
        uid: Some(33),
        cgroup_id: Some(77),
        ..Socket::new(Protocol::Tcp, family, state)
    }
}

/// One connection and its holder.
fn small() -> Recording {
    let mut owners = Owners::default();
    let cgroup = "/system.slice/secret-shop.service";
    owners.add(
        Process {
            pid: 811,
            command: b"secret-cmd".to_vec(),
            unit: Some("secret-shop.service".into()),
            container: Some("secret-box".into()),
            pod: Some("secret-ns/secret-pod".into()),
            cgroup: Some(cgroup.into()),
        },
        &[(1, 3), (2, 4)],
    );
    let counters = |value| Counters::from_iter([("Tcp.ActiveOpens", value)]);
    Recording {
        snapshot: Snapshot {
            about: About {
                generated_at: UNIX_EPOCH + Duration::new(1_800_000_000, 123_456_789),
                host: Host { name: Some("secret-host".into()), kernel: Some("6.18.44".into()) },
                source: SourceKind::Netlink,
                fallback_reason: None,
                netns: Netns {
                    inode: Some(4_026_531_840),
                    name: Some("secret-netns".into()),
                    kind: Some(NameKind::Named),
                },
                gaps: vec![],
            },
            sockets: vec![],
            measures: Measures::default(),
            alive_before: vec![Alive { cookie: 1, inode: 1 }],
            before: None,
            owners: owners.finished(Some(Unowned::Kernel)),
            settings: Settings::default(),
            limits: Limits::default(),
            samples: vec![
                Sample { at_ms: 0, counters: counters(10) },
                Sample { at_ms: 1000, counters: counters(15) },
            ],
        },
        sockets: vec![
            socket(State::Established, "192.0.2.77/443", "198.51.100.9/51234", 1),
            socket(State::Established, "192.0.2.77/443", "198.51.100.10/51235", 2),
        ],
        earlier: None,
        protocols: Protocol::ALL.to_vec(),
        names: RecordedNames {
            users: [(33, "secret-user".to_owned())].into(),
            interfaces: BTreeMap::new(),
            cgroups: [(77, cgroup.to_owned())].into(),
        },
        boot_id: Some("f3e17848-5056-4e7a-ab00-a59dbe87c996".into()),
        tool_version: "0.1.0".into(),
        redacted: false,
    }
}

// What is broken is refused.

/// Reads bytes that must be refused, and tells why they were.
fn why_refused(bytes: &[u8]) -> String {
    match reader::decode(bytes) {
        Err(Cause::File { why, hint }) => {
            assert!(!hint.is_empty());
            why
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_truncation_is_refused() {
    let bytes = written(&small());
    for cut in 0..bytes.len() {
        let why = why_refused(&bytes[..cut]);
        assert!(why == "it is empty" || why.contains("cut short"), "{cut}: {why}");
    }
}

#[test]
fn a_file_of_several_namespaces_is_whole_or_refused() {
    let mut second = small();
    second.snapshot.about.netns =
        Netns { inode: Some(7), ..Netns::default() }.named("web", NameKind::Container);
    second.sockets.clear();
    let both = [small(), second];
    let (bytes, _) = writer::encode(&both, vec![]).unwrap();
    assert_eq!(reader::decode(bytes.as_slice()).unwrap(), both);
    let (alone, _) = writer::encode(&both[..1], vec![]).unwrap();
    for end in 0..bytes.len() {
        why_refused(&bytes[..end]);
    }
    // Cut where one snapshot ends: nothing of it is missing, and the other is.
    let members: Vec<usize> =
        (1..bytes.len() - 1).filter(|at| bytes[*at..].starts_with(&[0x1f, 0x8b, 8])).collect();
    let why = why_refused(&bytes[..members[0]]);
    assert_eq!(why, "it is cut short after 1 of 2 namespaces");
    // More than there are said to be.
    let why = why_refused(&[alone.as_slice(), &bytes[members[0]..]].concat());
    assert_eq!(why, "it is corrupted: something follows its end");
}

#[test]
fn a_file_that_lost_lines_is_refused() {
    let text = gunzip(&written(&small()));
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    for left_out in 0..lines.len() {
        let kept = lines.iter().enumerate().filter(|(at, _)| *at != left_out);
        let kept: String = kept.map(|(_, line)| *line).collect();
        let why = why_refused(gzip(kept.as_bytes()).as_slice());
        let expected = match left_out {
            0 => "no snapshot",
            last if last == lines.len() - 1 => "cut short",
            _ => "corrupted",
        };
        assert!(why.contains(expected), "{left_out}: {why}");
    }
}

#[test]
fn foreign_and_damaged_files_are_refused_with_the_reason() {
    let good = written(&small());
    let text = gunzip(&good);
    let behind = |lines: &str| gzip((header(1) + lines).as_bytes());
    let long = vec![b' '; (64 << 20) + 1];
    let bomb = format!("{{\"weather\":\"{}\"}}\n", "x".repeat(1 << 20)).repeat(66);
    for (bytes, reason) in [
        (b"".to_vec(), "empty"),
        (b"{\"schema\":\"sockeye.sockets/1\"}\n".to_vec(), "no snapshot"),
        (b"\x7fELF".to_vec(), "no snapshot"),
        (gzip(b"hello\n"), "no snapshot"),
        (gzip(b"{\"schema\":\"sockeye.sockets/1\"}\n"), "no snapshot"),
        (gzip(b"{\"schema\":\"sockeye.snapshot/x\"}\n"), "no snapshot"),
        (gzip(b"{\"schema\":\"sockeye.snapshot/1\"}\n"), "line 1: missing field"),
        (gzip((header(2) + "{}\n").as_bytes()), "schema is sockeye.snapshot/2"),
        (behind("{\"socket\":{}}\n"), "line 2: missing field"),
        (behind("{}\n"), "line 2: expected one record"),
        (behind("nonsense\n"), "line 2"),
        (behind("{\"descriptors\":{\"pid\":7,\"sockets\":[]}}\n"), "process 7 is not known"),
        (behind("{\"user\":{\"id\":4294967296,\"name\":\"x\"}}\n"), "out of range"),
        (behind("{\"end\":{\"lines\":{\"socket\":1}}}\n"), "not as many"),
        (gzip((text.clone() + "{}\n").as_bytes()), "follows its end"),
        ([good.clone(), good.clone()].concat(), "follows its end"),
        ([good.as_slice(), b"x"].concat(), "follows its end"),
        (gzip(&long), "line 1 is too long"),
        (behind(&bomb), "expands like no snapshot does"),
    ] {
        let why = why_refused(&bytes);
        assert!(why.contains(reason), "{reason}: {why}");
    }
}

#[test]
fn what_a_later_version_adds_is_passed_over_and_said() {
    let text = gunzip(&written(&small()));
    let socket = text.lines().find(|line| line.starts_with("{\"socket\"")).unwrap();
    let more = format!(
        "{{\"weather\":{{\"sun\":true}}}}\n{}\n",
        socket.replace("\"tcp\"", "\"smc\"").replace("\"port\"", "\"colour\":1,\"port\"")
    );
    let text = text
        .replace("{\"end\"", &(more + "{\"end\""))
        .replace("\"socket\":2", "\"socket\":3,\"weather\":1");
    let read = one(reader::decode(gzip(text.as_bytes()).as_slice())).unwrap();
    assert_eq!(read.sockets, small().sockets);
    let gap = &read.snapshot.about.gaps[0];
    assert_eq!(gap.code, "records-unknown");
    assert!(gap.message.contains("2 records") && gap.message.contains("socket, weather"));
}

#[test]
fn tcp_details_of_the_other_byte_order_are_left_out_and_that_is_said() {
    let mut recording = small();
    recording.sockets[0].tcp_info = Some(Box::new(TcpInfo::from_kernel(&[1; 280])));
    let text = gunzip(&written(&recording));
    let (ours, other) =
        if cfg!(target_endian = "little") { ("little", "big") } else { ("big", "little") };
    let text = text.replace(&format!("order\":\"{ours}"), &format!("order\":\"{other}"));
    let read = one(reader::decode(gzip(text.as_bytes()).as_slice())).unwrap();
    assert_eq!(read.sockets[0].tcp_info, None);
    assert_eq!(read.snapshot.about.gaps[0].code, "byte-order");
}

#[test]
fn a_wrong_file_ends_with_3_and_says_what_to_do() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("wrong");
    fs::write(&path, b"hello").unwrap();
    let missing = directory.path().join("missing");
    let good = directory.path().join("good");
    fs::write(&good, written(&small())).unwrap();
    for (arguments, said) in [
        (vec![Path::new("-t"), Path::new("--from"), &path], "it is no snapshot"),
        (vec![Path::new("--from"), &path], "it is no snapshot"),
        (vec![Path::new("summary"), Path::new("--from"), &path], "it is no snapshot"),
        (vec![Path::new("-t"), Path::new("--from"), &missing], "ENOENT"),
        (vec![Path::new("-t"), Path::new("--from"), directory.path()], "EISDIR"),
        (vec![Path::new("diff"), &good, &path], "it is no snapshot"),
    ] {
        let run = Run::of(Command::new(SOCKEYE).args(&arguments).output().unwrap());
        assert_eq!(run.code, 3, "{run:?}");
        assert!(run.stderr.contains("cannot read the ") && run.stderr.contains(said), "{run:?}");
        assert!(run.stderr.contains("\nhint: "), "{run:?}");
        assert_eq!(run.stdout, "");
    }
    let nowhere = directory.path().join("no/such/directory");
    let mut run = Command::new(SOCKEYE);
    run.args(["snapshot", "--from"]).arg(&good).arg("-o").arg(nowhere);
    let run = Run::of(run.output().unwrap());
    assert!(run.code == 3 && run.stderr.contains("ENOENT"), "{run:?}");
}

#[test]
fn what_makes_no_sense_with_a_file_is_a_usage_error() {
    let directory = TempDir::new().unwrap();
    let good = directory.path().join("good");
    fs::write(&good, written(&small())).unwrap();
    for more in ["-tr", "-t --watch=1", "-t -N blue", "-t --source proc", "-t --proc-root /proc"] {
        let mut command = Command::new(SOCKEYE);
        let run = command.arg("--from").arg(&good).args(more.split(' ')).output().unwrap();
        assert_eq!(Run::of(run).code, 64, "{more}");
    }
}

// A recording answers as the live machine did.

/// The arguments with the file's name in them.
fn with(arguments: &str, file: &Path) -> String {
    format!("{arguments} --from {}", file.display())
}

fn record(namespace: &Namespace, directory: &TempDir, name: &str, more: &str) -> PathBuf {
    let file = directory.path().join(name);
    let run = sockeye(namespace, &format!("snapshot --interval 0.1 {more} -o {}", file.display()));
    assert_eq!(run.code, 0, "{run:?}");
    file
}

/// The JSON of a run without what differs between two runs.
fn json(run: &Run) -> Value {
    assert_eq!(run.code, 0, "{run:?}");
    let mut document: Value = serde_json::from_str(&run.stdout).unwrap();
    document.as_object_mut().unwrap().remove("generated_at");
    document
}

const HOLDER: &str = "
import socket, sys
s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen(5)
c = socket.create_connection(s.getsockname()); a, _ = s.accept(); c.send(b'unread')
d = socket.create_connection(s.getsockname())
u = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM); u.bind(('::1', 0))
open('/proc/self/comm', 'wb').write(b'sn(ap) \\xe9')
print('ready', flush=True)
sys.stdin.read()
";

#[test]
fn a_recording_lists_what_the_live_machine_lists() {
    if !require_live(&["ip", "python3"]) {
        return;
    }
    let namespace = Namespace::new();
    let directory = TempDir::new().unwrap();
    let (script, _) = Script::start(&namespace, Command::new("python3").args(["-c", HOLDER]));
    let _bound = namespace.run(|| udp(at(LOCALHOST, 0)));
    let file = record(&namespace, &directory, "file", "-t -u");
    for arguments in [
        "-tuanp --json",
        "-tuan --json",
        "-tulpn --json",
        "-tp --json --columns state,local,peer,owner,netns.name,user,cgroup,unit",
        "-uan --json",
        "-ta4 --json --sort -local.port --limit 2",
        "-tua --group-by state,process --json",
        "-tua --count --json",
        "-tapme",
        "-ta --format csv",
        "-tap --ndjson",
    ] {
        let (live, recorded) =
            (sockeye(&namespace, arguments), sockeye(&namespace, &with(arguments, &file)));
        assert!(!live.stdout.is_empty() && live.stdout.contains(|c: char| c.is_ascii_digit()));
        if arguments.contains("--json") {
            assert_eq!(json(&live), json(&recorded), "{arguments}");
        } else {
            assert_eq!(live.stdout, recorded.stdout, "{arguments}");
        }
        assert_eq!(recorded.stderr, live.stderr, "{arguments}");
    }
    // A count of everything has the netlink socket it was asked by, which no recording has.
    let every = record(&namespace, &directory, "every", "");
    let counted = |arguments: &str| {
        let document = json(&sockeye(&namespace, arguments));
        let counts = document["counts"].as_array().unwrap().iter();
        counts.filter(|count| count["protocol"] != "netlink").cloned().collect::<Vec<_>>()
    };
    assert_eq!(counted(&with("summary --json", &every)), counted("summary --json"));
    let rows = sockeye(&namespace, &with("-tap --json", &file)).document().sockets;
    // Both ends of two connections, one not accepted, and the listener.
    assert_eq!(rows.len(), 5);
    assert!(rows.iter().any(|row| row.processes.iter().any(|p| p.pid == script.pid())));

    // The file answers alone: elsewhere, and when all is gone.
    let there = with("-tuanp --json", &file);
    let before = json(&sockeye(&namespace, &there));
    drop(script);
    let elsewhere = Namespace::new();
    assert_eq!(json(&sockeye(&elsewhere, &there)), before);
    assert_eq!(before["sockets"].as_array().unwrap().len(), 7);
}

#[test]
fn reports_run_on_a_recording() {
    if !require_live(&["ip", "python3"]) {
        return;
    }
    let namespace = Namespace::new();
    let directory = TempDir::new().unwrap();
    let (script, _) = Script::start(&namespace, Command::new("python3").args(["-c", HOLDER]));
    // Twenty in TIME_WAIT, closed by the client.
    let server = namespace.run(|| {
        let server = listener(at(LOCALHOST, 0), 8);
        for _ in 0..20 {
            let client = connect(LOCALHOST, local(&server));
            let (ended, _) = server.accept().unwrap();
            client.shutdown(Shutdown::Both).unwrap();
            read_to_end(&ended);
        }
        server
    });
    let closed = || {
        let rows = sockeye(&namespace, "-ta --json").document().sockets;
        // Older than tcp_tw_reuse_delay, after which connect() may take them over: then what can be
        // reused does not change between the two answers.
        let settled = |row: &&Row| row.state == "TIME_WAIT" && row.age_ms > Some(1200);
        rows.iter().filter(settled).count() == 20
    };
    assert!(eventually(PATIENCE, closed));
    let file = record(&namespace, &directory, "file", "");
    let both = |arguments: &str| {
        let live = json(&sockeye(&namespace, arguments));
        (live, json(&sockeye(&Namespace::new(), &with(arguments, &file))))
    };
    let (live, recorded) = both("--json");
    for key in ["counts", "listeners", "peers", "processes"] {
        assert_eq!(live[key], recorded[key], "{key}");
    }
    let (live, recorded) = both("time-wait --interval 0.2 --json");
    for key in ["total", "limit", "verdict", "orphan_fin_wait_2"] {
        assert!(!live[key].is_null(), "{key}");
        assert_eq!(live[key], recorded[key], "{key}");
    }
    assert_eq!(recorded["total"], 20);
    assert!(recorded["window_ms"].as_u64().is_some_and(|window| window >= 90));
    let (live, recorded) = both("capacity --json");
    // This process opens and closes descriptors all the time, for the tests beside this one.
    let this = u64::from(std::process::id());
    let of_others = |document: &Value, key: &str| -> Vec<Value> {
        let is_other = |one: &&Value| {
            let listens =
                |l: &Value| l.as_array().is_some_and(|all| all.iter().any(|p| p["pid"] == this));
            one["pid"] != this && !listens(&one["processes"])
        };
        document[key].as_array().unwrap().iter().filter(is_other).cloned().collect()
    };
    for key in ["listeners", "destinations", "processes"] {
        assert!(!of_others(&live, key).is_empty(), "{key}");
        assert_eq!(of_others(&live, key), of_others(&recorded, key), "{key}");
    }

    // An address after --from is a source address, a file is a file, both may be given.
    let to = local(&server);
    let question = format!("capacity --to {to} --from 127.0.0.1 --pid {} --json", script.pid());
    let (live, recorded) = both(&question);
    assert!(live["answer"]["effective_max"].as_u64().is_some_and(|most| most > 0));
    // The free memory among the limits moves by itself.
    for key in ["effective_max", "in_use", "remaining", "binding_limit", "error_at_limit"] {
        assert!(!live["answer"][key].is_null(), "{key}");
        assert_eq!(live["answer"][key], recorded["answer"][key], "{key}");
    }
    for (arguments, said) in [
        (with(&format!("capacity --to {to} --self"), &file), "--self"),
        ("capacity --from 127.0.0.1".to_owned(), "--to"),
        (with(&with("-t", &file), &file), "two snapshots"),
        (with("time-wait --watch=1", &file), "--watch"),
    ] {
        let run = sockeye(&namespace, &arguments);
        assert!(run.code == 64 && run.stderr.contains(said), "{arguments}: {run:?}");
    }
}

/// Checks a document against the schema that the program prints.
fn assert_valid(schema: &str, document: &Value) {
    let printed = Command::new(SOCKEYE).args(["schema", schema]).output().unwrap();
    let printed: Value = serde_json::from_str(&Run::of(printed).stdout).unwrap();
    let validator = jsonschema::draft202012::new(&printed).unwrap();
    let errors: Vec<String> = validator.iter_errors(document).map(|e| e.to_string()).collect();
    assert!(errors.is_empty(), "{schema}: {errors:#?}");
}

#[test]
fn the_time_and_the_source_of_a_recording_are_those_of_the_recording() {
    if !require_live(&["ip"]) {
        return;
    }
    let namespace = Namespace::new();
    let directory = TempDir::new().unwrap();
    let _server = namespace.run(|| listener(at(LOCALHOST, 0), 8));
    let file = record(&namespace, &directory, "file", "--source proc -t");
    let header: Value = serde_json::from_str(gunzip(&read(&file)).lines().next().unwrap()).unwrap();
    let run = sockeye(&namespace, &with("-tul --json", &file));
    let document: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(document["source"]["kind"], "proc");
    let (recorded, shown) = (&header["generated_at"], &document["generated_at"]);
    let millis = "2026-11-22T10:00:00.123".len();
    assert_eq!(recorded.as_str().unwrap()[..millis], shown.as_str().unwrap()[..millis]);
    // What was not recorded is unknown, not absent.
    assert_eq!(document["warnings"][0]["code"], "not-recorded");
    assert!(run.stderr.contains("udp sockets are not in the snapshot"), "{run:?}");
    assert_eq!(document["sockets"].as_array().unwrap().len(), 1);
}

#[test]
fn a_recording_has_every_state_memory_details_and_samples_of_the_window() {
    if !require_live(&["ip"]) {
        return;
    }
    let namespace = Namespace::new();
    let directory = TempDir::new().unwrap();
    let (_server, _open, _accepted) = namespace.run(|| {
        let server = listener(at(LOCALHOST, 0), 8);
        let open = connect(LOCALHOST, local(&server));
        let accepted = server.accept().unwrap().0;
        let closing = connect(LOCALHOST, local(&server));
        let (ended, _) = server.accept().unwrap();
        closing.shutdown(Shutdown::Both).unwrap();
        read_to_end(&ended);
        drop((closing, ended));
        (server, open, accepted)
    });
    let gone = || {
        let rows = sockeye(&namespace, "-ta --json").document().sockets;
        rows.iter().filter(|row| row.state == "TIME_WAIT").count() == 1 && rows.len() == 4
    };
    assert!(eventually(PATIENCE, gone));
    let file = record(&namespace, &directory, "file", "");
    let recording = one(recording_file::read(&file)).unwrap();
    let of_tcp = recording.sockets.iter().filter(|s| s.protocol == Protocol::Tcp);
    let states: BTreeSet<&str> = of_tcp.map(|s| s.state.name()).collect();
    assert_eq!(states, BTreeSet::from(["ESTABLISHED", "LISTEN", "TIME_WAIT"]));
    let is_open = |s: &&Socket| s.protocol == Protocol::Tcp && s.state == State::Established;
    for socket in recording.sockets.iter().filter(is_open) {
        let info = socket.tcp_info.as_ref().unwrap();
        assert!(info.by_id("rtt").is_some() && info.bytes().len() >= 104);
        assert!(socket.memory.is_some() && socket.congestion.is_some());
    }
    let snapshot = recording.snapshot;
    assert_eq!(snapshot.samples.len(), 5);
    assert!(recording.earlier.as_ref().is_some_and(|sockets| !sockets.is_empty()));
    assert!((90..10_000).contains(&snapshot.window_ms().unwrap()));
    assert!(snapshot.growth("Tcp.ActiveOpens").is_some());
    assert_eq!(snapshot.alive_before.len(), 2);
    assert!(snapshot.settings.port_range().is_some());
    assert!(snapshot.limits.memory_total_bytes.is_some());
    assert_eq!(snapshot.about.netns.name.as_deref(), Some(namespace.name()));
    assert!(recording.boot_id.is_some_and(|id| id.len() == 36));
}

#[test]
fn the_file_is_the_owners_alone_and_is_replaced_whole() {
    use std::os::unix::fs::PermissionsExt;
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("file");
    fs::write(&file, b"old").unwrap();
    writer::write_file(&file, &[small()]).unwrap();
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(one(recording_file::read(&file)).unwrap(), small());
    // A file system that is full leaves neither half a file nor the loss of the old one.
    assert!(writer::write_file(&directory.path().join("no/file"), &[small()]).is_err());
    assert_eq!(fs::read_dir(&directory).unwrap().count(), 1);
    assert!(writer::write_file(Path::new("/dev/full"), &[small()]).is_err());
    // A pipe is written as it is.
    let mut run = Command::new(SOCKEYE);
    run.arg("snapshot").arg("--from").arg(&file);
    let output = run.args(["-o", "-"]).output().unwrap();
    assert_eq!(one(reader::decode(output.stdout.as_slice())).unwrap(), small());
}

// Masking.

#[test]
fn a_masked_file_has_the_structure_and_none_of_the_names() {
    let mut recording = small();
    let more = [
        ("10.20.30.40/1", "10.20.30.41/2"),
        ("172.20.1.2/3", "203.0.113.200/4"),
        ("127.0.0.1/5", "127.0.0.1/6"),
        ("0.0.0.0/7", "0.0.0.0/0"),
        ("fe80::a:b:c:d/8", "2a00:1450:4001:82a::200e/9"),
        ("2a00:1450:4001:82a::2/10", "fd12:3456:789a:1::1/11"),
        ("::1/12", "::ffff:10.20.30.40/13"),
        ("::/14", "::/0"),
    ];
    for (number, (local, remote)) in (100..).zip(more) {
        recording.sockets.push(socket(State::Listen, local, remote, number));
    }
    let gap = |message: &str| Gap::new("x", message, "");
    recording.snapshot.about.gaps = vec![
        gap("cannot read the directory /srv/secret-dir/proc: EACCES (Permission denied)"),
        gap("descriptors of secret-cmd at 10.20.30.40, in `/sys/fs/cgroup/secret-cgroup/x`"),
    ];
    recording.snapshot.limits.processes.push(ProcessLimits {
        pid: 811,
        parent: Some(1),
        command: b"secret-cmd".to_vec(),
        soft: Some(1024),
        hard: None,
        descriptors: Some(vec![(0, 9)]),
        counted: None,
        exempt_from_file_max: None,
        dead_sockets: None,
        cgroups: vec!["memory:/system.slice/secret-shop.service".into()],
    });
    recording.snapshot.limits.cgroups.push(CgroupLimit {
        resource: Resource::Memory,
        path: "/system.slice/secret-shop.service".into(),
        file: "/sys/fs/cgroup/memory/system.slice/secret-shop.service/memory.max".into(),
        limit: Some(1),
        used: Some(0),
    });
    let originals: BTreeSet<String> = recording
        .sockets
        .iter()
        .flat_map(|s| [s.local.address, s.remote.address])
        .filter(|a| !a.is_loopback() && !a.is_unspecified())
        .map(|a| a.to_string())
        .collect();
    assert!(gunzip(&written(&recording)).contains("secret-shop"));
    let masked = redaction::redact(vec![recording.clone()]).remove(0);
    assert!(masked.redacted);
    let text = gunzip(&written(&masked));
    assert!(!text.contains("secret"), "{text}");
    let is_part = |c: char| c.is_ascii_hexdigit() || ".:".contains(c);
    for word in text.split(|c| !is_part(c)) {
        assert!(!originals.contains(word), "{word} in {text}");
    }
    // 10.20.30.40 inside its v4-mapped form.
    assert!(!text.contains("10.20.30.40"));

    let (was, is) = (&recording, &masked);
    assert_eq!(was.sockets.len(), is.sockets.len());
    for (a, b) in was.sockets.iter().zip(&is.sockets) {
        assert_eq!(
            (a.state, a.local.port, a.remote.port, a.inode, a.cookie, a.uid),
            (b.state, b.local.port, b.remote.port, b.inode, b.cookie, b.uid)
        );
    }
    let address = |index: usize| is.sockets[index].local.address;
    let peer = |index: usize| is.sockets[index].remote.address;
    let v4 = |address: IpAddr| match address {
        IpAddr::V4(v4) => v4,
        IpAddr::V6(v6) => v6.to_ipv4_mapped().unwrap(),
    };
    let network = |ip: IpAddr| match ip {
        IpAddr::V4(v4) => v4.octets()[..3].to_vec(),
        IpAddr::V6(v6) => v6.octets()[..8].to_vec(),
    };
    // The same address, and neighbours.
    assert_eq!(address(0), address(1));
    assert_ne!(peer(0), peer(1));
    assert_eq!(network(peer(0)), network(peer(1)));
    assert_eq!(network(address(2)), network(peer(2)));
    assert_eq!(network(peer(6)), network(address(7)));
    assert_eq!(v4(peer(8)), v4(address(2)));
    // Their kind.
    assert!(v4(address(2)).is_private() && v4(address(3)).is_private());
    assert_eq!(v4(address(3)).octets()[0], 172);
    assert!(!v4(peer(3)).is_private());
    assert_eq!((address(4), address(5)), (LOCALHOST, IpAddr::V4(Ipv4Addr::UNSPECIFIED)));
    assert!(address(6).to_string().starts_with("fe80::"));
    assert!(peer(7).to_string().starts_with("fd"));
    assert_eq!((address(8).is_loopback(), address(9).is_unspecified()), (true, true));
    // The relation of a process, its unit and its cgroup.
    let is = &masked.snapshot;
    let process = &is.owners.processes()[0];
    let unit = process.unit.as_deref().unwrap();
    assert!(unit.ends_with(".service"));
    assert_eq!(process.cgroup.as_deref().unwrap(), format!("/system.slice/{unit}"));
    assert_eq!(masked.names.cgroups[&77], format!("/system.slice/{unit}"));
    assert_eq!(is.limits.processes[0].command, process.command);
    assert_eq!(is.limits.processes[0].cgroups[0], is.limits.cgroups[0].key());
    assert_eq!(is.owners.holders(1).count(), 1);
}

// What changed.

#[test]
fn a_difference_names_what_was_born_what_went_and_what_changed() {
    if !require_live(&["ip"]) {
        return;
    }
    let namespace = Namespace::new();
    let directory = TempDir::new().unwrap();
    let (server, stays, goes, (client, ended)) = namespace.run(|| {
        let server = listener(at(LOCALHOST, 0), 8);
        let stays = connect(LOCALHOST, local(&server));
        let goes = udp(at(LOCALHOST, 0));
        let client = connect(LOCALHOST, local(&server));
        let accepted = server.accept().unwrap().0;
        let ended = server.accept().unwrap().0;
        (server, (stays, accepted), goes, (client, ended))
    });
    let (lost, closed) = (local(&goes), local(&client));
    let before = record(&namespace, &directory, "a", "-t -u");
    drop(goes);
    namespace.set_sysctl("net.ipv4.tcp_fin_timeout", "33");
    client.shutdown(Shutdown::Write).unwrap();
    read_to_end(&ended);
    let born = namespace.run(|| connect(LOCALHOST, local(&server)));
    let half_closed = || {
        let rows = sockeye(&namespace, "-t --json").document().sockets;
        rows.iter().any(|row| row.state == "FIN_WAIT_2")
    };
    assert!(eventually(PATIENCE, half_closed));
    let after = record(&namespace, &directory, "b", "-t -u");
    let files = format!("diff {} {}", before.display(), after.display());
    let run = sockeye(&namespace, &format!("{files} --json"));
    let document: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(document["schema"], "sockeye.diff/1");

    assert_valid("diff", &document);
    let header = gunzip(&read(&before));
    let header = serde_json::from_str(header.lines().next().unwrap()).unwrap();
    assert_valid("snapshot", &header);

    let port = |socket: &Value| socket["local"]["port"].as_u64().unwrap();
    let ports = |list: &str| -> BTreeSet<u64> {
        document[list].as_array().unwrap().iter().map(port).collect()
    };
    // The new connection has two ends, of which one waits to be accepted.
    let (born, server) = (u64::from(local(&born).port()), u64::from(local(&server).port()));
    assert_eq!(ports("born"), BTreeSet::from([born, server]));
    assert_eq!(ports("gone"), BTreeSet::from([u64::from(lost.port())]));
    let changed: BTreeSet<(u64, String, String)> = document["changed"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| {
            let text = |key: &str| c[key].as_str().unwrap().to_owned();
            (port(&c["socket"]), text("from_state"), text("to_state"))
        })
        .collect();
    let turn = |port: u64, to: &str| (port, "ESTABLISHED".to_owned(), to.to_owned());
    let closed = u64::from(closed.port());
    assert_eq!(changed, BTreeSet::from([turn(closed, "FIN_WAIT_2"), turn(server, "CLOSE_WAIT")]));
    // The listener and both ends of the connection that stays.
    assert_eq!(document["totals"]["unchanged"], 3);
    let opened = document["counters"].as_array().unwrap().iter();
    let opened = opened.clone().find(|c| c["name"] == "Tcp.ActiveOpens").unwrap();
    let grown = opened["after"].as_f64().unwrap() - opened["before"].as_f64().unwrap();
    let seconds = document["elapsed_ms"].as_f64().unwrap() / 1000.0;
    assert!((opened["per_second"].as_f64().unwrap() - grown / seconds).abs() < grown);
    let setting = document["settings"].as_array().unwrap();
    let ours = setting.iter().find(|s| s["name"] == "net.ipv4.tcp_fin_timeout").unwrap();
    assert_eq!((&ours["before"], &ours["after"]), (&"60".into(), &"33".into()));

    let table = sockeye(&namespace, &files);
    assert_eq!(table.code, 0);
    for word in ["2 born, 1 gone, 2 changed", "FIN_WAIT_2", "tcp_fin_timeout", "Tcp.ActiveOpens"] {
        assert!(table.stdout.contains(word), "{word} in {}", table.stdout);
    }
    // A file and itself.
    let same = sockeye(&namespace, &format!("diff {0} {0} --json", before.display()));
    let same: Value = serde_json::from_str(&same.stdout).unwrap();
    for list in ["born", "gone", "changed", "counters", "settings", "limits"] {
        assert_eq!(same[list], Value::Array(vec![]), "{list}");
    }
    // The wrong way round is said, and has no rates.
    let back =
        sockeye(&namespace, &format!("diff {} {} --json", after.display(), before.display()));
    let document: Value = serde_json::from_str(&back.stdout).unwrap();
    assert_eq!(document["elapsed_ms"], Value::Null);
    let codes = document["warnings"].as_array().unwrap();
    assert!(codes.iter().any(|w| w["code"] == "later-first"));
    drop((stays, client, ended));
}

#[test]
fn without_cookies_or_across_boots_sockets_are_the_same_by_their_addresses() {
    use sockeye::report::diff;
    let strip = |mut recording: Recording| {
        recording.sockets.iter_mut().for_each(|s| s.cookie = None);
        recording
    };
    let count = |a: &Recording, b: &Recording| {
        let diff = diff::compare(a, b);
        (diff.unchanged, diff.born.len(), diff.gone.len(), diff.gaps.len())
    };
    let plain = small();
    assert_eq!(count(&plain, &strip(small())), (2, 0, 0, 0));
    assert_eq!(count(&strip(small()), &strip(small())), (2, 0, 0, 0));
    // The same addresses with another cookie: another connection.
    let mut later = small();
    later.sockets[0].cookie = Some(900);
    assert_eq!(count(&plain, &later), (1, 1, 1, 0));
    // After a restart cookies begin anew and say nothing.
    later.boot_id = Some("another".into());
    assert_eq!(count(&plain, &later), (2, 0, 0, 1));
    // Several with the same addresses are paired one by one.
    let mut twice = strip(small());
    let copy = twice.sockets[0].clone();
    twice.sockets.push(copy);
    assert_eq!(count(&strip(small()), &twice), (2, 1, 0, 0));
    assert_eq!(count(&twice, &strip(small())), (2, 0, 1, 0));
    // A protocol that one of them did not record is left out, not gone.
    let mut udp_only = small();
    udp_only.protocols = vec![Protocol::Udp];
    udp_only.sockets.clear();
    assert_eq!(count(&plain, &udp_only), (0, 0, 0, 1));
}

// Size.

#[test]
fn sockets_are_small_enough_for_a_hundred_thousand_in_ten_mebibytes() {
    // Numbers as a busy server has them: what differs by connection differs here too.
    const SOCKETS: u32 = 10_000;
    let mut recording = small();
    let mut random = 1u64;
    let mut next = move || {
        random =
            random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u32::try_from(random >> 33).unwrap()
    };
    recording.sockets = (0..SOCKETS)
        .map(|n| {
            let mut socket =
                socket(State::Established, "192.0.2.77/443", "198.51.100.9/1", n.into());
            let peer: [u8; 4] = next().to_be_bytes();
            socket.remote = Endpoint::new(peer.into(), u16::try_from(next() % 60_000).unwrap());
            socket.cookie = Some(u64::from(next() % 4_000_000));
            let mut info = vec![0u8; 280];
            for (at, most) in [
                (8, 400_000),
                (44, 60_000),
                (52, 60_000),
                (56, 60_000),
                (68, 200_000),
                (72, 90_000),
                (80, 60),
                (120, 9_000_000),
                (128, 90_000),
                (136, 9_000),
                (140, 9_000),
                (148, 90_000),
                (160, 9_000_000),
                (168, 9_000_000),
            ] {
                info[at..at + 4].copy_from_slice(&(next() % most).to_ne_bytes());
            }
            // The kernel tells some facts twice: what is acknowledged was sent.
            info.copy_within(120..124, 200);
            info.copy_within(140..144, 152);
            info.copy_within(136..140, 156);
            for (at, value) in [
                (16, 1448u32),
                (20, 536),
                (60, 1500),
                (76, 0x7fff_ffff),
                (84, 1448),
                (88, 3),
                (228, 65_535),
                (232, 64_256),
            ] {
                info[at..at + 4].copy_from_slice(&value.to_ne_bytes());
            }
            socket.tcp_info = Some(Box::new(TcpInfo::from_kernel(&info)));
            socket.memory = Some(SocketMemory {
                rcvbuf_bytes: 131_072,
                sndbuf_bytes: 87_040,
                ..SocketMemory::default()
            });
            socket.congestion = Some(Congestion::from_kernel(b"cubic"));
            socket
        })
        .collect();
    let bytes = written(&recording);
    let allowed = (10usize << 20) * SOCKETS as usize / 100_000;
    assert!(bytes.len() < allowed, "{} of {allowed}", bytes.len());
    assert_eq!(one(reader::decode(bytes.as_slice())).unwrap(), recording);
}

fn read(file: &Path) -> Vec<u8> {
    let mut bytes = vec![];
    fs::File::open(file).unwrap().read_to_end(&mut bytes).unwrap();
    bytes
}
