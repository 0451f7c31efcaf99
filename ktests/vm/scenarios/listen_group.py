#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# what: listeners of a SO_REUSEPORT group take over from one that closes; the ledger of each listener adds up
# mode: icount
# families: 4 6
# needs: atcp
"""SO_REUSEPORT groups and the ledger, seen by raw peers and through the atcp tool."""

import os
import socket

from lib import net, packet
from lib.net import check, equal
from lib.tun import Peer, Tun

M = 0xFFFFFFFF
GROUP = 16


def member(backlog=64):
    sock = net.new_socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    sock.bind(("0.0.0.0", 80))
    sock.listen(backlog)
    return sock


def half_open(tun, count):
    peers = [Peer(tun, port=20001 + i) for i in range(count)]
    for peer in peers:
        peer.send("S", options=packet.mss(packet.MSS))
        peer.rcv = (peer.expect("SA").seq + 1) & M
    return peers


def ledger(sock):
    inode = sock_inode(sock)
    return next(row for row in net.atcp_json("listeners") if row["inode"] == inode)


def sock_inode(sock):
    return os.fstat(sock.fileno()).st_ino


def resets(tun, seconds=0.2):
    return [seg for seg in tun.drain(seconds) if "R" in seg.flags]


def accept_all(sock):
    conns = []
    while net.readable(sock, 0.05):
        conns.append(sock.accept()[0])
    return conns


def taken_over(stop):
    """Half of the peers are connected with data under way, half are half-open, when one of two listeners goes."""
    tun = Tun()
    gone, stays = member(), member()
    peers = half_open(tun, 2 * GROUP)
    for peer in peers[:GROUP]:
        peer.send("A")
        peer.send("PA", b"sent before")
    tun.drain(0.1)
    before = ledger(gone)
    check(before["accept_queue"] > 0 and before["requests"] > 0, f"nothing waits with the first listener: {before}")
    stop(gone)
    equal(resets(tun), [], "resets when the listener went")
    equal(ledger(stays)["accept_queue"], GROUP, "connections in the other's queue")
    equal(ledger(stays)["requests"], GROUP, "requests of the other")
    for peer in peers[GROUP:]:
        peer.send("A")
        peer.send("PA", b"sent behind")
    equal(resets(tun), [], "resets of half-open connections")
    conns = accept_all(stays)
    equal(len(conns), 2 * GROUP, "connections")
    equal({c.getpeername()[1] for c in conns}, {p.port for p in peers}, "peers")
    for conn in conns:
        conn.setblocking(False)
        check(conn.recv(100) in (b"sent before", b"sent behind"), "data lost")
    moved = before["accept_queue"] + before["requests"]
    equal(ledger(stays)["migrated_in"], moved, "migrated_in")
    equal(net.counts("stats")["TCPMigrateReqSuccess"], moved, "TCPMigrateReqSuccess")
    equal(net.counts("stats")["TCPMigrateReqFailure"], 0, "TCPMigrateReqFailure")
    for conn in conns:
        conn.close()


def close_is_taken_over():
    taken_over(lambda sock: sock.close())


def shutdown_is_taken_over():
    taken_over(lambda sock: sock.shutdown(socket.SHUT_RDWR))


def synack_comes_again_from_the_heir():
    tun = Tun()
    gone, stays = member(), member()
    peers = half_open(tun, GROUP)
    gone.close()
    again = {seg.dport for seg in tun.drain(1.3) if seg.flags == "SA"}
    equal(again, {p.port for p in peers}, "peers that were reminded")
    equal(ledger(stays)["requests"], GROUP, "requests of the other")


def no_place_is_a_reset():
    """The heir's queue holds one: the rest are reset, as without a group."""
    tun = Tun()
    gone, stays = member(), member(backlog=0)
    connected = []
    for i in range(4 * GROUP):
        peer = Peer(tun, port=20001 + i)
        peer.send("S", options=packet.mss(packet.MSS))
        for seg in tun.drain(0.02):
            if peer.mine(seg) and seg.flags == "SA":
                peer.rcv = (seg.seq + 1) & M
                peer.send("A")
                connected.append(peer)
    waiting = ledger(gone)["accept_queue"]
    check(waiting > 1, "nothing waits")
    equal(ledger(stays)["accept_queue"], 1, "the other's queue")
    gone.close()
    equal(len(resets(tun)), waiting, "resets")
    equal(net.counts("reasons")["migrate_full"], waiting, "reason migrate_full")
    equal(net.counts("stats")["TCPMigrateReqFailure"], waiting, "TCPMigrateReqFailure")


