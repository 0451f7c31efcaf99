#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# what: malformed and misdirected segments are dropped or answered as RFC 9293 says, counted by reason, and hurt nobody
# mode: icount
# families: 4 6
"""Segments that no sane peer sends. After each case the same listener must
still complete a handshake and deliver data."""

import socket

from lib import net, packet
from lib.net import check, equal
from lib.tun import Peer, Tun


def reason_counts():
    return net.counts("reasons") if net.IS_ATCP else {}


class Victim:
    """A listener on port 80 and proof that it lives."""

    def __init__(self):
        self.tun = Tun()
        self.listener = net.listener()
        self.before = reason_counts()

    def alive(self):
        peer = Peer(self.tun)
        peer.connect()
        peer.send("PA", b"alive")
        conn = net.accept(self.listener)
        net.readable(conn, 1)
        equal(conn.recv(100), b"alive", "data after the bad segment")
        conn.close()
        self.tun.drain(0.05)

    def counted(self, *names, at_least=1):
        """One of the reasons has grown (atcp only: the kernel has no such table)."""
        if not net.IS_ATCP:
            return
        now = reason_counts()
        grown = {k: v - self.before.get(k, 0) for k, v in now.items() if v != self.before.get(k, 0)}
        check(sum(grown.get(n, 0) for n in names) >= at_least, f"no growth in {names}; grown: {grown}")


def raw(victim, segment, **ip_fields):
    victim.tun.send_raw(packet.ipv4(victim.tun.peer, victim.tun.local, segment, **ip_fields))


def silent(reasons, *variants, src="10.9.0.2", dst="10.9.0.1", **fields):
    """Each variant (a dict of fields of the segment) is dropped without an answer."""
    victim = Victim()
    for variant in variants or ({},):
        fields = {"src": src, "dst": dst, **fields, **variant}
        victim.tun.send_raw(packet.ipv4(fields["src"], fields["dst"], packet.tcp(sport=25000, dport=80, seq=7, **fields)))
    answers = [s for s in victim.tun.drain(0.3) if s.dport == 25000]
    check(not answers, f"answered: {[str(s) for s in answers]}")
    if reasons:
        victim.counted(*reasons, at_least=len(variants or (1,)))
    victim.alive()


def truncated_headers():
    victim = Victim()
    whole = packet.tcp(victim.tun.peer, victim.tun.local, 25000, 80, seq=7, flags="S", options=packet.mss(packet.MSS))
    for size in (0, 1, 4, 8, 12, 13, 16, 19):
        raw(victim, whole[:size])
    raw(victim, whole[:20])  # data offset says 24
    check(not victim.tun.drain(0.3), "a truncated header was answered")
    victim.counted("hdr_truncated", "data_offset", "checksum", "no_socket")
    victim.alive()


def data_offset_below_5():
    silent(["data_offset", "hdr_truncated"], {"offset": 0}, {"offset": 1}, {"offset": 4}, flags="S")


def data_offset_beyond_segment():
    silent(["data_offset", "hdr_truncated"], flags="S", offset=15)


def option_of_length_0():
    option_is_ignored(b"\x08\x00\x01\x01", packet.mss(packet.MSS))


def option_past_the_end():
    option_is_ignored(packet.mss(packet.MSS), b"\x08\x0a\x00\x01")


def option_of_unknown_kind():
    option_is_ignored(b"\xfd\x06abcd\x00\x00", b"")


def option_is_ignored(first, second):
    """The SYN counts; the broken option and all behind it do not."""
    victim = Victim()
    peer = Peer(victim.tun)
    peer.send("S", options=first + second)
    answer = peer.expect("SA", ack=peer.snd)
    equal(answer.ts, None, "timestamps offered by a broken option list")
    peer.rcv = answer.seq + 1
    peer.send("R", seq=peer.snd)
    victim.alive()


def option_garbage_on_data():
    """A broken option list on an established connection does not cost the data."""
    victim = Victim()
    peer = Peer(victim.tun)
    peer.connect()
    conn = net.accept(victim.listener)
    for junk in (b"\x05\x00\x00\x00", b"\x05\xff\x00\x00", b"\x08\x02\x01\x01", b"\x05\x0a" + b"\xff" * 8 + b"\1\1",
                 b"\x02", b"\xff" * 16):
        peer.send("PA", b"x", options=junk)
        peer.expect("A", ack=peer.snd)
    equal(conn.recv(100), b"x" * 6, "data")
    victim.alive()


def bad_checksum():
    silent(["checksum"], {"flags": "S"}, {"flags": "A"}, bad_checksum=True)


