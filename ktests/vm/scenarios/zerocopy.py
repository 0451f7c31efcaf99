#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# what: sendfile, splice, vmsplice, MSG_ZEROCOPY and splice out of a socket move pages, not bytes, as with the kernel's TCP
# families: 4, pages and pipes are the same below either family
# mode: smp
# kernels: 6.1 6.12
# seconds: 200
"""What is still on its way, or waits to be read, is the very page that was given: its owner changes it, and the reader sees the
change. A path that copied anything would show the old bytes, as write() does. Each case on both stacks."""

import ctypes
import fcntl
import mmap
import os
import socket
import struct
import time

from lib import net, packet
from lib.tun import Peer, Tun

LIBC = ctypes.CDLL(None, use_errno=True)
PAGE = 4096
PAGES = 8
SIZE = PAGES * PAGE
OLD, NEW = b"old page", b"NEW PAGE"
SO_ZEROCOPY, MSG_ZEROCOPY, SO_EE_ORIGIN_ZEROCOPY = 60, 0x4000000, 5
STACKS = (("kernel TCP", socket.IPPROTO_TCP), ("the stack under test", net.PROTO))
DELAY_S = 2.5


class Pages:
    """A file in memory, or memory without a file, whose pages all say OLD until changed."""

    def __init__(self, file):
        self.fd = -1
        if file:
            self.fd = os.memfd_create("pages")
            os.ftruncate(self.fd, SIZE)
        self.map = mmap.mmap(self.fd, SIZE)
        self.write(OLD)

    def write(self, text):
        for at in range(0, SIZE, PAGE):
            self.map[at:at + len(text)] = text

    def close(self):
        self.map.close()
        if self.fd >= 0:
            os.close(self.fd)


def seen(data):
    """What each page of the received bytes says."""
    net.equal(len(data), SIZE, "bytes received")
    return {bytes(data[at:at + len(OLD)]) for at in range(0, SIZE, PAGE)}


def pair(port, proto):
    lst = net.listener("127.0.0.1", port, proto=proto)
    one = net.new_socket(proto=proto)
    one.connect(("127.0.0.1", port))
    two = net.accept(lst)
    lst.close()
    return one, two


def read_all(sock):
    got = b""
    while len(got) < SIZE:
        piece = sock.recv(SIZE - len(got))
        net.check(piece, f"the stream ended after {len(got)} bytes")
        got += piece
    return got


def waiting(sock):
    return struct.unpack("i", fcntl.ioctl(sock, 0x541B, b"\0" * 4))[0]  # FIONREAD


def move_all(move):
    """SIZE bytes, by calls that each move some of what is left."""
    moved = 0
    while moved < SIZE:
        n = move(SIZE - moved)
        net.check(n > 0, f"stopped after {moved} bytes")
        moved += n


def by_write(sock, pages):
    sock.sendall(pages.map)


def by_sendfile(sock, pages):
    at = [0]

    def move(left):
        n = os.sendfile(sock.fileno(), pages.fd, at[0], left)
        at[0] += n
        return n

    move_all(move)


def by_splice(sock, pages):
    out, into = os.pipe()
    at = 0
    while at < SIZE:
        n = os.splice(pages.fd, into, SIZE - at, offset_src=at)
        moved = 0
        while moved < n:
            moved += os.splice(out, sock.fileno(), n - moved)
        at += n
    os.close(out)
    os.close(into)


def by_vmsplice(sock, pages):
    class Iovec(ctypes.Structure):
        _fields_ = [("base", ctypes.c_void_p), ("len", ctypes.c_size_t)]

    out, into = os.pipe()
    base = ctypes.addressof(ctypes.c_char.from_buffer(pages.map))
    vec = Iovec(base, SIZE)
    net.equal(LIBC.vmsplice(into, ctypes.byref(vec), 1, 0), SIZE, "vmsplice()")
    move_all(lambda left: os.splice(out, sock.fileno(), left))
    os.close(out)
    os.close(into)


def by_zerocopy(sock, pages):
    sock.setsockopt(socket.SOL_SOCKET, SO_ZEROCOPY, 1)
    net.equal(sock.send(pages.map, MSG_ZEROCOPY), SIZE, "send(MSG_ZEROCOPY)")


def change_what_waits_to_be_read(way, file, want):
    """The receiver's queue holds the sender's pages."""
    for port, (name, proto) in enumerate(STACKS, 8000):
        one, two = pair(port, proto)
        pages = Pages(file)
        way(one, pages)
        net.until(lambda: waiting(two) == SIZE, 3, "all bytes in the receive queue")  # pylint: disable=cell-var-from-loop
        pages.write(NEW)
        net.equal(seen(read_all(two)), want, f"{name}, {way.__name__}")
        for end in (one, two):
            end.close()


def write_copies():
    """The measure itself: what was written by write() is the program's no more."""
    change_what_waits_to_be_read(by_write, True, {OLD})
    change_what_waits_to_be_read(by_write, False, {OLD})


def sendfile_moves_pages():
    change_what_waits_to_be_read(by_sendfile, True, {NEW})


def splice_of_a_file_moves_pages():
    change_what_waits_to_be_read(by_splice, True, {NEW})


def vmsplice_moves_pages():
    change_what_waits_to_be_read(by_vmsplice, False, {NEW})


