//! Hosts: addresses, prefixes, ports, in every form ss takes and a few it does not.

use super::{
    ast::Prefix,
    directory::Directory,
    error::{FilterError, Span},
    ports,
};
use crate::model::protocol::Family;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What a host says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Host {
    /// The family its prefix (`inet:`, `inet6:`) asks for.
    pub family: Option<Family>,
    /// Any of these addresses. Empty: it says nothing of addresses.
    pub prefixes: Vec<Prefix>,
    /// Any of these ports. Empty: it says nothing of ports.
    pub ports: Vec<(u64, u64)>,
}

/// Reads one host: `10.0.0.1`, `10/8`, `[::1]:22`, `fe80::/10`, `*:443`, `:ssh`, `example.org`.
pub fn parse(text: &str, span: &Span, directory: &dyn Directory) -> Result<Host, FilterError> {
    let reader = Reader { span, directory };
    let families = [("inet6:", Family::Ipv6), ("inet:", Family::Ipv4)];
    for (prefix, family) in families {
        if let Some(rest) = text.strip_prefix(prefix) {
            let host = if rest.is_empty() { Host::default() } else { reader.host(rest)? };
            return Ok(Host { family: Some(family), ..host });
        }
    }
    reader.host(text)
}

/// Whether a text begins as an address does, or names a family: then it is meant as a host.
pub fn looks_like_one(text: &str) -> bool {
    let bracketed = text.starts_with('[') && text.contains(':');
    let bare = text.split(['/', '%']).next().unwrap_or_default();
    let v4 = bare.split(':').next().unwrap_or_default();
    let dotted = v4.contains('.') && v4.chars().all(|c| c.is_ascii_digit() || c == '.');
    bracketed || dotted || bare.parse::<Ipv6Addr>().is_ok()
}

struct Reader<'a> {
    span: &'a Span,
    directory: &'a dyn Directory,
}

