//! What to do, for this machine and these groups: what is set already is never advised, nor what
//! this kernel does not have; the program comes before its sockets, these before the kernel's
//! settings, these before more addresses.

use super::{
    destination::{REUSE_DELAY, reuse_after_ms},
    expected::release,
    groups::Group,
    key::Side,
    listeners::Listeners,
    programs::Program,
    verdict::{Verdict, Why},
};
use crate::{
    model::{ports::PortSet, settings::RESERVED_PORTS, snapshot::Snapshot},
    report::{
        remedy::{Avoid, Remedy, Tier},
        software::Software,
    },
};
use std::{collections::BTreeSet, net::IpAddr};

/// Groups that get a remedy of their own.
const GROUPS: usize = 3;
/// A listener with so many is worth a word, because people worry about it.
const WORTH_A_WORD: u32 = 1_000;
/// Orphan FIN_WAIT_2 worth a remedy.
const MANY_ORPHANS: u32 = 1_000;
/// The widest range that leaves the well-known service ports alone, of even size.
const WIDE: std::ops::RangeInclusive<u16> = 15_000..=64_999;
/// The kernel's table is 256 bytes an entry, and only for those that exist.
const TABLE: u64 = 262_144;
/// Where a setting of the network namespace is set for good.
const NETNS: &str = "this network namespace, until it ends. For good: /etc/sysctl.d on a host, \
                     `docker run --sysctl`, securityContext.sysctls of a pod";

/// What the advice is about.
pub struct Situation<'a> {
    /// Where it was seen.
    pub snapshot: &'a Snapshot,
    /// What listens there.
    pub listeners: &'a Listeners,
    /// All groups, the most harmful first.
    pub groups: &'a [Group],
    /// Orphan FIN_WAIT_2.
    pub orphans: u32,
    /// Sockets in TIME_WAIT.
    pub total: u32,
    /// What the rate leaves behind.
    pub expected: Option<u32>,
    /// What is wrong beyond the groups.
    pub reasons: &'a [Why],
}

/// The groups, by their places, whose owners the advice asks about.
pub fn concerned(groups: &[Group]) -> impl Iterator<Item = usize> {
    let places = || groups.iter().enumerate();
    let clients = places().filter(|(_, g)| g.side == Side::Client && calls_for_action(g));
    let server = places().filter(|(_, g)| is_busy_server(g)).take(1);
    clients.take(GROUPS).chain(server).map(|(place, _)| place)
}

/// The remedies in the order to try them.
pub fn remedies(situation: &Situation<'_>) -> Vec<Remedy> {
    let mut remedies = vec![];
    let clients: Vec<&Group> = situation
        .groups
        .iter()
        .filter(|g| g.side == Side::Client && calls_for_action(g))
        .take(GROUPS)
        .collect();
    for group in &clients {
        remedies.extend(reuse_connections(group));
    }
    remedies.extend(situation.groups.iter().filter(|g| is_busy_server(g)).take(1).map(keep_alive));
    if situation.orphans >= MANY_ORPHANS {
        remedies.push(peers_that_do_not_close());
    }
    let pressed: Vec<&Group> =
        clients.iter().copied().filter(|g| g.verdict >= Verdict::Watch).collect();
    remedies.extend(bind_without_port(&pressed));
    remedies.extend(range_of_its_own(situation, &pressed));
    remedies.extend(recycle_off(situation));
    remedies.extend(reuse(situation, &pressed));
    remedies.extend(reuse_sooner(situation, &pressed));
    remedies.extend(wider_range(situation, &pressed));
    remedies.extend(fin_timeout(situation));
    remedies.extend(table(situation));
    remedies.extend(collisions(situation));
    remedies.extend(more_destinations(&pressed));
    let mut said = BTreeSet::new();
    remedies.retain(|remedy| said.insert((remedy.text.clone(), remedy.command.clone())));
    remedies.sort_by_key(|remedy| remedy.tier);
    remedies
}

