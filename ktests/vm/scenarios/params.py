#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# what: every parameter of the module's own table at its least, its largest and its usual value, below and above, in the namespace and on a socket; each followed by a connection
# mode: smp
# families: 4, a parameter has no family
# seconds: 600
# kernels: 6.1 6.12
# needs: atcp
"""The table is read from the module: a parameter that is added is tried from then on. What is accepted reads back as it was given; what
is not is refused with its errno and a text, and changes nothing; and with no value does the kernel warn or a connection fail to carry its bytes,
but for those of NO_CONNECTION."""

import errno
import fcntl
import os
import select
import socket
import struct

from lib import genl, net
from lib.genl import Family, Refused
from lib.net import check, equal

SO_COOKIE, PORT, TCP_NOTSENT_LOWAT, SIOCOUTQNSD = 57, 8080, 25, 0x894B
SOL_ATCP, ATCP_SO_PARAM = 253, 2
BYTES = 30000  # each way: more than an initial window's worth of data in segments of 1460
NOT_SUPPORTED = errno.errorcode[errno.EOPNOTSUPP]
SOURCE = {number: name for name, number in genl.enum("source").items()}
TYPE = {number: name for name, number in genl.enum("param-type").items()}
COUNT = {"number": 1, "pair": 2, "triple": 3}
# A text made at run time, so the given value, is beyond 6.1's extended ACK.
TELLS_VALUE = not os.uname().release.startswith("6.1.")

# (parameter, value): what such a setting does to connections by its meaning.
NO_CONNECTION = {}
# Whoever gives up at the first timeout must not meet one because this machine paused.
PATIENT = {"retries2": "rto_min_us=20000000"}


def table():
    return Family().dump("param-get")


def kind(row):
    return TYPE[row["type"]]


def spread(row, k, value):
    """The default with element k replaced, and what else must move for the numbers not to fall."""
    numbers = [int(n) for n in row["default"].split()]
    numbers[k] = value
    return " ".join(str(min(n, value) if i < k else max(n, value)) for i, n in enumerate(numbers))


def with_element(row, k, text):
    words = row["default"].split()
    words[k] = text
    return " ".join(words)


def good_values(row):
    if kind(row) == "wire":
        return ["tcp", "atcp"]
    if kind(row) == "cc":
        return [c["name"] for c in Family().dump("cc-get")]
    values = [row["default"]]
    for k in range(COUNT[kind(row)]):
        values += [spread(row, k, row["min"]), spread(row, k, row["max"])]
    return list(dict.fromkeys(values))


def bad_values(row):
    """(value, errno)."""
    if kind(row) == "wire":
        return [("udp", "EINVAL"), ("0", "EINVAL"), ("tcp atcp", "EINVAL"), ("", "EINVAL")]
    if kind(row) == "cc":
        return [("nobody", "ENOENT"), ("cubic reno", "EINVAL"), ("", "EINVAL")]
    count = COUNT[kind(row)]
    bad = [("", "EINVAL"), (row["default"] + " 1", "EINVAL"), (row["default"] + "x", "EINVAL")]
    for k in range(count):
        below = (str(row["min"] - 1), "ERANGE") if row["min"] else ("-1", "EINVAL")
        bad += [(with_element(row, k, below[0]), below[1]), (with_element(row, k, str(row["max"] + 1)), "ERANGE"),
                (with_element(row, k, str(1 << 32)), "ERANGE"), (with_element(row, k, "x"), "EINVAL")]
    if count > 1:
        bad += [(" ".join(row["default"].split()[1:]), "EINVAL"),
                (" ".join([str(row["max"])] * (count - 1) + [str(row["max"] - 1)]), "EINVAL")]
    return bad


def cookie(sock):
    return struct.unpack("=Q", sock.getsockopt(socket.SOL_SOCKET, SO_COOKIE, 8))[0]


class Where:
    """A namespace's parameters, or those of one of its sockets."""

    def __init__(self, sock=None):
        self.fam = Family()
        self.who = {"id": cookie(sock)} if sock else {}
        self.source = "netlink" if sock else "netns"

    def get(self, name):
        [p] = self.fam.do("param-get", self.who | {"param": {"name": name}})["param"]
        return p["value"], SOURCE[p["source"]]

    def set(self, name, value):
        self.fam.do("param-set", self.who | {"param": {"name": name, "value": value}})

    def reset(self, name):
        self.fam.do("param-reset", self.who | {"param": {"name": name}})

    def refuses(self, row, value, code):
        before = self.get(row["name"])
        try:
            self.set(row["name"], value)
        except Refused as e:
            what = f"{row['name']}={value!r}"
            equal(e.code, code, what)
            check(e.text.startswith(row["name"]) and e.offset, f"{what}: the text is {e.text!r}, at {e.offset}")
            if "min" in row:
                check(f"{row['min']}..{row['max']}" in e.text, f"{what}: no range in {e.text!r}")
            # The value gives way where the text has no room for both.
            if TELLS_VALUE:
                check(value[:8] in e.text, f"{what}: no value in {e.text!r}")
        else:
            raise net.Failed(f"{row['name']}={value!r} was accepted")
        equal(self.get(row["name"]), before, f"{row['name']} after {value!r} was refused")


