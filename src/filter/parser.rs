//! Tokens to a tree: the words of ss and our own, and what people type who come from elsewhere.

mod hints;

use super::{
    ast::{Expr, Test, What},
    directory::Directory,
    error::{FilterError, Span},
    lexer::{self, Comparison, Lexeme, Token},
    values::{self, Kind, Value},
};
use crate::{
    field,
    kernel::sock_diag::bytecode::End,
    model::{
        protocol::{Family, Protocol},
        state::StateSet,
    },
};

/// Parentheses and `not` inside each other at most: the reader must not use up its stack.
const DEEPEST: usize = 100;

/// A text, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parsed {
    /// What it means.
    pub expr: Expr,
    /// Whether ss would read it differently: an `and` after an `or` without parentheses, in words
    /// of ss alone. ss takes both from left to right, whatever its manual says.
    pub ss_reads_otherwise: bool,
}

/// Reads a filter.
pub fn parse(text: &str, directory: &dyn Directory) -> Result<Parsed, FilterError> {
    parse_for(text, directory, None)
}

/// Reads a filter where sockets of one family alone are listed.
pub fn parse_for(
    text: &str,
    directory: &dyn Directory,
    family: Option<Family>,
) -> Result<Parsed, FilterError> {
    let read = || {
        let lexemes = lexer::tokens(text)?;
        let mut parser = Parser {
            lexemes,
            at: 0,
            end: text.trim_end().len(),
            depth: 0,
            mixed: false,
            own: false,
            directory,
            family,
        };
        let expr = parser.group()?;
        if let Some(lexeme) = parser.peek() {
            let (message, hint) = match lexeme.token {
                Token::Close => ("this ) closes nothing", "remove it, or open with ( before"),
                Token::Comma => {
                    ("a comma stands between values only", "join tests with `and` or `or`")
                }
                _ => ("a test ends before this", "join tests with `and` or `or`"),
            };
            return Err(FilterError::new(lexeme.span.clone(), message, hint));
        }
        Ok(Parsed { expr, ss_reads_otherwise: parser.mixed && !parser.own })
    };
    read().map_err(|error: FilterError| error.of(text))
}

struct Parser<'a> {
    lexemes: Vec<Lexeme>,
    at: usize,
    /// Where the text ends.
    end: usize,
    depth: usize,
    /// Whether an `and` followed an `or` without parentheses.
    mixed: bool,
    /// Whether a test is of our own words.
    own: bool,
    directory: &'a dyn Directory,
    /// The one family that is listed.
    family: Option<Family>,
}

