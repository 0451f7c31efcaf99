#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# what: who is reset by what (RFC 5961, RFC 9293), and what the application sees of it
# mode: icount
# families: 4 6
"""Resets, challenge ACKs, and SYNs on connections that exist."""

import signal
import socket
import struct
import time

from lib import net, packet
from lib.net import check, equal, error_of
from lib.tun import Peer, Tun

M = 0xFFFFFFFF


def established(**more):
    tun = Tun()
    lst = net.listener()
    peer = Peer(tun, **more)
    peer.connect()
    return tun, lst, peer, net.accept(lst)


def rst_exact():
    _, _, peer, conn = established()
    peer.send("R", advance=False)
    peer.silence(0.2)
    equal(net.state(conn), "CLOSE", "state")
    equal(error_of(conn.recv, 10), "ECONNRESET", "first recv")
    equal(conn.recv(10), b"", "second recv")


def rst_in_window_is_challenged():
    _, _, peer, conn = established()
    peer.send("R", seq=peer.snd + 1000)
    peer.expect("A", seq=peer.rcv, ack=peer.snd)
    equal(net.state(conn), "ESTABLISHED", "state")
    # The genuine peer, which has forgotten the connection, answers the challenge exactly.
    peer.send("R", advance=False)
    peer.silence(0.2)
    equal(net.state(conn), "CLOSE", "state")


def rst_outside_window_is_dropped():
    _, _, peer, conn = established()
    peer.send("R", seq=(peer.snd - 1) & M)
    peer.send("R", seq=(peer.snd + (1 << 30)) & M)
    peer.silence(0.3)
    equal(net.state(conn), "ESTABLISHED", "state")


def rst_at_the_edge_of_sacked_data():
    """A peer that lost a segment of ours may reset at what it has sent: the right edge of what we have reported."""
    tun = Tun()
    lst = net.listener()
    peer = Peer(tun)
    peer.connect(options=b"\1\1" + packet.SACK_OK)
    conn = net.accept(lst)
    base = peer.snd
    peer.send("PA", b"b" * 10, seq=(base + 10) & M)
    equal(peer.expect("A", ack=base).sack, [((base + 10) & M, (base + 20) & M)], "SACK")
    peer.send("R", seq=(base + 20) & M)
    peer.silence(0.2)
    equal(error_of(conn.recv, 10), "ECONNRESET", "recv")


def challenges_are_rationed():
    """Five in-window resets in 100 ms: one challenge ACK."""
    tun, _, peer, conn = established()
    for i in range(5):
        peer.send("R", seq=peer.snd + 1000 + i)
        time.sleep(0.01)
    equal(len([s for s in tun.drain(0.3) if peer.mine(s)]), 1, "challenge ACKs")
    equal(net.state(conn), "ESTABLISHED", "state")


def rst_with_old_timestamp_counts():
    """PAWS does not protect from a reset whose sequence number is exact."""
    tun = Tun()
    lst = net.listener()
    peer = Peer(tun)
    peer.tsval = 500000
    peer.send("S", options=[packet.mss(packet.MSS), packet.SACK_OK, packet.timestamps(500000, 0)])
    syn_ack = peer.expect("SA")
    check(syn_ack.ts, "no timestamps in the SYN-ACK")
    peer.rcv = (syn_ack.seq + 1) & M
    peer.send("A", options=[b"\1\1", packet.timestamps(500001, syn_ack.ts[0])])
    conn = net.accept(lst)
    peer.send("PA", b"old", advance=False, options=[b"\1\1", packet.timestamps(400000, syn_ack.ts[0])])
    peer.expect("A", ack=peer.snd, what="to data that PAWS refuses")
    check(not net.readable(conn, 0.1), "data older than the last timestamp was delivered")
    peer.send("R", advance=False, options=[b"\1\1", packet.timestamps(400000, syn_ack.ts[0])])
    peer.silence(0.1)
    equal(net.state(conn), "CLOSE", "state")


def syn_on_connection_is_challenged():
    """killcx: SYN -> challenge ACK -> RST at its ack -> gone; then the SYN is welcome."""
    for where in (500, 1 << 30):
        syn_then_reset(where)


def syn_then_reset(where):
    tun, lst, peer, conn = established() if not net.LAST_TUN else again()
    peer.send("S", seq=(peer.snd + where) & M, options=packet.mss(packet.MSS))
    peer.expect("A", seq=peer.rcv, ack=peer.snd)
    equal(net.state(conn), "ESTABLISHED", "state")
    peer.send("R", advance=False)
    peer.silence(0.1)
    equal(error_of(conn.recv, 10), "ECONNRESET", "recv")
    peer.connect()
    net.accept(lst)
    tun.lst = lst


def other_port_leaves_the_old_connection():
    """A client that restarts and takes another port: two connections, until the old one is used."""
    tun, lst, peer, conn = established()
    fresh = Peer(tun, port=peer.port + 1)
    fresh.connect()
    net.accept(lst)
    equal(net.state(conn), "ESTABLISHED", "state of the old connection")
    conn.send(b"still there?")
    peer.take()
    peer.send("R", advance=False)
    peer.silence(0.1)
    equal(error_of(conn.recv, 10), "ECONNRESET", "recv")


def again():
    tun = net.LAST_TUN[-1]
    peer = Peer(tun)
    peer.connect()
    return tun, tun.lst, peer, net.accept(tun.lst)


def data_survives_rst():
    _, _, peer, conn = established()
    peer.send("PA", b"last words")
    peer.expect("A", ack=peer.snd)
    peer.send("R", advance=False)
    peer.silence(0.1)
    equal(conn.recv(100), b"last words", "data before the reset")
    equal(error_of(conn.recv, 100), "ECONNRESET", "recv after the data")


