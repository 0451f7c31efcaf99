#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# what: TCP Fast Open with the kernel's TCP as client and as server, and on the wire with a hand-driven peer
# mode: icount
# families: 4 6
"""A SYN that carries data, from both sides."""

import errno
import socket

from lib import net, packet
from lib.net import check, equal
from lib.tun import Peer, Tun

M = 0xFFFFFFFF
TCP_FASTOPEN, TCP_FASTOPEN_KEY, TCP_FASTOPEN_CONNECT, TCP_FASTOPEN_NO_COOKIE = 23, 33, 30, 34
TCPI_OPT_SYN_DATA = 32


def enable(value):
    """In both stacks: whatever is under test, the other end may be the kernel's."""
    with open("/proc/sys/net/ipv4/tcp_fastopen", "w", encoding="ascii") as f:
        f.write(str(value))
    if net.IS_ATCP:
        net.set_param("fastopen", value)


def syn_data(sock):
    return bool(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)[5] & TCPI_OPT_SYN_DATA)


def server(proto=None, port=80, queue=5):
    lst = net.listener(port=port, proto=proto)
    lst.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN, queue)
    return lst


def ask(proto, text, port=80):
    sock = net.new_socket(proto=proto)  # blocking: one with a time-out is not, and gets EINPROGRESS
    equal(sock.sendto(text, socket.MSG_FASTOPEN, ("127.0.0.1", port)), len(text), "bytes taken by sendto")
    return sock


def three_connections(client_proto, server_proto):
    """The first fetches a cookie, the others bring their data with the SYN."""
    enable(3)
    lst = server(server_proto)
    taken = []
    for i in range(3):
        text = f"request {i}".encode() * (1 + i * 300)
        sock = ask(client_proto, text)
        conn = net.accept(lst)
        got = b""
        while len(got) < len(text):
            check(net.readable(conn, 2), f"only {len(got)} of {len(text)} bytes came")
            got += conn.recv(65536)
        equal(got, text, "request")
        conn.send(b"answer")
        equal(sock.recv(100), b"answer", "answer")
        taken.append((syn_data(sock), syn_data(conn)))
        for s in (sock, conn):
            s.close()
    equal(taken, [(False, False), (True, True), (True, True)], "TCPI_OPT_SYN_DATA of client and server")


def kernel_client():
    three_connections(0, net.PROTO)
    if net.IS_ATCP:
        stats = net.counts("stats")
        equal((stats["TCPFastOpenCookieReqd"], stats["TCPFastOpenPassive"]), (1, 2), "cookies asked for, connections")


def kernel_server():
    three_connections(net.PROTO, 0)
    if net.IS_ATCP:
        stats = net.counts("stats")
        equal((stats["TCPFastOpenActive"], stats["TCPFastOpenActiveFail"]), (2, 0), "SYNs with data, of them in vain")


def both_ends():
    three_connections(net.PROTO, net.PROTO)


def fetch_cookie(tun, port=25000):
    peer = Peer(tun, port=port)
    peer.send("S", options=packet.mss(packet.MSS) + packet.fastopen())
    syn_ack = peer.expect("SA", ack=peer.snd)
    peer.send("R", seq=peer.snd)
    check(syn_ack.fastopen, f"no cookie in {syn_ack}")
    return syn_ack.fastopen


def known_client(queue=5):
    """A server, a cookie that it has given, and two peers of that address that have sent nothing yet."""
    enable(3)
    tun = Tun()
    lst = server(queue=queue)
    return lst, fetch_cookie(tun), [Peer(tun, port=25001 + i) for i in range(2)]


def early_data(peer, cookie, **more):
    peer.send("S", b"early", options=packet.mss(packet.MSS) + packet.fastopen(cookie), **more)


def served_before_the_handshake():
    lst, cookie, (peer, _) = known_client()
    early_data(peer, cookie)
    syn_ack = peer.expect("SA", ack=peer.snd)
    peer.rcv = (syn_ack.seq + 1) & M
    conn = net.accept(lst)
    equal(conn.recv(100), b"early", "data of the SYN")
    equal(net.state(conn), "SYN_RECV", "state")
    conn.send(b"answer")
    equal(peer.take().payload, b"answer", "answer before the handshake's end")
    peer.send("A")
    net.wait_state(conn, "ESTABLISHED")
    peer.send("PA", b"later")
    equal(conn.recv(100), b"later", "data")


def keys():
    """A new key, with the old one as its backup: the cookies of both are taken, and clients get new ones."""
    old, new = b"o" * 16, b"n" * 16
    enable(3)
    tun = Tun()
    lst = server()
    equal(len(lst.getsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN_KEY, 64)), 16, "bytes of the namespace's key")
    for n in (0, 15, 17, 31, 33):
        equal(net.error_of(lst.setsockopt, socket.IPPROTO_TCP, TCP_FASTOPEN_KEY, b"x" * n), "EINVAL", f"key of {n} bytes")
    lst.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN_KEY, old)
    equal(lst.getsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN_KEY, 64), old, "key")
    first = fetch_cookie(tun, 25000)
    lst.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN_KEY, new + old)
    equal(lst.getsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN_KEY, 64), new + old, "keys")
    second = fetch_cookie(tun, 25001)
    check(first != second, "the cookie of another key is the same")
    for port, cookie, renewed in ((25002, first, second), (25003, second, None)):
        peer = Peer(tun, port=port)
        early_data(peer, cookie)
        syn_ack = peer.expect("SA", ack=peer.snd)
        equal(syn_ack.fastopen or None, renewed, "cookie that comes with the SYN-ACK")
        peer.rcv = (syn_ack.seq + 1) & M
        equal(net.accept(lst).recv(100), b"early", "data of the SYN")
        peer.send("A")
    if net.IS_ATCP:
        equal(net.counts("stats")["TCPFastOpenPassiveAltKey"], 1, "TCPFastOpenPassiveAltKey")
    # With one key both stacks give a client the same cookie.
    lst.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN_KEY, new)
    other = server(0, port=8080)
    other.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN_KEY, new)
    peer = Peer(tun, port=25004, stack_port=8080)
    peer.send("S", options=packet.mss(packet.MSS) + packet.fastopen())
    equal(peer.expect("SA").fastopen, second, "cookie of the kernel's TCP")


