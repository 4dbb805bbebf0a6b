# Generated from the definition of options and columns: UPDATE=1 cargo test

function __sockeye_columns
    printf '%s\t%s\n' \
        protocol 'transport protocol: tcp, udp' \
        family 'address family: ipv4, ipv6' \
        state 'state, by its documented name' \
        state_number 'the kernel\'s number of the state' \
        recv_queue 'bytes the process has not read; an unread FIN counts as 1' \
        send_queue 'bytes not acknowledged by the peer; a queued FIN counts as 1' \
        accept_queue 'connections that wait for accept(2)' \
        accept_queue_limit 'limit of the accept queue, min(listen backlog, somaxconn)' \
        local 'this end: address and port' \
        local.address 'this end\'s address' \
        local.port 'this end\'s port' \
        local.interface 'interface the socket is bound to, not the route\'s' \
        peer 'the other end: address and port' \
        peer.address 'the other end\'s address' \
        peer.port 'the other end\'s port' \
        inode 'socket inode, the key to its owners' \
        cookie 'identity for the whole life, TIME_WAIT included' \
        uid 'user who created the socket' \
        user 'name of that user' \
        timer 'running timer: retransmit, keepalive, time-wait, window-probe' \
        timer.expires 'time until the timer fires' \
        retransmits 'retransmissions or unanswered probes of the running timer' \
        age 'time in TIME_WAIT, a lower bound: a late segment restarts it' \
        netns 'network namespace, by inode' \
        netns.name 'network namespace, by name' \
        cgroup 'cgroup v2 path of the socket' \
        mark 'SO_MARK' \
        v6only 'IPv6 listener that takes no IPv4' \
        shutdown 'directions shut down: none, receive, send, both' \
        tos 'type of service' \
        congestion 'congestion control' \
        rmem 'memory of the receive queue' \
        rcvbuf 'limit of the receive queue' \
        wmem 'memory handed to the device for sending' \
        sndbuf 'limit of the send queue' \
        fwd_alloc 'memory reserved and not used yet' \
        wmem_queued 'memory of the send queue' \
        optmem 'memory of options and filters' \
        lock_backlog 'memory parked while the socket is locked' \
        drops 'packets this socket dropped; LISTEN: refused SYNs' \
        owner 'processes that hold the socket, or why there is none' \
        process 'names of the processes that hold the socket' \
        pid 'ids of the processes that hold the socket' \
        fd 'descriptor numbers, in the order of pid' \
        unit 'systemd unit of the processes that hold the socket' \
        container 'container of the processes that hold the socket, from the cgroup path' \
        owner_unknown 'why no process is named: time-wait, orphan, not-accepted, permission…' \
        ca_state 'congestion state: 0 open 1 disorder 2 CWR 3 recovery 4 loss' \
        rto_retransmits 'timeouts of the oldest segment so far' \
        probes 'unanswered window or keepalive probes' \
        backoff 'how often the timeout was doubled' \
        tcp_options 'bits: 1 timestamps 2 SACK 4 scaling 8 ECN 16 ECN seen 32 SYN data' \
        snd_wscale 'window scale the peer announced' \
        rcv_wscale 'window scale this side announced' \
        app_limited '1: delivery_rate was limited by the sender\'s program' \
        rto 'retransmission timeout' \
        ato 'delayed-ACK timeout' \
        mss 'largest segment this side sends' \
        rcv_mss 'estimate of the peer\'s segment size' \
        unacked 'sent and not acknowledged; LISTEN: accept queue' \
        sacked 'selectively acknowledged; LISTEN: accept queue limit' \
        lost 'taken for lost' \
        retrans 'retransmitted and not acknowledged' \
        fackets 'forward-acknowledged; 0 since kernel 4.15' \
        last_data_sent 'time since data was last sent' \
        last_data_recv 'time since data was last received' \
        last_ack_recv 'time since an ACK was last received' \
        pmtu 'path MTU' \
        rcv_ssthresh 'limit of the announced window' \
        rtt 'smoothed round-trip time' \
        rttvar 'mean deviation of the round-trip time' \
        ssthresh 'slow-start threshold; 2147483647 is none' \
        cwnd 'congestion window' \
        advmss 'segment size this side announced' \
        reordering 'reordering tolerated' \
        rcv_rtt 'round-trip time measured as receiver' \
        rcv_space 'receive buffer auto-tuning: bytes copied per round trip' \
        total_retrans 'retransmitted over the whole life' \
        pacing_rate 'pacing rate' \
        max_pacing_rate 'limit of the pacing rate; all ones is none' \
        bytes_acked 'sent and acknowledged over the whole life' \
        bytes_received 'received over the whole life' \
        segs_out 'segments sent, retransmissions included' \
        segs_in 'segments received' \
        notsent 'queued and never sent' \
        min_rtt 'smallest round-trip time seen' \
        data_segs_in 'segments with data received' \
        data_segs_out 'segments with data sent' \
        delivery_rate 'most recent rate at which data was delivered' \
        busy_time 'time with data to send' \
        rwnd_limited 'time limited by the peer\'s window' \
        sndbuf_limited 'time limited by the send buffer' \
        delivered 'segments delivered' \
        delivered_ce 'of those, marked by ECN' \
        bytes_sent 'sent over the whole life, retransmissions included' \
        bytes_retrans 'of those, retransmitted' \
        dsack_dups 'duplicates the peer reported' \
        reord_seen 'reordering events' \
        rcv_ooopack 'received out of order' \
        snd_wnd 'window the peer announced' \
        rcv_wnd 'window this side announced' \
        rehash 'path changes after timeouts' \
        total_rto 'retransmission timeouts over the whole life' \
        total_rto_recoveries 'recoveries after timeouts' \
        total_rto_time 'time spent in those recoveries' \
        received_ce 'segments received with a CE mark' \
        delivered_e1 'delivered with ECT(1)' \
        delivered_e0 'delivered with ECT(0)' \
        delivered_ce_bytes 'delivered with CE' \
        received_e1 'received with ECT(1)' \
        received_e0 'received with ECT(0)' \
        received_ce_bytes 'received with CE'
end

function __sockeye_order
    __sockeye_columns
    __sockeye_columns | string replace -r '^' -- -
end

function __sockeye_namespaces
    for path in /run/netns/*
        printf '%s\tnetwork namespace\n' (string replace -r '.*/' '' -- $path)
    end
end

# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_sockeye_global_optspecs
    string join \n t/tcp u/udp a/all l/listening B/bound-inactive 4/ipv4 6/ipv6 p/processes o/options e/extended i/info m/memory n/numeric r/resolve columns= sort= group-by= limit= s/summary count format= json ndjson H/no-header O/oneline K/kill q/quiet color= 'watch=?' times= source= proc-root= N/netns= from= owner-deadline= F/filter= h/help V/version
end

