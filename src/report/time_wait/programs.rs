//! How well-known programs are told to keep connections open and use them again.
//!
//! Programs are recognised by their command name, services by their port. Values are starting
//! points; each text says what bounds them.

use crate::report::software::Software;

/// What to tell somebody who runs a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Program {
    /// Which.
    pub software: Software,
    /// What to do.
    pub text: &'static str,
    /// What to paste.
    pub paste: &'static str,
    /// What may go wrong.
    pub risk: &'static str,
}

impl Program {
    /// The program behind a command name.
    pub fn of_command(command: &[u8]) -> Option<&'static Self> {
        let software = Software::of_command(command)?;
        PROGRAMS.iter().find(|program| program.software == software)
    }

    /// What helps every client of a service, by its well-known port.
    pub fn of_service(port: u16) -> Option<&'static Self> {
        let index = match port {
            5432 | 6432 => 0,
            3306 | 33060 | 6033 => 1,
            6379 | 6380 => 2,
            _ => return None,
        };
        SERVICES.get(index)
    }
}

const IDLE: &str = "An idle connection may be closed by the other end just as it is used: \
                    keep the idle time here below the other end's, and retry what may be repeated";

const PROGRAMS: &[Program] = &[
    Program {
        software: Software::Nginx,
        text: "Let nginx keep idle connections to the upstream. That needs an upstream{} block: \
               `proxy_pass http://address:port` opens one for each request. `keepalive` is the \
               number kept per worker process",
        paste: "upstream backend {\n    server ADDR:PORT;\n    keepalive 64;\n}\nlocation / {\n    \
                proxy_pass http://backend;\n    proxy_http_version 1.1;\n    \
                proxy_set_header Connection \"\";\n}\n\
                # FastCGI: keepalive in the upstream, and fastcgi_keep_conn on;",
        risk: IDLE,
    },
    Program {
        software: Software::HaProxy,
        text: "Let HAProxy share idle server connections between requests, and remove \
               `option httpclose` and `option forceclose`",
        paste: "backend servers\n    http-reuse safe\n    pool-max-conn 512\n    \
                pool-purge-delay 10s\n    server s1 ADDR:PORT",
        risk: IDLE,
    },
    Program {
        software: Software::Envoy,
        text: "Give the cluster an idle timeout and no small limit of requests per connection. \
               With upstream_bind_config, set IP_BIND_ADDRESS_NO_PORT too (level 0, name 24)",
        paste: "common_http_protocol_options:\n  idle_timeout: 60s\n\
                upstream_connection_options:\n  tcp_keepalive: {}\nupstream_bind_config:\n  \
                socket_options:\n  - { level: 0, name: 24, int_value: 1,\n      state: STATE_PREBIND }",
        risk: IDLE,
    },
    Program {
        software: Software::Go,
        text: "Share one http.Client. Its transport keeps 2 idle connections per host unless told \
               otherwise, and only a body that was read to its end gives its connection back",
        paste: "t := http.DefaultTransport.(*http.Transport).Clone()\n\
                t.MaxIdleConnsPerHost = 128\nt.MaxIdleConns = 512\n\
                t.IdleConnTimeout = 50 * time.Second\nclient := &http.Client{Transport: t}\n\
                // after every response\nio.Copy(io.Discard, resp.Body)\nresp.Body.Close()",
        risk: IDLE,
    },
    Program {
        software: Software::NodeJs,
        text: "Send requests through one agent that keeps connections; Node before 19 does not \
               unless told",
        paste: "const agent = new http.Agent({\n  keepAlive: true, maxSockets: 128, \
                maxFreeSockets: 64 });\nhttp.request({ agent, ...options });",
        risk: IDLE,
    },
    Program {
        software: Software::Java,
        text: "Share one HTTP client for the life of the program and close every response body. \
               Apache HttpClient keeps 2 connections per route and 20 in all unless told otherwise",
        paste: "var pool = new PoolingHttpClientConnectionManager();\npool.setMaxTotal(512);\n\
                pool.setDefaultMaxPerRoute(128);\n\
                var client = HttpClients.custom().setConnectionManager(pool)\n    \
                .evictIdleConnections(TimeValue.ofSeconds(30)).build();",
        risk: IDLE,
    },
    Program {
        software: Software::Python,
        text: "Make one session per process and send every request through it. urllib3 logs \
               \"Connection pool is full, discarding connection\" where the pool is too small",
        paste: "session = requests.Session()\nadapter = requests.adapters.HTTPAdapter(\n    \
                pool_connections=20, pool_maxsize=128, pool_block=True)\n\
                session.mount(\"http://\", adapter)\nsession.mount(\"https://\", adapter)\n\
                # aiohttp: one ClientSession for the life of the program",
        risk: IDLE,
    },
    Program {
        software: Software::PhpFpm,
        text: "Keep connections open from one request to the next, and reach services on the same \
               host by a Unix socket, which uses no port",
        paste: "$redis->pconnect('ADDR', PORT);\n\
                new PDO($dsn, $user, $password, [PDO::ATTR_PERSISTENT => true]);",
        risk: "Each worker keeps its own connection: the server must allow as many as \
               pm.max_children of all pools; a transaction left open stays open",
    },
    Program {
        software: Software::DotNet,
        text: "Share one HttpClient, or take clients from IHttpClientFactory",
        paste: "static readonly HttpClient client = new(new SocketsHttpHandler {\n    \
                PooledConnectionLifetime = TimeSpan.FromMinutes(2) });",
        risk: IDLE,
    },
    Program {
        software: Software::Ruby,
        text: "Keep one connection per thread open instead of one per request",
        paste: "# gem net-http-persistent\nhttp = Net::HTTP::Persistent.new(name: 'api')\n\
                http.request(uri)",
        risk: IDLE,
    },
    Program {
        software: Software::CommandLine,
        text: "One run, one connection: give one run several requests, or keep connections in the \
               load test",
        paste: "curl URL1 URL2          # one connection for both\nab -k    wrk    \
                redis-benchmark -k 1    pgbench without -C",
        risk: "",
    },
];

