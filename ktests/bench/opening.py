#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""`make bench-open`, the part in the guest: what opening connections costs, with
the kernel's TCP and with atcp in turn. argv: the name of a part (PARTS below),
then numbers as that part wants them. Prints one JSON line of rows."""

import json
import os
import pathlib
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import measure  # noqa: E402
from lib import net  # noqa: E402

RAWLOAD = f"{net.PROGS}/rawload"
PERF = f"{net.PROGS}/perf"
STACKS = ("tcp", net.PROTO_NAME)
ROWS = []
FLOODS = {}


class InNamespace:
    """Each measurement has tables, ports and routes of its own. (Kernel 6.1 has one established table for all.)"""

    def __init__(self):
        self.hosts = net.Namespaces("a")

    def __enter__(self):
        self.hosts.__enter__()
        self.prefix = self.hosts.prefix("a")
        net.sh(f"{self.prefix}ip link set lo up")
        return self

    def __exit__(self, *exc):
        self.hosts.__exit__(*exc)

    def set(self, name, value):
        net.sh(f"{self.prefix}sysctl -q -w net.ipv4.tcp_{name}={value}")
        net.set_param(name, value, self.prefix)

    def spawn(self, command, **more):
        return self.hosts.spawn("a", command, **more)

    def run(self, *arguments, timeout=3000):
        return net.last_json(net.finish(self.spawn([RAWLOAD, *map(str, arguments)]), "rawload " + " ".join(map(str, arguments)), timeout))


def fresh():
    place = InNamespace()
    place.__enter__()
    net.sh(f"{place.prefix}sysctl -q -w net.core.somaxconn=65535")
    place.set("max_syn_backlog", 1000000)
    place.set("syncookies", 1)
    place.set("max_tw_buckets", 2000000)
    return place


def row(work, unit, more, function, note=""):
    figures = []
    details = {}
    for stack in STACKS:
        place = fresh()
        try:
            got = function(place, stack)
        finally:
            place.__exit__(None, None, None)
        if isinstance(got, tuple):
            got, details[stack] = got
        figures.append(got)
    print(f"  {work:<52} kernel TCP {figures[0]:.1f}, {STACKS[1]} {figures[1]:.1f} {unit}", flush=True)
    ROWS.append({"work": work, "unit": unit, "more_is_better": more, "kernel_tcp": figures[0], "atcp": figures[1], "note": note,
                 "details": details})


# ------------------------------------------------- costs: one processor whose clock counts instructions


def syn_with_cookie(place, stack):
    place.set("syncookies", 2)
    return place.run("syn", "--proto", stack, "--count", 20000)["ns_each"]


def syn_with_request(place, stack):
    return place.run("syn", "--proto", stack, "--count", 20000)["ns_each"]


def handshake(after):
    def measure_it(place, stack):
        return place.run("handshake", "--proto", stack, "--after", after, "--count", 5000)["ns_each"]
    return measure_it


def lookup(entries):
    def measure_it(place, stack):
        return place.run("probe", "--proto", stack, "--entries", entries, "--count", 50000)["ns_each"]
    return measure_it


def costs(largest):
    """Nanoseconds of this guest are instructions: the figures repeat and no other load disturbs them."""
    place = fresh()
    sending = place.run("nothing", "--count", 20000)["ns_each"]
    place.__exit__(None, None, None)
    print(f"  sending a packet that nobody wants: {sending:.0f} instructions", flush=True)
    row("SYN answered with a cookie", "instructions", False, syn_with_cookie)
    row("SYN answered with a request", "instructions", False, syn_with_request)
    row("SYN, ACK, accept(), reset", "instructions", False, handshake("reset"))
    row("SYN, ACK, accept(), close, FIN: TIME_WAIT piles up", "instructions", False, handshake("timewait"))
    for entries in (1000, 100000, 500000):
        if entries <= int(largest):
            row(f"segment, one of {entries} TIME_WAIT entries", "instructions", False, lookup(entries))


# -------------------------------------------------------------- rates: real time, several processors


def accept_rate(workers):
    """So many that it does not matter what the emulation needs to translate code that it has not met yet."""
    def measure_it(place, stack):
        return place.run("handshake", "--proto", stack, "--after", "reset", "--count", 40000 // workers, "--workers", workers)["per_s"]
    return measure_it


def flood(what):
    """SYNs answered with cookies, and what a client of the same listener notices meanwhile: all rows from one run."""
    def measure_it(place, stack):
        if stack in FLOODS:
            return FLOODS[stack][what]
        place.set("syncookies", 2)
        raw = place.spawn([RAWLOAD, "syn", "--foreign", "--port", "9000", "--count", "150000", "--proto", stack])
        server = place.spawn([PERF, "server", "0.0.0.0", "9000", "--proto", stack])
        try:
            if server.stdout.readline().strip() != "ready":
                raise net.Failed(f"perf server: {server.stdout.read()}")
            client = place.spawn([PERF, "connect", "127.0.0.1", "9000", "--proto", stack, "--seconds", "3"])
            seen = net.last_json(net.finish(client, "perf connect"))
            seen["syns_per_s"] = net.last_json(net.finish(raw, "rawload"))["per_s"]
        finally:
            server.kill()
            server.communicate()
        FLOODS[stack] = seen
        return seen[what], seen
    return measure_it


def rates(workers):
    workers = int(workers)
    row(f"connections accepted, {workers} processor{'s' if workers > 1 else ''}", "1/s", True, accept_rate(workers))
    if workers == 1:
        return
    row("SYNs answered with cookies beside a client", "1/s", True, flood("syns_per_s"))
    row("  that client's connections", "1/s", True, flood("per_s"))
    row("  that client's connect(), 99th percentile", "µs", False, flood("connect_p99_us"))


# ----------------------------------------------------------------------------- scale: many entries


def held(count, after):
    """Seconds to make them; bytes of each in caches, and how long they take to go away afterwards."""
    def measure_it(place, stack):
        before = measure.settled_slabs()
        raw = place.spawn([RAWLOAD, "handshake", "--proto", stack, "--after", after, "--count", str(count), "--hold"], stdin=subprocess.PIPE)
        report = json.loads(raw.stdout.readline())
        if report["failed"]:
            raise net.Failed(f"{report['failed']} of {count} connections failed")
        size, caches = measure.grown(before, count)
        start = time.monotonic()
        raw.stdin.close()
        raw.wait()
        closed = time.monotonic() - start
        return size, report | {"caches": caches, "closed_in_s": closed}
    return measure_it


def scale(what, count):
    """TIME_WAIT ends after a minute, so as many are made in virtual time, in which making them takes half of that."""
    name = "TIME_WAIT entries" if what == "timewait" else "idle connections"
    row(f"{count} {name}, each", "bytes", False, held(int(count), what))


PARTS = {"costs": costs, "rates": rates, "scale": scale}


if __name__ == "__main__":
    net.sh("ip link set lo up")
    PARTS[sys.argv[1]](*sys.argv[2:])
    print("@@result " + json.dumps({"kernel": os.uname().release, "processors": os.cpu_count(), "rows": ROWS}), flush=True)
