//! A choice among a few things.

use super::{grouping::Grouping, order::Sort};
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// What can be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// An order.
    Sort(Sort),
    /// A grouping, or none.
    Group(Option<Grouping>),
    /// The details of the line.
    Details,
    /// The sockets of the line alone.
    Only,
    /// A filter that takes the sockets of the line.
    CopyFilter,
    /// The socket as JSON.
    CopyJson,
    /// The end of the socket.
    Kill,
}

/// One line of a menu.
#[derive(Debug, Clone)]
pub struct Item {
    /// The key that chooses it.
    pub key: char,
    /// What it says.
    pub label: String,
    /// What is chosen.
    pub choice: Choice,
}

/// A menu.
#[derive(Debug, Clone)]
pub struct Menu {
    /// What is chosen in it.
    pub title: String,
    /// The lines.
    pub items: Vec<Item>,
    /// The selected one.
    pub at: usize,
}

/// What a key did to a menu.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pressed {
    /// It is still open.
    Open,
    /// It was left.
    Left,
    /// This was chosen.
    Chosen(Choice),
}

impl Menu {
    /// Lines numbered by letters from `a` on, with one selected.
    pub fn lettered(title: &str, lines: Vec<(String, Choice)>, selected: Choice) -> Self {
        let at = lines.iter().position(|(_, choice)| *choice == selected).unwrap_or(0);
        let items = ('a'..).zip(lines).map(|(key, (label, choice))| Item { key, label, choice });
        Self { title: title.to_owned(), items: items.collect(), at }
    }

    /// Takes a key.
    pub fn press(&mut self, key: KeyEvent) -> Pressed {
        let last = self.items.len().saturating_sub(1);
        if key.modifiers.contains(KeyModifiers::CONTROL) {
            return if key.code == KeyCode::Char('c') { Pressed::Left } else { Pressed::Open };
        }
        match key.code {
            KeyCode::Esc | KeyCode::Left => return Pressed::Left,
            KeyCode::Up => self.at = self.at.saturating_sub(1),
            KeyCode::Down => self.at = (self.at + 1).min(last),
            KeyCode::Home => self.at = 0,
            KeyCode::End => self.at = last,
            KeyCode::Enter | KeyCode::Char(' ') | KeyCode::Right => {
                let item = self.items.get(self.at);
                return item.map_or(Pressed::Left, |item| Pressed::Chosen(item.choice));
            }
            KeyCode::Char(c) => {
                // `q` closes, unless a line has it.
                let item = self.items.iter().find(|item| item.key == c);
                let left = if c == 'q' { Pressed::Left } else { Pressed::Open };
                return item.map_or(left, |item| Pressed::Chosen(item.choice));
            }
            _ => {}
        }
        Pressed::Open
    }
}
