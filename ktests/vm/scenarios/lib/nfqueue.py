# SPDX-License-Identifier: GPL-2.0
"""The program to which a rule (`queue num N`) hands packets: it says that each
may go on, in the order of their coming. What follows the rule then runs in this
process, and not where the packet came from."""

import socket
import struct
import threading

NETLINK_NETFILTER, QUEUE = 12, 3  # the latter is a subsystem of the former
PACKET, VERDICT, CONFIG = 0, 1, 2
PACKET_HDR, VERDICT_HDR, CFG_CMD, CFG_PARAMS = 1, 2, 1, 2
BIND, COPY_META, ACCEPT = 1, 1, 1
NLM_F_REQUEST, NLM_F_ACK, NLMSG_ERROR = 1, 4, 2


def attribute(kind, data):
    return struct.pack("HH", 4 + len(data), kind) + data + bytes(-len(data) % 4)


def attributes(data):
    at = 0
    while at + 4 <= len(data):
        length, kind = struct.unpack_from("HH", data, at)
        yield kind & 0x3FFF, data[at + 4:at + length]
        at += max((length + 3) & ~3, 4)


class Queue:
    """with Queue(0) as queue: ...; queue.passed: packets so far."""

    def __init__(self, number):
        self.number, self.passed, self.done = number, 0, threading.Event()
        self.sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self.sock.settimeout(0.2)
        self.thread = threading.Thread(target=self.serve)

    def tell(self, kind, body, flags=0):
        body = struct.pack(">BBH", socket.AF_UNSPEC, 0, self.number) + body
        self.sock.send(struct.pack("IHHII", 16 + len(body), QUEUE << 8 | kind, NLM_F_REQUEST | flags, 0, 0) + body)

    def ask(self, body):
        self.tell(CONFIG, body, NLM_F_ACK)
        error = -struct.unpack_from("i", self.sock.recv(4096), 16)[0]
        if error:
            raise OSError(error, "nfnetlink_queue")

    def __enter__(self):
        self.ask(attribute(CFG_CMD, struct.pack(">BBH", BIND, 0, 0)))
        self.ask(attribute(CFG_PARAMS, struct.pack(">IB", 0, COPY_META)))
        self.thread.start()
        return self

    def __exit__(self, *exc):
        self.done.set()
        self.thread.join()
        self.sock.close()

    def serve(self):
        while not self.done.is_set():
            try:
                messages = self.sock.recv(1 << 16)
            except TimeoutError:
                continue
            while len(messages) >= 16:
                length, kind = struct.unpack_from("IH", messages)
                if kind == QUEUE << 8 | PACKET:
                    number = next(data[:4] for kind, data in attributes(messages[20:length]) if kind == PACKET_HDR)
                    self.passed += 1
                    self.tell(VERDICT, attribute(VERDICT_HDR, struct.pack(">I", ACCEPT) + number))
                messages = messages[(length + 3) & ~3:]
