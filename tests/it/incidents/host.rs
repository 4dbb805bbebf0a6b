//! Limits of the whole host, on /proc trees made by tests: a namespace cannot shrink them.

use super::diagnosis::{
    Diagnosis,
    Severity::{Critical, Notice, Warning},
};
use crate::{
    fixture::{Line, Tree},
    lab::{namespace::Namespace, requirement::require_live},
};
use std::{fs, process::Command};

/// A small server, with these settings.
fn host(settings: &[(&str, &str)]) -> Tree {
    let all = [
        ("net/ipv4/ip_local_port_range", "32768\t60999\n"),
        ("net/ipv4/tcp_tw_reuse", "2\n"),
        ("net/ipv4/tcp_timestamps", "1\n"),
        ("net/ipv4/tcp_syncookies", "1\n"),
        ("net/ipv4/tcp_max_tw_buckets", "131072\n"),
        ("net/ipv4/tcp_max_orphans", "65536\n"),
        ("net/ipv4/tcp_mem", "21180\t42360\t84720\n"),
        ("net/core/somaxconn", "4096\n"),
        ("fs/file-nr", "3000\t0\t1000000\n"),
    ];
    let listener = Line { state: 0x0A, local: "0.0.0.0:8080", inode: 101, ..Line::default() };
    let connection = Line { inode: 102, ..Line::default() };
    let tree = Tree::with_tcp(&(listener.text() + &connection.text()))
        .process(811, b"nginx", &[(6, 101), (12, 102)])
        .file("net/snmp", snmp(0))
        .file("net/netstat", netstat(0))
        .file("net/sockstat", sockstat(20, 22_016));
    let of = |tree: Tree, (name, value): &(&str, &str)| tree.file(&format!("sys/{name}"), *value);
    settings.iter().fold(all.iter().fold(tree, of), of)
}

fn snmp(retransmitted: u64) -> String {
    format!(
        "Tcp: ActiveOpens PassiveOpens AttemptFails EstabResets OutSegs RetransSegs OutRsts\n\
         Tcp: 100 100 0 0 9000 {retransmitted} 0\n\
         Udp: InDatagrams RcvbufErrors MemErrors\nUdp: 5 0 0\n"
    )
}

fn netstat(aborted: u64) -> String {
    format!(
        "TcpExt: TW TCPAbortOnMemory TCPAbortOnData TCPAbortOnClose ListenOverflows ListenDrops\n\
         TcpExt: 7 {aborted} 0 0 0 0\n"
    )
}

fn sockstat(orphans: u64, pages: u64) -> String {
    format!(
        "sockets: used 90\nTCP: inuse 2 orphan {orphans} tw 0 alloc 90 mem {pages}\n\
         UDP: inuse 0 mem 0\n"
    )
}

#[test]
fn a_quiet_host_is_well() {
    Diagnosis::of_tree(&host(&[])).is_calm();
}

#[test]
fn orphans_near_their_limit_are_not_a_matter_of_tcp_memory() {
    let tree = host(&[]).file("net/sockstat", sockstat(65_500, 22_016));
    let diagnosis = Diagnosis::of_tree(&tree);
    let found = diagnosis.finds("orphan-pressure", Critical, &[]);
    assert!(found["evidence"].to_string().contains("65500"), "{found:#}");
    diagnosis.and_nothing_at_all_than(&["orphan-pressure"]);
}

#[test]
fn tcp_memory_is_told_by_pages() {
    let severity = |pages| {
        let tree = host(&[]).file("net/sockstat", sockstat(20, pages));
        Diagnosis::of_tree(&tree)
    };
    severity(31_000).is_calm();
    severity(31_800).finds("tcp-memory-pressure", Notice, &[]);
    severity(42_400).finds("tcp-memory-pressure", Warning, &[]);
    let full = severity(80_000);
    full.finds("tcp-memory-pressure", Critical, &[]);
    full.and_nothing_at_all_than(&["tcp-memory-pressure"]);
}

#[test]
fn files_of_the_host_run_out() {
    let tree = host(&[("fs/file-nr", "950000\t0\t1000000\n")]);
    let diagnosis = Diagnosis::of_tree(&tree);
    diagnosis.finds("fd-limit-host", Critical, &[]);
    diagnosis.and_nothing_at_all_than(&["fd-limit-host"]);
}

/// A line of /proc/net/stat/nf_conntrack for each of two CPUs.
fn conntrack(dropped: u32, insert_failed: u32) -> String {
    let names = "entries  clashres found new invalid ignore delete chainlength insert \
                 insert_failed drop early_drop icmp_error  expect_new expect_create \
                 expect_delete search_restart\n";
    let line = |failed: u32, dropped: u32| {
        format!(
            "0000ea60  00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 \
             {failed:08x} {dropped:08x} 00000000 00000000  00000000 00000000 00000000 00000000\n"
        )
    };
    names.to_owned() + &line(insert_failed, dropped) + &line(0, 0)
}

