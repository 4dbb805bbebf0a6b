//! Texts and what they are read as.

use super::*;
use proptest::prelude::*;
use std::net::IpAddr;

struct Services;

impl Directory for Services {
    fn ports(&self, service: &str) -> Vec<u16> {
        match service {
            "ssh" => vec![22],
            "https" => vec![443],
            _ => vec![],
        }
    }

    fn addresses(&self, host: &str) -> Vec<IpAddr> {
        if host == "localhost" { vec!["127.0.0.1".parse().unwrap()] } else { vec![] }
    }
}

fn shown(text: &str) -> String {
    parse(text, &Services).unwrap_or_else(|error| panic!("{error}")).expr.to_string()
}

#[test]
fn the_grammar_of_ss() {
    for (text, meant) in [
        ("state time-wait", "state = TIME_WAIT"),
        ("state established state syn-sent", "state in SYN_SENT,ESTABLISHED"),
        (
            "exclude listening exclude time-wait",
            "state in CLOSED,SYN_SENT,SYN_RCVD,ESTABLISHED,CLOSE_WAIT,LAST_ACK,FIN_WAIT_1,FIN_WAIT_2,CLOSING",
        ),
        (
            "state connected excl syn-sent",
            "state in SYN_RCVD,ESTABLISHED,CLOSE_WAIT,LAST_ACK,FIN_WAIT_1,FIN_WAIT_2,CLOSING,TIME_WAIT",
        ),
        ("sport = :22", "local.port = 22"),
        ("sport :22", "local.port = 22"),
        ("sport=:ssh", "local.port = 22"),
        ("dport eq https", "peer.port = 443"),
        ("dport != :22", "not peer.port = 22"),
        ("sport gt :1024", "local.port >= 1025"),
        ("sport geq 1024 dport leq 99", "local.port >= 1024 and peer.port <= 99"),
        ("src 10/8", "local.address = 10.0.0.0/8"),
        ("dst = [::1]:22", "peer.address = [::1] and peer.port = 22"),
        ("dst 10.0.0.0/8:443", "peer.address = 10.0.0.0/8 and peer.port = 443"),
        ("src *", "local.address = *"),
        ("dst :22", "peer.port = 22"),
        ("src localhost", "local.address = 127.0.0.1"),
        ("dev eth0", "local.interface = eth0"),
        ("dev != 3", "not local.interface = 3"),
        ("fwmark = 0x1/0x3", "mark = 0x1/0x3"),
        ("cgroup /a/b", "cgroup = /a/b"),
        ("autobound", "autobound"),
        ("! autobound", "not autobound"),
        (
            "( dport = :443 or sport gt :1024 ) and dst 10.0.0.0/8",
            "(peer.port = 443 or local.port >= 1025) and peer.address = 10.0.0.0/8",
        ),
        (
            "sport = :1 & dport = :2 | sport = :3",
            "(local.port = 1 and peer.port = 2) or local.port = 3",
        ),
        // `state` in front holds for all of the rest, and may stand anywhere else.
        (
            "state listening sport = :22 or sport = :80",
            "state = LISTEN and (local.port = 22 or local.port = 80)",
        ),
        ("sport = :80 state listening", "local.port = 80 and state = LISTEN"),
        ("state listening or state established", "state = LISTEN or state = ESTABLISHED"),
        ("inet6:[::1]", "family = ipv6 and local.address = [::1]"),
    ] {
        let text = if text.starts_with("inet6") { format!("src {text}") } else { text.to_owned() };
        assert_eq!(shown(&text), meant, "{text}");
    }
}

