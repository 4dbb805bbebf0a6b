# Sockets of every kind that ss words differently, in one network namespace: run by beside_ss.rs.
import ctypes, json, os, socket, struct, sys, threading

LOOPBACK, MPTCP = '127.0.0.1', 262
SO_MARK, SO_PRIORITY, SO_MAX_PACING_RATE, SO_BINDTODEVICE = 36, 12, 47, 25
TCP_MD5SIG, TCP_CONGESTION, IP_FREEBIND, IP_TRANSPARENT, IP_RECVERR = 14, 13, 15, 19, 11
kept, children = [], []
libc = ctypes.CDLL(None, use_errno=True)

def name(text):
    # PR_SET_NAME: at most 15 bytes.
    libc.prctl(15, ctypes.c_char_p(text), 0, 0, 0)

def keep(s):
    kept.append(s)
    return s

def listener(address, port, backlog=5, family=socket.AF_INET, options=(), kind=0):
    s = keep(socket.socket(family, socket.SOCK_STREAM, kind))
    for level, option, value in options:
        s.setsockopt(level, option, value)
    s.bind((address, port))
    s.listen(backlog)
    return s

def pair(to, family=socket.AF_INET, options=(), kind=0, data=b''):
    c = keep(socket.socket(family, socket.SOCK_STREAM, kind))
    for level, option, value in options:
        c.setsockopt(level, option, value)
    c.connect(to.getsockname()[:2] if family == socket.AF_INET or ':' in to.getsockname()[0]
              and to.getsockname()[0] != '::' else ('::1', to.getsockname()[1]))
    a = keep(to.accept()[0])
    if data:
        c.sendall(data)
    return c, a

# Listeners.
web = listener(LOOPBACK, 8080, 64)
ssh = listener('0.0.0.0', 22)
dual = listener('::', 8081, family=socket.AF_INET6)
six = listener('::', 443, family=socket.AF_INET6, options=[(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)])
loop6 = listener('::1', 80, family=socket.AF_INET6)
listener(LOOPBACK, 9000, options=[(1, SO_BINDTODEVICE, b'lo\0')])
listener('0.0.0.0', 9001, options=[(1, SO_MARK, 0x11)])
listener('192.0.2.1', 9002, options=[(0, IP_FREEBIND, 1)])
listener('198.51.100.77', 9003, options=[(0, IP_TRANSPARENT, 1), (0, IP_RECVERR, 1)])
listener('2001:db8:1234:5678:9abc:def0:1234:5678', 54321, family=socket.AF_INET6, options=[(0, IP_FREEBIND, 1)])
# The address that inet_ntop(3) writes with a dotted quad.
listener('::102:304', 9004, family=socket.AF_INET6, options=[(0, IP_FREEBIND, 1)])
link = keep(socket.socket(socket.AF_INET6))
link.bind(('fe80::77', 9005, 0, socket.if_nametoindex('d0')))
link.listen(1)
# A queue that is full, and one that is not.
full = listener(LOOPBACK, 9006, 1)
for _ in range(2):
    keep(socket.create_connection((LOOPBACK, 9006)))
# Connections.
c, a = pair(web, data=b'x' * 1000)
pair(web, options=[(6, TCP_CONGESTION, b'reno')])
pair(web, options=[(6, TCP_CONGESTION, b'cubic')], data=b'y')
pair(dual, family=socket.AF_INET6)
m = keep(socket.create_connection((LOOPBACK, 8081)))
keep(dual.accept()[0])
pair(six, family=socket.AF_INET6, options=[(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, 0x48), (1, SO_MARK, 7)])
pair(web, options=[(socket.IPPROTO_IP, socket.IP_TOS, 0x10), (1, SO_PRIORITY, 6)])
pair(web, options=[(1, socket.SO_KEEPALIVE, 1)])
for rate in (1, 124, 125, 126, 12345, 124999, 125000, 1234567, 124999999, 125000001, 12500000000, 124999999999):
    pair(web, options=[(1, SO_MAX_PACING_RATE, struct.pack('<Q', rate))], data=b'z' * 10)
