//! Ports: numbers, ranges, names of services.

use super::{
    directory::Directory,
    error::{FilterError, Span},
};

/// The highest port.
pub const HIGHEST: u64 = 65_535;

/// Reads one port or range, a colon before it or not: `22`, `:22`, `8000-8999`, `:ssh`, `*`.
pub fn parse(
    text: &str,
    span: &Span,
    directory: &dyn Directory,
) -> Result<Vec<(u64, u64)>, FilterError> {
    let wrong = |message: String, hint: &str| FilterError::new(span.clone(), message, hint);
    let text = text.strip_prefix(':').unwrap_or(text);
    if text == "*" {
        return Ok(vec![(0, HIGHEST)]);
    }
    if let Some((low, high)) = range(text, "-") {
        let (low, high) = (number(low, span)?, number(high, span)?);
        if low > high {
            return Err(wrong(
                format!("the range `{text}` ends before it begins"),
                &format!("write `{high}-{low}`"),
            ));
        }
        return Ok(vec![(low, high)]);
    }
    for foreign in ["..", ":"] {
        if let Some((low, high)) = range(text, foreign) {
            return Err(wrong(
                format!("`{text}` is no range of ports"),
                &format!("write `{low}-{high}`"),
            ));
        }
    }
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        return number(text, span).map(|port| vec![(port, port)]);
    }
    if text.is_empty() {
        return Err(wrong("a port is missing".into(), "write `sport = :22` or `local.port = 22`"));
    }
    if let Some((_, port)) = text.rsplit_once(':') {
        let hint =
            format!("a port is `{port}`; an address with a port is `src {text}` or `dst {text}`");
        return Err(wrong(format!("`{text}` is more than a port"), &hint));
    }
    let ports = directory.ports(text);
    if ports.is_empty() {
        let hint = "a port is a number from 0 to 65535, a range like `8000-8999`, or a name of /etc/services";
        return Err(wrong(format!("no service is called `{text}`"), hint));
    }
    Ok(ports.into_iter().map(|port| (port.into(), port.into())).collect())
}

fn range<'t>(text: &'t str, between: &str) -> Option<(&'t str, &'t str)> {
    let number = |s: &str| s.starts_with(|c: char| c.is_ascii_digit());
    text.split_once(between).filter(|(low, high)| number(low) && number(high))
}

fn number(text: &str, span: &Span) -> Result<u64, FilterError> {
    let wrong = |message: String, hint: String| Err(FilterError::new(span.clone(), message, hint));
    let parsed = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(hex) => u64::from_str_radix(hex, 16),
        None if text.len() > 1 && text.starts_with('0') => {
            let decimal = text.trim_start_matches('0');
            let hint = match u64::from_str_radix(text, 8) {
                Ok(octal) => {
                    format!("ss reads it as octal: write `{octal}` for that, else `{decimal}`")
                }
                Err(_) => format!("write `{decimal}`"),
            };
            return wrong(format!("a port has no leading zero: `{text}`"), hint);
        }
        None => text.parse(),
    };
    match parsed {
        Ok(port) if port <= HIGHEST => Ok(port),
        Ok(port) => wrong(
            format!("there is no port {port}"),
            "ports are numbers from 0 to 65535".to_owned(),
        ),
        Err(_) => wrong(
            format!("`{text}` is no port"),
            "a port is a number from 0 to 65535, a range like `8000-8999`, or a name of /etc/services"
                .to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::IpAddr;

    struct Services;

    impl Directory for Services {
        fn ports(&self, service: &str) -> Vec<u16> {
            match service {
                "ssh" => vec![22],
                "http-alt" => vec![8080],
                "who" => vec![513, 514],
                _ => vec![],
            }
        }

        fn addresses(&self, _: &str) -> Vec<IpAddr> {
            vec![]
        }
    }

    #[test]
    fn ports_in_every_form() {
        for (text, ports) in [
            ("22", vec![(22, 22)]),
            (":22", vec![(22, 22)]),
            (":ssh", vec![(22, 22)]),
            ("http-alt", vec![(8080, 8080)]),
            ("who", vec![(513, 513), (514, 514)]),
            ("0x16", vec![(22, 22)]),
            ("0", vec![(0, 0)]),
            ("8000-8999", vec![(8000, 8999)]),
            (":*", vec![(0, 65535)]),
        ] {
            assert_eq!(parse(text, &(0..1), &Services), Ok(ports), "{text}");
        }
    }

    #[test]
    fn a_wrong_port_says_what_to_write() {
        for (text, hint) in [
            ("70000", "from 0 to 65535"),
            ("026", "octal: write `22` for that, else `26`"),
            ("089", "write `89`"),
            ("9-8", "`8-9`"),
            ("80..90", "`80-90`"),
            ("80:90", "`80-90`"),
            ("22x", "from 0 to 65535"),
            ("99999999999999999999", "from 0 to 65535"),
            ("nosuch", "/etc/services"),
            ("", "sport = :22"),
            ("10.0.0.1-2", "from 0 to 65535"),
            ("*:80", "src *:80"),
        ] {
            let error = parse(text, &(0..1), &Services).expect_err(text);
            assert!(error.hint.contains(hint), "{text}: {}", error.hint);
        }
    }
}
