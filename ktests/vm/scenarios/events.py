#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# what: events of a whole connection in order, filters, slow readers, the multicast group, tracepoints, the kernel's drop reasons
# mode: smp
# families: 4 6
# kernels: 6.1 6.12 debug
# seconds: 300
# needs: atcp
"""What those who watch are told, over netlink and through tracefs, by a client
of its own (lib/events.py) that knows nothing but the uAPI header."""

import os
import pathlib
import socket
import struct
import subprocess
import time

from lib import events as watch, genl, net, packet
from lib.events import C, attribute, kinds, u
from lib.net import check, equal
from lib.tun import Peer, Tun

SO_COOKIE = 57
FAMILY = socket.AF_INET6 if packet.V6 else socket.AF_INET
HERE = packet.spelt("127.0.0.1")
STATES = {v: k.removeprefix("ATCP_STATE_").lower() for k, v in C.items() if k.startswith("ATCP_STATE_")}
TRACEFS = pathlib.Path("/sys/kernel/tracing")


def cookie(sock):
    return struct.unpack("=Q", sock.getsockopt(socket.SOL_SOCKET, SO_COOKIE, 8))[0]


def words(event):
    """An event in a word or two."""
    if event["kind"] == "state":
        return STATES[event["old_state"]] + ">" + STATES[event["new_state"]]
    return event["kind"] + (" " + event["retransmit"] if "retransmit" in event else "") + \
        (" " + event["reason_name"] if "reason_name" in event else "")


def told(events, ident=None):
    return [words(e) for e in events if ident in (None, e.get("id"))]


def told_of(nl, want, what, ident=None):
    """The reader is told exactly this, of one socket or of all; it is waited for. All events."""
    found = nl.events(enough=lambda events: len(told(events, ident)) >= len(want))
    equal(told(found, ident), want, what)
    return found


def no_needless_timeouts():
    """Nothing is sent again because this machine paused."""
    net.set_param("rto_min_us", 20000000)


def pair(lst, port=8080):
    one = net.new_socket()
    one.connect(("127.0.0.1", port))
    return one, net.accept(lst)


def refused_connects(count, port=9):
    """Each is an event of kind state, a reset received, and a state again."""
    for _ in range(count):
        with net.new_socket() as s:
            check(s.connect_ex(("127.0.0.1", port)) == 111, "a connection to a port that nobody has")


def whole_life_in_order():
    no_needless_timeouts()
    with watch.Family() as nl:
        nl.subscribe()
        lst = net.listener("127.0.0.1", 8080)
        one, two = pair(lst)
        ids = cookie(lst), cookie(one), cookie(two)
        one.sendall(b"hello")
        equal(two.recv(10), b"hello", "data")
        one.close()
        equal(two.recv(10), b"", "end of data")
        two.close()
        events = [e for e in nl.events(enough=lambda found: sum(e["kind"] == "closed" for e in found) >= 2) if e["kind"] != "cwnd"]
    equal(told(events, ids[0]), ["closed>listen", "request_made"], "events of the listener")
    equal(told(events, ids[1]), ["closed>syn_sent", "syn_sent>established", "established>fin_wait1", "fin_wait1>fin_wait2",
                                 "closed normal_close", "fin_wait2>closed"], "events of the client")
    equal(told(events, ids[2]), ["closed>syn_received", "request_promoted", "syn_received>established", "established>close_wait",
                                 "close_wait>last_ack", "closed normal_close", "last_ack>closed"], "events of the server")
    equal(len(events), 15, "events of anybody")
    for ident in ids:
        times = [e["time_ns"] for e in events if e["id"] == ident]
        equal(times, sorted(times), "order of times")
        check(abs(times[-1] - time.monotonic_ns()) < 60e9, "the time is not CLOCK_MONOTONIC")
    equal(len({e["seq"] for e in events}), len(events), "different numbers")
    client = [e for e in events if e["id"] == ids[1]][-1]
    equal((client["family"], client["laddr"], client["raddr"], client["rport"]), (FAMILY, HERE, HERE, 8080), "addresses")


