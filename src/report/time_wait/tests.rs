//! The report on snapshots of a few lines.

use super::{
    attribution::Confidence,
    expected::{RateSource, Trend},
    key::Side,
    of,
    reckoning::Reckoning,
    verdict::{Verdict, Why},
};
use crate::{
    collect::census::Ledger,
    model::{
        about::{About, Host, SourceKind},
        counters::{Counters, Sample},
        endpoint::Endpoint,
        measures::Measures,
        netns::Netns,
        outline::Outline,
        owner::{Owners, Process, Sampling},
        protocol::{Family, Protocol},
        settings::Settings,
        snapshot::{Alive, Snapshot},
        socket::Socket,
        state::State,
        timer::{Timer, TimerKind},
    },
    report::remedy::Tier,
};
use std::{collections::HashSet, iter, ops::RangeInclusive, time::SystemTime};

/// Two looks a second apart at kernel 6.18, with a thousand ports.
fn snapshot(sockets: impl IntoIterator<Item = Socket>) -> Snapshot {
    let mut snapshot = Snapshot {
        limits: crate::model::limits::Limits::default(),
        about: About {
            generated_at: SystemTime::UNIX_EPOCH,
            host: Host { name: None, kernel: Some("6.18.44".into()) },
            source: SourceKind::Netlink,
            fallback_reason: None,
            netns: Netns::default(),
            gaps: vec![],
        },
        sockets: sockets.into_iter().map(|socket| Outline::of(&socket)).collect(),
        measures: Measures::default(),
        alive_before: vec![],
        before: None,
        owners: Owners::default(),
        settings: Settings::default(),
        samples: [0, 1000].map(|at_ms| Sample { at_ms, counters: Counters::default() }).into(),
    };
    for (name, value) in [
        ("ip_local_port_range", "40000\t40999"),
        ("ip_local_reserved_ports", ""),
        ("tcp_max_tw_buckets", "10000"),
        ("tcp_tw_reuse", "2"),
        ("tcp_tw_reuse_delay", "1000"),
        ("tcp_timestamps", "1"),
        ("tcp_fin_timeout", "60"),
    ] {
        set(&mut snapshot, name, value);
    }
    for name in ["TW", "TWKilled", "TCPTimeWaitOverflow", "TWRecycled"] {
        count(&mut snapshot, &format!("TcpExt.{name}"), 1_000_000, 0);
    }
    snapshot
}

fn set(snapshot: &mut Snapshot, name: &str, value: &str) {
    snapshot.settings.values.insert(format!("net.ipv4.{name}"), value.into());
}

/// A counter before, and by how much it grew.
fn count(snapshot: &mut Snapshot, name: &str, before: u64, grown: u64) {
    for (sample, value) in snapshot.samples.iter_mut().zip([before, before + grown]) {
        sample.counters.insert(name, value);
    }
}

fn end(text: &str) -> Endpoint {
    let at: std::net::SocketAddr = text.parse().unwrap();
    Endpoint::new(at.ip(), at.port())
}

fn socket(state: State, local: &str, remote: &str) -> Socket {
    let family = if local.starts_with('[') { Family::Ipv6 } else { Family::Ipv4 };
    Socket { local: end(local), remote: end(remote), ..Socket::new(Protocol::Tcp, family, state) }
}

fn time_wait(local: &str, remote: &str, age_ms: u32) -> Socket {
    let timer = Timer { kind: TimerKind::TimeWait, expires_ms: 60_000 - age_ms, retransmits: 0 };
    Socket { timer: Some(timer), ..socket(State::TimeWait, local, remote) }
}

fn live(local: &str, remote: &str, inode: u64) -> Socket {
    Socket { inode: Some(inode), ..socket(State::Established, local, remote) }
}

fn listen(local: &str, inode: u64) -> Socket {
    let remote = if local.starts_with('[') { "[::]:0" } else { "0.0.0.0:0" };
    Socket { inode: Some(inode), ..socket(State::Listen, local, remote) }
}

