#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
# what: unmodified nginx and curl work on atcp through the preload library, against each other and against kernel TCP
# mode: smp
# families: 4 6
# kernels: 6.1 6.12
# seconds: 240
"""The demonstration's transfers, small, with keepalive connections and many
small files, so that it runs on every kernel."""

import hashlib
import os
import pathlib
import shutil
import tempfile

from lib import net, packet
from lib.flows import TwoHosts, tested

SMALL_FILES = 20
HOST = packet.in_url("10.1.0.1")
CONF = """daemon off; worker_processes 1; user root; pid {dir}/pid; error_log {dir}/log info;
events {{ worker_connections 128; }}
http {{ access_log off; sendfile {sendfile};
  client_body_temp_path {dir}/b; proxy_temp_path {dir}/p; fastcgi_temp_path {dir}/f; uwsgi_temp_path {dir}/u;
  scgi_temp_path {dir}/s;
  server {{ listen {addr}:80; root {dir}/www; }} }}
"""


def environment(stack):
    env = dict(os.environ)
    if stack == "atcp":
        env |= {"LD_PRELOAD": f"{net.TOOLS}/libatcp-preload.so", "ATCP_STRICT": "1"}
    return env


def serve_and_fetch(server, client, sendfile):
    work = pathlib.Path(tempfile.mkdtemp(prefix="atcp-web-"))
    try:
        (work / "www").mkdir()
        want = {}
        for name in ["big"] + [f"s{i}" for i in range(SMALL_FILES)]:
            data = os.urandom(3 << 20 if name == "big" else 700)
            (work / "www" / name).write_bytes(data)
            want[name] = hashlib.sha256(data).hexdigest()
        (work / "conf").write_text(CONF.format(dir=work, addr=HOST, sendfile=sendfile), encoding="ascii")
        with TwoHosts(netem="delay 5ms loss 1%") as hosts:
            nginx = hosts.spawn("a", ["nginx", "-p", str(work), "-c", str(work / "conf")], env=environment(server))
            try:
                urls = " ".join(f"-o {work}/got-{n} http://{HOST}/{n}" for n in want)
                curl = hosts.spawn("b", ["sh", "-c", f"curl -sS --fail --retry 20 --retry-connrefused --retry-delay 1 "
                                         f"--max-time 100 {urls}"], env=environment(client))
                net.finish(curl, "curl", 150)
                got = {n: hashlib.sha256((work / f"got-{n}").read_bytes()).hexdigest() for n in want}
                net.equal(got, want, "sha256 of the files")
            finally:
                nginx.terminate()
                nginx.communicate(timeout=net.patience(20))
    finally:
        shutil.rmtree(work)


def nginx_on_ours():
    serve_and_fetch(tested(), "tcp", "on")


def curl_on_ours():
    serve_and_fetch("tcp", tested(), "on")


def both_on_ours_without_sendfile():
    serve_and_fetch(tested(), tested(), "off")


if __name__ == "__main__":
    net.main(nginx_on_ours, curl_on_ours, both_on_ours_without_sendfile)
