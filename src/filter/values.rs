//! What a comparison of a column with values means.

use super::{
    ast::{Column, Expr, Interface, Ranges, Test, What},
    directory::Directory,
    error::{FilterError, Span},
    family_host, host,
    kind::{Kind, Unit, example, kind},
    lexer::{self, Comparison},
    pattern::Pattern,
    ports,
    quantity::{self, Fraction},
    value::Value,
    words,
};
use crate::{
    field::{self, definition::Field},
    kernel::sock_diag::bytecode::End,
    model::protocol::Family,
};

/// Reads a comparison of a column with one value or several.
pub fn compare(
    field: &'static Field,
    span: &Span,
    comparison: Comparison,
    values: &[Value],
    directory: &dyn Directory,
) -> Result<Expr, FilterError> {
    if comparison == Comparison::NotEqual {
        return compare(field, span, Comparison::Equal, values, directory).map(Expr::negated);
    }
    let whole = span.start..values.last().map_or(span.end, |value| value.span.end);
    let test = |what| Expr::Test(Test { what, span: whole.clone() });
    if comparison != Comparison::Equal {
        return Ok(test(ordered(field, span, comparison, values, directory)?));
    }
    let each =
        |of: fn(&Value) -> Result<Pattern, FilterError>| -> Result<Vec<Pattern>, FilterError> {
            values.iter().map(of).collect()
        };
    Ok(test(match kind(field) {
        Kind::State => What::State(words::states(values)?),
        Kind::Protocol => {
            let mut found = values.iter().map(words::protocol).collect::<Result<Vec<_>, _>>()?;
            found.sort_unstable();
            found.dedup();
            What::Protocol(found)
        }
        Kind::Family => {
            let parts = values.iter().map(|value| Ok(test(What::Family(words::family(value)?))));
            return Ok(Expr::any_of(parts.collect::<Result<_, _>>()?));
        }
        Kind::Port(end) => {
            let mut found = vec![];
            for value in values {
                found.extend(ports::parse(&value.plain(), &value.span, directory)?);
            }
            What::Port(end, Ranges::new(found))
        }
        Kind::Address(end) | Kind::Endpoint(end) => {
            return hosts(end, &whole, values, directory, None);
        }
        Kind::Interface => What::Interface(values.iter().map(interface).collect::<Result<_, _>>()?),
        Kind::Mark => What::Mark(values.iter().map(mark).collect::<Result<_, _>>()?),
        Kind::Cgroup => What::Name(Column(field), each(|value| Ok(cgroup(value)))?),
        Kind::Number(unit) => numbers(field, unit, values, &whole)?,
        Kind::Name => return names(field, &whole, values),
        Kind::Word => {
            let found =
                values.iter().map(|value| words::word(field, value)).collect::<Result<_, _>>()?;
            What::Name(Column(field), found)
        }
        Kind::Flag => {
            let [value] = values else {
                let hint = format!("write `{}`", example(field));
                return Err(FilterError::new(whole, "a flag has one value", hint));
            };
            What::Flag(Column(field), words::flag(value)?)
        }
    }))
}

/// The columns of `netns = 4026531840` and `netns = blue` differ, and so do those of users and
/// owners: what is compared tells which is meant.
fn names(field: &'static Field, whole: &Span, values: &[Value]) -> Result<Expr, FilterError> {
    let is_number = |value: &Value| {
        let text = value.plain();
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
    };
    let by_number = match field.id {
        "user" => field::find("uid"),
        "owner" => field::find("pid"),
        _ => None,
    };
    let by_name = if field.id == "owner" { field::find("process") } else { None };
    let (numeric, named): (Vec<_>, Vec<_>) =
        values.iter().cloned().partition(|value| by_number.is_some() && is_number(value));
    let mut parts = vec![];
    if let Some(number) = by_number.filter(|_| !numeric.is_empty()) {
        let what = numbers(number, Unit::Count, &numeric, whole)?;
        parts.push(Expr::Test(Test { what, span: whole.clone() }));
    }
    if !named.is_empty() {
        let patterns = named.iter().map(Value::pattern).collect();
        let what = What::Name(Column(by_name.unwrap_or(field)), patterns);
        parts.push(Expr::Test(Test { what, span: whole.clone() }));
    }
    Ok(Expr::any_of(parts))
}

