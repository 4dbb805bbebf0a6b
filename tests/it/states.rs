//! A namespace with sockets in every state is listed exactly, by either source.

use crate::lab::{
    deadline::{PATIENCE, eventually},
    link::{FAR6, INTERFACE, Link, NEAR, NEAR6, NOBODY, far},
    program::{Document, Key, Row, sockeye},
    requirement::require_live,
    ss,
    transport::{
        Pair, at, begin_connect, bound, connect, descriptor, inode, listener, local, peer,
        read_to_end, tcp, udp,
    },
};
use socket2::Socket;
use std::{
    collections::BTreeSet,
    io::Write,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr},
    time::{Duration, Instant},
};

/// The IPv4 listener.
const WEB: SocketAddr = SocketAddr::new(NEAR, 7001);
/// The listener for both families.
const DUAL: u16 = 7002;
/// The listener of the far end.
const ELSEWHERE: u16 = 7003;
/// What `listen(2)` is asked for, and what `net.core.somaxconn` leaves of it.
const BACKLOG: i32 = 100;
const SOMAXCONN: u32 = 9;

/// A row that the listing must have.
struct Expected {
    key: Key,
    /// The inode `fstat(2)` tells and the descriptor in this process; `None`: the socket has no
    /// file, for this reason.
    held: Result<(u64, u32), &'static str>,
    /// Bytes to read and to send, where the workload fixes them.
    queues: Option<(u32, u32)>,
    /// The word for its timer, where the workload fixes it.
    timer: Option<&'static str>,
}

/// Sockets in every state at the near end of a wire.
pub(crate) struct Workload {
    pub(crate) link: Link,
    rows: Vec<Expected>,
    /// What keeps them as they are.
    kept: Vec<Socket>,
    web: Socket,
    dual: Socket,
    elsewhere: Socket,
}

impl Workload {
    pub(crate) fn new() -> Self {
        let link = Link::new();
        link.near.set_sysctl("net.core.somaxconn", &SOMAXCONN.to_string());
        let web = link.near.run(|| listener(WEB, BACKLOG));
        let dual = link.near.run(|| listener(at(Ipv6Addr::UNSPECIFIED.into(), DUAL), BACKLOG));
        let elsewhere = link.far.run(|| listener(at(far(0), ELSEWHERE), BACKLOG));
        let mut workload = Self { link, rows: vec![], kept: vec![], web, dual, elsewhere };
        workload.open();
        workload.opening();
        workload.closing_by_the_book();
        workload.closing_without_answer();
        workload.datagrams();
        // Last: an un-accepted connection would be given to the next `accept(2)`.
        workload.not_accepted();
        workload
    }

    fn open(&mut self) {
        for listener in [&self.web, &self.dual] {
            let key = key("tcp", "LISTEN", local(listener), None);
            let held = Ok((inode(listener), descriptor(listener)));
            self.rows.push(Expected { key, held, queues: None, timer: None });
        }
        let Pair { near, mut far } = self.accepted(far_address(0), &self.web);
        far.write_all(b"hello").unwrap();
        self.kept.push(far);
        self.held("ESTABLISHED", near).queues = Some((5, 0));

        for pair in [
            self.accepted(FAR6, &self.dual),
            // An IPv4 connection to an IPv6 socket: both ends are v4-mapped.
            self.accepted(far_address(0), &self.dual),
        ] {
            self.kept.push(pair.far);
            self.held("ESTABLISHED", pair.near).queues = Some((0, 0));
        }

        let near = self.link.near.run(|| connect(NEAR, at(far_address(0), ELSEWHERE)));
        near.set_keepalive(true).unwrap();
        self.kept.push(self.elsewhere.accept().unwrap().0);
        self.held("ESTABLISHED", near).timer = Some("keepalive");

        let mut near = self.cut_off(1);
        near.write_all(b"nobody").unwrap();
        let row = self.held("ESTABLISHED", near);
        (row.queues, row.timer) = (Some((0, 6)), Some("retransmit"));
        // In no listing: bound, and neither listening nor connected.
        let near = self.link.near.run(|| bound(at(NEAR, 7999)));
        self.kept.push(near);
    }

