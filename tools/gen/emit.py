# SPDX-License-Identifier: GPL-2.0
"""What is made from the specification: each function takes a spec.Spec and returns the text of one file. Nothing is read here but the
glue's own header, for the handlers that exist."""
import re, textwrap

from spec import NUMBERS, ROOT, c_lower, c_upper

MADE = "Made from uapi/atcp.yaml by `make gen`; do not edit."
HANDLERS = ROOT / "module/linux/nl.h"
COLUMN, WIDTH = 48, 100


def banner(spdx, *paragraphs):
    lines = [f"/* SPDX-License-Identifier: {spdx} */", "/*"]
    for number, p in enumerate(paragraphs):
        lines += [" *"] * (number > 0) + [f" * {line}" for line in textwrap.wrap(p, 92)]
    return lines + [" */"]


def comment(text, indent=""):
    """A comment of its own lines."""
    lines = textwrap.wrap(text, WIDTH - len(indent.expandtabs(8)) - 4)
    if len(lines) == 1 and len(lines[0]) + len(indent.expandtabs(8)) + 6 <= WIDTH:
        return [f"{indent}/* {lines[0]} */"]
    return [f"{indent}/* {lines[0]}"] + [f"{indent} * {line}" for line in lines[1:]] + [f"{indent} */"]


