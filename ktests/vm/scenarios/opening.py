#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# what: the handshake in all its forms: options, simultaneous open, self-connect, and what a half-open request survives
# mode: icount
# families: 4 6
"""Opening a connection, actively and passively, with a hand-driven peer."""

import socket

from lib import net, packet
from lib.net import check, equal
from lib.tun import Peer, Tun

M = 0xFFFFFFFF


def active_open(port=8080, **options):
    tun = Tun()
    peer = Peer(tun, port=port)
    sock = net.new_socket(blocking=False)
    for name, value in options.items():
        sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
    sock.connect_ex((tun.peer, port))
    return tun, peer, sock


def half_open(**more):
    tun = Tun()
    lst = net.listener(**more)
    peer = Peer(tun)
    peer.send("S", options=packet.mss(packet.MSS))
    syn_ack = peer.expect("SA", ack=peer.snd)
    peer.rcv = (syn_ack.seq + 1) & M
    return tun, lst, peer, syn_ack


def syn_carries_our_options():
    _, peer, _ = active_open()
    syn = peer.wait_syn()
    equal(syn.mss, packet.MSS, "MSS")
    check(syn.wscale is not None and syn.sack_ok and syn.ts and syn.ts[1] == 0, f"options: {syn}")
    equal(syn.ack, 0, "ACK field of a SYN")


def options_only_when_offered():
    """A SYN-ACK carries window scale, SACK and timestamps only if the SYN did."""
    tun = Tun()
    net.listener()
    for offer, names in ((b"", []), (packet.SACK_OK, ["sack_ok"]), (packet.wscale(7) + b"\1", ["wscale"]),
                         (packet.timestamps(77, 0), ["ts"])):
        peer = Peer(tun)
        peer.send("S", options=packet.mss(packet.MSS) + offer)
        answer = peer.expect("SA", ack=peer.snd)
        got = [n for n in ("sack_ok", "wscale", "ts") if getattr(answer, n) not in (None, False)]
        equal(got, names, "options of the SYN-ACK")
        if answer.ts:
            equal(answer.ts[1], 77, "echoed timestamp")
        equal(answer.mss, packet.MSS, "MSS")


def mss_bounds_segments():
    """Peer's MSS 1200, or none at all (536, IPv6: 1220), is never exceeded; first flight is ten segments."""
    tun = Tun()
    lst = net.listener()
    for offered, size in ((1200, 1200), (None, 1220 if packet.V6 else 536)):
        peer = Peer(tun)
        peer.send("S", options=packet.mss(offered) if offered else b"")
        peer.rcv = (peer.expect("SA").seq + 1) & M
        peer.send("A")
        conn = net.accept(lst)
        conn.send(b"d" * 20000, socket.MSG_DONTWAIT)
        flight = [s for s in tun.drain(0.15) if peer.mine(s)]
        equal([len(s.payload) for s in flight], [size] * 10, f"first flight with MSS {offered}")
        check(all(s.df for s in flight), "DF is not set")


def isn_differs_per_connection():
    tun = Tun()
    net.listener()
    seen = set()
    for port in range(20000, 20016):
        peer = Peer(tun, port=port)
        peer.send("S", options=packet.mss(packet.MSS))
        seen.add(peer.expect("SA").seq)
    equal(len(seen), 16, "distinct initial sequence numbers")
    spread = max(seen) - min(seen)
    check(spread > 1 << 24, f"initial sequence numbers lie close together: {spread}")


def simultaneous_open():
    _, peer, sock = active_open()
    syn = peer.wait_syn()
    peer.send("S", options=packet.mss(packet.MSS))
    peer.expect("SA", seq=syn.seq, ack=peer.snd, what="in SYN_SENT")
    equal(net.state(sock), "SYN_RECV", "state")
    peer.send("SA", seq=peer.iss, options=packet.mss(packet.MSS))
    net.wait_state(sock, "ESTABLISHED")
    sock.send(b"hello")
    seg = peer.expect("A")
    while not seg.payload:  # the ACK of the SYN-ACK comes first
        seg = peer.expect("A")
    equal(seg.payload, b"hello", "data")


def self_connect():
    """connect() to the own address and port: one socket, a connection with itself."""
    sock = net.new_socket()
    sock.settimeout(3)
    sock.bind(("127.0.0.1", 30303))
    sock.connect(("127.0.0.1", 30303))
    equal(net.state(sock), "ESTABLISHED", "state")
    equal(sock.getpeername(), sock.getsockname(), "names")
    sock.send(b"echo")
    equal(sock.recv(10), b"echo", "data")
    sock.shutdown(socket.SHUT_WR)
    equal(sock.recv(10), b"", "end of file")
    sock.close()


