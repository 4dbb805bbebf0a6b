use super::{block::Block, exchange::Exchange, topic::Kind, *};
use crate::{
    field,
    model::{owner::Unowned, settings, socket::TIME_WAIT_MS, timer::TimerKind},
    report::capacity::limit::LimitId,
};
use std::collections::BTreeSet;

/// The ids of the contract: `binding_limit` and `limits[].id` of sockeye.capacity/1.
const LIMIT_IDS: [&str; 13] = [
    "rlimit-nofile",
    "fs-file-max",
    "fs-nr-open",
    "ephemeral-ports",
    "tcp-mem",
    "memory",
    "nf-conntrack-max",
    "tcp-max-tw-buckets",
    "tcp-max-orphans",
    "somaxconn",
    "accept-queue",
    "pids-max",
    "client-ports",
];

fn named(name: &str) -> &'static Topic {
    find(name).unwrap_or_else(|| panic!("no topic `{name}`"))
}

/// All that a topic says, without its lay-out.
fn words(topic: &Topic) -> String {
    let mut all = vec![topic.title.clone()];
    for block in &topic.blocks {
        all.push(match block {
            Block::Heading(text) | Block::Command(text) => (*text).to_owned(),
            Block::Text(text) | Block::Item(text) => text.to_string(),
            Block::Fact(name, text) => format!("{name} {text}"),
            Block::Drawing(exchange) => exchange.draw(),
            Block::Names(names) => names.join(" "),
        });
    }
    all.join("\n")
}

#[test]
fn every_name_is_unique_and_finds_its_own_topic() {
    let mut names = BTreeSet::new();
    for topic in topics() {
        assert!(names.insert(topic.name), "{} twice", topic.name);
        assert_eq!(named(topic.name).name, topic.name);
        assert!(!topic.title.is_empty() && !topic.blocks.is_empty(), "{}", topic.name);
    }
    assert_eq!(topics()[0].name, "topics");
}

#[test]
fn another_word_for_a_topic_is_no_other_topics_word() {
    let mut seen = BTreeSet::new();
    for topic in topics() {
        for also in &topic.also {
            assert!(seen.insert(*also), "{also} twice");
            assert_eq!(named(also).name, topic.name, "{also}");
        }
    }
}

#[test]
fn every_state_has_a_topic_and_every_tools_spelling_leads_to_a_state_of_that_number() {
    for state in State::all() {
        assert_eq!(named(state.name()).kind, Kind::State);
        let spellings =
            [Some(state.name()), state.rfc(), state.netstat(), Some(state.ss()), state.lsof()];
        for word in spellings.into_iter().flatten() {
            let lower = word.to_ascii_lowercase();
            for typed in [word, &lower, &word.replace('-', "_"), &word.replace(['-', '_'], "")] {
                let found = named(typed);
                // In lower case netstat's word for CLOSED is the lesson.
                if typed == "close" {
                    assert_eq!(found.kind, Kind::Lesson);
                    continue;
                }
                assert_eq!(found.kind, Kind::State, "{typed}");
                assert_eq!(State::parse(found.name).unwrap().number(), state.number(), "{typed}");
            }
        }
        let text = words(named(state.name()));
        for word in
            [state.rfc(), state.netstat(), Some(state.ss()), state.lsof()].into_iter().flatten()
        {
            assert!(text.contains(word), "{state} does not tell the spelling {word}");
        }
    }
    assert_eq!(named("CLOSE").name, "CLOSED");
    assert_eq!(named("close").kind, Kind::Lesson);
    assert_eq!(named("time-wait").name, "TIME_WAIT");
}

#[test]
fn every_limit_of_the_contract_is_explained() {
    for id in LIMIT_IDS {
        assert_eq!(named(id).kind, Kind::Limit, "{id}");
        assert_eq!(named(id).name, id);
    }
    // Every id that `capacity` can show leads to a topic, if not to one of its own.
    for id in LimitId::ALL {
        let found = named(id.name());
        assert!(matches!(found.kind, Kind::Limit | Kind::Lesson), "{}: {}", id.name(), found.name);
    }
}

#[test]
fn every_column_is_explained_under_either_name() {
    for field in field::all() {
        assert_eq!(named(field.id).kind, Kind::Column, "{}", field.id);
        assert_eq!(named(field.json).name, field.id);
    }
    for note in column::NOTES {
        assert!(field::find(note.id).is_some_and(|f| f.id == note.id), "{}", note.id);
    }
}