impl Reader<'_> {
    fn wrong(&self, message: impl Into<String>, hint: impl Into<String>) -> FilterError {
        FilterError::new(self.span.clone(), message, hint)
    }

    fn ports(&self, text: &str) -> Result<Vec<(u64, u64)>, FilterError> {
        match text {
            "" => Err(self.wrong(
                "a port is missing after `:`",
                "write it, as in `:22`, or leave out the `:`",
            )),
            // Any port is no condition.
            "*" => Ok(vec![]),
            text => ports::parse(text, self.span, self.directory),
        }
    }

    fn host(&self, text: &str) -> Result<Host, FilterError> {
        if let Some(rest) = text.strip_prefix('[') {
            return self.bracketed(text, rest);
        }
        // netstat's way to write [::]:22.
        if let Some(port) = text.strip_prefix(":::") {
            let prefixes = vec![Prefix::new(Ipv6Addr::UNSPECIFIED.into(), 128)];
            return Ok(Host { prefixes, ports: self.ports(port)?, family: None });
        }
        if text.matches(':').count() > 1 {
            return Ok(Host { prefixes: vec![self.v6(text)?], ..Host::default() });
        }
        let (address, port) = match text.split_once(':') {
            Some((address, port)) => (address, self.ports(port)?),
            None => (text, vec![]),
        };
        let prefixes = match address {
            "" if text.is_empty() => {
                return Err(
                    self.wrong("an address is missing", "write `src 10.0.0.0/8` or `dst *:443`")
                );
            }
            // `:22` says nothing of the address, `*` that any will do.
            "" | "*" => vec![],
            address => self.address(address)?,
        };
        let prefixes =
            if prefixes.is_empty() && port.is_empty() { vec![Prefix::Any] } else { prefixes };
        Ok(Host { family: None, prefixes, ports: port })
    }

    /// `[v6]`, `[v6/len]`, `[v6]/len`, each with a port or not.
    fn bracketed(&self, text: &str, rest: &str) -> Result<Host, FilterError> {
        let Some((inside, after)) = rest.split_once(']') else {
            return Err(self.wrong("this [ has no end", format!("write `{text}]`")));
        };
        let (length, port) = match after.split_once(':') {
            Some((length, port)) => (length, self.ports(port)?),
            None => (after, vec![]),
        };
        let address = match length.strip_prefix('/') {
            Some(length) if !inside.contains('/') => format!("{inside}/{length}"),
            None if length.is_empty() => inside.to_owned(),
            _ => {
                return Err(self.wrong(
                    format!("`{after}` cannot follow `[{inside}]`"),
                    format!("write `[{inside}]:443` or `[{inside}/64]`"),
                ));
            }
        };
        let prefixes = match address.as_str() {
            "*" => vec![Prefix::new(Ipv6Addr::UNSPECIFIED.into(), 0)],
            v4 if v4.contains('.') && !v4.contains(':') => self.address(v4)?,
            v6 => vec![self.v6(v6)?],
        };
        Ok(Host { family: None, prefixes, ports: port })
    }

    fn v6(&self, text: &str) -> Result<Prefix, FilterError> {
        let (address, length) = self.split(text)?;
        if let Some((address, zone)) = address.split_once('%') {
            return Err(self.wrong(
                "an address in a filter has no zone",
                format!("write `{address}` and `local.interface = {zone}`"),
            ));
        }
        let Ok(parsed) = address.parse::<Ipv6Addr>() else {
            let hint = match text.rsplit_once(':').filter(|(a, _)| a.parse::<Ipv6Addr>().is_ok()) {
                Some((address, port)) => format!("with a port it is `[{address}]:{port}`"),
                None => "an IPv6 address is `::1`, `fe80::/10` or `[2001:db8::1]:443`".to_owned(),
            };
            return Err(self.wrong(format!("`{text}` is no IPv6 address"), hint));
        };
        let length = match length {
            None => 128,
            Some(length) => self.length(length, 128)?,
        };
        Ok(Prefix::new(parsed.into(), length))
    }

    fn split<'t>(&self, text: &'t str) -> Result<(&'t str, Option<&'t str>), FilterError> {
        match text.split_once('/') {
            Some((_, "")) => {
                Err(self.wrong("a prefix length is missing after `/`", "write `10.0.0.0/8`"))
            }
            Some((address, length)) => Ok((address, Some(length))),
            None => Ok((text, None)),
        }
    }

    fn length(&self, text: &str, most: u8) -> Result<u8, FilterError> {
        text.parse().ok().filter(|length| *length <= most).ok_or_else(|| {
            self.wrong(
                format!("`/{text}` is no prefix length"),
                format!("it is a number from 0 to {most}"),
            )
        })
    }

    /// An IPv4 address, short with a prefix length, or the name of a host.
    fn address(&self, text: &str) -> Result<Vec<Prefix>, FilterError> {
        let (address, length) = self.split(text)?;
        if address.chars().all(|c| c.is_ascii_digit() || c == '.') {
            return self.v4(text, address, length).map(|prefix| vec![prefix]);
        }
        if address.contains('*') {
            let kept: Vec<_> = address.split('.').take_while(|part| *part != "*").collect();
            let hint = match kept.len() {
                n @ 1..=3 => format!("write `{}/{}`", kept.join("."), n * 8),
                _ => "write a prefix, as in `10.0.0.0/8`".to_owned(),
            };
            return Err(self.wrong(format!("`{address}` is no prefix"), hint));
        }
        if length.is_some() {
            return Err(self.wrong(
                format!("`{text}` is no prefix"),
                "a prefix is written in numbers, as in `10.0.0.0/8` or `[fe80::/10]`",
            ));
        }
        let found = self.directory.addresses(address);
        if found.is_empty() {
            return Err(self.wrong(
                format!("no host is called `{address}`"),
                "an address is `10.0.0.1`, `10.0.0.0/8`, `[::1]` or a name that resolves; a port is `:22`",
            ));
        }
        let whole = |address: IpAddr| match address {
            IpAddr::V4(_) => Prefix::new(address, 32),
            IpAddr::V6(_) => Prefix::new(address, 128),
        };
        Ok(found.into_iter().map(whole).collect())
    }

    fn v4(&self, text: &str, address: &str, length: Option<&str>) -> Result<Prefix, FilterError> {
        let parts: Vec<&str> = address.split('.').collect();
        if let Some(octal) = parts.iter().find(|p| p.len() > 1 && p.starts_with('0')) {
            return Err(self.wrong(
                format!("`{octal}` has a leading zero, which some read as octal"),
                format!("write `{}`", decimal(&parts)),
            ));
        }
        if let [a, b, c, d, port] = *parts.as_slice() {
            return Err(self.wrong(
                format!("`{address}` is no address"),
                format!("with a port it is `{a}.{b}.{c}.{d}:{port}`"),
            ));
        }
        let mut octets = [0; 4];
        for (octet, part) in octets.iter_mut().zip(&parts) {
            *octet = part.parse().map_err(|_| {
                let hint = match part.parse::<u32>() {
                    Ok(port) if parts.len() == 1 => format!("a port is `:{port}`"),
                    _ => "each part is a number from 0 to 255".to_owned(),
                };
                self.wrong(format!("`{address}` is no address"), hint)
            })?;
        }
        if parts.len() > 4 {
            return Err(self.wrong(format!("`{address}` is no address"), "it has four parts"));
        }
        let Some(length) = length else {
            if parts.len() < 4 {
                let hint = if parts.len() == 1 {
                    format!("the network is `{text}/8`; a port is `:{text}`")
                } else {
                    format!("the network is `{text}/{}`", parts.len() * 8)
                };
                return Err(self.wrong(format!("`{text}` is no whole address"), hint));
            }
            return Ok(Prefix::new(Ipv4Addr::from(octets).into(), 32));
        };
        let length = match length.parse::<Ipv4Addr>() {
            Ok(mask) => {
                let mask = u32::from(mask);
                let ones = mask.leading_ones();
                if mask.count_ones() != ones {
                    return Err(self.wrong(
                        format!("`{length}` is no netmask"),
                        "its ones come first; write a prefix length, as in `10.0.0.0/8`",
                    ));
                }
                u8::try_from(ones).unwrap_or(32)
            }
            Err(_) => self.length(length, 32)?,
        };
        Ok(Prefix::new(Ipv4Addr::from(octets).into(), length))
    }
}

