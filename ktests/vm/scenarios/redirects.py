#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# what: which redirects of a router a connection believes, forged, broken and fragmented ones included: the same as the kernel's TCP
# mode: smp
# families: 4 6
# kernels: 6.1 6.12
# seconds: 300
"""ICMP redirects made by hand, each about a connection of its own whose peer is behind a router."""

import os
import socket
import struct

from lib import net, packet
from lib.net import equal
from lib.tun import Peer, Tun

FAR, FAR_NET = ("fd00::a4d:1", "fd00::a4d:0/112") if packet.V6 else ("10.77.0.1", "10.77.0.0/16")
ROUTER, BETTER, THIRD = ("fe80::1", "fe80::2", "fe80::3") if packet.V6 else ("10.9.0.2", "10.9.0.4", "10.9.0.3")
REDIRECT6, REDIRECTED_HEADER, FRAGMENT = 137, 4, 44


def redirect(tun, quoted, source=ROUTER, hops=255, code=None, options=None, atomic=False):
    """`quoted` had better go by BETTER. options: instead of the one that quotes; atomic: in a fragment that is the whole."""
    if not packet.V6:
        body = struct.pack("!BBH", 5, 1 if code is None else code, 0) + socket.inet_aton(BETTER) + quoted[:28]
        body = body[:2] + struct.pack("!H", packet.checksum(body)) + body[4:]
        return packet.ipv4(source, tun.local, body, proto=1, ttl=hops)
    if options is None:
        quoted = quoted[:48]
        options = struct.pack("!BBxxxxxx", REDIRECTED_HEADER, 1 + len(quoted) // 8) + quoted
    body = struct.pack("!BBHI", REDIRECT6, code or 0, 0, 0) + packet.addr_bytes(BETTER) + packet.addr_bytes(FAR) + options
    whole = packet.ipv4(source, tun.local, body, proto=1, ttl=hops)
    if not atomic:
        return whole
    inner = struct.pack("!BBHI", whole[6], 0, 0, 7) + whole[40:]
    return whole[:4] + struct.pack("!HBB", len(inner), FRAGMENT, hops) + whole[8:40] + inner


def seq_of_another(quoted):
    at = packet.IP_HEADER + 4
    return quoted[:at] + bytes([quoted[at] ^ 0x40]) + quoted[at + 1:]


# {what it is: how it is made of what it quotes}
CASES = {
    "right": lambda tun, quoted: redirect(tun, quoted),
    "another sequence number": lambda tun, quoted: redirect(tun, seq_of_another(quoted)),
    "of a router that is not ours": lambda tun, quoted: redirect(tun, quoted, source=THIRD),
    "too short": lambda tun, quoted: redirect(tun, quoted)[:packet.IP_HEADER + 20],
}
if packet.V6:
    CASES |= {
        "from afar": lambda tun, quoted: redirect(tun, quoted, hops=254),
        "of a global address": lambda tun, quoted: redirect(tun, quoted, source=packet.six("10.9.0.2")),
        "code 1": lambda tun, quoted: redirect(tun, quoted, code=1),
        "an option of no length": lambda tun, quoted: redirect(tun, quoted, options=bytes([2, 0] + [0] * 6) + bytes(64)),
        "an option longer than the packet": lambda tun, quoted: redirect(tun, quoted, options=bytes([2, 99] + [0] * 6) + bytes(64)),
        "nothing quoted": lambda tun, quoted: redirect(tun, quoted, options=b""),
        "half a header quoted": lambda tun, quoted: redirect(tun, quoted, options=bytes([REDIRECTED_HEADER, 4] + [0] * 6) + quoted[:24]),
        "in a fragment": lambda tun, quoted: redirect(tun, quoted, atomic=True),
    }


# With a route at hand the kernel does not ask IPv6's who has said it; one that quotes nothing is for any route.
BELIEVED = ["right", *["of a router that is not ours", "nothing quoted"] * packet.V6, "right, once more"]


def connection(tun, lst, port, peer_port):
    peer = Peer(tun, port=peer_port, stack_port=port, addr=FAR)
    peer.connect()
    return peer, net.accept(lst)


def way():
    return next(word for before, word in zip(*[net.sh(f"ip route get {FAR}").split()[n:] for n in (0, 1)]) if before == "via")


def believed(tun, other, proto, port):
    """Of each case, whether the route changed."""
    lst = net.listener(port=port, proto=proto)
    found = {}

    def one(name, make, prepare=None, by=tun):
        peer, conn = connection(tun, lst, port, 20000 + len(found))
        if prepare:
            prepare(conn)
        conn.sendall(b"data")
        quoted = packet.tcp(tun.local, FAR, port, peer.port, peer.rcv, peer.snd, "PA", payload=b"data")
        quoted = packet.ipv4(tun.local, FAR, quoted, ttl=64)
        peer.take()
        # Twice: over IPv4 the first one may only make the kernel look for the router.
        for _ in range(2):
            os.write(by.fd, make(tun, quoted))
        found[name] = way() == BETTER
        conn.close()
        net.sh(f"ip route del {FAR_NET} && ip route add {FAR_NET} via {ROUTER} dev tun0")

    for name, make in CASES.items():
        one(name, make)
    one("by another link", CASES["right"], lambda conn: conn.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"tun0"), other)
    if not packet.V6:
        one("of what came too far", CASES["right"], lambda conn: conn.setsockopt(*net.IP_MINTTL, 100))
    net.sh(f"sysctl -qw net.ipv{6 if packet.V6 else 4}.conf.all.accept_redirects=0 net.ipv{6 if packet.V6 else 4}.conf.tun0.accept_redirects=0")
    one("not wanted", CASES["right"])
    net.sh(f"sysctl -qw net.ipv{6 if packet.V6 else 4}.conf.all.accept_redirects=1 net.ipv{6 if packet.V6 else 4}.conf.tun0.accept_redirects=1")
    one("right, once more", CASES["right"])
    lst.close()
    tun.drain(0.05)
    return found


def same_as_the_kernels():
    tun = Tun()
    other = Tun(local="10.9.1.1", peer="10.9.1.2", name="tun1")
    if packet.V6:
        net.sh("ip -6 addr add fe80::9/64 dev tun0 nodad")
        net.address_works("fe80::9")
        # Else what a redirect has made goes at the next look, within half a minute: behind a TUN device nobody is known to be a router.
        net.sh("sysctl -qw net.ipv6.route.gc_interval=86400 net.ipv6.route.flush=1")
    net.sh(f"ip route add {FAR_NET} via {ROUTER} dev tun0")
    kernel = believed(tun, other, socket.IPPROTO_TCP, 9600)
    equal([name for name, yes in kernel.items() if yes], BELIEVED, "the kernel's TCP believes")
    ours = believed(tun, other, net.PROTO, 9601)
    equal(ours, kernel, "ours")


if __name__ == "__main__":
    net.main(same_as_the_kernels)