def syn_ack_lost():
    """A repeated SYN is answered at once with the same SYN-ACK."""
    _, _, peer, syn_ack = half_open()
    peer.send("S", seq=peer.iss, options=packet.mss(packet.MSS))
    peer.expect("SA", seq=syn_ack.seq, ack=peer.snd)


def third_ack_with_data():
    _, lst, peer, _ = half_open()
    peer.send("PA", b"with the third ACK")
    conn = net.accept(lst)
    equal(conn.recv(100), b"with the third ACK", "data")


def third_ack_with_fin():
    _, lst, peer, _ = half_open()
    peer.send("FA")
    conn = net.accept(lst)
    equal(net.state(conn), "CLOSE_WAIT", "state")
    equal(conn.recv(10), b"", "recv")


def third_ack_lost_then_data():
    """The third ACK never came; data completes the handshake."""
    _, lst, peer, _ = half_open()
    peer.silence(0.2)
    check(not net.readable(lst, 0), "accepted without the third ACK")
    peer.send("PA", b"hello")
    equal(net.accept(lst).recv(10), b"hello", "data")


def wrong_third_ack():
    """Wrong acknowledgement: reset with its ack, the request stays."""
    _, lst, peer, syn_ack = half_open()
    for wrong in (5, 100000):
        peer.send("A", ack=(syn_ack.seq + wrong) & M)
        peer.expect("R", seq=(syn_ack.seq + wrong) & M)
    peer.send("A")
    net.accept(lst)


def other_syn_on_request():
    """A SYN with another sequence number in the window: reset, the request is gone."""
    _, lst, peer, _ = half_open()
    peer.send("S", seq=(peer.snd + 100) & M, options=packet.mss(packet.MSS))
    peer.expect("RA")
    peer.send("A")
    peer.expect("R")
    check(not net.readable(lst, 0.1), "accepted a destroyed request")


def rst_on_request():
    _, lst, peer, _ = half_open()
    peer.send("R", seq=peer.snd + 1000)
    peer.expect("A", seq=peer.rcv, ack=peer.snd, what="challenge")
    peer.send("R", advance=False)
    peer.silence(0.1)
    peer.send("A")
    peer.expect("R", what="to the ACK of a destroyed request")
    check(not net.readable(lst, 0.1), "accepted a destroyed request")


def syn_with_data():
    """Data on a SYN (no fast open) is not acknowledged; it is sent again and taken."""
    tun = Tun()
    lst = net.listener()
    peer = Peer(tun)
    peer.send("S", b"early", options=packet.mss(packet.MSS), advance=False)
    peer.snd = (peer.snd + 1) & M
    peer.rcv = (peer.expect("SA", ack=peer.snd).seq + 1) & M
    peer.send("PA", b"early")
    equal(net.accept(lst).recv(10), b"early", "data")


def two_clients_behind_one_address():
    """Decreasing timestamps from one address (NAT): both connect."""
    tun = Tun()
    lst = net.listener()
    for value, port in ((900000, 20001), (1000, 20002)):
        peer = Peer(tun, port=port)
        peer.send("S", options=[packet.mss(packet.MSS), packet.SACK_OK, packet.timestamps(value, 0)])
        syn_ack = peer.expect("SA", ack=peer.snd)
        peer.rcv = (syn_ack.seq + 1) & M
        peer.send("A", options=[b"\1\1", packet.timestamps(value + 1, syn_ack.ts[0])])
        net.accept(lst)


def window_scale_is_applied():
    """A peer with scale 7 and window field 2 may be sent 256 bytes."""
    tun = Tun()
    lst = net.listener()
    peer = Peer(tun)
    peer.send("S", options=[packet.mss(packet.MSS), b"\1", packet.wscale(7)])
    peer.rcv = (peer.expect("SA").seq + 1) & M
    peer.send("A", window=2)
    conn = net.accept(lst)
    conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    conn.send(b"x" * 5000)
    got = sum(len(s.payload) for s in tun.drain(0.15) if peer.mine(s))
    equal(got, 256, "bytes within the window")


if __name__ == "__main__":
    net.main(syn_carries_our_options, options_only_when_offered, mss_bounds_segments, isn_differs_per_connection,
             simultaneous_open, self_connect, syn_ack_lost, third_ack_with_data, third_ack_with_fin,
             third_ack_lost_then_data, wrong_third_ack, other_syn_on_request, rst_on_request, syn_with_data,
             two_clients_behind_one_address, window_scale_is_applied)