def each_kind_where_it_arises():
    net.set_param("syncookies", 0)
    tun = Tun()
    with watch.Family() as nl:
        lst = net.listener(port=80, backlog=0)
        nl.subscribe()
        peer = Peer(tun, port=20001)
        peer.connect()
        told_of(nl, ["request_made", "accept_queue_full"], "of the first connection", cookie(lst))
        Peer(tun, port=20002).send("S")
        refused = told_of(nl, ["drop accept_queue_full_syn"], "of a SYN too much")
        equal((refused[0]["rport"], refused[0]["tcp_flags"], refused[0]["raddr"]), (20002, 2, packet.spelt(tun.peer)), "the SYN")
        conn = net.accept(lst)
        free = told_of(nl, ["accept_queue_free"], "of accept()")
        equal((free[0]["queue"], free[0]["limit"]), (0, 0), "queue and limit")

        # Twelve bytes never acknowledged, then a segment that acknowledges what was not sent.
        conn.send(b"twelve bytes")
        events = nl.events(0.05, lambda found: {"retransmit", "cwnd"} <= {e["kind"] for e in found})
        again = [e for e in events if e["kind"] == "retransmit"]
        check(again and again[0]["retransmit"] == "timeout" and again[0]["len"] == 12, f"retransmissions: {events}")
        cwnd = [e for e in events if e["kind"] == "cwnd"]
        equal((cwnd[0]["cwnd"], cwnd[0]["ca_state"], cwnd[0]["id"]), (1, 4, cookie(conn)), "window after the timeout")
        peer.send("PA", b"x", ack=peer.rcv + 5000, advance=False)
        drop = [e for e in nl.events(enough=lambda found: any(e["kind"] == "drop" for e in found)) if e["kind"] == "drop"]
        equal((told(drop), drop[0]["id"], drop[0]["len"]), (["drop ack_unsent"], cookie(conn), 1), "an impossible ACK")
        family = genl.Family()
        shown = family.do("socket-get", {"id": cookie(conn)})["socket"]["drop"]
        equal([(d["name"], d["value"]) for d in shown], [("ack_unsent", 1)], "drops of the connection")
        equal(family.do("tables-get")["tables"]["subscribers"], 1, "subscribers")
        peer.send("R")
        ended = nl.events(enough=lambda found: any(e["kind"] == "closed" for e in found))
        ended = [e for e in ended if e["kind"] not in ("retransmit", "cwnd")]  # twelve bytes still wait
        equal(told(ended, cookie(conn)), ["reset_received reset_by_peer", "closed reset_by_peer", "established>closed"], "a reset")
        record = dict(watch.attributes(next(e for e in ended if e["kind"] == "closed")["record"]))
        equal(record[C["ATCP_RECORD_A_ENDED_BY"]], u(1, C["ATCP_ENDED_BY_PEER_RST"]), "who ended it, in its record")

        # A request that nobody completes, and one that the peer resets.
        net.set_param("synack_retries", 1)
        half = Peer(tun, port=20003)
        half.send("S", options=packet.mss(packet.MSS))
        ack = half.expect("SA")
        half.send("R", seq=ack.ack, advance=False)
        told_of(nl, ["request_made", "reset_received request_rst", "request_expired request_rst", "drop request_rst"], "a request")
        Peer(tun, port=20004).send("S", options=packet.mss(packet.MSS))
        net.until(lambda: not [c for c in net.connections() if c["state"] == "SYN_RECV"], 10, "the end of a request")
        told_of(nl, ["request_made", "retransmit synack", "request_expired request_timeout"], "a request nobody completes")

        # Cookies for everybody.
        net.set_param("syncookies", 2)
        guess = Peer(tun, port=20005)
        guess.send("S", options=packet.mss(packet.MSS))
        told_of(nl, ["cookie_sent"], "a SYN")
        syn_ack = guess.expect("SA")
        guess.send("A", ack=syn_ack.seq + 2)
        told_of(nl, ["cookie_refused cookie_bad", "reset_sent cookie_bad", "drop cookie_bad"], "a wrong cookie")
        guess.send("A", ack=syn_ack.seq + 1)
        last = net.accept(lst)
        told_of(nl, ["closed>syn_received", "cookie_accepted", "syn_received>established"], "a cookie", cookie(last))
        last.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        ident = cookie(last)
        last.close()
        told_of(nl, ["reset_sent abort_on_linger", "closed abort_on_linger", "established>closed"], "a reset of ours", ident)