fn calls_for_action(group: &Group) -> bool {
    group.verdict >= Verdict::Watch || group.reason == Why::ShortLived
}

fn is_busy_server(group: &Group) -> bool {
    group.side == Side::Server && group.count >= WORTH_A_WORD
}

/// `10.0.0.7:8080`, brackets about IPv6.
fn destination(group: &Group) -> String {
    let port = group.peer_port.unwrap_or(0);
    match group.peer_address {
        Some(IpAddr::V6(address)) => format!("[{address}]:{port}"),
        Some(IpAddr::V4(address)) => format!("{address}:{port}"),
        None => "its peers".to_owned(),
    }
}

/// The program that closes should keep its connections.
fn reuse_connections(group: &Group) -> Vec<Remedy> {
    let to = destination(group);
    let mut known: Vec<&Program> =
        group.owners.iter().filter_map(|o| Program::of_command(&o.command.0)).collect();
    known.dedup();
    known.truncate(2);
    if let Some(service) = group.peer_port.and_then(Program::of_service) {
        known.push(service);
    }
    if known.is_empty() {
        return vec![Remedy {
            tier: Tier::Application,
            text: format!(
                "Let the program that connects to {to} keep its connections and use them again \
                 (keep-alive, a pool, several requests on one connection), or let the other side \
                 close first: then TIME_WAIT is over there, where it holds no port"
            ),
            command: None,
            scope: "the program and its configuration".into(),
            risk: String::new(),
        }];
    }
    let place = |text: &str| match (group.peer_address, group.peer_port) {
        (Some(_), Some(port)) => text
            .replace("ADDR:PORT", &to)
            .replace("ADDR", to.rsplit_once(':').map_or(to.as_str(), |(address, _)| address))
            .replace("PORT", &port.to_string()),
        _ => text.to_owned(),
    };
    known
        .into_iter()
        .map(|program| Remedy {
            tier: Tier::Application,
            text: format!("{}: {} (connections to {to})", program.software.name(), program.text),
            command: Some(place(program.paste)),
            scope: format!("{} and its configuration", program.software.name()),
            risk: program.risk.into(),
        })
        .collect()
}

/// A server may keep connections longer; it need not.
fn keep_alive(group: &Group) -> Remedy {
    let is_nginx =
        group.owners.iter().any(|o| Software::of_command(&o.command.0) == Some(Software::Nginx));
    Remedy {
        tier: Tier::Application,
        text: format!(
            "Nothing has to be done about port {}. To have fewer all the same, keep connections \
             open longer, so that clients use them again or close first",
            group.local_port.unwrap_or(0)
        ),
        command: is_nginx.then(|| "keepalive_timeout 75s;\nkeepalive_requests 1000;".to_owned()),
        scope: "the server and its configuration".into(),
        risk: "Idle connections hold a descriptor and some memory each".into(),
    }
}

fn peers_that_do_not_close() -> Remedy {
    Remedy {
        tier: Tier::Application,
        text: "Orphan FIN_WAIT_2: this side has closed, the peers have not. Look for CLOSE_WAIT \
               there: a program that does not close what it has read to the end"
            .into(),
        command: Some("sockeye -tanp --group-by state".into()),
        scope: "the programs at the other end".into(),
        risk: String::new(),
    }
}

/// A client that names its address should not name its port.
fn bind_without_port(pressed: &[&Group]) -> Option<Remedy> {
    let binds = |group: &&Group| {
        group.binds_first() || group.ports_kept_by_others.is_some_and(|kept| kept > 0)
    };
    pressed.iter().copied().find(binds)?;
    Some(Remedy {
        tier: Tier::Socket,
        text:
            "Some client seems to bind its source address before it connects: bind(2) then takes \
               a port for all destinations, and keeps it from everybody's connect(2). Let \
               connect(2) choose the port"
                .into(),
        command: Some(
            "int on = 1;   /* IP_BIND_ADDRESS_NO_PORT is 24 */\n\
             setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);\n\
             bind(fd, ...);   /* the address, port 0 */\nconnect(fd, ...);"
                .into(),
        ),
        scope: "each socket of that program".into(),
        risk: "getsockname(2) shows port 0 until connect(2)".into(),
    })
}

