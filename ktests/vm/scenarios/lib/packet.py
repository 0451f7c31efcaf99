# SPDX-License-Identifier: GPL-2.0
"""IP, TCP and ICMP packets as Python values: built field by field, so that
every field can be wrong on purpose, and parsed back from what the stack sends.
No sockets and no devices here: see tun.py.

With ATCP_FAMILY=6 the same scenarios run over IPv6: addresses are written as
IPv4's everywhere, and 10.9.0.1 means fd00::10.9.0.1 then (see six())."""

import os
import socket
import struct
from dataclasses import dataclass, field

FIN, SYN, RST, PSH, ACK, URG = 1, 2, 4, 8, 16, 32
_LETTERS = (("F", FIN), ("S", SYN), ("R", RST), ("P", PSH), ("A", ACK), ("U", URG))


def flag_bits(flags):
    """'SA' -> SYN|ACK; numbers pass through."""
    if isinstance(flags, int):
        return flags
    return sum(bit for letter, bit in _LETTERS if letter in flags)


def flag_text(bits):
    return "".join(letter for letter, bit in _LETTERS if bits & bit)


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


V6 = os.environ.get("ATCP_FAMILY") == "6"
IP_HEADER = 40 if V6 else 20
MSS = 1500 - IP_HEADER - 20  # what the stack offers on a link with an MTU of 1500
_SPECIAL = {"127.0.0.1": "::1", "0.0.0.0": "::", "224.0.0.1": "ff02::1", "224.0.0.5": "ff02::5"}
# ICMP's type and code in ICMPv6: an unreachable destination, an MTU, a time, a parameter.
FRAG_NEEDED = (3, 4)
ICMP6 = {(3, 0): (1, 0), (3, 1): (1, 3), (3, 3): (1, 4), (3, 4): (2, 0), (3, 13): (1, 1), (11, 0): (3, 0), (12, 0): (4, 0)}


def six(addr):
    """The IPv6 address that stands for an IPv4 one."""
    if ":" in addr:
        return addr
    return _SPECIAL.get(addr) or socket.inet_ntop(socket.AF_INET6, b"\xfd" + bytes(11) + socket.inet_aton(addr))


def four(addr):
    """And back; what stands for none stays as it is."""
    for plain, special in _SPECIAL.items():
        if addr == special:
            return plain
    data = socket.inet_pton(socket.AF_INET6, addr) if ":" in addr else b""
    return socket.inet_ntoa(data[12:]) if data[:12] == b"\xfd" + bytes(11) else addr


def spelt(addr):
    """An address as a command wants it, of the family that is being run; 10.1.0.1/24 keeps its prefix."""
    if not V6:
        return addr
    host, slash, length = addr.partition("/")
    return six(host) + (f"/{96 + int(length)}" if slash else "")


def in_url(addr):
    """The same in front of a port."""
    return f"[{six(addr)}]" if V6 else addr


def addr_bytes(addr):
    return socket.inet_pton(socket.AF_INET6, six(addr)) if V6 else socket.inet_aton(addr)


def pseudo_header(src, dst, proto, length):
    """src, dst: bytes."""
    if len(src) == 16:
        return src + dst + struct.pack("!IxxxB", length, proto)
    return src + dst + struct.pack("!BBH", 0, proto, length)


def _ipv6(src, dst, payload, proto, ttl):
    if proto == 1:
        # Its checksum covers the addresses, which icmp() does not know.
        proto, payload = 58, payload[:2] + b"\0\0" + payload[4:]
        value = checksum(pseudo_header(addr_bytes(src), addr_bytes(dst), proto, len(payload)) + payload)
        payload = payload[:2] + struct.pack("!H", value) + payload[4:]
    return struct.pack("!IHBB", 6 << 28, len(payload), proto, ttl) + addr_bytes(src) + addr_bytes(dst) + payload


