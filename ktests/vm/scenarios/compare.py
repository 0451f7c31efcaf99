#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# what: thousands of calls in every state of a socket, step by step as the kernel's TCP, or as docs/sockets.md says
# mode: icount
# families: 4 6
# kernels: 6.1 6.12
# seconds: 900
# set: long
"""Runs build/progs/compare, which performs each sequence of calls on the
kernel's TCP and on atcp, in one network namespace, and compares what a program
sees of each step. docs/sockets.md lists what differs and why; a difference that
is not there fails, and so does a row that does not differ any more. The program
takes the family from ATCP_FAMILY by itself."""

import os
import subprocess
import tempfile

from lib import net

DOCUMENT = os.path.join(net.TOP, "docs", "sockets.md")
SHOWN = 60  # differences of one run that are printed


def run(*arguments, document=DOCUMENT):
    if not net.IS_ATCP:
        raise net.Skipped("compares atcp with the kernel's TCP, by its nature")
    return subprocess.run([f"{net.PROGS}/compare", "--quiet", "--known", document, *arguments], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=900 * net.SLOW, check=False)


def compare(*patterns):
    done = run(*patterns)
    lines = done.stdout.splitlines()
    for line in lines[:SHOWN] + lines[-1:] if len(lines) > SHOWN else lines:
        print("   ", line)
    net.equal(done.returncode, 0, "compare's status")


def calls():
    """Each call in each of the states that a socket can be in."""
    compare("call/*")


def options():
    """Each option: asked for and set with all kinds of values, lengths and pointers."""
    compare("option/*")


options.limit_s = 1000 * net.SLOW  # each unknown name of TCP_ULP and of a congestion control is a modprobe


def orders():
    """Sequences in which order matters."""
    compare("script/*")


def waiting():
    """Calls that wait, and what ends their waiting: signals, time-outs, the peer, another thread."""
    compare("blocking/*")


def edited(change):
    """A copy of the document, its text changed."""
    with open(DOCUMENT, encoding="utf-8") as f:
        text = f.read()
    with tempfile.NamedTemporaryFile("w", suffix=".md", delete=False) as copy:
        copy.write(change(text))
    return copy.name


def differences_are_noticed():
    """The comparison itself: SO_PROTOCOL differs, and without its row that fails; a row too many fails too."""
    name = edited(lambda text: "\n".join(line for line in text.splitlines() if "/SO_PROTOCOL/" not in line) + "\n")
    done = run("option/fresh/SO_PROTOCOL", document=name)
    os.unlink(name)
    net.check(done.returncode == 1 and "not ok option/fresh/SO_PROTOCOL/get: kernel=" in done.stdout, done.stdout[-500:])
    row = "\n| Step | Kernel | atcp | Where | Why |\n|---|---|---|---|---|\n| `option/fresh/SO_TYPE/get` | `*` | `*` | all | test |\n"
    name = edited(lambda text: text + row)
    done = run("option/fresh/SO_TYPE", document=name)
    os.unlink(name)
    net.check(done.returncode == 1 and "no longer" in done.stdout, done.stdout[-500:])


if __name__ == "__main__":
    net.main(calls, options, orders, waiting, differences_are_noticed)
