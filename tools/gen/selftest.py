# SPDX-License-Identifier: GPL-2.0
"""Each rule of the generator shown to catch what it is for: faults are put into a copy of the specification, and the complaint
must be the right one. Part of `make gen-check`."""
import copy

import abi, spec as specification


def attribute(raw, where, name):
    return next(a for s in raw["attribute-sets"] if s["name"] == where for a in s["attributes"] if a["name"] == name)


def operation(raw, name):
    return next(o for o in raw["operations"]["list"] if o["name"] == name)


def entries(raw, name):
    return next(d["entries"] for d in raw["definitions"] if d["name"] == name)


# What is done to the document, and a word of the complaint.
FAULTS = [
    (lambda raw: attribute(raw, "socket", "cwnd").update(doc=""), "ATCP_SOCKET_A_CWND: has no doc"),
    (lambda raw: attribute(raw, "socket", "cwnd").update(doc="a */ b"), "no newline, comment mark"),
    (lambda raw: attribute(raw, "socket", "cwnd").update(name="Cwnd"), "Cwnd is no name"),
    (lambda raw: attribute(raw, "socket", "cwnd").update(name="cc"), "ATCP_SOCKET_A_CC: comes twice"),
    (lambda raw: attribute(raw, "socket", "cwnd").update(type="s32"), "type s32 is not known"),
    (lambda raw: attribute(raw, "socket", "cwnd").update(enum="nosuch"), "enum nosuch does not exist"),
    (lambda raw: attribute(raw, "socket", "cwnd").update(checks={"max-len": 3}), "check max-len does not go with u32"),
    (lambda raw: attribute(raw, "socket", "cwnd").update(display="x"), "display is not known"),
    (lambda raw: attribute(raw, "socket", "timer").update({"nested-attributes": "nosuch"}), "nests and only they"),
    (lambda raw: attribute(raw, "timer", "pad").update(type="u32"), "a u64 needs a pad"),
    (lambda raw: operation(raw, "socket-get")["do"]["request"].update(attributes=["nosuch"]), "nosuch is not in atcp"),
    (lambda raw: operation(raw, "event-ntf").update(mcgrp="nosuch"), "no multicast group nosuch"),
    (lambda raw: operation(raw, "event-ntf").pop("mcgrp"), "either do and dump, or event with mcgrp"),
    (lambda raw: entries(raw, "kind").append({"name": "more"}), "ATCP_KIND_MORE: has no doc"),
    (lambda raw: entries(raw, "kind").append("more"), "kind/more: has no doc"),
]
# The same for promises: what programs have been built with.
BREAKS = [
    (lambda raw: entries(raw, "reason").reverse(), "ATCP_REASON_NONE 0 was promised and is now ATCP_REASON_NONE"),
    (lambda raw: entries(raw, "reason").pop(), "was promised and is gone"),
    (lambda raw: attribute(raw, "socket", "cwnd").update(type="u64"), "ATCP_SOCKET_A_CWND 13 u32 was promised and is now ATCP_SOCKET_A_CWND 13 u64"),
    (lambda raw: raw["operations"]["list"].pop(0), "ATCP_CMD_PARAM_GET 1 was promised and is gone"),
]


def complaints(fault, look):
    raw = copy.deepcopy(specification.load().raw)
    fault(raw)
    return look(specification.Spec(raw))


def run():
    """What no rule caught."""
    missed = []
    for faults, look in ((FAULTS, specification.check), (BREAKS, abi.broken)):
        for fault, words in faults:
            found = complaints(fault, look)
            if not any(words in c for c in found):
                missed.append(f"the generator does not say `{words}` but {found}")
    if abi.broken(specification.load()):
        return missed
    raw = copy.deepcopy(specification.load().raw)
    entries(raw, "kind").append({"name": "more", "doc": "one that is new"})
    if abi.broken(specification.Spec(raw)) or "ATCP_KIND_MORE 4" not in abi.text(specification.Spec(raw)):
        missed.append("the generator does not take a new number at the end of its list")
    return missed
