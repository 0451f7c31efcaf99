#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# what: parameters of one socket: by its program (setsockopt), by netlink, inherited from the listener; where each value comes from; who may
# mode: smp
# families: 4, a parameter has no family
# seconds: 120
# kernels: 6.1 6.12
# needs: atcp
"""The effective value of any parameter of a live socket and its origin, and that a value of its own is what the socket goes by."""

import ctypes
import errno
import os
import socket
import struct

from lib import genl, net
from lib.genl import Family, Refused
from lib.net import check, equal

SOL_ATCP, ATCP_SO_PARAM, SO_COOKIE = 253, 2, 57
NOT_SUPPORTED = errno.errorcode[errno.EOPNOTSUPP]  # one number, two names
SOURCE = {number: name for name, number in genl.enum("source").items()}


def cookie(sock):
    return struct.unpack("=Q", sock.getsockopt(socket.SOL_SOCKET, SO_COOKIE, 8))[0]


def choose(sock, text):
    sock.setsockopt(SOL_ATCP, ATCP_SO_PARAM, text.encode())


def own(sock, name, room=128):
    """As a program reads it: the name goes in, the value comes out."""
    libc = ctypes.CDLL(None, use_errno=True)
    buf = ctypes.create_string_buffer(name.encode(), room)
    size = ctypes.c_uint32(room)
    if libc.getsockopt(sock.fileno(), SOL_ATCP, ATCP_SO_PARAM, buf, ctypes.byref(size)):
        raise OSError(ctypes.get_errno(), name)
    equal(size.value, len(buf.value) + 1, f"{name}: length of {buf.value}")
    return buf.value.decode()


def told(fam, name, sock=None):
    """(value, origin) by netlink."""
    request = {"param": {"name": name}}
    if sock is not None:
        request["id"] = cookie(sock)
    [p] = fam.do("param-get", request)["param"]
    return p["value"], SOURCE[p["source"]]


def refused(call, *arguments):
    try:
        call(*arguments)
    except Refused as e:
        return e.code, e.text
    raise net.Failed(f"{arguments} was accepted")


def each_value_has_its_origin():
    fam = Family()
    lst = net.listener("127.0.0.1", 8080)
    equal(told(fam, "retries2"), ("15", "default"), "before anything")
    fam.do("param-set", {"param": {"name": "retries2", "value": "14"}})
    equal(told(fam, "retries2"), ("14", "netns"), "set in the namespace")
    equal(told(fam, "retries2", lst), ("14", "netns"), "of a socket without its own")
    choose(lst, "retries2=12")
    equal(told(fam, "retries2", lst), ("12", "setsockopt"), "set by the program")
    sock = net.new_socket()
    sock.connect(("127.0.0.1", 8080))
    child = net.accept(lst)
    equal(told(fam, "retries2", child), ("12", "listener"), "inherited")
    equal(told(fam, "retries2", sock), ("14", "netns"), "of the other end")
    fam.do("param-set", {"id": cookie(child), "param": [{"name": "retries2", "value": "11"}, {"name": "keepalive_time", "value": "33"}]})
    equal(told(fam, "retries2", child), ("11", "netlink"), "set by netlink")
    equal(own(child, "retries2"), "11", "and the program sees it")
    equal(child.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE), 33, "TCP_KEEPIDLE")
    fam.do("param-reset", {"id": cookie(child), "param": {"name": "retries2"}})
    equal(told(fam, "retries2", child), ("14", "netns"), "let go of")
    fam.do("param-reset", {"id": cookie(child)})
    equal(told(fam, "keepalive_time", child), ("7200", "default"), "all let go of")
    fam.do("param-reset", {"param": {"name": "retries2"}})
    equal(told(fam, "retries2", child), ("15", "default"), "the namespace's as well")
    rows = fam.dump("param-get", {"id": cookie(lst)})
    equal({r["name"]: r["value"] for r in rows if SOURCE[r["source"]] == "setsockopt"}, {"retries2": "12"}, "all of one socket")
    check(any(r.get("per-socket") for r in rows) and not all(r.get("per-socket") for r in rows), "which may be set on a socket")


