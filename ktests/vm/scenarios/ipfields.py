#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# what: what TCP and IP owe each other: DSCP and TTL as set, IP options passed over, ICMP that must do nothing, one source address
# mode: icount
# families: 4 6
"""The requirements of RFC 9293 3.9 on the IP layer, with a peer driven by hand
that looks at the IP headers of what it gets."""

import socket
import struct

from lib import net, packet
from lib.net import check, equal
from lib.tun import Peer, Tun

TIMESTAMP_OPTION, RECORD_ROUTE, UNKNOWN_OPTION = bytes([68, 8, 5, 0, 0, 0, 0, 0]), bytes([7, 7, 4, 0, 0, 0, 0, 0]), bytes([158, 4, 1, 2])
if packet.V6:
    # Padding, and two unknown ones that may be skipped (their kind's first bits are 00).
    TIMESTAMP_OPTION, RECORD_ROUTE, UNKNOWN_OPTION = bytes([1, 4, 0, 0, 0, 0]), bytes([0x1e, 4, 1, 2, 3, 4]), bytes([0x3e, 12]) + bytes(12)
SOURCE_QUENCH = 4


def with_options(packet_bytes, options):
    """The same packet with options in its header, or over IPv6 in a header of their own, for the destination."""
    if packet.V6:
        head, kind = bytearray(packet_bytes[:40]), packet_bytes[6]
        struct.pack_into("!HB", head, 4, len(packet_bytes) - 40 + 2 + len(options), 60)
        return bytes(head) + bytes([kind, (2 + len(options)) // 8 - 1]) + options + packet_bytes[40:]
    header, rest = bytearray(packet_bytes[:20]), packet_bytes[20:]
    header[0] = 0x40 | (20 + len(options)) // 4
    struct.pack_into("!H", header, 2, len(packet_bytes) + len(options))
    struct.pack_into("!H", header, 10, 0)
    whole = bytes(header) + options
    struct.pack_into("!H", header, 10, packet.checksum(whole))
    return bytes(header) + options + rest


def connection(**more):
    tun = Tun()
    listener = net.listener()
    peer = Peer(tun, **more)
    peer.connect()
    return tun, peer, net.accept(listener)


def ip_header(tun, timeout=1.0):
    """(DSCP and ECN, TTL) of the next TCP packet."""
    while True:
        data = tun.read_raw(timeout)
        check(data is not None, "no packet came")
        if packet.V6 and data[6] == 6:
            return struct.unpack_from("!H", data)[0] >> 4 & 0xff, data[7]
        if not packet.V6 and data[9] == 6:
            return data[1], data[8]


def dscp_and_ttl():
    """MUST-48, MUST-49, SHLD-21, SHLD-22: as set, from the next segment on, the ECN bits left to TCP."""
    tun, peer, conn = connection()
    for tos, ttl in ((0x10, 64), (0xb8, 33), (0x2f, 255), (0, 1)):
        conn.setsockopt(*net.IP_TOS, tos)
        conn.setsockopt(*net.IP_TTL, ttl)
        conn.send(b"x")
        got_tos, got_ttl = ip_header(tun)
        equal((got_tos & 0xfc, got_ttl), (tos & 0xfc, ttl), "DSCP and TTL of data")
        equal(got_tos & 3, 0, "ECN bits without ECN")
        peer.rcv = (peer.rcv + 1) & 0xFFFFFFFF
        peer.send("PA", b"y")  # and acknowledges ours
        got_tos, got_ttl = ip_header(tun)
        equal((got_tos & 0xfc, got_ttl), (tos & 0xfc, ttl), "DSCP and TTL of an ACK")


def ip_options_are_passed_over():
    """MUST-50, MAY-10, MAY-11: on the SYN and on data."""
    tun = Tun()
    listener = net.listener()
    for option in (TIMESTAMP_OPTION, RECORD_ROUTE, UNKNOWN_OPTION):
        peer = Peer(tun)
        syn = packet.ipv4(peer.addr, tun.local, peer.build("S", options=packet.mss(packet.MSS)))
        tun.send_raw(with_options(syn, option))
        peer.snd = (peer.snd + 1) & 0xFFFFFFFF
        answer = peer.expect("SA", ack=peer.snd)
        peer.rcv = (answer.seq + 1) & 0xFFFFFFFF
        peer.send("A")
        conn = net.accept(listener)
        data = packet.ipv4(peer.addr, tun.local, peer.build("PA", b"optional"))
        tun.send_raw(with_options(data, option))
        check(net.readable(conn, 1), f"data under option {option[0]} did not arrive")
        equal(conn.recv(100), b"optional", "data")
        conn.close()
        tun.drain(0.05)


def source_quench_does_nothing():
    """MUST-55: neither the window nor the state nor an error changes."""
    if packet.V6:
        raise net.Skipped("ICMPv6 has no source quench")
    tun, peer, conn = connection()
    conn.send(b"outstanding")
    data = tun.read_raw(1)

    def facts():
        info = conn.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)
        return net.state(conn), struct.unpack_from("I", info, 80)[0], struct.unpack_from("I", info, 76)[0]  # cwnd, ssthresh

    before = facts()
    tun.send_raw(packet.ipv4(peer.addr, tun.local, packet.icmp(SOURCE_QUENCH, 0, data), proto=1))
    check(tun.read(0.1) is None, "an answer to a source quench")
    equal(facts(), before, "state, cwnd and ssthresh")
    equal(conn.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), 0, "SO_ERROR")


