//! The loop of the screen: what comes in, from the terminal, the kernel and the reports, goes to the
//! pure state machine; what it wants done is done here.

use super::{
    reporter::{self, Reporter, UNKNOWN},
    rounds::{self, Order},
    signals::{End, Signals},
    wake::Wake,
};
use crate::{
    cli::failure::Failure,
    collect::live::{question::Question, recorded::Recorded},
    kernel::error::{Cause, Error},
    model::closing::{Closing, Refusal},
    view::watch::{
        alert::Growth,
        clipboard,
        state::{Effect, Mode, Watch},
        terminal::{self, Screen},
        theme::Theme,
    },
};
use ratatui::crossterm::event::{self, Event, KeyEventKind, MouseButton, MouseEventKind};
use signal_hook::{consts::SIGTSTP, low_level::emulate_default_handler};
use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread,
    time::{Duration, Instant},
};

/// How long a signal may wait to be seen.
const TICK: Duration = Duration::from_millis(200);
/// Two frames are not nearer to each other: a slow terminal is not flooded.
const FRAME: Duration = Duration::from_millis(50);
/// Lines of one turn of the mouse's wheel.
const WHEEL: usize = 3;

/// What comes in goes to the watch, and what it wants done is done.
pub struct Loop<'w> {
    watch: &'w mut Watch,
    screen: &'w mut Screen,
    theme: Theme,
    recorded: Option<Recorded>,
    signals: Signals,
    wakes: Receiver<Wake>,
    wake: Sender<Wake>,
    orders: Option<Sender<Order>>,
    paused: Arc<AtomicBool>,
    /// Sockets of the last round, for the thread that makes reports.
    sockets: Arc<AtomicUsize>,
}

impl<'w> Loop<'w> {
    /// With a screen that has been taken.
    pub fn new(
        watch: &'w mut Watch,
        screen: &'w mut Screen,
        theme: Theme,
        recorded: Option<Recorded>,
        signals: Signals,
    ) -> Self {
        let (wake, wakes) = channel();
        Self {
            watch,
            screen,
            theme,
            recorded,
            signals,
            wakes,
            wake,
            orders: None,
            paused: Arc::new(AtomicBool::new(false)),
            sockets: Arc::new(AtomicUsize::new(UNKNOWN)),
        }
    }

    /// Runs until it is left.
    pub fn run(mut self) -> Result<End, Failure> {
        self.watch.resize(self.screen.size()?);
        self.start()?;
        let mut drawn: Option<Instant> = None;
        let mut stale = true;
        loop {
            if stale && drawn.is_none_or(|drawn| drawn.elapsed() >= FRAME) {
                if let Err(error) = self.screen.draw(self.watch, self.theme) {
                    return self.lost(error);
                }
                (drawn, stale) = (Some(Instant::now()), false);
            }
            let patience = if stale { FRAME } else { TICK };
            let first = match self.wakes.recv_timeout(patience) {
                Ok(wake) => Some(wake),
                Err(RecvTimeoutError::Timeout) => None,
                // Every thread that could wake it holds a sender, and so does this one.
                Err(RecvTimeoutError::Disconnected) => return Ok(End::Left),
            };
            if let Some(end) = self.signals.end() {
                return Ok(end);
            }
            if self.signals.stop.swap(false, Ordering::SeqCst) {
                self.suspend()?;
                stale = true;
            }
            if self.signals.continued.swap(false, Ordering::SeqCst) {
                self.back()?;
                stale = true;
            }
            let mut next = first;
            while let Some(wake) = next {
                stale = true;
                if let Some(end) = self.take(wake)? {
                    return Ok(end);
                }
                next = self.wakes.try_recv().ok();
            }
        }
    }

    /// Starts the threads. Keys are read by one of their own: when its terminal is closed
    /// crossterm reads on for ever.
    fn start(&mut self) -> io::Result<()> {
        let input = self.wake.clone();
        thread::Builder::new().name("keys".to_owned()).spawn(move || {
            while let Ok(event) = event::read() {
                if input.send(Wake::Input(event)).is_err() {
                    break;
                }
            }
        })?;
        let question = self.watch.question();
        if let Some(recorded) = &self.recorded {
            // As of a running machine: of one namespace.
            if let Some(snapshot) = recorded.snapshot() {
                let alerts = reporter::reports(&snapshot, &mut Growth::default(), Duration::ZERO);
                self.watch.reported = alerts;
            }
            self.watch.refresh(recorded.round(&question));
            return Ok(());
        }
        let (order, orders) = channel();
        let (wake, every) = (self.wake.clone(), self.watch.every);
        thread::Builder::new()
            .name("rounds".to_owned())
            .spawn(move || rounds::ask(question, every, &orders, &wake))?;
        self.orders = Some(order);
        let reporter = Reporter {
            query: self.watch.setup.base.clone(),
            paused: Arc::clone(&self.paused),
            sockets: Arc::clone(&self.sockets),
            wake: self.wake.clone(),
        };
        thread::Builder::new().name("reports".to_owned()).spawn(move || reporter.run())?;
        Ok(())
    }

