# Generated from the definition of options and columns: UPDATE=1 cargo test

_sockeye() {
    local i cur prev opts cmd
    COMPREPLY=()
    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
        cur="$2"
    else
        cur="${COMP_WORDS[COMP_CWORD]}"
    fi
    prev="$3"
    cmd=""
    opts=""

    for i in "${COMP_WORDS[@]:0:COMP_CWORD}"
    do
        case "${cmd},${i}" in
            ",$1")
                cmd="sockeye"
                ;;
            sockeye,capacity)
                cmd="sockeye__subcmd__capacity"
                ;;
            sockeye,completions)
                cmd="sockeye__subcmd__completions"
                ;;
            sockeye,diff)
                cmd="sockeye__subcmd__diff"
                ;;
            sockeye,doctor)
                cmd="sockeye__subcmd__doctor"
                ;;
            sockeye,explain)
                cmd="sockeye__subcmd__explain"
                ;;
            sockeye,kill)
                cmd="sockeye__subcmd__kill"
                ;;
            sockeye,list)
                cmd="sockeye__subcmd__list"
                ;;
            sockeye,schema)
                cmd="sockeye__subcmd__schema"
                ;;
            sockeye,snapshot)
                cmd="sockeye__subcmd__snapshot"
                ;;
            sockeye,summary)
                cmd="sockeye__subcmd__summary"
                ;;
            sockeye,time-wait)
                cmd="sockeye__subcmd__time__subcmd__wait"
                ;;
            sockeye,trace)
                cmd="sockeye__subcmd__trace"
                ;;
            sockeye,watch)
                cmd="sockeye__subcmd__watch"
                ;;
            *)
                ;;
        esac
    done

    case "${cmd}" in
        sockeye)
            opts="-t -u -w -x -M -S -d -0 -A -f -a -l -B -4 -6 -p -T -Z -z -b -o -e -i -m -Q -n -r -s -H -O -E -K -q -N -D -F -v -V -h --tcp --udp --raw --unix --mptcp --sctp --dccp --packet --vsock --xdp --tipc --socket --query --family --all --listening --bound-inactive --ipv4 --ipv6 --processes --threads --context --contexts --bpf --options --extended --info --memory --tos --cgroup --inet-sockopt --tipcinfo --bpf-maps --no-queues --numeric --resolve --columns --sort --group-by --limit --summary --count --format --json --ndjson --no-header --oneline --events --kill --quiet --color --watch --times --source --proc-root --netns --all-netns --from --owner-deadline --diag --filter --version --help CLOSED LISTEN SYN_SENT SYN_RCVD ESTABLISHED CLOSE_WAIT LAST_ACK FIN_WAIT_1 FIN_WAIT_2 CLOSING TIME_WAIT BOUND_INACTIVE UNCONNECTED and or not in state exclude src dst sport dport port host dev fwmark cgroup autobound tcp udp netid type protocol family state_number recv_queue send_queue accept_queue accept_queue_limit local local.address local.port local.interface peer peer.address peer.port inode cookie uid user timer timer.expires retransmits age netns netns.name netns.kind mark v6only shutdown tos congestion rmem rcvbuf wmem sndbuf fwd_alloc wmem_queued optmem lock_backlog drops owner process pid fd tid context socket_context unit container container.id pod owner_unknown peer.process peer.pid peer.unit peer.container peer.pod peer.netns peer.netns.name tclass class_id sockopt bbr.bandwidth bbr.min_rtt bbr.pacing_gain bbr.cwnd_gain dctcp.enabled dctcp.ce_state dctcp.alpha dctcp.acked_ecn dctcp.acked vegas.enabled vegas.rtt_count vegas.rtt vegas.min_rtt ulp ulp.tls_version ulp.tls_cipher ulp.tls_sending ulp.tls_receiving ulp.tls_zerocopy ulp.tls_no_padding ulp.mptcp_flags ulp.mptcp_token_local ulp.mptcp_token_remote ulp.mptcp_id_local ulp.mptcp_id_remote ulp.mptcp_map_seq ulp.mptcp_map_subflow_seq ulp.mptcp_ssn_offset ulp.mptcp_map md5 bpf_maps ca_state rto_retransmits probes backoff tcp_options snd_wscale rcv_wscale app_limited fastopen_client_fail rto ato mss rcv_mss unacked sacked lost retrans fackets last_data_sent last_data_recv last_ack_recv pmtu rcv_ssthresh rtt rttvar ssthresh cwnd advmss reordering rcv_rtt rcv_space total_retrans pacing_rate max_pacing_rate bytes_acked bytes_received segs_out segs_in notsent min_rtt data_segs_in data_segs_out delivery_rate busy_time rwnd_limited sndbuf_limited delivered delivered_ce bytes_sent bytes_retrans dsack_dups reord_seen rcv_ooopack snd_wnd rcv_wnd rehash total_rto total_rto_recoveries total_rto_time received_ce delivered_e1 delivered_e0 delivered_ce_bytes received_e1 received_e0 received_ce_bytes accecn unix.type path peer.path peer.inode peer.owner file.inode file.device_major file.device_minor pending packet.type packet.protocol packet.protocol_number packet.version packet.copy_threshold packet.reserve packet.flags packet.rx_ring packet.rx_frames packet.rx_frame_size packet.tx_ring packet.tx_frames packet.tx_frame_size packet.fanout_id packet.fanout_mode packet.memberships packet.filter netlink.protocol netlink.protocol_number netlink.port_id netlink.peer_port_id netlink.groups netlink.flags raw.ip_protocol raw.ip_protocol_number mptcp.connections vsock.type xdp.queue_id xdp.rx_entries xdp.tx_entries xdp.fill_entries xdp.completion_entries xdp.umem_id xdp.umem_size xdp.umem_chunk_size xdp.umem_headroom xdp.umem_users xdp.zero_copy xdp.rx_dropped xdp.rx_invalid xdp.rx_full xdp.fill_ring_empty xdp.tx_invalid xdp.tx_ring_empty tipc.type tipc.recv_messages tipc.send_messages tipc.drops tipc.congested tipc.published tipc.via_type tipc.via_instance sctp.locals sctp.peers sctp.association_state sctp.rwnd sctp.peer_rwnd sctp.unacked sctp.pending sctp.in_streams sctp.out_streams sctp.tag sctp.peer_tag mptcp.subflows_extra mptcp.add_addr_signal mptcp.add_addr_accepted mptcp.subflows_max mptcp.add_addr_signal_max mptcp.add_addr_accepted_max mptcp.flags mptcp.token mptcp.write_seq mptcp.snd_una mptcp.rcv_nxt mptcp.local_addr_used mptcp.local_addr_max mptcp.csum_enabled mptcp.retransmits mptcp.bytes_retrans mptcp.bytes_sent mptcp.bytes_received mptcp.bytes_acked mptcp.subflows_total mptcp.endp_laminar_max mptcp.last_data_sent mptcp.last_data_recv mptcp.last_ack_recv list summary time-wait doctor explain capacity snapshot kill trace diff watch schema completions"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 1 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --query)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --socket)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -A)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --family)
                    COMPREPLY=($(compgen -W "inet inet6 unix link netlink vsock tipc xdp" -- "${cur}"))
                    return 0
                    ;;
                -f)
                    COMPREPLY=($(compgen -W "inet inet6 unix link netlink vsock tipc xdp" -- "${cur}"))
                    return 0
                    ;;
                --columns)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --sort)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --group-by)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --limit)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --format)
                    COMPREPLY=($(compgen -W "table ss json ndjson csv" -- "${cur}"))
                    return 0
                    ;;
                --color)
                    COMPREPLY=($(compgen -W "auto always never" -- "${cur}"))
                    return 0
                    ;;
                --watch)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --times)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --source)
                    COMPREPLY=($(compgen -W "auto netlink proc" -- "${cur}"))
                    return 0
                    ;;
                --proc-root)
                    COMPREPLY=()
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o plusdirs
                    fi
                    return 0
                    ;;
                --netns)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -N)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --from)
                    local oldifs
                    if [ -n "${IFS+x}" ]; then
                        oldifs="$IFS"
                    fi
                    IFS=$'\n'
                    COMPREPLY=($(compgen -f "${cur}"))
                    if [ -n "${oldifs+x}" ]; then
                        IFS="$oldifs"
                    fi
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o filenames
                    fi
                    return 0
                    ;;
                --owner-deadline)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --diag)
                    local oldifs
                    if [ -n "${IFS+x}" ]; then
                        oldifs="$IFS"
                    fi
                    IFS=$'\n'
                    COMPREPLY=($(compgen -f "${cur}"))
                    if [ -n "${oldifs+x}" ]; then
                        IFS="$oldifs"
                    fi
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o filenames
                    fi
                    return 0
                    ;;
                -D)
                    local oldifs
                    if [ -n "${IFS+x}" ]; then
                        oldifs="$IFS"
                    fi
                    IFS=$'\n'
                    COMPREPLY=($(compgen -f "${cur}"))
                    if [ -n "${oldifs+x}" ]; then
                        IFS="$oldifs"
                    fi
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o filenames
                    fi
                    return 0
                    ;;
                --filter)
                    local oldifs
                    if [ -n "${IFS+x}" ]; then
                        oldifs="$IFS"
                    fi
                    IFS=$'\n'
                    COMPREPLY=($(compgen -f "${cur}"))
                    if [ -n "${oldifs+x}" ]; then
                        IFS="$oldifs"
                    fi
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o filenames
                    fi
                    return 0
                    ;;
                -F)
                    local oldifs
                    if [ -n "${IFS+x}" ]; then
                        oldifs="$IFS"
                    fi
                    IFS=$'\n'
                    COMPREPLY=($(compgen -f "${cur}"))
                    if [ -n "${oldifs+x}" ]; then
                        IFS="$oldifs"
                    fi
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o filenames
                    fi
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        sockeye__subcmd__capacity)
            opts="-N -h --to --pid --self --bound --listen --assume --format --json --ndjson --color --watch --times --source --proc-root --netns --all-netns --from --owner-deadline --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --to)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --pid)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --listen)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --assume)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --format)
                    COMPREPLY=($(compgen -W "table json ndjson" -- "${cur}"))
                    return 0
                    ;;
                --color)
                    COMPREPLY=($(compgen -W "auto always never" -- "${cur}"))
                    return 0
                    ;;
                --watch)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --times)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --source)
                    COMPREPLY=($(compgen -W "auto netlink proc" -- "${cur}"))
                    return 0
                    ;;
                --proc-root)
                    COMPREPLY=()
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o plusdirs
                    fi
                    return 0
                    ;;
                --netns)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -N)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --from)
                    local oldifs
                    if [ -n "${IFS+x}" ]; then
                        oldifs="$IFS"
                    fi
                    IFS=$'\n'
                    COMPREPLY=($(compgen -f "${cur}"))
                    if [ -n "${oldifs+x}" ]; then
                        IFS="$oldifs"
                    fi
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o filenames
                    fi
                    return 0
                    ;;
                --owner-deadline)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        sockeye__subcmd__completions)
            opts="-h --help bash zsh fish"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        sockeye__subcmd__diff)
            opts="-h --limit --format --json --ndjson --color --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --limit)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --format)
                    COMPREPLY=($(compgen -W "table json ndjson" -- "${cur}"))
                    return 0
                    ;;
                --color)
                    COMPREPLY=($(compgen -W "auto always never" -- "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        sockeye__subcmd__doctor)
            opts="-v -N -h --interval --only --skip --list-rules --config --socket-options --fail-on --verbose --format --json --ndjson --color --watch --times --source --proc-root --netns --all-netns --from --owner-deadline --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --only)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --skip)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --config)
                    local oldifs
                    if [ -n "${IFS+x}" ]; then
                        oldifs="$IFS"
                    fi
                    IFS=$'\n'
                    COMPREPLY=($(compgen -f "${cur}"))
                    if [ -n "${oldifs+x}" ]; then
                        IFS="$oldifs"
                    fi
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o filenames
                    fi
                    return 0
                    ;;
                --fail-on)
                    COMPREPLY=($(compgen -W "notice warning critical never" -- "${cur}"))
                    return 0
                    ;;
                --format)
                    COMPREPLY=($(compgen -W "table json ndjson nagios" -- "${cur}"))
                    return 0
                    ;;
                --color)
                    COMPREPLY=($(compgen -W "auto always never" -- "${cur}"))
                    return 0
                    ;;
                --watch)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --times)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --source)
                    COMPREPLY=($(compgen -W "auto netlink proc" -- "${cur}"))
                    return 0
                    ;;
                --proc-root)
                    COMPREPLY=()
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o plusdirs
                    fi
                    return 0
                    ;;
                --netns)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -N)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --from)
                    local oldifs
                    if [ -n "${IFS+x}" ]; then
                        oldifs="$IFS"
                    fi
                    IFS=$'\n'
                    COMPREPLY=($(compgen -f "${cur}"))
                    if [ -n "${oldifs+x}" ]; then
                        IFS="$oldifs"
                    fi
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o filenames
                    fi
                    return 0
                    ;;
                --owner-deadline)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        sockeye__subcmd__explain)
            opts="-h --format --json --ndjson --color --help topics handshake close 2msl ports 4-tuple queues both-ends errors filters trace closed listen syn-sent syn-rcvd established close-wait last-ack fin-wait-1 fin-wait-2 closing time-wait bound-inactive unconnected rlimit-nofile fs-file-max fs-nr-open ephemeral-ports tcp-mem memory nf-conntrack-max tcp-max-tw-buckets tcp-max-orphans somaxconn accept-queue pids-max epoll-max-user-watches client-ports time-wait-server-side short-lived-connections ephemeral-port-pressure time-wait-bucket-overflow time-wait-memory time-wait-syn-collision time-wait-blocks-restart tw-sysctl-lint connect-port-scan bind-before-connect service-port-in-ephemeral-range port-range-too-wide udp-port-exhaustion self-connect snat-exhaustion-suspected accept-queue-overflow listen-backlog-small accept-stalled syn-queue-pressure syn-recv-return-path listen-drops-other reuseport-skew refused-storm close-wait-leak close-wait-idle-pool fin-wait2-owned fin-wait2-orphan orphan-pressure last-ack-stuck abortive-close keepalive-race syn-sent-stuck peer-unreachable half-open-suspect keepalive-slower-than-path retransmit-rate rto-heavy-peer pmtu-blackhole peer-not-reading we-are-not-reading send-buffer-limited tcp-memory-pressure tcp-receive-drops udp-receive-drops softnet-drops max-connections-estimate fd-limit-process fd-limit-host app-limit-hint conntrack-table-full conntrack-insert-failed conntrack-invalid neighbor-table-overflow client-concentration reconnect-storm connection-age-skew sysctl-scope-mismatch ghost-socket-fds visibility-limited orphan not-accepted kernel permission other-pid-namespace not-asked deadline timers retransmit keepalive window-probe myths myth-fin-timeout myth-tw-recycle myth-tw-reuse myth-tw-buckets myth-tw-overflow-log myth-linger-zero myth-time-wait-cost myth-65535-server myth-65535-client myth-64511-ports myth-ports-last-one myth-port-counter myth-reuseaddr-client myth-reuseaddr-restart myth-somaxconn-alone myth-max-syn-backlog myth-abort-on-overflow myth-syn-flood-log myth-listen-send-q myth-keepalive-all myth-keepalive-enough myth-close-wait-tuning myth-conntrack-time-wait myth-host-sysctl myth-wide-port-range myth-time-wait-side myth-rfc1337 myth-sockstat-tw myth-sockstat-scope myth-tcp-mem-bytes myth-limits-conf myth-orphan-retries myth-kill-time-wait myth-tuple-blocked myth-four-minutes netid type protocol family state state_number recv_queue send_queue accept_queue accept_queue_limit local local.address local.port local.interface peer peer.address peer.port inode cookie uid user timer timer.expires retransmits age netns netns.name netns.kind cgroup mark v6only shutdown tos congestion rmem rcvbuf wmem sndbuf fwd_alloc wmem_queued optmem lock_backlog drops owner process pid fd tid context socket_context unit container container.id pod owner_unknown peer.process peer.pid peer.unit peer.container peer.pod peer.netns peer.netns.name tclass class_id sockopt bbr.bandwidth bbr.min_rtt bbr.pacing_gain bbr.cwnd_gain dctcp.enabled dctcp.ce_state dctcp.alpha dctcp.acked_ecn dctcp.acked vegas.enabled vegas.rtt_count vegas.rtt vegas.min_rtt ulp ulp.tls_version ulp.tls_cipher ulp.tls_sending ulp.tls_receiving ulp.tls_zerocopy ulp.tls_no_padding ulp.mptcp_flags ulp.mptcp_token_local ulp.mptcp_token_remote ulp.mptcp_id_local ulp.mptcp_id_remote ulp.mptcp_map_seq ulp.mptcp_map_subflow_seq ulp.mptcp_ssn_offset ulp.mptcp_map md5 bpf_maps ca_state rto_retransmits probes backoff tcp_options snd_wscale rcv_wscale app_limited fastopen_client_fail rto ato mss rcv_mss unacked sacked lost retrans fackets last_data_sent last_data_recv last_ack_recv pmtu rcv_ssthresh rtt rttvar ssthresh cwnd advmss reordering rcv_rtt rcv_space total_retrans pacing_rate max_pacing_rate bytes_acked bytes_received segs_out segs_in notsent min_rtt data_segs_in data_segs_out delivery_rate busy_time rwnd_limited sndbuf_limited delivered delivered_ce bytes_sent bytes_retrans dsack_dups reord_seen rcv_ooopack snd_wnd rcv_wnd rehash total_rto total_rto_recoveries total_rto_time received_ce delivered_e1 delivered_e0 delivered_ce_bytes received_e1 received_e0 received_ce_bytes accecn unix.type path peer.path peer.inode peer.owner file.inode file.device_major file.device_minor pending packet.type packet.protocol packet.protocol_number packet.version packet.copy_threshold packet.reserve packet.flags packet.rx_ring packet.rx_frames packet.rx_frame_size packet.tx_ring packet.tx_frames packet.tx_frame_size packet.fanout_id packet.fanout_mode packet.memberships packet.filter netlink.protocol netlink.protocol_number netlink.port_id netlink.peer_port_id netlink.groups netlink.flags raw.ip_protocol raw.ip_protocol_number mptcp.connections vsock.type xdp.queue_id xdp.rx_entries xdp.tx_entries xdp.fill_entries xdp.completion_entries xdp.umem_id xdp.umem_size xdp.umem_chunk_size xdp.umem_headroom xdp.umem_users xdp.zero_copy xdp.rx_dropped xdp.rx_invalid xdp.rx_full xdp.fill_ring_empty xdp.tx_invalid xdp.tx_ring_empty tipc.type tipc.recv_messages tipc.send_messages tipc.drops tipc.congested tipc.published tipc.via_type tipc.via_instance sctp.locals sctp.peers sctp.association_state sctp.rwnd sctp.peer_rwnd sctp.unacked sctp.pending sctp.in_streams sctp.out_streams sctp.tag sctp.peer_tag mptcp.subflows_extra mptcp.add_addr_signal mptcp.add_addr_accepted mptcp.subflows_max mptcp.add_addr_signal_max mptcp.add_addr_accepted_max mptcp.flags mptcp.token mptcp.write_seq mptcp.snd_una mptcp.rcv_nxt mptcp.local_addr_used mptcp.local_addr_max mptcp.csum_enabled mptcp.retransmits mptcp.bytes_retrans mptcp.bytes_sent mptcp.bytes_received mptcp.bytes_acked mptcp.subflows_total mptcp.endp_laminar_max mptcp.last_data_sent mptcp.last_data_recv mptcp.last_ack_recv"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --format)
                    COMPREPLY=($(compgen -W "table json ndjson" -- "${cur}"))
                    return 0
                    ;;
                --color)
                    COMPREPLY=($(compgen -W "auto always never" -- "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        sockeye__subcmd__kill)
            opts="-y -t -u -w -x -M -S -d -0 -A -f -a -l -B -4 -6 -p -T -Z -z -b -o -e -i -m -Q -n -r -s -H -O -E -K -q -N -D -F -h --yes --dry-run --tcp --udp --raw --unix --mptcp --sctp --dccp --packet --vsock --xdp --tipc --socket --query --family --all --listening --bound-inactive --ipv4 --ipv6 --processes --threads --context --contexts --bpf --options --extended --info --memory --tos --cgroup --inet-sockopt --tipcinfo --bpf-maps --no-queues --numeric --resolve --columns --sort --group-by --limit --summary --count --format --json --ndjson --no-header --oneline --events --kill --quiet --color --watch --times --source --proc-root --netns --all-netns --from --owner-deadline --diag --filter --help CLOSED LISTEN SYN_SENT SYN_RCVD ESTABLISHED CLOSE_WAIT LAST_ACK FIN_WAIT_1 FIN_WAIT_2 CLOSING TIME_WAIT BOUND_INACTIVE UNCONNECTED and or not in state exclude src dst sport dport port host dev fwmark cgroup autobound tcp udp netid type protocol family state_number recv_queue send_queue accept_queue accept_queue_limit local local.address local.port local.interface peer peer.address peer.port inode cookie uid user timer timer.expires retransmits age netns netns.name netns.kind mark v6only shutdown tos congestion rmem rcvbuf wmem sndbuf fwd_alloc wmem_queued optmem lock_backlog drops owner process pid fd tid context socket_context unit container container.id pod owner_unknown peer.process peer.pid peer.unit peer.container peer.pod peer.netns peer.netns.name tclass class_id sockopt bbr.bandwidth bbr.min_rtt bbr.pacing_gain bbr.cwnd_gain dctcp.enabled dctcp.ce_state dctcp.alpha dctcp.acked_ecn dctcp.acked vegas.enabled vegas.rtt_count vegas.rtt vegas.min_rtt ulp ulp.tls_version ulp.tls_cipher ulp.tls_sending ulp.tls_receiving ulp.tls_zerocopy ulp.tls_no_padding ulp.mptcp_flags ulp.mptcp_token_local ulp.mptcp_token_remote ulp.mptcp_id_local ulp.mptcp_id_remote ulp.mptcp_map_seq ulp.mptcp_map_subflow_seq ulp.mptcp_ssn_offset ulp.mptcp_map md5 bpf_maps ca_state rto_retransmits probes backoff tcp_options snd_wscale rcv_wscale app_limited fastopen_client_fail rto ato mss rcv_mss unacked sacked lost retrans fackets last_data_sent last_data_recv last_ack_recv pmtu rcv_ssthresh rtt rttvar ssthresh cwnd advmss reordering rcv_rtt rcv_space total_retrans pacing_rate max_pacing_rate bytes_acked bytes_received segs_out segs_in notsent min_rtt data_segs_in data_segs_out delivery_rate busy_time rwnd_limited sndbuf_limited delivered delivered_ce bytes_sent bytes_retrans dsack_dups reord_seen rcv_ooopack snd_wnd rcv_wnd rehash total_rto total_rto_recoveries total_rto_time received_ce delivered_e1 delivered_e0 delivered_ce_bytes received_e1 received_e0 received_ce_bytes accecn unix.type path peer.path peer.inode peer.owner file.inode file.device_major file.device_minor pending packet.type packet.protocol packet.protocol_number packet.version packet.copy_threshold packet.reserve packet.flags packet.rx_ring packet.rx_frames packet.rx_frame_size packet.tx_ring packet.tx_frames packet.tx_frame_size packet.fanout_id packet.fanout_mode packet.memberships packet.filter netlink.protocol netlink.protocol_number netlink.port_id netlink.peer_port_id netlink.groups netlink.flags raw.ip_protocol raw.ip_protocol_number mptcp.connections vsock.type xdp.queue_id xdp.rx_entries xdp.tx_entries xdp.fill_entries xdp.completion_entries xdp.umem_id xdp.umem_size xdp.umem_chunk_size xdp.umem_headroom xdp.umem_users xdp.zero_copy xdp.rx_dropped xdp.rx_invalid xdp.rx_full xdp.fill_ring_empty xdp.tx_invalid xdp.tx_ring_empty tipc.type tipc.recv_messages tipc.send_messages tipc.drops tipc.congested tipc.published tipc.via_type tipc.via_instance sctp.locals sctp.peers sctp.association_state sctp.rwnd sctp.peer_rwnd sctp.unacked sctp.pending sctp.in_streams sctp.out_streams sctp.tag sctp.peer_tag mptcp.subflows_extra mptcp.add_addr_signal mptcp.add_addr_accepted mptcp.subflows_max mptcp.add_addr_signal_max mptcp.add_addr_accepted_max mptcp.flags mptcp.token mptcp.write_seq mptcp.snd_una mptcp.rcv_nxt mptcp.local_addr_used mptcp.local_addr_max mptcp.csum_enabled mptcp.retransmits mptcp.bytes_retrans mptcp.bytes_sent mptcp.bytes_received mptcp.bytes_acked mptcp.subflows_total mptcp.endp_laminar_max mptcp.last_data_sent mptcp.last_data_recv mptcp.last_ack_recv"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --query)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --socket)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -A)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --family)
                    COMPREPLY=($(compgen -W "inet inet6 unix link netlink vsock tipc xdp" -- "${cur}"))
                    return 0
                    ;;
                -f)
                    COMPREPLY=($(compgen -W "inet inet6 unix link netlink vsock tipc xdp" -- "${cur}"))
                    return 0
                    ;;
                --columns)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --sort)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --group-by)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --limit)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --format)
                    COMPREPLY=($(compgen -W "table ss json ndjson csv" -- "${cur}"))
                    return 0
                    ;;
                --color)
                    COMPREPLY=($(compgen -W "auto always never" -- "${cur}"))
                    return 0
                    ;;
                --watch)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --times)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --source)
                    COMPREPLY=($(compgen -W "auto netlink proc" -- "${cur}"))
                    return 0
                    ;;
                --proc-root)
                    COMPREPLY=()
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o plusdirs
                    fi
                    return 0
                    ;;
                --netns)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -N)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --from)
                    local oldifs
                    if [ -n "${IFS+x}" ]; then
                        oldifs="$IFS"
                    fi
                    IFS=$'\n'
                    COMPREPLY=($(compgen -f "${cur}"))
                    if [ -n "${oldifs+x}" ]; then
                        IFS="$oldifs"
                    fi
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o filenames
                    fi
                    return 0
                    ;;
                --owner-deadline)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --diag)
                    local oldifs
                    if [ -n "${IFS+x}" ]; then
                        oldifs="$IFS"
                    fi
                    IFS=$'\n'
                    COMPREPLY=($(compgen -f "${cur}"))
                    if [ -n "${oldifs+x}" ]; then
                        IFS="$oldifs"
                    fi
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o filenames
                    fi
                    return 0
                    ;;
                -D)
                    local oldifs
                    if [ -n "${IFS+x}" ]; then
                        oldifs="$IFS"
                    fi
                    IFS=$'\n'
                    COMPREPLY=($(compgen -f "${cur}"))
                    if [ -n "${oldifs+x}" ]; then
                        IFS="$oldifs"
                    fi
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o filenames
                    fi
                    return 0
                    ;;
                --filter)
                    local oldifs
                    if [ -n "${IFS+x}" ]; then
                        oldifs="$IFS"
                    fi
                    IFS=$'\n'
                    COMPREPLY=($(compgen -f "${cur}"))
                    if [ -n "${oldifs+x}" ]; then
                        IFS="$oldifs"
                    fi
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o filenames
                    fi
                    return 0
                    ;;
                -F)
                    local oldifs
                    if [ -n "${IFS+x}" ]; then
                        oldifs="$IFS"
                    fi
                    IFS=$'\n'
                    COMPREPLY=($(compgen -f "${cur}"))
                    if [ -n "${oldifs+x}" ]; then
                        IFS="$oldifs"
                    fi
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o filenames
                    fi
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        sockeye__subcmd__list)
            opts="-t -u -w -x -M -S -d -0 -A -f -a -l -B -4 -6 -p -T -Z -z -b -o -e -i -m -Q -n -r -s -H -O -E -K -q -N -D -F -h --tcp --udp --raw --unix --mptcp --sctp --dccp --packet --vsock --xdp --tipc --socket --query --family --all --listening --bound-inactive --ipv4 --ipv6 --processes --threads --context --contexts --bpf --options --extended --info --memory --tos --cgroup --inet-sockopt --tipcinfo --bpf-maps --no-queues --numeric --resolve --columns --sort --group-by --limit --summary --count --format --json --ndjson --no-header --oneline --events --kill --quiet --color --watch --times --source --proc-root --netns --all-netns --from --owner-deadline --diag --filter --help CLOSED LISTEN SYN_SENT SYN_RCVD ESTABLISHED CLOSE_WAIT LAST_ACK FIN_WAIT_1 FIN_WAIT_2 CLOSING TIME_WAIT BOUND_INACTIVE UNCONNECTED and or not in state exclude src dst sport dport port host dev fwmark cgroup autobound tcp udp netid type protocol family state_number recv_queue send_queue accept_queue accept_queue_limit local local.address local.port local.interface peer peer.address peer.port inode cookie uid user timer timer.expires retransmits age netns netns.name netns.kind mark v6only shutdown tos congestion rmem rcvbuf wmem sndbuf fwd_alloc wmem_queued optmem lock_backlog drops owner process pid fd tid context socket_context unit container container.id pod owner_unknown peer.process peer.pid peer.unit peer.container peer.pod peer.netns peer.netns.name tclass class_id sockopt bbr.bandwidth bbr.min_rtt bbr.pacing_gain bbr.cwnd_gain dctcp.enabled dctcp.ce_state dctcp.alpha dctcp.acked_ecn dctcp.acked vegas.enabled vegas.rtt_count vegas.rtt vegas.min_rtt ulp ulp.tls_version ulp.tls_cipher ulp.tls_sending ulp.tls_receiving ulp.tls_zerocopy ulp.tls_no_padding ulp.mptcp_flags ulp.mptcp_token_local ulp.mptcp_token_remote ulp.mptcp_id_local ulp.mptcp_id_remote ulp.mptcp_map_seq ulp.mptcp_map_subflow_seq ulp.mptcp_ssn_offset ulp.mptcp_map md5 bpf_maps ca_state rto_retransmits probes backoff tcp_options snd_wscale rcv_wscale app_limited fastopen_client_fail rto ato mss rcv_mss unacked sacked lost retrans fackets last_data_sent last_data_recv last_ack_recv pmtu rcv_ssthresh rtt rttvar ssthresh cwnd advmss reordering rcv_rtt rcv_space total_retrans pacing_rate max_pacing_rate bytes_acked bytes_received segs_out segs_in notsent min_rtt data_segs_in data_segs_out delivery_rate busy_time rwnd_limited sndbuf_limited delivered delivered_ce bytes_sent bytes_retrans dsack_dups reord_seen rcv_ooopack snd_wnd rcv_wnd rehash total_rto total_rto_recoveries total_rto_time received_ce delivered_e1 delivered_e0 delivered_ce_bytes received_e1 received_e0 received_ce_bytes accecn unix.type path peer.path peer.inode peer.owner file.inode file.device_major file.device_minor pending packet.type packet.protocol packet.protocol_number packet.version packet.copy_threshold packet.reserve packet.flags packet.rx_ring packet.rx_frames packet.rx_frame_size packet.tx_ring packet.tx_frames packet.tx_frame_size packet.fanout_id packet.fanout_mode packet.memberships packet.filter netlink.protocol netlink.protocol_number netlink.port_id netlink.peer_port_id netlink.groups netlink.flags raw.ip_protocol raw.ip_protocol_number mptcp.connections vsock.type xdp.queue_id xdp.rx_entries xdp.tx_entries xdp.fill_entries xdp.completion_entries xdp.umem_id xdp.umem_size xdp.umem_chunk_size xdp.umem_headroom xdp.umem_users xdp.zero_copy xdp.rx_dropped xdp.rx_invalid xdp.rx_full xdp.fill_ring_empty xdp.tx_invalid xdp.tx_ring_empty tipc.type tipc.recv_messages tipc.send_messages tipc.drops tipc.congested tipc.published tipc.via_type tipc.via_instance sctp.locals sctp.peers sctp.association_state sctp.rwnd sctp.peer_rwnd sctp.unacked sctp.pending sctp.in_streams sctp.out_streams sctp.tag sctp.peer_tag mptcp.subflows_extra mptcp.add_addr_signal mptcp.add_addr_accepted mptcp.subflows_max mptcp.add_addr_signal_max mptcp.add_addr_accepted_max mptcp.flags mptcp.token mptcp.write_seq mptcp.snd_una mptcp.rcv_nxt mptcp.local_addr_used mptcp.local_addr_max mptcp.csum_enabled mptcp.retransmits mptcp.bytes_retrans mptcp.bytes_sent mptcp.bytes_received mptcp.bytes_acked mptcp.subflows_total mptcp.endp_laminar_max mptcp.last_data_sent mptcp.last_data_recv mptcp.last_ack_recv"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --query)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --socket)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -A)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --family)
                    COMPREPLY=($(compgen -W "inet inet6 unix link netlink vsock tipc xdp" -- "${cur}"))
                    return 0
                    ;;
                -f)
                    COMPREPLY=($(compgen -W "inet inet6 unix link netlink vsock tipc xdp" -- "${cur}"))
                    return 0
                    ;;
                --columns)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --sort)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --group-by)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --limit)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --format)
                    COMPREPLY=($(compgen -W "table ss json ndjson csv" -- "${cur}"))
                    return 0
                    ;;
                --color)
                    COMPREPLY=($(compgen -W "auto always never" -- "${cur}"))
                    return 0
                    ;;
                --watch)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --times)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --source)
                    COMPREPLY=($(compgen -W "auto netlink proc" -- "${cur}"))
                    return 0
                    ;;
                --proc-root)
                    COMPREPLY=()
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o plusdirs
                    fi
                    return 0
                    ;;
                --netns)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -N)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --from)
                    local oldifs
                    if [ -n "${IFS+x}" ]; then
                        oldifs="$IFS"
                    fi
                    IFS=$'\n'
                    COMPREPLY=($(compgen -f "${cur}"))
                    if [ -n "${oldifs+x}" ]; then
                        IFS="$oldifs"
                    fi
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o filenames
                    fi
                    return 0
                    ;;
                --owner-deadline)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --diag)
                    local oldifs
                    if [ -n "${IFS+x}" ]; then
                        oldifs="$IFS"
                    fi
                    IFS=$'\n'
                    COMPREPLY=($(compgen -f "${cur}"))
                    if [ -n "${oldifs+x}" ]; then
                        IFS="$oldifs"
                    fi
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o filenames
                    fi
                    return 0
                    ;;
                -D)
                    local oldifs
                    if [ -n "${IFS+x}" ]; then
                        oldifs="$IFS"
                    fi
                    IFS=$'\n'
                    COMPREPLY=($(compgen -f "${cur}"))
                    if [ -n "${oldifs+x}" ]; then
                        IFS="$oldifs"
                    fi
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o filenames
                    fi
                    return 0
                    ;;
                --filter)
                    local oldifs
                    if [ -n "${IFS+x}" ]; then
                        oldifs="$IFS"
                    fi
                    IFS=$'\n'
                    COMPREPLY=($(compgen -f "${cur}"))
                    if [ -n "${oldifs+x}" ]; then
                        IFS="$oldifs"
                    fi
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o filenames
                    fi
                    return 0
                    ;;
                -F)
                    local oldifs
                    if [ -n "${IFS+x}" ]; then
                        oldifs="$IFS"
                    fi
                    IFS=$'\n'
                    COMPREPLY=($(compgen -f "${cur}"))
                    if [ -n "${oldifs+x}" ]; then
                        IFS="$oldifs"
                    fi
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o filenames
                    fi
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        sockeye__subcmd__schema)
            opts="-h --help sockets socket groups count capacity event doctor explain kill namespaces overview snapshot diff summary time-wait"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        sockeye__subcmd__snapshot)
            opts="-o -t -u -N -h --output --tcp --udp --interval --redact --source --proc-root --netns --all-netns --from --owner-deadline --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --output)
                    local oldifs
                    if [ -n "${IFS+x}" ]; then
                        oldifs="$IFS"
                    fi
                    IFS=$'\n'
                    COMPREPLY=($(compgen -f "${cur}"))
                    if [ -n "${oldifs+x}" ]; then
                        IFS="$oldifs"
                    fi
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o filenames
                    fi
                    return 0
                    ;;
                -o)
                    local oldifs
                    if [ -n "${IFS+x}" ]; then
                        oldifs="$IFS"
                    fi
                    IFS=$'\n'
                    COMPREPLY=($(compgen -f "${cur}"))
                    if [ -n "${oldifs+x}" ]; then
                        IFS="$oldifs"
                    fi
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o filenames
                    fi
                    return 0
                    ;;
                --interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --source)
                    COMPREPLY=($(compgen -W "auto netlink proc" -- "${cur}"))
                    return 0
                    ;;
                --proc-root)
                    COMPREPLY=()
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o plusdirs
                    fi
                    return 0
                    ;;
                --netns)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -N)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --from)
                    local oldifs
                    if [ -n "${IFS+x}" ]; then
                        oldifs="$IFS"
                    fi
                    IFS=$'\n'
                    COMPREPLY=($(compgen -f "${cur}"))
                    if [ -n "${oldifs+x}" ]; then
                        IFS="$oldifs"
                    fi
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o filenames
                    fi
                    return 0
                    ;;
                --owner-deadline)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        sockeye__subcmd__summary)
            opts="-N -h --format --json --ndjson --color --watch --times --source --proc-root --netns --all-netns --from --owner-deadline --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --format)
                    COMPREPLY=($(compgen -W "table json ndjson" -- "${cur}"))
                    return 0
                    ;;
                --color)
                    COMPREPLY=($(compgen -W "auto always never" -- "${cur}"))
                    return 0
                    ;;
                --watch)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --times)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --source)
                    COMPREPLY=($(compgen -W "auto netlink proc" -- "${cur}"))
                    return 0
                    ;;
                --proc-root)
                    COMPREPLY=()
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o plusdirs
                    fi
                    return 0
                    ;;
                --netns)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -N)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --from)
                    local oldifs
                    if [ -n "${IFS+x}" ]; then
                        oldifs="$IFS"
                    fi
                    IFS=$'\n'
                    COMPREPLY=($(compgen -f "${cur}"))
                    if [ -n "${oldifs+x}" ]; then
                        IFS="$oldifs"
                    fi
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o filenames
                    fi
                    return 0
                    ;;
                --owner-deadline)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        sockeye__subcmd__time__subcmd__wait)
            opts="-N -h --interval --limit --format --json --ndjson --color --watch --times --source --proc-root --netns --all-netns --from --owner-deadline --help"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --limit)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --format)
                    COMPREPLY=($(compgen -W "table json ndjson" -- "${cur}"))
                    return 0
                    ;;
                --color)
                    COMPREPLY=($(compgen -W "auto always never" -- "${cur}"))
                    return 0
                    ;;
                --watch)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --times)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --source)
                    COMPREPLY=($(compgen -W "auto netlink proc" -- "${cur}"))
                    return 0
                    ;;
                --proc-root)
                    COMPREPLY=()
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o plusdirs
                    fi
                    return 0
                    ;;
                --netns)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -N)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --from)
                    local oldifs
                    if [ -n "${IFS+x}" ]; then
                        oldifs="$IFS"
                    fi
                    IFS=$'\n'
                    COMPREPLY=($(compgen -f "${cur}"))
                    if [ -n "${oldifs+x}" ]; then
                        IFS="$oldifs"
                    fi
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o filenames
                    fi
                    return 0
                    ;;
                --owner-deadline)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        sockeye__subcmd__trace)
            opts="-t -u -w -x -M -S -d -0 -A -f -a -l -B -4 -6 -p -T -Z -z -b -o -e -i -m -Q -n -r -s -H -O -E -K -q -N -D -F -h --events-from --for --interval --tcp --udp --raw --unix --mptcp --sctp --dccp --packet --vsock --xdp --tipc --socket --query --family --all --listening --bound-inactive --ipv4 --ipv6 --processes --threads --context --contexts --bpf --options --extended --info --memory --tos --cgroup --inet-sockopt --tipcinfo --bpf-maps --no-queues --numeric --resolve --columns --sort --group-by --limit --summary --count --format --json --ndjson --no-header --oneline --events --kill --quiet --color --watch --times --source --proc-root --netns --all-netns --from --owner-deadline --diag --filter --help CLOSED LISTEN SYN_SENT SYN_RCVD ESTABLISHED CLOSE_WAIT LAST_ACK FIN_WAIT_1 FIN_WAIT_2 CLOSING TIME_WAIT BOUND_INACTIVE UNCONNECTED and or not in state exclude src dst sport dport port host dev fwmark cgroup autobound tcp udp netid type protocol family state_number recv_queue send_queue accept_queue accept_queue_limit local local.address local.port local.interface peer peer.address peer.port inode cookie uid user timer timer.expires retransmits age netns netns.name netns.kind mark v6only shutdown tos congestion rmem rcvbuf wmem sndbuf fwd_alloc wmem_queued optmem lock_backlog drops owner process pid fd tid context socket_context unit container container.id pod owner_unknown peer.process peer.pid peer.unit peer.container peer.pod peer.netns peer.netns.name tclass class_id sockopt bbr.bandwidth bbr.min_rtt bbr.pacing_gain bbr.cwnd_gain dctcp.enabled dctcp.ce_state dctcp.alpha dctcp.acked_ecn dctcp.acked vegas.enabled vegas.rtt_count vegas.rtt vegas.min_rtt ulp ulp.tls_version ulp.tls_cipher ulp.tls_sending ulp.tls_receiving ulp.tls_zerocopy ulp.tls_no_padding ulp.mptcp_flags ulp.mptcp_token_local ulp.mptcp_token_remote ulp.mptcp_id_local ulp.mptcp_id_remote ulp.mptcp_map_seq ulp.mptcp_map_subflow_seq ulp.mptcp_ssn_offset ulp.mptcp_map md5 bpf_maps ca_state rto_retransmits probes backoff tcp_options snd_wscale rcv_wscale app_limited fastopen_client_fail rto ato mss rcv_mss unacked sacked lost retrans fackets last_data_sent last_data_recv last_ack_recv pmtu rcv_ssthresh rtt rttvar ssthresh cwnd advmss reordering rcv_rtt rcv_space total_retrans pacing_rate max_pacing_rate bytes_acked bytes_received segs_out segs_in notsent min_rtt data_segs_in data_segs_out delivery_rate busy_time rwnd_limited sndbuf_limited delivered delivered_ce bytes_sent bytes_retrans dsack_dups reord_seen rcv_ooopack snd_wnd rcv_wnd rehash total_rto total_rto_recoveries total_rto_time received_ce delivered_e1 delivered_e0 delivered_ce_bytes received_e1 received_e0 received_ce_bytes accecn unix.type path peer.path peer.inode peer.owner file.inode file.device_major file.device_minor pending packet.type packet.protocol packet.protocol_number packet.version packet.copy_threshold packet.reserve packet.flags packet.rx_ring packet.rx_frames packet.rx_frame_size packet.tx_ring packet.tx_frames packet.tx_frame_size packet.fanout_id packet.fanout_mode packet.memberships packet.filter netlink.protocol netlink.protocol_number netlink.port_id netlink.peer_port_id netlink.groups netlink.flags raw.ip_protocol raw.ip_protocol_number mptcp.connections vsock.type xdp.queue_id xdp.rx_entries xdp.tx_entries xdp.fill_entries xdp.completion_entries xdp.umem_id xdp.umem_size xdp.umem_chunk_size xdp.umem_headroom xdp.umem_users xdp.zero_copy xdp.rx_dropped xdp.rx_invalid xdp.rx_full xdp.fill_ring_empty xdp.tx_invalid xdp.tx_ring_empty tipc.type tipc.recv_messages tipc.send_messages tipc.drops tipc.congested tipc.published tipc.via_type tipc.via_instance sctp.locals sctp.peers sctp.association_state sctp.rwnd sctp.peer_rwnd sctp.unacked sctp.pending sctp.in_streams sctp.out_streams sctp.tag sctp.peer_tag mptcp.subflows_extra mptcp.add_addr_signal mptcp.add_addr_accepted mptcp.subflows_max mptcp.add_addr_signal_max mptcp.add_addr_accepted_max mptcp.flags mptcp.token mptcp.write_seq mptcp.snd_una mptcp.rcv_nxt mptcp.local_addr_used mptcp.local_addr_max mptcp.csum_enabled mptcp.retransmits mptcp.bytes_retrans mptcp.bytes_sent mptcp.bytes_received mptcp.bytes_acked mptcp.subflows_total mptcp.endp_laminar_max mptcp.last_data_sent mptcp.last_data_recv mptcp.last_ack_recv"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --events-from)
                    COMPREPLY=($(compgen -W "auto tracepoint destroy poll" -- "${cur}"))
                    return 0
                    ;;
                --for)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --query)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --socket)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -A)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --family)
                    COMPREPLY=($(compgen -W "inet inet6 unix link netlink vsock tipc xdp" -- "${cur}"))
                    return 0
                    ;;
                -f)
                    COMPREPLY=($(compgen -W "inet inet6 unix link netlink vsock tipc xdp" -- "${cur}"))
                    return 0
                    ;;
                --columns)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --sort)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --group-by)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --limit)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --format)
                    COMPREPLY=($(compgen -W "table ss json ndjson csv" -- "${cur}"))
                    return 0
                    ;;
                --color)
                    COMPREPLY=($(compgen -W "auto always never" -- "${cur}"))
                    return 0
                    ;;
                --watch)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --times)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --source)
                    COMPREPLY=($(compgen -W "auto netlink proc" -- "${cur}"))
                    return 0
                    ;;
                --proc-root)
                    COMPREPLY=()
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o plusdirs
                    fi
                    return 0
                    ;;
                --netns)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -N)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --from)
                    local oldifs
                    if [ -n "${IFS+x}" ]; then
                        oldifs="$IFS"
                    fi
                    IFS=$'\n'
                    COMPREPLY=($(compgen -f "${cur}"))
                    if [ -n "${oldifs+x}" ]; then
                        IFS="$oldifs"
                    fi
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o filenames
                    fi
                    return 0
                    ;;
                --owner-deadline)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --diag)
                    local oldifs
                    if [ -n "${IFS+x}" ]; then
                        oldifs="$IFS"
                    fi
                    IFS=$'\n'
                    COMPREPLY=($(compgen -f "${cur}"))
                    if [ -n "${oldifs+x}" ]; then
                        IFS="$oldifs"
                    fi
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o filenames
                    fi
                    return 0
                    ;;
                -D)
                    local oldifs
                    if [ -n "${IFS+x}" ]; then
                        oldifs="$IFS"
                    fi
                    IFS=$'\n'
                    COMPREPLY=($(compgen -f "${cur}"))
                    if [ -n "${oldifs+x}" ]; then
                        IFS="$oldifs"
                    fi
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o filenames
                    fi
                    return 0
                    ;;
                --filter)
                    local oldifs
                    if [ -n "${IFS+x}" ]; then
                        oldifs="$IFS"
                    fi
                    IFS=$'\n'
                    COMPREPLY=($(compgen -f "${cur}"))
                    if [ -n "${oldifs+x}" ]; then
                        IFS="$oldifs"
                    fi
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o filenames
                    fi
                    return 0
                    ;;
                -F)
                    local oldifs
                    if [ -n "${IFS+x}" ]; then
                        oldifs="$IFS"
                    fi
                    IFS=$'\n'
                    COMPREPLY=($(compgen -f "${cur}"))
                    if [ -n "${oldifs+x}" ]; then
                        IFS="$oldifs"
                    fi
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o filenames
                    fi
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
        sockeye__subcmd__watch)
            opts="-t -u -w -M -S -d -A -4 -6 -F -N -h --tcp --udp --raw --mptcp --sctp --dccp --socket --query --ipv4 --ipv6 --filter --state --group-by --sort --no-fold --totals --interval --ndjson --mouse --theme --color --source --proc-root --netns --all-netns --from --owner-deadline --help CLOSED LISTEN SYN_SENT SYN_RCVD ESTABLISHED CLOSE_WAIT LAST_ACK FIN_WAIT_1 FIN_WAIT_2 CLOSING TIME_WAIT BOUND_INACTIVE UNCONNECTED and or not in state exclude src dst sport dport port host dev fwmark cgroup autobound tcp udp netid type protocol family state_number recv_queue send_queue accept_queue accept_queue_limit local local.address local.port local.interface peer peer.address peer.port inode cookie uid user timer timer.expires retransmits age netns netns.name netns.kind mark v6only shutdown tos congestion rmem rcvbuf wmem sndbuf fwd_alloc wmem_queued optmem lock_backlog drops owner process pid fd tid context socket_context unit container container.id pod owner_unknown peer.process peer.pid peer.unit peer.container peer.pod peer.netns peer.netns.name tclass class_id sockopt bbr.bandwidth bbr.min_rtt bbr.pacing_gain bbr.cwnd_gain dctcp.enabled dctcp.ce_state dctcp.alpha dctcp.acked_ecn dctcp.acked vegas.enabled vegas.rtt_count vegas.rtt vegas.min_rtt ulp ulp.tls_version ulp.tls_cipher ulp.tls_sending ulp.tls_receiving ulp.tls_zerocopy ulp.tls_no_padding ulp.mptcp_flags ulp.mptcp_token_local ulp.mptcp_token_remote ulp.mptcp_id_local ulp.mptcp_id_remote ulp.mptcp_map_seq ulp.mptcp_map_subflow_seq ulp.mptcp_ssn_offset ulp.mptcp_map md5 bpf_maps ca_state rto_retransmits probes backoff tcp_options snd_wscale rcv_wscale app_limited fastopen_client_fail rto ato mss rcv_mss unacked sacked lost retrans fackets last_data_sent last_data_recv last_ack_recv pmtu rcv_ssthresh rtt rttvar ssthresh cwnd advmss reordering rcv_rtt rcv_space total_retrans pacing_rate max_pacing_rate bytes_acked bytes_received segs_out segs_in notsent min_rtt data_segs_in data_segs_out delivery_rate busy_time rwnd_limited sndbuf_limited delivered delivered_ce bytes_sent bytes_retrans dsack_dups reord_seen rcv_ooopack snd_wnd rcv_wnd rehash total_rto total_rto_recoveries total_rto_time received_ce delivered_e1 delivered_e0 delivered_ce_bytes received_e1 received_e0 received_ce_bytes accecn unix.type path peer.path peer.inode peer.owner file.inode file.device_major file.device_minor pending packet.type packet.protocol packet.protocol_number packet.version packet.copy_threshold packet.reserve packet.flags packet.rx_ring packet.rx_frames packet.rx_frame_size packet.tx_ring packet.tx_frames packet.tx_frame_size packet.fanout_id packet.fanout_mode packet.memberships packet.filter netlink.protocol netlink.protocol_number netlink.port_id netlink.peer_port_id netlink.groups netlink.flags raw.ip_protocol raw.ip_protocol_number mptcp.connections vsock.type xdp.queue_id xdp.rx_entries xdp.tx_entries xdp.fill_entries xdp.completion_entries xdp.umem_id xdp.umem_size xdp.umem_chunk_size xdp.umem_headroom xdp.umem_users xdp.zero_copy xdp.rx_dropped xdp.rx_invalid xdp.rx_full xdp.fill_ring_empty xdp.tx_invalid xdp.tx_ring_empty tipc.type tipc.recv_messages tipc.send_messages tipc.drops tipc.congested tipc.published tipc.via_type tipc.via_instance sctp.locals sctp.peers sctp.association_state sctp.rwnd sctp.peer_rwnd sctp.unacked sctp.pending sctp.in_streams sctp.out_streams sctp.tag sctp.peer_tag mptcp.subflows_extra mptcp.add_addr_signal mptcp.add_addr_accepted mptcp.subflows_max mptcp.add_addr_signal_max mptcp.add_addr_accepted_max mptcp.flags mptcp.token mptcp.write_seq mptcp.snd_una mptcp.rcv_nxt mptcp.local_addr_used mptcp.local_addr_max mptcp.csum_enabled mptcp.retransmits mptcp.bytes_retrans mptcp.bytes_sent mptcp.bytes_received mptcp.bytes_acked mptcp.subflows_total mptcp.endp_laminar_max mptcp.last_data_sent mptcp.last_data_recv mptcp.last_ack_recv"
            if [[ ${cur} == -* || ${COMP_CWORD} -eq 2 ]] ; then
                COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
                return 0
            fi
            case "${prev}" in
                --query)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --socket)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -A)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --filter)
                    local oldifs
                    if [ -n "${IFS+x}" ]; then
                        oldifs="$IFS"
                    fi
                    IFS=$'\n'
                    COMPREPLY=($(compgen -f "${cur}"))
                    if [ -n "${oldifs+x}" ]; then
                        IFS="$oldifs"
                    fi
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o filenames
                    fi
                    return 0
                    ;;
                -F)
                    local oldifs
                    if [ -n "${IFS+x}" ]; then
                        oldifs="$IFS"
                    fi
                    IFS=$'\n'
                    COMPREPLY=($(compgen -f "${cur}"))
                    if [ -n "${oldifs+x}" ]; then
                        IFS="$oldifs"
                    fi
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o filenames
                    fi
                    return 0
                    ;;
                --state)
                    COMPREPLY=($(compgen -W "ESTABLISHED TIME_WAIT CLOSE_WAIT LISTEN SYN_SENT SYN_RCVD FIN_WAIT_1 FIN_WAIT_2 LAST_ACK CLOSING UNCONNECTED" -- "${cur}"))
                    return 0
                    ;;
                --group-by)
                    COMPREPLY=($(compgen -W "process peer port container netns state" -- "${cur}"))
                    return 0
                    ;;
                --sort)
                    COMPREPLY=($(compgen -W "queues in out retransmits rtt sockets process local peer state age" -- "${cur}"))
                    return 0
                    ;;
                --interval)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --theme)
                    COMPREPLY=($(compgen -W "auto light dark" -- "${cur}"))
                    return 0
                    ;;
                --color)
                    COMPREPLY=($(compgen -W "auto always never" -- "${cur}"))
                    return 0
                    ;;
                --source)
                    COMPREPLY=($(compgen -W "auto netlink proc" -- "${cur}"))
                    return 0
                    ;;
                --proc-root)
                    COMPREPLY=()
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o plusdirs
                    fi
                    return 0
                    ;;
                --netns)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                -N)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                --from)
                    local oldifs
                    if [ -n "${IFS+x}" ]; then
                        oldifs="$IFS"
                    fi
                    IFS=$'\n'
                    COMPREPLY=($(compgen -f "${cur}"))
                    if [ -n "${oldifs+x}" ]; then
                        IFS="$oldifs"
                    fi
                    if [[ "${BASH_VERSINFO[0]}" -ge 4 ]]; then
                        compopt -o filenames
                    fi
                    return 0
                    ;;
                --owner-deadline)
                    COMPREPLY=($(compgen -f "${cur}"))
                    return 0
                    ;;
                *)
                    COMPREPLY=()
                    ;;
            esac
            COMPREPLY=( $(compgen -W "${opts}" -- "${cur}") )
            return 0
            ;;
    esac
}

