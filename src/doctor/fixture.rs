//! Hosts of three lines for the tests of rules: what is not said is as on an idle machine.

use super::{
    config::Config,
    evidence::Evidence,
    finding::{Finding, Severity},
    rounds::{Round, Rounds, Watch},
    rule::{Judgement, Rule},
};
use crate::model::{
    about::{About, Host, SourceKind},
    counters::{Counters, Sample},
    earlier::Earlier,
    endpoint::Endpoint,
    first_look::FirstLook,
    limits::{Limits, ProcessLimits},
    measures::Measures,
    memory::SocketMemory,
    netns::Netns,
    owner::{Owners, Process, Unowned},
    protocol::{Family, Protocol},
    queues::Queues,
    settings::Settings,
    snapshot::Snapshot,
    socket::Socket,
    socket_options::SocketOptions,
    state::State,
    tcp_info::{Place, TCP_FIELDS, TcpInfo},
    timer::{Timer, TimerKind},
};
use std::time::{Duration, SystemTime};

/// A host under construction.
pub(super) struct Machine {
    snapshot: Snapshot,
    /// Every socket of the last look, with what it was at the first.
    sockets: Vec<(Socket, Option<Earlier>)>,
    /// The first look. `None`: there was one.
    first: Option<Vec<Earlier>>,
    programs: Vec<(Process, Vec<(u64, u32)>)>,
    options: Vec<SocketOptions>,
    rounds: Rounds,
    next: u64,
}

/// The end in a text: `10.0.0.1:80`.
pub(super) fn end(text: &str) -> Endpoint {
    let at: std::net::SocketAddr = text.parse().unwrap();
    Endpoint::new(at.ip(), at.port())
}

/// A TCP socket with empty queues, without inode and cookie.
pub(super) fn socket(state: State, local: &str, remote: &str) -> Socket {
    let family = if local.starts_with('[') { Family::Ipv6 } else { Family::Ipv4 };
    Socket {
        local: end(local),
        remote: end(remote),
        queues: match state {
            State::TimeWait | State::SynRcvd => Queues::Absent,
            State::Listen => Queues::Listen { accept_queue: 0, limit: Some(4096) },
            _ => Queues::Data { recv: 0, send: 0 },
        },
        timer: (state == State::TimeWait).then_some(Timer {
            kind: TimerKind::TimeWait,
            expires_ms: 30_000,
            retransmits: 0,
        }),
        ..Socket::new(Protocol::Tcp, family, state)
    }
}

/// What can be said of a socket.
impl Socket {
    /// A UDP socket.
    pub(super) fn udp(mut self) -> Self {
        self.protocol = Protocol::Udp;
        self
    }

    /// Bytes waiting.
    pub(super) fn queued(mut self, recv: u32, send: u32) -> Self {
        self.queues = Queues::Data { recv, send };
        self
    }

    /// Connections waiting, and the backlog.
    pub(super) fn accepting(mut self, accept_queue: u32, limit: u32) -> Self {
        self.queues = Queues::Listen { accept_queue, limit: Some(limit) };
        self
    }

    /// A running timer.
    pub(super) fn timer(mut self, kind: TimerKind, expires_ms: u32, retransmits: u8) -> Self {
        self.timer = Some(Timer { kind, expires_ms, retransmits });
        self
    }

    /// Values of `tcp_info`, by column id; the others are 0.
    pub(super) fn info(mut self, values: &[(&str, u64)]) -> Self {
        let mut bytes = self.tcp_info.map_or_else(|| vec![0; 280], |info| info.bytes().to_vec());
        for (id, value) in values {
            let field = TCP_FIELDS.iter().find(|field| field.id == *id).expect("a column");
            let value = value.to_ne_bytes();
            match field.place {
                Place::U8(at) => bytes[at] = value[0],
                Place::U16(at) => bytes[at..at + 2].copy_from_slice(&value[..2]),
                Place::U32(at) => bytes[at..at + 4].copy_from_slice(&value[..4]),
                Place::U64(at) => bytes[at..at + 8].copy_from_slice(&value),
                other => panic!("{id}: {other:?}"),
            }
        }
        self.tcp_info = Some(Box::new(TcpInfo::from_kernel(&bytes)));
        self
    }

    /// Packets it dropped so far, and its buffers.
    pub(super) fn dropped(mut self, drops: u32) -> Self {
        let memory = self.memory.unwrap_or_default();
        self.memory = Some(SocketMemory { drops: Some(drops), ..memory });
        self
    }

    /// Its inode, which is its cookie as well.
    pub(super) fn owned(mut self, inode: u64) -> Self {
        (self.inode, self.cookie, self.uid) = (Some(inode), Some(inode), Some(0));
        self
    }
}

