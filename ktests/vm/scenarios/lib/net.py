# SPDX-License-Identifier: GPL-2.0
"""What every scenario needs besides packets: the protocol under test, sockets
of it, private network namespaces, shell commands, and the atcp tool's tables.
A scenario is a Python file whose functions are passed to main()."""

import contextlib
import ctypes
import errno
import fcntl
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import time
import traceback

from . import packet

IPPROTO_ATCP = 253
CLONE_NEWNET = 0x40000000
SIOCGIFFLAGS, SIOCSIFFLAGS, SIOCSIFADDR, SIOCSIFNETMASK, SIOCSIFMTU, IFF_UP = 0x8913, 0x8914, 0x8916, 0x891C, 0x8922, 1
TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", "..", ".."))
PROGS = os.environ.get("ATCP_PROGS", os.path.join(TOP, "build", "progs"))
TOOLS = os.environ.get("ATCP_TOOLS", os.path.join(TOP, "build", "tools"))
PROTO_NAME = os.environ.get("ATCP_PROTO", "atcp")
IS_ATCP = PROTO_NAME == "atcp"
PROTO = IPPROTO_ATCP if IS_ATCP else 0

STATES = {1: "ESTABLISHED", 2: "SYN_SENT", 3: "SYN_RECV", 4: "FIN_WAIT1", 5: "FIN_WAIT2", 6: "TIME_WAIT", 7: "CLOSE",
          8: "CLOSE_WAIT", 9: "LAST_ACK", 10: "LISTEN", 11: "CLOSING"}

SS_STATES = {"ESTAB": "ESTABLISHED", "SYN-SENT": "SYN_SENT", "SYN-RECV": "SYN_RECV", "FIN-WAIT-1": "FIN_WAIT1",
             "FIN-WAIT-2": "FIN_WAIT2", "TIME-WAIT": "TIME_WAIT", "CLOSE-WAIT": "CLOSE_WAIT", "LAST-ACK": "LAST_ACK",
             "UNCONN": "CLOSE"}
TCP_LINGER2 = 8
# Options of the IP layer that both families have, each with its level.
IP_TTL, IP_TOS, IP_RECVERR, IP_MINTTL = [(socket.IPPROTO_IPV6, n) for n in (16, 67, 25, 73)] if packet.V6 else \
    [(socket.IPPROTO_IP, n) for n in (2, 1, 11, 21)]
# In virtual time a wait for the host (a file over 9p) skips to the next deadline, which must not be that of a time-out.
VIRTUAL_TIME = bool(os.environ.get("ATCP_VIRTUAL_TIME"))
SLOW = int(os.environ.get("ATCP_SLOW", "1"))  # how many times longer everything may take in this guest
PATIENCE_S = 0 if VIRTUAL_TIME else 30  # see patience()
CASE_LIMIT_S = 400 * SLOW  # of guest time, for cases without a limit_s of their own; one that hangs fails
_KEEP = []  # listeners live as long as their scenario, also when it drops the reference


class Failed(Exception):
    """What was expected did not happen."""


class Skipped(Exception):
    """Cannot be shown here; the text says why."""


def check(condition, text):
    if not condition:
        raise Failed(text)


def equal(got, want, what):
    if got != want:
        raise Failed(f"{what}: got {got!r}, want {want!r}")


def near(got, want, slack, what):
    if abs(got - want) > slack:
        raise Failed(f"{what}: got {got:.3f}, want {want:.3f} ± {slack:.3f}")


