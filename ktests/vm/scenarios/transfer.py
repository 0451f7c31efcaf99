#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# what: 64 MB each way between every pair of stacks through delay, loss, reordering, duplication and corruption; no RST
# mode: smp
# families: 4 6
# kernels: 6.1 6.12
# seconds: 5400
"""The transfer matrix. Each pair of stacks carries eight flows, in both
directions at once, beside a kernel-TCP pair that must not notice; tcpdump on
both ends must see no reset that neither stack owes."""

import os

from lib import net
from lib.flows import NETEM, TwoHosts, kernel_name, stop_watch, tested, unowed_resets

# The instrumented kernel is many times slower: its full size belongs to the long run.
MEGABYTES = int(os.environ.get("ATCP_TRANSFER_MB", "8" if kernel_name() == "debug" else "64"))
FLOWS = 8


def matrix():
    with TwoHosts(netem=NETEM) as hosts:
        dumps = [hosts.watch(n, "tcp[tcpflags] & (tcp-syn|tcp-fin|tcp-rst) != 0") for n in "ab"]
        options = f"--role both --flows {FLOWS} --bytes {(MEGABYTES << 20) // FLOWS} --timeout 120"
        pairs = {f"{tested()} and kernel TCP": ("tcp", tested()), f"{tested()} and {tested()}": (tested(), tested()),
                 "kernel TCP beside them": ("tcp", "tcp")}
        running = {}
        for port, (what, (left, right)) in enumerate(pairs.items(), 7001):
            size = options if what != "kernel TCP beside them" else options + f" --bytes {(4 << 20) // FLOWS}"
            running[what] = hosts.start(port, left, right, size)
        for what, pair in running.items():
            server, client = hosts.finish(pair, what, timeout=4800)
            # Every sender has compared its sha256 with what the receiver returned; flows may be accepted in another
            # order than they were opened, so there is nothing to compare here but the verdicts.
            net.equal((server["ok"], client["ok"]), (True, True), "verdicts on the sha256 of all flows")
            print(f"    {what}: {(server['sent'] + client['sent']) / 1e6:.0f} MB in {client['seconds']:.1f} s, "
                  f"{server['retransmits']} + {client['retransmits']} retransmissions")
        for dump in dumps:
            resets = unowed_resets(stop_watch(dump))
            net.equal(len(resets), 0, f"resets seen, the first: {resets[:3]}")


matrix.limit_s = 5000  # 64 MB in the instrumented kernel


if __name__ == "__main__":
    net.main(matrix)
