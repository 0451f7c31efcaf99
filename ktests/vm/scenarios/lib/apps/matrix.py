# SPDX-License-Identifier: GPL-2.0
"""On the host: runs the cases on each kernel in a virtual machine, prints what
became of them as a table, and puts it into docs/applications.md. What has been
seen is kept in build/results/apps.json, by what the module and the libraries
are made of, so that a run that was cut off can be gone on with."""

import argparse
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import subprocess
import threading

from .. import net
from . import table
from .place import NETEM, sha256

DOCUMENT = pathlib.Path(net.TOP) / "docs/applications.md"
RESULT = re.compile(r"(<!-- result -->\n).*(<!-- end of the result -->\n)", re.S)
SCENARIO = pathlib.Path(net.TOP) / "ktests/vm/scenarios/apps.py"
SEEN = pathlib.Path(net.TOP) / "build/results/apps.json"
KERNELS = ("6.1", "6.12")
VM_SECONDS = 7200
LINE = re.compile(r"  (ok|FAIL) (\w+) \(\w+, ([\d.]+) s\)$")


class Run:
    """One kernel's: what it calls itself, and {case: [passed, seconds]}."""

    def __init__(self, kernel, cases, go_on):
        """go_on: what has passed with this module is not run again."""
        self.kernel, self.status, self.made_of = kernel, 0, made_of(kernel)
        self.release, self.results = seen_before(kernel, self.made_of)
        names = [case.name for case in cases if not go_on or self.possible(case) and case.name not in self.results]
        for name in names:
            self.results.pop(name, None)
        if not names:
            return
        command = [os.path.join(net.TOP, "ktests/vm/run"), "--kernel", kernel, "--timeout", str(VM_SECONDS), "--", "env",
                   "PYTHONDONTWRITEBYTECODE=1", str(SCENARIO), *names]
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, errors="replace") as machine:
            for line in machine.stdout:
                line = line.rstrip()
                if line.startswith("@@kernel "):
                    self.release = line.split()[1]
                    continue
                if found := LINE.match(line):
                    self.results[found[2]] = [found[1] == "ok", float(found[3])]
                    keep(self)
                print(f"{kernel:<5}{line}", flush=True)
        self.status = machine.returncode

    def possible(self, case):
        return self.release is None or case.possible(self.release)

    def failed(self, case):
        return self.possible(case) and not self.results.get(case.name, [False])[0]

    def cell(self, case):
        if not self.possible(case):
            return "kernel too old"
        if case.name not in self.results:
            return "**not run**"
        passed, seconds = self.results[case.name]
        return f"{seconds:.1f} s" if passed else "**failed**"


KEEP = threading.Lock()  # of the file


def made_of(kernel):
    """What a result is good for: the module and what programs are started with. A scenario that was mended is not: who makes one
    stricter runs all of them."""
    files = [f"{net.TOP}/build/{kernel}/atcp.ko", f"{net.TOOLS}/atcp", f"{net.TOOLS}/libatcp-preload.so"]
    return hashlib.sha256("".join(map(sha256, files)).encode()).hexdigest()


def seen_before(kernel, of):
    """The kernel's release, and what passed there with the very same files."""
    with KEEP:
        known = json.loads(SEEN.read_text(encoding="ascii")).get(kernel) if SEEN.exists() else None
    if not known or known["made_of"] != of:
        return None, {}
    return known["release"], {name: result for name, result in known["cases"].items() if result[0]}


def keep(run):
    with KEEP:
        known = json.loads(SEEN.read_text(encoding="ascii")) if SEEN.exists() else {}
        known[run.kernel] = {"made_of": run.made_of, "release": run.release, "cases": run.results}
        SEEN.parent.mkdir(parents=True, exist_ok=True)
        new = SEEN.with_suffix(".new")
        new.write_text(json.dumps(known, indent=1), encoding="ascii")
        new.replace(SEEN)


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
    failed = sum(run.failed(case) for run in runs for case in cases)
    possible = sum(run.possible(case) for run in runs for case in cases)
    apps = [app for app in table.APPS if any(case.app is app for case in cases)]
    kernels = ", ".join(run.release or "?" for run in runs)
    trouble = "".join(f" **The machine with {run.kernel} ended with status {run.status}.**" for run in runs if run.status)
    return (f"Kernels: {kernels}. {possible - failed} passed, {failed} failed.{trouble} Seconds are those of an emulated machine "
            f"and say only that it ended; netem is `{NETEM}` in both directions.\n\n{matrix(runs, cases)}\n{programs(apps)}")


def main(arguments):
    parser = argparse.ArgumentParser(prog="apps.py matrix", description=__doc__)
    parser.add_argument("--kernel", action="append", choices=KERNELS, help="only on this one")
    parser.add_argument("--jobs", type=int, default=2, help="machines at a time (2)")
    parser.add_argument("--continue", action="store_true", dest="go_on", help="only what has not passed yet with this module")
    parser.add_argument("names", nargs="*", help="only these programs; the document stays as it is")
    args = parser.parse_args(arguments)
    cases = [case for case in table.cases() if not args.names or case.app.name in args.names]
    unknown = set(args.names) - {app.name for app in table.APPS}
    if unknown:
        parser.error(f"no such programs: {' '.join(sorted(unknown))} (there are: {' '.join(app.name for app in table.APPS)})")
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        runs = list(pool.map(lambda kernel: Run(kernel, cases, args.go_on), args.kernel or KERNELS))
    result = text(runs, cases)
    print("\n" + result)
    if not args.names:
        DOCUMENT.write_text(RESULT.sub(lambda m: f"{m[1]}\n{result}\n{m[2]}", DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
    return 1 if "**" in result else 0