def splice_out_of_a_socket_moves_pages():
    """From the file to the pipe behind the receiver, through both ends of a connection, it is one and the same page."""
    for port, (name, proto) in enumerate(STACKS, 8000):
        one, two = pair(port, proto)
        pages = Pages(True)
        out, into = os.pipe()
        by_sendfile(one, pages)
        net.until(lambda: waiting(two) == SIZE, 3, "all bytes in the receive queue")  # pylint: disable=cell-var-from-loop
        move_all(lambda left: os.splice(two.fileno(), into, left))  # pylint: disable=cell-var-from-loop
        net.equal(waiting(two), 0, "bytes left in the receive queue")
        one.close()
        two.close()
        pages.write(NEW)
        data = b""
        while len(data) < SIZE:
            data += os.read(out, SIZE - len(data))
        net.equal(seen(data), {NEW}, f"{name}, splice out of the socket")
        os.close(out)
        os.close(into)


def completion(sock):
    """The first completion of MSG_ZEROCOPY: calls from, calls to, whether the pages were copied after all."""
    def tell():
        try:
            return sock.recvmsg(0, 512, socket.MSG_ERRQUEUE)
        except BlockingIOError:
            return None

    _, control, _, _ = net.until(tell, 5, "a completion")
    _, origin, _, code, _, info, data = struct.unpack_from("IBBBBII", control[0][2])
    net.equal(origin, SO_EE_ORIGIN_ZEROCOPY, "where the entry comes from")
    return info, data, code


def needs_so_zerocopy():
    if net.kernel_before(6, 6):
        raise net.Skipped("before 6.6 the kernel keeps SO_ZEROCOPY for protocols that it knows")


def zerocopy_moves_pages():
    """The pages stand in a queue of the sender when they change. Where they arrive on the same host they are copied after all, which the
    completion says, on both stacks."""
    needs_so_zerocopy()
    pairs = [(name, *pair(port, proto)) for port, (name, proto) in enumerate(STACKS, 8000)]
    net.sh(f"tc qdisc add dev lo root netem delay {DELAY_S}s")
    told = []
    for way, want in ((by_write, OLD), (by_zerocopy, NEW)):
        for name, one, two in pairs:
            pages = Pages(False)
            before = time.monotonic()
            way(one, pages)
            pages.write(NEW)
            took = time.monotonic() - before
            net.check(took < DELAY_S * 0.8, f"not changed in time: {took:.2f} s")
            net.equal(seen(read_all(two)), {want}, f"{name}, {way.__name__}")
            if way is by_zerocopy:
                told.append(completion(one))
    net.equal(told[0], (0, 0, 1), "the completion of the kernel's TCP: copied at the receiver on this host")
    net.equal(told[1], told[0], "ours")


TCP_FASTOPEN_CONNECT = 30
CLIENT_WITHOUT_COOKIE = 0x5  # of tcp_fastopen, and of our parameter


def a_syn_has_a_copy():
    """The call whose data a SYN has (RFC 7413) may fail with the SYN on its way, and would leave pages behind of which no completion
    tells."""
    needs_so_zerocopy()
    with open("/proc/sys/net/ipv4/tcp_fastopen", "w", encoding="ascii") as f:
        f.write(str(CLIENT_WITHOUT_COOKIE))
    if net.IS_ATCP:
        net.set_param("fastopen", CLIENT_WITHOUT_COOKIE)
    tun = Tun()
    net.sh(f"tc qdisc add dev {tun.name} root netem delay {DELAY_S}s")
    for port, (name, proto) in enumerate(STACKS, 8000):
        pages = Pages(False)
        part = memoryview(pages.map)[:100]
        peer = Peer(tun, port=port)
        one = net.new_socket(blocking=False, proto=proto)
        one.setsockopt(socket.SOL_SOCKET, SO_ZEROCOPY, 1)
        one.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1)
        one.connect((tun.peer, port))
        net.equal(one.send(part, MSG_ZEROCOPY), 100, f"{name}: bytes taken")
        pages.write(NEW)
        net.equal(peer.wait_syn(2 * DELAY_S).payload[:len(OLD)], OLD, f"{name}: data of the SYN")
        peer.rcv = (peer.rcv + 100) & 0xFFFFFFFF
        peer.send("SA", options=packet.mss(packet.MSS))
        net.equal(completion(one)[:2], (0, 0), f"{name}: the completion")
        peer.send("R")  # or it would wait long for the ACK of its FIN, with such a round trip
        one.close()
        # Nobody there: no completion, for the call that failed has no number.
        two = net.new_socket(proto=proto)
        two.setsockopt(socket.SOL_SOCKET, SO_ZEROCOPY, 1)
        two.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1)
        two.connect(("127.0.0.1", port))
        net.equal(net.error_of(two.send, part, MSG_ZEROCOPY), "ECONNREFUSED", name)
        net.equal(net.error_of(two.recvmsg, 0, 512, socket.MSG_ERRQUEUE), "EAGAIN", f"{name}: a completion")
        two.close()
        part.release()


if __name__ == "__main__":
    net.main(write_copies, sendfile_moves_pages, splice_of_a_file_moves_pages, vmsplice_moves_pages,
             splice_out_of_a_socket_moves_pages, zerocopy_moves_pages, a_syn_has_a_copy)
