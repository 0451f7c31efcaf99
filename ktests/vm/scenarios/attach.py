#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# what: `atcp attach`: sockets of a cgroup's programs, static ones too, become atcp's on 6.12; what it says on 6.1
# families: 4, which family a socket has is all that the programs look at: one case asks for both
# mode: smp
# kernels: 6.1 6.12
# needs: atcp
# seconds: 600
"""The BPF program behind `atcp attach`, its map and its pins, against a live kernel. Each case leaves nothing attached."""

import contextlib
import errno
import functools
import json
import os
import socket
import subprocess
import threading

from lib import net
from lib.net import check, equal

ATCP = f"{net.TOOLS}/atcp"
PROTOCOLS = f"{net.PROGS}/protocols"
MOUNT = "/sys/fs/cgroup"
PINS = "/sys/fs/bpf/atcp"
NOBODY = "setpriv --reuid 65534 --clear-groups --bounding-set -all --inh-caps -all"
TURNED = ("inet_stream", "inet_stream_tcp", "inet_stream_flags", "inet6_stream", "inet6_stream_tcp")
TOO_OLD = "atcp: the kernel has no update_socket_protocol (needs 6.6 or newer); use atcp run\n"


def has_hook():
    with open("/proc/kallsyms", encoding="ascii") as f:
        return any(line.split()[2] == "update_socket_protocol" for line in f)


def on_kernels_with_the_hook(case):
    @functools.wraps(case)
    def only():
        if not has_hook():
            raise net.Skipped("this kernel has no update_socket_protocol")
        if not os.path.exists("/sys/kernel/btf/vmlinux"):
            raise net.Skipped("this kernel was built without BTF, without which no BPF program can be attached")
        try:
            case()
        finally:
            subprocess.run([ATCP, "detach", "--all"], stderr=subprocess.DEVNULL, check=False)
    return only


def run(arguments, status=0, prefix=""):
    """What the tool prints; its exit status has to be this."""
    done = subprocess.run(f"{prefix} {ATCP} {arguments}", shell=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          check=False)
    if done.returncode != status:
        raise net.Failed(f"`atcp {arguments}` ended with {done.returncode}, want {status}: {done.stderr or done.stdout}")
    return done.stdout if status == 0 else done.stderr


def attached():
    return {row["cgroup"]: row for row in json.loads(run("--json attached"))}


@contextlib.contextmanager
def cgroups(*names):
    """Folders below the mount point. They go in the end, and with them who is still inside, as after a case that failed."""
    for name in names:
        os.mkdir(f"{MOUNT}/{name}")
    try:
        yield
    finally:
        for name in reversed(names):
            if os.path.exists(f"{MOUNT}/{name}"):
                with open(f"{MOUNT}/{name}/cgroup.kill", "w", encoding="ascii") as f:
                    f.write("1")
                remove(name)


def rmdir(path):
    try:
        os.rmdir(path)
    except OSError as e:
        return e.errno == errno.ENOENT
    return True


def remove(name):
    net.until(lambda: rmdir(f"{MOUNT}/{name}"), 10, f"{name} is busy")


def within(name, *command):
    """What a program prints that runs in this cgroup."""
    script = 'echo $$ >"$0/cgroup.procs" && exec "$@"'
    return net.finish(net.spawn(["/bin/sh", "-c", script, f"{MOUNT}/{name}", *command]), command[0])


def protocols(name=""):
    lines = within(name, PROTOCOLS).splitlines()
    return {kind: int(number) for kind, number in map(str.split, lines)}


def is_atcp(name):
    return protocols(name)["inet_stream"] == net.IPPROTO_ATCP


def no_autoload():
    """Otherwise the kernel asks modprobe for the module whenever somebody wants its protocol."""
    with open("/proc/sys/kernel/modprobe", "r+", encoding="ascii") as f:
        before = f.read()
        f.seek(0)
        f.write("\n")
    return before


def rmmod():
    net.until(lambda: subprocess.run(["rmmod", "atcp"], stderr=subprocess.DEVNULL, check=False).returncode == 0, 10, "rmmod")


