#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# what: what a connection waited for, live and in its closing record; who ended it; how many records are kept
# mode: smp
# families: 4 6
# kernels: 6.1 6.12
# seconds: 240
# needs: atcp
"""The split of a connection's time through the family, without the tool: a reader who does not read, TCP_INFO, and the records of
connections that ended in different ways."""

import socket
import struct
import threading
import time

from lib import genl, net
from lib.genl import Family
from lib.net import check, equal

SO_COOKIE = 57


def named(enum, number):
    return next(name for name, n in genl.enum(enum).items() if n == number)


def cookie(sock):
    return struct.unpack("Q", sock.getsockopt(socket.SOL_SOCKET, SO_COOKIE, 8))[0]


def pair(port):
    lst = net.listener("127.0.0.1", port)
    client = net.new_socket()
    client.connect(("127.0.0.1", port))
    return client, net.accept(lst)


def shares(described):
    """Seconds by what it waited for; they must add up."""
    us = {named("limit", n["by"]): n["us"] for n in described["limited"]}
    equal(sum(us.values()), described["age-us"], "the shares together")
    return {name: n / 1e6 for name, n in us.items()}


def fill(sock):
    sock.setblocking(False)
    sent = 0
    try:
        while True:
            sent += sock.send(b"x" * 65536)
    except BlockingIOError:
        return sent


def drain(sock, count):
    while count > 0:
        count -= len(sock.recv(65536))


def record_of(family, number):
    return next((r for r in family.dump("record-get") if r["socket"]["id"] == number), None)


def probe_is_set(family, number):
    timers = family.do("socket-get", {"id": number})["socket"]["timer"]
    return any(t["name"] == "probe" and t["left-us"] > 0 for t in timers)


def closed_window(family, number):
    """Until the window is what the connection waits for: what was written last is acknowledged only then."""
    net.until(lambda: family.do("socket-get", {"id": number})["socket"]["limited-by"] == genl.enum("limit")["zero-window"], 5, "a closed window")


def between(seconds, least, most, what):
    """As long as this process has seen at the least (but for what a probe of the window may interrupt it), and at the most."""
    check(least - 0.1 <= seconds <= most + 0.01, f"{what}: {seconds:.3f}, not from {least:.3f} to {most:.3f}")


def a_reader_who_does_not_read():
    family = Family()
    client, server = pair(8001)
    number = cookie(client)
    opened = time.monotonic()
    sent = fill(client)
    closed_window(family, number)
    early = time.monotonic()
    before = shares(family.do("socket-get", {"id": number})["socket"])
    begin = time.monotonic()
    time.sleep(1)
    end = time.monotonic()
    now = family.do("socket-get", {"id": number})["socket"]
    after, late = shares(now), time.monotonic()
    equal(named("limit", now["limited-by"]), "zero-window", "what the writer waits for")
    between(after["zero-window"] - before.get("zero-window", 0), end - begin, late - early, "seconds with a closed window")
    net.until(lambda: probe_is_set(family, number), 5, "a probe of the window")  # at the moment one is due nothing is left of its time
    drain(server, sent)
    net.until(lambda: family.do("socket-get", {"id": number})["socket"]["limited-by"] == genl.enum("limit")["app"], 5, "the program's turn")
    lasted = time.monotonic() - opened
    client.close()
    server.close()
    net.until(lambda: record_of(family, number), 5, "the record of the client")
    record = record_of(family, number)
    check(shares(record["socket"])["zero-window"] >= after["zero-window"], f"shares of {record}")
    equal((named("ended-by", record["ended-by"]), record["reason-name"]), ("local-fin", "normal_close"), "the end")
    equal(record["socket"]["bytes-acked"] >= sent, True, "bytes")
    check(record["closed-ns"] - record["opened-ns"] >= 1000 * record["socket"]["age-us"], f"times of {record}")
    states = {named("state", s["state"]): s["ms"] for s in record["socket"]["in-state"]}
    between(states["established"] / 1e3, lasted, record["socket"]["age-us"] / 1e6, "seconds in ESTABLISHED")


def tcp_info_has_it_too():
    client, server = pair(8002)
    early = time.monotonic()
    fill(client)
    closed_window(Family(), cookie(client))
    begin = time.monotonic()
    time.sleep(0.5)
    end = time.monotonic()
    info = client.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 232)
    busy, rwnd, sndbuf = struct.unpack_from("QQQ", info, 168)
    between(rwnd / 1e6, end - begin, time.monotonic() - early, "seconds limited by the peer's window")
    check(busy >= rwnd + sndbuf, f"busy {busy}, window {rwnd}, buffer {sndbuf}")
    server.close()
    client.close()


def a_reset_and_its_receiver():
    family = Family()
    client, server = pair(8003)
    ids = cookie(client), cookie(server)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    server.close()
    net.until(lambda: record_of(family, ids[0]) and record_of(family, ids[1]), 5, "two records")
    got = [record_of(family, i) for i in ids]
    equal([(named("ended-by", r["ended-by"]), r["reason-name"], r["socket"].get("passive", False)) for r in got],
          [("peer-rst", "reset_by_peer", False), ("local-rst", "abort_on_linger", True)], "both ends")
    client.close()


