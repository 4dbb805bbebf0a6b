//! One test: a keyword of ss or tcpdump, a column, `tcp:443` of lsof.

use super::Parser;
use crate::{
    field,
    filter::{
        ast::{Column, Expr, Test, What},
        error::{FilterError, Span},
        kind::{self, Kind},
        lexer::{self, Comparison},
        value::Value,
        values,
    },
    kernel::sock_diag::bytecode::End,
    model::protocol::{Family, Protocol},
};

impl Parser<'_> {
    pub(super) fn test(&mut self, raw: &str, span: &Span) -> Result<Expr, FilterError> {
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
            "port" | "portrange" => self.either("port", "port 22", span),
            "host" | "net" => self.either("", "host 10.0.0.1", span),
            "dev" => self.column("local.interface", span, "dev eth0"),
            "fwmark" => self.column("mark", span, "fwmark = 0x1/0xff"),
            "cgroup" => self.column("cgroup", span, "cgroup = /system.slice/nginx.service"),
            "autobound" => Ok(test(What::Autobound)),
            "ip" | "inet" | "ip6" | "inet6" if !self.is_compared() => {
                self.own = true;
                let is_new = word.ends_with('6');
                Ok(test(What::Family(if is_new { Family::Ipv6 } else { Family::Ipv4 })))
            }
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
            if kind::kind(field) == Kind::Flag {
                let what = What::Flag(Column(field), true);
                return Ok(Expr::Test(Test { what, span: span.clone() }));
            }
            return Err(self.uncompared(field, span));
        }
        let (comparison, mut values) = self.comparison(span, &kind::example(field))?;
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
        if self.is_word(0, &["port", "portrange"]) {
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
}
