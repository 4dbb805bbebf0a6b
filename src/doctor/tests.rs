//! The laws every rule obeys, whoever writes it.

use super::rules::RULES;
use crate::report::remedy::Tier;
use std::collections::BTreeSet;

/// The catalogue of rules. `caused_by` may name one before it is written.
const CATALOGUE: [&str; 59] = [
    "time-wait-server-side",
    "short-lived-connections",
    "ephemeral-port-pressure",
    "time-wait-bucket-overflow",
    "time-wait-memory",
    "time-wait-syn-collision",
    "time-wait-blocks-restart",
    "tw-sysctl-lint",
    "connect-port-scan",
    "bind-before-connect",
    "service-port-in-ephemeral-range",
    "port-range-too-wide",
    "udp-port-exhaustion",
    "self-connect",
    "snat-exhaustion-suspected",
    "accept-queue-overflow",
    "listen-backlog-small",
    "accept-stalled",
    "syn-queue-pressure",
    "syn-recv-return-path",
    "listen-drops-other",
    "reuseport-skew",
    "refused-storm",
    "close-wait-leak",
    "close-wait-idle-pool",
    "fin-wait2-owned",
    "fin-wait2-orphan",
    "orphan-pressure",
    "last-ack-stuck",
    "abortive-close",
    "keepalive-race",
    "syn-sent-stuck",
    "peer-unreachable",
    "half-open-suspect",
    "keepalive-slower-than-path",
    "retransmit-rate",
    "rto-heavy-peer",
    "pmtu-blackhole",
    "peer-not-reading",
    "we-are-not-reading",
    "send-buffer-limited",
    "tcp-memory-pressure",
    "tcp-receive-drops",
    "udp-receive-drops",
    "softnet-drops",
    "max-connections-estimate",
    "fd-limit-process",
    "fd-limit-host",
    "app-limit-hint",
    "conntrack-table-full",
    "conntrack-insert-failed",
    "conntrack-invalid",
    "neighbor-table-overflow",
    "client-concentration",
    "reconnect-storm",
    "connection-age-skew",
    "sysctl-scope-mismatch",
    "ghost-socket-fds",
    "visibility-limited",
];

#[test]
fn ids_are_those_of_the_catalogue_and_unique() {
    let ids: BTreeSet<&str> = RULES.iter().map(|rule| rule.id).collect();
    assert_eq!(ids.len(), RULES.len());
    for id in ids {
        assert!(CATALOGUE.contains(&id), "{id}");
    }
}

#[test]
fn every_rule_explains_itself() {
    for rule in RULES {
        let id = rule.id;
        assert!(rule.title.len() <= 76 && !rule.title.ends_with('.'), "{id}: {}", rule.title);
        for text in [rule.meaning, rule.evidence, rule.symptoms, rule.false_positives] {
            assert!(!text.is_empty(), "{id}");
        }
        assert!(rule.meaning.ends_with('.'), "{id}: {}", rule.meaning);
        assert!(!rule.sources.is_empty(), "{id} rests on nothing");
        assert!(!rule.causes.is_empty(), "{id}");
        for source in rule.sources {
            assert!(!source.is_empty() && source.len() <= 78, "{id}: {source}");
        }
        for (action, reason) in rule.avoid {
            assert!(!action.is_empty() && !reason.is_empty() && !reason.ends_with('.'), "{id}");
        }
    }
}

#[test]
fn thresholds_have_reasons_and_units_in_their_keys() {
    for rule in RULES {
        let keys: BTreeSet<&str> = rule.thresholds.iter().map(|threshold| threshold.key).collect();
        assert_eq!(keys.len(), rule.thresholds.len(), "{}", rule.id);
        for threshold in rule.thresholds {
            let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            assert!(threshold.key.chars().all(is_word), "{}: {}", rule.id, threshold.key);
            assert!(threshold.why.len() > 10, "{}: {}", rule.id, threshold.key);
            assert!(threshold.value.is_finite() && threshold.value >= 0.0);
        }
    }
}

#[test]
fn remedies_begin_with_the_application_and_fit_a_page() {
    for rule in RULES {
        let tiers: Vec<Tier> = rule.remedies.iter().map(|advice| advice.tier).collect();
        assert!(tiers.is_sorted(), "{}: {tiers:?}", rule.id);
        for advice in rule.remedies {
            assert!(!advice.text.ends_with('.') && !advice.scope.is_empty(), "{}", advice.text);
            for line in advice.command.lines() {
                assert!(line.len() <= 74, "{}: {line}", rule.id);
            }
        }
        // Never: what is gone, or takes a protection of the kernel away.
        for advice in rule.remedies {
            for word in ["tcp_tw_recycle=1", "tcp_max_tw_buckets=5000", "tcp_rfc1337=1"] {
                assert!(!advice.command.contains(word), "{}", rule.id);
            }
        }
    }
}

