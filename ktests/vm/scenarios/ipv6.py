#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# what: sockets of AF_INET6: transfers with kernel TCP, dual stack, mapped and link-local addresses, ports, resets, path MTU
# mode: smp
# families: 4, IPv6 itself, beside IPv4 and mapped addresses, is its subject
# kernels: 6.1 6.12
# seconds: 300
"""IPv6, each case with the kernel's TCP as one peer where that can be seen."""

import ctypes
import errno
import hashlib
import math
import os
import select
import socket
import struct
import threading
import time

from lib import net, packet
from lib.net import check, equal
from lib.tun import Tun

LIBC = ctypes.CDLL(None, use_errno=True)
TCP = socket.IPPROTO_TCP
MIB = 1 << 20


def sock6(proto=None, v6only=None):
    s = socket.socket(socket.AF_INET6, socket.SOCK_STREAM, net.PROTO if proto is None else proto)
    if v6only is not None:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, v6only)
    return s


def listener6(addr="::", port=80, proto=None, v6only=None, backlog=16):
    s = sock6(proto, v6only)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((addr, port))
    s.listen(backlog)
    return s


def carry(sender, receiver, count):
    """count bytes from one end to the other; their sha256 must be the same at both."""
    data = os.urandom(MIB)
    sent, got = hashlib.sha256(), hashlib.sha256()

    def send():
        left = count
        while left:
            piece = data[:min(left, len(data))]
            sender.sendall(piece)
            sent.update(piece)
            left -= len(piece)
        sender.shutdown(socket.SHUT_WR)

    thread = threading.Thread(target=send)
    thread.start()
    arrived = 0
    while True:
        piece = receiver.recv(MIB)
        if not piece:
            break
        got.update(piece)
        arrived += len(piece)
    thread.join()
    equal(arrived, count, "bytes that arrived")
    equal(got.hexdigest(), sent.hexdigest(), "sha256")


def conversation(server, client, addr, count=4 * MIB):
    lst = listener6(proto=server)
    c = sock6(client)
    c.connect((addr, 80))
    s, peer = lst.accept()
    equal(peer[:2], c.getsockname()[:2], "the client's address, seen by both")
    equal(s.getsockname()[:2], c.getpeername()[:2], "the server's address, seen by both")
    carry(c, s, count)
    carry(s, c, count)
    for end in (c, s, lst):
        end.close()


def loopback_both_ways():
    for server, client in ((net.PROTO, TCP), (TCP, net.PROTO), (net.PROTO, net.PROTO)):
        conversation(server, client, "::1")
    if net.IS_ATCP:
        # The ACK of the last FIN is on its way.
        net.until(lambda: {c["state"] for c in net.connections()} <= {"TIME_WAIT"}, 5,
                  lambda: f"states afterwards: {[c['state'] for c in net.connections()]}")


def through_a_bad_link():
    with net.Namespaces("a", "b") as ns:
        one, two = ns.link("a", "fd00::1/64 nodad", "b", "fd00::2/64 nodad")
        for name, dev in (("a", one), ("b", two)):
            ns.run(name, f"tc qdisc add dev {dev} root netem delay 10ms 3ms loss 2% duplicate 1% reorder 5% corrupt 0.5%")
        # A port of its own for each: what the server left behind keeps it from the other stack for a while.
        for port, (server, client) in enumerate(((net.PROTO, TCP), (TCP, net.PROTO), (net.PROTO, net.PROTO)), 80):
            with ns.inside("a"):
                lst = listener6(port=port, proto=server)
            with ns.inside("b"):
                c = sock6(client)
            c.connect(("fd00::1", port))
            s, _ = lst.accept()
            carry(c, s, MIB)
            carry(s, c, MIB)
            for end in (c, s, lst):
                end.close()