#[test]
fn a_full_connection_table_drops_packets() {
    let settings = [
        ("net/netfilter/nf_conntrack_count", "245000\n"),
        ("net/netfilter/nf_conntrack_max", "262144\n"),
    ];
    let diagnosis =
        Diagnosis::of_tree(&host(&settings).file("net/stat/nf_conntrack", conntrack(0, 0)));
    let found = diagnosis.finds("conntrack-table-full", Critical, &[]);
    assert!(found["evidence"].to_string().contains("262144"), "{found:#}");
    diagnosis.and_nothing_at_all_than(&["conntrack-table-full"]);

    // Drops of the past say nothing, drops of now everything, however full it is.
    let settings = [
        ("net/netfilter/nf_conntrack_count", "2450\n"),
        ("net/netfilter/nf_conntrack_max", "262144\n"),
    ];
    let tree = host(&settings).file("net/stat/nf_conntrack", conntrack(90_000, 70_000));
    Diagnosis::of_tree(&tree).is_calm();
    let dropping = Diagnosis::of_tree_that_changes(&tree, |step| {
        ("net/stat/nf_conntrack", conntrack(90_000 + step, 70_000))
    });
    dropping.finds("conntrack-table-full", Critical, &[]);
    let racing = Diagnosis::of_tree_that_changes(&tree, |step| {
        ("net/stat/nf_conntrack", conntrack(90_000, 70_000 + step))
    });
    racing.finds("conntrack-insert-failed", Warning, &[]);
    racing.and_nothing_at_all_than(&["conntrack-insert-failed"]);
}

#[test]
fn neighbours_of_all_containers_share_one_table() {
    let neighbours = |entries: u32, full: u32| {
        format!(
            "entries  allocs   destroys hash_grows lookups  hits     res_failed rcv_probes_mcast \
             rcv_probes_ucast periodic_gc_runs forced_gc_runs unresolved_discards table_fulls\n\
             {entries:08x}  00000000 00000000 00000000   00000000 00000000 00000000   00000000 \
             00000000         00000000         00000000       00000000            {full:08x}\n"
        )
    };
    let settings = [
        ("net/ipv4/neigh/default/gc_thresh2", "512\n"),
        ("net/ipv4/neigh/default/gc_thresh3", "1024\n"),
    ];
    let tree = host(&settings).file("net/stat/arp_cache", neighbours(1019, 70));
    let near = Diagnosis::of_tree(&tree);
    let found = near.finds("neighbor-table-overflow", Warning, &[]);
    assert!(found["title"].as_str().unwrap().contains("1019 of 1024"), "{found:#}");
    near.and_nothing_at_all_than(&["neighbor-table-overflow"]);
    let full = Diagnosis::of_tree_that_changes(&tree, |step| {
        ("net/stat/arp_cache", neighbours(1024, 70 + step))
    });
    full.finds("neighbor-table-overflow", Critical, &[]);
    Diagnosis::of_tree(&host(&settings).file("net/stat/arp_cache", neighbours(300, 70))).is_calm();
}

#[test]
fn packets_that_are_lost_before_tcp_are_the_hosts() {
    let softnet = |dropped: u32| format!("0000ffff {dropped:08x} 00000000 00000000 00000000\n");
    let tree = host(&[]).file("net/softnet_stat", softnet(5_000));
    Diagnosis::of_tree(&tree).is_calm();
    let dropping =
        Diagnosis::of_tree_that_changes(&tree, |step| ("net/softnet_stat", softnet(5_000 + step)));
    dropping.finds("softnet-drops", Warning, &[]);
    dropping.and_nothing_at_all_than(&["softnet-drops"]);
}

#[test]
fn tw_recycle_on_an_old_kernel_shuts_clients_out() {
    let tree = host(&[("net/ipv4/tcp_tw_recycle", "1\n")]).file("sys/kernel/osrelease", "4.4.0\n");
    let diagnosis = Diagnosis::of_tree(&tree);
    let found = diagnosis.finds("tw-sysctl-lint", Critical, &[]);
    assert!(found.to_string().contains("tcp_tw_recycle"), "{found:#}");
    diagnosis.and_nothing_at_all_than(&["tw-sysctl-lint"]);
}

#[test]
fn a_process_without_a_descriptor_left_is_named() {
    // The other lines are those of this machine.
    #[expect(clippy::disallowed_methods, reason = "a test looks at itself")]
    let of_this_process = |file| fs::read_to_string(format!("/proc/self/{file}")).unwrap();
    let max = "Max open files            20                   4096                 files";
    let limits: String = of_this_process("limits")
        .lines()
        .map(|line| if line.starts_with("Max open files") { max } else { line })
        .flat_map(|line| [line, "\n"])
        .collect();
    let sockets: Vec<(u32, u64)> = (0..20).map(|fd| (fd, 200 + u64::from(fd))).collect();
    let tree = host(&[])
        .process(900, b"haproxy", &sockets)
        .file("900/limits", limits)
        .file("900/status", of_this_process("status"));
    let diagnosis = Diagnosis::of_tree(&tree);
    diagnosis.finds("fd-limit-process", Critical, &["haproxy", "900"]);
    diagnosis.and_nothing_at_all_than(&["fd-limit-process"]);
}

#[test]
fn what_was_set_on_the_host_is_not_in_its_containers() {
    if !require_live(&["ip", "unshare"]) {
        return;
    }
    let (host, container) = (Namespace::new(), Namespace::new());
    host.set_sysctl("net.core.somaxconn", "16384");
    // Process 1 of a tree of processes of its own, in the namespace that stands for the host.
    let mut unshare = Command::new("unshare");
    unshare.args(["--pid", "--fork", "--mount-proc", "--kill-child"]);
    unshare.args(["sh", "-c", "\"$@\"; exit $?", "sh", "ip", "netns", "exec", container.name()]);
    let diagnosis = Diagnosis::by(&host, unshare);
    let found = diagnosis.finds("sysctl-scope-mismatch", Notice, &[]);
    assert!(found["seen"].to_string().contains("16384 on the host and 4096 here"), "{found:#}");
    diagnosis.is_calm();
}
