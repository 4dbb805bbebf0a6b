//! Recognised programs: what their own configuration calls the remedy.
//!
//! Facts are those of each program's documentation; a value is a starting point.

use super::parties::Party;
use crate::report::{
    remedy::{Remedy, Tier},
    software::Software,
    time_wait::programs::Program,
};

/// What is to be mended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topic {
    /// Connections are opened for each request.
    Reuse,
    /// The accept queue is too short, or is not emptied.
    AcceptQueue,
    /// Connections are not closed after the peer did.
    Close,
    /// Peers that are gone are not noticed.
    DeadPeers,
    /// Too few descriptors.
    Descriptors,
    /// Idle connections are closed at the wrong end, or never.
    IdleTimeout,
    /// More connections than the program accepts.
    OwnLimit,
    /// The peer does not read, or this side does not.
    SlowReaders,
}

struct Text {
    software: Software,
    texts: &'static [(Topic, &'static str, &'static str)],
}

use Topic::{AcceptQueue, Close, DeadPeers, Descriptors, IdleTimeout, OwnLimit, SlowReaders};

const TEXTS: &[Text] = &[
    Text {
        software: Software::Nginx,
        texts: &[
            (
                AcceptQueue,
                "Name the backlog (511 unless told), give each worker a socket of its own, then \
                 restart: a reload keeps the old queue",
                "listen 80 reuseport backlog=4096;",
            ),
            (
                Close,
                "Bound how long a half-closed or idle connection is kept",
                "proxy_read_timeout 60s;\nproxy_timeout 60s;      # stream\nreset_timedout_connection on;",
            ),
            (DeadPeers, "Probe clients that are silent", "listen 443 ssl so_keepalive=15s:5s:3;"),
            (
                Descriptors,
                "Raise the limit of the workers; worker_connections is a limit of its own below it",
                "worker_rlimit_nofile 262144;\nevents { worker_connections 65536; }",
            ),
            (
                IdleTimeout,
                "Keep idle connections longer than the load balancer in front does",
                "keepalive_timeout 75s;\nkeepalive_requests 10000;",
            ),
            (
                OwnLimit,
                "Raise its own limit of connections",
                "events { worker_connections 65536; }",
            ),
            (SlowReaders, "Drop clients that do not read", "send_timeout 30s;"),
        ],
    },
    Text {
        software: Software::HaProxy,
        texts: &[
            (AcceptQueue, "Name the backlog, then reload", "defaults\n    backlog 4096"),
            (
                Close,
                "Bound how long a half-closed connection is kept",
                "defaults\n    timeout client-fin 30s\n    timeout server-fin 30s",
            ),
            (
                DeadPeers,
                "Probe both sides and bound unanswered data",
                "defaults\n    option clitcpka\n    option srvtcpka\nbind :443 tcp-ut 29s",
            ),
            (
                Descriptors,
                "maxconn decides how many descriptors it asks for",
                "global\n    maxconn 100000",
            ),
            (OwnLimit, "Raise its own limit of connections", "global\n    maxconn 100000"),
            (
                SlowReaders,
                "Drop peers that do not read",
                "defaults\n    timeout client 30s\n    timeout server 30s",
            ),
        ],
    },
    Text {
        software: Software::Envoy,
        texts: &[
            (AcceptQueue, "Name the backlog of the listener", "tcp_backlog_size: 4096"),
            (
                Close,
                "tcp_proxy keeps a half-closed connection for an hour unless told",
                "idle_timeout: 60s",
            ),
            (
                DeadPeers,
                "Probe the upstream",
                "upstream_connection_options:\n  tcp_keepalive: { keepalive_time: 15, keepalive_interval: 5,\n    keepalive_probes: 3 }",
            ),
        ],
    },
    Text {
        software: Software::NodeJs,
        texts: &[
            (
                AcceptQueue,
                "Name the backlog (511 unless told), and find what blocks the event loop; several \
                 processes accept for one port with the cluster module",
                "server.listen({ port: 8080, backlog: 4096 });",
            ),
            (
                Close,
                "Destroy the socket on 'end' and 'error', and set a timeout",
                "server.setTimeout(60_000);\nsocket.on('end', () => socket.end());",
            ),
            (DeadPeers, "Probe peers that are silent", "socket.setKeepAlive(true, 15_000);"),
            (
                IdleTimeout,
                "It closes idle connections after 5 s unless told: longer than the load balancer",
                "server.keepAliveTimeout = 75_000;\nserver.headersTimeout = 76_000;",
            ),
        ],
    },
    Text {
        software: Software::Java,
        texts: &[
            (
                AcceptQueue,
                "Name the backlog (50 unless told; acceptCount of Tomcat is 100), and look at \
                 pauses of the collector and at the threads",
                "new ServerSocket(port, 4096);\n<Connector acceptCount=\"4096\" .../>\njstack PID",
            ),
            (
                Close,
                "Close every response body, also of errors and 304, with try-with-resources; evict \
                 idle connections",
                "try (var response = client.execute(request)) { ... }\nbuilder.evictIdleConnections(TimeValue.ofSeconds(30));",
            ),
            (
                DeadPeers,
                "Probe peers that are silent (Java 11 has the times; Netty has TCP_USER_TIMEOUT)",
                "socket.setOption(StandardSocketOptions.SO_KEEPALIVE, true);\nsocket.setOption(ExtendedSocketOptions.TCP_KEEPIDLE, 15);",
            ),
            (
                IdleTimeout,
                "Keep idle connections longer than the load balancer in front does (Tomcat: 20 s)",
                "<Connector keepAliveTimeout=\"75000\" .../>",
            ),
            (
                OwnLimit,
                "Raise its own limit (Tomcat: 8192)",
                "<Connector maxConnections=\"20000\" .../>",
            ),
        ],
    },
    Text {
        software: Software::Python,
        texts: &[
            (
                AcceptQueue,
                "Name the backlog (asyncio 100, http.server 5 unless told) and run more workers; \
                 `py-spy dump` shows where it hangs",
                "gunicorn --backlog 4096 --workers 8 app:app\nuvicorn --backlog 4096 app:app\nsocket.listen(4096)",
            ),
            (
                Close,
                "Close responses and sockets in every path: use `with`",
                "with session.get(url, timeout=10) as response:\n    response.content",
            ),
            (
                DeadPeers,
                "Probe peers that are silent",
                "s.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)\ns.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 29000)",
            ),
            (
                IdleTimeout,
                "Keep idle connections longer than the load balancer in front does (gunicorn: 2 s)",
                "gunicorn --keep-alive 75 app:app\nuvicorn --timeout-keep-alive 75 app:app",
            ),
        ],
    },
    Text {
        software: Software::PhpFpm,
        texts: &[
            (
                AcceptQueue,
                "Name the backlog and allow more workers",
                "listen.backlog = 4096\npm.max_children = 200",
            ),
            (Descriptors, "Raise the limit of the pool", "rlimit_files = 65536"),
            (OwnLimit, "Allow more workers, each serves one request", "pm.max_children = 200"),
        ],
    },
    Text {
        software: Software::Apache,
        texts: &[
            (
                AcceptQueue,
                "Name the backlog and allow more workers",
                "ListenBacklog 4096\nMaxRequestWorkers 800",
            ),
            (
                IdleTimeout,
                "It closes idle connections after 5 s unless told",
                "KeepAliveTimeout 75",
            ),
            (OwnLimit, "Allow more workers", "MaxRequestWorkers 800"),
        ],
    },
    Text {
        software: Software::Redis,
        texts: &[
            (AcceptQueue, "Name the backlog (511 unless told), then restart", "tcp-backlog 4096"),
            (DeadPeers, "Probe clients that are silent", "tcp-keepalive 60"),
            (IdleTimeout, "End idle clients, or never", "timeout 300"),
            (OwnLimit, "Raise its own limit (10000 unless told)", "maxclients 20000"),
            (
                SlowReaders,
                "Drop clients that do not read",
                "client-output-buffer-limit pubsub 32mb 8mb 60",
            ),
        ],
    },
    Text {
        software: Software::PostgreSql,
        texts: &[
            (
                AcceptQueue,
                "Its backlog follows max_connections: put PgBouncer in front of short connections",
                "",
            ),
            (
                DeadPeers,
                "Probe clients that are silent and bound unanswered data",
                "tcp_keepalives_idle = 15\ntcp_keepalives_interval = 5\ntcp_keepalives_count = 3\ntcp_user_timeout = 29000",
            ),
            (IdleTimeout, "End idle sessions", "idle_session_timeout = '10min'"),
            (
                OwnLimit,
                "Put PgBouncer in front; max_connections costs memory each",
                "max_connections = 200",
            ),
        ],
    },
    Text {
        software: Software::MySql,
        texts: &[
            (AcceptQueue, "Name the backlog, then restart", "back_log = 4096"),
            (IdleTimeout, "End idle sessions", "wait_timeout = 1800"),
            (Descriptors, "Raise its own limit", "open_files_limit = 65536"),
            (OwnLimit, "Raise its own limit (151 unless told), or pool", "max_connections = 500"),
        ],
    },
    Text {
        software: Software::Go,
        texts: &[
            (
                AcceptQueue,
                "Go listens with somaxconn: raise it and restart; a queue that stays full means \
                 that Accept is not called",
                "sysctl -w net.core.somaxconn=16384",
            ),
            (
                Close,
                "Read every body to its end and close it; set timeouts",
                "defer resp.Body.Close()\nio.Copy(io.Discard, resp.Body)\nsrv := &http.Server{ReadTimeout: 10 * time.Second,\n  IdleTimeout: 75 * time.Second}",
            ),
            (
                DeadPeers,
                "Set probes and times (Go 1.23)",
                "net.ListenConfig{KeepAliveConfig: net.KeepAliveConfig{\n  Enable: true, Idle: 15 * time.Second,\n  Interval: 5 * time.Second, Count: 3}}",
            ),
            (
                IdleTimeout,
                "Keep idle connections longer than the load balancer does",
                "srv.IdleTimeout = 75 * time.Second",
            ),
        ],
    },
    Text {
        software: Software::ProxySql,
        texts: &[(
            Close,
            "Upgrade: 2.0.13 and before leak connections that time out while they connect",
            "",
        )],
    },
];