fn ordered(
    field: &'static Field,
    span: &Span,
    comparison: Comparison,
    values: &[Value],
    directory: &dyn Directory,
) -> Result<What, FilterError> {
    let [value] = values else {
        return Err(FilterError::new(
            span.start..values.last().map_or(span.end, |v| v.span.end),
            "a list can only be compared with `=`, `!=` and `in`",
            format!("write `{}`, or one value", example(field)),
        ));
    };
    let (fraction, most) = match kind(field) {
        Kind::Port(_) => {
            let text = value.plain();
            match *ports::parse(&text, &value.span, directory)? {
                [(low, high)] if low == high => (Fraction::whole(low), ports::HIGHEST),
                _ => {
                    return Err(value.wrong(
                        format!("`{text}` is no single port"),
                        "`<` and `>` take one port; a range is `= 8000-8999`",
                    ));
                }
            }
        }
        Kind::Number(unit) => {
            named_namespace(field, value)?;
            (quantity::read(&value.plain(), unit, field, value)?, u64::MAX)
        }
        _ => {
            return Err(FilterError::new(
                span.clone(),
                format!("`{}` has no order", field.id),
                format!("compare with `=`, `!=` or `in`: `{}`", example(field)),
            ));
        }
    };
    let (low, high) = match comparison {
        Comparison::Less => match fraction.ceiling().checked_sub(1) {
            Some(high) => (0, high),
            None => return Err(value.wrong("nothing is below 0", "write `= 0` or `> 0`")),
        },
        Comparison::AtMost => (0, fraction.floor()),
        Comparison::Greater => (fraction.floor().saturating_add(1), most),
        _ => (fraction.ceiling(), most),
    };
    if low > most || (comparison == Comparison::Greater && fraction.floor() >= most) {
        return Err(value.wrong(format!("nothing is above {most}"), format!("`= {most}` or less")));
    }
    let ranges = Ranges::new(vec![(low, high.min(most))]);
    Ok(match kind(field) {
        Kind::Port(end) => What::Port(end, ranges),
        _ => What::Number(Column(field), ranges),
    })
}

/// Ports of a family that is not of the internet: numbers of 32 bits; of a unix socket the inode,
/// as in ss.
pub fn numbered_ends(
    end: End,
    span: &Span,
    comparison: Comparison,
    values: &[Value],
    directory: &dyn Directory,
) -> Result<Expr, FilterError> {
    let Some(number) = field::find("inode") else {
        return Ok(Expr::any_of(vec![]));
    };
    let bare = |value: &Value| Value {
        raw: value.raw.strip_prefix(':').unwrap_or(&value.raw).to_owned(),
        span: value.span.clone(),
    };
    let values: Vec<_> = values.iter().map(bare).collect();
    let expr = compare(number, span, comparison, &values, directory)?;
    Ok(as_port(expr, end))
}

fn as_port(expr: Expr, end: End) -> Expr {
    match expr {
        Expr::Not(part) => as_port(*part, end).negated(),
        Expr::Test(Test { what: What::Number(_, ranges), span }) => {
            Expr::Test(Test { what: What::Port(end, ranges), span })
        }
        other => other,
    }
}