def patient(where, name):
    if name in PATIENT:
        where.set(*PATIENT[name].split("="))


def impatient(where, name):
    if name in PATIENT:
        where.reset(PATIENT[name].split("=")[0])


# ------------------------------------------------------------------ connections


def swap(one, other, size=BYTES):
    """size bytes each way at the same time; both ends read all of it."""
    data = bytes(i * 7 & 0xFF for i in range(size))
    left = {one: size, other: size}
    to_read = {one: size, other: size}
    for sock in (one, other):
        sock.setblocking(False)

    def step():
        readers, writers, _ = select.select([s for s in to_read if to_read[s]], [s for s in left if left[s]], [], 0.2)
        for sock in writers:
            try:
                left[sock] -= sock.send(data[size - left[sock]:])
            except BlockingIOError:
                pass
        for sock in readers:
            got = sock.recv(1 << 16)
            check(got, f"the end of the stream {to_read[sock]} bytes too early")
            at = size - to_read[sock]
            check(got == data[at:at + len(got)], f"other bytes than those sent, at {at}")
            to_read[sock] -= len(got)
        return not any(left.values()) and not any(to_read.values())

    net.until(step, 60, lambda: f"not written {list(left.values())}, not read {list(to_read.values())}", step=0)


def connect(lst, before=None):
    """Both ends of a new connection; before(socket) comes first."""
    sock = net.new_socket()
    if before:
        before(sock)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    sock.settimeout(60 * net.SLOW)
    sock.connect(("127.0.0.1", PORT))
    return sock, net.accept(lst, 30)


def end(*socks):
    """Without TIME_WAIT, which would hold the one port of a narrow range."""
    for sock in socks:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.close()


def carries(what, lst):
    one = other = None
    try:
        one, other = connect(lst)
        swap(one, other)
        end(one, other)
        # An orderly end as well.
        one, other = connect(lst)
        swap(one, other, 100)
        one.shutdown(socket.SHUT_WR)
        check(net.readable(other, 30 * net.SLOW) and other.recv(1) == b"", "no end of the stream")
    except (net.Failed, OSError) as e:
        raise net.Failed(f"{what}: {e!r}") from None
    end(other, one)


# ------------------------------------------------------------------------ cases


def table_is_in_order():
    rows = table()
    check(len(rows) >= 59, f"{len(rows)} parameters")
    equal(len({r["name"] for r in rows}), len(rows), "names")
    for row in rows:
        check(row["help"] and row["default"] in good_values(row), f"{row}")
        if "min" in row:
            numbers = [int(n) for n in row["default"].split()]
            equal(len(numbers), COUNT[kind(row)], row["name"])
            check(all(row["min"] <= n <= row["max"] for n in numbers), f"{row['name']}: {row['default']} is out of its own range")
    equal(NO_CONNECTION.keys() - {(r["name"], v) for r in rows for v in good_values(r)}, set(), "exceptions that are never met")


def refusals_leave_the_old_value():
    """In the namespace, and what a socket may have on a socket; what it may not have is refused there."""
    lst = net.listener("127.0.0.1", PORT)
    ns, sock = Where(), Where(lst)
    for row in table():
        for value, code in bad_values(row):
            ns.refuses(row, value, code)
            if row.get("per-socket"):
                sock.refuses(row, value, code)
        if not row.get("per-socket"):
            try:
                sock.set(row["name"], row["default"])
            except Refused as e:
                equal(e.code, NOT_SUPPORTED, row["name"])
                check("namespace" in e.text, e.text)
            else:
                raise net.Failed(f"{row['name']} was accepted on a socket")


def every_value_in_the_namespace():
    net.interface_up("lo", mtu=1500)
    ns = Where()
    done = 0
    for row in table():
        name = row["name"]
        patient(ns, name)
        for value in good_values(row):
            ns.set(name, value)
            equal(ns.get(name), (value, "netns"), name)
            if (name, value) not in NO_CONNECTION:
                lst = net.listener("127.0.0.1", PORT)
                carries(f"{name}={value}", lst)
                end(lst)
            done += 1
        ns.reset(name)
        equal(ns.get(name), (row["default"], "default"), name)
        impatient(ns, name)
    print(f"    {done} values", flush=True)


every_value_in_the_namespace.limit_s = 500 * net.SLOW