/// So many ports of the range from the first on, as connect(2) chooses them: even ones first.
fn clients(number: u16, age_ms: u32) -> Vec<Socket> {
    let port = |n: u16| if n < 500 { 40_000 + n * 2 } else { 40_001 + (n - 500) * 2 };
    (0..number)
        // The odd ones are younger, as where the even ones were used up first.
        .map(|n| (port(n), age_ms.saturating_sub(u32::from(n >= 500))))
        .map(|(port, age)| time_wait(&format!("10.0.0.1:{port}"), "10.0.0.7:8080", age))
        .collect()
}

fn owned(processes: &[(u32, &str, &[u64])]) -> Owners {
    let mut owners = Owners::default();
    for (pid, command, inodes) in processes {
        let process =
            Process { pid: *pid, command: command.as_bytes().to_vec(), ..Process::default() };
        owners.add(process, &inodes.iter().map(|inode| (*inode, 3)).collect::<Vec<_>>());
    }
    owners.finished(None)
}

#[test]
fn nothing_in_time_wait_is_harmless_and_needs_no_advice() {
    let report = of(&snapshot(vec![listen("0.0.0.0:80", 1)]), None);
    assert_eq!((report.verdict, report.total), (Verdict::Harmless, 0));
    assert_eq!((report.reasons.as_slice(), report.clear_in_ms), (&[Why::Nothing][..], None));
    assert!(report.advice.is_empty() && report.avoid.is_empty() && report.groups.is_empty());
}

#[test]
fn a_listener_takes_in_addresses_wildcards_and_mapped_addresses() {
    let report = of(
        &snapshot(vec![
            listen("127.0.0.1:80", 1),
            listen("0.0.0.0:80", 2),
            listen("[::]:81", 3),
            Socket { v6only: Some(true), ..listen("[::]:40002", 4) },
            time_wait("127.0.0.1:80", "127.0.0.1:40000", 1),
            time_wait("10.0.0.1:80", "10.0.0.9:40000", 1),
            time_wait("10.0.0.1:80", "10.0.0.8:40000", 1),
            time_wait("[::ffff:10.0.0.1]:81", "[::ffff:10.0.0.9]:40000", 1),
            time_wait("10.0.0.1:81", "10.0.0.9:40001", 1),
            time_wait("[2001:db8::1]:81", "[2001:db8::9]:40000", 1),
            // That one takes no IPv4.
            time_wait("10.0.0.1:40002", "10.0.0.9:443", 1),
            // Nobody listens any more, but one port towards several peers is no client's.
            time_wait("10.0.0.1:82", "10.0.0.9:40000", 1),
            time_wait("10.0.0.1:82", "10.0.0.9:40001", 1),
        ]),
        None,
    );
    let found: Vec<(Side, String, u32, Option<bool>)> = report
        .groups
        .iter()
        .map(|g| {
            let port = g.local_port.or(g.peer_port).unwrap();
            (g.side, format!("{} {port}", g.local_address), g.count, g.listening)
        })
        .collect();
    let server = |at: &str, count, listening| (Side::Server, at.to_owned(), count, Some(listening));
    assert_eq!(
        found,
        [
            server(":: 81", 3, true),
            server("0.0.0.0 80", 2, true),
            server("10.0.0.1 82", 2, false),
            server("127.0.0.1 80", 1, true),
            (Side::Client, "10.0.0.1 443".to_owned(), 1, None),
        ]
    );
    assert_eq!((report.server_side, report.client_side), (8, 1));
}

#[test]
fn ages_become_a_history_that_loses_nobody() {
    let ages = [0, 999, 1_000, 4_999, 5_000, 59_999, 60_000];
    let sockets = ages.map(|age| time_wait("10.0.0.1:40000", "10.0.0.7:80", age)).to_vec();
    let report = of(&snapshot(sockets), None);
    assert_eq!(report.closed_per_second[..6], [2, 1, 0, 0, 1, 1]);
    assert_eq!(report.closed_per_second[59], 1);
    assert_eq!(report.closed_per_second.len(), 60);
    let bars: Vec<u32> = report.age_histogram.iter().map(|bar| bar.count).collect();
    assert_eq!(bars, [4, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1]);
    assert_eq!(report.groups[0].oldest_age_ms, Some(60_000));
    assert_eq!(report.clear_in_ms, Some(60_000));
}

