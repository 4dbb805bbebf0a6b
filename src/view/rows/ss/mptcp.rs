//! The TCP half of an MPTCP connection.

use crate::model::details::Subflow;
use std::io::Write;

/// Letters of `MPTCP_SUBFLOW_FLAG_*`, from bit 0: capable, joined, backup, each of the peer and of
/// this side; established, connected, mapping valid.
const LETTERS: &[u8; 9] = b"MmJjBbecv";

/// Writes one path.
pub(super) fn subflow(out: &mut Vec<u8>, subflow: &Subflow) {
    if let Some(flags) = subflow.flags {
        out.extend(b" flags:");
        let set = LETTERS.iter().enumerate().filter(|(bit, _)| flags >> bit & 1 == 1);
        out.extend(set.map(|(_, letter)| *letter));
    }
    if let (Some(remote), Some(local)) = (subflow.token_remote, subflow.token_local) {
        let (far, near) = (subflow.id_remote.unwrap_or(0), subflow.id_local.unwrap_or(0));
        let _ = write!(out, " token:{remote:04x}(id:{far})/{local:04x}(id:{near})");
    }
    for (key, number) in [
        ("seq", subflow.map_seq),
        ("sfseq", subflow.map_subflow_seq.map(u64::from)),
        ("ssnoff", subflow.ssn_offset.map(u64::from)),
        ("maplen", subflow.map_bytes.map(u64::from)),
    ] {
        if let Some(number) = number {
            let _ = write!(out, " {key}:{number:x}");
        }
    }
}
