# Holds sockets in every network namespace that is named, in a process for each: 24 connections with both
# ends, a listener, a UDP socket. Some are as ends of connections can be; in the eighth namespace a
# listener does not accept. Says so, and ends with its input.
import ctypes, os, socket, sys

CLONE_NEWNET = 0x40000000
HERE = "127.0.0.1"
libc = ctypes.CDLL(None, use_errno=True)


def enter(name):
    fd = os.open("/run/netns/" + name, os.O_RDONLY)
    if libc.setns(fd, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")
    os.close(fd)


def sockets(at):
    listener = socket.create_server((HERE, 7300 + at), backlog=64)
    datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    datagrams.bind((HERE, 7400 + at))
    held = [listener, datagrams]
    pairs = []
    for _ in range(24):
        client = socket.create_connection((HERE, 7300 + at))
        pairs.append((client, listener.accept()[0]))
    for number, (client, accepted) in enumerate(pairs):
        if number < 3 and at % 4 == 1:
            # The peer has closed its direction: CLOSE_WAIT here, FIN_WAIT_2 there.
            client.shutdown(socket.SHUT_WR)
            accepted.recv(1)
        if number < 3 and at % 4 == 3:
            client.sendall(b"unread")
        held += [client, accepted]
    if at == 7:
        deaf = socket.create_server((HERE, 7500), backlog=16)
        held += [deaf] + [socket.create_connection((HERE, 7500)) for _ in range(17)]
    if at == 11:
        six = socket.create_server(("::1", 7600), family=socket.AF_INET6)
        far = socket.create_connection(("::1", 7600))
        held += [six, far, six.accept()[0], socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)]
        held[-1].bind(("::1", 7601))
    return held


until, ends = os.pipe()
ready = []
for at, name in enumerate(sys.argv[1:]):
    told, tells = os.pipe()
    if os.fork() == 0:
        os.close(ends)
        enter(name)
        held = sockets(at)
        os.write(tells, b"1")
        # The end of the first process ends this one.
        os.read(until, 1)
        os._exit(0)
    os.close(tells)
    ready.append(told)
for told in ready:
    if os.read(told, 1) != b"1":
        sys.exit("a namespace got no sockets")
print("ready", flush=True)
sys.stdin.read()