impl Machine {
    /// A machine on which nothing happens: usual settings, all counters at 0 twice.
    pub(super) fn idle() -> Self {
        let settings = [
            ("net.ipv4.ip_local_port_range", "32768\t60999"),
            ("net.ipv4.ip_local_reserved_ports", ""),
            ("net.ipv4.ip_unprivileged_port_start", "1024"),
            ("net.ipv4.tcp_tw_reuse", "2"),
            ("net.ipv4.tcp_tw_reuse_delay", "1000"),
            ("net.ipv4.tcp_timestamps", "1"),
            ("net.ipv4.tcp_max_tw_buckets", "131072"),
            ("net.ipv4.tcp_fin_timeout", "60"),
            ("net.ipv4.tcp_syncookies", "1"),
            ("net.ipv4.tcp_max_orphans", "131072"),
            ("net.ipv4.tcp_max_syn_backlog", "2048"),
            ("net.ipv4.tcp_mem", "287832\t383776\t575664"),
            ("net.ipv4.tcp_rfc1337", "0"),
            ("net.ipv4.tcp_abort_on_overflow", "0"),
            ("net.ipv4.tcp_keepalive_time", "7200"),
            ("net.ipv4.tcp_keepalive_intvl", "75"),
            ("net.ipv4.tcp_keepalive_probes", "9"),
            ("net.ipv4.tcp_retries2", "15"),
            ("net.ipv4.tcp_orphan_retries", "0"),
            ("net.core.somaxconn", "4096"),
            ("fs.file-nr", "1000\t0\t2000000"),
            ("fs.file-max", "2000000"),
        ];
        let text = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        let settings =
            Settings { values: settings.into_iter().map(text).collect(), ..Settings::default() };
        let sample = |at_ms| Sample { at_ms, counters: Counters::default() };
        Self {
            snapshot: Snapshot {
                about: About {
                    generated_at: SystemTime::UNIX_EPOCH,
                    host: Host { name: Some("test".into()), kernel: Some("6.18.44".into()) },
                    source: SourceKind::Netlink,
                    fallback_reason: None,
                    netns: Netns::default(),
                    gaps: vec![],
                },
                sockets: vec![],
                measures: Measures::default(),
                alive_before: vec![],
                before: None,
                owners: Owners::default(),
                settings,
                limits: Limits {
                    memory_available_bytes: Some(8 << 30),
                    memory_total_bytes: Some(16 << 30),
                    named_ports: Some(vec![]),
                    ..Limits::default()
                },
                samples: vec![sample(0), sample(500), sample(1000), sample(1500), sample(2000)],
            },
            sockets: vec![],
            first: Some(vec![]),
            programs: vec![],
            options: vec![],
            rounds: Rounds::default(),
            next: 1_000_000,
        }
    }

    /// A setting.
    pub(super) fn set(mut self, name: &str, value: &str) -> Self {
        self.snapshot.settings.values.insert(name.into(), value.into());
        self
    }

    /// A setting that cannot be read.
    pub(super) fn unset(mut self, name: &str) -> Self {
        self.snapshot.settings.values.remove(name);
        let why = format!("cannot open /proc/sys/{name}: ENOENT (No such file or directory)");
        self.snapshot.settings.missing.insert(name.into(), why);
        self
    }

    /// A counter that was at `total` and grew by so much, evenly over the four parts of the window
    /// (from four on; a smaller number in as many parts).
    pub(super) fn grew(self, name: &str, total: u64, by: u64) -> Self {
        self.at(name, [0, 1, 2, 3, 4].map(|part| total + (by * part).div_ceil(4)))
    }

    /// A counter that grew in one part of the window alone.
    pub(super) fn jumped(self, name: &str, total: u64, by: u64) -> Self {
        self.at(name, [total, total, total + by, total + by, total + by])
    }

    /// A gauge.
    pub(super) fn gauge(self, name: &str, value: u64) -> Self {
        self.at(name, [value; 5])
    }

    fn at(mut self, name: &str, values: [u64; 5]) -> Self {
        for (sample, value) in self.snapshot.samples.iter_mut().zip(values) {
            sample.counters.insert(name, value);
        }
        self
    }

    /// A socket at both looks, as it is now.
    pub(super) fn both(mut self, socket: Socket) -> Self {
        let socket = self.identified(socket);
        let earlier = self.looked_at(&socket);
        self.sockets.push((socket, Some(earlier)));
        self
    }

    /// A socket at both looks that was different at the first.
    pub(super) fn became(mut self, before: Socket, now: Socket) -> Self {
        let now = self.identified(now);
        let before = Socket { cookie: now.cookie, inode: now.inode, ..before };
        let earlier = self.looked_at(&before);
        self.sockets.push((now, Some(earlier)));
        self
    }