    fn opening(&mut self) {
        self.link.lose_packets_to(NOBODY);
        let near = self.link.near.run(|| begin_connect(NEAR, at(NOBODY, 9)));
        let local = local(&near);
        let row = self.held_between("SYN_SENT", local, Some(at(NOBODY, 9)), near);
        (row.queues, row.timer) = (Some((0, 1)), Some("retransmit"));
        // The answers to these SYNs are lost.
        for (number, listener) in [(2, WEB), (3, at(NEAR, DUAL))] {
            let from = far_address(number);
            self.link.lose_packets_to(from);
            let far = self.link.far.run(|| begin_connect(from, listener));
            let mapped = listener.port() == DUAL;
            let ends = [listener, self::local(&far)].map(|e| if mapped { v4_mapped(e) } else { e });
            self.kept.push(far);
            let row = self.unheld("SYN_RCVD", ends[0], ends[1], "syn-received");
            row.timer = Some("retransmit");
        }
    }

    fn closing_by_the_book(&mut self) {
        let Pair { near, far } = self.accepted(far_address(0), &self.web);
        near.shutdown(Shutdown::Write).unwrap();
        self.kept.push(far);
        self.held("FIN_WAIT_2", near).queues = Some((0, 0));

        let Pair { near, far } = self.accepted(far_address(0), &self.web);
        let ends = (local(&near), peer(&near));
        drop(near);
        self.kept.push(far);
        self.unheld("FIN_WAIT_2", ends.0, ends.1, "time-wait").timer = Some("time-wait");

        let Pair { near, far } = self.accepted(far_address(0), &self.web);
        drop(far);
        // The FIN that the process has not read counts as a byte.
        self.held("CLOSE_WAIT", near).queues = Some((1, 0));

        for (from, listener) in
            [(far_address(0), &self.web), (FAR6, &self.dual), (far_address(0), &self.dual)]
        {
            let pair = self.accepted(from, listener);
            let ends = (local(&pair.near), peer(&pair.near));
            close_near_first(pair);
            let row = unheld("TIME_WAIT", ends.0, ends.1, "time-wait");
            self.rows.push(Expected { timer: Some("time-wait"), ..row });
        }
        let near = self.link.near.run(|| connect(NEAR, at(far_address(0), ELSEWHERE)));
        let far = self.elsewhere.accept().unwrap().0;
        let ends = (local(&near), peer(&near));
        close_near_first(Pair { near, far });
        self.unheld("TIME_WAIT", ends.0, ends.1, "time-wait").timer = Some("time-wait");
    }

    /// What this end sends is lost, its FIN too.
    fn closing_without_answer(&mut self) {
        for (number, orphan) in [(4, false), (5, true)] {
            let near = self.cut_off(number);
            self.close("FIN_WAIT_1", near, orphan).queues = Some((0, 1));
        }
        for (number, orphan) in [(6, false), (7, true)] {
            let Pair { near, far } = self.accepted(far_address(number), &self.web);
            drop(far);
            read_to_end(&near);
            self.link.lose_packets_to(far_address(number));
            self.close("LAST_ACK", near, orphan).queues = Some((0, 1));
        }
        for (number, orphan) in [(8, false), (9, true)] {
            let Pair { near, far } = self.accepted(far_address(number), &self.web);
            self.link.lose_packets_to(far_address(number));
            // Ours is lost, theirs arrives.
            self.close("CLOSING", near, orphan);
            drop(far);
        }
    }

