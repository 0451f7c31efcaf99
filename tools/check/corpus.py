#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""corpus.py pack FOLDER FILE | unpack FILE FOLDER: inputs of a fuzz target, as libFuzzer wants them and as the repository keeps them.

In the file each line is one input in hex, the shortest first; in the folder each is a file of its own. Folders are made anew.
"""
import pathlib, shutil, sys


def pack(folder, file):
    inputs = sorted({p.read_bytes() for p in folder.iterdir()}, key=lambda b: (len(b), b))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(b.hex() + "\n" for b in inputs if b))


def unpack(file, folder):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for i, line in enumerate(file.read_text().splitlines() if file.exists() else []):
        (folder / f"{i:04}").write_bytes(bytes.fromhex(line))


if __name__ == "__main__":
    {"pack": pack, "unpack": unpack}[sys.argv[1]](*map(pathlib.Path, sys.argv[2:4]))