def parameter_turns_it_off():
    net.set_param("migrate_req", 0)
    tun = Tun()
    gone, stays = member(), member()
    for peer in half_open(tun, GROUP):
        peer.send("A")
    tun.drain(0.05)
    waiting = ledger(gone)["accept_queue"]
    gone.close()
    equal(len(resets(tun)), waiting, "resets")
    equal(ledger(stays)["migrated_in"], 0, "migrated_in")


def ledger_has_every_segment():
    """What a raw peer sent and what the tool says of it, to the last SYN."""
    net.set_param("syncookies", 0)
    tun = Tun()
    lst = member(backlog=2)
    peers = half_open(tun, 3)
    peers[0].send("S", seq=peers[0].iss, options=packet.mss(packet.MSS))  # repeated
    peers[0].expect("SA")
    late = Peer(tun, port=21000)
    late.send("S")  # request queue full
    late.silence(0.05)
    stray = Peer(tun, port=21001)
    stray.send("A", ack=77)
    stray.expect("R")
    for peer in peers:
        peer.send("A")
    Peer(tun, port=21002).send("S")  # accept queue full
    tun.drain(0.05)
    row = ledger(lst)
    equal([row[k] for k in ("syns", "synacks", "syn_dups", "syn_drops")], [6, 3, 1, 2], "SYNs")
    equal([row[k] for k in ("acks", "children", "ack_drops")], [4, 3, 1], "ACKs")
    equal(row["refused_syns"], {"request_queue_full": 1, "accept_queue_full_syn": 1}, "refused SYNs")
    equal(row["refused_acks"], {"listen_ack": 1}, "refused ACKs")
    equal([row[k] for k in ("accept_queue_high", "requests_high")], [3, 3], "marks")
    text = net.atcp("listeners --detail")
    for words in ("SYNs 6 = SYN-ACKs 3 (0 cookies) + repeated 1 + refused 2", "ACKs 4 = connections 3 + refused 1",
                  "accept_queue_full_syn 1"):
        check(words in text, f"`{words}` is not in: {text}")


def time_above_four_fifths():
    tun = Tun()
    lst = member(backlog=2)
    for peer in half_open(tun, 2):
        peer.send("A")
    tun.drain(1.0)
    crowded = ledger(lst)["crowded_ms"]
    check(900 <= crowded <= 1300, f"{crowded} ms above 80 % after 1 s")
    net.accept(lst)
    crowded = ledger(lst)["crowded_ms"]
    tun.drain(0.5)
    equal(ledger(lst)["crowded_ms"], crowded, "ms above 80 % while the queue is half empty")


def backlog_cut_by_somaxconn():
    with open("/proc/sys/net/core/somaxconn", "r+", encoding="ascii") as f:
        f.write("20")
    wide, narrow = net.listener(port=81, backlog=1000), net.listener(port=82, backlog=5)
    row = ledger(wide)
    equal((row["backlog"], row["backlog_at_somaxconn"]), (20, True), "a backlog of 1000 with somaxconn 20")
    equal(ledger(narrow)["backlog_at_somaxconn"], False, "a backlog of 5")
    check("20(somaxconn)" in net.atcp("listeners"), "the table does not tell")
    narrow.listen(20)
    equal(ledger(narrow)["backlog_at_somaxconn"], True, "exactly somaxconn")


if __name__ == "__main__":
    net.main(close_is_taken_over, shutdown_is_taken_over, synack_comes_again_from_the_heir, no_place_is_a_reset,
             parameter_turns_it_off, ledger_has_every_segment, time_above_four_fifths, backlog_cut_by_somaxconn)
