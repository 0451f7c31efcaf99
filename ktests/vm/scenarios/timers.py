#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# what: every timer of a connection fires when Linux users expect it: SYN, SYN-ACK, RTO, probes, keepalive, delayed ACK
# mode: icount
# families: 4 6
"""Schedules, seen from a peer that does not answer. Long ones run in virtual
time; a timer may be late by its granularity, never early."""

import socket
import time

from lib import net, packet
from lib.net import check, equal, error_of, near
from lib.tun import Peer, Tun

M = 0xFFFFFFFF


def schedule(segments, start, want, what):
    """Times (relative to start) within 8 % or 60 ms of what is wanted."""
    got = [s.time - start for s in segments]
    text = f"{what}: at {[round(t, 2) for t in got]}, want {want}"
    equal(len(got), len(want), text)
    for have, ideal in zip(got, want):
        check(ideal - 0.06 <= have <= ideal * 1.08 + 0.06, text)


def established(**more):
    tun = Tun()
    lst = net.listener()
    peer = Peer(tun, **more)
    peer.connect()
    conn = net.accept(lst)
    conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return tun, peer, conn


def syn_ack_schedule():
    """SYN-ACKs at 0, 1, 3, 7, 15, 31 s; at 63 s the request is gone, without a word."""
    tun = Tun()
    lst = net.listener()
    peer = Peer(tun)
    start = time.monotonic()
    peer.send("S", options=packet.mss(packet.MSS))
    seen = [s for s in tun.drain(75) if peer.mine(s)]
    check(all(s.flags == "SA" and s.seq == seen[0].seq for s in seen), f"not the same SYN-ACK: {[str(s) for s in seen]}")
    schedule(seen, start, [0, 1, 3, 7, 15, 31], "SYN-ACKs")
    peer.rcv = (seen[0].seq + 1) & M
    peer.send("A")
    peer.expect("R", seq=peer.rcv, what="to an ACK after the request is gone")
    check(not net.readable(lst, 0.1), "accepted an expired request")


def syn_ack_schedule_ends_with_ack():
    """The third ACK may come as late as 50 s."""
    tun = Tun()
    lst = net.listener()
    peer = Peer(tun)
    peer.send("S", options=packet.mss(packet.MSS))
    seen = tun.drain(50)
    peer.rcv = (seen[0].seq + 1) & M
    peer.send("A")
    net.accept(lst)


def syn_schedule():
    """SYNs at 0, 1, 3, 7 s with syn_retries 3; ETIMEDOUT at 15 s."""
    net.sysctl("syn_retries", 3)
    tun = Tun()
    sock = net.new_socket(blocking=False)
    start = time.monotonic()
    sock.connect_ex((tun.peer, 8080))
    seen = [s for s in tun.drain(20) if s.dport == 8080]
    check(all(s.flags == "S" and s.seq == seen[0].seq for s in seen), "not the same SYN")
    schedule(seen, start, [0, 1, 3, 7], "SYNs")
    equal(sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), 110, "SO_ERROR")


def connect_blocks_until_timeout():
    net.sysctl("syn_retries", 2)
    tun = Tun()
    sock = net.new_socket()
    start = time.monotonic()
    equal(error_of(sock.connect, (tun.peer, 8080)), "ETIMEDOUT", "connect()")
    near(time.monotonic() - start, 7.2, 0.5, "time in connect()")


def rto_backs_off():
    """Data never acknowledged: 200 ms doubled each time; with retries2 = 6 the end is ETIMEDOUT."""
    net.sysctl("retries2", 6)
    tun, peer, conn = established()
    conn.send(b"nobody acknowledges this")
    seen = [s for s in tun.drain(40) if peer.mine(s)]
    check(all(s.seq == peer.rcv and s.payload for s in seen), f"not the same data: {[str(s) for s in seen]}")
    gaps = [b.time - a.time for a, b in zip(seen, seen[1:])]
    check(0.19 <= gaps[0] <= 0.3, f"first RTO {gaps[0]:.3f} s")
    for before, after in zip(gaps, gaps[1:]):
        near(after / before, 2.0, 0.2, f"back-off in {[round(g, 2) for g in gaps]}")
    check(6 <= len(seen) <= 8, f"{len(seen)} transmissions with retries2 = 6")
    equal(error_of(conn.recv, 10), "ETIMEDOUT", "recv()")


def rto_of_one_loss(peer, conn):
    conn.send(b"x")
    first = peer.take()
    again = peer.expect("A", timeout=2, seq=first.seq)
    peer.send("A")
    return again.time - first.time