const SERVICES: &[Program] = &[
    Program {
        software: Software::PostgreSql,
        text: "Keep a pool of connections in the program, or put PgBouncer before the database \
               where many short-lived workers connect",
        paste: "[databases]\nmydb = host=ADDR port=PORT\n[pgbouncer]\npool_mode = transaction\n\
                default_pool_size = 20",
        risk: "In transaction mode session settings, advisory locks and LISTEN do not carry over",
    },
    Program {
        software: Software::MySql,
        text: "Keep a pool of connections in the program (its longest life a little below the \
               server's wait_timeout), or put ProxySQL before the database",
        paste: "# HikariCP; wait_timeout of the server is 1800 s\nmaximumPoolSize=20\nmaxLifetime=1740000    # ms",
        risk: "Pools of all workers together must stay below max_connections",
    },
    Program {
        software: Software::Redis,
        text: "Use one pool per process and send several commands at once (pipelining) instead of \
               a connection for each",
        paste: "pool = redis.ConnectionPool(\n    host='ADDR', port=PORT, max_connections=64)\n\
                client = redis.Redis(connection_pool=pool)",
        risk: "Pools of all workers together must stay below maxclients",
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_known_by_its_port() {
        assert_eq!(Program::of_service(6379).map(|p| p.software), Some(Software::Redis));
        assert_eq!(Program::of_service(80), None);
    }

    #[test]
    fn every_program_has_something_to_paste() {
        for program in PROGRAMS.iter().chain(SERVICES) {
            assert!(
                !program.text.is_empty() && !program.paste.is_empty(),
                "{}",
                program.software.name()
            );
            assert!(!program.text.ends_with('.'), "{}", program.software.name());
            // It stands indented on a page of 80 columns.
            for line in program.paste.lines() {
                assert!(line.len() <= 72, "{line}");
            }
        }
    }
}
