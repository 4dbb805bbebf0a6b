//! What could not be seen, said once on stderr.

use crate::{
    kernel::owners::Progress,
    model::{
        about::{About, SourceKind},
        gap::Gap,
    },
    view::escape,
};
use std::{
    collections::HashSet,
    io::{self, IsTerminal, Write},
};

/// Remembers what was said, so that a watch does not repeat it.
#[derive(Debug, Default)]
pub struct Notices {
    said: HashSet<String>,
}

impl Notices {
    /// Says what `about` tells and has not been said.
    pub fn tell(&mut self, about: &About) {
        if let Some(reason) = &about.fallback_reason
            && self.said.insert("fallback".to_owned())
        {
            let what = match about.source {
                SourceKind::Mixed => "some of it read from /proc/net, which tells less",
                _ => "read from /proc/net, without queue limits, cookies and TCP details",
            };
            note(&format!("{what}: {reason}"));
        }
        for gap in &about.gaps {
            self.tell_gap(gap);
        }
    }

    /// Says what is missing, if it has not been said.
    pub fn tell_gap(&mut self, gap: &Gap) {
        // Numbers change from round to round of a watch.
        let same = gap.message.replace(|c: char| c.is_ascii_digit(), "");
        if self.said.insert(format!("{} {same}", gap.code)) {
            note(&gap.message);
            if !gap.hint.is_empty() {
                say("hint", &gap.hint);
            }
        }
    }
}

/// Says something once on stderr.
pub fn note(text: &str) {
    say("note", text);
}

/// Who tells how far a look-up of owners is: nobody where stderr is no terminal.
pub fn owner_progress() -> Option<fn(Progress)> {
    io::stderr().is_terminal().then_some(tell_progress)
}

/// One line that is written over, and taken back in the end.
fn tell_progress(progress: Progress) {
    let mut stderr = io::stderr().lock();
    let _ = match progress {
        Progress::Percent(percent) => write!(stderr, "\rlooking for owners: {percent} %"),
        Progress::Over => write!(stderr, "\r\x1b[K"),
    };
}

fn say(kind: &str, text: &str) {
    // It may quote a name that somebody chose. Where stderr is closed there is nobody to tell.
    let _ = writeln!(io::stderr().lock(), "{kind}: {}", escape::shown(text.as_bytes()));
}
