#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# what: every way to end a connection: who waits, for how long, and what late segments get
# mode: icount
# families: 4 6
"""FIN in all orders, FIN_WAIT_2 and TIME_WAIT with their minutes of waiting
(run in virtual time), and orphans whose peer is gone."""

import os
import signal
import socket
import struct
import time

from lib import net, packet
from lib.net import check, equal, near
from lib.tun import Peer, Tun

M = 0xFFFFFFFF


def established(use_ts=False):
    tun = Tun()
    lst = net.listener()
    peer = Peer(tun, use_ts=use_ts)
    peer.connect(options=b"")
    return tun, lst, peer, net.accept(lst)


def time_wait():
    """A TIME_WAIT entry of the stack, closed in the ordinary way."""
    tun, lst, peer, conn = established()
    conn.close()
    peer.take("FA")
    peer.send("A")
    peer.send("FA")
    peer.expect("A", seq=peer.rcv, ack=peer.snd)
    return tun, lst, peer


def active_close():
    _, _, peer, conn = established()
    conn.shutdown(socket.SHUT_WR)
    peer.take("FA")
    equal(net.state(conn), "FIN_WAIT1", "state")
    peer.send("A")
    net.wait_state(conn, "FIN_WAIT2")
    peer.send("FA")
    peer.expect("A", ack=peer.snd)
    equal(conn.recv(10), b"", "end of file")


def passive_close_in_three_segments():
    """The application closes at once: our FIN carries the ACK of theirs."""
    _, _, peer, conn = established()
    for _ in range(20):  # past the quick ACKs of a young connection
        peer.send("PA", b"x" * 100)
        peer.expect("A", timeout=0.5)
        conn.recv(100)
    peer.send("FA")
    net.readable(conn, 1)
    equal(conn.recv(10), b"", "end of file")
    equal(net.state(conn), "CLOSE_WAIT", "state")
    conn.close()
    seg = None
    for seg in peer.tun.drain(0.3):
        if "F" in seg.flags:
            break
    check(seg and "F" in seg.flags and seg.ack == peer.snd, f"no FIN: {seg}")
    peer.rcv = (seg.seq + 1) & M
    peer.send("A")
    peer.silence(0.5, "after LAST_ACK")
    peer.send("A")
    peer.expect("R", what="to a connection that is gone")


def simultaneous_close():
    tun, _, peer, conn = established()
    conn.shutdown(socket.SHUT_WR)
    fin = peer.take("FA")
    peer.send("FA", ack=fin.seq)
    peer.expect("A", ack=peer.snd)
    equal(net.state(conn), "CLOSING", "state")
    peer.send("A")
    peer.silence(0.1)
    peer.send("FA", seq=(peer.snd - 1) & M)
    peer.expect("A", ack=peer.snd, what="from TIME_WAIT")


def fin_out_of_order():
    """A FIN beyond a gap waits; the state changes when the gap is filled."""
    _, _, peer, conn = established()
    conn.shutdown(socket.SHUT_WR)
    peer.take("FA")
    peer.send("A")
    start = peer.snd
    peer.send("FA", seq=(start + 100) & M)
    peer.expect("A", ack=start)
    equal(net.state(conn), "FIN_WAIT2", "state before the gap is filled")
    peer.send("PA", b"g" * 100, seq=start)
    peer.expect("A", ack=(start + 101) & M)
    equal(conn.recv(500), b"g" * 100, "data before the FIN")
    equal(conn.recv(500), b"", "end of file")


def data_out_of_order():
    """Segments in the wrong order and twice: delivered once, in order; SACK-less ACKs repeat."""
    _, _, peer, conn = established()
    base = peer.snd
    for offset, data in ((3, b"def"), (6, b"ghi"), (3, b"def"), (1, b"bcd"), (0, b"abcd"), (0, b"abcdefghijkl")):
        peer.send("PA", data, seq=(base + offset) & M)
    peer.snd = (base + 12) & M
    net.until(lambda: conn.recv(100, socket.MSG_PEEK) == b"abcdefghijkl", 1, "data in order")
    equal(peer.tun.drain(0.3)[-1].ack, peer.snd, "last ACK")


