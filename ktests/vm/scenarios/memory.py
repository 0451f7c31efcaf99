#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# what: a namespace's memory for packets has a ceiling: unread data stops there, nothing is lost, others go on
# mode: smp
# families: 4 6
# kernels: 6.1 6.12
# seconds: 300
# needs: atcp
"""Parameter mem: many connections whose program reads nothing hold no more than it allows; once the program reads, every
byte comes."""

import fcntl
import struct
import termios
import time

from lib import net, packet
from lib.tun import Peer, Tun

CONNECTIONS = 40
EACH = 200000
PAGE = 4096
FULL = 2  # enum atcp_mem_level
BASE = bytes(range(251)) * 300


def unread(socks):
    return sum(struct.unpack("i", fcntl.ioctl(s, termios.FIONREAD, b"\0" * 4))[0] for s in socks)


def fill(port):
    """Clients of the kernel's TCP write as much as they can to connections that nobody reads: (clients, servers, bytes sent)."""
    lst = net.listener("127.0.0.1", port, backlog=CONNECTIONS)
    clients, servers, sent = [], [], [0] * CONNECTIONS
    for _ in range(CONNECTIONS):
        clients.append(net.new_socket(proto=0))
        clients[-1].connect(("127.0.0.1", port))
        clients[-1].setblocking(False)
        servers.append(net.accept(lst))
    until_still(clients, servers, sent)
    return clients, servers, sent


def until_still(clients, servers, sent):
    """Writes until for a second nothing can be written any more and nothing arrives."""
    seen = None
    for _ in range(20):
        before, seen = seen, (sum(sent), unread(servers))
        if before == seen:
            return
        write_more(clients, sent, net.SLOW)


def pattern(number, start, count):
    at = (number + start) % 251
    return BASE[at:at + count]


def write_more(clients, sent, seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for i, sock in enumerate(clients):
            try:
                if sent[i] < EACH:
                    sent[i] += sock.send(pattern(i, sent[i], min(EACH - sent[i], 8192)))
            except BlockingIOError:
                pass
        time.sleep(0.01)


def read_all(clients, servers, sent):
    got = [0] * CONNECTIONS
    end = time.monotonic() + 120 * net.SLOW
    for sock in servers:
        sock.setblocking(False)
    while min(got) < EACH:
        net.check(time.monotonic() < end, f"not all data came: {got} of {sent}")
        write_more(clients, sent, 0.02)
        for i, sock in enumerate(servers):
            try:
                data = sock.recv(65536)
            except BlockingIOError:
                continue
            net.check(data == pattern(i, got[i], len(data)), f"connection {i} has other data at {got[i]}")
            got[i] += len(data)


def ceiling():
    net.interface_up("lo", mtu=1500)
    clients, servers, sent = fill(8001)
    without = unread(servers)
    read_all(clients, servers, sent)
    net.equal(net.counts("reasons")["memory_full"], 0, "drops without a ceiling")
    for sock in clients + servers:
        sock.close()

    pages = 200
    net.set_param("mem", f"{pages // 2} {pages * 3 // 4} {pages}")
    clients, servers, sent = fill(8002)
    held = unread(servers)
    print(f"    unread without a ceiling {without}, with one of {pages * PAGE}: {held}")
    # Whatever the level, each connection may have one packet.
    net.check(held < pages * PAGE + CONNECTIONS * 30000, f"{held} bytes unread")
    net.check(held < without / 2, f"{held} bytes unread, {without} without a ceiling")
    net.check(net.counts("stats")["TCPMemoryPressures"] >= 1, "no pressure noted")
    net.check(net.counts("reasons")["memory_full"] >= 1, "no drops noted")
    read_all(clients, servers, sent)
    for sock in clients + servers:
        sock.close()


def orphans_without_memory():
    net.interface_up("lo", mtu=1500)
    net.set_param("mem", "20 40 60")
    lst = net.listener("127.0.0.1", 8003, proto=0)
    pairs = []
    for _ in range(8):
        sock = net.new_socket(blocking=False)
        net.error_of(sock.connect, ("127.0.0.1", 8003))
        pairs.append((sock, net.accept(lst)))

    def used_up():
        for _ in range(50):
            for sock, _ in pairs:
                try:
                    sock.send(b"x" * 65536)
                except BlockingIOError:
                    pass
        return net.atcp_json("tables")["mem_level"] == FULL

    before = net.counts("reasons")["abort_memory"]
    net.until(used_up, 5, "memory is never used up")
    pairs[0][0].close()
    net.equal(net.counts("reasons")["abort_memory"], before + 1, "an orphan with data and no memory")


def a_ceiling_that_is_raised():
    """It holds from the moment on that it is set, though at the old one nothing moved any more."""
    net.interface_up("lo", mtu=1500)
    net.set_param("mem", "20 40 60")
    clients, servers, sent = fill(8004)
    held = unread(servers)
    net.set_param("mem", "100000 100000 100000")
    end = time.monotonic() + 60 * net.SLOW
    while unread(servers) < 2 * held:
        net.check(time.monotonic() < end, f"{held} bytes unread below the old ceiling, {unread(servers)} below the new")
        write_more(clients, sent, 0.1)
    for sock in clients + servers:
        sock.close()


def under_pressure():
    """What the kernel says of all of our sockets: memory, pressure."""
    row = next(line.split() for line in net.sh("cat /proc/net/protocols").splitlines() if line.startswith("ATCP "))
    return row[4] == "yes"


def ceiling_is_nobody_elses():
    """Who stands at the ceiling of his namespace does not put all others under pressure."""
    net.interface_up("lo", mtu=1500)
    net.set_param("mem", "1 1 2")
    lst = net.listener("127.0.0.1", 8005, proto=0)
    sock = net.new_socket(blocking=False)
    net.error_of(sock.connect, ("127.0.0.1", 8005))
    peer = net.accept(lst)
    net.check(not under_pressure(), "pressure from the beginning")
    for _ in range(50):
        net.error_of(sock.send, b"x" * 65536)
        net.check(not under_pressure(), "all sockets of the host are under pressure")
    peer.close()


def other_namespaces_go_on():
    with net.Namespaces("a") as hosts:
        net.interface_up("lo", mtu=1500)
        net.set_param("mem", "1 1 2")
        program, here = f"{net.PROGS}/xfer", packet.spelt("127.0.0.1")
        server = hosts.spawn("a", f"{program} server {here} 7001 --proto atcp --bytes 2000001 --role both --timeout 60")
        client = hosts.spawn("a", f"{program} client {here} 7001 --proto atcp --bytes 2000001 --role both --timeout 60")
        net.finish(client, "client")
        net.finish(server, "server")
        net.equal(net.counts("reasons", hosts.prefix("a"))["memory_full"], 0, "drops in the other namespace")


def repeated_segments_are_let_go():
    """What comes out of order a second time is not held a second time, so that room is left for what is missing."""
    peer = Peer(Tun(), port=20001)
    lst = net.listener(port=80)
    peer.connect()
    conn = net.accept(lst)
    missing = peer.snd
    for _ in range(3):
        peer.send("PA", b"later", seq=missing + 4)
    peer.send("PA", b"soon", seq=missing)
    net.until(lambda: net.readable(conn), 2, "the data")
    net.equal(conn.recv(100), b"soonlater", "data")
    net.equal(net.counts("reasons")["ofo_duplicate"], 2, "repeated segments")


if __name__ == "__main__":
    net.main(repeated_segments_are_let_go, ceiling, orphans_without_memory, a_ceiling_that_is_raised, ceiling_is_nobody_elses, other_namespaces_go_on)