#[test]
fn the_rate_is_counted_where_the_kernel_counts_creations() {
    let mut snapshot = snapshot(clients(40, 500));
    count(&mut snapshot, "TcpExt.TW", 1_000, 50);
    count(&mut snapshot, "TcpExt.TWKilled", 0, 3);
    let report = of(&snapshot, None);
    assert_eq!(report.rate_source, Some(RateSource::Counters));
    assert_eq!((report.rate_per_second, report.expected_total), (Some(53.0), Some(3180)));
    // Kernel 5.15 counts when the 60 s are over.
    for old in [Some("5.15.215"), Some("weird"), None] {
        snapshot.about.host.kernel = old.map(str::to_owned);
        let report = of(&snapshot, None);
        assert_eq!(report.rate_source, Some(RateSource::History), "{old:?}");
        assert_eq!((report.rate_per_second, report.expected_total), (Some(40.0), Some(2400)));
    }
    // More are there than were ever counted: it counts otherwise than its release says.
    snapshot.about.host.kernel = Some("6.18.0".into());
    count(&mut snapshot, "sockstat.TCP.tw", 1_054, 0);
    assert_eq!(of(&snapshot, None).rate_source, Some(RateSource::History));
    // One look.
    snapshot.samples.pop();
    let report = of(&snapshot, None);
    assert_eq!((report.window_ms, report.overflows), (None, None));
    assert_eq!(report.rate_per_second, Some(8.0));
}

#[test]
fn a_total_that_the_rate_does_not_explain_has_a_reason() {
    let even = |per_second: u16| -> Vec<Socket> {
        (0..60u32).flat_map(|second| clients(per_second, second * 1000 + 500)).collect()
    };
    let trend = |sockets, created, more: &[(&str, u64)]| {
        let mut snapshot = snapshot(sockets);
        count(&mut snapshot, "TcpExt.TW", 1_000_000, created);
        for (name, grown) in more {
            count(&mut snapshot, name, 0, *grown);
        }
        of(&snapshot, None).trend
    };
    assert_eq!(trend(vec![], 0, &[]), Trend::Steady);
    assert_eq!(trend(even(10), 10, &[]), Trend::Steady);
    assert_eq!(trend(even(10), 20, &[]), Trend::Steady);
    assert_eq!(trend(even(10), 5, &[]), Trend::Steady);
    assert_eq!(trend(even(10), 4, &[]), Trend::Decay);
    assert_eq!(trend(even(10), 0, &[]), Trend::Decay);
    // More than double: nothing tells why they are gone, unless the last seconds are as dense.
    assert_eq!(trend(even(10), 30, &[]), Trend::EndedEarly);
    assert_eq!(trend(clients(90, 500), 30, &[]), Trend::Burst);
    assert_eq!(trend(even(10), 30, &[("TcpExt.TCPTimeWaitOverflow", 1)]), Trend::Overflow);
    assert_eq!(trend(even(10), 30, &[("TcpExt.TWRecycled", 1)]), Trend::Recycling);
    // Too few for one second to tell: ten do.
    assert_eq!(trend(even(1), 0, &[]), Trend::Steady);
    assert_eq!(trend(clients(60, 50_000), 0, &[]), Trend::Decay);
    assert_eq!(trend(clients(30, 500), 0, &[]), Trend::Burst);
}

#[test]
fn ports_are_judged_by_what_connect_cannot_have() {
    let judged = |number, age| {
        let report = of(&snapshot(clients(number, age)), None);
        let group = report.groups[0].clone();
        assert_eq!(report.verdict, group.verdict);
        assert_eq!(group.ports_in_use, Some(u32::from(number)));
        (group.verdict, group.reason)
    };
    for (number, verdict, reason) in [
        (499, Verdict::Harmless, Why::PortsLeft),
        (500, Verdict::Watch, Why::PortSearch),
        (899, Verdict::Watch, Why::PortSearch),
        (900, Verdict::Harmful, Why::PortsNearlyGone),
        (1000, Verdict::Harmful, Why::PortsNearlyGone),
    ] {
        assert_eq!(judged(number, 30_000), (verdict, reason), "{number}");
    }
}

