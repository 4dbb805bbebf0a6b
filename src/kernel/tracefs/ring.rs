//! A page of the trace ring buffer, as `trace_pipe_raw` gives it. Cannot panic, whatever the bytes.
//!
//! A page is a head (time stamp, commit) and records. The head of a record has 5 bits of type or
//! length and 27 bits of time since the record before (`linux/ring_buffer.h`,
//! `struct ring_buffer_event`); `commit` says how long the page is, and whether records before it
//! were overwritten (`RB_MISSED_EVENTS`), in newer kernels how many (`RB_MISSED_STORED`).

use super::format::Format;
use crate::kernel::bytes::{u32_ne, u64_ne};

const PADDING: u32 = 29;
const TIME_EXTEND: u32 = 30;
const TIME_STAMP: u32 = 31;
const MISSED_EVENTS: u64 = 1 << 31;
const MISSED_STORED: u64 = 1 << 30;
/// Bits of an absolute time stamp that a record holds.
const STAMP: u64 = (1 << 59) - 1;

/// Where the head of a page lies, from `events/header_page`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    timestamp: usize,
    commit: usize,
    commit_size: usize,
    data: usize,
    /// Size of a whole page.
    pub size: usize,
}

impl Layout {
    /// From the text of `events/header_page`; `None` where a field is missing.
    pub fn of(header_page: &Format) -> Option<Self> {
        let place = |name| header_page.place(name);
        let data = place("data")?;
        Some(Self {
            timestamp: place("timestamp")?.offset,
            commit: place("commit")?.offset,
            commit_size: place("commit")?.size,
            data: data.offset,
            size: data.offset + data.size,
        })
    }
}

/// Records that were overwritten before they were read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Missed {
    /// How many, as far as the kernel counted them.
    pub counted: u64,
    /// How often it only said that there were some.
    pub uncounted: u64,
}

/// Hands each record of a page to `each` with its time on the trace clock, in nanoseconds.
pub fn records(layout: Layout, page: &[u8], mut each: impl FnMut(u64, &[u8])) -> Missed {
    let mut missed = Missed::default();
    let commit = match layout.commit_size {
        4 => u32_ne(page, layout.commit).map(u64::from),
        _ => u64_ne(page, layout.commit),
    };
    let (Some(mut time), Some(commit)) = (u64_ne(page, layout.timestamp), commit) else {
        return missed;
    };
    let length = usize::try_from(commit & (MISSED_STORED - 1)).unwrap_or(usize::MAX);
    let Some(data) = page.get(layout.data..).map(|data| data.get(..length).unwrap_or(data)) else {
        return missed;
    };
    if commit & MISSED_EVENTS != 0 {
        let stored = u64_ne(page, layout.data.saturating_add(length));
        match stored.filter(|_| commit & MISSED_STORED != 0) {
            Some(count) => missed.counted += count,
            None => missed.uncounted += 1,
        }
    }
    let mut at = 0;
    while let Some(head) = u32_ne(data, at) {
        let (kind, delta) = head_of(head);
        let first = u32_ne(data, at + 4);
        // The length of what follows the head, and where the content lies in it.
        let (length, content) = match (kind, first) {
            (PADDING, _) if delta == 0 => break,
            (PADDING, Some(length)) => (length as usize, None),
            (TIME_EXTEND, Some(high)) => {
                time = time.wrapping_add(u64::from(high) << 27);
                (4, None)
            }
            (TIME_STAMP, Some(high)) => {
                let stamp = (u64::from(high) << 27) + u64::from(delta);
                time = (time & !STAMP) | (stamp & STAMP);
                at += 8;
                continue;
            }
            (0, Some(length)) => (length as usize, Some(4)),
            (words @ 1..=28, _) => (words as usize * 4, Some(0)),
            _ => break,
        };
        time = time.wrapping_add(delta.into());
        if let Some(skip) = content {
            let start = at + 4 + skip;
            let Some(record) = data.get(start..at.saturating_add(4).saturating_add(length)) else {
                break;
            };
            each(time, record);
        }
        // A length of 0 would never end.
        at = at.saturating_add(4).saturating_add(length.next_multiple_of(4).max(4));
    }
    missed
}