def filters():
    readers = {name: watch.Family() for name in ("port", "id", "kind", "reason", "address", "state", "listener")}
    lst, other = net.listener("127.0.0.1", 8080), net.listener("127.0.0.1", 8081)
    readers["port"].subscribe(attribute(C["ATCP_FILTER_A_LPORT_MIN"], u(2, 8081)), attribute(C["ATCP_FILTER_A_LPORT_MAX"], u(2, 8081)))
    readers["id"].subscribe(attribute(C["ATCP_FILTER_A_ID"], u(8, cookie(lst))))
    readers["kind"].subscribe(kinds("request_promoted"))
    readers["reason"].subscribe(kinds("reset_sent", "reset_received"), watch.reasons("reset_by_peer"))
    readers["address"].subscribe(attribute(C["ATCP_FILTER_A_RADDR"], packet.addr_bytes("10.0.0.0")), attribute(C["ATCP_FILTER_A_RADDR_PREFIX"], u(1, 104 if packet.V6 else 8)))
    readers["state"].subscribe(kinds("state"), attribute(C["ATCP_FILTER_A_STATES"], 1 << C["ATCP_STATE_FIN_WAIT1"]))
    readers["listener"].subscribe(attribute(C["ATCP_FILTER_A_LISTENER"], u(8, cookie(other))), kinds("state"))
    one, two = pair(lst)
    three, four = pair(other, 8081)
    ids = [cookie(s) for s in (one, two, three, four)]
    one.close()
    two.close()
    four.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    four.close()
    count = {"port": 1, "id": 1, "kind": 2, "reason": 1, "address": 0, "state": 2, "listener": 1}
    got = {name: reader.at_least(count[name]) for name, reader in readers.items()}
    check(got["port"] and all(e["lport"] == 8081 for e in got["port"]), f"by port: {told(got['port'])}")
    equal(told(got["id"]), ["request_made"], "by id")
    equal((told(got["kind"]), {e["id"] for e in got["kind"]}), (["request_promoted"] * 2, {ids[1], ids[3]}), "by kind")
    equal((told(got["reason"]), got["reason"][0]["id"]), (["reset_received reset_by_peer"], ids[2]), "by reason")
    equal(got["address"], [], "by an address that nobody has")
    equal(told(got["state"]), ["established>fin_wait1", "fin_wait1>fin_wait2"], "by state")
    equal({e["id"] for e in got["listener"]}, {ids[3]}, "by listener")

    # Asked again, the new filter takes the old one's place.
    readers["address"].subscribe(attribute(C["ATCP_FILTER_A_RADDR"], packet.addr_bytes("127.0.0.1")), kinds("request_made"))
    pair(lst)
    told_of(readers["address"], ["request_made"], "another address")
    readers["address"].subscribe(kinds("request_promoted"))
    pair(lst)
    told_of(readers["address"], ["request_promoted"], "another kind")
    for conditions, text in (((kinds(),), "filter events"), ((attribute(C["ATCP_FILTER_A_EVENTS"], 1 << 30),), "filter events"),
                             ((attribute(C["ATCP_FILTER_A_LADDR"], b"abc"),), "laddr")):
        try:
            readers["address"].subscribe(*conditions)
            raise net.Failed(f"accepted: {text}")
        except watch.Refused as e:
            check(e.errno == 22 and text in e.message, f"refused with {e}")


def all_of(events):
    """How many there were, with those that were told to be lost."""
    return sum(e["count"] if e["kind"] == "lost" else 1 for e in events)


def slow_reader():
    """What it got and what it was told to have lost is what another one got."""
    with watch.Family() as slow, watch.Family() as fast:
        fast.sock.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)  # SO_RCVBUFFORCE
        slow.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        fast.subscribe(kinds("state", "reset_received"))
        slow.subscribe(kinds("state", "reset_received"))
        refused_connects(300)
        all_events = fast.at_least(900)
        equal(len(all_events), 900, "events for who has room")
        check(all(e["kind"] != "lost" for e in all_events), "who has room lost something")
        some = slow.events(enough=lambda found: all_of(found) >= 900)  # the last loss is told within a second
        refused_connects(1)
        some += slow.at_least(3)
        lost = [e["count"] for e in some if e["kind"] == "lost"]
        got = [e for e in some if e["kind"] != "lost"]
        check(lost and slow.overruns, "nothing was lost")
        equal(len(got) + sum(lost), 903, f"{len(got)} received + {sum(lost)} lost")
        print(f"    {len(got)} received + {sum(lost)} lost in {len(lost)} reports = 903")
        # What comes first after a gap is its report.
        known = {e["seq"]: n for n, e in enumerate(all_events)}
        before, gap = -1, 0
        for e in some:
            if e["kind"] == "lost":
                gap += e["count"]
            elif e["seq"] in known:
                equal(known[e["seq"]] - before - 1, gap, "events between two that came")
                before, gap = known[e["seq"]], 0