/// A socket with a range of its own searches it in one pass (kernel 6.8).
fn range_of_its_own(situation: &Situation<'_>, pressed: &[&Group]) -> Option<Remedy> {
    pressed.iter().find(|g| g.ports.as_ref().is_some_and(|p| p.taken_part() >= 0.5))?;
    let kernel = release(situation.snapshot.about.host.kernel.as_deref()?)?;
    let range = situation.snapshot.settings.port_range()?;
    (kernel >= (6, 8)).then(|| Remedy {
        tier: Tier::Socket,
        text: "More than half of the ports are taken, so connect(2) searches every other port in \
               vain before it tries the rest. With a range of its own a socket is found a port in \
               one pass"
            .into(),
        command: Some(format!(
            "/* IP_LOCAL_PORT_RANGE is 51; the last port, then the first */\n\
             uint32_t range = {}u << 16 | {}u;\n\
             setsockopt(fd, IPPROTO_IP, IP_LOCAL_PORT_RANGE,\n           &range, sizeof range);",
            range.end(),
            range.start()
        )),
        scope: "each socket of that program".into(),
        risk: "It makes connect(2) faster, not the ports more".into(),
    })
}

fn recycle_off(situation: &Situation<'_>) -> Option<Remedy> {
    let on = situation.snapshot.settings.number("net.ipv4.tcp_tw_recycle")? != 0;
    on.then(|| {
        sysctl(
            "Turn tcp_tw_recycle off: it silently drops connections of clients behind NAT",
            "sysctl -w net.ipv4.tcp_tw_recycle=0",
            "",
        )
    })
}

/// Whether `tcp_tw_reuse` can help: it frees neither ports of open connections nor those that were
/// bound before they were connected.
fn can_be_taken_over(group: &Group) -> bool {
    group.reason != Why::PortsHeldOpen && !group.binds_first()
}

/// Outgoing connections may take a TIME_WAIT over.
fn reuse(situation: &Situation<'_>, pressed: &[&Group]) -> Vec<Remedy> {
    let settings = &situation.snapshot.settings;
    let blocked = |group: &&Group| {
        let peer = group.peer_address?;
        (can_be_taken_over(group) && reuse_after_ms(settings, group.local_address, peer).is_none())
            .then(|| destination(group))
    };
    let destinations: Vec<String> = pressed.iter().filter_map(blocked).collect();
    let (Some(now), false) = (settings.number("net.ipv4.tcp_tw_reuse"), destinations.is_empty())
    else {
        return vec![];
    };
    let mut remedies = vec![];
    if settings.number("net.ipv4.tcp_timestamps") == Some(0) {
        remedies.push(sysctl(
            "Turn TCP timestamps on, here and at the peer: without them no TIME_WAIT is taken over",
            "sysctl -w net.ipv4.tcp_timestamps=1",
            "12 bytes in each segment; connections that are open do not get them",
        ));
    }
    if now != 1 {
        let mut remedy = sysctl(
            "",
            "sysctl -w net.ipv4.tcp_tw_reuse=1",
            "Wants TCP timestamps at both ends; a late segment of the old connection is told from \
             the new one by its timestamp alone",
        );
        remedy.text = format!(
            "As a stop-gap let connect(2) take over ports that are in TIME_WAIT for longer than a \
             second (towards {}). It is {now} now{}. It does nothing for listeners, for FIN_WAIT_2 \
             and for sockets that were bound first",
            destinations.join(", "),
            if now == 2 { ": for addresses 127/8 and ::1 only" } else { "" }
        );
        remedies.push(remedy);
    }
    remedies
}

