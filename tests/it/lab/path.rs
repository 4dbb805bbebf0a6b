//! Two namespaces with a router between them, which can lose packets on their way.

use super::{
    link::INTERFACE,
    namespace::{Namespace, ip},
};

/// Two ends and what lies between them.
pub(crate) struct Path {
    /// The end that is looked at, 10.77.1.1.
    pub(crate) near: Namespace,
    /// The router: its interfaces are called `near` and `far`, after where they lead.
    pub(crate) router: Namespace,
    /// The end that plays the peers, 10.77.2.1.
    pub(crate) far: Namespace,
}

impl Path {
    /// Makes the three and joins them.
    pub(crate) fn new() -> Self {
        let path = Self { near: Namespace::new(), router: Namespace::new(), far: Namespace::new() };
        path.router.set_sysctl("net.ipv4.ip_forward", "1");
        for (end, network, towards) in [(&path.near, 1, "near"), (&path.far, 2, "far")] {
            ip(&[
                "link",
                "add",
                INTERFACE,
                "netns",
                end.name(),
                "type",
                "veth",
                "peer",
                "name",
                towards,
                "netns",
                path.router.name(),
            ]);
            let address = |host: u8| format!("10.77.{network}.{host}");
            end.ip(&["addr", "add", &format!("{}/24", address(1)), "dev", INTERFACE]);
            path.router.ip(&["addr", "add", &format!("{}/24", address(2)), "dev", towards]);
            // One packet is one segment, so that its size is what the path sees.
            end.ip(&["link", "set", INTERFACE, "up", "gso_max_segs", "1"]);
            path.router.ip(&["link", "set", towards, "up"]);
            end.ip(&["route", "add", "default", "via", &address(2)]);
        }
        path
    }

    /// Loses from now on, without a word, what is bigger than so many bytes on its way to the far
    /// end, which does not know it and announces the segment size of a wire without a tunnel.
    pub(crate) fn lose_bigger_than(&self, bytes: u16) {
        self.far.ip(&["link", "set", INTERFACE, "mtu", &bytes.to_string()]);
        self.far.ip(&["route", "change", "default", "via", "10.77.2.2", "advmss", "1460"]);
    }

    /// Lets so much through to the far end and loses what comes faster.
    pub(crate) fn police(&self, rate: &str, burst_and_limit: &str) {
        let mut tc = std::process::Command::new("tc");
        tc.args(["qdisc", "replace", "dev", "far", "root", "tbf", "rate", rate]);
        tc.args(["burst", burst_and_limit, "limit", burst_and_limit]);
        let done = self.router.output(&mut tc);
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }
}
