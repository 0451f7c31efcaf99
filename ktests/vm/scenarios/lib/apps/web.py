# SPDX-License-Identifier: GPL-2.0
"""HTTP: nginx with curl and wrk, over TLS, haproxy in the middle, Python's and
node's own servers and clients, programs in Go."""

import re

from .. import net
from .place import CLIENT, SERVER, sha256

NGINX = """daemon off; worker_processes 1; user root; pid {dir}/pid; error_log {dir}/error.log info;
events {{ worker_connections 256; }}
http {{ access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000;
  client_body_temp_path {dir}/b; proxy_temp_path {dir}/p; fastcgi_temp_path {dir}/f; uwsgi_temp_path {dir}/u;
  scgi_temp_path {dir}/s; client_max_body_size 64m;
  server {{ listen {listen}; root {dir}/www; {more}
    location /up/ {{ root {dir}; dav_methods PUT; create_full_put_path on; }} }} }}
"""
TLS = "ssl_certificate {dir}/cert.pem; ssl_certificate_key {dir}/key.pem; http2_max_concurrent_streams 64;"
SMALL_FILES, SMALL, BIG = 20, 700, 3 << 20


def site(place):
    """Files to be fetched: {name: sha256}."""
    sizes = {"big": BIG} | {f"s{i}": SMALL for i in range(SMALL_FILES)}
    return {name: place.random_file(f"www/{name}", size)[1] for name, size in sizes.items()}


def nginx(place, port, name=SERVER, tls=False):
    listen, more = f"{place.host(name)}:{port}", ""
    if tls:
        listen, more = listen + " ssl http2", TLS.format(dir=place.work)
    config = place.file("nginx.conf", NGINX.format(dir=place.work, listen=listen, more=more))
    place.start(["nginx", "-p", place.work, "-c", config], port, name=name)


def certificate(place):
    net.sh(f"cd {place.work} && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout key.pem -out cert.pem "
           f"-days 2 -subj /CN=atcp -addext subjectAltName=IP:{place.addr(SERVER)} 2>&1")


def fetch(place, base, names, options=()):
    """curl gets them all from `base`; what it says of each transfer: [connections opened, HTTP version]."""
    (place.work / "got").mkdir(exist_ok=True)
    urls = [word for name in names for word in ("-o", place.work / "got" / name, f"{base}/{name}")]
    out = place.run(["curl", "-gsS", "--fail", "--max-time", "100", "-w", "done %{num_connects} %{http_version}\n", *options, *urls])
    return [line.split()[1:] for line in out.splitlines() if line.startswith("done ")]


def compare(place, want):
    net.equal({name: sha256(place.work / "got" / name) for name in want}, want, "sha256 of what was fetched")


def keepalive(place):
    want = site(place)
    up, up_sum = place.random_file("upload", BIG)
    nginx(place, 80)
    base = f"http://{place.host(SERVER)}"
    told = fetch(place, base, want)
    net.equal(sum(int(opened) for opened, _ in told), 1, f"connections for {len(want)} files")
    net.equal({version for _, version in told}, {"1.1"}, "HTTP versions")
    compare(place, want)
    place.run(["curl", "-gsS", "--fail", "--max-time", "100", "-T", up, f"{base}/up/upload-1"])
    net.equal(sha256(place.work / "up/upload-1"), up_sum, "sha256 of what was uploaded")
    return {"least": 2, "bytes_least": 2 * BIG}


def http2(place):
    want = site(place)
    certificate(place)
    nginx(place, 443, tls=True)
    told = fetch(place, f"https://{place.host(SERVER)}", want, ["--http2", "--cacert", place.work / "cert.pem", "--parallel"])
    net.equal({version for _, version in told}, {"2"}, "HTTP versions")
    compare(place, want)
    return {"least": 1, "bytes_least": BIG}


def wrk(place):
    site(place)
    nginx(place, 80)
    out = place.run(["wrk", "-t", "2", "-c", "16", "-d", "2s", "--timeout", "20s", f"http://{place.host(SERVER)}/s1"])
    found = re.search(r"(\d+) requests in", out)
    net.check(found and int(found[1]) >= 16, f"wrk made too few requests: {out}")
    for trouble in ("Socket errors", "Non-2xx"):
        net.check(trouble not in out, out)
    return {"least": 16, "bytes_least": int(found[1]) * SMALL}


HAPROXY = """global
  maxconn 200
  stats socket {dir}/haproxy.sock
defaults
  timeout connect 20s
  timeout client 60s
  timeout server 60s
frontend web
  mode http
  bind {front}:80
  default_backend nginx
backend nginx
  mode http
  http-reuse always
  server one {back}:8080
frontend stream
  mode tcp
  option splice-auto
  option splice-request
  option splice-response
  bind {front}:81
  default_backend raw
backend raw
  mode tcp
  option splice-auto
  option splice-request
  option splice-response
  server one {back}:8080
"""