def refused():
    family = Family()
    client = net.new_socket()
    number = cookie(client)
    equal(net.error_of(client.connect, ("127.0.0.1", 9)), "ECONNREFUSED", "connect")
    record = net.until(lambda: record_of(family, number), 5, "the record")
    equal((named("ended-by", record["ended-by"]), record["reason-name"], record["socket"]["age-us"]), ("peer-rst", "refused_by_peer", 0), "the end")


def so_many_are_kept():
    family = Family()
    net.set_param("closing_records", 3)
    numbers = []
    for _ in range(5):
        client = net.new_socket()
        numbers.append(cookie(client))
        net.error_of(client.connect, ("127.0.0.1", 9))
        client.close()
    net.until(lambda: [r["socket"]["id"] for r in family.dump("record-get")][-1:] == numbers[-1:], 5, "the last record")
    equal([r["socket"]["id"] for r in family.dump("record-get")], numbers[-3:], "the last three, oldest first")
    equal([r["socket"]["id"] for r in family.dump("record-get", {"filter": {"id": numbers[3]}})], numbers[3:4],
          "one of them by its cookie")
    net.set_param("closing_records", 0)
    net.error_of(net.new_socket().connect, ("127.0.0.1", 9))
    equal(family.dump("record-get"), [], "records that nobody wants")


def the_ring_changes_its_size():
    """Connections that nobody listens for end one after the other while the parameter goes up and down."""
    family, keeping = Family(), 70
    net.set_param("closing_records", 0)
    stop, numbers = threading.Event(), []

    def connections_that_end():
        while not stop.is_set():
            client = net.new_socket()
            numbers.append(cookie(client))
            net.error_of(client.connect, ("127.0.0.1", 9))
            client.close()

    def kept():
        return [r["socket"]["id"] for r in family.dump("record-get")]

    def in_order(most):
        """None twice, the oldest first, no more than that, although others come while they are read."""
        got = kept()
        check(len(got) <= most, f"{len(got)} records, not {most}")
        places = [numbers.index(i) for i in got]
        check(all(a < b for a, b in zip(places, places[1:])), f"order of the records: {places}")
        return got

    thread = threading.Thread(target=connections_that_end)
    thread.start()
    try:
        for want in (3, 5, 64, 65, 8, 0, 1, 129, 128, 2, 0, 33):
            family.do("param-set", {"param": [{"name": "closing_records", "value": str(want)}]})
            before = len(numbers)
            in_order(want)
            if want > 0:
                net.until(lambda: len(numbers) > before + 2, 20, "connections that end", step=0.001)
                check(in_order(want), "records while connections end")
    finally:
        stop.set()
        thread.join()
    # The newest stay, whichever way it goes; what comes then follows them.
    net.set_param("closing_records", keeping)
    for _ in range(keeping):
        client = net.new_socket()
        numbers.append(cookie(client))
        net.error_of(client.connect, ("127.0.0.1", 9))
        client.close()
    equal(kept(), numbers[-keeping:], "all places taken")
    for want, left in ((300, 70), (50, 50), (1000, 50), (49, 49), (7, 7), (65536, 7), (1, 1), (2, 1), (0, 0), (256, 0)):
        net.set_param("closing_records", want)
        equal(kept(), numbers[len(numbers) - left:], f"records with closing_records={want}")
    net.error_of(net.new_socket().connect, ("127.0.0.1", 9))
    equal(len(kept()), 1, "the first one again")


def a_dump_goes_on_after_what_is_dropped():
    """While somebody reads a dump, most of what is to follow is dropped and something else comes, of which it does not tell."""
    family, numbers = Family(), []
    net.set_param("closing_records", 0)
    net.set_param("closing_records", 400)

    def end(count):
        for _ in range(count):
            client = net.new_socket()
            numbers.append(cookie(client))
            net.error_of(client.connect, ("127.0.0.1", 9))
            client.close()

    end(400)
    dump = family.dump_pages("record-get")
    first = [r["socket"]["id"] for r in next(dump)]
    net.set_param("closing_records", 20)
    end(5)
    net.set_param("closing_records", 400)
    end(3)
    rest = [r["socket"]["id"] for page in dump for r in page]
    equal(first, numbers[:len(first)], "the first message")
    check(0 < len(first) < 380, f"{len(first)} records in the first message")
    # Of the twenty that were left five have come since the dump began.
    equal(rest[-15:], numbers[385:400], "the newest of those that were there")
    before = first + rest[:-15]
    equal(before, numbers[:len(before)], "what was read before")
    check(len(before) < 385, "nothing was dropped before it was read")


def many_in_pages():
    family = Family()
    net.set_param("closing_records", 300)
    for _ in range(330):
        client = net.new_socket()
        net.error_of(client.connect, ("127.0.0.1", 9))
        client.close()
    times = [r["closed-ns"] for r in family.dump("record-get")]
    equal(len(times), 300, "records")
    equal(times, sorted(times), "their order")


if __name__ == "__main__":
    net.main(a_reader_who_does_not_read, tcp_info_has_it_too, a_reset_and_its_receiver, refused, so_many_are_kept,
             the_ring_changes_its_size, a_dump_goes_on_after_what_is_dropped, many_in_pages)
