#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""`make profile`, the part in the guest: does one of WORKS with each stack, between two
calls of MARK, at which the plugin counts.c writes down its counts. Prints the kernel's symbols
and how much was done."""

import base64
import ctypes
import gzip
import json
import mmap
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import opening  # noqa: E402

MARK = 0x7e57c0de000  # of counts.c
RETURN = b"\xc3"  # x86's instruction
MAP_FIXED = 0x10
# Arguments of rawload, and how often. The start of that program is among what is counted.
WORKS = {
    "cookie": (["syn"], 40000),
    "request": (["syn"], 40000),
    "accept": (["handshake", "--after", "reset"], 10000),
    "timewait": (["handshake", "--after", "timewait"], 10000),
    "segment": (["probe", "--entries", 10], 40000),
}


def marker():
    """A function at that address which does nothing."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
    at = libc.mmap(MARK, mmap.PAGESIZE, mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC,
                   mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | MAP_FIXED, -1, 0)
    if at != MARK:
        raise OSError(ctypes.get_errno(), f"no page at {MARK:#x}")
    ctypes.memmove(MARK, RETURN, len(RETURN))
    return ctypes.CFUNCTYPE(None)(MARK)


def main(work):
    arguments, count = WORKS[work]
    mark = marker()
    pathlib.Path("/proc/sys/kernel/kptr_restrict").write_text("0", encoding="ascii")
    for stack in opening.STACKS:
        place = opening.fresh()
        if work == "cookie":
            place.set("syncookies", 2)
        place.run("nothing", "--count", 100)
        mark()
        place.run(arguments[0], "--proto", stack, "--count", count, *arguments[1:])
        mark()
        place.__exit__(None, None, None)
    symbols = gzip.compress(pathlib.Path("/proc/kallsyms").read_bytes())
    print("@@result " + json.dumps({"count": count, "symbols": base64.b64encode(symbols).decode()}), flush=True)


if __name__ == "__main__":
    opening.net.sh("ip link set lo up")
    main(sys.argv[1])