def ipv4(src, dst, payload, proto=6, ttl=64, ident=1, frag_units=0, more=False, df=True, options=b""):
    """A packet of the family that is being run. Options are IPv4's alone."""
    if V6 and not options:
        if frag_units or more:
            payload = struct.pack("!BxHI", proto, frag_units << 3 | more, ident) + payload
            proto = 44
        return _ipv6(src, dst, payload, proto, ttl)
    options += b"\0" * (-len(options) % 4)
    frag = frag_units | (0x2000 if more else 0) | (0x4000 if df else 0)
    head = struct.pack("!BBHHHBBH4s4s", 0x45 + len(options) // 4, 0, 20 + len(options) + len(payload), ident, frag,
                       ttl, proto, 0, socket.inet_aton(src), socket.inet_aton(dst)) + options
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def source_route(hops, at=None, strict=False):
    """The IP option with these addresses; `at`: how many of them are behind us (all: completed)."""
    at = len(hops) if at is None else at
    return struct.pack("!BBB", 137 if strict else 131, 3 + 4 * len(hops), 4 + 4 * at) + \
        b"".join(socket.inet_aton(h) for h in hops) + b"\0"


def mss(value):
    return struct.pack("!BBH", 2, 4, value)


def wscale(shift):
    return struct.pack("!BBB", 3, 3, shift)


SACK_OK = b"\x04\x02"


def fastopen(cookie=b""):
    """The option of RFC 7413, padded: a cookie, or the wish for one."""
    option = struct.pack("!BB", 34, 2 + len(cookie)) + cookie
    return b"\1" * (-len(option) % 4) + option


def timestamps(value, echo):
    return struct.pack("!BBII", 8, 10, value & 0xFFFFFFFF, echo & 0xFFFFFFFF)


def sack(*blocks):
    return struct.pack("!BB", 5, 2 + 8 * len(blocks)) + b"".join(struct.pack("!II", a, b) for a, b in blocks)


def tcp(src, dst, sport, dport, seq=0, ack=0, flags="A", window=65535, options=b"", payload=b"",
        offset=None, bad_checksum=False, urgent=0, pseudo_proto=6):
    """One TCP segment (no IP header). Options are padded with end-of-list."""
    if isinstance(options, (list, tuple)):
        options = b"".join(options)
    options += b"\0" * (-len(options) % 4)
    doff = 5 + len(options) // 4 if offset is None else offset
    head = struct.pack("!HHIIBBHHH", sport, dport, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF, doff << 4,
                       flag_bits(flags), window, 0, urgent)
    segment = head + options + payload
    value = checksum(pseudo_header(addr_bytes(src), addr_bytes(dst), pseudo_proto, len(segment)) + segment)
    if bad_checksum:
        value ^= 0x5555
    return segment[:16] + struct.pack("!H", value) + segment[18:]


def icmp(kind, code, original, mtu=0):
    """An ICMP error that quotes the beginning of `original` (a whole IP packet)."""
    if V6:
        kind, code = ICMP6[kind, code]
        return struct.pack("!BBHI", kind, code, 0, mtu) + original[:48]
    body = struct.pack("!BBHHH", kind, code, 0, 0, mtu) + original[:28]
    return body[:2] + struct.pack("!H", checksum(body)) + body[4:]


@dataclass
class Segment:
    """A parsed packet of the stack. `time` is the monotonic second at which it was read."""

    time: float
    src: str
    dst: str
    sport: int
    dport: int
    seq: int
    ack: int
    flags: str
    window: int
    payload: bytes
    checksum_ok: bool
    df: bool
    ttl: int
    proto: int
    mss: int | None = None
    wscale: int | None = None
    sack_ok: bool = False
    ts: tuple | None = None
    sack: list = field(default_factory=list)
    fastopen: bytes | None = None
    raw: bytes = b""
    source_route: tuple | None = None  # the option's kind, then all hops from the first to dst, where it ends

    @property
    def length(self):
        """Sequence numbers that it takes."""
        return len(self.payload) + ("S" in self.flags) + ("F" in self.flags)

    def __str__(self):
        text = f"{self.src}:{self.sport} > {self.dst}:{self.dport} [{self.flags}] seq {self.seq} ack {self.ack}"
        text += f" win {self.window} len {len(self.payload)}"
        for name in ("mss", "wscale", "ts"):
            if getattr(self, name) is not None:
                text += f" {name} {getattr(self, name)}"
        if self.sack_ok:
            text += " sackOK"
        if self.sack:
            text += f" sack {self.sack}"
        return text


