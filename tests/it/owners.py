# Sockets whose holders came to them in every way there is: opened, duplicated, inherited, passed
# over a Unix socket, and carried into another network namespace. Prints who is who as JSON when all
# is in place; everybody ends when standard input is closed.

import array, ctypes, json, os, socket, sys, time

CLONE_NEWNET = 0x40000000
ADDRESS = ("127.0.0.1", 6001)


def call_me(name):
    with open("/proc/self/comm", "wb", buffering=0) as comm:
        comm.write(name)


def child(name, kept, prepare=lambda: None):
    """A forked process with no sockets but these, that ends when the first process does."""
    told, tell = os.pipe()
    pid = os.fork()
    if pid:
        os.close(tell)
        assert os.read(told, 1) == b"+", name
        os.close(told)
        return pid
    try:
        for end in (life_writer, 0):
            os.close(end)
        for other in list(everything):
            if other not in kept:
                other.close()
        prepare()
        call_me(name)
        os.write(tell, b"+")
        os.read(life_reader, 1)
    finally:
        os._exit(0)


def pair():
    client = socket.create_connection(ADDRESS)
    server = listener.accept()[0]
    everything.extend((client, server))
    return client, server


def until(number, state, queued="00000000"):
    """Waits until the socket at this local port is in this state, and its receive queue so long."""
    end = time.monotonic() + 10
    wanted = ":%04X" % number
    while time.monotonic() < end:
        with open("/proc/net/tcp") as table:
            for words in map(str.split, table):
                is_it = words[1].endswith(wanted) and words[3] == state
                if is_it and words[4].endswith(queued):
                    return
        time.sleep(0.005)
    sys.exit(f"port {number} did not reach state {state}")


def port(end):
    return end.getsockname()[1]


life_reader, life_writer = os.pipe()
everything = []
call_me(b"ser) ver (R 1")
pids, ports = {"first": os.getpid()}, {}

# Forked before there are sockets: what it holds it was passed.
post, letterbox = socket.socketpair()
everything += [post, letterbox]


def receive():
    _, ancillary, _, _ = letterbox.recvmsg(1, socket.CMSG_SPACE(4))
    descriptors = array.array("i", ancillary[0][2])
    everything.append(socket.socket(fileno=descriptors[0]))


listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
# The children inherit it: what a client may send must not fit.
listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
listener.bind(ADDRESS)
listener.listen(16)
everything.append(listener)

client, server = pair()
ports["passed"] = port(client)
socket.send_fds(post, [b"+"], [client.fileno()])
pids["passed"] = child(b"lit\\xfferal", [letterbox], receive)
client.close()

datagrams = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
datagrams.bind(("::1", 6002))
everything.append(datagrams)
pids["forked"] = child(b"caf\xe9 \xff)\x1b[1m", [listener, datagrams])

carried = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
carried.bind(("127.0.0.1", 6003))
everything.append(carried)


def leave():
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.unshare(CLONE_NEWNET) == 0, os.strerror(ctypes.get_errno())


pids["carried"] = child(b"elsewhere", [carried], leave)
carried.close()

# One socket under two numbers.
client, server = pair()
ports["duplicated"] = port(client)
again = os.dup(client.fileno())

# TIME_WAIT, and an orphan of each kind.
client, server = pair()
ports["time_wait"] = port(client)
client.close()
server.recv(1)
server.close()
until(ports["time_wait"], "06")

client, server = pair()
ports["fin_wait_2"] = port(client)
client.close()
until(ports["fin_wait_2"], "05")

client, server = pair()
ports["orphan"] = port(client)
client.setblocking(False)
try:
    while True:
        client.send(bytes(65536))
except BlockingIOError:
    client.close()
until(ports["orphan"], "04")

waiting = socket.create_connection(ADDRESS)
ports["waiting"] = port(waiting)
until(ADDRESS[1], "0A", queued="00000001")

print(json.dumps({"pids": pids, "ports": ports}), flush=True)
sys.stdin.read()
