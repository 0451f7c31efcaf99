# SPDX-License-Identifier: GPL-2.0
"""uapi/atcp.yaml as values: enums, attribute sets, operations, with their C names and numbers. check() says what is wrong with it beyond
what its format (the kernel's Documentation/netlink/genetlink.yaml) asks for: everything has a doc, every reference leads somewhere, no
C name comes twice, and nothing is used that the emitters do not know."""
import collections, pathlib, re

import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SPEC = ROOT / "uapi/atcp.yaml"

# What may stand where. The format allows more; what the emitters would silently skip is refused here instead.
KEYS = {
    "top": {"name", "protocol", "uapi-header", "doc", "definitions", "attribute-sets", "operations", "mcast-groups"},
    "definition": {"name", "type", "doc", "value-start", "entries"},
    "entry": {"name", "doc"},
    "set": {"name", "name-prefix", "doc", "attributes"},
    "attribute": {"name", "type", "doc", "enum", "nested-attributes", "multi-attr", "checks"},
    "operation": {"name", "doc", "attribute-set", "flags", "do", "dump", "event", "mcgrp"},
}
NUMBERS = {"u8": 8, "u16": 16, "u32": 32, "u64": 64}
CHECKS = {"u8": {"min", "max"}, "u16": {"min", "max"}, "u32": {"min", "max"}, "string": {"max-len"}, "binary": {"max-len"}}
TYPES = {*NUMBERS, "string", "binary", "flag", "nest", "pad"}

Entry = collections.namedtuple("Entry", "name cname number doc")
Enum = collections.namedtuple("Enum", "name cname prefix doc entries")
Attr = collections.namedtuple("Attr", "name cname number type doc enum nested multi checks")
Set = collections.namedtuple("Set", "name cname prefix doc attrs")
Op = collections.namedtuple("Op", "name cname number doc set admin do dump event group")


def c_upper(name):
    return name.upper().replace("-", "_")


def c_lower(name):
    return name.replace("-", "_")


class Spec:
    """The document. enums, sets (both by name) and ops in the order of the file, which is the order of their numbers."""

    def __init__(self, raw):
        self.raw = raw
        family = self.raw["name"]
        self.name, self.doc = family, self.raw["doc"]
        self.groups = [g["name"] for g in self.raw["mcast-groups"]["list"]]
        self.admin_groups = {g["name"] for g in self.raw["mcast-groups"]["list"] if "admin-perm" in g.get("flags", [])}
        self.enums = {d["name"]: self.enum(family, d) for d in self.raw["definitions"]}
        self.sets = {s["name"]: self.attribute_set(s) for s in self.raw["attribute-sets"]}
        self.ops = [self.op(number, o) for number, o in enumerate(self.raw["operations"]["list"], 1)]

    def enum(self, family, d):
        prefix = c_upper(f"{family}-{d['name']}-")
        # One without a doc may be just a name; check() says so.
        rows = [e if isinstance(e, dict) else {"name": e} for e in d["entries"]]
        entries = [Entry(e["name"], prefix + c_upper(e["name"]), number, e.get("doc", "")) for number, e in enumerate(rows, d.get("value-start", 0))]
        return Enum(d["name"], c_lower(f"{family}-{d['name']}"), prefix, d.get("doc", ""), entries)

    def attribute_set(self, s):
        prefix = c_upper(s["name-prefix"])
        attrs = [Attr(a["name"], prefix + c_upper(a["name"]), number, a["type"], a.get("doc", ""), a.get("enum"), a.get("nested-attributes"),
                      a.get("multi-attr", False), a.get("checks", {})) for number, a in enumerate(s["attributes"], 1)]
        return Set(s["name"], c_lower(re.sub("a-$", "attr", s["name-prefix"])), prefix, s.get("doc", ""), attrs)

    def op(self, number, o):
        request = lambda mode: o[mode].get("request", {}).get("attributes", []) if mode in o else None
        return Op(o["name"], c_upper(self.raw["operations"]["name-prefix"] + o["name"]), number, o.get("doc", ""), o["attribute-set"],
                  "admin-perm" in o.get("flags", []), request("do"), request("dump"), "event" in o, o.get("mcgrp"))

    def in_replies(self):
        """Sets that answers and events hold, those nested in others included."""
        found, left = set(), []
        for o in self.raw["operations"]["list"]:
            for part in (o.get("do", {}).get("reply"), o.get("dump", {}).get("reply"), o.get("event")):
                left += [(o["attribute-set"], name) for name in (part or {}).get("attributes", [])]
        while left:
            where, name = left.pop()
            nested = next(a.nested for a in self.sets[where].attrs if a.name == name)
            if nested and nested not in found:
                found.add(nested)
                left += [(nested, a.name) for a in self.sets[nested].attrs if a.nested]
        return found

    def accepted(self, name):
        """Attributes of a nest that a request may hold: all of them if the nest is for requests only; of one that answers hold as well
        those with `checks`, because what a user sends always has a bound that is worth saying."""
        return [a for a in self.sets[name].attrs if a.type != "pad" and (a.checks or name not in self.in_replies())]


