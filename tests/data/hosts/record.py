#!/usr/bin/env python3
"""Records the hosts of the golden tests: record.py SOCKEYE HOST...

Each host is a set of namespaces (network, processes, host name, cgroups) made for it, with real
programs and real traffic. What tells of the machine that made them is taken out of the file
afterwards: the build suffix of the kernel release and the boot id. Needs root, ip, nginx, wrk.
"""

import contextlib, ctypes, gzip, json, os, re, resource, select, shutil, signal, socket
import subprocess, sys, tempfile, threading, time

CLONE_NEWNET = 0x40000000
SECONDS = 60
HERE = os.path.dirname(os.path.abspath(__file__))


def until(condition, what):
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.02)


def ip(*words):
    subprocess.run(["ip", *words], check=True)


def setting(name, value):
    with open("/proc/sys/" + name.replace(".", "/"), "w") as file:
        file.write(value)


class Elsewhere:
    """Another machine: a network namespace at the other end of a link."""

    def __init__(self, number, near, far, near6=None, far6=None):
        self.keeper = subprocess.Popen(["unshare", "--net", "sleep", str(SECONDS)])
        self.path = f"/proc/{self.keeper.pid}/ns/net"
        mine = os.readlink("/proc/self/ns/net")
        until(lambda: os.readlink(self.path) != mine, "a namespace")
        self.near, self.far = f"eth{number}", "eth0"
        ip("link", "add", self.near, "type", "veth", "peer", "name", self.far, "netns", str(self.keeper.pid))
        ip("address", "add", near + "/24", "dev", self.near)
        ip("link", "set", self.near, "up")
        if near6:
            ip("address", "add", near6 + "/64", "dev", self.near, "nodad")
        self.run("ip", "link", "set", "lo", "up")
        self.run("ip", "link", "set", self.far, "up")
        self.run("ip", "address", "add", far + "/24", "dev", self.far)
        self.run("ip", "route", "add", "default", "via", near)
        if far6:
            self.run("ip", "address", "add", far6 + "/64", "dev", self.far, "nodad")

    def command(self, *words):
        return ["nsenter", "--net=" + self.path, *words]

    def run(self, *words):
        subprocess.run(self.command(*words), check=True)

    @contextlib.contextmanager
    def inside(self):
        libc, home = ctypes.CDLL(None, use_errno=True), os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        there = os.open(self.path, os.O_RDONLY)
        assert libc.setns(there, CLONE_NEWNET) == 0
        try:
            yield
        finally:
            assert libc.setns(home, CLONE_NEWNET) == 0
            os.close(home), os.close(there)

    def listener(self, address, backlog=4096):
        with self.inside():
            return listener(address, backlog)

    def connect(self, address, source=None):
        with self.inside():
            return socket.create_connection(address, 5, source)


def listener(address, backlog=4096):
    sock = socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(address)
    sock.listen(backlog)
    return sock


def closes_second(sock, reply=b"", delay=0.0):
    """Serves: answers each request, and closes when the client has."""

    def one(client):
        with client:
            while client.recv(4096):
                time.sleep(delay)
                if reply:
                    client.sendall(reply)

    def all():
        while True:
            client, _ = sock.accept()
            threading.Thread(target=one, args=(client,), daemon=True).start()

    threading.Thread(target=all, daemon=True).start()


class Program:
    """A process of the host, under a name and a user; `work` gives what it keeps."""

    def __init__(self, name, work, user=0, files=1024):
        done, told = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                signal.alarm(SECONDS)
                os.closerange(3, told)
                os.close(0)
                with open("/proc/self/comm", "wb", buffering=0) as comm:
                    comm.write(name.encode())
                resource.setrlimit(resource.RLIMIT_NOFILE, (files, 4096))
                kept = work()
                os.write(told, b"+")
                if callable(kept):
                    kept()
                signal.pause()
            finally:
                os._exit(1)
        os.close(told)
        assert os.read(done, 1) == b"+", name
        os.close(done)


def opened(number, to, first=b""):
    kept = [socket.create_connection(to, 5) for _ in range(number)]
    for one in kept:
        one.sendall(first)
    return kept


def closed(number, to):
    """This side closes first, and waits for the other."""
    for _ in range(number):
        with socket.create_connection(to, 5) as one:
            one.shutdown(socket.SHUT_WR)
            while one.recv(4096):
                pass


NGINX = """
worker_processes 2; daemon off; pid %(directory)s/pid; error_log %(directory)s/error.log;
events { worker_connections 512; }
http {
    access_log off;
    client_body_temp_path %(directory)s/b; proxy_temp_path %(directory)s/p;
    fastcgi_temp_path %(directory)s/f; uwsgi_temp_path %(directory)s/u; scgi_temp_path %(directory)s/s;
    server { listen 80; listen [::]:80; location / { proxy_pass http://10.0.1.2:9000; } }
}
"""