/// What joins two tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Joint {
    And,
    Or,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Lexeme> {
        self.lexemes.get(self.at)
    }

    fn peek_at(&self, ahead: usize) -> Option<&Lexeme> {
        self.lexemes.get(self.at + ahead)
    }

    fn next(&mut self) -> Option<Lexeme> {
        let lexeme = self.lexemes.get(self.at).cloned();
        self.at += 1;
        lexeme
    }

    fn here(&self) -> Span {
        self.peek().map_or(self.end..self.end, |lexeme| lexeme.span.clone())
    }

    /// A word in lower case as it was typed, so that a quoted one is no keyword.
    fn word_at(&self, ahead: usize) -> Option<String> {
        match &self.peek_at(ahead)?.token {
            Token::Word(raw) => Some(raw.to_ascii_lowercase()),
            _ => None,
        }
    }

    fn is_word(&self, ahead: usize, words: &[&str]) -> bool {
        self.word_at(ahead).is_some_and(|word| words.contains(&word.as_str()))
    }

    fn joint(&self) -> Option<Joint> {
        match self.peek()?.token {
            Token::And => Some(Joint::And),
            Token::Or => Some(Joint::Or),
            Token::Word(_) if self.is_word(0, &["and"]) => Some(Joint::And),
            Token::Word(_) if self.is_word(0, &["or"]) => Some(Joint::Or),
            _ => None,
        }
    }

    fn begins_term(&self) -> bool {
        match self.peek().map(|lexeme| &lexeme.token) {
            Some(Token::Open | Token::Not) => true,
            Some(Token::Word(_)) => self.joint().is_none(),
            _ => false,
        }
    }

    fn deeper(&mut self, span: &Span) -> Result<(), FilterError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(FilterError::new(
                span.clone(),
                format!("more than {DEEPEST} parentheses and `not` inside each other"),
                "write the filter flatter",
            ));
        }
        Ok(())
    }

    /// A whole filter, or what stands in parentheses.
    ///
    /// `state X` before the rest holds for all of the rest, as in ss, where it is no part of the
    /// expression: `state listening sport = :22 or sport = :80`.
    fn group(&mut self) -> Result<Expr, FilterError> {
        if !self.begins_states() {
            return self.disjunction(None);
        }
        let states = self.states()?;
        if self.joint().is_some() {
            return self.disjunction(Some(states));
        }
        if !self.begins_term() {
            return Ok(states);
        }
        Ok(Expr::all_of(vec![states, self.disjunction(None)?]))
    }

    fn disjunction(&mut self, first: Option<Expr>) -> Result<Expr, FilterError> {
        let (expr, _) = self.conjunction(first)?;
        let mut parts = vec![expr];
        while self.joint() == Some(Joint::Or) {
            self.at += 1;
            let (expr, joined) = self.conjunction(None)?;
            self.mixed |= joined;
            parts.push(expr);
        }
        Ok(Expr::any_of(parts))
    }

    /// Terms joined by `and` or by nothing; and whether there were several.
    fn conjunction(&mut self, first: Option<Expr>) -> Result<(Expr, bool), FilterError> {
        let mut parts = vec![match first {
            Some(first) => first,
            None => self.term()?,
        }];
        loop {
            if self.joint() == Some(Joint::And) {
                self.at += 1;
            } else if !self.begins_term() {
                break;
            }
            parts.push(self.term()?);
        }
        let joined = parts.len() > 1;
        Ok((Expr::all_of(parts), joined))
    }

    fn term(&mut self) -> Result<Expr, FilterError> {
        let span = self.here();
        let Some(lexeme) = self.peek().cloned() else {
            return Err(self.missing(&span));
        };
        match lexeme.token {
            Token::Open => {
                self.at += 1;
                self.deeper(&span)?;
                let inside = self.group()?;
                self.depth -= 1;
                match self.next() {
                    Some(Lexeme { token: Token::Close, .. }) => Ok(inside),
                    Some(other) => Err(FilterError::new(
                        other.span,
                        "a test ends before this",
                        "join tests with `and` or `or`, or close with )",
                    )),
                    None => Err(FilterError::new(
                        span,
                        "this ( is not closed",
                        "add ) at the end; in a shell write '(' and ')' in quotes",
                    )),
                }
            }
            Token::Not => self.negation(&span),
            Token::Word(_) if self.is_word(0, &["not"]) => self.negation(&span),
            Token::Word(raw) => self.test(&raw, &span),
            Token::Close | Token::Comma | Token::And | Token::Or | Token::Compare(_) => {
                Err(self.missing(&span))
            }
        }
    }

    fn negation(&mut self, span: &Span) -> Result<Expr, FilterError> {
        self.at += 1;
        self.deeper(span)?;
        let term = self.term()?;
        self.depth -= 1;
        Ok(term.negated())
    }

    /// Whether a state clause of ss begins here: `state X`, without a comparison.
    fn begins_states(&self) -> bool {
        let clause = self.is_word(0, &["state", "exclude", "excl"]);
        let compared = match self.peek_at(1).map(|lexeme| &lexeme.token) {
            Some(Token::Compare(_) | Token::Not) => true,
            Some(Token::Word(raw)) => {
                let word = raw.to_ascii_lowercase();
                Comparison::from_word(&word).is_some() || word == "in" || word == "not"
            }
            _ => false,
        };
        clause && !compared
    }

    /// `state X state Y` is either, `exclude X` takes away: as in ss, one after the other.
    fn states(&mut self) -> Result<Expr, FilterError> {
        let start = self.here();
        let mut states: Option<StateSet> = None;
        let mut end = start.end;
        while self.begins_states() {
            let adds = self.is_word(0, &["state"]);
            let span = self.here();
            self.at += 1;
            let values = self.list(&span, "state listening")?;
            end = values.last().map_or(end, |value| value.span.end);
            let named = values::states(&values)?;
            states = Some(match (adds, states) {
                (true, None) => named,
                (true, Some(sum)) => sum.with(named),
                (false, sum) => sum.unwrap_or(StateSet::ALL).without(named),
            });
        }
        let what = What::State(states.unwrap_or(StateSet::NONE));
        Ok(Expr::Test(Test { what, span: start.start..end }))
    }

    fn test(&mut self, raw: &str, span: &Span) -> Result<Expr, FilterError> {
        if self.begins_states() {
            return self.states();
        }
        self.at += 1;
        let word = raw.to_ascii_lowercase();
        let test = |what| Expr::Test(Test { what, span: span.clone() });
        match word.as_str() {
            "src" => self.end_of(End::Local, span),
            "dst" => self.end_of(End::Peer, span),
            "sport" => self.column("local.port", span, "sport = :22"),
            "dport" => self.column("peer.port", span, "dport = :443"),
            "port" => self.either("port", "port 22", span),
            "host" | "net" => self.either("", "host 10.0.0.1", span),
            "dev" => self.column("local.interface", span, "dev eth0"),
            "fwmark" => self.column("mark", span, "fwmark = 0x1/0xff"),
            "cgroup" => self.column("cgroup", span, "cgroup = /system.slice/nginx.service"),
            "autobound" => Ok(test(What::Autobound)),
            _ => match Protocol::from_name(&word).filter(|_| !self.is_compared()) {
                Some(protocol) => {
                    self.own = true;
                    Ok(test(What::Protocol(vec![protocol])))
                }
                None => self.other(raw, &word, span),
            },
        }
    }

    /// Columns by their ids, `tcp:443` of lsof, and what has no meaning.
    fn other(&mut self, raw: &str, word: &str, span: &Span) -> Result<Expr, FilterError> {
        if let Some((name, port)) = word.split_once(':')
            && let Some(protocol) = Protocol::from_name(name).filter(|p| p.is_inet())
            && !port.is_empty()
        {
            self.own = true;
            let ports = Value { raw: port.to_owned(), span: span.clone() };
            let what = What::Protocol(vec![protocol]);
            let either = self.either_of("port", span, &Ok((Comparison::Equal, vec![ports])))?;
            return Ok(Expr::all_of(vec![Expr::Test(Test { what, span: span.clone() }), either]));
        }
        let Some(field) = field::find(word) else {
            return Err(self.unknown(&lexer::plain(raw), span));
        };
        self.own = true;
        if !self.is_compared() {
            if values::kind(field) == Kind::Flag {
                let what = What::Flag(super::ast::Column(field), true);
                return Ok(Expr::Test(Test { what, span: span.clone() }));
            }
            return Err(self.uncompared(field, span));
        }
        let (comparison, mut values) = self.comparison(span, &values::example(field))?;
        // The JSON place names the unit: `age_ms > 30000`.
        let unit = match field.unit {
            "ms" if word.ends_with("_ms") => "ms",
            "µs" if word.ends_with("_us") => "us",
            _ => "",
        };
        for value in values.iter_mut().filter(|v| v.raw.ends_with(|c: char| c.is_ascii_digit())) {
            value.raw.push_str(unit);
        }
        values::compare(field, span, comparison, &values, self.directory)
    }

    /// `src HOST`, `src = HOST`; `src port 22`, `src host H`, `src net N` as tcpdump has them.
    fn end_of(&mut self, end: End, span: &Span) -> Result<Expr, FilterError> {
        let (name, port) = match end {
            End::Local => ("src", "local.port"),
            End::Peer => ("dst", "peer.port"),
        };
        if self.is_word(0, &["port"]) {
            self.at += 1;
            return self.column(port, span, &format!("{name} port 22"));
        }
        if self.is_word(0, &["host", "net"]) {
            self.at += 1;
        }
        let (comparison, values) = self.comparison(span, &format!("{name} 10.0.0.0/8"))?;
        let whole = span.start..values.last().map_or(span.end, |value| value.span.end);
        match comparison {
            Comparison::Equal => values::hosts(end, &whole, &values, self.directory, self.family),
            Comparison::NotEqual => {
                values::hosts(end, &whole, &values, self.directory, self.family).map(Expr::negated)
            }
            _ => Err(FilterError::new(
                span.clone(),
                "addresses have no order",
                format!("write `{name} 10.0.0.0/8`, or for ports `{port} > 1024`"),
            )),
        }
    }

    /// A column under ss's name for it, with or without an operator.
    fn column(&mut self, id: &str, span: &Span, example: &str) -> Result<Expr, FilterError> {
        let (comparison, values) = self.comparison(span, example)?;
        let end = match id {
            "local.port" => Some(End::Local),
            "peer.port" => Some(End::Peer),
            _ => None,
        };
        if let Some(end) = end.filter(|_| self.family.is_some_and(|family| !family.is_inet())) {
            return values::numbered_ends(end, span, comparison, &values, self.directory);
        }
        match field::find(id) {
            Some(field) => values::compare(field, span, comparison, &values, self.directory),
            None => Err(self.unknown(id, span)),
        }
    }

    /// `port 22`, `host 10.0.0.1`: of either end, as in tcpdump.
    fn either(&mut self, what: &str, example: &str, span: &Span) -> Result<Expr, FilterError> {
        self.own = true;
        let compared = self.comparison(span, example);
        self.either_of(what, span, &compared)
    }

    fn either_of(
        &mut self,
        what: &str,
        span: &Span,
        compared: &Result<(Comparison, Vec<Value>), FilterError>,
    ) -> Result<Expr, FilterError> {
        let (comparison, values) = compared.clone()?;
        let (opposite, comparison) = match comparison {
            Comparison::NotEqual => (true, Comparison::Equal),
            other => (false, other),
        };
        let ids = if what == "port" { ["local.port", "peer.port"] } else { ["local", "peer"] };
        let mut parts = vec![];
        for field in ids.into_iter().filter_map(field::find) {
            parts.push(values::compare(field, span, comparison, &values, self.directory)?);
        }
        let either = Expr::any_of(parts);
        Ok(if opposite { either.negated() } else { either })
    }

    /// Whether a comparison stands here.
    fn is_compared(&self) -> bool {
        let by_word = self
            .word_at(0)
            .is_some_and(|word| word == "in" || Comparison::from_word(&word).is_some());
        let opposite = match self.peek().map(|lexeme| &lexeme.token) {
            Some(Token::Not) => true,
            _ => self.is_word(0, &["not"]),
        };
        matches!(self.peek(), Some(Lexeme { token: Token::Compare(_), .. }))
            || by_word
            || (opposite && self.is_word(1, &["in"]))
    }

    /// An operator, if there is one, and what follows it.
    fn comparison(
        &mut self,
        span: &Span,
        example: &str,
    ) -> Result<(Comparison, Vec<Value>), FilterError> {
        let mut comparison = Comparison::Equal;
        if self.is_compared() {
            match self.next().map(|lexeme| lexeme.token) {
                Some(Token::Compare(found)) => comparison = found,
                Some(Token::Word(raw)) => {
                    let word = raw.to_ascii_lowercase();
                    if word == "not" {
                        self.at += 1;
                        comparison = Comparison::NotEqual;
                    } else if let Some(found) = Comparison::from_word(&word) {
                        comparison = found;
                    }
                }
                // `!in`
                Some(Token::Not) => {
                    self.at += 1;
                    comparison = Comparison::NotEqual;
                }
                _ => {}
            }
            // `= not X`, `is not X`
            if comparison == Comparison::Equal && self.is_word(0, &["not"]) {
                self.at += 1;
                comparison = Comparison::NotEqual;
            }
        }
        Ok((comparison, self.list(span, example)?))
    }

    /// Values with commas between them, in parentheses or not.
    fn list(&mut self, span: &Span, example: &str) -> Result<Vec<Value>, FilterError> {
        let open = matches!(self.peek(), Some(Lexeme { token: Token::Open, .. }));
        if open {
            self.at += 1;
        }
        let mut values = vec![];
        loop {
            let missing = |at: Span| {
                let at = if at.is_empty() { span.clone() } else { at };
                FilterError::new(at, "a value is missing here", format!("for example `{example}`"))
            };
            if self.joint().is_some() {
                return Err(missing(self.here()));
            }
            match self.peek().cloned() {
                Some(Lexeme { token: Token::Word(raw), span }) => {
                    self.at += 1;
                    values.push(Value { raw, span });
                }
                Some(lexeme) => return Err(missing(lexeme.span)),
                None => return Err(missing(self.here())),
            }
            match self.peek().map(|lexeme| &lexeme.token) {
                Some(Token::Comma) => self.at += 1,
                Some(Token::Close) if open => {
                    self.at += 1;
                    return Ok(values);
                }
                _ if open => {
                    return Err(FilterError::new(
                        self.here(),
                        "a list is not closed",
                        "write `in (443, 8443)` or `in 443,8443`",
                    ));
                }
                _ => return Ok(values),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::net::IpAddr;

    struct Services;

    impl Directory for Services {
        fn ports(&self, service: &str) -> Vec<u16> {
            match service {
                "ssh" => vec![22],
                "https" => vec![443],
                _ => vec![],
            }
        }

        fn addresses(&self, host: &str) -> Vec<IpAddr> {
            if host == "localhost" { vec!["127.0.0.1".parse().unwrap()] } else { vec![] }
        }
    }

    fn shown(text: &str) -> String {
        parse(text, &Services).unwrap_or_else(|error| panic!("{error}")).expr.to_string()
    }

    #[test]
    fn the_grammar_of_ss() {
        for (text, meant) in [
            ("state time-wait", "state = TIME_WAIT"),
            ("state established state syn-sent", "state in SYN_SENT,ESTABLISHED"),
            (
                "exclude listening exclude time-wait",
                "state in CLOSED,SYN_SENT,SYN_RCVD,ESTABLISHED,CLOSE_WAIT,LAST_ACK,FIN_WAIT_1,FIN_WAIT_2,CLOSING",
            ),
            (
                "state connected excl syn-sent",
                "state in SYN_RCVD,ESTABLISHED,CLOSE_WAIT,LAST_ACK,FIN_WAIT_1,FIN_WAIT_2,CLOSING,TIME_WAIT",
            ),
            ("sport = :22", "local.port = 22"),
            ("sport :22", "local.port = 22"),
            ("sport=:ssh", "local.port = 22"),
            ("dport eq https", "peer.port = 443"),
            ("dport != :22", "not peer.port = 22"),
            ("sport gt :1024", "local.port >= 1025"),
            ("sport geq 1024 dport leq 99", "local.port >= 1024 and peer.port <= 99"),
            ("src 10/8", "local.address = 10.0.0.0/8"),
            ("dst = [::1]:22", "peer.address = [::1] and peer.port = 22"),
            ("dst 10.0.0.0/8:443", "peer.address = 10.0.0.0/8 and peer.port = 443"),
            ("src *", "local.address = *"),
            ("dst :22", "peer.port = 22"),
            ("src localhost", "local.address = 127.0.0.1"),
            ("dev eth0", "local.interface = eth0"),
            ("dev != 3", "not local.interface = 3"),
            ("fwmark = 0x1/0x3", "mark = 0x1/0x3"),
            ("cgroup /a/b", "cgroup = /a/b"),
            ("autobound", "autobound"),
            ("! autobound", "not autobound"),
            (
                "( dport = :443 or sport gt :1024 ) and dst 10.0.0.0/8",
                "(peer.port = 443 or local.port >= 1025) and peer.address = 10.0.0.0/8",
            ),
            (
                "sport = :1 & dport = :2 | sport = :3",
                "(local.port = 1 and peer.port = 2) or local.port = 3",
            ),
            // `state` in front holds for all of the rest, and may stand anywhere else.
            (
                "state listening sport = :22 or sport = :80",
                "state = LISTEN and (local.port = 22 or local.port = 80)",
            ),
            ("sport = :80 state listening", "local.port = 80 and state = LISTEN"),
            ("state listening or state established", "state = LISTEN or state = ESTABLISHED"),
            ("inet6:[::1]", "family = ipv6 and local.address = [::1]"),
        ] {
            let text =
                if text.starts_with("inet6") { format!("src {text}") } else { text.to_owned() };
            assert_eq!(shown(&text), meant, "{text}");
        }
    }

    #[test]
    fn words_of_our_own() {
        for (text, meant) in [
            (
                "state = TIME_WAIT and peer.port in 443,8000-8999 and process = nginx",
                "state = TIME_WAIT and peer.port in 443,8000-8999 and process = nginx",
            ),
            ("rtt>50ms", "rtt >= 50001us"),
            ("tcp_info.rtt_us > 50ms", "rtt >= 50001us"),
            ("tcp_info.rtt_us > 50", "rtt >= 51us"),
            ("age_ms in 10-20,30000", "age in 10ms-20ms,30000ms"),
            ("recv_queue_bytes > 0", "recv_queue >= 1"),
            ("recv_queue > 0 or retransmits > 0", "recv_queue >= 1 or retransmits >= 1"),
            ("user = www-data pid = 42", "user = www-data and pid = 42"),
            ("container = web netns = blue", "container = web and netns.name = blue"),
            ("peer = 10.0.0.0/8", "peer.address = 10.0.0.0/8"),
            ("peer = 10.0.0.0/8:443", "peer.address = 10.0.0.0/8 and peer.port = 443"),
            ("peer.port not in (443, 80)", "not peer.port in 80,443"),
            ("state is not LISTEN", "not state = LISTEN"),
            ("state != time_wait", "not state = TIME_WAIT"),
            ("state in ESTAB,listen", "state in LISTEN,ESTABLISHED"),
            ("not (a = 1)", "error"),
            ("v6only", "v6only = true"),
            ("process = 'my (prog)'", r"process = my\ \(prog\)"),
            ("not not pid = 1", "not not pid = 1"),
            ("NOT pid = 1 AND pid = 2", "not pid = 1 and pid = 2"),
        ] {
            match parse(text, &Services) {
                Ok(parsed) => assert_eq!(parsed.expr.to_string(), meant, "{text}"),
                Err(error) => assert_eq!(meant, "error", "{error}"),
            }
        }
    }

    #[test]
    fn not_binds_tighter_than_and_and_and_than_or() {
        assert_eq!(shown("pid=1 or pid=2 and not pid=3"), "pid = 1 or (pid = 2 and not pid = 3)");
        assert_eq!(shown("pid=1 pid=2 or pid=3"), "(pid = 1 and pid = 2) or pid = 3");
        for (text, otherwise) in [
            ("src 1.0.0.0 or src 2.0.0.0 and dst 3.0.0.0", true),
            ("src 1.0.0.0 or src 2.0.0.0 dst 3.0.0.0", true),
            ("src 1.0.0.0 or ( src 2.0.0.0 and dst 3.0.0.0 )", false),
            ("src 1.0.0.0 and src 2.0.0.0 or dst 3.0.0.0", false),
            ("src 1.0.0.0 or dst 3.0.0.0:22", false),
            // ss cannot read it at all.
            ("pid = 1 or pid = 2 and pid = 3", false),
        ] {
            assert_eq!(parse(text, &Services).unwrap().ss_reads_otherwise, otherwise, "{text}");
        }
    }

    #[test]
    fn the_habits_of_other_tools_work_or_are_told_what_does() {
        for (text, meant) in [
            ("port 22", "local.port = 22 or peer.port = 22"),
            ("port != 22", "not (local.port = 22 or peer.port = 22)"),
            ("src port 22", "local.port = 22"),
            ("dst port 22", "peer.port = 22"),
            ("host 10.0.0.1", "local.address = 10.0.0.1 or peer.address = 10.0.0.1"),
            ("dst host 10.0.0.1", "peer.address = 10.0.0.1"),
            (
                "dst net 10/8 and tcp port 443",
                "peer.address = 10.0.0.0/8 and protocol = tcp and (local.port = 443 or peer.port = 443)",
            ),
            ("tcp:443", "protocol = tcp and (local.port = 443 or peer.port = 443)"),
            ("TCP:https", "protocol = tcp and (local.port = 443 or peer.port = 443)"),
            ("udp", "protocol = udp"),
            ("unix", "protocol = unix"),
            ("src unix:/run/*", "src unix:/run/*"),
            ("dst = /run/x,@y", "dst unix:/run/x,unix:@y"),
            ("src != netlink:rtnl", "not src netlink:0:*"),
            ("local.address = /run/x*", "src unix:/run/x*"),
            ("src link:arp:eth0 and dst *", "src link:2054:eth0 and peer.address = *"),
            ("path = '/run/a b' and type = stream", r"path = /run/a\ b and type = stream"),
            ("netlink.groups = 1 or pending > 5", "netlink.groups = 1 or pending >= 6"),
            ("state listen", "state = LISTEN"),
            (
                "state == LISTEN && sport == 22 || dport==443",
                "(state = LISTEN and local.port = 22) or peer.port = 443",
            ),
            ("dport=:ssh", "peer.port = 22"),
            ("(sport = 22)", "local.port = 22"),
        ] {
            assert_eq!(shown(text), meant, "{text}");
        }
        for (text, under, hint) in [
            ("sport = 70000", "70000", "0 to 65535"),
            ("sport = 026", "026", "`22`"),
            ("state establshed", "establshed", "`ESTABLISHED`"),
            ("state = listen and acceptq > 0", "acceptq", "`accept_queue > 0`"),
            ("listening", "listening", "`state listening`"),
            ("pid 42", "pid", "`pid = 42`"),
            ("user root", "user", "`user = root`"),
            ("user", "user", "`user = nginx*`"),
            (":22", ":22", "`port 22`"),
            ("443", "443", "`port 443`"),
            ("10.0.0.1", "10.0.0.1", "`host 10.0.0.1`"),
            ("@10.0.0.1:80", "@10.0.0.1:80", "`host 10.0.0.1:80`"),
            ("::1", "::1", "`host ::1`"),
            ("command = nginx", "command", "`process = nginx`"),
            ("remote_port = 443", "remote_port", "`peer.port = 443`"),
            ("recvq > 0", "recvq", "`recv_queue > 0`"),
            ("rttt > 5ms", "rttt", "`rtt > 5ms`"),
            ("process =~ nginx", "~", "`process = ngin*`"),
            ("process ~ nginx", "~", "`process = ngin*`"),
            ("sport =", "sport", "`sport = :22`"),
            ("sport = and dport = 1", "and", "`sport = :22`"),
            ("state", "state", "`state listening`"),
            ("( sport = 22", "(", ")"),
            ("sport = 22 )", ")", "remove"),
            ("sport = 22 or", "", "state = TIME_WAIT"),
            ("dst 443", "443", "`:443`"),
            ("peer.port > 80,90", "peer.port > 80,90", "in"),
            ("zzz = 1", "zzz", "--columns help"),
            ("unix:/run/x", "unix:/run/x", "`src unix:/run/x`"),
            ("src link:nosuch", "link:nosuch", "link:arp:eth0"),
            ("ip6", "ip6", "family = ipv6"),
            ("port in (1,2", "", "in (443, 8443)"),
            ("pid = 1, and", "and", "pid > 0"),
        ] {
            let error = parse(text, &Services).expect_err(text);
            assert_eq!(text.get(error.span.clone()), Some(under), "{error}");
            assert!(error.hint.contains(hint), "{error}");
        }
    }

    #[test]
    fn deep_nesting_is_refused_before_the_stack_ends() {
        let text = format!("{}sport = 1{}", "(".repeat(100_000), ")".repeat(100_000));
        assert!(parse(&text, &Services).unwrap_err().message.contains("inside each other"));
        assert!(parse(&"not ".repeat(100_000), &Services).is_err());
        let flat = vec!["sport = 1"; 20_000].join(" or ");
        assert_eq!(parse(&flat, &Services).unwrap().expr.tests().len(), 20_000);
    }

    #[test]
    fn a_test_keeps_its_ports() {
        let parsed = parse("sport in 9,1-3,2", &Services).unwrap();
        assert_eq!(parsed.expr.to_string(), "local.port in 1-3,9");
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in r"[ -~é\n]{0,60}") {
            if let Err(error) = parse(&text, &Services) {
                prop_assert!(text.get(error.span.clone()).is_some(), "{:?}", error.span);
                let _ = error.to_string();
            }
        }

        #[test]
        fn any_words_are_read_or_refused_and_what_is_printed_is_read_back(
            words in prop::collection::vec(prop::sample::select(WORDS), 1..14)
        ) {
            let text = words.join(" ");
            match parse(&text, &Services) {
                Ok(parsed) => {
                    let printed = parsed.expr.to_string();
                    let again = parse(&printed, &Services);
                    prop_assert_eq!(again.map(|p| p.expr), Ok(parsed.expr), "{} became {}", text, printed);
                }
                Err(error) => prop_assert!(text.get(error.span.clone()).is_some()),
            }
        }

        #[test]
        fn names_are_printed_so_that_they_are_read_back(name in r"[ -~é\n\t]{0,12}") {
            let pattern = super::super::pattern::Pattern::exactly(&name);
            let text = format!("process = {pattern}");
            let parsed = parse(&text, &Services);
            prop_assert_eq!(parsed.map(|p| p.expr.to_string()), Ok(text));
        }
    }

    const WORDS: &[&str] = &[
        "(",
        ")",
        "and",
        "or",
        "not",
        "!",
        "=",
        "!=",
        "<",
        ">=",
        "in",
        ",",
        "state",
        "exclude",
        "listening",
        "TIME_WAIT",
        "src",
        "dst",
        "10/8",
        "[::1]:22",
        "*",
        ":22",
        "sport",
        "dport",
        "443",
        "8000-8999",
        "unix:/run/*",
        "link:arp:eth0",
        "netlink:rtnl:5",
        "vsock:3:*",
        "@x",
        "rtt",
        "50ms",
        "process",
        "ngin*",
        "dev",
        "eth0",
        "fwmark",
        "1/3",
        "cgroup",
        "/a",
        "autobound",
        "port",
        "host",
        "tcp",
        "v6only",
        "user",
        "0",
        "netns",
        "timer",
        "keepalive",
        "sport = 1",
        "dport > 5",
        "state = listen",
        "rtt > 5ms",
        "pid = 7",
    ];
}
