#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""`make bench`, what a lossy path costs, the part in the guest (in virtual time, so that seconds without packets cost nothing): goodput
of one flow through a round trip of 100 ms, 20 Mbit/s and random losses, with the kernel's TCP and with atcp by the same congestion
control, in turn. Losses hit packets, not what segmentation offload makes of many. argv: repetitions, seconds of each, filter."""

import json
import os
import pathlib
import statistics
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "vm" / "scenarios"))
from lib import net  # noqa: E402

PERF = f"{net.PROGS}/perf"
STACKS = ("tcp", net.PROTO_NAME)
SERVER = "10.2.0.1"
LOSSES = ("0.1", "1", "3")


class Path:
    """b -- r -- a: the sender's device cuts what it gets into packets, the router loses some of them."""

    def __init__(self):
        self.hosts = net.Namespaces("a", "r", "b")
        self.port = 9000

    def __enter__(self):
        self.hosts.__enter__()
        self.hosts.link("b", "10.1.0.2/24", "r", "10.1.0.1/24", dev="n")
        self.hosts.link("r", "10.2.0.2/24", "a", f"{SERVER}/24", dev="w")
        self.hosts.run("r", "echo 1 > /proc/sys/net/ipv4/ip_forward")
        self.hosts.run("b", "ip route add default via 10.1.0.1; ip link set nr gso_max_segs 1")
        self.hosts.run("a", "ip route add default via 10.2.0.2")
        self.hosts.run("r", "tc qdisc add dev nb root netem delay 50ms limit 10000")
        self.hosts.run("r", "tc qdisc add dev wa root netem delay 50ms rate 20mbit limit 1000")
        return self

    def __exit__(self, *exc):
        self.hosts.__exit__(*exc)

    def lose(self, percent):
        self.hosts.run("r", f"tc qdisc change dev wa root netem delay 50ms rate 20mbit limit 1000 loss {percent}%")

    def goodput(self, stack, control, seconds):
        # What the last one left behind keeps its port for a while, also against the other stack.
        self.port += 1
        server = self.hosts.spawn("a", [PERF, "server", SERVER, str(self.port), "--proto", stack])
        try:
            said = server.stdout.readline().strip()
            if said != "ready":
                raise net.Failed(f"perf server: {said}")
            client = self.hosts.spawn("b", [PERF, "bulk", SERVER, str(self.port), "--proto", stack, "--cc", control, "--seconds", str(seconds)])
            return net.last_json(net.finish(client, "perf bulk", timeout=100000))["mb_per_s"] * 8
        finally:
            server.kill()
            server.wait()
            server.stdout.close()


def main():
    repetitions, seconds, only = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else ""
    has_bbr = subprocess.run(["modprobe", "tcp_bbr"], check=False).returncode == 0
    rows = []
    with Path() as path:
        for control in ("reno", "cubic", "bbr"):
            for loss in LOSSES:
                name = f"goodput, {control}, 100 ms, {loss} % loss"
                if only not in name or (control == "bbr" and not has_bbr):
                    continue
                path.lose(loss)
                figures = ([], [])
                # Reno and cubic live on chance; bbr does not, and sends ten times as much.
                times, each = (repetitions, seconds) if control != "bbr" else (1, seconds / 3)
                for run in range(times):
                    for column in (0, 1) if run % 2 == 0 else (1, 0):
                        figures[column].append(path.goodput(STACKS[column], control, each))
                medians = [statistics.median(f) for f in figures]
                print(f"  {name:<42} kernel TCP {medians[0]:.2f}, {STACKS[1]} {medians[1]:.2f} Mbit/s", flush=True)
                rows.append({"work": name, "unit": "Mbit/s", "more_is_better": True, "kernel_tcp": medians[0], "atcp": medians[1],
                             "all_kernel_tcp": figures[0], "all_atcp": figures[1]})
    print("@@result " + json.dumps({"kernel": os.uname().release, "repetitions": repetitions, "seconds": seconds, "rows": rows}),
          flush=True)


if __name__ == "__main__":
    main()
