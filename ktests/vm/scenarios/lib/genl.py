# SPDX-License-Identifier: GPL-2.0
"""The generic netlink family by raw messages, with the names of uapi/atcp.yaml: for what no tool would send, and to see what no tool
shows. Attributes are dictionaries by name (a list for those that may come more than once); bytes are sent as they are."""

import errno
import functools
import os
import socket
import struct

import yaml

from lib import net

NETLINK_GENERIC, SOL_NETLINK, NETLINK_CAP_ACK, NETLINK_EXT_ACK, NETLINK_GET_STRICT_CHK = 16, 270, 10, 11, 12
GENL_ID_CTRL, CTRL_CMD_GETFAMILY, CTRL_ATTR_FAMILY_ID, CTRL_ATTR_FAMILY_NAME = 16, 3, 1, 2
NLMSG_ERROR, NLMSG_DONE = 2, 3
REQUEST, ACK, DUMP, NESTED = 1, 4, 0x300, 0x8000
NLM_F_CAPPED, NLM_F_ACK_TLVS = 0x100, 0x200
NLMSGERR_ATTR_MSG, NLMSGERR_ATTR_OFFS = 1, 2
NUMBER = {"u8": "=B", "u16": "=H", "u32": "=I", "u64": "=Q"}


class Refused(Exception):
    """The kernel's answer: name of the errno, message, offset of the attribute at fault in the request (or None)."""

    def __init__(self, code, text, offset):
        super().__init__(f"{code}: {text}")
        self.code, self.text, self.offset = code, text, offset


@functools.cache
def spec():
    with open(os.path.join(net.TOP, "uapi/atcp.yaml"), encoding="utf-8") as f:
        return yaml.load(f, getattr(yaml, "CSafeLoader", yaml.SafeLoader))


@functools.cache
def attributes(name):
    """{attribute: (number, its entry)} of a set."""
    entries = next(s for s in spec()["attribute-sets"] if s["name"] == name)["attributes"]
    return {a["name"]: (number, a) for number, a in enumerate(entries, 1)}


@functools.cache
def commands():
    return {o["name"]: number for number, o in enumerate(spec()["operations"]["list"], 1)}


@functools.cache
def enum(name):
    """{entry: number} of a definition."""
    found = next(d for d in spec()["definitions"] if d["name"] == name)
    return {e["name"]: number for number, e in enumerate(found["entries"], found.get("value-start", 0))}


def states(*names):
    return sum(1 << enum("state")[name] for name in names)


def tlv(kind, payload):
    return struct.pack("=HH", 4 + len(payload), kind) + payload + b"\0" * (-len(payload) % 4)


def encode(name, values):
    """A dictionary as attributes of a set."""
    if isinstance(values, bytes):
        return values
    out = b""
    for key, value in values.items():
        number, a = attributes(name)[key]
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, dict) or a["type"] == "nest":
                out += tlv(number | NESTED, encode(a["nested-attributes"], one))
            elif isinstance(one, bytes):
                out += tlv(number, one)
            elif a["type"] == "string":
                out += tlv(number, one.encode() + b"\0")
            else:
                out += tlv(number, struct.pack(NUMBER[a["type"]], one))
    return out


def split(data):
    while len(data) >= 4:
        length, kind = struct.unpack_from("=HH", data)
        net.check(4 <= length <= len(data), f"an attribute of {length} bytes in {len(data)}")
        yield kind & 0x3FFF, data[4:length]
        data = data[(length + 3) & ~3:]


def decode(name, data):
    by_number = {number: a for number, a in attributes(name).values()}
    found = {}
    for kind, payload in split(data):
        a = by_number[kind]
        if a["type"] == "nest":
            value = decode(a["nested-attributes"], payload)
        elif a["type"] == "string":
            net.check(payload.endswith(b"\0"), f"{a['name']} has no end")
            value = payload[:-1].decode()
        elif a["type"] in ("binary", "pad"):
            value = payload
        else:
            value = True if a["type"] == "flag" else struct.unpack(NUMBER[a["type"]], payload)[0]
        if a["type"] == "pad":
            continue
        if a.get("multi-attr"):
            found.setdefault(a["name"], []).append(value)
        else:
            net.check(a["name"] not in found, f"{a['name']} comes twice")
            found[a["name"]] = value
    return found


