//! MPTCP connections, and the TCP half of one.

use crate::model::{details::Subflow, family::mptcp::MptcpInfo};
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

// `MPTCP_INFO_FLAG_*`.
const FALLBACK: u64 = 1;
const REMOTE_KEY: u64 = 2;

/// Writes a connection: what is zero is left out. Newer fields of the struct are not in 6.1.0.
pub(super) fn info(out: &mut Vec<u8>, info: &MptcpInfo) {
    let get = |id: &str| info.by_id(id).unwrap_or(0);
    for (key, id) in [
        ("subflows", "mptcp.subflows_extra"),
        ("add_addr_signal", "mptcp.add_addr_signal"),
        ("add_addr_accepted", "mptcp.add_addr_accepted"),
        ("subflows_max", "mptcp.subflows_max"),
        ("add_addr_signal_max", "mptcp.add_addr_signal_max"),
        ("add_addr_accepted_max", "mptcp.add_addr_accepted_max"),
    ] {
        if get(id) != 0 {
            let _ = write!(out, " {key}:{}", get(id));
        }
    }
    for (bit, word) in [(FALLBACK, " fallback"), (REMOTE_KEY, " remote_key")] {
        if get("mptcp.flags") & bit != 0 {
            out.extend(word.as_bytes());
        }
    }
    for (key, id) in [
        ("token", "mptcp.token"),
        ("write_seq", "mptcp.write_seq"),
        ("snd_una", "mptcp.snd_una"),
        ("rcv_nxt", "mptcp.rcv_nxt"),
    ] {
        if get(id) != 0 {
            let _ = write!(out, " {key}:{:x}", get(id));
        }
    }
}