    fn take(&mut self, wake: Wake) -> Result<Option<End>, Failure> {
        match wake {
            Wake::Round(Ok(refresh)) => {
                if let Some(entries) = &refresh.entries {
                    self.sockets.store(entries.len(), Ordering::SeqCst);
                }
                self.watch.refresh(*refresh);
                let question = Box::new(self.watch.question());
                self.order(Order::Ask(question));
            }
            // Nothing has been shown, and nothing can be.
            Wake::Round(Err(error)) if self.watch.live.scene.time.is_none() => {
                return Err(error.into());
            }
            Wake::Round(Err(error)) => {
                self.watch.trouble = Some(error.to_string());
                let question = Box::new(self.watch.question());
                self.order(Order::Ask(question));
            }
            Wake::Closed(outcome) => {
                self.watch.said = Some(closed(&outcome));
                self.round(Order::Round);
            }
            Wake::Reports(alerts) => self.watch.reported = alerts,
            Wake::Input(Event::Resize(width, height)) => self.watch.resize((width, height)),
            Wake::Input(Event::Key(key)) if key.kind != KeyEventKind::Release => {
                let effects = self.watch.press(key);
                return self.act(effects);
            }
            Wake::Input(Event::Mouse(mouse)) => {
                let effects = self.click(mouse);
                return self.act(effects);
            }
            Wake::Input(_) => {}
        }
        Ok(None)
    }

    /// The wheel scrolls, a click selects.
    fn click(&mut self, mouse: event::MouseEvent) -> Vec<Effect> {
        if !matches!(self.watch.mode, Mode::List) {
            return vec![];
        }
        let layout = self.watch.layout();
        let first = 1 + layout.chips + layout.alerts + layout.headings;
        match mouse.kind {
            MouseEventKind::ScrollUp => self.watch.select(self.watch.at.saturating_sub(WHEEL)),
            MouseEventKind::ScrollDown => self.watch.select(self.watch.at + WHEEL),
            MouseEventKind::Down(MouseButton::Left) => {
                let row = mouse.row.checked_sub(first).filter(|row| *row < layout.list);
                let Some(row) = row else { return vec![] };
                let line = self.watch.top + usize::from(row);
                if line < self.watch.lines.len() {
                    self.watch.select(line);
                }
            }
            _ => return vec![],
        }
        vec![Effect::Glance]
    }

    fn act(&mut self, effects: Vec<Effect>) -> Result<Option<End>, Failure> {
        for effect in effects {
            match effect {
                Effect::Quit => return Ok(Some(End::Left)),
                Effect::Interrupt => return Ok(Some(End::Interrupted)),
                Effect::Suspend => self.suspend()?,
                Effect::Redraw => {
                    self.screen.forget()?;
                    self.watch.resize(self.screen.size()?);
                }
                Effect::Round => self.round(Order::Round),
                Effect::Glance => self.round(Order::Glance),
                Effect::Every(every) => self.order(Order::Every(every)),
                Effect::Pause(paused) => {
                    self.paused.store(paused, Ordering::SeqCst);
                    self.order(Order::Pause(paused));
                }
                Effect::Copy(text) => match clipboard::sequence(&text) {
                    Some(bytes) => self.screen.send(&bytes)?,
                    None => self.watch.said = Some("too long for a clipboard".to_owned()),
                },
                Effect::Kill(entry) => self.order(Order::Close(entry)),
            }
        }
        Ok(None)
    }

    /// Asks, or answers out of the recording.
    fn round(&mut self, order: fn(Box<Question>) -> Order) {
        let question = self.watch.question();
        match &self.recorded {
            Some(recorded) => self.watch.refresh(recorded.round(&question)),
            None => self.order(order(Box::new(question))),
        }
    }

    fn order(&mut self, order: Order) {
        if let Some(orders) = &self.orders
            && orders.send(order).is_err()
        {
            self.watch.trouble = Some("the thread that asks the kernel has ended".to_owned());
        }
    }

    /// To the shell, until it continues the program.
    fn suspend(&mut self) -> io::Result<()> {
        terminal::give_back();
        let _ = emulate_default_handler(SIGTSTP);
        self.signals.continued.store(false, Ordering::SeqCst);
        self.back()
    }

    /// After something else had the terminal.
    fn back(&mut self) -> io::Result<()> {
        self.screen.take()?;
        self.watch.resize(self.screen.size()?);
        Ok(())
    }

    /// The terminal is gone: a signal says so, or will in a moment.
    fn lost(&self, error: io::Error) -> Result<End, Failure> {
        self.signals.end().map_or_else(|| Err(error.into()), Ok)
    }
}

/// What became of a socket that was to be closed.
fn closed(outcome: &Result<Closing, Error>) -> String {
    let closing = match outcome {
        Ok(closing) => *closing,
        Err(error) => return error.to_string(),
    };
    match closing {
        Closing::Closed => "closed".to_owned(),
        Closing::Gone => "it had ended by itself".to_owned(),
        Closing::Refused(Refusal::Permission) => {
            "not closed: EPERM; closing sockets of others wants CAP_NET_ADMIN".to_owned()
        }
        Closing::Refused(Refusal::Unsupported) => {
            "not closed: this kernel cannot close such a socket (EOPNOTSUPP)".to_owned()
        }
        Closing::Refused(Refusal::Other(errno)) => {
            format!("not closed: {}", Cause::errno(errno))
        }
        Closing::Shown => "nothing was closed".to_owned(),
    }
}
