# SPDX-License-Identifier: GPL-2.0
"""The architecture as checks: what may include, name or link what. Each check_* function returns a list of problems as text.

Reads sources and the objects in build/6.1 and build/6.12; runs no test and knows no style beyond what docs/architecture.md promises.
"""
import collections, os, pathlib, re, subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
CORE = ROOT / "module/core"
LISTS = ROOT / "tools/check"

# Folders of the core, lowest first: an include may point left or stay. abi is the border and is seen by all.
ORDER = ["base", "wire", "cc", "table", "conn", "listen", "entry"]

# What a core object may leave to the linker beyond other core objects and the functions of abi/atcp_os.h.
LINKABLE = re.compile(
    r"mem(cpy|move|set|cmp)|__fentry__|__stack_chk_fail|__x86_(indirect_thunk_\w+|return_thunk)|__ref_stack_chk_guard")

SOFT_LINES, HARD_LINES = 600, 1000


def sources(*suffixes):
    """Tracked and new files below the project's folders, without what builds leave behind."""
    out = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True)
    files = [ROOT / f for f in out.stdout.splitlines()]
    return sorted(f for f in files if f.is_file() and (not suffixes or f.suffix in suffixes))


def rel(path):
    return str(path.relative_to(ROOT))


def core_sources(*suffixes):
    return [f for f in sources(*suffixes) if f.is_relative_to(CORE) and not f.is_relative_to(CORE / "tests")]


def includes(path):
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if m := re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line):
            yield number, m[1], m[2]


def check_core_includes():
    """The core sees itself, the uAPI header and nothing else: no kernel, no libc, no C++ library."""
    allowed = {"linux/atcp.h", "stdint.h", "stddef.h"}
    # The border is read by the kernel's C as well, which has its integer types from here.
    border = allowed | {"linux/types.h"}
    return [f"{rel(f)}:{n}: <{what}> in the core" for f in core_sources(".h", ".cpp") for n, kind, what in includes(f)
            if kind == "<" and what not in (border if f.parent.name == "abi" else allowed)]


def check_include_order():
    problems = []
    for f in core_sources(".h", ".cpp"):
        mine = f.relative_to(CORE).parts[0]
        for n, kind, what in includes(f):
            if kind != '"':
                continue
            theirs = what.split("/")[0] if "/" in what else mine
            if theirs == "abi" and "/" in what or theirs == mine:
                continue
            if mine == "abi" or theirs not in ORDER or mine not in ORDER or ORDER.index(theirs) > ORDER.index(mine):
                problems.append(f"{rel(f)}:{n}: {mine}/ may not include {what} (order: {' < '.join(ORDER)})")
    return problems


def check_glue_includes():
    """Glue reaches the core through the border only."""
    return [f"{rel(f)}:{n}: {what} is the core's own" for f in sources(".c", ".h") if f.is_relative_to(ROOT / "module/linux")
            for n, kind, what in includes(f)
            if kind == '"' and not (f.parent / what).exists() and not (CORE / "abi" / pathlib.Path(what).name).exists()]


def check_headers_alone():
    """Every header of the core compiles by itself; the border also as C (integer types are the includer's there)."""
    headers = core_sources(".h")
    problems = []
    for compiler, files in ((["g++", "-std=c++20", "-fno-rtti", "-x", "c++"], headers),
                            (["gcc", "-std=gnu11", "-include", "stdint.h", "-x", "c"], [h for h in headers if h.parent.name == "abi"])):
        if files:
            r = subprocess.run([*compiler, "-ffreestanding", "-fsyntax-only", "-w", f"-I{CORE}", f"-I{ROOT}/uapi", *files],
                               capture_output=True, text=True)
            if r.returncode:
                problems.append(r.stderr.strip())
    return problems


def nm(path, *flags):
    out = subprocess.run(["nm", *flags, path], capture_output=True, text=True, check=True).stdout
    return [line.split()[-1] for line in out.splitlines() if line.split()]


def check_core_links():
    """What the core's objects leave undefined is the border's functions, the memory functions and compiler thunks: so no libc, no
    allocation, no exception, no guard. And no constructor runs at load."""
    border = set(re.findall(r"\batcp_os_\w+", (CORE / "abi/atcp_os.h").read_text()))
    problems = []
    for flavour in ("6.1", "6.12"):
        objects = [ROOT / "build" / flavour / f.relative_to(ROOT).with_suffix(".o") for f in core_sources(".cpp")]
        missing = [o for o in objects if not o.exists()]
        if missing:
            problems.append(f"not built: {', '.join(map(rel, missing))} (make modules)")
            continue
        defined = {s for o in objects for s in nm(o, "--defined-only", "-g")}
        for o in objects:
            for symbol in nm(o, "-u"):
                if symbol not in defined and symbol not in border and not LINKABLE.fullmatch(symbol):
                    problems.append(f"{rel(o)}: needs {symbol}")
            sections = subprocess.run(["readelf", "-SW", o], capture_output=True, text=True, check=True).stdout
            problems += [f"{rel(o)}: has {s}" for s in (".init_array", ".ctors", ".fini_array") if s in sections]
    return problems


