//! Files that hold what was seen elsewhere: a snapshot of ours, or a raw dump as `ss -D` writes it.

use super::{
    error::{Cause, Error},
    proc::root::Root,
    snapshot_file::reader,
    sock_diag::dump_file,
};
use crate::model::{
    about::{About, Host, SourceKind},
    gap::Gap,
    limits::Limits,
    measures::Measures,
    netns::Netns,
    owner::Owners,
    protocol::Protocol,
    recording::{RecordedNames, Recording},
    settings::Settings,
    snapshot::Snapshot,
};
use std::{
    io::{self, Read},
    path::Path,
    time::SystemTime,
};

/// Reads either: a recording of each network namespace that the file holds, at least one.
pub fn read(path: &Path) -> Result<Vec<Recording>, Error> {
    let refused = |cause| {
        let cause = match cause {
            Cause::Errno(_) => Cause::File { why: format!("{cause}"), hint: "check the path" },
            other => other,
        };
        Error { attempted: "read the recording", subject: path.display().to_string(), cause }
    };
    let mut file = Root::open(path).map_err(|error| refused(error.cause))?;
    let written = file.metadata().and_then(|metadata| metadata.modified());
    let mut start = vec![];
    // Looked at and put back: a pipe cannot be read twice.
    let looked = (&mut file).take(8).read_to_end(&mut start);
    looked.map_err(|error: io::Error| refused(Cause::from_io(&error)))?;
    let is_dump = dump_file::is_dump(&start);
    let bytes = io::Cursor::new(start).chain(file);
    if !is_dump {
        return reader::decode(bytes).map_err(refused);
    }
    let mut sockets = vec![];
    dump_file::decode(bytes, |socket| sockets.push(socket)).map_err(refused)?;
    let about = About {
        generated_at: written.unwrap_or_else(|_| SystemTime::now()),
        host: Host::default(),
        source: SourceKind::Netlink,
        fallback_reason: None,
        netns: Netns::default(),
        gaps: vec![Gap::new(
            "raw-dump",
            "a raw dump holds sockets alone: no owners, host, settings or counters; the time is the file's",
            "`sockeye snapshot -o FILE` records them too",
        )],
    };
    Ok(vec![Recording {
        snapshot: Snapshot {
            about,
            sockets: vec![],
            measures: Measures::default(),
            alive_before: vec![],
            before: None,
            owners: Owners::default(),
            settings: Settings::default(),
            limits: Limits::default(),
            samples: vec![],
        },
        sockets,
        earlier: None,
        protocols: vec![Protocol::Tcp],
        names: RecordedNames::default(),
        boot_id: None,
        tool_version: String::new(),
        redacted: false,
    }])
}
