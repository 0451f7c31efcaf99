# SPDX-License-Identifier: GPL-2.0
"""docs/scenarios.md against the tests: every test that it names exists, no row is without one, and no scenario of the three lists is
without a row. Each check_* function returns a list of problems as text.
"""
import functools, pathlib, re

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
DOCUMENT = ROOT / "docs/scenarios.md"
CORE = ROOT / "module/core/tests"
SCENARIOS = ROOT / "ktests/vm/scenarios"
PROGS = ROOT / "ktests/vm/progs"

# How many scenarios each list ranks; A1 to A25 and so on must all be somewhere in the column of sources.
LISTS = {"A": 25, "B": 20, "C": 25, "R": 8}
NAMED = re.compile(r"`([\w/]+\.(?:cpp|py|c))::([\w.]+)`")


def core_tests(path):
    return {f"{suite}.{name}" for suite, name in re.findall(r"^TEST(?:_F|_P)?\((\w+),\s*(\w+)\)", path.read_text(), re.M)}


def scenario_cases(path):
    """Functions that the call of main() names: one that is only defined is not run."""
    call = re.search(r"net\.main\(([^)]*)\)", path.read_text())
    return set(re.findall(r"\w+", call[1])) if call else set()


def sequences(path):
    return set(re.findall(r"\bS\((\w+)\)", path.read_text()))


@functools.cache
def tests_of(name):
    """The tests of a file by the name that the document has for it; None if there is no such file."""
    for folder, suffix, find in ((CORE, ".cpp", core_tests), (SCENARIOS, ".py", scenario_cases), (PROGS, ".c", sequences)):
        path = folder / name
        if path.suffix == suffix:
            return find(path) if path.is_file() else None
    return None


def rows():
    """(line number, cells) of each row of a table whose first cell is an id such as S7."""
    for number, line in enumerate(DOCUMENT.read_text().splitlines(), 1):
        cells = [c.strip() for c in re.split(r"(?<!\\)\|", line)][1:-1]
        if cells and re.fullmatch(r"S\d+", cells[0]):
            yield number, cells


def check_scenarios_have_tests():
    problems, where = [], DOCUMENT.relative_to(ROOT)
    for number, line in enumerate(DOCUMENT.read_text().splitlines(), 1):
        for file, test in NAMED.findall(line):
            tests = tests_of(file)
            if tests is None:
                problems.append(f"{where}:{number}: there is no test file {file}")
            elif test not in tests:
                problems.append(f"{where}:{number}: {file} has no test {test}")
    seen = set()
    for number, cells in rows():
        if cells[0] in seen:
            problems.append(f"{where}:{number}: {cells[0]} is there twice")
        seen.add(cells[0])
        if not NAMED.search(cells[-1]):
            problems.append(f"{where}:{number}: {cells[0]} has no test in its last column")
    return problems


def check_scenarios_are_complete():
    have = {source for _, cells in rows() for source in re.findall(r"\b[ABCR]\d+\b", cells[1])}
    want = {f"{name}{n}" for name, count in LISTS.items() for n in range(1, count + 1)}
    where = DOCUMENT.relative_to(ROOT)
    return ([f"{where}: no row for {s}" for s in sorted(want - have)]
            + [f"{where}: {s} is in no list" for s in sorted(have - want)])


CHECKS = {name[6:].replace("_", " "): f for name, f in list(globals().items()) if name.startswith("check_")}
