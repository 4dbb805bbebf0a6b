//! Names of users, interfaces and services. Looked up once each.

use super::proc::{process, root::Root};
use crate::model::{netns::NetnsIndex, protocol::Protocol, recording::RecordedNames};
use nix::{
    net::if_::{Interface, if_indextoname, if_nameindex, if_nametoindex},
    unistd::{Uid, User},
};
use std::{
    collections::{BTreeMap, HashMap},
    io::Read,
    path::Path,
};

/// Names by number, as this machine gives them.
#[derive(Debug, Default)]
pub struct Names {
    /// Whether the sockets are of another machine, whose names cannot be looked up here.
    foreign: bool,
    // Asked for every row and few: a tree of them is one node, cheaper than a hash.
    users: BTreeMap<u32, Option<String>>,
    interfaces: BTreeMap<(NetnsIndex, u32), Option<String>>,
    services: Option<HashMap<(Protocol, u16), String>>,
    processes: BTreeMap<u32, Option<Vec<u8>>>,
}

impl Names {
    /// For sockets told by this tree.
    pub fn new(root: &Root) -> Self {
        Self { foreign: !root.is_live(), ..Self::default() }
    }

    /// As another machine gave them: nothing is looked up here.
    pub fn recorded() -> Self {
        Self { foreign: true, ..Self::default() }
    }

    /// Adds those that were recorded in one of that machine's network namespaces.
    pub fn add_recorded(&mut self, netns: NetnsIndex, names: &RecordedNames) {
        let users = names.users.iter().map(|(uid, name)| (*uid, Some(name.clone())));
        let interfaces = names.interfaces.iter();
        let interfaces = interfaces.map(|(index, name)| ((netns, *index), Some(name.clone())));
        self.users.extend(users);
        self.interfaces.extend(interfaces);
    }

    /// Learns the name of a user, by NSS (`getpwuid_r`).
    pub fn learn_user(&mut self, uid: u32) {
        let foreign = self.foreign;
        self.users.entry(uid).or_insert_with(|| {
            let user = if foreign { None } else { User::from_uid(Uid::from_raw(uid)).ok()? };
            user.map(|user| user.name)
        });
    }

    /// Learns the name of an interface, in the network namespace of the calling thread: each has its
    /// own numbers.
    pub fn learn_interface(&mut self, netns: NetnsIndex, index: u32) {
        let foreign = self.foreign;
        self.interfaces.entry((netns, index)).or_insert_with(|| {
            let name = if foreign { None } else { if_indextoname(index).ok() };
            name.map(|name| name.to_string_lossy().into_owned())
        });
    }

    /// Learns the name of the process with this id, which a netlink socket has as its address.
    pub fn learn_process(&mut self, root: &Root, pid: u32) {
        let name = || process::exists(root, pid).then(|| process::command_in(root, pid));
        self.processes.entry(pid).or_insert_with(name);
    }

    /// The name of a process; `None`: there is none with this id, or it was not learnt.
    pub fn process(&self, pid: u32) -> Option<&[u8]> {
        self.processes.get(&pid)?.as_deref()
    }

    /// The name of a user; `None`: unknown here, or not learnt.
    pub fn user(&self, uid: u32) -> Option<&str> {
        self.users.get(&uid)?.as_deref()
    }

    /// The name of an interface; `None`: unknown here, or not learnt.
    pub fn interface(&self, netns: NetnsIndex, index: u32) -> Option<&str> {
        self.interfaces.get(&(netns, index))?.as_deref()
    }

    /// Learns the names of services, from /etc/services.
    pub fn learn_services(&mut self) {
        self.services.get_or_insert_with(|| parse_services(&services_text()));
    }

    /// Whether names of services were learnt.
    pub fn has_services(&self) -> bool {
        self.services.is_some()
    }

    /// The name of a port; `None`: it has none, or services were not learnt.
    pub fn service(&self, protocol: Protocol, port: u16) -> Option<&str> {
        // The services of a connection over several paths are those of TCP.
        let protocol = if protocol == Protocol::Mptcp { Protocol::Tcp } else { protocol };
        self.services.as_ref()?.get(&(protocol, port)).map(String::as_str)
    }
}

/// The number of an interface in the calling thread's network namespace.
pub fn interface_index(name: &str) -> Option<u32> {
    if_nametoindex(name).ok()
}

/// The names of the interfaces of the calling thread's network namespace.
pub fn interfaces() -> Vec<String> {
    let found = if_nameindex().ok();
    let name = |interface: &Interface| interface.name().to_string_lossy().into_owned();
    found.map_or(vec![], |found| found.iter().map(name).collect())
}

/// Whether NSS knows a user of this name; `None`: it could not be asked.
pub fn has_user(name: &str) -> Option<bool> {
    User::from_name(name).ok().map(|user| user.is_some())
}

/// The ports /etc/services gives a service under its name or an alias, in order, of any protocol.
pub fn service_ports(service: &str) -> Vec<u16> {
    let text = services_text();
    let mut ports: Vec<u16> = text.lines().filter_map(|line| port_of(line, service)).collect();
    ports.sort_unstable();
    ports.dedup();
    ports
}

/// The port of a line of services(5), if the line is about this service.
fn port_of(line: &str, service: &str) -> Option<u16> {
    let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
    let name = words.next()?;
    let (port, _) = words.next()?.split_once('/')?;
    (name == service || words.any(|alias| alias == service)).then_some(())?;
    port.parse().ok()
}

/// /etc/services; empty where it cannot be read.
fn services_text() -> String {
    let mut text = String::new();
    let file = Root::open(Path::new("/etc/services"));
    match file.map(|file| file.take(1 << 20).read_to_string(&mut text)) {
        Ok(Ok(_)) => text,
        _ => String::new(),
    }
}

/// Lines of services(5): `name port/protocol aliases # comment`. The first name of a port counts.
fn parse_services(text: &str) -> HashMap<(Protocol, u16), String> {
    let mut services = HashMap::new();
    for line in text.lines() {
        let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
        let (Some(name), Some(port)) = (words.next(), words.next()) else {
            continue;
        };
        let Some((port, protocol)) = port.split_once('/') else {
            continue;
        };
        let protocol = Protocol::ALL.into_iter().find(|p| p.name() == protocol);
        if let (Some(protocol), Ok(port)) = (protocol, port.parse()) {
            services.entry((protocol, port)).or_insert_with(|| name.to_owned());
        }
    }
    services
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_are_read_as_services_5_says() {
        let text =
            "# c\nssh 22/tcp\nhttp\t80/tcp www # x\nalso 80/tcp\ndomain 53/udp\nbad\nx 9/nosuch\n";
        let services = parse_services(text);
        assert_eq!(services[&(Protocol::Tcp, 80)], "http");
        assert_eq!(services[&(Protocol::Udp, 53)], "domain");
        assert_eq!(services.len(), 3);
        let line = "http\t80/tcp www # x";
        assert_eq!(port_of(line, "www"), Some(80));
        assert_eq!(port_of(line, "http"), Some(80));
        assert_eq!(port_of(line, "x"), None);
    }
}
