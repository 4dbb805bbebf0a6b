//! A recording that can be shown to strangers: the same structure under other names.
//!
//! Ports, states, counts, numbers of users, processes and inodes, settings and times stay: the
//! reports need them. Equal addresses and names stay equal, others stay different, within one
//! recording; two recordings are masked independently.

use crate::model::{
    family::FamilyFacts,
    gap::Gap,
    name::Name,
    recording::Recording,
    socket::{Congestion, Socket},
};
use std::{
    collections::{HashMap, HashSet},
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

/// Masks addresses and names: those of all recordings alike, as they are of one machine.
pub fn redact(recordings: Vec<Recording>) -> Vec<Recording> {
    let mut addresses = Addresses::of(recordings.iter().flat_map(|r| &r.sockets));
    let mut names = Names::default();
    let masked = |recording| masked(recording, &mut addresses, &mut names);
    let mut recordings: Vec<Recording> = recordings.into_iter().map(masked).collect();
    if let Some(first) = recordings.first_mut().filter(|_| addresses.merged > 0) {
        first.snapshot.about.gaps.push(Gap::new(
            "addresses-merged",
            format!("{} addresses share a masked one: there were too many", addresses.merged),
            "",
        ));
    }
    recordings
}

fn masked(mut recording: Recording, addresses: &mut Addresses, names: &mut Names) -> Recording {
    for socket in &mut recording.sockets {
        socket.local.address = addresses.masked(socket.local.address);
        socket.remote.address = addresses.masked(socket.remote.address);
        // A module can carry any name.
        if let Some(congestion) = &mut socket.congestion
            && !is_known_congestion(congestion)
        {
            *congestion = Congestion::from_kernel(b"other");
        }
        if let Some(facts) = socket.family_facts.as_deref_mut() {
            redact_facts(facts, addresses, names);
        }
        if let Some(details) = &mut socket.details {
            // Whose meaning is a program's can say anything.
            details.storages = None;
            for peer in details.md5.iter_mut().flatten() {
                peer.address = addresses.masked(peer.address);
            }
        }
    }
    for name in recording.names.users.values_mut() {
        *name = names.masked("user", name);
    }
    for name in recording.names.interfaces.values_mut().filter(|name| *name != "lo") {
        *name = names.masked("interface", name);
    }
    for path in recording.names.cgroups.values_mut() {
        *path = names.path(path);
    }
    let about = &mut recording.snapshot.about;
    about.host.name = about.host.name.take().map(|name| names.masked("host", &name));
    about.netns.name = about.netns.name.take().map(|name| names.masked("netns", &name));
    let mut owners = crate::model::owner::Owners::default();
    for (process, sockets) in recording.snapshot.owners.holdings() {
        let mut process = process.clone();
        process.command = names.masked_bytes("process", &process.command);
        process.unit = process.unit.map(|unit| names.component(&unit));
        process.container = process.container.map(|name| names.masked("container", &name));
        process.pod = process.pod.map(|name| names.masked("pod", &name));
        process.cgroup = process.cgroup.map(|path| names.path(&path));
        owners.add(process, &sockets);
    }
    recording.snapshot.owners = owners.finished(recording.snapshot.owners.unmatched());
    let about = &mut recording.snapshot.about;
    about.fallback_reason = about.fallback_reason.take().map(|text| names.sentence(&text));
    for gap in &mut about.gaps {
        gap.message = names.sentence(&gap.message);
        gap.hint = names.sentence(&gap.hint);
    }
    for why in recording.snapshot.settings.missing.values_mut() {
        *why = names.sentence(why);
    }
    let limits = &mut recording.snapshot.limits;
    for process in &mut limits.processes {
        process.command = names.masked_bytes("process", &process.command);
        for key in &mut process.cgroups {
            *key = names.keyed_path(key);
        }
    }
    for cgroup in &mut limits.cgroups {
        cgroup.path = names.path(&cgroup.path);
        // `/sys/fs/cgroup/PATH/memory.max`.
        cgroup.file = names.file(&cgroup.file);
    }
    let missing = std::mem::take(&mut limits.missing);
    limits.missing = missing
        .into_iter()
        .map(|(what, why)| (names.sentence(&what), names.sentence(&why)))
        .collect();
    recording.redacted = true;
    recording
}

/// Masks the addresses and names that only a family has.
fn redact_facts(facts: &mut FamilyFacts, addresses: &mut Addresses, names: &mut Names) {
    match facts {
        FamilyFacts::Unix(unix) => {
            for Name(name) in [&mut unix.path, &mut unix.peer_path].into_iter().flatten() {
                *name = match name.split_first() {
                    // The kernel's own choice says nothing.
                    Some((0, rest)) if is_autobind(rest) => continue,
                    // Equal names stay equal, and a path a path.
                    Some((0, rest)) => [&b"\0"[..], &names.masked_bytes("abstract", rest)].concat(),
                    _ => [&b"/"[..], &names.masked_bytes("path", name)].concat(),
                };
            }
        }
        FamilyFacts::Packet(packet) => {
            // A program tests for addresses and ports.
            packet.filter = None;
            packet.memberships.iter_mut().for_each(|membership| membership.address.clear());
        }
        FamilyFacts::Mptcp(mptcp) => {
            for subflow in mptcp.subflows.iter_mut().flatten() {
                subflow.local.address = addresses.masked(subflow.local.address);
                subflow.peer.address = addresses.masked(subflow.peer.address);
            }
        }
        FamilyFacts::Sctp(sctp) => {
            for address in sctp.locals.iter_mut().chain(&mut sctp.peers) {
                *address = addresses.masked(*address);
            }
            // The struct has the primary address of the peer in it.
            sctp.info = None;
        }
        FamilyFacts::Netlink(netlink) => {
            (netlink.kernel_address, netlink.callback) = (None, None);
        }
        FamilyFacts::Vsock(_) | FamilyFacts::Xdp(_) | FamilyFacts::Tipc(_) => {}
    }
}

/// Five hexadecimal digits: an abstract name that the kernel chose.
fn is_autobind(rest: &[u8]) -> bool {
    rest.len() == 5 && rest.iter().all(u8::is_ascii_hexdigit)
}

fn is_known_congestion(congestion: &Congestion) -> bool {
    const KNOWN: [&[u8]; 15] = [
        b"bbr",
        b"bic",
        b"cdg",
        b"cubic",
        b"dctcp",
        b"highspeed",
        b"htcp",
        b"hybla",
        b"illinois",
        b"lp",
        b"nv",
        b"reno",
        b"vegas",
        b"veno",
        b"westwood",
    ];
    KNOWN.contains(&congestion.name())
}

/// Where cgroups are mounted.
const CGROUPS: &str = "/sys/fs/cgroup/";

/// Names to masked names: `user-1`, numbered in the order in which they are met.
#[derive(Default)]
struct Names {
    masked: HashMap<(&'static str, Vec<u8>), String>,
    numbers: HashMap<&'static str, usize>,
    /// Every name that was masked, for sentences that repeat one.
    texts: HashMap<String, String>,
}

impl Names {
    fn masked(&mut self, kind: &'static str, name: &str) -> String {
        self.mask(kind, name.as_bytes(), "")
    }

    fn masked_bytes(&mut self, kind: &'static str, name: &[u8]) -> Vec<u8> {
        self.mask(kind, name, "").into_bytes()
    }

    fn mask(&mut self, kind: &'static str, name: &[u8], end: &str) -> String {
        if let Some(masked) = self.masked.get(&(kind, name.to_vec())) {
            return masked.clone();
        }
        let number = self.numbers.entry(kind).or_default();
        *number += 1;
        let masked = format!("{kind}-{number}{end}");
        self.masked.insert((kind, name.to_vec()), masked.clone());
        self.texts.insert(String::from_utf8_lossy(name).into_owned(), masked.clone());
        masked
    }

    /// One part of a cgroup path, or a unit; what it is stays to be seen by its ending.
    fn component(&mut self, name: &str) -> String {
        // What systemd and the container engines call the same on every machine.
        const EVERYWHERE: [&str; 10] = [
            "",
            "system.slice",
            "user.slice",
            "machine.slice",
            "init.scope",
            "app.slice",
            "session.slice",
            "kubepods.slice",
            "kubepods",
            "docker",
        ];
        if EVERYWHERE.contains(&name) {
            return name.to_owned();
        }
        for end in [".service", ".scope", ".slice", ".socket"] {
            if name.ends_with(end) {
                return self.mask("unit", name.as_bytes(), end);
            }
        }
        self.mask("cgroup", name.as_bytes(), "")
    }

    fn path(&mut self, path: &str) -> String {
        path.split('/').map(|part| self.component(part)).collect::<Vec<_>>().join("/")
    }

    /// `memory:/system.slice/nginx.service`.
    fn keyed_path(&mut self, key: &str) -> String {
        match key.split_once(':') {
            Some((resource, path)) => format!("{resource}:{}", self.path(path)),
            None => self.path(key),
        }
    }

    /// A file of the cgroup file system: where it is mounted and its own name stay.
    fn file(&mut self, file: &str) -> String {
        let Some(inner) = file.strip_prefix(CGROUPS) else { return "PATH".to_owned() };
        let (directory, name) = inner.rsplit_once('/').unwrap_or(("", inner));
        if directory.is_empty() {
            return file.to_owned();
        }
        // The hierarchy of cgroup v1 is the first part.
        let (first, rest) = directory.split_once('/').unwrap_or((directory, ""));
        match first {
            "memory" | "pids" | "unified" if rest.is_empty() => format!("{CGROUPS}{first}/{name}"),
            "memory" | "pids" | "unified" => format!("{CGROUPS}{first}/{}/{name}", self.path(rest)),
            _ => format!("{CGROUPS}{}/{name}", self.path(directory)),
        }
    }

    /// A message of ours that may quote a path, an address or a name.
    fn sentence(&mut self, text: &str) -> String {
        text.split(' ').map(|word| self.word(word)).collect::<Vec<_>>().join(" ")
    }

    fn word(&mut self, word: &str) -> String {
        let bare = word.trim_matches(|c: char| c.is_ascii_punctuation() && c != '/');
        let masked = if bare.is_empty() {
            return word.to_owned();
        } else if let Some(masked) = self.texts.get(bare) {
            masked.clone()
        } else if bare.starts_with(CGROUPS) {
            self.file(bare)
        } else if is_private_path(bare) {
            "PATH".to_owned()
        } else if bare.parse::<IpAddr>().is_ok() {
            "ADDRESS".to_owned()
        } else {
            return word.to_owned();
        };
        word.replace(bare, &masked)
    }
}

/// Whether it may tell something of the machine: those of the kernel's trees do not.
fn is_private_path(word: &str) -> bool {
    word.starts_with('/') && !word.starts_with("/proc/") && !word.starts_with("/sys/")
}

/// Networks of 256 IPv4 addresses.
const V4_HOSTS: u32 = 256;

/// Where the masked addresses of a class lie: those of its own kind, so that loopback stays
/// loopback and private stays private. `None`: the address says nothing and stays.
fn class4(address: Ipv4Addr) -> Option<(u32, u32)> {
    let [a, b, ..] = address.octets();
    // (first address, networks of 256)
    Some(match (a, b) {
        (127, _) => return None,
        _ if address.is_unspecified() || address.is_broadcast() => return None,
        (10, _) => (0x0a00_0000, 1 << 16),
        (100, 64..=127) => (0x6440_0000, 1 << 14),
        (169, 254) => (0xa9fe_0000, 1 << 8),
        (172, 16..=31) => (0xac10_0000, 1 << 12),
        (192, 168) => (0xc0a8_0000, 1 << 8),
        (224..=239, _) => (0xe000_0000, 1 << 20),
        // Public ones become addresses of class E, which nobody can have: pointing at somebody
        // else's would be worse than showing the true one.
        _ => (0xf000_0000, (1 << 20) - 1),
    })
}

/// An IPv6 address by class: the bits that stay, and how many of the first 64 are free below them.
enum Class6 {
    Stays,
    /// The last 32 bits are an IPv4 address (v4-mapped, NAT64).
    Embeds(Ipv4Addr),
    Network {
        base: u64,
        free_bits: u32,
    },
}

fn class6(address: Ipv6Addr) -> Class6 {
    let whole = u128::from(address);
    let network = u64::try_from(whole >> 64).unwrap_or(u64::MAX);
    let [a, b, c, d, ..] = address.octets();
    if address.is_unspecified() || address.is_loopback() {
        return Class6::Stays;
    }
    // RFC 4291 2.5.5.2 and RFC 6052: 64:ff9b::/96.
    if whole >> 32 == 0xffff || whole >> 32 == 0x0064_ff9b_u128 << 64 {
        let last = u32::try_from(whole & u128::from(u32::MAX)).unwrap_or(0);
        return Class6::Embeds(last.into());
    }
    match (a, b, c, d) {
        (0xff, ..) => Class6::Network { base: network & 0xffff_0000_0000_0000, free_bits: 0 },
        (0xfe, 0x80..=0xbf, ..) => Class6::Network { base: 0xfe80_0000_0000_0000, free_bits: 0 },
        (0xfc | 0xfd, ..) => Class6::Network { base: 0xfd00_0000_0000_0000, free_bits: 56 },
        // Everybody else becomes documentation (RFC 3849).
        _ => Class6::Network { base: 0x2001_0db8_0000_0000, free_bits: 32 },
    }
}

/// Addresses to masked addresses. Networks (/24, /64) are masked as a whole, so that neighbours
/// stay neighbours.
struct Addresses {
    /// Never given out, as far as there is room: a masked address is nobody's true one.
    originals: HashSet<IpAddr>,
    original_networks4: HashSet<u32>,
    original_networks6: HashSet<u64>,
    masked: HashMap<IpAddr, IpAddr>,
    networks4: HashMap<u32, u32>,
    networks6: HashMap<u64, u64>,
    /// The next network of a class, by its base, and the next host of a network.
    next_network: HashMap<u64, u64>,
    next_host: HashMap<u64, u64>,
    /// Addresses for which there was no room.
    merged: usize,
}

impl Addresses {
    fn of<'s>(sockets: impl Iterator<Item = &'s Socket>) -> Self {
        let ends = sockets.flat_map(|s| [s.local.address, s.remote.address]);
        let mut originals: HashSet<IpAddr> = ends.collect();
        let embedded: Vec<IpAddr> = originals
            .iter()
            .filter_map(|address| match address {
                IpAddr::V6(v6) => match class6(*v6) {
                    Class6::Embeds(v4) => Some(IpAddr::V4(v4)),
                    _ => None,
                },
                IpAddr::V4(_) => None,
            })
            .collect();
        originals.extend(embedded);
        let v4 = originals.iter().filter_map(|a| match a {
            IpAddr::V4(v4) => Some(u32::from(*v4) / V4_HOSTS),
            IpAddr::V6(_) => None,
        });
        let v6 = originals.iter().filter_map(|a| match a {
            IpAddr::V6(v6) => u64::try_from(u128::from(*v6) >> 64).ok(),
            IpAddr::V4(_) => None,
        });
        Self {
            original_networks4: v4.collect(),
            original_networks6: v6.collect(),
            originals,
            masked: HashMap::new(),
            networks4: HashMap::new(),
            networks6: HashMap::new(),
            next_network: HashMap::new(),
            next_host: HashMap::new(),
            merged: 0,
        }
    }

    fn masked(&mut self, address: IpAddr) -> IpAddr {
        if let Some(masked) = self.masked.get(&address) {
            return *masked;
        }
        let masked = match address {
            IpAddr::V4(v4) => self.v4(v4).into(),
            IpAddr::V6(v6) => self.v6(v6).into(),
        };
        self.masked.insert(address, masked);
        masked
    }

    fn v4(&mut self, address: Ipv4Addr) -> Ipv4Addr {
        let Some((base, networks)) = class4(address) else { return address };
        let original = u32::from(address) / V4_HOSTS;
        let network = if let Some(network) = self.networks4.get(&original) {
            *network
        } else {
            let taken = &self.original_networks4;
            let next = self.next_network.entry(base.into()).or_default();
            let of = |n: u64| base / V4_HOSTS + u32::try_from(n % u64::from(networks)).unwrap_or(0);
            // Past the true ones, once round at most; then they are all in use.
            let most = taken.len() as u64 * 2 + 1;
            let free =
                (*next..*next + most).find(|n| *n < networks.into() && !taken.contains(&of(*n)));
            let chosen = free.unwrap_or(*next);
            *next = chosen + 1;
            self.networks4.insert(original, of(chosen));
            of(chosen)
        };
        let of = |host: u64| {
            let host = u32::try_from(host % u64::from(V4_HOSTS)).unwrap_or(0);
            Ipv4Addr::from(network * V4_HOSTS + host)
        };
        let host = self.host(network.into(), |host| of(host).into(), V4_HOSTS.into());
        self.merged += usize::from(host > V4_HOSTS.into());
        of(host)
    }

    fn v6(&mut self, address: Ipv6Addr) -> Ipv6Addr {
        let whole = u128::from(address);
        let (base, free_bits) = match class6(address) {
            Class6::Stays => return address,
            Class6::Embeds(v4) => {
                let IpAddr::V4(v4) = self.masked(v4.into()) else { return address };
                return (whole >> 32 << 32 | u128::from(u32::from(v4))).into();
            }
            Class6::Network { base, free_bits } => (base, free_bits),
        };
        let original = u64::try_from(whole >> 64).unwrap_or(0);
        let network = if free_bits == 0 {
            base
        } else if let Some(network) = self.networks6.get(&original) {
            *network
        } else {
            let taken = &self.original_networks6;
            let next = self.next_network.entry(base).or_default();
            while taken.contains(&(base | *next)) {
                *next += 1;
            }
            let network = base | *next;
            *next += 1;
            self.networks6.insert(original, network);
            network
        };
        let of = |host: u64| Ipv6Addr::from(u128::from(network) << 64 | u128::from(host));
        of(self.host(network, |host| of(host).into(), u64::MAX))
    }

    /// The next host of a network, from 1 to `last`, whose address is nobody's true one; beyond
    /// `last` there was no room.
    fn host(&mut self, network: u64, address: impl Fn(u64) -> IpAddr, last: u64) -> u64 {
        let next = self.next_host.entry(network).or_insert(1);
        let mut host = *next;
        while host <= last && self.originals.contains(&address(host)) {
            host += 1;
        }
        *next = host.saturating_add(1);
        host
    }
}
