//! The pieces a topic is made of. They say what a piece is, not how it looks.

use super::exchange::Exchange;
use std::borrow::Cow;

/// A piece of a topic.
#[derive(Debug, Clone)]
pub enum Block {
    /// A heading inside the topic.
    Heading(&'static str),
    /// A paragraph. What stands between backticks is a command, and stays on one line.
    Text(Cow<'static, str>),
    /// A fact with its name (`Lasts`, `Unit`).
    Fact(&'static str, Cow<'static, str>),
    /// One of several points.
    Item(Cow<'static, str>),
    /// A command or configuration to paste, as it stands.
    Command(&'static str),
    /// A drawing of segments between two sides.
    Drawing(&'static Exchange),
    /// Names side by side.
    Names(Vec<&'static str>),
}

/// A heading inside the topic.
pub fn heading(text: &'static str) -> Block {
    Block::Heading(text)
}

/// A paragraph.
pub fn text(text: impl Into<Cow<'static, str>>) -> Block {
    Block::Text(text.into())
}

/// A fact with its name.
pub fn fact(name: &'static str, text: impl Into<Cow<'static, str>>) -> Block {
    Block::Fact(name, text.into())
}

/// One of several points.
pub fn item(text: impl Into<Cow<'static, str>>) -> Block {
    Block::Item(text.into())
}

/// A command or configuration to paste.
pub fn command(text: &'static str) -> Block {
    Block::Command(text)
}

/// A drawing.
pub fn drawing(exchange: &'static Exchange) -> Block {
    Block::Drawing(exchange)
}