def karn():
    """The ACK of a repeated segment is no sample: the doubled RTO stays until a clean one."""
    _, peer, conn = established()
    rtos = [rto_of_one_loss(peer, conn) for _ in range(3)]
    for want, got in zip((0.2, 0.4, 0.8), rtos):
        near(got, want, want * 0.15, f"RTO in {[round(r, 2) for r in rtos]}")
    conn.send(b"clean")
    peer.take()
    peer.send("A")
    near(rto_of_one_loss(peer, conn), 0.21, 0.05, "RTO after a clean sample")


def timestamps_end_the_ambiguity():
    """With timestamps the ACK of a repeated segment is a sample: the RTO is short again."""
    tun = Tun()
    lst = net.listener()
    peer = Peer(tun, use_ts=True)
    peer.connect()
    conn = net.accept(lst)
    rtos = [rto_of_one_loss(peer, conn) for _ in range(3)]
    check(max(rtos) < 0.3, f"RTOs {[round(r, 2) for r in rtos]}")


def three_duplicate_acks():
    """The third duplicate ACK repeats the segment before any time-out."""
    tun, peer, conn = established()
    conn.send(b"y" * packet.MSS * 6)
    segments = [s for s in tun.drain(0.05) if peer.mine(s)]
    equal(len(segments), 6, "segments in flight")
    peer.rcv = segments[0].seq
    start = time.monotonic()
    for _ in range(2):
        peer.send("A")
    peer.send("A")
    again = peer.expect("A", timeout=0.15, seq=segments[0].seq)
    check(again.time - start < 0.1, "not a fast retransmission")
    peer.rcv = (segments[5].seq + packet.MSS) & M
    peer.send("A")
    peer.silence(0.5)


def sack_repairs_only_the_hole():
    tun = Tun()
    lst = net.listener()
    peer = Peer(tun)
    peer.connect(options=b"\1\1" + packet.SACK_OK)
    conn = net.accept(lst)
    conn.send(b"z" * packet.MSS * 8)
    flight = [s for s in tun.drain(0.05) if peer.mine(s)]
    equal(len(flight), 8, "segments in flight")
    peer.rcv = flight[2].seq
    peer.send("A")
    for n in range(4, 9):
        end = (flight[n - 1].seq + packet.MSS) & M
        peer.send("A", options=b"\1\1" + packet.sack((flight[3].seq, end)))
    again = [s for s in tun.drain(0.12) if peer.mine(s)]
    equal([s.seq for s in again], [flight[2].seq], "retransmitted sequence numbers")
    peer.rcv = (flight[7].seq + packet.MSS) & M
    peer.send("A")
    peer.silence(0.5)


def zero_window_probes():
    """Probes at about 0.2, 0.6, 1.4, 3 … s, outside the window; a window update lets the data go at once."""
    tun = Tun()
    lst = net.listener()
    peer = Peer(tun)
    peer.connect(window=0)
    conn = net.accept(lst)
    conn.send(b"wait")
    start = time.monotonic()
    probes = [s for s in tun.drain(6) if peer.mine(s)]
    check(all(s.payload == b"" and s.seq == (peer.rcv - 1) & M or s.payload in (b"w",) for s in probes),
          f"not probes: {[str(s) for s in probes]}")
    check(0.15 <= probes[0].time - start <= 0.3, f"first probe after {probes[0].time - start:.2f} s")
    gaps = [b.time - a.time for a, b in zip(probes, probes[1:])]
    for before, after in zip(gaps, gaps[1:]):
        near(after / before, 2.0, 0.3, f"back-off in {[round(g, 2) for g in gaps]}")
    peer.send("A", window=1000)
    seg = peer.take(timeout=0.1)
    equal(seg.payload, b"wait", "data after the window opened")


def probes_go_on_while_answered():
    """A peer that answers each probe with window 0 keeps the connection for minutes."""
    tun = Tun()
    lst = net.listener()
    peer = Peer(tun)
    peer.connect(window=0)
    conn = net.accept(lst)
    conn.send(b"patience")
    end = time.monotonic() + 300
    while time.monotonic() < end:
        seg = tun.read(130)
        check(seg, "no probe within 130 s")
        peer.send("A", window=0)
    equal(net.state(conn), "ESTABLISHED", "state after 300 s")
    peer.send("A", window=1000)
    equal(peer.take(timeout=0.3).payload, b"patience", "data after the window opened")


