#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# what: every operation of the netlink family: filters, one socket in full, kill, wrong input, who may do what, dumps while sockets come and go, the kernel's ynl
# mode: smp
# families: 4, what is asked of the family has none, but for addresses in filters, which are unit tests of the core
# seconds: 240
# kernels: 6.1 6.12
# needs: atcp
"""The family as any program could use it, by raw messages (lib/genl.py). What the
tool makes of it is shown in control.py."""

import errno
import os
import socket
import struct
import subprocess
import sys
import time

from lib import genl, net, packet
from lib.genl import Family, Refused, states, tlv
from lib.net import check, equal

SO_COOKIE = 57
NO_SUCH_MODE = errno.errorcode[errno.EOPNOTSUPP]
CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
LOCALHOST = socket.inet_aton("127.0.0.1")


def cookie(sock):
    return struct.unpack("=Q", sock.getsockopt(socket.SOL_SOCKET, SO_COOKIE, 8))[0]


def refusal(call, *arguments, **more):
    """The refusal of a call that must be refused."""
    try:
        answer = call(*arguments, **more)
    except Refused as e:
        return e
    raise net.Failed(f"{arguments} {more} was accepted: {answer}")


def pair(lst, client=None):
    """A client, connected, and its other end."""
    one = client or net.new_socket()
    one.connect(("127.0.0.1", lst.getsockname()[1]))
    return one, net.accept(lst)


def half_open(tun, port):
    """A request: the peer's SYN is answered, nothing follows."""
    from lib.tun import Peer
    peer = Peer(tun, port=port)
    peer.send("S", options=packet.mss(1460))
    peer.expect("SA")
    return peer


def ports(rows):
    return sorted((r["lport"], r["rport"]) for r in rows)


# ------------------------------------------------------------------- filters


def filters_hit_and_miss():
    """Each condition lets through what it describes and nothing else, and two of them what fulfils both."""
    fam = Family()
    lst, other = net.listener("127.0.0.1", 8080), net.listener("127.0.0.2", 8081)
    mine = net.new_socket()
    mine.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"cubic")
    a, b = pair(lst, mine)
    far = net.new_socket()
    far.connect(("127.0.0.2", 8081))
    close_wait, end = pair(lst)
    end.close()
    net.until(lambda: net.state(close_wait) == "CLOSE_WAIT", 2, "CLOSE_WAIT")
    net.until(lambda: fam.sockets(states=states("fin-wait2")), 2, "FIN_WAIT2: the ACK of the FIN is on its way")
    net.until(lambda: len(fam.sockets(states=states("established"))) == 4, 2, "the third ACK of the connection that nobody accepts")
    everything = fam.sockets()
    equal(len(everything), 6, "entries without a filter")
    a_port = a.getsockname()[1]

    def count(want, **conditions):
        found = fam.sockets(**conditions)
        equal(len(found), want, f"{conditions}: {ports(found)}")
        return found

    equal(ports(count(1, states=states("close-wait"))), [(close_wait.getsockname()[1], 8080)], "CLOSE_WAIT")
    count(1, states=states("fin-wait2"))
    count(4, states=states("established"))
    count(5, states=states("established", "close-wait"))
    count(0, states=states("syn-sent", "closing", "last-ack"))
    count(6, family=socket.AF_INET)
    count(0, family=socket.AF_INET6)
    count(5, laddr=LOCALHOST)
    count(1, laddr=socket.inet_aton("127.0.0.2"))
    count(0, laddr=socket.inet_aton("127.0.0.3"))
    count(6, laddr=LOCALHOST, laddr_prefix=8)
    count(5, laddr=LOCALHOST, laddr_prefix=31)
    count(6, laddr=LOCALHOST, laddr_prefix=30)
    count(6, laddr=socket.inet_aton("8.8.8.8"), laddr_prefix=0)
    count(0, laddr=socket.inet_aton("128.0.0.1"), laddr_prefix=1)
    count(1, raddr=socket.inet_aton("127.0.0.2"))
    count(0, raddr=b"\0" * 10 + b"\xff\xff" + LOCALHOST)
    count(2, lport_min=8080, lport_max=8080)
    count(3, lport_min=8080, lport_max=8081)
    count(3, lport_min=8082)
    count(3, lport_max=8081)
    count(2, rport_min=8080, rport_max=8080)
    count(1, rport_min=8081, rport_max=8081)
    count(0, rport_max=8079, rport_min=1)
    count(6, uid=0)
    count(0, uid=4242)
    equal(ports(count(1, cc="cubic")), [(a_port, 8080)], "cubic")
    count(5, cc="reno")
    count(0, cc="nosuch")
    equal(ports(count(1, id=cookie(b))), [(8080, a_port)], "by its cookie")
    count(0, id=1 << 63)
    count(2, listener=cookie(lst))
    count(1, listener=cookie(other))
    count(1, listener=cookie(lst), states=states("established"))
    count(0, listener=cookie(lst), rport_min=1, rport_max=2)
    far.close()