fn text_of(command: &[u8]) -> Option<&'static Text> {
    let software = Software::of_command(command)?;
    TEXTS.iter().find(|text| text.software == software)
}

/// The name of the program behind a process, where it is known.
pub fn name(party: &Party) -> Option<&'static str> {
    Software::of_command(party.command()).map(Software::name)
}

/// What the programs among these processes are to be told, each once.
pub fn remedies<'p>(parties: impl IntoIterator<Item = &'p Party>, topic: Topic) -> Vec<Remedy> {
    let mut remedies: Vec<Remedy> = vec![];
    for party in parties {
        let told = if topic == Topic::Reuse {
            Program::of_command(party.command())
                .map(|program| (program.software.name(), program.text, program.paste, program.risk))
        } else {
            text_of(party.command()).and_then(|known| {
                let (_, text, paste) = known.texts.iter().find(|(of, ..)| *of == topic)?;
                Some((known.software.name(), *text, *paste, ""))
            })
        };
        let Some((name, text, paste, risk)) = told else { continue };
        let remedy = Remedy {
            tier: Tier::Application,
            text: format!("{name}: {text}"),
            command: Some(paste.to_owned()).filter(|paste| !paste.is_empty()),
            scope: format!("{name} and its configuration"),
            risk: risk.to_owned(),
        };
        if !remedies.contains(&remedy) {
            remedies.push(remedy);
        }
    }
    remedies
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::name::Name;

    fn party(command: &str) -> Party {
        Party { pid: Some(7), command: Some(Name(command.into())), ..Party::default() }
    }

    #[test]
    fn programs_get_their_own_words_once() {
        let nginx = [party("nginx"), party("nginx"), party("unheard-of")];
        let told = remedies(&nginx, Topic::AcceptQueue);
        assert_eq!(told.len(), 1);
        assert!(told[0].command.as_deref().unwrap().contains("backlog=4096"), "{told:?}");
        assert!(
            remedies(&[party("python3.12")], Topic::AcceptQueue)[0].text.contains("http.server")
        );
        assert!(remedies(&[party("nginx")], Topic::Reuse)[0].text.contains("upstream"));
        assert_eq!(name(&party("redis-server")), Some("Redis"));
        assert_eq!(name(&party("haproxy")), Some("HAProxy"));
        assert_eq!(name(&party("")), None);
    }

    #[test]
    fn what_is_to_be_pasted_fits_a_page() {
        for text in TEXTS {
            for (_, said, paste) in text.texts {
                assert!(!said.ends_with('.'), "{}: {said}", text.software.name());
                for line in paste.lines() {
                    assert!(line.len() <= 72, "{}: {line}", text.software.name());
                }
            }
        }
    }
}