def sh(command, check=True, timeout=120):
    """Runs a shell command; returns its standard output."""
    timeout = None if VIRTUAL_TIME else timeout * SLOW
    done = subprocess.run(["/bin/sh", "-c", command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=timeout)
    if check and done.returncode:
        raise Failed(f"`{command}` ended with {done.returncode}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def spawn(command, **more):
    """A background process with its output captured."""
    return subprocess.Popen(command if isinstance(command, list) else ["/bin/sh", "-c", "exec " + command],
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **more)


def finish(process, what, timeout=300):
    """Waits for a spawned process; fails with its output unless it returned 0."""
    timeout = None if VIRTUAL_TIME else timeout * SLOW
    try:
        out, _ = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        out, _ = process.communicate()
        raise Failed(f"{what} did not end within {timeout} s: {out[-1500:]}") from None
    if process.returncode:
        raise Failed(f"{what} ended with {process.returncode}: {out[-1500:]}")
    return out


def last_json(text):
    """The last line of `text` that is a JSON object."""
    for line in reversed(text.splitlines()):
        if line.startswith("{"):
            return json.loads(line)
    raise Failed(f"no JSON in: {text[-500:]}")


def patience(seconds):
    """The limit of a wait for something that must come, and of which it is not asked how soon. On a real clock the host may be
    busy with other things for seconds, and an emulated processor stand still meanwhile."""
    return max(seconds, PATIENCE_S) * SLOW


def until(condition, seconds, what, step=0.02):
    """Waits until condition() is true; `what` (a text, or a function that says it at the end) stood in the way. On a real clock it may
    take longer than `seconds`: see patience()."""
    seconds = patience(seconds)
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Failed(f"{what() if callable(what) else what}: not within {seconds} s")
        time.sleep(step)


# --------------------------------------------------------------------- sockets


class Socket6(socket.socket):
    """A socket of AF_INET6 whose addresses are written as IPv4's (packet.six())."""

    def bind(self, address):
        super().bind((packet.six(address[0]), address[1]))

    def connect(self, address):
        super().connect((packet.six(address[0]), address[1]))

    def connect_ex(self, address):
        return super().connect_ex((packet.six(address[0]), address[1]))

    def sendto(self, data, *rest):
        *flags, address = rest
        return super().sendto(data, *flags, (packet.six(address[0]), address[1]))

    def getsockname(self):
        return (packet.four(super().getsockname()[0]), super().getsockname()[1])

    def getpeername(self):
        return (packet.four(super().getpeername()[0]), super().getpeername()[1])

    def accept(self):
        fd, address = self._accept()
        sock = Socket6(self.family, self.type, self.proto, fileno=fd)
        sock.settimeout(socket.getdefaulttimeout())
        return sock, (packet.four(address[0]), address[1])


def new_socket(blocking=True, proto=None):
    proto = PROTO if proto is None else proto
    kind, family = (Socket6, socket.AF_INET6) if packet.V6 else (socket.socket, socket.AF_INET)
    sock = kind(family, socket.SOCK_STREAM, proto)
    sock.setblocking(blocking)
    return sock


def listener(addr="0.0.0.0", port=80, backlog=16, proto=None):
    sock = new_socket(proto=proto)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((addr, port))
    sock.listen(backlog)
    _KEEP.append(sock)
    return sock


def state(sock):
    return STATES[sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)[0]]


def wait_state(sock, name, seconds=1.0):
    until(lambda: state(sock) == name, seconds, lambda: f"state {name} (is {state(sock)})")


def sleeps_in(thread, sock):
    """Waits until that thread sleeps in a call of the kernel with this socket: its first argument is the descriptor."""
    def asleep():
        with open(f"/proc/self/task/{thread.native_id}/syscall", encoding="ascii") as f:
            return f.read().split()[1:2] == [hex(sock.fileno())]
    until(asleep, 5, "a thread that sleeps in a call")


def kernel_before(*version):
    return tuple(int(n) for n in os.uname().release.split(".")[:2]) < version


def error_of(call, *args):
    """The name of the errno that a call raises, or None."""
    try:
        call(*args)
    except OSError as e:
        return errno.errorcode[e.errno]
    return None


def readable(sock, timeout=0):
    return bool(select.select([sock], [], [], timeout)[0])


def accept(sock, timeout=2.0):
    check(readable(sock, patience(timeout)), "nothing to accept")
    return sock.accept()[0]


# ------------------------------------------------------- namespaces and links


def private_netns():
    """This process leaves for a network namespace of its own."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "unshare(CLONE_NEWNET)")
    interface_up("lo")


def interface_up(name, addr=None, netmask=None, mtu=None):
    """`ip addr add` and `ip link set up` without a process: in an emulated machine that counts."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        def request(code, body):
            return fcntl.ioctl(control, code, struct.pack("16s24s", name.encode(), body))

        for code, value in ((SIOCSIFADDR, addr), (SIOCSIFNETMASK, netmask)):
            if value:
                request(code, struct.pack("HH4s", socket.AF_INET, 0, socket.inet_aton(value)))
        if mtu:
            request(SIOCSIFMTU, struct.pack("i", mtu))
        flags = struct.unpack("16sh", request(SIOCGIFFLAGS, b"")[:18])[1]
        request(SIOCSIFFLAGS, struct.pack("h", flags | IFF_UP))


def address_works(addr, run=sh):
    """Waits until packets to that address of this host are for it. The kernel sees to it by itself, for IPv6 a moment after it was
    added, and loses what comes before."""
    addr = addr.partition("/")[0]
    if ":" in addr:
        until(lambda: addr in run(f"ip -6 route show table local {addr}"), 5, f"the local route to {addr}")


class Namespaces:
    """Named namespaces, removed at the end: with Namespaces('a', 'b') as ns."""

    def __init__(self, *names):
        self.tag = f"atcp{os.getpid()}"
        self.names = names

    def __enter__(self):
        for name in self.names:
            sh(f"ip netns add {self.tag}{name} && ip -n {self.tag}{name} link set lo up")
        return self

    def __exit__(self, *exc):
        sh("".join(f"ip netns del {self.tag}{name}; " for name in self.names), check=False)

    def link(self, left, left_addr, right, right_addr, dev="v"):
        """A veth pair; each end has its address (with prefix length, written as IPv4's)."""
        one, two = f"{dev}{right}", f"{dev}{left}"
        left_addr, right_addr = (packet.spelt(a) + (" nodad" if packet.V6 else "") for a in (left_addr, right_addr))
        sh(f"ip link add {one} netns {self.tag}{left} type veth peer name {two} netns {self.tag}{right}")
        self.run(left, f"ip addr add {left_addr} dev {one} && ip link set {one} up")
        self.run(right, f"ip addr add {right_addr} dev {two} && ip link set {two} up")
        address_works(left_addr, lambda command: self.run(left, command))
        address_works(right_addr, lambda command: self.run(right, command))
        return one, two

    def prefix(self, name):
        return f"ip netns exec {self.tag}{name} "

    @contextlib.contextmanager
    def inside(self, name):
        """Sockets that this process makes meanwhile belong to that namespace, and stay there."""
        libc = ctypes.CDLL(None, use_errno=True)
        with open("/proc/self/ns/net", "rb") as home, open(f"/run/netns/{self.tag}{name}", "rb") as there:
            if libc.setns(there.fileno(), CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), f"setns({name})")
            try:
                yield
            finally:
                libc.setns(home.fileno(), CLONE_NEWNET)

    def run(self, name, command, check=True, timeout=120):
        quoted = command.replace("'", "'\\''")
        return sh(f"{self.prefix(name)}sh -c '{quoted}'", check, timeout)

    def spawn(self, name, command, **more):
        return spawn(["ip", "netns", "exec", f"{self.tag}{name}"] +
                     (command if isinstance(command, list) else ["sh", "-c", "exec " + command]), **more)