#[test]
fn causes_are_rules_and_no_rule_causes_itself() {
    for rule in RULES {
        for cause in rule.caused_by {
            assert!(CATALOGUE.contains(cause) && *cause != rule.id, "{}: {cause}", rule.id);
        }
    }
}

mod whole {
    use super::*;
    use crate::doctor::{
        diagnosis::{Plan, Status, Verdict, examine},
        finding::Severity,
        fixture::{Machine, socket},
    };
    use crate::model::state::State;

    #[test]
    fn an_idle_machine_is_well() {
        let snapshot = Machine::idle()
            .both(socket(State::Listen, "0.0.0.0:80", "0.0.0.0:0").owned(7))
            .process(811, "nginx", [7], (20, 1024))
            .snapshot();
        let diagnosis = examine(&snapshot, None, RULES, &Plan::default());
        assert_eq!(diagnosis.verdict, Verdict::Ok);
        assert!(diagnosis.findings.is_empty(), "{:?}", diagnosis.findings);
        assert!(diagnosis.nearest_limit.is_some());
    }

    #[test]
    fn a_full_queue_of_a_process_that_leaks_is_one_story() {
        let left = |n: u16| {
            socket(State::CloseWait, &format!("10.0.0.1:{}", 40_000 + n), "10.0.0.4:5432")
                .info(&[("last_ack_recv", 90_000)])
                .owned(u64::from(n) + 100)
        };
        let listener = socket(State::Listen, "0.0.0.0:80", "0.0.0.0:0").accepting(6, 5).owned(7);
        let snapshot = Machine::idle()
            .both(listener)
            .many(150, left)
            .process(900, "worker", (100..250).chain([7]), (160, 200))
            .snapshot();
        let diagnosis = examine(&snapshot, None, RULES, &Plan::default());
        let at = |id: &str| diagnosis.findings.iter().position(|f| f.id == id).unwrap();
        let (cause, effect) = (at("close-wait-leak"), at("accept-queue-overflow"));
        assert!(cause < effect, "the cause is told first");
        assert!(diagnosis.findings[effect].caused_by.contains(&cause));
        assert_eq!(diagnosis.worst(), Some(Severity::Critical));
    }

    #[test]
    fn a_first_look_that_saw_no_socket_is_a_look() {
        let storm = || {
            let machine = Machine::idle().grew("Tcp.ActiveOpens", 0, 1000);
            (0..1000u16).fold(machine, |machine, n| {
                let local = format!("10.0.0.1:{}", 40_000 + n);
                machine.newly(socket(State::TimeWait, &local, "10.0.0.7:80"))
            })
        };
        let of = |snapshot| {
            let diagnosis = examine(&snapshot, None, RULES, &Plan::default());
            let checked = diagnosis.checked.into_iter().find(|c| c.id == "short-lived-connections");
            checked.unwrap()
        };
        assert_eq!(of(storm().snapshot()).status, Status::Fired);
        let once = of(storm().once().snapshot());
        assert_eq!(once.status, Status::Skipped);
        assert_eq!(once.reason.as_deref(), Some("the sockets were looked at once"));
    }

    #[test]
    fn rules_are_chosen_and_findings_excepted() {
        let machine = || {
            let full = socket(State::Listen, "0.0.0.0:80", "0.0.0.0:0").accepting(6, 5).owned(7);
            Machine::idle().both(full).snapshot()
        };
        let only = Plan { only: vec!["close-wait-leak".into()], ..Plan::default() };
        assert_eq!(examine(&machine(), None, RULES, &only).checked.len(), 1);
        let skip = Plan { skip: vec!["accept-queue-overflow".into()], ..Plan::default() };
        assert_eq!(examine(&machine(), None, RULES, &skip).verdict, Verdict::Ok);
        let text =
            "[[except]]\nrule = \"accept-queue-overflow\"\nsubject = \":80\"\nreason = \"x\"\n";
        let config =
            crate::doctor::config::Config::parse(text, &crate::doctor::rules::thresholds())
                .unwrap();
        let diagnosis = examine(&machine(), None, RULES, &Plan { config, ..Plan::default() });
        assert_eq!((diagnosis.verdict, diagnosis.excepted.len()), (Verdict::Ok, 1));
    }
}