#[test]
fn the_same_number_on_the_side_of_a_server_is_harmless() {
    let mut sockets = vec![listen("0.0.0.0:80", 1)];
    for n in 0..5_000u16 {
        sockets.push(time_wait("10.0.0.1:80", &format!("10.0.0.9:{}", 10_000 + n), 100));
    }
    let report = of(&snapshot(sockets), None);
    assert_eq!((report.verdict, report.total), (Verdict::Harmless, 5_000));
    let tiers: Vec<Tier> = report.advice.iter().map(|remedy| remedy.tier).collect();
    assert_eq!(tiers, [Tier::Application]);
    assert!(report.avoid.iter().any(|avoid| avoid.action.starts_with("tcp_tw_reuse")));
}

#[test]
fn a_full_table_is_harmful_whoever_fills_it() {
    let report = |total: u16, overflows| {
        let mut sockets = vec![listen("0.0.0.0:80", 1)];
        for n in 0..total {
            sockets.push(time_wait("10.0.0.1:80", &format!("10.0.0.9:{}", 10_000 + n), 50_000));
        }
        let mut snapshot = snapshot(sockets);
        set(&mut snapshot, "tcp_max_tw_buckets", "100");
        count(&mut snapshot, "TcpExt.TCPTimeWaitOverflow", 7, overflows);
        of(&snapshot, None)
    };
    assert_eq!(report(89, 0).verdict, Verdict::Harmless);
    assert_eq!(report(90, 0).reasons[0], Why::TableNearlyFull);
    let full = report(100, 3);
    assert_eq!((full.verdict, full.reasons[0]), (Verdict::Harmful, Why::TableOverflow));
    assert_eq!(full.overflows, Some(3));
    let raise = full.advice.iter().find(|remedy| remedy.tier == Tier::Sysctl).unwrap();
    assert_eq!(raise.command.as_deref(), Some("sysctl -w net.ipv4.tcp_max_tw_buckets=262144"));
}

#[test]
fn the_time_until_no_port_is_left_counts_those_that_come_free() {
    let full_in = |old: u16, old_age: u32, per_second: u16| {
        let mut sockets = clients(old, old_age);
        let fresh = clients(old + per_second, 500).split_off(usize::from(old));
        sockets.extend(fresh);
        of(&snapshot(sockets), None).groups[0].time_to_full_s
    };
    // 400 are held for 30 s more, 100 new: 500 left, 100 each second.
    assert_eq!(full_in(400, 30_000, 100), Some(5));
    // 10 a second are 600 in a minute: with 400 that are soon gone they always fit.
    assert_eq!(full_in(400, 30_000, 10), None);
    // 17 a second are 1020 in a minute.
    assert_eq!(full_in(0, 0, 17), Some(58));
    // 400 of them come free after 10 s, in time.
    assert_eq!(full_in(400, 50_000, 12), None);
    assert_eq!(full_in(1000, 30_000, 0), Some(0));
}

#[test]
fn ports_that_connect_takes_over_do_not_harm() {
    let judged = |reuse, timestamps, age| {
        let mut snapshot = snapshot(clients(950, age));
        set(&mut snapshot, "tcp_tw_reuse", reuse);
        set(&mut snapshot, "tcp_timestamps", timestamps);
        let report = of(&snapshot, None);
        let text = format!("{:?}", report.advice);
        (report.groups[0].reason, text.contains("tcp_tw_reuse=1"), text.contains("reuse_delay"))
    };
    assert_eq!(judged("1", "1", 5_000), (Why::Reused, false, false));
    assert_eq!(judged("1", "0", 5_000), (Why::PortsNearlyGone, false, false));
    assert_eq!(judged("0", "1", 5_000), (Why::PortsNearlyGone, true, false));
    // 2 is for loopback addresses, which these are not.
    assert_eq!(judged("2", "1", 5_000), (Why::PortsNearlyGone, true, false));
    // Too young to be taken over.
    assert_eq!(judged("1", "1", 900), (Why::PortsNearlyGone, false, true));
}

