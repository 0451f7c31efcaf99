# SPDX-License-Identifier: GPL-2.0
"""What keeps data: redis, PostgreSQL, memcached, each with its own benchmark or
self-check."""

import os
import pathlib
import re
import shutil

from .. import net
from .place import SERVER, patiently, sha256

PIPED, BLOB = 2000, 1 << 20
VALUE = 900000  # below memcached's greatest


def redis(place):
    place.start(["redis-server", "--port", 6379, "--bind", place.addr(SERVER), "--save", "", "--appendonly", "no", "--daemonize", "no",
                 "--protected-mode", "no", "--dir", place.work], 6379)
    at = ["-h", place.addr(SERVER), "-p", 6379]
    kinds = ["ping_inline", "ping_mbulk", "set", "get", "lpush", "lrange_100", "mset"]
    out = place.run(["redis-benchmark", *at, "-q", "-n", 500, "-c", 20, "-P", 4, "-t", ",".join(kinds)])
    done = re.findall(r"^(?:.*\r)?\s*([A-Z_]+).*requests per second", out, re.M)
    net.check(len(done) >= len(kinds), f"redis-benchmark did not do all of {kinds}: {out}")
    # What redis-cli sends at once is counted by redis, answer by answer.
    commands = place.file("commands", "".join(f"SET piped:{i} {i * i}\r\n" for i in range(PIPED)))
    with open(commands, "rb") as source:
        out = place.run(["redis-cli", *at, "--pipe"], stdin=source)
    net.check(f"errors: 0, replies: {PIPED}" in out, out)
    blob, want = place.random_file("blob", BLOB)
    with open(blob, "rb") as source:
        place.run(["redis-cli", *at, "-x", "SET", "blob"], stdin=source)
    place.run(["sh", "-c", f"redis-cli -h {place.addr(SERVER)} -p 6379 --raw GET blob | head -c {BLOB} >{place.work}/got"])
    net.equal(sha256(place.work / "got"), want, "sha256 of the value")
    net.equal(place.run(["redis-cli", *at, "--raw", "GET", f"piped:{PIPED - 1}"]).strip(), str((PIPED - 1) ** 2), "a value")
    return {"least": 20, "bytes_least": 2 * BLOB}


DROP_IN = pathlib.Path(net.TOP) / "tools/examples/systemd/atcp.conf"


def drop_in(place):
    """redis as its unprivileged user with all that the example for systemd says, and nothing else, in its environment."""
    settings = re.findall(r'^#?Environment="?([^"\n]+)"?$', DROP_IN.read_text(encoding="utf-8"), re.M)
    env = dict(setting.split("=", 1) for setting in settings)
    net.equal(set(env), {"LD_PRELOAD", "ATCP_STRICT", "ATCP_SET"}, "variables of the example")
    if net.IS_ATCP:
        net.check("ATCP_IN_VM" in os.environ, "this puts a file below /usr/local: only in a virtual machine")
        os.makedirs(os.path.dirname(env["LD_PRELOAD"]), exist_ok=True)
        shutil.copy(f"{net.TOOLS}/libatcp-preload.so", env["LD_PRELOAD"])
    place.start(["redis-server", "--port", 6379, "--bind", place.addr(SERVER), "--save", "", "--daemonize", "no", "--protected-mode", "no"],
                6379, user="redis", env=env if net.IS_ATCP else {})
    net.equal(place.run(["redis-cli", "-h", place.addr(SERVER), "ping"]).strip(), "PONG", "the answer")
    if net.IS_ATCP:
        listener = net.atcp_json("listeners", place.prefix(SERVER))[0]["id"]
        values = {row["name"]: row["value"] for row in net.atcp_json(f"params --socket {listener}", place.prefix(SERVER))}
        for setting in env["ATCP_SET"].split():
            name, value = setting.split("=")
            net.equal(str(values[name]), value, f"{name} of the listener")
    return {"least": 1, "bytes_least": 10}