/// Ends with addresses, ports or both.
pub fn hosts(
    end: End,
    whole: &Span,
    values: &[Value],
    directory: &dyn Directory,
    only: Option<Family>,
) -> Result<Expr, FilterError> {
    let test = |what| Expr::Test(Test { what, span: whole.clone() });
    let (mut hosts, mut others) = (vec![], vec![]);
    for value in values {
        match family_host::parse(&lexer::characters(&value.raw), &value.span, only)? {
            Some(other) => others.push(other),
            None => hosts.push(host::parse(&value.plain(), &value.span, directory)?),
        }
    }
    let others = (!others.is_empty()).then(|| test(What::Host(end, others)));
    if hosts.is_empty() {
        return Ok(Expr::any_of(others.into_iter().collect()));
    }
    // Addresses alone are one test, whatever their number.
    if hosts.iter().all(|host| host.ports.is_empty() && host.family.is_none()) {
        let prefixes = hosts.into_iter().flat_map(|host| host.prefixes).collect();
        let addresses = test(What::Address(end, prefixes));
        return Ok(Expr::any_of(others.into_iter().chain([addresses]).collect()));
    }
    let of = |host: host::Host| {
        let mut parts = vec![];
        parts.extend(host.family.map(|family| test(What::Family(family))));
        if !host.prefixes.is_empty()
            && (host.prefixes != [super::ast::Prefix::Any] || parts.is_empty())
        {
            parts.push(test(What::Address(end, host.prefixes)));
        }
        if !host.ports.is_empty() {
            parts.push(test(What::Port(end, Ranges::new(host.ports))));
        }
        Expr::all_of(parts)
    };
    Ok(Expr::any_of(others.into_iter().chain(hosts.into_iter().map(of)).collect()))
}

fn interface(value: &Value) -> Result<Interface, FilterError> {
    let text = value.plain();
    if text.is_empty() {
        return Err(
            value.wrong("an interface is missing", "write `dev eth0`; `ip link` lists them")
        );
    }
    if text.bytes().all(|b| b.is_ascii_digit()) {
        let wrong = |_| {
            value.wrong(format!("`{text}` is no interface"), "write its name, as in `dev eth0`")
        };
        return text.parse().map(Interface::Index).map_err(wrong);
    }
    Ok(Interface::Name(value.pattern()))
}

fn mark(value: &Value) -> Result<(u32, u32), FilterError> {
    let text = value.plain();
    let number = |text: &str| match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(hex) => u32::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    };
    let parsed = match text.split_once('/') {
        Some((value, mask)) => number(value).zip(number(mask)),
        None => number(&text).map(|value| (value, u32::MAX)),
    };
    parsed.ok_or_else(|| {
        value.wrong(format!("`{text}` is no mark"), "write `fwmark = 1`, `0x10` or `0x10/0xff`")
    })
}

/// A path below the root of the hierarchy; where it is mounted does not count.
fn cgroup(value: &Value) -> Pattern {
    let characters = lexer::characters(&value.raw);
    let text: String = characters.iter().map(|(c, _)| *c).collect();
    let mounts = ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"];
    let below = |mount: &&str| {
        text.strip_prefix(*mount).is_some_and(|r| r.is_empty() || r.starts_with('/'))
    };
    let skip = mounts.iter().find(|m| below(m)).map_or(0, |mount| mount.chars().count());
    let mut path: Vec<_> = characters.into_iter().skip(skip).collect();
    while path.len() > 1 && path.last().is_some_and(|(c, _)| *c == '/') {
        path.pop();
    }
    if path.first().is_none_or(|(c, literal)| *c != '/' && (*literal || *c != '*')) {
        path.insert(0, ('/', true));
    }
    Pattern::new(&path)
}

/// The name of a namespace is another column than its inode.
fn name_of_namespace(field: &Field) -> Option<&'static Field> {
    match field.id {
        "netns" => field::find("netns.name"),
        "peer.netns" => field::find("peer.netns.name"),
        _ => None,
    }
}

/// Names are alike or not, and nothing else.
fn named_namespace(field: &Field, value: &Value) -> Result<(), FilterError> {
    let digits = value.plain().bytes().all(|b| b.is_ascii_digit());
    if name_of_namespace(field).is_some() && !digits {
        return Err(value.wrong("a name has no order", "write `netns = NAME` or `netns != NAME`"));
    }
    Ok(())
}

