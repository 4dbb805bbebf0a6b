//! Hosts of families that are not of the internet, as ss writes them: `unix:/run/*`, `link:arp:eth0`,
//! `netlink:rtnl:811`, `vsock:3:1024`.

use super::{
    ast::{FamilyHost, Interface},
    error::{FilterError, Span},
    pattern::Pattern,
};
use crate::model::{
    family::{ethertype, netlink},
    protocol::Family,
};

/// Characters of a word, each with whether it stands for itself alone.
type Characters<'a> = &'a [(char, bool)];

/// Reads one. `None`: it is a host of the internet.
///
/// Without a prefix the only family that is listed decides, and a word that begins like a path or
/// an abstract name is one.
pub fn parse(
    word: Characters<'_>,
    span: &Span,
    only: Option<Family>,
) -> Result<Option<FamilyHost>, FilterError> {
    let text: String = word.iter().map(|(c, _)| *c).collect();
    let prefixes = [
        ("unix:", Family::Unix),
        ("link:", Family::Packet),
        ("packet:", Family::Packet),
        ("netlink:", Family::Netlink),
        ("vsock:", Family::Vsock),
    ];
    let of_inet = text.starts_with("inet:") || text.starts_with("inet6:");
    let found = prefixes.into_iter().find(|(prefix, _)| text.starts_with(prefix));
    let (family, skip) = match (found, only) {
        (Some((prefix, family)), _) => (family, prefix.len()),
        (None, Some(family)) if !family.is_inet() && !of_inet => (family, 0),
        (None, _) if text.starts_with(['/', '@']) && !text.starts_with("@[") => (Family::Unix, 0),
        _ => return Ok(None),
    };
    let rest = word.get(skip..).unwrap_or_default();
    let reader = Reader { span };
    Ok(Some(match family {
        Family::Unix => FamilyHost::Unix(Pattern::new(rest)),
        Family::Packet => reader.link(rest)?,
        Family::Netlink => reader.netlink(rest)?,
        Family::Vsock => reader.vsock(rest)?,
        other => {
            return Err(reader.wrong(
                format!("an end of {other} sockets has no name in filters"),
                "compare columns, as in `local.port = 3`",
            ));
        }
    }))
}

struct Reader<'a> {
    span: &'a Span,
}

impl Reader<'_> {
    fn wrong(&self, message: impl Into<String>, hint: impl Into<String>) -> FilterError {
        FilterError::new(self.span.clone(), message, hint)
    }

    fn link(&self, word: Characters<'_>) -> Result<FamilyHost, FilterError> {
        let (protocol, interface) = split(word);
        let protocol = match plain(protocol) {
            None => None,
            Some(name) => Some(ethertype::number(&name).ok_or_else(|| {
                self.wrong(
                    format!("no protocol of frames is called `{name}`"),
                    "write `link:arp:eth0`, `link:0x88cc` or `link::eth0`",
                )
            })?),
        };
        let interface = plain(interface).map(|name| match name.parse() {
            Ok(index) => Interface::Index(index),
            Err(_) => Interface::Name(Pattern::new(interface)),
        });
        Ok(FamilyHost::Link { protocol, interface })
    }

    fn netlink(&self, word: Characters<'_>) -> Result<FamilyHost, FilterError> {
        let (protocol, port) = split(word);
        let protocol = match plain(protocol) {
            None => None,
            Some(name) => Some(self.netlink_protocol(&name)?),
        };
        let port = match plain(port) {
            None => None,
            Some(word) if word == "kernel" => Some(0),
            Some(word) => Some(self.number(&word, "a port id", "netlink:rtnl:811")?),
        };
        Ok(FamilyHost::Netlink { protocol, port })
    }

    fn netlink_protocol(&self, name: &str) -> Result<u8, FilterError> {
        let known = netlink::PROTOCOLS.iter().find(|(_, known)| known.eq_ignore_ascii_case(name));
        known.map(|(number, _)| *number).or_else(|| name.parse().ok()).ok_or_else(|| {
            let names: Vec<_> = netlink::PROTOCOLS.iter().map(|(_, name)| *name).collect();
            self.wrong(
                format!("no netlink protocol is called `{name}`"),
                format!("write its number or one of {}", names.join(", ")),
            )
        })
    }

    fn vsock(&self, word: Characters<'_>) -> Result<FamilyHost, FilterError> {
        let (cid, port) = split(word);
        let number = |part, what| match plain(part) {
            None => Ok(None),
            Some(word) => self.number(&word, what, "vsock:3:1024").map(Some),
        };
        Ok(FamilyHost::Vsock { cid: number(cid, "a context id")?, port: number(port, "a port")? })
    }

    /// A number of 32 bits; a negative one as netlink shows its own.
    fn number(&self, word: &str, what: &str, example: &str) -> Result<u32, FilterError> {
        let hex = word.strip_prefix("0x").map(|hex| u32::from_str_radix(hex, 16).ok());
        let negative = || word.parse::<i32>().ok().map(i32::cast_unsigned);
        hex.unwrap_or_else(|| word.parse().ok().or_else(negative)).ok_or_else(|| {
            self.wrong(
                format!("`{word}` is not {what}"),
                format!("write a number, as in `{example}`"),
            )
        })
    }
}

