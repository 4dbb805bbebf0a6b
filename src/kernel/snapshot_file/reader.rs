//! Bytes to recordings. The file is somebody else's: every size is bounded, nothing panics, and
//! what is not whole is refused.

use super::{
    record::{
        BYTE_ORDER, DescriptorsRecord, EndRecord, GapRecord, Header, HostLimitsRecord, NameRecord,
        ProcessLimitsRecord, ProcessRecord, SCHEMA, SettingRecord, VERSION,
    },
    socket::SocketRecord,
};
use crate::{
    kernel::error::Cause,
    model::{
        earlier::Earlier,
        family::FamilyFacts,
        gap::Gap,
        limits::Limits,
        measures::Measures,
        owner::{Owners, Process},
        recording::{RecordedNames, Recording},
        settings::Settings,
        snapshot::{Alive, Snapshot},
    },
};
use flate2::bufread::GzDecoder;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet, HashMap},
    io::{self, BufRead, BufReader, Read},
};

/// The longest line: the descriptors of a process can be a million ranges.
const LONGEST_LINE: u64 = 64 << 20;
/// From here on a file must not expand more than [`EXPANSION`] times. Deflate reaches 1000, a
/// snapshot of 100,000 identical sockets 60 (measured): beyond lies a file made to fill memory.
const EXPANSION_FROM: u64 = 64 << 20;
/// See [`EXPANSION_FROM`].
const EXPANSION: u64 = 200;

const RECORD_AGAIN: &str = "record it again with `sockeye snapshot -o FILE`, or copy it again";
const NOT_OURS: &str = "`--from` reads what `sockeye snapshot -o FILE` or `ss -D FILE` wrote";
const FOLLOWS: &str = "it is corrupted: something follows its end";
const UPDATE: &str = "read it with the version that wrote it, or a later one";

/// Reads recordings from bytes: at least one.
pub fn decode(from: impl Read) -> Result<Vec<Recording>, Cause> {
    let mut bytes = BufReader::new(Counted { from, bytes: 0 });
    let start = bytes.fill_buf().map_err(|e| Cause::from_io(&e))?;
    match start {
        [] => return Err(file("it is empty", RECORD_AGAIN)),
        [0x1f] | [0x1f, 0x8b, ..] => {}
        _ => return Err(file("it is no snapshot", NOT_OURS)),
    }
    let mut lines = Lines::of(bytes);
    let mut recordings = vec![];
    loop {
        let (recording, among) = recording(&mut lines)?;
        recordings.push(recording);
        let is_last = recordings.len() >= among;
        match (lines.goes_on()?, is_last) {
            (false, true) => return Ok(recordings),
            (true, true) => return Err(file(FOLLOWS, RECORD_AGAIN)),
            (false, false) => {
                let read = recordings.len();
                let why = format!("it is cut short after {read} of {among} namespaces");
                return Err(file(&why, RECORD_AGAIN));
            }
            (true, false) => lines = lines.following(),
        }
    }
}

/// Reads one recording, and how many the file has of them.
fn recording<R: Read>(lines: &mut Lines<R>) -> Result<(Recording, usize), Cause> {
    let header = match lines.next()? {
        Some(line) => header(line)?,
        None => return Err(lines.cut_short()),
    };
    let mut reading = Reading::default();
    loop {
        let number = lines.number + 1;
        let Some(line) = lines.next()? else { return Err(lines.cut_short()) };
        match reading.take(line) {
            Ok(Next::More) => {}
            Ok(Next::End) => break,
            Err(why) => {
                return Err(file(&format!("it is corrupted: line {number}: {why}"), RECORD_AGAIN));
            }
        }
    }
    lines.ends()?;
    let recording = reading.recording(&header);
    let why = || file(&format!("its source `{}` is not known", header.source.kind), UPDATE);
    Ok((recording.ok_or_else(why)?, header.namespaces))
}

fn file(why: &str, hint: &'static str) -> Cause {
    Cause::File { why: why.to_owned(), hint }
}

fn header(line: &[u8]) -> Result<Header, Cause> {
    #[derive(Deserialize)]
    struct Named {
        schema: String,
    }
    let foreign = || file("it is gzip, but no snapshot", NOT_OURS);
    let named: Named = serde_json::from_slice(line).map_err(|_| foreign())?;
    let number: u32 =
        named.schema.strip_prefix(SCHEMA).and_then(|n| n.parse().ok()).ok_or_else(foreign)?;
    if number > VERSION {
        let why = format!("its schema is {SCHEMA}{number}, this version reads up to {VERSION}");
        return Err(file(&why, UPDATE));
    }
    serde_json::from_slice(line).map_err(|error| {
        file(&format!("it is corrupted: line 1: {}", without_place(&error)), RECORD_AGAIN)
    })
}

/// serde_json's place is within the line, whose number is told already.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or_default().to_owned()
}

struct Counted<R> {
    from: R,
    bytes: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(to)?;
        self.bytes += read as u64;
        Ok(read)
    }
}

