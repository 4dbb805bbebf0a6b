# Sockets of the families beside TCP and UDP, in one network namespace: run by beside_ss.rs.
import ctypes, os, shutil, socket, struct, sys, tempfile

SOL_PACKET, RX_RING, VERSION, AUXDATA, FANOUT, SO_ATTACH_FILTER = 263, 5, 10, 8, 18, 26
kept = []

def keep(s):
    kept.append(s)
    return s

directory = tempfile.mkdtemp()
for kind, name in ((socket.SOCK_STREAM, 'stream'), (socket.SOCK_DGRAM, 'dgram'), (socket.SOCK_SEQPACKET, 'seq')):
    bound = keep(socket.socket(socket.AF_UNIX, kind))
    bound.bind(directory + '/' + name)
    c = keep(socket.socket(socket.AF_UNIX, kind))
    if kind != socket.SOCK_DGRAM:
        bound.listen(3)
        c.connect(directory + '/' + name)
        keep(bound.accept()[0])
        # Waits to be accepted.
        keep(socket.socket(socket.AF_UNIX, kind)).connect(directory + '/' + name)
    else:
        c.connect(directory + '/' + name)
    c.send(b'unread')
    kept.extend(socket.socketpair(socket.AF_UNIX, kind))
for name in (directory + '/blanks and "quotes"', '\0abstract name', '\0with\0zero', b''):
    s = keep(socket.socket(socket.AF_UNIX))
    s.bind(name)
kept[-1].listen(2)
half, other = socket.socketpair()
keep(half).shutdown(socket.SHUT_WR)
keep(other)
gone, other = socket.socketpair()
keep(gone)
other.close()
# Packets: of every protocol, of one, without a header, filtered, with a ring in a group.
def packet(kind):
    return keep(socket.socket(socket.AF_PACKET, kind, 0))
packet(socket.SOCK_RAW)
for kind, protocol in ((socket.SOCK_RAW, 3), (socket.SOCK_DGRAM, 0x86dd), (socket.SOCK_RAW, 0x88b5)):
    packet(kind).bind(('lo', protocol))
steps = [(0x28, 0, 0, 12), (0x15, 0, 1, 0x800), (6, 0, 0, 0xffff), (6, 0, 0, 0)]
program = ctypes.create_string_buffer(b''.join(struct.pack('HBBI', *step) for step in steps))
s = packet(socket.SOCK_RAW)
s.setsockopt(1, SO_ATTACH_FILTER, struct.pack('HL', len(steps), ctypes.addressof(program)))
s.bind(('lo', 0x806))
s = packet(socket.SOCK_RAW)
s.setsockopt(SOL_PACKET, AUXDATA, 1)
s.setsockopt(SOL_PACKET, RX_RING, struct.pack('IIII', 4096, 4, 2048, 8))
s.bind(('lo', 3))
s.setsockopt(SOL_PACKET, FANOUT, 7)
for protocol in (socket.IPPROTO_ICMP, 255, 17):
    keep(socket.socket(socket.AF_INET, socket.SOCK_RAW, protocol))
s = keep(socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP))
s.bind(('127.0.0.1', 0))
s.connect(('127.0.0.1', 0))
keep(socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6))
for protocol, groups in ((0, 0x11), (15, 1), (16, 0)):
    keep(socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, protocol)).bind((0, groups))
keep(socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 15)).bind((4000000000, 0))
try:
    many = keep(socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262))
    many.bind(('127.0.0.1', 7000))
    many.listen(3)
    c = keep(socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262))
    c.connect(('127.0.0.1', 7000))
    keep(many.accept()[0])
except OSError:
    pass
print('ready', flush=True)
sys.stdin.read()
shutil.rmtree(directory)