def check_imports():
    """The symbols that atcp.ko wants of the kernel are known: they differ between kernels and deserve a look when they change."""
    manifest = LISTS / "imports.txt"
    have = set()
    for flavour in ("6.1", "6.12"):
        ko = ROOT / "build" / flavour / "atcp.ko"
        if not ko.exists():
            return [f"{rel(ko)} is missing (make modules)"]
        have |= set(nm(ko, "-u"))
    if os.environ.get("UPDATE"):
        notes = [line for line in manifest.read_text().splitlines() if line.startswith("#")] if manifest.exists() else []
        manifest.write_text("".join(f"{line}\n" for line in [*notes, *sorted(have)]))
        return []
    known = {line for line in manifest.read_text().splitlines() if line and line[0] != "#"} if manifest.exists() else set()
    return ([f"imports.txt: {s} is new (make check UPDATE=1 after a look)" for s in sorted(have - known)]
            + [f"imports.txt: {s} is not imported any more (make check UPDATE=1)" for s in sorted(known - have)])


def check_version_code():
    return [f"{rel(f)}:{n}: kernel version outside compat.h" for f in sources(".c", ".h") if f.is_relative_to(ROOT / "module")
            and f.name != "compat.h" for n, line in enumerate(f.read_text().splitlines(), 1)
            if re.search(r"\b(LINUX_VERSION_CODE|KERNEL_VERSION)\b", line)]


def is_source(f):
    return f.suffix in (".c", ".cpp", ".h", ".py", ".sh") or f.name in ("Makefile", "Kbuild") or f.read_bytes()[:2] == b"#!"


def check_spdx():
    return [f"{rel(f)}: no SPDX line at the top" for f in sources() if is_source(f)
            and "SPDX-License-Identifier: GPL-2.0" not in "\n".join(f.read_text(errors="replace").splitlines()[:3])]


def banner(f):
    """The first paragraph of comment below the SPDX line."""
    words = []
    for line in f.read_text().splitlines()[1:]:
        text = re.sub(r"^\s*(//+|/\*+|\*+/?|#)\s?", "", line).replace("*/", "").strip()
        is_comment = re.match(r"\s*(//|/\*|\*)", line)
        if is_comment and text:
            words.append(text)
        elif words or (line.strip() and not is_comment):
            break
    return " ".join(words)


def check_banners():
    seen, problems = collections.defaultdict(list), []
    for f in sources(".c", ".cpp", ".h"):
        text = banner(f)
        if len(text) < 20:
            problems.append(f"{rel(f)}: no paragraph that says what is here")
        seen[text].append(rel(f))
    return problems + [f"{', '.join(fs)}: the same banner" for text, fs in seen.items() if len(fs) > 1 and len(text) >= 20]


def check_length():
    return [f"{rel(f)}: {n} lines, {HARD_LINES} is the limit" for f, n in lengths() if n > HARD_LINES]


def lengths():
    return [(f, len(f.read_text(errors="replace").splitlines())) for f in sources() if is_source(f)]


def long_files():
    return [f"{rel(f)}: {n} lines, think about splitting" for f, n in lengths() if n > SOFT_LINES]


def check_tests_mirror():
    """Every core source has its test file, or tests-elsewhere.txt says where it is tested and why not there."""
    listed = {}
    for line in (LISTS / "tests-elsewhere.txt").read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            path, _, why = line.partition(":")
            listed[path.strip()] = why.strip()
    problems = []
    for f in core_sources(".cpp"):
        test = CORE / "tests" / f.relative_to(CORE).with_name(f.stem + "_test.cpp")
        why = listed.pop(rel(f), None)
        if test.exists() and why is not None:
            problems.append(f"tests-elsewhere.txt: {rel(f)} has its test file now")
        elif not test.exists() and not why:
            problems.append(f"{rel(f)}: no {rel(test)} and no reason in tests-elsewhere.txt")
    return problems + [f"tests-elsewhere.txt: {p} does not exist" for p in listed]


CHECKS = {name[6:].replace("_", " "): f for name, f in list(globals().items()) if name.startswith("check_")}
