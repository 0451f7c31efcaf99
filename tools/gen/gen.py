#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Makes what follows from uapi/atcp.yaml: the UAPI header, the core's rows of reasons, the kernel's policies and operations, and the
promised list of numbers; and what follows from the core's tables: docs/parameters.md and the tables of atcp(7).

    gen.py          writes them; refuses if a number of uapi/abi.txt would change or go (make gen)
    gen.py --check  says what is not as it would be written (make gen-check, part of make check)

The check_* functions return problems as text.
"""
import pathlib, sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import abi, emit, selftest, spec as specification, tables

ROOT = specification.ROOT


def outputs(spec):
    return {**{name: make(spec) for name, make in emit.FILES.items()}, "uapi/abi.txt": abi.text(spec)}


def check_documents():
    return [f"{name}: is not what the core's tables say (make gen)" for name, text in tables.outputs().items()
            if not (ROOT / name).exists() or (ROOT / name).read_text() != text]


def check_spec():
    return [f"uapi/atcp.yaml: {p}" for p in specification.check(specification.load())]


def check_abi():
    return abi.broken(specification.load())


def check_generated():
    """Differs also if somebody edited what is generated."""
    spec = specification.load()
    return [f"{name}: is not what uapi/atcp.yaml says (make gen)" for name, text in outputs(spec).items()
            if not (ROOT / name).exists() or (ROOT / name).read_text() != text]


CHECKS = {"specification": check_spec, "UAPI numbers": check_abi, "generated files": check_generated,
          "generated documents": check_documents, "generator": selftest.run}


def main():
    # A sound specification comes first: the others trust it.
    problems = check_spec() or check_abi()
    if not problems and "--check" in sys.argv[1:]:
        problems = check_generated() + check_documents() + selftest.run()
    elif not problems:
        # The core's tables hold what the first round has just made.
        for made in (lambda: outputs(specification.load()), tables.outputs):
            for name, text in made().items():
                if not (ROOT / name).exists() or (ROOT / name).read_text() != text:
                    (ROOT / name).write_text(text)
                    print(f"gen: {name}")
    for p in problems:
        print(f"gen: {p}", file=sys.stderr)
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