#[test]
fn words_of_our_own() {
    for (text, meant) in [
        (
            "state = TIME_WAIT and peer.port in 443,8000-8999 and process = nginx",
            "state = TIME_WAIT and peer.port in 443,8000-8999 and process = nginx",
        ),
        ("rtt>50ms", "rtt >= 50001us"),
        ("tcp_info.rtt_us > 50ms", "rtt >= 50001us"),
        ("tcp_info.rtt_us > 50", "rtt >= 51us"),
        ("age_ms in 10-20,30000", "age in 10ms-20ms,30000ms"),
        ("recv_queue_bytes > 0", "recv_queue >= 1"),
        ("recv_queue > 0 or retransmits > 0", "recv_queue >= 1 or retransmits >= 1"),
        ("user = www-data pid = 42", "user = www-data and pid = 42"),
        ("container = web netns = blue", "container = web and netns.name = blue"),
        ("peer = 10.0.0.0/8", "peer.address = 10.0.0.0/8"),
        ("peer = 10.0.0.0/8:443", "peer.address = 10.0.0.0/8 and peer.port = 443"),
        ("peer.port not in (443, 80)", "not peer.port in 80,443"),
        ("state is not LISTEN", "not state = LISTEN"),
        ("state != time_wait", "not state = TIME_WAIT"),
        ("state in ESTAB,listen", "state in LISTEN,ESTABLISHED"),
        ("not (a = 1)", "error"),
        ("v6only", "v6only = true"),
        ("process = 'my (prog)'", r"process = my\ \(prog\)"),
        ("not not pid = 1", "not not pid = 1"),
        ("NOT pid = 1 AND pid = 2", "not pid = 1 and pid = 2"),
    ] {
        match parse(text, &Services) {
            Ok(parsed) => assert_eq!(parsed.expr.to_string(), meant, "{text}"),
            Err(error) => assert_eq!(meant, "error", "{error}"),
        }
    }
}

#[test]
fn not_binds_tighter_than_and_and_and_than_or() {
    assert_eq!(shown("pid=1 or pid=2 and not pid=3"), "pid = 1 or (pid = 2 and not pid = 3)");
    assert_eq!(shown("pid=1 pid=2 or pid=3"), "(pid = 1 and pid = 2) or pid = 3");
    for (text, otherwise) in [
        ("src 1.0.0.0 or src 2.0.0.0 and dst 3.0.0.0", true),
        ("src 1.0.0.0 or src 2.0.0.0 dst 3.0.0.0", true),
        ("src 1.0.0.0 or ( src 2.0.0.0 and dst 3.0.0.0 )", false),
        ("src 1.0.0.0 and src 2.0.0.0 or dst 3.0.0.0", false),
        ("src 1.0.0.0 or dst 3.0.0.0:22", false),
        // ss cannot read it at all.
        ("pid = 1 or pid = 2 and pid = 3", false),
    ] {
        assert_eq!(parse(text, &Services).unwrap().ss_reads_otherwise, otherwise, "{text}");
    }
}

