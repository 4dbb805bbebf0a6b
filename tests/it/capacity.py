"""A process with few descriptors that connects, or accepts, until it fails.

capacity.py connect LIMIT HIGH ADDRESS PORT
capacity.py accept LIMIT HIGH ADDRESS PORT
capacity.py prefork LIMIT HIGH ADDRESS PORT

Opens HIGH descriptors with numbers from 500 up, lowers RLIMIT_NOFILE to LIMIT, says `ready`, waits
for a line on its standard input, goes on until it fails or has done 400, and says how many there
were and the name of the errno. Ends at the end of its standard input. With `prefork`, two children
accept and their parent only holds the listener; the number is that of both.
"""

import errno
import fcntl
import os
import resource
import socket
import sys

MOST = 400

what, limit, high, address, port = sys.argv[1:]
listener = None
if what in ("accept", "prefork"):
    listener = socket.socket()
    listener.bind((address, int(port)))
    listener.listen(400)
    listener.settimeout(10)
for _ in range(int(high)):
    fcntl.fcntl(0, fcntl.F_DUPFD, 500)
resource.setrlimit(resource.RLIMIT_NOFILE, (int(limit), int(limit)))
if what == "prefork":
    go, start = os.pipe()
    results, result = os.pipe()
    # Not the same pipe: the first to end would take the start of the other.
    end, stop = os.pipe()
    for _ in range(2):
        if os.fork() == 0:
            os.close(start)
            os.close(results)
            os.close(stop)
            # From here on it opens and closes nothing until it accepts.
            os.write(result, b"up\n")
            # The parent says when; at its end the pipe ends.
            if not os.read(go, 1):
                os._exit(0)
            held = []
            failure = "none"
            try:
                while len(held) < MOST:
                    held.append(listener.accept()[0])
            except OSError as error:
                failure = errno.errorcode.get(error.errno, str(error))
            os.write(result, f"{len(held)} {failure}\n".encode())
            os.read(end, 1)
            os._exit(0)
    os.close(go)
    os.close(result)
    os.close(end)
    lines = os.fdopen(results)
    for _ in range(2):
        lines.readline()
    print("ready", flush=True)
    if not sys.stdin.readline():
        os.close(start)
        os.wait()
        os.wait()
        sys.exit()
    os.write(start, b"gg")
    counts = [lines.readline().split() for _ in range(2)]
    failures = "/".join(sorted({name for _, name in counts}))
    print(sum(int(count) for count, _ in counts), failures, flush=True)
    sys.stdin.readline()
    os.close(start)
    os.close(stop)
    os.wait()
    os.wait()
    sys.exit()
print("ready", flush=True)
sys.stdin.readline()
held = []
failure = "none"
try:
    while len(held) < MOST:
        if listener is None:
            held.append(socket.create_connection((address, int(port)), timeout=10))
        else:
            # accept(2) itself: the method of the module also asks for the socket's type.
            held.append(listener.accept()[0])
except OSError as error:
    failure = errno.errorcode.get(error.errno, str(error))
os.write(1, f"{len(held)} {failure}\n".encode())
sys.stdin.readline()
