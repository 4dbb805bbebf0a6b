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
    string join \n t/tcp u/udp a/all l/listening B/bound-inactive 4/ipv4 6/ipv6 p/processes o/options e/extended i/info m/memory n/numeric r/resolve columns= sort= group-by= limit= s/summary count format= json ndjson H/no-header O/oneline q/quiet color= 'watch=?' times= source= proc-root= N/netns= owner-deadline= h/help V/version
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
complete -c sockeye -n "__fish_sockeye_needs_command" -l owner-deadline -d 'Stop looking for owners after this long' -r -f -a ''
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
complete -c sockeye -n "__fish_sockeye_needs_command" -s q -l quiet -d 'Print nothing; exit with 1 if no socket matched'
complete -c sockeye -n "__fish_sockeye_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sockeye -n "__fish_sockeye_needs_command" -s V -l version -d 'Print version'
complete -c sockeye -n "__fish_sockeye_needs_command" -f -a "list" -d 'List sockets; the command when none is named'
complete -c sockeye -n "__fish_sockeye_needs_command" -f -a "summary" -d 'Count sockets by protocol, family and state'
complete -c sockeye -n "__fish_sockeye_needs_command" -f -a "time-wait" -d 'Tell who fills TIME_WAIT, whether it harms, and what to do'
complete -c sockeye -n "__fish_sockeye_needs_command" -f -a "schema" -d 'Print the JSON Schema of a document'
complete -c sockeye -n "__fish_sockeye_needs_command" -f -a "completions" -d 'Print the completion script of a shell'
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
complete -c sockeye -n "__fish_sockeye_using_subcommand list" -l owner-deadline -d 'Stop looking for owners after this long' -r -f -a ''
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
complete -c sockeye -n "__fish_sockeye_using_subcommand time-wait" -l owner-deadline -d 'Stop looking for owners after this long' -r -f -a ''
complete -c sockeye -n "__fish_sockeye_using_subcommand time-wait" -l json -d 'One JSON document (--format json)'
complete -c sockeye -n "__fish_sockeye_using_subcommand time-wait" -l ndjson -d 'One JSON document on one line, the same as --json'
complete -c sockeye -n "__fish_sockeye_using_subcommand time-wait" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sockeye -n "__fish_sockeye_using_subcommand schema" -s h -l help -d 'Print help'
complete -c sockeye -n "__fish_sockeye_using_subcommand completions" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c sockeye -n "__fish_sockeye_using_subcommand schema" -f -a "sockets\t'a listing, by --json'
socket\t'a line of --ndjson'
groups\t'counts by value, by --json --group-by'
count\t'how many sockets, by --json --count'
overview\t'sockeye alone, by --json'
summary\t'counts by state, by summary --json'
time-wait\t'the TIME_WAIT report, by time-wait --json'"
complete -c sockeye -n "__fish_sockeye_using_subcommand completions" -f -a "bash\t'GNU bash'
zsh\t'Z shell'
fish\t'fish'"
