# SPDX-License-Identifier: GPL-2.0
"""Events of the generic netlink family without the atcp tool: a socket that
subscribes, and events as dictionaries. Numbers come from the uAPI header as it stands, so a
scenario names attributes and kinds as the header does."""

import os
import re
import select
import socket
import struct
import time

from . import net

NETLINK_GENERIC, SOL_NETLINK = 16, 270
NETLINK_ADD_MEMBERSHIP, NETLINK_DROP_MEMBERSHIP, NETLINK_CAP_ACK, NETLINK_EXT_ACK = 1, 2, 10, 11
NLM_F_REQUEST, NLM_F_ACK, NLM_F_DUMP = 1, 4, 0x300
NLMSG_ERROR, NLMSG_DONE, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, CTRL_ATTR_FAMILY_NAME = 2, 3, 16, 3, 2
NLA_NESTED = 0x8000


def _constants():
    """Every enumerator of the uAPI header: those without a value count on."""
    with open(os.path.join(net.TOP, "uapi", "linux", "atcp_netlink.h"), encoding="utf-8") as f:
        text = re.sub(r"/\*.*?\*/", "", f.read(), flags=re.S)
    found = {}
    for body in re.findall(r"enum\s*\w*\s*\{(.*?)\}", text, flags=re.S):
        number = 0
        for entry in filter(None, (e.strip() for e in body.split(","))):
            name, _, value = (part.strip() for part in entry.partition("="))
            if value:
                number = found[value] if value in found else int(re.sub(r"[()]", "", value).split("-")[0].split("<<")[0], 0) \
                    if re.match(r"^\(?\d", value) else number
            found[name] = number
            number += 1
    return found


C = _constants()


def attribute(kind, data):
    """data: bytes, or an int of 4 bytes."""
    data = struct.pack("=I", data) if isinstance(data, int) else data
    return struct.pack("=HH", 4 + len(data), kind) + data + b"\0" * (-len(data) % 4)


def nest(kind, *attributes):
    return attribute(kind | NLA_NESTED, b"".join(attributes))


def u(size, value):
    return struct.pack({1: "=B", 2: "=H", 4: "=I", 8: "=Q"}[size], value)


def attributes(data):
    """(type, payload) of each."""
    while len(data) >= 4:
        length, kind = struct.unpack_from("=HH", data)
        if length < 4:
            break
        yield kind & 0x3FFF, data[4:length]
        data = data[(length + 3) & ~3:]


NUMBERS = ("KIND", "TIME_NS", "SEQ", "ID", "LPORT", "RPORT", "FAMILY", "REASON", "OLD_STATE", "NEW_STATE", "TCP_SEQ", "LEN",
           "TCP_FLAGS", "RETRANSMIT", "CWND", "SSTHRESH", "CA_STATE", "SRTT_US", "INFLIGHT", "PACING_RATE", "DELIVERY_RATE", "QUEUE",
           "LIMIT", "COUNT")
KINDS = {v: k.removeprefix("ATCP_EVENT_KIND_").lower() for k, v in C.items() if k.startswith("ATCP_EVENT_KIND_")}
AGAIN = {v: k.removeprefix("ATCP_RETRANSMIT_KIND_").lower() for k, v in C.items() if k.startswith("ATCP_RETRANSMIT_KIND_")}
NAMES = {v: k.removeprefix("ATCP_EVENT_A_").lower() for k, v in C.items() if k.startswith("ATCP_EVENT_A_")}


def event_of(data):
    """An event's attributes by their names in lower case; kind in letters."""
    event = {}
    for kind, payload in attributes(data):
        name = NAMES.get(kind, str(kind))
        if name.upper() in NUMBERS:
            event[name] = int.from_bytes(payload, "little")
        elif name in ("laddr", "raddr"):
            event[name] = socket.inet_ntoa(payload) if len(payload) == 4 else socket.inet_ntop(socket.AF_INET6, payload)
        elif name == "reason_name":
            event[name] = payload.rstrip(b"\0").decode()
        else:
            event[name] = payload
    event["kind"] = KINDS[event["kind"]]
    if "retransmit" in event:
        event["retransmit"] = AGAIN[event["retransmit"]]
    return event


class Refused(Exception):
    def __init__(self, number, message):
        super().__init__(f"errno {number}: {message}")
        self.errno, self.message = number, message


