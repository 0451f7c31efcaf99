#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# what: a small MTU in the middle is found through ICMP, or without; one at home too; redirects are obeyed; the firewall's word counts; ICMP errors reach the application
# mode: smp
# families: 4 6
# kernels: 6.1 6.12
# seconds: 900
"""What routers and firewalls on the path do to a connection."""

import os
import socket
import time

from lib import net, nfqueue, packet
from lib.flows import tested


SERVER, BEHIND = packet.spelt("10.1.0.1"), packet.spelt("10.2.0.2")
TO_A, TO_B = (f"default via {packet.spelt(addr)}" for addr in ("10.1.0.254", "10.2.0.254"))  # a's and b's way to the router
# IPv6 has no link of less than 1280.
SMALL, LEAST = (1400, 1280) if packet.V6 else (1000, 576)
FAMILY, ICMP = ("ip6", "icmpv6 type packet-too-big") if packet.V6 else ("ip", "icmp type destination-unreachable")
FORWARD = "net.ipv6.conf.all.forwarding" if packet.V6 else "net.ipv4.ip_forward"


class Router(net.Namespaces):
    """a (10.1.0.1) -- r -- b (10.2.0.2); the second link has a smaller MTU."""

    def __init__(self, mtu=1500):
        super().__init__("a", "r", "b")
        self.mtu = mtu

    def __enter__(self):
        super().__enter__()
        self.link("a", "10.1.0.1/24", "r", "10.1.0.254/24")
        inner, outer = self.link("r", "10.2.0.254/24", "b", "10.2.0.2/24")
        self.run("r", f"ip link set {inner} mtu {self.mtu} && sysctl -qw {FORWARD}=1")
        self.run("b", f"ip link set {outer} mtu {self.mtu}")
        self.run("a", f"ip route add {TO_A}")
        self.run("b", f"ip route add {TO_B}")
        return self


def transfer(hosts, left, right, role="both", size=500001):
    program = f"{net.PROGS}/xfer"
    options = f"--bytes {size} --timeout 30 --role"
    other = {"both": "both", "send": "recv", "recv": "send"}[role]
    # The server (a) has no idea of the small link: only ICMP can tell it.
    server = hosts.spawn("a", f"{program} server {SERVER} 7001 --proto {left} {options} {other}")
    client = hosts.spawn("b", f"{program} client {SERVER} 7001 --proto {right} {options} {role}")
    net.finish(client, "client")
    return net.last_json(net.finish(server, "server"))


def mtu_in_the_middle():
    """b announces a large MSS although its link is small, so a learns the path MTU from ICMP."""
    for mtu in (SMALL, LEAST):
        with Router(mtu) as hosts:
            hosts.run("b", f"ip route replace {TO_B} advmss {packet.MSS}")
            transfer(hosts, tested(), "tcp", "recv")
            route = hosts.run("a", f"ip route get {BEHIND}")
            net.check(f"mtu {mtu}" in route, f"path MTU not learnt: {route}")


def mtu_in_the_middle_from_kernel_peer():
    """The other way round: the kernel's TCP sends large segments to a connection of ours."""
    with Router(SMALL) as hosts:
        hosts.run("b", f"ip route replace {TO_B} advmss {packet.MSS}")
        transfer(hosts, "tcp", tested(), "recv")


def mtu_falls_while_idle():
    """The host's own route, or its link, carries less than before while nothing is under way: what is written next arrives."""
    data = bytes(range(256)) * 160
    for lower in (f"ip route change {TO_A} mtu {LEAST + 24}", f"ip link set vr mtu {LEAST + 24}"):
        with Router() as hosts:
            with hosts.inside("b"):
                server = net.listener("10.2.0.2", 7001)
            with hosts.inside("a"):
                client = net.new_socket()
                client.connect(("10.2.0.2", 7001))
            peer = net.accept(server)
            client.sendall(data[:1])
            net.equal(peer.recv(1), data[:1], "before")
            time.sleep(0.5)
            hosts.run("a", lower)
            client.sendall(data)
            got = b""
            while len(got) < len(data):
                net.check(net.readable(peer, net.patience(10)), f"nothing comes after {len(got)} bytes: {lower}")
                got += peer.recv(65536)
            net.check(got == data, f"something else arrived: {lower}")
            for sock in (client, peer, server):
                sock.close()


