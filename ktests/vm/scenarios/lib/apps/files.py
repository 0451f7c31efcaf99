# SPDX-License-Identifier: GPL-2.0
"""Files and streams: OpenSSH, rsync, socat, iperf3, stress-ng."""

import json
import os

from .. import net
from .place import SERVER, patiently, sha256

SSHD = """Port 22
ListenAddress {addr}
HostKey {dir}/host_key
PidFile {dir}/sshd.pid
AuthorizedKeysFile {dir}/user_key.pub
StrictModes no
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
UseDNS no
Subsystem sftp internal-sftp
"""


def ssh_server(place):
    """sshd, and the options with which ssh, scp and sftp reach it."""
    for key in ("host_key", "user_key"):
        net.sh(f"ssh-keygen -q -t ed25519 -N '' -f {place.work}/{key}")
    config = place.file("sshd_config", SSHD.format(addr=place.addr(SERVER), dir=place.work))
    known = place.file("known_hosts", f"{place.addr(SERVER)} " + (place.work / "host_key.pub").read_text(encoding="ascii"))
    os.makedirs("/run/sshd", mode=0o755, exist_ok=True)
    place.start(["/usr/sbin/sshd", "-D", "-e", "-f", config], 22)
    options = {"IdentityFile": place.work / "user_key", "UserKnownHostsFile": known, "StrictHostKeyChecking": "yes",
               "BatchMode": "yes", "ConnectTimeout": 60}
    return ["-F", "/dev/null", *[word for key, value in options.items() for word in ("-o", f"{key}={value}")]]


def ssh(place):
    """There with scp's old protocol, back with sftp, and once through the shell."""
    size = (4 if place.netem_on else 64) << 20
    path, want = place.random_file("file", size)
    options = ssh_server(place)
    place.run(["scp", *options, "-O", path, f"root@{place.host(SERVER)}:{place.work}/there"], timeout=300)
    net.equal(sha256(place.work / "there"), want, "sha256 after scp")
    place.run(["sftp", *options, f"root@{place.host(SERVER)}:{place.work}/there", place.work / "back"], timeout=300)
    net.equal(sha256(place.work / "back"), want, "sha256 after sftp")
    out = place.run(["ssh", *options, f"root@{place.addr(SERVER)}", f"sha256sum {place.work}/there; exit 7"], status=7)
    net.check(want in out, out)
    return {"least": 3, "bytes_least": 2 * size}


RSYNCD = """use chroot = no
uid = 0
gid = 0
pid file = {dir}/rsyncd.pid
[tree]
path = {dir}/there
read only = no
"""


def tree(folder):
    """{name: sha256} of what is in it."""
    return {str(path.relative_to(folder)): sha256(path) for path in folder.rglob("*") if path.is_file()}


def rsync(place):
    """A tree there, a change that goes as a difference, and back into an empty folder."""
    for n in range(40):
        place.random_file(f"here/d{n % 4}/f{n}", 100 << n % 10)
    big, _ = place.random_file("here/big", 3 << 20)
    (place.work / "there").mkdir()
    place.start(["rsync", "--daemon", "--no-detach", "--config", place.file("rsyncd.conf", RSYNCD.format(dir=place.work)),
                 "--address", place.addr(SERVER), "--port", 873], 873)
    url = f"rsync://{place.host(SERVER)}/tree/"
    place.run(["rsync", "-a", f"{place.work}/here/", url])
    net.equal(tree(place.work / "there"), tree(place.work / "here"), "the tree that was sent")
    with open(big, "r+b") as f:
        f.seek(1 << 20)
        f.write(os.urandom(1000))
    place.run(["rsync", "-a", "--no-whole-file", "--checksum", f"{place.work}/here/", url])
    net.equal(tree(place.work / "there"), tree(place.work / "here"), "the tree after a change")
    place.run(["rsync", "-a", url, f"{place.work}/back/"])
    net.equal(tree(place.work / "back"), tree(place.work / "here"), "the tree that came back")
    return {"least": 3, "bytes_least": 6 << 20}


def socat(place):
    """A file in one direction, and an echo with a half-closed connection: all comes back after our FIN."""
    path, want = place.random_file("file", 4 << 20)
    at = f"{place.host(SERVER)}"
    family = f",pf=ip{place.family}"
    place.start(["socat", "-u", f"TCP-LISTEN:7000,bind={at},reuseaddr{family}", f"CREATE:{place.work}/there"], 7000)
    place.run(["socat", "-u", f"OPEN:{path}", f"TCP:{at}:7000"])
    patiently("sha256 of the file", lambda: net.equal(sha256(place.work / "there"), want, "sha256"))
    place.start(["socat", f"TCP-LISTEN:7001,bind={at},reuseaddr,fork{family}", "EXEC:cat"], 7001)
    place.run(["sh", "-c", f"socat -t 60 - TCP:{at}:7001 <{path} >{place.work}/back"])
    net.equal(sha256(place.work / "back"), want, "sha256 of what was echoed")
    return {"least": 2, "bytes_least": 12 << 20}


IPERF_RUNS = {
    "forward": [],
    "reverse": ["-R"],
    "both": ["--bidir"],
    "parallel": ["-P", "4"],
    "parallel reverse": ["-P", "4", "-R"],
    "client's port": ["--cport", "40000"],
    "zero copy": ["-Z"],
}


def iperf3(place):
    size = (1 if place.netem_on else 4) << 20
    place.start(["iperf3", "-s", "-p", 5201, "-B", place.addr(SERVER)], 5201)
    for what, options in IPERF_RUNS.items():
        def once(options=options):
            return place.run(["iperf3", "-c", place.addr(SERVER), "-p", 5201, "-J", "-n", size, *options])
        result = json.loads(patiently(what, once))
        net.check("error" not in result, f"{what}: {result.get('error')}")
        end = result["end"]
        streams = 4 if "-P" in options else 1
        net.equal(len(result["start"]["connected"]), streams * (2 if "--bidir" in options else 1), f"{what}: streams")
        # With --bidir the test is over when one direction is done.
        sent = [end[direction]["bytes"] for direction in ["sum_sent"] + ["sum_sent_bidir_reverse"] * ("--bidir" in options)]
        net.check(max(sent) >= size and min(sent) > 0, f"{what}: {sent} of {size} bytes sent")
        # The receiver stops when the sender has done its part, whatever is still under way.
        net.check(end["sum_received"]["bytes"] > 0, f"{what}: nothing has arrived")
        if "--cport" in options:
            net.equal(result["start"]["connected"][0]["local_port"], 40000, "the client's port")
    return {"least": 2 * len(IPERF_RUNS), "bytes_least": size}


def stress(place):
    """Clients and servers on one host, with calls that make little sense."""
    for more in (["--sock", 2, "--sock-ops", 200, "--sock-opts", "random"], ["--sockmany", 1, "--sockmany-ops", 5]):
        out = place.run(["stress-ng", "--temp-path", place.work, "--timeout", "100s", "--verify", *more], name=SERVER, timeout=200)
        net.check("successful run completed" in out and "unsuccessful" not in out and "fail:" not in out, out)
    return {"least": 100, "bytes_least": 1 << 20, "flows": [(SERVER, SERVER)]}