#[test]
fn advice_is_in_order_and_never_what_is_so_or_does_not_exist() {
    let mut snapshot = snapshot(clients(950, 5_000));
    snapshot.sockets.push(Outline::of(&live("10.0.0.1:41000", "10.0.0.7:8080", 9)));
    snapshot.sockets.push(Outline::of(&listen("0.0.0.0:15432", 10)));
    snapshot.owners = owned(&[(811, "nginx", &[9])]);
    let report = of(&snapshot, None);
    let tiers: Vec<Tier> = report.advice.iter().map(|remedy| remedy.tier).collect();
    assert!(tiers.is_sorted() && tiers.contains(&Tier::Capacity), "{tiers:?}");
    let nginx = report.advice[0].command.as_deref().unwrap();
    assert!(nginx.contains("server 10.0.0.7:8080;") && nginx.contains("keepalive 64;"));
    let all = format!("{:?}", report.advice);
    assert!(all.contains("ip_local_reserved_ports=15432") && all.contains("15000 64999"), "{all}");
    assert!(all.contains("IP_LOCAL_PORT_RANGE") && !all.contains("tcp_fin_timeout"), "{all}");
    // Before 6.8 a range of its own did not make the search shorter, before 6.14 there was no
    // delay to set; a range that is wide stays as it is.
    snapshot.about.host.kernel = Some("6.1.0".into());
    snapshot.settings.values.remove("net.ipv4.tcp_tw_reuse_delay");
    set(&mut snapshot, "tcp_tw_reuse", "1");
    set(&mut snapshot, "ip_local_port_range", "10000 60999");
    let all = format!("{:?}", of(&snapshot, None).advice);
    for absent in ["IP_LOCAL_PORT_RANGE", "tcp_tw_reuse", "ip_local_port_range"] {
        assert!(!all.contains(absent), "{absent} in {all}");
    }
    assert!(report.avoid.iter().any(|avoid| {
        avoid.action == "tcp_tw_recycle" && avoid.reason.starts_with("this kernel has no such")
    }));
}

#[test]
fn an_unknown_range_is_not_taken_for_room() {
    let mut snapshot = snapshot(clients(3, 5_000));
    snapshot.settings.values.remove("net.ipv4.ip_local_port_range");
    let report = of(&snapshot, None);
    assert_eq!((report.verdict, report.reasons[0]), (Verdict::Watch, Why::PortsUnknown));
    assert_eq!((report.groups[0].ports_usable, report.groups[0].utilization), (None, None));
}

#[test]
fn whoever_was_seen_alive_is_certain_and_shares_are_of_those_seen() {
    let mut sockets = clients(4, 100);
    for (cookie, socket) in (1..).zip(&mut sockets) {
        socket.cookie = Some(cookie);
    }
    sockets.push(live("10.0.0.1:40800", "10.0.0.7:8080", 300));
    sockets.push(live("10.0.0.1:40802", "10.0.0.7:9090", 400));
    let mut snapshot = snapshot(sockets);
    let owners = |snapshot: &Snapshot| -> Vec<(u32, Confidence, Option<f64>, u32)> {
        let group = of(snapshot, None).groups.remove(0);
        group.owners.iter().map(|o| (o.pid, o.confidence, o.share, o.sockets_seen)).collect()
    };
    snapshot.owners =
        owned(&[(7, "a", &[101, 102, 103]), (8, "b", &[104]), (9, "c", &[300]), (10, "d", &[400])]);
    let alive = |(cookie, inode)| Alive { cookie, inode };
    snapshot.alive_before = [(1, 101), (2, 102), (3, 103), (4, 104), (99, 105)].map(alive).to_vec();
    assert_eq!(
        owners(&snapshot),
        [
            (7, Confidence::Certain, Some(0.75), 3),
            (8, Confidence::Certain, Some(0.25), 1),
            (9, Confidence::Likely, Some(1.0), 0)
        ]
    );
    snapshot.alive_before.clear();
    assert_eq!(owners(&snapshot), [(9, Confidence::Likely, Some(1.0), 0)]);
    snapshot.sockets.retain(|s| s.inode() != Some(300));
    assert_eq!(owners(&snapshot), [(10, Confidence::Possible, Some(1.0), 0)]);
    snapshot.sockets.retain(|s| s.inode().is_none());
    assert!(owners(&snapshot).is_empty());
}

