#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""`make bench`, the part in the guest: takes every measurement with the
kernel's TCP and with atcp in turn, several times, and prints the medians.
argv: repetitions, seconds per measurement, name filter."""

import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "vm" / "scenarios"))
from lib import net, packet  # noqa: E402
from lib.flows import ADDR, TwoHosts  # noqa: E402
from lib.tun import Tun  # noqa: E402

PERF = f"{net.PROGS}/perf"
# With ATCP_PROTO=tcp both columns are the kernel's TCP: shows the noise of the measurement.
STACKS = ("tcp", net.PROTO_NAME)
IDLE, HALF_OPEN, TIME_WAIT = 2000, 2000, 2000


class Place:
    """Where server and client run: one namespace, or two joined by veth."""

    def __init__(self, hosts):
        self.hosts = hosts
        self.name = "veth" if hosts else "loopback"
        self.addr = ADDR["a"] if hosts else "127.0.0.1"

    def spawn(self, where, arguments, **more):
        command = [PERF] + arguments
        return self.hosts.spawn(where, command, **more) if self.hosts else net.spawn(command, **more)


def with_server(place, stack, work):
    server = place.spawn("a", ["server", place.addr, "9000", "--proto", stack])
    try:
        if server.stdout.readline().strip() != "ready":
            raise net.Failed(f"perf server: {server.stdout.read()}")
        return work()
    finally:
        server.kill()
        server.wait()
        server.stdout.close()


def load(place, stack, kind, flows, seconds, key):
    """One run of perf; the figure named `key` of its report."""
    def work():
        client = place.spawn("b", [kind, place.addr, "9000", "--proto", stack, "--flows", str(flows), "--seconds", str(seconds)])
        return net.last_json(net.finish(client, f"perf {kind}"))[key]
    return with_server(place, stack, work)


# ---------------------------------------------------------------------- memory


# What every open file costs, whatever its protocol, and what merely happens to be allocated meanwhile.
NOT_PROTOCOL = {"sock_inode_cache", "filp", "dentry", "eventpoll_epi", "eventpoll_pwq", "lsm_file_cache", "lsm_inode_cache",
                "proc_inode_cache", "inode_cache", "radix_tree_node", "buffer_head", "vm_area_struct", "skbuff_head_cache",
                "skbuff_small_head", "kmalloc-cg-8", "shmem_inode_cache", "overlay_inode"}


def slabs():
    """(active objects, bytes of one), by cache."""
    found = {}
    with open("/proc/slabinfo", encoding="ascii") as f:
        for line in f.readlines()[2:]:
            fields = line.split()
            found[fields[0]] = (int(fields[1]), int(fields[3]))
    return found


def settled_slabs():
    """Frees that wait for RCU or a workqueue are over."""
    time.sleep(1.0)
    pathlib.Path("/proc/sys/vm/drop_caches").write_text("2", encoding="ascii")
    time.sleep(0.5)
    return slabs()


def grown(before, count):
    """Bytes per item in caches of which most items have an object of their own; and which these are."""
    parts = {}
    for name, (objects, size) in settled_slabs().items():
        per_item = (objects - before.get(name, (0, 0))[0]) / count
        if per_item > 0.4 and name not in NOT_PROTOCOL:
            parts[name] = round(per_item) * size if abs(per_item - round(per_item)) < 0.2 else per_item * size
    return sum(parts.values()), parts


def memory_idle(place, stack):
    """Slab bytes per socket of an idle connection; both ends are of the stack."""
    def work():
        before = settled_slabs()
        client = place.spawn("b", ["idle", place.addr, "9000", "--proto", stack, "--flows", str(IDLE)], stdin=subprocess.PIPE)
        if "open" not in client.stdout.readline():
            raise net.Failed("perf idle did not open its connections")
        result = grown(before, 2 * IDLE)
        client.stdin.close()
        client.wait()
        client.stdout.close()
        return result
    return with_server(place, stack, work)


def memory_half_open(stack):
    """SYNs from a TUN device that nobody completes."""
    proto = net.IPPROTO_ATCP if stack == "atcp" else 0
    tun = Tun(name=f"bench{stack}"[:15] + str(os.getpid() % 1000))
    pathlib.Path("/proc/sys/net/core/somaxconn").write_text("65535", encoding="ascii")
    pathlib.Path("/proc/sys/net/ipv4/tcp_max_syn_backlog").write_text("65535", encoding="ascii")
    if stack == "atcp":
        net.set_param("max_syn_backlog", 65535)
    lst = net.listener(port=8800, backlog=60000, proto=proto)
    before = settled_slabs()
    for i in range(HALF_OPEN):
        tun.send_raw(packet.ipv4(tun.peer, tun.local, packet.tcp(tun.peer, tun.local, 10000 + i, 8800, seq=i, flags="S",
                                                                 options=packet.mss(1460))))
        tun.read_raw(0.2)  # its SYN-ACK does not stay in the device's queue
        tun.log.clear()
    result = grown(before, HALF_OPEN)
    lst.close()
    os.close(tun.fd)
    return result


def memory_time_wait(place, stack):
    """What stays after one-shot connections that the server has closed."""
    def work():
        load_once = ["connect", place.addr, "9000", "--proto", stack, "--seconds"]
        net.finish(place.spawn("b", load_once + ["0.3"]), "warm-up")
        before, tw_before = settled_slabs(), time_waits(place, stack)
        report = net.last_json(net.finish(place.spawn("b", load_once + ["4"]), "perf connect"))
        after_count = time_waits(place, stack) - tw_before
        if after_count < 100:
            raise net.Failed(f"{report['connections']} connections left {after_count} TIME_WAIT entries")
        return grown(before, after_count)
    return with_server(place, stack, work)


def time_waits(place, stack):
    prefix = place.hosts.prefix("a") if place.hosts else ""
    if stack == "atcp":
        return sum(row["state"] == "TIME_WAIT" for row in net.connections(prefix))
    return len(net.sh(f"{prefix}ss -tanH state time-wait").splitlines())


# ------------------------------------------------------------------------- all


def measurements(places, seconds):
    """(name, unit, more is better, function of the stack)."""
    for place in places:
        for flows in (1, 8):
            yield (f"bulk, {flows} flow{'s' if flows > 1 else ''}, {place.name}", "MB/s", True,
                   lambda s, p=place, f=flows: load(p, s, "bulk", f, seconds, "mb_per_s"))
        yield (f"1-byte request/response, {place.name}", "µs median", False,
               lambda s, p=place: load(p, s, "latency", 1, seconds, "p50_us"))
        yield (f"connect-request-response-close, {place.name}", "1/s", True,
               lambda s, p=place: load(p, s, "connect", 1, seconds, "per_s"))
    yield ("idle connection, protocol part of a socket", "bytes", False, lambda s: memory_idle(places[-1], s))
    yield ("half-open request", "bytes", False, memory_half_open)
    yield ("TIME_WAIT entry", "bytes", False, lambda s: memory_time_wait(places[-1], s))


def main():
    repetitions, seconds, only = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else ""
    rows = []
    with TwoHosts() as hosts:
        # As many local ports as the kernel's TCP has, or running out of them would be measured.
        for prefix in ("", hosts.prefix("a"), hosts.prefix("b")):
            net.set_param("port_range", "32768 60999", prefix)
        for name, unit, more, function in measurements([Place(None), Place(hosts)], seconds):
            if only not in name:
                continue
            figures, details = {0: [], 1: []}, {}
            times = 1 if unit == "bytes" else repetitions
            for run in range(times):
                # In turn, and the first one alternates, so that drift hits both alike.
                for column in (0, 1) if run % 2 == 0 else (1, 0):
                    got = function(STACKS[column])
                    if isinstance(got, tuple):
                        got, details[STACKS[column]] = got
                    figures[column].append(got)
            medians = [statistics.median(figures[c]) for c in (0, 1)]
            print(f"  {name:<42} kernel TCP {medians[0]:.1f}, {STACKS[1]} {medians[1]:.1f} {unit}", flush=True)
            rows.append({"work": name, "unit": unit, "more_is_better": more, "kernel_tcp": medians[0], "atcp": medians[1],
                         "all_kernel_tcp": figures[0], "all_atcp": figures[1], "caches": details})
    print("@@result " + json.dumps({"kernel": os.uname().release, "processors": os.cpu_count(), "repetitions": repetitions,
                                    "seconds": seconds, "rows": rows}), flush=True)


if __name__ == "__main__":
    net.sh("ip link set lo up")
    main()