def proxy(record):
    """nginx in front of one backend, without keep-alive towards it; a thousand local ports"""
    setting("net.ipv4.ip_local_port_range", "32768 33767")
    backend = Elsewhere(0, "10.0.1.1", "10.0.1.2")
    clients = Elsewhere(1, "192.0.2.1", "192.0.2.100")
    reply = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n"
    closes_second(backend.listener(("10.0.1.2", 9000)), reply, 0.1)
    directory = tempfile.mkdtemp()
    os.chmod(directory, 0o755)
    with open(directory + "/nginx.conf", "w") as file:
        file.write(NGINX % {"directory": directory})
    nginx = subprocess.Popen(["nginx", "-p", directory, "-c", directory + "/nginx.conf"])

    def answers():
        with contextlib.suppress(OSError):
            return clients.connect(("192.0.2.1", 80)).close() is None

    until(answers, "nginx")
    load = subprocess.Popen(
        clients.command("wrk", "-t1", "-c6", "-d12", "http://192.0.2.1/"), stdout=subprocess.DEVNULL)
    time.sleep(8)
    record("proxy")
    load.wait(20)
    nginx.terminate()
    nginx.wait(10)
    shutil.rmtree(directory)


def client(record):
    """a program with a pool and one that opens and closes, both to one database; a hundred ports.
    The first file is from before the second program ran"""
    setting("net.ipv4.ip_local_port_range", "40000 40099")
    database = Elsewhere(0, "10.0.2.1", "10.0.2.2")
    to = ("10.0.2.2", 5432)
    closes_second(database.listener(to))
    Program("pool", lambda: opened(30, to), user=33)
    record("client-before")

    def batch():
        kept = opened(2, to)
        closed(58, to)
        return kept

    Program("batch", batch)
    record("client")


def server(record):
    """a server that closes first, one that does not accept, one near the end of its descriptors"""
    clients = Elsewhere(0, "10.0.3.1", "10.0.3.2")
    setting("net.core.somaxconn", "4096")

    def web():
        sock = listener(("0.0.0.0", 8080))

        def goes_on():
            while True:
                accepted, _ = sock.accept()
                if accepted.recv(10) == b"stay":
                    kept.append(accepted)
                else:
                    accepted.shutdown(socket.SHUT_WR)
                    while accepted.recv(10):
                        pass
                    accepted.close()

        kept = []
        return goes_on

    Program("web", web)
    Program("stuck", lambda: listener(("10.0.3.1", 7000), 4))

    def small():
        sock = listener(("10.0.3.1", 6379))

        def goes_on():
            while True:
                try:
                    kept.append(sock.accept()[0])
                except OSError:
                    time.sleep(0.5)

        kept = []
        return goes_on

    Program("small", small, files=64)
    for _ in range(300):
        with clients.connect(("10.0.3.1", 8080)) as one:
            one.sendall(b"close")
            while one.recv(10):
                pass
    kept = []
    for number in range(12):
        kept.append(clients.connect(("10.0.3.1", 8080)))
        kept[-1].sendall(b"stay")
    for number in range(5):
        kept.append(clients.connect(("10.0.3.1", 7000)))
    for number in range(58):
        kept.append(clients.connect(("10.0.3.1", 6379)))
    time.sleep(0.5)
    record("server")


