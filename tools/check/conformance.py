#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The requirements of the RFCs against code and tests. docs/conformance/*.tsv, one file per RFC, say of each requirement whether atcp
meets it, where, and which tests show it; docs/conformance.md is made from them.

    conformance.py           writes docs/conformance.md, compares with the last results and prints the score per RFC (make conformance)
    conformance.py --check   only what needs no run: the tables are sound, the code and the tests named exist, docs/conformance.md is
                             up to date (part of make check)

Fails for an unsound table, a name that does not exist, a named test that failed or, if it is a unit test, did not run, and, without
--check, for a MUST that is not met of an RFC that is claimed (the title of a table says if it is not). Scenarios, KUnit cases and fuzz
targets need machines and time: what of them has no result here is counted as "not run here". The check_* functions return problems as
text.
"""
import collections, functools, pathlib, re, sys, xml.etree.ElementTree as ElementTree

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
TABLES = ROOT / "docs/conformance"
DOCUMENT = ROOT / "docs/conformance.md"
CORE, GLUE = ROOT / "module/core", ROOT / "module"
SCENARIOS, PROGS = ROOT / "ktests/vm/scenarios", ROOT / "ktests/vm/progs"
KUNIT, FUZZ = ROOT / "ktests/kunit", ROOT / "ktests/fuzz"
RESULTS = ROOT / "build/results"

COLUMNS = ("id", "section", "level", "requirement", "status", "where", "tests", "note")
LEVELS = ("MUST", "SHOULD", "MAY", "REC")
# What a status says, and what a row with it must have: code, a test, a reason.
STATUS = {
    "yes": ("met, and a test shows it", {"where", "tests"}),
    "deviates": ("done otherwise, on purpose; the reason is in the notes", {"where", "tests", "note"}),
    "untested": ("code is there, no test shows it: counts as missing", {"where"}),
    "no": ("missing, or left out for the reason in the notes", {"note"}),
    "n/a": ("nothing for a TCP to do: advice to programs, to IP, or an index", {"note"}),
}
MET = ("yes", "deviates")
BASE = "rfc9293"

Row = collections.namedtuple("Row", ("file", "line") + COLUMNS)
Rfc = collections.namedtuple("Rfc", ("name", "title", "rows"))


def words(cell):
    return cell.split()


@functools.cache
def tables():
    """Every table, that of RFC 9293 first. The first line of a file is "# its title", with "(not claimed)" behind it if so."""
    found = []
    for path in sorted(TABLES.glob("*.tsv"), key=lambda p: (p.stem != BASE, [int(n) for n in re.findall(r"\d+", p.stem)] or [99999])):
        lines = path.read_text().splitlines()
        rows = []
        for number, line in enumerate(lines, 1):
            if line and not line.startswith("#"):
                cells = [c.strip() for c in line.split("\t")]
                rows.append(Row(path.name, number, *(cells + [""] * len(COLUMNS))[:len(COLUMNS)]))
        found.append(Rfc(path.stem, lines[0].lstrip("# "), rows[1:]))
    return found


def all_rows():
    return [row for rfc in tables() for row in rfc.rows]


def at(row):
    return f"docs/conformance/{row.file}:{row.line}: {row.id}"


# ------------------------------------------------------------------------------------------------------------ what there is to name


@functools.cache
def code(path):
    """A source without its comments and strings."""
    text = re.sub(r"/\*.*?\*/", " ", path.read_text(), flags=re.S)
    return re.sub(r'//[^\n]*|"(?:[^"\\\n]|\\.)*"', " ", text)


@functools.cache
def defines(path, symbol):
    """Does the file define it: a function with its body, a type or a constant? A call is not enough."""
    name = re.escape(symbol)
    return any(re.search(pattern, code(path), re.M) for pattern in (
        rf"^(?!\s*(if|for|while|switch|return|else)\b)[^\n;={{}}()]*\b{name}\s*\([^;{{}}]*\)[^;{{}}()]*\{{",
        rf"^\s*(struct|class|enum|enum class)\s+{name}\b[^;()]*\{{",
        rf"^[^\n;()]*\b(constexpr|const|constinit)\b[^;()]*\b{name}\b(\[\w*\])?\s*[={{]",
    ))


def source(name):
    """linux/x.c is of the glue, everything else of the core."""
    return (GLUE if name.startswith("linux/") else CORE) / name


@functools.cache
def unit_tests():
    files = [f for f in CORE.glob("tests/**/*.cpp") if not {"stress", "bench"} & set(f.parts)]
    files += (ROOT / "tools/atcp/tests").glob("*.cpp")
    return {f"{suite}.{name}" for f in files for suite, name in re.findall(r"^TEST(?:_F|_P)?\((\w+),\s*(\w+)\)", f.read_text(), re.M)}


@functools.cache
def scenario_cases(name):
    """What can stand behind "name:": cases of a scenario, sequences of a program that a scenario runs, KUnit cases, fuzz targets."""
    if name == "kunit":
        return {case for f in KUNIT.glob("*_kunit.c") for case in re.findall(r"KUNIT_CASE\((\w+)\)", f.read_text())}
    if name == "fuzz":
        return {f.stem for f in FUZZ.glob("*_fuzz.cpp")}
    if (SCENARIOS / f"{name}.py").is_file():
        call = re.search(r"net\.main\(([^)]*)\)", (SCENARIOS / f"{name}.py").read_text())
        return set(re.findall(r"\w+", call[1])) if call else set()
    if (PROGS / f"{name}.c").is_file():
        return set(re.findall(r"\bS\((\w+)\)", (PROGS / f"{name}.c").read_text()))
    return None


def is_unit(test):
    return ":" not in test


def exists(test):
    if is_unit(test):
        return test in unit_tests()
    name, _, case = test.partition(":")
    return case in (scenario_cases(name) or ())


# ----------------------------------------------------------------------------------------------------------------------- the checks


def check_rows():
    problems, seen = [], {}
    for row in all_rows():
        if row.id in seen:
            problems.append(f"{at(row)}: is in {seen[row.id]} as well")
        seen[row.id] = row.file
        if row.level not in LEVELS:
            problems.append(f"{at(row)}: level {row.level!r} is none of {', '.join(LEVELS)}")
        if row.status not in STATUS:
            problems.append(f"{at(row)}: status {row.status!r} is none of {', '.join(STATUS)}")
            continue
        problems += [f"{at(row)}: {row.status} needs a {column}" for column in sorted(STATUS[row.status][1]) if not getattr(row, column)]
        problems += [f"{at(row)}: no {column}" for column in ("section", "requirement") if not getattr(row, column)]
    return problems + ([] if seen else [f"no tables in {TABLES.relative_to(ROOT)}"])


def check_columns():
    return [f"docs/conformance/{path.name}: the first two lines are a title (\"# ...\") and the names of the columns"
            for path in TABLES.glob("*.tsv") if not re.match(r"# .+\n" + "\t".join(COLUMNS) + "\n", path.read_text())]


def check_code_exists():
    problems = []
    for row in all_rows():
        for place in words(row.where):
            file, _, symbol = place.partition(":")
            if not source(file).is_file():
                problems.append(f"{at(row)}: there is no {file}")
            elif not symbol or not defines(source(file), symbol.rpartition("::")[2]):
                problems.append(f"{at(row)}: {file} does not define {symbol or '(no symbol given)'}")
    return problems


def check_tests_exist():
    return [f"{at(row)}: there is no test {test}" for row in all_rows() for test in words(row.tests) if not exists(test)]


def check_document():
    if DOCUMENT.is_file() and DOCUMENT.read_text() == document():
        return []
    return [f"{DOCUMENT.relative_to(ROOT)} is not what the tables say (make conformance)"]


# ---------------------------------------------------------------------------------------------------------------------- last results


def unit_results():
    """test -> passed, of the programs' last runs; tests that a filter left out are not in it."""
    found = {}
    for path in RESULTS.glob("*_tests.xml"):
        for case in ElementTree.parse(path).getroot().iter("testcase"):
            if case.get("status") == "run" and case.get("result") == "completed":
                found[f"{case.get('classname')}.{case.get('name')}"] = case.find("failure") is None
    return found