#[test]
fn only_columns_that_every_row_has_are_never_absent() {
    let never: Vec<&str> = topics()
        .iter()
        .filter(|t| t.kind == Kind::Column)
        .filter(|t| {
            t.blocks.iter().any(|b| matches!(b, Block::Fact("Absent", text) if text == "never"))
        })
        .map(|t| t.name)
        .collect();
    assert_eq!(never, ["netid", "protocol", "family", "state", "state_number", "local"]);
}

#[test]
fn every_reason_without_an_owner_is_explained_where_its_word_leads() {
    let column = words(named("owner_unknown"));
    for reason in Unowned::ALL {
        let text = owner::text_of(reason).unwrap();
        assert!(words(named(reason.name())).contains(text.meaning), "{}", reason.name());
        assert!(column.contains(text.meaning), "{}", reason.name());
    }
}

#[test]
fn every_timer_is_explained() {
    for number in 1..=4 {
        let kind = TimerKind::from_kernel(number).unwrap();
        assert!(timer::TIMERS.iter().any(|of| of.kind == kind), "{}", kind.name());
        named(kind.name());
        assert!(words(named("timers")).contains(kind.name()));
    }
}

#[test]
fn every_myth_of_the_catalogue_has_claim_truth_and_proof() {
    for number in 1..=35 {
        let topic = named(&format!("M{number}"));
        assert_eq!(topic.kind, Kind::Myth);
        assert!(topic.name.starts_with("myth-"));
        let facts: Vec<&str> = topic
            .blocks
            .iter()
            .filter_map(|b| if let Block::Fact(name, _) = b { Some(*name) } else { None })
            .collect();
        assert_eq!(facts, ["True", "Proof"]);
        let of = myth::MYTHS.iter().find(|of| of.name == topic.name).unwrap();
        assert!(topic.title.ends_with(of.claim));
        for told in [of.claim, of.truth] {
            assert!(words(named("myths")).contains(told), "{}", of.name);
        }
    }
    assert_eq!(myth::MYTHS.len(), 35);
}

#[test]
fn what_to_see_also_exists() {
    for topic in topics() {
        let unique: BTreeSet<_> = topic.see_also.iter().collect();
        assert_eq!(unique.len(), topic.see_also.len(), "{} names one twice", topic.name);
        for other in &topic.see_also {
            assert!(topics().iter().any(|t| t.name == *other), "{}: see also {other}", topic.name);
            assert_ne!(*other, topic.name);
        }
    }
}

#[test]
fn kernel_settings_and_error_names_lead_somewhere() {
    for (typed, name) in [
        ("net.ipv4.tcp_fin_timeout", "myth-fin-timeout"),
        ("tcp_tw_reuse", "myth-tw-reuse"),
        ("net.ipv4.tcp_max_tw_buckets", "tcp-max-tw-buckets"),
        ("net.core.somaxconn", "somaxconn"),
        ("net.netfilter.nf_conntrack_max", "nf-conntrack-max"),
        ("fs.file-max", "fs-file-max"),
        (settings::PORT_RANGE, "ephemeral-ports"),
        ("EADDRNOTAVAIL", "errors"),
        ("emfile", "errors"),
        ("2MSL", "2msl"),
        ("accept_queue", "accept_queue"),
        ("accept-queue", "accept-queue"),
        ("Accept.Queue", "accept-queue"),
    ] {
        assert_eq!(named(typed).name, name, "{typed}");
    }
    for nothing in ["", "-", "nonsense", "time-wai"] {
        assert!(find(nothing).is_none(), "{nothing}");
    }
}

#[test]
fn titles_need_no_quoting_in_the_completion_of_a_shell() {
    for topic in topics() {
        assert!(!topic.title.contains(['"', '`', '$', '\\']), "{}: {}", topic.name, topic.title);
    }
}

#[test]
fn a_typo_has_its_neighbours() {
    assert_eq!(nearest("time-wai")[0], "TIME_WAIT");
    assert_eq!(nearest("rlimit-nofil")[0], "rlimit-nofile");
    assert!(nearest("hanshake").contains(&"handshake"));
    assert!(nearest("qqqq").is_empty());
}

