# Processes whose connections go into TIME_WAIT in known ways. Prints their process ids as JSON;
# everybody ends when standard input is closed, or after a minute.

import json, os, select, socket, sys, time

READY, GO = os.pipe()


def call_me(name):
    with open("/proc/self/comm", "wb", buffering=0) as comm:
        comm.write(name)


def listener(port):
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("127.0.0.1", port))
    sock.listen(100)
    return sock


def child(name, work):
    pid = os.fork()
    if pid:
        return pid
    try:
        call_me(name)
        # An orphan is adopted by another process: then the test has ended.
        parent = os.getppid()
        end = time.monotonic() + 60
        work(lambda: os.getppid() == parent and time.monotonic() < end)
    finally:
        os._exit(0)


def serve(port):
    """Accepts, and closes when the client has."""

    def work(goes_on):
        sock = listener(port)
        os.write(GO, b"+")
        open_now = []
        while goes_on():
            readable, _, _ = select.select([sock, *open_now], [], [], 0.05)
            for one in readable:
                if one is sock:
                    open_now.append(sock.accept()[0])
                elif not one.recv(100):
                    open_now.remove(one)
                    one.close()

    return work


def come_and_go(port, address="127.0.0.1"):
    """Opens a connection every 50 ms and closes each after two seconds."""

    def work(goes_on):
        open_now = []
        while goes_on():
            open_now.append(socket.create_connection((address, port)))
            if len(open_now) > 40:
                oldest = open_now.pop(0)
                oldest.shutdown(socket.SHUT_WR)
                oldest.recv(1)
                oldest.close()
                if len(open_now) == 40:
                    mark()
            time.sleep(0.05)

    told = []

    def mark():
        if not told:
            told.append(os.write(GO, b"+"))

    return work


def stay(port, number):
    def work(goes_on):
        kept = [socket.create_connection(("127.0.0.1", port)) for _ in range(number)]
        os.write(GO, b"+")
        while goes_on():
            time.sleep(0.05)

    return work


def started(name, work):
    pid = child(name, work)
    assert os.read(READY, 1) == b"+"
    return pid


pids = {}
pids["served"] = started(b"served", serve(7100))
started(b"mapped-server", serve(7150))
pids["shared"] = started(b"shared", serve(7200))
pids["mapped"] = started(b"mapped", come_and_go(7150, "::ffff:127.0.0.1"))
pids["visitor"] = started(b"visitor", come_and_go(7100))
pids["three"] = started(b"three", stay(7200, 3))
pids["one"] = started(b"one", stay(7200, 1))
print(json.dumps(pids), flush=True)
sys.stdin.read()
