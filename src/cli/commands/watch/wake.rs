//! What wakes the loop of the screen.

use crate::{
    collect::live::refresh::Refresh, kernel::error::Error, model::closing::Closing,
    view::watch::alert::Alert,
};
use ratatui::crossterm::event::Event;

/// What wakes the loop.
pub enum Wake {
    /// The terminal.
    Input(Event),
    /// The kernel's answer, or why there is none.
    Round(Result<Box<Refresh>, Error>),
    /// What became of a socket that was to be closed.
    Closed(Result<Closing, Error>),
    /// What the reports found.
    Reports(Vec<Alert>),
}