function __fish_sockeye_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    if not argparse -s (__fish_sockeye_global_optspecs) -- $cmd 2>/dev/null
        set -e cmd[-1]
        argparse -s (__fish_sockeye_global_optspecs) -- $cmd 2>/dev/null
        or return
    end
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_sockeye_using_subcommand
    set -l cmd (__fish_sockeye_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c sockeye -n "__fish_sockeye_needs_command" -l columns -d 'Columns to show, by id; `--columns help` lists them all' -r -f -a '(__fish_complete_list , __sockeye_columns)'
complete -c sockeye -n "__fish_sockeye_needs_command" -l sort -d 'Sort by a column; -COL: largest first' -r -f -a '(__sockeye_order)'
complete -c sockeye -n "__fish_sockeye_needs_command" -l group-by -d 'Count sockets by the values of columns' -r -f -a '(__fish_complete_list , __sockeye_columns)'
complete -c sockeye -n "__fish_sockeye_needs_command" -l limit -d 'Show at most N rows or groups' -r -f -a ''
complete -c sockeye -n "__fish_sockeye_needs_command" -l format -d 'Form of the output' -r -f -a "table\t'Aligned columns, for people'
json\t'One JSON document, with all that is known of each socket'
ndjson\t'One JSON object a line, with the same'
csv\t'The shown columns, exact and without units (RFC 4180)'"
complete -c sockeye -n "__fish_sockeye_needs_command" -l color -d 'Colour, an aid and never the only sign (also NO_COLOR, CLICOLOR_FORCE)' -r -f -a "auto\t'On a terminal that can, unless NO_COLOR is set'
always\t'In a pipe too'
never\t'On no device'"
complete -c sockeye -n "__fish_sockeye_needs_command" -l watch -d 'Ask again every SECONDS (2); in a pipe each round is a new document' -r -f -a ''
complete -c sockeye -n "__fish_sockeye_needs_command" -l times -d 'Stop after N rounds of --watch' -r -f -a ''
complete -c sockeye -n "__fish_sockeye_needs_command" -l source -d 'Whom to ask: netlink, /proc, or netlink first' -r -f -a "auto\t'Netlink first, /proc where it is refused'
netlink\t'Netlink alone'
proc\t'/proc alone'"
complete -c sockeye -n "__fish_sockeye_needs_command" -l proc-root -d 'Read this /proc tree, such as a container host\'s mounted at /host/proc' -r -f -a "(__fish_complete_directories)"
complete -c sockeye -n "__fish_sockeye_needs_command" -s N -l netns -d 'Look into a network namespace: a name of `ip netns`, a process id or a path' -r -f -a '(__sockeye_namespaces; __fish_complete_path)'
complete -c sockeye -n "__fish_sockeye_needs_command" -l from -d 'Read a snapshot instead of the kernel: what `sockeye snapshot -o FILE` wrote' -r -F
complete -c sockeye -n "__fish_sockeye_needs_command" -l owner-deadline -d 'Stop looking for owners after this long' -r -f -a ''
complete -c sockeye -n "__fish_sockeye_needs_command" -s F -l filter -d 'Read more of the filter from FILE, `-` for standard input; `#` begins a comment' -r -F
complete -c sockeye -n "__fish_sockeye_needs_command" -s t -l tcp -d 'TCP sockets'
complete -c sockeye -n "__fish_sockeye_needs_command" -s u -l udp -d 'UDP sockets'
complete -c sockeye -n "__fish_sockeye_needs_command" -s a -l all -d 'All: listening, connected and TIME_WAIT'
complete -c sockeye -n "__fish_sockeye_needs_command" -s l -l listening -d 'Listening sockets alone'
complete -c sockeye -n "__fish_sockeye_needs_command" -s B -l bound-inactive -d 'Sockets bound to a port, neither listening nor connected (kernel 6.8 and later)'
complete -c sockeye -n "__fish_sockeye_needs_command" -s 4 -l ipv4 -d 'IPv4 alone'
complete -c sockeye -n "__fish_sockeye_needs_command" -s 6 -l ipv6 -d 'IPv6 alone'
complete -c sockeye -n "__fish_sockeye_needs_command" -s p -l processes -d 'Show who holds each socket, or why nobody does'
complete -c sockeye -n "__fish_sockeye_needs_command" -s o -l options -d 'Show timers'
complete -c sockeye -n "__fish_sockeye_needs_command" -s e -l extended -d 'Show user, inode and cookie'
complete -c sockeye -n "__fish_sockeye_needs_command" -s i -l info -d 'Show TCP details: round-trip time, window, retransmissions'
complete -c sockeye -n "__fish_sockeye_needs_command" -s m -l memory -d 'Show socket memory'
complete -c sockeye -n "__fish_sockeye_needs_command" -s n -l numeric -d 'Numbers instead of names: the default'
complete -c sockeye -n "__fish_sockeye_needs_command" -s r -l resolve -d 'Names of addresses and services, as far as they are known within two seconds'
complete -c sockeye -n "__fish_sockeye_needs_command" -s s -l summary -d 'Count sockets by protocol, family and state: the command `summary`'
complete -c sockeye -n "__fish_sockeye_needs_command" -l count -d 'Print only how many there are'
complete -c sockeye -n "__fish_sockeye_needs_command" -l json -d 'One JSON document (--format json)'
complete -c sockeye -n "__fish_sockeye_needs_command" -l ndjson -d 'One JSON object a line (--format ndjson)'
complete -c sockeye -n "__fish_sockeye_needs_command" -s H -l no-header -d 'Leave out the heading'
complete -c sockeye -n "__fish_sockeye_needs_command" -s O -l oneline -d 'One line a socket: always so'
complete -c sockeye -n "__fish_sockeye_needs_command" -s K -l kill -d 'Close the shown sockets at once, as ss -K; needs a filter (see `sockeye kill`)'
complete -c sockeye -n "__fish_sockeye_needs_command" -s q -l quiet -d 'Print nothing; exit with 1 if no socket matched'
complete -c sockeye -n "__fish_sockeye_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sockeye -n "__fish_sockeye_needs_command" -s V -l version -d 'Print version'
complete -c sockeye -n "__fish_sockeye_needs_command" -a "list" -d 'List sockets; the command when none is named'
complete -c sockeye -n "__fish_sockeye_needs_command" -a "summary" -d 'Count sockets by protocol, family and state'
complete -c sockeye -n "__fish_sockeye_needs_command" -a "time-wait" -d 'Tell who fills TIME_WAIT, whether it harms, and what to do'
complete -c sockeye -n "__fish_sockeye_needs_command" -a "explain" -d 'Explain a state, a limit, a column, a myth, the handshake, the close'
complete -c sockeye -n "__fish_sockeye_needs_command" -a "capacity" -d 'How many connections are possible, and which limit binds first'
complete -c sockeye -n "__fish_sockeye_needs_command" -a "snapshot" -d 'Record sockets, owners, settings and counters in a file, for `--from FILE` elsewhere'
complete -c sockeye -n "__fish_sockeye_needs_command" -a "kill" -d 'Close sockets; shows which unless --yes is given'
complete -c sockeye -n "__fish_sockeye_needs_command" -a "diff" -d 'Show what changed between two snapshots'
complete -c sockeye -n "__fish_sockeye_needs_command" -a "schema" -d 'Print the JSON Schema of a document'
complete -c sockeye -n "__fish_sockeye_needs_command" -a "completions" -d 'Print the completion script of a shell'
complete -c sockeye -n "__fish_sockeye_using_subcommand list" -l columns -d 'Columns to show, by id; `--columns help` lists them all' -r -f -a '(__fish_complete_list , __sockeye_columns)'
complete -c sockeye -n "__fish_sockeye_using_subcommand list" -l sort -d 'Sort by a column; -COL: largest first' -r -f -a '(__sockeye_order)'
complete -c sockeye -n "__fish_sockeye_using_subcommand list" -l group-by -d 'Count sockets by the values of columns' -r -f -a '(__fish_complete_list , __sockeye_columns)'
complete -c sockeye -n "__fish_sockeye_using_subcommand list" -l limit -d 'Show at most N rows or groups' -r -f -a ''
complete -c sockeye -n "__fish_sockeye_using_subcommand list" -l format -d 'Form of the output' -r -f -a "table\t'Aligned columns, for people'
json\t'One JSON document, with all that is known of each socket'
ndjson\t'One JSON object a line, with the same'
csv\t'The shown columns, exact and without units (RFC 4180)'"
complete -c sockeye -n "__fish_sockeye_using_subcommand list" -l color -d 'Colour, an aid and never the only sign (also NO_COLOR, CLICOLOR_FORCE)' -r -f -a "auto\t'On a terminal that can, unless NO_COLOR is set'
always\t'In a pipe too'
never\t'On no device'"
complete -c sockeye -n "__fish_sockeye_using_subcommand list" -l watch -d 'Ask again every SECONDS (2); in a pipe each round is a new document' -r -f -a ''
complete -c sockeye -n "__fish_sockeye_using_subcommand list" -l times -d 'Stop after N rounds of --watch' -r -f -a ''
complete -c sockeye -n "__fish_sockeye_using_subcommand list" -l source -d 'Whom to ask: netlink, /proc, or netlink first' -r -f -a "auto\t'Netlink first, /proc where it is refused'
netlink\t'Netlink alone'
proc\t'/proc alone'"
complete -c sockeye -n "__fish_sockeye_using_subcommand list" -l proc-root -d 'Read this /proc tree, such as a container host\'s mounted at /host/proc' -r -f -a "(__fish_complete_directories)"
complete -c sockeye -n "__fish_sockeye_using_subcommand list" -s N -l netns -d 'Look into a network namespace: a name of `ip netns`, a process id or a path' -r -f -a '(__sockeye_namespaces; __fish_complete_path)'
complete -c sockeye -n "__fish_sockeye_using_subcommand list" -l from -d 'Read a snapshot instead of the kernel: what `sockeye snapshot -o FILE` wrote' -r -F
complete -c sockeye -n "__fish_sockeye_using_subcommand list" -l owner-deadline -d 'Stop looking for owners after this long' -r -f -a ''
complete -c sockeye -n "__fish_sockeye_using_subcommand list" -s F -l filter -d 'Read more of the filter from FILE, `-` for standard input; `#` begins a comment' -r -F
complete -c sockeye -n "__fish_sockeye_using_subcommand list" -s t -l tcp -d 'TCP sockets'
complete -c sockeye -n "__fish_sockeye_using_subcommand list" -s u -l udp -d 'UDP sockets'
complete -c sockeye -n "__fish_sockeye_using_subcommand list" -s a -l all -d 'All: listening, connected and TIME_WAIT'
complete -c sockeye -n "__fish_sockeye_using_subcommand list" -s l -l listening -d 'Listening sockets alone'
complete -c sockeye -n "__fish_sockeye_using_subcommand list" -s B -l bound-inactive -d 'Sockets bound to a port, neither listening nor connected (kernel 6.8 and later)'
complete -c sockeye -n "__fish_sockeye_using_subcommand list" -s 4 -l ipv4 -d 'IPv4 alone'
complete -c sockeye -n "__fish_sockeye_using_subcommand list" -s 6 -l ipv6 -d 'IPv6 alone'
complete -c sockeye -n "__fish_sockeye_using_subcommand list" -s p -l processes -d 'Show who holds each socket, or why nobody does'
complete -c sockeye -n "__fish_sockeye_using_subcommand list" -s o -l options -d 'Show timers'
complete -c sockeye -n "__fish_sockeye_using_subcommand list" -s e -l extended -d 'Show user, inode and cookie'
complete -c sockeye -n "__fish_sockeye_using_subcommand list" -s i -l info -d 'Show TCP details: round-trip time, window, retransmissions'
complete -c sockeye -n "__fish_sockeye_using_subcommand list" -s m -l memory -d 'Show socket memory'
complete -c sockeye -n "__fish_sockeye_using_subcommand list" -s n -l numeric -d 'Numbers instead of names: the default'
complete -c sockeye -n "__fish_sockeye_using_subcommand list" -s r -l resolve -d 'Names of addresses and services, as far as they are known within two seconds'
complete -c sockeye -n "__fish_sockeye_using_subcommand list" -s s -l summary -d 'Count sockets by protocol, family and state: the command `summary`'
complete -c sockeye -n "__fish_sockeye_using_subcommand list" -l count -d 'Print only how many there are'
complete -c sockeye -n "__fish_sockeye_using_subcommand list" -l json -d 'One JSON document (--format json)'
complete -c sockeye -n "__fish_sockeye_using_subcommand list" -l ndjson -d 'One JSON object a line (--format ndjson)'
complete -c sockeye -n "__fish_sockeye_using_subcommand list" -s H -l no-header -d 'Leave out the heading'
complete -c sockeye -n "__fish_sockeye_using_subcommand list" -s O -l oneline -d 'One line a socket: always so'
complete -c sockeye -n "__fish_sockeye_using_subcommand list" -s K -l kill -d 'Close the shown sockets at once, as ss -K; needs a filter (see `sockeye kill`)'
complete -c sockeye -n "__fish_sockeye_using_subcommand list" -s q -l quiet -d 'Print nothing; exit with 1 if no socket matched'
complete -c sockeye -n "__fish_sockeye_using_subcommand list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sockeye -n "__fish_sockeye_using_subcommand summary" -l format -d 'Form of the output' -r -f -a "table\t'For people'
json\t'One JSON document'
ndjson\t'One JSON document on one line'"
complete -c sockeye -n "__fish_sockeye_using_subcommand summary" -l color -d 'Colour, an aid and never the only sign (also NO_COLOR, CLICOLOR_FORCE)' -r -f -a "auto\t'On a terminal that can, unless NO_COLOR is set'
always\t'In a pipe too'
never\t'On no device'"
complete -c sockeye -n "__fish_sockeye_using_subcommand summary" -l watch -d 'Ask again every SECONDS (2); in a pipe each round is a new document' -r -f -a ''
complete -c sockeye -n "__fish_sockeye_using_subcommand summary" -l times -d 'Stop after N rounds of --watch' -r -f -a ''
complete -c sockeye -n "__fish_sockeye_using_subcommand summary" -l source -d 'Whom to ask: netlink, /proc, or netlink first' -r -f -a "auto\t'Netlink first, /proc where it is refused'
netlink\t'Netlink alone'
proc\t'/proc alone'"
complete -c sockeye -n "__fish_sockeye_using_subcommand summary" -l proc-root -d 'Read this /proc tree, such as a container host\'s mounted at /host/proc' -r -f -a "(__fish_complete_directories)"
complete -c sockeye -n "__fish_sockeye_using_subcommand summary" -s N -l netns -d 'Look into a network namespace: a name of `ip netns`, a process id or a path' -r -f -a '(__sockeye_namespaces; __fish_complete_path)'
complete -c sockeye -n "__fish_sockeye_using_subcommand summary" -l from -d 'Read a snapshot instead of the kernel: what `sockeye snapshot -o FILE` wrote' -r -F
complete -c sockeye -n "__fish_sockeye_using_subcommand summary" -l owner-deadline -d 'Stop looking for owners after this long' -r -f -a ''
complete -c sockeye -n "__fish_sockeye_using_subcommand summary" -l json -d 'One JSON document (--format json)'
complete -c sockeye -n "__fish_sockeye_using_subcommand summary" -l ndjson -d 'One JSON document on one line, the same as --json'
complete -c sockeye -n "__fish_sockeye_using_subcommand summary" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sockeye -n "__fish_sockeye_using_subcommand time-wait" -l interval -d 'Count how many are closed in this time' -r -f -a ''
complete -c sockeye -n "__fish_sockeye_using_subcommand time-wait" -l limit -d 'Show at most N listeners and destinations (10; in JSON all)' -r -f -a ''
complete -c sockeye -n "__fish_sockeye_using_subcommand time-wait" -l format -d 'Form of the output' -r -f -a "table\t'For people'
json\t'One JSON document'
ndjson\t'One JSON document on one line'"
complete -c sockeye -n "__fish_sockeye_using_subcommand time-wait" -l color -d 'Colour, an aid and never the only sign (also NO_COLOR, CLICOLOR_FORCE)' -r -f -a "auto\t'On a terminal that can, unless NO_COLOR is set'
always\t'In a pipe too'
never\t'On no device'"
complete -c sockeye -n "__fish_sockeye_using_subcommand time-wait" -l watch -d 'Ask again every SECONDS (2); in a pipe each round is a new document' -r -f -a ''
complete -c sockeye -n "__fish_sockeye_using_subcommand time-wait" -l times -d 'Stop after N rounds of --watch' -r -f -a ''
complete -c sockeye -n "__fish_sockeye_using_subcommand time-wait" -l source -d 'Whom to ask: netlink, /proc, or netlink first' -r -f -a "auto\t'Netlink first, /proc where it is refused'
netlink\t'Netlink alone'
proc\t'/proc alone'"
complete -c sockeye -n "__fish_sockeye_using_subcommand time-wait" -l proc-root -d 'Read this /proc tree, such as a container host\'s mounted at /host/proc' -r -f -a "(__fish_complete_directories)"
complete -c sockeye -n "__fish_sockeye_using_subcommand time-wait" -s N -l netns -d 'Look into a network namespace: a name of `ip netns`, a process id or a path' -r -f -a '(__sockeye_namespaces; __fish_complete_path)'
complete -c sockeye -n "__fish_sockeye_using_subcommand time-wait" -l from -d 'Read a snapshot instead of the kernel: what `sockeye snapshot -o FILE` wrote' -r -F
complete -c sockeye -n "__fish_sockeye_using_subcommand time-wait" -l owner-deadline -d 'Stop looking for owners after this long' -r -f -a ''
complete -c sockeye -n "__fish_sockeye_using_subcommand time-wait" -l json -d 'One JSON document (--format json)'
complete -c sockeye -n "__fish_sockeye_using_subcommand time-wait" -l ndjson -d 'One JSON document on one line, the same as --json'
complete -c sockeye -n "__fish_sockeye_using_subcommand time-wait" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sockeye -n "__fish_sockeye_using_subcommand explain" -l format -d 'Form of the output' -r -f -a "table\t'For people'
json\t'One JSON document'
ndjson\t'One JSON document on one line'"
complete -c sockeye -n "__fish_sockeye_using_subcommand explain" -l color -d 'Colour, an aid and never the only sign (also NO_COLOR, CLICOLOR_FORCE)' -r -f -a "auto\t'On a terminal that can, unless NO_COLOR is set'
always\t'In a pipe too'
never\t'On no device'"
complete -c sockeye -n "__fish_sockeye_using_subcommand explain" -l json -d 'One JSON document (--format json)'
complete -c sockeye -n "__fish_sockeye_using_subcommand explain" -l ndjson -d 'One JSON document on one line, the same as --json'
complete -c sockeye -n "__fish_sockeye_using_subcommand explain" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sockeye -n "__fish_sockeye_using_subcommand capacity" -l to -d 'How many more TCP connections can be opened to this destination; from the source address that the routing table gives, or `--from ADDR`. UDP has other rules: a socket that is not bound takes a port of the namespace for all destinations' -r -f -a ''
complete -c sockeye -n "__fish_sockeye_using_subcommand capacity" -l pid -d 'By this process, with its descriptors and cgroups' -r -f -a ''
complete -c sockeye -n "__fish_sockeye_using_subcommand capacity" -l listen -d 'How many more connections the process of this listener can accept' -r -f -a ''
complete -c sockeye -n "__fish_sockeye_using_subcommand capacity" -l assume -d 'With another setting, a sysctl or `rlimit-nofile`: shows before and after (repeatable)' -r -f -a ''
complete -c sockeye -n "__fish_sockeye_using_subcommand capacity" -l format -d 'Form of the output' -r -f -a "table\t'For people'
json\t'One JSON document'
ndjson\t'One JSON document on one line'"
complete -c sockeye -n "__fish_sockeye_using_subcommand capacity" -l color -d 'Colour, an aid and never the only sign (also NO_COLOR, CLICOLOR_FORCE)' -r -f -a "auto\t'On a terminal that can, unless NO_COLOR is set'
always\t'In a pipe too'
never\t'On no device'"
complete -c sockeye -n "__fish_sockeye_using_subcommand capacity" -l watch -d 'Ask again every SECONDS (2); in a pipe each round is a new document' -r -f -a ''
complete -c sockeye -n "__fish_sockeye_using_subcommand capacity" -l times -d 'Stop after N rounds of --watch' -r -f -a ''
complete -c sockeye -n "__fish_sockeye_using_subcommand capacity" -l source -d 'Whom to ask: netlink, /proc, or netlink first' -r -f -a "auto\t'Netlink first, /proc where it is refused'
netlink\t'Netlink alone'
proc\t'/proc alone'"
complete -c sockeye -n "__fish_sockeye_using_subcommand capacity" -l proc-root -d 'Read this /proc tree, such as a container host\'s mounted at /host/proc' -r -f -a "(__fish_complete_directories)"
complete -c sockeye -n "__fish_sockeye_using_subcommand capacity" -s N -l netns -d 'Look into a network namespace: a name of `ip netns`, a process id or a path' -r -f -a '(__sockeye_namespaces; __fish_complete_path)'
complete -c sockeye -n "__fish_sockeye_using_subcommand capacity" -l from -d 'Read a snapshot instead of the kernel: what `sockeye snapshot -o FILE` wrote' -r -F
complete -c sockeye -n "__fish_sockeye_using_subcommand capacity" -l owner-deadline -d 'Stop looking for owners after this long' -r -f -a ''
complete -c sockeye -n "__fish_sockeye_using_subcommand capacity" -l self -d 'By the calling shell: sockeye\'s parent process'
complete -c sockeye -n "__fish_sockeye_using_subcommand capacity" -l bound -d 'By a program that calls bind() with the source address before connect()'
complete -c sockeye -n "__fish_sockeye_using_subcommand capacity" -l json -d 'One JSON document (--format json)'
complete -c sockeye -n "__fish_sockeye_using_subcommand capacity" -l ndjson -d 'One JSON document on one line, the same as --json'
complete -c sockeye -n "__fish_sockeye_using_subcommand capacity" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sockeye -n "__fish_sockeye_using_subcommand snapshot" -s o -l output -d 'Where to write; `-` is standard output' -r -F
complete -c sockeye -n "__fish_sockeye_using_subcommand snapshot" -l interval -d 'Time between the two looks, from which rates are known' -r -f -a ''
complete -c sockeye -n "__fish_sockeye_using_subcommand snapshot" -l source -d 'Whom to ask: netlink, /proc, or netlink first' -r -f -a "auto\t'Netlink first, /proc where it is refused'
netlink\t'Netlink alone'
proc\t'/proc alone'"
complete -c sockeye -n "__fish_sockeye_using_subcommand snapshot" -l proc-root -d 'Read this /proc tree, such as a container host\'s mounted at /host/proc' -r -f -a "(__fish_complete_directories)"
complete -c sockeye -n "__fish_sockeye_using_subcommand snapshot" -s N -l netns -d 'Look into a network namespace: a name of `ip netns`, a process id or a path' -r -f -a '(__sockeye_namespaces; __fish_complete_path)'
complete -c sockeye -n "__fish_sockeye_using_subcommand snapshot" -l from -d 'Read a snapshot instead of the kernel: what `sockeye snapshot -o FILE` wrote' -r -F
complete -c sockeye -n "__fish_sockeye_using_subcommand snapshot" -l owner-deadline -d 'Stop looking for owners after this long' -r -f -a ''
complete -c sockeye -n "__fish_sockeye_using_subcommand snapshot" -s t -l tcp -d 'TCP sockets alone'
complete -c sockeye -n "__fish_sockeye_using_subcommand snapshot" -s u -l udp -d 'UDP sockets alone'
complete -c sockeye -n "__fish_sockeye_using_subcommand snapshot" -l redact -d 'Mask addresses and the names of host, users, processes, containers, units and cgroups'
complete -c sockeye -n "__fish_sockeye_using_subcommand snapshot" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sockeye -n "__fish_sockeye_using_subcommand kill" -l columns -d 'Columns to show, by id; `--columns help` lists them all' -r -f -a '(__fish_complete_list , __sockeye_columns)'
complete -c sockeye -n "__fish_sockeye_using_subcommand kill" -l sort -d 'Sort by a column; -COL: largest first' -r -f -a '(__sockeye_order)'
complete -c sockeye -n "__fish_sockeye_using_subcommand kill" -l group-by -d 'Count sockets by the values of columns' -r -f -a '(__fish_complete_list , __sockeye_columns)'
complete -c sockeye -n "__fish_sockeye_using_subcommand kill" -l limit -d 'Show at most N rows or groups' -r -f -a ''
complete -c sockeye -n "__fish_sockeye_using_subcommand kill" -l format -d 'Form of the output' -r -f -a "table\t'Aligned columns, for people'
json\t'One JSON document, with all that is known of each socket'
ndjson\t'One JSON object a line, with the same'
csv\t'The shown columns, exact and without units (RFC 4180)'"
complete -c sockeye -n "__fish_sockeye_using_subcommand kill" -l color -d 'Colour, an aid and never the only sign (also NO_COLOR, CLICOLOR_FORCE)' -r -f -a "auto\t'On a terminal that can, unless NO_COLOR is set'
always\t'In a pipe too'
never\t'On no device'"
complete -c sockeye -n "__fish_sockeye_using_subcommand kill" -l watch -d 'Ask again every SECONDS (2); in a pipe each round is a new document' -r -f -a ''
complete -c sockeye -n "__fish_sockeye_using_subcommand kill" -l times -d 'Stop after N rounds of --watch' -r -f -a ''
complete -c sockeye -n "__fish_sockeye_using_subcommand kill" -l source -d 'Whom to ask: netlink, /proc, or netlink first' -r -f -a "auto\t'Netlink first, /proc where it is refused'
netlink\t'Netlink alone'
proc\t'/proc alone'"
complete -c sockeye -n "__fish_sockeye_using_subcommand kill" -l proc-root -d 'Read this /proc tree, such as a container host\'s mounted at /host/proc' -r -f -a "(__fish_complete_directories)"
complete -c sockeye -n "__fish_sockeye_using_subcommand kill" -s N -l netns -d 'Look into a network namespace: a name of `ip netns`, a process id or a path' -r -f -a '(__sockeye_namespaces; __fish_complete_path)'
complete -c sockeye -n "__fish_sockeye_using_subcommand kill" -l from -d 'Read a snapshot instead of the kernel: what `sockeye snapshot -o FILE` wrote' -r -F
complete -c sockeye -n "__fish_sockeye_using_subcommand kill" -l owner-deadline -d 'Stop looking for owners after this long' -r -f -a ''
complete -c sockeye -n "__fish_sockeye_using_subcommand kill" -s F -l filter -d 'Read more of the filter from FILE, `-` for standard input; `#` begins a comment' -r -F
complete -c sockeye -n "__fish_sockeye_using_subcommand kill" -s y -l yes -d 'Close them; without it they are only shown'
complete -c sockeye -n "__fish_sockeye_using_subcommand kill" -l dry-run -d 'Only show what would be closed: the default'
complete -c sockeye -n "__fish_sockeye_using_subcommand kill" -s t -l tcp -d 'TCP sockets'
complete -c sockeye -n "__fish_sockeye_using_subcommand kill" -s u -l udp -d 'UDP sockets'
complete -c sockeye -n "__fish_sockeye_using_subcommand kill" -s a -l all -d 'All: listening, connected and TIME_WAIT'
complete -c sockeye -n "__fish_sockeye_using_subcommand kill" -s l -l listening -d 'Listening sockets alone'
complete -c sockeye -n "__fish_sockeye_using_subcommand kill" -s B -l bound-inactive -d 'Sockets bound to a port, neither listening nor connected (kernel 6.8 and later)'
complete -c sockeye -n "__fish_sockeye_using_subcommand kill" -s 4 -l ipv4 -d 'IPv4 alone'
complete -c sockeye -n "__fish_sockeye_using_subcommand kill" -s 6 -l ipv6 -d 'IPv6 alone'
complete -c sockeye -n "__fish_sockeye_using_subcommand kill" -s p -l processes -d 'Show who holds each socket, or why nobody does'
complete -c sockeye -n "__fish_sockeye_using_subcommand kill" -s o -l options -d 'Show timers'
complete -c sockeye -n "__fish_sockeye_using_subcommand kill" -s e -l extended -d 'Show user, inode and cookie'
complete -c sockeye -n "__fish_sockeye_using_subcommand kill" -s i -l info -d 'Show TCP details: round-trip time, window, retransmissions'
complete -c sockeye -n "__fish_sockeye_using_subcommand kill" -s m -l memory -d 'Show socket memory'
complete -c sockeye -n "__fish_sockeye_using_subcommand kill" -s n -l numeric -d 'Numbers instead of names: the default'
complete -c sockeye -n "__fish_sockeye_using_subcommand kill" -s r -l resolve -d 'Names of addresses and services, as far as they are known within two seconds'
complete -c sockeye -n "__fish_sockeye_using_subcommand kill" -s s -l summary -d 'Count sockets by protocol, family and state: the command `summary`'
complete -c sockeye -n "__fish_sockeye_using_subcommand kill" -l count -d 'Print only how many there are'
complete -c sockeye -n "__fish_sockeye_using_subcommand kill" -l json -d 'One JSON document (--format json)'
complete -c sockeye -n "__fish_sockeye_using_subcommand kill" -l ndjson -d 'One JSON object a line (--format ndjson)'
complete -c sockeye -n "__fish_sockeye_using_subcommand kill" -s H -l no-header -d 'Leave out the heading'
complete -c sockeye -n "__fish_sockeye_using_subcommand kill" -s O -l oneline -d 'One line a socket: always so'
complete -c sockeye -n "__fish_sockeye_using_subcommand kill" -s K -l kill -d 'Close the shown sockets at once, as ss -K; needs a filter (see `sockeye kill`)'
complete -c sockeye -n "__fish_sockeye_using_subcommand kill" -s q -l quiet -d 'Print nothing; exit with 1 if no socket matched'
complete -c sockeye -n "__fish_sockeye_using_subcommand kill" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sockeye -n "__fish_sockeye_using_subcommand diff" -l limit -d 'Show at most N sockets of each kind in the table; JSON has them all' -r -f -a ''
complete -c sockeye -n "__fish_sockeye_using_subcommand diff" -l format -d 'Form of the output' -r -f -a "table\t'For people'
json\t'One JSON document'
ndjson\t'One JSON document on one line'"
complete -c sockeye -n "__fish_sockeye_using_subcommand diff" -l color -d 'Colour, an aid and never the only sign (also NO_COLOR, CLICOLOR_FORCE)' -r -f -a "auto\t'On a terminal that can, unless NO_COLOR is set'
always\t'In a pipe too'
never\t'On no device'"
complete -c sockeye -n "__fish_sockeye_using_subcommand diff" -l json -d 'One JSON document (--format json)'
complete -c sockeye -n "__fish_sockeye_using_subcommand diff" -l ndjson -d 'One JSON document on one line, the same as --json'
complete -c sockeye -n "__fish_sockeye_using_subcommand diff" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sockeye -n "__fish_sockeye_using_subcommand schema" -s h -l help -d 'Print help'
complete -c sockeye -n "__fish_sockeye_using_subcommand completions" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sockeye -n "__fish_sockeye_needs_command" -f -a "CLOSED\t'no connection'
LISTEN\t'waits for connections from any peer'
SYN_SENT\t'sent SYN, waits for the peer\\'s SYN and ACK'
SYN_RCVD\t'answered a SYN, waits for the final ACK'
ESTABLISHED\t'open: data can flow both ways'
CLOSE_WAIT\t'the peer closed; this side\\'s process must close too'
LAST_ACK\t'closed after the peer, waits for the ACK of the FIN'
FIN_WAIT_1\t'closed first, waits for the ACK of the FIN'
FIN_WAIT_2\t'closed first, FIN acknowledged, waits for the peer\\'s FIN'
CLOSING\t'both sides closed at once, waits for the ACK of the FIN'
TIME_WAIT\t'closed first and done; the kernel keeps the 4-tuple 60 s'
BOUND_INACTIVE\t'bound to a port, neither listening nor connected'
UNCONNECTED\t'datagram or raw socket without a fixed peer'
and\t'both hold'
or\t'one of them holds'
not\t'what follows does not hold'
in\t'one of several values'
state\t'in this state'
exclude\t'in any state but this'
src\t'address or port of this end'
dst\t'address or port of the other end'
sport\t'port of this end'
dport\t'port of the other end'
port\t'port of either end'
host\t'address of either end'
dev\t'interface it is bound to'
fwmark\t'mark of the socket'
cgroup\t'control group of the socket'
autobound\t'port chosen by the kernel'
tcp\t'TCP sockets'
udp\t'UDP sockets'
protocol\t'transport protocol: tcp, udp'
family\t'address family: ipv4, ipv6'
state_number\t'the kernel\\'s number of the state'
recv_queue\t'bytes the process has not read; an unread FIN counts as 1'
send_queue\t'bytes not acknowledged by the peer; a queued FIN counts as 1'
accept_queue\t'connections that wait for accept(2)'
accept_queue_limit\t'limit of the accept queue, min(listen backlog, somaxconn)'
local\t'this end: address and port'
local.address\t'this end\\'s address'
local.port\t'this end\\'s port'
local.interface\t'interface the socket is bound to, not the route\\'s'
peer\t'the other end: address and port'
peer.address\t'the other end\\'s address'
peer.port\t'the other end\\'s port'
inode\t'socket inode, the key to its owners'
cookie\t'identity for the whole life, TIME_WAIT included'
uid\t'user who created the socket'
user\t'name of that user'
timer\t'running timer: retransmit, keepalive, time-wait, window-probe'
timer.expires\t'time until the timer fires'
retransmits\t'retransmissions or unanswered probes of the running timer'
age\t'time in TIME_WAIT, a lower bound: a late segment restarts it'
netns\t'network namespace, by inode'
netns.name\t'network namespace, by name'
mark\t'SO_MARK'
v6only\t'IPv6 listener that takes no IPv4'
shutdown\t'directions shut down: none, receive, send, both'
tos\t'type of service'
congestion\t'congestion control'
rmem\t'memory of the receive queue'
rcvbuf\t'limit of the receive queue'
wmem\t'memory handed to the device for sending'
sndbuf\t'limit of the send queue'
fwd_alloc\t'memory reserved and not used yet'
wmem_queued\t'memory of the send queue'
optmem\t'memory of options and filters'
lock_backlog\t'memory parked while the socket is locked'
drops\t'packets this socket dropped; LISTEN: refused SYNs'
owner\t'processes that hold the socket, or why there is none'
process\t'names of the processes that hold the socket'
pid\t'ids of the processes that hold the socket'
fd\t'descriptor numbers, in the order of pid'
unit\t'systemd unit of the processes that hold the socket'
container\t'container of the processes that hold the socket, from the cgroup path'
owner_unknown\t'why no process is named: time-wait, orphan, not-accepted, permission…'
ca_state\t'congestion state: 0 open 1 disorder 2 CWR 3 recovery 4 loss'
rto_retransmits\t'timeouts of the oldest segment so far'
probes\t'unanswered window or keepalive probes'
backoff\t'how often the timeout was doubled'
tcp_options\t'bits: 1 timestamps 2 SACK 4 scaling 8 ECN 16 ECN seen 32 SYN data'
snd_wscale\t'window scale the peer announced'
rcv_wscale\t'window scale this side announced'
app_limited\t'1: delivery_rate was limited by the sender\\'s program'
rto\t'retransmission timeout'
ato\t'delayed-ACK timeout'
mss\t'largest segment this side sends'
rcv_mss\t'estimate of the peer\\'s segment size'
unacked\t'sent and not acknowledged; LISTEN: accept queue'
sacked\t'selectively acknowledged; LISTEN: accept queue limit'
lost\t'taken for lost'
retrans\t'retransmitted and not acknowledged'
fackets\t'forward-acknowledged; 0 since kernel 4.15'
last_data_sent\t'time since data was last sent'
last_data_recv\t'time since data was last received'
last_ack_recv\t'time since an ACK was last received'
pmtu\t'path MTU'
rcv_ssthresh\t'limit of the announced window'
rtt\t'smoothed round-trip time'
rttvar\t'mean deviation of the round-trip time'
ssthresh\t'slow-start threshold; 2147483647 is none'
cwnd\t'congestion window'
advmss\t'segment size this side announced'
reordering\t'reordering tolerated'
rcv_rtt\t'round-trip time measured as receiver'
rcv_space\t'receive buffer auto-tuning: bytes copied per round trip'
total_retrans\t'retransmitted over the whole life'
pacing_rate\t'pacing rate'
max_pacing_rate\t'limit of the pacing rate; all ones is none'
bytes_acked\t'sent and acknowledged over the whole life'
bytes_received\t'received over the whole life'
segs_out\t'segments sent, retransmissions included'
segs_in\t'segments received'
notsent\t'queued and never sent'
min_rtt\t'smallest round-trip time seen'
data_segs_in\t'segments with data received'
data_segs_out\t'segments with data sent'
delivery_rate\t'most recent rate at which data was delivered'
busy_time\t'time with data to send'
rwnd_limited\t'time limited by the peer\\'s window'
sndbuf_limited\t'time limited by the send buffer'
delivered\t'segments delivered'
delivered_ce\t'of those, marked by ECN'
bytes_sent\t'sent over the whole life, retransmissions included'
bytes_retrans\t'of those, retransmitted'
dsack_dups\t'duplicates the peer reported'
reord_seen\t'reordering events'
rcv_ooopack\t'received out of order'
snd_wnd\t'window the peer announced'
rcv_wnd\t'window this side announced'
rehash\t'path changes after timeouts'
total_rto\t'retransmission timeouts over the whole life'
total_rto_recoveries\t'recoveries after timeouts'
total_rto_time\t'time spent in those recoveries'
received_ce\t'segments received with a CE mark'
delivered_e1\t'delivered with ECT(1)'
delivered_e0\t'delivered with ECT(0)'
delivered_ce_bytes\t'delivered with CE'
received_e1\t'received with ECT(1)'
received_e0\t'received with ECT(0)'
received_ce_bytes\t'received with CE'"
complete -c sockeye -n "__fish_sockeye_using_subcommand list" -f -a "CLOSED\t'no connection'
LISTEN\t'waits for connections from any peer'
SYN_SENT\t'sent SYN, waits for the peer\\'s SYN and ACK'
SYN_RCVD\t'answered a SYN, waits for the final ACK'
ESTABLISHED\t'open: data can flow both ways'
CLOSE_WAIT\t'the peer closed; this side\\'s process must close too'
LAST_ACK\t'closed after the peer, waits for the ACK of the FIN'
FIN_WAIT_1\t'closed first, waits for the ACK of the FIN'
FIN_WAIT_2\t'closed first, FIN acknowledged, waits for the peer\\'s FIN'
CLOSING\t'both sides closed at once, waits for the ACK of the FIN'
TIME_WAIT\t'closed first and done; the kernel keeps the 4-tuple 60 s'
BOUND_INACTIVE\t'bound to a port, neither listening nor connected'
UNCONNECTED\t'datagram or raw socket without a fixed peer'
and\t'both hold'
or\t'one of them holds'
not\t'what follows does not hold'
in\t'one of several values'
state\t'in this state'
exclude\t'in any state but this'
src\t'address or port of this end'
dst\t'address or port of the other end'
sport\t'port of this end'
dport\t'port of the other end'
port\t'port of either end'
host\t'address of either end'
dev\t'interface it is bound to'
fwmark\t'mark of the socket'
cgroup\t'control group of the socket'
autobound\t'port chosen by the kernel'
tcp\t'TCP sockets'
udp\t'UDP sockets'
protocol\t'transport protocol: tcp, udp'
family\t'address family: ipv4, ipv6'
state_number\t'the kernel\\'s number of the state'
recv_queue\t'bytes the process has not read; an unread FIN counts as 1'
send_queue\t'bytes not acknowledged by the peer; a queued FIN counts as 1'
accept_queue\t'connections that wait for accept(2)'
accept_queue_limit\t'limit of the accept queue, min(listen backlog, somaxconn)'
local\t'this end: address and port'
local.address\t'this end\\'s address'
local.port\t'this end\\'s port'
local.interface\t'interface the socket is bound to, not the route\\'s'
peer\t'the other end: address and port'
peer.address\t'the other end\\'s address'
peer.port\t'the other end\\'s port'
inode\t'socket inode, the key to its owners'
cookie\t'identity for the whole life, TIME_WAIT included'
uid\t'user who created the socket'
user\t'name of that user'
timer\t'running timer: retransmit, keepalive, time-wait, window-probe'
timer.expires\t'time until the timer fires'
retransmits\t'retransmissions or unanswered probes of the running timer'
age\t'time in TIME_WAIT, a lower bound: a late segment restarts it'
netns\t'network namespace, by inode'
netns.name\t'network namespace, by name'
mark\t'SO_MARK'
v6only\t'IPv6 listener that takes no IPv4'
shutdown\t'directions shut down: none, receive, send, both'
tos\t'type of service'
congestion\t'congestion control'
rmem\t'memory of the receive queue'
rcvbuf\t'limit of the receive queue'
wmem\t'memory handed to the device for sending'
sndbuf\t'limit of the send queue'
fwd_alloc\t'memory reserved and not used yet'
wmem_queued\t'memory of the send queue'
optmem\t'memory of options and filters'
lock_backlog\t'memory parked while the socket is locked'
drops\t'packets this socket dropped; LISTEN: refused SYNs'
owner\t'processes that hold the socket, or why there is none'
process\t'names of the processes that hold the socket'
pid\t'ids of the processes that hold the socket'
fd\t'descriptor numbers, in the order of pid'
unit\t'systemd unit of the processes that hold the socket'
container\t'container of the processes that hold the socket, from the cgroup path'
owner_unknown\t'why no process is named: time-wait, orphan, not-accepted, permission…'
ca_state\t'congestion state: 0 open 1 disorder 2 CWR 3 recovery 4 loss'
rto_retransmits\t'timeouts of the oldest segment so far'
probes\t'unanswered window or keepalive probes'
backoff\t'how often the timeout was doubled'
tcp_options\t'bits: 1 timestamps 2 SACK 4 scaling 8 ECN 16 ECN seen 32 SYN data'
snd_wscale\t'window scale the peer announced'
rcv_wscale\t'window scale this side announced'
app_limited\t'1: delivery_rate was limited by the sender\\'s program'
rto\t'retransmission timeout'
ato\t'delayed-ACK timeout'
mss\t'largest segment this side sends'
rcv_mss\t'estimate of the peer\\'s segment size'
unacked\t'sent and not acknowledged; LISTEN: accept queue'
sacked\t'selectively acknowledged; LISTEN: accept queue limit'
lost\t'taken for lost'
retrans\t'retransmitted and not acknowledged'
fackets\t'forward-acknowledged; 0 since kernel 4.15'
last_data_sent\t'time since data was last sent'
last_data_recv\t'time since data was last received'
last_ack_recv\t'time since an ACK was last received'
pmtu\t'path MTU'
rcv_ssthresh\t'limit of the announced window'
rtt\t'smoothed round-trip time'
rttvar\t'mean deviation of the round-trip time'
ssthresh\t'slow-start threshold; 2147483647 is none'
cwnd\t'congestion window'
advmss\t'segment size this side announced'
reordering\t'reordering tolerated'
rcv_rtt\t'round-trip time measured as receiver'
rcv_space\t'receive buffer auto-tuning: bytes copied per round trip'
total_retrans\t'retransmitted over the whole life'
pacing_rate\t'pacing rate'
max_pacing_rate\t'limit of the pacing rate; all ones is none'
bytes_acked\t'sent and acknowledged over the whole life'
bytes_received\t'received over the whole life'
segs_out\t'segments sent, retransmissions included'
segs_in\t'segments received'
notsent\t'queued and never sent'
min_rtt\t'smallest round-trip time seen'
data_segs_in\t'segments with data received'
data_segs_out\t'segments with data sent'
delivery_rate\t'most recent rate at which data was delivered'
busy_time\t'time with data to send'
rwnd_limited\t'time limited by the peer\\'s window'
sndbuf_limited\t'time limited by the send buffer'
delivered\t'segments delivered'
delivered_ce\t'of those, marked by ECN'
bytes_sent\t'sent over the whole life, retransmissions included'
bytes_retrans\t'of those, retransmitted'
dsack_dups\t'duplicates the peer reported'
reord_seen\t'reordering events'
rcv_ooopack\t'received out of order'
snd_wnd\t'window the peer announced'
rcv_wnd\t'window this side announced'
rehash\t'path changes after timeouts'
total_rto\t'retransmission timeouts over the whole life'
total_rto_recoveries\t'recoveries after timeouts'
total_rto_time\t'time spent in those recoveries'
received_ce\t'segments received with a CE mark'
delivered_e1\t'delivered with ECT(1)'
delivered_e0\t'delivered with ECT(0)'
delivered_ce_bytes\t'delivered with CE'
received_e1\t'received with ECT(1)'
received_e0\t'received with ECT(0)'
received_ce_bytes\t'received with CE'"
complete -c sockeye -n "__fish_sockeye_using_subcommand explain" -f -a "topics\t'what can be explained'
handshake\t'how a connection opens, and which side is in which state'
close\t'how a connection closes, and which side is in which state'
2msl\t'why TIME_WAIT lasts twice the MSL, and 60 s on Linux'
ports\t'how a connection gets its local port, and when none is left'
4-tuple\t'what makes a connection unique'
queues\t'what waits in a socket: accept queue, SYN queue, Recv-Q, Send-Q'
errors\t'what a program sees when a connection fails, and why'
filters\t'how sockets are selected: tests, and, or, not, and ten examples'
closed\t'no connection'
listen\t'waits for connections from any peer'
syn-sent\t'sent SYN, waits for the peer\\'s SYN and ACK'
syn-rcvd\t'answered a SYN, waits for the final ACK'
established\t'open: data can flow both ways'
close-wait\t'the peer closed; this side\\'s process must close too'
last-ack\t'closed after the peer, waits for the ACK of the FIN'
fin-wait-1\t'closed first, waits for the ACK of the FIN'
fin-wait-2\t'closed first, FIN acknowledged, waits for the peer\\'s FIN'
closing\t'both sides closed at once, waits for the ACK of the FIN'
time-wait\t'closed first and done; the kernel keeps the 4-tuple 60 s'
bound-inactive\t'bound to a port, neither listening nor connected'
unconnected\t'datagram or raw socket without a fixed peer'
rlimit-nofile\t'descriptors of one process'
fs-file-max\t'open files of the host'
fs-nr-open\t'the highest limit on descriptors a process can have'
ephemeral-ports\t'local ports for connections to one destination'
tcp-mem\t'memory for data queued in all TCP sockets'
memory\t'memory of the host or of the container'
nf-conntrack-max\t'connections the firewall can track'
tcp-max-tw-buckets\t'sockets in TIME_WAIT'
tcp-max-orphans\t'closed sockets that still have something to send'
somaxconn\t'the largest accept queue a program may ask for'
accept-queue\t'connections that wait for accept(2)'
pids-max\t'processes and threads of a container or user'
epoll-max-user-watches\t'descriptors that epoll may watch'
client-ports\t'connections from one client address to one listener'
orphan\t'closed by its process; the kernel finishes alone'
not-accepted\t'connected, and waiting in the accept queue'
kernel\t'no process of this host has a descriptor of it'
permission\t'the descriptors of some processes could not be read'
other-pid-namespace\t'its process is outside this container'
not-asked\t'owners were not looked up'
deadline\t'the look-up ended at its deadline'
timers\t'the timers of a socket, and what each says'
retransmit\t'something was sent and is not acknowledged'
keepalive\t'the connection is idle and will be probed'
window-probe\t'the peer takes no more data and is asked again'
myths\t'what is often said of connections and is not so'
myth-fin-timeout\t'often said, and not so: tcp_fin_timeout shortens TIME_WAIT'
myth-tw-recycle\t'often said, and not so: set tcp_tw_recycle = 1'
myth-tw-reuse\t'often said, and not so: tcp_tw_reuse = 1 helps a busy server with its TIME_WAIT'
myth-tw-buckets\t'often said, and not so: lower tcp_max_tw_buckets to cure TIME_WAIT'
myth-tw-overflow-log\t'often said, and not so: the kernel log tells when the TIME_WAIT table overflows'
myth-linger-zero\t'often said, and not so: SO_LINGER with 0 s is the way to avoid TIME_WAIT'
myth-time-wait-cost\t'often said, and not so: each TIME_WAIT costs 4 KB, a descriptor, or a place for a connection'
myth-65535-server\t'often said, and not so: a server can hold at most 65535 connections, and TIME_WAIT uses them up'
myth-65535-client\t'often said, and not so: a machine can open at most 65535 (or 28232) connections'
myth-64511-ports\t'often said, and not so: without the ports below 1024 a client has 64511'
myth-ports-last-one\t'often said, and not so: until the last port is taken, all is fine'
myth-port-counter\t'often said, and not so: netstat -s shows when the ports run out'
myth-reuseaddr-client\t'often said, and not so: SO_REUSEADDR helps a client that runs out of ports'
myth-reuseaddr-restart\t'often said, and not so: with SO_REUSEADDR a server can always restart during TIME_WAIT'
myth-somaxconn-alone\t'often said, and not so: raise somaxconn and the accept queue grows'
myth-max-syn-backlog\t'often said, and not so: tcp_max_syn_backlog is the size of the SYN queue'
myth-abort-on-overflow\t'often said, and not so: tcp_abort_on_overflow = 1 makes a full accept queue visible as RST'
myth-syn-flood-log\t'often said, and not so: the log line Possible SYN flooding means an attack'
myth-listen-send-q\t'often said, and not so: Send-Q of a listener is its SYN backlog'
myth-keepalive-all\t'often said, and not so: tcp_keepalive_time protects all connections'
myth-keepalive-enough\t'often said, and not so: keepalive finds every dead peer'
myth-close-wait-tuning\t'often said, and not so: CLOSE_WAIT can be tuned away'
myth-conntrack-time-wait\t'often said, and not so: nf_conntrack_tcp_timeout_time_wait shortens TIME_WAIT'
myth-host-sysctl\t'often said, and not so: the host\\'s sysctl settings apply in containers'
myth-wide-port-range\t'often said, and not so: ip_local_port_range = 1024 65535 costs nothing'
myth-time-wait-side\t'often said, and not so: TIME_WAIT is on the client (or on the server) by nature'
myth-rfc1337\t'often said, and not so: tcp_rfc1337 = 1 makes a server safer'
myth-sockstat-tw\t'often said, and not so: the figure tw in /proc/net/sockstat is the number of TIME_WAIT'
myth-sockstat-scope\t'often said, and not so: sockstat in a container describes the container'
myth-tcp-mem-bytes\t'often said, and not so: tcp_mem is in bytes'
myth-limits-conf\t'often said, and not so: limits.conf raises the descriptors of a systemd service'
myth-orphan-retries\t'often said, and not so: tcp_orphan_retries = 0 means no repetition'
myth-kill-time-wait\t'often said, and not so: a TIME_WAIT cannot be killed'
myth-tuple-blocked\t'often said, and not so: for 60 s nobody can use the same 4-tuple again'
myth-four-minutes\t'often said, and not so: TIME_WAIT on Linux lasts 4 minutes, twice the MSL of the RFC'
protocol\t'transport protocol: tcp, udp'
family\t'address family: ipv4, ipv6'
state\t'state, by its documented name'
state_number\t'the kernel\\'s number of the state'
recv_queue\t'bytes the process has not read; an unread FIN counts as 1'
send_queue\t'bytes not acknowledged by the peer; a queued FIN counts as 1'
accept_queue\t'connections that wait for accept(2)'
accept_queue_limit\t'limit of the accept queue, min(listen backlog, somaxconn)'
local\t'this end: address and port'
local.address\t'this end\\'s address'
local.port\t'this end\\'s port'
local.interface\t'interface the socket is bound to, not the route\\'s'
peer\t'the other end: address and port'
peer.address\t'the other end\\'s address'
peer.port\t'the other end\\'s port'
inode\t'socket inode, the key to its owners'
cookie\t'identity for the whole life, TIME_WAIT included'
uid\t'user who created the socket'
user\t'name of that user'
timer\t'running timer: retransmit, keepalive, time-wait, window-probe'
timer.expires\t'time until the timer fires'
retransmits\t'retransmissions or unanswered probes of the running timer'
age\t'time in TIME_WAIT, a lower bound: a late segment restarts it'
netns\t'network namespace, by inode'
netns.name\t'network namespace, by name'
cgroup\t'cgroup v2 path of the socket'
mark\t'SO_MARK'
v6only\t'IPv6 listener that takes no IPv4'
shutdown\t'directions shut down: none, receive, send, both'
tos\t'type of service'
congestion\t'congestion control'
rmem\t'memory of the receive queue'
rcvbuf\t'limit of the receive queue'
wmem\t'memory handed to the device for sending'
sndbuf\t'limit of the send queue'
fwd_alloc\t'memory reserved and not used yet'
wmem_queued\t'memory of the send queue'
optmem\t'memory of options and filters'
lock_backlog\t'memory parked while the socket is locked'
drops\t'packets this socket dropped; LISTEN: refused SYNs'
owner\t'processes that hold the socket, or why there is none'
process\t'names of the processes that hold the socket'
pid\t'ids of the processes that hold the socket'
fd\t'descriptor numbers, in the order of pid'
unit\t'systemd unit of the processes that hold the socket'
container\t'container of the processes that hold the socket, from the cgroup path'
owner_unknown\t'why no process is named: time-wait, orphan, not-accepted, permission…'
ca_state\t'congestion state: 0 open 1 disorder 2 CWR 3 recovery 4 loss'
rto_retransmits\t'timeouts of the oldest segment so far'
probes\t'unanswered window or keepalive probes'
backoff\t'how often the timeout was doubled'
tcp_options\t'bits: 1 timestamps 2 SACK 4 scaling 8 ECN 16 ECN seen 32 SYN data'
snd_wscale\t'window scale the peer announced'
rcv_wscale\t'window scale this side announced'
app_limited\t'1: delivery_rate was limited by the sender\\'s program'
rto\t'retransmission timeout'
ato\t'delayed-ACK timeout'
mss\t'largest segment this side sends'
rcv_mss\t'estimate of the peer\\'s segment size'
unacked\t'sent and not acknowledged; LISTEN: accept queue'
sacked\t'selectively acknowledged; LISTEN: accept queue limit'
lost\t'taken for lost'
retrans\t'retransmitted and not acknowledged'
fackets\t'forward-acknowledged; 0 since kernel 4.15'
last_data_sent\t'time since data was last sent'
last_data_recv\t'time since data was last received'
last_ack_recv\t'time since an ACK was last received'
pmtu\t'path MTU'
rcv_ssthresh\t'limit of the announced window'
rtt\t'smoothed round-trip time'
rttvar\t'mean deviation of the round-trip time'
ssthresh\t'slow-start threshold; 2147483647 is none'
cwnd\t'congestion window'
advmss\t'segment size this side announced'
reordering\t'reordering tolerated'
rcv_rtt\t'round-trip time measured as receiver'
rcv_space\t'receive buffer auto-tuning: bytes copied per round trip'
total_retrans\t'retransmitted over the whole life'
pacing_rate\t'pacing rate'
max_pacing_rate\t'limit of the pacing rate; all ones is none'
bytes_acked\t'sent and acknowledged over the whole life'
bytes_received\t'received over the whole life'
segs_out\t'segments sent, retransmissions included'
segs_in\t'segments received'
notsent\t'queued and never sent'
min_rtt\t'smallest round-trip time seen'
data_segs_in\t'segments with data received'
data_segs_out\t'segments with data sent'
delivery_rate\t'most recent rate at which data was delivered'
busy_time\t'time with data to send'
rwnd_limited\t'time limited by the peer\\'s window'
sndbuf_limited\t'time limited by the send buffer'
delivered\t'segments delivered'
delivered_ce\t'of those, marked by ECN'
bytes_sent\t'sent over the whole life, retransmissions included'
bytes_retrans\t'of those, retransmitted'
dsack_dups\t'duplicates the peer reported'
reord_seen\t'reordering events'
rcv_ooopack\t'received out of order'
snd_wnd\t'window the peer announced'
rcv_wnd\t'window this side announced'
rehash\t'path changes after timeouts'
total_rto\t'retransmission timeouts over the whole life'
total_rto_recoveries\t'recoveries after timeouts'
total_rto_time\t'time spent in those recoveries'
received_ce\t'segments received with a CE mark'
delivered_e1\t'delivered with ECT(1)'
delivered_e0\t'delivered with ECT(0)'
delivered_ce_bytes\t'delivered with CE'
received_e1\t'received with ECT(1)'
received_e0\t'received with ECT(0)'
received_ce_bytes\t'received with CE'"
complete -c sockeye -n "__fish_sockeye_using_subcommand kill" -f -a "CLOSED\t'no connection'
LISTEN\t'waits for connections from any peer'
SYN_SENT\t'sent SYN, waits for the peer\\'s SYN and ACK'
SYN_RCVD\t'answered a SYN, waits for the final ACK'
ESTABLISHED\t'open: data can flow both ways'
CLOSE_WAIT\t'the peer closed; this side\\'s process must close too'
LAST_ACK\t'closed after the peer, waits for the ACK of the FIN'
FIN_WAIT_1\t'closed first, waits for the ACK of the FIN'
FIN_WAIT_2\t'closed first, FIN acknowledged, waits for the peer\\'s FIN'
CLOSING\t'both sides closed at once, waits for the ACK of the FIN'
TIME_WAIT\t'closed first and done; the kernel keeps the 4-tuple 60 s'
BOUND_INACTIVE\t'bound to a port, neither listening nor connected'
UNCONNECTED\t'datagram or raw socket without a fixed peer'
and\t'both hold'
or\t'one of them holds'
not\t'what follows does not hold'
in\t'one of several values'
state\t'in this state'
exclude\t'in any state but this'
src\t'address or port of this end'
dst\t'address or port of the other end'
sport\t'port of this end'
dport\t'port of the other end'
port\t'port of either end'
host\t'address of either end'
dev\t'interface it is bound to'
fwmark\t'mark of the socket'
cgroup\t'control group of the socket'
autobound\t'port chosen by the kernel'
tcp\t'TCP sockets'
udp\t'UDP sockets'
protocol\t'transport protocol: tcp, udp'
family\t'address family: ipv4, ipv6'
state_number\t'the kernel\\'s number of the state'
recv_queue\t'bytes the process has not read; an unread FIN counts as 1'
send_queue\t'bytes not acknowledged by the peer; a queued FIN counts as 1'
accept_queue\t'connections that wait for accept(2)'
accept_queue_limit\t'limit of the accept queue, min(listen backlog, somaxconn)'
local\t'this end: address and port'
local.address\t'this end\\'s address'
local.port\t'this end\\'s port'
local.interface\t'interface the socket is bound to, not the route\\'s'
peer\t'the other end: address and port'
peer.address\t'the other end\\'s address'
peer.port\t'the other end\\'s port'
inode\t'socket inode, the key to its owners'
cookie\t'identity for the whole life, TIME_WAIT included'
uid\t'user who created the socket'
user\t'name of that user'
timer\t'running timer: retransmit, keepalive, time-wait, window-probe'
timer.expires\t'time until the timer fires'
retransmits\t'retransmissions or unanswered probes of the running timer'
age\t'time in TIME_WAIT, a lower bound: a late segment restarts it'
netns\t'network namespace, by inode'
netns.name\t'network namespace, by name'
mark\t'SO_MARK'
v6only\t'IPv6 listener that takes no IPv4'
shutdown\t'directions shut down: none, receive, send, both'
tos\t'type of service'
congestion\t'congestion control'
rmem\t'memory of the receive queue'
rcvbuf\t'limit of the receive queue'
wmem\t'memory handed to the device for sending'
sndbuf\t'limit of the send queue'
fwd_alloc\t'memory reserved and not used yet'
wmem_queued\t'memory of the send queue'
optmem\t'memory of options and filters'
lock_backlog\t'memory parked while the socket is locked'
drops\t'packets this socket dropped; LISTEN: refused SYNs'
owner\t'processes that hold the socket, or why there is none'
process\t'names of the processes that hold the socket'
pid\t'ids of the processes that hold the socket'
fd\t'descriptor numbers, in the order of pid'
unit\t'systemd unit of the processes that hold the socket'
container\t'container of the processes that hold the socket, from the cgroup path'
owner_unknown\t'why no process is named: time-wait, orphan, not-accepted, permission…'
ca_state\t'congestion state: 0 open 1 disorder 2 CWR 3 recovery 4 loss'
rto_retransmits\t'timeouts of the oldest segment so far'
probes\t'unanswered window or keepalive probes'
backoff\t'how often the timeout was doubled'
tcp_options\t'bits: 1 timestamps 2 SACK 4 scaling 8 ECN 16 ECN seen 32 SYN data'
snd_wscale\t'window scale the peer announced'
rcv_wscale\t'window scale this side announced'
app_limited\t'1: delivery_rate was limited by the sender\\'s program'
rto\t'retransmission timeout'
ato\t'delayed-ACK timeout'
mss\t'largest segment this side sends'
rcv_mss\t'estimate of the peer\\'s segment size'
unacked\t'sent and not acknowledged; LISTEN: accept queue'
sacked\t'selectively acknowledged; LISTEN: accept queue limit'
lost\t'taken for lost'
retrans\t'retransmitted and not acknowledged'
fackets\t'forward-acknowledged; 0 since kernel 4.15'
last_data_sent\t'time since data was last sent'
last_data_recv\t'time since data was last received'
last_ack_recv\t'time since an ACK was last received'
pmtu\t'path MTU'
rcv_ssthresh\t'limit of the announced window'
rtt\t'smoothed round-trip time'
rttvar\t'mean deviation of the round-trip time'
ssthresh\t'slow-start threshold; 2147483647 is none'
cwnd\t'congestion window'
advmss\t'segment size this side announced'
reordering\t'reordering tolerated'
rcv_rtt\t'round-trip time measured as receiver'
rcv_space\t'receive buffer auto-tuning: bytes copied per round trip'
total_retrans\t'retransmitted over the whole life'
pacing_rate\t'pacing rate'
max_pacing_rate\t'limit of the pacing rate; all ones is none'
bytes_acked\t'sent and acknowledged over the whole life'
bytes_received\t'received over the whole life'
segs_out\t'segments sent, retransmissions included'
segs_in\t'segments received'
notsent\t'queued and never sent'
min_rtt\t'smallest round-trip time seen'
data_segs_in\t'segments with data received'
data_segs_out\t'segments with data sent'
delivery_rate\t'most recent rate at which data was delivered'
busy_time\t'time with data to send'
rwnd_limited\t'time limited by the peer\\'s window'
sndbuf_limited\t'time limited by the send buffer'
delivered\t'segments delivered'
delivered_ce\t'of those, marked by ECN'
bytes_sent\t'sent over the whole life, retransmissions included'
bytes_retrans\t'of those, retransmitted'
dsack_dups\t'duplicates the peer reported'
reord_seen\t'reordering events'
rcv_ooopack\t'received out of order'
snd_wnd\t'window the peer announced'
rcv_wnd\t'window this side announced'
rehash\t'path changes after timeouts'
total_rto\t'retransmission timeouts over the whole life'
total_rto_recoveries\t'recoveries after timeouts'
total_rto_time\t'time spent in those recoveries'
received_ce\t'segments received with a CE mark'
delivered_e1\t'delivered with ECT(1)'
delivered_e0\t'delivered with ECT(0)'
delivered_ce_bytes\t'delivered with CE'
received_e1\t'received with ECT(1)'
received_e0\t'received with ECT(0)'
received_ce_bytes\t'received with CE'"
complete -c sockeye -n "__fish_sockeye_using_subcommand diff" -f -a ""
complete -c sockeye -n "__fish_sockeye_using_subcommand diff" -f -a ""
complete -c sockeye -n "__fish_sockeye_using_subcommand schema" -f -a "sockets\t'a listing, by --json'
socket\t'a line of --ndjson'
groups\t'counts by value, by --json --group-by'
count\t'how many sockets, by --json --count'
capacity\t'the capacity report, by capacity --json'
explain\t'a topic, by explain --json'
kill\t'what was closed, by kill --json'
overview\t'sockeye alone, by --json'
snapshot\t'the first line of a snapshot file'
diff\t'what changed, by diff --json'
summary\t'counts by state, by summary --json'
time-wait\t'the TIME_WAIT report, by time-wait --json'"
complete -c sockeye -n "__fish_sockeye_using_subcommand completions" -f -a "bash\t'GNU bash'
zsh\t'Z shell'
fish\t'fish'"