def filters_of_other_owners():
    """A socket belongs to who made it; a request to its listener's owner."""
    from lib.tun import Tun
    fam, tun = Family(), Tun()
    os.seteuid(1234)
    lst = net.new_socket()
    os.seteuid(0)
    lst.bind(("0.0.0.0", 80))
    lst.listen(9)
    half_open(tun, 5001)
    equal([(r["kind"], r["uid"]) for r in fam.sockets(uid=1234)], [(genl.enum("kind")["request"], 1234)], "entries of 1234")
    equal(len(fam.sockets(uid=0)), 0, "entries of root")
    equal([r["uid"] for r in fam.dump("listener-get", {"filter": {"uid": 1234}})], [1234], "listeners of 1234")
    equal(fam.dump("listener-get", {"filter": {"uid": 0}}), [], "listeners of root")
    equal(len(fam.sockets(listener=cookie(lst))), 1, "the listener's requests")
    equal(fam.sockets(cc="reno"), [], "a request has no congestion control")


def listeners_are_filtered():
    fam = Family()
    one, two = net.listener("127.0.0.1", 8080, backlog=7), net.listener("0.0.0.0", 8081)
    held = [net.new_socket() for _ in range(3)]
    for s in held:
        s.connect(("127.0.0.1", 8080))
    net.until(lambda: sum(r["accept-queue"] for r in fam.dump("listener-get")) == 3, 2, "three that wait")

    def found(**conditions):
        return sorted(r["lport"] for r in fam.dump("listener-get", {"filter": conditions}))

    equal(found(**{"lport-min": 8081}), [8081], "by port")
    equal(found(laddr=LOCALHOST), [8080], "by address")
    equal(found(id=cookie(two)), [8081], "by id")
    equal(found(listener=cookie(one)), [8080], "by listener")
    equal(found(states=states("listen")), [8080, 8081], "by state")
    equal(found(states=states("established")), [], "by another state")
    equal(found(raddr=LOCALHOST), [], "a listener has no peer")
    equal(found(**{"rport-max": 65535}), [], "nor a port of the peer")
    [row] = fam.dump("listener-get", {"filter": {"id": cookie(one)}})
    equal((row["id"], row["accept-queue"], row["backlog"], row["young"]), (cookie(one), 3, 7, 0), "listener")


def young_requests_are_told():
    from lib.tun import Tun
    fam, tun = Family(), Tun()
    net.listener()
    # After a second the SYN-ACK is sent again; if this machine paused for so long, there is nothing to be seen.
    for count in range(1, 10):
        begin = time.monotonic()
        half_open(tun, 5000 + count)
        row = fam.dump("listener-get")[0]
        if time.monotonic() - begin < 0.9:
            break
    equal(row["requests"], count, "requests")
    check(1 <= row["young"] <= count, f"{row['young']} young requests of {count}")
    net.until(lambda: fam.dump("listener-get")[0]["young"] == 0, 3, "a request that is young no longer")
    equal(fam.dump("listener-get")[0]["requests"], count, "requests")


# --------------------------------------------------------------- one in full