# ----------------------------------------------------------------------------


def kernel_without_the_hook():
    if has_hook():
        raise net.Skipped("this kernel has update_socket_protocol")
    with cgroups("a"):
        equal(run("attach a", 1), TOO_OLD, "what it says")
        equal(run("attach a --force --strict", 1), TOO_OLD, "with --force")
        check(not os.path.exists(PINS), "something is pinned")
        equal(run("--json attached"), "[]\n", "the list")
        equal(run("detach a", 1), "atcp: detach: /a is not attached (atcp attached)\n", "detach")
        equal(protocols("a")["inet_stream"], socket.IPPROTO_TCP, "a socket")


@on_kernels_with_the_hook
def sockets_of_a_static_program():
    with cgroups("a", "a/below", "a/below/deep", "other"):
        before = protocols("a")
        for kind in TURNED:
            equal(before[kind], socket.IPPROTO_TCP, f"{kind} before")
        equal(before["inet_mptcp"], 262, "MPTCP's own")
        run("attach a")
        want = before | {kind: net.IPPROTO_ATCP for kind in TURNED}
        for name in ("a", "a/below", "a/below/deep"):
            equal(protocols(name), want, f"in {name}")
        for name in ("other", ""):
            equal(protocols(name), before, f"in '{name}'")
        equal(attached()["/a"]["sockets"], 3 * len(TURNED), "sockets counted")
        run("detach a")
        equal(protocols("a/below"), before, "after detach")
        check(not os.path.exists(PINS), "pins stayed behind")


@on_kernels_with_the_hook
def sockets_of_python():
    show = "import socket; s = socket.socket(); print(s.getsockopt(socket.SOL_SOCKET, socket.SO_PROTOCOL))"
    with cgroups("a"):
        run("attach a")
        equal(within("a", "python3", "-c", show), "253\n", "python's socket")
        run("detach a")
        equal(within("a", "python3", "-c", show), "6\n", "python's socket after detach")


@on_kernels_with_the_hook
def socket_that_is_there_stays():
    """What is open when the cgroup is attached or detached does not change, and goes on."""
    with cgroups("a"):
        lst = socket.create_server(("127.0.0.1", 8080))
        run("attach a")
        code = ("import socket, sys; s = socket.create_connection(('127.0.0.1', 8080)); s.sendall(b'one'); s.recv(3); s.sendall(b'two'); "
                "print(s.getsockopt(socket.SOL_SOCKET, socket.SO_PROTOCOL), s.recv(3))")
        client = net.spawn(["/bin/sh", "-c", 'echo $$ >"$0/cgroup.procs" && exec "$@"', f"{MOUNT}/a", "python3", "-c", code])
        conn = net.accept(lst, 60)
        equal(conn.recv(3), b"one", "before detach")
        run("detach a")
        conn.sendall(b"yes")
        equal(conn.recv(3), b"two", "after detach")
        conn.sendall(b"end")
        equal(net.finish(client, "the client"), "253 b'end'\n", "the client")


def echo(lst):
    conn = net.accept(lst, 60)
    data = b""
    while piece := conn.recv(65536):
        data += piece
    conn.sendall(data)
    conn.close()


@on_kernels_with_the_hook
def data_both_ways():
    """A static client inside with the kernel's TCP as server, and the kernel's TCP as client of a server inside."""
    with cgroups("a"):
        run("attach a")
        lst = socket.create_server(("127.0.0.1", 8080))
        thread = threading.Thread(target=echo, args=(lst,))
        thread.start()
        equal(within("a", PROTOCOLS, "8080", "1000000"), "253\n", "protocol of the client inside")
        thread.join()
        code = ("import socket; l = socket.create_server(('127.0.0.1', 8081)); print('up', flush=True); c, _ = l.accept(); d = b''\n"
                "while p := c.recv(65536): d += p\n"
                "c.sendall(d); print(c.getsockopt(socket.SOL_SOCKET, socket.SO_PROTOCOL))")
        server = net.spawn(["/bin/sh", "-c", 'echo $$ >"$0/cgroup.procs" && exec "$@"', f"{MOUNT}/a", "python3", "-c", code])
        equal(server.stdout.readline(), "up\n", "the server inside")
        equal(within("", PROTOCOLS, "8081", "1000000"), "6\n", "protocol of the client outside")
        equal(net.finish(server, "the server"), "253\n", "protocol of the server inside")


