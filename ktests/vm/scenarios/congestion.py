#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# what: each congestion control against the kernel's TCP through a bad network, in both roles; marks; switching; one from another module
# mode: smp
# families: 4 6
# kernels: 6.1 6.12
# needs: atcp
# seconds: 1500
"""Congestion controls on a kernel: what the algorithms do is for unit tests and the simulator; here is whether data arrives with
each of them, whether a switch in the middle is harmless, and the life of a module that brings one."""

import os
import socket
import subprocess

from lib import net
from lib.flows import NETEM, TwoHosts, kernel_name
from lib.net import check, equal

OURS = ["reno", "cubic", "dctcp", "bbr"]
VEGAS = os.path.join(net.TOP, "build", kernel_name(), "examples", "cc_vegas", "cc_vegas.ko")
MODPROBE = "/etc/modprobe.d/atcp-vegas.conf"
BYTES = 512 << 10
FLOWS = 2


def load():
    net.sh(f"insmod {VEGAS}")


def unload():
    """A socket that was closed lives until the readers of its table are gone."""
    net.until(lambda: subprocess.run(["rmmod", "cc_vegas"], stderr=subprocess.DEVNULL, check=False).returncode == 0, 10,
              "unload of cc_vegas")


def all_closed(hosts):
    """The link may lose the last FIN or its ACK, which whoever sent it mends if the other host is still there. Left alone, he goes on for
    102 s, as the kernel's TCP does, and keeps the module of his congestion control."""
    def left():
        rows = net.connections(hosts.prefix("a")) + net.connections(hosts.prefix("b"))
        return [row for row in rows if row["state"] != "TIME_WAIT"]

    net.until(lambda: not left(), 60, lambda: f"not closed: {left()}", step=0.2)


def control_of(sock):
    return sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, 16).rstrip(b"\0").decode()


def choose(sock, name):
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, name.encode())


def through_a_bad_network():
    """Delay, loss, reordering, duplication and corruption; both sides send at once; ours opens, and ours is opened to."""
    load()
    with TwoHosts(netem=NETEM) as hosts:
        size = f"--role both --flows {FLOWS} --bytes {BYTES} --timeout 300"
        port = 7100
        for control in OURS + ["vegas"]:
            pairs = []
            for left, right in (("tcp", "atcp"), ("atcp", "tcp")):
                port += 1
                mine = {"left_options" if left == "atcp" else "right_options": f"--cc {control}"}
                pairs.append(hosts.start(port, left, right, size, **mine))
            reports = [hosts.finish(pair, control, timeout=900) for pair in pairs]
            for server, client in reports:
                equal((server["ok"], client["ok"]), (True, True), f"{control}: verdicts on the sha256 of all flows")
            print(f"    {control}: ours to the kernel's in {reports[0][1]['seconds']:.1f} s, the kernel's to ours in "
                  f"{reports[1][1]['seconds']:.1f} s")
        all_closed(hosts)
    unload()


through_a_bad_network.limit_s = 1200


# What a receiver throws away that is too slow.
OVERRUN = ("backlog_full", "rcvbuf_full", "memory_full", "ofo_pruned")


def softnet_drops():
    """Packets that no processor's queue had room for."""
    with open("/proc/net/softnet_stat", encoding="ascii") as f:
        return sum(int(line.split()[1], 16) for line in f)


def marks_instead_of_losses():
    """A queue that marks a tenth of the packets (of up to 64 KB) that may be marked: nothing is sent twice."""
    for control in ["reno", "cubic", "dctcp", "bbr"]:
        softnet = softnet_drops()
        with TwoHosts() as hosts:
            hosts.run("b", f"tc qdisc add dev {hosts.dev['b']} root netem delay 20ms loss 10% ecn")
            net.set_param("ecn", 1, hosts.prefix("b"))
            # Two processors that empty the same queue in turn must not deliver in another order than they took.
            hosts.run("a", f"sh -c 'echo 1 > /sys/class/net/{hosts.dev['a']}/queues/rx-0/rps_cpus'")
            # A SYN cannot be marked and may be lost; the next one is to ask as well.
            net.set_param("ecn_fallback", 0, hosts.prefix("b"))
            if control == "dctcp":
                # Its exact echo is the receiver's part.
                net.set_param("congestion_control", control, hosts.prefix("a"))
            server, client = hosts.transfer(7200, "atcp", "atcp", control, f"--bytes {4 << 20} --timeout 300",
                                            left_options="--role recv", right_options=f"--cc {control}")
            equal((server["ok"], client["ok"]), (True, True), f"{control}: verdicts")
            marked = net.counts("stats", hosts.prefix("a"))["InCEPkts"]
            stats = net.counts("stats", hosts.prefix("b"))
            check(marked > 0, f"{control}: no marked packet seen")
            told = {name: stats[name] for name in ("TCPFastRetrans", "TCPDSACKRecv", "TCPTimeouts", "TCPLossProbes")}
            # A slow machine may drop some itself, and says so.
            dropped = {k: v for k, v in net.counts("reasons", hosts.prefix("a")).items() if v and k in OVERRUN}
            dropped["softnet"] = softnet_drops() - softnet
            check(not told["TCPFastRetrans"] or any(dropped.values()), f"{control}: fast retransmissions ({told}, {dropped})")
            print(f"    {control}: {marked} marks, {client['seconds']:.1f} s")