def lost_syn_ack():
    """It comes again after a second, and acknowledges the data still."""
    lst, cookie, (peer, _) = known_client()
    early_data(peer, cookie)
    first = peer.expect("SA", ack=peer.snd)
    again = peer.expect("SA", ack=peer.snd, timeout=2)
    check(0.8 < again.time - first.time < 1.4, f"repeated after {again.time - first.time:.2f} s")
    peer.rcv = (again.seq + 1) & M
    peer.send("A")
    conn = net.accept(lst)
    net.wait_state(conn, "ESTABLISHED")
    equal(conn.recv(100), b"early", "data")


def wrong_cookie():
    """Only the SYN is acknowledged, with a good cookie beside it."""
    lst, cookie, (peer, _) = known_client()
    early_data(peer, bytes(len(cookie)), advance=False)
    syn_ack = peer.expect("SA", ack=(peer.snd + 1) & M)
    equal(syn_ack.fastopen, cookie, "cookie")
    check(not net.readable(lst, 0.1), "accepted on a wrong cookie")


def queue_limit():
    """Beyond TCP_FASTOPEN a SYN with data is an ordinary one."""
    lst, cookie, peers = known_client(queue=1)
    for peer, acked in zip(peers, (5, 0)):
        early_data(peer, cookie, advance=False)
        peer.expect("SA", ack=(peer.snd + 1 + acked) & M)
    net.accept(lst)
    check(not net.readable(lst, 0.1), "a second connection without its handshake")


def client_falls_back():
    """A server without it: the data comes after the handshake."""
    enable(3)
    tun = Tun()
    peer = Peer(tun, port=8080)
    sock = net.new_socket(blocking=False)
    equal(net.error_of(sock.sendto, b"hello", socket.MSG_FASTOPEN, (tun.peer, 8080)), "EINPROGRESS", "first sendto")
    syn = peer.wait_syn()
    equal((syn.fastopen, syn.payload), (b"", b""), "option and data of the first SYN")
    peer.send("SA", options=packet.mss(packet.MSS) + packet.fastopen(b"\x11" * 8))
    peer.expect("A", ack=peer.snd)
    sock.close()

    peer = Peer(tun, port=8080)
    sock = net.new_socket(blocking=False)
    equal(sock.sendto(b"hello", socket.MSG_FASTOPEN, (tun.peer, 8080)), 5, "second sendto")
    syn = peer.wait_syn()
    equal((syn.fastopen, syn.payload), (b"\x11" * 8, b"hello"), "option and data of the second SYN")
    peer.send("SA", options=packet.mss(packet.MSS))
    equal(peer.expect(None, ack=peer.snd, seq=peer.rcv).payload, b"hello", "data, once more")
    check(not syn_data(sock), "TCPI_OPT_SYN_DATA though it was refused")


def connect_option():
    """connect() returns at once, the SYN waits for the first write."""
    enable(3)
    tun = Tun()
    peer = Peer(tun, port=8080)
    for i, (option, data) in enumerate(((b"", b""), (b"\x22" * 8, b"hello"))):
        sock = net.new_socket()
        sock.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1)
        if i == 0:
            sock.setblocking(False)
            equal(sock.connect_ex((tun.peer, 8080)), errno.EINPROGRESS, "connect without a cookie")
        else:
            sock.connect((tun.peer, 8080))
            check(not any("S" in s.flags for s in tun.drain(0.2)), "a SYN before the first write")
            sock.setblocking(False)
            sock.send(b"hello")
        syn = peer.wait_syn()
        equal((syn.fastopen, syn.payload), (option, data), f"option and data of SYN {i}")
        peer = Peer(tun, port=8080)
        peer.stack_port, peer.rcv = syn.sport, (syn.seq + 1 + len(syn.payload)) & M
        peer.send("SA", options=packet.mss(packet.MSS) + packet.fastopen(b"\x22" * 8))
        peer.expect("A", ack=peer.snd)
        equal(syn_data(sock), i == 1, "TCPI_OPT_SYN_DATA")
        sock.close()
        tun.drain(0.1)
        peer = Peer(tun, port=8080)


def refused():
    """Nobody there: sendto says so."""
    enable(7)
    sock = net.new_socket()
    equal(net.error_of(sock.sendto, b"hello", socket.MSG_FASTOPEN, ("127.0.0.1", 81)), "ECONNREFUSED", "sendto")


def switched_off():
    enable(0)
    sock = net.new_socket()
    equal(net.error_of(sock.sendto, b"hello", socket.MSG_FASTOPEN, ("127.0.0.1", 80)), "ENOTSUP", "sendto")
    equal(net.error_of(sock.setsockopt, socket.IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1), "ENOTSUP", "setsockopt")


if __name__ == "__main__":
    net.main(kernel_client, kernel_server, both_ends, served_before_the_handshake, keys, lost_syn_ack, wrong_cookie,
             queue_limit, client_falls_back, connect_option, refused, switched_off)