    /// A socket that is new at the last look.
    pub(super) fn newly(mut self, socket: Socket) -> Self {
        let socket = self.identified(socket);
        self.sockets.push((socket, None));
        self
    }

    /// A socket of the first look that is gone.
    pub(super) fn gone(mut self, socket: Socket) -> Self {
        let socket = self.identified(socket);
        self.looked_at(&socket);
        self
    }

    /// Many sockets at both looks, of the numbers from 0.
    pub(super) fn many(self, count: u16, socket: impl Fn(u16) -> Socket) -> Self {
        (0..count).fold(self, |machine, number| machine.both(socket(number)))
    }

    /// At the first look.
    fn looked_at(&mut self, socket: &Socket) -> Earlier {
        let earlier = Earlier::of(socket);
        self.first.get_or_insert_default().push(earlier);
        earlier
    }

    /// As if there had been no first look.
    pub(super) fn once(mut self) -> Self {
        self.first = None;
        self
    }

    fn identified(&mut self, mut socket: Socket) -> Socket {
        self.next += 1;
        socket.cookie.get_or_insert(self.next);
        socket
    }

    /// A process that holds these sockets, with the limit on descriptors and how many it has.
    pub(super) fn process(
        mut self,
        pid: u32,
        command: &str,
        inodes: impl IntoIterator<Item = u64>,
        (open, limit): (u32, u64),
    ) -> Self {
        let process = Process { pid, command: command.into(), ..Process::default() };
        self.programs.push((process, inodes.into_iter().zip(3..).collect()));
        self.snapshot.limits.processes.push(ProcessLimits {
            pid,
            parent: Some(1),
            command: command.into(),
            soft: Some(limit),
            hard: Some(limit),
            descriptors: Some(if open == 0 { vec![] } else { vec![(0, open - 1)] }),
            counted: None,
            exempt_from_file_max: Some(false),
            dead_sockets: None,
            cgroups: vec![],
        });
        self
    }

    /// Options that were read of a socket.
    pub(super) fn options(mut self, options: SocketOptions) -> Self {
        self.options.push(options);
        self
    }

    /// The rounds of a watch before this one, ten seconds from each to the next.
    pub(super) fn after(mut self, rounds: impl IntoIterator<Item = Self>) -> Self {
        for machine in rounds {
            let mut snapshot = machine.snapshot();
            snapshot.about.generated_at = self.snapshot.about.generated_at;
            self.rounds.add(Round::of(&Evidence::of(&snapshot, None)));
            self.snapshot.about.generated_at += Duration::from_secs(10);
        }
        self
    }

    /// Any other change.
    pub(super) fn with(mut self, change: impl FnOnce(&mut Snapshot)) -> Self {
        change(&mut self.snapshot);
        self
    }

    /// The snapshot.
    pub(super) fn snapshot(mut self) -> Snapshot {
        let mut owners = Owners::default();
        for (process, sockets) in std::mem::take(&mut self.programs) {
            owners.add(process, &sockets);
        }
        let Self { mut snapshot, sockets, first, .. } = self;
        snapshot.owners = owners.finished(Some(Unowned::Kernel));
        for (socket, earlier) in &sockets {
            let earlier = earlier.as_ref().filter(|_| first.is_some());
            snapshot.sockets.push(snapshot.measures.outline(socket, earlier));
        }
        snapshot.before = first.map(|first| first.iter().collect::<FirstLook>().summary());
        snapshot
    }

    /// What a rule says of it.
    pub(super) fn judged(self, rule: &'static Rule) -> Judgement {
        let (options, rounds) = (self.options.clone(), self.rounds.clone());
        let snapshot = self.snapshot();
        let evidence = Evidence::of(&snapshot, Some(&options));
        let watch = Watch { before: &rounds, now: &Round::of(&evidence) };
        rule.judge(&evidence, &Config::default(), Some(watch))
    }

    /// What a rule finds; panics where it could not be judged.
    pub(super) fn findings(self, rule: &'static Rule) -> Vec<Finding> {
        match self.judged(rule) {
            Judgement::Found(findings) => {
                for finding in &findings {
                    assert!(
                        !finding.seen.is_empty() && !finding.evidence.is_empty(),
                        "{finding:?}"
                    );
                    assert!(finding.title.len() <= 160, "{}", finding.title);
                }
                findings
            }
            Judgement::Skipped(reason) => panic!("{}: skipped: {reason}", rule.id),
        }
    }

    /// The severity of the only finding, or `None`.
    pub(super) fn severity(self, rule: &'static Rule) -> Option<Severity> {
        let findings = self.findings(rule);
        assert!(findings.len() <= 1, "{findings:?}");
        findings.first().map(|finding| finding.severity)
    }
}
