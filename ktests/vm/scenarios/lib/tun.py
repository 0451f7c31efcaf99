# SPDX-License-Identifier: GPL-2.0
"""A TUN device in a private network namespace and a hand-driven TCP peer behind
it. The peer answers nothing by itself: a scenario says what it sends and what
it expects, so each reaction of the stack is seen alone."""

import fcntl
import os
import random
import select
import struct
import time

from . import net, packet

TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 1, 0x1000


class Tun:
    """Device `tun0`: the stack has 10.9.0.1, everything else in 10.9.0.0/24 is ours (over IPv6 what packet.six() makes of that)."""

    def __init__(self, local="10.9.0.1", peer="10.9.0.2", mtu=1500, name="tun0"):
        self.local, self.peer, self.name = local, peer, name
        self.fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(self.fd, TUNSETIFF, struct.pack("16sH", name.encode(), IFF_TUN | IFF_NO_PI))
        try:
            with open(f"/proc/sys/net/ipv6/conf/{name}/disable_ipv6", "w", encoding="ascii") as f:
                f.write("0" if packet.V6 else "1")
        except FileNotFoundError:
            pass  # a kernel without IPv6
        if not packet.V6:
            net.interface_up(name, local, "255.255.255.0", mtu)
        else:
            net.interface_up(name, mtu=mtu)
            net.sh(f"ip -6 addr add {packet.six(local)}/120 dev {name} nodad")
            net.address_works(packet.six(local))
        self.icmp = False  # do packets of ICMPv6 matter?
        self.log = []
        self.start = time.monotonic()
        net.LAST_TUN.append(self)

    def note(self, direction, what):
        self.log.append(f"{time.monotonic() - self.start:9.3f} {direction} {what}")

    def send_raw(self, data):
        seg = None
        try:
            seg = packet.parse(data, 0)
        except (ValueError, struct.error):
            pass
        self.note(">", seg or data[:64].hex())
        os.write(self.fd, data)

    def read_raw(self, timeout):
        """The next packet of any kind, or None after `timeout` seconds."""
        until = time.monotonic() + timeout
        while True:
            left = until - time.monotonic()
            if not select.select([self.fd], [], [], max(left, 0))[0]:
                return None
            data = os.read(self.fd, 65536)
            if packet.V6 and data[0] >> 4 == 6 and data[6] in (0, 58) and not self.icmp:
                continue  # neighbours and groups
            if data[0] >> 4 == (6 if packet.V6 else 4):
                return data

    def read(self, timeout=1.0, protocols=(6,)):
        """The next TCP segment of the stack, or None."""
        until = time.monotonic() + timeout
        while True:
            data = self.read_raw(max(until - time.monotonic(), 0))
            if data is None:
                return None
            seg = packet.parse(data, time.monotonic(), protocols)
            if seg:
                self.note("<", seg)
                if not seg.checksum_ok:
                    raise net.Failed(f"the stack sent a wrong checksum: {seg}")
                return seg

    def drain(self, seconds):
        """All segments within `seconds`."""
        found, until = [], time.monotonic() + seconds
        while True:
            seg = self.read(max(until - time.monotonic(), 0))
            if seg is None:
                return found
            found.append(seg)


