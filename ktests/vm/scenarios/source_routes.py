#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# what: source routes: set by the program, turned round for a passive open, the latest counts, refused by default
# mode: smp
# families: 4, an option of IPv4; IPv6 has no such routes that TCP would have to turn round
# kernels: 6.1 6.12
# seconds: 300
"""RFC 9293 3.9.2.1, MUST-51 to 53 and SHLD-24: by hand over a TUN device, and between two hosts of which neither has a
route to the other, so that every packet that arrives has come by its source route."""

import hashlib
import os
import socket
import sys

from lib import net, packet
from lib.flows import tested
from lib.tun import Peer, Tun

HOPS = ("10.9.0.7", "10.9.0.8")
LSRR, SSRR = 131, 137


def accept_source_routes(dev="tun0"):
    for name in ("all", dev):
        with open(f"/proc/sys/net/ipv4/conf/{name}/accept_source_route", "w", encoding="ascii") as f:
            f.write("1")


def set_route(sock, *hops):
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_OPTIONS, packet.source_route(hops, 0))


def passive_open():
    """The SYN-ACK and all that follows go back along the hops that the SYN came through; another route in a later segment
    replaces it; a segment without any changes nothing."""
    tun = Tun()
    accept_source_routes()
    lst = net.listener()
    peer = Peer(tun)
    way = packet.source_route(HOPS)
    back = (LSRR, HOPS[1], HOPS[0], tun.peer)
    peer.send("S", options=packet.mss(1460), ip_options=way)
    syn_ack = peer.expect("SA", source_route=back)
    peer.rcv = (syn_ack.seq + 1) & 0xFFFFFFFF
    peer.send("A")
    conn = net.accept(lst)
    conn.send(b"x")
    peer.take("A", source_route=back, payload=b"x")
    peer.send("A", b"no route")
    peer.expect("A", source_route=back, ack=peer.snd)
    # An old or forged segment does not turn the connection round, the next in order does.
    if net.IS_ATCP:
        peer.send("A", b"forged", seq=(peer.snd + 1000) & 0xFFFFFFFF, ip_options=packet.source_route(["10.9.0.66"]))
        peer.expect("A", source_route=back, ack=peer.snd)
        peer.send("A", b"other way", ip_options=packet.source_route(["10.9.0.9"]))
        back = (LSRR, "10.9.0.9", tun.peer)
        conn.send(b"y")
        segments = [peer.take("A", source_route=back)]
        if segments[0].payload != b"y":
            peer.take("A", source_route=back, payload=b"y")
        peer.send("A")
    net.check(conn.recv(100).startswith(b"no route"), "the stream")
    peer.send("FA")
    peer.expect("A", source_route=back)
    conn.close()
    peer.take("FA", source_route=back)


def mss_counts_the_options():
    """Eff.snd.MSS leaves room for them (RFC 9293 3.7.1)."""
    tun = Tun()
    accept_source_routes()
    lst = net.listener()
    peer = Peer(tun)
    peer.send("S", options=packet.mss(1000), ip_options=packet.source_route(HOPS))
    peer.rcv = (peer.expect("SA").seq + 1) & 0xFFFFFFFF
    peer.send("A")
    conn = net.accept(lst)
    conn.send(b"d" * 3000)
    seg = peer.take("A")
    net.equal((len(seg.payload), seg.raw[0] & 15), (988, 8), "payload bytes, words of IP header")


def strict_route():
    tun = Tun()
    accept_source_routes()
    net.listener()
    peer = Peer(tun)
    peer.send("S", options=packet.mss(1460), ip_options=packet.source_route(HOPS, strict=True))
    peer.expect("SA", source_route=(SSRR, HOPS[1], HOPS[0], tun.peer))


def active_open():
    """The program's route is on the SYN and on everything after it; what the peer sends does not change it."""
    tun = Tun()
    accept_source_routes()
    peer = Peer(tun)
    sock = net.new_socket(blocking=False)
    set_route(sock, *HOPS)
    net.equal(net.error_of(sock.connect, (tun.peer, peer.port)), "EINPROGRESS", "connect")
    way = (LSRR, *HOPS, tun.peer)
    net.equal(peer.wait_syn().source_route, way, "route of the SYN")
    other = packet.source_route(["10.9.0.9"])
    peer.send("SA", options=packet.mss(1460), ip_options=other)
    peer.expect("A", source_route=way)
    sock.send(b"x")
    peer.take("A", source_route=way, payload=b"x")
    peer.send("A", b"abc", ip_options=other)
    peer.expect("A", source_route=way, ack=peer.snd)
    got = sock.getsockopt(socket.IPPROTO_IP, socket.IP_OPTIONS, 40)
    net.equal(got.rstrip(b"\0"), packet.source_route(HOPS, 0).rstrip(b"\0"), "IP_OPTIONS as read back")
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_OPTIONS, b"")
    sock.send(b"y")
    peer.take("A", source_route=None, payload=b"y")