def states(record):
    """a socket in every state, both families and mapped addresses, with queues and timers"""
    link = Elsewhere(0, "10.0.4.1", "10.0.4.2", "fd00:4::1", "fd00:4::2")
    for number in range(10, 20):
        link.run("ip", "address", "add", f"10.0.4.{number}/24", "dev", "eth0")
    far = {port: link.listener(("10.0.4.2", port)) for port in (80, 443)}
    far6 = link.listener(("fd00:4::2", 443))
    ends = []

    def lose(number):
        # To a station that is not there; a route to nowhere would refuse the SYN itself.
        ip("neighbour", "replace", f"10.0.4.{number}", "lladdr", "02:00:00:00:00:99",
           "nud", "permanent", "dev", "eth0")

    def main():
        kept = [listener(("0.0.0.0", 22)), listener(("::1", 631)), listener(("::", 80))]
        kept.append(listener(("10.0.4.1", 5000), 2))
        to = ("10.0.4.2", 443)
        keepalive = opened(1, to)[0]
        keepalive.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        half = opened(1, ("10.0.4.2", 80))[0]
        half.shutdown(socket.SHUT_WR)
        orphan = opened(1, ("10.0.4.2", 80))[0]
        orphan.close()
        full = opened(1, to)[0]
        full.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            for _ in range(1000):
                full.send(b"x" * 65536)
        six = socket.create_connection(("fd00:4::2", 443), 5)
        mapped = socket.socket(socket.AF_INET6)
        mapped.connect(("::ffff:10.0.4.2", 443))
        opening = socket.socket()
        opening.setblocking(False)
        opening.connect_ex(("10.0.4.99", 443))
        bound = socket.socket()
        bound.bind(("10.0.4.1", 5999))
        kept += [keepalive, half, full, six, mapped, opening, bound]
        datagrams = [(socket.AF_INET, ("0.0.0.0", 68)), (socket.AF_INET6, ("::", 546)),
                     (socket.AF_INET, ("10.0.4.1", 5353)), (socket.AF_INET6, ("::1", 5354))]
        for family, address in datagrams:
            kept.append(socket.socket(family, socket.SOCK_DGRAM))
            kept[-1].bind(address)
        kept[-2].connect(("10.0.4.2", 53))
        taken = kept[2]

        def goes_on():
            while True:
                one = taken.accept()[0]
                kept.append(one)
                word = one.recv(10, socket.MSG_PEEK)
                if word.startswith(b"first"):
                    one.shutdown(socket.SHUT_WR)
                    one.recv(100)
                elif word.startswith(b"last"):
                    one.recv(100)
                    time.sleep(0.5)
                    one.shutdown(socket.SHUT_WR)

        return kept, goes_on

    def run():
        kept, goes_on = main()
        return goes_on

    lose(99)
    Program("everything", run)
    for _ in range(3):
        # One in the queue, two full.
        ends.append(link.connect(("10.0.4.1", 5000)))
    web = ("10.0.4.1", 80)
    unread = link.connect(web)
    unread.sendall(b"unread data")
    ends.append(unread)
    ends.append(link.connect(("fd00:4::1", 80)))
    ends[-1].sendall(b"v6")
    # CLOSE_WAIT: the other side has closed.
    gone = link.connect(web)
    gone.sendall(b"gone")
    gone.shutdown(socket.SHUT_WR)
    ends.append(gone)
    # FIN_WAIT_1: it closes first and its FIN is lost.
    lost = link.connect(web, ("10.0.4.10", 0))
    lose(10)
    lost.sendall(b"first")
    ends.append(lost)
    # CLOSING: its FIN is lost too, and ours arrives.
    both = link.connect(web, ("10.0.4.11", 0))
    lose(11)
    both.sendall(b"first")
    time.sleep(0.1)
    both.shutdown(socket.SHUT_WR)
    ends.append(both)
    # TIME_WAIT: it closes first, then this side.
    done = link.connect(web)
    done.sendall(b"first")
    done.recv(10)
    done.close()
    # LAST_ACK: the other side has closed, then this one, and its FIN is lost.
    last = link.connect(web, ("10.0.4.13", 0))
    last.sendall(b"last")
    last.shutdown(socket.SHUT_WR)
    ends.append(last)
    time.sleep(0.2)
    lose(13)
    # SYN_RCVD: the answer is lost.
    lose(12)
    with link.inside():
        asking = socket.socket()
        asking.bind(("10.0.4.12", 0))
        asking.setblocking(False)
        asking.connect_ex(web)
    ends.append(asking)
    time.sleep(1)
    record("states")
    del far, far6


def proc(record):
    """a small web server and its database, read from /proc"""
    clients = Elsewhere(0, "10.0.5.1", "10.0.5.2")

    def database():
        sock = listener(("127.0.0.1", 5432), 200)
        resolver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        resolver.bind(("127.0.0.53", 53))

        def goes_on():
            kept = [resolver]
            while True:
                kept.append(sock.accept()[0])

        return goes_on

    Program("database", database)

    def web():
        sock = listener(("::", 443), 511)
        pool = opened(4, ("127.0.0.1", 5432))

        def goes_on():
            kept = [pool]
            while True:
                one = sock.accept()[0]
                if one.recv(10) == b"close":
                    one.shutdown(socket.SHUT_WR)
                    one.recv(10)
                    one.close()
                else:
                    kept.append(one)

        return goes_on

    Program("web", web)
    for _ in range(20):
        with clients.connect(("10.0.5.1", 443)) as one:
            one.sendall(b"close")
            one.recv(10)
    kept = [clients.connect(("10.0.5.1", 443)) for _ in range(6)]
    for one in kept:
        one.sendall(b"stay")
    time.sleep(0.3)
    record("proc", "--source", "proc")


HOSTS = {f.__name__: f for f in (proxy, client, server, states, proc)}


def cleaned(text):
    lines = text.splitlines()
    out = []
    for line in lines:
        line = re.sub(r'("kernel":"\d+\.\d+\.\d+)[^"]*"', r'\1"', line)
        line = re.sub(r'"boot_id":"[^"]*"', '"boot_id":"00000000-0000-4000-8000-000000000001"', line)
        out.append(line)
    return "\n".join(out) + "\n"


def main():
    program, name = sys.argv[1:3]
    if os.environ.get("GOLDEN_INSIDE") != "1":
        for name in sys.argv[2:]:
            words = "unshare --net --pid --fork --mount-proc --uts --cgroup --kill-child".split()
            subprocess.run([*words, sys.executable, __file__, program, name], check=True,
                           env={**os.environ, "GOLDEN_INSIDE": "1"}, timeout=2 * SECONDS)
        return
    socket.sethostname(name)
    ip("link", "set", "lo", "up")

    def record(host, *words):
        directory = os.path.join(HERE, host)
        os.makedirs(directory, exist_ok=True)
        file = os.path.join(directory, "snapshot.gz")
        subprocess.run([program, "snapshot", "-o", file, *words], check=True)
        with gzip.open(file, "rt") as opened:
            text = cleaned(opened.read())
        with gzip.GzipFile(file, "wb", 9, mtime=0) as opened:
            opened.write(text.encode())
        os.chmod(file, 0o644)

    HOSTS[name](record)


main()
