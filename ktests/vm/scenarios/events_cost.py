#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# what: instructions of a small request and its answer, and of a whole connection, with nobody and with somebody listening to events
# mode: icount
# families: 4, what watching costs is counted in instructions, and those of IPv6 would have to be bounded anew
# seconds: 300
# needs: atcp
"""What watching costs. The machine's clock counts instructions, so times are
exact; a subscriber who has left leaves nothing behind."""

import time

from lib import events, net
from lib.net import check

ROUNDS = 400


def exchange(one, two):
    """Instructions of one byte there and back, both ends and the interpreter included: the median."""
    found = []
    for _ in range(ROUNDS):
        start = time.monotonic_ns()
        one.send(b"x")
        two.recv(1)
        two.send(b"y")
        one.recv(1)
        found.append(time.monotonic_ns() - start)
    return sorted(found)[ROUNDS // 2]


def opening(lst):
    found = []
    for _ in range(ROUNDS // 8):
        start = time.monotonic_ns()
        one = net.new_socket()
        one.connect(("127.0.0.1", 8080))
        two = lst.accept()[0]
        two.close()
        one.close()
        found.append(time.monotonic_ns() - start)
    return sorted(found)[len(found) // 2]


def a_subscriber_costs_while_he_is_there():
    lst = net.listener("127.0.0.1", 8080)
    one = net.new_socket()
    one.connect(("127.0.0.1", 8080))
    two = net.accept(lst)
    exchange(one, two)
    figures = {"nobody": (exchange(one, two), opening(lst))}
    with events.Family() as nl:
        nl.subscribe(events.kinds("accept_queue_full"))
        figures["one who hears nothing"] = (exchange(one, two), opening(lst))
        nl.subscribe()
        figures["one who hears all"] = (exchange(one, two), opening(lst))
    time.sleep(6)  # for three seconds somebody might come back
    figures["nobody again"] = (exchange(one, two), opening(lst))
    for who, (small, whole) in figures.items():
        print(f"    {who:<24} {small:>8} instructions for an exchange, {whole:>8} for a connection")
    nobody, hears = figures["nobody"], figures["one who hears all"]
    check(hears[1] > nobody[1] * 1.1, "all events of a connection cost next to nothing")
    check(hears[0] < nobody[0] * 1.05, "an exchange without an event costs more")
    # Where in memory a connection lies makes 2 % of its instructions.
    for i in (0, 1):
        check(abs(figures["nobody again"][i] / nobody[i] - 1) < 0.05, "something is left behind")


if __name__ == "__main__":
    net.main(a_subscriber_costs_while_he_is_there)