class Peer:
    """One end of a connection, driven by hand. snd/rcv are its next sequence numbers."""

    def __init__(self, tun, port=None, stack_port=80, addr=None, use_ts=False):
        self.tun = tun
        self.addr = addr or tun.peer
        self.port = port or random.randrange(20000, 30000)
        self.stack_port = stack_port
        self.snd = self.iss = random.getrandbits(32) | 0xFFFF0000
        self.rcv = 0
        self.irs = None
        self.use_ts = use_ts
        self.tsval, self.tsecr = 1000, 0

    def build(self, flags="A", payload=b"", seq=None, ack=None, options=b"", **more):
        if isinstance(options, (list, tuple)):
            options = b"".join(options)
        if self.use_ts and "R" not in str(flags):
            self.tsval += 1
            options = options + b"\x01\x01" + packet.timestamps(self.tsval, self.tsecr)
        bits = packet.flag_bits(flags)
        ack = (self.rcv if bits & packet.ACK else 0) if ack is None else ack
        return packet.tcp(self.addr, self.tun.local, self.port, self.stack_port, self.snd if seq is None else seq, ack,
                          flags, options=options, payload=payload, **more)

    def send(self, flags="A", payload=b"", advance=True, seq=None, ip_options=b"", **more):
        """Sends a segment; an in-order one moves our own sequence number."""
        self.tun.send_raw(packet.ipv4(self.addr, self.tun.local, self.build(flags, payload, seq=seq, **more),
                                      options=ip_options))
        if advance and seq is None:
            bits = packet.flag_bits(flags)
            self.snd = (self.snd + len(payload) + bool(bits & packet.SYN) + bool(bits & packet.FIN)) & 0xFFFFFFFF

    def mine(self, seg):
        return seg.src == self.tun.local and seg.sport == self.stack_port and seg.dport == self.port

    def repeated(self, seg):
        """Of what was received already: on a real clock a slow machine may send it again before it hears of that."""
        if net.VIRTUAL_TIME or not self.rcv or not seg.length or "S" in seg.flags:
            return False
        return (self.rcv - seg.seq - seg.length) & 0xFFFFFFFF < 0x80000000

    def expect(self, flags, timeout=1.0, what="", **fields):
        """The next segment to us must have these flags ('P' is not compared; None: any) and fields. How soon it comes is a question for
        virtual time (net.patience())."""
        until = time.monotonic() + net.patience(timeout)
        while True:
            seg = self.tun.read(max(until - time.monotonic(), 0))
            if seg is None:
                raise net.Failed(f"expected [{flags}] {fields} {what}: nothing came within {net.patience(timeout)} s")
            if self.mine(seg) and not self.repeated(seg):
                break
        if flags is not None and seg.flags.replace("P", "") != flags.replace("P", ""):
            raise net.Failed(f"expected [{flags}] {what}, got {seg}")
        for name, value in fields.items():
            if getattr(seg, name) != value:
                raise net.Failed(f"expected {name} = {value} {what}, got {seg}")
        if seg.ts:
            self.tsecr = seg.ts[0]
        return seg

    def take(self, flags="A", timeout=1.0, **fields):
        """expect(), and count what it carries as received."""
        seg = self.expect(flags, timeout, seq=self.rcv, **fields)
        self.rcv = (self.rcv + seg.length) & 0xFFFFFFFF
        return seg

    def silence(self, seconds=0.3, what=""):
        for seg in self.tun.drain(seconds):
            if self.mine(seg):
                raise net.Failed(f"expected silence {what}, got {seg}")

    def syn_options(self, mss=packet.MSS, more=b""):
        return packet.mss(mss) + more

    def connect(self, mss=packet.MSS, options=b"", window=65535):
        """Active open by us: SYN, SYN-ACK, ACK. Returns the SYN-ACK."""
        self.send("S", options=self.syn_options(mss, options), window=window)
        syn_ack = self.expect("SA", ack=self.snd)
        self.irs = syn_ack.seq
        self.rcv = (syn_ack.seq + 1) & 0xFFFFFFFF
        self.send("A", window=window)
        return syn_ack

    def wait_syn(self, timeout=2.0):
        """The stack's SYN to our port; learns its port and sequence number."""
        until = time.monotonic() + net.patience(timeout)
        while True:
            seg = self.tun.read(max(until - time.monotonic(), 0))
            if seg is None:
                raise net.Failed("expected a SYN: nothing came")
            if seg.dport == self.port and "S" in seg.flags:
                break
        self.stack_port = seg.sport
        self.irs = seg.seq
        self.rcv = (seg.seq + 1) & 0xFFFFFFFF
        if seg.ts:
            self.tsecr = seg.ts[0]
        return seg

    def accept(self, mss=packet.MSS, options=b"", window=65535):
        """Passive open by us: waits for the SYN, answers, waits for the ACK."""
        syn = self.wait_syn()
        self.send("SA", options=self.syn_options(mss, options), window=window)
        self.expect("A", ack=self.snd, seq=self.rcv)
        return syn
