//! Where sockeye answers otherwise than ss of iproute2 6.1.0, and why.

/// What sockeye does instead.
pub(super) enum Right {
    /// It gives the rows that ss gives when asked like this.
    As(&'static str),
    /// It refuses, and its hint says this.
    Refused(&'static str),
    /// ss refuses; it gives the rows that ss gives when asked like this.
    Reads(&'static str),
}

use Right::{As, Reads, Refused};

/// What is asked, why ss is wrong, and what is right.
pub(super) const EXCEPTIONS: &[(&str, &str, Right)] = &[
    (
        "-tan src 127.0.0.1 or src [::1] and dport = :443",
        "`and` binds tighter than `or`, says its manual; it reads from left to right",
        As("-tan src 127.0.0.1 or ( src [::1] and dport = :443 )"),
    ),
    (
        "-tan src 127.0.0.1 or src [::1] dport = :443",
        "the same where tests stand side by side",
        As("-tan src 127.0.0.1 or ( src [::1] dport = :443 )"),
    ),
    ("-tan sport = :70000", "no port is above 65535; it selects nothing", Refused("0 to 65535")),
    ("-tan sport = :026", "it reads an octal number: port 22", Refused("write `22`")),
    ("-tan sport > :65535", "nothing can be; it selects nothing", Refused("`= 65535` or less")),
    ("-tan dport < :0", "nothing can be; it selects nothing", Refused("write `= 0`")),
    ("-4 -6 -tan", "the last family wins", As("-tan")),
    (
        "-tuanH exclude all",
        "with no state left it takes its default ones",
        As("-tuanH state established sport = :1"),
    ),
    (
        "-tan ! ( src [::/0] )",
        "not in the kernel it compares addresses without their family",
        As("-4tan"),
    ),
    (
        "-tan dev != d0 and src [::/0]",
        "a device keeps the whole filter from the kernel: as before",
        As("-6tan ! dev d0"),
    ),
    ("-tan src ::1", "an address of IPv6 needs brackets", Reads("-tan src [::1]")),
    ("-tan (sport = :22)", "parentheses need blanks", Reads("-tan ( sport = :22 )")),
    ("-tan sport=:22", "operators need blanks", Reads("-tan sport = :22")),
    ("-tan sport =:22", "operators need blanks", Reads("-tan sport = :22")),
    ("-tan src != 127.0.0.1", "addresses take no operator but =", Reads("-tan not src 127.0.0.1")),
    ("-tan sport = :22,8080", "there are no lists", Reads("-tan sport = :22 or sport = :8080")),
    (
        "-tan sport = :8080-9002",
        "there are no ranges",
        Reads("-tan sport >= :8080 and sport <= :9002"),
    ),
    ("-uan sport = :ssh", "it knows services of the listed table alone", Reads("-uan sport = :22")),
    (
        "-ta sport = :22 state listening",
        "states stand in front alone",
        Reads("-ta state listening sport = :22"),
    ),
    ("-tan state listen", "the state is called listening", Reads("-tan state listening")),
    ("-tan state TIME_WAIT", "and this one time-wait", Reads("-tan state time-wait")),
    ("-tan state fin-wait2", "and this one fin-wait-2", Reads("-tan state fin-wait-2")),
];
