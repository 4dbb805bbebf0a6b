//! A table that changes while it is read.

use crate::lab::{
    namespace::{Namespace, TCP_CHAINS},
    program::sockeye,
    requirement::{require_live, require_setting},
    transport::{at, connect, listener, local, read_to_end},
};
use socket2::Socket;
use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv4Addr, Shutdown},
    panic::{self, AssertUnwindSafe},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// Sockets that stay. In a table of 64 chains each has dozens, and the kernel stops on the way
/// through it, at a place it remembers by number.
const STEADY: usize = 2000;
const CHAINS: u32 = 64;

#[test]
fn no_socket_is_listed_twice_while_others_come_and_go() {
    if !require_live(&["ip"]) || !require_setting(TCP_CHAINS) {
        return;
    }
    let namespace = Namespace::with_tcp_chains(CHAINS);
    // The default of so small a table is 32.
    namespace.set_sysctl("net.ipv4.tcp_max_tw_buckets", "100000");
    namespace.run(|| {
        let server = listener(at(LOCALHOST, 6001), 16);
        (0..STEADY).for_each(|_| leave_in_time_wait(&server));
    });
    let done = AtomicBool::new(false);
    let listings = thread::scope(|scope| {
        scope.spawn(|| namespace.run(|| come_and_go(&done)));
        // A failure must reach the end of the scope, or the other thread would not end.
        let list = || sockeye(&namespace, "-ta --json");
        let listings =
            panic::catch_unwind(AssertUnwindSafe(|| (0..30).map(|_| list()).collect::<Vec<_>>()));
        done.store(true, Ordering::Relaxed);
        listings
    });
    for run in listings.unwrap() {
        let document = run.document();
        let stayed = document.sockets.iter().filter(|row| row.state == "TIME_WAIT");
        let cookies: Vec<u64> = stayed.map(|row| row.cookie.unwrap()).collect();
        let distinct: BTreeSet<u64> = cookies.iter().copied().collect();
        assert_eq!(cookies.len(), distinct.len(), "some were listed twice");
        // A socket that leaves a chain can make the kernel skip the next one, and nothing tells.
        assert!((STEADY - 20..=STEADY).contains(&distinct.len()), "{}", distinct.len());
    }
}

/// Leaves a mini-socket, which stays for a minute and needs no descriptor.
fn leave_in_time_wait(server: &Socket) {
    let client = connect(LOCALHOST, local(server));
    let accepted = server.accept().unwrap().0;
    client.shutdown(Shutdown::Write).unwrap();
    read_to_end(&accepted);
    drop(accepted);
    read_to_end(&client);
}

/// Opens connections and resets them, so that both ends are gone at once.
fn come_and_go(done: &AtomicBool) {
    let server = listener(at(LOCALHOST, 6002), 16);
    while !done.load(Ordering::Relaxed) {
        let client = connect(LOCALHOST, local(&server));
        let accepted = server.accept().unwrap().0;
        client.set_linger(Some(Duration::ZERO)).unwrap();
        drop(client);
        drop(accepted);
    }
}
