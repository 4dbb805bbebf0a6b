//! What to do about something.

use serde::Serialize;

/// How deep a remedy reaches. They are told in this order: what changes the program comes before
/// what changes the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    /// Change what the program does.
    Application,
    /// Set an option on its sockets.
    Socket,
    /// Change a kernel setting.
    Sysctl,
    /// Add addresses, ports or machines.
    Capacity,
}

impl Tier {
    /// The word in text and JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Application => "application",
            Self::Socket => "socket",
            Self::Sysctl => "sysctl",
            Self::Capacity => "capacity",
        }
    }
}

/// One remedy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Remedy {
    /// How deep it reaches.
    pub tier: Tier,
    /// What to do and why it helps.
    pub text: String,
    /// The text to paste: a command, a configuration, code. `None`: there is none.
    pub command: Option<String>,
    /// What it changes: this process, this network namespace, the host.
    pub scope: String,
    /// What it may break. Empty: nothing known.
    pub risk: String,
}

/// Something people advise that does not help here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Avoid {
    /// What.
    pub action: &'static str,
    /// Why not.
    pub reason: String,
}
