#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# what: memory of sockets is charged to control groups as that of the kernel's TCP, and given back; a full group kills nobody and loses nothing
# families: 4, it makes sockets of both families itself
# mode: smp
# kernels: 6.1 6.12
# seconds: 200
"""`sock` of a group's memory.stat, for what is written, what waits to be read and what waited in an accept queue; and a group that has no
more room."""

import errno
import os
import socket
import time

from lib import net, packet
from lib.tun import Peer, Tun

ROOT = "/sys/fs/cgroup"
PAGE = 4096
STACKS = (("kernel TCP", socket.IPPROTO_TCP), ("the stack under test", net.PROTO))


class Group:
    """A control group with a memory controller."""

    def __init__(self, name):
        if not os.path.exists(f"{ROOT}/cgroup.controllers"):
            raise net.Skipped("there is no cgroup v2")
        with open(f"{ROOT}/cgroup.subtree_control", "w", encoding="ascii") as f:
            f.write("+memory")
        self.path = f"{ROOT}/{name}{os.getpid()}"
        os.mkdir(self.path)

    def write(self, file, value):
        with open(f"{self.path}/{file}", "w", encoding="ascii") as f:
            f.write(str(value))

    def read(self, file, key):
        with open(f"{self.path}/{file}", encoding="ascii") as f:
            return dict((k, int(v)) for k, v in (line.split() for line in f))[key]

    def sock(self):
        return self.read("memory.stat", "sock")

    def until(self, low, high, what):
        """The kernel gathers its numbers every two seconds, if they are small."""
        net.until(lambda: low <= self.sock() <= high, 6, lambda: f"{what}: {self.sock()}, not from {low} to {high}")

    def __enter__(self):
        """This process makes and accepts its sockets here."""
        self.write("cgroup.procs", os.getpid())
        return self

    def __exit__(self, *exc):
        with open(f"{ROOT}/cgroup.procs", "w", encoding="ascii") as f:
            f.write(str(os.getpid()))

    def remove(self):
        def gone():
            try:
                os.rmdir(self.path)
                return True
            except OSError:
                return False
        net.until(gone, 10, "the group can be removed")


def fill(sock, most=1 << 30):
    """Writes what can be written; returns how much."""
    sock.setblocking(False)
    sent, still = 0, 0
    while still < 20 and sent < most:
        try:
            sent += sock.send(bytes(min(65536, most - sent)))
            still = 0
        except BlockingIOError:
            still += 1
            time.sleep(0.02)
    return sent


def read(sock, size):
    got = 0
    while got < size:
        # What was thrown away comes again by a timer that has backed off while there was no room.
        net.check(net.readable(sock, net.patience(60)), f"{got} bytes of {size}, and no more")
        piece = sock.recv(1 << 16)
        net.check(piece, f"the stream ended after {got} bytes of {size}")
        got += len(piece)


def queued_data(name, port, proto, family):
    writer, reader = Group("w"), Group("r")
    lst = socket.socket(family, socket.SOCK_STREAM, proto)
    lst.bind(("::1" if family == socket.AF_INET6 else "127.0.0.1", port))
    lst.listen(8)
    with writer:
        one = socket.socket(family, socket.SOCK_STREAM, proto)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 400000)
    one.connect(lst.getsockname()[:2])
    sent = fill(one, 20000)
    net.equal(reader.sock(), 0, f"{name}: charged before anybody has accepted")
    time.sleep(0.1)
    with reader:
        two = lst.accept()[0]
    reader.until(20000, 100000, f"{name}: what waited in the accept queue")
    sent += fill(one)
    reader.until(80000, 8 << 20, f"{name}: unread")
    writer.until(200000, 4 << 20, f"{name}: written")
    read(two, sent)
    reader.until(0, 2 * PAGE, f"{name}: all is read")
    writer.until(0, 2 * PAGE, f"{name}: all is acknowledged")
    # Once more, and closed unread.
    fill(one)
    reader.until(80000, 8 << 20, f"{name}: unread again")
    for end in (one, two, lst):
        end.close()
    reader.until(0, 0, f"{name}: the reader has closed")
    writer.until(0, 0, f"{name}: the writer has closed")
    writer.remove()
    reader.remove()