/// The transitions of RFC 9293 figure 5, as far as a drawing may use them.
fn may_follow(from: State, to: State) -> bool {
    use State::{
        CloseWait, Closed, Closing, Established, FinWait1, FinWait2, LastAck, Listen, SynRcvd,
        SynSent, TimeWait,
    };
    from == to
        || matches!(
            (from, to),
            (Listen | SynSent, SynRcvd)
                | (SynSent | SynRcvd, Established)
                | (Established, FinWait1 | CloseWait | Closed)
                | (FinWait1, FinWait2 | Closing)
                | (FinWait2 | Closing, TimeWait)
                | (CloseWait, LastAck)
                | (LastAck | TimeWait, Closed)
        )
}

#[test]
fn drawings_follow_the_protocol_and_together_show_every_state_of_it() {
    let all: [&Exchange; 5] = [
        &handshake::OPEN,
        &handshake::SIMULTANEOUS,
        &close::FOUR,
        &close::SIMULTANEOUS,
        &close::ABORT,
    ];
    for exchange in all {
        let lefts: Vec<State> = exchange.steps.iter().filter_map(|s| s.left.0).collect();
        let rights: Vec<State> = exchange.steps.iter().filter_map(|s| s.right.0).collect();
        for side in [lefts, rights] {
            for pair in side.windows(2) {
                assert!(may_follow(pair[0], pair[1]), "{} to {}", pair[0], pair[1]);
            }
        }
    }
    let shown: BTreeSet<State> = all.iter().flat_map(|e| e.states()).collect();
    for state in State::all() {
        let of_linux = matches!(state, State::BoundInactive | State::Unconnected);
        assert_eq!(shown.contains(&state), !of_linux, "{state}");
    }
    for (topic, states) in [
        ("handshake", vec![State::Listen, State::SynSent, State::SynRcvd, State::Established]),
        (
            "close",
            vec![
                State::FinWait1,
                State::FinWait2,
                State::TimeWait,
                State::CloseWait,
                State::LastAck,
                State::Closing,
            ],
        ),
    ] {
        let drawn: String = named(topic)
            .blocks
            .iter()
            .filter_map(|b| if let Block::Drawing(e) = b { Some(e.draw()) } else { None })
            .collect();
        for state in states {
            assert!(drawn.contains(state.name()), "{topic} does not draw {state}");
        }
    }
}

#[test]
fn figures_are_what_the_constants_give() {
    let seconds = TIME_WAIT_MS / 1000;
    let ports = 60_999 - 32_768 + 1;
    let time_wait = format!("{seconds} s");
    for (topic, figure) in [
        ("TIME_WAIT", time_wait.clone()),
        ("2msl", time_wait.clone()),
        ("close", time_wait.clone()),
        ("age", time_wait.clone()),
        ("myth-fin-timeout", time_wait),
        ("TIME_WAIT", format!("{ports} / {seconds} s = {}", ports / seconds)),
        ("ports", format!("{ports} ports")),
        ("ephemeral-ports", format!("{ports} connections")),
        ("myth-64511-ports", format!("{ports}")),
        ("nf-conntrack-max", format!("262144 / 120 s allows {}", 262_144 / 120)),
        // One TIME_WAIT lasts about 61 s in practice.
        ("tcp-max-tw-buckets", format!("about {} closes", (131_072 / 61 + 5) / 10 * 10)),
        // SYN: four times 1 s, then 1, 2, 4, … doubled, six repetitions after those and the end.
        ("SYN_SENT", format!("{} s", 4 + (1 << 7) - 1)),
        ("SYN_SENT", format!("{} s", (1 << 7) - 1)),
        // SYN and ACK: five repetitions and the end, doubled.
        ("SYN_RCVD", format!("{} s", (1 << 6) - 1)),
        ("ports", "0.018 ms".to_owned()),
        ("TIME_WAIT", "0.018 ms".to_owned()),
    ] {
        assert!(words(named(topic)).contains(&figure), "{topic} lacks `{figure}`");
    }
    let text: String = topics().iter().map(words).collect();
    assert!(!text.contains("28,232") && !text.contains("28233"), "one way to write it");
}

#[test]
fn texts_are_ascii_so_that_every_terminal_shows_them() {
    // Columns quote the table of columns, which the view transliterates.
    for topic in topics().iter().filter(|t| t.kind != Kind::Column) {
        assert!(words(topic).is_ascii(), "{}", topic.name);
        // Drawings and what is to be pasted have their own blanks.
        let prose = |block: &&Block| !matches!(block, Block::Command(_) | Block::Drawing(_));
        let blocks = topic.blocks.iter().filter(prose).cloned().collect();
        let text = words(&Topic { blocks, ..topic.clone() });
        assert!(!text.contains("  "), "{}", topic.name);
    }
}
