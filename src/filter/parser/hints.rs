//! What was probably meant, where a filter has no meaning: by people who come from ss, netstat, lsof
//! or tcpdump, or who mistyped a word.

use super::Parser;
use crate::{
    field::{self, definition::Field},
    filter::{
        error::{FilterError, Span},
        host, kind,
        lexer::{Comparison, Token},
        pattern::Pattern,
        value::Value,
        values, words,
    },
};

impl Parser<'_> {
    /// Where a test has to stand and none does.
    pub(super) fn missing(&self, span: &Span) -> FilterError {
        let message =
            if self.lexemes.is_empty() { "the filter is empty" } else { "a test is missing here" };
        FilterError::new(
            span.clone(),
            message,
            "a test is `state = TIME_WAIT`, `peer.port = 443`, `rtt > 50ms`, `dst 10.0.0.0/8`",
        )
    }

    /// Where a column stands alone.
    pub(super) fn uncompared(&self, field: &'static Field, span: &Span) -> FilterError {
        let hint = match self.peek().map(|lexeme| &lexeme.token) {
            Some(Token::Word(value)) if self.joint().is_none() => {
                let typed = Value { raw: value.clone(), span: self.here() };
                let read =
                    values::compare(field, span, Comparison::Equal, &[typed], self.directory);
                match read {
                    Ok(_) => format!("write `{} = {value}`", field.id),
                    Err(_) => format!("write `{}`", kind::example(field)),
                }
            }
            _ => format!("write `{}`", kind::example(field)),
        };
        FilterError::new(span.clone(), format!("expected a comparison after `{}`", field.id), hint)
    }

    /// Whose name a word may be.
    fn named(word: &str) -> String {
        let exactly = Pattern::exactly(word);
        format!(
            "a program is `process = {exactly}`, a user `user = {exactly}`; `--columns help` lists every column"
        )
    }

    /// What a word that is no column was probably meant to be.
    pub(super) fn unknown(&self, word: &str, span: &Span) -> FilterError {
        let wrong = |message: String, hint: String| FilterError::new(span.clone(), message, hint);
        let no_column = format!("no column is called `{word}`");
        if words::state_word(word).is_some() {
            return wrong(format!("`{word}` alone is no test"), format!("write `state {word}`"));
        }
        let prefixes = ["unix:", "link:", "netlink:", "vsock:"];
        if prefixes.iter().any(|prefix| word.starts_with(prefix)) || word.starts_with('/') {
            return wrong(
                no_column,
                format!("this end is `src {word}`, the other end `dst {word}`"),
            );
        }
        if let Some(port) = word.strip_prefix(':').filter(|port| !port.starts_with(':')) {
            return wrong(
                no_column,
                format!(
                    "either end's port is `port {port}`; one end's is `sport = :{port}` or `dport = :{port}`"
                ),
            );
        }
        if let Some(host) = word.strip_prefix('@') {
            return wrong(no_column, format!("either end's address is `host {host}`"));
        }
        if !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit()) {
            return wrong(no_column, format!("a port is `port {word}`, a process `pid = {word}`"));
        }
        if host::looks_like_one(word) {
            return wrong(
                no_column,
                format!(
                    "either end's address is `host {word}`; one end's is `src {word}` or `dst {word}`"
                ),
            );
        }
        if word.contains('[') {
            return wrong(
                no_column,
                "a filter selects sockets, not packets: `tcp and state SYN_SENT`".to_owned(),
            );
        }
        let lower = word.to_ascii_lowercase();
        if !self.directory.ports(&lower).is_empty() {
            return wrong(no_column, format!("the port of a service is `port {lower}`"));
        }
        let known = match lower.as_str() {
            "command" | "comm" | "cmd" | "program" | "prog" | "name" | "exe" | "users" => "process",
            "lport" | "localport" | "local_port" | "src_port" | "srcport" => "local.port",
            "rport" | "remoteport" | "remote_port" | "peer_port" | "dst_port" | "dstport"
            | "foreign_port" => "peer.port",
            "laddr" | "local_address" | "saddr" | "srcip" => "local.address",
            "raddr" | "faddr" | "remote" | "remote_address" | "foreign" | "daddr" | "dstip"
            | "peer_address" => "peer.address",
            "recvq" | "recv-q" | "rx_queue" => "recv_queue",
            "sendq" | "send-q" | "tx_queue" => "send_queue",
            "backlog" | "acceptq" => "accept_queue",
            "proto" | "netid" => "protocol",
            "iface" | "interface" | "device" => "local.interface",
            "status" | "st" => "state",
            _ => match field::nearest(&lower) {
                Some(near) => near,
                None => return wrong(no_column, Self::named(word)),
            },
        };
        // Their own comparison, if it is one; a word alone is to be equal.
        let typed = match (self.peek().map(|lexeme| &lexeme.token), self.peek_at(1)) {
            (Some(Token::Compare(comparison)), Some(lexeme)) => Some((*comparison, &lexeme.token)),
            (Some(value), _) => Some((Comparison::Equal, value)),
            _ => None,
        };
        let example = match (typed, field::find(known)) {
            (Some((comparison, Token::Word(raw))), Some(field)) => {
                let value = Value { raw: raw.clone(), span: span.clone() };
                let read = values::compare(field, span, comparison, &[value], self.directory);
                read.ok().map(|_| format!("{known} {} {raw}", comparison.symbol()))
            }
            _ => None,
        };
        let example = example.map_or(String::new(), |example| format!(", as in `{example}`"));
        wrong(
            no_column,
            format!("did you mean `{known}`{example}? `--columns help` lists every column"),
        )
    }
}