def bad_checksum_on_connection():
    victim = Victim()
    peer = Peer(victim.tun)
    peer.connect()
    conn = net.accept(victim.listener)
    peer.send("PA", b"bad", advance=False, bad_checksum=True)
    peer.silence(0.2)
    peer.send("R", advance=False, bad_checksum=True)
    peer.silence(0.1)
    peer.send("PA", b"good")
    peer.expect("A", ack=peer.snd)
    equal(conn.recv(100), b"good", "data")
    victim.counted("checksum", at_least=2)


def syn_with_fin():
    silent(["flags_syn_fin", "listen_no_syn"], flags="SF")


def no_flags():
    silent(["flags_none", "listen_no_syn"], {"flags": 0}, {"flags": "PU"})


def no_flags_on_connection():
    victim = Victim()
    peer = Peer(victim.tun)
    peer.connect()
    conn = net.accept(victim.listener)
    peer.send(0, b"no ack", advance=False)
    peer.silence(0.2)
    peer.send("PA", b"data")
    peer.expect("A", ack=peer.snd)
    equal(conn.recv(100), b"data", "data")
    victim.counted("flags_none", "no_ack_flag")


def fin_to_listener():
    silent(["listen_no_syn"], flags="F")


def syn_to_broadcast():
    if packet.V6:
        raise net.Skipped("IPv6 has no broadcast")
    silent([], {"dst": "10.9.0.255"}, {"dst": "255.255.255.255"}, flags="S")


def syn_to_multicast():
    silent([], flags="S", dst="224.0.0.1")


def syn_from_multicast_or_zero():
    silent([], *({"src": s} for s in ("224.0.0.5", "0.0.0.0") + (() if packet.V6 else ("255.255.255.255",))), flags="S")