def source_address_stays():
    """MUST-44, MUST-45: chosen by the route at connect(), and kept when the route prefers another."""
    tun = Tun()
    ip = "ip -6" if packet.V6 else "ip"
    route = f"{ip} route replace {packet.spelt('10.9.0.0/24')} dev tun0{' metric 1' if packet.V6 else ''} src"
    nodad = "nodad" if packet.V6 else ""
    net.sh(f"{ip} addr add {packet.spelt('10.9.0.7/24')} dev tun0 {nodad} && {route} {packet.spelt('10.9.0.7')}")
    net.address_works(packet.spelt("10.9.0.7/24"))
    sock = net.new_socket(blocking=False)
    net.error_of(sock.connect, (tun.peer, 9000))
    data = tun.read_raw(1)
    syn = packet.parse(data, 0)
    equal(syn.src, "10.9.0.7", "source of the SYN")
    net.sh(f"{route} {packet.spelt('10.9.0.1')}")
    answer = packet.tcp(tun.peer, "10.9.0.7", 9000, syn.sport, 77, (syn.seq + 1) & 0xFFFFFFFF, "SA", options=packet.mss(packet.MSS))
    tun.send_raw(packet.ipv4(tun.peer, "10.9.0.7", answer))
    equal(tun.read(1).src, "10.9.0.7", "source of the ACK")
    sock.send(b"data")
    equal(tun.read(1).src, "10.9.0.7", "source of data")
    other = net.new_socket(blocking=False)
    net.error_of(other.connect, (tun.peer, 9001))
    while (syn := tun.read(1)).dport != 9001:
        pass
    equal(syn.src, "10.9.0.1", "source of the next connection's SYN")


def nobody_to_connect_to():
    """MUST-46: no SYN to a broadcast or multicast address."""
    tun = Tun()
    if not packet.V6:  # IPv6 has its route already, and no broadcast
        net.sh("ip route add 224.0.0.0/4 dev tun0")
    for address in ("224.0.0.1", "ff0e::1") if packet.V6 else ("10.9.0.255", "255.255.255.255", "224.0.0.1"):
        sock = net.new_socket()
        sock.settimeout(0.3)
        check(net.error_of(sock.connect, (address, 80)) is not None, f"connect() to {address} succeeded")
    for data in iter(lambda: tun.read_raw(0.1), None):
        check(data[6 if packet.V6 else 9] != 6, "a SYN left")


if __name__ == "__main__":
    net.main(dscp_and_ttl, ip_options_are_passed_over, source_quench_does_nothing, source_address_stays, nobody_to_connect_to)
