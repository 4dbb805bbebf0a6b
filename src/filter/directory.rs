//! Names in a filter that stand for something: services, hosts, interfaces, cgroups, users.

use crate::kernel::{addresses, cgroup_tree, names};
use std::net::IpAddr;

/// Where names are looked up.
pub trait Directory {
    /// The ports a service has, of any protocol.
    fn ports(&self, service: &str) -> Vec<u16>;
    /// The addresses a host has.
    fn addresses(&self, host: &str) -> Vec<IpAddr>;
}

/// What there is where a filter is asked.
pub trait Place {
    /// Interfaces of the network namespace by name.
    fn interfaces(&self) -> Vec<String>;
    /// Whether a cgroup is at this path below the root of the hierarchy; `None`: it is not known.
    fn has_cgroup(&self, path: &str) -> Option<bool>;
    /// Whether a user is called so; `None`: it is not known.
    fn has_user(&self, name: &str) -> Option<bool>;
}

/// This machine's: /etc/services, and hosts as its resolver knows them.
#[derive(Debug, Clone, Copy)]
pub struct System;

impl Directory for System {
    fn ports(&self, service: &str) -> Vec<u16> {
        names::service_ports(service)
    }

    fn addresses(&self, host: &str) -> Vec<IpAddr> {
        addresses::of_host(host)
    }
}

impl Place for System {
    fn interfaces(&self) -> Vec<String> {
        names::interfaces()
    }

    fn has_cgroup(&self, path: &str) -> Option<bool> {
        cgroup_tree::is_mounted().then(|| cgroup_tree::id_of(path).is_some())
    }

    fn has_user(&self, name: &str) -> Option<bool> {
        names::has_user(name)
    }
}

/// No names at all: for texts that must mean the same everywhere.
#[derive(Debug, Clone, Copy)]
pub struct Empty;

impl Directory for Empty {
    fn ports(&self, _: &str) -> Vec<u16> {
        vec![]
    }

    fn addresses(&self, _: &str) -> Vec<IpAddr> {
        vec![]
    }
}
