//! A page of 80 columns under construction: headings, wrapped text, rows of figures.

use crate::view::document::{Block, Document};
pub(super) use crate::view::escape::shown;
use textwrap::{Options, WordSeparator, WordSplitter};
use unicode_width::UnicodeWidthStr;

/// Columns of the page.
pub(super) const WIDTH: usize = 80;

/// The page.
#[derive(Default)]
pub(super) struct Page {
    /// What is on it.
    pub(super) document: Document,
}

impl Page {
    /// A heading, wrapped.
    pub(super) fn heading(&mut self, text: &str) {
        for line in textwrap::wrap(&kept_together(text), wrapping()) {
            self.document.push(Block::Heading(apart(&line)));
        }
    }

    /// An empty line.
    pub(super) fn blank(&mut self) {
        self.line("");
    }

    /// A line as it stands.
    pub(super) fn line(&mut self, text: &str) {
        self.document.push(Block::Line(text.trim_end().to_owned()));
    }

    /// A paragraph that begins with `first`; its other lines are indented.
    pub(super) fn paragraph(&mut self, first: &str, indent: usize, text: &str) {
        let indent = " ".repeat(indent);
        let options = wrapping().initial_indent(first).subsequent_indent(&indent);
        for line in textwrap::wrap(&kept_together(text), options) {
            self.line(&apart(&line));
        }
    }

    /// A paragraph behind a name that stands in a column of its own.
    pub(super) fn fact(&mut self, name: &str, text: &str) {
        self.paragraph(&format!("{name:<14}"), 14, text);
    }

    /// Text to paste, as it stands.
    pub(super) fn verbatim(&mut self, indent: &str, text: &str) {
        for line in text.lines() {
            self.line(&format!("{indent}{line}"));
        }
    }
}

/// Lines break at blanks, so that a name with hyphens can be copied; a path that is longer than a
/// line is broken where the line ends.
fn wrapping<'o>() -> Options<'o> {
    Options::new(WIDTH)
        .word_separator(WordSeparator::AsciiSpace)
        .word_splitter(WordSplitter::NoHyphenation)
}

/// What follows a figure on its line.
const UNITS: [&str; 9] = ["%", "s", "ms", "min", "h", "B", "KiB", "MiB", "GiB"];

/// A figure and its unit stay on one line: a blank that does not break between them.
fn kept_together(text: &str) -> String {
    let mut together = String::new();
    for (at, word) in text.split(' ').enumerate() {
        let is_unit = UNITS.contains(&word.trim_end_matches(|c: char| ")].,;:".contains(c)));
        let of_figure = together.ends_with(|c: char| c.is_ascii_digit());
        if at > 0 {
            together.push(if is_unit && of_figure { '\u{a0}' } else { ' ' });
        }
        together.push_str(word);
    }
    together
}

fn apart(line: &str) -> String {
    line.replace('\u{a0}', " ")
}

/// A column of figures.
pub(super) struct Column {
    head: &'static str,
    width: usize,
    right: bool,
}

impl Column {
    /// Of words.
    pub(super) const fn left(head: &'static str, width: usize) -> Self {
        Self { head, width, right: false }
    }

    /// Of numbers.
    pub(super) const fn right(head: &'static str, width: usize) -> Self {
        Self { head, width, right: true }
    }

    fn padded(&self, cell: &str) -> String {
        let space = " ".repeat(self.width.saturating_sub(cell.width()));
        if self.right { space + cell } else { cell.to_owned() + &space }
    }
}

