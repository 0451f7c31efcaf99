# SPDX-License-Identifier: GPL-2.0
"""IPv4, TCP and ICMP packets as Python values: built field by field, so that
every field can be wrong on purpose, and parsed back from what the stack sends.
No sockets and no devices here: see tun.py."""

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


def ipv4(src, dst, payload, proto=6, ttl=64, ident=1, frag_units=0, more=False, df=True, options=b""):
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
    pseudo = socket.inet_aton(src) + socket.inet_aton(dst) + struct.pack("!BBH", 0, pseudo_proto, len(segment))
    value = checksum(pseudo + segment)
    if bad_checksum:
        value ^= 0x5555
    return segment[:16] + struct.pack("!H", value) + segment[18:]


def icmp(kind, code, original, mtu=0):
    """An ICMP error that quotes the beginning of `original` (a whole IP packet)."""
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


def parse(packet, time, protocols=(6,)):
    """A Segment, or None when the packet is not IPv4 with one of the protocols."""
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