def multicast_group():
    with watch.Family() as nl:
        nl.sock.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)
        nl.join()
        # Before 6.9 nobody tells the module that it has a member: it looks once a second.
        net.until(lambda: (refused_connects(1), nl.events(0.05))[1], 5, "the first event of the group")
        # To a port of their own: something of that first connection may still come.
        refused_connects(20, 10)
        events = [e for e in nl.events(enough=lambda found: sum(e.get("rport") != 9 for e in found) >= 80) if e.get("rport") != 9]
        equal(told(events), ["closed>syn_sent", "reset_received refused_by_peer", "closed refused_by_peer", "syn_sent>closed"] * 20,
              "events of the group")
        numbers = [e["seq"] for e in events]
        equal(numbers, list(range(numbers[0], numbers[0] + len(numbers))), "numbers without a gap")
        nl.join(False)
        refused_connects(1)
        equal(nl.events(), [], "events after leaving")


def sixty_four_and_no_more():
    many = [watch.Family() for _ in range(65)]
    for nl in many[:64]:
        nl.subscribe(kinds("closed"))
    try:
        many[64].subscribe()
        raise net.Failed("a 65th subscriber")
    except watch.Refused as e:
        check("64" in e.message, f"refused with {e}")
    many[0].subscribe(kinds("lost"))  # again is not one more
    many[1].close()
    many[64].subscribe(kinds("state"))
    refused_connects(1)
    told_of(many[64], ["closed>syn_sent", "syn_sent>closed"], "events of the one who came later")
    # Another namespace has its own.
    done = subprocess.run(["unshare", "-n", "python3", "-c", "import sys; sys.path.insert(0, sys.argv[1])\n"
                           "from lib import events\nevents.Family().subscribe()", os.path.dirname(os.path.abspath(__file__))], check=False)
    equal(done.returncode, 0, "a subscription in another namespace")


