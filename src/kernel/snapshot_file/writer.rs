//! Recordings to bytes: of each network namespace one, one after the other.

use super::{
    record::{
        DescriptorsRecord, EndRecord, GapRecord, Header, HostLimitsRecord, NameRecord,
        ProcessLimitsRecord, ProcessRecord, SettingRecord,
    },
    socket::SocketRecord,
};
use crate::{
    kernel::{error::Error, whole_file},
    model::{limits::Limits, recording::Recording},
};
use flate2::{Compression, write::GzEncoder};
use serde::Serialize;
use std::{
    borrow::Cow,
    io::{self, BufWriter, Write},
    path::Path,
};

/// Pairs of numbers on one line: a process can have a million descriptors, a line is read whole.
const PAIRS: usize = 256;
/// Of 1 to 9. Measured on 100,000 sockets: see docs/snapshot-format.md.
const LEVEL: u32 = 5;

/// Writes recordings to a file and tells its size in bytes.
pub fn write_file(path: &Path, recordings: &[Recording]) -> Result<u64, Error> {
    whole_file::write(path, |file| encode(recordings, file).map(|(_, size)| size)).map_err(
        |error: io::Error| Error::io("write the snapshot", path.display().to_string(), &error),
    )
}

/// Writes recordings to `to`; gives `to` back, and how many bytes it got.
pub fn encode<W: Write>(recordings: &[Recording], to: W) -> io::Result<(W, u64)> {
    let mut counted = Counted { to, bytes: 0 };
    for recording in recordings {
        let gzip = GzEncoder::new(counted, Compression::new(LEVEL));
        let mut lines =
            Lines { to: BufWriter::with_capacity(64 * 1024, gzip), end: EndRecord::default() };
        lines.all(recording, recordings.len())?;
        let gzip = lines.to.into_inner().map_err(io::IntoInnerError::into_error)?;
        counted = gzip.finish()?;
    }
    counted.flush()?;
    Ok((counted.to, counted.bytes))
}

struct Counted<W> {
    to: W,
    bytes: u64,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

struct Lines<W: Write> {
    to: W,
    end: EndRecord,
}

impl<W: Write> Lines<W> {
    /// One of so many recordings.
    fn all(&mut self, recording: &Recording, among: usize) -> io::Result<()> {
        let snapshot = &recording.snapshot;
        serde_json::to_writer(&mut self.to, &Header::of(recording, among))?;
        self.to.write_all(b"\n")?;
        self.names("user", recording.names.users.iter().map(|(id, n)| (u64::from(*id), n)))?;
        let interfaces = &recording.names.interfaces;
        self.names("interface", interfaces.iter().map(|(id, n)| (u64::from(*id), n)))?;
        self.names("cgroup", recording.names.cgroups.iter().map(|(id, n)| (*id, n)))?;
        for (name, value) in &snapshot.settings.values {
            let (name, value) = (name.into(), Some(value.into()));
            self.line("setting", &SettingRecord { name, value, missing: None })?;
        }
        for (name, why) in &snapshot.settings.missing {
            let (name, missing) = (name.into(), Some(why.into()));
            self.line("setting", &SettingRecord { name, value: None, missing })?;
        }
        for (name, value) in &snapshot.settings.of_host {
            let (name, value) = (name.into(), Some(value.into()));
            self.line("host_setting", &SettingRecord { name, value, missing: None })?;
        }
        for sample in &snapshot.samples {
            self.line("sample", sample)?;
        }
        for gap in &snapshot.about.gaps {
            self.line("gap", &GapRecord::of(gap))?;
        }
        for (process, sockets) in snapshot.owners.holdings() {
            self.line("process", &ProcessRecord::of(process))?;
            for pairs in sockets.chunks(PAIRS) {
                let (pid, sockets) = (process.pid, Cow::Borrowed(pairs));
                self.line("descriptors", &DescriptorsRecord { pid, sockets })?;
            }
        }
        self.limits(&snapshot.limits)?;
        for alive in snapshot.alive_before.chunks(PAIRS) {
            let pairs: Vec<_> = alive.iter().map(|a| (a.cookie, a.inode)).collect();
            self.line("alive", &pairs)?;
        }
        if let Some(earlier) = &recording.earlier {
            // One empty line says that the first look saw none.
            let none = earlier.is_empty().then_some(earlier.as_slice());
            for sockets in earlier.chunks(PAIRS).chain(none) {
                self.line("earlier", &sockets)?;
            }
        }
        for socket in &recording.sockets {
            self.line("socket", &SocketRecord::of(socket))?;
        }
        let end = std::mem::take(&mut self.end);
        self.line("end", &end)
    }

    fn limits(&mut self, limits: &Limits) -> io::Result<()> {
        if *limits == Limits::default() {
            return Ok(());
        }
        let host = HostLimitsRecord {
            memory_available_bytes: limits.memory_available_bytes,
            memory_total_bytes: limits.memory_total_bytes,
            named_ports: limits.named_ports.as_deref().map(Cow::Borrowed),
            missing: Cow::Borrowed(&limits.missing),
        };
        self.line("host_limits", &host)?;
        for process in &limits.processes {
            self.line("process_limits", &ProcessLimitsRecord::of(process))?;
        }
        for cgroup in &limits.cgroups {
            self.line("cgroup_limit", cgroup)?;
        }
        Ok(())
    }

    fn names<'n>(
        &mut self,
        kind: &str,
        names: impl Iterator<Item = (u64, &'n String)>,
    ) -> io::Result<()> {
        for (id, name) in names {
            self.line(kind, &NameRecord { id, name: Cow::Borrowed(name) })?;
        }
        Ok(())
    }

    /// `{"kind":record}`.
    fn line(&mut self, kind: &str, record: &impl Serialize) -> io::Result<()> {
        match self.end.lines.get_mut(kind) {
            Some(lines) => *lines += 1,
            None => {
                self.end.lines.insert(kind.to_owned(), 1);
            }
        }
        write!(self.to, "{{\"{kind}\":")?;
        serde_json::to_writer(&mut self.to, record)?;
        self.to.write_all(b"}\n")
    }
}