    fn datagrams(&mut self) {
        let any: IpAddr = Ipv6Addr::UNSPECIFIED.into();
        for address in [at(NEAR, 5001), at(any, 5002), at(Ipv4Addr::UNSPECIFIED.into(), 5003)] {
            let near = self.link.near.run(|| udp(address));
            self.datagram("UNCONNECTED", address, None, near);
        }
        for (address, peer) in
            [(at(NEAR, 5004), at(far_address(0), 53)), (at(NEAR6, 5005), at(FAR6, 53))]
        {
            let near = self.link.near.run(|| udp(address));
            near.connect(&peer.into()).unwrap();
            self.datagram("ESTABLISHED", address, Some(peer), near);
        }
        let near = self.link.near.run(|| udp(at(NEAR, 5006)));
        near.bind_device(Some(INTERFACE.as_bytes())).unwrap();
        self.datagram("UNCONNECTED", at(NEAR, 5006), None, near);
    }

    fn not_accepted(&mut self) {
        let [first, second, third] =
            [(); 3].map(|()| self.link.far.run(|| connect(far_address(0), WEB)));
        let mut sends = &second;
        sends.write_all(b"GET /").unwrap();
        for (far, queues) in [(first, (0, 0)), (second, (5, 0))] {
            self.unheld("ESTABLISHED", WEB, local(&far), "not-accepted").queues = Some(queues);
            self.kept.push(far);
        }
        // It waits to be accepted, though its peer has already given up.
        let ends = (WEB, local(&third));
        drop(third);
        self.unheld("CLOSE_WAIT", ends.0, ends.1, "not-accepted").queues = Some((1, 0));
    }

    /// A connection from the far end to a listener here, accepted.
    fn accepted(&self, from: IpAddr, listener: &Socket) -> Pair {
        let port = local(listener).port();
        let to = if from.is_ipv6() { NEAR6 } else { NEAR };
        let far = self.link.far.run(|| connect(from, at(to, port)));
        let near = listener.accept().unwrap().0;
        near.set_read_timeout(Some(PATIENCE)).unwrap();
        Pair { near, far }
    }

    /// The near end of a connection whose far end no longer hears it.
    fn cut_off(&mut self, number: u8) -> Socket {
        let Pair { near, far } = self.accepted(far_address(number), &self.web);
        self.link.lose_packets_to(far_address(number));
        self.kept.push(far);
        near
    }

    /// Closes the sending half of this end, and for an orphan its descriptor.
    fn close(&mut self, state: &'static str, near: Socket, orphan: bool) -> &mut Expected {
        // Closing the descriptor sends the FIN too, but not surely now: see `settle`.
        near.shutdown(Shutdown::Write).unwrap();
        let row = if orphan {
            let ends = (local(&near), peer(&near));
            drop(near);
            self.unheld(state, ends.0, ends.1, "orphan")
        } else {
            self.held(state, near)
        };
        row.timer = Some("retransmit");
        row
    }

    fn held(&mut self, state: &'static str, near: Socket) -> &mut Expected {
        self.held_between(state, local(&near), Some(peer(&near)), near)
    }

    fn held_between(
        &mut self,
        state: &'static str,
        local: SocketAddr,
        peer: Option<SocketAddr>,
        near: Socket,
    ) -> &mut Expected {
        let key = key("tcp", state, local, peer);
        self.keep(key, near)
    }

    fn datagram(
        &mut self,
        state: &'static str,
        local: SocketAddr,
        peer: Option<SocketAddr>,
        near: Socket,
    ) {
        self.keep(key("udp", state, local, peer), near).queues = Some((0, 0));
    }

    fn keep(&mut self, key: Key, near: Socket) -> &mut Expected {
        let held = Ok((inode(&near), descriptor(&near)));
        self.kept.push(near);
        self.rows.push(Expected { key, held, queues: None, timer: None });
        self.rows.last_mut().unwrap()
    }

    fn unheld(
        &mut self,
        state: &'static str,
        local: SocketAddr,
        peer: SocketAddr,
        why: &'static str,
    ) -> &mut Expected {
        self.rows.push(unheld(state, local, peer, why));
        self.rows.last_mut().unwrap()
    }

    /// What a listing of everything must show, sorted.
    fn keys(&self) -> Vec<Key> {
        let mut keys: Vec<Key> = self.rows.iter().map(|row| row.key.clone()).collect();
        keys.sort();
        keys
    }

