//! Sockets of every family, row by row beside `ss`, and by what was made of them.

use crate::lab::{
    namespace::Namespace,
    process::Script,
    program::{Run, SOCKEYE, public_copy, sockeye},
    requirement::{require_live, require_made},
};
use serde_json::{Value, json};
use std::{collections::BTreeSet, os::unix::process::CommandExt, process::Command};
use tempfile::TempDir;

/// The zoo of `families.py`, what it made, and where its paths are.
struct Zoo {
    namespace: Namespace,
    facts: Value,
    directory: TempDir,
    script: Script,
}

impl Zoo {
    fn open() -> Self {
        let namespace = Namespace::new();
        namespace.set_sysctl("net.ipv4.ping_group_range", "0 2147483647");
        let directory = TempDir::new().unwrap();
        let mut python = Command::new("python3");
        python.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/families.py"));
        let (script, line) = Script::start(&namespace, python.arg(directory.path()));
        Self { namespace, facts: serde_json::from_str(&line).unwrap(), directory, script }
    }

    fn path(&self, name: &str) -> String {
        self.directory.path().join(name).to_str().unwrap().to_owned()
    }

    fn number(&self, fact: &str) -> u64 {
        let fact = &self.facts[fact];
        fact.as_u64().or_else(|| fact[0].as_u64()).unwrap()
    }

    /// The rows of sockeye as JSON.
    fn rows(&self, arguments: &str) -> Vec<Value> {
        let run = sockeye(&self.namespace, &format!("{arguments} --json"));
        assert_eq!(run.code, 0, "{arguments}: {}", run.stderr);
        let document: Value = serde_json::from_str(&run.stdout).unwrap();
        document["sockets"].as_array().unwrap().clone()
    }

    /// The row of the socket with this inode.
    fn row(&self, arguments: &str, inode: u64) -> Value {
        let rows = self.rows(arguments);
        let found: Vec<_> = rows.into_iter().filter(|row| row["inode"] == inode).collect();
        assert_eq!(found.len(), 1, "{arguments}: inode {inode}");
        found[0].clone()
    }