/// The delay before that, where this kernel has it.
fn reuse_sooner(situation: &Situation<'_>, pressed: &[&Group]) -> Option<Remedy> {
    let settings = &situation.snapshot.settings;
    let now = settings.number(REUSE_DELAY)?;
    let is_late = |group: &&Group| {
        let peer = group.peer_address.filter(|_| can_be_taken_over(group))?;
        reuse_after_ms(settings, group.local_address, peer)
    };
    pressed.iter().find_map(is_late)?;
    (now > 100).then(|| {
        sysctl(
            "TIME_WAIT is taken over already, but only after a delay that this rate outruns: \
             shorten it",
            "sysctl -w net.ipv4.tcp_tw_reuse_delay=100",
            "Less time for late segments of the old connection; keep it above the round-trip time",
        )
    })
}

/// More ports, without those of services.
fn wider_range(situation: &Situation<'_>, pressed: &[&Group]) -> Option<Remedy> {
    pressed.first()?;
    let settings = &situation.snapshot.settings;
    let range = settings.port_range()?;
    let size = |range: &std::ops::RangeInclusive<u16>| range.end().saturating_sub(*range.start());
    let unprivileged = settings.number("net.ipv4.ip_unprivileged_port_start").unwrap_or(1024);
    // A quarter more is worth the change.
    if u32::from(size(&range)) * 5 / 4 >= u32::from(size(&WIDE))
        || u64::from(*WIDE.start()) < unprivileged
    {
        return None;
    }
    let mut command =
        format!("sysctl -w net.ipv4.ip_local_port_range=\"{} {}\"", WIDE.start(), WIDE.end());
    let reserved = settings.reserved_ports().unwrap_or_else(PortSet::empty);
    let is_in_the_way = |port: &u16| WIDE.contains(port) && !reserved.contains(*port);
    let listening: BTreeSet<u16> = situation.listeners.ports().filter(is_in_the_way).collect();
    if !listening.is_empty() {
        let known = settings.text(RESERVED_PORTS).unwrap_or_default().trim().to_owned();
        let ports: Vec<String> = listening.iter().map(u16::to_string).collect();
        let all = [known, ports.join(",")].into_iter().filter(|p| !p.is_empty());
        // Reserved first, so that no connection takes the port of a service in between.
        command = format!(
            "sysctl -w net.ipv4.ip_local_reserved_ports={}\n{command}",
            all.collect::<Vec<_>>().join(",")
        );
    }
    let mut remedy = sysctl(
        "",
        &command,
        "A service that starts later on a port of the range may find it taken: reserve its port in \
         net.ipv4.ip_local_reserved_ports",
    );
    remedy.text = format!("Widen the range of local ports: {}-{} now", range.start(), range.end());
    Some(remedy)
}

/// The right use of a setting that is mostly used wrongly.
fn fin_timeout(situation: &Situation<'_>) -> Option<Remedy> {
    let now = situation.snapshot.settings.number("net.ipv4.tcp_fin_timeout")?;
    (situation.orphans >= MANY_ORPHANS && now > 30).then(|| {
        let mut remedy = sysctl(
            "",
            "sysctl -w net.ipv4.tcp_fin_timeout=20",
            "A peer that needs longer to send its last data gets a RST instead of an answer",
        );
        remedy.text = format!(
            "Let orphan FIN_WAIT_2 end sooner than after {now} s. (For TIME_WAIT this setting does \
             nothing)"
        );
        remedy
    })
}