def refusals_name_what_is_wrong():
    fam = Family()
    lst = net.listener("127.0.0.1", 8080)
    me = cookie(lst)
    code, text = refused(fam.do, "param-set", {"id": me, "param": {"name": "max_tw_buckets", "value": "5"}})
    equal(code, NOT_SUPPORTED, "the namespace's alone")
    check("namespace" in text, text)
    code, text = refused(fam.do, "param-set", {"id": me, "param": [{"name": "retries1", "value": "7"}, {"name": "sack", "value": "9"}]})
    equal(code, "ERANGE", "out of range")
    check("sack" in text and "0..1" in text, text)
    equal(told(fam, "retries1", lst), ("3", "default"), "all or none")
    code, text = refused(fam.do, "param-set", {"id": me + 1000000, "param": {"name": "sack", "value": "0"}})
    equal(code, "ENOENT", "no such socket")
    check("cookie" in text, text)
    equal(refused(fam.do, "param-get", {"id": 0, "param": {"name": "sack"}})[0], "ENOENT", "cookie 0")
    many = [{"name": "sack", "value": "0"}] * 1000
    equal(refused(fam.do, "param-set", {"id": me, "param": many})[0], "E2BIG", "more than there are")
    for text, code in [("sack", "EINVAL"), ("sack=2", "ERANGE"), ("sack=x", "EINVAL"), ("nonsense=1", "ENOENT"), ("=", "ENOENT"),
                       ("port_range=1 2", NOT_SUPPORTED), ("x" * 300, "EINVAL"), ("", "EINVAL"), ("congestion_control=nobody", "ENOENT")]:
        equal(net.error_of(choose, lst, text), code, f"setsockopt {text[:30]!r}")
    equal(net.error_of(own, lst, "nonsense"), "ENOENT", "get of what does not exist")
    equal(net.error_of(own, lst, "rmem", 5), "ENOSPC", "no room for the value")
    equal(own(lst, "rmem"), "4096 131072 6291456", "the namespace's can be read")


def some_need_privilege():
    lst = net.listener("127.0.0.1", 8080)
    choose(lst, "init_cwnd=20")
    equal(own(lst, "init_cwnd"), "20", "with CAP_NET_ADMIN")
    pid = os.fork()
    if pid == 0:
        os.setuid(65534)
        ok = net.error_of(choose, lst, "init_cwnd=100") == "EPERM" and net.error_of(choose, lst, "retries2=8") is None
        os._exit(0 if ok else 1)
    equal(os.waitpid(pid, 0)[1], 0, "without: init_cwnd is refused, retries2 is not")
    equal(own(lst, "retries2"), "8", "what nobody set")


def a_socket_goes_by_its_own():
    """Two connections that are cut off at the same time: the one with fewer retries gives up, the other does not."""
    lst = net.listener("127.0.0.1", 8080)
    quick, slow = net.new_socket(), net.new_socket()
    for sock in (quick, slow):
        sock.connect(("127.0.0.1", 8080))
        net.accept(lst).detach()
    for text in ("retries2=2", "rto_min_us=20000", "rto_max_ms=1000"):
        choose(quick, text)
    net.sh("nft add table inet t && nft 'add chain inet t in { type filter hook input priority -300; }' && nft add rule inet t in iif lo drop")
    for sock in (quick, slow):
        sock.send(b"x")
    quick.settimeout(60)
    equal(net.error_of(quick.recv, 1), "ETIMEDOUT", "the quick one")
    equal(net.state(slow), "ESTABLISHED", "the slow one")


if __name__ == "__main__":
    net.main(each_value_has_its_origin, refusals_name_what_is_wrong, some_need_privilege, a_socket_goes_by_its_own)
