#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""coverage.py OBJECTS LEAST: which lines of the core did the programs that just ran go through? (make coverage)

OBJECTS is the folder with gcov's notes and counts. Prints lines and share per folder and in all; fails below LEAST per cent in all. V=1
also lists, per file, the lines that nothing reached. Leaves "passed failed" in build/results/coverage.txt.
"""
import collections, json, os, pathlib, subprocess, sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def counts(objects):
    """{file: {line: how often}} for the core's own files, over all objects that include them."""
    notes = sorted(str(p.resolve()) for p in objects.rglob("*.gcno"))
    out = subprocess.run(["gcov", "--json-format", "--stdout", *notes], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    lines = collections.defaultdict(collections.Counter)
    for document in out.splitlines():
        if not document.startswith("{"):
            continue
        for f in json.loads(document)["files"]:
            path = (ROOT / f["file"]).resolve()
            if not path.is_relative_to(ROOT / "module/core") or path.is_relative_to(ROOT / "module/core/tests"):
                continue
            for line in f["lines"]:
                lines[str(path.relative_to(ROOT / "module/core"))][line["line_number"]] += line["count"]
    return lines


def ranges(numbers):
    """[3, 4, 5, 9] as 3-5 9"""
    text, numbers = [], sorted(numbers)
    while numbers:
        first = last = numbers.pop(0)
        while numbers and numbers[0] == last + 1:
            last = numbers.pop(0)
        text.append(str(first) if first == last else f"{first}-{last}")
    return " ".join(text)


def main():
    objects, least = ROOT / sys.argv[1], float(sys.argv[2])
    files = counts(objects)
    folders = collections.defaultdict(lambda: [0, 0])
    for name, lines in files.items():
        for key in (name.split("/")[0], "in all"):
            folders[key][0] += sum(1 for n in lines.values() if n)
            folders[key][1] += len(lines)
    if os.environ.get("V"):
        for name, lines in sorted(files.items()):
            if missed := [n for n, times in lines.items() if not times]:
                print(f"{name}: {len(missed)} of {len(lines)} lines not reached: {ranges(missed)}")
    everything = folders.pop("in all", [0, 1])
    print(f"{'folder':10} {'lines':>6} {'reached':>8} {'share':>7}")
    for name, (hit, n) in [*sorted(folders.items()), ("in all", everything)]:
        print(f"{name:10} {n:6} {hit:8} {100 * hit / n:6.1f} %")
    share = 100 * everything[0] / everything[1]
    good = share >= least
    print(f"coverage: {share:.1f} % of the core's lines, {least:g} % {'asked for' if good else 'REQUIRED'}")
    (ROOT / "build/results").mkdir(parents=True, exist_ok=True)
    (ROOT / "build/results/coverage.txt").write_text("1 0\n" if good else "0 1\n")
    return not good


if __name__ == "__main__":
    sys.exit(main())