/// Room in the kernel's table.
fn table(situation: &Situation<'_>) -> Option<Remedy> {
    let full = [Why::TableOverflow, Why::TableNearlyFull];
    situation.reasons.iter().find(|why| full.contains(why))?;
    let now = situation.snapshot.settings.number("net.ipv4.tcp_max_tw_buckets")?;
    let wanted = TABLE.max(u64::from(situation.expected.unwrap_or(0)) * 2);
    (now < wanted).then(|| {
        let mut remedy = sysctl(
            "",
            &format!("sysctl -w net.ipv4.tcp_max_tw_buckets={wanted}"),
            "256 bytes of kernel memory for each that exists",
        );
        remedy.text = format!(
            "Raise the number of TIME_WAIT the kernel keeps, {now} now: beyond it a close skips \
             TIME_WAIT, and late segments meet no socket"
        );
        remedy
    })
}

fn collisions(situation: &Situation<'_>) -> Option<Remedy> {
    situation.reasons.iter().find(|why| **why == Why::Collisions)?;
    Some(Remedy {
        tier: Tier::Sysctl,
        text: "Clients reuse their ports sooner than 60 s, and their SYNs are not newer than what \
               is remembered. Turn timestamps on at the clients, and give a NAT or load balancer \
               more source addresses"
            .into(),
        command: Some("sysctl -w net.ipv4.tcp_timestamps=1     # on the clients".into()),
        scope: "the clients' network namespaces".into(),
        risk: String::new(),
    })
}

/// A second destination has ports of its own.
fn more_destinations(pressed: &[&Group]) -> Option<Remedy> {
    let group = pressed.first()?;
    let usable = group.ports_usable?;
    let to = destination(group);
    let here = group.peer_address.is_some_and(|peer| peer.is_loopback());
    let socket = if here {
        ". On one machine a Unix socket needs no port at all"
    } else {
        ". The same holds for each further source address, bound with IP_BIND_ADDRESS_NO_PORT"
    };
    Some(Remedy {
        tier: Tier::Capacity,
        text: format!(
            "Offer what is at {to} on a second port or address as well: each pair of addresses \
             and destination port has {usable} ports of its own{socket}"
        ),
        command: None,
        scope: "the service and its clients' configuration".into(),
        risk: String::new(),
    })
}

fn sysctl(text: &str, command: &str, risk: &str) -> Remedy {
    Remedy {
        tier: Tier::Sysctl,
        text: text.into(),
        command: Some(command.into()),
        scope: NETNS.into(),
        risk: risk.into(),
    }
}

/// What not to do, and why; nothing where nobody would be tempted.
pub fn avoid(situation: &Situation<'_>) -> Vec<Avoid> {
    let harms = situation.reasons.iter().any(|why| why.verdict() > Verdict::Harmless);
    if !harms && situation.total < WORTH_A_WORD {
        return vec![];
    }
    let settings = &situation.snapshot.settings;
    let mut avoid = vec![];
    let mut not = |action, reason: &str| avoid.push(Avoid { action, reason: reason.to_owned() });
    if situation.groups.iter().all(|group| group.side == Side::Server) {
        not(
            "tcp_tw_reuse for a server",
            "it concerns connect(2) only; an incoming SYN is accepted out of TIME_WAIT anyway",
        );
    }
    if settings.text("net.ipv4.tcp_tw_recycle").is_some() {
        not("tcp_tw_recycle", "it drops connections of clients behind NAT, and is gone since 4.12");
    } else {
        not(
            "tcp_tw_recycle",
            "this kernel has no such setting: it is gone since 4.12, having dropped connections of clients behind NAT",
        );
    }
    not(
        "tcp_fin_timeout",
        "it bounds FIN_WAIT_2 of closed sockets; TIME_WAIT is 60 s, compiled into the kernel",
    );
    not(
        "lowering tcp_max_tw_buckets",
        "closes beyond it skip TIME_WAIT, which is there so that a lost last ACK and late segments \
         do no damage",
    );
    not("SO_LINGER with 0 seconds", "close(2) then sends a RST and throws away unsent data");
    not(
        "SO_REUSEADDR with bind(2) to port 0",
        "it gives no port more; IP_BIND_ADDRESS_NO_PORT does",
    );
    avoid
}
