# SPDX-License-Identifier: GPL-2.0
"""Documents made from the core's tables: docs/parameters.md as a whole, and the tables of docs/man/atcp.7 between their marks. The
tables come from tables.cpp, which is linked with them."""
import pathlib, subprocess, tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
CORE = ROOT / "module/core"
BEGIN, END = '.\\" generated: {}', '.\\" end of generated: {}'
SCOPES = {"netns": "namespace", "socket": "socket", "admin": "socket (admin)"}


def rows():
    """The printed rows, by kind."""
    found = {"param": [], "counter": [], "reason": []}
    with tempfile.TemporaryDirectory() as folder:
        program = pathlib.Path(folder) / "tables"
        sources = [ROOT / "tools/gen/tables.cpp", CORE / "table/params.cpp", CORE / "table/counters.cpp", CORE / "table/reasons.cpp",
                   *sorted((CORE / "cc").glob("*.cpp"))]
        # Of the congestion controls only their names are wanted: what else they need is cut away with them.
        subprocess.run(["g++", "-std=c++20", "-O0", "-w", "-funsigned-char", "-ffunction-sections", "-fdata-sections",
                        "-Wl,--gc-sections", f"-I{CORE}", f"-I{ROOT}/uapi", "-o", program, *sources], check=True)
        text = subprocess.run([program], check=True, capture_output=True, text=True).stdout
    for line in text.splitlines():
        kind, *cells = line.split("\t")
        found[kind].append(cells)
    return found


def markdown(tables):
    def cell(text):
        return text.replace("|", "\\|") or " "

    lines = ["# Parameters", "",
             "Made by `make gen` from the core's table (module/core/table/params.cpp); `atcp params` shows the same with the present values.", "",
             "Scope: *namespace*, set there only (`atcp params set NAME=VALUE`, which takes CAP_NET_ADMIN); *socket*, also on one socket, by",
             "its program (`setsockopt(fd, SOL_ATCP, ATCP_SO_PARAM, \"NAME=VALUE\")`, `atcp run --set`) or from outside (`atcp params --socket ID set`);",
             "*socket (admin)*, the same, but it takes CAP_NET_ADMIN.", "",
             "| Name | Type | Range | Default | Unit | Scope | Meaning |", "|---|---|---|---|---|---|---|"]
    for name, kind, reach, default, unit, scope, meaning in tables["param"]:
        lines.append(f"| `{name}` | {kind} | {cell(reach)} | {cell(default)} | {cell(unit)} | {SCOPES[scope]} | {cell(meaning)} |")
    return "\n".join([*lines, ""])


def roff(text):
    return text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq")


def man_params(tables):
    lines = []
    for name, kind, reach, default, unit, scope, meaning in tables["param"]:
        facts = ", ".join(filter(None, [kind, reach and f"range {reach}", f"default {default}", unit and f"unit {unit}", f"scope {SCOPES[scope]}"]))
        lines += [".TP", f".B {roff(name)}", f"{roff(facts)}.", ".br", f"{roff(meaning)}"]
    return lines


def man_names(rows):
    lines = []
    for name, meaning in rows:
        lines += [".TP", f".B {roff(name)}", roff(meaning)]
    return lines


def manual(tables):
    """atcp.7 with what stands between its marks made anew."""
    text = (ROOT / "docs/man/atcp.7").read_text()
    parts = {"parameters": man_params(tables), "counters": man_names(tables["counter"]), "reasons": man_names(tables["reason"])}
    for name, lines in parts.items():
        begin, end = BEGIN.format(name), END.format(name)
        head, _, rest = text.partition(begin + "\n")
        old, found, tail = rest.partition(end + "\n")
        if not found:
            raise SystemExit(f"docs/man/atcp.7: the marks of the generated {name} are missing")
        text = "".join([head, begin, "\n", *(f"{line}\n" for line in lines), end, "\n", tail])
    return text


def outputs():
    tables = rows()
    return {"docs/parameters.md": markdown(tables), "docs/man/atcp.7": manual(tables)}