struct Lines<R: Read> {
    from: BufReader<GzDecoder<BufReader<Counted<R>>>>,
    line: Vec<u8>,
    /// Lines read.
    number: u64,
    /// Bytes read, expanded.
    bytes: u64,
}

impl<R: Read> Lines<R> {
    fn of(bytes: BufReader<Counted<R>>) -> Self {
        Self { from: BufReader::new(GzDecoder::new(bytes)), line: vec![], number: 0, bytes: 0 }
    }

    /// The next line; `None`: the bytes end after a whole line.
    fn next(&mut self) -> Result<Option<&[u8]>, Cause> {
        self.line.clear();
        let read = (&mut self.from).take(LONGEST_LINE).read_until(b'\n', &mut self.line);
        if let Err(error) = read {
            return Err(self.broken(&error));
        }
        if self.line.is_empty() {
            return Ok(None);
        }
        self.bytes += self.line.len() as u64;
        let packed = self.from.get_ref().get_ref().get_ref().bytes;
        if self.bytes > EXPANSION_FROM && self.bytes / EXPANSION > packed {
            return Err(file("it expands like no snapshot does", NOT_OURS));
        }
        if self.line.pop_if(|byte| *byte == b'\n').is_none() {
            let too_long = self.line.len() as u64 >= LONGEST_LINE;
            return Err(if too_long {
                file(&format!("line {} is too long", self.number + 1), NOT_OURS)
            } else {
                self.cut_short()
            });
        }
        self.number += 1;
        Ok(Some(&self.line))
    }

    fn cut_short(&self) -> Cause {
        file(&format!("it is cut short after {} lines", self.number), RECORD_AGAIN)
    }

    fn broken(&self, error: &io::Error) -> Cause {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => self.cut_short(),
            io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => {
                let why = format!("it is corrupted after {} lines: {error}", self.number);
                file(&why, RECORD_AGAIN)
            }
            _ => Cause::from_io(error),
        }
    }

    /// Reads the end of the gzip stream, which holds its checksum; no line may come after it.
    fn ends(&mut self) -> Result<(), Cause> {
        match self.from.fill_buf() {
            Ok([]) => Ok(()),
            Ok(_) => Err(file(FOLLOWS, RECORD_AGAIN)),
            Err(error) => Err(self.broken(&error)),
        }
    }

    /// Whether there is something behind the gzip stream.
    fn goes_on(&mut self) -> Result<bool, Cause> {
        match self.from.get_mut().get_mut().fill_buf() {
            Ok(rest) => Ok(!rest.is_empty()),
            Err(error) => Err(self.broken(&error)),
        }
    }

    /// The lines of the gzip stream that follows this one.
    fn following(self) -> Self {
        let Self { from, line, number, bytes } = self;
        let decoder = GzDecoder::new(from.into_inner().into_inner());
        Self { from: BufReader::new(decoder), line, number, bytes }
    }
}

enum Next {
    More,
    End,
}

/// What was read so far.
#[derive(Default)]
struct Reading {
    sockets: Vec<crate::model::socket::Socket>,
    alive: Vec<Alive>,
    earlier: Option<Vec<Earlier>>,
    processes: Vec<(Process, Vec<(u64, u32)>)>,
    by_pid: HashMap<u32, usize>,
    settings: Settings,
    limits: Limits,
    samples: Vec<crate::model::counters::Sample>,
    gaps: Vec<Gap>,
    names: RecordedNames,
    seen: EndRecord,
    unknown: BTreeSet<String>,
    unknown_lines: u64,
}

impl Reading {
    fn take(&mut self, line: &[u8]) -> Result<Next, String> {
        let json = |error: serde_json::Error| without_place(&error);
        let record: BTreeMap<String, &RawValue> = serde_json::from_slice(line).map_err(json)?;
        let Some((kind, body)) = record.first_key_value().filter(|_| record.len() == 1) else {
            return Err("expected one record".to_owned());
        };
        let body = body.get();
        if kind == "end" {
            let end: EndRecord = serde_json::from_str(body).map_err(json)?;
            return if end == self.seen {
                Ok(Next::End)
            } else {
                Err("the lines are not as many as were written".to_owned())
            };
        }
        match self.seen.lines.get_mut(kind) {
            Some(lines) => *lines += 1,
            None => {
                self.seen.lines.insert(kind.clone(), 1);
            }
        }
        self.record(kind, body).map_err(json)?.map(|()| Next::More)
    }

