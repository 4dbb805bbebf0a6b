//! A line that is typed.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use unicode_width::UnicodeWidthChar;

/// Characters at most: a bound, not an expectation.
const LONGEST: usize = 1000;

/// Text and a cursor in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Prompt {
    characters: Vec<char>,
    cursor: usize,
}

impl Prompt {
    /// With a text, the cursor at its end.
    pub fn new(text: &str) -> Self {
        let characters: Vec<char> = text.chars().filter(|c| !c.is_control()).collect();
        Self { cursor: characters.len(), characters }
    }

    /// The text.
    pub fn text(&self) -> String {
        self.characters.iter().collect()
    }

    /// The part of the text that fits into a width, and the column of the cursor in it.
    pub fn shown(&self, width: usize) -> (String, usize) {
        let wide = |c: &char| c.width().unwrap_or(0);
        let mut from = 0;
        let before = |from: usize| -> usize {
            self.characters.get(from..self.cursor).unwrap_or_default().iter().map(wide).sum()
        };
        while before(from) + 1 > width && from < self.cursor {
            from += 1;
        }
        let mut text = String::new();
        let mut used = 0;
        for c in self.characters.iter().skip(from) {
            used += wide(c);
            if used > width {
                break;
            }
            text.push(*c);
        }
        (text, before(from))
    }

    /// Takes a key. Whether it changed the text.
    pub fn press(&mut self, key: KeyEvent) -> bool {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Char('a') if control => self.cursor = 0,
            KeyCode::Char('e') if control => self.cursor = self.characters.len(),
            KeyCode::Char('u') if control => {
                self.characters.drain(..self.cursor);
                self.cursor = 0;
                return true;
            }
            KeyCode::Char('k') if control => {
                self.characters.truncate(self.cursor);
                return true;
            }
            KeyCode::Char('w') if control => {
                let kept = self.characters.iter().take(self.cursor).rev();
                let blanks = kept.clone().take_while(|c| c.is_whitespace()).count();
                let word = kept.skip(blanks).take_while(|c| !c.is_whitespace()).count();
                let from = self.cursor - blanks - word;
                self.characters.drain(from..self.cursor);
                self.cursor = from;
                return true;
            }
            KeyCode::Char(c) if !control && !c.is_control() && self.characters.len() < LONGEST => {
                self.characters.insert(self.cursor, c);
                self.cursor += 1;
                return true;
            }
            KeyCode::Backspace if self.cursor > 0 => {
                self.cursor -= 1;
                self.characters.remove(self.cursor);
                return true;
            }
            KeyCode::Delete if self.cursor < self.characters.len() => {
                self.characters.remove(self.cursor);
                return true;
            }
            KeyCode::Left => self.cursor = self.cursor.saturating_sub(1),
            KeyCode::Right => self.cursor = (self.cursor + 1).min(self.characters.len()),
            KeyCode::Home => self.cursor = 0,
            KeyCode::End => self.cursor = self.characters.len(),
            _ => {}
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(prompt: &mut Prompt, text: &str) {
        for c in text.chars() {
            prompt.press(KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE));
        }
    }

    #[test]
    fn text_is_edited_as_in_a_shell() {
        let mut prompt = Prompt::new("rtt > 5ms");
        let control = |c| KeyEvent::new(KeyCode::Char(c), KeyModifiers::CONTROL);
        let key = |code| KeyEvent::new(code, KeyModifiers::NONE);
        prompt.press(control('w'));
        typed(&mut prompt, "9s");
        assert_eq!(prompt.text(), "rtt > 9s");
        prompt.press(key(KeyCode::Home));
        typed(&mut prompt, "not ");
        prompt.press(key(KeyCode::Delete));
        assert_eq!(prompt.text(), "not tt > 9s");
        prompt.press(control('u'));
        assert_eq!(prompt.text(), "tt > 9s");
        prompt.press(control('k'));
        assert!(prompt.text().is_empty() && !prompt.press(key(KeyCode::Backspace)));
        typed(&mut prompt, "\u{1b}[2J");
        assert_eq!(prompt.text(), "[2J", "control characters are no text");
    }

    #[test]
    fn the_cursor_is_always_in_sight() {
        let mut prompt = Prompt::new("abcdefghij");
        assert_eq!(prompt.shown(4), ("hij".to_owned(), 3));
        prompt.press(KeyEvent::new(KeyCode::Home, KeyModifiers::NONE));
        assert_eq!(prompt.shown(4), ("abcd".to_owned(), 0));
        assert_eq!(Prompt::new("日本語").shown(5), ("本語".to_owned(), 4));
        assert_eq!(prompt.shown(0), (String::new(), 0));
    }
}
