#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# what: 20 SYNs against backlog 4 with cookies off, on overflow, always; options that survive; what is not believed
# mode: icount
# families: 4 6
# seconds: 1500
# needs: atcp
"""SYN cookies: who is answered, what is kept, what is counted."""

import socket
import time

from lib import net, packet
from lib.net import check, equal
from lib.tun import Peer, Tun

M = 0xFFFFFFFF


def syn(peer, options=b""):
    """The SYN-ACK, or None."""
    peer.send("S", options=packet.mss(packet.MSS) + options)
    for seg in peer.tun.drain(0.03):
        if peer.mine(seg) and seg.flags == "SA":
            peer.rcv = (seg.seq + 1) & M
            return seg
    return None


def flood(mode, answered, requests, cookies, dropped):
    net.set_param("syncookies", mode)
    tun = Tun()
    lst = net.listener(backlog=4)
    before = net.counts("stats")
    equal(sum(bool(syn(Peer(tun, port=20001 + i))) for i in range(20)), answered, "SYN-ACKs")
    half_open = [c for c in net.connections() if c["state"] == "SYN_RECV"]
    equal(len(half_open), requests, "requests")
    after = net.counts("stats")
    equal({n: after[n] - before[n] for n in ("SyncookiesSent", "TCPReqQFullDrop", "TCPReqQFullDoCookies")},
          {"SyncookiesSent": cookies, "TCPReqQFullDrop": dropped, "TCPReqQFullDoCookies": cookies}, "counters")
    return tun, lst


def off():
    tun, lst = flood(0, 5, 5, 0, 15)
    equal(syn(Peer(tun, port=30000)), None, "answer to one more client")
    check(net.counts("reasons")["request_queue_full"] >= 15, "no reason for what was dropped")
    check(not net.readable(lst, 0), "accepted?")


def legitimate(tun, lst):
    """A client in the middle of it: connects, sends, is answered."""
    peer = Peer(tun, port=30000)
    check(syn(peer), "no SYN-ACK for the client")
    peer.send("PA", b"hello")
    conn = net.accept(lst)
    equal(conn.recv(100), b"hello", "data")
    peer.expect("A", ack=peer.snd)
    conn.send(b"world")
    equal(peer.take().payload, b"world", "answer")
    stats = net.counts("stats")
    equal((stats["SyncookiesRecv"], stats["SyncookiesFailed"]), (1, 0), "cookies received, refused")


def on_overflow():
    legitimate(*flood(1, 20, 5, 15, 0))


def always():
    legitimate(*flood(2, 20, 0, 20, 0))


def window(options, shift, use_ts):
    """Bytes that a window field of 3 lets the server send."""
    net.set_param("syncookies", 2)
    tun = Tun()
    lst = net.listener()
    peer = Peer(tun)
    answer = syn(peer, options)
    check(answer and answer.wscale is not None and answer.sack_ok, f"options lost: {answer}")
    more = {"options": b"\1\1" + packet.timestamps(5001, answer.ts[0])} if use_ts else {}
    peer.send("PA", b"x", window=3, **more)
    conn = net.accept(lst)
    conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    conn.send(b"w" * 5000)
    got = sum(len(s.payload) for s in tun.drain(0.15) if peer.mine(s))
    equal(got, 3 << shift, "bytes within the window")


def options_survive_without_timestamps():
    window(packet.SACK_OK + packet.wscale(7) + b"\1", 7, False)


def options_survive_with_timestamps():
    window(packet.SACK_OK + packet.timestamps(5000, 0) + packet.wscale(9) + b"\1", 9, True)


def odd_window_scale_is_cut_down():
    window(packet.SACK_OK + packet.wscale(9) + b"\1", 8, False)


def too_old():
    """Good after a minute, reset after 125 s, though others are sent meanwhile."""
    net.set_param("syncookies", 2)
    tun = Tun()
    lst = net.listener()
    early, late = Peer(tun, port=20001), Peer(tun, port=20002)
    check(syn(early) and syn(late), "no SYN-ACK")
    time.sleep(60)
    early.send("A")
    net.accept(lst)
    time.sleep(65)
    check(syn(Peer(tun, port=20003)), "no SYN-ACK")
    late.send("A")
    late.expect("R", seq=late.rcv)
    equal(net.counts("reasons")["cookie_bad"], 1, "reason cookie_bad")


def of_another_listener():
    net.set_param("syncookies", 2)
    tun = Tun()
    net.listener(port=80)
    net.listener(port=81)
    one, other = Peer(tun, port=20001, stack_port=80), Peer(tun, port=20001, stack_port=81)
    other.snd = other.iss = one.iss
    check(syn(one) and syn(other), "no SYN-ACK")
    other.send("A", ack=one.rcv)
    other.expect("R", seq=one.rcv)
    other.send("A")
    other.silence(0.1, "after the right one")


def forged_acks():
    net.set_param("syncookies", 2)
    tun = Tun()
    lst = net.listener()
    check(syn(Peer(tun, port=20000)), "no SYN-ACK")
    for i in range(50):
        peer = Peer(tun, port=20001 + i)
        peer.rcv = (0x9E3779B1 * (i + 1)) & M
        peer.send("A")
        peer.expect("R", seq=peer.rcv)
    check(not net.readable(lst, 0), "a forged ACK was believed")
    equal(net.counts("stats")["SyncookiesFailed"], 50, "SyncookiesFailed")
    equal(net.counts("reasons")["cookie_bad"], 50, "reason cookie_bad")


def full_accept_queue():
    """The ACK is dropped without a word; data brings the cookie again when there is room."""
    net.set_param("syncookies", 2)
    tun = Tun()
    lst = net.listener(backlog=0)
    first, second = Peer(tun, port=20001), Peer(tun, port=20002)
    check(syn(first) and syn(second), "no SYN-ACK")
    first.send("A")
    second.send("A")
    second.silence(1.5, "while the queue is full")
    net.accept(lst)
    second.send("PA", b"still here")
    equal(net.accept(lst).recv(100), b"still here", "data")
    equal(net.counts("reasons")["accept_queue_full_ack"], 1, "reason")


def key_changes_in_use():
    """Eleven minutes of cookies: no client is lost when the key is replaced."""
    net.set_param("syncookies", 2)
    tun = Tun()
    lst = net.listener()
    for i in range(23):
        peer = Peer(tun, port=20001 + i)
        check(syn(peer), "no SYN-ACK")
        time.sleep(30)
        peer.send("A")
        net.accept(lst)
    equal(net.counts("stats")["SyncookiesFailed"], 0, "SyncookiesFailed")


key_changes_in_use.limit_s = 900


if __name__ == "__main__":
    net.main(off, on_overflow, always, options_survive_without_timestamps, options_survive_with_timestamps,
             odd_window_scale_is_cut_down, too_old, of_another_listener, forged_acks, full_accept_queue,
             key_changes_in_use)