#[test]
fn the_habits_of_other_tools_work_or_are_told_what_does() {
    for (text, meant) in [
        ("port 22", "local.port = 22 or peer.port = 22"),
        ("port != 22", "not (local.port = 22 or peer.port = 22)"),
        ("src port 22", "local.port = 22"),
        ("dst port 22", "peer.port = 22"),
        ("host 10.0.0.1", "local.address = 10.0.0.1 or peer.address = 10.0.0.1"),
        ("dst host 10.0.0.1", "peer.address = 10.0.0.1"),
        (
            "dst net 10/8 and tcp port 443",
            "peer.address = 10.0.0.0/8 and protocol = tcp and (local.port = 443 or peer.port = 443)",
        ),
        ("tcp:443", "protocol = tcp and (local.port = 443 or peer.port = 443)"),
        ("TCP:https", "protocol = tcp and (local.port = 443 or peer.port = 443)"),
        ("udp", "protocol = udp"),
        ("unix", "protocol = unix"),
        ("src unix:/run/*", "src unix:/run/*"),
        ("dst = /run/x,@y", "dst unix:/run/x,unix:@y"),
        ("src != netlink:rtnl", "not src netlink:0:*"),
        ("local.address = /run/x*", "src unix:/run/x*"),
        ("src link:arp:eth0 and dst *", "src link:2054:eth0 and peer.address = *"),
        ("path = '/run/a b' and type = stream", r"path = /run/a\ b and type = stream"),
        ("netlink.groups = 1 or pending > 5", "netlink.groups = 1 or pending >= 6"),
        ("state listen", "state = LISTEN"),
        ("src portrange 20-22", "local.port in 20-22"),
        (
            "ip host 10.0.0.1",
            "family = ipv4 and (local.address = 10.0.0.1 or peer.address = 10.0.0.1)",
        ),
        ("ip6 and port 22", "family = ipv6 and (local.port = 22 or peer.port = 22)"),
        (
            "state == LISTEN && sport == 22 || dport==443",
            "(state = LISTEN and local.port = 22) or peer.port = 443",
        ),
        ("dport=:ssh", "peer.port = 22"),
        ("(sport = 22)", "local.port = 22"),
    ] {
        assert_eq!(shown(text), meant, "{text}");
    }
    for (text, under, hint) in [
        ("sport = 70000", "70000", "0 to 65535"),
        ("sport = 026", "026", "`22`"),
        ("state establshed", "establshed", "`ESTABLISHED`"),
        ("state = listen and acceptq > 0", "acceptq", "`accept_queue > 0`"),
        ("listening", "listening", "`state listening`"),
        ("pid 42", "pid", "`pid = 42`"),
        ("user root", "user", "`user = root`"),
        ("user", "user", "`user = nginx*`"),
        (":22", ":22", "`port 22`"),
        ("443", "443", "`port 443`"),
        ("10.0.0.1", "10.0.0.1", "`host 10.0.0.1`"),
        ("@10.0.0.1:80", "@10.0.0.1:80", "`host 10.0.0.1:80`"),
        ("::1", "::1", "`host ::1`"),
        ("command = nginx", "command", "`process = nginx`"),
        ("remote_port = 443", "remote_port", "`peer.port = 443`"),
        ("recvq > 0", "recvq", "`recv_queue > 0`"),
        ("rttt > 5ms", "rttt", "`rtt > 5ms`"),
        ("process =~ nginx", "~", "`process = ngin*`"),
        ("process ~ nginx", "~", "`process = ngin*`"),
        ("sport =", "sport", "`sport = :22`"),
        ("sport = and dport = 1", "and", "`sport = :22`"),
        ("state", "state", "`state listening`"),
        ("( sport = 22", "(", ")"),
        ("sport = 22 )", ")", "remove"),
        ("sport = 22 or", "", "state = TIME_WAIT"),
        ("dst 443", "443", "`:443`"),
        ("peer.port > 80,90", "peer.port > 80,90", "in"),
        ("zzz = 1", "zzz", "--columns help"),
        ("unix:/run/x", "unix:/run/x", "`src unix:/run/x`"),
        ("src link:nosuch", "link:nosuch", "link:arp:eth0"),
        ("sport 80 or 443", "443", "`sport 80 or sport 443`"),
        ("sport = :80 || :443", ":443", "`sport = :80 || sport = :443`"),
        ("state = LISTEN or ESTAB", "ESTAB", "`state = LISTEN or state = ESTAB`"),
        ("sport => 22", ">", "`sport >= 22`"),
        ("sport <> 22", ">", "`sport != 22`"),
        ("src ! 10.0.0.1", "!", "`src != 10.0.0.1`"),
        ("state not established", "state", "`state != established`"),
        ("dst 10.0.0.1 443", "443", "`dst 10.0.0.1:443`"),
        ("src net 10.0.0.0 mask 255.128.0.0", "mask", "`src net 10.0.0.0/9`"),
        ("ssh", "ssh", "`port ssh`"),
        ("nginx", "nginx", "`process = nginx`"),
        ("tcp[tcpflags] = 2", "tcp[tcpflags]", "not packets"),
        ("port in (1,2", "", "in (443, 8443)"),
        ("pid = 1, and", "and", "pid > 0"),
    ] {
        let error = parse(text, &Services).expect_err(text);
        assert_eq!(text.get(error.span.clone()), Some(under), "{error}");
        assert!(error.hint.contains(hint), "{error}");
    }
}

