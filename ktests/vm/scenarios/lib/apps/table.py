# SPDX-License-Identifier: GPL-2.0
"""The programs that are tried, and the cases that follow from them."""

import itertools
import os
from collections.abc import Callable
from dataclasses import dataclass

from .. import net
from . import files, stores, web
from .place import ATTACH, CLIENT, PRELOAD, SERVER, Place

FAMILIES = (4, 6)
HOOK_FROM = (6, 6)  # the first kernel with update_socket_protocol, which `atcp attach` needs


@dataclass(frozen=True)
class App:
    """What is tried of one set of programs. on: the programs of each host. sides: each is on atcp in a case of its own. With
    one host there is no link that netem could spoil."""

    name: str
    on: dict[str, str]
    does: str
    checks: str
    packages: str
    run: Callable[[Place], dict]  # returns what Place.prove() is to show
    sides: tuple[str, ...] = (SERVER, CLIENT)
    through: str = PRELOAD


def pair(server, client):
    return {SERVER: server, CLIENT: client}


APPS = (
    App("http", pair("nginx", "curl"), "HTTP/1.1: 21 files with sendfile over one connection, a PUT of 3 MB", "sha256; one connection",
        "nginx-light curl", web.keepalive),
    App("http2", pair("nginx", "curl"), "HTTP/2 over TLS: 21 files side by side", "sha256; HTTP version", "nginx-light curl openssl", web.http2),
    App("wrk", pair("nginx", "wrk"), "16 connections that stay, as many requests as go in 2 s", "no socket error, no status but 2xx",
        "nginx-light wrk", web.wrk),
    App("redis", pair("redis-server", "redis-benchmark, redis-cli"),
        "seven kinds of commands from 20 clients, 2000 commands at once, a value of 1 MB", "redis counts; sha256",
        "redis-server redis-tools", stores.redis),
    App("service", pair("redis-server, as a service", "redis-cli"),
        "the environment of the [example for systemd](../tools/examples/systemd/atcp.conf), as the user redis", "an answer; the parameters of the listener",
        "redis-server redis-tools", stores.drop_in, (SERVER,)),
    App("postgresql", pair("postgres", "pgbench, psql"),
        "load by COPY, TPC-B with connections that stay and with one per transaction, COPY back",
        "transactions; sums of accounts, tellers, branches; every row", "postgresql-[1-9][0-9]", stores.postgresql),
    App("memcached", pair("memcached", "memccapable, memccp, memccat, memcslap"), "every command of both protocols, a value of 900 kB, four clients at once",
        "memccapable's own tests; sha256",
        "memcached libmemcached-tools", stores.memcached),
    App("haproxy", pair("haproxy", "nginx, curl"),
        "between curl and nginx, as HTTP proxy and with splice(): 21 files and a PUT of 3 MB each", "sha256; one connection",
        "haproxy nginx-light curl", web.haproxy),
    App("ssh", pair("sshd", "scp, sftp, ssh"), "64 MB (netem: 4 MB) there by scp -O and back by sftp; a command", "sha256; exit status",
        "openssh-server openssh-client", files.ssh),
    App("iperf3", pair("iperf3 -s", "iperf3 -c"), "forward, -R, --bidir, -P 4, -P 4 -R, --cport, -Z", "iperf3's own report: bytes, streams, port",
        "iperf3", files.iperf3),
    App("rsync", pair("rsync --daemon", "rsync"), "a tree there, a difference of it, and back", "sha256 of every file", "rsync", files.rsync),
    App("socat", pair("socat, listening", "socat, connecting"), "4 MB one way; 4 MB echoed, the end after a half close", "sha256", "socat", files.socat),
    App("python", pair("python3 -m http.server", "requests"), "21 files in one session", "sha256", "python3 python3-requests", web.python),
    App("stress", {SERVER: "stress-ng --sock, --sockmany"}, "its own clients and servers, over lo, with arbitrary calls", "its own status", "stress-ng",
        files.stress, (SERVER,)),
    App("node", pair("node's http", "node's http.Agent"), "40 bodies echoed over four connections that stay", "sha256 at both ends", "nodejs",
        web.node),
    App("go", pair("caddy file-server", "hey, curl"), "through `atcp attach`: 21 files, 200 requests over eight connections that stay, the large file four times",
        "sha256; every status 200, every byte", "caddy hey curl", web.go, through=ATTACH),
)


@dataclass(frozen=True)
class Case:
    app: App
    on_atcp: str
    netem: bool
    family: int

    @property
    def name(self):
        return "_".join([self.app.name, "server" if self.on_atcp == SERVER else "client", *["netem"] * self.netem,
                         *["ipv6"] * (self.family == 6)])

    def possible(self, release):
        """On a kernel of this release ("6.1.0-56-amd64")."""
        return self.app.through != ATTACH or tuple(int(n) for n in release.split(".")[:2]) >= HOOK_FROM

    def __call__(self):
        if not self.possible(os.uname().release):
            raise net.Skipped(f"atcp attach needs a kernel of {HOOK_FROM[0]}.{HOOK_FROM[1]} or newer")
        with Place(self.on_atcp, self.netem, self.family, self.app.through) as place:
            proof = self.app.run(place)
            net.ledgers_add_up(place.prefix(self.on_atcp))
            place.stop()
            place.prove(**proof)


def cases(families=FAMILIES):
    return [Case(app, on, netem, family) for app in APPS for family, netem, on in
            itertools.product(families, (False, True)[:len(app.on)], app.sides)]
