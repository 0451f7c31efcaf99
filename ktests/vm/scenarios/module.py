#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# what: loading and unloading, fifty times; autoload by alias; unload refused while in use; bad parameters refused by name
# mode: bare
# families: 4, the life of a module has no family
# kernels: 6.1 6.12
# needs: atcp
# seconds: 450
"""The life of the module itself. Runs in a machine that starts without it."""

import os
import socket
import subprocess

from lib import net
from lib.net import check, equal

LOADED = "/sys/module/atcp"


def unload(what="rmmod"):
    """A socket that was closed lives until the readers of its table are gone."""
    net.until(lambda: subprocess.run(["rmmod", "atcp"], stderr=subprocess.DEVNULL, check=False).returncode == 0, 10, what)
    check(not os.path.exists(LOADED), "still there after rmmod")


def transfer_once():
    lst = net.listener("127.0.0.1", 8080)
    sock = net.new_socket()
    sock.connect(("127.0.0.1", 8080))
    conn = net.accept(lst)
    sock.send(b"hello")
    equal(conn.recv(10), b"hello", "data")
    for s in (sock, conn, lst):
        s.close()


def autoload_by_alias():
    """socket(AF_INET, SOCK_STREAM, 253) loads the module by itself."""
    check(not os.path.exists(LOADED), "the module is there already")
    transfer_once()
    check(os.path.exists(LOADED), "worked without the module?")
    unload()


def unload_refused_while_in_use():
    net.sh("modprobe atcp")
    sock = net.new_socket()
    done = subprocess.run(["rmmod", "atcp"], stderr=subprocess.PIPE, text=True, check=False)
    check(done.returncode != 0 and "in use" in done.stderr, f"rmmod while a socket exists: {done}")
    lst = net.listener("127.0.0.1", 8080)
    sock.connect(("127.0.0.1", 8080))
    sock.close()
    lst.close()
    unload("unload after the sockets are closed")


def unload_with_leftovers():
    """TIME_WAIT entries and half-open requests do not hold the module, and do not survive it."""
    from lib import packet
    from lib.tun import Peer, Tun
    net.sh("modprobe atcp")
    tun = Tun()
    lst = net.listener()
    for _ in range(20):
        peer = Peer(tun)
        peer.send("S", options=packet.mss(1460))
        peer.expect("SA")
    peer = Peer(tun)
    peer.connect()
    net.accept(lst).close()
    peer.take("FA")
    peer.send("FA")
    peer.expect("A")
    lst.close()
    unload("unload with TIME_WAIT entries")
    tun.drain(0.5)


def fifty_times():
    for _ in range(50):
        net.sh("modprobe atcp")
        transfer_once()
        unload()


def parameter_out_of_range():
    for value in ("999999999", "-1", "x"):
        net.sh("dmesg -C")
        done = subprocess.run(["modprobe", "atcp", f"ehash_entries={value}"], stderr=subprocess.PIPE, text=True, check=False)
        check(done.returncode != 0, f"ehash_entries={value} was accepted")
        check("ehash_entries" in net.sh("dmesg"), f"no message names the parameter: {net.sh('dmesg')}")
        check(not os.path.exists(LOADED), "loaded all the same")
    net.sh("modprobe atcp ehash_entries=1024")
    transfer_once()
    unload()


def namespaces_come_and_go():
    """Namespaces with live and dead connections vanish while the module stays."""
    net.sh("modprobe atcp")
    for _ in range(10):
        pid = os.fork()
        if pid == 0:
            net.private_netns()
            lst = net.listener("127.0.0.1", 8080)
            sock = net.new_socket()
            sock.connect(("127.0.0.1", 8080))
            net.accept(lst).send(b"left behind")
            os._exit(0)
        equal(os.waitpid(pid, 0)[1], 0, "child")
    unload()


def preload_without_the_module():
    """The preload library falls back and says so; ATCP_STRICT=1 refuses."""
    net.sh("echo 'install atcp /bin/false' > /etc/modprobe.d/atcp-test.conf")
    try:
        command = ["/usr/bin/python3", "-c", "import socket; socket.socket()"]
        base = os.environ | {"LD_PRELOAD": f"{net.TOOLS}/libatcp-preload.so"}
        done = subprocess.run(command, env=base, stderr=subprocess.PIPE, text=True, check=False)
        check(done.returncode == 0 and "kernel's TCP" in done.stderr, f"fallback: {done}")
        done = subprocess.run(command, env=base | {"ATCP_STRICT": "1"}, stderr=subprocess.PIPE, text=True, check=False)
        check(done.returncode != 0 and "ATCP_STRICT" in done.stderr, f"strict: {done}")
    finally:
        os.remove("/etc/modprobe.d/atcp-test.conf")


if __name__ == "__main__":
    socket.setdefaulttimeout(net.patience(5))
    net.main(autoload_by_alias, unload_refused_while_in_use, unload_with_leftovers, parameter_out_of_range,
             namespaces_come_and_go, preload_without_the_module, fifty_times)