def write_after_rst():
    """First call ECONNRESET without a signal, afterwards EPIPE with one."""
    _, _, peer, conn = established()
    got = []
    signal.signal(signal.SIGPIPE, lambda *a: got.append(1))
    peer.send("R", advance=False)
    peer.silence(0.1)
    equal(error_of(conn.send, b"x"), "ECONNRESET", "first send")
    equal(len(got), 0, "SIGPIPE")
    equal(error_of(conn.send, b"x"), "EPIPE", "second send")
    equal(len(got), 1, "SIGPIPE")
    equal(error_of(conn.send, b"x", socket.MSG_NOSIGNAL), "EPIPE", "send with MSG_NOSIGNAL")
    equal(len(got), 1, "SIGPIPE")


def rst_in_close_wait():
    """The peer closed, then resets: EPIPE, and recv() stays at end of file."""
    _, _, peer, conn = established()
    peer.send("FA")
    peer.expect("A", ack=peer.snd)
    equal(conn.recv(10), b"", "recv at end of file")
    equal(net.state(conn), "CLOSE_WAIT", "state")
    peer.send("R", advance=False)
    peer.silence(0.1)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    equal(error_of(conn.send, b"x"), "EPIPE", "send")
    equal(conn.recv(10), b"", "recv")


def rst_in_last_ack():
    _, _, peer, conn = established()
    peer.send("FA")
    peer.expect("A", ack=peer.snd)
    conn.close()
    peer.take("FA")
    peer.send("R", advance=False)
    peer.silence(0.7, "after a reset in LAST_ACK")


def rst_in_syn_sent():
    """Only RST|ACK that acknowledges our SYN refuses the connection."""
    tun = Tun()
    peer = Peer(tun, port=8080)
    sock = net.new_socket(blocking=False)
    sock.connect_ex((tun.peer, 8080))
    peer.wait_syn()
    peer.send("R", advance=False)
    peer.send("RA", advance=False, ack=(peer.rcv + 5) & M)
    again = [s for s in peer.tun.drain(0.2) if peer.mine(s)]
    check(all(s.flags == "S" for s in again), f"answered a reset: {again}")
    equal(net.state(sock), "SYN_SENT", "state")
    peer.send("RA", advance=False)
    net.until(lambda: net.state(sock) == "CLOSE", 1, "refused")
    equal(sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), 111, "SO_ERROR")


def syn_ack_with_wrong_ack():
    """Acknowledges what was not sent: reset with its own ack, the attempt goes on."""
    tun = Tun()
    peer = Peer(tun, port=8080)
    sock = net.new_socket(blocking=False)
    sock.connect_ex((tun.peer, 8080))
    peer.wait_syn()
    peer.send("SA", advance=False, ack=(peer.rcv + 7) & M, options=packet.mss(packet.MSS))
    peer.expect("R", seq=(peer.rcv + 7) & M)
    equal(net.state(sock), "SYN_SENT", "state")
    peer.wait_syn(0.2)  # at once: the old connection that was in the way is gone
    peer.send("SA", options=packet.mss(packet.MSS))
    peer.expect("A", ack=peer.snd)
    net.wait_state(sock, "ESTABLISHED")


def close_with_unread_data():
    _, _, peer, conn = established()
    peer.send("PA", b"never read")
    peer.expect("A", ack=peer.snd)
    conn.close()
    peer.expect("RA", seq=peer.rcv, ack=peer.snd)


def linger_zero():
    _, _, peer, conn = established()
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    conn.close()
    peer.expect("RA", seq=peer.rcv, ack=peer.snd)
    peer.send("A")
    peer.expect("R")


def data_after_close():
    """In FIN_WAIT_2 after close(): data is answered with a reset and the connection ends."""
    _, _, peer, conn = established()
    conn.close()
    peer.take("FA")
    peer.send("A")
    peer.send("PA", b"too late", advance=False)
    peer.expect("R")
    peer.send("FA", advance=False)
    peer.expect("R", what="to a connection that is gone")


def data_after_shutdown_is_taken():
    _, _, peer, conn = established()
    conn.shutdown(socket.SHUT_WR)
    peer.take("FA")
    peer.send("A")
    net.wait_state(conn, "FIN_WAIT2")
    peer.send("PA", b"in time")
    peer.expect("A", ack=peer.snd)
    equal(conn.recv(100), b"in time", "data after shutdown(SHUT_WR)")


def listener_closes():
    """Accepted-queue children are reset; a half-open request just vanishes."""
    tun = Tun()
    lst = net.listener()
    done, half = Peer(tun, port=20001), Peer(tun, port=20002)
    done.connect()
    half.send("S", options=packet.mss(packet.MSS))
    syn_ack = half.expect("SA")
    half.rcv = (syn_ack.seq + 1) & M
    lst.close()
    done.expect("RA", seq=done.rcv)
    half.silence(0.2)
    half.send("A")
    half.expect("R", seq=half.rcv)


if __name__ == "__main__":
    net.main(rst_exact, rst_in_window_is_challenged, rst_outside_window_is_dropped,
             rst_at_the_edge_of_sacked_data, challenges_are_rationed, other_port_leaves_the_old_connection,
             rst_with_old_timestamp_counts, syn_on_connection_is_challenged, data_survives_rst, write_after_rst,
             rst_in_close_wait, rst_in_last_ack, rst_in_syn_sent, syn_ack_with_wrong_ack, close_with_unread_data,
             linger_zero, data_after_close, data_after_shutdown_is_taken, listener_closes)