def one_socket_in_full():
    """Everything that TCP_INFO says of a socket is there by its cookie, with the same numbers, and the sequence numbers."""
    fam = Family()
    lst = net.listener("127.0.0.1", 8080)
    one, conn = pair(lst)
    for _ in range(20):
        conn.sendall(b"x" * 5000)
        equal(len(one.recv(5000, socket.MSG_WAITALL)), 5000, "bytes")
    conn.send(b"y" * 777)
    net.until(lambda: len(one.recv(1000, socket.MSG_PEEK)) == 777, 2, "777 bytes")
    # Until everything is acknowledged, and nothing changes any more.
    net.until(lambda: fam.do("socket-get", {"id": cookie(conn)})["socket"]["bytes-acked"] == 20 * 5000 + 777, 2, "the ACK of all bytes")
    got = fam.do("socket-get", {"id": cookie(conn)})["socket"]
    info = conn.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 512)
    words = struct.unpack_from("=24I", info, 8)
    for name, value in (("rto-us", words[0]), ("mss", words[2]), ("packets-out", words[4]), ("pmtu", words[13]), ("srtt-us", words[15]),
                        ("rttvar-us", words[16]), ("ssthresh", words[17]), ("cwnd", words[18]), ("advmss", words[19]),
                        ("retrans", words[23])):
        equal(got[name], value, name)
    equal(got["options"], info[5], "options")
    equal((got["snd-wscale"], got["rcv-wscale"]), (info[6] & 15, info[6] >> 4), "scales")
    equal(got["state"], genl.enum("state")["established"], "state")
    equal(got["bytes-acked"], 20 * 5000 + 777, "bytes acknowledged")
    equal((got["sendq"], got["notsent"], got["snd-nxt"] - got["snd-una"]), (0, 0, 0), "nothing is left to send")
    equal(got["write-seq"], got["snd-nxt"], "end of what was written")
    check(got.get("passive") and "orphaned" not in got, "opened by a listener, and open")
    check(got["inode"] == os.fstat(conn.fileno()).st_ino, "inode")
    other = fam.do("socket-get", {"id": cookie(one)})["socket"]
    equal((other["recvq"], "passive" in other), (777, False), "the other end")
    equal((other["snd-una"], other["rcv-nxt"]), (got["rcv-nxt"], got["snd-nxt"]), "the two agree")
    check(set(fam.sockets(id=cookie(conn))[0]) < set(got), "a dump has less")
    conn.close()
    net.until(lambda: [r.get("orphaned") for r in fam.sockets(states=states("fin-wait2"))] == [True], 2, "an orphan")
    equal(refusal(fam.do, "socket-get", {"id": 1 << 62}).code, "ENOENT", "no such socket")
    equal(refusal(fam.do, "socket-get", {"id": 0}).code, "ENOENT", "no such socket")


def dropped_segments_of_one_socket():
    """Each connection tells what of its own was dropped, and why; what has no place of its own is "other"."""
    from lib.tun import Peer, Tun
    fam, tun = Family(), Tun()
    lst = net.listener()
    peers = [Peer(tun, port=5001), Peer(tun, port=5002)]
    conns = []
    for peer in peers:
        peer.connect()
        conns.append(net.accept(lst))

    def drops(conn):
        return {d["name"]: d["value"] for d in fam.do("socket-get", {"id": cookie(conn)})["socket"].get("drop", [])}

    equal((drops(conns[0]), drops(conns[1])), ({}, {}), "at first")
    peer = peers[0]
    for _ in range(3):
        peer.send("A", b"old", seq=(peer.snd - 100) & 0xFFFFFFFF)
    peer.send("A", b"far", seq=(peer.snd + (1 << 24)) & 0xFFFFFFFF)
    peer.send("R", seq=(peer.snd - 1000) & 0xFFFFFFFF)
    net.until(lambda: sum(drops(conns[0]).values()) == 5, 2, lambda: f"drops: {drops(conns[0])}")
    equal(drops(conns[0]), {"seq_old": 3, "seq_beyond_window": 1, "rst_out_of_window": 1}, "drops")
    equal(drops(conns[1]), {}, "drops of another connection")


def tables_and_congestion_controls():
    fam = Family()
    before = fam.do("tables-get")["tables"]
    equal((before["listeners"], before["ports"], before["ehash-entries"]), (0, 0, 0), "an empty namespace")
    equal((before["subscribers"], before["events-lost"]), (0, 0), "nobody reads events")
    reader = Family()
    reader.do("event-subscribe")
    equal(fam.do("tables-get")["tables"]["subscribers"], 1, "subscribers")
    reader.close()
    net.until(lambda: fam.do("tables-get")["tables"]["subscribers"] == 0, 2, "a subscriber that is gone")
    lst = net.listener("127.0.0.1", 8080)
    one, conn = pair(lst)
    now = fam.do("tables-get")["tables"]
    equal((now["listeners"], now["ports"], now["ehash-entries"], now["sockets"], now["orphans"]), (1, 2, 2, 3, 0), "tables")
    conn.close()
    equal(fam.do("tables-get")["tables"]["orphans"], 1, "orphans")
    one.close()
    net.until(lambda: fam.do("tables-get")["tables"]["timewaits"] == 1, 2, "a TIME_WAIT entry")
    lst.close()

    def tables():
        now = fam.do("tables-get")["tables"]
        return now["listeners"], now["ports"], now["ehash-entries"], now["orphans"]

    # The ACK of the last FIN is on its way.
    net.until(lambda: tables() == (0, 0, 1, 0), 2, lambda: f"tables afterwards: {tables()}")
    net.until(lambda: fam.do("tables-get")["tables"]["sockets"] == 0, 5, "sockets that are freed")
    found = {r["name"]: r for r in fam.dump("cc-get")}
    check({"reno", "cubic", "bbr", "dctcp"} <= set(found), f"congestion controls: {sorted(found)}")
    equal([n for n, r in found.items() if "is-default" in r], ["reno"], "default")
    fam.do("param-set", {"param": {"name": "congestion_control", "value": "bbr"}})
    equal([r["name"] for r in fam.dump("cc-get") if "is-default" in r], ["bbr"], "default")


