//! The full-screen view: what it draws, how it behaves on a terminal, what it measures.

/// What happens, as lines of JSON.
mod events;
/// Its rates are those of what was sent.
mod rates;
/// Every screen looks as it did, in three sizes.
mod screens;
/// On a pseudo-terminal: keys, sizes, signals, and the terminal given back each time.
mod terminal;