def haproxy(place):
    """curl and nginx on one host, haproxy on the other: as HTTP proxy, and passing on bytes with splice()."""
    want = site(place)
    up, up_sum = place.random_file("upload", BIG)
    nginx(place, 8080, name=CLIENT)
    config = place.file("haproxy.cfg", HAPROXY.format(dir=place.work, front=place.host(SERVER), back=place.host(CLIENT)))
    place.start(["haproxy", "-db", "-f", config], 81)
    for port in (80, 81):
        told = fetch(place, f"http://{place.host(SERVER)}:{port}", want)
        net.equal(sum(int(opened) for opened, _ in told), 1, f"connections for {len(want)} files through port {port}")
        compare(place, want)
        place.run(["curl", "-gsS", "--fail", "--max-time", "100", "-T", up, f"http://{place.host(SERVER)}:{port}/up/upload-{port}"])
        net.equal(sha256(place.work / f"up/upload-{port}"), up_sum, f"sha256 of what was uploaded through port {port}")
    return {"least": 2, "bytes_least": 8 * BIG, "flows": [(CLIENT, SERVER), (SERVER, CLIENT)]}


REQUESTS = """
import hashlib, json, sys
import requests

assert requests.__version__
with requests.Session() as session:
    for name, want in json.load(open(sys.argv[2])).items():
        answer = session.get(f"{sys.argv[1]}/{name}", timeout=60)
        answer.raise_for_status()
        got = hashlib.sha256(answer.content).hexdigest()
        assert got == want, f"{name}: sha256 {got}, want {want}"
print("all there")
"""


def python(place):
    want = site(place)
    place.start(["/usr/bin/python3", "-m", "http.server", "--protocol", "HTTP/1.1", "--bind", place.addr(SERVER),
                 "--directory", place.work / "www", "8000"], 8000)
    script, wanted = place.file("client.py", REQUESTS), place.file("want.json", str(want).replace("'", '"'))
    out = place.run(["/usr/bin/python3", script, f"http://{place.host(SERVER)}:8000", wanted])
    net.check("all there" in out, out)
    return {"least": 1, "bytes_least": BIG}


NODE_SERVER = """
const http = require('http'), crypto = require('crypto');
http.createServer((request, response) => {
  const hash = crypto.createHash('sha256');
  response.setHeader('Trailer', 'x-sha256');
  request.on('data', piece => { hash.update(piece); response.write(piece); });
  request.on('end', () => { response.addTrailers({'x-sha256': hash.digest('hex')}); response.end(); });
}).listen(8001, process.argv[2]);
"""

# Requests run side by side over four connections that stay open; each body comes back as it was sent.
NODE_CLIENT = """
const http = require('http'), crypto = require('crypto');
const agent = new http.Agent({keepAlive: true, maxSockets: 4});
const digest = data => crypto.createHash('sha256').update(data).digest('hex');
function echo(size) {
  return new Promise((resolve, reject) => {
    const body = crypto.randomBytes(size), pieces = [];
    const request = http.request({host: process.argv[2], port: 8001, method: 'POST', agent, timeout: 60000}, response => {
      response.on('data', piece => pieces.push(piece));
      response.on('end', () => {
        const got = digest(Buffer.concat(pieces));
        if (got !== digest(body) || got !== response.trailers['x-sha256']) reject(new Error('sha256 differs'));
        else resolve();
      });
    });
    request.on('error', reject);
    request.on('timeout', () => reject(new Error('time-out')));
    request.end(body);
  });
}
Promise.all([...Array(40).keys()].map(n => echo(n % 10 ? 1000 : 400000))).then(() => {
  console.log('all back');
  agent.destroy();
}).catch(error => { console.error(error); process.exit(1); });
"""


def node(place):
    place.start(["node", place.file("server.js", NODE_SERVER), place.addr(SERVER)], 8001)
    out = place.run(["node", place.file("client.js", NODE_CLIENT), place.addr(SERVER)])
    net.check("all back" in out, out)
    return {"least": 4, "bytes_least": 2 * 4 * 400000}


def go(place):
    """Programs that make their system calls themselves, without the C library; curl beside them only to compare what came."""
    want = site(place)
    env = ["env", f"XDG_CONFIG_HOME={place.work}", f"XDG_DATA_HOME={place.work}"]
    place.start([*env, "caddy", "file-server", "--listen", f"{place.host(SERVER)}:80", "--root", place.work / "www"], 80)
    base = f"http://{place.host(SERVER)}"
    fetch(place, base, want)
    compare(place, want)
    for name, size, clients, requests in (("s1", SMALL, 8, 200), ("big", BIG, 2, 4)):
        out = place.run(["hey", "-n", requests, "-c", clients, "-t", 100, f"{base}/{name}"])
        found = re.search(rf"\[200\]\s+{requests} responses", out) and re.search(r"Total data:\s+(\d+) bytes", out)
        net.check(found and int(found[1]) == requests * size and "Error distribution" not in out, f"hey: {out}")
    return {"least": 1 + 8 + 2, "bytes_least": 5 * BIG + 200 * SMALL}
