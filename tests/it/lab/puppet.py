# A process that does what a test tells it: each line of standard input is Python, as a JSON string;
# each answer is a line of JSON. It ends with its standard input, or after two minutes.

import errno, fcntl, json, os, resource, select, signal, socket, struct, sys, textwrap, time, traceback

PENDING = b""


def next_line():
    global PENDING
    while b"\n" not in PENDING:
        more = os.read(0, 65536)
        if not more:
            os._exit(0)
        PENDING += more
    line, _, PENDING = PENDING.partition(b"\n")
    return line


def goes_on():
    """Whether the test has not said anything new: for work that lasts until it does."""
    return b"\n" not in PENDING and not select.select([0], [], [], 0)[0]


def family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def tcp(address, options=()):
    sock = socket.socket(family(address))
    for option in options:
        sock.setsockopt(*option)
    sock.settimeout(10)
    return sock


def listen(address, port, backlog=100, options=()):
    sock = tcp(address, [(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1), *options])
    sock.bind((address, port))
    sock.listen(backlog)
    return sock


def connect(address, port, source=None, options=()):
    sock = tcp(address, options)
    if source:
        sock.bind(source)
    sock.connect((address, port))
    return sock


def begin(address, port, source=None):
    """A connection whose SYN is out and whose answer is not waited for."""
    sock = tcp(address)
    sock.setblocking(False)
    if source:
        sock.bind(source)
    sock.connect_ex((address, port))
    return sock


def accept(listener, number=1):
    return [listener.accept()[0] for _ in range(number)]


def abort(sock):
    """Closes with a RST."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def udp(address, port=0):
    sock = socket.socket(family(address), socket.SOCK_DGRAM)
    sock.bind((address, port))
    return sock


def fill(sock, chunk=65536):
    """Sends until nothing more is taken; the number of bytes."""
    sock.setblocking(False)
    sent, quiet = 0, 0
    while quiet < 20:
        try:
            sent += sock.send(b"x" * chunk)
            quiet = 0
        except BlockingIOError:
            quiet += 1
            time.sleep(0.005)
    return sent


def visit(address, port, source=None, options=()):
    """Opens a connection, and closes it first: it ends in TIME_WAIT here."""
    with connect(address, port, source, options) as sock:
        sock.shutdown(socket.SHUT_WR)
        sock.recv(1)


def every(seconds, work):
    """Does it at a steady rate until the test says something; how often."""
    start, done = time.monotonic(), 0
    while goes_on():
        work()
        done += 1
        time.sleep(max(0, start + done * seconds - time.monotonic()))
    return done


def serve(listener, answer=None):
    """Accepts, answers, and closes when the client has, until the test says something."""
    open_now = {listener}
    while goes_on():
        for one in select.select(open_now, [], [], 0.01)[0]:
            if one is listener:
                try:
                    open_now.add(listener.accept()[0])
                except OSError:
                    pass
                continue
            try:
                asked = one.recv(65536)
            except OSError:
                asked = b""
            if not asked:
                open_now.discard(one)
                one.close()
            elif answer:
                one.sendall(answer)


def close_first(listener, pause=0.0):
    """Accepts and closes each connection before the client does, until the test says something."""
    while goes_on():
        if select.select([listener], [], [], 0.01)[0]:
            one = listener.accept()[0]
            time.sleep(pause)
            one.shutdown(socket.SHUT_WR)
            one.recv(1)
            one.close()


def limit_descriptors(number):
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (number, hard))


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total >> 16) + (total & 0xFFFF)
    return ~total & 0xFFFF


SYN = 2


def timestamp(value):
    """The option, padded."""
    return struct.pack("!BBBBII", 1, 1, 8, 10, value, 0)


def send_segment(raw, source, target, sequence, options=b""):
    """A SYN from any address to (address, port)."""
    addresses = socket.inet_aton(source[0]) + socket.inet_aton(target[0])
    ports = (source[1], target[1])
    words = (20 + len(options)) // 4
    head = struct.pack("!HHIIBBHHH", *ports, sequence, 0, words << 4, SYN, 65535, 0, 0) + options
    pseudo = addresses + struct.pack("!BBH", 0, socket.IPPROTO_TCP, len(head))
    head = head[:16] + struct.pack("!H", checksum(pseudo + head)) + head[18:]
    packet = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(head), 0, 0, 64, socket.IPPROTO_TCP, 0) + addresses
    raw.sendto(packet + head, (target[0], 0))


def raw_socket():
    return socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)


def run(text):
    try:
        return eval(compile(text, "test", "eval"), globals())
    except SyntaxError:
        return exec(compile(text, "test", "exec"), globals())


signal.alarm(120)
with open("/proc/self/comm", "wb", buffering=0) as comm:
    comm.write(sys.argv[1].encode())
while True:
    try:
        answer = {"value": run(textwrap.dedent(json.loads(next_line())).strip())}
    except Exception:
        answer = {"failed": traceback.format_exc()}
    try:
        line = json.dumps(answer)
    except TypeError:  # a socket: the test wants its effect, not its value
        line = '{"value": null}'
    os.write(1, line.encode() + b"\n")
