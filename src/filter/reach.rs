//! Which network namespaces can have a socket that a filter takes: asked before any is entered.

use super::{
    ast::{Column, Expr, Ranges, Test, What},
    eval::{self, Truth},
    pattern::Pattern,
};
use crate::model::{netns::Netns, owner::Process};

/// What is known of a namespace from outside.
#[derive(Debug, Clone, Copy)]
pub struct Outside<'n> {
    /// The namespace.
    pub netns: &'n Netns,
    /// Every name it has.
    pub names: &'n [String],
    /// Its processes, by their cgroups.
    pub processes: &'n [Process],
}

impl Outside<'_> {
    fn is_called(&self, patterns: &[Pattern]) -> bool {
        let is_called = |name: &String| patterns.iter().any(|p| p.matches(name.as_bytes()));
        self.names.iter().any(is_called)
    }

    fn has_inode(&self, ranges: &Ranges) -> Truth {
        self.netns.inode.map_or(Truth::Unknown, |inode| ranges.contains(inode).into())
    }

    /// A container without a process in the namespace has no socket there. With one in it others may
    /// have sockets there too.
    fn is_home(&self, column: &str, patterns: &[Pattern]) -> Truth {
        let is_there = self.processes.iter().any(|p| eval::lives_in(p, column, patterns));
        if is_there { Truth::Unknown } else { Truth::No }
    }
}

/// Columns whose test decides on whole namespaces.
pub(super) fn is_about_namespaces(what: &What) -> bool {
    match what {
        What::Number(Column(field), _) | What::Name(Column(field), _) => {
            let id = field.id.trim_start_matches("peer.");
            matches!(id, "netns" | "netns.name" | "netns.kind" | "container" | "pod")
        }
        _ => false,
    }
}

/// Whether it has to be known in which containers, pods and units the processes are.
pub(super) fn asks_for_homes(what: &What) -> bool {
    matches!(what, What::Name(Column(field), _) if matches!(field.id, "container" | "pod" | "unit"))
}

/// Whether a socket of the namespace may pass: not where the answer is no whatever the socket is.
pub(super) fn may_pass(expr: &Expr, outside: Outside<'_>) -> bool {
    test(expr, outside) != Truth::No
}

fn test(expr: &Expr, outside: Outside<'_>) -> Truth {
    match expr {
        Expr::And(parts) => eval::settled_by(parts, Truth::No, |part| test(part, outside)),
        Expr::Or(parts) => eval::settled_by(parts, Truth::Yes, |part| test(part, outside)),
        Expr::Not(part) => test(part, outside).opposite(),
        Expr::Test(Test { what, .. }) => match what {
            What::Number(Column(field), ranges) if field.id == "netns" => outside.has_inode(ranges),
            What::Name(Column(field), patterns) => match field.id {
                "netns.name" => outside.is_called(patterns).into(),
                "container" | "pod" | "unit" => outside.is_home(field.id, patterns),
                _ => Truth::Unknown,
            },
            _ => Truth::Unknown,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::{Filter, directory::Empty};

    fn passes(text: &str) -> bool {
        let netns = Netns { inode: Some(4_026_532_177), ..Netns::default() };
        let names = ["blue".to_owned(), "cni-1".to_owned()];
        let id = "3f4b1cbb1f0f6a2dd2b1a2a7c1e6f6a5b6b7c8d9e0f1a2b3c4d5e6f708192a3b";
        let processes = [Process {
            container: Some("web".into()),
            pod: Some("default/web-0".into()),
            cgroup: Some(format!("/docker/{id}")),
            ..Process::default()
        }];
        let outside = Outside { netns: &netns, names: &names, processes: &processes };
        Filter::parse(text, &Empty).unwrap().may_pass(outside)
    }

    #[test]
    fn a_namespace_is_left_out_only_where_no_socket_of_it_can_pass() {
        for text in [
            "netns = blue",
            "netns = cni-*",
            "netns = 4026532177",
            "netns != red",
            "container = web",
            "container = 3f4b1cbb1f0f",
            "container = 3f4b1cbb1f0f6a2dd2b1a2a7c1e6f6a5b6b7c8d9e0f1a2b3c4d5e6f708192a3b",
            "pod = web-0",
            "pod = default/web-0",
            "container != web",
            "container != db",
            "netns = red or dport = :80",
            "container = db or netns = blue",
            "rtt > 5ms",
        ] {
            assert!(passes(text), "{text}");
        }
        for text in [
            "netns = red",
            "netns = 1",
            "netns != blue",
            "container = db",
            "pod = web-1",
            "unit = nginx.service",
            "netns = red and dport = :80",
            "container = db or netns = red",
            "container = web and netns = red",
        ] {
            assert!(!passes(text), "{text}");
        }
    }
}