def fragments_are_reassembled():
    if packet.V6:
        # They arrive whole where conntrack puts them together; elsewhere they are dropped (README).
        net.sh("nft add table ip6 t && nft 'add chain ip6 t in { type filter hook prerouting priority 0; }' && "
               "nft add rule ip6 t in ct state established counter")
    victim = Victim()
    peer = Peer(victim.tun)
    peer.connect()
    conn = net.accept(victim.listener)
    data = bytes(range(200)) * 6
    segment = peer.build("PA", data)
    cut = 600  # a multiple of 8
    for first in (True, False):
        part = segment[:cut] if first else segment[cut:]
        victim.tun.send_raw(packet.ipv4(peer.addr, victim.tun.local, part, ident=77, df=False, more=first,
                                        frag_units=0 if first else cut // 8))
    peer.snd = (peer.snd + len(data)) & 0xFFFFFFFF
    peer.expect("A", ack=peer.snd)
    equal(conn.recv(5000), data, "fragmented segment")
    victim.alive()


def lone_fragment_is_no_segment():
    victim = Victim()
    segment = packet.tcp(victim.tun.peer, victim.tun.local, 25000, 80, seq=7, flags="S") + b"x" * 44
    raw(victim, segment[:40], ident=9, df=False, more=True)
    check(not victim.tun.drain(0.3), "answered half of a segment")
    victim.alive()


def nobody_there():
    """RFC 9293 3.10.7.1: a reset for everything but a reset; SYN gets RST|ACK."""
    victim = Victim()
    peer = Peer(victim.tun, stack_port=81)
    peer.send("S", advance=False)
    peer.expect("RA", seq=0, ack=(peer.snd + 1) & 0xFFFFFFFF)
    for flags in ("A", "PA", "FA", "SA"):
        peer.send(flags, b"hello" if "P" in flags else b"", advance=False, ack=12345)
        peer.expect("R", seq=12345)
    peer.send("R", advance=False)
    peer.send("RA", advance=False, ack=5)
    peer.silence(0.2, "after RST")
    victim.alive()


def bound_port_without_listener():
    """A port that is bound but does not listen answers as one that nobody has."""
    victim = Victim()
    bound = net.new_socket()
    bound.bind(("0.0.0.0", 82))
    peer = Peer(victim.tun, stack_port=82)
    peer.send("S", advance=False)
    peer.expect("RA", seq=0, ack=(peer.snd + 1) & 0xFFFFFFFF)
    peer.send("A", advance=False, ack=777)
    peer.expect("R", seq=777)
    bound.close()
    victim.alive()


def port_scan():
    """What each kind of probe learns: an open port answers SYN and ACK, a closed one everything but RST."""
    victim = Victim()
    for flags, open_port, closed_port in (("S", "SA", "RA"), ("A", "R", "R"), ("F", None, "RA"), (0, None, "RA"),
                                          ("FPU", None, "RA"), ("R", None, None)):
        for stack_port, want in ((80, open_port), (81, closed_port)):
            peer = Peer(victim.tun, stack_port=stack_port)
            peer.send(flags, advance=False, ack=5 if flags == "A" else 0)
            found = [s.flags for s in victim.tun.drain(0.05) if peer.mine(s)]
            equal(found, [want] if want else [], f"answer of port {stack_port} to [{flags}]")
    victim.alive()


def swapped_words_pass_the_checksum():
    """The checksum is a sum: two exchanged 16-bit words go unnoticed, one flipped bit does not."""
    victim = Victim()
    peer = Peer(victim.tun)
    peer.connect()
    conn = net.accept(victim.listener)
    segment = bytearray(peer.build("PA", b"ABCDEFGH"))
    segment[-8:-4] = segment[-6:-4] + segment[-8:-6]
    flipped = bytearray(segment)
    flipped[-1] ^= 1
    raw(victim, bytes(flipped))
    peer.silence(0.1, "after a flipped bit")
    raw(victim, bytes(segment))
    peer.snd = (peer.snd + 8) & 0xFFFFFFFF
    peer.expect("A", ack=peer.snd)
    equal(conn.recv(100), b"CDABEFGH", "data")


def ack_to_listener():
    victim = Victim()
    peer = Peer(victim.tun)
    for flags in ("A", "SA"):
        peer.send(flags, advance=False, ack=12345)
        peer.expect("R", seq=12345)
    peer.send("R", advance=False)
    peer.silence(0.2, "after RST to a listener")
    victim.counted("listen_ack", "cookie_unsolicited", "cookie_bad")
    victim.counted("listen_rst")
    victim.alive()


def urgent_pointer():
    victim = Victim()
    peer = Peer(victim.tun)
    peer.connect()
    conn = net.accept(victim.listener)
    peer.send("PAU", b"abc", urgent=2000)
    peer.expect("A", ack=peer.snd)
    check(len(conn.recv(10)) >= 2, "data beside an urgent pointer")
    victim.alive()


def ack_of_unsent_data():
    victim = Victim()
    peer = Peer(victim.tun)
    peer.connect()
    conn = net.accept(victim.listener)
    peer.send("PA", b"x", advance=False, ack=peer.rcv + 5000)
    if net.IS_ATCP:  # Linux 6.1 is silent here; RFC 9293 3.10.7.4 asks for an ACK
        peer.expect("A", seq=peer.rcv, ack=peer.snd)
    check(not net.readable(conn, 0.1), "data with an impossible ACK was delivered")
    victim.counted("ack_unsent")
    victim.alive()


def a_few_bytes_at_a_time():
    """Fifteen hundred segments of eight bytes for a program that does not read: the window promised room for them."""
    victim = Victim()
    victim.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
    peer = Peer(victim.tun)
    peer.connect()
    conn = net.accept(victim.listener)
    want = b"".join(b"%07d " % i for i in range(1500))
    for i in range(1500):
        peer.send("A", want[8 * i:8 * i + 8])
        if i % 100 == 99:
            victim.tun.drain(0.01)
    net.until(lambda: len(conn.recv(20000, socket.MSG_PEEK)) == len(want), 5, "all of it")
    equal(conn.recv(20000), want, "data")
    if net.IS_ATCP:
        found = net.counts("stats")
        equal(found["TCPRcvQDrop"], 0, "segments dropped for want of memory")
        check(found["TCPRcvCollapsed"] > 0, "nothing was copied together")
    victim.alive()


def random_segments():
    """Two thousand random ones to a listener and a connection: neither breaks (nor does the kernel complain)."""
    import random
    rng = random.Random(20)
    victim = Victim()
    peer = Peer(victim.tun)
    peer.connect()
    conn = net.accept(victim.listener)
    for _ in range(2000):
        flags = rng.choice(["A", "PA", "SA", "U", "PAU", "F", "SF", 0, "S"])
        peer.send(flags, rng.randbytes(rng.choice([0, 1, 10, 500])), advance=False,
                  seq=(peer.snd + rng.choice([-70000, 70000, 10**9, 1 << 31])) & 0xFFFFFFFF,
                  ack=rng.getrandbits(32), options=rng.randbytes(rng.choice([0, 4, 8, 20, 40])),
                  window=rng.getrandbits(16), urgent=rng.getrandbits(16))
    victim.tun.drain(0.5)
    peer.send("PA", b"still here")
    net.readable(conn, 1)
    equal(conn.recv(100), b"still here", "data after random segments")
    victim.alive()


if __name__ == "__main__":
    net.main(truncated_headers, data_offset_below_5, data_offset_beyond_segment, option_of_length_0,
             option_past_the_end, option_of_unknown_kind, option_garbage_on_data, bad_checksum,
             bad_checksum_on_connection, syn_with_fin, no_flags, no_flags_on_connection, fin_to_listener,
             syn_to_broadcast, syn_to_multicast, syn_from_multicast_or_zero, fragments_are_reassembled,
             lone_fragment_is_no_segment, nobody_there, bound_port_without_listener, port_scan,
             swapped_words_pass_the_checksum, ack_to_listener, urgent_pointer, ack_of_unsent_data, a_few_bytes_at_a_time, random_segments)
