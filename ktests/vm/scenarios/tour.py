#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# what: the ten commands of docs/tour.md against a server that accepts too slowly; explain names the cause
# mode: smp
# families: 4, the text of docs/tour.md
# kernels: 6.1 6.12
# needs: atcp
# seconds: 240
"""docs/tour.md holds commands, each in a comment `<!-- run: COMMAND -->` in
front of the block with what it printed. As a scenario this runs them in their
order and checks that they succeed, print what the text relies upon, and end
with the cause. `tour.py renew`, on a host, runs it in a virtual machine and
puts the new output into the document (`make tour`)."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
from lib import net  # noqa: E402
from lib.net import check, equal  # noqa: E402

DOCUMENT = pathlib.Path(net.TOP) / "docs/tour.md"
BLOCK = re.compile(r"(<!-- run: ([^\n]*) -->\n\n?```console\n)(.*?)(```\n)", re.S)
MARK = "@@tour "
WORK = "/tmp/tour"

# An ordinary program, that does its work where it should only accept: two customers a second, whatever comes.
SHOP = """#!/usr/bin/python3
import socket
import time

with socket.create_server(("192.0.2.10", 8080), backlog=5) as listener:
    while True:
        customer, _ = listener.accept()
        customer.recv(1000)
        time.sleep(0.5)  # looks something up
        customer.sendall(b"HTTP/1.0 200 OK\\r\\n\\r\\nhere you are\\n")
        customer.close()
"""

# Twenty come each second and wait for three.
CUSTOMERS = """#!/usr/bin/python3
import selectors
import socket
import time

waiting = selectors.DefaultSelector()
opened = {}
next_one = time.monotonic()
while True:
    now = time.monotonic()
    if now >= next_one:
        next_one = now + 0.05
        s = socket.socket()
        s.setblocking(False)
        s.bind(("192.0.2.20", 0))
        s.connect_ex(("192.0.2.10", 8080))
        waiting.register(s, selectors.EVENT_WRITE)
        opened[s] = now
    for key, events in waiting.select(max(0, next_one - time.monotonic())):
        try:
            if events & selectors.EVENT_WRITE:
                key.fileobj.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")
                waiting.modify(key.fileobj, selectors.EVENT_READ)
                continue
            key.fileobj.recv(1000)
        except OSError:
            pass
        opened[key.fileobj] = 0
    for s in [s for s, since in opened.items() if since < now - 3]:
        waiting.unregister(s)
        s.close()
        del opened[s]
"""


def commands():
    """Those of the document, in their order."""
    return [found[1] for found in BLOCK.findall(DOCUMENT.read_text(encoding="utf-8"))]


def waiting_customer():
    """The ID of a connection that is established and that the program has not accepted."""
    def find():
        rows = json.loads(net.atcp("--json sockets --listening no sport 8080 state established"))["sockets"]
        return [r["id"] for r in rows if not r["inode"] and r["recvq"]]
    return net.until(find, 30, "a customer in the queue")[-1]


def typed(command):
    """(what a person would have typed, what was printed). {id} stands for a connection that waits to be accepted."""
    if command.endswith("&"):
        return command, ""
    for _ in range(20):  # the one that is asked for may have left meanwhile
        line = command.replace("{id}", str(waiting_customer())) if "{id}" in command else command
        done = subprocess.run(["bash", "-c", line], cwd=WORK, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              check=False)
        if done.returncode == 0 or "{id}" not in command:
            break
    equal(done.returncode, 0, f"status of `{line}`, which printed: {done.stdout}")
    check(done.stdout, f"`{line}` printed nothing")
    return line, done.stdout


# What the text between the commands says of them, and the cause.
RELIED_UPON = (("atcp sockets", "SYN-SENT"), ("atcp stats", "ListenOverflows"), ("atcp reasons", "accept_queue_full_syn"),
               ("atcp monitor", "accept_queue_free"), ("atcp listeners -v", "accept_queue_full_syn"), ("atcp show", "ESTAB"),
               ("atcp explain", "trouble: the accept queue of 192.0.2.10:8080 (shop["), ("atcp explain", "let the program accept faster"))


def typed_until_it_tells(command):
    """typed(); once more if this machine paused while the command looked, so that it saw too little."""
    told = []

    def missing():
        return [word for start, word in RELIED_UPON if command.startswith(start) and word not in told[-1][1]]

    def tells():
        told.append(typed(command))
        return not missing()

    net.until(tells, 30, lambda: f"{missing()} is not in what {told[-1][0]} prints: {told[-1][1]}")
    return told[-1]


def ten_commands_find_the_cause():
    shutil.rmtree(WORK, ignore_errors=True)
    os.makedirs(WORK)
    for name, text in (("shop", SHOP), ("customers", CUSTOMERS)):
        with open(f"{WORK}/{name}", "w", encoding="ascii") as f:
            f.write(text)
        os.chmod(f"{WORK}/{name}", 0o755)
    os.environ["PATH"] = f"{net.TOOLS}:{os.environ['PATH']}"
    net.atcp("params reset")
    net.sh("ip addr add 192.0.2.10/32 dev lo; ip addr add 192.0.2.20/32 dev lo")
    session = commands()
    equal(len(session), 10, "commands of the document")
    equal(session[0], "atcp run -- ./shop &", "the first command")
    shop = subprocess.Popen(["atcp", "run", "--", "./shop"], cwd=WORK)
    net.until(lambda: net.atcp_json("listeners"), 30, "the shop")
    customers = subprocess.Popen(["atcp", "run", "--", "./customers"], cwd=WORK)
    try:
        # The first of them have given up, and somebody was refused.
        net.until(lambda: net.atcp_json("listeners")[0]["overflow_syn"] > 20 and net.atcp_json("records"), 60, "trouble")
        told = [typed_until_it_tells(command) for command in session]
        found = net.until(lambda: [f for f in net.atcp_json("explain")["findings"] if f["rule"] == "accept_queue_full" and
                                   f["severity"] == "trouble"], 30, "explain finds the cause")
    finally:
        for process in (customers, shop):
            process.kill()
            process.wait()
    equal((found[0]["numbers"]["port"], found[0]["numbers"]["backlog"]), (8080, 5), "where it is")
    equal(told[-1][0], "atcp explain", "the last command")
    for start, word in RELIED_UPON:
        text = "".join(output for line, output in told if line.startswith(start))
        check(word in text, f"`{word}` is not in what {start} prints: {text}")
    if os.environ.get("ATCP_TOUR"):
        print(MARK + json.dumps(told))


def renew():
    """On the host: the document with the output of today."""
    done = subprocess.run([os.path.join(net.TOP, "ktests/vm/run"), "--kernel", "6.12", "--", "env", "ATCP_TOUR=1", os.path.abspath(__file__)],
                          stdout=subprocess.PIPE, text=True, check=False)
    marked = [line for line in done.stdout.splitlines() if line.startswith(MARK)]
    if done.returncode or not marked:
        sys.exit(f"tour: the session failed ({done.returncode}):\n{done.stdout}")
    told = iter(json.loads(marked[0][len(MARK):]))

    def filled(match):
        line, output = next(told)
        return f"{match[1]}# {line}\n{output}{match[4]}"

    DOCUMENT.write_text(BLOCK.sub(filled, DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:] == ["renew"]:
        renew()
    else:
        net.main(ten_commands_find_the_cause)