def program_overrides_the_peer():
    """RFC 9293 3.9.2.1 (MUST-52), of an accepted connection."""
    tun = Tun()
    accept_source_routes()
    lst = net.listener()
    peer = Peer(tun)
    peer.send("S", options=packet.mss(1460), ip_options=packet.source_route(HOPS))
    peer.rcv = (peer.expect("SA").seq + 1) & 0xFFFFFFFF
    peer.send("A")
    conn = net.accept(lst)
    set_route(conn, "10.9.0.5")
    conn.send(b"x")
    peer.take("A", source_route=(LSRR, "10.9.0.5", tun.peer), payload=b"x")
    peer.send("A", b"abc", ip_options=packet.source_route(HOPS))
    peer.expect("A", source_route=(LSRR, "10.9.0.5", tun.peer), ack=peer.snd)


def answers_without_connection():
    """Resets and what TIME_WAIT says go back the same way, and a new SYN without a route ends it."""
    tun = Tun()
    accept_source_routes()
    net.listener()
    peer = Peer(tun)
    way = packet.source_route(HOPS)
    back = (LSRR, HOPS[1], HOPS[0], tun.peer)
    peer.send("A", seq=1, ack=2, ip_options=way)  # a listener answers it with a reset
    peer.expect("R", seq=2, source_route=back)
    peer.send("S", options=packet.mss(1460))
    peer.expect("SA", source_route=None)


def forged_segments_of_a_handshake():
    """What does not make the request does not turn its answers round: neither the SYN-ACK nor the child."""
    tun = Tun()
    accept_source_routes()
    lst = net.listener()
    peer = Peer(tun)
    forged = packet.source_route(["10.9.0.66"])
    peer.send("S", options=packet.mss(1460))
    peer.rcv = (peer.expect("SA", source_route=None).seq + 1) & 0xFFFFFFFF
    peer.send("A", seq=(peer.snd + 0x10000000) & 0xFFFFFFFF, ip_options=forged)
    peer.send("A", seq=peer.snd, ack=(peer.rcv + 77) & 0xFFFFFFFF, ip_options=forged)
    peer.send("S", seq=(peer.snd + 0x20000000) & 0xFFFFFFFF, options=packet.mss(1460), ip_options=forged)
    answers = [seg for seg in tun.drain(0.3) if peer.mine(seg) and "R" not in seg.flags]
    net.check(all(seg.source_route is None for seg in answers), f"answers told somebody else: {[str(s) for s in answers]}")
    peer.expect("SA", timeout=3, source_route=None, what="once more")
    peer.send("A")
    conn = net.accept(lst)
    conn.send(b"x")
    peer.take("A", source_route=None, payload=b"x")


def forged_segments_beside_a_cookie():
    """Where no request is kept, the ACK that brings the cookie says how the connection is answered."""
    tun = Tun()
    accept_source_routes()
    net.sysctl("syncookies", 2)
    lst = net.listener()
    peer = Peer(tun)
    forged = packet.source_route(["10.9.0.66"])
    peer.send("S", options=packet.mss(1460))
    peer.rcv = (peer.expect("SA", source_route=None).seq + 1) & 0xFFFFFFFF
    peer.send("A", seq=peer.snd, ack=(peer.rcv + 77) & 0xFFFFFFFF, ip_options=forged)
    peer.send("S", seq=(peer.snd + 99) & 0xFFFFFFFF, options=packet.mss(1460), ip_options=forged)
    tun.drain(0.2)
    peer.send("A")
    conn = net.accept(lst)
    conn.send(b"x")
    peer.take("A", source_route=None, payload=b"x")


def cookie_along_the_route():
    tun = Tun()
    accept_source_routes()
    net.sysctl("syncookies", 2)
    lst = net.listener()
    peer = Peer(tun)
    way = packet.source_route(HOPS)
    back = (LSRR, HOPS[1], HOPS[0], tun.peer)
    peer.send("S", options=packet.mss(1460), ip_options=way)
    peer.rcv = (peer.expect("SA", source_route=back).seq + 1) & 0xFFFFFFFF
    peer.send("A", ip_options=way)
    conn = net.accept(lst)
    conn.send(b"x")
    peer.take("A", source_route=back, payload=b"x")