def black_hole():
    """The router says nothing about the small link behind it: mtu_probing = 1 gets the data through, 0 does not."""
    def probing(mode):
        if net.IS_ATCP:
            net.set_param("mtu_probing", mode, hosts.prefix("a"))
        else:
            hosts.run("a", f"sysctl -qw net.ipv4.tcp_mtu_probing={mode}")

    for mode in (0, 1):
        with Router(SMALL) as hosts:
            probing(mode)
            hosts.run("b", f"ip route replace {TO_B} advmss {packet.MSS}")
            hosts.run("r", f"nft add table {FAMILY} t && nft 'add chain {FAMILY} t out {{ type filter hook output priority 0; }}' && "
                           f"nft add rule {FAMILY} t out {ICMP} counter drop")
            program = f"{net.PROGS}/xfer"
            # After a probe that failed the next one waits for as many round trips as the window has segments: there has to be data then.
            size = 2000001 if mode else 300001
            server = hosts.spawn("a", f"{program} server {SERVER} 7001 --proto {tested()} --bytes {size} --timeout 40 "
                                      "--role send")
            client = hosts.spawn("b", f"{program} client {SERVER} 7001 --proto tcp --bytes {size} --timeout "
                                      f"{40 if mode else 8} --role recv")
            if mode:
                net.finish(client, "client")
                net.finish(server, "server")
            else:
                client.wait(120 * net.SLOW)
                net.check(client.returncode, "data passed the black hole without probing")
                server.kill()
                server.wait()
            net.check("packets 0 " not in hosts.run("r", "nft list ruleset"), "the router had nothing to hide")
            net.check("mtu" not in hosts.run("a", f"ip route get {BEHIND}"), "the path MTU was told after all")
            if mode and net.IS_ATCP:
                # Half of base_mss passes; from there upwards by probes.
                counts = net.counts("stats", hosts.prefix("a"))
                net.check(counts["TCPMTUPSuccess"] and counts["TCPMTUPFail"], f"no probes: {counts}")


class TwoRouters(net.Namespaces):
    """a, r and q on one link; b behind q. a's only way is by r, who has to go back over the same link for it, and says so."""

    LOCAL = {"a": 1, "r": 254, "q": 253}

    def __enter__(self):
        super().__enter__()
        self.run("s", "ip link add br0 type bridge && ip link set br0 up")
        for name, number in self.LOCAL.items():
            net.sh(f"ip link add p{name} netns {self.tag}s type veth peer name eth0 netns {self.tag}{name}")
            self.run("s", f"ip link set p{name} master br0 up")
            addresses = [packet.spelt(f"10.1.0.{number}/24")] + [f"fe80::{number}/64"] * packet.V6
            for address in addresses:
                address += " nodad" * packet.V6
                self.run(name, f"ip addr add {address} dev eth0 && ip link set eth0 up")
        net.address_works(packet.spelt("10.1.0.1/24"), lambda command: self.run("a", command))
        self.link("q", "10.2.0.254/24", "b", "10.2.0.2/24")
        r, q = ("fe80::254", "fe80::253") if packet.V6 else ("10.1.0.254", "10.1.0.253")
        # Without a delay the answer is there while a program still sends, who has the socket: then it is lost, as on the kernel's TCP.
        self.run("a", f"ip route add default via {r} dev eth0 && tc qdisc add dev eth0 root netem delay 3ms")
        self.run("r", f"sysctl -qw {FORWARD}=1 && ip route add {packet.spelt('10.2.0.0/24')} via {q} dev eth0")
        self.run("q", f"sysctl -qw {FORWARD}=1")
        self.run("b", f"ip route add {TO_B}")
        self.better = q
        return self


def a_better_router():
    """A router's redirect is obeyed: what follows goes to the other router at once."""
    with TwoRouters("s", "a", "r", "q", "b") as hosts:
        with hosts.inside("b"):
            server = net.listener("10.2.0.2", 7001)
        with hosts.inside("a"):
            client = net.new_socket()
            client.settimeout(net.patience(5))
            client.connect(("10.2.0.2", 7001))
        peer = net.accept(server)
        got = 0

        def redirected():
            nonlocal got
            client.sendall(b"x")
            got += len(peer.recv(9))
            return f"via {hosts.better}" in hosts.run("a", f"ip route get {BEHIND}")
        net.until(redirected, 20, "the other router is used", step=0.2)
        before = hosts.run("r", "cat /sys/class/net/eth0/statistics/rx_bytes")
        client.sendall(bytes(100000))
        while got < 100000:
            got += len(peer.recv(65536))
        after = hosts.run("r", "cat /sys/class/net/eth0/statistics/rx_bytes")
        net.check(int(after) - int(before) < 20000, f"the first router has {int(after) - int(before)} bytes more of 100000")
        for sock in (client, peer, server):
            sock.close()


