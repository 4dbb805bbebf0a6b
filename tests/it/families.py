# Sockets of every family this kernel has, in known situations. The first argument is a directory for
# their paths. Prints what was made as JSON when all is in place; everybody ends when standard input
# is closed.

import ctypes, errno, json, os, socket, struct, sys

directory = sys.argv[1]
kept = []


def made(*arguments):
    one = socket.socket(*arguments)
    kept.append(one)
    return one


def inode(one):
    return os.fstat(one.fileno()).st_ino


def path(name):
    return os.path.join(directory, name)


facts = {}

# Unix: a listener with two clients that wait, one that was accepted, and a peer in another process.
listener = made(socket.AF_UNIX, socket.SOCK_STREAM)
listener.bind(path("listener"))
listener.listen(7)
client = made(socket.AF_UNIX, socket.SOCK_STREAM)
client.connect(path("listener"))
accepted = listener.accept()[0]
kept.append(accepted)
accepted.send(b"unread")
waiting = []
for _ in range(2):
    one = made(socket.AF_UNIX, socket.SOCK_STREAM)
    one.connect(path("listener"))
    waiting.append(inode(one))
facts["listener"] = inode(listener)
facts["client"] = inode(client)
facts["accepted"] = inode(accepted)
facts["waiting"] = waiting

# Abstract, seqpacket; a name with a zero byte inside; one the kernel chooses.
sequence = made(socket.AF_UNIX, socket.SOCK_SEQPACKET)
sequence.bind(b"\0so\0ckeye")
sequence.listen(1)
facts["sequence"] = inode(sequence)
chosen = made(socket.AF_UNIX, socket.SOCK_DGRAM)
chosen.bind(b"")
facts["chosen"] = inode(chosen)

# Datagrams: bound, connected, and neither.
target = made(socket.AF_UNIX, socket.SOCK_DGRAM)
target.bind(path("target"))
source = made(socket.AF_UNIX, socket.SOCK_DGRAM)
source.connect(path("target"))
source.send(b"1234567")
facts["target"] = inode(target)
facts["source"] = inode(source)
facts["lonely"] = inode(made(socket.AF_UNIX, socket.SOCK_STREAM))

# A pair, of which a child holds the other end.
here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
facts["pair"] = [inode(here), inode(there)]
life, alive = os.pipe()
told, tell = os.pipe()
child = os.fork()
if child == 0:
    os.close(alive)
    os.close(0)
    for one in kept + [here]:
        one.close()
    with open("/proc/self/comm", "wb", buffering=0) as comm:
        comm.write(b"peer)of (it")
    os.write(tell, b"+")
    os.read(life, 1)
    os._exit(0)
os.close(life)
assert os.read(told, 1) == b"+"
there.close()
kept.append(here)
facts["child"] = child

# Packet: a raw one with both rings, a filter, a fanout group and promiscuous; a datagram one for ARP.
SOL_PACKET, RX_RING, TX_RING, ADD_MEMBERSHIP, FANOUT, AUXDATA = 263, 5, 13, 1, 18, 8
raw = made(socket.AF_PACKET, socket.SOCK_RAW, 0)
ring = struct.pack("IIII", 4096, 8, 2048, 16)
raw.setsockopt(SOL_PACKET, RX_RING, ring)
raw.setsockopt(SOL_PACKET, TX_RING, ring)
raw.setsockopt(SOL_PACKET, AUXDATA, 1)
index = socket.if_nametoindex("lo")
raw.setsockopt(SOL_PACKET, ADD_MEMBERSHIP, struct.pack("iHH8s", index, 1, 0, b""))
program = [(0x28, 0, 0, 12), (0x15, 0, 1, 0x806), (0x6, 0, 0, 65535), (0x6, 0, 0, 0)]
code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in program))
raw.setsockopt(
    socket.SOL_SOCKET, 26, struct.pack("HxxxxxxQ", len(program), ctypes.addressof(code))
)
raw.bind(("lo", 3))
raw.setsockopt(SOL_PACKET, FANOUT, 4711 | 2 << 16)
facts["packet_raw"] = inode(raw)
arp = made(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x806))
facts["packet_dgram"] = inode(arp)
facts["packet_lonely"] = inode(made(socket.AF_PACKET, socket.SOCK_RAW, 0))

# Netlink: with groups, and connected to a group.
netlink = made(socket.AF_NETLINK, socket.SOCK_RAW, 0)
netlink.bind((0, 1 | 1 << 4 | 1 << 30))
netlink.setsockopt(270, 1, 33)
facts["netlink"] = [inode(netlink), netlink.getsockname()[0]]
second = made(socket.AF_NETLINK, socket.SOCK_DGRAM, 16)
second.bind((0, 0))
third = made(socket.AF_NETLINK, socket.SOCK_DGRAM, 16)
third.bind((0, 0))
third.connect((0, 0))
facts["netlink_connected"] = [inode(third), third.getsockname()[0]]

# Raw IP, UDP-Lite, ping.
raw4 = made(socket.AF_INET, socket.SOCK_RAW, 1)
raw6 = made(socket.AF_INET6, socket.SOCK_RAW, 58)
connected = made(socket.AF_INET, socket.SOCK_RAW, 89)
connected.connect(("127.0.0.1", 0))
facts["raw"] = [inode(raw4), inode(raw6), inode(connected)]
for name, family, protocol, address in (
    ("udplite", socket.AF_INET, 136, ("127.0.0.1", 5000)),
    ("ping", socket.AF_INET, 1, ("127.0.0.1", 77)),
):
    try:
        one = made(family, socket.SOCK_DGRAM, protocol)
        one.bind(address)
        facts[name] = [inode(one), one.getsockname()[1]]
    except OSError as error:
        assert error.errno in (errno.EPROTONOSUPPORT, errno.ESOCKTNOSUPPORT), error
        facts[name] = None

# MPTCP: a listener, a connection and its other end.
try:
    server = made(socket.AF_INET, socket.SOCK_STREAM, 262)
    server.bind(("127.0.0.1", 5001))
    server.listen(5)
    dialled = made(socket.AF_INET, socket.SOCK_STREAM, 262)
    dialled.connect(("127.0.0.1", 5001))
    answered = server.accept()[0]
    kept.append(answered)
    dialled.send(b"x")
    answered.recv(1)
    answered.send(b"y")
    dialled.recv(1)
    facts["mptcp"] = [inode(server), inode(dialled), inode(answered)]
    facts["mptcp_port"] = dialled.getsockname()[1]
except OSError as error:
    assert error.errno in (errno.EPROTONOSUPPORT, errno.ENOPROTOOPT), error
    facts["mptcp"] = None

print(json.dumps(facts), flush=True)
sys.stdin.read()
os.close(alive)
os.waitpid(child, 0)