@on_kernels_with_the_hook
def two_cgroups():
    with cgroups("a", "a/below", "b"):
        run("attach a")
        run("attach /b")
        run(f"attach {MOUNT}/a/below --strict")
        check(is_atcp("a") and is_atcp("b") and is_atcp("a/below"), "not all three")
        rows = attached()
        equal(sorted(rows), ["/a", "/a/below", "/b"], "the list")
        equal([rows[c]["strict"] for c in sorted(rows)], [False, True, False], "strict")
        equal([rows[c]["sockets"] for c in sorted(rows)], [len(TURNED)] * 3, "the nearest one counts")
        check(run("attached").splitlines()[1].split()[:3] == ["/a", str(len(TURNED)), "kernel's"], run("attached"))
        run("attach a --strict")
        equal((attached()["/a"]["strict"], attached()["/a"]["sockets"]), (True, len(TURNED)), "attached once more")
        run("detach a")
        check(not is_atcp("a") and is_atcp("a/below") and is_atcp("b"), "after the first detach")
        equal(run("detach a", 1), "atcp: detach: /a is not attached (atcp attached)\n", "twice")
        run("detach a/below")
        run("detach b")
        check(not os.path.exists(PINS) and not is_atcp("b"), "after the last detach")


@on_kernels_with_the_hook
def cgroup_of_oneself():
    with cgroups("svc", "svc/.control"):
        within("svc", ATCP, "attach", "--self")
        equal(list(attached()), ["/svc"], "of a service")
        within("svc/.control", ATCP, "attach", "--self")
        equal(list(attached()), ["/svc"], "of what systemd runs for it")
        within("svc", ATCP, "detach", "--self")
        equal(attached(), {}, "the list")
        within("", ATCP, "attach", "--self")
        equal(list(attached()), ["/"], "the root")
        check(is_atcp("svc"), "the root has everybody")
        run("detach /")


@on_kernels_with_the_hook
def cgroup_that_was_removed():
    with cgroups("a", "b", "c"):
        for name in "abc":
            run(f"attach {name}")
        old = attached()["/a"]["id"]
        remove("a")
        rows = json.loads(run("--json attached"))
        equal([(r.get("cgroup"), r["gone"]) for r in rows], [("/b", False), ("/c", False), (None, True)], "the list")
        equal(rows[2]["id"], old, "the one that is gone")
        equal([r["gone"] for r in json.loads(run("--json attached"))], [False, False], "the list afterwards")
        os.mkdir(f"{MOUNT}/a")
        check(not is_atcp("a"), "another cgroup of the same name is attached")
        remove("b")
        run("attach a")
        equal(sorted(attached()), ["/a", "/c"], "attach sweeps")
        remove("a")
        remove("c")
        check("(gone)" in run("attached"), "text")
        check(not os.path.exists(PINS), "pins stayed behind the last one")


@on_kernels_with_the_hook
def many_at_a_time():
    """Tools that make and end the programs at the same time wait for each other."""
    names = [f"m{i}" for i in range(8)]
    with cgroups(*names):
        for _ in range(3):
            for command in ("attach", "detach"):
                for process in [net.spawn([ATCP, command, name]) for name in names]:
                    net.finish(process, command)
                equal(sorted(attached()), [f"/{n}" for n in names] if command == "attach" else [], command)
            check(not os.path.exists(PINS), "pins stayed behind")


@on_kernels_with_the_hook
def pins_of_a_killed_tool():
    """A folder without the map's pin is what a tool left that was killed: it is made anew."""
    with cgroups("a"):
        run("attach a")
        os.unlink(f"{PINS}/cgroups")
        equal(attached(), {}, "the list")
        run("attach a")
        check(is_atcp("a"), "not attached")
        equal(attached()["/a"]["sockets"], len(TURNED), "sockets: two programs count?")
        run("detach --all")
        check(not os.path.exists(PINS) and not is_atcp("a"), "after --all")
        equal(run("detach --all", 1), "atcp: detach: nothing is attached\n", "nothing there")


