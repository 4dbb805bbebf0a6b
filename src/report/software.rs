//! Programs that are known by their command name, so that each can be told what to do in the words
//! of its own configuration: the one list of names.

/// A known program, or a runtime whose programs are alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Software {
    /// nginx and its kin.
    Nginx,
    /// HAProxy.
    HaProxy,
    /// Envoy and what carries it.
    Envoy,
    /// The Apache HTTP server.
    Apache,
    /// PHP, by FPM or CGI.
    PhpFpm,
    /// Node.js and other runtimes of JavaScript.
    NodeJs,
    /// The JVM.
    Java,
    /// CPython, PyPy and their servers.
    Python,
    /// Programs written in Go, of which only the well-known ones have a name that tells.
    Go,
    /// .NET.
    DotNet,
    /// Ruby and its servers.
    Ruby,
    /// PostgreSQL.
    PostgreSql,
    /// MySQL and MariaDB.
    MySql,
    /// Redis and its kin.
    Redis,
    /// ProxySQL.
    ProxySql,
    /// Clients that people or scripts start, and load generators.
    CommandLine,
}

/// Each with its name and the commands it is known by.
const KNOWN: &[(Software, &str, &[&str])] = &[
    (Software::Nginx, "nginx", &["nginx", "openresty", "tengine", "angie"]),
    (Software::HaProxy, "HAProxy", &["haproxy"]),
    (Software::Envoy, "Envoy", &["envoy", "istio-proxy", "pilot-agent"]),
    (Software::Apache, "Apache", &["apache2", "httpd"]),
    (Software::PhpFpm, "PHP-FPM", &["php-fpm", "php", "php-cgi"]),
    (Software::NodeJs, "Node.js", &["node", "nodejs", "mainthread", "bun", "deno"]),
    (Software::Java, "Java", &["java", "jsvc", "catalina"]),
    (
        Software::Python,
        "Python",
        &["python", "gunicorn", "uwsgi", "celery", "uvicorn", "pypy", "hypercorn"],
    ),
    (
        Software::Go,
        "Go",
        &[
            "go",
            "caddy",
            "traefik",
            "prometheus",
            "etcd",
            "kubelet",
            "kube-proxy",
            "dockerd",
            "consul",
            "vault",
            "fabio",
            "grafana",
            "minio",
            "containerd",
            "coredns",
            "kube-apiserver",
            "kube-controller",
            "kube-scheduler",
        ],
    ),
    (Software::DotNet, ".NET", &["dotnet"]),
    (Software::Ruby, "Ruby", &["ruby", "puma", "unicorn", "sidekiq"]),
    (Software::PostgreSql, "PostgreSQL", &["postgres", "postmaster"]),
    (Software::MySql, "MySQL", &["mysqld", "mariadbd"]),
    (Software::Redis, "Redis", &["redis-server", "valkey-server", "keydb-server"]),
    (Software::ProxySql, "ProxySQL", &["proxysql"]),
    (
        Software::CommandLine,
        "a command-line client or load generator",
        &[
            "curl",
            "wget",
            "ab",
            "wrk",
            "hey",
            "siege",
            "vegeta",
            "psql",
            "mysql",
            "mariadb",
            "redis-cli",
            "pgbench",
            "sysbench",
            "redis-benchmark",
            "memtier_benchma",
            "k6",
        ],
    ),
];

impl Software {
    /// The program behind a command name, also of a worker (`php-fpm8.2`, `nginx: worker`).
    pub fn of_command(command: &[u8]) -> Option<Self> {
        let command = String::from_utf8_lossy(command).to_ascii_lowercase();
        let word = command.split([':', ' ', '/']).next().unwrap_or_default();
        let stem = word.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | '-'));
        let is_its = |(.., commands): &&(Self, &str, &[&str])| {
            commands.contains(&word) || commands.contains(&stem)
        };
        KNOWN.iter().find(is_its).map(|(software, ..)| *software)
    }

    /// Its name, as people know it.
    pub fn name(self) -> &'static str {
        KNOWN.iter().find(|(software, ..)| *software == self).map_or("", |(_, name, _)| name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn programs_are_known_by_their_command() {
        for (command, name) in [
            (&b"nginx"[..], Some("nginx")),
            (b"nginx: worker p", Some("nginx")),
            (b"python3", Some("Python")),
            (b"python3.12", Some("Python")),
            (b"php-fpm8.2", Some("PHP-FPM")),
            (b"java", Some("Java")),
            (b"node", Some("Node.js")),
            (b"redis-server", Some("Redis")),
            (b"redis-cli", Some("a command-line client or load generator")),
            (b"kube-apiserver", Some("Go")),
            (b"my-nginx-clone", None),
            (b"", None),
            (b"\xff\x1b[31m", None),
        ] {
            assert_eq!(Software::of_command(command).map(Software::name), name, "{command:?}");
        }
    }

    #[test]
    fn each_has_one_name_and_no_command_is_of_two() {
        let commands: Vec<&str> =
            KNOWN.iter().flat_map(|(.., commands)| *commands).copied().collect();
        assert_eq!(commands.len(), commands.iter().collect::<BTreeSet<_>>().len());
        // The kernel keeps fifteen bytes of a name (`TASK_COMM_LEN`).
        assert!(commands.iter().all(|command| command.len() <= 15));
        for (software, name, _) in KNOWN {
            assert_eq!(software.name(), *name);
        }
    }
}
