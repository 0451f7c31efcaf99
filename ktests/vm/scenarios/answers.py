#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# what: what happens when a queue overflows, which drops a capture sees, how to trace them: shown and checked, step by step
# mode: icount
# families: 4 6
# kernels: 6.1 6.12
# needs: atcp
"""The questions of docs/scenarios.md, answered by running them. Each case prints
what it sees, so that a reader can repeat it:

    ktests/vm/run --kernel 6.1 --icount -- ktests/vm/scenarios/answers.py CASE"""

import re
import socket
import time

from lib import net, packet
from lib.net import check, equal
from lib.tun import Peer, Tun

M = 0xFFFFFFFF
ETH_P_ALL = 3


def say(text):
    print("\n".join(f"    {line}".rstrip() for line in text.rstrip().splitlines()), flush=True)


def show(command):
    """Prints a command of the atcp tool and what it answers."""
    say(f"$ atcp {command}")
    say(net.atcp(command))


def knock(tun, count, first=20001):
    """A SYN from each of `count` clients; those that got a SYN-ACK."""
    answered = []
    for port in range(first, first + count):
        peer = Peer(tun, port=port)
        peer.send("S", options=packet.mss(packet.MSS))
        seen = [s for s in tun.drain(0.02) if peer.mine(s)]
        check(all(s.flags == "SA" for s in seen), f"not a SYN-ACK: {seen}")
        if seen:
            peer.rcv = (seen[0].seq + 1) & M
            answered.append(peer)
    return answered


def listener_row():
    return net.atcp_json("listeners")[0]


# ------------------------------------------------------------------------- cases


def half_open_overflow():
    """Backlog 4 and eight SYNs, with cookies off, on overflow, always."""
    tun = Tun()
    net.listener(backlog=4)
    for cookies, answers, kept in ((0, 5, 5), (1, 8, 5), (2, 8, 0)):
        net.set_param("syncookies", cookies)
        before = net.counts("reasons")
        answered = knock(tun, 8, 20001 + 100 * cookies)
        row = listener_row()
        refused = net.counts("reasons")["request_queue_full"] - before["request_queue_full"]
        say(f"syncookies {cookies}: 8 SYNs, {len(answered)} SYN-ACKs, {row['requests']} requests kept, {refused} refused")
        equal((len(answered), row["requests"]), (answers, kept), f"answers and requests with syncookies {cookies}")
        equal(refused, 8 - answers, "refused for a full request queue")
        for peer in answered:
            peer.send("R", advance=False)
        equal(listener_row()["requests"], 0, "requests after the resets")
    show("listeners")
    show("reasons")
    show("stats")


def old_formula():
    """min(backlog, somaxconn, max_syn_backlog), at least 8, plus 1, rounded up to a power of two: no longer so."""
    net.set_param("syncookies", 0)
    tun = Tun()
    for port, (backlog, somaxconn) in enumerate(((5, 4096), (8, 4096), (100, 4096), (512, 128)), 80):
        with open("/proc/sys/net/core/somaxconn", "w", encoding="ascii") as f:
            f.write(str(somaxconn))
        old = 1 << max(8, min(backlog, somaxconn, 1024)).bit_length()
        net.listener(port=port, backlog=backlog)
        limit = min(backlog, somaxconn) + 1
        for number in range(limit + 20):
            peer = Peer(tun, port=20001 + number, stack_port=port)
            peer.send("S", options=packet.mss(packet.MSS))
        answered = len({s.dport for s in tun.drain(0.5) if s.flags == "SA" and s.sport == port})
        say(f"backlog {backlog}, somaxconn {somaxconn}: formula of 3.10 says {old}, measured {answered}")
        equal(answered, limit, f"requests with backlog {backlog}, somaxconn {somaxconn}")


def firewall(rule):
    net.sh(f"""nft -f - <<END
        flush ruleset
        add table inet t
        add chain inet t in {{ type filter hook input priority 0; }}
        add chain inet t out {{ type filter hook output priority 0; }}
        {"add rule inet t " + rule if rule else ""}
END""")