/// A report in the making of twenty thousand connections, three of four in the hands of one process, with
/// these holders known at its beginning: what it asks for, and then the snapshot and what it is made of.
fn many_open(to: &str, holders: Owners) -> (Snapshot, Reckoning, HashSet<u64>) {
    let mut snapshot = snapshot(vec![]);
    snapshot.owners = holders;
    let mut reckoning = Reckoning::begin(&snapshot, iter::empty::<Socket>(), None);
    for n in 0..20_000u32 {
        let local = format!("10.0.{}.1:{}", n / 1000, 40_000 + n % 1000);
        reckoning.enter(&live(&local, to, u64::from(n) + 1));
    }
    reckoning.enter(&time_wait("10.0.0.1:40000", "10.0.0.7:8080", 5_000));
    let asked = reckoning.asks();
    (snapshot, reckoning, asked.inodes)
}

/// Of their holders those of one connection of so many.
fn held_by_two(every: u64) -> Owners {
    let held = |range: RangeInclusive<u64>| -> Vec<u64> {
        range.filter(|inode| inode % every == 0).collect()
    };
    owned(&[(7, "most", &held(1..=15_000)), (8, "rest", &held(15_001..=20_000))])
}

fn sampled(every: u32) -> Owners {
    let sampling = Sampling { processes: [7, 8].into(), first: 0, every };
    held_by_two(every.into()).sampled(sampling)
}

#[test]
fn a_part_of_the_descriptors_is_enough_where_it_tells_who_has_most_of_many() {
    for (to, confidence) in
        [("10.0.0.7:8080", Confidence::Likely), ("10.0.0.7:9090", Confidence::Possible)]
    {
        let (snapshot, reckoning, asked) = many_open(to, sampled(100));
        assert_eq!(asked, HashSet::new(), "{to}");
        let report = reckoning.report(&snapshot);
        let owners = report.groups[0].owners.iter();
        let owners: Vec<_> = owners.map(|o| (o.pid, o.confidence, o.share)).collect();
        assert_eq!(owners, [(7, confidence, Some(0.75)), (8, confidence, Some(0.25))]);
        assert!(report.owners_sampled);
    }
}

#[test]
fn where_a_part_of_the_descriptors_tells_too_little_all_are_asked_for() {
    // Too few; and a part that cannot be right: most holders are not among these processes.
    let elsewhere = Sampling { processes: [7, 8].into(), first: 0, every: 10 };
    for holders in [sampled(1000), held_by_two(100).sampled(elsewhere)] {
        let (mut snapshot, reckoning, asked) = many_open("10.0.0.7:8080", holders);
        assert_eq!(asked.len(), 20_000);
        snapshot.owners = held_by_two(1).among(asked);
        let report = reckoning.report(&snapshot);
        assert_eq!(report.groups[0].owners[0].share, Some(0.75));
        assert!(!report.owners_sampled);
    }
}

#[test]
fn a_listener_whose_holder_is_not_known_is_asked_for() {
    let asked = |known: &[u64]| {
        let mut snapshot = snapshot(vec![]);
        let sampling = Sampling { processes: [7].into(), first: 0, every: 100 };
        snapshot.owners = owned(&[(7, "server", known)]).sampled(sampling);
        let mut reckoning = Reckoning::begin(&snapshot, [listen("0.0.0.0:80", 9)], None);
        reckoning.enter(&time_wait("10.0.0.1:80", "10.0.0.7:8080", 5_000));
        let asked = reckoning.asks().inodes;
        (asked, reckoning.report(&snapshot).groups.remove(0).owners)
    };
    assert_eq!(asked(&[8]).0, HashSet::from([9]));
    let (none, owners) = asked(&[9]);
    assert_eq!(none, HashSet::new());
    // It may not be the only one.
    assert_eq!(
        (owners[0].pid, owners[0].confidence, owners[0].share),
        (7, Confidence::Certain, None)
    );
}

