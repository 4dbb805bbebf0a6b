//! The keys: one table, from which what they do and what the help says is read.

use super::action::Action;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// Keys that do one thing.
#[derive(Debug)]
pub struct Binding {
    /// The keys.
    pub keys: &'static [(KeyModifiers, KeyCode)],
    /// How they are written.
    pub shown: &'static str,
    /// What they do.
    pub action: Action,
    /// What they do, for the help.
    pub help: &'static str,
    /// One word for the key line. Empty: it is not in it.
    pub word: &'static str,
}

const NONE: KeyModifiers = KeyModifiers::NONE;
const CTRL: KeyModifiers = KeyModifiers::CONTROL;

macro_rules! bindings {
    ($($shown:literal $word:literal $action:expr, [$($modifiers:ident $code:expr),*], $help:literal;)*) => {
        /// The table, in the order of the help.
        pub const BINDINGS: &[Binding] = &[$(Binding {
            keys: &[$(($modifiers, $code)),*],
            shown: $shown,
            action: $action,
            help: $help,
            word: $word,
        }),*];
    };
}

use KeyCode::{BackTab, Char, Enter, Esc, Left, Right, Tab};

bindings! {
    "up, k" "" Action::Up, [NONE KeyCode::Up, NONE Char('k')], "the line above";
    "down, j" "" Action::Down, [NONE KeyCode::Down, NONE Char('j')], "the line below";
    "PgUp, ctrl-b" "" Action::PageUp, [NONE KeyCode::PageUp, CTRL Char('b')], "a page up; in details, their text";
    "PgDn, ctrl-f" "" Action::PageDown, [NONE KeyCode::PageDown, CTRL Char('f')], "a page down; in details, their text";
    "Home" "" Action::First, [NONE KeyCode::Home], "the first line: there the order is made anew at each round";
    "End" "" Action::Last, [NONE KeyCode::End], "the last line";
    "Enter, right" "" Action::Open, [NONE Enter, NONE Right], "open a group; details of a socket";
    "Esc, left" "" Action::Close, [NONE Esc, NONE Left], "close what was opened last: details, group, filter, state";
    "0 to 9" "" Action::Chip(0), [], "the state with that number alone; 0: every state";
    "Tab, shift-Tab" "" Action::NextChip, [NONE Tab], "the next state, the one before";
    "/" "filter" Action::Filter, [NONE Char('/')], "filter as you type, in the language of `sockeye list`";
    "s" "sort" Action::Sort, [NONE Char('s')], "choose the order";
    "S" "" Action::Reverse, [NONE Char('S')], "the other direction";
    "g" "group" Action::Group, [NONE Char('g')], "group by process, peer, port, container, namespace, state";
    "space" "act" Action::Menu, [NONE Char(' ')], "what can be done with this line";
    "i" "" Action::Details, [NONE Char('i')], "details on and off";
    "t" "" Action::Fold, [NONE Char('t')], "fold TIME_WAIT by destination, or show each";
    "r" "" Action::Totals, [NONE Char('r')], "rates, or sums since each socket was opened";
    "f" "freeze" Action::Freeze, [NONE Char('f')], "freeze the view; recording goes on";
    "p" "" Action::Pause, [NONE Char('p')], "pause: nothing is asked";
    "d" "diff" Action::Changes, [NONE Char('d')], "what changed, since the start, the freeze or `D`";
    "D" "" Action::Since, [NONE Char('D')], "count changes from now on";
    "y" "cmd" Action::Command, [NONE Char('y')], "the command line that gives this view, copied too";
    "+" "" Action::Faster, [NONE Char('+'), NONE Char('=')], "ask more often";
    "-" "" Action::Slower, [NONE Char('-')], "ask less often";
    "ctrl-z" "" Action::Suspend, [CTRL Char('z')], "to the shell; `fg` comes back";
    "ctrl-l" "" Action::Redraw, [CTRL Char('l')], "draw everything anew";
    "?, h" "help" Action::Help, [NONE Char('?'), NONE Char('h')], "this help";
    "q" "quit" Action::Quit, [NONE Char('q')], "quit";
    "ctrl-c" "" Action::Interrupt, [CTRL Char('c')], "quit, with the exit code of an interrupt";
}

/// What a key does. `None`: nothing.
pub fn action(key: KeyEvent) -> Option<Action> {
    // The case of a letter is in its code; terminals tell of shift besides, or not.
    let modifiers = key.modifiers - KeyModifiers::SHIFT;
    match key.code {
        Char(digit @ '0'..='9') if modifiers.is_empty() => {
            return u8::try_from(digit).ok().map(|digit| Action::Chip(digit - b'0'));
        }
        BackTab => return Some(Action::PreviousChip),
        Tab if key.modifiers.contains(KeyModifiers::SHIFT) => return Some(Action::PreviousChip),
        _ => {}
    }
    let is_bound = |binding: &&Binding| binding.keys.contains(&(modifiers, key.code));
    BINDINGS.iter().find(is_bound).map(|binding| binding.action)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_key_does_one_thing_and_the_help_has_a_line_for_it() {
        let mut seen = HashSet::new();
        for binding in BINDINGS {
            assert!(!binding.help.is_empty() && !binding.shown.is_empty());
            for (modifiers, code) in binding.keys {
                assert!(seen.insert((*modifiers, *code)), "{} is bound twice", binding.shown);
                let pressed = action(KeyEvent::new(*code, *modifiers));
                assert_eq!(pressed, Some(binding.action), "{}", binding.shown);
            }
        }
        assert_eq!(action(KeyEvent::new(Char('7'), NONE)), Some(Action::Chip(7)));
        assert_eq!(action(KeyEvent::new(BackTab, KeyModifiers::SHIFT)), Some(Action::PreviousChip));
        assert_eq!(action(KeyEvent::new(Char('S'), KeyModifiers::SHIFT)), Some(Action::Reverse));
        assert_eq!(action(KeyEvent::new(Char('x'), NONE)), None);
    }
}
