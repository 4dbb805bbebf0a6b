//! Listings longer than the four chunks that ss fills before it prints.

use crate::lab::{
    beside_ss::has_ss,
    namespace::Namespace,
    program::{Run, SOCKEYE},
};
use std::{collections::BTreeSet, fs, path::Path, process::Command};
use tempfile::TempDir;

/// A dump of so many connections, as the kernel would tell them: addresses and ports of every
/// length, so that columns grow from part to part.
fn dump(rows: u32, path: &Path) {
    let mut bytes = vec![];
    let mut head = |length: u32, kind: u16| {
        bytes.extend(length.to_ne_bytes());
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(2u16.to_ne_bytes());
        bytes.extend([123_456u32.to_ne_bytes(), [0; 4]].concat());
        std::mem::take(&mut bytes)
    };
    let mut file = vec![];
    for row in 0..rows {
        // `struct inet_diag_msg`, 72 bytes, SOCK_DIAG_BY_FAMILY.
        file.extend(head(88, 20));
        file.extend([2, 1, 0, 0]);
        file.extend(u16::try_from(row % 60_000 + 1).unwrap().to_be_bytes());
        file.extend(443u16.to_be_bytes());
        // Later ones have longer addresses.
        let (near, far) = match row * 4 / rows {
            0 => ([1, 2, 3, 4], [5, 6, 7, 8]),
            1 => ([10, 20, 30, 40], [1, 2, 3, 4]),
            2 => ([1, 2, 3, 4], [100, 101, 102, 103]),
            _ => ([200, 201, 202, 203], [9, 9, 9, 9]),
        };
        for address in [near, far] {
            file.extend(address);
            file.extend([0; 12]);
        }
        for word in [0, row + 1, 0, 0, row % 7 * 99_999, row % 5, row % 3, row + 1] {
            file.extend(word.to_ne_bytes());
        }
    }
    // NLMSG_DONE.
    file.extend(head(20, 3));
    file.extend([0; 4]);
    fs::write(path, file).unwrap();
}

#[test]
fn a_long_listing_is_printed_in_the_parts_of_ss() {
    if !has_ss() {
        return;
    }
    let namespace = Namespace::quick();
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("dump");
    // Four chunks of 1 MiB hold some 55,000 rows; with details fewer.
    dump(90_000, &path);
    for switches in ["-tan", "-taneHO"] {
        let ask = |program: &str, more: &[&str]| {
            let mut command = Command::new(program);
            command.arg(switches).args(more).env("TCPDIAG_FILE", &path);
            let run = Run::of(namespace.output(&mut command));
            assert_eq!(run.code, 0, "{program} {switches}: {}", run.stderr);
            run.stdout
        };
        let (theirs, ours) = (ask("ss", &[]), ask(SOCKEYE, &["--format", "ss"]));
        let widths: BTreeSet<usize> = theirs.lines().map(str::len).collect();
        assert!(widths.len() > 1, "{switches}: {widths:?}");
        let different = theirs.lines().zip(ours.lines()).enumerate().find(|(_, (a, b))| a != b);
        assert_eq!(different, None, "{switches}");
        assert_eq!(theirs.len(), ours.len(), "{switches}");
    }
}
