//! What if: the same snapshot with other settings.

use crate::model::{
    ports::PortSet,
    settings::{NAMES, PORT_RANGE, RESERVED_PORTS, Settings},
    snapshot::Snapshot,
};
use serde::Serialize;

/// The soft limit of descriptors, beside the names of settings.
pub const RLIMIT_NOFILE: &str = "rlimit-nofile";
/// How high it can be set.
const NR_OPEN: &str = "fs.nr_open";

/// A value taken in place of the one that was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Assumption {
    /// Name of the setting, or `rlimit-nofile`.
    pub name: String,
    /// The assumed value.
    pub value: String,
    /// What was read. `None`: it could not be, or differs by process.
    pub before: Option<String>,
    /// Why it could not be set so, where it could not.
    pub remark: Option<String>,
}

impl Assumption {
    /// Reads `NAME=VALUE`. The error says what is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (name, value) =
            text.split_once('=').ok_or_else(|| format!("`{text}` is not NAME=VALUE"))?;
        let (name, value) = (name.trim().replace('/', "."), value.trim());
        if name == RLIMIT_NOFILE {
            number(&name, value)?;
        } else if name == PORT_RANGE {
            let value = range(value)?;
            return Ok(Self { name, value, before: None, remark: None });
        } else if name == RESERVED_PORTS {
            PortSet::parse(value).ok_or_else(|| format!("`{value}` is no list of ports"))?;
        } else if !NAMES.contains(&name.as_str()) {
            return Err(format!("no figure depends on `{name}`"));
        } else {
            for word in value.split_whitespace() {
                number(&name, word)?;
            }
            if value.is_empty() {
                return Err(format!("`{name}` has no value"));
            }
        }
        Ok(Self { name, value: value.to_owned(), before: None, remark: None })
    }

    /// Every name that can be assumed.
    pub fn names() -> impl Iterator<Item = &'static str> {
        [RLIMIT_NOFILE].into_iter().chain(NAMES.iter().copied())
    }
}

fn number(name: &str, value: &str) -> Result<u64, String> {
    value.parse().map_err(|_| format!("`{value}` is no number for `{name}`"))
}

/// `1024..65535`, `1024-65535`, `1024 65535`, as the kernel has it: two numbers and a tab.
fn range(text: &str) -> Result<String, String> {
    let words: Vec<&str> = text
        .split(|c: char| c == '.' || c == '-' || c == ',' || c.is_whitespace())
        .filter(|word| !word.is_empty())
        .collect();
    let wrong = || format!("`{text}` is no port range: LOW..HIGH");
    let [low, high] = words.as_slice() else { return Err(wrong()) };
    let port = |word: &str| word.parse::<u16>().ok().filter(|port| *port > 0);
    let (low, high) = (port(low).ok_or_else(wrong)?, port(high).ok_or_else(wrong)?);
    if low > high {
        return Err(wrong());
    }
    Ok(format!("{low}\t{high}"))
}

/// The snapshot with the assumptions in place, and the assumptions with what was read.
pub fn apply(snapshot: &Snapshot, assumptions: &[Assumption]) -> (Snapshot, Vec<Assumption>) {
    let mut changed = snapshot.clone();
    let mut told = vec![];
    for assumption in assumptions {
        let mut assumption = assumption.clone();
        if assumption.name == RLIMIT_NOFILE {
            let soft = assumption.value.parse().ok();
            let mut before: Vec<_> = changed.limits.processes.iter().map(|p| p.soft).collect();
            before.dedup();
            if let [Some(one)] = before.as_slice() {
                assumption.before = Some(one.to_string());
            }
            for process in &mut changed.limits.processes {
                process.soft = soft;
                process.hard = process.hard.max(soft);
            }
        } else {
            let old =
                changed.settings.values.insert(assumption.name.clone(), assumption.value.clone());
            changed.settings.missing.remove(&assumption.name);
            assumption.before = old;
            if assumption.name == "fs.file-max" {
                // The use and the limit are read from file-nr.
                let words = changed.settings.text("fs.file-nr").map(|text| {
                    let mut words: Vec<&str> = text.split_whitespace().collect();
                    words.truncate(2);
                    words.push(&assumption.value);
                    words.join("\t")
                });
                if let Some(words) = words {
                    changed.settings.values.insert("fs.file-nr".to_owned(), words);
                }
            }
        }
        told.push(assumption);
    }
    // After all of them: one can make room for another.
    for assumption in &mut told {
        assumption.remark = remark(assumption, &snapshot.settings, &changed.settings);
    }
    (changed, told)
}

