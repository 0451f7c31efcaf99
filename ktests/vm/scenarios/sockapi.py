#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# what: a hundred call sequences give the same values, errors and poll masks on both stacks
# mode: smp
# kernels: 6.1 6.12
# seconds: 450
"""Runs the sockapi_* programs, which compare atcp with the kernel's TCP call by
call, in a namespace that has a silent neighbour for attempts that must hang."""

import errno
import fcntl
import os
import select
import signal
import socket
import struct
import subprocess

from lib import net

SILENT = "10.255.255.1"


def run(program):
    net.sh("ip link add s0 type veth peer name s1 && ip link set s0 up && ip link set s1 up && "
           f"ip addr add 10.255.0.1/16 dev s0 && ip neigh add {SILENT} lladdr 02:00:00:00:00:99 dev s0")
    done = subprocess.run([f"{net.PROGS}/{program}", "--proto", net.PROTO_NAME], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=280, check=False)
    for line in done.stdout.splitlines():
        if not line.startswith("ok ") or "#" in line:
            print("   ", line)
    net.equal(done.returncode, 0, f"{program}'s status")


def connections():
    run("sockapi_conn")


def data():
    run("sockapi_io")


def options():
    run("sockapi_opts")


def urgent():
    run("sockapi_urgent")


TCP_INQ = 36
IP_MINTTL = 21


def what_is_left_in_the_queue():
    """A control message of recvmsg() tells the bytes that it left; the same on both stacks."""
    told = []
    for proto in (socket.IPPROTO_TCP, net.PROTO):
        lst = net.listener("127.0.0.1", 8088, proto=proto)
        one = net.new_socket(proto=proto)
        one.connect(("127.0.0.1", 8088))
        conn = net.accept(lst)
        conn.setsockopt(socket.IPPROTO_TCP, TCP_INQ, 1)
        one.sendall(b"0123456789")
        net.until(lambda: len(conn.recv(100, socket.MSG_PEEK)) == 10, 2, "ten bytes")
        data, control, _, _ = conn.recvmsg(4, 64)
        told.append((data, control))
        for s in (one, conn, lst):
            s.close()
    net.equal(told[0][1], [(socket.IPPROTO_TCP, TCP_INQ, struct.pack("i", 6))], "the kernel's TCP")
    net.equal(told[1], told[0], "ours")


def packets_from_too_far():
    """IP_MINTTL: what came over more routers than that is not taken."""
    lst = net.listener("127.0.0.1", 8089)
    lst.setsockopt(socket.IPPROTO_IP, IP_MINTTL, 100)
    net.equal(lst.getsockopt(socket.IPPROTO_IP, IP_MINTTL), 100, "the value")
    one = net.new_socket()
    one.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 99)
    one.settimeout(1.5)
    net.equal(one.connect_ex(("127.0.0.1", 8089)), errno.EAGAIN, "a connect from too far")
    one.close()
    two = net.new_socket()
    two.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 100)
    two.connect(("127.0.0.1", 8089))
    net.accept(lst).close()


def at_mark(sock):
    return struct.unpack("i", fcntl.ioctl(sock, 0x8905, b"\0" * 4))[0]  # SIOCATMARK


def polled(sock, mask):
    poll = select.poll()
    poll.register(sock, mask)
    return dict(poll.poll(0)).get(sock.fileno(), 0)


def urgent_one_way(sender, receiver, inline):
    """`ab!cd`, the `!` urgent: SIGURG, POLLPRI, a read that ends at the mark, the byte by itself or in the stream."""
    signals = []
    signal.signal(signal.SIGURG, lambda *_: signals.append(1))
    fcntl.fcntl(receiver, fcntl.F_SETOWN, os.getpid())
    receiver.setsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE, inline)
    sender.sendall(b"ab")
    net.equal(sender.send(b"!", socket.MSG_OOB), 1, "send(MSG_OOB)")
    sender.sendall(b"cd")
    net.until(lambda: polled(receiver, select.POLLPRI), 2, "POLLPRI")
    net.equal(len(signals), 1, "SIGURG")
    net.equal(at_mark(receiver), 0, "at the mark before reading")
    net.equal(receiver.recv(10), b"ab", "read up to the mark")
    net.equal(at_mark(receiver), 1, "at the mark")
    if inline:
        net.equal(net.error_of(receiver.recv, 1, socket.MSG_OOB), "EINVAL", "recv(MSG_OOB)")
        rest = b"!cd"
    else:
        net.equal(receiver.recv(1, socket.MSG_OOB), b"!", "recv(MSG_OOB)")
        rest = b"cd"
    got = b""
    while len(got) < len(rest):
        got += receiver.recv(10)
    net.equal(got, rest, "read behind the mark")
    net.equal((at_mark(receiver), polled(receiver, select.POLLPRI)), (0, 0), "afterwards")


def urgent_between_stacks():
    """Both ends here, then each end against the kernel's TCP; both directions of each connection."""
    net.interface_up("lo")
    for port, (server, client) in enumerate(((net.PROTO, net.PROTO), (0, net.PROTO), (net.PROTO, 0)), 7001):
        listener = net.listener("127.0.0.1", port, proto=server)
        one = net.new_socket(proto=client)
        one.connect(("127.0.0.1", port))
        two = net.accept(listener)
        for inline in (0, 1):
            urgent_one_way(one, two, inline)
            urgent_one_way(two, one, inline)
        # Urgent data of 200 000 bytes, three times what the pointer reaches: its last byte is the urgent one.
        pid = os.fork()
        if pid == 0:
            one.send(b"u" * 199999 + b"!", socket.MSG_OOB)
            os._exit(0)
        two.setsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE, 0)
        got = 0
        while got < 199999:
            got += len(two.recv(65536))
        net.until(lambda: polled(two, select.POLLPRI), 2, "POLLPRI")  # pylint: disable=cell-var-from-loop
        net.equal((two.recv(1, socket.MSG_OOB), at_mark(two)), (b"!", 1), "urgent byte of a long write")
        os.waitpid(pid, 0)


if __name__ == "__main__":
    net.main(connections, data, options, what_is_left_in_the_queue, packets_from_too_far, urgent, urgent_between_stacks)
