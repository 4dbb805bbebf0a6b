//! The other lines of the file.

use super::text::Name;
use crate::model::{
    about::{About, Host, SourceKind},
    gap::Gap,
    limits::ProcessLimits,
    netns::{NameKind, Netns},
    owner::{Process, Unowned},
    protocol::Protocol,
    recording::Recording,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, collections::BTreeMap, time::SystemTime};

/// What a snapshot's schema begins with; its number follows.
pub const SCHEMA: &str = "sockeye.snapshot/";
/// The number this version writes, and the highest it reads.
pub const VERSION: u32 = 1;
/// `struct tcp_info` and socket options are kept as the kernel sent them.
pub const BYTE_ORDER: &str = if cfg!(target_endian = "little") { "little" } else { "big" };

/// The first line. The names of its keys are the documented ones.
#[derive(Debug, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the format is in docs/snapshot-format.md")]
pub struct Header {
    pub schema: String,
    pub generated_at: Timestamp,
    pub tool_version: String,
    pub redacted: bool,
    pub byte_order: String,
    pub host: HostRecord,
    pub boot_id: Option<String>,
    pub source: SourceRecord,
    pub netns: NetnsRecord,
    #[serde(default = "one")]
    pub namespaces: usize,
    pub window_ms: Option<u64>,
    pub protocols: Vec<String>,
    pub owner_unmatched: Option<String>,
    pub counts: BTreeMap<String, usize>,
}

/// Files written before there could be several do not say so.
const fn one() -> usize {
    1
}

/// The machine.
#[derive(Debug, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the format is in docs/snapshot-format.md")]
pub struct HostRecord {
    pub name: Option<String>,
    pub kernel: Option<String>,
}

/// Where the sockets came from.
#[derive(Debug, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the format is in docs/snapshot-format.md")]
pub struct SourceRecord {
    pub kind: String,
    pub fallback_reason: Option<String>,
}

/// The network namespace.
#[derive(Debug, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the format is in docs/snapshot-format.md")]
pub struct NetnsRecord {
    pub inode: Option<u64>,
    pub name: Option<String>,
    #[serde(default)]
    pub kind: Option<String>,
}

impl NetnsRecord {
    /// The record of a namespace.
    pub fn of(netns: &Netns) -> Self {
        let kind = netns.kind.map(|kind| kind.name().to_owned());
        Self { inode: netns.inode, name: netns.name.clone(), kind }
    }

    /// The namespace; of a kind this version does not know, only the name.
    pub fn netns(&self) -> Netns {
        let kind = NameKind::ALL.into_iter().find(|k| Some(k.name()) == self.kind.as_deref());
        Netns { inode: self.inode, name: self.name.clone(), kind }
    }
}

impl Header {
    /// The header of a recording, which is one of so many in its file.
    pub fn of(recording: &Recording, among: usize) -> Self {
        let snapshot = &recording.snapshot;
        let about = &snapshot.about;
        let counts = [
            ("sockets", recording.sockets.len()),
            ("processes", snapshot.owners.processes().len()),
            ("settings", snapshot.settings.values.len()),
            ("samples", snapshot.samples.len()),
            ("gaps", about.gaps.len()),
        ];
        Self {
            schema: format!("{SCHEMA}{VERSION}"),
            generated_at: Timestamp::try_from(about.generated_at).unwrap_or_default(),
            tool_version: recording.tool_version.clone(),
            redacted: recording.redacted,
            byte_order: BYTE_ORDER.to_owned(),
            host: HostRecord { name: about.host.name.clone(), kernel: about.host.kernel.clone() },
            boot_id: recording.boot_id.clone(),
            source: SourceRecord {
                kind: about.source.name().to_owned(),
                fallback_reason: about.fallback_reason.clone(),
            },
            netns: NetnsRecord::of(&about.netns),
            namespaces: among,
            window_ms: snapshot.window_ms(),
            protocols: recording.protocols.iter().map(|p| p.name().to_owned()).collect(),
            owner_unmatched: snapshot.owners.unmatched().map(|why| why.name().to_owned()),
            counts: counts.into_iter().map(|(what, n)| (what.to_owned(), n)).collect(),
        }
    }

    /// The head of the documents made from it. `None`: a source this version does not know.
    pub fn about(&self) -> Option<About> {
        Some(About {
            generated_at: SystemTime::try_from(self.generated_at).ok()?,
            host: Host { name: self.host.name.clone(), kernel: self.host.kernel.clone() },
            source: SourceKind::ALL.into_iter().find(|kind| kind.name() == self.source.kind)?,
            fallback_reason: self.source.fallback_reason.clone(),
            netns: self.netns.netns(),
            gaps: vec![],
        })
    }

    /// The protocols this version knows among those that were asked for.
    pub fn known_protocols(&self) -> Vec<Protocol> {
        Protocol::ALL.into_iter().filter(|p| self.protocols.iter().any(|n| n == p.name())).collect()
    }

    /// What a socket without a holder means; a word this version does not know claims nothing.
    pub fn unmatched(&self) -> Option<Unowned> {
        let word = self.owner_unmatched.as_deref()?;
        let known = Unowned::ALL.into_iter().find(|why| why.name() == word);
        Some(known.unwrap_or(Unowned::NotAsked))
    }
}