def _parse_options(seg, data):
    while data:
        kind = data[0]
        if kind == 0:
            return
        if kind == 1:
            data = data[1:]
            continue
        if len(data) < 2 or data[1] < 2 or data[1] > len(data):
            raise ValueError(f"the stack sent a broken option list: {data.hex()}")
        body, data = data[2:data[1]], data[data[1]:]
        if kind == 2:
            seg.mss = struct.unpack("!H", body)[0]
        elif kind == 3:
            seg.wscale = body[0]
        elif kind == 4:
            seg.sack_ok = True
        elif kind == 5:
            words = struct.unpack(f"!{len(body) // 4}I", body)
            seg.sack = list(zip(words[::2], words[1::2]))
        elif kind == 34:
            seg.fastopen = body
        elif kind == 8:
            seg.ts = struct.unpack("!II", body)


def _parse_source_route(options, dst):
    """The source route among IP options that has just begun, as in Segment, and where it ends."""
    while options and options[0]:
        if options[0] == 1:
            options = options[1:]
            continue
        kind, length = options[0], options[1]
        if kind in (131, 137):
            hops = [socket.inet_ntoa(options[i:i + 4]) for i in range(3, length, 4)]
            if options[2] != 4:
                raise ValueError(f"the stack sent a source route that is not at its beginning: {options.hex()}")
            return (kind, dst, *hops), hops[-1]
        options = options[length:]
    return None, dst


def _parse6(packet, time, protocols):
    length, proto, ttl = struct.unpack("!HBB", packet[4:8])
    if proto not in protocols:
        return None
    body = packet[40:40 + length]
    src, dst = (four(socket.inet_ntop(socket.AF_INET6, packet[at:at + 16])) for at in (8, 24))
    sport, dport, seq, ack, off, flags, window = struct.unpack("!HHIIBBH", body[:16])
    good = checksum(pseudo_header(packet[8:24], packet[24:40], proto, len(body)) + body) == 0
    seg = Segment(time, src, dst, sport, dport, seq, ack, flag_text(flags), window, body[(off >> 4) * 4:], good, True, ttl,
                  proto, raw=packet)
    _parse_options(seg, body[20:(off >> 4) * 4])
    return seg


def parse(packet, time, protocols=(6,)):
    """A Segment, or None when the packet is none of this family with one of the protocols."""
    if V6 and len(packet) >= 40 and packet[0] >> 4 == 6:
        return _parse6(packet, time, protocols)
    if len(packet) < 20 or packet[0] >> 4 != 4:
        return None
    ihl = (packet[0] & 15) * 4
    total, _, frag = struct.unpack("!HHH", packet[2:8])
    proto = packet[9]
    if proto not in protocols:
        return None
    src, dst = socket.inet_ntoa(packet[12:16]), socket.inet_ntoa(packet[16:20])
    body = packet[ihl:total]
    sport, dport, seq, ack, off, flags, window = struct.unpack("!HHIIBBH", body[:16])
    route, dst = _parse_source_route(packet[20:ihl], dst)
    pseudo = packet[12:16] + socket.inet_aton(dst) + struct.pack("!BBH", 0, proto, len(body))
    seg = Segment(time, src, dst, sport, dport, seq, ack, flag_text(flags), window, body[(off >> 4) * 4:],
                  checksum(pseudo + body) == 0, bool(frag & 0x4000), packet[8], proto, raw=packet,
                  source_route=route)
    _parse_options(seg, body[20:(off >> 4) * 4])
    return seg