def sack_blocks():
    """Two gaps are reported, the most recent block first."""
    tun = Tun()
    lst = net.listener()
    peer = Peer(tun)
    peer.connect(options=b"\1\1" + packet.SACK_OK)
    conn = net.accept(lst)
    base = peer.snd

    def at(n):
        return (base + n) & M

    peer.send("PA", b"b" * 10, seq=at(10))
    equal(peer.expect("A", ack=base).sack, [(at(10), at(20))], "SACK")
    peer.send("PA", b"d" * 10, seq=at(30))
    equal(peer.expect("A", ack=base).sack, [(at(30), at(40)), (at(10), at(20))], "SACK")
    peer.send("PA", b"d" * 10, seq=at(30))
    equal(peer.expect("A", ack=base).sack, [(at(30), at(40)), (at(30), at(40)), (at(10), at(20))], "D-SACK")
    peer.send("PA", b"a" * 10, seq=base)
    equal(peer.expect("A", ack=at(20)).sack, [(at(30), at(40))], "SACK")
    peer.send("PA", b"c" * 10, seq=at(20))
    equal(peer.expect("A", ack=at(40)).sack, [], "SACK")
    equal(conn.recv(100), b"a" * 10 + b"b" * 10 + b"c" * 10 + b"d" * 10, "data")


def fin_again_in_close_wait():
    _, _, peer, conn = established()
    peer.send("FA")
    peer.expect("A", ack=peer.snd)
    peer.send("FA", seq=(peer.snd - 1) & M)
    peer.expect("A", ack=peer.snd)
    equal(net.state(conn), "CLOSE_WAIT", "state")


def close_sends_what_is_queued():
    """Data waits behind a closed window; close() loses none of it and the FIN comes last."""
    tun = Tun()
    lst = net.listener()
    peer = Peer(tun)
    peer.connect(window=0)
    conn = net.accept(lst)
    conn.send(b"queued" * 10)
    conn.close()
    peer.silence(0.1)
    peer.send("A", window=5000)
    data, fin = b"", False
    while not fin:
        seg = peer.take(None)
        data, fin = data + seg.payload, "F" in seg.flags
    equal(data, b"queued" * 10, "data before the FIN")


def fin_wait2_of_an_orphan():
    """After close(): 60 seconds, then the connection is forgotten and a late FIN is reset."""
    _, _, peer, conn = established()
    conn.close()
    peer.take("FA")
    peer.send("A")
    peer.silence(55)
    peer.silence(8)
    peer.send("FA")
    peer.expect("R", what="to a FIN after fin_timeout")


def fin_wait2_lasts_until_60_s():
    """Just before the minute is over, a FIN still finds the connection."""
    _, _, peer, conn = established()
    conn.close()
    peer.take("FA")
    peer.send("A")
    peer.silence(57)
    peer.send("FA")
    peer.expect("A", ack=peer.snd)


def fin_wait2_after_shutdown():
    """shutdown(SHUT_WR) keeps the reading half without limit."""
    _, _, peer, conn = established()
    conn.shutdown(socket.SHUT_WR)
    peer.take("FA")
    peer.send("A")
    peer.silence(70)
    peer.send("PA", b"late but welcome")
    peer.expect("A", ack=peer.snd)
    equal(conn.recv(100), b"late but welcome", "data")


def linger2():
    """TCP_LINGER2 shortens FIN_WAIT_2."""
    _, _, peer, conn = established()
    try:
        conn.setsockopt(socket.IPPROTO_TCP, net.TCP_LINGER2, 5)
    except OSError as e:
        raise net.Skipped(f"TCP_LINGER2 is not there: {e}") from None
    conn.close()
    peer.take("FA")
    peer.send("A")
    peer.silence(7)
    peer.send("FA")
    peer.expect("R")


def time_wait_lasts_60_s():
    _, _, peer = time_wait()
    peer.silence(57)
    peer.send("PA", b"stray", advance=False)
    peer.expect("A", ack=peer.snd, what="from TIME_WAIT")
    peer.silence(66)  # the stray segment restarted it
    peer.send("A", advance=False)
    peer.expect("R", what="after TIME_WAIT")


def time_wait_length_of_a_socket():
    """ATCP_SO_TIMEWAIT_S, set at the listener; the kernel's TCP has no such thing."""
    SOL_ATCP, TIMEWAIT_S = 253, 1
    if not net.IS_ATCP:
        equal(net.error_of(net.new_socket().setsockopt, SOL_ATCP, TIMEWAIT_S, 5), "ENOPROTOOPT", "setsockopt")
        return
    tun = Tun()
    lst = net.listener()
    equal(lst.getsockopt(SOL_ATCP, TIMEWAIT_S), 60, "default")
    equal(net.error_of(lst.setsockopt, SOL_ATCP, TIMEWAIT_S, 601), "EINVAL", "too long")
    equal(net.error_of(lst.setsockopt, SOL_ATCP, 99, 5), "ENOPROTOOPT", "another number")
    lst.setsockopt(SOL_ATCP, TIMEWAIT_S, 5)
    peer = Peer(tun)
    peer.connect(options=b"")
    conn = net.accept(lst)
    equal(conn.getsockopt(SOL_ATCP, TIMEWAIT_S), 5, "inherited")
    conn.close()
    peer.take("FA")
    peer.send("A")
    peer.send("FA")
    peer.expect("A", seq=peer.rcv, ack=peer.snd)
    peer.silence(4)
    peer.send("FA", seq=(peer.snd - 1) & M)
    peer.expect("A", ack=peer.snd, what="from TIME_WAIT, which begins anew")
    peer.silence(6)
    peer.send("A", advance=False)
    peer.expect("R", what="after TIME_WAIT")