# ---------------------------------------------------------------------- kill


def killed_connections_are_reset():
    """Both ends learn of it: the program here by ECONNABORTED, the peer by a reset."""
    fam = Family()
    lst = net.listener("127.0.0.1", 8080)
    one, conn = pair(lst)
    stays, its = pair(lst)
    equal(fam.kill(id=cookie(conn)), 1, "killed")
    equal(net.error_of(conn.recv, 10), "ECONNABORTED", "the program's")
    equal(net.error_of(one.recv, 10), "ECONNRESET", "the peer's")
    equal(net.counts("reasons")["abort_by_user"], 1, "reason")
    its.send(b"still here")
    equal(stays.recv(100), b"still here", "the other connection")
    equal(fam.kill(id=cookie(conn)), 0, "killed once more")


def killed_while_its_program_sleeps_in_it():
    """connect(), recv() and send() wake up; what waits in the accept queue goes as well; the listener stays."""
    import threading
    from lib.tun import Tun
    fam = Family()
    Tun()
    lst = net.listener("127.0.0.1", 8080)
    (quiet, reads), (deaf, writes) = pair(lst), pair(lst)
    syn, waiting = net.new_socket(), net.new_socket()
    results = {}

    def sleeps(name, call, *arguments):
        thread = threading.Thread(target=lambda: results.update({name: net.error_of(call, *arguments)}))
        thread.start()
        return thread

    def send_on(sock):
        while True:
            sock.send(b"z" * 65536)

    threads = [sleeps("recv", reads.recv, 10), sleeps("send", send_on, writes), sleeps("connect", syn.connect, ("10.9.0.2", 99))]
    waiting.connect(("127.0.0.1", 8080))
    net.until(lambda: len(fam.sockets()) == 7 and fam.dump("listener-get")[0]["accept-queue"] == 1, 5, "seven entries, one in the queue")
    for thread, sock in zip(threads, (reads, writes, syn)):
        net.sleeps_in(thread, sock)
    equal(fam.kill(lport_min=8080, lport_max=8080), 3, "killed")
    equal(fam.kill(states=states("syn-sent")), 1, "killed")
    for t in threads:
        t.join(net.patience(10))
        check(not t.is_alive(), f"a call still sleeps: {results}")
    for s in (quiet, deaf):
        net.wait_state(s, "CLOSE")
    equal([s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) for s in (quiet, deaf)], [errno.ECONNRESET] * 2, "the peers' errors")
    equal(results, {"recv": "ECONNABORTED", "send": "ECONNABORTED", "connect": "ECONNABORTED"}, "errors")
    equal(len(fam.dump("listener-get")), 1, "listeners")
    dead = net.accept(lst)
    equal(net.error_of(dead.recv, 10), "ECONNABORTED", "one that waited to be accepted")


def parameters_of_one_that_waits_to_be_accepted():
    """Nobody becomes the owner of a connection in an accept queue: its listener may close at any time."""
    import threading
    fam = Family()
    for _ in range(100):
        lst = net.listener("127.0.0.1", 8080)
        clients = [net.new_socket() for _ in range(4)]
        for c in clients:
            c.connect(("127.0.0.1", 8080))
        net.until(lambda: fam.dump("listener-get")[0]["accept-queue"] == 4, 5, "four that wait")
        ids = [s["id"] for s in fam.sockets(lport_min=8080, lport_max=8080)]
        stop = threading.Event()

        def change():
            mine = Family()
            while not stop.is_set():
                for number in ids:
                    try:
                        mine.do("param-set", {"id": number, "param": [{"name": "keepalive_time", "value": "77"},
                                                                      {"name": "congestion_control", "value": "reno"}]})
                        mine.do("param-reset", {"id": number})
                    except Refused as e:
                        check(e.code in ("ENOENT", "EBUSY"), f"a change was refused: {e}")

        thread = threading.Thread(target=change)
        thread.start()
        try:
            lst.close()
        finally:
            stop.set()
            thread.join()
        for c in clients:
            equal(net.error_of(c.recv, 1), "ECONNRESET", "a client")
            c.close()


