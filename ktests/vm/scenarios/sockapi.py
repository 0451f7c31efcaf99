#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# what: a hundred call sequences give the same values, errors and poll masks on both stacks
# mode: smp
# kernels: 6.1 6.12
# seconds: 450
"""Runs the sockapi_* programs, which compare atcp with the kernel's TCP call by
call, in a namespace that has a silent neighbour for attempts that must hang."""

import subprocess

from lib import net

SILENT = "10.255.255.1"


def run(program):
    net.sh("ip link add s0 type veth peer name s1 && ip link set s0 up && ip link set s1 up && "
           f"ip addr add 10.255.0.1/16 dev s0 && ip neigh add {SILENT} lladdr 02:00:00:00:00:99 dev s0")
    done = subprocess.run([f"{net.PROGS}/{program}", "--proto", net.PROTO_NAME], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=280, check=False)
    for line in done.stdout.splitlines():
        if not line.startswith("ok ") or "#" in line:
            print("   ", line)
    net.equal(done.returncode, 0, f"{program}'s status")


def connections():
    run("sockapi_conn")


def data():
    run("sockapi_io")


def options():
    run("sockapi_opts")


if __name__ == "__main__":
    net.main(connections, data, options)
