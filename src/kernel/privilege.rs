//! A privilege set aside while it would only make the kernel work more.

use rustix::thread::{CapabilitySet, CapabilitySets, capabilities, set_capabilities};

/// While it lives, CAP_NET_ADMIN has no effect in the calling thread. Where that may not be changed, or
/// the thread has no such privilege, nothing happens.
///
/// The kernel looks at every part of a dump whether its reader has it, and if so puts `SO_MARK` into
/// every answer, asked for or not (`tcp_diag_dump`, `inet_diag_msg_attrs_fill`): a twentieth of the
/// time of a dump of 100,000 sockets.
pub struct WithoutNetAdmin {
    before: Option<CapabilitySets>,
}

impl WithoutNetAdmin {
    /// Sets it aside.
    pub fn begin() -> Self {
        let before = capabilities(None).ok().filter(|sets| {
            let effective = sets.effective & !CapabilitySet::NET_ADMIN;
            sets.effective != effective
                && set_capabilities(None, CapabilitySets { effective, ..*sets }).is_ok()
        });
        Self { before }
    }
}

impl Drop for WithoutNetAdmin {
    fn drop(&mut self) {
        if let Some(before) = self.before {
            // What was permitted a moment ago is still permitted.
            let _ = set_capabilities(None, before);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_privilege_is_back_afterwards_and_no_other_was_touched() {
        let before = capabilities(None).unwrap();
        let without = WithoutNetAdmin::begin();
        let within = capabilities(None).unwrap();
        assert_eq!(within.effective, before.effective & !CapabilitySet::NET_ADMIN);
        assert_eq!(within.permitted, before.permitted);
        // Nested, the inner one leaves the outer one alone.
        drop(WithoutNetAdmin::begin());
        assert_eq!(capabilities(None).unwrap(), within);
        drop(without);
        assert_eq!(capabilities(None).unwrap(), before);
    }
}