def killed_requests_and_timewaits():
    from lib.tun import Tun
    fam, tun = Family(), Tun()
    lst = net.listener()
    half_open(tun, 5001)
    half_open(tun, 5002)
    one = net.new_socket()
    one.connect(("127.0.0.1", 80))
    conn = net.accept(lst)
    conn.close()
    one.close()
    net.until(lambda: len(fam.sockets(states=states("time-wait"))) == 1, 2, "a TIME_WAIT entry")
    equal(fam.kill(rport_min=5001, rport_max=5001), 1, "one request")
    equal(fam.dump("listener-get")[0]["requests"], 1, "requests left")
    equal(fam.kill(states=states("time-wait")), 1, "the TIME_WAIT entry")
    net.until(lambda: ports(fam.sockets()) == [(80, 5002)], 2, lambda: f"what is left: {ports(fam.sockets())}")  # LAST_ACK ends soon
    equal(fam.kill(listener=cookie(lst)), 1, "the listener's requests")
    equal((fam.sockets(), fam.do("tables-get")["tables"]["requests"]), ([], 0), "what is left")


def killed_listeners():
    """Only if they are named; their waiting connections go with them."""
    fam = Family()
    lists = [net.listener("127.0.0.1", port) for port in range(8080, 8120)]
    one = net.new_socket()
    one.connect(("127.0.0.1", 8080))
    equal(fam.kill(lport_min=8080, lport_max=8119), 1, "without their name: the one connection")
    one = net.new_socket()
    one.connect(("127.0.0.1", 8080))
    equal(fam.kill(id=cookie(lists[0])), 1, "by id")
    net.until(lambda: net.state(one) == "CLOSE", 2, "its waiting connection is reset")
    equal(net.error_of(lists[0].accept), "EINVAL", "accept")
    equal(lists[0].getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), errno.ECONNABORTED, "the listener's error")
    equal(fam.kill(states=states("listen"), lport_min=8081), 39, "by state")
    equal(fam.dump("listener-get"), [], "listeners left")
    lists[0].listen(5)  # the socket can listen anew
    equal(len(fam.dump("listener-get")), 1, "listeners")


# ---------------------------------------------------------------- wrong input


def wrong_attributes_are_refused():
    """errno and text for each attribute of a filter, and that the offset leads to it."""
    fam = Family()
    lst = net.listener("127.0.0.1", 8080)
    high = os.uname().release.startswith("6.12")  # messages with the given value in them

    def wrong(conditions, code, *words, op="socket-get"):
        call = fam.do if op in ("socket-kill", "param-set") else fam.dump
        e = refusal(call, op, {"filter": conditions})
        equal(e.code, code, f"{conditions}: {e}")
        for word in words:
            check(word in e.text, f"`{word}` is not in the message for {conditions}: {e}")
        return e

    for name in ("states", "family", "lport-min", "lport-max", "rport-min", "rport-max", "uid", "listener", "id", "laddr-prefix", "raddr-prefix"):
        for size in (0, 3, 9):
            e = refusal(fam.sockets, **{name: b"\0" * size})
            check(e.code in ("EINVAL", "ERANGE") and name in e.text, f"{name} of {size} bytes: {e}")
    for op in ("socket-get", "socket-kill", "listener-get"):
        wrong({"states": 0}, "EINVAL", "states", "1..11", op=op)
        wrong({"states": 1 << 12}, "EINVAL", "states", "1..11", op=op)
        wrong({"family": 99}, "EAFNOSUPPORT", "family", "2", "10", op=op)
        wrong({"laddr": b"12345"}, "EINVAL", "laddr", "4 or 16", op=op)
        wrong({"raddr": b""}, "EINVAL", "raddr", "4 or 16", op=op)
        wrong({"laddr": b"x" * 17}, "ERANGE", "laddr", "16", op=op)
        wrong({"laddr": b"1234", "laddr-prefix": 33}, "ERANGE", "laddr-prefix", "0..32", op=op)
        wrong({"raddr": b"x" * 16, "raddr-prefix": 129}, "ERANGE", "raddr-prefix", "0..128", op=op)
        wrong({"laddr-prefix": 8}, "EINVAL", "prefix", op=op)
        wrong({"lport-min": 80, "lport-max": 79}, "EINVAL", "port", op=op)
        wrong({"rport-min": 2, "rport-max": 1}, "EINVAL", "port", op=op)
        wrong({"uid": 0xFFFFFFFF}, "EINVAL", "uid", op=op)
        wrong({"cc": "x" * 16}, "EINVAL", "cc", "15", op=op)
        wrong({"cc": b"reno"}, "EINVAL", "cc", op=op)  # no NUL
        wrong({"listener": 77}, "ENOENT", "listener", op=op)
        wrong({"id": 0}, "EINVAL", "id", op=op)
        wrong({"events": 2}, "EINVAL", "events", op=op)
        wrong({"reasons": b"\1"}, "EINVAL", "events", op=op)
        wrong(tlv(40, b"1234"), "EINVAL", op=op)
    e = wrong({"states": 0xF000, "family": 2}, "EINVAL", "states", *(["61440"] if high else []), op="socket-kill")
    equal(e.offset, 16 + 4 + 4, "where the attribute is: behind both headers and the nest's own")
    equal(len(fam.dump("listener-get", {"filter": {"listener": cookie(lst)}})), 1, "and a good one is taken")


