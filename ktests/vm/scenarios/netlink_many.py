#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# what: 100,000 TIME_WAIT entries dumped, filtered in the kernel and taken away by netlink, with the time that each takes
# mode: smp
# families: 4, how long a dump takes does not depend on the family
# seconds: 600
# kernels: 6.1 6.12
# needs: atcp
"""What looking costs when there is much to see. Times are of this machine, most of
them Python's reading; what must hold is that a filter makes an answer
shorter, that nothing is missing or twice, and that taking all of them away leaves nothing."""

import json
import resource
import time

from lib import genl, net
from lib.genl import Family
from lib.net import check, equal

ENTRIES = 20_000 if net.SLOW > 1 else 100_000  # instrumented kernels take ten times as long for each


def timed(what, call, *arguments, **more):
    start = time.monotonic()
    cpu = resource.getrusage(resource.RUSAGE_SELF)
    got = call(*arguments, **more)
    after = resource.getrusage(resource.RUSAGE_SELF)
    print(f"    {what}: {time.monotonic() - start:.2f} s, in the kernel {after.ru_stime - cpu.ru_stime:.2f} s", flush=True)
    return got


def raw_dump(fam, **conditions):
    """The messages of a dump as they are: to decode so many takes Python minutes in an emulated machine."""
    values = {"filter": {k.replace("_", "-"): v for k, v in conditions.items()}} if conditions else b""
    return fam.exchange(fam.id, genl.commands()["socket-get"], 1, genl.REQUEST | genl.ACK | genl.DUMP, genl.encode("atcp", values))


def a_hundred_thousand():
    net.atcp(f"params set max_tw_buckets={2 * ENTRIES} timewait_len=600")
    fam = Family()
    print(f"    {ENTRIES} entries", flush=True)
    load = net.spawn([f"{net.PROGS}/rawload", "handshake", "--proto", "atcp", "--after", "timewait", "--count", str(ENTRIES), "--hold"], stdin=-1)
    equal(json.loads(load.stdout.readline())["failed"], 0, "connections that failed")
    net.until(lambda: fam.do("tables-get")["tables"]["timewaits"] == ENTRIES, 5, lambda: f"{ENTRIES} entries: {fam.do('tables-get')['tables']}")
    print(f"    {fam.do('tables-get')['tables']}", flush=True)
    rows = timed("all of them", raw_dump, fam)
    equal((len(rows), len(set(rows))), (ENTRIES, ENTRIES), "messages, and different ones")
    one = genl.decode("atcp", rows[ENTRIES // 2])["socket"]
    equal(timed("one of them by address and port", fam.sockets, raddr=one["raddr"], rport_min=one["rport"], rport_max=one["rport"])[0]["rport"],
          one["rport"], "port")
    some = timed("a range of ports", fam.sockets, rport_min=2000, rport_max=2999)
    check(all(2000 <= r["rport"] <= 2999 for r in some), "ports")
    rest = sum(len(raw_dump(fam, rport_min=low, rport_max=high)) for low, high in ((0, 1999), (3000, 65535)))
    equal(len(some) + rest, ENTRIES, "entries of all ports")
    equal(timed("none of them, by state", fam.sockets, states=genl.states("established")), [], "established")
    equal(timed("none of them, by id", net.error_of, lambda: fam.sockets(id=1 << 40)), None, "error")
    equal(timed("taking some away", fam.kill, rport_min=2000, rport_max=2999), len(some), "taken away")
    equal(timed("taking the rest away", fam.kill, states=genl.states("time-wait")), ENTRIES - len(some), "taken away")
    left = fam.do("tables-get")["tables"]
    equal((left["timewaits"], left["ehash-entries"]), (0, 0), "left")
    check(left["ehash-grown"] > 0, "the table did not grow")
    load.communicate("")
    equal(net.counts("reasons")["abort_by_user"], ENTRIES, "reasons")


a_hundred_thousand.limit_s = 580 * net.SLOW

if __name__ == "__main__":
    genl.spec()
    net.main(a_hundred_thousand)