# ------------------------------------------------------------ the control tool


def atcp(arguments, prefix="", check=True):
    return sh(f"{prefix}{TOOLS}/atcp {arguments}", check)


def atcp_json(what, prefix=""):
    return json.loads(atcp(f"--json {what}", prefix))


def set_param(name, value, prefix=""):
    atcp(f"params set {name} '{value}'", prefix)


def counts(what, prefix=""):
    """All of `stats` or `reasons` as {name: count}."""
    return {row["name"]: row["value"] for row in atcp_json(f"{what} --all", prefix)}


def connections(prefix=""):
    """Connections, requests and TIME_WAIT entries; states by the names of STATES."""
    found = atcp_json("sockets", prefix)["sockets"]
    for row in found:
        row["state"] = SS_STATES.get(row["state"], row["state"])
    return found


def sysctl(name, value):
    """A parameter of the stack under test, by the kernel's sysctl name without `tcp_`."""
    if IS_ATCP:
        set_param(name, value)
    else:
        path = f"/proc/sys/net/ipv4/tcp_{name}"
        if os.path.exists(path):
            with open(path, "w", encoding="ascii") as f:
                f.write(str(value))


# ------------------------------------------------------------------ the runner


def main(*cases):
    """Runs the cases (functions without arguments), each in a process and network namespace of its own."""
    wanted = sys.argv[1:]
    bad = 0
    for case in cases:
        name = case.__name__
        if wanted and name not in wanted:
            continue
        start = time.monotonic()
        sys.stdout.flush()
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                private_netns()
                limit_s = getattr(case, "limit_s", CASE_LIMIT_S)
                signal.signal(signal.SIGALRM, lambda *_: _too_long(limit_s))
                signal.alarm(limit_s)
                plain_tcp()
                case()
                ledgers_add_up()
                code = 0
            except Skipped as e:
                print(f"    skipped {name}: {e}")
                code = 0
            except Failed as e:
                print(f"    FAILED {name}: {e}")
            except BaseException:  # pylint: disable=broad-except
                print(f"    FAILED {name}:")
                traceback.print_exc(file=sys.stdout)
            if code:
                for line in LAST_TUN[-1].log[-25:] if LAST_TUN else []:
                    print("      ", line)
            sys.stdout.flush()
            os._exit(code)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        bad += status != 0
        print(f"  {'ok' if status == 0 else 'FAIL'} {name} ({PROTO_NAME}{', IPv6' if packet.V6 else ''}, {time.monotonic() - start:.1f} s)", flush=True)
    sys.exit(1 if bad else 0)


