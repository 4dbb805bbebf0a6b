//! The SYN queue of a listener: handshakes that were begun and not ended.

use super::limit::{Limit, LimitId, Scope};
use crate::model::{endpoint::Endpoint, settings::Settings, snapshot::Snapshot};

const COOKIES: &str = "net.ipv4.tcp_syncookies";
const SYN_BACKLOG: &str = "net.ipv4.tcp_max_syn_backlog";
/// From this release on the queue is full above the backlog (`inet_csk_reqsk_queue_is_full`
/// compares with `>`); up to 6.6.57 it was full at the backlog. Between them it depends on what the
/// distributor ported back.
const ONE_MORE_SINCE: (u32, u32) = (6, 14);

/// The queue of `sockets` listeners of one address, whose backlogs are `backlog` together.
/// `None`: /proc does not tell it.
pub fn limit(
    snapshot: &Snapshot,
    local: Endpoint,
    sockets: usize,
    waiting: u64,
    backlog: Option<u32>,
) -> Limit {
    let settings = &snapshot.settings;
    let cookies = settings.number(COOKIES);
    let one_more = release(snapshot).is_some_and(|release| release >= ONE_MORE_SINCE);
    let sockets = sockets as u64;
    let of_backlog = backlog.map(|sum| u64::from(sum) + if one_more { sockets } else { 0 });
    let of_setting = settings.number(SYN_BACKLOG).map(|most| without_cookies(most) * sockets);
    let value = match cookies {
        Some(0) => of_backlog.zip(of_setting).map(|(one, other)| one.min(other)),
        _ => of_backlog,
    };
    let source = match cookies {
        Some(0) => "listen() backlog, net.core.somaxconn, tcp_max_syn_backlog; SYN_RCVD, sock_diag",
        _ => "listen() backlog and net.core.somaxconn; SYN_RCVD sockets, sock_diag",
    };
    let mut limit = Limit::new(LimitId::SynQueue, Scope::Process, local.to_string(), "handshakes")
        .with(value, Some(waiting), source);
    limit.connections = None;
    let mut note = beyond(cookies, settings);
    if !one_more {
        note.push_str(
            "; kernels after 6.6.57 may take one more (the change is ported back by some, and in \
             all from 6.14)",
        );
    }
    limit.note = Some(note);
    if backlog.is_none() {
        limit.unknown = Some("/proc does not tell the backlog".to_owned());
    } else if cookies == Some(0) && of_setting.is_none() {
        limit.unknown = settings.missing.get(SYN_BACKLOG).cloned();
    }
    limit
}

/// What happens beyond it.
fn beyond(cookies: Option<u64>, settings: &Settings) -> String {
    match cookies {
        Some(0) => "beyond it a SYN is dropped and tried again, because tcp_syncookies is 0; \
                    tcp_max_syn_backlog counts for that reason alone, and not for peers the \
                    kernel knows from earlier connections"
            .to_owned(),
        Some(2) => "not used: tcp_syncookies is 2, every SYN is answered with a cookie".to_owned(),
        Some(_) => "beyond it SYNs are answered with cookies and nothing is refused; \
                    tcp_max_syn_backlog has no effect while tcp_syncookies is on"
            .to_owned(),
        None => {
            let why = settings.missing.get(COOKIES).map_or("not read", String::as_str);
            format!("whether cookies take over beyond it is unknown ({why})")
        }
    }
}

/// Handshakes that `tcp_max_syn_backlog` allows each listener without cookies: the last quarter is
/// kept for peers that were seen before, and the comparison lets in one more
/// (`tcp_conn_request`). Measured: 7 of 8.
const fn without_cookies(most: u64) -> u64 {
    most - (most >> 2) + 1
}

/// `6.18.44-generic` as (6, 18).
fn release(snapshot: &Snapshot) -> Option<(u32, u32)> {
    let text = snapshot.about.host.kernel.as_deref()?;
    let mut numbers = text.split(|c: char| !c.is_ascii_digit()).map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::capacity::fixture;

    /// (value, free, note) of a listener with a backlog of 100 and 4 handshakes begun.
    fn queue(
        kernel: Option<&str>,
        settings: &[(&str, &str)],
    ) -> (Option<u64>, Option<u64>, String) {
        let mut snapshot = fixture::snapshot();
        snapshot.about.host.kernel = kernel.map(str::to_owned);
        for (name, value) in settings {
            snapshot.settings.values.insert((*name).to_owned(), (*value).to_owned());
        }
        let limit = limit(&snapshot, fixture::end("10.0.0.1:80"), 1, 4, Some(100));
        assert_eq!(limit.connections, None);
        (limit.value, limit.free, limit.note.unwrap())
    }

    #[test]
    fn the_release_decides_about_one_more() {
        for (kernel, value, is_exact) in [
            (Some("6.18.44"), 101, true),
            (Some("6.14.0-29-generic"), 101, true),
            (Some("7.0"), 101, true),
            (Some("6.13.12"), 100, false),
            (Some("5.15.0-151-generic"), 100, false),
            (Some("unknown"), 100, false),
            (None, 100, false),
        ] {
            let (said, free, note) = queue(kernel, &[(COOKIES, "1"), (SYN_BACKLOG, "8")]);
            assert_eq!((said, free), (Some(value), Some(value - 4)), "{kernel:?}");
            assert_eq!(!note.contains("one more"), is_exact, "{kernel:?}: {note}");
        }
    }

    #[test]
    fn tcp_max_syn_backlog_counts_without_cookies_alone() {
        let kernel = Some("6.18.44");
        // The figures of 8 and 2048 were measured.
        for (setting, value) in [("8", 7), ("2048", 101), ("132", 100), ("133", 101)] {
            let (said, _, note) = queue(kernel, &[(COOKIES, "0"), (SYN_BACKLOG, setting)]);
            assert_eq!(said, Some(value), "{setting}");
            assert!(note.contains("dropped"), "{note}");
        }
        let (said, _, note) = queue(kernel, &[(COOKIES, "2"), (SYN_BACKLOG, "8")]);
        assert!(said == Some(101) && note.contains("not used"), "{note}");
        let (said, _, note) = queue(kernel, &[]);
        assert!(said == Some(101) && note.contains("unknown"), "{note}");
        let (said, ..) = queue(kernel, &[(COOKIES, "0")]);
        assert_eq!(said, None);
    }

    #[test]
    fn each_of_several_listeners_of_an_address_has_its_own() {
        let mut snapshot = fixture::snapshot();
        snapshot.about.host.kernel = Some("6.18.44".to_owned());
        let local = fixture::end("10.0.0.1:80");
        assert_eq!(limit(&snapshot, local, 3, 0, Some(30)).value, Some(33));
        let unknown = limit(&snapshot, local, 3, 0, None);
        assert!(unknown.value.is_none() && unknown.unknown.unwrap().contains("/proc"));
    }
}