fn numbers(
    field: &'static Field,
    unit: Unit,
    values: &[Value],
    whole: &Span,
) -> Result<What, FilterError> {
    if let Some(name) = name_of_namespace(field)
        && values.iter().any(|value| !value.plain().bytes().all(|b| b.is_ascii_digit()))
    {
        return Ok(What::Name(Column(name), values.iter().map(Value::pattern).collect()));
    }
    let mut ranges = vec![];
    for value in values {
        let text = value.plain();
        let exact = |text: &str| {
            let fraction = quantity::read(text, unit, field, value)?;
            if fraction.is_whole() {
                return Ok(fraction.floor());
            }
            let hint = format!("it is told in {}; compare with `>` or `<`", field.unit);
            Err(value.wrong(format!("`{}` is never exactly {text}", field.id), hint))
        };
        let range = text.char_indices().skip(1).find(|(_, c)| *c == '-');
        ranges.push(if let Some((at, _)) = range {
            let (low, high) =
                (text.get(..at).unwrap_or_default(), text.get(at + 1..).unwrap_or_default());
            let high_number = exact(high)?;
            // `1-5ms`: the unit is that of the end.
            let bare = low.bytes().all(|b| b.is_ascii_digit() || b == b'.');
            let unit_of_high: String =
                high.chars().skip_while(|c| c.is_ascii_digit() || *c == '.').collect();
            let with_unit = if bare { format!("{low}{unit_of_high}") } else { low.to_owned() };
            let low = exact(&with_unit)?;
            if low > high_number {
                let message = format!("the range `{text}` ends before it begins");
                return Err(value.wrong(message, "write the lower end first"));
            }
            (low, high_number)
        } else {
            let number = exact(&text)?;
            (number, number)
        });
    }
    if ranges.is_empty() {
        return Err(FilterError::new(whole.clone(), "a number is missing", example(field)));
    }
    Ok(What::Number(Column(field), Ranges::new(ranges)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::directory::Empty;

    fn compared(id: &str, comparison: Comparison, values: &[&str]) -> Result<String, FilterError> {
        let values: Vec<_> =
            values.iter().map(|raw| Value { raw: (*raw).to_owned(), span: 0..1 }).collect();
        let field = field::find(id).unwrap();
        compare(field, &(0..1), comparison, &values, &Empty).map(|expr| expr.to_string())
    }

    #[test]
    fn units_are_read_exactly() {
        use Comparison::{AtLeast, AtMost, Equal, Greater, Less};
        for (id, comparison, value, shown) in [
            ("rtt", Greater, "50ms", "rtt >= 50001us"),
            ("rtt", AtLeast, "0.5ms", "rtt >= 500us"),
            ("rtt", Less, "1s", "rtt <= 999999us"),
            ("rtt", Equal, "1ms-5ms", "rtt in 1000us-5000us"),
            ("rtt", Equal, "1-5ms", "rtt in 1000us-5000us"),
            ("rtt", Greater, "0", "rtt >= 1us"),
            ("age", Greater, "30s", "age >= 30001ms"),
            ("age", Greater, "500us", "age >= 1ms"),
            ("age", AtMost, "1min", "age <= 60000ms"),
            ("recv_queue", Greater, "64KiB", "recv_queue >= 65537"),
            ("recv_queue", AtLeast, "1.5k", "recv_queue >= 1500"),
            ("recv_queue", AtLeast, "1kB", "recv_queue >= 1000"),
            ("recv_queue", AtLeast, "2M", "recv_queue >= 2000000"),
            ("delivery_rate", AtLeast, "10Mbit", "delivery_rate >= 1250000"),
            ("delivery_rate", AtLeast, "10Mbps", "delivery_rate >= 1250000"),
            ("delivery_rate", AtLeast, "10MB/s", "delivery_rate >= 10000000"),
            ("retransmits", Greater, "0", "retransmits >= 1"),
            ("pid", Equal, "42", "pid = 42"),
            ("local.port", Greater, "1024", "local.port >= 1025"),
            ("peer.port", Less, "1024", "peer.port <= 1023"),
        ] {
            assert_eq!(compared(id, comparison, &[value]).as_deref(), Ok(shown), "{id} {value}");
        }
    }

    #[test]
    fn what_is_compared_tells_which_column_is_meant() {
        for (id, values, shown) in [
            ("user", &["www-data"][..], "user = www-data"),
            ("user", &["33"], "uid = 33"),
            ("user", &["33", "root"], "uid = 33 or user = root"),
            ("owner", &["nginx*"], "process = nginx*"),
            ("owner", &["7"], "pid = 7"),
            ("netns", &["blue"], "netns.name = blue"),
            ("netns", &["4026531840"], "netns = 4026531840"),
            ("timer", &["ON", "KeepAlive"], "timer in retransmit,keepalive"),
            ("cgroup", &["/sys/fs/cgroup/unified/a/"], "cgroup = /a"),
            ("cgroup", &["a/b"], "cgroup = /a/b"),
            ("cgroup", &["*nginx*"], "cgroup = *nginx*"),
            ("cgroup", &["/sys/fs/cgroup"], "cgroup = /"),
            ("mark", &["0x10/255", "3"], "mark in 0x10/0xff,0x3"),
            ("peer", &["10/8", "[::1]"], "peer.address in 10.0.0.0/8,[::1]"),
            (
                "peer",
                &["10/8:80", "*:443"],
                "(peer.address = 10.0.0.0/8 and peer.port = 80) or peer.port = 443",
            ),
            ("state", &["estab", "time-wait"], "state in ESTABLISHED,TIME_WAIT"),
            ("state", &["big", "bucket"], "state = all"),
            ("family", &["inet6"], "family = ipv6"),
            ("v6only", &["yes"], "v6only = true"),
        ] {
            assert_eq!(compared(id, Comparison::Equal, values).as_deref(), Ok(shown), "{id}");
        }
    }

    #[test]
    fn a_wrong_value_says_what_to_write() {
        use Comparison::{Equal, Greater, Less};
        for (id, comparison, value, hint) in [
            ("rtt", Greater, "50", "`50ms`"),
            ("rtt", Greater, ":80", "`rtt > 50ms`"),
            ("rtt", Equal, "0.5us", "told in µs"),
            ("rtt", Greater, "5 parsecs", "us, ms, s, min, h, d"),
            ("recv_queue", Greater, "5ms", "KiB"),
            ("recv_queue", Less, "0", "= 0"),
            ("recv_queue", Greater, "99999999999999999999999", "recv_queue"),
            ("sport", Greater, "65535", "65535"),
            ("state", Equal, "establshed", "`ESTABLISHED`"),
            ("state", Equal, "time_wiat", "`TIME_WAIT`"),
            ("state", Greater, "LISTEN", "= TIME_WAIT"),
            ("protocol", Equal, "tpc", "tcp, udp"),
            ("timer", Equal, "keepalife", "`keepalive`"),
            ("v6only", Equal, "maybe", "true or false"),
            ("mark", Equal, "x", "fwmark = 1"),
            ("process", Greater, "a", "process = nginx*"),
            ("netns", Greater, "blue", "netns = NAME"),
        ] {
            let id = if id == "sport" { "local.port" } else { id };
            let error = compared(id, comparison, &[value]).expect_err(value);
            assert!(error.hint.contains(hint), "{id} {value}: {}", error.hint);
        }
    }

    #[test]
    fn every_column_has_an_example_that_is_read() {
        for field in field::all() {
            let example = example(field);
            let parsed = super::super::parser::parse(&example, &Empty);
            assert!(parsed.is_ok(), "{example}: {parsed:?}");
        }
    }
}
