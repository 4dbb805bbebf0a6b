"""A process with few descriptors that connects, or accepts, until it fails.

capacity.py connect LIMIT HIGH ADDRESS PORT
capacity.py accept LIMIT HIGH ADDRESS PORT

Opens HIGH descriptors with numbers from 500 up, lowers RLIMIT_NOFILE to LIMIT, says `ready`, waits
for a line on its standard input, goes on until it fails or has done 400, and says how many there
were and the name of the errno. Ends at the end of its standard input.
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
if what == "accept":
    listener = socket.socket()
    listener.bind((address, int(port)))
    listener.listen(400)
    listener.settimeout(10)
for _ in range(int(high)):
    fcntl.fcntl(0, fcntl.F_DUPFD, 500)
resource.setrlimit(resource.RLIMIT_NOFILE, (int(limit), int(limit)))
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