    /// Takes one record in. The outer error is that of JSON, the inner one of the content.
    fn record(&mut self, kind: &str, body: &str) -> serde_json::Result<Result<(), String>> {
        match kind {
            "socket" => match serde_json::from_str::<SocketRecord<'_>>(body)?.socket() {
                Some(socket) => self.sockets.push(socket),
                None => self.pass_over(kind),
            },
            "alive" => {
                let pairs: Vec<(u64, u64)> = serde_json::from_str(body)?;
                self.alive.extend(pairs.into_iter().map(|(cookie, inode)| Alive { cookie, inode }));
            }
            "earlier" => {
                let sockets: Vec<Earlier> = serde_json::from_str(body)?;
                self.earlier.get_or_insert_default().extend(sockets);
            }
            "process" => {
                let process = serde_json::from_str::<ProcessRecord<'_>>(body)?.process();
                if self.by_pid.insert(process.pid, self.processes.len()).is_some() {
                    return Ok(Err(format!("process {} comes twice", process.pid)));
                }
                self.processes.push((process, vec![]));
            }
            "descriptors" => {
                let record: DescriptorsRecord<'_> = serde_json::from_str(body)?;
                let index = self.by_pid.get(&record.pid);
                match index.and_then(|index| self.processes.get_mut(*index)) {
                    Some((_, sockets)) => sockets.extend(record.sockets.iter()),
                    None => return Ok(Err(format!("process {} is not known", record.pid))),
                }
            }
            "setting" => {
                let record: SettingRecord<'_> = serde_json::from_str(body)?;
                let name = record.name.into_owned();
                if let Some(value) = record.value {
                    self.settings.values.insert(name, value.into_owned());
                } else {
                    let why = record.missing.unwrap_or_default().into_owned();
                    self.settings.missing.insert(name, why);
                }
            }
            "host_setting" => {
                let record: SettingRecord<'_> = serde_json::from_str(body)?;
                if let Some(value) = record.value {
                    self.settings.of_host.insert(record.name.into_owned(), value.into_owned());
                }
            }
            "sample" => self.samples.push(serde_json::from_str(body)?),
            "gap" => self.gaps.push(serde_json::from_str::<GapRecord<'_>>(body)?.gap()),
            "host_limits" => {
                let record: HostLimitsRecord<'_> = serde_json::from_str(body)?;
                self.limits.memory_available_bytes = record.memory_available_bytes;
                self.limits.memory_total_bytes = record.memory_total_bytes;
                self.limits.named_ports = record.named_ports.map(Cow::into_owned);
                self.limits.missing = record.missing.into_owned();
            }
            "process_limits" => {
                let record: ProcessLimitsRecord<'_> = serde_json::from_str(body)?;
                self.limits.processes.push(record.limits());
            }
            "cgroup_limit" => self.limits.cgroups.push(serde_json::from_str(body)?),
            "user" | "interface" | "cgroup" => {
                let NameRecord { id, name } = serde_json::from_str(body)?;
                return Ok(self.name(kind, id, name.into_owned()));
            }
            _ => self.pass_over(kind),
        }
        Ok(Ok(()))
    }

    fn name(&mut self, kind: &str, id: u64, name: String) -> Result<(), String> {
        if kind == "cgroup" {
            self.names.cgroups.insert(id, name);
            return Ok(());
        }
        let id = u32::try_from(id).map_err(|_| format!("{kind} {id} is out of range"))?;
        if kind == "user" {
            self.names.users.insert(id, name);
        } else {
            self.names.interfaces.insert(id, name);
        }
        Ok(())
    }

    /// A record of a later version with the same schema number: nothing that is known depends on it.
    fn pass_over(&mut self, kind: &str) {
        const MOST: usize = 8;
        self.unknown_lines += 1;
        if self.unknown.len() < MOST {
            self.unknown.insert(kind.to_owned());
        }
    }

    fn recording(mut self, header: &Header) -> Option<Recording> {
        if self.unknown_lines > 0 {
            let kinds: Vec<String> = self.unknown.into_iter().collect();
            self.gaps.push(Gap::new(
                "records-unknown",
                format!(
                    "{} records of the snapshot are of a kind this version does not know ({})",
                    self.unknown_lines,
                    kinds.join(", ")
                ),
                UPDATE,
            ));
        }
        if header.byte_order != BYTE_ORDER {
            // Their bytes are the kernel's; read here they would be other numbers.
            for socket in &mut self.sockets {
                (socket.tcp_info, socket.sockopt) = (None, None);
                match socket.family_facts.as_deref_mut() {
                    Some(FamilyFacts::Mptcp(mptcp)) => mptcp.info = None,
                    Some(FamilyFacts::Sctp(sctp)) => sctp.info = None,
                    _ => {}
                }
            }
            self.gaps.push(Gap::new(
                "byte-order",
                format!(
                    "TCP details are missing: they were recorded on a {}-endian machine",
                    header.byte_order
                ),
                "read the snapshot on a machine like the one that recorded it",
            ));
        }
        let mut owners = Owners::default();
        for (process, sockets) in self.processes {
            owners.add(process, &sockets);
        }
        let mut about = header.about()?;
        about.gaps = self.gaps;
        Some(Recording {
            snapshot: Snapshot {
                about,
                sockets: vec![],
                measures: Measures::default(),
                alive_before: self.alive,
                before: None,
                owners: owners.finished(header.unmatched()),
                settings: self.settings,
                limits: self.limits,
                samples: self.samples,
            },
            sockets: self.sockets,
            earlier: self.earlier,
            protocols: header.known_protocols(),
            names: self.names,
            boot_id: header.boot_id.clone(),
            tool_version: header.tool_version.clone(),
            redacted: header.redacted,
        })
    }
}