_sockeye_ids="netid type protocol family state state_number recv_queue send_queue accept_queue accept_queue_limit local local.address local.port local.interface peer peer.address peer.port inode cookie uid user timer timer.expires retransmits age netns netns.name netns.kind cgroup mark v6only shutdown tos congestion rmem rcvbuf wmem sndbuf fwd_alloc wmem_queued optmem lock_backlog drops owner process pid fd tid context socket_context unit container container.id pod owner_unknown peer.process peer.pid peer.unit peer.container peer.pod peer.netns peer.netns.name tclass class_id sockopt bbr.bandwidth bbr.min_rtt bbr.pacing_gain bbr.cwnd_gain dctcp.enabled dctcp.ce_state dctcp.alpha dctcp.acked_ecn dctcp.acked vegas.enabled vegas.rtt_count vegas.rtt vegas.min_rtt ulp ulp.tls_version ulp.tls_cipher ulp.tls_sending ulp.tls_receiving ulp.tls_zerocopy ulp.tls_no_padding ulp.mptcp_flags ulp.mptcp_token_local ulp.mptcp_token_remote ulp.mptcp_id_local ulp.mptcp_id_remote ulp.mptcp_map_seq ulp.mptcp_map_subflow_seq ulp.mptcp_ssn_offset ulp.mptcp_map md5 bpf_maps ca_state rto_retransmits probes backoff tcp_options snd_wscale rcv_wscale app_limited fastopen_client_fail rto ato mss rcv_mss unacked sacked lost retrans fackets last_data_sent last_data_recv last_ack_recv pmtu rcv_ssthresh rtt rttvar ssthresh cwnd advmss reordering rcv_rtt rcv_space total_retrans pacing_rate max_pacing_rate bytes_acked bytes_received segs_out segs_in notsent min_rtt data_segs_in data_segs_out delivery_rate busy_time rwnd_limited sndbuf_limited delivered delivered_ce bytes_sent bytes_retrans dsack_dups reord_seen rcv_ooopack snd_wnd rcv_wnd rehash total_rto total_rto_recoveries total_rto_time received_ce delivered_e1 delivered_e0 delivered_ce_bytes received_e1 received_e0 received_ce_bytes accecn unix.type path peer.path peer.inode peer.owner file.inode file.device_major file.device_minor pending packet.type packet.protocol packet.protocol_number packet.version packet.copy_threshold packet.reserve packet.flags packet.rx_ring packet.rx_frames packet.rx_frame_size packet.tx_ring packet.tx_frames packet.tx_frame_size packet.fanout_id packet.fanout_mode packet.memberships packet.filter netlink.protocol netlink.protocol_number netlink.port_id netlink.peer_port_id netlink.groups netlink.flags raw.ip_protocol raw.ip_protocol_number mptcp.connections vsock.type xdp.queue_id xdp.rx_entries xdp.tx_entries xdp.fill_entries xdp.completion_entries xdp.umem_id xdp.umem_size xdp.umem_chunk_size xdp.umem_headroom xdp.umem_users xdp.zero_copy xdp.rx_dropped xdp.rx_invalid xdp.rx_full xdp.fill_ring_empty xdp.tx_invalid xdp.tx_ring_empty tipc.type tipc.recv_messages tipc.send_messages tipc.drops tipc.congested tipc.published tipc.via_type tipc.via_instance sctp.locals sctp.peers sctp.association_state sctp.rwnd sctp.peer_rwnd sctp.unacked sctp.pending sctp.in_streams sctp.out_streams sctp.tag sctp.peer_tag mptcp.subflows_extra mptcp.add_addr_signal mptcp.add_addr_accepted mptcp.subflows_max mptcp.add_addr_signal_max mptcp.add_addr_accepted_max mptcp.flags mptcp.token mptcp.write_seq mptcp.snd_una mptcp.rcv_nxt mptcp.local_addr_used mptcp.local_addr_max mptcp.csum_enabled mptcp.retransmits mptcp.bytes_retrans mptcp.bytes_sent mptcp.bytes_received mptcp.bytes_acked mptcp.subflows_total mptcp.endp_laminar_max mptcp.last_data_sent mptcp.last_data_recv mptcp.last_ack_recv"
_sockeye_table_names="all inet tcp udp udplite raw icmp mptcp sctp dccp unix unix_stream u_str unix_dgram u_dgr unix_seqpacket u_seq packet packet_raw p_raw packet_dgram p_dgr netlink vsock vsock_stream v_str vsock_dgram v_dgr xdp tipc"
_sockeye_rule_names="time-wait-server-side short-lived-connections ephemeral-port-pressure time-wait-bucket-overflow time-wait-memory time-wait-syn-collision time-wait-blocks-restart tw-sysctl-lint connect-port-scan bind-before-connect service-port-in-ephemeral-range port-range-too-wide udp-port-exhaustion self-connect snat-exhaustion-suspected accept-queue-overflow listen-backlog-small accept-stalled syn-queue-pressure syn-recv-return-path listen-drops-other reuseport-skew refused-storm close-wait-leak close-wait-idle-pool fin-wait2-owned fin-wait2-orphan orphan-pressure last-ack-stuck abortive-close keepalive-race syn-sent-stuck peer-unreachable half-open-suspect keepalive-slower-than-path retransmit-rate rto-heavy-peer pmtu-blackhole peer-not-reading we-are-not-reading send-buffer-limited tcp-memory-pressure tcp-receive-drops udp-receive-drops softnet-drops max-connections-estimate fd-limit-process fd-limit-host app-limit-hint conntrack-table-full conntrack-insert-failed conntrack-invalid neighbor-table-overflow client-concentration reconnect-storm connection-age-skew sysctl-scope-mismatch ghost-socket-fds visibility-limited"