def dual_stack():
    """Who listens on :: hears IPv4, with mapped addresses, unless it wants IPv6 only."""
    lst = listener6(v6only=0)
    for client in (net.PROTO, TCP):
        c = net.new_socket(proto=client)
        c.connect(("127.0.0.1", 80))
        s, peer = lst.accept()
        equal(peer[:2], ("::ffff:127.0.0.1", c.getsockname()[1]), "peer")
        equal(s.getsockname()[:2], ("::ffff:127.0.0.1", 80), "own")
        carry(c, s, 100000)
        carry(s, c, 100000)
        s.close()
        c.close()
    lst.close()
    lst = listener6(port=81, v6only=1)
    c = net.new_socket()
    equal(net.error_of(c.connect, ("127.0.0.1", 81)), "ECONNREFUSED", "IPv4 to an IPv6-only listener")
    c.close()
    lst.close()


def mapped_peer():
    for server in (net.PROTO, TCP):
        lst = net.listener("127.0.0.1", 82 if server == TCP else 83, proto=server)
        c = sock6(v6only=0)
        c.connect(("::ffff:127.0.0.1", lst.getsockname()[1]))
        s = net.accept(lst)
        equal(c.getpeername()[0], "::ffff:127.0.0.1", "peer")
        equal(c.getsockname()[0], "::ffff:127.0.0.1", "own")
        carry(c, s, MIB)
        carry(s, c, MIB)
        c.close()
        s.close()
    only = sock6(v6only=1)
    equal(net.error_of(only.connect, ("::ffff:127.0.0.1", 82)), "ENETUNREACH", "a mapped peer of an IPv6-only socket")


def from_one_family_to_the_other():
    """connect(AF_UNSPEC) gives the socket back: IPv6 first, then IPv4 mapped, then IPv6."""
    six, four = listener6("::1", 84), net.listener("127.0.0.1", 84)
    c = sock6(v6only=0)
    for addr, lst in (("::1", six), ("::ffff:127.0.0.1", four), ("::1", six)):
        c.connect((addr, 84))
        s = lst.accept()[0]
        carry(s, c, 50000)
        s.close()
        equal(LIBC.connect(c.fileno(), struct.pack("H14x", socket.AF_UNSPEC), 16), 0, "connect(AF_UNSPEC)")
    c.close()
    six.close()


def link_local():
    with net.Namespaces("a", "b") as ns:
        one, two = ns.link("a", "fe80::1/64 nodad", "b", "fe80::2/64 nodad")
        for server, client in ((net.PROTO, TCP), (TCP, net.PROTO), (net.PROTO, net.PROTO)):
            with ns.inside("a"):
                lst = listener6(proto=server)
            with ns.inside("b"):
                c = sock6(client)
                equal(net.error_of(c.connect, ("fe80::1", 80)), "EINVAL", "a link-local peer without its link")
                scope = socket.if_nametoindex(two)
            c.connect(("fe80::1", 80, 0, scope))
            s, peer = lst.accept()
            with ns.inside("a"):
                equal(peer[3], socket.if_nametoindex(one), "scope of the peer")
            carry(c, s, 200000)
            carry(s, c, 200000)
            for end in (c, s, lst):
                end.close()


def ports_are_shared_with_the_kernel():
    taken = listener6("::1", 90, proto=TCP)
    s = sock6()
    equal(net.error_of(s.bind, ("::1", 90)), "EADDRINUSE", "a port of the kernel's TCP")
    ours = listener6("::1", 91)
    other = sock6(TCP)
    equal(net.error_of(other.bind, ("::1", 91)), "EADDRINUSE", "a port of ours")
    both = listener6("::", 92, v6only=0)
    four = net.new_socket()
    equal(net.error_of(four.bind, ("127.0.0.1", 92)), "EADDRINUSE", "IPv4 beside a dual-stack listener")
    only = listener6("::", 93, v6only=1)
    four.bind(("127.0.0.1", 93))
    for end in (taken, s, ours, other, both, four, only):
        end.close()


def nobody_there():
    for proto in (net.PROTO, TCP):
        c = sock6(proto)
        equal(net.error_of(c.connect, ("::1", 99)), "ECONNREFUSED", "connect to a port that nobody has")
        c.close()
    c = sock6()
    equal(net.error_of(c.connect, ("ff02::1", 99)), "ENETUNREACH", "a group")
    equal(net.error_of(c.connect, ("2001:db8::1", 99)), "ENETUNREACH", "no route")
    c.close()