marks_instead_of_losses.limit_s = 600


def switched_while_sending():
    lst = net.listener("127.0.0.1", 8080)
    sock = net.new_socket()
    sock.connect(("127.0.0.1", 8080))
    conn = net.accept(lst)
    sent = got = 0
    piece = b"x" * 100000
    conn.settimeout(net.patience(10))
    for name in OURS * 3:
        choose(sock, name)
        equal(control_of(sock), name, "congestion control")
        sock.sendall(piece)
        sent += len(piece)
        while got < sent:
            got += len(conn.recv(1 << 20))
    equal(got, sent, "bytes")


def pacing_is_told():
    """TCP_INFO: bbr always has a rate, SO_MAX_PACING_RATE limits it."""
    lst = net.listener("127.0.0.1", 8080)
    sock = net.new_socket()
    choose(sock, "bbr")
    sock.setsockopt(socket.SOL_SOCKET, 47, 5000000)  # SO_MAX_PACING_RATE
    sock.connect(("127.0.0.1", 8080))
    conn = net.accept(lst)
    conn.settimeout(net.patience(10))
    for _ in range(20):
        sock.sendall(b"x" * 50000)
        got = 0
        while got < 50000:
            got += len(conn.recv(50000))
    info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
    rate, most = (int.from_bytes(info[i:i + 8], "little") for i in (104, 112))
    check(0 < rate <= 5000000, f"pacing rate {rate}")
    equal(most, 5000000, "its limit")
    delivery = int.from_bytes(info[160:168], "little")
    check(0 < delivery, "no delivery rate")


def a_module_of_its_own():
    sock = net.new_socket()
    equal(net.error_of(choose, sock, "vegas"), "ENOENT", "chosen without its module")
    load()
    choose(sock, "vegas")
    equal(control_of(sock), "vegas", "congestion control")
    for module in ("cc_vegas", "atcp"):
        done = subprocess.run(["rmmod", module], stderr=subprocess.PIPE, text=True, check=False)
        check(done.returncode != 0 and "in use" in done.stderr, f"rmmod {module} while a socket uses it: {done}")
    done = subprocess.run(["insmod", VEGAS], stderr=subprocess.PIPE, text=True, check=False)
    check(done.returncode != 0, "loaded twice")
    sock.close()
    unload()


def a_default_comes_and_goes():
    load()
    net.set_param("congestion_control", "vegas")
    sock = net.new_socket()
    equal(control_of(sock), "vegas", "default")
    sock.close()
    unload()
    sock = net.new_socket()
    equal(control_of(sock), "cubic", "default whose module is gone")
    sock.close()
    load()
    sock = net.new_socket()
    equal(control_of(sock), "vegas", "default whose module came back")
    sock.close()
    net.set_param("congestion_control", "cubic")
    unload()


def loaded_when_asked_for():
    with open(MODPROBE, "w", encoding="ascii") as f:
        f.write(f"install atcp_cc_vegas /sbin/insmod {VEGAS}\n")
    sock = net.new_socket()
    choose(sock, "vegas")
    equal(control_of(sock), "vegas", "congestion control")
    os.unlink(MODPROBE)
    sock.close()
    unload()


if __name__ == "__main__":
    net.main(through_a_bad_network, marks_instead_of_losses, switched_while_sending, pacing_is_told, a_module_of_its_own,
             a_default_comes_and_goes, loaded_when_asked_for)