/// A user, an interface, a cgroup.
#[derive(Debug, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the format is in docs/snapshot-format.md")]
pub struct NameRecord<'a> {
    pub id: u64,
    #[serde(borrow)]
    pub name: Cow<'a, str>,
}

/// A setting, or why it could not be read.
#[derive(Debug, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the format is in docs/snapshot-format.md")]
pub struct SettingRecord<'a> {
    #[serde(borrow)]
    pub name: Cow<'a, str>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub value: Option<Cow<'a, str>>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub missing: Option<Cow<'a, str>>,
}

/// Something that could not be seen.
#[derive(Debug, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the format is in docs/snapshot-format.md")]
pub struct GapRecord<'a> {
    #[serde(borrow)]
    pub code: Cow<'a, str>,
    #[serde(borrow)]
    pub message: Cow<'a, str>,
    #[serde(borrow)]
    pub hint: Cow<'a, str>,
}

impl<'a> GapRecord<'a> {
    /// The line of a gap.
    pub fn of(gap: &'a Gap) -> Self {
        let text = |text: &'a str| Cow::Borrowed(text);
        Self { code: text(&gap.code), message: text(&gap.message), hint: text(&gap.hint) }
    }

    /// The gap of a line.
    pub fn gap(self) -> Gap {
        Gap {
            code: Cow::Owned(self.code.into_owned()),
            message: self.message.into_owned(),
            hint: self.hint.into_owned(),
            untold: vec![],
        }
    }
}

/// A process that holds sockets.
#[derive(Debug, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the format is in docs/snapshot-format.md")]
pub struct ProcessRecord<'a> {
    pub pid: u32,
    pub command: Name<'a>,
    #[serde(borrow)]
    pub unit: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub container: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub pod: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub cgroup: Option<Cow<'a, str>>,
}

impl<'a> ProcessRecord<'a> {
    /// The line of a process.
    pub fn of(process: &'a Process) -> Self {
        fn text(text: Option<&String>) -> Option<Cow<'_, str>> {
            text.map(|text| Cow::Borrowed(text.as_str()))
        }
        Self {
            pid: process.pid,
            command: Name(Cow::Borrowed(&process.command)),
            unit: text(process.unit.as_ref()),
            container: text(process.container.as_ref()),
            pod: text(process.pod.as_ref()),
            cgroup: text(process.cgroup.as_ref()),
        }
    }

    /// The process of a line.
    pub fn process(self) -> Process {
        Process {
            pid: self.pid,
            command: self.command.0.into_owned(),
            unit: self.unit.map(Cow::into_owned),
            container: self.container.map(Cow::into_owned),
            pod: self.pod.map(Cow::into_owned),
            cgroup: self.cgroup.map(Cow::into_owned),
        }
    }
}

/// Descriptors of a process that are sockets: (inode, descriptor).
#[derive(Debug, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the format is in docs/snapshot-format.md")]
pub struct DescriptorsRecord<'a> {
    pub pid: u32,
    pub sockets: Cow<'a, [(u64, u32)]>,
}

/// The limits of a process (`ulimit -n`) and its open descriptors, as ranges.
#[derive(Debug, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the format is in docs/snapshot-format.md")]
pub struct ProcessLimitsRecord<'a> {
    pub pid: u32,
    #[serde(default)]
    pub parent: Option<u32>,
    pub command: Name<'a>,
    pub soft: Option<u64>,
    pub hard: Option<u64>,
    pub descriptors: Option<Cow<'a, [(u32, u32)]>>,
    pub exempt_from_file_max: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dead_sockets: Option<u64>,
    pub cgroups: Cow<'a, [String]>,
}

impl<'a> ProcessLimitsRecord<'a> {
    /// The line of a process.
    pub fn of(process: &'a ProcessLimits) -> Self {
        Self {
            pid: process.pid,
            parent: process.parent,
            command: Name(Cow::Borrowed(&process.command)),
            soft: process.soft,
            hard: process.hard,
            descriptors: process.descriptors.as_deref().map(Cow::Borrowed),
            exempt_from_file_max: process.exempt_from_file_max,
            dead_sockets: process.dead_sockets,
            cgroups: Cow::Borrowed(&process.cgroups),
        }
    }

    /// The limits of a line.
    pub fn limits(self) -> ProcessLimits {
        ProcessLimits {
            pid: self.pid,
            parent: self.parent,
            command: self.command.0.into_owned(),
            soft: self.soft,
            hard: self.hard,
            descriptors: self.descriptors.map(Cow::into_owned),
            counted: None,
            exempt_from_file_max: self.exempt_from_file_max,
            dead_sockets: self.dead_sockets,
            cgroups: self.cgroups.into_owned(),
        }
    }
}

/// The limits of the host.
#[derive(Debug, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the format is in docs/snapshot-format.md")]
pub struct HostLimitsRecord<'a> {
    pub memory_available_bytes: Option<u64>,
    pub memory_total_bytes: Option<u64>,
    pub named_ports: Option<Cow<'a, [u16]>>,
    pub missing: Cow<'a, BTreeMap<String, String>>,
}

/// The last line: how many lines of each kind lie between it and the header.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the format is in docs/snapshot-format.md")]
pub struct EndRecord {
    pub lines: BTreeMap<String, u64>,
}