def options():
    s, k = sock6(), sock6(TCP)
    ipv6 = socket.IPPROTO_IPV6
    for name, opt, value in (("TCLASS", socket.IPV6_TCLASS, 0x28), ("UNICAST_HOPS", socket.IPV6_UNICAST_HOPS, 9), ("MINHOPCOUNT", 73, 3),
                             ("RECVERR", 25, 1), ("V6ONLY", socket.IPV6_V6ONLY, 1)):
        for one in (s, k):
            one.setsockopt(ipv6, opt, value)
        equal(s.getsockopt(ipv6, opt), k.getsockopt(ipv6, opt), f"IPV6_{name}")
    s.close()
    k.close()


def cookies():
    net.sysctl("syncookies", 2)
    conversation(net.PROTO, TCP, "::1", 100000)
    if net.IS_ATCP:
        check(net.counts("stats")["SyncookiesRecv"] >= 1, "a connection made from a cookie")


def narrow_path():
    """A router in between with an MTU of 1280: its "packet too big" is learned."""
    with net.Namespaces("a", "r", "b") as ns:
        a, _ = ns.link("a", "fd01::1/64 nodad", "r", "fd01::2/64 nodad", dev="w")
        r, b = ns.link("r", "fd02::2/64 nodad", "b", "fd02::1/64 nodad", dev="n")
        ns.run("r", f"sysctl -qw net.ipv6.conf.all.forwarding=1; ip link set {r} mtu 1280")
        ns.run("a", "ip -6 route add fd02::/64 via fd01::2")
        ns.run("b", f"ip -6 route add fd01::/64 via fd02::2; ip link set {b} mtu 1280")
        ns.run("a", f"ethtool -K {a} tso off gso off gro off", check=False)
        for server, client in ((TCP, net.PROTO), (net.PROTO, TCP)):
            with ns.inside("b"):
                lst = listener6(proto=server)
                # Its SYN-ACK offers what fits its own link; the path is narrower only one way then.
                lst.setsockopt(TCP, socket.TCP_MAXSEG, 1440)
            with ns.inside("a"):
                c = sock6(client)
            c.connect(("fd02::1", 80))
            s, _ = lst.accept()
            carry(c, s, 300000)
            carry(s, c, 300000)
            for end in (c, s, lst):
                end.close()


# ------------------------------------------------------------------ errors


RECVERR, ROUTER = 25, "10.9.0.7"
# Type, code, and the number that comes with it; the last two are of no RFC.
ICMP6_ERRORS = [(1, code, 0) for code in range(7)] + [(3, 0, 0), (4, 1, 40), (1, 9, 0), (101, 2, 5)]


def polled(sock, mask):
    poll = select.poll()
    poll.register(sock, mask)
    return dict(poll.poll(0)).get(sock.fileno(), 0)


def next_segment(tun, port):
    """The next packet of TCP that the stack sends to that port."""
    proto_at, tcp_at = (6, 40) if packet.V6 else (9, 20)
    while True:
        data = tun.read_raw(net.patience(2))
        check(data is not None, "the stack sent nothing")
        if data[proto_at] == 6 and data[tcp_at + 2:tcp_at + 4] == port.to_bytes(2, "big"):
            return data


def told_after(one):
    """What a connection attempt that an ICMP error ended tells its program."""
    net.until(lambda: polled(one, select.POLLERR), 2, "POLLERR")
    entry = None
    try:
        data, control, flags, addr = one.recvmsg(200, 512, socket.MSG_ERRQUEUE)
        entry = (len(data), data[2:4], control, flags, addr)
    except BlockingIOError:
        pass
    error = one.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    return entry, error, net.error_of(one.recvmsg, 200, 512, socket.MSG_ERRQUEUE), polled(one, select.POLLERR)