    /// What `ss` shows, sorted.
    fn ss(&self, switches: &[&str]) -> Vec<Key> {
        ss::rows(&self.link.near, switches).into_iter().map(|(key, _)| key).collect()
    }

    /// Waits until the kernel has moved the last segment and let go of the last closed file.
    ///
    /// A file that is closed here stays open while another test starts a program: until it
    /// executes, the child has every descriptor of this process.
    pub(crate) fn settle(&self) {
        let inode = |row: &Expected| row.held.ok().map(|(inode, _)| inode);
        let mut wanted: Vec<ss::Listed> =
            self.rows.iter().map(|row| (row.key.clone(), inode(row))).collect();
        wanted.sort();
        let mut seen = vec![];
        let settled = eventually(PATIENCE, || {
            seen = ss::rows(&self.link.near, &["-a"]);
            seen == wanted
        });
        let difference = |a: &[ss::Listed], b: &[ss::Listed]| -> Vec<ss::Listed> {
            a.iter().filter(|row| !b.contains(row)).cloned().collect()
        };
        assert!(
            settled,
            "missing: {:#?}\nbut ss shows: {:#?}",
            difference(&wanted, &seen),
            difference(&seen, &wanted)
        );
    }

    fn list(&self, arguments: &str) -> Document {
        sockeye(&self.link.near, arguments).document()
    }
}

fn far_address(number: u8) -> IpAddr {
    far(number)
}

fn key(protocol: &str, state: &str, local: SocketAddr, peer: Option<SocketAddr>) -> Key {
    let end = |address: SocketAddr| (address.ip(), address.port());
    let (protocol, state) = (protocol.to_owned(), state.to_owned());
    Key { protocol, state, local: end(local), peer: peer.map(end) }
}

fn unheld(state: &str, local: SocketAddr, peer: SocketAddr, why: &'static str) -> Expected {
    let key = key("tcp", state, local, Some(peer));
    Expected { key, held: Err(why), queues: None, timer: None }
}

fn v4_mapped(address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) => at(ip.to_ipv6_mapped().into(), address.port()),
        IpAddr::V6(_) => address,
    }
}

/// The near end closes, then the far end; when this returns the near end is in TIME_WAIT.
fn close_near_first(Pair { near, far }: Pair) {
    near.shutdown(Shutdown::Write).unwrap();
    read_to_end(&far);
    drop(far);
    read_to_end(&near);
}

#[test]
fn sockets_in_every_state_are_listed_exactly_by_both_sources() {
    if !require_live(&["ip", "ss"]) {
        return;
    }
    let workload = Workload::new();
    workload.settle();
    let states: BTreeSet<&str> = workload.rows.iter().map(|row| row.key.state.as_str()).collect();
    let known = "LISTEN SYN_SENT SYN_RCVD ESTABLISHED FIN_WAIT_1 FIN_WAIT_2 CLOSE_WAIT LAST_ACK \
                 CLOSING TIME_WAIT UNCONNECTED";
    assert_eq!(states, known.split(' ').collect());

    let netlink = workload.list("-tuap --json --source netlink");
    let proc = workload.list("-tuap --json --source proc");
    for (document, kind) in [(&netlink, "netlink"), (&proc, "proc")] {
        assert_eq!(document.keys(), workload.keys(), "{kind}");
        assert_eq!(
            (document.source.kind.as_str(), &document.source.fallback_reason),
            (kind, &None)
        );
        assert!(document.warnings.is_empty(), "{:?}", document.warnings);
        for expected in &workload.rows {
            check(expected, document.row(&expected.key));
        }
    }
    for expected in &workload.rows {
        agree(netlink.row(&expected.key), proc.row(&expected.key));
    }
    let cookies: BTreeSet<_> = netlink.sockets.iter().map(|row| row.cookie.unwrap()).collect();
    assert_eq!(cookies.len(), netlink.sockets.len(), "a cookie is an identity");

    let device = |document: &Document| {
        let at_device = |row: &&Row| row.local.port == 5006;
        document.sockets.iter().find(at_device).unwrap().local.interface.clone()
    };
    assert_eq!(device(&netlink).as_deref(), Some(INTERFACE));
    assert_eq!(device(&proc), None, "/proc does not tell");
}

