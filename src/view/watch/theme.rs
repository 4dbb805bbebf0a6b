//! What things look like. Colour is an aid and never the only sign: each has a sign or a word too.

use ratatui::style::{Color, Modifier, Style};

/// What a piece of the screen is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Text.
    Plain,
    /// What matters less.
    Dim,
    /// What matters more.
    Strong,
    /// Headings, keys, what is chosen.
    Accent,
    /// A socket that was not there before.
    New,
    /// A socket that is gone.
    Gone,
    /// A socket whose state is another.
    Changed,
    /// Worth a look.
    Warning,
    /// Connections fail.
    Critical,
}

/// Colours for a background.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Theme {
    colour: bool,
    light: bool,
    /// Whether characters outside ASCII can be shown.
    pub unicode: bool,
}

impl Theme {
    /// With colours or without, for a light background or a dark one.
    ///
    /// Only the first sixteen colours, which every terminal sets to fit its background; on a light
    /// one yellow and cyan are hard to read in most of them.
    pub const fn new(colour: bool, light: bool, unicode: bool) -> Self {
        Self { colour, light, unicode }
    }

    /// The style of a piece.
    pub fn style(self, role: Role) -> Style {
        let (colour, modifier) = match role {
            Role::Plain => (None, Modifier::empty()),
            Role::Dim => (None, Modifier::DIM),
            Role::Strong => (None, Modifier::BOLD),
            Role::Accent => {
                (Some(if self.light { Color::Blue } else { Color::Cyan }), Modifier::BOLD)
            }
            Role::New => (Some(Color::Green), Modifier::empty()),
            Role::Gone => (Some(Color::Red), Modifier::empty()),
            Role::Changed | Role::Warning => {
                (Some(if self.light { Color::Magenta } else { Color::Yellow }), Modifier::empty())
            }
            Role::Critical => (Some(Color::Red), Modifier::BOLD),
        };
        let style = Style::new().add_modifier(modifier);
        colour.filter(|_| self.colour).map_or(style, |colour| style.fg(colour))
    }

    /// The style of the selected line, over that of its pieces.
    pub fn selected(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    /// A character, or what stands for it where there is only ASCII.
    pub const fn glyph(self, glyph: char, ascii: char) -> char {
        if self.unicode { glyph } else { ascii }
    }
}