# Column ids: what follows the last comma is completed, and what stands before it stays.
_sockeye_columns() {
    local before=""
    [[ $1 == *,* ]] && before="${1%,*},"
    COMPREPLY=( $(compgen -P "$before" -W "$_sockeye_ids" -- "${1##*,}") )
    compopt -o nospace 2>/dev/null
}

# Rules of the doctor, likewise.
_sockeye_rules() {
    local before=""
    [[ $1 == *,* ]] && before="${1%,*},"
    COMPREPLY=( $(compgen -P "$before" -W "$_sockeye_rule_names" -- "${1##*,}") )
    compopt -o nospace 2>/dev/null
}

# Tables of sockets, likewise; `!` excludes one.
_sockeye_tables() {
    local before="" word="${1##*,}"
    [[ $1 == *,* ]] && before="${1%,*},"
    [[ $word == !* ]] && before="$before!" word="${word#!}"
    COMPREPLY=( $(compgen -P "$before" -W "$_sockeye_table_names" -- "$word") )
    compopt -o nospace 2>/dev/null
}

# A column id, perhaps behind the sign that turns the order round.
_sockeye_order() {
    local sign=""
    [[ $1 == -* ]] && sign="-"
    COMPREPLY=( $(compgen -P "$sign" -W "$_sockeye_ids" -- "${1#-}") )
}

