//! The terminal: taken over, and given back however the program ends.

use super::{screen, state::Watch, theme::Theme};
use ratatui::{
    backend::{Backend, CrosstermBackend},
    buffer::Buffer,
    crossterm::{
        cursor::{Hide, MoveTo, Show},
        event::{DisableMouseCapture, EnableMouseCapture},
        queue,
        style::ResetColor,
        terminal::{
            BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate, EnterAlternateScreen,
            LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
        },
    },
    layout::{Position, Rect},
};
use std::{
    io::{self, BufWriter, Stdout, Write},
    panic,
    sync::Once,
};

/// Bytes gathered before they are written: a frame is one write(2).
const FRAME: usize = 64 * 1024;

/// The screen, ours until it is dropped.
///
/// Frames are compared here: ratatui's own terminal asks for the position of the cursor when it is
/// cleared, and fails where nothing answers.
pub struct Screen {
    backend: CrosstermBackend<BufWriter<Stdout>>,
    /// What is on it.
    shown: Buffer,
    cursor: Option<Position>,
    mouse: bool,
}

impl Screen {
    /// Takes the terminal over.
    pub fn open(mouse: bool) -> io::Result<Self> {
        give_back_on_panic();
        let to = BufWriter::with_capacity(FRAME, io::stdout());
        let backend = CrosstermBackend::new(to);
        let mut screen = Self { backend, shown: Buffer::default(), cursor: None, mouse };
        screen.take()?;
        Ok(screen)
    }

    /// Takes it over, at the beginning and after it was given to the shell.
    pub fn take(&mut self) -> io::Result<()> {
        // It remembers whether it did so already; the shell may have undone it.
        let _ = disable_raw_mode();
        enable_raw_mode()?;
        queue!(self.backend, EnterAlternateScreen)?;
        if self.mouse {
            queue!(self.backend, EnableMouseCapture)?;
        }
        self.forget()
    }

    /// Columns and rows.
    pub fn size(&self) -> io::Result<(u16, u16)> {
        let size = self.backend.size()?;
        Ok((size.width, size.height))
    }

    /// Draws what has changed since the last frame, as one write.
    pub fn draw(&mut self, watch: &Watch, theme: Theme) -> io::Result<()> {
        let (width, height) = watch.size;
        let area = Rect { x: 0, y: 0, width, height };
        if self.shown.area != area {
            self.forget()?;
            self.shown = Buffer::empty(area);
        }
        let mut next = Buffer::empty(area);
        let cursor = screen::draw_into(&mut next, area, watch, theme);
        let changes = self.shown.diff(&next);
        if changes.is_empty() && cursor == self.cursor {
            return Ok(());
        }
        // Terminals that know it show a frame whole; the others pass over it.
        queue!(self.backend, BeginSynchronizedUpdate)?;
        self.backend.draw(changes.into_iter())?;
        match cursor {
            Some(Position { x, y }) => queue!(self.backend, MoveTo(x, y), Show)?,
            None => queue!(self.backend, Hide)?,
        }
        queue!(self.backend, EndSynchronizedUpdate)?;
        Write::flush(&mut self.backend)?;
        (self.shown, self.cursor) = (next, cursor);
        Ok(())
    }

    /// Forgets what is on the screen: the next frame is drawn whole.
    pub fn forget(&mut self) -> io::Result<()> {
        queue!(self.backend, ResetColor, Clear(ClearType::All), Hide)?;
        self.shown = Buffer::default();
        self.cursor = None;
        Write::flush(&mut self.backend)
    }

    /// Sends bytes that draw nothing.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.backend.write_all(bytes)?;
        Write::flush(&mut self.backend)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

/// Gives the terminal back: cooked, its own screen, its cursor. Harmless where it is given back
/// already; where the terminal is gone there is nobody to tell.
pub fn give_back() {
    let mut to = io::stdout();
    let _ = queue!(to, EndSynchronizedUpdate, DisableMouseCapture, LeaveAlternateScreen, Show);
    let _ = to.flush();
    let _ = disable_raw_mode();
}

/// A panic is told on the shell's screen: given back before, because a release build ends at once.
fn give_back_on_panic() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let tell = panic::take_hook();
        panic::set_hook(Box::new(move |what| {
            give_back();
            tell(what);
        }));
    });
}