# Half closed, either way; closed and not read.
c, a = pair(web)
c.shutdown(socket.SHUT_WR)
c, a = pair(web)
c.shutdown(socket.SHUT_RD)
c, a = pair(web, data=b'unread')
c.close()
# TIME_WAIT of both families.
for to, family in ((web, socket.AF_INET), (loop6, socket.AF_INET6)):
    c, a = pair(to, family=family)
    c.close()
    a.recv(1)
    a.close()
# MPTCP, whose subflow is a TCP socket with something on top.
try:
    many = listener(LOOPBACK, 9007, kind=MPTCP)
    pair(many, kind=MPTCP, data=b'hello' * 100)
except OSError:
    many = None
# A peer with a key: it must not come out.
signed = keep(socket.socket())
def key(address, text):
    peer = struct.pack('<HH4s', socket.AF_INET, 0, socket.inet_aton(address)).ljust(128, b'\0')
    return peer + struct.pack('<BBHI', 0, 0, len(text), 0) + text.ljust(80, b'\0')
try:
    signed.setsockopt(6, TCP_MD5SIG, key('10.1.2.3', b'TOPSECRET'))
    has_md5 = True
except OSError:
    has_md5 = False
signed.bind((LOOPBACK, 9008))
signed.listen()
# Datagrams.
def datagram(address, port, family=socket.AF_INET, to=None, options=()):
    s = keep(socket.socket(family, socket.SOCK_DGRAM))
    for level, option, value in options:
        s.setsockopt(level, option, value)
    if port is not None:
        s.bind((address, port))
    if to:
        s.connect(to)
    return s
datagram(LOOPBACK, 5353)
datagram('0.0.0.0', 53)
datagram('::', 5354, socket.AF_INET6)
datagram('::', 123, socket.AF_INET6, options=[(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)])
datagram('0.0.0.0', 67, options=[(1, SO_BINDTODEVICE, b'd0\0'), (socket.IPPROTO_IP, socket.IP_TOS, 8)])
datagram(LOOPBACK, None, to=(LOOPBACK, 5353)).send(b'unread datagram')
datagram('::1', None, socket.AF_INET6, to=('::1', 5354))
datagram('::', None, socket.AF_INET6, to=('::ffff:127.0.0.1', 53))
# Cgroups: one that is there, and one that is gone.
cgroups = []
mount = next((l.split(' ')[1] for l in open('/proc/self/mounts') if l.split(' ')[2] == 'cgroup2'), None)
home = next((l.strip().split('::')[1] for l in open('/proc/self/cgroup') if l.startswith('0::')), None)
if mount and home is not None:
    def move(path):
        with open(mount + path + '/cgroup.procs', 'w') as procs:
            procs.write(str(os.getpid()))
    for number, port in enumerate((9010, 9011)):
        path = '/sockeye-test-%d-%d' % (os.getpid(), number)
        try:
            os.mkdir(mount + path)
            move(path)
            listener(LOOPBACK, port)
            move(home)
            cgroups.append(mount + path)
        except OSError:
            pass
    if len(cgroups) == 2:
        os.rmdir(cgroups.pop())
# Holders: several, with names that need care, one of them of another user.
shared = listener(LOOPBACK, 9012)
os.dup(shared.fileno())
ends = []
def child(title, uid=0):
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        name(title)
        if uid:
            os.setresuid(uid, uid, uid)
            s = socket.socket()
            s.bind((LOOPBACK, 9013))
            s.listen()
        os.write(write, b'.')
        # Its parent's standard input is its own: both end when the test closes it.
        sys.stdin.read()
        os._exit(0)
    os.read(read, 1)
    children.append(pid)
child(b'a "b" \'c (d')
child(b'kworker/u4:1-x')
child(b'sp ace ', 1234)
name(b'zoo: main')
# Threads, each with a name of its own.
over = threading.Event()
def work(title):
    name(title)
    kept_back.release()
    over.wait()
kept_back = threading.Semaphore(0)
for number in range(3):
    threading.Thread(target=work, args=(b'zoo/%d' % number,)).start()
    kept_back.acquire()
print(json.dumps({'md5': has_md5, 'mptcp': many is not None}), flush=True)
sys.stdin.read()
over.set()
for pid in children:
    os.waitpid(pid, 0)
for path in cgroups:
    try:
        os.rmdir(path)
    except OSError:
        pass
