//! `app-limit-hint`: a known program has about as many connections as it allows by default.

use crate::{
    doctor::{
        area::Area,
        evidence::Evidence,
        finding::{Confidence, Finding, Severity},
        parties::Party,
        rule::{Advice, Case, Judgement, Rule},
        share::{counted, percent},
        software::{self, Topic},
        subject::Subject,
        threshold::Threshold,
    },
    model::{endpoint::Endpoint, outline::Outline, state::State},
};

const NEAR: Threshold =
    Threshold::new("notice_percent", 90.0, "of the default, from the program's documentation");

/// Program, names of its processes, usual port, its own limit by default, and what it is called.
struct Default {
    name: &'static str,
    commands: &'static [&'static str],
    port: u16,
    limit: u64,
    setting: &'static str,
}

const DEFAULTS: [Default; 5] = [
    Default {
        name: "MySQL",
        commands: &["mysqld", "mariadbd"],
        port: 3306,
        limit: 151,
        setting: "max_connections",
    },
    Default {
        name: "PostgreSQL",
        commands: &["postgres", "postmaster"],
        port: 5432,
        limit: 100,
        setting: "max_connections",
    },
    Default {
        name: "Redis",
        commands: &["redis-server", "valkey-server"],
        port: 6379,
        limit: 10_000,
        setting: "maxclients",
    },
    Default {
        name: "Tomcat",
        commands: &["java", "jsvc"],
        port: 8080,
        limit: 8192,
        setting: "maxConnections",
    },
    Default {
        name: "nginx",
        commands: &["nginx"],
        port: 0,
        limit: 512,
        setting: "worker_connections",
    },
];

pub(in crate::doctor) static RULE: Rule = Rule {
    id: "app-limit-hint",
    area: Area::Limits,
    title: "a known program has about as many connections as it allows by default",
    meaning: "Many programs have a limit of their own, below every limit of the kernel. This one \
              has about as many connections as its default allows: if the default holds, the next \
              clients are refused by the program itself.",
    evidence: "connections of a listener, the name of its process, and the default of that program \
               (nginx: for each worker)",
    needs: &[],
    thresholds: &[NEAR],
    symptoms: "`Too many connections`, `sorry, too many clients already`, `max number of clients \
               reached`, `worker_connections are not enough`.",
    causes: &[
        "pools of many clients add up to more than the server allows",
        "connections are not given back to the pool, or are idle for ever (half-open-suspect)",
    ],
    remedies: &[
        Advice::application(
            "Look up the limit in force, and the sum of the pools of its clients",
            "",
        ),
        Advice::capacity("A pooler in front (PgBouncer, ProxySQL), or another instance", ""),
    ],
    avoid: &[("RLIMIT_NOFILE", "the program's own limit is lower")],
    false_positives: "The limit was raised in its configuration, which is not read here.",
    sources: &[
        "https://dev.mysql.com/doc/refman/8.4/en/too-many-connections.html",
        "https://www.postgresql.org/docs/current/runtime-config-connection.html",
        "https://redis.io/docs/latest/develop/reference/clients/",
        "https://tomcat.apache.org/tomcat-10.1-doc/config/http.html",
        "https://nginx.org/en/docs/ngx_core_module.html#worker_connections",
    ],
    caused_by: &["half-open-suspect"],
    judge,
};

fn judge(case: &Case<'_, '_>) -> Judgement {
    let evidence = case.evidence;
    let found = evidence.incoming().iter().filter_map(|(at, sockets)| {
        let is_open = |s: &&&Outline| s.state == State::Established;
        finding(case, *at, counted(sockets.iter().filter(is_open).count()))
    });
    found.collect::<Vec<_>>().into()
}

/// The program behind a listener: by its name, or where nobody may know that, by its usual port.
fn program(at: Endpoint, parties: &[Party]) -> Option<&'static Default> {
    let known: Vec<&Party> = parties.iter().filter(|party| party.pid.is_some()).collect();
    if known.is_empty() {
        return DEFAULTS.iter().find(|program| program.port == at.port && at.port != 0);
    }
    let is_it = |program: &&Default, party: &&Party| {
        program.commands.iter().any(|name| name.as_bytes() == party.command())
    };
    DEFAULTS.iter().find(|program| known.iter().any(|party| is_it(program, party)))
}

fn finding(case: &Case<'_, '_>, at: Endpoint, count: u64) -> Option<Finding> {
    let parties = case.evidence.holders_at(at);
    let program = program(at, &parties)?;
    // Each worker of nginx has a limit of its own; the master is none.
    let workers = match program.name {
        "nginx" => counted(parties.len()).saturating_sub(1).max(1),
        _ => 1,
    };
    let limit = program.limit * workers;
    let part = percent(count, limit);
    // Far above the default, the default does not hold.
    if part < case.at(&NEAR) || count > limit {
        return None;
    }
    let advice = software::remedies(&parties, Topic::OwnLimit);
    let subject = Subject::listener(at, parties);
    let title = format!(
        "{} has {count} connections, {} allows {limit} by default ({})",
        subject.text, program.name, program.setting
    );
    Some(
        RULE.finding(Severity::Notice, subject, title)
            .only(Confidence::Possible, format!("look up {} in its configuration", program.setting))
            .with("connections", count)
            .with("default_limit", limit)
            .with("setting", program.setting)
            .seen(format!("{count} connections, {part:.0} % of the default of {limit}"))
            .advise(advice)
            .about(listening(case.evidence, at)),
    )
}

/// Inodes of the sockets that listen at an end: whoever holds them is the program.
fn listening(evidence: &Evidence<'_>, at: Endpoint) -> Vec<Option<u64>> {
    let listens = |s: &&Outline| s.local.canonical() == at;
    evidence.in_state(State::Listen).filter(listens).map(Outline::inode).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::fixture::{Machine, socket};

    fn server(port: u16, clients: u16) -> Machine {
        let at = format!("10.0.0.1:{port}");
        let client = |n: u16| socket(State::Established, &at, &format!("10.0.0.9:{}", 20_000 + n));
        let listener = socket(State::Listen, &at, "0.0.0.0:0").owned(7);
        Machine::idle().both(listener).many(clients, client)
    }

    fn named(port: u16, clients: u16, command: &str) -> Option<Severity> {
        server(port, clients).process(900, command, [7], (9, 4096)).severity(&RULE)
    }

    #[test]
    fn nine_tenths_of_the_default_are_noticed() {
        assert_eq!(named(5432, 89, "postgres"), None);
        assert_eq!(named(5432, 90, "postgres"), Some(Severity::Notice));
        assert_eq!(named(5432, 100, "postgres"), Some(Severity::Notice));
        assert_eq!(named(5432, 101, "postgres"), None, "its limit was raised");
        assert_eq!(named(3306, 135, "mysqld"), None);
        assert_eq!(named(3306, 136, "mysqld"), Some(Severity::Notice));
    }

    #[test]
    fn another_program_on_that_port_has_another_limit() {
        assert_eq!(named(5432, 95, "pgbouncer"), None);
        assert_eq!(server(5432, 95).severity(&RULE), Some(Severity::Notice), "nobody may know");
        assert_eq!(server(9999, 95).severity(&RULE), None);
    }

    #[test]
    fn each_worker_of_nginx_counts() {
        let machine = |workers: u32, clients| {
            let machine = server(80, clients);
            (0..=workers).fold(machine, |m, n| m.process(900 + n, "nginx", [7], (9, 4096)))
        };
        assert_eq!(machine(2, 921).severity(&RULE), None);
        assert_eq!(machine(2, 922).severity(&RULE), Some(Severity::Notice));
    }
}