# Names that `ip netns` keeps; where none fits, bash goes on to paths.
_sockeye_namespaces() {
    local path
    for path in /run/netns/*; do
        path="${path##*/}"
        [[ -e /run/netns/$path && $path == "$1"* ]] && COMPREPLY+=( "$(printf '%q' "$path")" )
    done
}

_sockeye_values() {
    local cur="$2" prev="$3"
    COMPREPLY=()
    if [[ $cur == "=" ]]; then
        cur=""
    elif [[ $prev == "=" && $COMP_CWORD -ge 2 ]]; then
        prev="${COMP_WORDS[COMP_CWORD-2]}"
    fi
    # The watch has orders and groupings of its own, which the generated function lists.
    case " ${COMP_WORDS[*]} $prev" in
        *" watch "*" --sort"|*" watch "*" --group-by") _sockeye "$1" "$cur" "$prev"; return ;;
    esac
    case "$prev" in
        -A|--query) _sockeye_tables "$cur"; return ;;
        --columns) _sockeye_columns "$cur"; return ;;
        --sort) _sockeye_order "$cur"; return ;;
        --group-by) _sockeye_columns "$cur"; return ;;
        -N|--netns) _sockeye_namespaces "$cur"; return ;;
        --only) _sockeye_rules "$cur"; return ;;
        --skip) _sockeye_rules "$cur"; return ;;
    esac
    _sockeye "$1" "$cur" "$prev"
}

if [[ "${BASH_VERSINFO[0]}" -eq 4 && "${BASH_VERSINFO[1]}" -ge 4 || "${BASH_VERSINFO[0]}" -gt 4 ]]; then
    complete -F _sockeye_values -o nosort -o bashdefault -o default sockeye
else
    complete -F _sockeye_values -o bashdefault -o default sockeye
fi
