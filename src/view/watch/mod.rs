//! The full-screen view: a pure state machine ([`state`], [`press`]) and a drawing function
//! ([`screen`]). Only [`terminal`] touches the terminal.

pub mod action;
pub mod alert;
pub mod cells;
pub mod clipboard;
pub mod columns;
pub mod command_line;
pub mod detail;
pub mod grouping;
pub mod held;
pub mod keys;
pub mod layout;
pub mod lines;
pub mod log;
pub mod menu;
pub mod order;
pub mod press;
pub mod prompt;
pub mod rows;
pub mod scene;
pub mod screen;
pub mod state;
pub mod terminal;
pub mod theme;
pub mod traffic;

#[cfg(test)]
mod tests;
