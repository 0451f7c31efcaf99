#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# what: SYN flood, connections, closing and new listeners, resizes, changed parameters and dying namespaces, all at once
# mode: smp
# families: 4 6
# kernels: 6.1 6.12
# seconds: 900
"""Everything that uses the tables at the same time. What each single thing does
is shown elsewhere; here nothing may be reported by the kernel, every account
must add up while it goes on, and nothing may be left behind. 10 seconds;
ATCP_STORM_SECONDS=300 and `--kernel debug` for the long version."""

import itertools
import os
import random
import threading
import time

from churn import grown, slab_objects
from lib import net, packet
from lib.net import check

SECONDS = int(os.environ.get("ATCP_STORM_SECONDS", "10"))
PORT = 9000
HERE, ANY = packet.spelt("127.0.0.1"), packet.spelt("0.0.0.0")
PERF, RAWLOAD = f"{net.PROGS}/perf", f"{net.PROGS}/rawload"


class Storm:
    """Threads that do one thing each until the end, and what they counted."""

    def __init__(self):
        self.over = threading.Event()
        self.done = {}
        self.failed = []
        self.threads = []

    def go(self, what):
        def run():
            try:
                while not self.over.is_set():
                    what()
                    self.done[what.__name__] = self.done.get(what.__name__, 0) + 1
            except Exception as e:  # pylint: disable=broad-except
                self.failed.append(f"{what.__name__}: {e}")
        self.threads.append(threading.Thread(target=run))
        self.threads[-1].start()

    def end(self):
        self.over.set()
        for thread in self.threads:
            thread.join()


def flood():
    """Requests, cookies, evictions."""
    raw = net.spawn([RAWLOAD, "syn", "--foreign", "--port", str(PORT), "--rate", "2000", "--count", "8000", "--proto", net.PROTO_NAME] +
                    (["--six"] if packet.V6 else []))
    raw.communicate()


def listeners():
    """A server that dies with requests and unaccepted connections, and comes again."""
    server = net.spawn([PERF, "server", ANY, str(PORT), "--proto", net.PROTO_NAME, "--backlog", str(random.choice((1, 8, 512)))])
    check(server.stdout.readline().strip() == "ready", "the server does not listen")
    time.sleep(random.uniform(0.3, 1.5))
    server.kill()
    server.communicate()


def clients():
    """Connections that may find nobody, or be reset in the middle."""
    net.spawn([PERF, "connect", HERE, str(PORT), "--proto", net.PROTO_NAME, "--seconds", "0.5"]).communicate()


CHANGES = itertools.cycle(["syncookies=0", "syncookies=1", "syncookies=2", "max_tw_buckets=10", "max_tw_buckets=65536", "ehash_max=1024",
                           "ehash_max=4194304", "migrate_req=0", "migrate_req=1", "abort_on_overflow=1", "abort_on_overflow=0",
                           "timewait_len=1", "timewait_len=3", "max_syn_backlog=16", "max_syn_backlog=4096", "timestamps=0",
                           "timestamps=1"])


def parameters():
    net.atcp(f"params set {next(CHANGES)}")
    time.sleep(0.05)


def accounts():
    """While all of this goes on the sums are off by what is under way, so only that they can be read is of interest."""
    for what in ("listeners", "sockets", "reasons", "stats"):
        net.atcp_json(what)


def namespaces():
    """One that dies with connections, requests and TIME_WAIT entries in it."""
    with net.Namespaces("x") as ns:
        ns.run("x", f"{net.TOOLS}/atcp params set port_range '20000 20500'")
        server = ns.spawn("x", [PERF, "server", HERE, str(PORT), "--proto", net.PROTO_NAME])
        server.stdout.readline()
        client = ns.spawn("x", [PERF, "connect", HERE, str(PORT), "--proto", net.PROTO_NAME, "--seconds", "0.5"])
        time.sleep(random.uniform(0.1, 0.8))
        for process in (client, server):
            process.kill()
    for process in (client, server):
        process.communicate()


def all_at_once():
    if not net.IS_ATCP:
        raise net.Skipped("only atcp has parameters for this")
    net.sh("ip link set lo up")
    before = slab_objects()
    storm = Storm()
    for what in (flood, listeners, clients, clients, parameters, accounts, namespaces):
        storm.go(what)
    time.sleep(SECONDS)
    storm.end()
    print(f"    {SECONDS} s: {', '.join(f'{n} {name}' for name, n in sorted(storm.done.items()))}")
    check(not storm.failed, f"{storm.failed[:3]}")
    check(len(storm.done) == 6, f"something never happened: {storm.done}")
    net.atcp("params set timewait_len=1 synack_retries=0")
    net.until(lambda: not net.connections(), 150, lambda: f"left: {net.connections()[:3]}", step=0.5)
    net.until(lambda: not grown(before), 30, lambda: f"objects left: {grown(before)}", step=0.5)


all_at_once.limit_s = SECONDS + 300


if __name__ == "__main__":
    net.main(all_at_once)