/// What must hold whatever the source.
fn check(expected: &Expected, row: &Row) {
    match expected.held {
        Ok((inode, fd)) => {
            assert_eq!((row.inode, row.owner_unknown.as_deref()), (Some(inode), None), "{row:?}");
            // Contained, not equal: while another test starts a program, the child has every
            // descriptor of this process until it executes.
            let pid = std::process::id();
            let here = row.processes.iter().any(|holder| (holder.pid, holder.fd) == (pid, fd));
            assert!(here, "{row:?}");
            assert_eq!((row.uid, row.user.as_deref()), (Some(0), Some("root")), "{row:?}");
        }
        Err(why) => {
            assert_eq!((row.inode, row.owner_unknown.as_deref()), (None, Some(why)), "{row:?}");
            assert!(row.processes.is_empty(), "{row:?}");
        }
    }
    let is_mini = row.timer_kind() == Some("time-wait");
    let is_request = row.state == "SYN_RCVD";
    if is_mini || is_request {
        assert_eq!((row.uid, &row.user), (None, &None), "{row:?}");
    }
    let is_listener = row.state == "LISTEN";
    let bytes = (row.recv_queue_bytes, row.send_queue_bytes);
    if is_mini || is_request || is_listener {
        assert_eq!(bytes, (None, None), "{row:?}");
    } else {
        assert!(bytes.0.is_some() && bytes.1.is_some(), "{row:?}");
    }
    if let Some((recv, send)) = expected.queues {
        assert_eq!(bytes, (Some(recv), Some(send)), "{row:?}");
    }
    let waiting = is_listener.then_some(if row.local.port == WEB.port() { 3 } else { 0 });
    assert_eq!(row.accept_queue, waiting, "{row:?}");
    if let Some(kind) = expected.timer {
        assert_eq!(row.timer_kind(), Some(kind), "{row:?}");
    }
    assert_eq!(row.age_ms.is_some(), row.state == "TIME_WAIT", "{row:?}");
    assert_eq!(row.family, if row.local.address.is_ipv6() { "ipv6" } else { "ipv4" });
}

/// What both sources can tell is the same; what /proc cannot is null there.
fn agree(netlink: &Row, proc: &Row) {
    let told = |row: &Row| {
        (
            (row.recv_queue_bytes, row.send_queue_bytes, row.accept_queue),
            (row.inode, row.uid, row.user.clone()),
            (row.timer_kind().map(str::to_owned), row.owner_unknown.clone()),
            row.netns.clone(),
        )
    };
    assert_eq!(told(netlink), told(proc), "{netlink:?} {proc:?}");
    if let (Some(by_netlink), Some(by_proc)) = (&netlink.timer, &proc.timer)
        && by_netlink.kind != "retransmit"
    {
        // Counted in 1/100 s there, and asked a little later; a retransmission starts anew.
        let apart = by_netlink.expires_ms.abs_diff(by_proc.expires_ms);
        assert!(apart < 2000, "{netlink:?} {proc:?}");
    }
    let limit = (netlink.state == "LISTEN").then_some(SOMAXCONN);
    assert_eq!(netlink.accept_queue_limit, limit, "{netlink:?}");
    assert!(netlink.cookie.is_some() && netlink.netns.inode.is_some(), "{netlink:?}");
    assert_eq!((proc.cookie, proc.accept_queue_limit), (None, None), "{proc:?}");
    assert_eq!((proc.mark, &proc.cgroup), (None, &None), "{proc:?}");
}