def unprivileged():
    """Who may not change the namespace gets a few subscriptions, no group, and no sequence numbers of others."""
    net.new_socket().close()
    refused = ("import sys, socket; sys.path.insert(0, sys.argv[1])\nfrom lib import events\n"
               "try:\n    events.Family().join()\n    sys.exit('joined')\nexcept PermissionError:\n    pass\n"
               "many = [events.Family() for _ in range(9)]\nfor nl in many[:8]: nl.subscribe()\n"
               "try:\n    many[8].subscribe()\n    sys.exit('a ninth')\nexcept events.Refused as e:\n    assert 'CAP_NET_ADMIN' in e.message, e")
    spy = ("import sys; sys.path.insert(0, sys.argv[1])\nfrom lib import events\nnl = events.Family()\n"
           "nl.subscribe(events.kinds('drop'))\nprint('here', flush=True)\nsys.stdin.readline()\n"
           "found = nl.at_least(2)\nassert [e['kind'] for e in found] == ['drop'] * 2, found\n"
           "assert not any('tcp_seq' in e for e in found), found")
    as_nobody = ["setpriv", "--reuid", "65534", "--clear-groups", "--bounding-set", "-all", "--inh-caps", "-all", "python3", "-c"]
    here = os.path.dirname(os.path.abspath(__file__))
    equal(subprocess.run(as_nobody + [refused, here], check=False).returncode, 0, "a group and a ninth subscription")
    tun = Tun()
    lst = net.listener(port=80)
    peer = Peer(tun, port=20009)
    peer.connect()
    conn = net.accept(lst)
    with watch.Family() as nl, subprocess.Popen(as_nobody + [spy, here], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        nl.subscribe(kinds("drop"))
        equal(child.stdout.readline(), "here\n", "the spy")
        for _ in range(2):
            peer.send("PA", b"x", ack=peer.rcv + 5000, advance=False)
        mine = nl.at_least(2)
        equal([e.get("tcp_seq") for e in mine], [peer.snd] * 2, "sequence numbers, for root")
        child.stdin.write("go on\n")
        child.stdin.close()
        equal(child.wait(), 0, "what a stranger sees")
    # Its end is a reset: a FIN that nobody acknowledges would go on making events beside those that are counted below.
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    conn.close()
    program = ("import sys, socket; sys.path.insert(0, sys.argv[1])\nfrom lib import events, net\nnl = events.Family()\nnl.subscribe()\n"
               "s = net.new_socket(); s.connect_ex(('127.0.0.1', 9)); s.close()\nfound = nl.at_least(4)\nassert len(found) == 4, found")
    done = subprocess.run(["setpriv", "--reuid", "65534", "--clear-groups", "--bounding-set", "-all", "--inh-caps", "-all", "python3",
                           "-c", program, os.path.dirname(os.path.abspath(__file__))], check=False)
    equal(done.returncode, 0, "events for a user without capabilities")


# ---------------------------------------------------------------- tracefs


def tracefs():
    if not (TRACEFS / "trace").exists():
        net.sh(f"mount -t tracefs tracefs {TRACEFS}")
    if not (TRACEFS / "events").exists():
        raise net.Skipped("this kernel has no trace events")


def traced(events, work):
    """The lines of the trace while work() was done."""
    # With it the kernel would patch its scheduler's hot paths, too, while they run: emulated processors have been seen to take the
    # breakpoint that is in them for a moment after it is gone, and the kernel panics.
    (TRACEFS / "options/record-cmd").write_text("0", encoding="ascii")
    for event in events:
        (TRACEFS / "events" / event / "enable").write_text("1", encoding="ascii")
    (TRACEFS / "trace").write_text("", encoding="ascii")
    try:
        work()
        return [line for line in (TRACEFS / "trace").read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    finally:
        for event in events:
            (TRACEFS / "events" / event / "enable").write_text("0", encoding="ascii")


def wait_for_lines(*words):
    """Until the trace has a line with each."""
    def missing():
        text = (TRACEFS / "trace").read_text(encoding="utf-8")
        return [w for w in words if w not in text]
    net.until(lambda: not missing(), 5, lambda: f"no {missing()} in the trace")


def tracepoints_fire():
    tracefs()
    names = ["state", "drop", "reset", "retransmit", "cwnd", "request"]
    present = sorted(p.name for p in (TRACEFS / "events/atcp").iterdir() if p.is_dir())
    equal(present, sorted(names), "tracepoints of atcp")
    for name in names:
        text = (TRACEFS / "events/atcp" / name / "format").read_text(encoding="utf-8")
        check("ATCP_" not in text, f"{name}: a name without number in its format, which no tool can read: {text}")
    tun = Tun()
    lst = net.listener(port=80)

    def work():
        peer = Peer(tun, port=20001)
        peer.connect()
        conn = net.accept(lst)
        conn.send(b"lost")
        wait_for_lines(" timeout seq=", " loss srtt=")
        peer.send("PA", b"x", ack=peer.rcv + 5000, advance=False)
        peer.send("R")
        wait_for_lines(" reason=ack_unsent ", " received reason=reset_by_peer")

    lines = traced([f"atcp/{n}" for n in names], work)
    for what in (f": state: {packet.in_url(tun.local)}:80 > {packet.in_url(tun.peer)}:20001 id=", " syn-received > established", ": request:", " made reason=none",
                 ": retransmit:", " timeout seq=", ": cwnd:", " loss srtt=", ": drop:", " reason=ack_unsent ", ": reset:",
                 " received reason=reset_by_peer"):
        check(any(what in line for line in lines), f"no `{what}` among:\n" + "\n".join(lines))
    equal(traced([], lambda: refused_connects(1)), [], "lines with no tracepoint on")


def kernels_drop_trace_knows_why():
    tracefs()
    tun = Tun()
    lst = net.listener(port=80)
    peer = Peer(tun, port=20001)
    peer.connect()
    net.accept(lst)

    def work():
        segment = bytearray(packet.ipv4(tun.peer, tun.local, peer.build("PA", b"bad checksum")))
        segment[-1] ^= 0xFF
        tun.send_raw(bytes(segment))
        peer.send("PA", b"x", ack=peer.rcv + 5000, advance=False)
        peer.send("PA", b"old", seq=peer.snd - 3)
        wait_for_lines(*reasons)

    reasons = ("TCP_CSUM", "TCP_ACK_UNSENT_DATA", "TCP_OLD_DATA")
    lines = traced(["skb/kfree_skb"], work)
    for reason in reasons:
        check(any(f"reason: {reason}" in line for line in lines), f"no {reason} among:\n" + "\n".join(lines))


if __name__ == "__main__":
    net.main(whole_life_in_order, each_kind_where_it_arises, filters, slow_reader, multicast_group, sixty_four_and_no_more,
             unprivileged, tracepoints_fire, kernels_drop_trace_knows_why)