def what_is_queued_is_charged():
    for port, (name, proto) in enumerate(STACKS, 8000):
        queued_data(name, port, proto, socket.AF_INET)
        queued_data(name + ", IPv6", port + 10, proto, socket.AF_INET6)


def accept_takes_the_group_of_who_accepts():
    """The listener's group, whose program made it and went away, is charged nothing."""
    for port, (name, proto) in enumerate(STACKS, 8020):
        maker, taker = Group("m"), Group("t")
        with maker:
            lst = net.listener("127.0.0.1", port, proto=proto)
        one = net.new_socket(proto=proto)
        one.connect(("127.0.0.1", port))
        with taker:
            two = net.accept(lst)
        fill(one)
        taker.until(80000, 8 << 20, f"{name}: unread")
        net.check(maker.sock() <= 2 * PAGE, f"{name}: {maker.sock()} bytes charged to the listener's group")
        for end in (one, two, lst):
            end.close()
        taker.until(0, 0, f"{name}: closed")
        maker.remove()
        taker.remove()


def a_full_group():
    """Connections of a group that may have 2 MB: beyond that each gets no more than the little that it needs to go on, nobody is killed, and
    once there is room every byte arrives."""
    count, limit = 24, 2 << 20
    for port, (name, proto) in enumerate(STACKS, 8030):
        group = Group("f")
        lst = net.listener("127.0.0.1", port, backlog=count, proto=proto)
        ones, twos = [], []
        for _ in range(count):
            ones.append(net.new_socket(proto=proto))
            ones[-1].connect(("127.0.0.1", port))
            with group:
                twos.append(net.accept(lst))
        group.write("memory.max", limit)
        sent = [fill(one, 400000) for one in ones]
        net.check(sum(sent) > 2 * limit, f"{name}: only {sum(sent)} bytes could be written")
        net.until(lambda: group.read("memory.events", "max") > 0, 5, f"{name}: the group was never full")  # pylint: disable=cell-var-from-loop
        group.until(limit // 2, 2 * limit, f"{name}: at its limit")
        group.write("memory.max", "max")
        for two, size in zip(twos, sent):
            read(two, size)
        for kind in ("oom", "oom_kill"):
            net.equal(group.read("memory.events", kind), 0, f"{name}: {kind}")
        for end in (*ones, *twos, lst):
            end.close()
        group.until(0, 0, f"{name}: closed")
        group.remove()


def errors_in_the_error_queue_are_not_charged():
    """What waits there when a connection is accepted was asked of nobody, so nobody would give it back. (With the kernel's TCP a page
    stays with the group.)"""
    if not net.IS_ATCP:
        raise net.Skipped("the kernel's TCP charges them")
    net.set_param("fastopen", 0x202)  # a server, without cookies
    tun = Tun()
    taker = Group("e")
    lst = net.listener(port=8040)
    lst.setsockopt(socket.IPPROTO_TCP, 23, 5)  # TCP_FASTOPEN
    for _ in range(3):
        peer = Peer(tun, stack_port=8040)
        peer.send("S", b"early", options=packet.mss(packet.MSS) + packet.fastopen())
        syn_ack = tun.read_raw(2)
        # It ends with this, waits to be accepted, and has the error in its queue.
        tun.send_raw(packet.ipv4("10.9.0.7", tun.local, packet.icmp(3, 1, syn_ack), proto=1))
        with taker:
            two = net.accept(lst)
        net.equal(two.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), errno.EHOSTUNREACH, "SO_ERROR")
        two.recvmsg(200, 512, socket.MSG_ERRQUEUE)
        two.close()
    lst.close()
    time.sleep(3)  # until the numbers are those of now
    net.equal(taker.sock(), 0, "bytes still charged when all is closed")
    taker.remove()


if __name__ == "__main__":
    net.main(what_is_queued_is_charged, accept_takes_the_group_of_who_accepts, a_full_group,
             errors_in_the_error_queue_are_not_charged)