/// (type or length, time since the record before): bit-fields lie from the low bits on
/// little-endian machines, from the high ones on others.
const fn head_of(head: u32) -> (u32, u32) {
    if cfg!(target_endian = "little") {
        (head & 31, head >> 5)
    } else {
        (head >> 27, head & !(31 << 27))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HEADER_PAGE: &str = "\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;\n\
                               \tfield: local_t commit;\toffset:8;\tsize:8;\tsigned:1;\n\
                               \tfield: int overwrite;\toffset:8;\tsize:1;\tsigned:1;\n\
                               \tfield: char data;\toffset:16;\tsize:4080;\tsigned:0;\n";

    fn layout() -> Layout {
        Layout::of(&Format::parse(HEADER_PAGE)).unwrap()
    }

    fn head(kind: u32, delta: u32) -> [u8; 4] {
        let head =
            if cfg!(target_endian = "little") { delta << 5 | kind } else { kind << 27 | delta };
        head.to_ne_bytes()
    }

    fn page(flags: u64, data: &[u8], behind: &[u8]) -> Vec<u8> {
        let mut page = 1000u64.to_ne_bytes().to_vec();
        page.extend((data.len() as u64 | flags).to_ne_bytes());
        page.extend(data);
        page.extend(behind);
        page.resize(4096, 0);
        page
    }

    fn read(page: &[u8]) -> (Vec<(u64, Vec<u8>)>, Missed) {
        let mut found = vec![];
        let missed = records(layout(), page, |time, record| found.push((time, record.to_vec())));
        (found, missed)
    }

    #[test]
    fn records_of_every_kind_are_walked_with_their_time() {
        let mut data = vec![];
        data.extend(head(2, 5));
        data.extend([1; 8]);
        // Discarded by a filter, and its time counts.
        data.extend(head(PADDING, 10));
        data.extend(8u32.to_ne_bytes());
        data.extend([9; 4]);
        data.extend(head(TIME_EXTEND, 3));
        data.extend(2u32.to_ne_bytes());
        // Too long for five bits: the length stands in front, itself included.
        data.extend(head(0, 1));
        data.extend(124u32.to_ne_bytes());
        data.extend([2; 120]);
        data.extend(head(TIME_STAMP, 7));
        data.extend(1u32.to_ne_bytes());
        data.extend(head(1, 0));
        data.extend([3; 4]);
        let (found, missed) = read(&page(0, &data, &[]));
        assert_eq!(missed, Missed::default());
        let times: Vec<u64> = found.iter().map(|(time, _)| *time).collect();
        assert_eq!(times, [1005, 1019 + (2 << 27), (1 << 27) + 7]);
        assert_eq!(found[0].1, [1; 8]);
        assert_eq!(found[1].1, [2; 120]);
        assert_eq!(found[2].1, [3; 4]);
    }

    #[test]
    fn overwritten_records_are_counted_where_the_kernel_does() {
        let mut data = head(1, 1).to_vec();
        data.extend([1; 4]);
        let (found, missed) =
            read(&page(MISSED_EVENTS | MISSED_STORED, &data, &77u64.to_ne_bytes()));
        assert_eq!((found.len(), missed.counted, missed.uncounted), (1, 77, 0));
        let (_, missed) = read(&page(MISSED_EVENTS, &data, &[]));
        assert_eq!((missed.counted, missed.uncounted), (0, 1));
    }

    proptest! {
        #[test]
        fn hostile_pages_end(mut bytes in prop::collection::vec(any::<u8>(), 0..600), zeros in 0usize..64) {
            bytes.extend(vec![0; zeros]);
            let _ = read(&bytes);
            let _ = read(&page(0, &bytes, &[]));
        }
    }
}
