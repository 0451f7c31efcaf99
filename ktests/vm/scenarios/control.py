#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# what: the atcp tool sets and shows parameters, sockets, listeners, counters and reasons, and refuses wrong values
# mode: smp
# families: 4, what the tool sets and shows has no family
# kernels: 6.1 6.12
# needs: atcp
"""The control tool against a live module. That a parameter acts is shown where
its subject is (listen_queue, timers, closing)."""

import socket
import subprocess
import time

from lib import net
from lib.net import check, equal


def refused(arguments):
    done = subprocess.run(f"{net.TOOLS}/atcp {arguments}", shell=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, check=False)
    check(done.returncode != 0, f"`atcp {arguments}` was accepted")
    return done.stderr


def parameters_are_set_and_reset():
    before = {p["name"]: p["value"] for p in net.atcp_json("params")}
    check(len(before) > 20, "suspiciously few parameters")
    net.atcp("params set syncookies 2")
    equal(net.atcp("params get syncookies").strip(), "2", "syncookies")
    net.atcp("params set syn_retries=3 rmem='8192 65536 1000000'")
    equal(net.atcp_json("params get rmem")["value"], "8192 65536 1000000", "rmem")
    net.atcp("params reset")
    equal({p["name"]: p["value"] for p in net.atcp_json("params")},
          before | {"syn_linear_timeouts": "4", "congestion_control": "cubic", "early_retrans": "3"}, "parameters after reset")


def wrong_values_are_refused():
    for name, value, words in (("syncookies", "3", ("syncookies", "0", "2")), ("syncookies", "x", ("syncookies",)),
                               ("rto_min_us", "5", ("rto_min_us", "1000")), ("rmem", "1", ("rmem",)),
                               ("congestion_control", "nosuch", ("congestion_control",)), ("nosuch", "1", ("nosuch",))):
        message = refused(f"params set {name} {value}")
        for word in words:
            check(word in message, f"`{word}` is not in the message for {name}={value}: {message}")
    # All or none: the good half of a request must not stay.
    refused("params set syncookies=2 syn_retries=0")
    equal(net.atcp("params get syncookies").strip(), "1", "syncookies after a refused request")


def parameters_belong_to_a_namespace():
    net.set_param("syncookies", 2)
    with net.Namespaces("x") as spaces:
        equal(net.atcp("params get syncookies", spaces.prefix("x")).strip(), "1", "another namespace")


def setting_needs_a_capability():
    done = subprocess.run(f"setpriv --reuid 65534 --clear-groups --bounding-set -all --inh-caps -all {net.TOOLS}/atcp "
                          "params set syncookies 2", shell=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False)
    check(done.returncode != 0, "set without CAP_NET_ADMIN")
    equal(net.atcp("params get syncookies").strip(), "1", "syncookies")


def sockets_and_listeners():
    lst = net.listener("127.0.0.1", 8080, backlog=7)
    one = net.new_socket()
    one.connect(("127.0.0.1", 8080))
    # connect() returns with the SYN-ACK, before the third ACK is there.
    net.until(lambda: net.atcp_json("listeners")[0]["accept_queue"], 2, "a connection in the queue")
    found = net.atcp_json("listeners")
    equal(len(found), 1, "listeners")
    equal((found[0]["backlog"], found[0]["accept_queue"], found[0]["syns"], found[0]["synacks"]), (7, 1, 1, 1), "listener")
    conn = net.accept(lst)
    conn.send(b"x" * 1000)
    net.until(lambda: any(c.get("recvq") == 1000 for c in net.connections()), 2, "1000 bytes in a receive queue")
    equal(sorted(c["state"] for c in net.connections()), ["ESTABLISHED"] * 2, "states")
    check(all(c["cc"] == "reno" and c["mss"] > 1000 and c["cwnd"] > 0 for c in net.connections()), "details of a connection")
    one.recv(1000)
    conn.close()
    one.close()
    net.until(lambda: [c["state"] for c in net.connections()] == ["TIME_WAIT"], 2, "one TIME_WAIT entry")
    lst.close()
    net.until(lambda: not net.atcp_json("listeners"), 2, "no listener")


def requests_are_shown():
    """A half-open request is in the table, without a socket of its own."""
    from lib import packet
    from lib.tun import Peer, Tun
    tun = Tun()
    net.listener()
    peer = Peer(tun)
    peer.send("S", options=packet.mss(1460))
    peer.expect("SA")
    equal([c["state"] for c in net.connections()], ["SYN_RECV"], "states")
    equal(net.atcp_json("listeners")[0]["requests"], 1, "requests of the listener")


def counters_and_reasons():
    before, reasons = net.counts("stats"), net.counts("reasons")
    lst = net.listener("127.0.0.1", 8080)
    sock = net.new_socket()
    sock.connect(("127.0.0.1", 8080))
    conn = net.accept(lst)
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    conn.close()
    net.until(lambda: net.state(sock) == "CLOSE", 2, "reset")
    after, later = net.counts("stats"), net.counts("reasons")
    for name in ("ActiveOpens", "PassiveOpens", "OutRsts", "EstabResets"):
        check(after[name] > before[name], f"{name} did not grow")
    check(after["InSegs"] >= before["InSegs"] + 4, "InSegs")
    for name in ("abort_on_linger", "reset_by_peer"):
        equal(later[name], reasons[name] + 1, f"reason {name}")


def tables_under_load():
    """Dumps while connections come and go: each row whole, no error, no endless dump."""
    program = f"{net.PROGS}/perf"
    server = net.spawn([program, "server", "127.0.0.1", "9000", "--proto", "atcp"])
    equal(server.stdout.readline().strip(), "ready", "perf server")
    client = net.spawn([program, "connect", "127.0.0.1", "9000", "--proto", "atcp", "--seconds", "4"])
    end, dumps = time.monotonic() + 3, 0
    while time.monotonic() < end or dumps < 2:  # an instrumented kernel may need longer for one than for the load
        check(all("state" in c and "local" in str(c) for c in net.connections()), "incomplete row")
        net.atcp_json("listeners")
        dumps += 1
    net.finish(client, "perf connect")
    server.kill()
    server.communicate()


if __name__ == "__main__":
    net.main(parameters_are_set_and_reset, wrong_values_are_refused, parameters_belong_to_a_namespace,
             setting_needs_a_capability, sockets_and_listeners, requests_are_shown, counters_and_reasons, tables_under_load)