def wrong_requests_are_refused():
    fam = Family()
    equal(refusal(fam.do, "socket-kill").code, "EINVAL", "kill without a filter")
    equal(refusal(fam.do, "socket-kill", {"filter": {}}).code, "EINVAL", "kill with an empty one")
    check("condition" in refusal(fam.do, "socket-kill", {"filter": {}}).text, "text")
    equal(refusal(fam.do, "socket-get").code, "EINVAL", "which socket?")
    equal(refusal(fam.do, "socket-get", {"filter": {"uid": 0}}).code, "EINVAL", "a filter of one")
    equal(refusal(fam.dump, "socket-get", {"id": 1}).code, "EINVAL", "an id of all")
    equal(refusal(fam.dump, "cc-get", {"id": 1}).code, "EINVAL", "what takes nothing")
    equal(refusal(fam.do, "tables-get", {"count": 1}).code, "EINVAL", "what takes nothing")
    equal(refusal(fam.do, "listener-get", {"filter": {"uid": 0}}).code, NO_SUCH_MODE, "a do of what has none")
    equal(refusal(fam.dump, "tables-get").code, NO_SUCH_MODE, "a dump of what has none")
    for bad in (b"\x00", b"\xff\xff\x01\x00", struct.pack("=HH", 3, 7), tlv(7, b""), tlv(7 | 0x8000, b"\x05\0"), tlv(99, b"")):
        check(refusal(fam.do, "socket-kill", bad).code in ("EINVAL", "ERANGE"), f"{bad}")
    # Without the mark of a nest.
    equal(refusal(fam.dump, "socket-get", tlv(7, genl.encode("filter", {"uid": 0}))).code, "EINVAL", "a nest that is none")


def parameters_by_batch():
    """Set and reset: all or none."""
    fam = Family()

    def value(name):
        return fam.do("param-get", {"param": {"name": name}})["param"][0]["value"]

    def batch(op, *params):
        return fam.do(op, {"param": [dict(zip(("name", "value"), p)) for p in params]})

    batch("param-set", ("syncookies", "2"), ("syn_retries", "3"), ("rmem", "8192 65536 1000000"))
    equal((value("syncookies"), value("syn_retries"), value("rmem")), ("2", "3", "8192 65536 1000000"), "values")
    e = refusal(batch, "param-set", ("syncookies", "1"), ("syn_retries", "0"))
    check("syn_retries" in e.text and "1.." in e.text, f"text: {e}")
    equal(value("syncookies"), "2", "the good half of a refused batch")
    e = refusal(batch, "param-reset", ("syncookies",), ("nosuch",))
    equal((e.code, value("syncookies")), ("ENOENT", "2"), "a refused reset")
    equal(refusal(batch, "param-reset", ("syncookies", "1")).code, "EINVAL", "a reset with a value")
    equal(refusal(fam.do, "param-reset", {"param": {}}).code, "EINVAL", "a reset of nothing")
    batch("param-reset", ("syncookies",), ("rmem",))
    check((value("syncookies"), value("syn_retries")) == ("1", "3") and value("rmem") != "8192 65536 1000000", "two are reset")
    fam.do("param-reset")
    rows = [p for p in fam.dump("param-get") if p["value"] != p["default"]]
    equal(rows, [], "after a reset of all")
    equal(refusal(batch, "param-set", ("x" * 64, "1")).code, "EINVAL", "a name too long")
    check("63" in refusal(batch, "param-set", ("x" * 64, "1")).text, "text")
    equal(refusal(batch, "param-set", ("syncookies", "1" * 128)).code, "EINVAL", "a value too long")
    equal(refusal(batch, "param-set", ("syncookies",)).code, "EINVAL", "no value")
    equal(refusal(fam.do, "param-set").code, "EINVAL", "no parameter")
    equal(refusal(fam.do, "param-get", {"param": {"name": "nosuch"}}).code, "ENOENT", "unknown")
    equal(refusal(fam.do, "param-get", {"param": {"name": "sack", "value": "1"}}).code, "EINVAL", "get with a value")