#[test]
fn switches_select_what_they_select_in_ss() {
    if !require_live(&["ip", "ss"]) {
        return;
    }
    let workload = Workload::new();
    workload.settle();
    let near = &workload.link.near;
    for switches in ["-a", "-l", "", "-4a", "-6a", "-4", "-6l"] {
        let theirs: Vec<&str> = switches.split_whitespace().collect();
        let expected = workload.ss(&theirs);
        assert!(!expected.is_empty(), "{switches}");
        for source in ["netlink", "proc"] {
            let ours = format!("-tu {switches} --source {source}");
            assert_eq!(workload.list(&format!("{ours} --json")).keys(), expected, "{ours}");
            let count = sockeye(near, &format!("{ours} --count"));
            assert_eq!((count.stdout, count.code), (format!("{}\n", expected.len()), 0), "{ours}");
        }
    }
    for (switch, protocol) in [("-t", "tcp"), ("-u", "udp")] {
        let expected: Vec<Key> =
            workload.keys().into_iter().filter(|row| row.protocol == protocol).collect();
        assert_eq!(workload.list(&format!("{switch} -a --json")).keys(), expected);
    }
    // No protocol named is every protocol.
    assert_eq!(workload.list("-46a --json").keys(), workload.keys());

    let quiet = |arguments: &str| {
        let run = sockeye(near, arguments);
        assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", ""));
        run.code
    };
    assert_eq!(quiet("-tq"), 0);
    assert_eq!(quiet("-uq"), 0);
    assert_eq!(sockeye(&workload.link.far, "-uaq").code, 1, "the far end has no UDP socket");
}

#[test]
fn bound_inactive_sockets_are_listed_only_where_they_are_asked_for() {
    if !require_live(&["ip"]) {
        return;
    }
    let link = Link::new();
    let kept = link.near.run(|| [bound(at(NEAR, 7999)), bound(at(NEAR6, 7998)), tcp(NEAR)]);
    let mut expected = [&kept[0], &kept[1]].map(|s| key("tcp", "BOUND_INACTIVE", local(s), None));
    expected.sort();
    let list = |arguments: &str| sockeye(&link.near, arguments).document().keys();
    let found = list("-tB --json");
    if found.is_empty() {
        // The pseudo-state came with kernel 6.8.
        assert!(kernel_before(6, 8), "bound sockets are missing");
        return;
    }
    assert_eq!(found, expected);
    assert_eq!(list("-taB --json"), expected);
    assert_eq!(list("-ta --json"), []);
    assert_eq!(list("-tl --json"), []);
}

fn kernel_before(major: u32, minor: u32) -> bool {
    let names = nix::sys::utsname::uname().unwrap();
    let release = names.release().to_str().unwrap();
    let mut numbers = release.split(['.', '-']).map_while(|part| part.parse::<u32>().ok());
    (numbers.next().unwrap(), numbers.next().unwrap()) < (major, minor)
}

#[test]
fn the_age_of_a_time_wait_socket_is_the_time_since_it_was_closed() {
    if !require_live(&["ip"]) {
        return;
    }
    let link = Link::new();
    let server = link.near.run(|| listener(WEB, BACKLOG));
    let client = link.far.run(|| connect(far(0), WEB));
    let pair = Pair { near: server.accept().unwrap().0, far: client };
    let before = Instant::now();
    close_near_first(pair);
    let after = Instant::now();
    for source in ["netlink", "proc"] {
        // Twice, to see it grow; the second time after longer than the tolerance.
        for wait in [Duration::ZERO, Duration::from_millis(500)] {
            assert!(eventually(PATIENCE, || after.elapsed() >= wait));
            let least = after.elapsed();
            let run = sockeye(&link.near, &format!("-ta --json --source {source}"));
            let most = before.elapsed();
            let document = run.document();
            let row = document.sockets.iter().find(|row| row.state == "TIME_WAIT").unwrap();
            let age = Duration::from_millis(row.age_ms.unwrap().into());
            let slack = Duration::from_millis(200);
            let range = least.saturating_sub(slack)..=most + slack;
            assert!(range.contains(&age), "{source}: {age:?} is not in {range:?}");
        }
    }
}