/// Columns of fixed widths, apart by two blanks, at most as wide as the page.
pub(super) struct Columns(pub(super) &'static [Column]);

impl Columns {
    /// The line of headings.
    pub(super) fn heads(&self, page: &mut Page) {
        let heads: Vec<&str> = self.0.iter().map(|column| column.head).collect();
        self.line(page, &heads);
    }

    /// A row. A first cell that is too wide has a line of its own above the others.
    pub(super) fn row(&self, page: &mut Page, cells: &[String]) {
        let mut cells: Vec<&str> = cells.iter().map(String::as_str).collect();
        let is_wide = |cell: &str| self.0.first().is_some_and(|column| cell.width() > column.width);
        if let Some(first) = cells.first_mut().filter(|cell| is_wide(cell)) {
            page.paragraph("", 2, first);
            *first = "";
        }
        self.line(page, &cells);
    }

    fn line(&self, page: &mut Page, cells: &[&str]) {
        let cells: Vec<String> =
            self.0.iter().zip(cells).map(|(column, cell)| column.padded(cell)).collect();
        page.line(&cells.join("  "));
    }
}

/// `nginx[22537,22539,+1]`: processes of one program in one cell, several programs apart by blanks.
pub(super) fn programs<'n>(processes: impl IntoIterator<Item = (&'n [u8], u32)>) -> String {
    const NAMED: usize = 2;
    let mut programs: Vec<(&[u8], Vec<u32>)> = vec![];
    for (command, pid) in processes {
        match programs.iter_mut().find(|(known, _)| *known == command) {
            Some((_, pids)) => pids.push(pid),
            None => programs.push((command, vec![pid])),
        }
    }
    let cell = |(command, pids): &(&[u8], Vec<u32>)| {
        let mut words: Vec<String> = pids.iter().take(NAMED).map(u32::to_string).collect();
        if pids.len() > NAMED {
            words.push(format!("+{}", pids.len() - NAMED));
        }
        format!("{}[{}]", shown(command), words.join(","))
    };
    programs.iter().map(cell).collect::<Vec<_>>().join(" ")
}

/// `512 B`, `1.5 KiB`, `40.0 MiB`, `15.6 GiB`: rounded down.
pub(super) fn bytes(count: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if count < 1024 {
        return format!("{count} B");
    }
    let (mut size, mut unit) = (1024_u128, 0);
    while unit + 1 < UNITS.len() && u128::from(count) >= size * 1024 {
        size *= 1024;
        unit += 1;
    }
    let tenths = u128::from(count) * 10 / size;
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS.get(unit).copied().unwrap_or_default())
}

/// A count that has room in a column: from 10^11 on as `9.2e18`, rounded down.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    match (digits.len(), digits.get(0..1), digits.get(1..2)) {
        (12.., Some(first), Some(second)) => format!("{first}.{second}e{}", digits.len() - 1),
        _ => digits,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_have_units() {
        for (number, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (1536, "1.5 KiB"),
            ((1 << 20) - 1, "1023.9 KiB"),
            (1 << 20, "1.0 MiB"),
            (16_777_216 * 1024, "16.0 GiB"),
            (1 << 50, "1024.0 TiB"),
            (u64::MAX, "16777215.9 TiB"),
        ] {
            assert_eq!(bytes(number), text);
        }
    }

    #[test]
    fn counts_have_room_in_a_column() {
        for (number, text) in [
            (0, "0"),
            (99_999_999_999, "99999999999"),
            (100_000_000_000, "1.0e11"),
            (i64::MAX.unsigned_abs(), "9.2e18"),
        ] {
            assert_eq!(count(number), text);
        }
    }

    #[test]
    fn processes_of_one_program_share_a_cell() {
        let nginx = |pids: &[u32]| programs(pids.iter().map(|pid| (b"nginx".as_slice(), *pid)));
        assert_eq!(nginx(&[7]), "nginx[7]");
        assert_eq!(nginx(&[7, 8]), "nginx[7,8]");
        assert_eq!(nginx(&[22537, 22539, 22540]), "nginx[22537,22539,+1]");
        let two: [(&[u8], u32); 3] = [(b"a", 1), (b"b\n", 2), (b"a", 3)];
        assert_eq!(programs(two), "a[1,3] b\\x0a[2]");
    }

    #[test]
    fn a_line_does_not_end_between_a_figure_and_its_unit() {
        let mut page = Page::default();
        page.paragraph("", 2, &format!("{} of 20000 descriptors (84 %) and more", "x".repeat(54)));
        let text = page.document.render(crate::view::terminal::Device::PIPE);
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].ends_with("descriptors"), "{text}");
        assert_eq!(lines[1], "  (84 %) and more");
        assert_eq!(apart(&kept_together(" for 4 s, 5 sockets")), " for 4 s, 5 sockets");
        assert_eq!(kept_together("for 4 s; 5 sockets"), "for 4\u{a0}s; 5 sockets");
    }

    #[test]
    fn a_row_never_exceeds_the_page() {
        const COLUMNS: Columns = Columns(&[Column::left("Of", 6), Column::right("Used", 4)]);
        let mut page = Page::default();
        COLUMNS.heads(&mut page);
        COLUMNS.row(&mut page, &["short".into(), "1".into()]);
        COLUMNS.row(&mut page, &["much longer".into(), "12".into()]);
        let text = page.document.render(crate::view::terminal::Device::PIPE);
        assert_eq!(text, "Of      Used\nshort      1\nmuch longer\n          12\n");
    }
}
