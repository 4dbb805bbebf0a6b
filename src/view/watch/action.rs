//! What can be done.

/// One thing a key does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Ends the watch.
    Quit,
    /// Ends it as an interrupt does.
    Interrupt,
    /// To the line above.
    Up,
    /// To the line below.
    Down,
    /// A page up.
    PageUp,
    /// A page down.
    PageDown,
    /// To the first line.
    First,
    /// To the last line.
    Last,
    /// Opens a group, or the details of a socket.
    Open,
    /// Closes what was opened last.
    Close,
    /// Details on and off.
    Details,
    /// The state with this number; 0 is all.
    Chip(u8),
    /// The next state.
    NextChip,
    /// The state before.
    PreviousChip,
    /// Types a filter.
    Filter,
    /// Chooses the order.
    Sort,
    /// The other direction.
    Reverse,
    /// Chooses the grouping.
    Group,
    /// What can be done with the line.
    Menu,
    /// Folds TIME_WAIT, or not.
    Fold,
    /// Sums since opening, or rates.
    Totals,
    /// The view stands still, recording goes on.
    Freeze,
    /// Nothing is asked any more.
    Pause,
    /// What changed.
    Changes,
    /// Changes are counted from now on.
    Since,
    /// The command line of this view.
    Command,
    /// The keys.
    Help,
    /// Asks more often.
    Faster,
    /// Asks less often.
    Slower,
    /// To the shell; `fg` comes back.
    Suspend,
    /// Draws everything anew.
    Redraw,
}
