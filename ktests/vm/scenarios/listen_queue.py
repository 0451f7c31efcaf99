#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# what: backlog + 1 are admitted, the rest is refused the way Linux refuses; SYN cookies on, off, always
# mode: icount
# families: 4 6
"""Accept queue, half-open requests and cookies of one listener."""

import os
import random
import socket
import threading
import time

from lib import net, packet
from lib.net import check, equal
from lib.tun import Peer, Tun

M = 0xFFFFFFFF


def syn(peer, options=b""):
    """Sends a SYN and its repetition never; True when a SYN-ACK came."""
    peer.send("S", options=packet.mss(packet.MSS) + options)
    for seg in peer.tun.drain(0.05):
        if peer.mine(seg) and seg.flags == "SA":
            peer.rcv = (seg.seq + 1) & M
            peer.syn_ack = seg
            return True
    return False


def peers(tun, count, first=20001):
    return [Peer(tun, port=first + i) for i in range(count)]


def accept_queue_holds_backlog_plus_one():
    tun = Tun()
    lst = net.listener(backlog=2)
    clients = peers(tun, 6)
    answered = []
    for peer in clients:
        if syn(peer):
            peer.send("A")
            answered.append(peer)
    equal(len(answered), 3, "handshakes with backlog 2")
    for _ in answered:
        net.accept(lst)
    check(not net.readable(lst, 0.1), "more connections than handshakes")
    check(syn(peers(tun, 1, 21000)[0]), "no SYN-ACK although the queue has room again")


def full_when_the_ack_comes():
    """Backlog 1: one accepted-queue entry, two requests; the first ACK fills the queue, the second finds it full."""
    net.sysctl("syncookies", 0)
    tun = Tun()
    lst = net.listener(backlog=1)
    first, second, late = peers(tun, 3)
    check(syn(first), "no SYN-ACK")
    first.send("A")
    check(syn(second) and syn(late), "no SYN-ACK")
    second.send("A")
    late.send("A")
    return lst, late


def third_ack_of_a_full_queue():
    """The ACK is dropped, the SYN-ACK comes again, and after accept() the connection completes."""
    lst, late = full_when_the_ack_comes()
    late.silence(0.2, "while the queue is full")
    late.expect("SA", timeout=2, what="again, because the ACK did not count")
    for _ in range(2):
        net.accept(lst)
    check(not net.readable(lst, 0.1), "a third connection was queued")
    late.send("A")
    net.accept(lst)


def queue_that_is_never_drained():
    """Every third ACK is dropped; when the SYN-ACKs are used up the request goes without a word, and only data is reset."""
    net.sysctl("synack_retries", 2)
    _, late = full_when_the_ack_comes()
    for wait in (2, 3):
        late.expect("SA", timeout=wait)
        late.send("A")
    late.silence(10, "no reset when the request ends")
    late.send("PA", b"late", advance=False)
    late.expect("R", seq=late.rcv, what="to data for a request that is gone")


def refused_client_gets_in():
    """A SYN refused by a full queue is repeated by its client; the repetition counts once there is room."""
    tun = Tun()
    lst = net.listener(backlog=0)
    first, second = peers(tun, 2)
    check(syn(first), "no SYN-ACK")
    first.send("A")
    net.readable(lst, 1)
    for _ in range(2):
        second.send("S", advance=False, options=packet.mss(packet.MSS))
        second.silence(1, "while the queue is full")
    net.accept(lst)
    check(syn(second), "no SYN-ACK although there is room")
    second.send("A")
    net.accept(lst)


def abort_on_overflow():
    net.sysctl("abort_on_overflow", 1)
    _, late = full_when_the_ack_comes()
    late.expect("R", seq=late.rcv, what="with abort_on_overflow")


def requests_without_cookies():
    """syncookies 0: backlog 4 admits five requests, the others get no answer."""
    net.sysctl("syncookies", 0)
    tun = Tun()
    net.listener(backlog=4)
    equal([syn(p) for p in peers(tun, 8)], [True] * 5 + [False] * 3, "answers")


