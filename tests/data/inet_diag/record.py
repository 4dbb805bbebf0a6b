#!/usr/bin/env python3
"""Records answers of NETLINK_SOCK_DIAG for tests/it/wire.rs, one file a socket.

Run it as root in a network namespace of its own, from this directory:

    ip netns add record && ip -n record link set lo up
    ip netns exec record python3 record.py; ip netns delete record

Each file has the answer's payload (what follows `struct nlmsghdr`) in hexadecimal, below lines
that begin with `#`: what made the socket, the kernel, the architecture and the date.
`datagram.hex` is one whole datagram of a dump, headers included.
"""

import datetime
import os
import socket
import struct
import subprocess
import time

# MEMINFO, INFO, VEGASINFO, CONG, TOS, TCLASS, SKMEMINFO: every extension the byte can hold.
EVERY_EXTENSION = 0x7F
TCP, UDP = socket.IPPROTO_TCP, socket.IPPROTO_UDP
V4, V6 = socket.AF_INET, socket.AF_INET6
kept = []


def datagrams(family, protocol, states=0xFFFFFFFF & ~(1 << 13)):
    """Dumps one family and protocol; yields each datagram."""
    netlink = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 4)
    netlink.settimeout(5)
    body = struct.pack("=BBBBI", family, protocol, EVERY_EXTENSION, 0, states) + bytes(48)
    netlink.send(struct.pack("=IHHII", 16 + len(body), 20, 0x301, 1, 0) + body)
    for _ in range(100):
        datagram = netlink.recv(65536)
        yield datagram
        if any(kind == 3 for kind, _ in messages(datagram)):
            return


def messages(datagram):
    at = 0
    while at < len(datagram):
        length, kind = struct.unpack_from("=IH", datagram, at)
        yield kind, datagram[at + 16 : at + length]
        at += (length + 3) // 4 * 4


def find(family, protocol, port, state=None, peer=None):
    """The answer about the socket at a local port."""
    for datagram in datagrams(family, protocol):
        for kind, payload in messages(datagram):
            if kind != 20:
                continue
            local, remote = struct.unpack_from(">HH", payload, 4)
            if local == port and state in (None, payload[1]) and peer in (None, remote):
                return payload
    return None