def time_wait_keeps_the_way():
    """What is left of a connection answers along its route, whatever brings the segment."""
    if not net.IS_ATCP:
        raise net.Skipped("Linux answers along the route of the segment")
    tun = Tun()
    accept_source_routes()
    peer = Peer(tun)
    sock = net.new_socket(blocking=False)
    set_route(sock, *HOPS)
    net.equal(net.error_of(sock.connect, (tun.peer, peer.port)), "EINPROGRESS", "connect")
    way = (LSRR, *HOPS, tun.peer)
    peer.accept()
    sock.close()
    peer.take("FA", source_route=way)
    peer.send("A")
    peer.send("FA")
    peer.expect("A", ack=peer.snd, source_route=way)
    tun.drain(1)
    peer.send("FA", seq=(peer.snd - 1) & 0xFFFFFFFF)
    peer.expect("A", ack=peer.snd, source_route=way)


def refused_by_default():
    """As IP decides: accept_source_route is 0 unless the administrator says otherwise."""
    tun = Tun()
    net.listener()
    peer = Peer(tun)
    peer.send("S", options=packet.mss(1460), ip_options=packet.source_route(HOPS))
    peer.silence(0.3)


# ---- two hosts without routes to each other -----------------------------------------------

SIZE = 300000


def pattern():
    return bytes(i * 7 & 0xFF for i in range(SIZE))


def server(proto):
    lst = socket.socket(socket.AF_INET, socket.SOCK_STREAM, proto)
    lst.bind(("10.2.0.2", 7001))
    lst.listen(1)
    print("listening", flush=True)
    conn = lst.accept()[0]
    got = b""
    while len(got) < SIZE:
        more = conn.recv(65536)
        if not more:
            break
        got += more
    conn.sendall(hashlib.sha256(got).hexdigest().encode() + pattern())
    conn.shutdown(socket.SHUT_WR)
    conn.recv(1)


def client(proto):
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, proto)
    sock.settimeout(net.patience(60))
    try:
        sock.connect(("10.2.0.2", 7001))
        sys.exit("connected without a route")
    except OSError as e:
        if e.errno != 101:
            raise
    set_route(sock, "10.1.0.254")
    sock.connect(("10.2.0.2", 7001))
    sock.sendall(pattern())
    got = b""
    while True:
        more = sock.recv(65536)
        if not more:
            break
        got += more
    assert got[:64].decode() == hashlib.sha256(pattern()).hexdigest(), "server's sum"
    assert got[64:] == pattern(), "client's sum"
    print("both sums agree")


def hosts_without_routes():
    for left, right in ((tested(), tested()), (tested(), "tcp"), ("tcp", tested())):
        with net.Namespaces("a", "r", "b") as hosts:
            hosts.link("a", "10.1.0.1/24", "r", "10.1.0.254/24")
            hosts.link("r", "10.2.0.254/24", "b", "10.2.0.2/24")
            for name in "arb":
                hosts.run(name, "for d in /proc/sys/net/ipv4/conf/*; do echo 1 > $d/accept_source_route; "
                                "echo 0 > $d/rp_filter; done; echo 1 > /proc/sys/net/ipv4/ip_forward")
            here = [sys.executable, os.path.abspath(__file__)]
            one = hosts.spawn("b", here + ["--server", str(net.IPPROTO_ATCP if right == "atcp" else 0)])
            net.equal(one.stdout.readline(), "listening\n", "server")
            two = hosts.spawn("a", here + ["--client", str(net.IPPROTO_ATCP if left == "atcp" else 0)])
            net.check("both sums agree" in net.finish(two, f"{left} client, {right} server"), "sums")
            net.finish(one, "server")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--server"]:
        server(int(sys.argv[2]))
    elif sys.argv[1:2] == ["--client"]:
        client(int(sys.argv[2]))
    else:
        net.main(passive_open, mss_counts_the_options, strict_route, active_open, program_overrides_the_peer,
                 answers_without_connection, forged_segments_of_a_handshake, forged_segments_beside_a_cookie,
                 cookie_along_the_route, time_wait_keeps_the_way, refused_by_default,
                 hosts_without_routes)
