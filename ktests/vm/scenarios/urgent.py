#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# what: a program that peeks at the urgent mark sleeps and loses nothing when the mark moves on
# mode: smp
# families: 4 6
"""What two ends that behave do with urgent data is in sockapi and sockapi_urgent; here the urgent pointer comes before its
data."""

import os
import socket
import threading
import time

from lib import net
from lib.tun import Peer, Tun


def cpu_seconds(thread):
    """What this thread has used."""
    with open(f"/proc/self/task/{thread.native_id}/stat", encoding="ascii") as f:
        fields = f.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peek_at_a_mark_that_moves():
    tun = Tun()
    lst = net.listener()
    peer = Peer(tun)
    peer.connect()
    conn = net.accept(lst)
    peer.send("PAU", b"!", urgent=1)
    peer.expect("A", ack=peer.snd)
    peeked = []
    reader = threading.Thread(target=lambda: peeked.append(conn.recv(16, socket.MSG_PEEK)), daemon=True)
    reader.start()
    net.sleeps_in(reader, conn)
    net.equal(peeked, [], "a peek at nothing but an urgent byte")
    # The next mark, of bytes that are still on their way: the old mark's byte leaves the queue. The urgent byte itself comes
    # out of order, and wakes who waits.
    peer.send("AU", urgent=5)
    peer.send("PAU", b"?ef", seq=(peer.snd + 4) & 0xFFFFFFFF, urgent=1)
    time.sleep(0.2)
    before = cpu_seconds(reader)
    time.sleep(1)
    used = cpu_seconds(reader) - before
    net.check(used < 0.2, f"who waits used the processor for {used:.2f} of 1 s")
    net.equal(peeked, [], "a peek at nothing")
    peer.send("PAU", b"abcd", urgent=5)
    reader.join(net.patience(2))
    net.equal(peeked, [b"abcd"], "peeked up to the new mark")
    net.equal(conn.recv(16), b"abcd", "read up to the new mark")
    net.equal(conn.recv(1, socket.MSG_OOB), b"?", "the urgent byte")
    net.equal(conn.recv(16, socket.MSG_PEEK), b"ef", "peeked behind the mark")
    net.equal(conn.recv(16), b"ef", "read behind the mark")


def peek_of_all_beside_another_reader():
    """MSG_PEEK | MSG_WAITALL keeps its place in the stream when somebody else reads meanwhile."""
    if not net.IS_ATCP:
        raise net.Skipped("Linux begins anew at what is left")
    tun = Tun()
    lst = net.listener()
    peer = Peer(tun)
    peer.connect()
    conn = net.accept(lst)
    peer.send("PA", b"abcd")
    peer.expect("A", ack=peer.snd)
    peeked = []
    reader = threading.Thread(target=lambda: peeked.append(conn.recv(8, socket.MSG_PEEK | socket.MSG_WAITALL)), daemon=True)
    reader.start()
    net.sleeps_in(reader, conn)
    net.equal(conn.recv(2), b"ab", "read beside a peek")
    peer.send("PA", b"efgh")
    reader.join(net.patience(2))
    net.equal(peeked, [b"abcdefgh"], "peeked")
    net.equal(conn.recv(16), b"cdefgh", "what is left")


if __name__ == "__main__":
    net.main(peek_at_a_mark_that_moves, peek_of_all_beside_another_reader)