# ------------------------------------------------------------- who may do what


def as_nobody(case):
    """The case in a child without any privilege."""
    pid = os.fork()
    if not pid:
        code = 1
        try:
            os.setgroups([])
            os.setresgid(65534, 65534, 65534)
            os.setresuid(65534, 65534, 65534)
            case()
            code = 0
        except BaseException as e:  # pylint: disable=broad-except
            print(f"    {e}")
        sys.stdout.flush()
        os._exit(code)
    equal(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 0, "the unprivileged child")


CHANGES = (("param-set", {"param": {"name": "syncookies", "value": "2"}}), ("param-reset", b""), ("socket-kill", {"filter": {"uid": 0}}))


SEQUENCE_NUMBERS = ("snd-una", "snd-nxt", "write-seq", "rcv-nxt", "copied-seq")


def anybody_may_read():
    lst = net.listener("127.0.0.1", 8080)
    one, conn = pair(lst)
    number = cookie(conn)

    def reads():
        fam = Family()
        equal(len(fam.sockets()), 2, "sockets")
        shown = fam.do("socket-get", {"id": number})["socket"]
        equal(shown["uid"], 0, "owner")
        # With these a stranger could reset the connection, or feed it.
        equal([k for k in SEQUENCE_NUMBERS if k in shown], [], "sequence numbers of somebody else's connection")
        own = net.new_socket()
        own.connect(("127.0.0.1", 8080))
        shown = fam.do("socket-get", {"id": cookie(own)})["socket"]
        equal([k for k in SEQUENCE_NUMBERS if k not in shown], [], "sequence numbers of his own")
        own.close()
        for op in ("param-get", "listener-get", "counter-get", "reason-get", "cc-get"):
            check(fam.dump(op), f"{op} is empty")
        check(fam.do("tables-get"), "tables")
        for op, values in CHANGES:
            equal(refusal(fam.do, op, values).code, "EPERM", op)

    shown = Family().do("socket-get", {"id": number})["socket"]
    equal([k for k in SEQUENCE_NUMBERS if k not in shown], [], "sequence numbers, for root")
    as_nobody(reads)
    conn.send(b"alive")
    equal(one.recv(9), b"alive", "the connection")


def a_user_namespace_rules_its_own_networks_only():
    """Whoever is root in a user namespace may change what belongs to it, and nothing of its parents."""
    lst = net.listener("127.0.0.1", 8080)
    one, conn = pair(lst)
    number = cookie(conn)

    def child():
        import ctypes
        libc = ctypes.CDLL(None, use_errno=True)
        check(not libc.unshare(CLONE_NEWUSER), "unshare(CLONE_NEWUSER)")
        # Still in the network namespace of the parent.
        fam = Family()
        for op, values in CHANGES:
            equal(refusal(fam.do, op, values).code, "EPERM", f"{op} on the parent's")
        equal(fam.do("socket-get", {"id": number})["socket"]["uid"], 65534, "an owner that has no number there")
        check("user namespace" in refusal(fam.sockets, uid=0).text, "a uid that is not mapped")
        check(not libc.unshare(CLONE_NEWNET), "unshare(CLONE_NEWNET)")
        mine = Family()
        equal(mine.sockets(), [], "sockets of the new namespace")
        for op, values in CHANGES[:2]:
            mine.do(op, values)
        equal(mine.kill(states=states("established")), 0, "nobody of the parent's was killed")
        equal(refusal(mine.do, "socket-get", {"id": number}).code, "ENOENT", "the parent's socket")

    as_nobody(child)
    conn.send(b"alive")
    equal(one.recv(9), b"alive", "the connection")


# ------------------------------------------------------------------ under load


