#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# what: with wire=atcp the same connections travel as IP protocol 253, unseen by the kernel's TCP
# mode: smp
# families: 4 6
# kernels: 6.1 6.12
# seconds: 450
# needs: atcp
"""The module's own IP protocol number."""

from lib import net, packet
from lib.flows import TwoHosts, stop_watch
from lib.tun import Tun


def carries_files():
    for netem in ("", "delay 5ms loss 2%"):
        with TwoHosts(netem=netem) as hosts:
            for name in "ab":
                net.set_param("wire", "atcp", hosts.prefix(name))
            ours, theirs = hosts.watch("a", f"{'ip6' if packet.V6 else 'ip'} proto 253"), hosts.watch("a", "tcp")
            hosts.transfer(7001, "atcp", "atcp", "wire=atcp", "--role both --bytes 3000001 --flows 2")
            net.check(len(stop_watch(ours)) > 20, "no packets of IP protocol 253 seen")
            net.equal(stop_watch(theirs), [], "packets of IP protocol 6")


def kernel_tcp_has_the_same_port():
    """The two protocols do not meet: the same port on both stacks, each with its own peers."""
    with TwoHosts() as hosts:
        for name in "ab":
            net.set_param("wire", "atcp", hosts.prefix(name))
        first = hosts.start(7001, "atcp", "atcp", "--role both --bytes 500001")
        hosts.finish(first, "wire=atcp")
        hosts.transfer(7001, "tcp", "tcp", "kernel TCP", "--role both --bytes 500001")


def answers_in_kind():
    """A SYN of protocol 253 gets its SYN-ACK in 253; one of protocol 6 is not ours any more."""
    net.set_param("wire", "atcp")
    tun = Tun()
    net.listener()
    segment = packet.tcp(tun.peer, tun.local, 25000, 80, seq=7, flags="S", options=packet.mss(packet.MSS), pseudo_proto=253)
    tun.send_raw(packet.ipv4(tun.peer, tun.local, segment, proto=253))
    answer = tun.read(net.patience(1), protocols=(6, 253))
    net.check(answer, "no answer")
    net.equal((answer.proto, answer.flags, answer.ack), (253, "SA", 8), "answer")
    segment = packet.tcp(tun.peer, tun.local, 25001, 80, seq=7, flags="S", options=packet.mss(packet.MSS))
    tun.send_raw(packet.ipv4(tun.peer, tun.local, segment))
    answer = tun.read(net.patience(1), protocols=(6, 253))
    net.equal((answer.proto, answer.flags.strip("A")), (6, "R"), "answer of the kernel's TCP")


if __name__ == "__main__":
    net.main(carries_files, kernel_tcp_has_the_same_port, answers_in_kind)