def machine_results():
    """test -> passed, of the logs that virtual machines left. What failed on one kernel has failed."""
    found = {}

    def add(test, ok):
        found[test] = found.get(test, True) and ok

    for path in sorted(RESULTS.glob("vm-*.log")):
        name, skipped = None, set()
        for line in path.read_text(errors="replace").splitlines():
            if m := re.match(r"@@begin (\S+)", line):
                name, skipped = m[1], set()
            elif m := re.match(r"\s*skipped (\w+)", line):
                skipped.add(m[1])
            elif name and (m := re.match(r"  (ok|FAIL) (\w+) \(atcp,", line)) and m[2] not in skipped:
                add(f"{name}:{m[2]}", m[1] == "ok")
    # A program of calls is one case of a scenario: it prints only what differs, and fails as a whole.
    for program, case in (("sockapi_conn", "connections"), ("sockapi_io", "data"), ("sockapi_opts", "options"), ("sockapi_urgent", "urgent")):
        if f"sockapi:{case}" in found:
            for sequence in scenario_cases(program):
                add(f"{program}:{sequence}", found[f"sockapi:{case}"])
    log = RESULTS / "kunit-kernel.log"
    if log.is_file():
        for verdict, case in re.findall(r"^(?:\[[ .\d]+\] ?)?    (not ok|ok) \d+ (?:- )?(\w+)$", log.read_text(errors="replace"), re.M):
            add(f"kunit:{case}", verdict == "ok")
    for target in scenario_cases("fuzz"):
        log = RESULTS / f"{target}.log"
        if log.is_file():
            add(f"fuzz:{target}", "stat::number_of_executed_units" in log.read_text(errors="replace"))
    return found


