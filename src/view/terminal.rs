//! What the output device can do.

use anstream::{AutoStream, ColorChoice};
use std::{
    env,
    io::{self, IsTerminal},
};

/// What sinks need to know of the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Device {
    /// Columns to fit into; `None`: a pipe or a file, where nothing is cut.
    pub width: Option<usize>,
    /// Whether to colour.
    pub colour: bool,
    /// Whether characters outside ASCII can be shown.
    pub unicode: bool,
}

impl Device {
    /// A pipe: no width, no colour.
    pub const PIPE: Self = Self { width: None, colour: false, unicode: true };

    /// Standard output, with the user's choice of colour.
    pub fn stdout(colour: ColorChoice) -> Self {
        let stdout = io::stdout();
        let choice = match colour {
            // NO_COLOR, CLICOLOR, CLICOLOR_FORCE, TERM and the terminal decide.
            ColorChoice::Auto => AutoStream::choice(&stdout),
            chosen => chosen,
        };
        Self {
            width: stdout.is_terminal().then(width).flatten(),
            colour: choice != ColorChoice::Never,
            unicode: is_utf8(),
        }
    }
}

/// Columns of the terminal. `None` where it does not tell (a size of 0): then nothing is cut.
fn width() -> Option<usize> {
    let told = terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
    let asked = env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    told.filter(|width| *width > 0).or(asked).filter(|width| *width > 0)
}

/// Whether the locale's characters are UTF-8: LC_ALL, else LC_CTYPE, else LANG.
fn is_utf8() -> bool {
    let set = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    let locale = set("LC_ALL").or_else(|| set("LC_CTYPE")).or_else(|| set("LANG"));
    locale.is_some_and(|locale| {
        let locale = locale.to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    })
}