def cookies_on_overflow():
    """syncookies 1: five requests, then cookies; a good one completes, a bad one is reset."""
    tun = Tun()
    lst = net.listener(backlog=4)
    clients = peers(tun, 8)
    equal([syn(p) for p in clients], [True] * 8, "answers")
    clients[6].send("A")
    net.accept(lst)
    clients[7].send("A", ack=(clients[7].rcv + 6) & M)
    clients[7].expect("R")
    check(not net.readable(lst, 0.1), "a wrong cookie was accepted")


def cookies_always():
    """syncookies 2 changes what the next SYN gets: nothing is kept, the SYN-ACK is never repeated."""
    net.sysctl("syncookies", 2)
    tun = Tun()
    lst = net.listener()
    peer = peers(tun, 1)[0]
    check(syn(peer, packet.wscale(7) + b"\1"), "no SYN-ACK")
    # Linux gives the options up here; atcp keeps them in the sequence number.
    equal(peer.syn_ack.wscale is not None, net.IS_ATCP, "window scale of a cookie without timestamps")
    peer.silence(2.5, "a cookie is not retransmitted")
    peer.send("A")
    conn = net.accept(lst)
    peer.send("PA", b"data after a cookie")
    net.readable(conn, 1)
    equal(conn.recv(100), b"data after a cookie", "data")
    peer.expect("A", ack=peer.snd)
    conn.send(b"and back")
    equal(peer.take().payload, b"and back", "data")


def cookies_off_by_parameter():
    """With syncookies 0 the same SYN leaves a request: its SYN-ACK comes again after 1 s."""
    net.sysctl("syncookies", 0)
    tun = Tun()
    net.listener()
    peer = peers(tun, 1)[0]
    check(syn(peer), "no SYN-ACK")
    peer.expect("SA", timeout=1.5, seq=peer.syn_ack.seq)


def cookie_keeps_options_with_timestamps():
    net.sysctl("syncookies", 2)
    tun = Tun()
    lst = net.listener()
    peer = peers(tun, 1)[0]
    check(syn(peer, packet.SACK_OK + packet.timestamps(5000, 0) + b"\1" + packet.wscale(7)), "no SYN-ACK")
    check(peer.syn_ack.wscale is not None and peer.syn_ack.sack_ok, f"options lost: {peer.syn_ack}")
    peer.send("PA", b"x", window=3, options=b"\1\1" + packet.timestamps(5001, peer.syn_ack.ts[0]))
    conn = net.accept(lst)
    conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    conn.send(b"w" * 2000)
    got = sum(len(s.payload) for s in tun.drain(0.15) if peer.mine(s))
    equal(got, 384, "bytes within the scaled window")


def cookie_mss():
    """A cookie remembers one of eight MSS values (Linux: four), never more than was offered."""
    net.sysctl("syncookies", 2)
    tun = Tun()
    lst = net.listener()
    values = ((1000, 536, 536), (1299, 536, 1220), (1400, 1300, 1380), (1459, 1440, 1452), (9000, 1460, 1460))
    if packet.V6:
        values = ((1000, 1220, 536), (1299, 1220, 1220), (1400, 1220, 1360), (1439, 1420, 1432), (9000, 1440, 1440))
    for offered, linux, ours in values:
        kept = ours if net.IS_ATCP else linux
        peer = Peer(tun)
        peer.send("S", options=packet.mss(offered))
        peer.rcv = (peer.expect("SA").seq + 1) & M
        peer.send("A")
        conn = net.accept(lst)
        conn.send(b"m" * 5000, socket.MSG_DONTWAIT)
        equal(len(peer.take().payload), kept, f"segment size with offered MSS {offered}")
        tun.drain(0.05)


def max_syn_backlog_without_cookies():
    """syncookies 0 and max_syn_backlog 16: the last quarter is kept for proven peers, 13 get in."""
    net.sysctl("syncookies", 0)
    net.sysctl("max_syn_backlog", 16)
    tun = Tun()
    net.listener(backlog=100)
    equal(sum(syn(p) for p in peers(tun, 20)), 13, "answers")