#[test]
fn of_many_connections_to_a_machine_those_are_asked_for_that_are_told() {
    let (mut snapshot, reckoning, asked) = many_open("10.0.0.7:9090", Owners::default());
    assert_eq!(asked.len(), 1000);
    snapshot.owners = held_by_two(1).among(asked);
    let report = reckoning.report(&snapshot);
    let owners = &report.groups[0].owners;
    let shares: Vec<f64> = owners.iter().filter_map(|owner| owner.share).collect();
    assert!((shares[0] - 0.75).abs() < 0.05, "{shares:?}");
    assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{shares:?}");
}

#[test]
fn orphan_fin_wait_2_is_not_time_wait_and_has_its_own_remedy() {
    let orphan = |n: u16| {
        let local = format!("10.0.0.1:{}", 40_000 + n);
        Socket { state: State::FinWait2, ..time_wait(&local, "10.0.0.7:8080", 5_000) }
    };
    let report = |number| of(&snapshot((0..number).map(orphan)), None);
    let few = report(999);
    assert_eq!((few.total, few.orphan_fin_wait_2, few.advice.len()), (0, 999, 0));
    let many = report(1000);
    let commands: Vec<&str> = many.advice.iter().filter_map(|r| r.command.as_deref()).collect();
    assert!(commands.contains(&"sysctl -w net.ipv4.tcp_fin_timeout=20"), "{commands:?}");
}

#[test]
fn a_limit_leaves_groups_out_and_counts_them() {
    let sockets = (1..=5).map(|n| time_wait("10.0.0.1:40000", &format!("10.0.0.7:{n}"), 5));
    let report = of(&snapshot(sockets), Some(2));
    assert_eq!((report.groups.len(), report.groups_left_out, report.total), (2, 3, 5));
}

#[test]
fn clients_that_bind_first_are_told_so_and_starve_others() {
    // bind(2) with port 0 takes the other parity first, whatever the destination.
    let bound = |ports: std::ops::Range<u16>, remote: &str| -> Vec<Socket> {
        let local = |n| format!("10.0.0.1:{}", 40_001 + n * 2);
        ports.map(|n| time_wait(&local(n), remote, 5_000)).collect()
    };
    let report = |sockets| {
        let mut snapshot = snapshot(sockets);
        set(&mut snapshot, "tcp_tw_reuse", "1");
        of(&snapshot, None)
    };
    let one = report(bound(0..500, "10.0.0.7:80"));
    // tcp_tw_reuse does not free such a port.
    assert_eq!((one.groups[0].reason, one.groups[0].ports_reusable), (Why::PortSearch, Some(0)));
    let advice = format!("{:?}", one.advice);
    assert!(advice.contains("IP_BIND_ADDRESS_NO_PORT, &on"), "{advice}");
    assert!(!advice.contains("tcp_tw_reuse"), "{advice}");
    // The same ports by connect(2) are free to be taken over.
    let twin = report(clients(500, 5_000));
    assert_eq!((twin.groups[0].reason, twin.groups[0].ports_reusable), (Why::Reused, Some(500)));
    assert!(!format!("{:?}", twin.advice).contains("NO_PORT, &on"));

    // They hold every port of their half and most of the other; a third destination, with one
    // socket, has hardly a port left.
    let mut sockets = bound(0..250, "10.0.0.7:80");
    sockets.extend(bound(250..500, "10.0.0.8:80"));
    for n in 0..400u16 {
        sockets.push(time_wait(&format!("10.0.0.1:{}", 40_000 + n * 2), "10.0.0.9:80", 1_000));
    }
    sockets.push(time_wait("10.0.0.1:40900", "10.0.0.6:443", 1_000));
    let all = report(sockets);
    let innocent = all.groups.iter().find(|g| g.peer_port == Some(443)).unwrap();
    assert!(innocent.ports_kept_by_others > Some(800), "{innocent:?}");
    assert_eq!((innocent.ports_in_use, innocent.verdict), (Some(1), Verdict::Harmful));
}