LAST_TUN = []  # the Tun of this process, for its log when a case fails


def ledgers_add_up(prefix=""):
    """Every listener that the case left behind accounts for each SYN and each third ACK that it saw."""
    if not IS_ATCP or not os.path.exists("/sys/module/atcp"):
        return

    def wrong():
        """A segment that is under way at the moment is counted, but not yet what became of it."""
        return [row for row in atcp_json("listeners", prefix)
                if row["synacks"] + row["syn_dups"] + sum(row["refused_syns"].values()) != row["syns"] or
                row["children"] + sum(row["refused_acks"].values()) != row["acks"]]

    until(lambda: not wrong(), 2, lambda: f"SYNs or third ACKs are not accounted for by {wrong()}")


def plain_tcp():
    """Makes both stacks as plain as the schedule of the RFCs, so that the same expectations hold for both."""
    for name, value in (("tcp_congestion_control", "reno"), ("tcp_early_retrans", "0"), ("tcp_recovery", "0"),
                        ("tcp_syn_linear_timeouts", "0"), ("tcp_fastopen", "0")):
        path = f"/proc/sys/net/ipv4/{name}"
        if os.path.exists(path):
            with open(path, "w", encoding="ascii") as f:
                f.write(value)
    if IS_ATCP and os.path.exists("/sys/module/atcp"):
        atcp("params set syn_linear_timeouts=0 congestion_control=reno early_retrans=0")


def _too_long(limit_s):
    raise Failed(f"still not finished after {limit_s} s")