def port_after_a_reset():
    """Only a port that the program named in bind() is kept until it closes the socket."""
    def taken(port):
        with net.new_socket() as other:
            return net.error_of(other.bind, ("127.0.0.1", port)) == "EADDRINUSE"

    def reset(sock, peer):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.close()
        equal(net.error_of(peer.recv, 1), "ECONNRESET", "recv")

    lst = net.listener()
    for bound, kept in ((None, False), (0, False), (4444, True)):
        sock = net.new_socket()
        if bound is not None:
            sock.bind(("127.0.0.1", bound))
        sock.connect(("127.0.0.1", 80))
        port = sock.getsockname()[1]
        check(taken(port), f"port {port} is free beside its connection")
        reset(net.accept(lst), sock)
        equal(taken(port), kept, f"port taken after the reset of a socket bound to {bound}")
        sock.close()
        check(not taken(port), "port taken after close()")
    sock = net.new_socket()
    sock.connect(("127.0.0.1", 80))
    conn = net.accept(lst)
    lst.close()
    check(taken(80), "the port is free beside a connection of its former listener")
    reset(sock, conn)
    check(not taken(80), "the port is kept by a connection that was reset")
    conn.close()


def time_wait_restarts_on_fin():
    _, _, peer = time_wait()
    peer.silence(40)
    peer.send("FA", seq=(peer.snd - 1) & M)
    peer.expect("A", ack=peer.snd)
    peer.silence(50)
    peer.send("FA", seq=(peer.snd - 1) & M)
    peer.expect("A", ack=peer.snd, what="90 s after the first FIN")


def time_wait_reset():
    """An exact RST ends it unless rfc1337; an inexact one never does."""
    _, _, peer = time_wait()
    peer.send("R", seq=(peer.snd + 100) & M)
    peer.silence(0.1)
    peer.send("FA", seq=(peer.snd - 1) & M)
    peer.expect("A", ack=peer.snd, what="from TIME_WAIT")
    peer.send("R", advance=False)
    peer.send("FA", seq=(peer.snd - 1) & M)
    peer.expect("R", what="after the reset of TIME_WAIT")


def time_wait_reset_rfc1337():
    net.sysctl("rfc1337", 1)
    _, _, peer = time_wait()
    peer.send("R", advance=False)
    peer.send("FA", seq=(peer.snd - 1) & M)
    peer.expect("A", ack=peer.snd, what="from TIME_WAIT")


def time_wait_taken_over():
    """A SYN beyond the old sequence numbers opens a new connection; an older one gets an ACK."""
    _, lst, peer = time_wait()
    peer.send("S", seq=(peer.snd - 1000) & M, options=packet.mss(packet.MSS))
    peer.expect("A", ack=peer.snd, seq=peer.rcv)
    old_rcv = peer.rcv
    peer.snd = (peer.snd + 50000) & M
    peer.send("S", options=packet.mss(packet.MSS))
    answer = peer.expect("SA", ack=peer.snd)
    check(0 < ((answer.seq - old_rcv) & M) < 1 << 31, "the new ISN is not beyond the old sequence numbers")
    peer.rcv = (answer.seq + 1) & M
    peer.send("A")
    net.accept(lst)


def orphan_gives_up():
    """FIN never acknowledged: 9 FINs with doubling intervals, forgotten after about 102 s."""
    tun, _, peer, conn = established()
    conn.close()
    fins = [s for s in tun.drain(130) if peer.mine(s)]
    check(all("F" in s.flags for s in fins), f"not only FINs: {[str(s) for s in fins]}")
    equal(len(fins), 9, "FINs")
    gaps = [b.time - a.time for a, b in zip(fins, fins[1:])]
    for before, after in zip(gaps[1:], gaps[2:]):
        near(after / before, 2.0, 0.25, "back-off")
    peer.send("FA", advance=False)
    peer.expect("R", what="after the orphan was given up")