def every_value_on_a_socket():
    """On both ends of a connection that lives, and on a listener and a socket before they have one."""
    net.interface_up("lo", mtu=1500)
    done = 0
    for row in table():
        if not row.get("per-socket"):
            continue
        name = row["name"]
        patient(Where(), name)
        for value in good_values(row):
            lst = net.listener("127.0.0.1", PORT)
            one, other = connect(lst)
            for sock in (one, other, lst):
                Where(sock).set(name, value)
                equal(Where(sock).get(name), (value, "netlink"), f"{name} of a socket")
            if (name, value) in NO_CONNECTION:
                end(one, other, lst)
                continue
            try:
                swap(one, other)
                end(one, other)
                # A socket that is nothing yet is out of netlink's reach: its program sets it.
                one, other = connect(lst, lambda sock, text=f"{name}={value}": sock.setsockopt(SOL_ATCP, ATCP_SO_PARAM, text.encode()))
                equal(Where(one).get(name), (value, "setsockopt"), f"{name} of a socket that was not connected")
                swap(one, other)
            except (net.Failed, OSError) as e:
                raise net.Failed(f"{name}={value} on sockets: {e!r}") from None
            Where(other).reset(name)
            equal(Where(other).get(name)[0], row["value"], f"{name} let go of")
            end(one, other, lst)
            done += 1
        impatient(Where(), name)
    print(f"    {done} values", flush=True)


every_value_on_a_socket.limit_s = 500 * net.SLOW


# ------------------------------------------------------------- what only the glue does


def sndbuf(sock):
    return sock.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)


def buffers_of_a_new_socket():
    ns = Where()
    for name, of in (("wmem", sndbuf), ("rmem", lambda sock: sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF))):
        ns.set(name, "4096 30000 4194304")
        equal(of(net.new_socket()), 30000, name)
        ns.set(name, "4096 50000 4194304")
        equal(of(net.new_socket()), 50000, name)
        ns.set(name, "1 1 1")
        check(of(net.new_socket()) >= 2048, f"{name}=1: the buffer is {of(net.new_socket())}")


def send_buffer_grows():
    for largest in (16384, 4194304):
        Where().set("wmem", f"4096 16384 {largest}")
        lst = net.listener("127.0.0.1", PORT)
        one, other = connect(lst)
        swap(one, other, 400000)
        check((sndbuf(one) > 16384) == (largest > 16384), f"wmem up to {largest}: the buffer is {sndbuf(one)}")
        end(one, other, lst)


def backlog_has_two_ceilings():
    """That of the kernel, and the parameter; the listener says when it has all that they allow."""
    def backlog(port):
        sock = net.listener("127.0.0.1", port, 100)
        [row] = Family().dump("listener-get", {"filter": {"id": cookie(sock)}})
        return row["backlog"], bool(row.get("at-somaxconn"))

    with open("/proc/sys/net/core/somaxconn", "w", encoding="ascii") as f:
        f.write("50")
    equal(backlog(8001), (50, True), "by the kernel's")
    Where().set("somaxconn", "7")
    equal(backlog(8002), (7, True), "by the parameter")
    Where().set("somaxconn", "60")
    equal(backlog(8003), (50, True), "by the smaller of the two")
    with open("/proc/sys/net/core/somaxconn", "w", encoding="ascii") as f:
        f.write("4096")
    Where().set("somaxconn", "1000")
    equal(backlog(8004), (100, False), "by neither")


def unsent_bytes_hold_pollout():
    """TCP_NOTSENT_LOWAT: the program is held by what is unsent, long before its buffer is full."""
    Where().set("wmem", "4096 4194304 4194304")
    lst = net.listener("127.0.0.1", PORT)

    def fill(low, least, most, what):
        one, other = connect(lst)
        if low:
            one.setsockopt(socket.IPPROTO_TCP, TCP_NOTSENT_LOWAT, low)
            equal(one.getsockopt(socket.IPPROTO_TCP, TCP_NOTSENT_LOWAT), low, "as it was set")
        one.setblocking(False)

        def held():
            """A slow machine may still acknowledge something when poll() has waited in vain: then it is filled once more."""
            while net.error_of(one.send, b"d" * 4096) is None:
                pass
            waits = not select.select([], [one], [], 0.2)[1]
            seen.append(struct.unpack("=i", fcntl.ioctl(one, SIOCOUTQNSD, b"\0" * 4))[0])
            return waits and least <= seen[-1] <= most

        seen = []
        net.until(held, 60, lambda: f"{what}: held at {seen[-5:]} unsent bytes, not from {least} to {most}", step=0)
        return one, other

    low = (8192, 16384 + (1 << 16))
    one, other = fill(16384, *low, "by the option")

    def drained():
        other.setblocking(False)
        try:
            other.recv(1 << 20)
        except BlockingIOError:
            pass
        return select.select([], [one], [], 0)[1]

    net.until(drained, 60, "never writable again")
    end(one, other)
    Where().set("notsent_lowat", "16384")
    one, other = fill(0, *low, "by the parameter")
    end(one, other)
    Where().reset("notsent_lowat")
    one, other = fill(0, (1 << 20) + 1, 1 << 30, "without")
    end(one, other)


if __name__ == "__main__":
    net.main(table_is_in_order, refusals_leave_the_old_value, every_value_in_the_namespace, every_value_on_a_socket, buffers_of_a_new_socket,
             send_buffer_grows, backlog_has_two_ceilings, unsent_bytes_hold_pollout)
