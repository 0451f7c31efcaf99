# SPDX-License-Identifier: GPL-2.0
"""docs/parameters-tests.tsv against the core's table and the tests: every parameter has its row, in the order of the table, with what is
seen to change, and tests that exist and speak of it. Each check_* function returns a list of problems as text.
"""
import re

import scenarios

ROOT = scenarios.ROOT
DOCUMENT = ROOT / "docs/parameters-tests.tsv"
TABLE = ROOT / "module/core/table/params.cpp"


def parameters():
    return re.findall(r'^  X\(\w+, "(\w+)", ', TABLE.read_text(), re.M)


def mentions(file, name):
    """The parameter's name as a word of a string or command, not as a part of another name."""
    folder = scenarios.CORE if file.endswith(".cpp") else scenarios.SCENARIOS
    return re.search(rf"(?<!\w){name}(?!\w)", (folder / file).read_text()) is not None


def problems_of(number, line, known):
    where = f"{DOCUMENT.relative_to(ROOT)}:{number}"
    cells = line.split("\t")
    if len(cells) != 3 or not all(c.strip() for c in cells):
        return [f"{where}: not three cells: name, observable, tests"]
    name, _, tests = cells
    problems = [] if name in known else [f"{where}: there is no parameter {name}"]
    for test in tests.split():
        file, _, case = test.partition("::")
        found = scenarios.tests_of(file)
        if found is None:
            problems.append(f"{where}: there is no test file {file}")
        elif case not in found:
            problems.append(f"{where}: {file} has no test {case}")
        elif not mentions(file, name):
            problems.append(f"{where}: {file} does not speak of {name}")
    return problems


def check_parameters_have_tests():
    known = parameters()
    rows = [(n, line) for n, line in enumerate(DOCUMENT.read_text().splitlines(), 1) if line and not line.startswith("#")][1:]
    names = [line.partition("\t")[0] for _, line in rows]
    problems = [p for n, line in rows for p in problems_of(n, line, known)]
    where = DOCUMENT.relative_to(ROOT)
    problems += [f"{where}: no row for {name}" for name in known if name not in names]
    problems += [f"{where}: {name} is there twice" for name in sorted(set(names)) if names.count(name) > 1]
    return problems or ([] if names == known else [f"{where}: rows are not in the order of {TABLE.relative_to(ROOT)}"])


CHECKS = {name[6:].replace("_", " "): f for name, f in list(globals().items()) if name.startswith("check_")}