def close_wait_gives_way():
    """A program that forgot its socket in CLOSE_WAIT: the client's next connection from the same port is there at once."""
    _, lst, peer, forgotten = established()
    peer.send("FA")
    peer.expect("A", ack=peer.snd)
    equal(net.state(forgotten), "CLOSE_WAIT", "state")
    start = time.monotonic()
    peer.send("S", seq=(peer.snd + 70000) & M, options=packet.mss(packet.MSS))
    peer.expect("A", seq=peer.rcv, ack=peer.snd, what="challenge")
    peer.send("R", advance=False)
    peer.snd = (peer.snd + 70000) & M
    peer.connect()
    net.accept(lst)
    check(time.monotonic() - start < 1, "took longer than a second")
    equal(net.state(forgotten), "CLOSE", "state of the forgotten one")


def child_with(lst, peer):
    """A process that has accepted the peer's connection and sleeps; its descriptor is the only one."""
    pid = os.fork()
    if pid == 0:
        held = net.accept(lst)
        signal.pause()
        del held
        os._exit(0)
    peer.connect()
    time.sleep(0.2)
    return pid


def killed_process_sends_fin():
    """kill -9 closes as close() does: FIN, then a reset for data; unread data turns the FIN into a reset."""
    tun = Tun()
    lst = net.listener()
    peer = Peer(tun)
    pid = child_with(lst, peer)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    peer.take("FA")
    peer.send("A")
    peer.send("PA", b"nobody reads this", advance=False)
    peer.expect("R")
    peer = Peer(tun)
    pid = child_with(lst, peer)
    peer.send("PA", b"unread")
    peer.expect("A", ack=peer.snd)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    peer.expect("RA", seq=peer.rcv)


def inherited_descriptor_keeps_it_open():
    """close() in one process says nothing while another has the descriptor."""
    _, _, peer, conn = established()
    pid = os.fork()
    if pid == 0:
        signal.pause()
        os._exit(0)
    peer.send("FA")
    peer.expect("A", ack=peer.snd)
    conn.close()
    peer.silence(5, "while a child holds the descriptor")
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    peer.expect("FA", ack=peer.snd)


def fin_with_data():
    """A FIN that carries data is acknowledged with it; then end of file, and the other half goes on."""
    _, _, peer, conn = established()
    peer.send("FPA", b"last words")
    peer.expect("A", ack=peer.snd)
    equal((conn.recv(100), conn.recv(100)), (b"last words", b""), "recv")
    conn.send(b"the other half")
    equal(peer.take().payload, b"the other half", "data")


def last_ack_gives_up():
    """In LAST_ACK, too, orphan_retries counts: with 2, silence after at most 4 FINs."""
    net.sysctl("orphan_retries", 2)
    tun, _, peer, conn = established()
    peer.send("FA")
    peer.expect("A", ack=peer.snd)
    conn.close()
    fins = [s for s in tun.drain(20) if peer.mine(s)]
    check(all("F" in s.flags for s in fins), f"not only FINs: {[str(s) for s in fins]}")
    check(3 <= len(fins) <= 4, f"{len(fins)} FINs")
    peer.send("A", ack=(peer.rcv + 1) & M)
    peer.expect("R", what="after LAST_ACK was given up")


def linger_waits():
    """SO_LINGER {1,2} with data that nobody acknowledges: close() takes two seconds, returns, no reset."""
    _, _, peer, conn = established()
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 2))
    conn.send(b"unacknowledged")
    start = time.monotonic()
    conn.close()
    near(time.monotonic() - start, 2, 0.3, "time in close()")
    check(all("R" not in s.flags for s in peer.tun.drain(0.5)), "reset after lingering")


if __name__ == "__main__":
    net.main(active_close, passive_close_in_three_segments, simultaneous_close, fin_out_of_order, data_out_of_order,
             sack_blocks, fin_again_in_close_wait, close_sends_what_is_queued, linger2, port_after_a_reset, time_wait_reset,
             time_wait_length_of_a_socket,
             time_wait_reset_rfc1337, time_wait_taken_over, linger_waits, fin_wait2_of_an_orphan,
             fin_wait2_lasts_until_60_s, close_wait_gives_way, killed_process_sends_fin, inherited_descriptor_keeps_it_open,
             fin_with_data, last_ack_gives_up, fin_wait2_after_shutdown, time_wait_lasts_60_s, time_wait_restarts_on_fin,
             orphan_gives_up)