class Family:
    """A netlink socket that knows the family's number and its group's."""

    def __init__(self, rcvbuf=None):
        self.sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_GENERIC)
        self.sock.bind((0, 0))
        self.sock.setsockopt(SOL_NETLINK, NETLINK_EXT_ACK, 1)
        self.sock.setsockopt(SOL_NETLINK, NETLINK_CAP_ACK, 1)
        if rcvbuf:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
        self.seq, self.pending, self.overruns = 0, [], 0
        self.id, self.group = GENL_ID_CTRL, 0
        reply = self.ask(CTRL_CMD_GETFAMILY, attribute(CTRL_ATTR_FAMILY_NAME, b"atcp\0"))
        for kind, payload in attributes(reply[0][4:]):
            if kind == 1:
                number = struct.unpack("=H", payload)[0]
            elif kind == 7:
                for _, group in attributes(payload):
                    self.group = struct.unpack("=I", dict(attributes(group))[2])[0]
        self.id = number

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def ask(self, command, payload=b"", flags=NLM_F_ACK):
        """Send a request; the generic messages that answer it. Events that come between are kept."""
        self.seq += 1
        body = struct.pack("=BBH", command, 1, 0) + payload
        self.sock.send(struct.pack("=IHHII", 16 + len(body), self.id, NLM_F_REQUEST | flags, self.seq, 0) + body)
        answers, done = [], False
        while not done:
            for kind, seq, data in self._receive(10):
                if seq != self.seq:
                    self.pending.append(data)
                elif kind == NLMSG_ERROR:
                    number = -struct.unpack_from("=i", data)[0]
                    if number:
                        text = dict(attributes(data[20:])).get(1, b"")
                        raise Refused(number, text.rstrip(b"\0").decode())
                    done = True
                elif kind == NLMSG_DONE:
                    done = True
                else:
                    answers.append(data)
        return answers

    def _receive(self, seconds):
        """Messages of one datagram; nothing if the time is over."""
        if not select.select([self.sock], [], [], seconds * net.SLOW)[0]:
            return []
        try:
            data = self.sock.recv(1 << 16)
        except OSError as e:
            if e.errno != 105:  # ENOBUFS
                raise
            self.overruns += 1
            return []
        messages = []
        while len(data) >= 16:
            length, kind, _, seq, _ = struct.unpack_from("=IHHII", data)
            messages.append((kind, seq, data[16:length]))
            data = data[(length + 3) & ~3:]
        return messages

    def subscribe(self, *conditions):
        """conditions: attributes of a filter; none: everything."""
        self.ask(C["ATCP_CMD_EVENT_SUBSCRIBE"], nest(C["ATCP_A_FILTER"], *conditions) if conditions else b"")

    def join(self, on=True):
        self.sock.setsockopt(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP if on else NETLINK_DROP_MEMBERSHIP, self.group)

    def events(self, seconds=0.3, enough=None):
        """What has come, until nothing comes for so long; not before enough(events) is true, unless that takes longer than any patience."""
        found = []
        raw, self.pending = self.pending, []
        end = time.monotonic() + net.patience(seconds)
        while True:
            for data in raw:
                net.equal(data[0], C["ATCP_CMD_EVENT_NTF"], "command of a message that nobody asked for")
                found += [event_of(p) for k, p in attributes(data[4:]) if k == C["ATCP_A_EVENT"]]
            before = self.overruns
            raw = [data for _, _, data in self._receive(seconds)]
            if not raw and self.overruns == before and (enough is None or time.monotonic() > end or enough(found)):
                return found

    def at_least(self, count, seconds=0.3):
        """events(), when so many have come."""
        return self.events(seconds, lambda found: len(found) >= count)


def kinds(*names):
    """The condition: only these kinds."""
    return attribute(C["ATCP_FILTER_A_EVENTS"], sum(1 << C["ATCP_EVENT_KIND_" + n.upper()] for n in names))


def reasons(*names):
    """The condition: events with a reason have one of these."""
    bits = bytearray(32)
    for name in names:
        number = C["ATCP_REASON_" + name.upper()]
        bits[number // 8] |= 1 << number % 8
    return attribute(C["ATCP_FILTER_A_REASONS"], bytes(bits))
