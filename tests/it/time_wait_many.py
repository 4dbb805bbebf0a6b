# Processes with thousands of connections to one server, which closes further ones after their client has.
# Prints their process ids as JSON; for each line it reads the last opens FEW more, to another server. All
# end when standard input is closed.

import json, os, resource, socket, sys, threading

MOST, REST, FEW = map(int, sys.argv[1:])
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def listener(port):
    sock = socket.socket()
    sock.bind(("127.0.0.1", port))
    sock.listen(4096)
    return sock


def close_after_clients(sock):
    def close(accepted):
        accepted.recv(1)
        accepted.close()

    def accept():
        while True:
            threading.Thread(target=close, args=[sock.accept()[0]], daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()


def child(name, work):
    """A process that does its work at every byte, and ends with its parent."""
    orders, order = os.pipe()
    done, tell = os.pipe()
    pid = os.fork()
    if pid == 0:
        with open("/proc/self/comm", "wb", buffering=0) as comm:
            comm.write(name)
        os.close(order)
        kept = []
        work(kept, lambda: os.write(tell, b"+"))
        while os.read(orders, 1):
            kept += [socket.create_connection(("127.0.0.1", 7500)) for _ in range(FEW)]
            os.write(tell, b"+")
        os._exit(0)
    os.close(tell)
    os.close(orders)
    assert os.read(done, 1) == b"+"
    return pid, order, done


def serve(number):
    def work(kept, tell):
        kept.append(listener(7400))
        tell()
        kept += [kept[0].accept()[0] for _ in range(number)]
        close_after_clients(kept[0])

    return work


def visit(number):
    def work(kept, tell):
        kept += [socket.create_connection(("127.0.0.1", 7400)) for _ in range(number)]
        tell()

    return work


children = {}
for name, work in ("server", serve(MOST + REST)), ("most", visit(MOST)), ("rest", visit(REST)):
    children[name] = child(name.encode(), work)
print(json.dumps({name: pid for name, (pid, _, _) in children.items()}), flush=True)
close_after_clients(listener(7500))
while sys.stdin.readline():
    _, order, done = children["rest"]
    os.write(order, b"+")
    assert os.read(done, 1) == b"+"
    print("more", flush=True)