def firewall_drops():
    """A rule in `input` stands before us: SYNs to the port vanish; without the rule the same port answers."""
    lst = net.listener(port=8080)
    net.sh("nft add table inet t && nft 'add chain inet t in { type filter hook input priority 0; }' && "
           "nft add rule inet t in tcp dport 8080 counter drop")
    net.sysctl("syn_retries", 1)
    sock = net.new_socket()
    sock.settimeout(1.5)
    try:
        sock.connect(("127.0.0.1", 8080))
        raise net.Failed("connected through a drop rule")
    except socket.timeout:
        pass
    sock.close()
    rules = net.sh("nft list ruleset")
    net.check("counter packets 0" not in rules, f"the rule saw nothing: {rules}")
    net.sh("nft flush ruleset")
    sock = net.new_socket()
    sock.settimeout(net.patience(3))
    sock.connect(("127.0.0.1", 8080))
    net.accept(lst)


def firewall_rejects():
    """reject with an ICMP error or a reset is the application's error at once: not only when all SYNs have been sent in vain, after minutes."""
    net.listener(port=8080)
    net.sh("nft add table inet t && nft 'add chain inet t in { type filter hook input priority 0; }'")
    for rule, want in (("reject with icmpx type port-unreachable", "ECONNREFUSED"),
                       ("reject with icmpx type host-unreachable", "EHOSTUNREACH"),
                       ("reject with tcp reset", "ECONNREFUSED")):
        net.sh(f"nft flush chain inet t in && nft add rule inet t in tcp dport 8080 {rule}")
        sock = net.new_socket()
        sock.settimeout(net.patience(5))
        start = time.monotonic()
        net.equal(net.error_of(sock.connect, ("127.0.0.1", 8080)), want, rule)
        net.check(time.monotonic() - start < 25 * net.SLOW, "not at once")
        sock.close()


def firewall_asks_a_program():
    """What a rule queues for a program (NFQUEUE) comes to us from that program's system call: connections are opened, used and closed."""
    lst = net.listener(port=8080)
    net.sh("nft add table inet t && nft 'add chain inet t in { type filter hook input priority 0; }'")
    try:
        net.sh("nft add rule inet t in tcp dport 8080 queue num 7 && nft add rule inet t in tcp sport 8080 queue num 7")
    except net.Failed:
        net.sh("nft flush ruleset")
        if os.environ.get("ATCP_IN_VM") in ("debug", "race"):
            raise net.Skipped("this kernel was built without NFQUEUE") from None
        raise
    with nfqueue.Queue(7) as queue:
        for _ in range(10):
            sock = net.new_socket()
            sock.settimeout(net.patience(10))
            sock.connect(("127.0.0.1", 8080))
            conn = net.accept(lst)
            for _ in range(30):
                sock.sendall(b"q" * 3000)
                net.equal(len(conn.recv(3000, socket.MSG_WAITALL)), 3000, "bytes")
                conn.sendall(b"a")
                net.equal(sock.recv(1), b"a", "the answer")
            sock.close()
            net.equal(conn.recv(1), b"", "the end")
            conn.close()
        net.check(queue.passed > 600, f"only {queue.passed} packets were queued")
    net.sh("nft flush ruleset")


def link_down_and_up():
    """A transfer stalls while the link is down and goes on when it is back."""
    with Router() as hosts:
        program, options = f"{net.PROGS}/xfer", "--role both --bytes 2000000 --timeout 60"
        hosts.run("r", "tc qdisc add dev vb root netem rate 20mbit limit 100 delay 5ms")
        server = hosts.spawn("a", f"{program} server {SERVER} 7001 --proto {tested()} {options}")
        client = hosts.spawn("b", f"{program} client {SERVER} 7001 --proto tcp {options}")
        time.sleep(0.6)
        hosts.run("r", "tc qdisc change dev vb root netem loss 100%")
        time.sleep(3)
        hosts.run("r", "tc qdisc replace dev vb root netem rate 20mbit limit 100 delay 5ms")
        net.finish(client, "client")
        net.finish(server, "server")


if __name__ == "__main__":
    net.main(mtu_in_the_middle, mtu_in_the_middle_from_kernel_peer, mtu_falls_while_idle, black_hole, a_better_router,
             firewall_drops, firewall_rejects, firewall_asks_a_program, link_down_and_up)