def dumps_while_sockets_come_and_go():
    """A connection that stays is in every dump exactly once, however many others come and go, whatever is killed meanwhile."""
    fam, killer = Family(), Family()
    lst = net.listener("127.0.0.1", 8080, backlog=200)
    stay = [pair(lst) for _ in range(100)]
    want = {cookie(s) for both in stay for s in both}
    server = net.spawn([f"{net.PROGS}/perf", "server", "127.0.0.1", "9000", "--proto", "atcp"])
    equal(server.stdout.readline().strip(), "ready", "perf server")
    client = net.spawn([f"{net.PROGS}/perf", "connect", "127.0.0.1", "9000", "--proto", "atcp", "--seconds", "4"])
    end, dumps = time.monotonic() + 3, 0
    while time.monotonic() < end or dumps < 4:
        rows = [r["id"] for r in fam.sockets() if r["kind"] == 1]
        check(len(rows) == len(set(rows)), "an entry came twice")
        check(want <= set(rows), f"{len(want - set(rows))} connections that stay are missing")
        equal(len(fam.sockets(lport_min=8080, lport_max=8080)), 100, "those of the listener")
        killer.kill(lport_min=9000, lport_max=9000, states=states("time-wait"))
        killer.kill(rport_min=9000, rport_max=9000, states=states("time-wait"))
        fam.dump("listener-get")
        dumps += 1
    print(f"    {dumps} dumps")
    net.finish(client, "perf connect")
    server.kill()
    server.communicate()


def random_messages_do_no_harm():
    """ktests/vm/progs/nlfuzz: random and mutated messages for every command; the run fails if the kernel complains."""
    lst = net.listener("127.0.0.1", 8080)
    both = [pair(lst) for _ in range(20)]
    seed = str(int.from_bytes(os.urandom(4), "little"))
    out = net.sh(f"{net.PROGS}/nlfuzz --seconds 6 --seed {seed}")
    print("    " + out.strip())
    # Whoever is still there works; a kill by a filter of random conditions may have hit some.
    for one, conn in both:
        if net.state(one) == "ESTABLISHED":
            conn.send(b"alive")
            equal(one.recv(9), b"alive", "a connection")
    Family().do("param-reset")


def the_kernels_own_tool_can_talk_to_it():
    """tools/net/ynl of the kernel's source, with uapi/atcp.yaml: do, dump, a filter, a refusal. That the file is valid by the kernel's
    schema is shown outside (make ynl): that would take minutes in an emulated machine."""
    import json
    source = os.path.join(os.environ.get("ATCP_BUILD", net.TOP + "/build"), "ynl")
    check(os.path.exists(source), f"{source} is missing (make ynl)")
    lst = net.listener("127.0.0.1", 8080)
    _, conn = pair(lst)

    # As it is, but for the C version of the YAML parser: an emulated machine takes very long otherwise.
    start = "import runpy, sys, yaml; yaml.SafeLoader = getattr(yaml, 'CSafeLoader', yaml.SafeLoader); del sys.argv[0]; " \
            "sys.path[0] = sys.argv[0].rpartition('/')[0]; runpy.run_path(sys.argv[0], run_name='__main__')"

    def ynl(*arguments, fails=False):
        done = subprocess.run([sys.executable, "-c", start, f"{source}/tools/net/ynl/cli.py", "--spec", f"{net.TOP}/uapi/atcp.yaml",
                               "--no-schema", "--output-json", *arguments],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        equal(done.returncode != 0, fails, f"ynl {arguments}: {done.stdout[-800:]}")
        return done.stdout if fails else json.loads(done.stdout)

    [row] = ynl("--dump", "socket-get", "--json", json.dumps({"filter": {"lport-min": 8080, "lport-max": 8080}}))
    equal((row["socket"]["state"], row["socket"]["kind"], row["socket"]["id"]), ("established", "conn", cookie(conn)), "a socket")
    equal(ynl("--do", "socket-get", "--json", json.dumps({"id": cookie(conn)}))["socket"]["rcv-nxt"],
          Family().do("socket-get", {"id": cookie(conn)})["socket"]["rcv-nxt"], "the same in full")
    check("1..11" in ynl("--dump", "socket-get", "--json", json.dumps({"filter": {"states": 0}}), fails=True), "a refusal")


if __name__ == "__main__":
    genl.spec()  # once: the children that the cases are inherit it
    net.main(filters_hit_and_miss, filters_of_other_owners, listeners_are_filtered, young_requests_are_told, one_socket_in_full,
             dropped_segments_of_one_socket, tables_and_congestion_controls, killed_connections_are_reset, killed_while_its_program_sleeps_in_it,
             parameters_of_one_that_waits_to_be_accepted, killed_requests_and_timewaits, killed_listeners, wrong_attributes_are_refused, wrong_requests_are_refused,
             parameters_by_batch, anybody_may_read, a_user_namespace_rules_its_own_networks_only,
             dumps_while_sockets_come_and_go, random_messages_do_no_harm, the_kernels_own_tool_can_talk_to_it)