def errors_of_attempts(tun, proto, recverr):
    told = []
    for port, (kind, code, value) in enumerate(ICMP6_ERRORS, 9000 + 100 * recverr):
        one = net.new_socket(blocking=False, proto=proto)
        one.setsockopt(socket.IPPROTO_IPV6, RECVERR, recverr)
        one.connect_ex((tun.peer, port))
        syn = next_segment(tun, port)
        for quoted in (syn[:44] + bytes([syn[44] ^ 0x40]) + syn[45:], syn):  # a forgery, and the true one
            error = struct.pack("!BBHI", kind, code, 0, value) + quoted
            tun.send_raw(packet.ipv4(ROUTER, tun.local, error, proto=1))
        told.append(((kind, code), *told_after(one)))
        one.close()
    return told


def icmp_errors():
    """Which error each ICMPv6 message becomes, and what recvmsg(MSG_ERRQUEUE) has of it with IPV6_RECVERR; the same on both stacks."""
    packet.V6 = True
    tun = Tun()
    kernel = errors_of_attempts(tun, TCP, 0)
    equal([row[2] for row in kernel], [errno.ENETUNREACH, errno.EACCES, errno.EHOSTUNREACH, errno.EHOSTUNREACH, errno.ECONNREFUSED,
                                       errno.EACCES, errno.EACCES, errno.EHOSTUNREACH, errno.EPROTO, errno.EPROTO, errno.EPROTO],
          "the kernel's TCP")
    equal(errors_of_attempts(tun, net.PROTO, 0), kernel, "ours")
    kernel = errors_of_attempts(tun, TCP, 1)
    check(all(row[1] for row in kernel), "the kernel's TCP has an entry of each")
    equal(errors_of_attempts(tun, net.PROTO, 1), kernel, "ours, with IPV6_RECVERR")


def icmp_errors_of_a_mapped_peer():
    """The same of IPv4's errors, which a socket of AF_INET6 with a mapped peer hears."""
    packet.V6 = False
    tun = Tun()
    told = []
    for proto in (TCP, net.PROTO):
        rows = []
        for port, (kind, code) in enumerate(((3, 1), (3, 3), (3, 7), (12, 0)), 9000):
            one = sock6(proto, v6only=0)
            one.setblocking(False)
            one.setsockopt(socket.IPPROTO_IPV6, RECVERR, 1)
            one.connect_ex((f"::ffff:{tun.peer}", port))
            syn = next_segment(tun, port)
            tun.send_raw(packet.ipv4(ROUTER, tun.local, packet.icmp(kind, code, syn), proto=1))
            rows.append(told_after(one))
            one.close()
        told.append(rows)
    check(all(row[0] for row in told[0]), "the kernel's TCP has an entry of each")
    equal(told[1], told[0], "ours")


# ----------------------------------------------------------------- options


PKTOPTIONS, RECVPKTINFO, RECVHOPLIMIT, RECVTCLASS, FLOWINFO = 6, 49, 51, 66, 11
RECVHOPOPTS, HOPOPTS, RECVDSTOPTS, DSTOPTS = 53, 54, 58, 59
PADN = bytes([0, 0, 1, 4, 0, 0, 0, 0])


def control_messages(buffer):
    """[(level, type, data)]; what fills up to the next one is nobody's: the kernel leaves there what was in memory."""
    found, at = [], 0
    while at < len(buffer):
        length, level, kind = struct.unpack_from("QII", buffer, at)
        check(16 <= length <= len(buffer) - at, f"length of a control message in {buffer!r}")
        found.append((level, kind, buffer[at + 16:at + length]))
        at += (length + 7) & ~7
    return found


