# SPDX-License-Identifier: GPL-2.0
"""uapi/abi.txt, the checked-in list of every name of the UAPI with its number (and, of an attribute, its type): programs are built with
these, so no line may ever change or go. New ones are added at the end of their group."""
import re

from spec import ROOT

LIST = ROOT / "uapi/abi.txt"
BY_HAND = ROOT / "uapi/linux/atcp.h"
HEAD = """# Names and numbers of the UAPI, which programs are built with: a line never changes and never goes (make gen-check).
# New ones are added by `make gen`.
"""


def by_hand():
    """Of the header that is written by hand: numbers of #define and of enumerators, which name theirs."""
    text = re.sub(r"/\*.*?\*/", "", BY_HAND.read_text(), flags=re.S)
    lines = [f"{name} {number}" for name, number in re.findall(r"^#define\s+(\w+)\s+(\d\w*)$", text, re.M)]
    for name, body in re.findall(r"enum (\w+) \{(.*?)\};", text, re.S):
        for item in filter(None, (part.strip() for part in body.split(","))):
            m = re.fullmatch(r"(\w+)\s*=\s*(\d\w*)", item)
            if not m:
                raise SystemExit(f"uapi/linux/atcp.h: enum {name}: {item} does not say its number")
            lines.append(f"{m[1]} {m[2]}")
    return lines


def now(spec):
    """{group: lines} as the sources have it."""
    groups = {"atcp.h": by_hand(), "family": [f"ATCP_GENL_NAME {spec.name}"] + [f"ATCP_MCGRP_{g.upper().replace('-', '_')} {g}" for g in spec.groups]}
    for e in spec.enums.values():
        groups[e.cname] = [f"{entry.cname} {entry.number}" for entry in e.entries]
    for s in spec.sets.values():
        groups[s.cname] = [f"{a.cname} {a.number} {a.type}" for a in s.attrs]
    groups["atcp_cmd"] = [f"{o.cname} {o.number}" for o in spec.ops]
    return groups


def kept():
    """{group: lines} as they were promised."""
    groups = {}
    for line in LIST.read_text().splitlines() if LIST.exists() else []:
        if line.startswith("["):
            lines = groups.setdefault(line.strip("[]"), [])
        elif line and line[0] != "#":
            lines.append(line)
    return groups


def broken(spec):
    """Promises that the sources break."""
    have = now(spec)
    return [f"uapi/abi.txt: {line} was promised and is {found(have.get(group, []), line)} (numbers of the UAPI never change)"
            for group, lines in kept().items() for line in lines if line not in have.get(group, [])]


def found(lines, line):
    return next((f"now {other}" for other in lines if other.split()[0] == line.split()[0]), "gone")


def text(spec):
    """The list with what is new."""
    old, lines = kept(), [HEAD]
    for group, have in now(spec).items():
        promised = old.get(group, [])
        lines += [f"[{group}]", *promised, *(line for line in have if line not in promised), ""]
    return "\n".join(lines)