    /// The words of each line of ss.
    fn ss(&self, arguments: &str) -> Vec<Vec<String>> {
        let words = arguments.split_whitespace();
        let done = self.namespace.output(Command::new("ss").args(words));
        let text = String::from_utf8(done.stdout).unwrap();
        text.lines().map(|line| line.split_whitespace().map(str::to_owned).collect()).collect()
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The word of ss for a type, and for a state.
fn unix_row(row: &Value) -> [String; 7] {
    let netid = match row["unix"]["type"].as_str().unwrap() {
        "stream" => "u_str",
        "dgram" => "u_dgr",
        _ => "u_seq",
    };
    let state = match row["state"].as_str().unwrap() {
        "ESTABLISHED" => "ESTAB",
        "UNCONNECTED" => "UNCONN",
        other => other,
    };
    let listens = row["state"] == "LISTEN";
    let (recv, send) = if listens {
        (&row["accept_queue"], &row["accept_queue_limit"])
    } else {
        (&row["recv_queue_bytes"], &row["send_queue_bytes"])
    };
    let name = row["local"]["address"].as_str().unwrap_or("*").to_owned();
    let peer = row["unix"]["peer_inode"].as_u64().unwrap_or(0).to_string();
    let inode = row["inode"].as_u64().unwrap_or(0).to_string();
    [netid.into(), state.into(), text(recv), text(send), name, inode, peer]
}

#[test]
fn unix_sockets_are_those_of_ss_with_their_peers() {
    if !require_live(&["ip", "ss", "python3"]) {
        return;
    }
    let zoo = Zoo::open();
    for switches in ["-xa", "-x", "-xl", "-A u_seq -a", "-A u_str,u_dgr -a", "-xa state connected"]
    {
        let mut theirs: Vec<Vec<String>> = zoo.ss(&format!("-Hn {switches}"));
        // ss leaves out the type where one is listed: `u_seq` has one, `-a` several states.
        if switches.contains("u_seq") {
            for words in &mut theirs {
                words.insert(0, "u_seq".to_owned());
            }
        }
        let theirs: BTreeSet<Vec<String>> = theirs
            .into_iter()
            .map(|w| [&w[0], &w[1], &w[2], &w[3], &w[4], &w[5], &w[7]].map(Clone::clone).to_vec())
            .collect();
        let ours = zoo.rows(switches).iter().map(|row| unix_row(row).to_vec()).collect();
        assert!(!theirs.is_empty(), "{switches}");
        assert_eq!(theirs, ours, "{switches}");
    }

    // Whom they talk to, and who that is.
    let client = zoo.row("-xap", zoo.number("client"));
    assert_eq!(client["local"], json!({"address": null, "port": null, "interface": null}));
    assert_eq!(client["peer"], json!({"address": zoo.path("listener"), "port": null}));
    assert_eq!(client["unix"]["peer_inode"], zoo.number("accepted"));
    assert_eq!(client["recv_queue_bytes"], 6);
    let pair = zoo.row("-xap", zoo.number("pair"));
    assert_eq!(pair["processes"][0]["pid"], zoo.script.pid());
    let peers = pair["unix"]["peer_processes"].as_array().unwrap();
    assert_eq!((peers.len(), &peers[0]["pid"]), (1, &zoo.facts["child"]));
    assert_eq!(peers[0]["command"], "peer)of (it");
    let source = zoo.row("-xa", zoo.number("source"));
    assert_eq!(
        (&source["state"], &source["peer"]["address"]),
        (&json!("ESTABLISHED"), &json!(zoo.path("target")))
    );

    // Listeners: who waits, in which file.
    let listener = zoo.row("-xae", zoo.number("listener"));
    assert_eq!(
        (&listener["accept_queue"], &listener["accept_queue_limit"]),
        (&json!(2), &json!(7))
    );
    let clients: BTreeSet<u64> =
        zoo.facts["waiting"].as_array().unwrap().iter().map(|n| n.as_u64().unwrap()).collect();
    let waiting = listener["unix"]["pending_inodes"].as_array().unwrap();
    assert_eq!(waiting.iter().map(|n| n.as_u64().unwrap()).collect::<BTreeSet<_>>(), clients);
    let file = std::fs::metadata(zoo.path("listener")).unwrap();
    let (inode, device) =
        (std::os::unix::fs::MetadataExt::ino(&file), std::os::unix::fs::MetadataExt::dev(&file));
    assert_eq!(listener["unix"]["file_inode"], inode);
    assert_eq!(listener["unix"]["file_device_major"], nix::sys::stat::major(device));
    assert_eq!(listener["unix"]["file_device_minor"], nix::sys::stat::minor(device));
    let sequence = zoo.row("-xa", zoo.number("sequence"));
    assert_eq!(sequence["local"]["address"], "@so@ckeye");

    // Filters of both dialects.
    let count = |filter: &str| {
        let run = Command::new(SOCKEYE);
        let mut run = run;
        run.args(["-xa", "--count"]).args(filter.split_whitespace());
        let done = zoo.namespace.output(&mut run);
        String::from_utf8(done.stdout).unwrap().trim().parse::<usize>().unwrap()
    };
    for filter in ["src unix:*LISTENER", "src */listener", "dst */target", "autobound"] {
        // ss knows no names of peers.
        if !filter.starts_with("dst") {
            assert_eq!(count(filter), zoo.ss(&format!("-Hxan {filter}")).len(), "{filter}");
        }
        assert!(count(filter) > 0, "{filter}");
    }
    let inode = zoo.number("accepted");
    assert_eq!(count(&format!("sport = {inode}")), 1, "the port of a unix socket is its inode");
    assert_eq!(count(&format!("dport = :{inode}")), 1);
    assert_eq!(count("path = @so*"), 1);
    assert_eq!(count("type = seqpacket"), 1);
    assert_eq!(count("peer.path = */listener"), 3);
    assert_eq!(count("peer.owner = peer*"), 1);
    assert_eq!(count("pending > 0"), 1);

    // By /proc the same sockets, and what it does not tell is not told.
    let key = |row: &Value| {
        (text(&row["inode"]), text(&row["local"]["address"]), text(&row["unix"]["type"]))
    };
    // The socket that stands for a waiting client at the listener is in /proc, without an inode.
    let is_held = |(inode, ..): &(String, String, String)| inode != "null";
    let by_proc: BTreeSet<_> =
        zoo.rows("-xa --source proc").iter().map(key).filter(is_held).collect();
    let by_netlink: BTreeSet<_> = zoo.rows("-xa").iter().map(key).collect();
    assert_eq!(by_proc, by_netlink);
    let told = zoo.row("-xa --source proc", zoo.number("client"));
    assert_eq!(
        (&told["unix"]["peer_inode"], &told["recv_queue_bytes"]),
        (&Value::Null, &Value::Null)
    );
}

#[test]
fn packet_sockets_tell_rings_groups_and_programs() {
    if !require_live(&["ip", "ss", "python3"]) {
        return;
    }
    let zoo = Zoo::open();
    for switches in ["-0", "-0a", "-A p_dgr -a", "-f link"] {
        // 6.1.0 looks the protocol up in the wrong byte order, and lists both types whichever was
        // asked for.
        let theirs: BTreeSet<String> = zoo
            .ss(&format!("-Hn {switches}"))
            .iter()
            .map(|words| words[words.len() - 2].replace("arp:", "[2054]:"))
            .collect();
        let end = |row: &Value| {
            let interface = row["local"]["interface"].as_str().unwrap_or("*");
            match row["packet"]["protocol_number"].as_u64().unwrap() {
                3 => format!("*:{interface}"),
                number => format!("[{number}]:{interface}"),
            }
        };
        let ours: BTreeSet<String> = zoo.rows(switches).iter().map(end).collect();
        if switches.contains("p_dgr") {
            assert_eq!(ours, BTreeSet::from(["[2054]:*".to_owned()]));
            assert!(ours.is_subset(&theirs), "{theirs:?}");
        } else {
            assert_eq!(ours, theirs, "{switches}");
        }
    }
    let raw = zoo.row("-0aeb", zoo.number("packet_raw"));
    let packet = &raw["packet"];
    for (key, value) in [
        ("type", json!("raw")),
        ("protocol", json!("all")),
        ("version", json!(0)),
        ("flags", json!(["running", "auxdata"])),
        ("rx_ring_bytes", json!(32_768)),
        ("rx_frames", json!(16)),
        ("tx_frame_bytes", json!(2048)),
        ("fanout_id", json!(4711)),
        ("fanout_mode", json!("cpu")),
        ("memberships", json!(["promiscuous"])),
        ("filter", json!(["0x28 0 0 12", "0x15 0 1 2054", "0x06 0 0 65535", "0x06 0 0 0"])),
    ] {
        assert_eq!(packet[key], value, "{key}");
    }
    assert_eq!(raw["local"]["interface"], "lo");
    assert_eq!((&raw["uid"], &raw["state"]), (&json!(0), &json!("UNCONNECTED")));
    // Who may not see a program is told so, and never that there is none.
    let lonely = zoo.row("-0ab", zoo.number("packet_lonely"));
    assert_eq!(lonely["packet"]["filter"], json!([]), "it has none");
    let (_directory, copy) = public_copy(SOCKEYE);
    let mut nobody = Command::new(copy);
    nobody.args(["-0ab", "--json"]).uid(65_534).gid(65_534);
    let run = Run::of(zoo.namespace.output(&mut nobody));
    let document: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(document["warnings"][0]["code"], "filters-hidden", "{run:?}");
    let filters = document["sockets"].as_array().unwrap().iter().map(|s| &s["packet"]["filter"]);
    assert!(filters.clone().count() == 3 && filters.into_iter().all(Value::is_null));
    let arp = zoo.row("-0a", zoo.number("packet_dgram"));
    assert_eq!(arp["packet"]["protocol"], "arp");
    assert_eq!(arp["packet"]["filter"], Value::Null, "not asked for");
    for (filter, inodes) in [
        ("src link:arp", vec![zoo.number("packet_dgram")]),
        ("src link::lo", vec![zoo.number("packet_raw")]),
        ("dev lo", vec![zoo.number("packet_raw")]),
        ("autobound", vec![zoo.number("packet_lonely")]),
        ("packet.fanout_id = 4711", vec![zoo.number("packet_raw")]),
    ] {
        let found: Vec<u64> = zoo
            .rows(&format!("-0a {filter}"))
            .iter()
            .map(|r| r["inode"].as_u64().unwrap())
            .collect();
        assert_eq!(found, inodes, "{filter}");
    }
    let mut by_proc: Vec<_> =
        zoo.rows("-0a --source proc").iter().map(|r| text(&r["inode"])).collect();
    let mut by_netlink: Vec<_> = zoo.rows("-0a").iter().map(|r| text(&r["inode"])).collect();
    by_proc.sort();
    by_netlink.sort();
    assert_eq!(by_proc, by_netlink);
}

#[test]
fn netlink_sockets_have_groups_peers_and_owners() {
    if !require_live(&["ip", "ss", "python3"]) {
        return;
    }
    let zoo = Zoo::open();
    // What asks is a netlink socket too, each time another.
    let is_other = |end: &String| !end.starts_with("4:") || end == "4:0";
    let theirs: BTreeSet<String> = zoo
        .ss("-Hn -f netlink")
        .iter()
        .map(|words| words[words.len() - 2].clone())
        .filter(is_other)
        .collect();
    let end = |row: &Value| {
        format!("{}:{}", row["netlink"]["protocol_number"], row["netlink"]["port_id"])
    };
    let signed = |end: String| {
        let (protocol, port) = end.split_once(':').unwrap();
        // ss prints port ids as signed.
        format!("{protocol}:{}", port.parse::<u32>().unwrap().cast_signed())
    };
    let ours: BTreeSet<String> =
        zoo.rows("-f netlink").iter().map(|row| signed(end(row))).filter(is_other).collect();
    // A connected one has a peer, and its end stands before it.
    let connected = zoo.row("-f netlink -p", zoo.number("netlink_connected"));
    assert_eq!(connected["peer"], json!({"address": null, "port": 0}));
    assert_eq!(connected["processes"][0]["pid"], zoo.script.pid(), "ss names no owner");
    let missing: Vec<_> = ours.difference(&theirs).collect();
    assert!(missing.len() <= 1, "{missing:?}: at most the connected one, which ss shows otherwise");
    assert!(theirs.is_subset(&ours), "{theirs:?} {ours:?}");
    let groups = zoo.row("-A netlink", zoo.number("netlink"));
    assert_eq!(groups["netlink"]["groups"], json!([1, 5, 31, 33]));
    assert_eq!(groups["local"]["port"], zoo.facts["netlink"][1]);
    for filter in ["src netlink:rtnl", "src netlink:genl:kernel", "autobound"] {
        let theirs: BTreeSet<String> = zoo
            .ss(&format!("-Hn -f netlink {filter}"))
            .iter()
            .map(|words| words[words.len() - 2].clone())
            .filter(is_other)
            .collect();
        let ours = zoo.rows(&format!("-f netlink {filter}"));
        let ours: BTreeSet<String> =
            ours.iter().map(|row| signed(end(row))).filter(is_other).collect();
        // ss asks for the names of interfaces over a socket of its own, which it lists.
        let its_own: Vec<_> = theirs.difference(&ours).collect();
        assert!(!ours.is_empty() && its_own.len() <= 1, "{filter}: {its_own:?}");
        assert!(ours.difference(&theirs).count() <= 1, "{filter}: the connected one");
    }
    assert_eq!(zoo.rows("-A netlink netlink.groups = 33").len(), 1);
    let by_proc = zoo.row("-f netlink --source proc", zoo.number("netlink"));
    assert_eq!(by_proc["netlink"]["groups"], json!([1, 5, 31]), "/proc tells of 32 groups");
}

#[test]
fn raw_udplite_ping_and_mptcp_sockets_are_listed() {
    if !require_live(&["ip", "ss", "python3"]) {
        return;
    }
    let zoo = Zoo::open();
    let theirs: BTreeSet<String> = zoo
        .ss("-Hnwa")
        .iter()
        .map(|w| w[w.len() - 2].replace('*', "[::]").replace("[::]:[::]", "[::]:*"))
        .collect();
    let end = |row: &Value| {
        let address = row["local"]["address"].as_str().unwrap();
        let address =
            if address.contains(':') { format!("[{address}]") } else { address.to_owned() };
        format!("{address}:{}", row["local"]["port"])
    };
    let ours: BTreeSet<String> = zoo.rows("-wa").iter().map(end).collect();
    assert_eq!(ours, theirs);
    let inodes: Vec<u64> =
        zoo.facts["raw"].as_array().unwrap().iter().map(|n| n.as_u64().unwrap()).collect();
    assert_eq!(zoo.row("-wa", inodes[0])["raw"]["ip_protocol"], "icmp");
    assert_eq!(
        zoo.row("-w", inodes[2])["raw"]["ip_protocol"],
        "ospf",
        "connected: listed without -a"
    );
    assert_eq!(zoo.rows("-w").len(), 1);

    for (fact, table) in [("udplite", "udplite"), ("ping", "icmp")] {
        let told = &zoo.facts[fact];
        if require_made(!told.is_null(), fact) {
            let row = zoo.row(&format!("-A {table} -a"), zoo.number(fact));
            assert_eq!((&row["protocol"], &row["local"]["port"]), (&json!(table), &told[1]));
        }
    }

    if !require_made(!zoo.facts["mptcp"].is_null(), "MPTCP") {
        return;
    }
    let theirs: BTreeSet<(String, String)> =
        zoo.ss("-HnMa").iter().map(|w| (w[0].clone(), w[3].clone())).collect();
    let state = |row: &Value| match row["state"].as_str().unwrap() {
        "ESTABLISHED" => "ESTAB".to_owned(),
        other => other.to_owned(),
    };
    let ours = zoo.rows("-Ma").iter().map(|row| (state(row), end(row))).collect();
    assert_eq!(theirs, ours);
    let dialled = zoo.row("-Mai", zoo.facts["mptcp"][1].as_u64().unwrap());
    let connections = dialled["mptcp"]["connections"].as_array().unwrap();
    assert_eq!(connections.len(), 1, "{dialled}");
    assert_eq!(
        connections[0]["local"],
        json!({"address": "127.0.0.1", "port": zoo.facts["mptcp_port"]})
    );
    assert_eq!(connections[0]["state"], "ESTABLISHED");
    let token = dialled["mptcp"]["token"].as_u64().unwrap();
    let subflow: Vec<Value> =
        zoo.rows(&format!("-tai ulp.mptcp_token_local = {token}")).into_iter().collect();
    assert_eq!(subflow.len(), 1);
    assert_eq!(subflow[0]["cookie"], connections[0]["cookie"]);
}

#[test]
fn everything_is_listed_counted_recorded_and_masked() {
    if !require_live(&["ip", "python3"]) {
        return;
    }
    let zoo = Zoo::open();
    // No table named: no error, and what the kernel cannot tell is one sentence.
    let run = sockeye(&zoo.namespace, "-a --json");
    assert_eq!(run.code, 0);
    let document: Value = serde_json::from_str(&run.stdout).unwrap();
    let protocols: BTreeSet<&str> = document["sockets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| r["protocol"].as_str().unwrap())
        .collect();
    for protocol in ["unix", "packet", "netlink", "raw"] {
        assert!(protocols.contains(protocol), "{protocols:?}");
    }
    let codes: Vec<&str> = document["warnings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|w| w["code"].as_str().unwrap())
        .collect();
    assert!(codes.iter().filter(|code| **code == "kernel-lacks").count() <= 1, "{codes:?}");

    // The summary counts what the listing lists.
    let summary: Value =
        serde_json::from_str(&sockeye(&zoo.namespace, "summary --json").stdout).unwrap();
    let unix = zoo.rows("-xa").len();
    assert_eq!(summary["totals"]["unix"], unix);
    assert_eq!(summary["totals"]["packet"], 3);
    for untold in ["vsock", "xdp"] {
        let is_told = summary["totals"].get(untold).is_some();
        let lacks = codes.contains(&"kernel-lacks");
        assert_eq!(is_told, !lacks, "{untold}: unknown is no total");
    }

    // A recording answers as the machine did.
    let file = zoo.path("recorded");
    assert_eq!(sockeye(&zoo.namespace, &format!("snapshot -o {file} --interval 0.1")).code, 0);
    let shape = |rows: Vec<Value>| -> BTreeSet<String> {
        let keep = |mut row: Value| {
            // Memory in use and the dump that is running change from look to look.
            for moving in ["recv_queue_bytes", "send_queue_bytes", "memory", "netns"] {
                row[moving] = Value::Null;
            }
            row["netlink"]["flags"] = Value::Null;
            for since in ["last_data_sent_ms", "last_data_recv_ms", "last_ack_recv_ms"] {
                row["mptcp"][since] = Value::Null;
            }
            row.to_string()
        };
        let is_ours = |row: &Value| row["netlink"]["protocol"] != "tcpdiag";
        rows.into_iter().filter(is_ours).map(keep).collect()
    };
    for switches in ["-xap", "-0aeb", "-f netlink -p", "-wa", "-Mai"] {
        let live = shape(zoo.rows(switches));
        let recorded = shape(zoo.rows(&format!("{switches} --from {file}")));
        assert_eq!(live, recorded, "{switches}");
    }

    // Nobody can close a unix socket from outside, whatever ss says; nor is it tried unasked.
    for (words, code) in [("kill -x state connected", 64), ("-x -K state connected", 64)] {
        let run = sockeye(&zoo.namespace, words);
        assert_eq!((run.code, run.stdout.as_str()), (code, ""), "{}", run.stderr);
        assert!(run.stderr.contains("close unix sockets"), "{}", run.stderr);
    }
    let run = sockeye(&zoo.namespace, "kill state all --json");
    assert!(!run.stdout.contains("\"unix\""), "{}", run.stdout);

    // Masked: no path, no name, and equal ones are equal.
    let masked = zoo.path("masked");
    assert_eq!(
        sockeye(&zoo.namespace, &format!("snapshot -o {masked} --redact --from {file}")).code,
        0
    );
    let rows = zoo.rows(&format!("-xa --from {masked}"));
    assert_eq!(rows.len(), unix);
    let all = serde_json::to_string(&rows).unwrap();
    for name in [zoo.directory.path().to_str().unwrap(), "so@ckeye", "target"] {
        assert!(!all.contains(name), "{name}");
    }
    let of = |fact: &str| rows.iter().find(|row| row["inode"] == zoo.number(fact)).unwrap().clone();
    assert_eq!(of("client")["peer"]["address"], of("listener")["local"]["address"]);
    assert!(of("sequence")["local"]["address"].as_str().unwrap().starts_with("@abstract"));
}