def options_of_what_arrives(proto, port, client_addr):
    """getsockopt(IPV6_2292PKTOPTIONS) after each step."""
    ipv6 = socket.IPPROTO_IPV6

    def pktoptions():
        return control_messages(s.getsockopt(ipv6, PKTOPTIONS, 512))
    lst = listener6(port=port, proto=proto, v6only=0)
    if ":" in client_addr:
        c = sock6(proto)
    else:
        c = socket.socket(socket.AF_INET, socket.SOCK_STREAM, proto)
    c.connect((client_addr, port))
    s, _ = lst.accept()
    told = [pktoptions()]

    def step():
        c.sendall(b"x")
        equal(s.recv(9), b"x", "what arrived")
        told.append(pktoptions())

    for opt in (RECVPKTINFO, RECVHOPLIMIT, RECVTCLASS):
        s.setsockopt(ipv6, opt, 1)
        told.append(pktoptions())
    step()
    if ":" in client_addr:
        c.setsockopt(ipv6, socket.IPV6_UNICAST_HOPS, 33)
        c.setsockopt(ipv6, socket.IPV6_TCLASS, 0x28)
        step()
        s.setsockopt(ipv6, FLOWINFO, 1)
        step()
        s.setsockopt(ipv6, RECVHOPOPTS, 1)
        s.setsockopt(ipv6, RECVDSTOPTS, 1)
        c.setsockopt(ipv6, HOPOPTS, PADN)
        step()
        c.setsockopt(ipv6, DSTOPTS, PADN)
        step()
        c.setsockopt(ipv6, HOPOPTS, b"")
        c.setsockopt(ipv6, DSTOPTS, b"")
        c.setsockopt(ipv6, socket.IPV6_TCLASS, 0)
        step()
    else:
        c.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 33)
        step()
    # What was kept of the last packet goes with the socket.
    for end in (c, s, lst):
        end.close()
    return told


def options_of_received_packets():
    """IPV6_RECVPKTINFO and the like, as far as a stream has them: the same on both stacks, IPv6 and mapped."""
    net.sh("sysctl -qw net.ipv6.auto_flowlabels=0")
    for at, addr in enumerate(("::1", "127.0.0.1")):
        kernel = options_of_what_arrives(TCP, 8000 + at, addr)
        check(len(kernel[-1]) > 1, f"the kernel's TCP tells something: {kernel[-1]!r}")
        ours = options_of_what_arrives(net.PROTO, 8010 + at, addr)
        for number, (one, other) in enumerate(zip(ours, kernel)):
            equal(one, other, f"{addr}, step {number}")


# ------------------------------------------------------------------- links


class Link:
    """One of several hosts that have the same address, each on a link of its own to the server; with packets made by hand."""

    def __init__(self, ns, name):
        self.name = name
        self.dev, _ = ns.link("a", "fe80::1/64 nodad", name, "fe80::2/64 nodad", dev="w")
        mac = ns.run(name, "cat /sys/class/net/wa/address").strip()
        server_mac = ns.run("a", f"cat /sys/class/net/{self.dev}/address").strip()
        for addr in ("fe80::2", "fe80::3"):
            ns.run("a", f"ip -6 neigh replace {addr} lladdr {mac} dev {self.dev} nud permanent")
        self.frame = bytes.fromhex((server_mac + mac).replace(":", "")) + b"\x86\xdd"
        with ns.inside(name):
            self.raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x86DD))
            self.raw.bind(("wa", 0))
            self.scope = socket.if_nametoindex("wa")

    def send(self, src, sport, dport, flags, **more):
        segment = packet.tcp(src, "fe80::1", sport, dport, flags=flags, **more)
        self.raw.send(self.frame + packet.ipv4(src, "fe80::1", segment))

    def answers(self, dport, flags):
        """How many such segments of the server have come."""
        count = 0
        while select.select([self.raw], [], [], 0)[0]:
            seg = packet.parse(self.raw.recv(2048)[14:], 0)
            count += bool(seg and seg.src == "fe80::1" and seg.dport == dport and seg.flags == flags)
        return count


class Answers:
    """Such segments of the server as have come over each of the links, from now on."""

    def __init__(self, links, dport, flags):
        self.links, self.dport, self.flags, self.found = links, dport, flags, [0] * len(links)

    def now(self):
        self.found = [n + link.answers(self.dport, self.flags) for n, link in zip(self.found, self.links)]
        return self.found