def check_results():
    """Unit tests that are named ran and passed; of the rest, what ran passed. Returns (problems, names that were not run)."""
    unit, machine = unit_results(), machine_results()
    problems, absent = [], set()
    for row in all_rows():
        for test in words(row.tests):
            passed = (unit if is_unit(test) else machine).get(test)
            if passed is False:
                problems.append(f"{at(row)}: {test} failed")
            elif passed is None and is_unit(test):
                problems.append(f"{at(row)}: {test} did not run (make unit)")
            elif passed is None:
                absent.add(test)
    return problems, absent


def check_musts():
    """Every MUST of RFC 9293 and of the others that are claimed is met."""
    return [f"{at(row)}: MUST, and {row.status}: {row.requirement}" for rfc in tables() if claimed(rfc) for row in rfc.rows
            if row.level == "MUST" and row.status not in MET + ("n/a",)]


# ----------------------------------------------------------------------------------------------------------------------- the document


def score(rfc, level):
    """(met, all that concern a TCP) of one level."""
    rows = [r for r in rfc.rows if r.level == level and r.status != "n/a"]
    return sum(r.status in MET for r in rows), len(rows)


def claimed(rfc):
    """Those that are not say so in their titles."""
    return not rfc.title.endswith(")")


def label(rfc):
    return re.sub(r"^rfc", "RFC ", rfc.name)


def cell(text):
    return text.replace("|", "\\|") or "—"


def code_spans(cell_text):
    return " ".join(f"`{w}`" for w in words(cell_text)) or "—"


def document():
    out = ["# Conformance", "",
           "What the RFCs ask for, what atcp does about it, where, and which tests show it. Made by `make conformance` from the tables in",
           "[conformance/](conformance/), one per RFC: edit those. Names of places are below module/core, or module for `linux/`; a test",
           "is `Suite.Case` of the unit tests, `scenario:case` below ktests/vm/scenarios, `sockapi_…:sequence` below ktests/vm/progs,",
           "`kunit:case` or `fuzz:target`. Requirements are in our words; the RFC's count.", "",
           "Status: " + "; ".join(f"**{name}** {meaning}" for name, (meaning, _) in STATUS.items()) + ". REC is a step or value that an RFC",
           "gives without one of its key words.", "", "| RFC | Title | MUST | SHOULD | MAY | REC | deviations |",
           "|---|---|---|---|---|---|---|"]
    for rfc in tables():
        marks = [f"{met} of {n}" if n else "—" for met, n in (score(rfc, level) for level in LEVELS)]
        deviations = sum(r.status == "deviates" for r in rfc.rows)
        out.append(f"| [{label(rfc)}](#{rfc.name}) | {cell(rfc.title)} | " + " | ".join(marks) + f" | {deviations or '—'} |")
    out += ["", "## Deviations", "", "Where atcp does something else than an RFC says, and why.", ""]
    out += [f"- **{row.id}** ({label(rfc)} {row.section}) {row.requirement}: {row.note}" for rfc in tables() for row in rfc.rows
            if row.status == "deviates"]
    for rfc in tables():
        out += ["", f'<a id="{rfc.name}"></a>', "", f"## {label(rfc)}: {rfc.title}", "",
                "| Id | Section | Level | Requirement | Status | Where | Tests | Notes |", "|---|---|---|---|---|---|---|---|"]
        out += [f"| {r.id} | {cell(r.section)} | {r.level} | {cell(r.requirement)} | {r.status} | {code_spans(r.where)} | "
                f"{code_spans(r.tests)} | {cell(r.note)} |" for r in rfc.rows]
    return "\n".join(out) + "\n"


def print_score(absent):
    for rfc in tables():
        marks = [f"{level} {met}/{n}" for level in LEVELS for met, n in [score(rfc, level)] if n]
        if not claimed(rfc):
            marks = [rfc.title[rfc.title.rindex("("):]]
        waiting = sum(r.status in MET and all(t in absent for t in words(r.tests)) for r in rfc.rows)
        print(f"{label(rfc):<9} {'  '.join(f'{m:<13}' for m in marks)}".rstrip()
              + (f"  ({waiting} rest on tests not run here)" if waiting else ""))
    met, n = (sum(score(rfc, level)[i] for rfc in tables() for level in LEVELS) for i in (0, 1))
    tests = {t for row in all_rows() for t in words(row.tests)}
    print(f"in all    {met} of {n} requirements met; {len(tests)} tests named, {len(absent)} of them not run here")


STATIC = {"conformance rows": check_rows, "conformance columns": check_columns, "conformance code": check_code_exists,
          "conformance tests": check_tests_exist}
CHECKS = {**STATIC, "conformance document": check_document}


def main():
    only_check = sys.argv[1:] == ["--check"]
    problems = [p for check in (CHECKS if only_check else STATIC).values() for p in check()]
    if not only_check and not problems:
        DOCUMENT.write_text(document())
        problems, absent = check_results()
        print_score(absent)
        problems += check_musts()
    print("".join(f"conformance: {p}\n" for p in problems), end="")
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
