//! A screen that is drawn again in place, with what changed marked: `--watch` on a terminal.

use std::{
    collections::HashSet,
    io::{self, Write},
    sync::{Mutex, PoisonError},
};

/// What a round prints while it is gathered. `None`: it goes to standard output.
static GATHERED: Mutex<Option<Vec<u8>>> = Mutex::new(None);

/// From now on what goes to standard output is gathered.
pub fn gather() {
    *GATHERED.lock().unwrap_or_else(PoisonError::into_inner) = Some(vec![]);
}

/// What was gathered; from now on nothing is.
pub fn gathered() -> Vec<u8> {
    let mut gathered = GATHERED.lock().unwrap_or_else(PoisonError::into_inner);
    gathered.take().unwrap_or_default()
}

/// Takes the bytes, if they are gathered.
pub(super) fn take(bytes: &[u8]) -> bool {
    let mut gathered = GATHERED.lock().unwrap_or_else(PoisonError::into_inner);
    gathered.as_mut().map(|to| to.extend(bytes)).is_some()
}

/// What is on the screen.
#[derive(Debug, Default)]
pub struct Frame {
    lines: HashSet<Vec<u8>>,
    is_drawn: bool,
}

impl Frame {
    /// Makes the bytes that put `text` on a screen of so many rows, in place of what was drawn
    /// before: a line that was not there is bold. Nothing is cleared first, so that what stays the
    /// same does not flicker; what has no room is counted in the last row.
    pub fn draw(&mut self, text: &[u8], rows: usize) -> Vec<u8> {
        let text = text.strip_suffix(b"\n").unwrap_or(text);
        let lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
        let room = rows.max(2) - 1;
        let shown = if lines.len() > room { room - 1 } else { lines.len() };
        let mut out = b"\x1b[H".to_vec();
        for line in lines.iter().take(shown) {
            let is_new = self.is_drawn && !line.is_empty() && !self.lines.contains(*line);
            if is_new {
                bold(&mut out, line);
            } else {
                out.extend(*line);
            }
            out.extend(b"\x1b[K\r\n");
        }
        if shown < lines.len() {
            let left = lines.len() - shown;
            out.extend(
                format!("{left} more lines: --limit N, --sort, or a pipe\x1b[K\r\n").bytes(),
            );
        }
        out.extend(b"\x1b[J");
        self.lines = lines.into_iter().map(<[u8]>::to_vec).collect();
        self.is_drawn = true;
        out
    }

    /// Draws on standard output.
    pub fn show(&mut self, text: &[u8]) -> io::Result<()> {
        let rows = terminal_size::terminal_size().map_or(24, |(_, rows)| usize::from(rows.0));
        let mut stdout = io::stdout().lock();
        stdout.write_all(&self.draw(text, rows))?;
        stdout.flush()
    }
}

/// A line in bold, also behind each place where its own colours end.
fn bold(out: &mut Vec<u8>, line: &[u8]) {
    const BOLD: &[u8] = b"\x1b[1m";
    const END: &[u8] = b"\x1b[0m";
    out.extend(BOLD);
    let mut rest = line;
    while let Some(at) = rest.windows(END.len()).position(|bytes| bytes == END) {
        let (before, behind) = rest.split_at(at + END.len());
        out.extend(before);
        out.extend(BOLD);
        rest = behind;
    }
    out.extend(rest);
    out.extend(END);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(frame: &mut Frame, text: &str, rows: usize) -> String {
        String::from_utf8(frame.draw(text.as_bytes(), rows)).unwrap()
    }

    #[test]
    fn what_was_not_there_is_bold_and_the_rest_stays() {
        let mut frame = Frame::default();
        assert_eq!(drawn(&mut frame, "a\nb\n", 24), "\x1b[Ha\x1b[K\r\nb\x1b[K\r\n\x1b[J");
        let second = drawn(&mut frame, "b\n\x1b[32mc\x1b[0md\n", 24);
        assert_eq!(
            second,
            "\x1b[Hb\x1b[K\r\n\x1b[1m\x1b[32mc\x1b[0m\x1b[1md\x1b[0m\x1b[K\r\n\x1b[J"
        );
        assert!(!drawn(&mut frame, "b\n\x1b[32mc\x1b[0md\n", 24).contains("\x1b[1m"));
    }

    #[test]
    fn what_has_no_room_is_counted() {
        let shown = drawn(&mut Frame::default(), "1\n2\n3\n4\n5\n", 4);
        assert!(shown.starts_with("\x1b[H1\x1b[K\r\n2\x1b[K\r\n3 more lines"), "{shown:?}");
        assert_eq!(shown.matches("\r\n").count(), 3);
        for rows in 0..3 {
            let _ = drawn(&mut Frame::default(), "1\n2\n3\n", rows);
        }
    }
}