@on_kernels_with_the_hook
def module_goes_and_comes():
    autoload = no_autoload()
    try:
        with cgroups("a", "strict"):
            run("attach a")
            run("attach strict --strict")
            check(is_atcp("a") and is_atcp("strict"), "with the module")
            rmmod()
            without = protocols("a")
            equal({without[kind] for kind in TURNED}, {socket.IPPROTO_TCP}, "without the module")
            refused = protocols("strict")
            equal({refused[kind] for kind in TURNED}, {-errno.EPROTONOSUPPORT}, "strict without the module")
            equal(refused["inet_udp"], socket.IPPROTO_UDP, "UDP")
            check("not loaded" in run("attached"), run("attached"))
            net.sh("modprobe atcp")
            check(is_atcp("a") and is_atcp("strict"), "when it is back")
            run("detach --all")
            rmmod()
            check("the module is not loaded (atcp load); with --force" in run("attach a", 1), run("attach a", 1))
            check(not os.path.exists(PINS), "refused, but pinned")
            run("attach a --force")
            check(not is_atcp("a"), "forced, without the module")
            net.sh("modprobe atcp")
            check(is_atcp("a"), "forced, and then loaded")
            run("detach a")
    finally:
        with open("/proc/sys/kernel/modprobe", "w", encoding="ascii") as f:
            f.write(autoload)
        net.sh("modprobe atcp")


@on_kernels_with_the_hook
def force_loads_nothing():
    """The kernel would find the module by the alias, if anybody asked for the protocol."""
    with cgroups("a"):
        rmmod()
        run("attach a --force")
        check(not os.path.exists("/sys/module/atcp"), "--force has loaded the module")
        check(not is_atcp("a"), "a socket without the module")
        net.sh("modprobe atcp")
        check(is_atcp("a"), "loaded afterwards")
        rmmod()
        run("detach a")
        run("attach a")
        check(is_atcp("a"), "attach without --force asks for the module")


@on_kernels_with_the_hook
def strict_loads_the_module():
    """A strict cgroup asks for the protocol, and the kernel finds its module by the alias."""
    with cgroups("a"):
        run("attach a --strict")
        rmmod()
        check(is_atcp("a"), "not loaded by alias")


@on_kernels_with_the_hook
def wrong_words():
    with cgroups("a"):
        check("one CGROUP is needed, or --self" in run("attach", 2), "nothing")
        check("one CGROUP is needed, or --self" in run("attach a --self", 2), "both")
        check("one CGROUP is needed" in run("detach a --all", 2), "both")
        equal(run("attach nowhere", 1), f"atcp: there is no cgroup 'nowhere' below {MOUNT}\n", "no such cgroup")
        equal(run("attach ../../..", 1), f"atcp: there is no cgroup '../../..' below {MOUNT}\n", "above it")
        equal(run("attach a/cgroup.procs", 1), f"atcp: there is no cgroup 'a/cgroup.procs' below {MOUNT}\n", "a file")
        equal(run("detach a", 1), "atcp: detach: /a is not attached (atcp attached)\n", "not attached")
        check("CAP_SYS_ADMIN" in run("attach a", 1, NOBODY), "without rights")
        run("attach a")
        check("CAP_SYS_ADMIN" in run("attached", 1, NOBODY), "looking without rights")
        check("CAP_SYS_ADMIN" in run("detach --all", 1, NOBODY), "ending without rights")
        check(is_atcp("a"), "ended without rights")


if __name__ == "__main__":
    net.main(kernel_without_the_hook, sockets_of_a_static_program, sockets_of_python, socket_that_is_there_stays, data_both_ways,
             two_cgroups, cgroup_of_oneself, cgroup_that_was_removed, many_at_a_time, pins_of_a_killed_tool, wrong_words,
             module_goes_and_comes, force_loads_nothing, strict_loads_the_module)
