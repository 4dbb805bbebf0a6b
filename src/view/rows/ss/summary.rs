//! `-s`: the figures of /proc/net/sockstat as ss words them.
//!
//! They are not what they seem: `TCP` and `closed` count the sockets of the whole host, `orphaned`
//! too, the others those of the namespace (`sockstat_seq_show` in `net/ipv4/proc.c`), and `estab`
//! is CurrEstab, which counts CLOSE_WAIT. `sockeye summary` counts the sockets themselves.

use crate::model::counters::Counters;
use std::io::Write;

/// Writes the figures. One that this kernel does not tell is 0, as in ss.
pub fn write(out: &mut Vec<u8>, counters: &Counters) {
    let told = |name: &str| counters.get(name).and_then(|n| i64::try_from(n).ok()).unwrap_or(0);
    let four = |name: &str| told(&format!("sockstat.{name}"));
    let six = |name: &str| told(&format!("sockstat6.{name}"));
    let waiting = four("TCP.tw");
    let tcp = (four("TCP.inuse"), six("TCP6.inuse"));
    let _ = write!(
        out,
        "Total: {}\nTCP:   {} (estab {}, closed {}, orphaned {}, timewait {waiting})\n\n",
        four("sockets.used"),
        four("TCP.alloc") + waiting,
        told("Tcp.CurrEstab"),
        four("TCP.alloc") - (tcp.0 + tcp.1 - waiting),
        four("TCP.orphan"),
    );
    let raw = (four("RAW.inuse"), six("RAW6.inuse"));
    let udp = (four("UDP.inuse"), six("UDP6.inuse"));
    let inet = (raw.0 + udp.0 + tcp.0, raw.1 + udp.1 + tcp.1);
    out.extend(b"Transport Total     IP        IPv6\n");
    for (name, (v4, v6)) in [
        ("RAW", raw),
        ("UDP", udp),
        ("TCP", tcp),
        ("INET", inet),
        ("FRAG", (four("FRAG.inuse"), six("FRAG6.inuse"))),
    ] {
        let _ = writeln!(out, "{name}\t  {:<9} {v4:<9} {v6:<9}", v4 + v6);
    }
    out.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_figures_are_worded_as_in_ss() {
        let mut counters = Counters::default();
        for (name, value) in [
            ("sockstat.sockets.used", 16),
            ("sockstat.TCP.inuse", 4),
            ("sockstat.TCP.alloc", 7),
            ("sockstat.TCP.tw", 1),
            ("sockstat6.TCP6.inuse", 2),
            ("sockstat.UDP.inuse", 2),
            ("Tcp.CurrEstab", 4),
        ] {
            counters.insert(name, value);
        }
        let mut out = vec![];
        write(&mut out, &counters);
        // ss -s of iproute2 6.1.0 in a namespace with these sockets, Linux 6.18.
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "Total: 16\n\
             TCP:   8 (estab 4, closed 2, orphaned 0, timewait 1)\n\
             \n\
             Transport Total     IP        IPv6\n\
             RAW\t  0         0         0        \n\
             UDP\t  2         2         0        \n\
             TCP\t  6         4         2        \n\
             INET\t  8         6         2        \n\
             FRAG\t  0         0         0        \n\
             \n"
        );
    }
}
