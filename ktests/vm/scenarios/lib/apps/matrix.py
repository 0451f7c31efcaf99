# SPDX-License-Identifier: GPL-2.0
"""On the host: runs the cases on each kernel in a virtual machine, prints what
became of them as a table, and puts it into docs/applications.md."""

import argparse
import concurrent.futures
import os
import pathlib
import re
import subprocess

from .. import net
from . import table
from .place import NETEM

DOCUMENT = pathlib.Path(net.TOP) / "docs/applications.md"
RESULT = re.compile(r"(<!-- result -->\n).*(<!-- end of the result -->\n)", re.S)
SCENARIO = pathlib.Path(net.TOP) / "ktests/vm/scenarios/apps.py"
KERNELS = ("6.1", "6.12")
VM_SECONDS = 7200
LINE = re.compile(r"  (ok|FAIL) (\w+) \(\w+, ([\d.]+) s\)$")


class Run:
    """One kernel's: what it calls itself, and {case: (passed, seconds)}."""

    def __init__(self, kernel, names):
        self.kernel, self.release, self.results = kernel, "?", {}
        command = [os.path.join(net.TOP, "ktests/vm/run"), "--kernel", kernel, "--timeout", str(VM_SECONDS), "--", "env",
                   "PYTHONDONTWRITEBYTECODE=1", str(SCENARIO), *names]
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, errors="replace") as machine:
            for line in machine.stdout:
                line = line.rstrip()
                if line.startswith("@@kernel "):
                    self.release = line.split()[1]
                    continue
                if found := LINE.match(line):
                    self.results[found[2]] = (found[1] == "ok", float(found[3]))
                print(f"{kernel:<5}{line}", flush=True)
        self.status = machine.returncode

    def cell(self, case):
        if case.name not in self.results:
            return "**not run**"
        passed, seconds = self.results[case.name]
        return f"{seconds:.1f} s" if passed else "**failed**"


def versions(packages):
    """Of installed packages (names or patterns), without the parts that are Debian's."""
    patterns = " ".join(f"'{package}'" for package in packages.split())
    rows = net.sh(f"dpkg-query -W -f '${{db:Status-Status}} ${{Package}} ${{source:Upstream-Version}}\\n' {patterns}").splitlines()
    return ", ".join(row.removeprefix("installed ") for row in rows if row.startswith("installed "))


def markdown(head, rows):
    return "".join(f"| {' | '.join(row)} |\n" for row in [head, ["---"] * len(head), *rows])


def matrix(runs, cases):
    """A row for each set of programs and for each of its sides that is on atcp."""
    head, rows = ["", "On atcp", "The peer, on the kernel's TCP"], {}
    for run in runs:
        head += [run.kernel, f"{run.kernel}, netem"]
    for case in cases:
        on, other = case.app.on[case.on_atcp], next((p for host, p in case.app.on.items() if host != case.on_atcp), "")
        family = "" if case.family == 4 else " IPv6"
        rows.setdefault((case.app.name + family, on, other), {})[case.netem] = case
    cells = [[*key, *[run.cell(row[netem]) if netem in row else "" for run in runs for netem in (False, True)]] for key, row in rows.items()]
    return markdown(head, cells)


def programs(apps):
    return markdown(["", "What is done", "What is checked", "Versions"], [[a.name, a.does, a.checks, versions(a.packages)] for a in apps])


def text(runs, cases):
    """All of what the document has of a run."""
    failed = sum(not run.results.get(case.name, (False,))[0] for run in runs for case in cases)
    apps = [app for app in table.APPS if any(case.app is app for case in cases)]
    kernels = ", ".join(run.release for run in runs)
    trouble = "".join(f" **The machine with {run.kernel} ended with status {run.status}.**" for run in runs if run.status)
    return (f"Kernels: {kernels}. {len(runs) * len(cases) - failed} passed, {failed} failed.{trouble} Seconds are those of an emulated machine "
            f"and say only that it ended; netem is `{NETEM}` in both directions.\n\n{matrix(runs, cases)}\n{programs(apps)}")


def main(arguments):
    parser = argparse.ArgumentParser(prog="apps.py matrix", description=__doc__)
    parser.add_argument("--kernel", action="append", choices=KERNELS, help="only on this one")
    parser.add_argument("--jobs", type=int, default=2, help="machines at a time (2)")
    parser.add_argument("names", nargs="*", help="only these programs; the document stays as it is")
    args = parser.parse_args(arguments)
    cases = [case for case in table.cases() if not args.names or case.app.name in args.names]
    unknown = set(args.names) - {app.name for app in table.APPS}
    if unknown:
        parser.error(f"no such programs: {' '.join(sorted(unknown))} (there are: {' '.join(app.name for app in table.APPS)})")
    names = [case.name for case in cases] if args.names else []
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        runs = list(pool.map(lambda kernel: Run(kernel, names), args.kernel or KERNELS))
    result = text(runs, cases)
    print("\n" + result)
    if not args.names:
        DOCUMENT.write_text(RESULT.sub(lambda m: f"{m[1]}\n{result}\n{m[2]}", DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
    return 1 if "**" in result else 0