def own_window_closes_and_opens():
    """Nobody reads: our window goes to 0 and does not shrink; reading sends an update."""
    tun = Tun()
    lst = net.listener()
    lst.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
    peer = Peer(tun)
    peer.connect()
    conn = net.accept(lst)
    window, edge = 8192, 0
    for _ in range(60):
        if window == 0:
            break
        size = min(window, packet.MSS)
        peer.send("PA", b"f" * size)
        seg = peer.expect("A", timeout=0.6, ack=peer.snd)
        right = (seg.ack + seg.window - peer.iss) & M
        check(right >= edge, f"the right edge of the window moved left: {seg}")
        edge, window = right, seg.window
    equal(window, 0, "window of a full buffer")
    peer.send("PA", b"!", advance=False)
    equal(peer.expect("A", ack=peer.snd).window, 0, "window in the answer to a probe")
    total = 0
    while net.readable(conn, 0):
        total += len(conn.recv(65536))
    equal(total, (peer.snd - peer.iss - 1) & M, "bytes read")
    check(peer.expect("A", ack=peer.snd).window > 2000, "no window update after reading")


def keepalive():
    """Idle 5 s, interval 2 s, 3 probes: the dead peer is noticed after 11 s."""
    tun, peer, conn = established()
    for name, value in (("TCP_KEEPIDLE", 5), ("TCP_KEEPINTVL", 2), ("TCP_KEEPCNT", 3)):
        conn.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    start = time.monotonic()
    seen = [s for s in tun.drain(14) if peer.mine(s)]
    probes = [s for s in seen if "R" not in s.flags]
    check(all(s.seq == (peer.rcv - 1) & M for s in probes), f"not probes: {[str(s) for s in probes]}")
    schedule(probes, start, [5, 7, 9], "probes")
    equal(error_of(conn.recv, 10), "ETIMEDOUT", "recv()")


def delayed_ack():
    """A young connection acknowledges at once; later a lone segment waits 40 ms, a second one ends the wait."""
    _, peer, conn = established()
    for _ in range(40):
        peer.send("PA", b"q" * 1000)
        peer.expect("A", timeout=0.5)
        conn.recv(1000)
    time.sleep(0.01)
    delays = []
    for _ in range(3):
        start = time.monotonic()
        peer.send("PA", b"q" * 1000)
        delays.append(peer.expect("A", timeout=0.5, ack=peer.snd).time - start)
        conn.recv(1000)
    check(0.035 <= max(delays) <= 0.21, f"delays {delays}")


def ack_every_second_segment():
    _, peer, conn = established()
    for _ in range(40):
        peer.send("PA", b"q" * packet.MSS)
        peer.expect("A", timeout=0.5)
        conn.recv(packet.MSS)
    start = time.monotonic()
    peer.send("A", b"1" * packet.MSS)
    peer.send("A", b"2" * packet.MSS)
    conn.recv(2 * packet.MSS, socket.MSG_WAITALL)
    seg = peer.expect("A", timeout=0.3)
    while seg.ack != peer.snd:
        seg = peer.expect("A", timeout=0.3)
    check(seg.time - start < 0.03, f"ACK of two full segments after {seg.time - start:.3f} s")


def nagle():
    """A small piece waits while another is unacknowledged; TCP_NODELAY does not wait."""
    tun, peer, conn = established()
    conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 0)
    conn.send(b"a")
    conn.send(b"b")
    conn.send(b"c")
    equal(peer.take().payload, b"a", "first")
    peer.silence(0.1)
    peer.send("A")
    equal(peer.take().payload, b"bc", "after the ACK")
    peer.send("A")
    conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    conn.send(b"d")
    conn.send(b"e")
    equal([peer.take().payload, peer.take().payload], [b"d", b"e"], "with TCP_NODELAY")


def push_on_the_last_segment():
    tun, peer, conn = established()
    conn.send(b"p" * packet.MSS * 3 + b"end")
    flags = [s.flags for s in tun.drain(0.1) if peer.mine(s)]
    equal(flags[:4], ["A", "A", "A", "PA"], "flags")


if __name__ == "__main__":
    net.main(rto_backs_off, karn, timestamps_end_the_ambiguity, three_duplicate_acks, sack_repairs_only_the_hole,
             zero_window_probes, own_window_closes_and_opens, keepalive, delayed_ack, ack_every_second_segment, nagle,
             push_on_the_last_segment, syn_schedule, connect_blocks_until_timeout, syn_ack_schedule,
             syn_ack_schedule_ends_with_ack, probes_go_on_while_answered)
