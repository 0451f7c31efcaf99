#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# what: keepalive by default: the first probe after two hours, an answer begins them anew
# mode: icount
# families: 4 6
# set: long
"""Four hours of virtual time: two minutes of the host's, so not for every run."""

import socket
import time

from lib import net
from lib.net import check, equal
from lib.tun import Peer, Tun

M = 0xFFFFFFFF
LATE_S = 132  # what the kernel's timers may add to two hours at 250 Hz


def keepalive_two_hours():
    tun = Tun()
    lst = net.listener()
    peer = Peer(tun)
    peer.connect()
    conn = net.accept(lst)
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for _ in range(2):
        start = time.monotonic()
        seg = tun.read(8000)
        check(seg and seg.seq == (peer.rcv - 1) & M, f"not a probe: {seg}")
        late = seg.time - start - 7200
        check(0 <= late <= LATE_S, f"the probe was {late:.1f} s late")
        peer.send("A")
    peer.silence(60)
    equal(net.state(conn), "ESTABLISHED", "state")


keepalive_two_hours.limit_s = 20000

if __name__ == "__main__":
    net.main(keepalive_two_hours)