DATABASE = pathlib.Path("/run/atcp-apps-postgresql")  # a virtual machine sees the host's /tmp, but has a /run of its own
CLIENTS, ACCOUNTS = 4, 100000
# What TPC-B says must agree when all is done: one row.
BALANCES = ("select (select count(*) from pgbench_history), (select count(*) from pgbench_accounts), "
            "(select sum(abalance) from pgbench_accounts) = (select sum(delta) from pgbench_history), "
            "(select sum(bbalance) from pgbench_branches) = (select sum(delta) from pgbench_history), "
            "(select sum(tbalance) from pgbench_tellers) = (select sum(delta) from pgbench_history)")


def postgresql_programs():
    """The folder of the newest version's programs: most are not in PATH."""
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    net.check(found, "no /usr/lib/postgresql/*/bin")
    return found[-1]


def database():
    """A cluster, made once for all cases of this machine by the user that Debian has for it: the server refuses to be root."""
    data = DATABASE / "data"
    if not (DATABASE / "done").exists():
        net.sh(f"rm -rf {DATABASE} && install -d -o postgres -g postgres {DATABASE} && cd {DATABASE} && "
               f"setpriv --reuid=postgres --regid=postgres --clear-groups {postgresql_programs()}/initdb -D {data} -A trust -U postgres "
               f"--no-sync -E UTF8 --locale=C >/dev/null && echo 'host all all all trust' >>{data}/pg_hba.conf && touch {DATABASE}/done",
               timeout=300)
    return data


def postgresql(place):
    data, programs = database(), postgresql_programs()
    place.start([programs / "postgres", "-D", data, "-p", 5432, "-c", f"listen_addresses={place.addr(SERVER)}", "-c", "fsync=off",
                 "-c", "shared_buffers=16MB", "-c", "unix_socket_directories=", "-c", "autovacuum=off", "-c", "max_wal_size=64MB"],
                5432, user="postgres")
    at = ["-h", place.addr(SERVER), "-p", 5432, "-U", "postgres"]
    patiently("it listens before it is ready", lambda: place.run([programs / "pg_isready", *at]))
    out = place.run([programs / "pgbench", *at, "-i", "-s", 1, "-q", "postgres"])
    net.check("done in" in out, out)
    # With connections that stay, and with one for each transaction.
    total = 0
    for rounds, more in ((25, ["-M", "prepared"]), (5, ["--connect"])):
        out = place.run([programs / "pgbench", *at, "-n", "-c", CLIENTS, "-j", 2, "-t", rounds, *more, "postgres"])
        total += rounds * CLIENTS
        net.check(f"number of transactions actually processed: {rounds * CLIENTS}/{rounds * CLIENTS}" in out, out)
    out = place.run([programs / "psql", *at, "-XAt", "-c", BALANCES, "postgres"])
    net.equal(out.strip(), f"{total}|{ACCOUNTS}|t|t|t", "history, accounts, and whether the sums of accounts, branches and tellers agree")
    # Every account once more, through COPY to the client.
    out = place.run([programs / "psql", *at, "-XAt", "-c", "copy (select aid from pgbench_accounts order by aid) to stdout", "postgres"])
    net.check(out == "".join(f"{n}\n" for n in range(1, ACCOUNTS + 1)), "COPY to the client gave other accounts than those that are there")
    return {"least": 1 + CLIENTS + 5 * CLIENTS + 2, "bytes_least": 10 * ACCOUNTS}


def memcached(place):
    place.start(["memcached", "-u", "nobody", "-l", place.addr(SERVER), "-p", 11211, "-U", 0, "-m", 64], 11211)
    out = place.run(["memccapable", "-h", place.addr(SERVER), "-p", 11211])
    net.check("All tests passed" in out and "[FAIL" not in out, out)
    servers = f"--servers={place.host(SERVER)}:11211"
    blob, want = place.random_file("blob", VALUE)
    place.run(["memccp", servers, blob])
    place.run(["memccat", servers, f"--file={place.work}/back", blob.name])
    net.equal(sha256(place.work / "back"), want, "sha256 of the value")
    out = place.run(["memcslap", servers, "--concurrency=4", "--execute-number=100", "--initial-load=100", "--test=mget"])
    net.check(re.search(r"mget\s+400 keys by\s+4 threads", out), out)
    return {"least": 8, "bytes_least": 2 * VALUE}