fn decimal(parts: &[&str]) -> String {
    let trimmed = parts.iter().map(|part| match part.trim_start_matches('0') {
        "" => "0",
        rest => rest,
    });
    trimmed.collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Hosts;

    impl Directory for Hosts {
        fn ports(&self, service: &str) -> Vec<u16> {
            if service == "ssh" { vec![22] } else { vec![] }
        }

        fn addresses(&self, host: &str) -> Vec<IpAddr> {
            let known = ["10.0.0.7".parse().unwrap(), "2001:db8::7".parse().unwrap()];
            if host == "web" { known.to_vec() } else { vec![] }
        }
    }

    fn shown(text: &str) -> String {
        let host = parse(text, &(0..text.len()), &Hosts).unwrap_or_else(|e| panic!("{e}"));
        let prefixes: Vec<_> = host.prefixes.iter().map(ToString::to_string).collect();
        let family = host.family.map_or("", Family::name);
        format!("{family}{}{:?}", prefixes.join(","), host.ports)
    }

    #[test]
    fn hosts_in_every_form() {
        for (text, meant) in [
            ("*", "*[]"),
            ("*:*", "*[]"),
            ("10.1.2.3", "10.1.2.3[]"),
            ("10/8", "10.0.0.0/8[]"),
            ("10.0/16", "10.0.0.0/16[]"),
            ("0/0", "0.0.0.0/0[]"),
            ("10.9.9.9/8", "10.0.0.0/8[]"),
            ("10.0.0.0/255.255.0.0", "10.0.0.0/16[]"),
            ("10/8:443", "10.0.0.0/8[(443, 443)]"),
            ("10.0.0.1:ssh", "10.0.0.1[(22, 22)]"),
            ("10.0.0.1:*", "10.0.0.1[]"),
            (":22", "[(22, 22)]"),
            ("*:8000-8999", "[(8000, 8999)]"),
            ("[::1]", "[::1][]"),
            ("[::1]:22", "[::1][(22, 22)]"),
            ("[fe80::/10]", "[fe80::/10][]"),
            ("[fe80::1]/10", "[fe80::/10][]"),
            ("[fe80::/10]:22", "[fe80::/10][(22, 22)]"),
            ("::1", "[::1][]"),
            ("::", "[::][]"),
            ("fe80::/10", "[fe80::/10][]"),
            ("::ffff:10.0.0.1", "[::ffff:10.0.0.1][]"),
            (":::22", "[::][(22, 22)]"),
            ("web:22", "10.0.0.7,[2001:db8::7][(22, 22)]"),
            ("inet:10/8", "ipv410.0.0.0/8[]"),
            ("inet6:*", "ipv6*[]"),
        ] {
            assert_eq!(shown(text), meant, "{text}");
        }
    }

    #[test]
    fn a_wrong_host_says_what_to_write() {
        for (text, hint) in [
            ("443", "a port is `:443`"),
            ("10", "`10/8`"),
            ("10.0", "`10.0/16`"),
            ("192.168.*", "`192.168/16`"),
            ("10.0.0.1.80", "`10.0.0.1:80`"),
            ("010.0.0.1", "`10.0.0.1`"),
            ("10.0.0.300", "0 to 255"),
            ("10.0.0.0/33", "0 to 32"),
            ("10.0.0.0/255.0.255.0", "prefix length"),
            ("2001:db8::1:x", "`[2001:db8::1]:x`"),
            ("fe80::1%eth0", "local.interface = eth0"),
            ("[::1", "`[::1]`"),
            ("[::1]x", "[::1]:443"),
            ("nosuch", "a port is `:22`"),
            ("10.0.0.1:", "`:22`"),
            ("", "src"),
        ] {
            let error = parse(text, &(0..1), &Hosts).expect_err(text);
            assert!(error.hint.contains(hint), "{text}: {}", error.hint);
        }
    }
}