def switches(thread):
    with open(f"/proc/self/task/{thread.native_id}/status", encoding="ascii") as f:
        return sum(int(line.split()[1]) for line in f if "voluntary_ctxt_switches" in line)


def one_connection_wakes_one():
    """Of four threads in accept() a connection wakes one; the others do not even run."""
    tun = Tun()
    lst = net.listener()
    got = []
    threads = [threading.Thread(target=lambda: got.append(lst.accept()), daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(0.5)
    before = [switches(t) for t in threads]
    for number, peer in enumerate(peers(tun, 3), 1):
        peer.connect()
        time.sleep(0.3)
        equal(len(got), number, "threads that returned")
        ran = [t for t, b in zip(threads, before) if t.is_alive() and switches(t) != b]
        equal(len(ran), 0, "threads that woke up for nothing")
    os._exit(0)  # the fourth sleeps on


def old_requests_make_room():
    """Backlog 32, 30 SYNs: after two timeouts all but half a queue are given up, the others are reminded on."""
    tun = Tun()
    net.listener(backlog=32)
    clients = peers(tun, 30)
    for peer in clients:
        check(syn(peer), "no SYN-ACK")
    tun.drain(10)
    equal(len({seg.dport for seg in tun.drain(8) if seg.flags == "SA"}), 16, "peers reminded at 15 s")


def flood_is_told_once():
    net.sysctl("syncookies", 0)
    port = random.randrange(30000, 60000)
    tun = Tun()
    net.listener(port=port, backlog=1)
    for i in range(6):
        Peer(tun, port=20001 + i, stack_port=port).send("S", options=packet.mss(packet.MSS))
        tun.drain(0.02)
    told = [line for line in net.sh("dmesg").splitlines() if "ossible SYN flooding on port" in line and str(port) in line]
    equal(len(told), 1, "lines in the kernel's log")
    check("Dropping request" in told[0], told[0])


def defer(seconds):
    net.sysctl("syncookies", 0)
    tun = Tun()
    lst = net.listener()
    lst.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, seconds)
    peer = peers(tun, 1)[0]
    check(syn(peer), "no SYN-ACK")
    peer.send("A")
    return lst, peer


def defer_accept_waits_for_data():
    lst, peer = defer(30)
    check(not net.readable(lst, 0.2), "accepted without data")
    peer.send("PA", b"now")
    conn = net.accept(lst)
    equal(conn.recv(10), b"now", "data")


def defer_accept_ends():
    """3 s are two timeouts: the SYN-ACK of 1 s is left out, that of 3 s comes, and its ACK is taken."""
    lst, peer = defer(3)
    peer.silence(2.5, "while the peer is put off")
    peer.expect("SA", timeout=1.5, what="at the end of the time")
    check(not net.readable(lst, 0.05), "accepted without data")
    peer.send("A")
    net.accept(lst)


def defer_accept_is_rounded():
    lst = net.listener()
    for seconds, kept in ((0, 0), (1, 1), (2, 3), (4, 7), (64, 127), (128, 247)):
        lst.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, seconds)
        equal(lst.getsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT), kept, f"TCP_DEFER_ACCEPT {seconds}")


def backlog_can_change():
    tun = Tun()
    lst = net.listener(backlog=0)
    clients = peers(tun, 5)
    for peer in clients[:2]:
        if syn(peer):
            peer.send("A")
    check(not syn(clients[2]), "two connections in a queue of backlog 0")
    lst.listen(8)
    check(syn(clients[3]), "the larger backlog has no effect")


if __name__ == "__main__":
    net.main(accept_queue_holds_backlog_plus_one, third_ack_of_a_full_queue, queue_that_is_never_drained,
             refused_client_gets_in, one_connection_wakes_one, abort_on_overflow,
             requests_without_cookies, cookies_on_overflow, cookies_always, cookies_off_by_parameter,
             cookie_keeps_options_with_timestamps, cookie_mss, max_syn_backlog_without_cookies,
             old_requests_make_room, flood_is_told_once, defer_accept_waits_for_data, defer_accept_ends, defer_accept_is_rounded, backlog_can_change)
