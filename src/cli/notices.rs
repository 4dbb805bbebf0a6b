//! What could not be seen, said once on stderr.

use crate::model::{about::About, gap::Gap};
use std::{
    collections::HashSet,
    io::{self, Write},
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
            note(&format!(
                "read from /proc/net, without queue limits, cookies and TCP details: {reason}"
            ));
        }
        for gap in &about.gaps {
            self.tell_gap(gap);
        }
    }

    fn tell_gap(&mut self, gap: &Gap) {
        if self.said.insert(gap.code.to_string()) {
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

fn say(kind: &str, text: &str) {
    // Where stderr is closed there is nobody to tell.
    let _ = writeln!(io::stderr().lock(), "{kind}: {text}");
}