/// What stands before the last colon, and after it.
fn split(word: Characters<'_>) -> (Characters<'_>, Characters<'_>) {
    match word.iter().rposition(|(c, _)| *c == ':') {
        Some(at) => (word.get(..at).unwrap_or_default(), word.get(at + 1..).unwrap_or_default()),
        None => (word, &[]),
    }
}

/// The text of a part; `None`: it is empty or `*`, and no condition.
fn plain(part: Characters<'_>) -> Option<String> {
    let text: String = part.iter().map(|(c, _)| *c).collect();
    (!text.is_empty() && text != "*").then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, only: Option<Family>) -> Result<Option<String>, FilterError> {
        let characters: Vec<_> = text.chars().map(|c| (c, false)).collect();
        let host = parse(&characters, &(0..text.len()), only)?;
        Ok(host.map(|host| host.to_string()))
    }

    #[test]
    fn every_form_of_ss_is_read() {
        for (text, shown) in [
            ("unix:/run/*", "unix:/run/*"),
            ("/run/x", "unix:/run/x"),
            ("@/tmp/.X11-unix/X0", "unix:@/tmp/.X11-unix/X0"),
            ("link:arp:eth0", "link:2054:eth0"),
            ("link:*:2", "link:*:2"),
            ("link::lo", "link:*:lo"),
            ("link:0x88cc", "link:35020:*"),
            ("netlink:rtnl:kernel", "netlink:0:0"),
            ("netlink:genl", "netlink:16:*"),
            ("netlink:*:-4", "netlink:*:4294967292"),
            ("vsock:3:1024", "vsock:3:1024"),
            ("vsock:*:22", "vsock:*:22"),
        ] {
            let found = read(text, None).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(found.as_deref(), Some(shown), "{text}");
            assert_eq!(read(shown, None).unwrap().as_deref(), Some(shown), "it reads back");
        }
        for text in ["10.0.0.1", "[::1]:22", "inet:*", "*:80", "localhost"] {
            assert_eq!(read(text, None), Ok(None), "{text}");
        }
        assert_eq!(read("*dbus*", Some(Family::Unix)).unwrap().as_deref(), Some("unix:*dbus*"));
        assert_eq!(read("rtnl:1", Some(Family::Netlink)).unwrap().as_deref(), Some("netlink:0:1"));
        assert_eq!(read("10.0.0.1", Some(Family::Ipv4)), Ok(None));
    }

    #[test]
    fn what_has_no_meaning_says_what_has() {
        for text in ["link:nosuch", "netlink:nosuch", "netlink:rtnl:x", "vsock:x:1", "vsock:1:x"] {
            let error = read(text, None).expect_err(text);
            assert!(!error.hint.is_empty(), "{text}");
        }
    }
}