#[test]
fn deep_nesting_is_refused_before_the_stack_ends() {
    let text = format!("{}sport = 1{}", "(".repeat(100_000), ")".repeat(100_000));
    assert!(parse(&text, &Services).unwrap_err().message.contains("inside each other"));
    assert!(parse(&"not ".repeat(100_000), &Services).is_err());
    let flat = vec!["sport = 1"; 20_000].join(" or ");
    assert_eq!(parse(&flat, &Services).unwrap().expr.tests().len(), 20_000);
}

#[test]
fn a_test_keeps_its_ports() {
    let parsed = parse("sport in 9,1-3,2", &Services).unwrap();
    assert_eq!(parsed.expr.to_string(), "local.port in 1-3,9");
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in r"[ -~é\n]{0,60}") {
        if let Err(error) = parse(&text, &Services) {
            prop_assert!(text.get(error.span.clone()).is_some(), "{:?}", error.span);
            let _ = error.to_string();
        }
    }

    #[test]
    fn any_words_are_read_or_refused_and_what_is_printed_is_read_back(
        words in prop::collection::vec(prop::sample::select(WORDS), 1..14)
    ) {
        let text = words.join(" ");
        match parse(&text, &Services) {
            Ok(parsed) => {
                let printed = parsed.expr.to_string();
                let again = parse(&printed, &Services);
                prop_assert_eq!(again.map(|p| p.expr), Ok(parsed.expr), "{} became {}", text, printed);
            }
            Err(error) => prop_assert!(text.get(error.span.clone()).is_some()),
        }
    }

    #[test]
    fn patterns_are_printed_so_that_they_are_read_back(pattern in r"[\[\]!^a-c:\\*? ,=z-]{0,12}") {
        if let Ok(parsed) = parse(&format!("process = {pattern}"), &Services) {
            let printed = parsed.expr.to_string();
            let again = parse(&printed, &Services).map(|again| again.expr);
            prop_assert_eq!(again, Ok(parsed.expr), "{} became {}", pattern, printed);
        }
    }

    #[test]
    fn names_are_printed_so_that_they_are_read_back(name in r"[ -~é\n\t]{0,12}") {
        let pattern = super::super::pattern::Pattern::exactly(&name);
        let text = format!("process = {pattern}");
        let parsed = parse(&text, &Services);
        prop_assert_eq!(parsed.map(|p| p.expr.to_string()), Ok(text));
    }
}

const WORDS: &[&str] = &[
    "(",
    ")",
    "and",
    "or",
    "not",
    "!",
    "=",
    "!=",
    "<",
    ">=",
    "in",
    ",",
    "state",
    "exclude",
    "listening",
    "TIME_WAIT",
    "src",
    "dst",
    "10/8",
    "[::1]:22",
    "*",
    ":22",
    "sport",
    "dport",
    "443",
    "8000-8999",
    "unix:/run/*",
    "link:arp:eth0",
    "netlink:rtnl:5",
    "vsock:3:*",
    "@x",
    "rtt",
    "50ms",
    "process",
    "ngin*",
    "dev",
    "eth0",
    "fwmark",
    "1/3",
    "cgroup",
    "/a",
    "autobound",
    "port",
    "host",
    "tcp",
    "v6only",
    "user",
    "0",
    "netns",
    "timer",
    "keepalive",
    "sport = 1",
    "dport > 5",
    "state = listen",
    "rtt > 5ms",
    "pid = 7",
    "*[!a-c]x",
    "ip6",
];
