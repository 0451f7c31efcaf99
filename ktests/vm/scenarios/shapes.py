#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# what: transfers of every shape: tiny buffers and segments, sendfile, edge-triggered epoll, no offloads, small MTU, 8 flows
# mode: smp
# families: 4 6
# kernels: 6.1 6.12
# seconds: 450
"""Each case is a self-verifying transfer on a clean link whose two ends are
driven in an unusual way."""

from lib import net, packet
from lib.flows import TwoHosts, tested


def both_ways(options, size=1000001, **hosts_fields):
    with TwoHosts(**hosts_fields) as hosts:
        running = [(left, right, hosts.start(port, left, right, f"--role both --bytes {size} {options}"))
                   for port, (left, right) in enumerate((("tcp", tested()), (tested(), "tcp"), (tested(), tested())), 7001)]
        for left, right, pair in running:
            hosts.finish(pair, f"{left}-{right} {options}", 200)


def edge_triggered_random_sizes():
    both_ways("--epoll --random")


def one_direction_at_a_time():
    with TwoHosts() as hosts:
        for port, (left, right) in enumerate((("send", "recv"), ("recv", "send")), 7001):
            hosts.transfer(port, tested(), "tcp", left, "--bytes 2000001", left_options=f"--role {left}",
                           right_options=f"--role {right}")


def sendfile():
    both_ways("--sendfile")


def small_buffers():
    both_ways("--sndbuf 5000 --rcvbuf 5000", 300001)


def tiny_segments():
    both_ways("--maxseg 90 --random --nodelay", 200001)


def eight_flows():
    both_ways("--flows 8", 300003)


def reno():
    both_ways("--cc reno")


def small_mtu():
    both_ways("", 500001, mtu=1280 if packet.V6 else 576)  # the least that the family allows


def jumbo_mtu():
    both_ways("", mtu=9000)


def offloads_off():
    """No segmentation, no aggregation, checksums in software."""
    with TwoHosts() as hosts:
        for name in "ab":
            hosts.run(name, f"ethtool -K {hosts.dev[name]} tso off gso off gro off tx off rx off 2>&1")
        for port, (left, right) in enumerate((("tcp", tested()), (tested(), "tcp")), 7001):
            hosts.transfer(port, left, right, "offloads off", "--role both --bytes 1000001")


def gro_on():
    """Aggregation on both ends of the veth pair."""
    with TwoHosts() as hosts:
        for name in "ab":
            hosts.run(name, f"ethtool -K {hosts.dev[name]} gro on 2>&1", check=False)
        hosts.transfer(7001, tested(), "tcp", "gro on", "--role both --bytes 2000001")


def loopback():
    program, here = f"{net.PROGS}/xfer", packet.spelt("127.0.0.1")
    server = net.spawn(f"{program} server {here} 7001 --proto {tested()} --role both --bytes 2000001")
    client = net.spawn(f"{program} client {here} 7001 --proto {tested()} --role both --bytes 2000001")
    net.finish(client, "client")
    net.finish(server, "server")


def heavy_loss():
    """A seventh of all packets vanishes; everything arrives all the same."""
    both_ways("--timeout 200", 60001, netem="loss 15% delay 2ms")


def thin_pipe():
    """4 Mbit/s with a short queue: loss comes from our own sending."""
    both_ways("--timeout 100", 300001, netem="rate 4mbit delay 5ms limit 12")


if __name__ == "__main__":
    net.main(edge_triggered_random_sizes, one_direction_at_a_time, sendfile, small_buffers, tiny_segments, eight_flows,
             reno, small_mtu, jumbo_mtu, offloads_off, gro_on, loopback, heavy_loss, thin_pipe)