def same_peer_on_two_links():
    """Two hosts with one link-local address and port, on two links: two connections, two TIME_WAIT entries, two requests; each is answered
    on its own link, by a timer too."""
    with net.Namespaces("a", "b", "c") as ns:
        links = [Link(ns, name) for name in "bc"]
        packet.V6 = True  # of what is made by hand from here on
        for proto, port in ((TCP, 8000), (net.PROTO, 8001)):
            with ns.inside("a"):
                lst = listener6(port=port, proto=proto)
            ends = []
            for link in links:
                with ns.inside(link.name):
                    c = sock6(TCP)
                    c.bind(("fe80::2", 5000 + port, 0, link.scope))
                c.connect(("fe80::1", port, 0, link.scope))
                s, peer = lst.accept()
                with ns.inside("a"):
                    equal(peer[3], socket.if_nametoindex(link.dev), "scope of the peer")
                ends.append((link, c, s))
            for link, c, s in ends:
                for sender, receiver in ((c, s), (s, c)):
                    sender.sendall(link.name.encode())
                    equal(receiver.recv(9), link.name.encode(), f"over {link.dev}")
            for link, c, s in ends:
                s.close()
                equal(c.recv(9), b"", "the end of the stream")
                c.close()
            # Once the last FIN is acknowledged there is nothing left of the clients, and TIME_WAIT of the server.
            for link in links:
                net.until(lambda: not ns.run(link.name, "ss -tanH"), 5, f"the end of the client over {link.dev}")  # pylint: disable=cell-var-from-loop
            for link, other in (links, links[::-1]):
                for each in links:
                    each.answers(0, "")
                counted = Answers((link, other), 5000 + port, "A")
                link.send("fe80::2", 5000 + port, port, "A", seq=1, ack=1)
                net.until(lambda: counted.now()[0], 2, f"TIME_WAIT: an ACK over {link.dev}")  # pylint: disable=cell-var-from-loop
                time.sleep(0.2)
                equal(counted.now(), [1, 0], f"TIME_WAIT, ACKs over {link.dev} and beside")
            # Nobody answers for fe80::3: its requests are reminded, after one second, three, seven.
            counted, begin = Answers(links, 6000, "SA"), time.monotonic()
            for link in links:
                link.send("fe80::3", 6000, port, "S", seq=100)
            net.until(lambda: min(counted.now()) >= 2, 5, lambda: f"SYN-ACKs over each link: {counted.found}")  # pylint: disable=cell-var-from-loop
            found, most = counted.now(), 2 + int(math.log2(time.monotonic() - begin + 1))
            check(max(found) <= most, f"SYN-ACKs over each link: {found}, of at most {most}")
            lst.close()


def no_such_neighbour():
    """The error that this host itself tells about a link-local peer finds the connection. (That of the kernel's TCP it does not find: to
    it the error came by lo, and it tries until it gives up.)"""
    if not net.IS_ATCP:
        raise net.Skipped("the kernel's TCP does not find it")
    with net.Namespaces("a", "b") as ns:
        one, _ = ns.link("a", "fe80::1/64 nodad", "b", "fe80::2/64 nodad")
        with ns.inside("a"):
            c = sock6()
            scope = socket.if_nametoindex(one)
        c.settimeout(net.patience(20))
        equal(net.error_of(c.connect, ("fe80::77", 9, 0, scope)), "EHOSTUNREACH", "connect")
        c.close()


def wire_of_its_own():
    if not net.IS_ATCP:
        raise net.Skipped("only atcp has a protocol number of its own")
    net.set_param("wire", "atcp")
    conversation(net.PROTO, net.PROTO, "::1")
    c = sock6()
    equal(net.error_of(c.connect, ("::1", 99)), "ECONNREFUSED", "connect to a port that nobody has")
    c.close()


if __name__ == "__main__":
    net.main(loopback_both_ways, through_a_bad_link, dual_stack, mapped_peer, from_one_family_to_the_other, link_local,
             ports_are_shared_with_the_kernel, nobody_there, options, cookies, narrow_path, icmp_errors,
             icmp_errors_of_a_mapped_peer, options_of_received_packets, same_peer_on_two_links, no_such_neighbour, wire_of_its_own)
