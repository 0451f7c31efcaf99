#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# what: thousands of connections come and go; afterwards no socket, entry, port or memory is left
# mode: smp
# families: 4 6
# kernels: 6.1 6.12
# seconds: 300
"""Connection churn and what it leaves behind."""

import glob
import os
import time

from lib import net, packet
from lib.flows import tested
from lib.net import check

ENOUGH = 300  # connections, for a leak to be seen beyond the few objects that come and go

SLABS = ("ATCP", "ATCPv6", "sock_inode_cache", "TCP", "TCPv6", "tw_sock_TCP", "tw_sock_TCPv6", "request_sock_TCP", "request_sock_TCPv6")
HERE = packet.spelt("127.0.0.1")


def slab_objects():
    """Objects in use. Each processor keeps freed ones of its own that count as used until the cache is told to shrink."""
    found = {}
    for path in glob.glob("/sys/kernel/slab/*"):
        name = os.path.basename(path)
        if name in SLABS or name.startswith("atcp"):
            with open(f"{path}/shrink", "w", encoding="ascii") as f:
                f.write("1")
            with open(f"{path}/objects", encoding="ascii") as f:
                found[name] = int(f.read().split()[0])
    return found


def round_of(kind, seconds, flows=1):
    program = f"{net.PROGS}/perf"
    server = net.spawn([program, "server", HERE, "9000", "--proto", tested()])
    net.equal(server.stdout.readline().strip(), "ready", "perf server")
    try:
        client = net.spawn([program, kind, HERE, "9000", "--proto", tested(), "--seconds", str(seconds), "--flows",
                            str(flows)])
        return net.last_json(net.finish(client, f"perf {kind}"))
    finally:
        server.kill()
        server.communicate()


def left_over():
    if net.IS_ATCP:
        return [c for c in net.connections() if c["state"] != "TIME_WAIT"]
    return [line for line in net.sh("ss -tanH").splitlines() if not line.startswith("TIME-WAIT")]


def no_leak():
    if net.IS_ATCP:
        net.set_param("timewait_len", 2)
    round_of("connect", 1)
    time.sleep(4)
    before = slab_objects()
    made = rounds = 0
    while rounds < 2 or made < ENOUGH:
        made += round_of("connect", 3)["connections"]
        rounds += 1
    net.until(lambda: not left_over(), 10, f"connections left: {left_over()[:3]}")
    print(f"    {made} connections")
    if not net.IS_ATCP:
        return
    net.until(lambda: not net.connections(), 10, "TIME_WAIT entries gone")
    check(before, "no slab of sockets in sysfs")
    # Sockets are freed a grace period after their end.
    net.until(lambda: not grown(before), 10, lambda: f"objects left of {made} connections: {grown(before)}")


def grown(before):
    """Caches that hold more than the few objects that the rest of the guest may have made meanwhile."""
    return {k: v - before.get(k, 0) for k, v in slab_objects().items() if v - before.get(k, 0) > 32}


def killed_in_the_middle():
    """Processes die in the middle of transfers; nothing of their connections stays."""
    program = f"{net.PROGS}/xfer"
    for _ in range(5):
        options = f"--proto {tested()} --role both --bytes 100000000 --flows 3"
        server = net.spawn(f"{program} server {HERE} 7001 {options}", start_new_session=True)
        client = net.spawn(f"{program} client {HERE} 7001 {options}", start_new_session=True)
        time.sleep(0.7)
        for process in (client, server):
            os.killpg(process.pid, 9)
            process.communicate()
    net.until(lambda: not left_over(), 20, "connections of killed processes gone")


if __name__ == "__main__":
    net.main(no_leak, killed_in_the_middle)