/// Why a value cannot be had here.
fn remark(assumption: &Assumption, now: &Settings, then: &Settings) -> Option<String> {
    let name = assumption.name.as_str();
    if name == RLIMIT_NOFILE {
        let (wanted, most) = (assumption.value.parse::<u64>().ok()?, then.number(NR_OPEN)?);
        return (wanted > most).then(|| {
            format!(
                "setrlimit() refuses {wanted} with EPERM: fs.nr_open is {most}; raise that first"
            )
        });
    }
    if now.is_absent(name) {
        return Some(format!(
            "this kernel, or this network namespace, has no {name}: it cannot be set here"
        ));
    }
    now.missing.get(name).map(|why| format!("the present value is not known: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_people_write_them() {
        for text in ["1024..65535", "1024-65535", "1024 65535", "1024\t65535"] {
            let read = Assumption::parse(&format!("{PORT_RANGE}={text}")).unwrap();
            assert_eq!(read.value, "1024\t65535");
        }
    }

    #[test]
    fn what_has_no_meaning_is_refused() {
        for text in [
            "rlimit-nofile",
            "rlimit-nofile=many",
            "net.ipv4.tcp_tw_reuse=",
            "net.ipv4.tcp_tw_reuse=x",
            "net.ipv4.no_such=1",
            "net.ipv4.ip_local_port_range=9..8",
            "net.ipv4.ip_local_port_range=0..8",
            "net.ipv4.ip_local_port_range=1..70000",
            "net.ipv4.ip_local_reserved_ports=a",
        ] {
            assert!(Assumption::parse(text).is_err(), "{text}");
        }
    }

    fn remarks(settings: &Settings, assumed: &[&str]) -> Vec<Option<String>> {
        let snapshot = of_settings(settings);
        let assumed: Vec<_> = assumed.iter().map(|text| Assumption::parse(text).unwrap()).collect();
        apply(&snapshot, &assumed).1.into_iter().map(|told| told.remark).collect()
    }

    #[test]
    fn more_descriptors_than_nr_open_allows_are_remarked_on() {
        let mut settings = Settings::default();
        settings.values.insert(NR_OPEN.to_owned(), "1048576".to_owned());
        for value in ["1048575", "1048576"] {
            assert_eq!(remarks(&settings, &[&format!("rlimit-nofile={value}")]), [None]);
        }
        let said = remarks(&settings, &["rlimit-nofile=1048577"]);
        let [Some(text)] = said.as_slice() else { panic!("{said:?}") };
        assert!(text.contains("EPERM") && text.contains("1048576"), "{text}");
        // In either order, raising the one makes room for the other.
        assert_eq!(
            remarks(&settings, &["rlimit-nofile=2000000", "fs.nr_open=2000000"]),
            [None, None]
        );
        // Unknown is no reason for a remark.
        assert_eq!(remarks(&Settings::default(), &["rlimit-nofile=2000000"]), [None]);
    }

    #[test]
    fn a_setting_that_is_not_there_is_remarked_on_and_one_that_may_not_be_read_otherwise() {
        let mut settings = Settings::default();
        let absent = "cannot open /proc/sys/x: ENOENT (No such file or directory)";
        let refused = "cannot open /proc/sys/x: EACCES (Permission denied)";
        settings.missing.insert("net.ipv4.tcp_tw_recycle".to_owned(), absent.to_owned());
        settings.missing.insert("net.ipv4.tcp_tw_reuse".to_owned(), refused.to_owned());
        settings.values.insert("fs.file-max".to_owned(), "9".to_owned());
        let said = remarks(
            &settings,
            &["net.ipv4.tcp_tw_recycle=1", "net.ipv4.tcp_tw_reuse=1", "fs.file-max=10"],
        );
        let [Some(recycle), Some(reuse), None] = said.as_slice() else { panic!("{said:?}") };
        assert!(recycle.contains("has no net.ipv4.tcp_tw_recycle"), "{recycle}");
        assert!(reuse.contains("EACCES"), "{reuse}");
    }

    fn of_settings(settings: &Settings) -> Snapshot {
        Snapshot { settings: settings.clone(), ..crate::report::capacity::fixture::snapshot() }
    }
}