class Family:
    """A netlink socket of this process's namespace."""

    def __init__(self):
        self.sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_GENERIC)
        self.sock.setsockopt(SOL_NETLINK, NETLINK_EXT_ACK, 1)
        self.sock.setsockopt(SOL_NETLINK, NETLINK_GET_STRICT_CHK, 1)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.sock.bind((0, 0))
        self.seq = 0
        [reply] = self.exchange(GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 2, REQUEST | ACK, tlv(CTRL_ATTR_FAMILY_NAME, b"atcp\0"))
        self.id = struct.unpack("=H", dict(split(reply))[CTRL_ATTR_FAMILY_ID])[0]

    def close(self):
        self.sock.close()

    def send(self, kind, command, version, flags, payload):
        self.seq += 1
        body = struct.pack("=BBH", command, version, 0) + payload
        self.sock.send(struct.pack("=IHHII", 16 + len(body), kind, flags, self.seq, 0) + body)

    def exchange(self, kind, command, version, flags, payload):
        """The payloads of the answers."""
        self.send(kind, command, version, flags, payload)
        return [a for page in self.receive() for a in page]

    def receive(self):
        """The payloads of the answers to what was sent last, as many at a time as are read at once."""
        while True:
            data, at, answers = self.sock.recv(1 << 18), 0, []
            while at < len(data):
                length, what, head, seq, _ = struct.unpack_from("=IHHII", data, at)
                begin, end = at + 16, at + length
                at += (length + 3) & ~3
                if seq != self.seq:
                    continue
                if what in (NLMSG_ERROR, NLMSG_DONE):
                    self.verdict(data[begin:end], what, head)
                    yield answers
                    return
                answers.append(data[begin + 4:end])
            yield answers

    @staticmethod
    def verdict(message, what, head):
        code = struct.unpack_from("=i", message)[0] if len(message) >= 4 else 0
        if not code:
            return
        rest = b""
        if head & NLM_F_ACK_TLVS:
            # An error repeats the request's header, and all of the request unless it is capped.
            skip = 4 if what == NLMSG_DONE else 4 + (16 if head & NLM_F_CAPPED else struct.unpack_from("=I", message, 4)[0])
            rest = message[(skip + 3) & ~3:]
        tlvs = dict(split(rest))
        offset = tlvs.get(NLMSGERR_ATTR_OFFS)
        raise Refused(errno.errorcode[-code], tlvs.get(NLMSGERR_ATTR_MSG, b"\0")[:-1].decode(),
                      struct.unpack("=I", offset)[0] if offset else None)

    def do(self, op, values=b"", flags=REQUEST | ACK, version=1):
        """The decoded answer, or None if there is none."""
        answers = self.exchange(self.id, commands()[op], version, flags, encode("atcp", values))
        return decode("atcp", answers[0]) if answers else None

    def dump(self, op, values=b""):
        """What each message of a dump holds: the one nest."""
        return [row for page in self.dump_pages(op, values) for row in page]

    def dump_pages(self, op, values=b""):
        """The same, as much at a time as is read at once. The kernel makes the next page when this one is read."""
        self.send(self.id, commands()[op], 1, REQUEST | ACK | DUMP, encode("atcp", values))
        for page in self.receive():
            found = []
            for a in page:
                [(_, value)] = decode("atcp", a).items()
                found.append(value[0] if isinstance(value, list) else value)
            yield found

    def sockets(self, **conditions):
        return self.dump("socket-get", {"filter": {k.replace("_", "-"): v for k, v in conditions.items()}} if conditions else b"")

    def kill(self, **conditions):
        return self.do("socket-kill", {"filter": {k.replace("_", "-"): v for k, v in conditions.items()}})["count"]
