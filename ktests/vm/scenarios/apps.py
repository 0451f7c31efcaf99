#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# what: programs of Debian's packages on atcp, as server and as client, against the kernel's TCP (docs/applications.md)
# mode: smp
# families: 4, the table has families of its own
# kernels: 6.1 6.12
# set: long
# seconds: 4800
"""Real programs, unmodified, through the preload library: lib/apps/table.py
says which and what they do, lib/apps/place.py how it is known that they ran on
atcp. `apps.py matrix`, on a host, runs all of it in virtual machines, prints the
matrix and puts it into docs/applications.md (`make apps`)."""

import os
import sys

sys.dont_write_bytecode = True
from lib import net  # noqa: E402
from lib.apps import matrix, table  # noqa: E402


def functions():
    """The cases as main() wants them, by name."""
    families = [int(f) for f in os.environ.get("ATCP_APPS_FAMILIES", "").split()] or table.FAMILIES
    debug = os.environ.get("ATCP_IN_VM") == "debug"
    if debug:
        print("    skipped on the debug kernel: cases with netem, which would take an hour")
    for case in table.cases(families):
        if debug and case.netem:
            continue

        def function(case=case):
            case()
        function.__name__ = case.name
        function.limit_s = 300 * net.SLOW
        yield function


if __name__ == "__main__":
    if sys.argv[1:2] == ["matrix"]:
        sys.exit(matrix.main(sys.argv[2:]))
    print(f"@@kernel {os.uname().release}")
    net.main(*functions())