def load():
    return Spec(yaml.safe_load(SPEC.read_text()))


def unknown_keys(raw):
    def look(kind, where, thing):
        return [f"{where}: {key} is not known to the generator" for key in sorted(set(thing) - KEYS[kind])]
    problems = look("top", raw["name"], raw)
    for d in raw["definitions"]:
        problems += look("definition", d["name"], d) + ([] if d["type"] == "enum" else [f"{d['name']}: {d['type']} is not known to the generator"])
        for e in d["entries"]:
            problems += look("entry", f"{d['name']}/{e}", e) if isinstance(e, dict) else [f"{d['name']}/{e}: has no doc"]
    for s in raw["attribute-sets"]:
        problems += look("set", s["name"], s)
        for a in s["attributes"]:
            problems += look("attribute", f"{s['name']}/{a['name']}", a)
    for o in raw["operations"]["list"]:
        problems += look("operation", o["name"], o)
    return problems


def check_attribute(spec, s, a):
    where, problems = f"{s.name}/{a.name}", []
    if a.type not in TYPES:
        problems.append(f"{where}: type {a.type} is not known to the generator")
    if a.enum and (a.type not in NUMBERS or a.enum not in spec.enums):
        problems.append(f"{where}: enum {a.enum} does not exist, or the type is no number")
    elif a.enum and a.type == "u8" and spec.enums[a.enum].entries[-1].number > 255:
        problems.append(f"{where}: enum {a.enum} does not fit into {a.type}")
    if (a.type == "nest") != bool(a.nested) or a.nested and a.nested not in spec.sets:
        problems.append(f"{where}: nests and only they name an attribute set that exists")
    if extra := set(a.checks) - CHECKS.get(a.type, set()):
        problems.append(f"{where}: check {', '.join(sorted(extra))} does not go with {a.type}")
    if a.type == "u64" and all(other.type != "pad" for other in s.attrs):
        problems.append(f"{where}: a u64 needs a pad in its set")
    return problems


def check_op(spec, o, raw):
    names = {a.name for a in spec.sets[o.set].attrs} if o.set in spec.sets else set()
    parts = [raw.get(mode, {}).get(side, {}) for mode in ("do", "dump") for side in ("request", "reply")] + [raw.get("event", {})]
    problems = [f"{o.name}: {n} is not in {o.set}" for part in parts for n in part.get("attributes", []) if n not in names]
    if o.event != (o.group is not None) or o.event == (o.do is not None or o.dump is not None):
        problems.append(f"{o.name}: either do and dump, or event with mcgrp")
    if o.group is not None and o.group not in spec.groups:
        problems.append(f"{o.name}: no multicast group {o.group}")
    return problems


def check(spec):
    """What is wrong, as text; nothing if all is well."""
    problems = unknown_keys(spec.raw)
    if problems:
        return problems
    things = [*spec.enums.values(), *spec.sets.values(), *spec.ops]
    things += [e for enum in spec.enums.values() for e in enum.entries] + [a for s in spec.sets.values() for a in s.attrs]
    problems += [f"{t.cname}: has no doc" for t in things if not t.doc]
    problems += [f"{t.cname}: a doc holds no newline, comment mark or quote" for t in things if re.search(r'[\n"\\]|/\*|\*/', t.doc)]
    problems += [f"{t.cname}: {t.name} is no name" for t in things if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", t.name)]
    twice = collections.Counter(t.cname for t in things)
    problems += [f"{cname}: comes twice" for cname, n in twice.items() if n > 1]
    for s in spec.sets.values():
        problems += [p for a in s.attrs for p in check_attribute(spec, s, a)]
    for o, raw in zip(spec.ops, spec.raw["operations"]["list"]):
        problems += check_op(spec, o, raw)
    return problems