def what_a_capture_sees():
    """Four ways to lose an opening; a packet socket, as tcpdump has it, beside the counters."""
    net.set_param("syncookies", 0)
    tun = Tun()
    net.listener(backlog=0)
    capture = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM)
    capture.bind((tun.name, ETH_P_ALL))
    capture.setblocking(False)

    def attempt(port, what, bad_checksum=False):
        """One opening: flags in the capture, SYNs and SYN-ACKs of the listener's ledger, reasons; what grew."""
        row, reasons = listener_row(), net.counts("reasons")
        peer = Peer(tun, port=port)
        peer.send("S", options=packet.mss(packet.MSS), bad_checksum=bad_checksum)
        tun.drain(0.1)
        now = listener_row()
        grown = [k for k, v in net.counts("reasons").items() if v != reasons[k]]
        captured = []
        while net.readable(capture):
            seg = packet.parse(capture.recv(2000), 0)
            captured += [seg.flags] if seg and port in (seg.sport, seg.dport) else []
        counted = (now["syns"] - row["syns"], now["synacks"] - row["synacks"])
        say(f"{what + ':':<22} capture {' '.join(captured):<5} listener {counted[0]} SYN, {counted[1]} SYN-ACK   "
            f"reasons: {' '.join(grown) or '-'}")
        return (captured[:2], counted), grown, peer

    seen, _, first = attempt(20001, "works")
    equal(seen, (["S", "SA"], (1, 1)), "capture and ledger")
    seen, grown, _ = attempt(20002, "request queue full")
    equal(seen, (["S"], (1, 0)), "capture and ledger")
    check("request_queue_full" in grown, f"reasons: {grown}")
    first.send("R")  # room again
    seen, grown, _ = attempt(20003, "wrong checksum", bad_checksum=True)
    equal(seen, (["S"], (0, 0)), "capture and ledger")
    check("checksum" in grown, f"reasons: {grown}")
    firewall("in tcp dport 80 drop")
    seen, _, _ = attempt(20004, "firewall, input")
    equal(seen, (["S"], (0, 0)), "capture and ledger")
    firewall("out tcp sport 80 drop")
    seen, _, _ = attempt(20005, "firewall, output")
    equal((seen[0], seen[1][0]), (["S"], 1), "capture, SYNs of the ledger")
    firewall("")


def trace(text, path):
    with open(f"/sys/kernel/debug/tracing/{path}", "w", encoding="ascii") as f:
        f.write(text)


def tracing():
    """The kernel's own trace points: each state of a connection, and each dropped segment with its reason."""
    trace("protocol == 253", "events/sock/inet_sock_set_state/filter")
    trace("1", "events/sock/inet_sock_set_state/enable")
    trace("1", "events/skb/kfree_skb/enable")
    tun = Tun()
    lst = net.listener()
    trace("", "trace")
    peer = Peer(tun)
    peer.connect()
    conn = net.accept(lst)
    peer.send("FA")
    peer.expect("A", ack=peer.snd)
    conn.close()
    peer.take("FA")
    peer.send("A")
    peer.send("S", advance=False, bad_checksum=True)
    peer.send("F", advance=False)
    tun.drain(0.2)
    trace("0", "events/sock/inet_sock_set_state/enable")
    trace("0", "events/skb/kfree_skb/enable")
    with open("/sys/kernel/debug/tracing/trace", encoding="ascii") as f:
        lines = [line.split("] ", 1)[1].split(" ", 1)[1].strip() for line in f if not line.startswith("#")]
    lines = [line for line in lines if "set_state" in line or "reason: TCP_" in line]
    say("\n".join(re.sub(r" [sd]addrv6=\S+| skbaddr=\S+", "", line) for line in lines))
    states = [line.split("newstate=")[1] for line in lines if "newstate=" in line]
    for want in ("TCP_ESTABLISHED", "TCP_CLOSE_WAIT", "TCP_LAST_ACK", "TCP_CLOSE"):
        check(want in states, f"{want} is not among {states}")
    check(any("kfree_skb" in line and "TCP_CSUM" in line for line in lines), "no drop for a wrong checksum")
    check(any("kfree_skb" in line and "TCP_FLAGS" in line for line in lines), "no drop for a FIN to a listener")


def missing_fin_wait2():
    """A client whose third ACK found the accept queue full: it is ESTABLISHED, and its FIN is never acknowledged."""
    net.set_param("syncookies", 0)
    net.set_param("synack_retries", 2)
    net.sh("tc qdisc add dev lo root netem delay 50ms")
    net.listener("127.0.0.1", 8080, backlog=1)
    clients = [net.new_socket(proto=0, blocking=False) for _ in range(3)]
    clients[0].connect_ex(("127.0.0.1", 8080))
    time.sleep(0.5)
    for client in clients[1:]:  # both requests are there before either third ACK
        client.connect_ex(("127.0.0.1", 8080))
    time.sleep(0.4)
    equal([net.state(c) for c in clients], ["ESTABLISHED"] * 3, "what the clients believe")
    show("sockets")
    equal(sorted(c["state"] for c in net.connections()), ["ESTABLISHED"] * 2 + ["SYN_RECV"], "what the server has")
    waiting = next(c["peer_port"] for c in net.connections() if c["state"] == "SYN_RECV")
    last = next(c for c in clients if c.getsockname()[1] == waiting)
    last.shutdown(socket.SHUT_WR)
    start, seen = time.monotonic(), []
    while time.monotonic() - start < 60:
        state = net.state(last)
        if not seen or seen[-1] != state:
            seen.append(state)
            say(f"{time.monotonic() - start:5.1f} s after shutdown(SHUT_WR): client {state}, server "
                f"{sorted(c['state'] for c in net.connections())}")
        if state == "CLOSE":
            break
        time.sleep(0.1)
    equal(seen, ["FIN_WAIT1", "CLOSE"], "states of the client")
    equal(net.error_of(last.recv, 1), "ECONNRESET", "what the client learns")
    show("reasons")


if __name__ == "__main__":
    net.main(half_open_overflow, old_formula, what_a_capture_sees, tracing, missing_fin_wait2)