def until(condition, seconds=30):
    """Polls until there is an answer."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        answer = condition()
        if answer:
            return answer
        time.sleep(0.02)
    raise SystemExit("a state was not reached")


def write(name, made_by, payload):
    with open(f"{name}.hex", "w", encoding="ascii") as out:
        release, machine = os.uname().release.split("-")[0], os.uname().machine
        out.write(f"# {made_by}\n# Linux {release}, {machine}, {datetime.date.today()}\n")
        for at in range(0, len(payload), 32):
            out.write(payload[at : at + 32].hex() + "\n")


def record(name, made_by, family, protocol, port, state=None, peer=None, ready=lambda p: True):
    def look():
        payload = find(family, protocol, port, state, peer)
        return payload if payload and ready(payload) else None

    write(name, made_by, until(look))


def made(family, kind, local=None):
    s = socket.socket(family, kind)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if local:
        s.bind(local)
    kept.append(s)
    return s


def pair(listener, local):
    client = made(listener.family, socket.SOCK_STREAM, local)
    client.connect(listener.getsockname()[:2])
    server, _ = listener.accept()
    kept.append(server)
    return client, server


listener = made(V4, socket.SOCK_STREAM, ("127.0.0.1", 8080))
listener.listen(7)
waiting = made(V4, socket.SOCK_STREAM, ("127.0.0.1", 40000))
waiting.connect(("127.0.0.1", 8080))
record("listen4", "bind 127.0.0.1:8080, listen(7), one connection not accepted", V4, TCP, 8080, 10,
       ready=lambda p: struct.unpack_from("=I", p, 56)[0] == 1)
record("not_accepted4", "the server's end of that connection", V4, TCP, 8080, 1)
listener.accept()[0].close()
waiting.close()

listener6 = made(V6, socket.SOCK_STREAM)
listener6.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
listener6.bind(("::", 8081))
listener6.listen(16)
record("listen6", "IPV6_V6ONLY, bind [::]:8081, listen(16)", V6, TCP, 8081, 10)

client, server = pair(listener, ("127.0.0.1", 40001))
client.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
client.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, 0x10)
client.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, 42)
server.send(b"seven b")
record("established4", "connect to 127.0.0.1:8080, SO_KEEPALIVE, IP_TOS 0x10, SO_MARK 42, 7 bytes unread",
       V4, TCP, 40001, ready=lambda p: struct.unpack_from("=I", p, 56)[0] == 7)

pair(listener6, ("::1", 40002))
record("established6", "connect to [::1]:8081", V6, TCP, 40002)

mapped = made(V6, socket.SOCK_STREAM, ("::ffff:127.0.0.1", 40003))
mapped.connect(("::ffff:127.0.0.1", 8080))
kept.append(listener.accept()[0])
record("mapped6", "an AF_INET6 socket connects to ::ffff:127.0.0.1, port 8080", V6, TCP, 40003)

client, server = pair(listener, ("127.0.0.1", 40004))
client.shutdown(socket.SHUT_WR)
record("fin_wait_2", "connect, shutdown(SHUT_WR)", V4, TCP, 40004, 5)
record("close_wait", "the server's end of that connection", V4, TCP, 8080, 8, 40004)

client, server = pair(listener, ("127.0.0.1", 40005))
client.close()
record("fin_wait_2_orphan", "connect, close(2); the peer does not close", V4, TCP, 40005, 5)

client, server = pair(listener, ("127.0.0.1", 40006))
client.close()
server.close()
record("time_wait", "connect, close(2), then the peer closes", V4, TCP, 40006, 6)

client, server = pair(listener6, ("::1", 40007))
client.close()
server.close()
record("time_wait6", "connect to [::1], close(2), then the peer closes", V6, TCP, 40007, 6)

client, server = pair(listener, ("127.0.0.1", 40008))
client.setblocking(False)
try:
    while True:
        client.send(bytes(65536))
except BlockingIOError:
    pass
record("window_probe", "connect, send until the peer, which does not read, announces no window",
       V4, TCP, 40008, ready=lambda p: p[2] == 4 and p[3] > 0)
server.close()

# A neighbour entry with a wrong address swallows what is sent.
ip = ["ip", "link", "add", "black", "type", "veth", "peer", "name", "hole"]
for command in (
    ip,
    "ip address add 10.99.0.1/24 dev black".split(),
    "ip link set black up".split(),
    "ip link set hole up".split(),
    "ip neighbour add 10.99.0.2 lladdr 02:00:00:00:00:99 dev black nud permanent".split(),
):
    subprocess.run(command, check=True)
opening = made(V4, socket.SOCK_STREAM, ("10.99.0.1", 40009))
opening.setblocking(False)
opening.connect_ex(("10.99.0.2", 443))
record("syn_sent", "connect to a neighbour that does not answer, after a retransmission",
       V4, TCP, 40009, 2, ready=lambda p: p[2] == 1 and p[3] > 0)

# Half-open: only the SYN arrives. Sent by hand, for a peer that never answers.
half = made(V4, socket.SOCK_STREAM, ("10.99.0.1", 8082))
half.listen(5)
raw = socket.socket(V4, socket.SOCK_RAW, socket.IPPROTO_RAW)
source, target = socket.inet_aton("10.99.0.2"), socket.inet_aton("10.99.0.1")
syn = struct.pack(">HHIIBBHHH", 50000, 8082, 1, 0, 5 << 4, 2, 64240, 0, 0)
total = sum(struct.unpack(">16H", source + target + struct.pack(">HH", 6, len(syn)) + syn))
check = (total & 0xFFFF) + (total >> 16)
syn = syn[:16] + struct.pack(">H", ~(check + (check >> 16)) & 0xFFFF) + syn[18:]
header = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 0, 0, 0, 64, 6, 0, source, target)
raw.sendto(header + syn, ("10.99.0.1", 0))
record("syn_rcvd", "a SYN from 10.99.0.2:50000 to a listener at 10.99.0.1:8082, never followed up",
       V4, TCP, 8082, 3)

bound = made(V6, socket.SOCK_STREAM, None)
bound.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo\0")
bound.bind(("::1", 8083))
bound.listen(3)
record("listen6_bound", "SO_BINDTODEVICE lo, bind [::1]:8083, listen(3)", V6, TCP, 8083, 10)

made(V4, socket.SOCK_DGRAM, ("127.0.0.1", 5353))
record("udp4", "UDP, bind 127.0.0.1:5353", V4, UDP, 5353)
connected = made(V4, socket.SOCK_DGRAM, ("127.0.0.1", 5354))
connected.connect(("127.0.0.1", 5353))
record("udp4_connected", "UDP, bind 127.0.0.1:5354, connect to 127.0.0.1:5353", V4, UDP, 5354)
made(V6, socket.SOCK_DGRAM, ("::", 5355))
record("udp6", "UDP, bind [::]:5355", V6, UDP, 5355)

write("datagram", "the first datagram of a dump of the IPv4 TCP sockets above", next(datagrams(V4, TCP)))

client, server = pair(listener, ("127.0.0.1", 40010))
client.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
client.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 1)
client.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 1)
subprocess.run("ip link set lo down".split(), check=True)
record("keepalive", "SO_KEEPALIVE, TCP_KEEPIDLE 1, TCP_KEEPINTVL 1, then lo goes down: two probes unanswered",
       V4, TCP, 40010, ready=lambda p: p[2] == 2 and p[3] > 1)
