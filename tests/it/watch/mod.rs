//! The full-screen view: what it draws, how it behaves on a terminal, what it measures.

/// What happens, as lines of JSON.
mod events;
/// What a hand does: copies, clicks, closes.
mod hands;
/// Its rates are those of what was sent.
mod rates;
/// Every screen looks as it did, in three sizes.
mod screens;
/// A pseudo-terminal with a program on it.
mod session;
/// Keys, sizes, signals, and the terminal given back each time.
mod terminal;