def with_note(code, note):
    """A line of code and what it means, beside it or, of a long name, above; tabs as the kernel has them."""
    width = len(f"\t{code}".expandtabs(8))
    if width >= COLUMN:
        return comment(note, "\t") + [f"\t{code}"]
    room = WIDTH - COLUMN - 3
    lines = textwrap.wrap(note, room)
    pad = "\t" * ((COLUMN - width + 7) // 8)
    margin = "\t" * (COLUMN // 8)
    if len(lines) == 1:
        return [f"\t{code}{pad}/* {lines[0]} */"] if len(lines[0]) + 3 <= room else [f"\t{code}{pad}/* {lines[0]}", f"{margin} */"]
    return [f"\t{code}{pad}/* {lines[0]}"] + [f"{margin} * {line}" for line in lines[1:]] + [f"{margin} */"]


def c_enum(name, doc, rows, last=()):
    """rows: (C name, number, note). last: further lines, without a note."""
    lines = [*comment(doc), f"enum {name} {{"]
    for cname, number, note in rows:
        lines += with_note(f"{cname} = {number},", note)
    return [*lines, *(f"\t{line}" for line in last), "};", ""]


def attr_note(spec, a):
    """The type of an attribute, and what it means."""
    if a.type == "pad":
        return a.doc
    kind = a.type
    if a.nested:
        kind = f"nest of {spec.sets[a.nested].cname}" + (", many" if a.multi else "")
    elif a.enum:
        kind = f"{a.type} of enum {spec.enums[a.enum].cname}"
    return f"{kind}: {a.doc}"


def uapi(spec):
    lines = banner("GPL-2.0 WITH Linux-syscall-note",
                   f"The generic netlink family \"{spec.name}\": its operations, attributes and the numbers in them. {MADE}",
                   spec.doc + " Numbers are in host order, addresses in network order. Attributes of a reply that one does not know are to be "
                   "skipped: later versions add some.")
    lines += ["#ifndef _UAPI_LINUX_ATCP_NETLINK_H", "#define _UAPI_LINUX_ATCP_NETLINK_H", "",
              f'#define ATCP_GENL_NAME "{spec.name}"', "#define ATCP_GENL_VERSION 1", ""]
    lines += [f'#define {c_upper(spec.name)}_MCGRP_{c_upper(g)} "{g}"' for g in spec.groups] + [""]
    for e in spec.enums.values():
        rows = [(entry.cname, entry.number, entry.doc) for entry in e.entries]
        lines += c_enum(e.cname, e.doc, rows, [f"__{e.prefix}MAX,"])
    for s in spec.sets.values():
        rows = [(f"{s.prefix}UNSPEC", 0, "none")] + [(a.cname, a.number, attr_note(spec, a)) for a in s.attrs]
        lines += c_enum(s.cname, s.doc, rows, [f"__{s.prefix}MAX,"])
    rows = [("ATCP_CMD_UNSPEC", 0, "none")] + [(o.cname, o.number, o.doc) for o in spec.ops]
    lines += c_enum("atcp_cmd", "Operations and notifications.", rows, ["__ATCP_CMD_MAX,"])
    return "\n".join([*lines, "#endif /* _UAPI_LINUX_ATCP_NETLINK_H */", ""])


def reasons(spec):
    """Rows X(id, name, help) for module/core/table/reasons.cpp."""
    head = ["// SPDX-License-Identifier: GPL-2.0", "//", "// The rows of the table of reasons: X(id, name, help), in the order of enum atcp_reason.",
            f"// {MADE}", "#ifndef ATCP_REASON_ROWS_H", "#define ATCP_REASON_ROWS_H", "", "// clang-format off", "#define ATCP_REASONS(X) \\"]
    rows = [f'  X({c_upper(e.name)}, "{c_lower(e.name)}", "{e.doc}")' for e in spec.enums["reason"].entries]
    return "\n".join([*head, " \\\n".join(rows), "// clang-format on", "", "#endif  // ATCP_REASON_ROWS_H", ""])


# ---- the kernel's policies and operations

def handlers():
    """Which functions of an operation exist: {operation: {doit, start, dumpit, done}}. An operation without any is not offered."""
    found = {}
    for op, part in re.findall(r"\batcp_nl_(\w+?)_(doit|start|dumpit|done)\(", HANDLERS.read_text()):
        found.setdefault(op, set()).add(part)
    return found


def policy_entry(a):
    kind = f"NLA_{a.type.upper()}"
    if a.type in NUMBERS and a.checks:
        low, high = a.checks.get("min"), a.checks.get("max")
        if low is not None and high is not None:
            return f"NLA_POLICY_RANGE({kind}, {low}, {high})"
        return f"NLA_POLICY_MAX({kind}, {high})" if high is not None else f"NLA_POLICY_MIN({kind}, {low})"
    if a.type == "binary":
        return f"{{ .type = NLA_BINARY{', .len = %d' % a.checks['max-len'] if a.checks else ''} }}"
    if a.type == "string":
        return f"{{ .type = NLA_NUL_STRING{', .len = %d' % a.checks['max-len'] if a.checks else ''} }}"
    return "{ .type = NLA_NESTED }" if a.type == "nest" else f"{{ .type = {kind} }}"


def rule(s, a):
    """What a value of the attribute must be, in words."""
    what = {"string": "a text", "flag": "a flag", "nest": "a nest", "binary": "bytes"}.get(a.type) or f"a u{NUMBERS[a.type]}"
    if "max-len" in a.checks:
        what = f"a text of at most {a.checks['max-len']} bytes" if a.type == "string" else f"at most {a.checks['max-len']} bytes"
    elif a.checks:
        low, high = a.checks.get("min", 0), a.checks.get("max", 2 ** NUMBERS.get(a.type, 0) - 1)
        what += f" in {low}..{high}"
    return f"{s.name} {a.name}: must be {what}"


def policy(name, attrs, size=""):
    lines = [f"static const struct nla_policy {name}[{size}] = {{"]
    return lines + [f"\t[{a.cname}] = {policy_entry(a)}," for a in attrs] + ["};", ""]


def offered(spec):
    """(op, handlers, attributes of its requests) of what the family offers now."""
    have = handlers()
    for o in spec.ops:
        if not o.event and (parts := have.get(c_lower(o.name))):
            names = {*taken(o, "do", parts), *taken(o, "dump", parts)}
            yield o, parts, [a for a in spec.sets[o.set].attrs if a.name in names]


def taken(o, mode, parts):
    """Names of the attributes that the do or dump takes. Those of a dump are read by its start."""
    return (getattr(o, mode) or []) if {"do": "doit", "dump": "start"}[mode] in parts else []


def request_sets(spec):
    """Nests that requests of what is offered hold."""
    nested = {a.nested for _, _, attrs in offered(spec) for a in attrs if a.nested}
    return [s for s in spec.sets.values() if s.name in nested]


def kernel_source(spec):
    lines = ["// SPDX-License-Identifier: GPL-2.0", "/*", " * What requests may hold, and the table of operations.", f" * {MADE}", " */", '#include "nl.h"', ""]
    for s in request_sets(spec):
        attrs, low = spec.accepted(s.name), c_lower(s.name)
        lines += policy(f"{low}_nest", attrs)
        lines += [f"static const char *const {low}_rules[] = {{"]
        lines += [f'\t[{a.cname}] =\n\t\t"{rule(s, a)}",' for a in attrs] + ["};", ""]
        lines += [f"const struct atcp_nl_nest atcp_nl_nest_{low} = {{", f'\t.name = "{s.name}",', f"\t.policy = {low}_nest,", f"\t.rules = {low}_rules,",
                  f"\t.max = ARRAY_SIZE({low}_nest) - 1,", "};", ""]
    for o, _, attrs in offered(spec):
        if attrs:
            lines += policy(f"{c_lower(o.name)}_policy", attrs, "__ATCP_A_MAX")
    lines += ["const struct genl_ops atcp_nl_ops[ATCP_NL_OPS] = {"]
    for o, parts, attrs in offered(spec):
        low = c_lower(o.name)
        lines += ["\t{", f"\t\t.cmd = {o.cname},"] + ["\t\t.flags = GENL_UNS_ADMIN_PERM,"] * o.admin
        lines += [f"\t\t.{part} = atcp_nl_{low}_{part}," for part in ("doit", "start", "dumpit", "done") if part in parts]
        if attrs:
            lines += [f"\t\t.policy = {low}_policy,", "\t\t.maxattr = __ATCP_A_MAX - 1,"]
        lines += ["\t},"]
    lines += ["};", "", "const struct genl_multicast_group atcp_nl_groups[ATCP_NL_GROUPS] = {"]
    for g in spec.groups:
        flags = ", .flags = GENL_MCAST_CAP_NET_ADMIN" if g in spec.admin_groups else ""
        lines += [f"\t[ATCP_NL_GROUP_{c_upper(g)}] = {{ .name = ATCP_MCGRP_{c_upper(g)}{flags} }},"]
    return "\n".join([*lines, "};", ""])


def kernel_header(spec):
    lines = banner("GPL-2.0", f"What nl_gen.c has for the rest of the family: nests that requests hold, the attributes that each request takes, the "
                   f"tables for struct genl_family. {MADE}")
    lines += ["#ifndef ATCP_NL_GEN_H", "#define ATCP_NL_GEN_H", "", "#include <net/genetlink.h>", "", "#include <linux/atcp.h>", "",
              *comment("A nest that requests hold. rules: for each attribute, what it must be; outlives every request."), "struct atcp_nl_nest {",
              "\tconst char *name;", "\tconst struct nla_policy *policy;", "\tconst char *const *rules;", "\tu16 max; /* highest attribute */", "};"]
    lines += [f"extern const struct atcp_nl_nest atcp_nl_nest_{c_lower(s.name)};" for s in request_sets(spec)] + [""]
    lines += comment("What do and dump take at the top, one bit per attribute: kernels of ours have one policy for both.")
    for o, parts, _ in offered(spec):
        for mode in ("do", "dump"):
            if names := taken(o, mode, parts):
                attrs = [a for a in spec.sets[o.set].attrs if a.name in names]
                lines += [f"#define ATCP_NL_{c_upper(o.name)}_{mode.upper()} ({' | '.join(f'BIT({a.cname})' for a in attrs)})"]
    lines += ["", f"#define ATCP_NL_OPS {len(list(offered(spec)))}", "extern const struct genl_ops atcp_nl_ops[ATCP_NL_OPS];", "", "enum {"]
    lines += [f"\tATCP_NL_GROUP_{c_upper(g)}," for g in spec.groups] + ["\tATCP_NL_GROUPS,", "};"]
    return "\n".join([*lines, "extern const struct genl_multicast_group atcp_nl_groups[ATCP_NL_GROUPS];", "", "#endif /* ATCP_NL_GEN_H */", ""])


FILES = {
    "uapi/linux/atcp_netlink.h": uapi,
    "module/core/abi/reason_rows.h": reasons,
    "module/linux/nl_gen.h": kernel_header,
    "module/linux/nl_gen.c": kernel_source,
}
