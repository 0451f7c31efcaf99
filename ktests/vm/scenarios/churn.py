#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# what: thousands of connections come and go; afterwards no socket, entry, port or memory is left
# mode: smp
# kernels: 6.1 6.12
# seconds: 300
"""Connection churn and what it leaves behind."""

import os
import time

from lib import net
from lib.flows import kernel_name, tested
from lib.net import check

# The instrumented kernel takes several times longer for each connection.
SECONDS = 4 if kernel_name() == "debug" else 6


def slab_bytes():
    with open("/proc/slabinfo", encoding="ascii") as f:
        lines = [line.split() for line in f.readlines()[2:]]
    names = ("TCP", "tw_sock_TCP", "request_sock_TCP", "sock_inode_cache")
    return {x[0]: int(x[1]) * int(x[3]) for x in lines if x[0] in names or x[0].startswith("atcp") or x[0] == "ATCP"}


def round_of(kind, seconds, flows=1):
    program = f"{net.PROGS}/perf"
    server = net.spawn([program, "server", "127.0.0.1", "9000", "--proto", tested()])
    net.equal(server.stdout.readline().strip(), "ready", "perf server")
    try:
        client = net.spawn([program, kind, "127.0.0.1", "9000", "--proto", tested(), "--seconds", str(seconds), "--flows",
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
    before = slab_bytes() if os.path.exists("/proc/slabinfo") else {}
    made = sum(round_of("connect", SECONDS / 2)["connections"] for _ in range(2))
    net.until(lambda: not left_over(), 10, f"connections left: {left_over()[:3]}")
    print(f"    {made} connections")
    check(made > 100, "too few connections to show anything")
    if not net.IS_ATCP:
        return
    net.until(lambda: not net.connections(), 10, "TIME_WAIT entries gone")
    time.sleep(1)
    if before:
        after = slab_bytes()
        grown = {k: v - before.get(k, 0) for k, v in after.items() if v - before.get(k, 0) > 64 * 1024}
        check(not grown, f"slab growth after {made} connections: {grown}")


def killed_in_the_middle():
    """Processes die in the middle of transfers; nothing of their connections stays."""
    program = f"{net.PROGS}/xfer"
    for _ in range(5):
        options = f"--proto {tested()} --role both --bytes 100000000 --flows 3"
        server = net.spawn(f"{program} server 127.0.0.1 7001 {options}", start_new_session=True)
        client = net.spawn(f"{program} client 127.0.0.1 7001 {options}", start_new_session=True)
        time.sleep(0.7)
        for process in (client, server):
            os.killpg(process.pid, 9)
            process.communicate()
    net.until(lambda: not left_over(), 20, "connections of killed processes gone")


if __name__ == "__main__":
    net.main(no_leak, killed_in_the_middle)
